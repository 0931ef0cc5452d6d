//! Bad input: build fails with what, why and what to do, and leaves the app folder as it was.

use crate::world::{ON, World};
use nix::unistd::{Uid, chown};
use std::fs;

const FORM: &str = "A line is TYPE: COMMAND, such as \"web: build/app --port 8080\". Types have \
                    letters, digits, - and _; a comment begins with #.";
const MEND: &str = "Correct it where it is set (pack build --env, the project descriptor, the \
                    builder), or remove it there.";

/// Build fails with exactly this text, before anything has been written.
fn refused(world: &World, variables: &[(&str, &str)], headline: &str, body: &str) {
    let before = (world.tree("app"), world.tree("layers"));
    let outcome = world.build(variables);
    assert_eq!(outcome.stderr, format!("\n[Error: {headline}]\n{body}\n"));
    assert_eq!((outcome.code, outcome.stdout.as_str()), (1, ""));
    assert_eq!((world.tree("app"), world.tree("layers")), before);
}

#[test]
fn an_invalid_switch() {
    refused(
        &World::new(&[("Procfile", "web: app")]),
        &[("BP_LIVE_RELOAD_ENABLED", "on")],
        "BP_LIVE_RELOAD_ENABLED has a value that cannot be used",
        &format!(
            "This build variable turns live reload on or off. {MEND}\n\n\
             Cause: BP_LIVE_RELOAD_ENABLED: \"on\" is neither on nor off; \
             write true, 1, false or 0"
        ),
    );
}

#[test]
fn an_invalid_setting() {
    refused(
        &World::new(&[("Procfile", "web: app")]),
        &[ON, ("RELAUNCH_STOP_SIGNAL", "STOPP")],
        "RELAUNCH_STOP_SIGNAL has a value that cannot be used",
        &format!(
            "This build variable is baked into the image as the default of a setting. {MEND}\n\n\
             Cause: RELAUNCH_STOP_SIGNAL: \"STOPP\" is not a signal; \
             write it as TERM, SIGINT, 15 or RTMIN+3"
        ),
    );
}

#[test]
fn no_procfile_and_no_processes() {
    refused(
        &World::new(&[("app.py", "")]),
        &[ON],
        "There is no process to reload",
        "Live reload is on, but there is no Procfile, and no earlier buildpack declared a \
         process. Add a Procfile to the app folder, with a line such as \"web: build/app\". If \
         another buildpack declares the processes, place this one after it. A buildpack that \
         requires watchexec is left out where nothing before it provides that: place this one \
         first then.",
    );
}

#[test]
fn a_procfile_that_is_not_utf8() {
    let world = World::new(&[]);
    fs::write(world.path("app/Procfile"), b"web: a\n\xff\xfe").unwrap();
    refused(
        &world,
        &[ON],
        "The Procfile is not UTF-8 (line 2)",
        "It was saved in another encoding. Save it as UTF-8.",
    );
}

#[test]
fn a_procfile_that_is_not_readable() {
    let world = World::new(&[("Procfile/file", "")]);
    refused(
        &world,
        &[ON],
        "The Procfile could not be read",
        "It is a folder, a link to nowhere, or the build user may not read it. Make it a plain \
         file that everybody may read, or remove it.\n\n\
         Cause: Is a directory (os error 21)",
    );
}

#[test]
fn a_procfile_out_of_the_grammar() {
    refused(
        &World::new(&[("Procfile", "# x\nweb.1: app\n")]),
        &[ON],
        "The Procfile has an invalid process type (line 2)",
        &format!("\"web.1\" stands before the colon. {FORM}"),
    );
    refused(
        &World::new(&[("Procfile", "web:\n")]),
        &[ON],
        "The Procfile has a process type without a command (line 1)",
        &format!("Nothing stands after \"web:\". {FORM}"),
    );
    refused(
        &World::new(&[("Procfile", "web: app\n  --port 80\n")]),
        &[ON],
        "The Procfile has a line without a process type (line 2)",
        &format!("It reads \"--port 80\". {FORM}"),
    );
}

#[test]
fn an_unknown_process_type() {
    refused(
        &World::new(&[("Procfile", "web: app\n")]),
        &[ON, ("RELAUNCH_PROCESSES", "web,wrk")],
        "RELAUNCH_PROCESSES names an unknown process type",
        "Nobody declared \"wrk\". The process types are web. Correct the name, or remove the \
         variable, and every suitable type reloads.",
    );
}

#[test]
fn a_buildpack_without_its_supervisor() {
    let world = World::new(&[("Procfile", "web: app\n")]);
    fs::remove_file(world.supervisor()).unwrap();
    let app = world.tree("app");
    let outcome = world.build(&[ON]);
    assert_eq!(
        outcome.stderr,
        "\n[Error: The supervisor could not be put into its layer]\n\
         The buildpack is not complete, or the layers folder is full. Package it with \"cargo \
         libcnb package\", which adds the supervisor beside it.\n\n\
         Cause: ROOT/buildpack/.libcnb-cargo/additional-bin/relaunch: \
         No such file or directory (os error 2)\n"
    );
    assert_eq!((outcome.code, world.tree("app")), (1, app));
}

#[test]
fn a_target_that_cannot_be_made() {
    let world = World::new(&[("Procfile", "web: app\n")]);
    world.write("layers/relaunch_live-reload/target", "in the way");
    let app = world.tree("app");
    let outcome = world.build(&[ON]);
    assert_eq!(
        outcome.stderr,
        "\n[Error: A layer could not be written]\n\
         The layers folder is full, or the build user may not write in it. The lifecycle gives \
         it to the user of the build image: check CNB_USER_ID and CNB_GROUP_ID there.\n\n\
         Cause: I/O error while deleting layer: Not a directory (os error 20)\n"
    );
    assert_eq!((outcome.code, world.tree("app")), (1, app));
}

#[test]
fn a_file_of_another_owner_in_the_app_folder() {
    // Only root can give a file away; without root there is no such folder to build from.
    if !Uid::effective().is_root() {
        return;
    }
    let world = World::new(&[("Procfile", "web: app\n"), ("other", "")]);
    let user = Uid::from_raw(65_534);
    for path in ["app", "app/Procfile", "layers", "layers/relaunch_live-reload"] {
        chown(&world.path(path), Some(user), None).unwrap();
    }
    let before = (world.tree("app"), world.tree("layers"));
    world.write_plan("");
    let outcome = world.build_as(user, &[ON]);
    assert_eq!(
        outcome.stderr,
        "\n[Error: A file could not be made writable for the group]\n\
         Live reload lets the run user overwrite what the build made. A file that belongs to \
         another user than that of the build stands in the way: remove it, change its owner, or \
         make it writable for its group.\n\n\
         Cause: ROOT/app/other: Operation not permitted (os error 1)\n"
    );
    assert_eq!(outcome.code, 1);
    assert_eq!((world.tree("app"), world.tree("layers")), before);
}
