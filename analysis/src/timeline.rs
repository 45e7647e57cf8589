//! Latency over the time of the runs, with what the adversary did meanwhile.
//!
//! Samples of all runs of a group are pooled by the time at which they began, in bins of equal width. Runs are as long as
//! `runs.csv` says, so the bins are known before the log is read; each keeps a sketch, so memory does not grow with the log.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::event::{Event, EventKind};
use crate::latency::InvalidEvent;
use crate::log::{RunConsumer, read_runs};
use crate::metric::Metric;
use crate::runs::{Outcome, RunRow, RunTable};
use crate::settled::{Sample, SampleSink, SettledLatency};
use crate::statistics::Sketch;
use crate::summary::{AnalysisError, AnalysisOptions, RowGroup, group_rows};
use crate::throughput::Numbers;

/// The quantiles of a bin are within this share of the true ones.
const RELATIVE_ERROR: f64 = 0.001;
/// So many bins at most.
const MOST_BINS: u64 = 80;
/// So many groups at most: more plots one below the other are not compared.
const MOST_GROUPS: usize = 3;

/// The events that are counted besides the samples.
pub const TIMELINE_EVENTS: [EventKind; 6] = [
    EventKind::Attack,
    EventKind::Corrupt,
    EventKind::Crash,
    EventKind::Restart,
    EventKind::ViewChange,
    EventKind::NewView,
];

/// Latency over time of some groups of runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Timelines {
    /// Which latency.
    pub metric: Metric,
    /// Width of all bins, in nanoseconds.
    pub bin_ns: u64,
    /// When the warm-up ends, in nanoseconds; what begins before is shown all the same.
    pub warmup_ns: u64,
    /// Largest relative error of the quantiles.
    pub relative_error: f64,
    /// The groups, at most three.
    pub groups: Vec<Timeline>,
    /// Number of groups there are: if more than three, `groups` holds the first and the last.
    pub of_groups: usize,
    /// Number of runs in `groups` whose rows could be read only in part.
    pub damaged_runs: u64,
}

/// Latency over time of one group.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    /// The columns that define the group, with their values.
    pub group: Vec<(String, String)>,
    /// Number of runs, without those that ended with an error.
    pub runs: u64,
    /// From the start of the runs to the end of the longest.
    pub bins: Vec<TimelineBin>,
}

/// What began within one bin.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TimelineBin {
    /// Number of samples, of all runs.
    pub samples: u64,
    /// Number of requests of honest clients that were issued.
    pub requests: u64,
    /// Number of those that were never accepted: they have no latency.
    pub unaccepted: u64,
    /// 10 %, 50 % and 90 % quantile of the samples, in milliseconds; `None` without any.
    pub quantiles_ms: Option<[f64; 3]>,
    /// Number of runs in which there was such an event, in the order of [`TIMELINE_EVENTS`].
    pub runs_with: [u64; TIMELINE_EVENTS.len()],
}

/// Reads the log of a results folder for the latency over time of at most three groups: of more, the first and the last.
///
/// Of `options` matter the metric, the grouping, the warm-up and how the log is read; for [`Metric::Throughput`] the latency of clients is taken.
/// All runs count but those that ended with an error, whether they completed or not. `None` without a log, or if no
/// run lasted.
///
/// ```no_run
/// use byzlab_analysis::{AnalysisOptions, read_timelines, write_timeline_plot};
/// let (dir, options) = ("results".as_ref(), AnalysisOptions::default());
/// if let Some(timelines) = read_timelines(dir, &options)? {
///     write_timeline_plot(dir, &timelines)?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_timelines(dir: &Path, options: &AnalysisOptions) -> Result<Option<Timelines>, AnalysisError> {
    let table = RunTable::read(&dir.join("runs.csv"))?;
    let mut groups = group_rows(&table, options.by.as_deref())?;
    let of_groups = groups.len();
    if of_groups > MOST_GROUPS {
        groups.drain(1..of_groups - 1);
    }
    let counts = |row: usize| table.rows[row].outcome != Outcome::Error;
    for group in &mut groups {
        group.rows.retain(|&row| counts(row));
    }
    let ends = groups.iter().flat_map(|group| &group.rows).map(|&row| table.rows[row].virtual_ns);
    let Some(end) = ends.max().filter(|&end| end > 0) else { return Ok(None) };
    let bin_ns = bin_width(end);
    let count = end.div_ceil(bin_ns) as usize;
    let metric = if options.metric == Metric::Throughput { Metric::Client } else { options.metric };
    let gathered: Vec<Mutex<Bins>> = groups.iter().map(|_| Mutex::new(Bins::new(count))).collect();
    let mut place = BTreeMap::new();
    for (index, group) in groups.iter().enumerate() {
        place.extend(group.rows.iter().map(|&row| ((table.rows[row].cell, table.rows[row].run), index)));
    }
    let start = |row: &RunRow| {
        let bins = place.get(&(row.cell, row.run)).map(|&index| &gathered[index]);
        bins.map(|bins| DrawnRun::new(row, metric, bin_ns, count, bins))
    };
    let Some(found) = read_runs(dir, &table.rows, &options.read, start)? else { return Ok(None) };
    let damaged = groups.iter().flat_map(|group| &group.rows).filter(|&&row| found.damaged[row]).count();
    let finish = |(group, bins): (RowGroup, Mutex<Bins>)| Timeline {
        group: group.group,
        runs: group.rows.len() as u64,
        bins: bins.into_inner().unwrap_or_else(PoisonError::into_inner).finish(),
    };
    Ok(Some(Timelines {
        metric,
        bin_ns,
        warmup_ns: options.warmup_ns,
        relative_error: RELATIVE_ERROR,
        groups: groups.into_iter().zip(gathered).map(finish).collect(),
        of_groups,
        damaged_runs: damaged as u64,
    }))
}

/// The least of 1, 2 and 5 times powers of ten that leaves few enough bins.
fn bin_width(end_ns: u64) -> u64 {
    let powers = (0..19).map(|power| 10_u64.pow(power));
    let mut widths = powers.flat_map(|power| [1, 2, 5].map(|digit| power.saturating_mul(digit)));
    widths.find(|&width| end_ns.div_ceil(width) <= MOST_BINS).unwrap_or(u64::MAX)
}

/// A run whose latencies go to the bins of its group.
struct DrawnRun<'a> {
    latency: SettledLatency<Binned<'a>>,
    bin_ns: u64,
    /// For each bin the events that were in it, a bit for each of [`TIMELINE_EVENTS`].
    marks: Vec<u8>,
    /// The numbers of the requests of each client.
    clients: BTreeMap<u32, Numbers>,
    /// For each client and bin how many requests were issued in it.
    issued: BTreeMap<(u32, usize), u64>,
    /// When the requests that wait for their reply were issued, by client and number.
    waiting: BTreeMap<(u32, u64), u64>,
    corrupted: BTreeSet<u32>,
}

impl<'a> DrawnRun<'a> {
    fn new(row: &RunRow, metric: Metric, bin_ns: u64, count: usize, bins: &'a Mutex<Bins>) -> Self {
        let binned = Binned { bins, bin_ns, count, waiting: Vec::new() };
        // What begins in the warm-up is shown as well.
        let latency = SettledLatency::new(row.replicas, row.faults, Some(row.corrupted), 0, &[metric], binned);
        Self {
            latency,
            bin_ns,
            marks: vec![0; count],
            clients: BTreeMap::new(),
            issued: BTreeMap::new(),
            waiting: BTreeMap::new(),
            corrupted: BTreeSet::new(),
        }
    }

    fn bin_of(&self, time_ns: u64) -> usize {
        bin_of(time_ns, self.bin_ns, self.marks.len())
    }
}

/// A run that is not drawn is read all the same: what is wrong with a log must not depend on what is drawn of it.
impl RunConsumer for Option<DrawnRun<'_>> {
    type Output = ();

    fn wants(kind: EventKind) -> bool {
        use EventKind as E;
        let is_latency = matches!(kind, E::Committed | E::Propose | E::Ordered | E::Request | E::Reply | E::Corrupt);
        is_latency || TIMELINE_EVENTS.contains(&kind)
    }

    fn record(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        let Some(run) = self else { return Ok(()) };
        run.latency.record(event)?;
        let bin = run.bin_of(event.time_ns);
        if let Some(bit) = TIMELINE_EVENTS.iter().position(|kind| *kind == event.kind) {
            run.marks[bin] |= 1 << bit;
        }
        match (event.kind, event.seq) {
            // A request that is sent again keeps its first time.
            (EventKind::Request, Some(number)) if run.clients.entry(event.node).or_default().insert(number) => {
                *run.issued.entry((event.node, bin)).or_default() += 1;
                run.waiting.insert((event.node, number), event.time_ns);
            }
            (EventKind::Reply, Some(number)) => {
                run.waiting.remove(&(event.node, number));
            }
            (EventKind::Corrupt, _) => {
                run.corrupted.insert(event.node);
            }
            _ => {}
        }
        Ok(())
    }

    /// Counts add up in any order, so it does not matter which run is through first.
    fn finish(self) {
        let Some(run) = self else { return };
        let waiting: Vec<(u32, usize)> =
            run.waiting.iter().map(|((client, _), &issued)| (*client, run.bin_of(issued))).collect();
        let (_, mut binned) = run.latency.finish();
        binned.flush();
        let mut bins = binned.bins.lock().unwrap_or_else(PoisonError::into_inner);
        let is_honest = |client: &u32| !run.corrupted.contains(client);
        for ((_, bin), count) in run.issued.into_iter().filter(|((client, _), _)| is_honest(client)) {
            bins.requests[bin] += count;
        }
        for (_, bin) in waiting.into_iter().filter(|(client, _)| is_honest(client)) {
            bins.unaccepted[bin] += 1;
        }
        for (counts, mark) in bins.runs_with.iter_mut().zip(run.marks) {
            for (bit, count) in counts.iter_mut().enumerate() {
                *count += u64::from(mark >> bit & 1);
            }
        }
    }
}

/// Takes the samples of a run to the bins of its group, many at a time: other runs do so too.
struct Binned<'a> {
    bins: &'a Mutex<Bins>,
    bin_ns: u64,
    count: usize,
    /// Bin and nanoseconds.
    waiting: Vec<(usize, u64)>,
}

/// So many samples are taken at a time.
const BATCH: usize = 1024;

impl SampleSink for Binned<'_> {
    fn take(&mut self, sample: Sample) {
        self.waiting.push((bin_of(sample.start_ns, self.bin_ns, self.count), sample.latency_ns));
        if self.waiting.len() >= BATCH {
            self.flush();
        }
    }
}

impl Binned<'_> {
    fn flush(&mut self) {
        let mut bins = self.bins.lock().unwrap_or_else(PoisonError::into_inner);
        for (bin, latency_ns) in self.waiting.drain(..) {
            bins.insert(bin, latency_ns);
        }
    }
}

/// What is gathered of a group.
struct Bins {
    latencies: Vec<Sketch>,
    requests: Vec<u64>,
    unaccepted: Vec<u64>,
    runs_with: Vec<[u64; TIMELINE_EVENTS.len()]>,
}

impl Bins {
    fn new(count: usize) -> Self {
        let sketch = Sketch::new(RELATIVE_ERROR).expect("a thousandth is a relative error");
        Self {
            latencies: vec![sketch; count],
            requests: vec![0; count],
            unaccepted: vec![0; count],
            runs_with: vec![[0; TIMELINE_EVENTS.len()]; count],
        }
    }

    fn insert(&mut self, bin: usize, latency_ns: u64) {
        let is_counted = self.latencies[bin].insert(latency_ns as f64 / 1e6);
        debug_assert!(is_counted, "a whole number is finite");
    }

    fn finish(self) -> Vec<TimelineBin> {
        let quantiles = |latencies: &Sketch| {
            let quantile = |p| latencies.quantile(p);
            Some([quantile(0.1)?, quantile(0.5)?, quantile(0.9)?])
        };
        let counts = self.requests.into_iter().zip(self.unaccepted).zip(self.runs_with);
        let bins = self.latencies.iter().zip(counts);
        bins.map(|(latencies, ((requests, unaccepted), runs_with))| TimelineBin {
            samples: latencies.count(),
            quantiles_ms: quantiles(latencies),
            requests,
            unaccepted,
            runs_with,
        })
        .collect()
    }
}

/// The last bin also holds what lies behind the end.
fn bin_of(time_ns: u64, bin_ns: u64, count: usize) -> usize {
    ((time_ns / bin_ns) as usize).min(count - 1)
}
