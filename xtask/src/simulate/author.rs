//! The author of the writers: composes what each pattern does, call by call, at random.

use std::time::Duration;

use super::disk::{Content, Form, Name};
use super::random::Random;
use super::writer::{APP, BESIDE, DATA, Op, Pattern, Writer, first_content, name, spared};

/// Makes the steps of writers and numbers the contents they write.
pub(super) struct Author<'a> {
    pub(super) random: &'a mut Random,
    pub(super) versions: u32,
    steps: Vec<(Duration, Op)>,
}

impl<'a> Author<'a> {
    pub(super) fn new(random: &'a mut Random) -> Self {
        Self { random, versions: 1, steps: Vec::new() }
    }

    /// The writers of one change set that begins at `begin`.
    pub(super) fn write(&mut self, pattern: Pattern, begin: Duration) -> Vec<Writer> {
        let app = name(APP);
        let files = self.random.range(2, 6);
        match pattern {
            Pattern::Copy => self.copy(&app, true),
            Pattern::CopyForce => self.created(&app, 3_000, 0),
            Pattern::Install => {
                self.created(&app, 50, 0);
                self.step(0, 1, Op::Attrib(app));
            }
            Pattern::Tar | Pattern::BusyboxTar => self.tar(files, pattern == Pattern::Tar, 30),
            Pattern::Rsync => self.rsync(files),
            Pattern::InPlaceChunks => self.chunks(&app, 1_500),
            Pattern::SlowFirst => {
                self.chunks(&app, 400);
                self.copy_within(&name(DATA), 15, 15);
            }
            Pattern::DataChunks => self.chunks(&name(DATA), 150),
            Pattern::Pieces => self.pieces(&app),
            Pattern::HardLink => {
                let content = self.content();
                self.step(0, 5, Op::Link(app, content));
            }
            Pattern::MoveLoop => {
                for number in 0..files {
                    let content = self.content();
                    self.step(0, 8, Op::MoveIn(file(number), content));
                }
            }
            Pattern::DeleteThenCopy => return self.delete_then_copy(begin, files),
            Pattern::SessionCopy => {
                self.tar(files, true, 700);
                return vec![self.finish(begin, true)];
            }
            Pattern::LongSession => {
                self.whole_tree();
                return vec![self.finish(begin, true)];
            }
            Pattern::TwoSessions => return self.two_sessions(begin, files),
            Pattern::Touch => {
                for number in 0..files {
                    self.step(0, 5, Op::Attrib(file(number)));
                }
            }
            // The content is filled in when it runs: the bytes that are there.
            Pattern::SameAgain => {
                let same = Content { version: 0, size: 0, form: Form::Whole };
                self.step(0, 5, Op::MoveIn(app, same));
            }
            Pattern::TruncatedThenGood => {
                self.whole(&app, Form::Truncated);
                self.step(5, 900, Op::Attrib(app.clone()));
                self.whole(&app, Form::Whole);
            }
            Pattern::TruncatedThenBack => {
                self.whole(&name(DATA), Form::Whole);
                self.whole(&app, Form::Truncated);
                self.step(5, 900, Op::Restore);
            }
            Pattern::Vim => self.vim(),
            Pattern::BuiltFolder => self.built_folder(files),
            Pattern::Unused => self.copy(&spared("main.c"), true),
            Pattern::Used => self.copy(&spared("conf"), true),
            Pattern::Classic => return self.classic(begin),
        }
        vec![self.finish(begin, false)]
    }

    /// A session that takes longer than `--settle-max` to send a whole tree.
    fn whole_tree(&mut self) {
        let end = self.random.millis(12_000, 45_000);
        for number in 0.. {
            if self.steps.iter().map(|(pause, _)| *pause).sum::<Duration>() >= end {
                break;
            }
            let (file, content) = (file(number), self.content());
            self.step(0, 700, Op::Create(file, content));
            self.step(0, 300, Op::Write(content));
            self.step(0, 1, Op::Close);
        }
    }

    /// A whole folder made beside the old one, which then makes room for it.
    fn built_folder(&mut self, files: u64) {
        let [next, built, last] = ["next", "built", "last"].map(name);
        for number in 0..files {
            self.whole(&name(&format!("next/f{number}")), Form::Whole);
        }
        for number in 0..6 {
            self.step(0, 1, Op::Unlink(name(&format!("last/f{number}"))));
        }
        self.step(0, 5, Op::RenameFolder(built.clone(), last));
        self.step(0, 2, Op::RenameFolder(next, built));
    }

    /// The classic Go sample: the source is synced, then the executable into the same tree, then
    /// it is copied to where it runs, each by a session of its own.
    fn classic(&mut self, begin: Duration) -> Vec<Writer> {
        let compiled = spared("build/mod");
        self.created(&spared("main.c"), 5, 0);
        let source = self.finish(begin, true);
        let compiling = self.random.millis(600, 2_500);
        self.created(&compiled, 5, 0);
        let synced = self.finish(source.end() + compiling, true);
        // Some copy on at the very moment at which the first copy settles.
        let latest = if self.random.chance(50) { 9 } else { 900 };
        let moment = self.random.millis(3, latest);
        self.step(0, 2, Op::OpenToRead(compiled.clone()));
        self.created(&name(APP), 5, 12);
        self.step(0, 1, Op::ReadOpen(compiled));
        let copy = self.finish(synced.end() + moment, true);
        vec![source, synced, copy]
    }

    /// A file is changed, and later back again.
    pub(super) fn revert(&mut self, begin: Duration) -> Writer {
        let number = self.random.pick(&[0, 1]);
        let (file, content) = (spared(BESIDE[number]), self.content());
        self.step(0, 1, Op::MoveIn(file.clone(), content));
        self.step(300, 3_000, Op::MoveIn(file, first_content(number)));
        self.finish(begin, false)
    }

    /// Names come and go, in a folder that the app may have listed.
    pub(super) fn pages(&mut self, begin: Duration) -> Writer {
        for number in 0..self.random.range(1, 3) {
            let (page, content) = (spared(&format!("sub/page{number}")), self.content());
            self.step(0, 400, Op::MoveIn(page.clone(), content));
            if self.random.chance(30) {
                self.step(0, 900, Op::Unlink(page));
            }
        }
        self.finish(begin, false)
    }

    /// Somebody who looks at what is there.
    pub(super) fn reader(&mut self, begin: Duration) -> Writer {
        for _ in 0..self.random.range(1, 4) {
            let file = self.random.pick(&BESIDE);
            self.step(0, 900, Op::Read(spared(file)));
        }
        self.finish(begin, false)
    }

    /// Another file on the heels of the executable: it comes when the new generation is on its way.
    pub(super) fn heel(&mut self, begin: Duration) -> Writer {
        for (file, latest) in [(name(APP), 0), (name(DATA), 30)] {
            let content = self.content();
            self.step(0, latest, Op::MoveIn(file, content));
        }
        self.finish(begin, false)
    }

    /// A log that somebody else keeps open and appends to.
    pub(super) fn foreign_log(&mut self, begin: Duration) -> Writer {
        let log = name("foreign.log");
        let content = self.content();
        self.step(0, 1, Op::Open { name: log, cut: false, content });
        for _ in 0..self.random.range(10, 200) {
            let content = self.content();
            self.step(1, 120, Op::Write(content));
        }
        self.step(0, 1_000, Op::Close);
        self.finish(begin, false)
    }

    /// Somebody who wants an app that has failed started again.
    pub(super) fn touch(&mut self, begin: Duration) -> Writer {
        self.step(500, 6_000, Op::Attrib(name(APP)));
        self.finish(begin, false)
    }

    /// A store through a mapping some time after the file was closed.
    pub(super) fn mapped(&mut self, begin: Duration) -> Writer {
        let data = name(DATA);
        self.copy(&data, true);
        let content = self.content();
        self.step(20, 300, Op::Store(data, content));
        self.finish(begin, false)
    }

    /// A file that is rewritten for 25 s with pauses of so many ms, or ever new ones. Most of the time
    /// it is open.
    pub(super) fn storm(&mut self, number: u64, pause: u64, begin: Duration) -> Writer {
        let renews = self.random.chance(50);
        let (mut file, mut length) = (name(&format!("sub/storm{number}")), Duration::ZERO);
        for round in 0.. {
            if length >= STORM {
                break;
            }
            if renews {
                file = name(&format!("sub/storm{number}-{}", round % 50));
            }
            let before = self.steps.len();
            self.copy_within(&file, 1, pause);
            length += self.steps[before..].iter().map(|(pause, _)| *pause).sum::<Duration>();
        }
        self.finish(begin, false)
    }

    /// A folder that gets another name, and perhaps its own again.
    pub(super) fn move_folder(&mut self, begin: Duration) -> Writer {
        let (folder, aside) = (name("sub"), name("aside"));
        self.step(0, 1, Op::RenameFolder(folder.clone(), aside.clone()));
        if self.random.chance(50) {
            self.step(0, 3_000, Op::RenameFolder(aside, folder));
        }
        self.finish(begin, false)
    }

    /// Somebody who tidies up.
    pub(super) fn remove(&mut self, begin: Duration) -> Writer {
        for file in [DATA, "sub/f2", "sub/f3"] {
            self.step(0, 60, Op::Unlink(name(file)));
        }
        self.finish(begin, false)
    }

    /// An executable that is cut and stays so.
    pub(super) fn broken(&mut self, begin: Duration) -> Writer {
        self.whole(&name(APP), Form::Truncated);
        self.finish(begin, false)
    }

    /// Whole content that nobody wrote before.
    pub(super) fn content(&mut self) -> Content {
        self.versions += 1;
        let size = if self.random.chance(70) { 100 } else { 200 };
        Content { version: self.versions, size, form: Form::Whole }
    }

    fn step(&mut self, low_ms: u64, high_ms: u64, op: Op) {
        let pause = self.random.millis(low_ms, high_ms);
        self.steps.push((pause, op));
    }

    fn finish(&mut self, begin: Duration, session: bool) -> Writer {
        Writer { begin, steps: std::mem::take(&mut self.steps), session }
    }

    /// Written in place after a pause of up to `before`, and within twice `pause`.
    fn copy_within(&mut self, file: &Name, before: u64, pause: u64) {
        let content = self.content();
        self.step(0, before, Op::Open { name: file.clone(), cut: true, content });
        self.step(0, pause, Op::Write(content));
        self.step(0, pause, Op::Close);
    }

    fn copy(&mut self, file: &Name, cut: bool) {
        let content = self.content();
        self.step(0, 5, Op::Open { name: file.clone(), cut, content });
        self.step(0, 40, Op::Write(Content { form: Form::Truncated, ..content }));
        self.step(0, 40, Op::Write(content));
        self.step(0, 10, Op::Close);
    }

    fn whole(&mut self, file: &Name, form: Form) {
        let content = Content { form, ..self.content() };
        self.step(0, 3, Op::Create(file.clone(), content));
        self.step(0, 3, Op::Write(content));
        self.step(0, 1, Op::Close);
    }

    /// Created anew, with a silence of up to `silence` before the last bytes and one before the
    /// close.
    fn created(&mut self, file: &Name, silence: u64, before: u64) {
        let content = self.content();
        self.step(0, before, Op::Create(file.clone(), content));
        for _ in 0..self.random.range(0, 3) {
            self.step(0, 20, Op::Write(Content { form: Form::Truncated, ..content }));
        }
        self.step(0, silence, Op::Write(content));
        let high = if self.random.chance(20) { 2_000 } else { 3 };
        self.step(0, high, Op::Close);
    }

    fn tar(&mut self, files: u64, gnu: bool, gap: u64) {
        for number in 0..files {
            let (file, content) = (file(number), self.content());
            // A window of 20 ms after the first file, of 50 ms after the second.
            let gap = if number < 2 { gap.min(15) } else { gap };
            let gap = if gap > 30 && self.random.chance(70) { 5 } else { gap };
            self.step(0, gap, Op::Create(file.clone(), content));
            self.step(0, 10, Op::Write(content));
            let last = [Op::Attrib(file.clone()), Op::Close];
            for op in if gnu { last } else { [Op::Close, Op::Attrib(file)] } {
                self.step(0, 1, op);
            }
        }
    }

    fn rsync(&mut self, files: u64) {
        for number in 0..files {
            let (file, content) = (file(number), self.content());
            let temporary = name(&format!("sub/.f{number}.aB3dE{number}"));
            self.step(0, 12, Op::Create(temporary.clone(), content));
            for _ in 0..self.random.range(1, 4) {
                self.step(0, 60, Op::Write(content));
            }
            self.step(0, 1, Op::Close);
            self.step(0, 8, Op::Attrib(temporary.clone()));
            self.step(0, 8, Op::Rename(temporary, file));
        }
    }

    fn chunks(&mut self, file: &Name, pause: u64) {
        let content = self.content();
        self.step(0, 5, Op::Open { name: file.clone(), cut: false, content });
        for _ in 0..self.random.range(1, 8) {
            self.step(0, pause, Op::Write(Content { form: Form::Mixed, ..content }));
        }
        self.step(0, 10, Op::Write(content));
        self.step(0, 10, Op::Close);
    }

    /// Opened and closed for each piece: cut until the last.
    fn pieces(&mut self, file: &Name) {
        let content = self.content();
        let pieces = self.random.range(2, 6);
        for piece in 1..=pieces {
            let form = if piece == pieces { Form::Whole } else { Form::Truncated };
            let content = Content { form, ..content };
            let open = Op::Open { name: file.clone(), cut: piece == 1, content };
            self.step(0, 300, open);
            self.step(0, 5, Op::Write(content));
            self.step(0, 5, Op::Close);
        }
    }

    fn delete_then_copy(&mut self, begin: Duration, files: u64) -> Vec<Writer> {
        for number in 0..files {
            self.step(0, 2, Op::Unlink(file(number)));
        }
        let first = self.finish(begin, true);
        let pause = self.random.millis(20, 800);
        self.tar(files, true, 30);
        let second = self.finish(first.end() + pause, true);
        vec![first, second]
    }

    /// Two clients at once, of which the first is done before the second.
    fn two_sessions(&mut self, begin: Duration, files: u64) -> Vec<Writer> {
        for number in 0..files {
            self.whole(&name(&format!("sub/g{number}")), Form::Whole);
        }
        let first = self.finish(begin, true);
        let within = first.end().saturating_sub(begin).as_millis();
        let later = self.random.millis(0, u64::try_from(within).unwrap_or(0));
        self.step(10, 20, Op::Attrib(name("not there")));
        self.tar(files, true, 700);
        vec![first, self.finish(begin + later, true)]
    }

    fn vim(&mut self) {
        let (file, backup) = (name("sub/f2"), name("sub/f2~"));
        self.step(0, 1, Op::Rename(file.clone(), backup.clone()));
        self.whole(&file, Form::Whole);
        self.step(0, 2, Op::Attrib(file));
        self.step(0, 5, Op::Unlink(backup));
    }
}

/// How long a storm lasts.
const STORM: Duration = Duration::from_secs(25);

/// The first is the executable, the others are data.
fn file(number: u64) -> Name {
    match number {
        0 => name(APP),
        1 => name(DATA),
        _ => name(&format!("sub/f{number}")),
    }
}
