//! View changes: patience, VIEW-CHANGE and NEW-VIEW (rules 13–16 and 21–27).

use super::Replica;
use crate::defects::Defect;
use crate::message::{Message, PrePrepare, SignedRequest, View};
use crate::signature::Signed;
use crate::step::{Effects, Event, Timer};
use crate::view_change::{NewView, Plan, ViewChange};
use byzlab_network::{NodeId, Span, Time};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a replica waits for before it leaves its view.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Patience {
    /// Nothing.
    Off,
    /// For this very request to execute (rule 13).
    Request { client: usize, timestamp: u64 },
    /// For the new view, and then for the first request that executes in it (rule 15).
    NewView,
}

/// What a replica knows of other views than the one that it is in.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub(super) struct Views {
    /// Of each replica the latest VIEW-CHANGE, one's own included: for views above the one that it is in.
    pub(super) changes: BTreeMap<NodeId, Arc<Signed<ViewChange>>>,
    /// The NEW-VIEW of the view that it entered last; none in view 0.
    pub(super) new_view: Option<Arc<Signed<NewView>>>,
    /// The last view in which all was well again: the waiting times double with each view since.
    settled: View,
    /// Messages of views that it has not entered yet, by sender.
    early: BTreeMap<NodeId, Vec<Message>>,
}

impl Views {
    pub(super) fn forget_messages(&mut self) {
        self.early.clear();
    }

    fn forget_messages_before(&mut self, view: View) {
        self.early.retain(|_, messages| {
            messages.retain(|message| message.view() >= Some(view));
            !messages.is_empty()
        });
    }
}

impl View {
    /// The one after it. The last possible view has none after it.
    fn next(self) -> View {
        View(self.0.saturating_add(1))
    }
}

impl Replica {
    /// Holds a request that has not executed, and as a backup starts waiting for it (rule 13); tells whether it is new.
    pub(super) fn await_request(
        &mut self,
        now: Time,
        client: usize,
        request: &SignedRequest,
        effects: &mut Effects,
    ) -> bool {
        if !self.config.view_change {
            return false;
        }
        let is_new = self.requests.hold(client, request);
        if self.patience == Patience::Off && self.active.is_some() {
            self.await_next(now, effects);
        }
        is_new
    }

    /// Waits for the request that has waited longest, if there is one. A primary waits for nobody.
    fn await_next(&mut self, now: Time, effects: &mut Effects) {
        match self.requests.first() {
            Some((client, timestamp)) if !self.is_primary() => {
                self.patience = Patience::Request { client, timestamp };
                self.set_deadline(Some(now + self.config.request_timeout), effects);
            }
            _ => self.lose_no_patience(effects),
        }
    }

    fn lose_no_patience(&mut self, effects: &mut Effects) {
        self.patience = Patience::Off;
        self.set_deadline(None, effects);
    }

    fn set_deadline(&mut self, deadline: Option<Time>, effects: &mut Effects) {
        if self.deadline != deadline {
            self.deadline = deadline;
            effects.timers.push((Timer::View, deadline));
        }
    }

    /// Looks whether what it waits for has happened. `settles`: a request of the current view has executed.
    pub(super) fn review_patience(&mut self, now: Time, settles: bool, effects: &mut Effects) {
        match self.patience {
            Patience::Request { client, timestamp }
                if self.state.last_of(client).timestamp >= timestamp
                    || self.config.defects.has(Defect::TimerResetByOthers) =>
            {
                self.await_next(now, effects);
            }
            Patience::NewView if self.active.is_some() && (settles || self.requests.is_empty()) => {
                self.views.settled = self.view;
                self.await_next(now, effects);
            }
            _ => {}
        }
    }

    pub(super) fn on_view_timer(&mut self, now: Time, effects: &mut Effects) {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        effects.event(Event::Timeout(self.view));
        self.start_view_change(now, self.view.next(), effects);
    }

    /// Leaves its view for a later one: says what was prepared, and takes part in nothing until the new view begins (rules 14, 21, 22).
    fn start_view_change(&mut self, now: Time, view: View, effects: &mut Effects) {
        self.roll_back(now, effects);
        self.lose_no_patience(effects);
        (self.view, self.primary, self.active) = (view, self.config.cluster.primary(view), None);
        self.views.forget_messages_before(view);
        self.views.changes.retain(|_, change| change.view >= view);
        effects.event(Event::ViewChange(view));
        let stable = self.log.low();
        let prepared = if self.config.defects.has(Defect::PreparedDropped) {
            Vec::new()
        } else {
            let within = self.log.iter().filter(|&(seq, _)| self.log.contains(seq));
            within.filter_map(|(_, entry)| entry.prepared()).collect()
        };
        let checkpoint = self.checkpoints.proof.clone();
        let change = ViewChange { view, stable, checkpoint, prepared, replica: self.id() };
        let change = Arc::new(self.signer.sign(change));
        self.send_to_others(Message::ViewChange(Arc::clone(&change)), effects);
        self.views.changes.insert(self.id(), change);
        self.consider_new_view(now, effects);
    }

    pub(super) fn on_view_change(
        &mut self,
        now: Time,
        from: NodeId,
        change: Arc<Signed<ViewChange>>,
        effects: &mut Effects,
    ) {
        let latest = self.views.changes.get(&from);
        let news = self.config.view_change
            && change.replica == from
            && change.view >= self.view
            && (Some(change.view) != self.active || self.begins_again())
            && latest.is_none_or(|latest| latest.view < change.view);
        // One bad certificate discards this VIEW-CHANGE alone (rule 23).
        let unchecked = self.config.defects.has(Defect::BadCertificateMasks);
        if !news || !(change.is_valid(&self.config) || unchecked) {
            return;
        }
        self.views.changes.insert(from, change);
        let above = || self.views.changes.values().map(|change| change.view).filter(|&view| view > self.view);
        // Among f+1 is an honest one (rule 16).
        if above().count() >= usize::from(self.config.cluster.weak_quorum())
            && let Some(smallest) = above().min()
        {
            self.start_view_change(now, smallest, effects);
        }
        self.consider_new_view(now, effects);
    }

    /// With a quorum for the view that it wants: starts the timer (rule 15), and as its primary the view (rule 24).
    ///
    /// For the timer it is enough that a quorum wants this view or a later one. Who wants a later one has given up this one, so its
    /// VIEW-CHANGE for this one is not sent again; if it was lost, waiting for just that would be for ever.
    fn consider_new_view(&mut self, now: Time, effects: &mut Effects) {
        let quorum = usize::from(self.config.cluster.quorum());
        if self.active.is_some() && !self.begins_again() || self.views.changes.len() < quorum {
            return;
        }
        let wanted = self.views.changes.values().filter(|change| change.view == self.view);
        let unchecked = self.config.defects.has(Defect::BadCertificateMasks);
        let is_masked = unchecked && wanted.clone().any(|change| !change.is_valid(&self.config));
        if self.is_primary() && wanted.clone().count() >= quorum && !is_masked {
            let changes = wanted.map(Arc::clone).collect();
            let (new_view, plan) = NewView::with_plan(&self.signer, self.view, changes, self.config.defects);
            let new_view = Arc::new(new_view);
            self.send_to_others(Message::NewView(Arc::clone(&new_view)), effects);
            self.await_new_view(now, effects);
            self.enter(now, &new_view, plan, effects);
        } else if self.patience == Patience::Off {
            self.await_new_view(now, effects);
        }
    }

    /// [`Defect::NewViewAgain`]: a primary that has begun its view does not know it.
    fn begins_again(&self) -> bool {
        self.config.defects.has(Defect::NewViewAgain) && self.is_primary()
    }

    /// T, 2T, 4T, …: doubled for each view in a row (rule 15).
    fn await_new_view(&mut self, now: Time, effects: &mut Effects) {
        let never_settles = self.config.defects.has(Defect::DoublingNeverResets);
        let settled = if never_settles { View(0) } else { self.views.settled };
        let in_a_row = self.view.0.saturating_sub(settled.0).saturating_sub(1);
        let factor = 1_u64.checked_shl(in_a_row).unwrap_or(u64::MAX);
        let wait = Span::from_nanos(self.config.view_change_timeout.as_nanos().saturating_mul(factor));
        self.patience = Patience::NewView;
        self.set_deadline(Some(now + wait), effects);
    }

    /// The NEW-VIEW may come from any replica: the primary's signature counts. One that does not follow from its own
    /// certificates changes nothing, and the timer runs on (rule 26).
    pub(super) fn on_new_view(&mut self, now: Time, new_view: &Arc<Signed<NewView>>, effects: &mut Effects) {
        let view = new_view.view;
        if !self.config.view_change || view < self.view || Some(view) == self.active {
            return;
        }
        if self.config.defects.has(Defect::StuckAfterCatchingUp) && new_view.stable() < self.log.low() {
            return;
        }
        if let Some(plan) = new_view.check(&self.config) {
            self.enter(now, new_view, plan, effects);
        }
    }

    /// Begins a view (rule 27).
    fn enter(&mut self, now: Time, new_view: &Arc<Signed<NewView>>, plan: Plan, effects: &mut Effects) {
        let view = new_view.view;
        self.roll_back(now, effects);
        let waits = self.patience == Patience::NewView && self.view == view;
        (self.view, self.primary, self.active) = (view, self.config.cluster.primary(view), Some(view));
        self.views.new_view = Some(Arc::clone(new_view));
        let keeps = self.begins_again();
        self.views.changes.retain(|_, change| change.view > view || keeps && change.view == view);
        self.log.leave_view();
        self.proposer.begin_view(plan.last());
        self.pulse.moved(now);
        effects.event(Event::NewView { view, order: new_view.order_digest() });

        if let Some(proof) = plan.checkpoint.filter(|proof| proof.slot().seq > self.log.low()) {
            self.settle_checkpoint(now, proof.clone(), effects);
            if proof.slot().seq > self.log.low() {
                self.catch_up_to(now, proof, effects);
            }
        }
        self.accept_order(now, new_view, effects);

        if self.requests.is_empty() {
            self.views.settled = view;
            self.lose_no_patience(effects);
        } else if !waits {
            self.await_new_view(now, effects);
        }
        if self.is_primary() {
            self.propose_again(now, effects);
        } else {
            self.relay_again(effects);
        }
        self.take_early_messages(now, effects);
        self.execute_ready(now, effects);
    }

    /// Accepts what O orders above h; contents that are missing are fetched from those who prepared them.
    fn accept_order(&mut self, now: Time, new_view: &NewView, effects: &mut Effects) {
        let mut known = Vec::new();
        let low = self.log.low();
        for vote in new_view.order.iter().filter(|vote| vote.seq > low) {
            let Some(entry) = self.log.entry(vote.seq) else { continue };
            match entry.batch(vote.digest) {
                Some(batch) => known.push(Arc::new(PrePrepare { vote: *vote, batch })),
                None => entry.awaited = Some(*vote),
            }
        }
        for pre_prepare in known {
            self.accept(now, pre_prepare, effects);
        }
        self.fetch_awaited(effects);
    }

    /// Keeps a message of a view that has not begun here (rules 5 and 21). Of each sender only so many: what an honest one can
    /// send in a window.
    #[cold]
    pub(super) fn keep_for_later(&mut self, from: NodeId, message: Message) {
        if !self.config.view_change || message.view() < Some(self.view) {
            return;
        }
        let room = 3 * self.config.log_window.get();
        let kept = self.views.early.entry(from).or_default();
        if (kept.len() as u64) < room {
            kept.push(message);
        }
    }

    fn take_early_messages(&mut self, now: Time, effects: &mut Effects) {
        let view = self.view;
        self.views.forget_messages_before(view);
        let mut due = Vec::new();
        for (&from, messages) in &mut self.views.early {
            let later = |message: &Message| message.view() > Some(view);
            let (keep, take): (Vec<_>, Vec<_>) = std::mem::take(messages).into_iter().partition(later);
            *messages = keep;
            due.extend(take.into_iter().map(|message| (from, message)));
        }
        self.views.early.retain(|_, messages| !messages.is_empty());
        for (from, message) in due {
            self.on_message(now, from, message, effects);
        }
    }
}
