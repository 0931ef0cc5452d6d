//! The manifest as a screen that a person reads in two seconds. A JSON value in, text out.

use serde_json::Value;

/// The screen, at `now` (milliseconds since 1970).
#[must_use]
pub fn screen(manifest: &Value, now: u64) -> String {
    let mut rows = vec![state(manifest, now)];
    if let Some(reason) = reason(manifest) {
        rows.push(("reason", reason));
    }
    rows.push(("command", words(&manifest["command"])));
    rows.extend(executable(manifest).map(|text| ("executes", text)));
    rows.push(("watches", watches(&manifest["watch"])));
    let previous = &manifest["previous"];
    if !previous.is_null() {
        let ago = ago(&previous["started"], now);
        rows.push(("before", format!("generation {}, started {ago}", previous["number"])));
    }
    rows.extend(exit(&manifest["last_exit"], now).map(|text| ("exited", text)));
    let refusal = &manifest["last_refusal"];
    if let Some(why) = refusal["why"].as_str() {
        rows.push(("refused", format!("{}: {why}", ago(&refusal["time"], now))));
    }
    for warning in manifest["watch"]["warnings"].as_array().into_iter().flatten() {
        rows.extend(warning.as_str().map(|text| ("warning", text.to_owned())));
    }
    let lines = rows.iter().map(|(head, text)| format!("{head:<10}{}", printable(text)));
    lines.collect::<Vec<_>>().join("\n")
}

fn state(manifest: &Value, now: u64) -> (&'static str, String) {
    let name = manifest["state"].as_str().unwrap_or("unknown");
    let generation = &manifest["generation"];
    if generation.is_null() {
        return ("state", format!("{name}; nothing was started yet"));
    }
    let (number, pid) = (&generation["number"], &generation["pid"]);
    let ago = ago(&generation["started"], now);
    let text = match name {
        "running" => format!("running: generation {number}, pid {pid}, started {ago}"),
        "held" => format!("held: generation {number} has ended; the next change starts the app"),
        other => format!("{other}: generation {number}, started {ago}"),
    };
    ("state", text)
}

fn reason(manifest: &Value) -> Option<String> {
    let generation = &manifest["generation"];
    let reason = &generation["reason"];
    let why = match reason["kind"].as_str()? {
        "changed" => {
            let files = reason["files"].as_u64().unwrap_or(1);
            let path = reason["path"].as_str().unwrap_or_default();
            let more = if files > 1 { format!(" and {} more", files - 1) } else { String::new() };
            format!("{path}{more} changed ({})", bytes(&reason["bytes"]))
        }
        "requested" => "requested".to_owned(),
        _ => return Some("first start".to_owned()),
    };
    let phase = |name: &str| generation[name].as_f64().unwrap_or_default();
    let (settle, stop, start) = (phase("settle_ms"), phase("stop_ms"), phase("start_ms"));
    Some(format!(
        "{why}; settled in {settle:.1} ms, stopped in {stop:.1} ms, started in {start:.1} ms"
    ))
}

fn executable(manifest: &Value) -> Option<String> {
    let executable = &manifest["executable"];
    let path = executable["path"].as_str()?;
    let digest = executable["sha256"]
        .as_str()
        .map_or(String::new(), |digest| format!(", sha256 {}", digest.get(..12).unwrap_or(digest)));
    Some(format!("{path} ({}{digest})", bytes(&executable["bytes"])))
}

fn watches(watch: &Value) -> String {
    let roots: Vec<&str> =
        watch["roots"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if roots.is_empty() {
        return "nothing".to_owned();
    }
    let kind = watch["kind"].as_str().unwrap_or_default();
    let (files, folders) = (&watch["files"], &watch["folders"]);
    format!("{}: {files} files in {folders} folders, by {kind}", roots.join(", "))
}

fn exit(exit: &Value, now: u64) -> Option<String> {
    let generation = exit["generation"].as_u64()?;
    let how = match (exit["code"].as_u64(), exit["signal"].as_u64()) {
        (Some(code), _) => format!("with code {code}"),
        (_, Some(signal)) => format!("by signal {signal}"),
        _ => "unseen".to_owned(),
    };
    let after = exit["after_ms"].as_f64().unwrap_or_default() / 1e3;
    Some(format!("generation {generation} {how} after {after:.1} s, {}", ago(&exit["time"], now)))
}

fn words(value: &Value) -> String {
    let words = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    words.collect::<Vec<_>>().join(" ")
}

fn ago(time: &Value, now: u64) -> String {
    let seconds = now.saturating_sub(time.as_u64().unwrap_or(now)) / 1_000;
    match seconds {
        0..60 => format!("{seconds} s ago"),
        60..3_600 => format!("{} min ago", seconds / 60),
        _ => format!("{} h {} min ago", seconds / 3_600, seconds / 60 % 60),
    }
}

fn bytes(value: &Value) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    let bytes = value.as_u64().unwrap_or_default() as f64;
    match bytes {
        0.0..1e3 => format!("{bytes} bytes"),
        1e3..1e6 => format!("{:.1} kB", bytes / 1e3),
        _ => format!("{:.1} MB", bytes / 1e6),
    }
}

/// A file's name, or a supervisor that is none, must not move the cursor.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_running_app_is_told_in_a_few_rows() {
        let manifest = json!({
            "state": "running",
            "command": ["web", "--port", "80"],
            "generation": {
                "number": 3, "pid": 40, "started": 60_000,
                "reason": { "kind": "changed", "path": "/w/web", "files": 2, "bytes": 6_900_000 },
                "settle_ms": 21.3, "stop_ms": 1.25, "start_ms": 0.7,
            },
            "executable": { "path": "/w/web", "bytes": 999, "sha256": "0123456789abcdef" },
            "watch": {
                "kind": "inotify", "roots": ["/w"], "files": 2, "folders": 1, "warnings": ["odd\u{1b}"],
            },
            "previous": { "number": 2, "started": 0 },
            "last_exit": {
                "generation": 2, "code": null, "signal": 9, "after_ms": 1_500.0, "time": 59_000,
            },
            "last_refusal": { "time": 0, "why": "no exec bit" },
        });
        let expected = "\
state     running: generation 3, pid 40, started 10 s ago
reason    /w/web and 1 more changed (6.9 MB); settled in 21.3 ms, stopped in 1.2 ms, started in 0.7 ms
command   web --port 80
executes  /w/web (999 bytes, sha256 0123456789ab)
watches   /w: 2 files in 1 folders, by inotify
before    generation 2, started 1 min ago
exited    generation 2 by signal 9 after 1.5 s, 11 s ago
refused   1 min ago: no exec bit
warning   odd\u{fffd}";
        assert_eq!(screen(&manifest, 70_000), expected);
    }

    #[test]
    fn a_supervisor_that_never_started_anything_says_so() {
        let manifest = json!({
            "state": "held", "command": ["web"], "generation": null, "executable": null,
            "watch": { "roots": [] }, "previous": null, "last_exit": null, "last_refusal": null,
        });
        let expected = "state     held; nothing was started yet\ncommand   web\nwatches   nothing";
        assert_eq!(screen(&manifest, 0), expected);
    }
}
