//! Latency over the time of the runs, with what the adversary did meanwhile.
//!
//! Samples of all runs of a group are pooled by the time at which they began, in bins of equal width. Runs are as long as
//! `runs.csv` says, so the bins are known before the log is read. Of a run only counts are kept, by bin and bucket of a sketch, so memory
//! does not grow with the length of a run; and only when the log has been read, the counts of undamaged runs are added up.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::event::{Event, EventKind};
use crate::latency::InvalidEvent;
use crate::log::{RunConsumer, read_runs};
use crate::metric::Metric;
use crate::runs::{Outcome, RunRow, RunTable};
use crate::settled::{Sample, SampleSink, SettledLatency};
use crate::statistics::Sketch;
use crate::summary::{AnalysisError, AnalysisOptions, group_rows};
use crate::throughput::Numbers;

/// The quantiles of a bin are within this share of the true ones.
const RELATIVE_ERROR: f64 = 0.001;
/// So many bins at most.
const MOST_BINS: u64 = 80;
/// So many groups at most: more plots one below the other are not compared.
const MOST_GROUPS: usize = 3;
/// In fewer bins nothing can be seen to change over time.
const LEAST_BINS: usize = 3;

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
    /// Number of groups there are: if more than three, `groups` holds the first and the last that have samples.
    pub of_groups: usize,
    /// Number of runs of `groups` that do not count, for their rows could be read only in part.
    pub damaged_runs: u64,
}

impl Timelines {
    /// Why they are not worth drawing, if so: in each group all samples began at nearly the same time.
    ///
    /// ```
    /// use byzlab_analysis::timeline::{Timeline, TimelineBin, Timelines};
    /// let bins = |samples: &[u64]| samples.iter().map(|&samples| TimelineBin { samples, ..TimelineBin::default() }).collect();
    /// let mut timelines = Timelines {
    ///     metric: byzlab_analysis::Metric::Client,
    ///     bin_ns: 1_000_000,
    ///     warmup_ns: 0,
    ///     relative_error: 0.001,
    ///     groups: vec![Timeline { group: Vec::new(), runs: 5, bins: bins(&[5]) }],
    ///     of_groups: 1,
    ///     damaged_runs: 0,
    /// };
    /// assert_eq!(timelines.why_not_drawn(), Some("all samples begin within one bin"));
    /// timelines.groups[0].bins = bins(&[5, 5, 5]);
    /// assert_eq!(timelines.why_not_drawn(), None);
    /// ```
    pub fn why_not_drawn(&self) -> Option<&'static str> {
        let is_used = |bin: &&TimelineBin| bin.samples > 0;
        let used = self.groups.iter().map(|group| group.bins.iter().filter(is_used).count());
        match used.max().unwrap_or(0) {
            0 => Some("no sample began"),
            1 => Some("all samples begin within one bin"),
            LEAST_BINS.. => None,
            _ => Some("all samples begin within two bins"),
        }
    }
}

/// Latency over time of one group.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    /// The columns that define the group, with their values.
    pub group: Vec<(String, String)>,
    /// Number of runs, without those that ended with an error and damaged ones.
    pub runs: u64,
    /// From the start of the runs to the last in which anything happened in any group.
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

/// Reads the log of a results folder for the latency over time of at most three groups: of more, the first and the last with samples.
///
/// Of `options` matter the metric, the grouping, the warm-up and how the log is read; for [`Metric::Throughput`] the latency of clients is taken.
/// All runs count but those that ended with an error, whether they completed or not; and leniently, but those of whose rows some were
/// skipped. `None` without a log, or if no run lasted.
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
    let (table, _) = RunTable::open(dir, options.read.lenient)?;
    let counts = |row: &RunRow| row.outcome != Outcome::Error;
    let end = table.rows.iter().filter(|row| counts(row)).map(|row| row.virtual_ns).max();
    let Some(end) = end.filter(|&end| end > 0) else { return Ok(None) };
    let bin_ns = bin_width(end);
    let count = end.div_ceil(bin_ns) as usize;
    let metric = if options.metric == Metric::Throughput { Metric::Client } else { options.metric };
    let start = |row: &RunRow| counts(row).then(|| DrawnRun::new(row, metric, bin_ns, count));
    let Some(found) = read_runs(dir, &table.rows, &options.read, start)? else { return Ok(None) };
    let of_run = |row: usize| found.outputs[row].as_ref().and_then(Option::as_ref);

    let mut groups = group_rows(&table, options.by.as_deref())?;
    for group in &mut groups {
        group.rows.retain(|&row| counts(&table.rows[row]));
    }
    let of_groups = groups.len();
    if of_groups > MOST_GROUPS {
        let has_samples: Vec<bool> = groups
            .iter()
            .map(|group| group.rows.iter().filter_map(|&row| of_run(row)).any(|run| !run.samples.is_empty()))
            .collect();
        let first = has_samples.iter().position(|has| *has).unwrap_or(0);
        let last = has_samples.iter().rposition(|has| *has).unwrap_or(of_groups - 1);
        let mut index = 0;
        groups.retain(|_| {
            index += 1;
            index - 1 == first || index - 1 == last
        });
    }
    let mut damaged_runs = 0;
    let mut timelines = Vec::new();
    for group in groups {
        let mut bins = Bins::new(count);
        let mut runs = 0;
        for row in group.rows {
            if found.damaged[row] {
                damaged_runs += 1;
            } else {
                runs += 1;
                if let Some(run) = of_run(row) {
                    bins.add(run);
                }
            }
        }
        timelines.push(Timeline { group: group.group, runs, bins: bins.finish() });
    }
    // Runs that wait for their time limit in vain would stretch the plot.
    let is_used = |bin: &TimelineBin| *bin != TimelineBin::default();
    let used =
        timelines.iter().filter_map(|group| group.bins.iter().rposition(is_used)).max().map_or(0, |last| last + 1);
    for group in &mut timelines {
        group.bins.truncate(used);
    }
    Ok(Some(Timelines {
        metric,
        bin_ns,
        warmup_ns: options.warmup_ns,
        relative_error: RELATIVE_ERROR,
        groups: timelines,
        of_groups,
        damaged_runs,
    }))
}

/// The least of 1, 2 and 5 times powers of ten that leaves few enough bins.
fn bin_width(end_ns: u64) -> u64 {
    let powers = (0..19).map(|power| 10_u64.pow(power));
    let mut widths = powers.flat_map(|power| [1, 2, 5].map(|digit| power.saturating_mul(digit)));
    widths.find(|&width| end_ns.div_ceil(width) <= MOST_BINS).unwrap_or(u64::MAX)
}

fn sketch() -> Sketch {
    Sketch::new(RELATIVE_ERROR).expect("a thousandth is a relative error")
}

/// A run while it is read.
struct DrawnRun {
    latency: SettledLatency<Binned>,
    bin_ns: u64,
    /// For each bin the events that were in it, a bit for each of [`TIMELINE_EVENTS`].
    marks: Vec<u8>,
    /// The numbers of the requests of each client.
    clients: BTreeMap<u32, Numbers>,
    /// For each client and bin how many requests were issued in it.
    issued: BTreeMap<(u32, usize), u32>,
    /// When the requests that wait for their reply were issued, by client and number.
    waiting: BTreeMap<(u32, u64), u64>,
    corrupted: BTreeSet<u32>,
}

impl DrawnRun {
    fn new(row: &RunRow, metric: Metric, bin_ns: u64, count: usize) -> Self {
        let binned = Binned { bin_ns, count, sketch: sketch(), counts: BTreeMap::new() };
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

    fn finish(self) -> RunCounts {
        let mut bins: Vec<InBin> = self.marks.iter().map(|&marks| InBin { marks, ..InBin::default() }).collect();
        let is_honest = |client: &u32| !self.corrupted.contains(client);
        for ((_, bin), count) in self.issued.iter().filter(|((client, _), _)| is_honest(client)) {
            let requests = &mut bins[*bin].requests;
            *requests = requests.saturating_add(*count);
        }
        for ((_, _), &issued) in self.waiting.iter().filter(|((client, _), _)| is_honest(client)) {
            let unaccepted = &mut bins[self.bin_of(issued)].unaccepted;
            *unaccepted = unaccepted.saturating_add(1);
        }
        for (index, bin) in (0..).zip(&mut bins) {
            bin.bin = index;
        }
        bins.retain(|bin| bin.marks != 0 || bin.requests > 0 || bin.unaccepted > 0);
        let (_, binned) = self.latency.finish();
        let samples = binned.counts.into_iter().map(|((bin, bucket), count)| Samples { bucket, count, bin });
        RunCounts { samples: samples.collect(), bins: bins.into_boxed_slice() }
    }
}

/// A run that is not drawn is read all the same: what is wrong with a log must not depend on what is drawn of it.
impl RunConsumer for Option<DrawnRun> {
    type Output = Option<RunCounts>;

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
                let issued = run.issued.entry((event.node, bin)).or_default();
                *issued = issued.saturating_add(1);
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

    fn finish(self) -> Option<RunCounts> {
        self.map(DrawnRun::finish)
    }
}

/// Counts the samples of a run.
struct Binned {
    bin_ns: u64,
    count: usize,
    /// Only tells buckets.
    sketch: Sketch,
    /// By bin and bucket, which 0 does not have.
    counts: BTreeMap<(u8, Option<i32>), u32>,
}

impl SampleSink for Binned {
    fn take(&mut self, sample: Sample) {
        // There are at most eighty.
        let bin = bin_of(sample.start_ns, self.bin_ns, self.count) as u8;
        let bucket = self.sketch.bucket_index(sample.latency_ns as f64 / 1e6);
        let count = self.counts.entry((bin, bucket)).or_default();
        *count = count.saturating_add(1);
    }
}

/// What is kept of a run until all are read: what it takes, and no more, for there may be many runs. Counts of a run fit 32 bits: four
/// billion requests are no single run's.
struct RunCounts {
    samples: Box<[Samples]>,
    bins: Box<[InBin]>,
}

/// How many samples of a bin lie in a bucket.
struct Samples {
    bucket: Option<i32>,
    count: u32,
    bin: u8,
}

/// What happened in a bin.
#[derive(Default)]
struct InBin {
    requests: u32,
    unaccepted: u32,
    bin: u8,
    marks: u8,
}

/// What is gathered of a group.
struct Bins {
    latencies: Vec<Sketch>,
    bins: Vec<TimelineBin>,
}

impl Bins {
    fn new(count: usize) -> Self {
        Self { latencies: vec![sketch(); count], bins: vec![TimelineBin::default(); count] }
    }

    fn add(&mut self, run: &RunCounts) {
        for samples in &run.samples {
            let latencies = &mut self.latencies[usize::from(samples.bin)];
            // The value that stands for a bucket lies in it.
            let value = samples.bucket.map_or(0.0, |bucket| latencies.bucket_value(bucket));
            for _ in 0..samples.count {
                let is_counted = latencies.insert(value);
                debug_assert!(is_counted, "a bucket's value is finite");
            }
        }
        for of_run in &run.bins {
            let bin = &mut self.bins[usize::from(of_run.bin)];
            bin.requests += u64::from(of_run.requests);
            bin.unaccepted += u64::from(of_run.unaccepted);
            for (bit, count) in bin.runs_with.iter_mut().enumerate() {
                *count += u64::from(of_run.marks >> bit & 1);
            }
        }
    }

    fn finish(self) -> Vec<TimelineBin> {
        let quantiles = |latencies: &Sketch| {
            let quantile = |p| latencies.quantile(p);
            Some([quantile(0.1)?, quantile(0.5)?, quantile(0.9)?])
        };
        let bins = self.bins.into_iter().zip(&self.latencies);
        bins.map(|(bin, latencies)| TimelineBin {
            samples: latencies.count(),
            quantiles_ms: quantiles(latencies),
            ..bin
        })
        .collect()
    }
}

/// The last bin also holds what lies behind the end.
fn bin_of(time_ns: u64, bin_ns: u64, count: usize) -> usize {
    ((time_ns / bin_ns) as usize).min(count - 1)
}
