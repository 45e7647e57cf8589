//! `[sweep]`: the keys that vary, and their values.

use super::{ConfigError, Located, Origin, Value};
use super::{Section, integer, number, word};

/// A swept key with its values.
#[derive(Clone, PartialEq, Debug)]
pub struct Axis {
    /// The dotted path of the key.
    pub key: String,
    /// Its values, and where each comes from.
    pub points: Vec<(Value, Origin)>,
}

/// More cells than this are a mistake.
const MOST_CELLS: usize = 100_000;

/// What concerns the experiment as a whole cannot vary within it.
const FIXED: [&str; 5] =
    ["experiment.name", "experiment.seed", "experiment.runs", "experiment.independent_cells", "workload.warmup"];

pub(super) fn read_axes(root: &Section<'_>) -> Result<Vec<Axis>, ConfigError> {
    let sweep = root.section("sweep")?;
    let mut axes = Vec::new();
    // `[sweep.stop]` is no key: it says how long each cell goes on.
    for key in sweep.keys().filter(|key| *key != "stop") {
        let plain: String = key.chars().filter(|letter| !letter.is_whitespace() && !"\"'".contains(*letter)).collect();
        let table = plain.split('.').next().unwrap_or_default();
        if FIXED.contains(&plain.as_str()) || ["output", "sweep"].contains(&table) || plain == "experiment" {
            let remedy = "sweep a key of [cluster], [protocol], [workload], [network], [processing] or [adversary]";
            return Err(sweep.error_at(key, "this key holds for the whole experiment", remedy));
        }
        let inner = sweep.is_table(key).then(|| sweep.section(key)).transpose()?.and_then(|inner| inner.keys().next());
        if let (false, Some(inner)) = (plain.contains('.'), inner) {
            // `adversary.count = …` without quotes is a table in a table.
            let problem = format!("this is a table; for the key {key}.{inner} put quotes around it");
            return Err(sweep.error_at(
                key,
                problem,
                format_args!("write `\"{key}.{inner}\" = {{ from = 0, to = 9 }}`"),
            ));
        }
        if plain != key || !plain.contains('.') {
            let remedy = "write its table, a point and its name without spaces, such as \"adversary.count\"";
            return Err(sweep.error_at(key, "this is not the path of a single key", remedy));
        }
        axes.push(Axis { key: key.to_owned(), points: read_points(&sweep, key)? });
    }
    let cells = axes.iter().try_fold(1_usize, |product, axis| product.checked_mul(axis.points.len()));
    if cells.is_none_or(|cells| cells > MOST_CELLS) {
        let problem = format!("the axes make a grid of more than {MOST_CELLS} cells");
        return Err(sweep.error_at("", problem, "sweep fewer values, or split the experiment"));
    }
    Ok(axes)
}

fn read_points(sweep: &Section<'_>, key: &str) -> Result<Vec<(Value, Origin)>, ConfigError> {
    let remedy = format!("write `\"{key}\" = [1, 2, 3]` or `\"{key}\" = {{ from = 0, to = 9 }}`");
    let values: Vec<Value> = match sweep.value(key) {
        Some(Value::List(items)) => items.iter().map(|Located { value, .. }| value.clone()).collect(),
        Some(Value::Table(_)) => read_range(sweep, key)?,
        _ => return Err(sweep.error_at(key, "neither a list nor a range", remedy)),
    };
    if values.is_empty() {
        return Err(sweep.error_at(key, "there is no value to sweep over", remedy));
    }
    for (index, value) in values.iter().enumerate() {
        if values[..index].contains(value) {
            return Err(sweep.error_at(key, format_args!("{value} comes twice"), "give each value once"));
        }
    }
    let place = sweep.origin(key);
    let origin = |value: &Value| match &place {
        Origin::File { path, line } => {
            let (key, value) = (key.into(), value.to_string().into());
            Origin::Sweep { path: path.clone(), line: *line, key, value }
        }
        other => other.clone(),
    };
    Ok(values.into_iter().map(|value| (value.clone(), origin(&value))).collect())
}

/// The values of `{ from, to, step }`, `to` included, or of `{ from, to, points, scale = "log" }`.
fn read_range(sweep: &Section<'_>, key: &str) -> Result<Vec<Value>, ConfigError> {
    let range = sweep.section(key)?;
    if range.value("from").is_none() && range.value("to").is_none() {
        let problem = "a range needs `from` and `to`";
        return Err(sweep.error_at(key, problem, format_args!("write `\"{key}\" = {{ from = 0, to = 9 }}`")));
    }
    let is_log = range.or("scale", word([("linear", false), ("log", true)]), false)?;
    if is_log { read_log_range(sweep, range, key) } else { read_linear_range(sweep, range, key) }
}

fn all_whole(range: &Section<'_>, keys: &[&str]) -> bool {
    keys.iter().all(|key| matches!(range.value(key), None | Some(Value::Integer(_))))
}

fn read_linear_range(sweep: &Section<'_>, range: Section<'_>, key: &str) -> Result<Vec<Value>, ConfigError> {
    let all_whole = all_whole(&range, &["from", "to", "step"]);
    let from = range.required("from", number(..))?;
    let to = range.required("to", number(..))?;
    let step = range.or("step", number(..), 1.0)?;
    if range.value("points").is_some() {
        let remedy = "add `scale = \"log\"`, or write `step` instead";
        return Err(range.error_at("points", "a number of points needs a logarithmic scale", remedy));
    }
    range.finish()?;
    if step <= 0.0 || to < from {
        return Err(sweep.error_at(key, "the range is empty", "`to` must not be below `from`, and `step` above 0"));
    }
    // Half a step in a million forgives what decimal steps lose in binary.
    let steps = (to - from) / step + 1e-6;
    if steps >= MOST_CELLS as f64 {
        return Err(sweep.error_at(key, format_args!("more than {MOST_CELLS} values"), "take a larger step"));
    }
    let point = |index: u32| {
        let value = from + f64::from(index) * step;
        // To 12 digits, so that 0.1 + 0.2 is shown and read as 0.3.
        if all_whole {
            Value::Integer(value as i128)
        } else {
            Value::Float(format!("{value:.12}").parse().unwrap_or(value))
        }
    };
    Ok((0..=steps as u32).map(point).collect())
}

/// Each value is the same factor above the one before it, rounded to three digits.
fn read_log_range(sweep: &Section<'_>, range: Section<'_>, key: &str) -> Result<Vec<Value>, ConfigError> {
    let all_whole = all_whole(&range, &["from", "to"]);
    let from = range.required("from", number(..))?;
    let to = range.required("to", number(..))?;
    if range.value("step").is_some() {
        let remedy = "write `points` instead, the number of values";
        return Err(range.error_at("step", "a logarithmic range has no step", remedy));
    }
    let points = range.required("points", integer(2..=MOST_CELLS as u32))?;
    if from <= 0.0 {
        return Err(range.error_at("from", "a logarithmic range begins above 0", "give a larger `from`"));
    }
    range.finish()?;
    if to <= from {
        return Err(sweep.error_at(key, "the range is empty", "`to` must be above `from`"));
    }
    let point = |index: u32| {
        let value = match index {
            0 => from,
            last if last + 1 == points => to,
            // Rounding also hides in what the logarithms of two platforms differ.
            inner => {
                let share = f64::from(inner) / f64::from(points - 1);
                let value = (from.ln() + share * (to.ln() - from.ln())).exp();
                format!("{value:.2e}").parse().unwrap_or(value)
            }
        };
        if all_whole { Value::Integer(value.round() as i128) } else { Value::Float(value) }
    };
    let values: Vec<Value> = (0..points).map(point).collect();
    if let Some((twice, _)) = values.iter().zip(&values[1..]).find(|(value, next)| value == next) {
        let problem = format!("rounded to three digits, {twice} comes twice");
        return Err(sweep.error_at(key, problem, "take fewer points, or a wider range"));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::super::Document;
    use super::*;

    /// The values of one axis as TOML.
    fn points(range: &str) -> String {
        let document = Document::parse("a.toml", &format!("[sweep]\n\"a.b\" = {range}")).unwrap();
        let axes = read_axes(&document.root()).unwrap();
        axes[0].points.iter().map(|(value, _)| value.to_string()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn ranges() {
        for (range, values) in [
            ("{ from = 2, to = 4 }", "2 3 4"),
            ("{ from = 0, to = 0.3, step = 0.1 }", "0.0 0.1 0.2 0.3"),
            ("{ from = 2, to = 4, scale = \"linear\" }", "2 3 4"),
            ("{ from = 100, to = 100000, points = 7, scale = \"log\" }", "100 316 1000 3160 10000 31600 100000"),
            ("{ from = 1, to = 1000, points = 7, scale = \"log\" }", "1 3 10 32 100 316 1000"),
            // The ends stay what they are.
            ("{ from = 1234, to = 12345, points = 3, scale = \"log\" }", "1234 3900 12345"),
            ("{ from = 0.001, to = 0.1, points = 5, scale = \"log\" }", "0.001 0.00316 0.01 0.0316 0.1"),
            ("{ from = 1, to = 4.0, points = 3, scale = \"log\" }", "1.0 2.0 4.0"),
        ] {
            assert_eq!(points(range), values, "{range}");
        }
    }
}
