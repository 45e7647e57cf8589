//! The values of runs: one pass over a log, several metrics.

use std::path::Path;

use crate::event::{Event, EventKind};
use crate::latency::{InvalidEvent, RunLatency, Samples};
use crate::log::{ReadOptions, RunConsumer, Skipped, read_runs};
use crate::metric::Metric;
use crate::runs::{Outcome, RunRow};
use crate::settled::SettledLatency;
use crate::summary::AnalysisError;
use crate::throughput::RunThroughput;

/// The value of one run, for one metric.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunValue {
    /// The value, in the unit of the metric; `None` if the run has nothing of it.
    pub value: Option<f64>,
    /// Samples that do not exist because an honest node was silent, see [`Samples::undefined`].
    pub undefined: u64,
}

impl From<&Samples> for RunValue {
    /// A latency: the mean of the samples, in milliseconds.
    fn from(samples: &Samples) -> Self {
        Self { value: samples.mean_ms(), undefined: samples.undefined }
    }
}

/// Gathers several metrics of one run from its events, fed in the order of the log.
///
/// Keeps only what these metrics need, see [`RunLatency`] and [`RunThroughput`].
///
/// ```
/// use byzlab_analysis::{Event, EventKind, Metric, RunMeasures};
/// let mut run = RunMeasures::new(&[Metric::Client, Metric::Throughput], 4, 1, 0);
/// for (time_ns, kind) in [(10_000_000, EventKind::Request), (50_000_000, EventKind::Reply)] {
///     run.record(&Event { seq: Some(1), digest: Some(7), ..Event::new(0, 0, time_ns, 4, kind) })?;
/// }
/// assert_eq!(run.value(Metric::Client).value, Some(40.0)); // ms
/// assert_eq!(run.value(Metric::Throughput).value, Some(20.0)); // requests/s
/// # Ok::<(), byzlab_analysis::InvalidEvent>(())
/// ```
#[derive(Clone, Debug)]
pub struct RunMeasures {
    latency: Option<RunLatency>,
    throughput: Option<RunThroughput>,
}

impl RunMeasures {
    /// For a run with n replicas and quorums sized for f faults. What lies before the end of the warm-up is left out: of
    /// latencies what starts there, of the throughput what is accepted there.
    pub fn new(metrics: &[Metric], replicas: u32, faults: u32, warmup_ns: u64) -> Self {
        let (throughput, latency) = (Metric::Throughput, |metric: &Metric| *metric != Metric::Throughput);
        Self {
            latency: metrics.iter().any(latency).then(|| RunLatency::new(replicas, faults).with_warmup(warmup_ns)),
            throughput: metrics.contains(&throughput).then(|| RunThroughput::new(warmup_ns)),
        }
    }

    /// Takes the run's next event.
    #[inline]
    pub fn record(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        if let Some(latency) = &mut self.latency {
            latency.record(event)?;
        }
        self.throughput.as_mut().map_or(Ok(()), |throughput| throughput.record(event))
    }

    /// The run's value of the events so far; nothing for a metric that was not asked for.
    pub fn value(&self, metric: Metric) -> RunValue {
        if metric == Metric::Throughput {
            let value = self.throughput.as_ref().and_then(RunThroughput::requests_per_second);
            return RunValue { value, undefined: 0 };
        }
        self.latency.as_ref().map_or_else(RunValue::default, |latency| (&latency.samples(metric)).into())
    }
}

/// For each metric the values of `rows`, from the log; those of runs that did not complete are empty. `None` without a log.
pub(crate) fn read_values(
    dir: &Path,
    rows: &[RunRow],
    metrics: &[Metric],
    warmup_ns: u64,
    options: &ReadOptions,
) -> Result<Option<RunValues>, AnalysisError> {
    let start = |row: &RunRow| MeasuredRun::new(row, metrics, warmup_ns);
    let Some(found) = read_runs(dir, rows, options, start)? else { return Ok(None) };
    let mut by_metric = vec![vec![RunValue::default(); rows.len()]; metrics.len()];
    for (row, values) in found.outputs.into_iter().enumerate() {
        for (all, value) in by_metric.iter_mut().zip(values.into_iter().flatten()) {
            all[row] = value;
        }
    }
    Ok(Some(RunValues { by_metric, damaged: found.damaged, skipped: found.skipped }))
}

/// What a log says of the runs.
pub(crate) struct RunValues {
    /// For each metric, in the order asked for, the value of each run.
    pub(crate) by_metric: Vec<Vec<RunValue>>,
    /// For each run whether rows of it were skipped, or all are missing.
    pub(crate) damaged: Vec<bool>,
    pub(crate) skipped: Skipped,
}

/// A run of a log.
struct MeasuredRun<'a> {
    metrics: &'a [Metric],
    /// Of the metrics that are latencies, if there are any.
    latency: Option<SettledLatency<()>>,
    throughput: Option<RunThroughput>,
    is_completed: bool,
}

impl<'a> MeasuredRun<'a> {
    fn new(row: &RunRow, metrics: &'a [Metric], warmup_ns: u64) -> Self {
        let latencies: Vec<Metric> = metrics.iter().copied().filter(|metric| *metric != Metric::Throughput).collect();
        // A run that broke off does not know whom it corrupted.
        let corrupted = (row.outcome != Outcome::Error).then_some(row.corrupted);
        let latency = || SettledLatency::new(row.replicas, row.faults, corrupted, warmup_ns, &latencies, ());
        Self {
            metrics,
            latency: (!latencies.is_empty()).then(latency),
            throughput: (latencies.len() < metrics.len()).then(|| RunThroughput::new(warmup_ns)),
            is_completed: row.outcome == Outcome::Completed,
        }
    }
}

impl RunConsumer for MeasuredRun<'_> {
    type Output = Vec<RunValue>;

    #[inline]
    fn wants(kind: EventKind) -> bool {
        use EventKind as E;
        matches!(kind, E::Committed | E::Propose | E::Ordered | E::Request | E::Reply | E::Corrupt)
    }

    #[inline]
    fn record(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        if let Some(latency) = &mut self.latency {
            latency.record(event)?;
        }
        self.throughput.as_mut().map_or(Ok(()), |throughput| throughput.record(event))
    }

    fn finish(self) -> Vec<RunValue> {
        if !self.is_completed {
            return Vec::new();
        }
        let per_second = self.throughput.as_ref().and_then(RunThroughput::requests_per_second);
        let mut latencies = self.latency.map(|latency| latency.finish().0).unwrap_or_default().into_iter();
        let value = |metric: &Metric| match metric {
            Metric::Throughput => RunValue { value: per_second, undefined: 0 },
            _ => latencies.next().unwrap_or_default(),
        };
        self.metrics.iter().map(value).collect()
    }
}

/// A completed run that left no row, though it had requests.
pub(crate) fn silent_run<'a>(rows: &'a [RunRow], seen: &[bool]) -> Option<&'a RunRow> {
    let has_rows = |row: &RunRow| row.outcome == Outcome::Completed && row.requests > 0;
    rows.iter().zip(seen).find(|(row, seen)| !**seen && has_rows(row)).map(|(row, _)| row)
}
