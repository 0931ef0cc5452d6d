//! The build output, compared as whole blocks.

use super::*;
use crate::buildpack::processes::Declared;
use libcnb::data::launch::{Process, ProcessType, WorkingDirectory};

fn declared(name: &str, shown: &str, default: bool, reloads: bool) -> Declared {
    Declared {
        process: Process {
            r#type: name.parse::<ProcessType>().unwrap(),
            command: vec![],
            args: vec![],
            default,
            working_directory: WorkingDirectory::App,
        },
        shown: shown.to_owned(),
        reloads,
    }
}

fn processes() -> Processes {
    Processes {
        declared: vec![
            declared("web", "build/app", true, true),
            declared("no-reload", "build/app", false, false),
        ],
        default: Some("web".to_owned()),
        left_alone: vec!["task".to_owned()],
        words: vec![],
    }
}

#[test]
fn one_line_says_that_live_reload_is_off() {
    assert_eq!(
        off(false),
        "Live reload is off; BP_LIVE_RELOAD_ENABLED=true turns it on \
         (pack build --env BP_LIVE_RELOAD_ENABLED=true)."
    );
    assert_eq!(
        off(true),
        "Live reload is off; BP_LIVE_RELOAD_ENABLED=true turns it on \
         (pack build --env BP_LIVE_RELOAD_ENABLED=true). \
         A watchexec command is there for the processes that call it."
    );
}

#[test]
fn the_output_shows_processes_and_literal_paths() {
    let expected = "\
Live reload is on:
  web        build/app  (default)
  no-reload  build/app  (does not reload)
Left as they are: task.

Sync what you build into /layers/relaunch_live-reload/target/bin
  a file there runs in place of the executable of the same name:
    compose.yaml  develop: {watch: [{action: sync, path: ./build, target: /layers/relaunch_live-reload/target/bin}]}
    docker        docker cp build/. CONTAINER:/layers/relaunch_live-reload/target/bin
    Kubernetes    kubectl cp build/APP POD:/layers/relaunch_live-reload/target/bin/APP
Sync sources that the app itself reads into /workspace";
    let target = Path::new("/layers/relaunch_live-reload/target");
    assert_eq!(on(&processes(), Path::new("/workspace"), target), expected);
}

#[test]
fn an_image_without_a_default_is_told() {
    let without =
        Processes { declared: vec![declared("x", "x", false, true)], ..Processes::default() };
    assert_eq!(
        process_table(&without),
        "Live reload is on:\n  x  x\n\
         No type is the default; name one with --default-process or --entrypoint.\n"
    );
    assert_eq!(process_table(&Processes::default()), "Live reload is on.\n");
}

#[test]
fn every_warning_says_what_to_do() {
    let procfile = [
        ProcfileWarning::LeadingBlanks { line: 2, process_type: "web".to_owned() },
        ProcfileWarning::Duplicate { line: 3, process_type: "web".to_owned() },
        ProcfileWarning::Empty,
    ];
    let settings = [
        SettingWarning::Unknown {
            name: "RELAUNCH_SETLE".to_owned(),
            nearest: Some("RELAUNCH_SETTLE".to_owned()),
        },
        SettingWarning::Unknown { name: "RELAUNCH_X".to_owned(), nearest: None },
        SettingWarning::NotAtBuild { name: "RELAUNCH_STATE".to_owned() },
    ];
    let shown: Vec<String> = warnings(&procfile, &settings, &["acme/go".to_owned()], &processes())
        .into_iter()
        .map(|(headline, body)| format!("{headline} | {body}"))
        .collect();
    let place = "Place this buildpack last: with --post-buildpack or the project descriptor's \
                 [[io.buildpacks.post.group]] where the builder's own order is used, at the end \
                 of the list where --buildpack is given.";
    let expected = [
        "Blanks before a process type in the Procfile (line 2) | It was taken as \"web\". Remove the blanks.",
        "A process type is there twice in the Procfile (line 3) | The later line of \"web\" is used. Remove the other one.",
        "The Procfile has no process type | Add a line such as \"web: build/app\", or remove the file.",
        "RELAUNCH_SETLE is no setting | Did you mean RELAUNCH_SETTLE?",
        "RELAUNCH_X is no setting | It has no effect. Remove it.",
        "RELAUNCH_STATE has no effect at build time | It is for the running container. Remove it from the build.",
        &format!(
            "Other buildpacks come after this one | They are acme/go. If one of them declares \
             web, its process replaces ours and does not reload. {place}"
        ),
    ];
    assert_eq!(shown, expected);
    assert_eq!(
        order_warning(&["acme/go".to_owned()], &Processes::default()),
        Some((
            "Other buildpacks come after this one".to_owned(),
            format!(
                "They are acme/go. Their processes reload only if they call watchexec. {place}"
            )
        ))
    );
    assert_eq!(order_warning(&[], &processes()), None);
}
