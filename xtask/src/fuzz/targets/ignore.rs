//! Globs of `--ignore`, and the paths they are asked about. The first line is a path, the others are
//! patterns.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

use relaunch_buildpack::watch::{BUILT_IN, Ignore};

use super::super::target::Target;
use super::{holds, same};

pub(crate) const TARGET: Target = Target {
    words: &[
        "*", "**", "**/", "/**", "?", "[a-z]", "[!a]", "[^", "]", "{a,b}", "{", "}", ",", "\\",
        "./", "/app/", "a/b", "!", ".git", "*.log", "{*,**}",
    ],
    longest: 160,
    short: 20_000,
    ..Target::new(
        "ignore",
        "what covers a folder covers all that is in it, another pattern never uncovers a path, a pattern without wildcards is its name, and an answer takes no longer than a person notices",
        check,
    )
};

fn check(input: &[u8]) -> Result<(), String> {
    let mut lines = input.split(|byte| *byte == b'\n').filter(|line| !line.contains(&0));
    let path = lines.next().unwrap_or_default();
    let path = path.iter().copied().skip_while(|byte| *byte == b'/').collect::<Vec<u8>>();
    if path.split(|byte| *byte == b'/').any(|name| matches!(name, b"" | b"." | b"..")) {
        return Ok(());
    }
    let root = Path::new("/app");
    let path = root.join(OsStr::from_bytes(&path));
    let patterns: Vec<String> =
        lines.filter_map(|line| String::from_utf8(line.to_vec()).ok()).collect();
    let begin = Instant::now();
    let ignore = Ignore::new(&patterns);
    let covered = ignore.covers(root, &path);
    let below = ignore.covers(root, &path.join("below"));
    holds(below || !covered, "what is in a covered folder is not covered")?;
    let more = Ignore::new(&patterns).with(&["zzz*".to_owned()]);
    holds(more.covers(root, &path) || !covered, "one more pattern uncovers it")?;
    let built_in = Ignore::new(&[]).covers(root, &path);
    holds(covered || !built_in, "a pattern of the user uncovers a built-in one")?;
    let took = begin.elapsed();
    holds(took < NOTICED, format_args!("an answer took {took:?}"))?;
    if let [pattern] = &patterns[..]
        && pattern.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        && !BUILT_IN.contains(&pattern.as_str())
    {
        let named =
            path.strip_prefix(root).unwrap_or(&path).iter().any(|it| it == pattern.as_str());
        same(&covered, &(named || built_in), "a name without wildcards")?;
    }
    Ok(())
}

/// A machine that does something else meanwhile is slow, but not this slow.
const NOTICED: Duration = Duration::from_secs(2);
