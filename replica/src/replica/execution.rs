//! Execution, strictly in order; tentative execution and reads (rules 7, 10, 19, 28, 29).

use super::Replica;
use crate::log::{Entry, Phase};
use crate::message::{Batch, SeqNum, SignedRequest};
use crate::step::{Effects, Event, Slot};
use byzlab_network::{NodeId, Time};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Reads that wait until the state that they would read is committed: of each client the last.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub(super) struct Reads {
    waiting: BTreeMap<NodeId, SignedRequest>,
    /// The last number that was executed tentatively and taken back. A client may have accepted what was replied then, so a state
    /// before it is too old to be read.
    at_least: SeqNum,
}

impl Reads {
    pub(super) fn forget_waiting(&mut self) {
        self.waiting.clear();
    }
}

impl Replica {
    /// Executes what is committed, strictly in order; and if the option is on, one batch beyond that which is only prepared.
    pub(super) fn execute_ready(&mut self, now: Time, effects: &mut Effects) {
        loop {
            if self.undo.is_some() {
                let Some((slot, batch)) = self.log.get(self.last_executed).and_then(Entry::decision) else { break };
                self.undo = None;
                self.conclude(now, slot, &batch, effects);
                continue;
            }
            let seq = self.last_executed.next();
            let Some(entry) = self.log.get(seq) else { break };
            if let Some((slot, batch)) = entry.decision() {
                self.execute(slot, &batch, effects);
                self.conclude(now, slot, &batch, effects);
            } else if let Some(pre_prepare) = &entry.pre_prepare
                && self.config.tentative
                && self.active.is_some()
                && entry.phase == Phase::Prepared
            {
                let (slot, batch) = (pre_prepare.slot(), Arc::clone(&pre_prepare.batch));
                self.undo = Some(Box::new(self.state.clone()));
                self.execute(slot, &batch, effects);
            } else {
                break;
            }
        }
        self.propose_waiting(now, effects);
    }

    /// Executes a batch and replies. A request that has taken effect already is left out (rule 10).
    fn execute(&mut self, slot: Slot, batch: &Batch, effects: &mut Effects) {
        let place = effects.events.len();
        for request in batch.requests() {
            let Some(client) = self.config.client_index(request.client) else { continue };
            if request.timestamp > self.state.last_of(client).timestamp {
                let result = self.state.execute(client, request.timestamp, request.operation, request.reads);
                effects.executed += 1;
                self.reply(request.client, request.timestamp, result, effects);
            }
        }
        self.last_executed = slot.seq;
        // Its replies tell of the state after it.
        effects.events.insert(place, Event::Executed { slot, state: self.state.digest() });
    }

    /// What follows once an executed batch is committed.
    fn conclude(&mut self, now: Time, slot: Slot, batch: &Batch, effects: &mut Effects) {
        self.pulse.moved(now);
        if self.config.view_change {
            for request in batch.requests() {
                if let Some(client) = self.config.client_index(request.client) {
                    self.requests.executed(client, request.timestamp);
                }
            }
            let settles = !batch.requests().is_empty() && self.active == Some(slot.view);
            self.review_patience(now, settles, effects);
        }
        if self.config.is_checkpoint(slot.seq) {
            self.take_checkpoint(now, slot.seq, effects);
        }
        if !self.reads.waiting.is_empty() {
            self.answer_reads(effects);
        }
    }

    /// The last number that it executed for good, and not tentatively.
    pub(super) fn last_final(&self) -> SeqNum {
        SeqNum(self.last_executed.0 - u64::from(self.undo.is_some()))
    }

    /// Takes back what was executed tentatively (rule 28).
    pub(super) fn roll_back(&mut self, now: Time, effects: &mut Effects) {
        let Some(before) = self.undo.take() else { return };
        self.state = *before;
        self.reads.at_least = self.reads.at_least.max(self.last_executed);
        let undone = self.log.get(self.last_executed).and_then(|entry| entry.pre_prepare.as_ref());
        if let Some(pre_prepare) = undone {
            effects.event(Event::Rollback(pre_prepare.slot()));
        }
        self.last_executed = SeqNum(self.last_executed.0 - 1);
        self.pulse.moved(now);
    }

    /// Answers a read at once if the state is committed, else as soon as it is (rule 29).
    pub(super) fn on_read(&mut self, from: NodeId, request: SignedRequest, effects: &mut Effects) {
        let Some(client) = self.config.client_index(request.client) else { return };
        let proper = self.config.read_only
            && request.reads
            && from == request.client
            && self.config.can_verify(self.id(), &request)
            && request.timestamp > self.state.last_of(client).timestamp;
        if !proper {
            return;
        }
        self.reads.waiting.insert(from, request);
        self.answer_reads(effects);
    }

    pub(super) fn answer_reads(&mut self, effects: &mut Effects) {
        if self.undo.is_some() || self.last_executed < self.reads.at_least {
            return;
        }
        for (client, request) in std::mem::take(&mut self.reads.waiting) {
            let result = self.state.read(request.operation);
            effects.executed += 1;
            self.answer(client, request.timestamp, result, Some(self.last_executed), effects);
        }
    }
}
