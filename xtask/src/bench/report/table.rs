//! A table in Markdown, and how samples become a cell.

use std::fmt::Write as _;

use super::super::results::{Cell, Results, Series, Telling, Unit};
use super::super::statistics::Summary;

/// The table of a section: a workload a row, a tool a column. Empty when nothing was measured.
pub(super) fn of_section(
    results: &Results,
    section: &str,
    wanted: &dyn Fn(&str) -> bool,
) -> String {
    let workloads = results.workloads(section);
    let workloads: Vec<&str> = workloads.into_iter().filter(|name| wanted(name)).collect();
    if workloads.is_empty() {
        return String::new();
    }
    let tools: Vec<&Telling> = present(results)
        .filter(|tool| workloads.iter().any(|it| results.find(section, it, &tool.name).is_some()))
        .collect();
    let mut text = head(&["", &unit_of(results, section, workloads[0])], &tools);
    for workload in workloads {
        let unit = unit_of(results, section, workload);
        let _ = write!(text, "| {workload} | {unit} |");
        for tool in &tools {
            let cell = results.find(section, workload, &tool.name).map_or("—".to_owned(), samples);
            let _ = write!(text, " {cell} |");
        }
        text.push('\n');
    }
    text
}

/// The correctness table, with the number of ideal cells in its last row.
pub(super) fn of_cells(results: &Results) -> String {
    if results.cells.is_empty() {
        return String::new();
    }
    let has = |tool: &&Telling| results.cells.iter().any(|cell| cell.tool == tool.name);
    let tools: Vec<&Telling> = present(results).filter(has).collect();
    let mut text = head(&["change set", "right"], &tools);
    let mut names: Vec<&str> = Vec::new();
    for cell in &results.cells {
        if !names.contains(&cell.workload.as_str()) {
            names.push(&cell.workload);
        }
    }
    for name in &names {
        let ideal = results.cells.iter().find(|cell| cell.workload == *name);
        let (fewest, most) = ideal.map_or((0, 0), |cell| cell.ideal);
        let _ = write!(text, "| {name} | {} |", range(fewest, most));
        for tool in &tools {
            let found =
                results.cells.iter().find(|it| it.workload == *name && it.tool == tool.name);
            let _ = write!(text, " {} |", found.map_or("—".to_owned(), outcome));
        }
        text.push('\n');
    }
    let _ = write!(text, "| **ideal** | {} |", names.len());
    for tool in &tools {
        let _ = write!(text, " **{}** |", ideal_cells(results, &tool.name));
    }
    text.push('\n');
    text
}

/// In how many workloads a tool was ideal each time.
pub(super) fn ideal_cells(results: &Results, tool: &str) -> usize {
    results.cells.iter().filter(|cell| cell.tool == tool && cell.holds()).count()
}

/// The tools that were measured.
pub(super) fn present(results: &Results) -> impl Iterator<Item = &Telling> {
    results.tools.iter().filter(|tool| tool.missing.is_none())
}

fn head(first: &[&str], tools: &[&Telling]) -> String {
    let titles = tools.iter().map(|tool| tool.title.as_str());
    // The unit of a column's cells stands in their row.
    let first = first
        .iter()
        .enumerate()
        .map(|(place, text)| if place == 1 && text.len() < 4 { "" } else { text });
    let titles: Vec<&str> = first.chain(titles).collect();
    let rule: Vec<&str> = titles
        .iter()
        .enumerate()
        .map(|(place, _)| if place == 0 { "---" } else { "---:" })
        .collect();
    format!("| {} |\n| {} |\n", titles.join(" | "), rule.join(" | "))
}

fn unit_of(results: &Results, section: &str, workload: &str) -> String {
    let found = results.series.iter().find(|it| it.section == section && it.workload == workload);
    match found.map(|series| series.unit) {
        Some(Unit::Milliseconds) => "ms".to_owned(),
        Some(Unit::Bytes) => "MB".to_owned(),
        Some(Unit::Count) | None => String::new(),
    }
}

/// `13.4 (12.9–14.1)`, and what is missing.
pub(super) fn samples(series: &Series) -> String {
    let Some(summary) = Summary::of(&series.values) else {
        let note = series.note.as_deref().unwrap_or("nothing");
        let times =
            if series.misses > 1 { format!("{} × ", series.misses) } else { String::new() };
        return times + &note.replace('|', "/").chars().take(60).collect::<String>();
    };
    let mut text = number(summary.median, series.unit);
    let [low, high] = [summary.low, summary.high].map(|it| number(it, series.unit));
    if low != high {
        let _ = write!(text, " ({low}–{high})");
    }
    if series.misses > 0 {
        let rounds = series.misses + series.values.len();
        let _ = write!(text, ", {} of {rounds} lost", series.misses);
    }
    text
}

/// Three digits that matter.
pub(super) fn number(value: f64, unit: Unit) -> String {
    let value = if unit == Unit::Bytes { value / 1e6 } else { value };
    let size = value.abs();
    if size == 0.0 || size >= 100.0 || unit == Unit::Count && value.fract() == 0.0 {
        format!("{value:.0}")
    } else if size >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

/// `1`, `✗ 6`, `✗ 2 dead`, `✗ 1 old bytes`; a range over the repetitions.
pub(super) fn outcome(cell: &Cell) -> String {
    let starts = || cell.outcomes.iter().map(|it| it.starts);
    let (Some(fewest), Some(most)) = (starts().min(), starts().max()) else {
        return "—".to_owned();
    };
    let mut text = range(fewest, most);
    if cell.outcomes.iter().any(|it| !it.alive) {
        text.push_str(" dead");
    } else if cell.outcomes.iter().any(|it| !it.right) {
        text.push_str(" stale");
    }
    if cell.holds() { text } else { format!("✗ {text}") }
}

fn range(fewest: u32, most: u32) -> String {
    if fewest == most { fewest.to_string() } else { format!("{fewest}–{most}") }
}

#[cfg(test)]
mod tests {
    use super::super::super::results::{Outcome, examples};
    use super::*;

    #[test]
    fn a_section_is_a_row_for_each_workload() {
        let text = of_section(&examples::results(), "latency", &|_| true);
        let expected = "|  |  | **Relaunch** | watchexec |\n| --- | ---: | ---: | ---: |\n\
                        | rename over | ms | 12.0 (10.0–14.0) | 60.0 (50.0–70.0) |\n";
        assert_eq!(text, expected);
        assert_eq!(of_section(&examples::results(), "nothing", &|_| true), "");
    }

    #[test]
    fn a_series_without_samples_says_why() {
        let mut series = examples::results().series.remove(0);
        series.values.clear();
        series.note = Some("killed | gone".to_owned());
        assert_eq!(samples(&series), "killed / gone");
    }

    #[test]
    fn a_series_of_misses_says_how_many() {
        let mut series = examples::results().series.remove(0);
        series.values.clear();
        series.misses = 3;
        series.note = Some("nothing came".to_owned());
        assert_eq!(samples(&series), "3 × nothing came");
    }

    #[test]
    fn lost_rounds_are_told() {
        let mut series = examples::results().series.remove(0);
        series.values = vec![5.0, 5.0];
        series.misses = 1;
        assert_eq!(samples(&series), "5.00, 1 of 3 lost");
    }

    #[test]
    fn an_outcome_names_what_is_wrong() {
        let good = Outcome { starts: 1, alive: true, right: true, told: String::new() };
        let cell = |outcomes| Cell {
            workload: String::new(),
            tool: String::new(),
            ideal: (1, 1),
            outcomes,
        };
        assert_eq!(outcome(&cell(vec![good.clone()])), "1");
        let twice = Outcome { starts: 2, ..good.clone() };
        assert_eq!(outcome(&cell(vec![good.clone(), twice])), "✗ 1–2");
        let dead = Outcome { alive: false, ..good.clone() };
        assert_eq!(outcome(&cell(vec![dead])), "✗ 1 dead");
        let stale = Outcome { right: false, ..good };
        assert_eq!(outcome(&cell(vec![stale])), "✗ 1 stale");
    }

    #[test]
    fn numbers_have_three_digits() {
        let told = [0.0, 0.714, 13.44, 1007.1].map(|it| number(it, Unit::Milliseconds));
        assert_eq!(told, ["0", "0.71", "13.4", "1007"]);
        assert_eq!(number(3_551_232.0, Unit::Bytes), "3.55");
        assert_eq!(number(20.0, Unit::Count), "20");
    }
}
