//! What was heard from the supervisor and the app, with the time; each lifecycle line in few words.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// One line.
pub(crate) struct Line {
    at: Instant,
    text: String,
    /// The lifecycle event, when the supervisor said it.
    event: Option<Value>,
}

/// All lines so far; grows while the supervisor lives.
pub(crate) struct Heard {
    began: Instant,
    folder: String,
    lines: Mutex<Vec<Line>>,
    more: Condvar,
}

impl Heard {
    /// Paths below `folder` are shown without it.
    pub(crate) fn new(folder: &Path) -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            folder: format!("{}/", folder.display()),
            lines: Mutex::default(),
            more: Condvar::new(),
        })
    }

    /// Listens until the other side closes.
    pub(crate) fn listen(self: &Arc<Self>, stream: impl Read + Send + 'static) {
        let heard = Arc::clone(self);
        thread::spawn(move || {
            for text in BufReader::new(stream).lines().map_while(Result::ok) {
                let event = serde_json::from_str::<Value>(&text).ok();
                let event = event.filter(|it| it.get("schema").is_some());
                heard.lines.lock().unwrap().push(Line { at: Instant::now(), text, event });
                heard.more.notify_all();
            }
        });
    }

    /// Waits until `look` finds what it looks for; at the deadline says what was missing and shows
    /// everything.
    pub(crate) fn wait<T>(
        &self,
        deadline: Duration,
        what: &str,
        mut look: impl FnMut(&[Line]) -> Option<T>,
    ) -> T {
        let until = Instant::now() + deadline;
        let mut lines = self.lines.lock().unwrap();
        loop {
            if let Some(found) = look(&lines) {
                return found;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                drop(lines);
                panic!("no {what} within {deadline:?}; seen:\n{}", self.everything());
            }
            // Some conditions are not lines: look again now and then.
            lines = self.more.wait_timeout(lines, left.min(Duration::from_millis(20))).unwrap().0;
        }
    }

    /// Waits until the supervisor has said nothing for this long.
    pub(crate) fn wait_for_silence(&self, silence: Duration) {
        let began = Instant::now();
        self.wait(Duration::from_secs(30), "silence", |lines| {
            let last = lines.iter().rev().find(|line| line.event.is_some());
            let since = last.map_or(began, |line| line.at.max(began));
            (since.elapsed() >= silence).then_some(())
        });
    }

    /// Everything with its time, for a failure's text.
    pub(crate) fn everything(&self) -> String {
        let mut all = String::new();
        for line in self.lines.lock().unwrap().iter() {
            let at = line.at.duration_since(self.began).as_millis();
            let who = if line.event.is_some() { "relaunch" } else { "app     " };
            let _ = writeln!(all, "  {at:>6} ms {who} {}", line.text);
        }
        all
    }

    /// The last lifecycle event of this kind.
    #[allow(dead_code, reason = "the test programs that share this file ask different questions")]
    pub(crate) fn last(&self, event: &str) -> Option<Value> {
        let lines = self.lines.lock().unwrap();
        let events = lines.iter().rev().filter_map(|line| line.event.clone());
        events.into_iter().find(|it| it["event"] == event)
    }

    /// What the app printed so far.
    pub(crate) fn app_lines(&self) -> Vec<String> {
        let lines = self.lines.lock().unwrap();
        lines.iter().filter_map(|line| line.app_text().map(ToOwned::to_owned)).collect()
    }

    /// The lifecycle in few words, without what is only said (`watching`).
    pub(crate) fn story(&self) -> Vec<String> {
        let lines = self.lines.lock().unwrap();
        lines.iter().filter_map(|line| self.words(line)).collect()
    }

    /// One lifecycle line in few words; `None` = not part of the story.
    pub(crate) fn words(&self, line: &Line) -> Option<String> {
        let event = line.event.as_ref()?;
        let text = |name: &str| {
            let text = event[name].as_str().unwrap_or_default();
            text.replace(&self.folder, "")
        };
        let generation = &event["generation"];
        let words = match event["event"].as_str()? {
            "watching" => return None,
            "started" => format!("start {generation}"),
            "stopping" => format!("stop {generation}"),
            "killing" => format!("kill {generation}"),
            "unchanged" => format!("unchanged {}", text("path")),
            "not_used" => format!("not used {}", text("path")),
            "own_writes" => format!("own {}", text("path")),
            "waiting_for_writer" => format!("waiting {}", text("path")),
            "refused" => format!("refused: {}", text("why")),
            "fell_back" => format!("fell back: {}", text("why")),
            "warning" => format!("warning: {}", text("text")),
            "start_failed" => format!("start failed: {}", text("why")),
            "start_delayed" => format!("delayed {generation}"),
            "start_recovered" => format!("recovered {generation}"),
            "signal_dropped" => format!("dropped {generation}: signal {}", event["signal"]),
            "stand_in" => format!("stand-in {}", text("path")),
            "exited" if event["code"].is_null() => {
                format!("exit {generation}: signal {}", event["signal"])
            }
            "exited" => format!("exit {generation}: code {}", event["code"]),
            _ => event.to_string(),
        };
        Some(words)
    }
}

impl Line {
    /// The pid of a start.
    pub(crate) fn started(&self) -> Option<i32> {
        let event = self.event.as_ref()?;
        (event["event"] == "started").then(|| i32::try_from(event["pid"].as_i64()?).ok())?
    }

    /// What the app printed.
    pub(crate) fn app_text(&self) -> Option<&str> {
        self.event.is_none().then_some(&self.text)
    }
}
