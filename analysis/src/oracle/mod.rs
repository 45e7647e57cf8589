//! Oracles: checkers that read a run's events and say whether the protocol kept its promises.
//!
//! ```text
//! events, in process or from a log ──► Oracles::observe ──► Oracles::finish ──► a judgement an invariant
//!                                          │
//!      first_violation, agreement_held ◄───┘   at any time
//! ```
//!
//! | | invariant | rows that it needs |
//! |---|---|---|
//! | I1 | agreement | `committed`, `executed`, `state_transfer` |
//! | I2 | one prepared digest | `prepared` |
//! | I3 | validity | `request`, `propose` with `ordered`, `executed` |
//! | I4 | one history | `executed`, `rollback`, `checkpoint`, `state_transfer`, `restart` |
//! | I5 | linearizability | `request`, `reply`, `propose` with `ordered`, `executed`, and of the replies `send` |
//! | I6 | commits survive | `prepared`, `committed`, `pre_prepared` |
//! | I7 | no equivocation | `pre_prepared`, `prepared`, `propose` |
//! | I8 | views grow | `view_change`, `new_view`, `pre_prepared`, `prepared` |
//! | I9 | window | `pre_prepared`, `prepared`, `committed`, `checkpoint`, `stable`, `state_transfer` |
//! | I10 | equal checkpoints | `stable` |
//! | I11 | liveness | `request`, `reply`, `crash`, `restart` |
//! | I12 | caused view changes | `timeout`, `new_view` |
//!
//! All need `corrupt` and `restart` too: a replica is faulty once it is corrupted or lost its state. What it did before still
//! binds, what it does later says nothing. With more than f faulty replicas nothing is promised; then a broken agreement is still a
//! violation, and everything else is noted beside a broken assumption.
//!
//! # What exactly is judged
//!
//! * **Same instant.** Rows of one instant are ordered by node, not by cause. Where something needs a quorum (I6, I9) or a cause
//!   (I12), what comes later in the same instant counts.
//! * **Tentative execution.** An execution binds when its replica has committed it, or executes the next one on top; or when it has
//!   committed something else there and has not taken the execution back by the end of that instant.
//! * **I12** also says that an honest replica does not lose patience while nobody waits: with every request accepted that was ever
//!   issued, and executed at this replica, no timer of its view may run (rules 12 and 13). Where clients are corrupted, reads need not be
//!   ordered, or executions can be taken back, that cannot be known.
//! * **I4** does not count how often a request takes effect: one that is ordered twice is executed as a no-op the second time, and
//!   only states tell. Equal histories and equal states at every number say the same.
//! * **I5.** An accepted result must be one that an honest replica gave for that request. A request that was issued after another
//!   one was accepted must not come before it in the order. A result for a request that was not ordered, a read, must
//!   come from an honest replica that had executed everything accepted before the read was issued, at the latest in the instant of
//!   its reply. One that was ordered too, but accepted from replicas that had not come so far, counts as a read. Without replies only the order is checked, and I5 is at best "not judged".
//!   A client sends one request after the other, as the paper wants: one that was issued while another waited, as in an open loop, must
//!   come behind that too.
//!   What is not seen: a tentative result that a client accepted, if the request is executed again elsewhere with another one.
//! * **I6** compares what an honest replica accepts in later views, which is what their NEW-VIEWs say or what was proposed after
//!   them: neither may contradict a commit.
//! * **I8** also takes a replica to the view that it wants: after its VIEW-CHANGE it is pre-prepared and prepared in no earlier view.
//!   (It may learn what was committed there.) It asks for one order of a view only where the view's primary is honest. A faulty one can send several NEW-VIEWs, each
//!   with a quorum of VIEW-CHANGEs of its own, and nothing in the protocol keeps two replicas from entering with either; that no two
//!   of their orders count is I2 and I6.
//! * **I11** is judged at the end for requests whose deadline has come; if others wait, it is at best "not judged". It is not
//!   judged if at some moment after stabilisation more than f replicas were down or faulty.
//!
//! # Memory
//!
//! Of a number that is stable at all honest replicas only the decision is kept, 32 bytes, and that for one window; then it is
//! dropped. The same goes for what lies a window below the highest stable checkpoint, so a replica that lags for ever, such as a dead
//! one, costs 32 bytes a number. Of requests the last 65,536 to 131,072 are remembered. An older one may be
//! proposed again by a liar; nobody can tell then whether it was issued, and I3 says so. [`Oracles::tracked`] counts all of it.

mod agreement;
mod check;
mod checkpoints;
mod clients;
mod context;
mod digests;
mod history;
mod invariant;
mod liveness;
mod order;
mod report;
mod settings;
mod verdict;
mod views;

pub use check::{RunCheck, check_log, check_results};
pub use invariant::{Invariant, InvariantSet, UnknownInvariant};
pub use report::CheckReport;
pub use settings::{Detail, Liveness, OracleSettings};
pub use verdict::{Judgement, Violation};

use crate::event::{Event, EventKind, Value};
use crate::latency::{InvalidEvent, required};

use agreement::{OpenCommit, Vote};
use checkpoints::{Checkpoints, OpenCheckpoint};
use clients::Clients;
use context::{Context, evidence};
use history::{History, OrderedRequest, Phase};
use liveness::LivenessOracle;
use order::Executions;
use views::{OpenView, Views};

/// The oracles of one run.
///
/// Feed them all events in the order of the log with [`observe`](Self::observe), then call [`finish`](Self::finish).
///
/// ```
/// use byzlab_analysis::oracle::{Invariant, Judgement, OracleSettings, Oracles};
/// use byzlab_analysis::{Event, EventKind};
///
/// let mut oracles = Oracles::new(OracleSettings::new(4, 1));
/// let prepared = |time_ns, node, digest| Event {
///     view: Some(0), seq: Some(1), digest: Some(digest), ..Event::new(0, 0, time_ns, node, EventKind::Prepared)
/// };
/// oracles.observe(&prepared(1_000, 1, 0xaa))?;
/// oracles.observe(&prepared(1_500, 2, 0xbb))?;
/// let violation = oracles.first_violation().expect("two digests are prepared");
/// assert_eq!((violation.invariant, violation.time_ns), (Invariant::I2, 1_500));
/// assert_eq!(violation.nodes, [1, 2]);
/// # Ok::<(), byzlab_analysis::InvalidEvent>(())
/// ```
#[derive(Clone, Debug)]
pub struct Oracles {
    enabled: InvariantSet,
    detail: Detail,
    context: Context,
    history: History,
    executions: Executions,
    checkpoints: Checkpoints,
    views: Views,
    clients: Clients,
    liveness: LivenessOracle,
    open_commits: Vec<OpenCommit>,
    open_checkpoints: Vec<OpenCheckpoint>,
    open_views: Vec<OpenView>,
}

/// How much the oracles remember: see *Memory* in the [module's documentation](self).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tracked {
    /// Sequence numbers with all that happened there.
    pub numbers: usize,
    /// Sequence numbers with their decision alone, for replicas that lag.
    pub decisions: usize,
    /// Checkpoints.
    pub checkpoints: usize,
    /// Views.
    pub views: usize,
    /// Requests that wait for their results.
    pub requests: usize,
    /// Digests of requests, for I3.
    pub issued: usize,
}

impl Oracles {
    /// The oracles of a run.
    ///
    /// # Panics
    ///
    /// If there is no replica.
    pub fn new(settings: OracleSettings) -> Self {
        assert!(settings.replicas > 0, "a run has replicas");
        let context = Context::new(&settings);
        let replicas = context.replicas;
        Self {
            enabled: settings.enabled,
            detail: settings.detail,
            context,
            history: History::new(settings.log_window),
            executions: Executions::new(replicas),
            checkpoints: Checkpoints::new(replicas),
            views: Views::new(replicas),
            clients: Clients::new(settings.detail.has_replies(), settings.unordered_reads),
            liveness: LivenessOracle::new(settings.liveness, replicas),
            open_commits: Vec::new(),
            open_checkpoints: Vec::new(),
            open_views: Vec::new(),
        }
    }

    /// Takes the run's next event.
    ///
    /// Fails if it contradicts the events before it or lacks a column that its kind always has; such an event is not judged.
    #[inline]
    pub fn observe(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        if event.time_ns != self.context.now_ns {
            self.advance(event)?;
        }
        match event.kind {
            EventKind::PrePrepared => self.voted(event, Phase::PrePrepared),
            EventKind::Prepared => self.voted(event, Phase::Prepared),
            EventKind::Committed => self.voted(event, Phase::Committed),
            EventKind::Executed => self.executed(event),
            EventKind::Send => self.sent(event),
            EventKind::Deliver | EventKind::Drop | EventKind::Duplicate | EventKind::Attack => Ok(()),
            _ => self.observe_rare(event),
        }
    }

    /// Whether no two honest replicas disagreed so far (I1).
    pub fn agreement_held(&self) -> bool {
        self.context.findings.of(Invariant::I1).is_none()
    }

    /// Whether all that honest replicas executed so far was asked for (I3).
    pub fn validity_held(&self) -> bool {
        self.context.findings.of(Invariant::I3).is_none()
    }

    /// The earliest violation so far of an invariant that is judged; with more than f faulty replicas that is I1 alone.
    ///
    /// I6, I9 and I12, and I1, I3 and I4 of what was executed tentatively, show when their instant is over, I11 for requests without a result in [`finish`](Self::finish).
    pub fn first_violation(&self) -> Option<&Violation> {
        let judged = |invariant: &Invariant| {
            let is_promised = *invariant == Invariant::I1 || !self.context.is_assumption_broken();
            is_promised && self.enabled.contains(*invariant) && self.reason(*invariant).is_none()
        };
        let violations = Invariant::ALL.into_iter().filter(judged);
        violations.filter_map(|invariant| self.context.findings.of(invariant)).min_by_key(|violation| violation.time_ns)
    }

    /// No more comes at this instant: judges what had to wait for its end.
    pub fn close_instant(&mut self) {
        self.settle();
    }

    /// Judges the run, which ended at `end_ns`: a judgement for each invariant, in order.
    pub fn finish(mut self, end_ns: u64) -> Vec<(Invariant, Judgement)> {
        self.settle();
        self.liveness.finish(&mut self.context, &self.clients, end_ns);
        Invariant::ALL.into_iter().map(|invariant| (invariant, self.judgement(invariant))).collect()
    }

    fn judgement(&self, invariant: Invariant) -> Judgement {
        if !self.enabled.contains(invariant) {
            return Judgement::Off;
        }
        let violation = self.context.findings.of(invariant);
        let reason = self.reason(invariant);
        let is_broken = self.context.is_assumption_broken() && invariant != Invariant::I1;
        match (violation, reason) {
            (_, Some(reason)) if self.detail == Detail::None => Judgement::NotJudged(reason),
            (violation, _) if is_broken => Judgement::AssumptionBroken(violation.cloned()),
            // What is late may be excused; what is wrong is wrong, however little can be seen.
            (_, Some(reason)) if invariant == Invariant::I11 => Judgement::NotJudged(reason),
            (Some(violation), _) => Judgement::Violated(violation.clone()),
            (None, Some(reason)) => Judgement::NotJudged(reason),
            (None, None) => Judgement::Held,
        }
    }

    /// Why an invariant cannot be said to hold.
    fn reason(&self, invariant: Invariant) -> Option<String> {
        self.detail.reason(invariant).map(str::to_owned).or_else(|| match invariant {
            Invariant::I3 => self.clients.reason(),
            Invariant::I11 => self.liveness.reason(self.context.findings.of(invariant).is_some()),
            _ => None,
        })
    }

    /// How much is remembered.
    pub fn tracked(&self) -> Tracked {
        let (numbers, decisions) = self.history.sizes();
        let (requests, issued) = self.clients.sizes();
        let (checkpoints, views) = (self.checkpoints.len(), self.views.len());
        Tracked { numbers, decisions, checkpoints, views, requests, issued }
    }

    /// Time moves on.
    fn advance(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        let (before, now) = (self.context.now_ns, event.time_ns);
        if now < before {
            return Err(InvalidEvent::TimeRunsBack { before, now });
        }
        self.settle();
        self.context.now_ns = now;
        Ok(())
    }

    /// Judges what had to wait for the end of the instant.
    #[inline]
    fn settle(&mut self) {
        let is_open = !self.open_commits.is_empty()
            || !self.open_checkpoints.is_empty()
            || !self.open_views.is_empty()
            || self.executions.is_unsettled()
            || self.clients.is_unsettled();
        if !is_open {
            return;
        }
        for commit in self.open_commits.drain(..) {
            agreement::settle(&mut self.context, &mut self.history, commit);
        }
        for checkpoint in self.open_checkpoints.drain(..) {
            self.checkpoints.settle(&mut self.context, checkpoint);
        }
        for view in self.open_views.drain(..) {
            self.views.settle(&mut self.context, view);
        }
        self.executions.settle(&mut self.context, &mut self.history, &mut self.clients);
        self.clients.settle(|replica| self.executions.reached(replica));
    }

    #[inline]
    fn voted(&mut self, event: &Event<'_>, phase: Phase) -> Result<(), InvalidEvent> {
        let replica = self.replica(event)?;
        let (view, seq, digest) = slot(event)?;
        if self.context.is_faulty(replica) {
            return Ok(());
        }
        let vote = Vote { phase, node: event.node, view, seq, digest };
        self.context.set_run(event.cell, event.run);
        self.checkpoints.check_window(&mut self.context, vote);
        self.views.check_vote(&mut self.context, vote);
        agreement::vote(&mut self.context, &mut self.history, &mut self.open_commits, vote);
        if phase == Phase::Committed && self.context.tentative_execution {
            self.executions.commit(&mut self.context, &mut self.history, &mut self.clients, (seq, event));
        }
        Ok(())
    }

    #[inline]
    fn executed(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        let replica = self.replica(event)?;
        let slot = slot(event)?;
        let state = value(event)?;
        if !self.context.is_faulty(replica) {
            self.context.set_run(event.cell, event.run);
            let Self { executions, context, history, clients, .. } = self;
            executions.execute(context, history, clients, event.node, slot, state);
        }
        Ok(())
    }

    /// Of all messages only replies matter.
    fn sent(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        let replica = event.node as usize;
        if event.message != Some("reply") || replica >= self.context.replicas || self.context.is_faulty(replica) {
            return Ok(());
        }
        let number = required(event, event.seq, "seq")?;
        let client = required(event, event.peer, "peer")?;
        // In a log of messages the digest of a reply is that of its result.
        let result = if let Some(Value::Digest(result)) = event.value { Some(result) } else { event.digest };
        let result = required(event, result, "value")?;
        let executed = self.executions.reached(replica);
        self.clients.answer(&self.context, event.node, (client, number), result, executed);
        Ok(())
    }

    /// The events that come once a batch or less.
    #[inline(never)]
    fn observe_rare(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        self.context.set_run(event.cell, event.run);
        match event.kind {
            EventKind::Request => {
                let number = required(event, event.seq, "seq")?;
                let digest = required(event, event.digest, "digest")?;
                self.clients.issue(&self.context, event.node, number, digest);
            }
            EventKind::Reply => {
                let number = required(event, event.seq, "seq")?;
                let result = value(event)?;
                if let Some(waiting) = self.clients.accept(&mut self.context, event, number, result) {
                    self.liveness.accept(&mut self.context, &waiting, event);
                }
            }
            EventKind::Propose => {
                let replica = self.replica(event)?;
                let slot = slot(event)?;
                self.clients.propose(&self.context, &mut self.history, event.node, slot);
                if !self.context.is_faulty(replica) {
                    agreement::propose(&mut self.context, &mut self.history, event.node, slot);
                }
            }
            EventKind::Ordered => {
                let (view, seq, digest) = slot(event)?;
                let client = required(event, event.peer, "peer")?;
                let request = OrderedRequest { client, digest };
                if !self.clients.list(&mut self.history, (event.node, view, seq), request) {
                    return Err(InvalidEvent::OrderedAlone);
                }
            }
            EventKind::Corrupt => self.corrupted(event),
            EventKind::Crash => self.crashed(event),
            EventKind::Restart => self.restarted(event)?,
            _ => return self.observe_of_replica(event),
        }
        Ok(())
    }

    /// What an honest replica does now and then.
    fn observe_of_replica(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        let replica = self.replica(event)?;
        if self.context.is_faulty(replica) {
            return Ok(());
        }
        let Self { context, history, checkpoints, .. } = self;
        let (node, row) = (event.node, evidence(event));
        match event.kind {
            EventKind::Rollback => {
                let seq = required(event, event.seq, "seq")?;
                self.executions.roll_back(context, node, seq, row);
            }
            EventKind::Checkpoint => {
                let checkpoint = checkpoint(event)?;
                Executions::checkpoint(context, history, node, checkpoint, row);
                checkpoints.vouch(context, node, checkpoint);
            }
            EventKind::Stable => {
                checkpoints.stabilise(context, &mut self.open_checkpoints, node, checkpoint(event)?, row);
                self.prune();
            }
            EventKind::StateTransfer => {
                let checkpoint = checkpoint(event)?;
                self.executions.transfer(context, history, node, checkpoint, row);
                checkpoints.stabilise(context, &mut self.open_checkpoints, node, checkpoint, row);
                self.prune();
            }
            EventKind::Timeout => {
                let view = required(event, event.view, "view")?;
                self.views.give_up(view);
                let is_final = !context.tentative_execution;
                let is_idle = is_final && self.views.is_in(node, view) && self.executions.is_up_to_date(node);
                if is_idle && self.clients.all_are_served() {
                    let what =
                        format_args!("replica {node} lost patience in view {view}, and no client waited for anything");
                    context.report(Invariant::I12, what, &[row]);
                }
            }
            EventKind::ViewChange => {
                let view = required(event, event.view, "view")?;
                self.views.want(context, node, view, row);
            }
            EventKind::NewView => {
                let view = required(event, event.view, "view")?;
                self.views.enter(context, &mut self.open_views, node, (view, value(event)?), row);
            }
            _ => {}
        }
        Ok(())
    }

    fn corrupted(&mut self, event: &Event<'_>) {
        match self.replica(event) {
            Ok(replica) => self.turned_faulty(replica),
            Err(_) => self.clients.corrupt(event.node),
        }
    }

    fn crashed(&mut self, event: &Event<'_>) {
        match self.replica(event) {
            Ok(replica) => self.liveness.set_down(&self.context, replica, true),
            Err(_) => self.clients.crash(event.node),
        }
    }

    fn restarted(&mut self, event: &Event<'_>) -> Result<(), InvalidEvent> {
        let Ok(replica) = self.replica(event) else { return Ok(()) };
        let how = required(event, event.value, "value")?;
        self.liveness.set_down(&self.context, replica, false);
        self.executions.restart(event.node);
        self.views.restart(event.node);
        if how == Value::Text("lost") {
            self.turned_faulty(replica);
        }
        Ok(())
    }

    fn turned_faulty(&mut self, replica: usize) {
        self.liveness.look(&self.context, self.context.now_ns);
        self.context.set_faulty(replica);
        self.checkpoints.forget(&self.context);
        self.prune();
    }

    fn prune(&mut self) {
        let (lowest, highest) = self.checkpoints.extremes();
        self.history.prune(lowest, highest, self.context.log_window);
    }

    /// The replica that did it.
    #[inline]
    fn replica(&self, event: &Event<'_>) -> Result<usize, InvalidEvent> {
        let replica = event.node as usize;
        let not_a_replica =
            || InvalidEvent::NotAReplica { kind: event.kind, node: event.node, replicas: self.context.replicas as u32 };
        (replica < self.context.replicas).then_some(replica).ok_or_else(not_a_replica)
    }
}

#[inline]
fn slot(event: &Event<'_>) -> Result<(u64, u64, u64), InvalidEvent> {
    let view = required(event, event.view, "view")?;
    let seq = required(event, event.seq, "seq")?;
    Ok((view, seq, required(event, event.digest, "digest")?))
}

fn checkpoint(event: &Event<'_>) -> Result<(u64, u64), InvalidEvent> {
    Ok((required(event, event.seq, "seq")?, value(event)?))
}

/// The digest in the column `value`.
#[inline]
fn value(event: &Event<'_>) -> Result<u64, InvalidEvent> {
    let digest = if let Some(Value::Digest(digest)) = event.value { Some(digest) } else { None };
    required(event, digest, "value")
}
