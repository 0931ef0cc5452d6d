//! A run image without a shell, as distroless and static ones are: what is executed directly works,
//! a line for the shell says what is missing.

use std::process::Command;

use crate::harness::container::TARGET;
use crate::harness::{App, Build, Container, RELAUNCH, host};

/// An image with users, a folder for temporary files and nothing else; removed with its value.
struct Bare {
    name: String,
}

impl Bare {
    fn new() -> Self {
        let bare = Self { name: host::unique("bare") };
        let root = tempfile::tempdir().unwrap();
        for folder in ["etc", "tmp"] {
            std::fs::create_dir(root.path().join(folder)).unwrap();
        }
        host::run(Command::new("chmod").arg("1777").arg(root.path().join("tmp")));
        let users = "run:x:1002:1000::/:/nowhere\n";
        std::fs::write(root.path().join("etc/passwd"), users).unwrap();
        std::fs::write(root.path().join("etc/group"), "run:x:1000:\n").unwrap();
        let archive = root.path().with_extension("tar");
        let mut tar = Command::new("tar");
        tar.args(["--create", "--owner=0", "--group=0", "--file"]).arg(&archive);
        host::run(tar.arg("--directory").arg(root.path()).args(["etc", "tmp"]));
        let mut import = host::docker(&["import", "--change", "USER 1002:1000"]);
        import.args(["--change", "ENV CNB_USER_ID=1001 CNB_GROUP_ID=1000"]);
        host::run(import.arg(&archive).arg(&bare.name));
        std::fs::remove_file(archive).unwrap();
        bare
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        host::attempt(&mut host::docker(&["image", "rm", "--force", &self.name]));
    }
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn direct_processes_reload_and_a_line_for_the_shell_says_what_is_missing() {
    let bare = Bare::new();
    let app = App::binary("web: bin/web --port 8080\nline: WORD=x bin/web --port none\n");
    let build = Build::of(&app).buildpacks(&[RELAUNCH]).arguments(&["--run-image", &bare.name]);
    let image = build.live_reload("true").image();

    let ended = image.run(&["--entrypoint", "line"], &[]);
    assert_eq!(ended.code, Some(127), "{}", ended.err);
    let said = "the image has neither bash nor sh to run the line with";
    assert!(ended.err.contains(said), "{}", ended.err);

    let alone = Container::start_with(&image, &["--entrypoint", "no-reload"]);
    alone.wait_for_page("version=v1\ngeneration=\n");
    let container = Container::start_command(&image, &[], &["one"]);
    container.wait_for_page("version=v1\ngeneration=1\n");
    container.copy(&app.build("v2"), TARGET);
    container.wait_for_page("version=v2\ngeneration=2\n");
    container.wait_for_page("argument=one");
    container.wait_for_starts(2);
}
