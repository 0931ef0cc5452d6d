//! The plots, as SVG.

use std::path::Path;

use plotters::prelude::*;

use crate::failure::Failure;

use super::super::results::{Results, Telling};
use super::super::scale;
use super::super::statistics::{Summary, median};
use super::page::LEADING;
use super::table;

/// Draws what there are samples for; the names of the plots.
pub(super) fn draw(results: &Results, folder: &Path) -> Result<Vec<String>, Failure> {
    std::fs::create_dir_all(folder).map_err(Failure::file(folder))?;
    let files = |name: &str| scale::numbers(name).filter(|it| it.1 <= 10.0).map(|it| it.0);
    let folders = |name: &str| scale::numbers(name).filter(|it| it.0 <= it.1 * 10.0).map(|it| it.1);
    let reloads = |name: &str| name.parse().ok();
    let charts = [
        bars(results),
        correct(results),
        lines(
            results,
            "startup-files",
            "start-up to first exec, ms",
            "files",
            ("scale", "start-up: "),
            &files,
        ),
        lines(
            results,
            "startup-folders",
            "start-up to first exec, ms",
            "folders of 10 files",
            ("scale", "start-up: "),
            &folders,
        ),
        lines(results, "memory-files", "memory (RSS), MB", "files", ("scale", "memory: "), &files),
        lines(
            results,
            "memory-folders",
            "memory (RSS), MB",
            "folders of 10 files",
            ("scale", "memory: "),
            &folders,
        ),
        lines(
            results,
            "reloads",
            "latency, ms",
            "reloads so far",
            ("reloads", "latency after "),
            &reloads,
        ),
    ];
    let mut drawn = Vec::new();
    for chart in charts.into_iter().filter(|chart| !chart.is_empty()) {
        let path = folder.join(format!("{}.svg", chart.name()));
        chart.draw(&path).map_err(|reason| Failure::Format { path, reason })?;
        drawn.push(chart.name().to_owned());
    }
    Ok(drawn)
}

/// What is drawn.
enum Chart {
    /// A bar with its spread for each tool.
    Bars { name: String, title: String, logarithmic: bool, bars: Vec<(String, RGBColor, Summary)> },
    /// A line for each tool, both axes logarithmic.
    Lines { name: String, title: String, below: String, lines: Vec<(String, RGBColor, Points)> },
}

type Points = Vec<(f64, f64)>;

/// One tool, one color, in every plot.
fn color(results: &Results, tool: &Telling) -> RGBColor {
    const COLORS: [RGBColor; 9] = [
        RGBColor(0xd6, 0x27, 0x28),
        RGBColor(0x7f, 0x7f, 0x7f),
        RGBColor(0x1f, 0x77, 0xb4),
        RGBColor(0x17, 0xbe, 0xcf),
        RGBColor(0x2c, 0xa0, 0x2c),
        RGBColor(0x94, 0x67, 0xbd),
        RGBColor(0x8c, 0x56, 0x4b),
        RGBColor(0xff, 0x7f, 0x0e),
        RGBColor(0xe3, 0x77, 0xc2),
    ];
    let place = results.tools.iter().position(|it| it.name == tool.name).unwrap_or_default();
    COLORS[place % COLORS.len()]
}

fn plain(title: &str) -> String {
    title.replace('*', "")
}

fn bars(results: &Results) -> Chart {
    let bars = table::present(results).filter_map(|tool| {
        let summary = Summary::of(&results.find("latency", LEADING, &tool.name)?.values)?;
        Some((plain(&tool.title), color(results, tool), summary))
    });
    Chart::Bars {
        name: "latency".to_owned(),
        title: "executable renamed over the old one to new process, ms (logarithmic; median, 10th to 90th percentile)".to_owned(),
        logarithmic: true,
        bars: bars.collect(),
    }
}

fn correct(results: &Results) -> Chart {
    let bars =
        table::present(results).filter(|tool| results.cells.iter().any(|it| it.tool == tool.name));
    let bars = bars.map(|tool| {
        let ideal = u32::try_from(table::ideal_cells(results, &tool.name)).unwrap_or(u32::MAX);
        let ideal = f64::from(ideal);
        (
            plain(&tool.title),
            color(results, tool),
            Summary { median: ideal, low: ideal, high: ideal },
        )
    });
    let all = results.cells.iter().filter(|cell| cell.tool == "relaunch").count();
    Chart::Bars {
        name: "correctness".to_owned(),
        title: format!("kinds of change handled ideally, of {all}"),
        logarithmic: false,
        bars: bars.collect(),
    }
}

fn lines(
    results: &Results,
    name: &str,
    title: &str,
    below: &str,
    (section, prefix): (&str, &str),
    place: &dyn Fn(&str) -> Option<f64>,
) -> Chart {
    let factor = if title.ends_with("MB") { 1e-6 } else { 1.0 };
    let lines = table::present(results).map(|tool| {
        let mut points: Points = results
            .workloads(section)
            .iter()
            .filter_map(|workload| {
                let x = place(workload.strip_prefix(prefix)?)?;
                Some((x, median(&results.find(section, workload, &tool.name)?.values)? * factor))
            })
            .collect();
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
        (plain(&tool.title), color(results, tool), points)
    });
    Chart::Lines {
        name: name.to_owned(),
        title: title.to_owned(),
        below: below.to_owned(),
        lines: lines.filter(|(_, _, points)| points.len() > 1).collect(),
    }
}

impl Chart {
    fn name(&self) -> &str {
        match self {
            Self::Bars { name, .. } | Self::Lines { name, .. } => name,
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Bars { bars, .. } => bars.is_empty(),
            Self::Lines { lines, .. } => lines.is_empty(),
        }
    }

    fn draw(&self, path: &Path) -> Result<(), String> {
        match self {
            Self::Bars { title, logarithmic, bars, .. } => {
                draw_bars(path, title, *logarithmic, bars)
            }
            Self::Lines { title, below, lines, .. } => draw_lines(path, title, below, lines),
        }
        .map_err(|error| error.to_string())
    }
}

type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Pixels of a bar, its gap included; of the texts on its left and right; of the title.
const BAR: i32 = 30;
const LEFT: i32 = 150;
const RIGHT: i32 = 90;
const TOP: i32 = 40;
const WIDTH: i32 = 760;

#[allow(clippy::cast_possible_truncation)] // Pixels.
fn draw_bars(
    path: &Path,
    title: &str,
    logarithmic: bool,
    bars: &[(String, RGBColor, Summary)],
) -> Drawn {
    let count = i32::try_from(bars.len())?;
    let height = TOP + count * BAR + 10;
    let root =
        SVGBackend::new(path, (WIDTH.unsigned_abs(), height.unsigned_abs())).into_drawing_area();
    root.fill(&WHITE)?;
    root.draw(&Text::new(title.to_owned(), (10, 12), ("sans-serif", 17)))?;
    let most = bars.iter().map(|(_, _, it)| it.high).fold(0.0, f64::max);
    let least = bars.iter().map(|(_, _, it)| it.low).fold(most, f64::min);
    // A logarithmic bar begins a little below the least value, a linear one at zero.
    let begin = if logarithmic { (least.max(0.1) / 2.0).ln() } else { 0.0 };
    let end = if logarithmic { most.ln() } else { most };
    let place = |value: f64| {
        let value = if logarithmic { value.max(0.1).ln() } else { value };
        let part = ((value - begin) / (end - begin)).clamp(0.0, 1.0);
        LEFT + (part * f64::from(WIDTH - LEFT - RIGHT)).round() as i32
    };
    for (row, (name, color, summary)) in (0..).zip(bars) {
        let top = TOP + row * BAR;
        let (x, middle) = (place(summary.median), top + BAR / 2 - 3);
        root.draw(&Text::new(name.clone(), (10, top + 5), ("sans-serif", 15)))?;
        root.draw(&Rectangle::new(
            [(LEFT, top + 2), (x, top + BAR - 8)],
            color.mix(0.75).filled(),
        ))?;
        let spread = [(place(summary.low), middle), (place(summary.high), middle)];
        root.draw(&PathElement::new(spread, BLACK.stroke_width(2)))?;
        let unit = if logarithmic {
            super::super::results::Unit::Milliseconds
        } else {
            super::super::results::Unit::Count
        };
        let label = table::number(summary.median, unit);
        let beside = place(summary.high) + 8;
        root.draw(&Text::new(label, (beside, top + 5), ("sans-serif", 15)))?;
    }
    root.present()?;
    Ok(())
}

fn draw_lines(
    path: &Path,
    title: &str,
    below: &str,
    lines: &[(String, RGBColor, Points)],
) -> Drawn {
    let root = SVGBackend::new(path, (760, 420)).into_drawing_area();
    root.fill(&WHITE)?;
    let points = || lines.iter().flat_map(|(_, _, points)| points);
    let reach = |of: &dyn Fn(&(f64, f64)) -> f64| {
        let (low, high) = points()
            .map(of)
            .fold((f64::MAX, 0.0_f64), |(low, high), it| (low.min(it), high.max(it)));
        (low.max(0.05) / 1.3)..(high * 1.3)
    };
    let (across, mut up) = (reach(&|it| it.0), reach(&|it| it.1));
    // Room for the names above the lines.
    up.end *= 3.0;
    let mut chart = ChartBuilder::on(&root)
        .caption(title, ("sans-serif", 17))
        .margin(10)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(across.log_scale(), up.log_scale())?;
    chart
        .configure_mesh()
        .x_desc(below)
        .x_label_formatter(&|it| grouped(*it))
        .y_label_formatter(&|it| grouped(*it))
        .label_style(("sans-serif", 13))
        .light_line_style(TRANSPARENT)
        .draw()?;
    for (name, color, points) in lines {
        let style = color.stroke_width(if name == "Relaunch" { 4 } else { 2 });
        chart
            .draw_series(LineSeries::new(points.iter().copied(), style))?
            .label(name.clone())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        chart.draw_series(points.iter().map(|it| Circle::new(*it, 3, color.filled())))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .label_font(("sans-serif", 13))
        .draw()?;
    root.present()?;
    Ok(())
}

/// `10,000`, `0.5`
fn grouped(value: f64) -> String {
    let digits = if value < 10.0 { format!("{value}") } else { format!("{value:.0}") };
    let (whole, rest) =
        digits.split_once('.').map_or((digits.as_str(), ""), |(a, _)| (a, &digits[a.len()..]));
    let mut text = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::super::super::peers::Tool;
    use super::super::super::results::{Key, Unit, examples};
    use super::*;

    #[test]
    fn what_was_measured_is_drawn_and_nothing_else() {
        let mut results = examples::results();
        for (workload, value) in [("latency after 1", 9.0), ("latency after 10", 10.0)] {
            let (section, tool, unit) = ("reloads", Tool::Relaunch, Unit::Milliseconds);
            results.sample(Key { section, workload, tool, unit }, value);
        }
        let folder = tempfile::tempdir().unwrap();
        let drawn = draw(&results, folder.path()).unwrap();
        assert_eq!(drawn, ["latency", "reloads"]);
        let svg = std::fs::read_to_string(folder.path().join("latency.svg")).unwrap();
        assert!(svg.contains("Relaunch") && svg.contains("watchexec"), "{svg}");
    }

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!(
            [0.5, 10.0, 10_000.0, 100_000.0].map(grouped),
            ["0.5", "10", "10,000", "100,000"]
        );
    }
}
