//! I9 and I10: the window of each replica's log, and the checkpoints that move it.

use std::collections::BTreeMap;

use crate::event::{Event, EventKind};

use super::Invariant;
use super::agreement::Vote;
use super::context::{Context, NEVER};
use super::history::{Voter, voters_of};
use super::order::state_row;

/// The windows of all replicas and what is known of checkpoints.
#[derive(Clone, Debug)]
pub(super) struct Checkpoints {
    windows: Vec<Window>,
    /// The row by which each of them last moved.
    moves: Vec<Option<Event<'static>>>,
    /// By number, for those that an honest replica may still make stable.
    records: BTreeMap<u64, Record>,
    /// Lowest and highest h of an honest replica.
    lowest: u64,
    highest: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Window {
    /// h.
    low: u64,
    /// When it last moved, and what it was before that instant.
    moved_ns: u64,
    low_before: u64,
}

#[derive(Clone, Debug, Default)]
struct Record {
    /// The states that honest replicas vouched for.
    states: Vec<Vouched>,
    /// The first honest replica for which it was stable: when, who, with what state.
    stable: Option<(u64, u32, u64)>,
}

#[derive(Clone, Debug)]
struct Vouched {
    state: u64,
    /// When each replica did; empty once it is certified and old.
    times: Vec<u64>,
    certified: bool,
}

/// A stable checkpoint whose quorum is not there yet: it may come later in the same instant.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenCheckpoint {
    seq: u64,
    state: u64,
    row: Event<'static>,
}

impl Checkpoints {
    pub(super) fn new(replicas: usize) -> Self {
        Self {
            windows: vec![Window::default(); replicas],
            moves: vec![None; replicas],
            records: BTreeMap::new(),
            lowest: 0,
            highest: 0,
        }
    }

    /// Lowest and highest h of an honest replica.
    pub(super) fn extremes(&self) -> (u64, u64) {
        (self.lowest, self.highest)
    }

    /// I9: votes are for numbers in the window, also if it moved in the same instant.
    #[inline]
    pub(super) fn check_window(&self, context: &mut Context, vote: Vote) {
        let window = &self.windows[vote.node as usize];
        let low = if window.moved_ns == context.now_ns { window.low_before } else { window.low };
        if vote.seq <= low || vote.seq - window.low.min(vote.seq) > context.log_window {
            self.outside(context, vote);
        }
    }

    #[cold]
    fn outside(&self, context: &mut Context, vote: Vote) {
        let Vote { phase, node, view, seq, digest } = vote;
        let row = context.slot_row((context.now_ns, node, phase.kind()), (view, seq, digest));
        let rows: Vec<_> = self.moves[node as usize].into_iter().chain([row]).collect();
        let window = self.windows[node as usize];
        let (low, high) = (window.low, window.low.saturating_add(context.log_window));
        context.report(
            Invariant::I9,
            format_args!("replica {node} was {} at number {seq}, outside its window ({low}, {high}]", phase.kind()),
            &rows,
        );
    }

    /// An honest replica vouches for its state.
    pub(super) fn vouch(&mut self, context: &Context, node: u32, (seq, state): (u64, u64)) {
        let record = self.records.entry(seq).or_default();
        let known = record.states.iter().position(|vouched| vouched.state == state);
        let index = known.unwrap_or_else(|| {
            let times = vec![NEVER; context.replicas];
            record.states.push(Vouched { state, times, certified: false });
            record.states.len() - 1
        });
        if let Some(time) = record.states[index].times.get_mut(node as usize) {
            *time = (*time).min(context.now_ns);
        }
    }

    /// A checkpoint becomes stable at an honest replica, or it takes over a state.
    pub(super) fn stabilise(
        &mut self,
        context: &mut Context,
        open: &mut Vec<OpenCheckpoint>,
        node: u32,
        (seq, state): (u64, u64),
        row: Event<'static>,
    ) {
        self.move_window(context, node, seq, row);
        let record = self.records.entry(seq).or_default();
        if row.kind == EventKind::Stable {
            let interval = context.checkpoint_interval;
            if interval > 0 && seq % interval != 0 {
                context.report(
                    Invariant::I9,
                    format_args!(
                        "number {seq} became stable at replica {node}; only multiples of {interval} are checkpoints"
                    ),
                    &[row],
                );
            }
            let (time_ns, first, known) = *record.stable.get_or_insert((context.now_ns, node, state));
            if known != state {
                let rows = [state_row(context, EventKind::Stable, (time_ns, first), (seq, known)), row];
                context.report(
                    Invariant::I10,
                    format_args!("at number {seq} replicas {first} and {node} have different stable checkpoints"),
                    &rows,
                );
            }
        }
        if !record.is_certified(context, state) {
            open.push(OpenCheckpoint { seq, state, row });
        }
        self.forget(context);
    }

    fn move_window(&mut self, context: &mut Context, node: u32, seq: u64, row: Event<'static>) {
        let window = &mut self.windows[node as usize];
        if seq < window.low {
            let low = window.low;
            context.report(
                Invariant::I9,
                format_args!("replica {node} moved its window back from {low} to {seq}"),
                &self.moves[node as usize].into_iter().chain([row]).collect::<Vec<_>>(),
            );
            return;
        }
        if window.moved_ns != context.now_ns {
            (window.low_before, window.moved_ns) = (window.low, context.now_ns);
        }
        window.low = seq;
        self.moves[node as usize] = Some(row);
    }

    /// I9, at the end of an instant: who vouched in it counts.
    #[cold]
    pub(super) fn settle(&mut self, context: &mut Context, checkpoint: OpenCheckpoint) {
        let OpenCheckpoint { seq, state, row } = checkpoint;
        let record = self.records.entry(seq).or_default();
        if record.is_certified(context, state) {
            return;
        }
        let vouched = record.states.iter().find(|vouched| vouched.state == state);
        let times = vouched.map_or(&[][..], |vouched| &vouched.times);
        let vouch = |voter: Voter| state_row(context, EventKind::Checkpoint, (voter.time_ns, voter.node), (seq, state));
        let mut rows: Vec<_> = voters_of(times).map(vouch).collect();
        let found = rows.len();
        rows.push(row);
        let (node, did) = (row.node, row.kind);
        let (faulty, quorum) = (context.faulty_count(), context.quorum);
        context.report(
            Invariant::I9,
            format_args!(
                "{did} of replica {node} at number {seq}: only {found} honest replicas had vouched for that state; with \
                 {faulty} faulty ones that is no quorum of {quorum}"
            ),
            &rows,
        );
    }

    /// Drops what no honest replica can come to any more. A replica that lags for ever costs a digest a checkpoint.
    pub(super) fn forget(&mut self, context: &Context) {
        let honest = self.windows.iter().enumerate().filter(|(replica, _)| !context.is_faulty(*replica));
        let (mut lowest, mut highest) = (u64::MAX, 0);
        for (_, window) in honest {
            lowest = lowest.min(window.low);
            highest = highest.max(window.low);
        }
        if lowest == u64::MAX || (lowest, highest) == (self.lowest, self.highest) {
            return;
        }
        (self.lowest, self.highest) = (lowest, highest);
        // One at the very edge is still compared with.
        while let Some(first) = self.records.first_entry()
            && *first.key() < lowest
        {
            first.remove();
        }
        let below = self.records.range_mut(..highest).rev().map(|(_, record)| record);
        for record in below.take_while(|record| !record.is_old()) {
            for vouched in &mut record.states {
                vouched.certified = vouched.certified || context.is_quorum(voters_of(&vouched.times));
                if vouched.certified {
                    vouched.times = Vec::new();
                }
            }
        }
    }

    /// How many checkpoints are remembered.
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }
}

impl Record {
    fn is_certified(&mut self, context: &Context, state: u64) -> bool {
        let vouched = self.states.iter_mut().find(|vouched| vouched.state == state);
        vouched.is_some_and(|vouched| {
            vouched.certified = vouched.certified || context.is_quorum(voters_of(&vouched.times));
            vouched.certified
        })
    }

    /// Whether the votes are dropped already.
    fn is_old(&self) -> bool {
        self.states.iter().all(|vouched| vouched.certified && vouched.times.is_empty())
    }
}
