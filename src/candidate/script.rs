//! Scripts: the `#!` line by the kernel's rules, and the names of known interpreters. Pure.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// As many bytes of a file as the kernel looks at (`BINPRM_BUF_SIZE`, since Linux 5.1).
pub(super) const HEAD: usize = 256;

/// A `#!` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shebang {
    /// The interpreter's path, as written; relative to the working folder if it is relative.
    pub interpreter: PathBuf,
    /// Everything behind it, as the one argument that the kernel makes of it.
    pub argument: Option<OsString>,
}

impl Shebang {
    /// The `#!` line at the start of a file, of which up to [`HEAD`] bytes matter; `None` where the
    /// kernel answers `ENOEXEC` (`load_script` in the kernel's `fs/binfmt_script.c`).
    #[must_use]
    pub fn parse(head: &[u8]) -> Option<Self> {
        let head = &head[..head.len().min(HEAD)];
        let line = head.strip_prefix(b"#!")?;
        let end = head.iter().position(|&byte| byte == b'\n' || byte == 0).unwrap_or(head.len());
        // Without an end of line in sight the interpreter's path may be cut off, unless a blank
        // ends it; the argument is then taken as far as it goes.
        if end == HEAD && !trim_start(line).iter().any(|&byte| is_blank(byte)) {
            return None;
        }
        // The kernel's last byte becomes the NUL.
        let whole = end >= HEAD - 1 || head.get(end) == Some(&b'\n');
        let line = &head[2..end.min(HEAD - 1)];
        // Blanks before the end of a shorter file belong to the argument.
        let line = if whole { trim_end(line) } else { line };
        let line = trim_start(line);
        let end = line.iter().position(|&byte| is_blank(byte)).unwrap_or(line.len());
        let (interpreter, argument) = line.split_at(end);
        let argument = trim_start(argument);
        (!interpreter.is_empty()).then(|| Self {
            interpreter: PathBuf::from(OsStr::from_bytes(interpreter)),
            argument: (!argument.is_empty()).then(|| OsStr::from_bytes(argument).to_owned()),
        })
    }

    /// The name of the program that reads the script: `python3` for `#!/usr/bin/python3` and for
    /// `#!/usr/bin/env -S python3 -u` alike.
    #[must_use]
    pub fn program(&self) -> Option<&OsStr> {
        let name = self.interpreter.file_name()?;
        if name != "env" {
            return Some(name);
        }
        let words = self.argument.as_ref()?.as_bytes().split(|&byte| is_blank(byte));
        let named =
            |word: &&[u8]| !word.is_empty() && !word.starts_with(b"-") && !word.contains(&b'=');
        Path::new(OsStr::from_bytes(words.into_iter().find(named)?)).file_name()
    }
}

/// Programs that run code which they read from other files. `apache2`, `httpd`, `unitd` and `uwsgi`
/// are native servers with an interpreter inside.
const INTERPRETERS: &[&str] = &[
    "R",
    "Rscript",
    "apache2",
    "ash",
    "awk",
    "bash",
    "beam.smp",
    "bun",
    "busybox",
    "clojure",
    "dart",
    "dash",
    "deno",
    "dotnet",
    "elixir",
    "env",
    "erl",
    "escript",
    "fish",
    "frankenphp",
    "gawk",
    "groovy",
    "guile",
    "httpd",
    "iex",
    "java",
    "jruby",
    "jshell",
    "julia",
    "ksh",
    "lua",
    "luajit",
    "mawk",
    "mksh",
    "mono",
    "node",
    "nodejs",
    "npm",
    "npx",
    "perl",
    "php",
    "php-cgi",
    "php-fpm",
    "pnpm",
    "pwsh",
    "pypy",
    "python",
    "racket",
    "raku",
    "ruby",
    "sbcl",
    "scala",
    "sh",
    "tclsh",
    "truffleruby",
    "ts-node",
    "tsx",
    "unitd",
    "uwsgi",
    "wish",
    "yarn",
    "zsh",
];

/// Whether `program` (a name or a path) is a known interpreter, with or without a version behind
/// its name: `python`, `python3.13t`, `/usr/bin/php-fpm8.3`, `ruby3.2`.
#[must_use]
pub fn is_interpreter(program: &OsStr) -> bool {
    let Some(name) = Path::new(program).file_name().and_then(OsStr::to_str) else {
        return false;
    };
    INTERPRETERS.iter().any(|known| name.strip_prefix(known).is_some_and(is_version))
}

/// Nothing, or digits and dots, with one letter of a build variant behind (`3.13t`, `3.7m`).
fn is_version(suffix: &str) -> bool {
    let suffix = suffix.strip_prefix('-').unwrap_or(suffix);
    let number = suffix.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    number.is_empty() || (number.len() < suffix.len() && matches!(number, "t" | "m" | "d"))
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn trim_start(bytes: &[u8]) -> &[u8] {
    let from = bytes.iter().position(|&byte| !is_blank(byte)).unwrap_or(bytes.len());
    &bytes[from..]
}

fn trim_end(bytes: &[u8]) -> &[u8] {
    let to = bytes.iter().rposition(|&byte| !is_blank(byte)).map_or(0, |last| last + 1);
    &bytes[..to]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(interpreter: &str, argument: Option<&str>) -> Shebang {
        Shebang { interpreter: interpreter.into(), argument: argument.map(OsString::from) }
    }

    #[test]
    fn the_line_is_read_as_the_kernel_reads_it() {
        for (head, expected) in [
            (&b"#!/bin/sh\necho"[..], Some(line("/bin/sh", None))),
            (b"#! \t/bin/sh -e  x \t\n", Some(line("/bin/sh", Some("-e  x")))),
            (b"#!/bin/sh", Some(line("/bin/sh", None))),
            // Found by fuzzing: the kernel trims blanks before a newline only.
            (b"#!/bin/sh -e ", Some(line("/bin/sh", Some("-e ")))),
            (b"#!/bin/sh ", Some(line("/bin/sh", None))),
            (b"#!/bin/sh\r\n", Some(line("/bin/sh\r", None))),
            (b"#!bin/tool\n", Some(line("bin/tool", None))),
            (b"#!\n/bin/sh", None),
            (b"#!", None),
            (b" #!/bin/sh\n", None),
            (b"", None),
        ] {
            assert_eq!(Shebang::parse(head), expected, "{}", head.escape_ascii());
        }
    }

    #[test]
    fn a_path_that_may_be_cut_off_is_none_and_an_argument_is_cut_off() {
        let long = format!("#!/{}", "x".repeat(300));
        assert_eq!(Shebang::parse(long.as_bytes()), None);
        let fits = format!("#!/{}\n", "x".repeat(252));
        assert_eq!(Shebang::parse(fits.as_bytes()), Some(line(&fits[2..255], None)));
        let argument = format!("#!/bin/sh {}", "x".repeat(300));
        assert_eq!(
            Shebang::parse(argument.as_bytes()),
            Some(line("/bin/sh", Some(&"x".repeat(HEAD - 1 - "#!/bin/sh ".len()))))
        );
    }

    #[test]
    fn the_program_behind_env_is_found() {
        for (head, program) in [
            ("#!/usr/bin/python3 -u\n", Some("python3")),
            ("#!/usr/bin/env python3\n", Some("python3")),
            ("#!/usr/bin/env -S A=1 node --x\n", Some("node")),
            ("#!/usr/bin/env\n", None),
        ] {
            let shebang = Shebang::parse(head.as_bytes()).unwrap();
            assert_eq!(shebang.program(), program.map(OsStr::new), "{head}");
        }
    }

    #[test]
    fn interpreters_are_known_with_and_without_a_version() {
        for name in [
            "sh",
            "/bin/bash",
            "python",
            "python3",
            "/usr/bin/python3.13t",
            "node",
            "node20",
            "php-fpm8.3",
            "ruby3.2",
            "perl5.36.0",
            "java",
            "lua5.4",
            "pypy3",
        ] {
            assert!(is_interpreter(OsStr::new(name)), "{name}");
        }
        for name in ["app", "sha256sum", "shell", "nodemon", "rubyd", "javac", "server", "", "/"] {
            assert!(!is_interpreter(OsStr::new(name)), "{name}");
        }
    }
}
