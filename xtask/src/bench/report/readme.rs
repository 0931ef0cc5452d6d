//! The benchmark's part of the README: one plot and one table.

use std::fmt::Write as _;

use super::super::results::{Results, Series, Unit};
use super::super::statistics::median;
use super::page::LEADING;
use super::table;

const BEGIN: &str = "<!-- benchmark: written by `cargo xtask bench` -->\n";
const END: &str = "<!-- benchmark: end -->";

/// The README with the part between the marks replaced; `None` = there are no marks.
pub(super) fn replaced(readme: &str, results: &Results) -> Option<String> {
    let (before, rest) = readme.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{}{END}{after}", part(results)))
}

fn part(results: &Results) -> String {
    let mut text = "![latency](docs/plots/latency.svg)\n\n".to_owned();
    let change_sets = results.cells.iter().filter(|cell| cell.tool == "relaunch").count();
    let _ = writeln!(
        text,
        "| | last byte → new process | right in {change_sets} kinds of change | start-up | memory | \
         wake-ups, idle | end as PID 1 |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    );
    for tool in table::present(results) {
        let cell = |section: &str, workload: &str, unit: &str| {
            let found = results.find(section, workload, &tool.name);
            found.map_or("—".to_owned(), |series| told(series, unit))
        };
        let counted = results.cells.iter().any(|it| it.tool == tool.name);
        let ideal = table::ideal_cells(results, &tool.name);
        let right = if counted { ideal.to_string() } else { "—".to_owned() };
        let _ = writeln!(
            text,
            "| {} | {} | {right} | {} | {} | {} | {} |",
            tool.title,
            cell("latency", LEADING, " ms"),
            cell("cost", "start-up to first exec", " ms"),
            cell("cost", "memory (RSS)", " MB"),
            cell("cost", "wake-ups per second, idle", "/s"),
            cell("stopping", "PID 1: TERM to its end", " ms"),
        );
    }
    let machine = &results.machine;
    let parts =
        if results.parts > 1 { format!(" in {} parts", results.parts) } else { String::new() };
    let _ = writeln!(
        text,
        "\nMedians of one run{parts}, {}, {} cores, Linux {}. The floor is the smallest C program that waits on \
         inotify, kills and execs. Right is what Relaunch promises, for the kinds of change that sync \
         clients and people made in our traces. [Everything that was measured](docs/benchmark.md).",
        machine.date, machine.cores, machine.kernel
    );
    text
}

fn told(series: &Series, unit: &str) -> String {
    match median(&series.values) {
        Some(value) => {
            let number = table::number(value, series.unit);
            if series.unit == Unit::Count && value == 0.0 { number } else { number + unit }
        }
        None if series.note.as_deref().is_some_and(|note| note.starts_with("killed")) => {
            "killed".to_owned()
        }
        None => "none".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::results::examples;
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_is_replaced() {
        let readme = format!("before\n{BEGIN}old\n{END}\nafter\n");
        let text = replaced(&readme, &examples::results()).unwrap();
        assert!(text.starts_with("before\n") && text.ends_with("\nafter\n"), "{text}");
        assert!(!text.contains("old\n"), "{text}");
        assert!(text.contains("| **Relaunch** | 12.0 ms | — | — | — | — | — |"), "{text}");
        assert_eq!(replaced("no marks", &examples::results()), None);
    }
}
