//! The `#!` line, against the rules of the kernel written down a second time.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use relaunch_buildpack::candidate::{Shebang, is_interpreter};

use super::super::target::Target;
use super::{holds, same};

pub(crate) const TARGET: Target = Target {
    words: &[
        "#!",
        "#!/usr/bin/env ",
        "/bin/sh",
        "-S ",
        "python3.13t",
        "A=1 ",
        "\n",
        "\t",
        " ",
        "\0",
        "\r",
        "                                                                ",
    ],
    longest: 600,
    short: 100_000,
    ..Target::new("script", "the line is taken as `load_script` of the kernel takes it", check)
};

fn check(input: &[u8]) -> Result<(), String> {
    let found = Shebang::parse(input);
    let words = found.as_ref().map(|it| {
        let argument = it.argument.as_deref().unwrap_or_default();
        (it.interpreter.as_os_str().as_bytes().to_vec(), argument.as_bytes().to_vec())
    });
    same(&words, &as_the_kernel(input), "interpreter and argument")?;
    if let Some(program) = found.as_ref().and_then(Shebang::program) {
        let one = !program.is_empty() && !program.as_bytes().contains(&b'/');
        holds(one, format_args!("{} is no program", program.display()))?;
        let below = [b"/usr/bin/", program.as_bytes()].concat();
        let (bare, path) = (is_interpreter(program), is_interpreter(OsStr::from_bytes(&below)));
        same(&path, &bare, "an interpreter by its path and by its name")?;
    }
    Ok(())
}

/// `load_script` (`fs/binfmt_script.c`) on its buffer of 256 bytes, with `buf[255]` as the last one.
/// An empty interpreter, which is no file, counts as none.
fn as_the_kernel(input: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut buffer = [0; 256];
    let count = input.len().min(256);
    buffer[..count].copy_from_slice(&input[..count]);
    let blank = |byte: u8| byte == b' ' || byte == b'\t';
    if !buffer.starts_with(b"#!") {
        return None;
    }
    let last = 255;
    let newline = buffer.iter().position(|byte| *byte == b'\n' || *byte == 0);
    let newline = newline.filter(|at| buffer[*at] == b'\n');
    let mut end = newline.unwrap_or(last);
    if newline.is_none() {
        let begin = (2..=last).find(|at| !blank(buffer[*at]))?;
        (begin..=last).find(|at| blank(buffer[*at]) || buffer[*at] == 0)?;
    }
    while end > 2 && blank(buffer[end - 1]) {
        end -= 1;
    }
    buffer[end] = 0;
    let name = (2..=end).find(|at| !blank(buffer[*at])).filter(|at| *at != end)?;
    let stop = (name..=end).find(|at| blank(buffer[*at]) || buffer[*at] == 0)?;
    let interpreter = buffer[name..stop].to_vec();
    let text = |from: usize| buffer[from..].iter().copied().take_while(|byte| *byte != 0).collect();
    let argument = (buffer[stop] != 0).then(|| (stop..=end).find(|at| !blank(buffer[*at])));
    let argument = argument.flatten().map(text).unwrap_or_default();
    (!interpreter.is_empty()).then_some((interpreter, argument))
}
