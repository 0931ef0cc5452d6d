//! Real files, good and broken; refusals by their text.

use std::fs::OpenOptions;

use super::*;
use crate::candidate::testing::{as_nobody, closed, file, folder, is_root, program};

/// The refusal of the check with the path cut to the file's name, and `fit` where there is none.
fn outcome(result: Result<Fit, Refusal>) -> String {
    match result {
        Ok(_) => "fit".to_owned(),
        Err(refusal) => {
            let name = refusal.path.file_name().unwrap().to_str().unwrap();
            format!("{name} {}", refusal.fault)
        }
    }
}

fn last(path: &Path) -> String {
    check_last(path).err().map_or("fit".to_owned(), |refusal| refusal.fault.to_string())
}

#[test]
fn a_whole_program_is_fit_and_described() {
    let folder = folder();
    let path = file(&folder, "app", &program(), 0o755);
    let fit = check(&path).unwrap();
    assert_eq!(fit.identity, identity(&path).unwrap());
    assert_eq!(fit.writer, Writer::Nobody);
    let Format::Elf(elf) = fit.format else { panic!("{:?}", fit.format) };
    assert_eq!(elf.machine, Machine::HOST);
    assert_eq!(last(&path), "fit");
    let script = file(&folder, "script", b"#!/bin/sh -e\n", 0o755);
    let shebang = Shebang { interpreter: "/bin/sh".into(), argument: Some("-e".into()) };
    assert_eq!(check(&script).unwrap().format, Format::Script(shebang));
    assert_eq!(last(&script), "fit");
}

#[test]
fn the_refusal_says_what_is_wrong_with_which_file() {
    let folder = folder();
    let whole = program();
    let mut arm = whole.clone();
    arm[18..20].copy_from_slice(&[if Machine::HOST.number == 183 { 62 } else { 183 }, 0]);
    let (found, host) =
        if Machine::HOST.number == 183 { ("amd64", "arm64") } else { ("arm64", "amd64") };
    let needed = whole.len();
    for (name, bytes, mode, expected) in [
        (
            "cut",
            &whole[..needed / 2],
            0o755,
            format!("is cut off: {} of {needed} bytes", needed / 2),
        ),
        ("empty", b"", 0o755, "is empty".into()),
        ("plain", &whole, 0o644, "is not executable (mode 0644)".into()),
        ("arm", &arm, 0o755, format!("is built for {found}, and this machine is {host}")),
        ("text", b"echo\n", 0o755, "is neither an ELF program nor a script with a #! line".into()),
        ("lost", b"#!/no/such\n", 0o755, "needs /no/such, which is missing".into()),
        (
            "crlf",
            b"#!/bin/sh\r\n",
            0o755,
            "needs \"/bin/sh\\r\", which is missing (the #! line has a Windows line ending)".into(),
        ),
    ] {
        let path = file(&folder, name, bytes, mode);
        let refusal = check(&path).unwrap_err();
        assert_eq!(refusal.to_string(), format!("{} {expected}", path.display()));
        assert!(!refusal.is_temporary(), "{name}");
    }
    let missing = folder.path().join("missing");
    assert_eq!(outcome(check(&missing)), "missing does not exist");
    std::os::unix::fs::symlink(&missing, folder.path().join("dangling")).unwrap();
    assert_eq!(outcome(check(&folder.path().join("dangling"))), "dangling does not exist");
    std::fs::create_dir(folder.path().join("sub")).unwrap();
    assert_eq!(
        outcome(check(&folder.path().join("sub"))),
        "sub is a folder, not a file that can be executed"
    );
    let fifo = folder.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_eq!(outcome(check(&fifo)), "fifo is a FIFO, not a file that can be executed");
}

#[test]
fn the_last_look_says_the_same_by_the_kernels_answer() {
    let folder = folder();
    let mut arm = program();
    arm[18..20].copy_from_slice(&[0xff, 0xfe]);
    let inner = file(&folder, "inner", b"#!/bin/sh\n", 0o644);
    let through = format!("#!{}\n", inner.display());
    for (name, bytes, mode, expected) in [
        ("plain", &program()[..], 0o644, "is not executable (mode 0644)".to_owned()),
        ("text", b"echo\n", 0o755, "is neither an ELF program nor a script with a #! line".into()),
        ("lost", b"#!/no/such\n", 0o755, "needs /no/such, which is missing".into()),
        (
            "alien",
            &arm,
            0o755,
            format!("is built for ELF machine 65279, and this machine is {}", Machine::HOST),
        ),
        (
            "through",
            through.as_bytes(),
            0o755,
            format!("needs {}, which cannot be executed", inner.display()),
        ),
    ] {
        assert_eq!(last(&file(&folder, name, bytes, mode)), expected, "{name}");
    }
    assert_eq!(last(&folder.path().join("missing")), "does not exist");
}

#[test]
fn a_file_that_is_being_written_is_busy_and_fit_when_the_writer_is_gone() {
    let folder = folder();
    let path = file(&folder, "app", &program(), 0o755);
    let open = OpenOptions::new().append(true).open(&path).unwrap();
    let refusal = check(&path).unwrap_err();
    assert_eq!(refusal.to_string(), format!("{} is still open for writing", path.display()));
    assert!(refusal.is_temporary());
    assert_eq!(last(&path), "is still open for writing");
    drop(open);
    closed(&path);
    assert_eq!(outcome(check(&path)), "fit");
}

#[test]
fn another_uid_learns_of_a_writer_from_the_kernel() {
    if !is_root() || execve_check(Path::new("/bin/true")) != Answer::Fit {
        return; // Needs root to make the file, and AT_EXECVE_CHECK (Linux 6.14).
    }
    let folder = folder();
    let path = file(&folder, "app", &program(), 0o755);
    let fit = as_nobody(|| check(&path)).unwrap();
    assert_eq!(fit.writer, Writer::Unknown);
    let _open = OpenOptions::new().append(true).open(&path).unwrap();
    assert_eq!(outcome(as_nobody(|| check(&path))), "app is still open for writing");
}

#[test]
fn rights_are_those_of_the_one_who_asks() {
    if !is_root() {
        return; // Root makes the files that another uid may not use.
    }
    let folder = folder();
    let private = file(&folder, "private", &program(), 0o700);
    assert_eq!(outcome(check(&private)), "fit");
    assert_eq!(outcome(as_nobody(|| check(&private))), "private is not executable (mode 0700)");
    // It may be executed and not read.
    let closed = file(&folder, "closed", &program(), 0o711);
    let fit = as_nobody(|| check(&closed)).unwrap();
    assert_eq!((fit.format, fit.writer), (Format::Unreadable, Writer::Unknown));
    assert_eq!(as_nobody(|| last(&closed)), "fit");
}
