//! I8 and I12: the views of the replicas, and what makes them change.

use std::collections::BTreeMap;

use crate::event::{Event, EventKind, Value};

use super::Invariant;
use super::agreement::Vote;
use super::context::Context;
use super::history::Phase;

/// The views of all replicas.
#[derive(Clone, Debug)]
pub(super) struct Views {
    /// For each replica the view that it is in or wants, and the row that says so.
    current: Vec<(u64, Option<Event<'static>>)>,
    /// The views that an honest replica entered and that one may still enter.
    entered: BTreeMap<u64, Entered>,
    /// The lowest view that an honest replica gave up because its timer ran out.
    lowest_given_up: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Entered {
    /// The row of the first replica.
    first: Event<'static>,
    /// That of the view's primary.
    primary: Option<Event<'static>>,
}

/// A view that was entered without a cause so far: a timer may run out later in the same instant.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenView {
    view: u64,
    row: Event<'static>,
}

/// So many views are kept in any case: dropping old ones is not worth looking for them all the time.
const KEPT: usize = 256;

impl Views {
    pub(super) fn new(replicas: usize) -> Self {
        Self { current: vec![(0, None); replicas], entered: BTreeMap::new(), lowest_given_up: None }
    }

    /// A timer of an honest replica ran out.
    pub(super) fn give_up(&mut self, view: u64) {
        self.lowest_given_up = Some(self.lowest_given_up.map_or(view, |lowest| lowest.min(view)));
    }

    /// Whether a replica takes part in this view, and does not wait for it to begin.
    pub(super) fn is_in(&self, node: u32, view: u64) -> bool {
        let (current, row) = self.current[node as usize];
        current == view && row.is_none_or(|row| row.kind == EventKind::NewView)
    }

    /// An honest replica starts or joins a change to a view.
    pub(super) fn want(&mut self, context: &mut Context, node: u32, view: u64, row: Event<'static>) {
        self.check_growth(context, node, view, row);
    }

    /// An honest replica enters a view.
    pub(super) fn enter(
        &mut self,
        context: &mut Context,
        open: &mut Vec<OpenView>,
        node: u32,
        (view, order): (u64, u64),
        row: Event<'static>,
    ) {
        self.check_growth(context, node, view, row);
        if view > 0 && !self.has_cause(view) {
            open.push(OpenView { view, row });
        }
        let primary = view % context.replicas as u64;
        // A faulty primary can send several, each with a quorum of view changes of its own; the votes see to it that no two of
        // them count (I2, I6).
        let is_promised = !context.is_faulty(primary as usize);
        let entered = self.entered.entry(view).or_insert(Entered { first: row, primary: None });
        if is_promised && entered.first.value != Some(Value::Digest(order)) {
            let rows = [entered.first, row];
            let first = entered.first.node;
            context.report(
                Invariant::I8,
                format_args!("replicas {first} and {node} entered view {view} with different orders"),
                &rows,
            );
        }
        if u64::from(node) == primary
            && let Some(before) = entered.primary.replace(row)
        {
            context.report(
                Invariant::I8,
                format_args!("replica {node}, the primary of view {view}, entered it twice: it made two new views"),
                &[before, row],
            );
        }
        if self.entered.len() > KEPT {
            self.forget(context);
        }
    }

    /// A replica comes back: to enter its view again is a repetition.
    pub(super) fn restart(&mut self, node: u32) {
        for entered in self.entered.values_mut().filter(|entered| entered.primary.is_some_and(|row| row.node == node)) {
            entered.primary = None;
        }
    }

    fn check_growth(&mut self, context: &mut Context, node: u32, view: u64, row: Event<'static>) {
        let (current, before) = &mut self.current[node as usize];
        if view < *current {
            let rows: Vec<_> = before.iter().copied().chain([row]).collect();
            let did = if row.kind == EventKind::NewView { "entered" } else { "wants" };
            context.report(
                Invariant::I8,
                format_args!("replica {node} {did} view {view}, after it was in or wanted view {current}"),
                &rows,
            );
            return;
        }
        (*current, *before) = (view, Some(row));
    }

    /// A replica that wants a later view votes in no earlier one any more: its VIEW-CHANGE has said what is prepared there.
    #[inline]
    pub(super) fn check_vote(&self, context: &mut Context, vote: Vote) {
        let (current, before) = &self.current[vote.node as usize];
        if vote.view < *current && vote.phase != Phase::Committed {
            left(context, *current, *before, vote);
        }
    }

    fn has_cause(&self, view: u64) -> bool {
        self.lowest_given_up.is_some_and(|given_up| given_up < view)
    }

    /// I12, at the end of an instant: timers that ran out in it count.
    #[cold]
    pub(super) fn settle(&self, context: &mut Context, opened: OpenView) {
        let OpenView { view, row } = opened;
        if !self.has_cause(view) {
            let node = row.node;
            context.report(
                Invariant::I12,
                format_args!("replica {node} entered view {view}, but no honest replica's timer had run out before"),
                &[row],
            );
        }
    }

    /// Drops the views that no honest replica can enter any more, and of the rest, should one lag for ever, the oldest.
    fn forget(&mut self, context: &Context) {
        let honest = self.current.iter().enumerate().filter(|(replica, _)| !context.is_faulty(*replica));
        let lowest = honest.map(|(_, (view, _))| *view).min().unwrap_or_default();
        self.entered = self.entered.split_off(&lowest);
        while self.entered.len() > 16 * KEPT {
            self.entered.pop_first();
        }
    }

    /// How many views are remembered.
    pub(super) fn len(&self) -> usize {
        self.entered.len()
    }
}

#[cold]
fn left(context: &mut Context, current: u64, before: Option<Event<'static>>, vote: Vote) {
    let rows: Vec<_> = before.into_iter().chain([vote.row(context)]).collect();
    let Vote { phase, node, view, seq, .. } = vote;
    context.report(
        Invariant::I8,
        format_args!(
            "replica {node} is {} at number {seq} in view {view}, although it is in or wants view {current}",
            phase.kind()
        ),
        &rows,
    );
}
