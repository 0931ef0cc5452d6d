//! Names under which sync clients, build tools and editors write before they rename: such a file
//! in the tree means that somebody is still at work.

use std::path::Path;

/// Whether the name is one that a tool gives to a file on its way to another name.
///
/// Seen: rsync `.name.XXXXXX`, unison `.unison.NAME.HEX.unison.tmp`, mutagen
/// `.mutagen-temporary-…`, go `NAME-go-tmp-umask`, `GLib` `.goutputstream-XXXXXX`, browsers and
/// download tools `.part`, `.crdownload`, Python `NAME.pyc.NNN`, VS Code `.vsctmp`, Chromium
/// `.crswap`, lld `NAME.tmpHHHHHHH`, Rust programs `.tmpXXXXXX`, and the common `.tmp`, `.temp`,
/// `.NAME.tmp.NNN`, `NAME.tmp-NNN`. So does rsync with whole files in a folder of its own: those of
/// `--delay-updates` and, as its manual names it, of `--partial-dir`.
#[must_use]
pub fn is_temporary(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return false;
    };
    let lower = name.to_ascii_lowercase();
    PREFIXES.iter().any(|prefix| lower.starts_with(prefix))
        || SUFFIXES.iter().any(|suffix| lower.ends_with(suffix) && lower.len() > suffix.len())
        || lower.contains(".tmp.")
        || is_numbered(name)
        || is_rsync(name)
        || path
            .parent()
            .and_then(Path::file_name)
            .is_some_and(|it| FOLDERS.iter().any(|of| it == *of))
}

/// `NAME.tmp`, a dash or none, and four or more letters and digits that are no word.
fn is_numbered(name: &str) -> bool {
    let Some((_, random)) = name.rsplit_once(".tmp") else { return false };
    let random = random.strip_prefix(['-', '_']).unwrap_or(random);
    random.len() >= 4
        && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && random.bytes().any(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Whether the name is one that a client of whole trees gives: more files may follow this one.
pub(super) fn is_sync_client(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return false;
    };
    SYNC_CLIENTS.iter().any(|prefix| name.starts_with(prefix)) || is_rsync(name)
}

/// `.NAME.XXXXXX`: rsync makes it with mkstemp(3), six letters or digits. A hidden file with an
/// ordinary extension of six letters, such as `.foo.config`, has no upper-case letter or digit.
fn is_rsync(name: &str) -> bool {
    let Some((stem, random)) = name.strip_prefix('.').and_then(|name| name.rsplit_once('.')) else {
        return false;
    };
    !stem.is_empty()
        && random.len() == 6
        && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && random.bytes().any(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

const PREFIXES: [&str; 5] =
    [".unison.", ".mutagen-temporary-", ".goutputstream-", ".~tmp~", ".syncthing."];
const SYNC_CLIENTS: [&str; 3] = [".unison.", ".mutagen-temporary-", ".syncthing."];
const FOLDERS: [&str; 3] = [".~tmp~", ".rsync-partial", ".rsync-tmp"];
const SUFFIXES: [&str; 9] = [
    ".tmp",
    ".temp",
    ".part",
    ".partial",
    ".crdownload",
    "-go-tmp-umask",
    ".filepart",
    ".vsctmp",
    ".crswap",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_known_tools_are_recognised() {
        for name in [
            ".app.jJvZFE",
            ".unison.f1.txt.4d4117f73bfabc7f4383b43dcc591f3b.unison.tmp",
            ".mutagen-temporary-cross-device-rename-1",
            "app-go-tmp-umask",
            ".goutputstream-XK2S81",
            "app.tmp",
            "app.js.tmp.7291.1690",
            "movie.part",
            "settings.json.vsctmp",
            "page.tsx.crswap",
            "app.tmp3f9a01c",
            ".tmpAbC123",
            ".main.py.tmp-1732561234",
            ".~tmp~/app",
            ".rsync-partial/app",
        ] {
            assert!(is_temporary(Path::new("/w").join(name).as_path()), "{name}");
        }
    }

    #[test]
    fn ordinary_names_are_not() {
        for name in [
            "app",
            ".env",
            ".foo.config",
            "main.go",
            ".app.json",
            "tmp",
            ".tmp",
            "a.b.c",
            "page.tmplate",
            "x.tmpl",
        ] {
            assert!(!is_temporary(Path::new("/w").join(name).as_path()), "{name}");
        }
    }
}
