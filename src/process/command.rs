//! A line of shell as a command: which shell the image has, and the words to run it with.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::resolve::{DEFAULT_PATH, is_executable};

/// The shell of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shell {
    /// `bash` or `sh`.
    pub name: &'static str,
    /// Where it lies.
    pub path: PathBuf,
}

impl Shell {
    /// bash, else sh; on `search` (the value of `PATH`), then in `/bin` and `/usr/bin`. `None` for
    /// an image without a shell.
    #[must_use]
    pub fn find(search: Option<&OsStr>) -> Option<Self> {
        let folders =
            [search.unwrap_or_default(), OsStr::new(DEFAULT_PATH)].map(OsStr::as_bytes).join(&b':');
        ["bash", "sh"].into_iter().find_map(|name| {
            folders
                .split(|byte| *byte == b':')
                .filter(|folder| !folder.is_empty())
                .map(|folder| Path::new(OsStr::from_bytes(folder)).join(name))
                .find(|path| is_executable(path))
                .map(|path| Self { name, path })
        })
    }
}

/// The words that run a line in a shell, `argv[0]` first. Arguments are appended to the line as
/// `"$@"`, only when there are any, so that a line that ends in `&` or a comment works alone.
///
/// A line that is one simple command gets an `exec`, so that TERM and the exit code are the app's
/// own: bash does that by itself, dash does not, and would die of the TERM before its child.
#[must_use]
pub fn shell_command(shell: &Shell, line: &OsStr, arguments: &[OsString]) -> Vec<OsString> {
    let mut line = line.to_str().and_then(with_exec).unwrap_or(line.into());
    if !arguments.is_empty() {
        line.push(" \"$@\"");
    }
    let mut words: Vec<OsString> = vec![shell.name.into(), "-c".into(), line];
    if !arguments.is_empty() {
        words.push(shell.name.into());
        words.extend_from_slice(arguments);
    }
    words
}

/// Whatever could make a line more than one simple command; a redirection does not, but `>&` and
/// `<(` would need a parser.
const SYNTAX: &[char] =
    &[';', '&', '|', '<', '>', '(', ')', '{', '}', '`', '#', '!', '\\', '\n', '\r'];

/// Whether the word is one of a shell's own: no exec(3) runs it, or another program than the shell
/// means.
#[must_use]
pub fn is_shell_word(word: &str) -> bool {
    SHELL_WORDS.contains(&word)
}

/// Reserved words and builtins of POSIX sh and bash (their manual pages). Several exist as programs
/// too, but not with the same meaning everywhere.
#[rustfmt::skip]
const SHELL_WORDS: &[&str] = &[
    "!", "[[", "]]", "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for",
    "function", "if", "in", "select", "then", "time", "until", "while", "{", "}",
    ".", ":", "[", "alias", "bg", "bind", "break", "builtin", "caller", "cd", "command", "compgen",
    "complete", "compopt", "continue", "declare", "dirs", "disown", "echo", "enable", "eval",
    "exec", "exit", "export", "false", "fc", "fg", "getopts", "hash", "help", "history", "jobs",
    "kill", "let", "local", "logout", "mapfile", "popd", "printf", "pushd", "pwd", "read",
    "readarray", "readonly", "return", "set", "shift", "shopt", "source", "suspend", "test",
    "times", "trap", "true", "type", "typeset", "ulimit", "umask", "unalias", "unset", "wait",
];

/// The line with `exec` before its command, after assignments; `None` when it may be more than one
/// simple command.
fn with_exec(line: &str) -> Option<OsString> {
    if line.contains(SYNTAX) {
        return None;
    }
    let mut rest = line.trim_start();
    loop {
        let word = rest.split_ascii_whitespace().next()?;
        if !is_plain_assignment(word) {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-+./".contains(&byte);
            let program = word.bytes().all(plain) && !is_shell_word(word);
            let before = &line[..line.len() - rest.len()];
            return program.then(|| format!("{before}exec {rest}").into());
        }
        rest = rest[word.len()..].trim_start();
    }
}

/// `NAME=value` without quotes, so that the value ends with the word.
fn is_plain_assignment(word: &str) -> bool {
    let name = word.split_once('=').map_or("", |(name, _)| name);
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    !name.is_empty()
        && is_name
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && !word.contains(['\'', '"'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(arguments: &[&str]) -> Vec<OsString> {
        let shell = Shell { name: "bash", path: "/bin/bash".into() };
        let arguments: Vec<OsString> = arguments.iter().map(Into::into).collect();
        shell_command(&shell, "app -v".as_ref(), &arguments)
    }

    #[test]
    fn a_line_alone_gets_no_words() {
        assert_eq!(words(&[]), ["bash", "-c", "exec app -v"]);
    }

    #[test]
    fn arguments_are_appended_as_words_not_as_text() {
        assert_eq!(
            words(&["a b", "$HOME"]),
            ["bash", "-c", "exec app -v \"$@\"", "bash", "a b", "$HOME"]
        );
    }

    #[test]
    fn only_a_simple_command_gets_an_exec() {
        let exec = |line| with_exec(line).map(|line| line.into_string().unwrap());
        for (line, expected) in [
            ("java $OPTS -jar 'a b.jar'", "exec java $OPTS -jar 'a b.jar'"),
            (" A=$B C=  ./app", " A=$B C=  exec ./app"),
        ] {
            assert_eq!(exec(line).as_deref(), Some(expected));
        }
        for line in [
            "",
            "A=b",
            "A='b c' app",
            "exec app",
            "cd x",
            "a && b",
            "a; b",
            "a # b",
            "$APP x",
            "if true",
            "\"app\"",
            "a\nb",
        ] {
            assert_eq!(exec(line), None, "{line}");
        }
    }

    #[test]
    fn sh_is_taken_where_bash_is_missing_and_path_counts_first() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/bin/sh", folder.path().join("bash")).unwrap();
        let shell = Shell { name: "bash", path: folder.path().join("bash") };
        assert_eq!(Shell::find(Some(folder.path().as_os_str())), Some(shell));
        assert!(Shell::find(Some(OsStr::new("/nowhere"))).is_some());
    }
}
