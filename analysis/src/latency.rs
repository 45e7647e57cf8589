//! Consensus latency: which moments it lies between, and its samples in one run.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::event::{Event, EventKind};
use crate::metric::Metric;

/// An event that contradicts those before it, or lacks a field that its kind always has.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidEvent {
    /// A field is empty.
    #[error("`{kind}` needs the column `{column}`; the log is damaged")]
    Missing {
        /// The event.
        kind: EventKind,
        /// The empty column.
        column: &'static str,
    },
    /// A client did what only a replica does.
    #[error(
        "`{kind}` by node {node}, but the run has {replicas} replicas only; \
         runs.csv and events.csv are of different experiments"
    )]
    NotAReplica {
        /// The event.
        kind: EventKind,
        /// The node.
        node: u32,
        /// The number of replicas.
        replicas: u32,
    },
    /// An `ordered` that does not follow the `propose` of its batch.
    #[error("`ordered` without the `propose` of its batch before it; the log is damaged")]
    OrderedAlone,
    /// An event earlier than the one before it.
    #[error("time runs backwards, from {before} to {now} ns; the log is damaged")]
    TimeRunsBack {
        /// Time of the event before.
        before: u64,
        /// Time of this event.
        now: u64,
    },
    /// The log knows of more corrupted replicas than `runs.csv`.
    #[error(
        "one replica more than the {expected} that runs.csv calls corrupted; \
         runs.csv and events.csv are of different experiments"
    )]
    MoreCorrupted {
        /// The number in `runs.csv`.
        expected: u32,
    },
}

/// The latency samples of one run, for one metric.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Samples {
    /// The samples in nanoseconds, by batch (or request) in the order of their first event.
    pub nanoseconds: Vec<u64>,
    /// Samples that do not exist because an honest node was silent: a replica that never committed
    /// what another one did, a client that got no reply.
    pub undefined: u64,
}

impl Samples {
    /// The run's value: the mean of its samples, in milliseconds.
    pub fn mean_ms(&self) -> Option<f64> {
        if self.nanoseconds.is_empty() {
            return None;
        }
        // Exact: the sum of 2^64 samples fits.
        let sum: u128 = self.nanoseconds.iter().map(|&ns| u128::from(ns)).sum();
        Some(sum as f64 / self.nanoseconds.len() as f64 / 1e6)
    }
}

/// Gathers the latencies of one run from its events, fed in the order of the log.
///
/// What counts:
/// - A batch is a (sequence number, digest) that at least one honest replica committed. One that
///   nobody committed, such as an equivocator's other proposal, gives no sample.
/// - It starts with the earliest `propose` of that digest, or with the earliest `request` among its
///   `ordered` rows. A batch that was never proposed (a null request of a new view), or from whose
///   requests no `request` row exists, gives no sample.
/// - Honest replicas and clients are those without a `corrupt` row anywhere in the run.
/// - What starts before the end of the warm-up gives no sample.
///
/// Keeps about 16 bytes a `committed` row and 150 bytes a batch until it is dropped, so that it can be asked at any moment;
/// [`SettledLatency`](crate::SettledLatency) needs less.
///
/// ```
/// use byzlab_analysis::{Event, EventKind, Metric, RunLatency};
/// let mut latency = RunLatency::new(4, 1);
/// let batch = |time_ns, node, kind| Event {
///     view: Some(0), seq: Some(1), digest: Some(0xabc), ..Event::new(0, 0, time_ns, node, kind)
/// };
/// latency.record(&batch(1_000, 0, EventKind::Propose))?;
/// for replica in 0..4 {
///     latency.record(&batch(5_000 + u64::from(replica), replica, EventKind::Committed))?;
/// }
/// assert_eq!(latency.samples(Metric::QuorumCommit).nanoseconds, [4_002]);
/// assert_eq!(latency.samples(Metric::AllCommit).nanoseconds, [4_003]);
/// # Ok::<(), byzlab_analysis::InvalidEvent>(())
/// ```
#[derive(Clone, Debug)]
pub struct RunLatency {
    replicas: u32,
    quorum: usize,
    warmup_ns: u64,
    now: u64,
    corrupted: BTreeSet<u32>,
    batches: Vec<Batch>,
    batch_index: BTreeMap<(u64, u64), usize>,
    /// The batch looked up last: votes on it come in a row.
    last_batch: Option<((u64, u64), usize)>,
    last_propose: Option<Propose>,
    commits: Vec<Commit>,
    requests: Vec<Request>,
    /// By client and request number, and by client and digest.
    request_by_number: BTreeMap<(u32, u64), usize>,
    request_by_digest: BTreeMap<(u32, u64), usize>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Batch {
    proposed_ns: Option<u64>,
    requested_ns: Option<u64>,
    committed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Propose {
    node: u32,
    view: Option<u64>,
    seq: u64,
    batch: usize,
}

#[derive(Clone, Copy, Debug)]
struct Commit {
    time_ns: u64,
    batch: u32,
    replica: u32,
}

#[derive(Clone, Copy, Debug)]
struct Request {
    client: u32,
    issued_ns: u64,
    replied_ns: Option<u64>,
}

impl RunLatency {
    /// For a run with n replicas and quorums sized for f faults.
    pub fn new(replicas: u32, faults: u32) -> Self {
        Self {
            replicas,
            // ceil((n + f + 1) / 2)
            quorum: (replicas as usize + faults as usize + 2) / 2,
            warmup_ns: 0,
            now: 0,
            corrupted: BTreeSet::new(),
            batches: Vec::new(),
            batch_index: BTreeMap::new(),
            last_batch: None,
            last_propose: None,
            commits: Vec::new(),
            requests: Vec::new(),
            request_by_number: BTreeMap::new(),
            request_by_digest: BTreeMap::new(),
        }
    }

    /// Leaves out what starts before this moment.
    #[must_use]
    pub fn with_warmup(mut self, warmup_ns: u64) -> Self {
        self.warmup_ns = warmup_ns;
        self
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
            EventKind::Corrupt => {
                self.corrupted.insert(event.node);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn proposed(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        let (seq, digest) = self.batch_key(event)?;
        let batch = self.batch(seq, digest);
        self.last_propose = Some(Propose { node: event.node, view: event.view, seq, batch });
        let batch = &mut self.batches[batch];
        if !batch.committed {
            batch.proposed_ns.get_or_insert(event.time_ns);
        }
        Ok(())
    }

    fn ordered(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        let digest = required(event, event.digest, "digest")?;
        let client = required(event, event.peer, "peer")?;
        let of_batch = |propose: &Propose| {
            propose.node == event.node && propose.view == event.view && Some(propose.seq) == event.seq
        };
        let propose = self.last_propose.filter(of_batch);
        let propose = propose.ok_or(InvalidEvent::OrderedAlone)?;
        if let Some(&request) = self.request_by_digest.get(&(client, digest)) {
            let issued = self.requests[request].issued_ns;
            let batch = &mut self.batches[propose.batch];
            if !batch.committed {
                batch.requested_ns = Some(batch.requested_ns.map_or(issued, |ns| ns.min(issued)));
            }
        }
        Ok(())
    }

    fn committed(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        let (seq, digest) = self.batch_key(event)?;
        let batch = self.batch(seq, digest);
        self.batches[batch].committed = true;
        self.commits.push(Commit { time_ns: event.time_ns, batch: batch as u32, replica: event.node });
        Ok(())
    }

    fn requested(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        let number = required(event, event.seq, "seq")?;
        let digest = required(event, event.digest, "digest")?;
        // A request that is sent again keeps its first time.
        if let Entry::Vacant(entry) = self.request_by_number.entry((event.node, number)) {
            entry.insert(self.requests.len());
            self.request_by_digest.entry((event.node, digest)).or_insert(self.requests.len());
            self.requests.push(Request { client: event.node, issued_ns: event.time_ns, replied_ns: None });
        }
        Ok(())
    }

    fn replied(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        let number = required(event, event.seq, "seq")?;
        if let Some(&request) = self.request_by_number.get(&(event.node, number)) {
            self.requests[request].replied_ns.get_or_insert(event.time_ns);
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

    /// The index of a batch, new or known.
    fn batch(&mut self, seq: u64, digest: u64) -> usize {
        let key = (seq, digest);
        match self.last_batch {
            Some((last, index)) if last == key => index,
            _ => {
                let next = self.batches.len();
                let index = *self.batch_index.entry(key).or_insert(next);
                if index == next {
                    self.batches.push(Batch::default());
                }
                self.last_batch = Some((key, index));
                index
            }
        }
    }

    /// The samples of the events so far. A throughput is no latency and has none, see
    /// [`RunThroughput`](crate::RunThroughput).
    pub fn samples(&self, metric: Metric) -> Samples {
        match metric {
            Metric::Client => self.client_samples(),
            Metric::Throughput => Samples::default(),
            commit => self.commit_samples(commit, &mut Vec::new()),
        }
    }

    /// The run's value if it is watched until this moment and what is still missing then counts with the time that it took
    /// so far, in milliseconds; `None` without any sample.
    ///
    /// Name: the run's mean of the samples restricted to the time that it was watched. Formula: Σ min(xᵢ, u − sᵢ) / n, with xᵢ
    /// what sample i would have become, sᵢ its start and u = `until_ns`. Missing are the requests of honest clients that were not
    /// accepted, and with a commit metric also the samples that the silence of honest replicas leaves undefined. So it is a lower
    /// bound of the mean without restriction, and a run that stalls counts as slow and never as missing.
    ///
    /// ```
    /// use byzlab_analysis::{Event, EventKind, Metric, RunLatency};
    /// let mut latency = RunLatency::new(4, 1);
    /// let event = |time_ns, seq, kind| Event { seq: Some(seq), digest: Some(seq), ..Event::new(0, 0, time_ns, 4, kind) };
    /// latency.record(&event(0, 1, EventKind::Request))?;
    /// latency.record(&event(20_000_000, 1, EventKind::Reply))?;
    /// latency.record(&event(20_000_000, 2, EventKind::Request))?;
    /// assert_eq!(latency.restricted_mean_ms(Metric::Client, 100_000_000), Some((20.0 + 80.0) / 2.0));
    /// # Ok::<(), byzlab_analysis::InvalidEvent>(())
    /// ```
    pub fn restricted_mean_ms(&self, metric: Metric, until_ns: u64) -> Option<f64> {
        let (mut samples, mut missing) = (Samples::default(), Vec::new());
        match metric {
            Metric::Throughput => return None,
            Metric::Client => samples = self.client_samples(),
            commit => samples.nanoseconds = self.commit_samples(commit, &mut missing).nanoseconds,
        }
        missing.extend(self.counted_requests().filter(|request| request.replied_ns.is_none()).map(|it| it.issued_ns));
        samples.nanoseconds.extend(missing.into_iter().map(|start| until_ns.saturating_sub(start)));
        samples.mean_ms()
    }

    /// The requests of honest clients after the warm-up.
    fn counted_requests(&self) -> impl Iterator<Item = &Request> {
        let counts =
            |request: &&Request| request.issued_ns >= self.warmup_ns && !self.corrupted.contains(&request.client);
        self.requests.iter().filter(counts)
    }

    fn client_samples(&self) -> Samples {
        let mut samples = Samples::default();
        for request in self.counted_requests() {
            match request.replied_ns {
                Some(replied) => samples.nanoseconds.push(replied - request.issued_ns),
                None => samples.undefined += 1,
            }
        }
        samples
    }

    /// The starts of those that do not exist go to `missing`.
    fn commit_samples(&self, metric: Metric, missing: &mut Vec<u64>) -> Samples {
        let corrupted = self.corrupted.range(..self.replicas).count();
        let honest = self.replicas as usize - corrupted;
        let mut samples = Samples::default();
        let mut times = Vec::new();
        for (batch, mut commits) in self.batches.iter().zip(self.commits_by_batch()) {
            let start = if is_from_request(metric) {
                batch.requested_ns.filter(|_| batch.proposed_ns.is_some())
            } else {
                batch.proposed_ns
            };
            let Some(start) = start.filter(|&ns| ns >= self.warmup_ns) else {
                continue;
            };
            // A replica may log the same commit again in a later view: the first counts.
            commits.sort_by_key(|commit| commit.replica);
            commits.dedup_by_key(|commit| commit.replica);
            commits.retain(|commit| !self.corrupted.contains(&commit.replica));
            times.clear();
            times.extend(commits.iter().map(|commit| commit.time_ns - start));
            times.sort_unstable();
            let before = samples.undefined;
            add_samples(metric, &times, self.quorum, honest, &mut samples);
            missing.extend((before..samples.undefined).map(|_| start));
        }
        samples
    }

    /// The commits of each batch, in time order.
    fn commits_by_batch(&self) -> Vec<Vec<Commit>> {
        let mut by_batch = vec![Vec::new(); self.batches.len()];
        for commit in &self.commits {
            by_batch[commit.batch as usize].push(*commit);
        }
        by_batch
    }
}

pub(crate) fn is_from_request(metric: Metric) -> bool {
    use Metric as M;
    matches!(
        metric,
        M::ReplicaCommitFromRequest | M::FirstCommitFromRequest | M::QuorumCommitFromRequest | M::AllCommitFromRequest
    )
}

/// The samples of one batch, from the latencies of the honest replicas in rising order.
fn add_samples(metric: Metric, times: &[u64], quorum: usize, honest: usize, samples: &mut Samples) {
    use Metric as M;
    let Some(&first) = times.first() else {
        return;
    };
    let sample = match metric {
        M::ReplicaCommit | M::ReplicaCommitFromRequest => {
            samples.nanoseconds.extend_from_slice(times);
            samples.undefined += (honest - times.len()) as u64;
            return;
        }
        M::FirstCommit | M::FirstCommitFromRequest => Some(first),
        M::QuorumCommit | M::QuorumCommitFromRequest => times.get(quorum - 1).copied(),
        M::AllCommit | M::AllCommitFromRequest => times.get(honest - 1).copied(),
        M::Client | M::Throughput => return,
    };
    match sample {
        Some(sample) => samples.nanoseconds.push(sample),
        None => samples.undefined += 1,
    }
}

pub(crate) fn required<T>(event: &Event<'_>, field: Option<T>, column: &'static str) -> Result<T, InvalidEvent> {
    field.ok_or(InvalidEvent::Missing { kind: event.kind, column })
}
