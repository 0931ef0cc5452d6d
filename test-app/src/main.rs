//! The app: reads its options, starts its habits, says that it started, serves its page.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use test_app::options::Options;
use test_app::{ending, files, helpers, server, version};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("test-app: {reason}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    helpers::run_when_asked(arguments.first().map(String::as_str)).map_err(|e| e.to_string())?;
    let options = Options::read(|name| std::env::var(name).ok(), arguments)?;
    start_habits(&options)?;
    let listener = options.port.map(server::listen).transpose()?;
    println!("started {}", identity(" "));
    let Some(listener) = listener else {
        loop {
            thread::sleep(Duration::from_hours(1));
        }
    };
    server::serve(&listener, &page(&options));
    Ok(())
}

fn start_habits(options: &Options) -> Result<(), String> {
    if options.ignore_term && options.helper_ignores_term {
        ending::ignore_term().map_err(|error| error.to_string())?;
    }
    if let Some(helper) = options.helper {
        helpers::start(helper).map_err(|error| error.to_string())?;
    }
    if options.ignore_term {
        ending::ignore_term().map_err(|error| error.to_string())?;
    }
    options.log.clone().into_iter().for_each(files::write_log);
    options.database.clone().into_iter().for_each(files::write_database);
    options.read.iter().for_each(|path| files::read_once(path));
    options.open.clone().into_iter().for_each(files::open_often);
    if let Some((code, time)) = options.exit {
        ending::exit_after(code, time);
    }
    if let Some((number, time)) = options.signal {
        ending::signal_after(number, time);
    }
    Ok(())
}

/// Version, generation and pid, as the first line and the page show them.
fn identity(separator: &str) -> String {
    let generation = std::env::var("RELAUNCH_GENERATION").unwrap_or_default();
    [
        format!("version={}", version::current()),
        format!("generation={generation}"),
        format!("pid={}", std::process::id()),
    ]
    .join(separator)
}

fn page(options: &Options) -> String {
    let mut page = identity("\n") + "\n";
    for argument in &options.rest {
        let _ = writeln!(page, "argument={argument}");
    }
    page
}
