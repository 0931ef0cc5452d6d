//! Every way to put Relaunch into a build, and what it leaves of a production build.

use std::process::Command;

use crate::harness::builder::Builder;
use crate::harness::container::TARGET;
use crate::harness::image::Image;
use crate::harness::{App, Build, Container, RELAUNCH, host};

/// The app of the image runs, and a changed build restarts it once.
fn assert_reloads(image: &Image, app: &App) {
    let container = Container::start(image);
    container.wait_for_page("version=v1");
    container.copy(&app.build("v2"), TARGET);
    container.wait_for_page("version=v2");
    container.wait_for_starts(2);
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn from_builder_and_then_relaunch() {
    let app = App::binary("web: bin/web\n");
    let image = Build::of(&app).with_relaunch().live_reload("true").image();
    assert_eq!(image.process_types(), ["no-reload", "web"]);
    assert_reloads(&image, &app);
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn as_a_post_buildpack() {
    let app = App::binary("web: bin/web\n");
    let build = Build::of(&app).arguments(&["--post-buildpack", &host::buildpack()]);
    assert_reloads(&build.live_reload("true").image(), &app);
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn by_the_project_descriptor() {
    let app = App::binary("web: bin/web\n");
    let descriptor = format!(
        "[_]\nschema-version = \"0.2\"\n\n[[io.buildpacks.post.group]]\nuri = \"{}\"\n\n\
         [[io.buildpacks.build.env]]\nname = \"BP_LIVE_RELOAD_ENABLED\"\nvalue = \"true\"\n",
        host::buildpack()
    );
    app.write("project.toml", &descriptor);
    assert_reloads(&Build::of(&app).image(), &app);
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn as_a_cnb_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("relaunch.cnb");
    let mut package = Command::new("pack");
    package.args(["buildpack", "package", "--format", "file", "--pull-policy", "never"]);
    package.args(["--target", &format!("linux/{}", architecture())]).arg(&file);
    package.args(["--config", "package.toml"]).current_dir(host::buildpack());
    host::run(&mut package);

    let app = App::binary("web: bin/web\n");
    let build = Build::of(&app).arguments(&["--buildpack", file.to_str().unwrap()]);
    assert_reloads(&build.live_reload("true").image(), &app);
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn in_a_builders_order_with_the_switch_on() {
    let builder = Builder::with_relaunch_optional();
    let app = App::binary("web: bin/web\n");
    let image = Build::with_builder(&app, &builder.name).live_reload("true").image();
    assert_reloads(&image, &app);
}

#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn in_a_builders_order_with_the_switch_off_a_production_build_stays_as_it_was() {
    let builder = Builder::with_relaunch_optional();
    let app = App::fixture("go-sample");
    let without = Build::of(&app).image();
    let with = Build::with_builder(&app, &builder.name).image();

    let parts = |image: &Image| {
        let layers = image.label("io.buildpacks.lifecycle.metadata");
        let go = layers_of(image, "paketo-buildpacks/go-build")["targets"]["sha"].clone();
        assert!(go.is_string(), "{layers}");
        let processes = image.label("io.buildpacks.build.metadata")["processes"].clone();
        (image.inspect(".Config.Entrypoint"), processes, layers["app"].clone(), go)
    };
    assert_eq!(parts(&with), parts(&without));
    assert_eq!((with.process_types(), with.default_process()), (vec!["mod".into()], "mod".into()));
    Container::start(&with).wait_for_page("page one");
}

/// First and optional, with the switch on: go-build, which requires `watchexec`, is served.
#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn first_in_a_builders_order_with_the_switch_on() {
    let builder = Builder::with_relaunch_first();
    let app = App::fixture("go-sample");
    app.remove("Procfile");
    let image = Build::with_builder(&app, &builder.name).live_reload("true").image();
    assert_eq!(image.process_types(), ["mod", "reload-mod"]);
    let container = Container::of(image);
    container.wait_for_page("page one");
    container.assert_ours();
}

/// First and optional, with the switch off: nothing of it is in the image.
#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn first_in_a_builders_order_with_the_switch_off() {
    let builder = Builder::with_relaunch_first();
    let app = App::fixture("go-sample");
    let image = Build::with_builder(&app, &builder.name).image();
    assert_eq!(image.process_types(), ["mod"]);
    assert_eq!(layers_of(&image, "relaunch/live-reload"), serde_json::json!({}));
    Container::of(image).wait_for_page("page one");
}

/// Last where nobody provides `watchexec`: the lifecycle leaves out the optional buildpack that
/// requires it, in silence, and the build would be left with nothing to run.
#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn last_in_a_builders_order_without_another_watchexec_says_to_place_it_first() {
    let builder = Builder::with_relaunch_last_alone();
    let app = App::fixture("go-sample");
    app.remove("Procfile");
    let (success, image) = Build::with_builder(&app, &builder.name).live_reload("true").attempt();
    assert!(!success, "{}", image.output);
    let output = image.output.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = "A buildpack that requires watchexec is left out where nothing before it provides \
                that: place this one first then.";
    assert!(output.contains(said), "{}", image.output);
}

/// Whoever requires `watchexec` gets it, and nothing else of ours.
#[test]
#[ignore = "needs the platform that `cargo xtask test` prepares"]
fn with_the_switch_off_a_required_watchexec_is_all_that_is_contributed() {
    let app = App::fixture("go-sample");
    app.write("plan.toml", "[[requires]]\nname = \"watchexec\"\n");
    let ids = [
        RELAUNCH,
        "paketo-community/build-plan",
        "fixture/distributions",
        "paketo-buildpacks/go-build",
    ];
    let image = Build::of(&app).buildpacks(&ids).image();
    assert_eq!(
        (image.process_types(), image.default_process()),
        (vec!["mod".into()], "mod".into())
    );
    let layers = layers_of(&image, "relaunch/live-reload");
    let names: Vec<&String> = layers.as_object().unwrap().keys().collect();
    assert_eq!(names, ["supervisor"]);

    let binary = "/layers/paketo-buildpacks_go-build/targets/bin/mod";
    let words = ["watchexec", "-r", "-w", binary, binary];
    let container = Container::start_command(&image, &["--entrypoint", "launcher"], &words);
    container.wait_for_page("page one");
    app.edit("main.go", "page one", "page two");
    container.copy(&host::go_build(app.path()), binary);
    container.wait_for_page("page two");
    container.wait_for_starts(2);
}

/// What a buildpack left in the image, by the name of the layer; null when it left none.
fn layers_of(image: &Image, id: &str) -> serde_json::Value {
    let metadata = image.label("io.buildpacks.lifecycle.metadata");
    let mut buildpacks = metadata["buildpacks"].as_array().unwrap().iter();
    let ours = buildpacks.find(|buildpack| buildpack["key"] == id);
    ours.map_or(serde_json::Value::Null, |ours| ours["layers"].clone())
}

fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "arm64",
        _ => "amd64",
    }
}
