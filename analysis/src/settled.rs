//! Latencies of a run whose log is long: what is settled is summed up and forgotten.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{Event, EventKind};
use crate::latency::{InvalidEvent, is_from_request, required};
use crate::measure::RunValue;
use crate::metric::Metric;
use crate::throughput::Numbers;

/// One latency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// What was measured.
    pub metric: Metric,
    /// When it began: virtual time since the start of the run, in nanoseconds.
    pub start_ns: u64,
    /// How long it took, in nanoseconds.
    pub latency_ns: u64,
}

/// Takes the samples of a run one by one.
///
/// They come as they are settled, which is in the order of their ends as soon as all replicas that the run corrupts are known.
/// Samples that are undefined do not come.
pub trait SampleSink: Send {
    /// Takes the next sample.
    fn take(&mut self, sample: Sample);
}

/// Needs no samples, only their mean.
impl SampleSink for () {
    fn take(&mut self, _: Sample) {}
}

impl SampleSink for Vec<Sample> {
    fn take(&mut self, sample: Sample) {
        self.push(sample);
    }
}

/// Gathers the latencies of one run in bounded memory, fed in the order of the log.
///
/// The values are exactly those of [`RunLatency`](crate::RunLatency), where it says what counts. But it must be known beforehand how many
/// replicas are corrupted in the end, which `runs.csv` tells: once so many are, the others stay honest, and a batch is settled when
/// all of them have committed it. Its samples then go into exact sums, and it is forgotten. Nothing is left that could change them:
///
/// - A batch starts with what came before its first commit, and of each replica the first commit counts. So whatever is said of a
///   settled batch later, such as its commit again in a later view, changes nothing; to know it again its number and digest are kept,
///   of the last 65,536 settled numbers.
/// - Of numbers further back, no digest is remembered: any digest counts as the settled one. It is the
///   settled one, for honest replicas that commit two digests at one number violate agreement, and such a run has no value; and
///   none of them works on numbers so far behind the others (it lies outside the log window, so it fetches the state).
///
/// While the number of corrupted replicas is not reached, for example until a takeover, all commits are kept: exactness comes before memory.
/// So are 96 bytes for each batch that some honest replica never commits, about 40 to find it again, and with more than 64 replicas 64 or
/// more for the others; while the table of batches grows, up to twice as much. And, if a `…_from_request` metric is asked for, 24
/// bytes for each request.
///
/// ```
/// use byzlab_analysis::{Event, EventKind, Metric, Sample, SettledLatency};
/// let mut latency = SettledLatency::new(4, 1, Some(0), 0, &[Metric::AllCommit], Vec::new());
/// let batch = |time_ns, node, kind| Event {
///     view: Some(0), seq: Some(1), digest: Some(0xabc), ..Event::new(0, 0, time_ns, node, kind)
/// };
/// latency.record(&batch(1_000_000, 0, EventKind::Propose))?;
/// for replica in 0..4 {
///     latency.record(&batch(5_000_000, replica, EventKind::Committed))?;
/// }
/// let (values, samples) = latency.finish();
/// assert_eq!(values[0].value, Some(4.0)); // ms
/// assert_eq!(samples, [Sample { metric: Metric::AllCommit, start_ns: 1_000_000, latency_ns: 4_000_000 }]);
/// # Ok::<(), byzlab_analysis::InvalidEvent>(())
/// ```
#[derive(Clone, Debug)]
pub struct SettledLatency<S> {
    replicas: u32,
    quorum: u32,
    /// How many replicas are corrupted in the end, if that is known.
    corrupted_in_the_end: Option<u32>,
    now: u64,
    corrupted: BTreeSet<u32>,
    /// Number of replicas that stay honest, once they are known.
    honest: Option<u32>,
    sums: Sums<S>,
    batches: Batches,
    settled: Settled,
    last_propose: Option<Propose>,
    clients: BTreeMap<u32, Client>,
    /// When each request was issued, by client and digest; only if a metric begins with that.
    issued: Option<BTreeMap<(u32, u64), u64>>,
}

/// The samples so far.
#[derive(Clone, Debug)]
struct Sums<S> {
    warmup_ns: u64,
    /// In the order asked for.
    metrics: Vec<Sum>,
    sink: S,
}

#[derive(Clone, Copy, Debug)]
struct Sum {
    metric: Metric,
    /// In nanoseconds; the sum of 2^64 samples fits.
    total: u128,
    count: u64,
    undefined: u64,
}

/// A batch that is not settled.
#[derive(Clone, Debug, Default)]
struct Batch {
    proposed_ns: Option<u64>,
    requested_ns: Option<u64>,
    is_committed: bool,
    /// The commits, while it is not known who stays honest: time and replica.
    early: Vec<(u64, u32)>,
    /// The honest replicas that have committed, a bit each: the first 64,
    committers: u64,
    /// and the others, 64 at a time, by the number of the first divided by 64.
    more_committers: Vec<(u32, u64)>,
    /// Their number.
    count: u32,
}

#[derive(Clone, Copy, Debug)]
struct Propose {
    node: u32,
    view: Option<u64>,
    key: (u64, u64),
}

#[derive(Clone, Debug, Default)]
struct Client {
    numbers: Numbers,
    /// When the requests that wait for their reply were issued, by number.
    waiting: BTreeMap<u64, u64>,
    total: u128,
    count: u64,
}

impl<S: SampleSink> SettledLatency<S> {
    /// For a run with n replicas and quorums sized for f faults, of which so many are corrupted in the end; `None` if that is not
    /// known. What starts before the end of the warm-up is left out. The samples of `metrics` go to the sink.
    pub fn new(
        replicas: u32,
        faults: u32,
        corrupted: Option<u32>,
        warmup_ns: u64,
        metrics: &[Metric],
        sink: S,
    ) -> Self {
        let sum = |&metric: &Metric| Sum { metric, total: 0, count: 0, undefined: 0 };
        Self {
            replicas,
            // ceil((n + f + 1) / 2)
            quorum: u32::try_from((u64::from(replicas) + u64::from(faults) + 2) / 2).unwrap_or(u32::MAX),
            corrupted_in_the_end: corrupted,
            now: 0,
            corrupted: BTreeSet::new(),
            honest: (corrupted == Some(0)).then_some(replicas),
            sums: Sums { warmup_ns, metrics: metrics.iter().map(sum).collect(), sink },
            batches: Batches::default(),
            settled: Settled::new(RECENT),
            last_propose: None,
            clients: BTreeMap::new(),
            issued: metrics.iter().any(|metric| is_from_request(*metric)).then(BTreeMap::new),
        }
    }

    /// Takes the run's next event.
    #[inline]
    pub fn record(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        if event.time_ns < self.now {
            return Err(InvalidEvent::TimeRunsBack { before: self.now, now: event.time_ns });
        }
        self.now = event.time_ns;
        match event.kind {
            EventKind::Committed => self.committed(event),
            EventKind::Propose => self.proposed(event),
            EventKind::Ordered => self.ordered(event),
            EventKind::Request => self.requested(event),
            EventKind::Reply => self.replied(event),
            EventKind::Corrupt => self.corrupt(event.node),
            _ => Ok(()),
        }
    }

    fn proposed(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        let key = self.batch_key(event)?;
        self.last_propose = Some(Propose { node: event.node, view: event.view, key });
        if let Some(batch) = self.batches.get_or_open(key, &self.settled)
            && !batch.is_committed
        {
            batch.proposed_ns.get_or_insert(event.time_ns);
        }
        Ok(())
    }

    fn ordered(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        let digest = required(event, event.digest, "digest")?;
        let client = required(event, event.peer, "peer")?;
        let of_batch = |propose: &Propose| {
            propose.node == event.node && propose.view == event.view && Some(propose.key.0) == event.seq
        };
        let propose = self.last_propose.filter(of_batch).ok_or(InvalidEvent::OrderedAlone)?;
        let issued = self.issued.as_ref().and_then(|issued| issued.get(&(client, digest)));
        if let Some(&issued) = issued
            && let Some(batch) = self.batches.get(propose.key)
            && !batch.is_committed
        {
            batch.requested_ns = Some(batch.requested_ns.map_or(issued, |ns| ns.min(issued)));
        }
        Ok(())
    }

    fn committed(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        let key = self.batch_key(event)?;
        let Some(batch) = self.batches.get_or_open(key, &self.settled) else { return Ok(()) };
        batch.is_committed = true;
        let Some(honest) = self.honest else {
            batch.early.push((event.time_ns, event.node));
            return Ok(());
        };
        if self.corrupted.is_empty() || !self.corrupted.contains(&event.node) {
            batch.commit(event.time_ns, event.node, self.quorum, honest, &mut self.sums);
            if batch.count == honest {
                self.settle(key);
            }
        }
        Ok(())
    }

    fn settle(&mut self, key: (u64, u64)) {
        if let (Some(batch), Some(honest)) = (self.batches.get(key), self.honest) {
            // A quorum, if fewer replicas than that are honest.
            batch.count_undefined(self.quorum, honest, &mut self.sums);
        }
        self.batches.close(key);
        if let Some(old) = self.settled.insert(key) {
            self.batches.close_uncommitted(old);
        }
    }

    fn corrupt(&mut self, node: u32) -> Result<(), InvalidEvent> {
        if self.corrupted.insert(node) && node < self.replicas {
            let corrupted = self.corrupted.range(..self.replicas).count() as u32;
            match self.corrupted_in_the_end {
                Some(expected) if corrupted > expected => return Err(InvalidEvent::MoreCorrupted { expected }),
                Some(expected) if corrupted == expected => self.all_are_known(),
                _ => {}
            }
        }
        Ok(())
    }

    /// From now on it is known who stays honest.
    fn all_are_known(&mut self) {
        let honest = self.replicas - self.corrupted.range(..self.replicas).count() as u32;
        self.honest = Some(honest);
        for key in self.batches.keys() {
            let Some(batch) = self.batches.get(key) else { continue };
            for (time_ns, replica) in std::mem::take(&mut batch.early) {
                if !self.corrupted.contains(&replica) {
                    batch.commit(time_ns, replica, self.quorum, honest, &mut self.sums);
                }
            }
            if batch.count == honest {
                self.settle(key);
            }
        }
    }

    fn requested(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        let number = required(event, event.seq, "seq")?;
        let digest = required(event, event.digest, "digest")?;
        let client = self.clients.entry(event.node).or_default();
        // A request that is sent again keeps its first time.
        if client.numbers.insert(number) {
            client.waiting.insert(number, event.time_ns);
            if let Some(issued) = &mut self.issued {
                issued.entry((event.node, digest)).or_insert(event.time_ns);
            }
        }
        Ok(())
    }

    fn replied(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        let number = required(event, event.seq, "seq")?;
        let Some(client) = self.clients.get_mut(&event.node) else { return Ok(()) };
        // What was replied before no longer waits.
        if let Some(start_ns) = client.waiting.remove(&number)
            && start_ns >= self.sums.warmup_ns
        {
            let latency_ns = event.time_ns - start_ns;
            client.total += u128::from(latency_ns);
            client.count += 1;
            if self.sums.metrics.iter().any(|sum| sum.metric == Metric::Client) && !self.corrupted.contains(&event.node)
            {
                self.sums.sink.take(Sample { metric: Metric::Client, start_ns, latency_ns });
            }
        }
        Ok(())
    }

    fn batch_key(&self, event: &Event<'_>) -> Result<(u64, u64), InvalidEvent> {
        if event.node >= self.replicas {
            return Err(InvalidEvent::NotAReplica { kind: event.kind, node: event.node, replicas: self.replicas });
        }
        let seq = required(event, event.seq, "seq")?;
        let digest = required(event, event.digest, "digest")?;
        Ok((seq, digest))
    }

    /// The end of the run: its value for each of the metrics, in the order asked for, and the sink.
    pub fn finish(mut self) -> (Vec<RunValue>, S) {
        if self.honest.is_none() {
            self.all_are_known();
        }
        let honest = self.honest.unwrap_or_default();
        for batch in self.batches.open() {
            batch.count_undefined(self.quorum, honest, &mut self.sums);
        }
        let Sums { warmup_ns, mut metrics, sink } = self.sums;
        for sum in metrics.iter_mut().filter(|sum| sum.metric == Metric::Client) {
            for (_, client) in self.clients.iter().filter(|(node, _)| !self.corrupted.contains(node)) {
                sum.total += client.total;
                sum.count += client.count;
                sum.undefined += client.waiting.values().filter(|issued| **issued >= warmup_ns).count() as u64;
            }
        }
        (metrics.iter().map(Sum::value).collect(), sink)
    }
}

impl Batch {
    /// An honest replica commits.
    #[inline]
    fn commit<S: SampleSink>(&mut self, time_ns: u64, replica: u32, quorum: u32, honest: u32, sums: &mut Sums<S>) {
        let (word, bit) = (replica / 64, 1 << (replica % 64));
        let bits = if word == 0 { &mut self.committers } else { self.more_bits(word) };
        // A replica may log the same commit again in a later view: the first counts.
        if *bits & bit != 0 {
            return;
        }
        *bits |= bit;
        self.count += 1;
        for sum in &mut sums.metrics {
            use Metric as M;
            let is_sample = match sum.metric {
                M::ReplicaCommit | M::ReplicaCommitFromRequest => true,
                M::FirstCommit | M::FirstCommitFromRequest => self.count == 1,
                M::QuorumCommit | M::QuorumCommitFromRequest => self.count == quorum,
                M::AllCommit | M::AllCommitFromRequest => self.count == honest,
                M::Client | M::Throughput => false,
            };
            if is_sample && let Some(start_ns) = start_ns(self, sum.metric, sums.warmup_ns) {
                let latency_ns = time_ns - start_ns;
                sum.total += u128::from(latency_ns);
                sum.count += 1;
                sums.sink.take(Sample { metric: sum.metric, start_ns, latency_ns });
            }
        }
    }

    /// Of those beyond the first 64 replicas.
    fn more_bits(&mut self, word: u32) -> &mut u64 {
        let place = match self.more_committers.binary_search_by_key(&word, |(word, _)| *word) {
            Ok(place) => place,
            Err(place) => {
                self.more_committers.insert(place, (word, 0));
                place
            }
        };
        &mut self.more_committers[place].1
    }

    /// At the end of the run: the samples that the silence of honest replicas leaves undefined.
    fn count_undefined<S>(&self, quorum: u32, honest: u32, sums: &mut Sums<S>) {
        for sum in &mut sums.metrics {
            use Metric as M;
            let undefined = match sum.metric {
                _ if self.count == 0 || start_ns(self, sum.metric, sums.warmup_ns).is_none() => 0,
                M::ReplicaCommit | M::ReplicaCommitFromRequest => honest - self.count,
                M::QuorumCommit | M::QuorumCommitFromRequest => u32::from(self.count < quorum),
                M::AllCommit | M::AllCommitFromRequest => u32::from(self.count < honest),
                M::FirstCommit | M::FirstCommitFromRequest | M::Client | M::Throughput => 0,
            };
            sum.undefined += u64::from(undefined);
        }
    }
}

/// When the metric's samples of a batch begin; `None` if it has none.
#[inline]
fn start_ns(batch: &Batch, metric: Metric, warmup_ns: u64) -> Option<u64> {
    let requested = if is_from_request(metric) { batch.requested_ns } else { batch.proposed_ns };
    requested.filter(|&ns| batch.proposed_ns.is_some() && ns >= warmup_ns)
}

impl Sum {
    /// The mean, in milliseconds, as [`Samples::mean_ms`](crate::Samples::mean_ms) has it.
    fn value(&self) -> RunValue {
        let value = (self.count > 0).then(|| self.total as f64 / self.count as f64 / 1e6);
        RunValue { value, undefined: self.undefined }
    }
}

/// The batches that are not settled.
#[derive(Clone, Debug, Default)]
struct Batches {
    slots: Vec<Batch>,
    /// Slots that are free; they keep their memory.
    free: Vec<u32>,
    slot_of: BTreeMap<(u64, u64), u32>,
    /// The batch looked up last: votes on it come in a row.
    last: Option<((u64, u64), u32)>,
}

impl Batches {
    #[inline]
    fn get(&mut self, key: (u64, u64)) -> Option<&mut Batch> {
        let slot = match self.last {
            Some((last, slot)) if last == key => slot,
            _ => {
                let slot = *self.slot_of.get(&key)?;
                self.last = Some((key, slot));
                slot
            }
        };
        Some(&mut self.slots[slot as usize])
    }

    /// The batch, new or known; `None` if it is settled.
    #[inline]
    fn get_or_open(&mut self, key: (u64, u64), settled: &Settled) -> Option<&mut Batch> {
        if self.last.is_none_or(|(last, _)| last != key) && !self.slot_of.contains_key(&key) {
            if settled.contains(key) {
                return None;
            }
            let slot = self.free.pop().unwrap_or(self.slots.len() as u32);
            if slot as usize == self.slots.len() {
                self.slots.push(Batch::default());
            }
            self.slot_of.insert(key, slot);
        }
        self.get(key)
    }

    fn close(&mut self, key: (u64, u64)) {
        let Some(slot) = self.slot_of.remove(&key) else { return };
        self.last = None;
        let Batch { mut early, mut more_committers, .. } = std::mem::take(&mut self.slots[slot as usize]);
        early.clear();
        more_committers.clear();
        self.slots[slot as usize] = Batch { early, more_committers, ..Batch::default() };
        self.free.push(slot);
    }

    /// Forgets the other proposals at a number that is settled for long.
    fn close_uncommitted(&mut self, seq: u64) {
        let of_number = self.slot_of.range((seq, 0)..=(seq, u64::MAX));
        let uncommitted = of_number.filter(|(_, slot)| !self.slots[**slot as usize].is_committed);
        let keys: Vec<(u64, u64)> = uncommitted.map(|(key, _)| *key).collect();
        for key in keys {
            self.close(key);
        }
    }

    fn keys(&self) -> Vec<(u64, u64)> {
        self.slot_of.keys().copied().collect()
    }

    fn open(&self) -> impl Iterator<Item = &Batch> {
        self.slot_of.values().map(|slot| &self.slots[*slot as usize])
    }
}

/// Of so many settled numbers the digest is kept: many times any log window.
const RECENT: usize = 1 << 16;

/// The batches that are settled.
#[derive(Clone, Debug)]
struct Settled {
    recent: BTreeSet<(u64, u64)>,
    most_recent: usize,
    old: Numbers,
}

impl Settled {
    fn new(most_recent: usize) -> Self {
        Self { recent: BTreeSet::new(), most_recent, old: Numbers::default() }
    }

    fn contains(&self, key: (u64, u64)) -> bool {
        self.recent.contains(&key) || self.old.contains(key.0)
    }

    /// Adds a batch; returns the number whose digest is forgotten for it.
    fn insert(&mut self, key: (u64, u64)) -> Option<u64> {
        self.recent.insert(key);
        if self.recent.len() <= self.most_recent {
            return None;
        }
        let (seq, _) = self.recent.pop_first()?;
        self.old.insert(seq);
        Some(seq)
    }
}

#[cfg(test)]
#[path = "settled_tests.rs"]
mod tests;
