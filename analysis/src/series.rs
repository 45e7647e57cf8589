//! The steady state of one long measurement: the samples of a run, or the rows of a group of a table.

use std::path::Path;

use serde::Serialize;

use crate::event::{Event, EventKind};
use crate::latency::InvalidEvent;
use crate::log::{RunConsumer, read_runs};
use crate::metric::Metric;
use crate::runs::{Outcome, RunRow, RunTable};
use crate::settled::{Sample, SettledLatency};
use crate::statistics::{BatchingVerdict, Estimate, TInterval, WarmUpVerdict, WithinRun, within_run};
use crate::summary::{AnalysisError, AnalysisOptions, check_confidence, group_object};

/// What a series is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeriesOf {
    /// The rows of a group of a table, in the order of the file.
    Rows,
    /// The samples of a run, in the order in which they began.
    Samples,
}

/// What one long measurement says of its steady state: the rows of a group of a table, or the samples of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SeriesSummary {
    /// The columns that define the group, with their values.
    #[serde(serialize_with = "group_object")]
    pub group: Vec<(String, String)>,
    /// What its values are one after the other.
    #[serde(skip)]
    pub of: SeriesOf,
    /// What was measured: the column of a table, or the metric of a run.
    pub column: String,
    /// Unit of its values; `None` if nobody said.
    pub unit: Option<String>,
    /// Confidence of every interval.
    pub confidence: f64,
    /// Number of values; `None` if they are too many to keep each.
    pub values: Option<u64>,
    /// Number of rows that did not succeed, or of samples that an honest node's silence left undefined: they have no value, and are
    /// left out.
    pub failures: u64,
    /// Number of values at the front that are left out as warm-up.
    pub deleted: Option<u64>,
    /// Whether the warm-up is over: `ok`, or `run longer`.
    pub warm_up: Option<&'static str>,
    /// The mean of the steady state, by separate batches.
    pub batch_means: Estimate,
    /// Number of these batches.
    pub batches: Option<u64>,
    /// Number of values in each.
    pub batch_size: Option<u64>,
    /// Correlation of each batch with the one before.
    pub batch_lag1: Option<f64>,
    /// Whether the batches can be taken for independent: `independent`, or `correlated`.
    pub batching: Option<&'static str>,
    /// The mean by overlapping batches of the same length.
    pub overlapping: Estimate,
    /// How many independent values the steady state is worth.
    pub effective_size: Option<f64>,
    /// Correlation of each value of the steady state with the one before.
    pub lag1: Option<f64>,
    /// What a reader must know.
    pub notes: Vec<String>,
}

impl SeriesSummary {
    /// What [`within_run`] found, in words and estimates. `run` is `None` where the values were not kept one by one; `nothing` says why
    /// something is undefined.
    pub(crate) fn new(base: SeriesBase, run: Option<&WithinRun>, nothing: impl Fn() -> String) -> Self {
        let SeriesBase { group, of, column, unit, confidence, failures, mut notes } = base;
        match run {
            Some(run) if run.n > 0 => notes.extend(run.notes.iter().cloned()),
            _ => notes.push(nothing()),
        }
        let batches = run.and_then(|run| run.batch_means);
        let overlapping = run.and_then(|run| run.overlapping.as_ref()).map(|means| means.interval);
        let size = run.and_then(|run| run.effective_size.as_ref());
        Self {
            group,
            of,
            column,
            unit,
            confidence,
            values: run.map(|run| run.n as u64),
            failures,
            deleted: run.map(|run| run.deleted as u64),
            warm_up: run.and_then(warm_up),
            batch_means: estimate("batch means", batches.map(|tested| tested.means.interval), &nothing),
            batches: batches.map(|tested| tested.means.batches as u64),
            batch_size: batches.map(|tested| tested.means.batch_size as u64),
            batch_lag1: batches.and_then(|tested| tested.means.lag1),
            batching: batches.map(|tested| match tested.verdict {
                BatchingVerdict::Independent => "independent",
                BatchingVerdict::Correlated => "correlated",
            }),
            overlapping: estimate("overlapping batch means", overlapping, &nothing),
            effective_size: size.and_then(|size| Some(size.initial_monotone.as_ref()?.effective_size)),
            lag1: size.map(|size| size.lag1),
            notes,
        }
    }
}

/// What is known of a series before its values are looked at.
pub(crate) struct SeriesBase {
    pub(crate) group: Vec<(String, String)>,
    pub(crate) of: SeriesOf,
    pub(crate) column: String,
    pub(crate) unit: Option<String>,
    pub(crate) confidence: f64,
    pub(crate) failures: u64,
    pub(crate) notes: Vec<String>,
}

/// Reads the log of a results folder, and takes each run for one long measurement: its latency samples in the order in which they began, see
/// [`within_run`]. For runs that are long enough to be looked at one by one; a run's interval is about the steady state of that run.
///
/// All runs but those that broke off, in the order of `runs.csv`. Of the options metric, confidence, warm-up and how to read matter. `None` if
/// there is no log. Keeps the samples of a run until its end.
///
/// # Errors
///
/// As [`analyze`](crate::analyze); and of a throughput, which has no samples.
///
/// ```no_run
/// use byzlab_analysis::{AnalysisOptions, Metric, render, summarize_within_runs};
/// let options = AnalysisOptions { metric: Metric::Client, ..AnalysisOptions::default() };
/// let series = summarize_within_runs("results".as_ref(), &options)?.unwrap_or_default();
/// print!("{}", render::series_table(&series));
/// # Ok::<(), byzlab_analysis::AnalysisError>(())
/// ```
pub fn summarize_within_runs(
    dir: &Path,
    options: &AnalysisOptions,
) -> Result<Option<Vec<SeriesSummary>>, AnalysisError> {
    check_confidence(options.confidence)?;
    let metric = options.metric;
    if metric == Metric::Throughput {
        return Err(AnalysisError::NoSamples);
    }
    let (table, lost) = RunTable::open(dir, options.read.lenient)?;
    let start = |row: &RunRow| SampledRun::new(row, metric, options.warmup_ns, options.confidence);
    let Some(found) = read_runs(dir, &table.rows, &options.read, start)? else { return Ok(None) };
    let skipped = [("log", &found.skipped), ("table of runs", &lost)];
    let skipped = skipped.into_iter().filter_map(|(file, skipped)| {
        let first = skipped.first.as_ref()?;
        Some(format!("rows of the {file} that were skipped: {}; the first: {first}", skipped.rows))
    });
    let skipped: Vec<String> = skipped.collect();
    let summarize = |row: &RunRow, output: Option<(WithinRun, u64)>, damaged: bool| {
        let mut notes = skipped.clone();
        if damaged {
            notes.push("rows of the run were skipped or are missing: nothing is said of it".to_owned());
        }
        if row.outcome != Outcome::Completed {
            notes.push(format!("the run ended as `{}`", row.outcome));
        }
        let (run, failures) = output.map_or((None, 0), |(run, undefined)| (Some(run), undefined));
        if failures > 0 {
            notes.push(format!("{failures} samples are undefined (an honest node stayed silent) and left out"));
        }
        let keys = table.swept_keys.iter().cloned().zip(row.parameters.iter().cloned());
        let base = SeriesBase {
            group: keys.chain([("run".to_owned(), row.run.to_string())]).collect(),
            of: SeriesOf::Samples,
            column: metric.name().to_owned(),
            unit: Some(metric.unit().to_owned()),
            confidence: options.confidence,
            failures,
            notes,
        };
        SeriesSummary::new(base, run.as_ref(), || match &run {
            Some(run) if run.n > 0 => "undefined: see the notes".to_owned(),
            _ => format!("no {metric} sample"),
        })
    };
    let runs = table.rows.iter().zip(found.outputs).zip(found.damaged);
    let runs = runs.filter(|((row, _), _)| row.outcome != Outcome::Error);
    Ok(Some(runs.map(|((row, output), damaged)| summarize(row, output, damaged)).collect()))
}

/// A run of which every sample is kept.
struct SampledRun {
    latency: SettledLatency<Vec<Sample>>,
    confidence: f64,
}

impl SampledRun {
    fn new(row: &RunRow, metric: Metric, warmup_ns: u64, confidence: f64) -> Self {
        // A run that broke off does not know whom it corrupted.
        let corrupted = (row.outcome != Outcome::Error).then_some(row.corrupted);
        let metrics = [metric];
        let latency = SettledLatency::new(row.replicas, row.faults, corrupted, warmup_ns, &metrics, Vec::new());
        Self { latency, confidence }
    }
}

impl RunConsumer for SampledRun {
    /// What the samples say, and how many are undefined.
    type Output = (WithinRun, u64);

    fn wants(kind: EventKind) -> bool {
        use EventKind as E;
        matches!(kind, E::Committed | E::Propose | E::Ordered | E::Request | E::Reply | E::Corrupt)
    }

    fn record(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        self.latency.record(event)
    }

    fn finish(self) -> (WithinRun, u64) {
        let (values, mut samples) = self.latency.finish();
        samples.sort_by_key(|sample| sample.start_ns);
        let latencies: Vec<f64> = samples.iter().map(|sample| sample.latency_ns as f64 / 1e6).collect();
        (within_run(&latencies, self.confidence), values.first().map_or(0, |value| value.undefined))
    }
}

fn warm_up(run: &WithinRun) -> Option<&'static str> {
    run.warm_up.as_ref().map(|warm_up| match warm_up.verdict {
        WarmUpVerdict::RunLonger => "run longer",
        WarmUpVerdict::Ok => "ok",
    })
}

fn estimate(method: &'static str, interval: Option<TInterval>, nothing: &impl Fn() -> String) -> Estimate {
    match interval {
        Some(interval) => Estimate::new(method, interval.mean).with_interval(interval.lower, interval.upper),
        None => Estimate::undefined(method, nothing()),
    }
}
