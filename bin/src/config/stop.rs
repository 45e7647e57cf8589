//! `[sweep.stop]`: a cell goes on until a figure of it is precise enough.

use super::units::{Nanoseconds, duration};
use super::{ConfigError, Kind, Section, integer, number, word};
use byzlab_analysis::statistics::HalfWidth;
use byzlab_analysis::{Aim, Metric, Precision};

/// `[sweep.stop]`, if it is there; else each cell has `experiment.runs`. The figure is by default that of `output.metric`.
pub(super) fn read_stop(root: &Section<'_>, metric: Metric) -> Result<Option<Precision>, ConfigError> {
    let Some(stop) = root.section("sweep")?.optional_section("stop")? else { return Ok(None) };
    let metrics = Metric::ALL.map(|metric| (metric.name(), Some(metric)));
    let metric = stop.or("metric", word(metrics.into_iter().chain([("success", None)])), Some(metric))?;
    let aim = match metric {
        None => read_success(&stop)?,
        Some(metric) => read_mean(&stop, metric)?,
    };
    let confidence = stop.or("confidence", inside(1.0), 0.95)?;
    let min_runs = stop.or("min_runs", integer(2..), 10)?;
    let max_runs = stop.or("max_runs", integer(2..), 10_000.max(min_runs))?;
    if max_runs < min_runs {
        let problem = format!("no more runs than {max_runs} are allowed, and at least {min_runs} are to be made");
        return Err(stop.error_at(
            "max_runs",
            problem,
            format_args!("give at least {min_runs}, or a lower `min_runs`"),
        ));
    }
    // Unknown keys, here where the table is opened.
    stop.finish()?;
    Ok(Some(Precision { aim, confidence, min_runs, max_runs }))
}

/// A number between 0 and a limit, which leaves both out.
fn inside(limit: f64) -> Kind<'static, f64> {
    Kind::new(format!("a number above 0 and below {limit}"), move |value| {
        let number = (number(..).read)(value)?;
        let problem = if number <= 0.0 { "too small" } else { "too large" };
        if number > 0.0 && number < limit { Ok(number) } else { Err(super::Problem::new(problem)) }
    })
}

const RELATIVE: &str = "relative_half_width";
const ABSOLUTE: &str = "absolute_half_width";

fn read_success(stop: &Section<'_>) -> Result<Aim, ConfigError> {
    if stop.value(RELATIVE).is_some() {
        let problem = "a share has no relative width: of a share of 0 nothing is narrow enough";
        return Err(stop.error_at(RELATIVE, problem, "write `absolute_half_width = 0.05` for ± 5 points"));
    }
    let remedy = "add `absolute_half_width = 0.05` for ± 5 points";
    let half_width = stop.optional(ABSOLUTE, inside(0.5))?;
    let half_width = half_width.ok_or_else(|| stop.error_at("", NEITHER, remedy))?;
    Ok(Aim::Success { half_width })
}

const NEITHER: &str = "how narrow the interval is to be is missing";

fn read_mean(stop: &Section<'_>, metric: Metric) -> Result<Aim, ConfigError> {
    let relative = stop.optional(RELATIVE, inside(1.0))?;
    let absolute = if metric == Metric::Throughput {
        let positive = number((std::ops::Bound::Excluded(0.0), std::ops::Bound::Unbounded));
        stop.optional(ABSOLUTE, positive)?
    } else {
        let length = stop.optional(ABSOLUTE, duration().within(Nanoseconds(1)..))?;
        // In the unit of the metric, milliseconds.
        length.map(|Nanoseconds(length)| length as f64 / 1e6)
    };
    let half_width = match (relative, absolute) {
        (Some(share), None) => HalfWidth::Relative(share),
        (None, Some(width)) => HalfWidth::Absolute(width),
        (Some(_), Some(_)) => {
            let problem = "the width is given twice, relative and absolute";
            return Err(stop.error_at(
                ABSOLUTE,
                problem,
                "keep one of `relative_half_width` and `absolute_half_width`",
            ));
        }
        (None, None) => {
            let example = if metric == Metric::Throughput { "5.0" } else { "\"0.5ms\"" };
            let remedy =
                format!("add `relative_half_width = 0.05` for ± 5 % of the mean, or `absolute_half_width = {example}`");
            return Err(stop.error_at("", NEITHER, remedy));
        }
    };
    Ok(Aim::Mean { metric, half_width })
}
