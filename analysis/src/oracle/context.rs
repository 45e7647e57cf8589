//! What all oracles of a run share: its size, who is faulty, the time, and what was found.

use std::fmt;

use crate::event::{Event, EventKind, Value};

use super::history::Voter;
use super::verdict::Findings;
use super::{Invariant, OracleSettings};

/// The run as far as it has come.
#[derive(Clone, Debug)]
pub(super) struct Context {
    pub(super) replicas: usize,
    /// f.
    pub(super) faults: usize,
    /// Q.
    pub(super) quorum: usize,
    /// K.
    pub(super) checkpoint_interval: u64,
    /// L.
    pub(super) log_window: u64,
    pub(super) tentative_execution: bool,
    cell: u32,
    run: u32,
    pub(super) now_ns: u64,
    /// Which replicas are corrupted or lost their state.
    faulty: Vec<bool>,
    faulty_count: usize,
    pub(super) findings: Findings,
}

impl Context {
    pub(super) fn new(settings: &OracleSettings) -> Self {
        let (replicas, faults) = (settings.replicas as usize, settings.faults as usize);
        Self {
            replicas,
            faults,
            // ceil((n + f + 1) / 2)
            quorum: (replicas + faults + 2) / 2,
            checkpoint_interval: settings.checkpoint_interval,
            log_window: settings.log_window,
            tentative_execution: settings.tentative_execution,
            cell: 0,
            run: 0,
            now_ns: 0,
            faulty: vec![false; replicas],
            faulty_count: 0,
            findings: Findings::default(),
        }
    }

    /// Which run it is: rows of evidence say so.
    pub(super) fn set_run(&mut self, cell: u32, run: u32) {
        (self.cell, self.run) = (cell, run);
    }

    #[inline]
    pub(super) fn is_faulty(&self, replica: usize) -> bool {
        self.faulty[replica]
    }

    pub(super) fn faulty_count(&self) -> usize {
        self.faulty_count
    }

    pub(super) fn set_faulty(&mut self, replica: usize) {
        if !std::mem::replace(&mut self.faulty[replica], true) {
            self.faulty_count += 1;
        }
    }

    /// Whether more replicas are faulty than the quorums are sized for.
    pub(super) fn is_assumption_broken(&self) -> bool {
        self.faulty_count > self.faults
    }

    /// Whether these replicas make a quorum together with the faulty ones, of which nothing is known.
    pub(super) fn is_quorum(&self, voters: impl Iterator<Item = Voter>) -> bool {
        let honest = voters.filter(|voter| !self.faulty[voter.node as usize]).count();
        honest + self.faulty_count >= self.quorum
    }

    /// A row of evidence.
    pub(super) fn row(&self, time_ns: u64, node: u32, kind: EventKind) -> Event<'static> {
        Event::new(self.cell, self.run, time_ns, node, kind)
    }

    /// A row of evidence about a place in the order.
    pub(super) fn slot_row(
        &self,
        (time_ns, node, kind): (u64, u32, EventKind),
        (view, seq, digest): (u64, u64, u64),
    ) -> Event<'static> {
        Event { view: Some(view), seq: Some(seq), digest: Some(digest), ..self.row(time_ns, node, kind) }
    }

    /// Takes note of a violation that shows now.
    #[cold]
    pub(super) fn report(&mut self, invariant: Invariant, what: fmt::Arguments<'_>, evidence: &[Event<'static>]) {
        self.findings.report(invariant, self.now_ns, what, evidence);
    }
}

/// The time of what has not happened.
pub(super) const NEVER: u64 = u64::MAX;

/// The row as evidence. Of texts it keeps what the oracles look at.
pub(super) fn evidence(event: &Event<'_>) -> Event<'static> {
    let value = match event.value {
        Some(Value::Digest(digest)) => Some(Value::Digest(digest)),
        Some(Value::Text("lost")) => Some(Value::Text("lost")),
        Some(Value::Text("durable")) => Some(Value::Text("durable")),
        _ => None,
    };
    let message = event.message.filter(|&message| message == "reply").map(|_| "reply");
    let Event { cell, run, time_ns, node, kind, view, seq, digest, peer, bytes, .. } = *event;
    Event { cell, run, time_ns, node, kind, view, seq, digest, peer, message, bytes, value }
}
