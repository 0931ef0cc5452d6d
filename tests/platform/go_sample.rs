//! The classic Go sample: compiled by a buildpack that empties the app folder afterwards; edited
//! and compiled again on the host; synced into the target's `bin` by three clients.

use crate::harness::compose::Compose;
use crate::harness::container::TARGET;
use crate::harness::image::Image;
use crate::harness::{App, Build, Container, host};

fn image_of(app: &App) -> Image {
    Build::of(app).with_relaunch().live_reload("true").image()
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn compose_watch_syncs_a_rebuilt_binary_and_one_restart_serves_the_new_page() {
    let app = App::fixture("go-sample");
    let image = image_of(&app);
    let compose = Compose::up(&app, &image);
    let container = compose.container();
    container.wait_for_page("page one");

    app.edit("main.go", "page one", "page two");
    host::go_build(app.path());

    container.wait_for_page("page two");
    container.wait_for_starts(2);
    assert_eq!(compose.container().id, container.id, "the container was replaced");
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn docker_cp_of_a_rebuilt_binary_restarts_once_for_each_edit() {
    let app = App::fixture("go-sample");
    let container = Container::of(image_of(&app));
    container.wait_for_page("page one");

    let edits = [("page one", "page two"), ("page two", "page three")];
    for (number, (old, new)) in edits.into_iter().enumerate() {
        app.edit("main.go", old, new);
        container.copy(&host::go_build(app.path()), TARGET);
        container.wait_for_page(new);
        container.wait_for_starts(number + 2);
    }
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn an_execed_tar_of_the_run_user_restarts_once() {
    let app = App::fixture("go-sample");
    let container = Container::of(image_of(&app));
    container.wait_for_page("page one");
    assert_eq!(container.execute(&["id", "--user"]), "1002\n");

    app.edit("main.go", "page one", "page two");
    container.copy_by_tar(&host::go_build(app.path()), TARGET);

    container.wait_for_page("page two");
    container.wait_for_starts(2);
}
