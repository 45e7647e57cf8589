//! I1, I2, I6, I7: what honest replicas vote for and commit at one number.

use crate::event::{Event, EventKind};

use super::Invariant;
use super::context::{Context, NEVER};
use super::history::{Fact, History, Number, Phase, Voter};

/// A vote of an honest replica, as its row says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vote {
    pub(super) phase: Phase,
    pub(super) node: u32,
    pub(super) view: u64,
    pub(super) seq: u64,
    pub(super) digest: u64,
}

impl Vote {
    pub(super) fn row(&self, context: &Context) -> Event<'static> {
        let slot = (self.view, self.seq, self.digest);
        context.slot_row((context.now_ns, self.node, self.phase.kind()), slot)
    }
}

/// A commit whose quorum is not there yet: it may come later in the same instant.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenCommit {
    vote: Vote,
    time_ns: u64,
}

/// A replica is pre-prepared, prepared or committed.
#[inline]
pub(super) fn vote(context: &mut Context, history: &mut History, open: &mut Vec<OpenCommit>, vote: Vote) {
    let Some(number) = history.number(vote.seq) else {
        if vote.phase == Phase::Committed {
            compare_with_past(context, history, vote);
        }
        return;
    };
    let ballot = number.ballot(vote.view, vote.digest);
    number.reach(ballot, vote.phase, vote.node, context);
    if number.ballots.len() > 1 {
        compare_ballots(context, number, ballot, vote);
    }
    if vote.phase == Phase::Committed {
        let Vote { node, view, digest, .. } = vote;
        let first = *number.decided.get_or_insert(Fact { time_ns: context.now_ns, node, view, digest, state: None });
        if first.digest != digest {
            disagree(context, first, vote);
        }
        if let Some(executed) = number.executed
            && executed.digest != digest
        {
            disagree(context, executed, vote);
        }
        if !number.ballots[ballot].certified {
            number.ballots[ballot].certified =
                context.is_quorum(number.voters(ballot, Phase::Prepared, context.replicas));
            if !number.ballots[ballot].certified {
                open.push(OpenCommit { vote, time_ns: context.now_ns });
            }
        }
    }
}

/// I6, at the end of an instant: who prepared in it counts.
#[cold]
pub(super) fn settle(context: &mut Context, history: &mut History, commit: OpenCommit) {
    let OpenCommit { vote, time_ns } = commit;
    let Some(number) = history.number(vote.seq) else { return };
    let ballot = number.ballot(vote.view, vote.digest);
    let voters = || number.voters(ballot, Phase::Prepared, context.replicas);
    if context.is_quorum(voters()) {
        number.ballots[ballot].certified = true;
        return;
    }
    let slot = (vote.view, vote.seq, vote.digest);
    let prepare = |voter: Voter| context.slot_row((voter.time_ns, voter.node, EventKind::Prepared), slot);
    let mut rows: Vec<_> = voters().map(prepare).collect();
    let prepared = rows.len();
    rows.push(context.slot_row((time_ns, vote.node, EventKind::Committed), slot));
    let (node, seq, view, faulty, quorum) = (vote.node, vote.seq, vote.view, context.faulty_count(), context.quorum);
    context.report(
        Invariant::I6,
        format_args!(
            "replica {node} committed number {seq} in view {view}, but only {prepared} honest replicas had prepared that \
             digest there; with {faulty} faulty ones that is no quorum of {quorum}"
        ),
        &rows,
    );
}

/// I1 for a replica that lags behind everything that is remembered in full.
#[cold]
fn compare_with_past(context: &mut Context, history: &History, vote: Vote) {
    if let Some(fact) = history.fact(vote.seq)
        && fact.digest != vote.digest
    {
        disagree(context, fact, vote);
    }
}

#[cold]
fn disagree(context: &mut Context, first: Fact, vote: Vote) {
    let rows = [first.row(context, vote.seq), vote.row(context)];
    let Vote { node, view, seq, digest, .. } = vote;
    let did = if first.state.is_some() { "executed" } else { "committed" };
    context.report(
        Invariant::I1,
        format_args!(
            "at number {seq} replica {node} committed {digest:016x} in view {view}, but replica {} {did} {:016x} in view {}",
            first.node, first.digest, first.view,
        ),
        &rows,
    );
}

/// I2, I6 and I7 at a number with several ballots: after a view change, or if a primary lies.
#[inline(never)]
fn compare_ballots(context: &mut Context, number: &Number, ballot: usize, vote: Vote) {
    for (index, other) in number.ballots.iter().enumerate() {
        if index == ballot || other.digest == vote.digest {
            continue;
        }
        let replicas = context.replicas;
        let first = |phase| {
            let first = number.voters(index, phase, replicas).min_by_key(|voter| voter.time_ns);
            first.unwrap_or(Voter { node: vote.node, time_ns: NEVER })
        };
        if other.view == vote.view {
            // Phases follow each other, so the first that is there was the first. A commit says nothing of its own vote: a
            // laggard learns it from the votes of others.
            let votes = [Phase::PrePrepared, Phase::Prepared];
            let mut own = votes.into_iter().map(|phase| (number.time(index, phase, vote.node), phase));
            if vote.phase != Phase::Committed
                && let Some((time_ns, phase)) = own.find(|(time_ns, _)| *time_ns != NEVER)
            {
                two_votes(context, vote, other.digest, time_ns, phase);
            }
            if vote.phase == Phase::Prepared && other.has_reached(Phase::Prepared) {
                two_prepared(context, vote, other.digest, first(Phase::Prepared));
            }
        } else if vote.phase == Phase::PrePrepared && other.view < vote.view && other.has_reached(Phase::Committed) {
            let Voter { node, time_ns } = first(Phase::Committed);
            let commit = Vote { phase: Phase::Committed, node, view: other.view, digest: other.digest, ..vote };
            lost_commit(context, (commit, time_ns), (vote, context.now_ns));
        } else if vote.phase == Phase::Committed && other.view > vote.view && other.has_reached(Phase::PrePrepared) {
            let Voter { node, time_ns } = first(Phase::PrePrepared);
            let later = Vote { phase: Phase::PrePrepared, node, view: other.view, digest: other.digest, ..vote };
            lost_commit(context, (vote, context.now_ns), (later, time_ns));
        }
    }
}

#[cold]
fn two_votes(context: &mut Context, vote: Vote, other: u64, time_ns: u64, phase: Phase) {
    let Vote { node, view, seq, digest, .. } = vote;
    let rows = [context.slot_row((time_ns, node, phase.kind()), (view, seq, other)), vote.row(context)];
    context.report(
        Invariant::I7,
        format_args!(
            "in view {view} at number {seq} replica {node} was {} with {other:016x} and is {} with {digest:016x}",
            phase.kind(),
            vote.phase.kind(),
        ),
        &rows,
    );
}

#[cold]
fn two_prepared(context: &mut Context, vote: Vote, other: u64, first: Voter) {
    let Vote { node, view, seq, digest, .. } = vote;
    let Voter { node: first, time_ns } = first;
    let rows = [context.slot_row((time_ns, first, EventKind::Prepared), (view, seq, other)), vote.row(context)];
    context.report(
        Invariant::I2,
        format_args!(
            "in view {view} at number {seq} replica {first} prepared {other:016x} and replica {node} prepared {digest:016x}"
        ),
        &rows,
    );
}

#[cold]
fn lost_commit(context: &mut Context, (commit, committed_ns): (Vote, u64), (later, later_ns): (Vote, u64)) {
    let row = |context: &Context, vote: &Vote, time_ns| Event { time_ns, ..vote.row(context) };
    let rows = [row(context, &commit, committed_ns), row(context, &later, later_ns)];
    context.report(
        Invariant::I6,
        format_args!(
            "replica {} committed {:016x} at number {} in view {}, but view {} orders {:016x} there",
            commit.node, commit.digest, commit.seq, commit.view, later.view, later.digest,
        ),
        &rows,
    );
}

/// A replica proposes; a second digest at one place breaks I7 if it is honest.
pub(super) fn propose(context: &mut Context, history: &mut History, node: u32, (view, seq, digest): (u64, u64, u64)) {
    let Some(number) = history.number(seq) else { return };
    let ballot = number.ballot(view, digest);
    number.ballots[ballot].proposed.get_or_insert((node, context.now_ns));
    let same_place = |index: usize| {
        let other = &number.ballots[index];
        let proposed = other.proposed.filter(|(proposer, _)| *proposer == node);
        proposed.filter(|_| index != ballot && other.view == view).map(|(_, time_ns)| (other.digest, time_ns))
    };
    if let Some((other, time_ns)) = (0..number.ballots.len()).find_map(same_place) {
        let row = |time_ns, digest| context.slot_row((time_ns, node, EventKind::Propose), (view, seq, digest));
        let rows = [row(time_ns, other), row(context.now_ns, digest)];
        context.report(
            Invariant::I7,
            format_args!(
                "in view {view} replica {node}, honest, proposed {other:016x} and {digest:016x} at number {seq}"
            ),
            &rows,
        );
    }
}
