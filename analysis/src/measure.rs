//! The values of runs: one pass over a log, several metrics.

use std::path::Path;

use crate::event::Event;
use crate::latency::{InvalidEvent, RunLatency, Samples};
use crate::log::{EventReader, RunOrder, Step};
use crate::metric::Metric;
use crate::runs::{Outcome, RunRow};
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

/// For each metric the values of `rows`, from the log; those of runs that did not complete are empty.
pub(crate) fn read_values(
    path: &Path,
    rows: &[RunRow],
    metrics: &[Metric],
    warmup_ns: u64,
) -> Result<Vec<Vec<RunValue>>, AnalysisError> {
    let mut reader = EventReader::open(path)?;
    let mut pass = LogPass::new(rows, metrics, warmup_ns);
    while let Some(event) = reader.next_event()? {
        if let Err(problem) = pass.record(&event) {
            return Err(reader.contradiction(problem).into());
        }
    }
    pass.finish().map_err(|row| AnalysisError::NoEvents { path: path.to_owned(), cell: row.cell, run: row.run })
}

/// One pass over a log, one run at a time.
struct LogPass<'a> {
    rows: &'a [RunRow],
    metrics: &'a [Metric],
    warmup_ns: u64,
    order: RunOrder,
    values: Vec<Vec<RunValue>>,
    /// The run that is being read: its row, and what is known of it so far.
    current: Option<(usize, RunMeasures)>,
}

impl<'a> LogPass<'a> {
    fn new(rows: &'a [RunRow], metrics: &'a [Metric], warmup_ns: u64) -> Self {
        let values = vec![vec![RunValue::default(); rows.len()]; metrics.len()];
        Self { rows, metrics, warmup_ns, order: RunOrder::new(rows), values, current: None }
    }

    fn record(&mut self, event: &Event<'_>) -> Result<(), String> {
        if let Step::Next(row) = self.order.step((event.cell, event.run))? {
            self.close();
            let RunRow { replicas, faults, .. } = self.rows[row];
            self.current = Some((row, RunMeasures::new(self.metrics, replicas, faults, self.warmup_ns)));
        }
        match &mut self.current {
            Some((_, run)) => run.record(event).map_err(|error| error.to_string()),
            None => Ok(()),
        }
    }

    fn close(&mut self) {
        if let Some((row, run)) = self.current.take()
            && self.rows[row].outcome == Outcome::Completed
        {
            for (values, metric) in self.values.iter_mut().zip(self.metrics) {
                values[row] = run.value(*metric);
            }
        }
    }

    /// The values of each row; fails with a completed run that left no event.
    fn finish(mut self) -> Result<Vec<Vec<RunValue>>, &'a RunRow> {
        self.close();
        match silent_run(self.rows, self.order.seen()) {
            Some(row) => Err(row),
            None => Ok(self.values),
        }
    }
}

/// A completed run that left no row, though it had requests.
pub(crate) fn silent_run<'a>(rows: &'a [RunRow], seen: &[bool]) -> Option<&'a RunRow> {
    let silent = |(row, seen): &(&RunRow, &bool)| !**seen && row.outcome == Outcome::Completed && row.requests > 0;
    rows.iter().zip(seen).find(silent).map(|(row, _)| row)
}
