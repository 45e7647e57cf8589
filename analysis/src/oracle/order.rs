//! I4, and I1 for executions: what honest replicas execute, in which order, and to which state it leads.

use crate::event::{Event, EventKind, Value};

use super::Invariant;
use super::clients::Clients;
use super::context::{Context, evidence};
use super::history::{Fact, History};

/// What each replica executed last.
#[derive(Clone, Debug)]
pub(super) struct Executions {
    replicas: Vec<Progress>,
    /// Commits of something else than what their replica executed tentatively, in this instant.
    contradictions: Vec<(u64, Event<'static>)>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    /// The number that the replica's state covers; nothing just after a restart, when it may begin anew at its checkpoint.
    last: Option<u64>,
    /// The last number that is executed for good.
    firm: u64,
    /// The execution that may still be rolled back.
    tentative: Option<Execution>,
    /// The row that `last` comes from.
    last_row: Option<Execution>,
}

/// An execution by a replica.
#[derive(Clone, Copy, Debug)]
struct Execution {
    seq: u64,
    fact: Fact,
}

impl Executions {
    pub(super) fn new(replicas: usize) -> Self {
        Self { replicas: vec![Progress { last: Some(0), ..Progress::default() }; replicas], contradictions: Vec::new() }
    }

    /// The last number that a replica executed, for good or not.
    pub(super) fn reached(&self, replica: usize) -> u64 {
        let progress = &self.replicas[replica];
        progress.last.unwrap_or(progress.firm)
    }

    /// Whether a replica has executed all that any replica has.
    pub(super) fn is_up_to_date(&self, node: u32) -> bool {
        let farthest = (0..self.replicas.len()).map(|other| self.reached(other)).max();
        Some(self.reached(node as usize)) >= farthest
    }

    /// A replica executes a batch.
    #[inline]
    pub(super) fn execute(
        &mut self,
        context: &mut Context,
        history: &mut History,
        clients: &mut Clients,
        node: u32,
        (view, seq, digest): (u64, u64, u64),
        state: u64,
    ) {
        let fact = Fact { time_ns: context.now_ns, node, view, digest, state: Some(state) };
        let execution = Execution { seq, fact };
        let progress = &mut self.replicas[node as usize];
        if let Some(last) = progress.last
            && seq != last.wrapping_add(1)
        {
            gap(context, last, progress.last_row, execution);
        }
        // A second execution on top says that the first is committed.
        let below = progress.tentative.take();
        progress.last = Some(seq);
        progress.last_row = Some(execution);
        let has_committed = |history: &History| {
            // Where that is forgotten already, nothing is said against a rollback.
            let number = history.known(seq);
            number.is_some_and(|number| number.has_committed(node, digest))
        };
        let is_firm = !context.tentative_execution || has_committed(history);
        if is_firm {
            progress.firm = seq;
        } else {
            progress.tentative = Some(execution);
            progress.firm = below.map_or(progress.firm, |below| below.seq);
        }
        if let Some(below) = below {
            let on_top = execution.row(context);
            judge(context, history, clients, below, Some(on_top));
        }
        if is_firm {
            judge(context, history, clients, execution, None);
        } else {
            clients.examine(context, history, seq, &fact, false);
        }
    }

    /// A replica commits: if that is what it executed tentatively, that is for good. If it is something else, the replica has the rest
    /// of this instant to take the execution back.
    #[inline]
    pub(super) fn commit(
        &mut self,
        context: &mut Context,
        history: &mut History,
        clients: &mut Clients,
        (seq, event): (u64, &Event<'_>),
    ) {
        let progress = &mut self.replicas[event.node as usize];
        let Some(execution) = progress.tentative.filter(|tentative| tentative.seq == seq) else { return };
        if event.digest != Some(execution.fact.digest) {
            self.contradictions.push((seq, evidence(event)));
            return;
        }
        progress.tentative = None;
        progress.firm = seq;
        judge(context, history, clients, execution, Some(evidence(event)));
    }

    /// Whether something is left for [`settle`](Self::settle).
    pub(super) fn is_unsettled(&self) -> bool {
        !self.contradictions.is_empty()
    }

    /// The instant is over: who has committed something else than what it executed, and has not taken that back, keeps it for good.
    pub(super) fn settle(&mut self, context: &mut Context, history: &mut History, clients: &mut Clients) {
        for (seq, row) in std::mem::take(&mut self.contradictions) {
            let progress = &mut self.replicas[row.node as usize];
            if let Some(execution) = progress
                .tentative
                .take_if(|tentative| tentative.seq == seq && Some(tentative.fact.digest) != row.digest)
            {
                progress.firm = seq;
                judge(context, history, clients, execution, Some(row));
            }
        }
    }

    /// A replica takes back what it executed last.
    pub(super) fn roll_back(&mut self, context: &mut Context, node: u32, seq: u64, row: Event<'static>) {
        let progress = &mut self.replicas[node as usize];
        progress.last = Some(seq.saturating_sub(1));
        let executed = progress.last_row.take();
        if progress.tentative.take().is_none_or(|tentative| tentative.seq != seq) {
            let executed = executed.map(|execution| execution.row(context));
            let rows: Vec<_> = executed.into_iter().chain([row]).collect();
            context.report(
                Invariant::I4,
                format_args!("replica {node} took back number {seq}, which it had not executed tentatively"),
                &rows,
            );
        }
    }

    /// A replica takes over a state.
    pub(super) fn transfer(
        &mut self,
        context: &mut Context,
        history: &History,
        node: u32,
        (seq, state): (u64, u64),
        row: Event<'static>,
    ) {
        self.replicas[node as usize] = Progress { last: Some(seq), firm: seq, tentative: None, last_row: None };
        let Some(fact) = history.fact(seq).filter(|fact| fact.state.is_some_and(|known| known != state)) else {
            return;
        };
        let rows = [fact.row(context, seq), row];
        for invariant in [Invariant::I1, Invariant::I4] {
            context.report(
                invariant,
                format_args!(
                    "replica {node} took over state {state:016x} at number {seq}, where replica {} had another one",
                    fact.node
                ),
                &rows,
            );
        }
    }

    /// A replica sends a checkpoint of its state.
    pub(super) fn checkpoint(
        context: &mut Context,
        history: &History,
        node: u32,
        (seq, state): (u64, u64),
        row: Event<'static>,
    ) {
        let Some(fact) = history.fact(seq).filter(|fact| fact.state.is_some_and(|known| known != state)) else {
            return;
        };
        let rows = [fact.row(context, seq), row];
        context.report(
            Invariant::I4,
            format_args!(
                "the checkpoint of replica {node} at number {seq} is not the state that replica {} had there",
                fact.node
            ),
            &rows,
        );
    }

    /// A replica comes back; what it executes next may be anything that its storage did not hold.
    pub(super) fn restart(&mut self, node: u32) {
        let progress = &mut self.replicas[node as usize];
        *progress = Progress { firm: progress.firm, ..Progress::default() };
    }
}

impl Execution {
    fn row(&self, context: &Context) -> Event<'static> {
        self.fact.row(context, self.seq)
    }
}

/// Compares an execution that is for good with what others did at its number. If it was tentative, `binding` is the row that ended
/// that.
#[inline]
fn judge(
    context: &mut Context,
    history: &mut History,
    clients: &mut Clients,
    execution: Execution,
    binding: Option<Event<'static>>,
) {
    let Execution { seq, fact } = execution;
    let Some(number) = history.number(seq) else {
        if let Some(known) = history.fact(seq) {
            compare(context, known, execution, binding);
        }
        return;
    };
    let first = *number.executed.get_or_insert(fact);
    if first.digest != fact.digest || first.state != fact.state {
        compare(context, first, execution, binding);
    }
    if let Some(decided) = number.decided
        && decided.digest != fact.digest
    {
        compare(context, decided, execution, binding);
    }
    if number.examined != Some((fact.digest, true)) {
        clients.examine(context, history, seq, &fact, true);
    }
}

/// The execution differs from what is known at its number, unless it is the same.
#[cold]
#[inline(never)]
fn compare(context: &mut Context, known: Fact, execution: Execution, binding: Option<Event<'static>>) {
    let Execution { seq, fact } = execution;
    let mut rows = vec![known.row(context, seq), execution.row(context)];
    rows.extend(binding);
    let node = fact.node;
    if known.digest != fact.digest {
        let did = if known.state.is_some() { "executed" } else { "committed" };
        for invariant in [Invariant::I1, Invariant::I4] {
            context.report(
                invariant,
                format_args!(
                    "at number {seq} replica {node} executed {:016x}, but replica {} {did} {:016x}",
                    fact.digest, known.node, known.digest
                ),
                &rows,
            );
        }
    } else if known.state.is_some() && known.state != fact.state {
        context.report(
            Invariant::I4,
            format_args!(
                "after number {seq} replicas {} and {node} have different states, although they executed the same batch",
                known.node
            ),
            &rows,
        );
    }
}

#[cold]
fn gap(context: &mut Context, last: u64, last_row: Option<Execution>, execution: Execution) {
    let rows: Vec<_> = last_row.iter().chain([&execution]).map(|execution| execution.row(context)).collect();
    let (node, seq) = (execution.fact.node, execution.seq);
    context.report(
        Invariant::I4,
        format_args!("replica {node} executed number {seq}, but its state covers those up to {last}"),
        &rows,
    );
}

/// The row of a checkpoint, a stable one or a state taken over.
pub(super) fn state_row(
    context: &Context,
    kind: EventKind,
    (time_ns, node): (u64, u32),
    (seq, state): (u64, u64),
) -> Event<'static> {
    Event { seq: Some(seq), value: Some(Value::Digest(state)), ..context.row(time_ns, node, kind) }
}
