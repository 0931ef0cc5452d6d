//! A line of a Procfile, against bash itself: a line that is run without a shell must mean the same.
//!
//! Bash sees the words of the line and runs none of them: it is restricted, has no search path and
//! no builtin that touches anything else.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command as Program, Stdio};

use relaunch_buildpack::buildpack::command::Command;

use super::super::target::Target;
use super::{holds, same};

pub(crate) const TARGET: Target = Target {
    words: &[
        "app", "exec ", " -e ", "A=b", "A+=b ", "'", "\"", "\\", "$", "${X}", "`", "#", " # ", "~",
        "*", "{a,b}", "!", "\t", "=", "%", "^", "'\\''", "\"\\$\"", "\u{e9}", "\u{a0}", "\r",
        "@(a)", "env ", "cd ", "[", "]]",
    ],
    longest: 200,
    short: 10_000,
    ..Target::new(
        "line",
        "a line that is split into words has the words that bash makes of it, and is the same line again when it is printed",
        check,
    )
};

fn check(input: &[u8]) -> Result<(), String> {
    let Ok(line) = std::str::from_utf8(input) else { return Ok(()) };
    if line.contains('\0') {
        return Ok(());
    }
    let command = Command::from_line(line);
    holds(command.supervised("/r").starts_with(&["/r".to_owned(), "run".to_owned()]), "its form")?;
    let Command::Words(words) = &command else {
        return same(&command, &Command::Shell(line.to_owned()), "a line for the shell");
    };
    let first = words.first().ok_or("no words")?;
    holds(!first.is_empty() && !first.starts_with('-'), "its first word is no program")?;
    same(&Command::from_line(&command.line()), &command, "printed and read again")?;
    let mut by_bash = bash(line)?;
    // It says what running without a shell does anyway.
    if by_bash.first().is_some_and(|word| word == "exec") {
        by_bash.remove(0);
    }
    same(words, &by_bash, "words")
}

struct Bash {
    _child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

thread_local! {
    static BASH: RefCell<Option<Bash>> = const { RefCell::new(None) };
}

const LOOP: &str = "
    for builtin in $(compgen -b); do
        case $builtin in read|eval|set|printf|enable) ;; *) enable -n \"$builtin\" ;; esac
    done
    enable -n enable
    while IFS= read -r -d '' line; do
        set --
        eval \"set -- $line\"
        printf '%s\\0' \"$#\" \"$@\"
    done";

fn bash(line: &str) -> Result<Vec<String>, String> {
    BASH.with_borrow_mut(|kept| {
        let bash = match kept {
            Some(bash) => bash,
            none => none.insert(start()?),
        };
        bash.questions
            .write_all(&[line.as_bytes(), b"\0"].concat())
            .map_err(|error| format!("bash has ended: {error}"))?;
        let count = bash.word()?.parse().map_err(|_| "bash has lost count")?;
        (0..count).map(|_: u32| bash.word()).collect()
    })
}

impl Bash {
    fn word(&mut self) -> Result<String, String> {
        let mut word = Vec::new();
        self.answers.read_until(0, &mut word).map_err(|error| error.to_string())?;
        holds(word.pop() == Some(0), "bash has ended")?;
        String::from_utf8(word).map_err(|error| error.to_string())
    }
}

fn start() -> Result<Bash, String> {
    // A search path of its own would be that of the search for bash as well.
    let mut program = Program::new("sh");
    program.args([
        "-c",
        "PATH= LC_ALL=C exec \"$(command -v bash)\" --norc --noprofile -rc \"$1\"",
        "sh",
        LOOP,
    ]);
    let child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = child.map_err(|error| format!("bash cannot be started: {error}"))?;
    let questions = child.stdin.take().ok_or("no stdin")?;
    let answers = child.stdout.take().map(BufReader::new).ok_or("no stdout")?;
    Ok(Bash { _child: child, questions, answers })
}
