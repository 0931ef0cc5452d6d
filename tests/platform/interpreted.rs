//! Apps whose sources are what is synced: Python with its bytecode cache, a shell script.

use crate::harness::{App, Build, Container};

fn start(app: &App) -> Container {
    Container::of(Build::of(app).with_relaunch().live_reload("true").image())
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn each_edit_of_a_python_module_restarts_once_though_its_bytecode_is_cached() {
    let app = App::fixture("python");
    let container = start(&app);
    container.wait_for_page("page one");
    container.execute(&["ls", "/workspace/pages/__pycache__"]);

    let edits = [("page one", "page two"), ("page two", "page six")];
    for (number, (old, new)) in edits.into_iter().enumerate() {
        container.copy(&app.edit("pages/front.py", old, new), "/workspace/pages/front.py");
        container.wait_for_page(new);
        container.wait_for_starts(number + 2);
    }
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn an_edit_of_a_python_main_file_by_the_run_user_restarts_once() {
    let app = App::fixture("python");
    let container = start(&app);
    assert_main_file_reloads(&app, &container);
}

/// An edit of the script that python was given, by the run user.
pub(crate) fn assert_main_file_reloads(app: &App, container: &Container) {
    container.wait_for_page("page one");
    let source = app.edit("app.py", "front.TEXT", "\"main: \" + front.TEXT");
    container.copy_by_tar(&source, "/workspace");
    container.wait_for_page("main: page one");
    container.wait_for_starts(2);
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn a_shell_app_restarts_once_for_its_script_and_once_for_a_file_in_a_subfolder() {
    let app = App::fixture("shell");
    let container = start(&app);
    container.wait_for_log("serving page one --loud");

    container.copy(&app.edit("lib/page.sh", "one", "two"), "/workspace/lib/page.sh");
    container.wait_for_log("serving page two --loud");
    container.wait_for_starts(2);

    container.copy(&app.edit("serve.sh", "serving", "showing"), "/workspace/serve.sh");
    container.wait_for_log("showing page two --loud");
    container.wait_for_starts(3);
}
