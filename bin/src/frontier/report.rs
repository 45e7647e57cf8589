//! What a frontier says: a table for people, rows for programs, a figure, and the attacks as experiments.

use super::{Frontier, Level, Measured};
use crate::results::{FILES, ResultsError};
use byzlab_analysis::statistics::{Proportion, TInterval};
use byzlab_analysis::{Estimate, FrontierCurve, FrontierCurves};
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The rows of a frontier.
const TABLE: &str = "frontier.csv";
/// Its other files, but for those of attacks and findings.
const FIGURES: [&str; 2] = ["frontier.svg", "frontier.png"];
/// So many known attacks stand in the figure: with the search five lines, which markers and dashes tell apart.
const SHOWN: usize = 4;

/// The frontier as a table, with the attacks below it.
pub fn table(frontier: &Frontier) -> String {
    let unit = |name: &str| format!("{name} ms");
    let header =
        ["corrupted", &unit("worst found,"), "× honest", "runs %", "requests %", "worst known", &unit("its mean,")];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows[0].push(unit("search − known,"));
    rows.push(row(frontier, 0, &frontier.honest, None));
    rows.extend(frontier.levels.iter().map(|level| row(frontier, level.corrupted, &level.found, Some(level))));
    let mut text = align(&rows);

    let names = frontier.levels.first().map_or(&[][..], |level| &level.known);
    let mut known = vec![vec!["known attack".to_owned()]];
    known[0].extend(frontier.levels.iter().map(|level| format!("{} corrupted, ms", level.corrupted)));
    for measured in names {
        let of = |level: &Level| {
            let same = level.known.iter().find(|known| known.name == measured.name);
            same.map_or("–".to_owned(), |known| {
                mean_text(known.moments().interval(frontier.confidence), known.mean())
            })
        };
        known.push(std::iter::once(measured.name.clone()).chain(frontier.levels.iter().map(of)).collect());
    }
    let _ = write!(text, "\n{}", align(&known));
    let _ = writeln!(text, "\nWhat was found, as keys of [adversary]:");
    for level in &frontier.levels {
        let _ = writeln!(text, "{}: {}", level.corrupted, level.found.line);
    }
    let _ = write!(
        text,
        "\n{} latency: {}; ms of virtual time. A run's value is the mean over its requests; what was not accepted\n\
         counts until the time limit, a lower bound. Runs and requests: the share that completed.\n\
         ± and brackets are {} % intervals over {} runs: Student t for means and paired differences, Wilson for shares\n\
         (requests taken for independent). The search had {} runs a row with seeds of its own, seed {}; all figures\n\
         are from the experiment's seed, which it never saw. It shows what can happen, not that nothing worse can.\n",
        frontier.metric,
        frontier.metric.description(),
        percent_digits(frontier.confidence),
        frontier.runs,
        frontier.budget,
        frontier.search_seed,
    );
    for level in &frontier.levels {
        let _ = writeln!(text, "{}", verdict(level, frontier.confidence));
    }
    for left_out in &frontier.left_out {
        let _ = writeln!(text, "left out: {}: {}", left_out.kind, left_out.reason);
    }
    text
}

fn row(frontier: &Frontier, corrupted: u16, measured: &Measured, level: Option<&Level>) -> Vec<String> {
    let confidence = frontier.confidence;
    let mean = |measured: &Measured| mean_text(measured.moments().interval(confidence), measured.mean());
    let ratio = ratio(measured, &frontier.honest).map_or("–".to_owned(), |ratio| format!("{ratio:.2}"));
    let worst = level.and_then(Level::worst_known);
    let gain = worst.and_then(|worst| measured.slower_than(worst, confidence));
    vec![
        corrupted.to_string(),
        mean(measured),
        ratio,
        share_text(measured.completed_share(confidence)),
        share_text(measured.accepted_share(confidence)),
        worst.map_or("–", |worst| &worst.name).to_owned(),
        worst.map_or("–".to_owned(), mean),
        gain.map_or("–".to_owned(), |gain| mean_text(Some(gain.difference), None)),
    ]
}

/// Whether the search found something worse than all that was known.
fn verdict(level: &Level, confidence: f64) -> String {
    let Level { corrupted, found, .. } = level;
    let Some(worst) = level.worst_known() else { return format!("{corrupted} corrupted: there is no known attack") };
    let name = &worst.name;
    match found.slower_than(worst, confidence).map(|comparison| comparison.difference) {
        Some(by) if by.lower > 0.0 => format!("{corrupted} corrupted: the search beat the worst known attack, {name}"),
        Some(by) if by.upper < 0.0 => {
            format!("{corrupted} corrupted: the search missed the worst known attack, {name}: give it a greater budget")
        }
        Some(_) => format!("{corrupted} corrupted: the search found nothing clearly worse than {name}"),
        None => format!("{corrupted} corrupted: too few runs to compare the search with {name}"),
    }
}

fn ratio(measured: &Measured, honest: &Measured) -> Option<f64> {
    let honest = honest.mean().filter(|mean| *mean > 0.0)?;
    Some(measured.mean()? / honest)
}

/// With two digits of the half width.
fn mean_text(interval: Option<TInterval>, mean: Option<f64>) -> String {
    match (interval, mean) {
        (Some(TInterval { mean, half_width, .. }), _) => {
            let mut digits = 0;
            let mut scale = half_width;
            while scale > 0.0 && scale < 10.0 && digits < 3 {
                scale *= 10.0;
                digits += 1;
            }
            format!("{mean:.digits$} ± {half_width:.digits$}")
        }
        (None, Some(mean)) => format!("{mean:.1} ± ?"),
        (None, None) => "–".to_owned(),
    }
}

fn share_text(share: Option<Proportion>) -> String {
    // Never rounded to nothing or to all.
    let percent = |share: f64| match share {
        0.0 | 1.0 => format!("{:.0}", share * 100.0),
        share => format!("{:.1}", (share * 100.0).clamp(0.1, 99.9)),
    };
    let text = |Proportion { estimate, lower, upper }: Proportion| {
        format!("{} [{}–{}]", percent(estimate), percent(lower), percent(upper))
    };
    share.map_or("–".to_owned(), text)
}

/// A confidence such as 95 or 99.9, without the noise of binary fractions.
fn percent_digits(share: f64) -> f64 {
    (share * 1e8).round() / 1e6
}

/// Right-aligned columns, two spaces apart.
fn align(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let fields = row.iter().zip(&widths).map(|(field, &width)| format!("{field:>width$}"));
        fields.collect::<Vec<_>>().join("  ") + "\n"
    };
    rows.iter().map(line).collect()
}

/// The lines of the figure: the search, and the known attacks that are worst with most corrupted replicas.
pub fn curves(frontier: &Frontier) -> FrontierCurves {
    let point = |corrupted: u16, measured: &Measured| {
        let method = "Student t over runs";
        let estimate = match measured.moments().interval(frontier.confidence) {
            Some(interval) => Estimate::new(method, interval.mean).with_interval(interval.lower, interval.upper),
            None => Estimate { estimate: measured.mean(), method: method.into(), ..Estimate::default() },
        };
        (corrupted, estimate)
    };
    let honest = || std::iter::once(point(0, &frontier.honest));
    let found = frontier.levels.iter().map(|level| point(level.corrupted, &level.found));
    let mut curves = vec![FrontierCurve { label: "search".to_owned(), points: honest().chain(found).collect() }];
    let last = frontier.levels.last().map_or(&[][..], |level| &level.known);
    let mut worst: Vec<&Measured> = last.iter().collect();
    let mean = |measured: &Measured| measured.mean().unwrap_or(f64::NEG_INFINITY);
    worst.sort_by(|left, right| mean(right).total_cmp(&mean(left)));
    for known in worst.iter().take(SHOWN) {
        let of = |level: &Level| {
            let same = level.known.iter().find(|other| other.name == known.name)?;
            Some(point(level.corrupted, same))
        };
        let points = honest().chain(frontier.levels.iter().filter_map(of)).collect();
        curves.push(FrontierCurve { label: known.name.clone(), points });
    }
    let caption = vec![
        format!(
            "{} runs a point, with seeds that the search never saw; it had {} runs a point.",
            frontier.runs, frontier.budget
        ),
        "What was not accepted counts until the time limit. The search is a lower bound of the worst case.".to_owned(),
        format!("Of {} known attacks the {} worst are shown.", worst.len(), worst.len().min(SHOWN)),
    ];
    FrontierCurves { metric: frontier.metric, confidence: frontier.confidence, curves, caption }
}

/// Refuses a folder that holds results, unless they are to be replaced.
pub(crate) fn check_folder(folder: &Path, replace: bool) -> Result<(), ResultsError> {
    let names = FILES.into_iter().chain([TABLE]).chain(FIGURES).chain(["attack-0.toml"]);
    match names.into_iter().find(|file| folder.join(file).exists()) {
        Some(found) if !replace => Err(ResultsError::Occupied { folder: folder.to_owned(), found }),
        _ => Ok(()),
    }
}

/// Writes `frontier.csv`, `attack-<c>.toml` for each number c of corrupted replicas and `finding-<k>.toml` for each finding into
/// `folder`, which it makes; those of an earlier frontier go. Returns the paths of the findings.
pub fn write_files(folder: &Path, frontier: &Frontier) -> Result<Vec<PathBuf>, ResultsError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| ResultsError::Write { path, source, complete: None }
    };
    fs::create_dir_all(folder).map_err(failed(folder))?;
    for path in old_files(folder).map_err(failed(folder))? {
        fs::remove_file(&path).map_err(failed(&path))?;
    }
    let write = |name: String, content: &str| {
        let path = folder.join(name);
        fs::write(&path, content).map_err(failed(&path)).map(|()| path)
    };
    write(TABLE.to_owned(), &csv(frontier))?;
    write("attack-0.toml".to_owned(), &frontier.honest.experiment.to_toml())?;
    for level in &frontier.levels {
        write(format!("attack-{}.toml", level.corrupted), &level.found.experiment.to_toml())?;
    }
    let findings = frontier.findings.iter().enumerate();
    findings.map(|(index, finding)| write(format!("finding-{index}.toml"), &finding.experiment.to_toml())).collect()
}

/// What an earlier search left, and results of runs in the same place.
fn old_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut old = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let numbered = |prefix: &str| {
            let number = name.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(".toml"));
            number.is_some_and(|number| number.parse::<u16>().is_ok())
        };
        let is_known = name == TABLE || FIGURES.contains(&name.as_str()) || FILES.contains(&name.as_str());
        if is_known || numbered("attack-") || numbered("finding-") {
            old.push(path);
        }
    }
    Ok(old)
}

const COLUMNS: &str = "corrupted,series,metric,unit,confidence,runs,completed,completed_share,completed_lower,completed_upper,requests,\
accepted,accepted_share,accepted_lower,accepted_upper,mean,mean_lower,mean_upper,ratio_to_honest,search_slower_by,\
search_slower_by_lower,search_slower_by_upper,adversary";

/// A row for each attack and number of corrupted replicas.
fn csv(frontier: &Frontier) -> String {
    let mut text = format!("{COLUMNS}\n{}", csv_row(frontier, 0, &frontier.honest, None));
    for level in &frontier.levels {
        let all = std::iter::once(&level.found).chain(&level.known);
        text.extend(all.map(|measured| csv_row(frontier, level.corrupted, measured, Some(&level.found))));
    }
    text
}

fn csv_row(frontier: &Frontier, corrupted: u16, measured: &Measured, found: Option<&Measured>) -> String {
    let Frontier { confidence, metric, .. } = *frontier;
    let number = |number: Option<f64>| number.map_or(String::new(), |number| number.to_string());
    let share = |share: Option<Proportion>| match share {
        Some(share) => [share.estimate, share.lower, share.upper].map(|part| part.to_string()).join(","),
        None => ",,".to_owned(),
    };
    let ends = |interval: Option<TInterval>| {
        format!("{},{}", number(interval.map(|it| it.lower)), number(interval.map(|it| it.upper)))
    };
    let by = found.and_then(|found| found.slower_than(measured, confidence)).map(|comparison| comparison.difference);
    let fields = [
        corrupted.to_string(),
        measured.name.clone(),
        metric.to_string(),
        metric.unit().to_owned(),
        confidence.to_string(),
        measured.latencies.len().to_string(),
        measured.completed.to_string(),
        share(measured.completed_share(confidence)),
        measured.requests.to_string(),
        measured.accepted.to_string(),
        share(measured.accepted_share(confidence)),
        number(measured.mean()),
        ends(measured.moments().interval(confidence)),
        number(ratio(measured, &frontier.honest)),
        number(by.map(|by| by.mean)),
        ends(by),
        format!("\"{}\"", measured.line.replace('"', "\"\"")),
    ];
    fields.join(",") + "\n"
}
