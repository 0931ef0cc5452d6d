//! What build contributes, off and on.

use crate::world::{ON, World, tree};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

const LAYER: &str = "[types]\nlaunch = true\nbuild = false\ncache = false\n";

const WEB: &str = "\
[[processes]]
type = \"web\"
command = [\"ROOT/layers/relaunch_live-reload/supervisor/bin/relaunch\", \"run\", \"--\", \"build/app\"]
default = true

[[processes]]
type = \"no-reload\"
command = [\"build/app\"]
";

const SYNC: &str = "
Sync what you build into ROOT/layers/relaunch_live-reload/target/bin
  a file there runs in place of the executable of the same name:
    compose.yaml  develop: {watch: [{action: sync, path: ./build, target: ROOT/layers/relaunch_live-reload/target/bin}]}
    docker        docker cp build/. CONTAINER:ROOT/layers/relaunch_live-reload/target/bin
    Kubernetes    kubectl cp build/APP POD:ROOT/layers/relaunch_live-reload/target/bin/APP
Sync sources that the app itself reads into ROOT/app
";

#[test]
fn with_the_switch_off_nothing_is_contributed() {
    let world = World::new(&[("Procfile", "not a Procfile")]);
    let app = world.tree("app");
    for variables in [&[][..], &[("BP_LIVE_RELOAD_ENABLED", "0"), ("RELAUNCH_LOG", "x")]] {
        let outcome = world.build(variables);
        assert_eq!(
            (outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()),
            (
                0,
                "Live reload is off; BP_LIVE_RELOAD_ENABLED=true turns it on \
                 (pack build --env BP_LIVE_RELOAD_ENABLED=true).\n",
                ""
            )
        );
    }
    assert_eq!(world.tree("layers"), tree(&[("relaunch_live-reload", "folder 755")]));
    assert_eq!(world.tree("app"), app);
}

#[test]
fn with_the_switch_off_a_required_watchexec_is_there_alone() {
    let world = World::new(&[]);
    world.write_plan("[[entries]]\nname = \"watchexec\"\n");
    let outcome = world.build_with_plan(&[]);
    assert_eq!(
        (outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()),
        (
            0,
            "Live reload is off; BP_LIVE_RELOAD_ENABLED=true turns it on \
             (pack build --env BP_LIVE_RELOAD_ENABLED=true). \
             A watchexec command is there for the processes that call it.\n",
            ""
        )
    );
    let expected = tree(&[
        ("supervisor", "folder 755"),
        ("supervisor.toml", "file 600"),
        ("supervisor/bin", "folder 755"),
        ("supervisor/bin/relaunch", "file 755"),
        ("supervisor/bin/watchexec", "-> relaunch"),
    ]);
    assert_eq!(world.tree("layers/relaunch_live-reload"), expected);
}

#[test]
fn a_procfile_makes_reloading_processes_and_two_layers() {
    let world = World::new(&[("Procfile", "web: build/app\n"), ("build/app", "binary")]);
    for (path, mode) in [("build", 0o755), ("build/app", 0o755), ("Procfile", 0o644)] {
        let path = world.path("app").join(path);
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }
    let outcome = world.build(&[ON]);
    assert_eq!(outcome.stderr, "");
    assert_eq!(
        outcome.stdout,
        format!(
            "\n[Relaunch live reload]\nLive reload is on:\n  \
             web        build/app  (default)\n  \
             no-reload  build/app  (does not reload)\n{SYNC}"
        )
    );
    assert_eq!(outcome.code, 0);

    let expected = tree(&[
        ("launch.toml", "file 600"),
        ("supervisor", "folder 755"),
        ("supervisor.toml", "file 600"),
        ("supervisor/bin", "folder 755"),
        ("supervisor/bin/relaunch", "file 755"),
        ("supervisor/bin/watchexec", "-> relaunch"),
        ("supervisor/env.launch", "folder 755"),
        ("supervisor/env.launch/RELAUNCH_APP_DIR.default", "file 644"),
        ("supervisor/env.launch/RELAUNCH_LAYERS_DIR.default", "file 644"),
        ("supervisor/env.launch/RELAUNCH_TARGET.default", "file 644"),
        ("target", "folder 755"),
        ("target.toml", "file 600"),
        ("target/bin", "folder 777"),
    ]);
    let ours = "layers/relaunch_live-reload";
    assert_eq!(world.tree(ours), expected);
    let texts = [
        ("launch.toml", WEB),
        ("supervisor.toml", LAYER),
        ("target.toml", LAYER),
        ("supervisor/env.launch/RELAUNCH_APP_DIR.default", "ROOT/app"),
        ("supervisor/env.launch/RELAUNCH_LAYERS_DIR.default", "ROOT/layers"),
        (
            "supervisor/env.launch/RELAUNCH_TARGET.default",
            "ROOT/layers/relaunch_live-reload/target",
        ),
    ];
    for (path, text) in texts {
        assert_eq!(world.read(&format!("{ours}/{path}")), text, "{path}");
    }
    assert_eq!(
        fs::read(world.path(ours).join("supervisor/bin/relaunch")).unwrap(),
        fs::read(env!("CARGO_BIN_EXE_relaunch")).unwrap()
    );
    let writable =
        tree(&[("Procfile", "file 664"), ("build", "folder 775"), ("build/app", "file 775")]);
    assert_eq!(world.tree("app"), writable);
}

#[test]
fn a_second_build_makes_the_layers_anew() {
    let world = World::new(&[("Procfile", "web: build/app\n")]);
    assert_eq!(world.build(&[ON, ("RELAUNCH_LOG", "json")]).code, 0);
    let layers = world.path("layers/relaunch_live-reload");
    fs::write(layers.join("target/bin/app"), "synced").unwrap();
    fs::create_dir(layers.join("target/env")).unwrap();
    assert_eq!(world.build(&[ON]).code, 0);
    let expected = tree(&[("bin", "folder 777")]);
    assert_eq!(world.tree("layers/relaunch_live-reload/target"), expected);
    assert!(!layers.join("supervisor/env.launch/RELAUNCH_LOG.default").exists());
}

#[test]
fn the_procfile_of_the_plan_counts_where_the_app_folder_is_emptied() {
    let world = World::new(&[("Procfile", "web: build/app\n")]);
    world.write_plan("");
    fs::remove_file(world.path("app/Procfile")).unwrap();
    assert_eq!(world.build_with_plan(&[ON]).code, 0);
    assert_eq!(world.read("layers/relaunch_live-reload/launch.toml"), WEB);
}

#[test]
fn a_platform_that_ran_no_detect_of_ours_has_the_procfile_of_the_app_folder() {
    let world = World::new(&[("Procfile", "web: build/app\n")]);
    world.write("plan.toml", "");
    assert_eq!(world.build_with_plan(&[ON]).code, 0);
    assert_eq!(world.read("layers/relaunch_live-reload/launch.toml"), WEB);
}

#[test]
fn settings_are_baked_and_oddities_are_told() {
    let world = World::new(&[("Procfile", " web: build/app\nweb: build/app")]);
    world.group(&["relaunch/live-reload", "acme/labels"]);
    let outcome = world.build(&[
        ON,
        ("RELAUNCH_SETTLE", "20ms"),
        ("RELAUNCH_TARGET", "/volume"),
        ("RELAUNCH_STOP_TIMOUT", "2s"),
        ("RELAUNCH_APP_DIR", "/poison"),
    ]);
    assert_eq!(
        outcome.stdout,
        format!(
            "\n[Relaunch live reload]\nLive reload is on:\n  \
             web        build/app  (default)\n  \
             no-reload  build/app  (does not reload)\n{}",
            SYNC.replace("ROOT/layers/relaunch_live-reload/target", "/volume")
        )
    );
    let expected = "
[Warning: Blanks before a process type in the Procfile (line 1)]
It was taken as \"web\". Remove the blanks.

[Warning: A process type is there twice in the Procfile (line 2)]
The later line of \"web\" is used. Remove the other one.

[Warning: RELAUNCH_APP_DIR has no effect at build time]
It is for the running container. Remove it from the build.

[Warning: RELAUNCH_STOP_TIMOUT is no setting]
Did you mean RELAUNCH_STOP_TIMEOUT?

[Warning: Other buildpacks come after this one]
They are acme/labels. If one of them declares web, its process replaces ours and does not reload. \
Place this buildpack last: with --post-buildpack or the project descriptor's \
[[io.buildpacks.post.group]] where the builder's own order is used, at the end of the list where \
--buildpack is given.
";
    assert_eq!(outcome.stderr, expected);
    assert_eq!(outcome.code, 0);
    let environment = [
        ("APP_DIR", "ROOT/app"),
        ("LAYERS_DIR", "ROOT/layers"),
        ("SETTLE", "20ms"),
        ("TARGET", "/volume"),
    ];
    let folder = "layers/relaunch_live-reload/supervisor/env.launch";
    assert_eq!(world.tree(folder).len(), environment.len());
    for (name, value) in environment {
        assert_eq!(world.read(&format!("{folder}/RELAUNCH_{name}.default")), value);
    }
}

#[test]
fn processes_of_earlier_buildpacks_are_wrapped_and_their_folders_opened() {
    let world = World::new(&[]);
    world.group(&["acme/go", "relaunch/live-reload"]);
    world.write("layers/acme_go/targets/bin/mod", "binary");
    world.write(
        "layers/acme_go/launch.toml",
        "[[processes]]\ntype = \"mod\"\ncommand = \"ROOT/layers/acme_go/targets/bin/mod\"\n\
         direct = true\ndefault = true\n\
         [[processes]]\ntype = \"task\"\ncommand = \"once\"\n",
    );
    for (path, mode) in [("targets", 0o755), ("targets/bin", 0o755), ("targets/bin/mod", 0o755)] {
        let path = world.path("layers/acme_go").join(path);
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }
    let outcome = world.build(&[ON]);
    assert_eq!(outcome.stderr, "");
    assert_eq!(
        outcome.stdout,
        format!(
            "\n[Relaunch live reload]\nLive reload is on:\n  \
             mod        ROOT/layers/acme_go/targets/bin/mod  (default)\n  \
             no-reload  ROOT/layers/acme_go/targets/bin/mod  (does not reload)\n\
             Left as they are: task.\n{SYNC}"
        )
    );
    assert_eq!(
        world.read("layers/relaunch_live-reload/launch.toml"),
        "[[processes]]\ntype = \"mod\"\ncommand = \
         [\"ROOT/layers/relaunch_live-reload/supervisor/bin/relaunch\", \"run\", \"--\", \
         \"ROOT/layers/acme_go/targets/bin/mod\"]\ndefault = true\n\n\
         [[processes]]\ntype = \"no-reload\"\n\
         command = [\"ROOT/layers/acme_go/targets/bin/mod\"]\n"
    );
    let opened = tree(&[("bin", "folder 775"), ("bin/mod", "file 775")]);
    assert_eq!(world.tree("layers/acme_go/targets"), opened);
}

#[test]
fn processes_that_call_watchexec_stay_and_get_our_command() {
    let world = World::new(&[]);
    world.group(&["acme/go", "relaunch/live-reload"]);
    world.write(
        "layers/acme_go/launch.toml",
        "[[processes]]\ntype = \"reload-mod\"\ncommand = \"watchexec\"\n\
         args = [\"--restart\", \"--\", \"mod\"]\ndirect = true\ndefault = true\n",
    );
    let outcome = world.build(&[ON]);
    assert_eq!(
        outcome.stdout,
        format!(
            "\n[Relaunch live reload]\nLive reload is on.\n\
             Left as they are: reload-mod.\n{SYNC}"
        )
    );
    assert_eq!(world.read("layers/relaunch_live-reload/launch.toml"), "");
    let layers = world.tree("layers/relaunch_live-reload");
    assert_eq!(layers["supervisor/bin/watchexec"], "-> relaunch");
}
