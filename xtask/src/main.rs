//! `cargo xtask`: which command is meant.

use std::path::PathBuf;
use std::process::ExitCode;

use xtask::failure::Failure;
use xtask::{bench, demo, dev, fuzz, package, replay, simulate, soak, test};

const HELP: &str = "\
cargo xtask demo              package, build, launch, change, one restart; needs only Rust
cargo xtask dev PATH [TYPE]   the same for your own app folder; stays running
cargo xtask fuzz [TARGET]...  strange bytes for every parser [--seconds N] [--seed N]
cargo xtask package           package the buildpack for `pack build --buildpack`
cargo xtask replay PATH...    recorded traces through the settling logic in virtual time [--json]
cargo xtask simulate          random schedules against the promises [--schedules N] [--seed N --trace] [--faults]
cargo xtask bench [--quick]   Relaunch beside its peers; --help tells more
cargo xtask soak [RELOADS]    10,000 reloads: flat descriptors, memory and latency
cargo xtask test [TIER]...    every test; with CI=true a tier that is left out is a failure
                              TIER: format lints docs unit simulation supervisor embedded platform
                              bench
                              after `--`: arguments for the test programs, such as a filter
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    match run(&command, &rest) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("\nerror: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &str, rest: &[String]) -> Result<ExitCode, Failure> {
    match (command, rest) {
        ("demo", []) => demo::run().map(|()| ExitCode::SUCCESS),
        ("dev", [app]) => dev::run(&PathBuf::from(app), None).map(|()| ExitCode::SUCCESS),
        ("dev", [app, process_type]) => {
            dev::run(&PathBuf::from(app), Some(process_type)).map(|()| ExitCode::SUCCESS)
        }
        ("fuzz", options) => fuzz::run(options),
        ("package", []) => package::run().map(|()| ExitCode::SUCCESS),
        ("replay", paths) => Ok(replay::run(paths.iter().cloned())),
        ("simulate", options) => Ok(simulate::run(options.iter().cloned())),
        ("soak", []) => soak::run("10000").map(|()| ExitCode::SUCCESS),
        ("soak", [reloads]) => soak::run(reloads).map(|()| ExitCode::SUCCESS),
        ("bench", options) => bench::run(options),
        ("test", selection) => test::run(selection),
        ("help" | "--help" | "-h", _) => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            eprint!("{HELP}");
            Ok(ExitCode::from(2))
        }
    }
}
