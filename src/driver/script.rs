//! The file that an interpreter was told to run: a start execs the interpreter and is as much in
//! need of this file as of the executable. May come in: the command, and what it ran last.

use std::path::{Path, PathBuf};

use super::program::Command;
use crate::candidate::{Writer, is_interpreter, writer};
use crate::core::Judgement;

impl Command {
    /// What these words tell a known interpreter to run: its first argument that is no option,
    /// where that is a file or folder. `python -m NAME`, `npm start` and a line for a shell name
    /// none.
    pub(super) fn script(&self, program: &Path) -> Option<PathBuf> {
        let (name, arguments) = self.words().split_first()?;
        let known = [Some(name.as_os_str()), program.file_name()];
        if self.is_shell_line() || !known.into_iter().flatten().any(is_interpreter) {
            return None;
        }
        let named = arguments.iter().find(|word| !word.as_encoded_bytes().starts_with(b"-"))?;
        Some(self.folder().join(named)).filter(|path| path.exists())
    }
}

/// Turns a verdict for a start into one against it: the script that ran last, or else the one that
/// would run now, is gone or is being written. An interpreter would only die of it, and what follows
/// a deletion may take longer than the second that a set of deletions waits (`rm -r dist; tsc`).
pub(super) fn weigh(judgement: Judgement, script: Option<&Path>) -> Judgement {
    match (judgement, script) {
        (Judgement::Changed(_), Some(script)) if !script.exists() => {
            Judgement::Refused { why: format!("{} is gone", script.display()) }
        }
        (Judgement::Changed(_), Some(script)) if writer(script) == Writer::Somebody => {
            Judgement::Busy { path: script.into() }
        }
        (judgement, _) => judgement,
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::fs;

    use super::*;

    fn script_of(words: &[&str], shell: bool) -> Option<PathBuf> {
        let words = words.iter().map(OsString::from).collect();
        Command::here(words, shell).script(Path::new("/x/web"))
    }

    #[test]
    fn the_first_argument_of_an_interpreter_that_is_a_file_is_its_script() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("main.py");
        fs::write(&file, "").unwrap();
        let name = file.to_str().unwrap();
        assert_eq!(script_of(&["python3", "-u", name, "--port"], false), Some(file.clone()));
        assert_eq!(script_of(&["python3", "-c", "code", name], false), None);
        assert_eq!(script_of(&["bin/web", name], false), None);
        assert_eq!(script_of(&["python3", name], true), None);
        assert_eq!(script_of(&["python3"], false), None);
    }

    #[test]
    fn a_script_that_is_gone_or_being_written_puts_a_restart_off() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("main.py");
        let verdict = || weigh(Judgement::Changed(crate::core::Change::default()), Some(&file));
        let why = format!("{} is gone", file.display());
        assert_eq!(verdict(), Judgement::Refused { why });
        let open = fs::File::create(&file).unwrap();
        assert_eq!(verdict(), Judgement::Busy { path: file.as_path().into() });
        drop(open);
        assert_eq!(verdict(), Judgement::Changed(crate::core::Change::default()));
        fs::remove_file(&file).unwrap();
        assert_eq!(weigh(Judgement::Unchanged, Some(&file)), Judgement::Unchanged);
    }
}
