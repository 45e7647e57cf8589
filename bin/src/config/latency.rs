//! `[network]`: latencies and what goes wrong.

use super::ConfigError;
use super::experiment::span;
use super::links::read_transport;
use super::units::{Nanoseconds, Probability, Share, duration, probability, share};
use super::{Kind, Problem, Section, Value, list, number, text, word};
use byzlab_network::latency::{LatencyError, Shape};
use byzlab_network::topology::Jitter;
use byzlab_network::{Latency, NetworkModel, Reorder, Span};
use std::path::Path;
use std::sync::Arc;

pub(super) fn read_network(section: &Section<'_>, folder: &Path) -> Result<NetworkModel, ConfigError> {
    let default = Latency::uniform(Span::from_millis(5), Span::from_millis(40))
        .unwrap_or(Latency::constant(Span::from_millis(5)));
    let latency = match section.optional_section("latency")? {
        Some(table) => read_latency(&table, folder)?,
        None => default,
    };
    let chance = |key| section.or(key, probability(), Probability::NEVER).map(Probability::get);
    let reorder = match section.optional_section("reorder")? {
        Some(table) => Some(Reorder {
            probability: table.required("probability", probability())?.get(),
            extra: match table.optional_section("extra")? {
                Some(extra) => read_latency(&extra, folder)?,
                None => return Err(table.error_at("extra", "missing", "say by how much longer, for example extra = { distribution = \"uniform\", min = \"0ms\", max = \"20ms\" }")),
            },
        }),
        None => None,
    };
    let (drop, duplicate) = (chance("drop")?, chance("duplicate")?);
    read_transport(section, NetworkModel { drop, duplicate, reorder, ..NetworkModel::perfect(latency) })
}

/// How the lengths of a distribution are written.
#[derive(Clone, Copy)]
enum Lengths {
    /// `"5ms"`.
    Times,
    /// `"5%"` of a delay: the length for a delay of [`Jitter::UNIT`].
    Shares,
}

impl Lengths {
    fn kind(self) -> Kind<'static, Nanoseconds> {
        match self {
            Lengths::Times => duration(),
            Lengths::Shares => share().map(|Share(parts)| Nanoseconds(parts)),
        }
    }
}

pub(super) fn read_latency(table: &Section<'_>, folder: &Path) -> Result<Latency, ConfigError> {
    read_distribution(table, folder, Lengths::Times)
}

/// A distribution of times, or, where a length is written as a share, of shares of each pair's delay.
pub(super) fn read_jitter(table: &Section<'_>, folder: &Path) -> Result<Jitter, ConfigError> {
    let is_share = |value: &Value| matches!(value, Value::Text(text) if text.contains('%') || text.contains("pp"));
    let has_share = |key: &str| match table.peek(key) {
        Some(Value::List(items)) => items.iter().any(|item| is_share(&item.value)),
        Some(value) => is_share(value),
        None => false,
    };
    if ["value", "values", "min", "max", "mean", "std_dev", "median", "scale", "offset"].into_iter().any(has_share) {
        read_distribution(table, folder, Lengths::Shares).map(Jitter::Relative)
    } else {
        read_distribution(table, folder, Lengths::Times).map(Jitter::Absolute)
    }
}

fn read_distribution(table: &Section<'_>, folder: &Path, lengths: Lengths) -> Result<Latency, ConfigError> {
    let length = |key| table.required(key, lengths.kind()).map(span);
    let factor = |key| table.required(key, number(0.0..));
    let names = [
        "constant",
        "uniform",
        "normal",
        "exponential",
        "lognormal",
        "pareto",
        "gamma",
        "weibull",
        "discrete",
        "empirical",
    ];
    let distribution = table.required("distribution", word(names.map(|name| (name, name))))?;
    let shape = match distribution {
        "constant" => Shape::Constant { value: length("value")? },
        "uniform" => Shape::Uniform { min: length("min")?, max: length("max")? },
        "normal" => Shape::Normal { mean: length("mean")?, std_dev: length("std_dev")? },
        "exponential" => Shape::Exponential { mean: length("mean")? },
        "lognormal" => Shape::Lognormal { median: length("median")?, sigma: factor("sigma")? },
        "pareto" => Shape::Pareto { scale: length("scale")?, shape: factor("shape")? },
        "gamma" => Shape::Gamma { shape: factor("shape")?, scale: length("scale")? },
        "weibull" => Shape::Weibull { scale: length("scale")?, shape: factor("shape")? },
        "discrete" => Shape::Discrete {
            values: table.required("values", list(lengths.kind().map(span)))?.into(),
            weights: table.required("weights", list(number(0.0..)))?.into(),
        },
        _ => Shape::Empirical { values: read_measurements(table, folder, lengths)? },
    };
    let offset = span(table.or("offset", lengths.kind(), Nanoseconds(0))?);
    // The uniform distribution has a `min` of its own, which is its floor.
    let floor =
        if distribution == "uniform" { Nanoseconds(0) } else { table.or("min", lengths.kind(), Nanoseconds(0))? };
    Latency::new(shape, offset, span(floor)).map_err(|error| explain(table, &error))
}

fn explain(table: &Section<'_>, error: &LatencyError) -> ConfigError {
    let (key, remedy) = match error {
        LatencyError::EmptyRange => ("min", "give a min that is not above max"),
        LatencyError::NotPositive(key) => (*key, "give a value above 0"),
        LatencyError::NoValues => ("values", "give at least one value"),
        LatencyError::Unpaired { .. } => ("weights", "give one weight for each value"),
        LatencyError::BadWeights => ("weights", "give weights such as [1, 2, 1]"),
        LatencyError::Unbounded => {
            ("distribution", "take a lighter tail: a smaller sigma, a larger shape or smaller times")
        }
    };
    table.error_at(key, error, remedy)
}

/// Measured latencies: a text file with one duration such as `12.5ms` a line; empty lines and lines that begin with `#` are
/// passed over. With `values` in place of `file` they stand in the configuration itself, as `DIR/config.toml` writes them.
fn read_measurements(table: &Section<'_>, folder: &Path, lengths: Lengths) -> Result<Arc<[Span]>, ConfigError> {
    if let Some(values) = table.optional("values", list(lengths.kind().map(span)))? {
        return Ok(values.into());
    }
    if let (Lengths::Shares, true) = (lengths, table.value("file").is_some()) {
        let problem = "a file has times, but another length of this distribution is a share";
        return Err(table.error_at("file", problem, "write times everywhere, or shares as `values`"));
    }
    let path = folder.join(table.required("file", text())?);
    let name = path.display();
    let content = std::fs::read_to_string(&path).map_err(|error| {
        let remedy = "give the path of a text file with one duration a line, from the folder of this experiment";
        table.error_at("file", format_args!("{name} cannot be read: {error}"), remedy)
    })?;
    let lines = content.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| {
            line.parse().map(span).map_err(|problem: Problem| {
                table.error_at(
                    "file",
                    format_args!("{name}:{number}: `{line}`: {problem}"),
                    "write one duration such as 12.5ms a line",
                )
            })
        })
        .collect()
}
