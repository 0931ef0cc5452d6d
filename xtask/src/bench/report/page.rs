//! `docs/benchmark.md`.

use std::fmt::Write as _;

use super::super::results::Results;
use super::super::statistics::{median, noise};
use super::table;

/// The workload that everything is compared by.
pub(super) const LEADING: &str = "rename over";

/// A part of the page: title, what the reader has to know, which rows of which section.
struct Part {
    title: &'static str,
    prose: &'static str,
    section: &'static str,
    /// Rows that begin so; empty = all.
    rows: &'static str,
    /// File names of plots below `plots/`.
    plots: &'static [&'static str],
}

const PARTS: &[Part] = &[
    Part {
        title: "Latency",
        prose: "From the last byte of an update to the first instruction of the new process. \
                Relaunch waits for evidence that a change is complete; the floor and the loop do not wait, \
                and the correctness table shows what that costs. Negative: started before the sync was done.",
        section: "latency",
        rows: "",
        plots: &["latency"],
    },
    Part {
        title: "Latency under load",
        prose: "The same rename while every core has two busy processes besides.",
        section: "load",
        rows: "",
        plots: &[],
    },
    Part {
        title: "Stopping",
        prose: "The app has a child that ignores TERM. Left: how many of them live after the reload, \
                and once the tool itself has ended, which it may take 10 s for. As process 1 of a namespace: orphans \
                of the app that nobody waited for, and the time from TERM to the end of the container, \
                which an engine kills after 10 s.",
        section: "stopping",
        rows: "",
        plots: &[],
    },
    Part {
        title: "Cost",
        prose: "Ten files. Memory, at the end of the idle time after a reload, is summed over all \
                processes of the tool, shells and keepers included, the app not; a page that two processes share counts twice in RSS and half \
                in PSS. The storm is 2,500 new files (10,000 events) and one new executable.",
        section: "cost",
        rows: "",
        plots: &[],
    },
    Part {
        title: "Scale: start-up to the first exec",
        prose: "The same app in front of ever larger trees. entr is run by a loop that sleeps 0.1 s first, \
                as its manual page has it.",
        section: "scale",
        rows: "start-up",
        plots: &["startup-files", "startup-folders"],
    },
    Part {
        title: "Scale: memory",
        prose: "RSS once the tool rests.",
        section: "scale",
        rows: "memory",
        plots: &["memory-files", "memory-folders"],
    },
    Part {
        title: "Scale: latency",
        prose: "A small executable renamed over the old one in such a tree.",
        section: "scale",
        rows: "latency",
        plots: &[],
    },
    Part {
        title: "Reloads",
        prose: "One reload after the other without a pause, 10,000 of Relaunch and of the floor, up \
                to 1,000 or one minute of a peer. Latency: median of the 50 before that point.",
        section: "reloads",
        rows: "",
        plots: &["reloads"],
    },
    Part {
        title: "In the real image",
        prose: "An image built by pack, run by a container engine, the app behind its HTTP page. \
                From the last byte in the container to the new page, which is looked for as soon as the \
                sync client has returned: what is over by then shows as the client's time.",
        section: "image",
        rows: "",
        plots: &[],
    },
];

/// The whole page; `plots` are the names of those that were drawn.
pub(super) fn page(results: &Results, plots: &[String]) -> String {
    let mut text = String::from(
        "# Relaunch beside its peers\n\n\
         Made by `cargo xtask bench`, which measures everything here in one run and writes this \
         page; `cargo xtask bench --help` tells more. Nothing on it is worth more than a comparison \
         within the run: another machine has other numbers.\n\n",
    );
    text.push_str(&about(results));
    text.push_str(METHOD);
    text.push_str(&tools(results));
    text.push_str(&parts(results, plots));
    text.push_str(WHY);
    text
}

/// The tables alone.
pub(super) fn tables(results: &Results) -> String {
    parts(results, &[])
}

const METHOD: &str = "\n## How it is measured\n\n\
    - Every tool runs the same small static C program. Its first act is to read the monotonic clock; \
      then it tells the benchmark time, process id and the version in its own bytes.\n\
    - Latency, with and without load: all tools run at the same time, each on a folder of its own, and \
      get their updates in turn, at least 1.2 s apart for each, so that a slow minute of the machine \
      meets all of them. Memory and wake-ups at rest: all at the same time. Start-up, storm, stopping \
      and scale: one tool after the other, round by round. Reloads: one tool after the other. \
      Correctness: ten cases at a time, which mostly sleep.\n\
    - Cells are medians. Behind them, where they differ: the 10th and the 90th percentile; of fewer \
      than five samples the least and the greatest.\n\
    - Every tool is used with its own default times, in the form that its documentation shows for \
      \"restart this when it changes\"; the flags that make it so are named below. The size on disk of \
      nodemon is without Node.js.\n\
    - The floor is the smallest C program that waits on inotify, kills, waits and execs: no settling, \
      no judgement. It tells how far each tool is from the possible.\n\
    - The raw samples are in `target/bench/results.json`.\n";

const WHY: &str = "\n## Where Relaunch is not first, and why\n\n\
    - Latency: nearly all of it is the window, 10 ms for one file renamed in from outside and 20 ms for \
      one path of another kind ([settling](settling.md)); beyond the window it is as far from the possible \
      as the floor is. The loop and nodemon wait for nothing or less, and start what is half there. rsync of \
      a large file is given longer, since its next file would wait in the same pipe.\n\
    - Start-up: the loop starts the app before it watches anything. Relaunch looks at the executable, \
      forks a keeper and watches the executable's folder first, about half a millisecond, and lists it, up \
      to 2 ms. A folder with some hundred names is left to the time behind the exec, as the rest of a \
      tree is.\n\
    - Under load the window is stretched, since the pauses of every writer are.\n\
    - A reload beside a helper that ignores TERM: it is given 2 s and then killed. Most others leave it \
      alive, and do not wait.\n\
    - The storm: every event is taken in, and each path is compared once.\n\
    - Size: a static program with the C library in it.\n";

fn about(results: &Results) -> String {
    let machine = &results.machine;
    let mut text = String::new();
    let gigabytes = machine.memory >> 30;
    let _ = writeln!(
        text,
        "| | |\n| --- | --- |\n| date | {} |\n| machine | {} cores ({}), {gigabytes} GiB |\n\
         | system | {}, Linux {} |\n| load at the beginning | {} |\n| the run took | {:.0} min |",
        machine.date,
        machine.cores,
        machine.processor,
        machine.system,
        machine.kernel,
        machine.load,
        results.seconds / 60.0,
    );
    if results.parts > 1 {
        let _ = writeln!(text, "| measured | in {} parts, every tool in each |", results.parts);
    }
    for tool in ["floor", "relaunch"] {
        let series = results.find("latency", LEADING, tool);
        if let Some(noise) = series.and_then(|it| noise(&it.values)) {
            let percent = noise * 100.0;
            let _ = writeln!(
                text,
                "| noise, {tool} | medians of even and odd rounds differ by {percent:.1} % |"
            );
        }
    }
    if let Some(ratio) = ratio(results, "watchexec") {
        let _ = writeln!(text, "| Relaunch to watchexec, {LEADING} | {ratio:.2} |");
    }
    text
}

/// The leading median of Relaunch, relative to a peer's.
pub(super) fn ratio(results: &Results, peer: &str) -> Option<f64> {
    let of = |tool| median(&results.find("latency", LEADING, tool)?.values);
    Some(of("relaunch")? / of(peer)?)
}

fn tools(results: &Results) -> String {
    let mut text = "\n## The tools\n\n| | version | command |\n| --- | --- | --- |\n".to_owned();
    for tool in &results.tools {
        let version = match &tool.missing {
            Some(reason) => format!("not measured: {}", reason.replace('|', "/")),
            None => tool.version.clone(),
        };
        let form = tool.form.replace('|', "\\|");
        let _ = writeln!(text, "| {} | {version} | `{form}` |", tool.title);
    }
    text
}

fn parts(results: &Results, plots: &[String]) -> String {
    let mut text = String::new();
    for part in PARTS {
        if part.section == "stopping" {
            text.push_str(&correctness(results, plots));
        }
        let table =
            table::of_section(results, part.section, &|name: &str| name.starts_with(part.rows));
        if table.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n## {}\n\n{}\n", part.title, part.prose);
        for plot in part.plots {
            text.push_str(&picture(plot, plots));
        }
        text.push_str(&table);
    }
    text
}

fn correctness(results: &Results, plots: &[String]) -> String {
    let table = table::of_cells(results);
    if table.is_empty() {
        return table;
    }
    let repetitions = results.cells.first().map_or(0, |cell| cell.outcomes.len());
    format!(
        "\n## Correctness\n\nOne change set each, {repetitions} times. The number of starts after \
         the first; *dead*: nothing runs in the end; *stale*: what runs is not what lies on disk; ✗: \
         not what is right. The kinds of change are those that sync clients, compilers and people made \
         in our traces and tests; what is right is what Relaunch promises, which no other tool does.\
         \n\n{}{table}",
        picture("correctness", plots)
    )
}

fn picture(name: &str, plots: &[String]) -> String {
    if plots.iter().any(|it| it == name) {
        format!("![{name}](plots/{name}.svg)\n\n")
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::results::examples;
    use super::*;

    #[test]
    fn the_page_names_machine_tools_reasons_and_plots() {
        let page = page(&examples::results(), &["latency".to_owned()]);
        for wanted in [
            "| machine | 2 cores (Some CPU), 24 GiB |",
            "| Relaunch to watchexec, rename over | 0.20 |",
            "| air | not measured: there is no Go |",
            "![latency](plots/latency.svg)",
            "| rename over | ms | 12.0 (10.0–14.0) | 60.0 (50.0–70.0) |",
        ] {
            assert!(page.contains(wanted), "{wanted} in\n{page}");
        }
        assert!(!page.contains("## Reloads"), "{page}");
    }
}
