//! Commands: how a Procfile line is run, and how a command is put under the supervisor. Values
//! only.
//!
//! A line without shell syntax is split into words and executed directly, so that the stop signal
//! reaches the app itself and a run image without a shell will do. In doubt it is a line for the
//! shell, which is always right, only one process longer.

use crate::process::is_shell_word;

/// A command in one of the two ways in which it can be executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Executed directly; never empty.
    Words(Vec<String>),
    /// One line of bash, or of sh where there is no bash.
    Shell(String),
}

impl Command {
    /// A Procfile line: words unless it has shell syntax or begins with an assignment, a builtin
    /// or a reserved word. A leading `exec` says what direct execution does anyway.
    #[must_use]
    pub fn from_line(line: &str) -> Self {
        direct_words(line).map_or_else(|| Self::Shell(line.to_owned()), Self::Words)
    }

    /// The command line that runs it under the supervisor. Arguments of the user append.
    #[must_use]
    pub fn supervised(&self, relaunch: &str) -> Vec<String> {
        let options: &[&str] = match self {
            Self::Words(_) => &["run", "--"],
            Self::Shell(_) => &["run", "--shell", "--"],
        };
        let command = match self {
            Self::Words(words) => words.clone(),
            Self::Shell(line) => vec![line.clone()],
        };
        [relaunch].iter().chain(options).map(|word| (*word).to_owned()).chain(command).collect()
    }

    /// The command line that runs it without the supervisor, with the same meaning of the user's
    /// arguments.
    #[must_use]
    pub fn unsupervised(&self) -> Vec<String> {
        match self {
            Self::Words(words) => words.clone(),
            Self::Shell(line) => ["sh", "-c", CHOOSE_SHELL, line].map(str::to_owned).to_vec(),
        }
    }

    /// Whether it runs a supervisor of its own, so that wrapping it would supervise twice:
    /// `watchexec` anywhere in it, or `relaunch run`.
    #[must_use]
    pub fn runs_supervisor(&self) -> bool {
        let tokens = self.tokens();
        let name = |token: &str| token.rsplit('/').next().unwrap_or_default().to_owned();
        tokens.iter().any(|token| name(token) == "watchexec")
            || tokens.windows(2).any(|pair| name(&pair[0]) == "relaunch" && pair[1] == "run")
    }

    /// Its words, those of a shell line cut roughly: at blanks, operators and quotes.
    #[must_use]
    pub fn tokens(&self) -> Vec<String> {
        match self {
            Self::Words(words) => words.iter().flat_map(|word| cut(word)).collect(),
            Self::Shell(line) => cut(line),
        }
    }

    /// The same as one line for the shell, as a person would write it.
    #[must_use]
    pub fn line(&self) -> String {
        match self {
            // Only a NUL byte cannot be quoted, and no command line can hold one.
            Self::Words(words) => shlex::try_join(words.iter().map(String::as_str))
                .unwrap_or_else(|_| words.join(" ")),
            Self::Shell(line) => line.clone(),
        }
    }
}

fn cut(text: &str) -> Vec<String> {
    let separates = |c: char| c.is_whitespace() || ";&|()<>'\"`".contains(c);
    text.split(separates).filter(|token| !token.is_empty()).map(str::to_owned).collect()
}

/// What `sh -c` runs for a line outside the supervisor: bash where the image has it, since
/// Procfile lines are written for it. The line is `$0`; arguments append only when there are any,
/// because `fi "$@"` would be a syntax error.
pub(super) const CHOOSE_SHELL: &str = "shell=$(command -v bash || command -v sh); \
    if [ $# -eq 0 ]; then exec \"$shell\" -c \"$0\"; fi; \
    exec \"$shell\" -c \"$0 \\\"\\$@\\\"\" \"$shell\" \"$@\"";

fn direct_words(line: &str) -> Option<Vec<String>> {
    if has_shell_syntax(line) {
        return None;
    }
    let mut words = shlex::split(line)?;
    if words.first().is_some_and(|word| word == "exec") {
        words.remove(0);
    }
    let first = words.first()?;
    let needs_shell =
        first.is_empty() || first.starts_with('-') || is_assignment(first) || is_shell_word(first);
    (!needs_shell).then_some(words)
}

/// Whether anything in the line means something to a shell beyond quoting.
fn has_shell_syntax(line: &str) -> bool {
    #[derive(PartialEq)]
    enum Quote {
        None,
        Single,
        Double,
    }
    let mut quote = Quote::None;
    let mut characters = line.chars();
    let mut word_start = true;
    while let Some(character) = characters.next() {
        let starts_word = std::mem::replace(&mut word_start, false);
        match (&quote, character) {
            (Quote::None, '\'') => quote = Quote::Single,
            (Quote::None, '"') => quote = Quote::Double,
            (Quote::Single, '\'') | (Quote::Double, '"') => quote = Quote::None,
            // A backslash before the end of a line joins it with the next one.
            (Quote::None | Quote::Double, '\\') if characters.next() == Some('\n') => return true,
            (Quote::None | Quote::Double, '\\') => {}
            (Quote::None | Quote::Double, '$' | '`') => return true,
            (Quote::None, '#') if starts_word => return true,
            (Quote::None, c) if "|&;<>()*?[{~\n".contains(c) => return true,
            (Quote::None, c) if c.is_whitespace() => word_start = true,
            _ => {}
        }
    }
    // An unclosed quote is the shell's to complain about, in its own words.
    quote != Quote::None
}

/// `NAME=value` or `NAME+=value`.
fn is_assignment(word: &str) -> bool {
    let Some((name, _)) = word.split_once('=') else {
        return false;
    };
    let name = name.strip_suffix('+').unwrap_or(name);
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process;

    fn words(words: &[&str]) -> Command {
        Command::Words(words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn plain_lines_are_split_into_words() {
        let pairs: &[(&str, &[&str])] = &[
            ("build/app", &["build/app"]),
            ("app --port=80 -e A=b", &["app", "--port=80", "-e", "A=b"]),
            ("python -c 'print(\"a; b\")' \"c d\"", &["python", "-c", "print(\"a; b\")", "c d"]),
            ("app a\\ b \\$HOME", &["app", "a b", "$HOME"]),
            ("app a#b", &["app", "a#b"]),
            ("exec app -v", &["app", "-v"]),
            ("env A=b app", &["env", "A=b", "app"]),
            ("app !x", &["app", "!x"]),
        ];
        for (line, expected) in pairs {
            assert_eq!(Command::from_line(line), words(expected), "{line}");
        }
    }

    #[test]
    fn shell_syntax_stays_one_line_for_the_shell() {
        for line in [
            "app $PORT",
            "app \"$PORT\"",
            "app `date`",
            "a && b",
            "a | b",
            "a; b",
            "a &",
            "app > log",
            "(a)",
            "app *.txt",
            "app file?",
            "app [ab]",
            "app {a,b}",
            "app ~/x",
            "app # note",
            "A=b app",
            "A+=b app",
            "exec A=b",
            "exec -a x app",
            "exec exec app",
            "exec",
            "cd x",
            "source x",
            ". x",
            "[ -f x ]",
            "! app",
            "time app",
            "while true",
            "''",
            "app 'open",
            "app open\\",
            // Found by fuzzing: it became an empty word.
            "app \\\n a",
            "app \"a\\\nb\"",
        ] {
            let expected = Command::Shell(line.to_owned());
            assert_eq!(Command::from_line(line), expected, "{line}");
        }
    }

    #[test]
    fn both_ways_have_their_form_under_the_supervisor() {
        assert_eq!(words(&["app", "-v"]).supervised("/r"), ["/r", "run", "--", "app", "-v"]);
        assert_eq!(
            Command::Shell("a && b".to_owned()).supervised("/r"),
            ["/r", "run", "--shell", "--", "a && b"]
        );
    }

    #[test]
    fn lines_outside_the_supervisor_append_arguments_and_need_no_bash() {
        let run = |line: &str, arguments: &[&str]| {
            let command = Command::Shell(line.to_owned()).unsupervised();
            let output = process::Command::new(&command[0])
                .args(&command[1..])
                .args(arguments)
                .output()
                .unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        assert_eq!(run("A=1; echo $A", &["b  c", "$d"]), "1 b  c $d\n");
        assert_eq!(run("if true; then echo yes; fi", &[]), "yes\n");
        assert_eq!(words(&["app", "-v"]).unsupervised(), ["app", "-v"]);
    }

    #[test]
    fn commands_that_supervise_are_recognised() {
        for line in [
            "watchexec --restart -- app",
            "/layers/x/bin/watchexec -r app",
            "cd x && watchexec app",
            "bash -c 'watchexec -r app'",
            "relaunch run -- app",
            "exec /layers/y/bin/relaunch run -- app",
        ] {
            assert!(Command::from_line(line).runs_supervisor(), "{line}");
        }
        for line in ["app --watchexec", "relaunch status", "app relaunch", "./x"] {
            assert!(!Command::from_line(line).runs_supervisor(), "{line}");
        }
    }

    #[test]
    fn commands_have_a_line_as_a_person_would_write_it() {
        assert_eq!(words(&["app", "a b"]).line(), "app 'a b'");
        assert_eq!(Command::Shell("a && b".to_owned()).line(), "a && b");
    }
}
