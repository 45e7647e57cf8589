//! I11: every request of an honest client is accepted in time.

use crate::event::Event;

use super::Invariant;
use super::clients::{Clients, Waiting};
use super::context::{Context, evidence};
use super::settings::Liveness;

/// Who is down, and whether too many ever were after stabilisation.
#[derive(Clone, Debug)]
pub(super) struct LivenessOracle {
    liveness: Liveness,
    down: Vec<bool>,
    /// When too many were down or faulty at once, after stabilisation or when it came.
    is_excused: bool,
    /// How many requests waited at the end that were not due yet.
    undue: usize,
}

impl LivenessOracle {
    pub(super) fn new(liveness: Liveness, replicas: usize) -> Self {
        Self { liveness, down: vec![false; replicas], is_excused: false, undue: 0 }
    }

    /// A replica crashes or comes back.
    pub(super) fn set_down(&mut self, context: &Context, replica: usize, is_down: bool) {
        self.look(context, context.now_ns);
        self.down[replica] = is_down;
    }

    /// Looks whether too many are down or faulty until this moment: call it before one more turns faulty.
    pub(super) fn look(&mut self, context: &Context, now_ns: u64) {
        let Liveness::Judge { stabilised_ns, .. } = self.liveness else { return };
        let is_lost = |(replica, down): &(usize, &bool)| **down || context.is_faulty(*replica);
        let lost = self.down.iter().enumerate().filter(is_lost).count();
        let are_too_many = lost > context.faults || context.replicas - lost < context.quorum;
        // What ends when the network becomes stable is part of that.
        self.is_excused |= are_too_many && now_ns > stabilised_ns;
    }

    /// A client accepted a result, perhaps too late.
    pub(super) fn accept(&self, context: &mut Context, waiting: &Waiting, event: &Event<'_>) {
        if let Some(deadline_ns) = self.deadline(waiting)
            && context.now_ns > deadline_ns
        {
            report(context, waiting, deadline_ns, &[waiting.row(context), evidence(event)]);
        }
    }

    /// Looks for requests that were to be accepted by the end of the run.
    pub(super) fn finish(&mut self, context: &mut Context, clients: &Clients, end_ns: u64) {
        self.look(context, end_ns);
        for waiting in clients.waiting() {
            match self.deadline(&waiting) {
                Some(deadline_ns) if deadline_ns <= end_ns => {
                    report(context, &waiting, deadline_ns, &[waiting.row(context)]);
                }
                Some(_) => self.undue += 1,
                None => {}
            }
        }
    }

    /// Why nothing can be said, if nothing was `late`.
    pub(super) fn reason(&self, late: bool) -> Option<String> {
        match &self.liveness {
            Liveness::NotJudged(reason) => Some(reason.clone()),
            Liveness::Judge { .. } if self.is_excused => {
                Some("more than f replicas were down or corrupted at once".to_owned())
            }
            Liveness::Judge { .. } if self.undue > 0 && !late => {
                let requests = if self.undue == 1 { "1 request was" } else { &format!("{} requests were", self.undue) };
                Some(format!("the run ended while {requests} not due yet"))
            }
            Liveness::Judge { .. } => None,
        }
    }

    fn deadline(&self, waiting: &Waiting) -> Option<u64> {
        match self.liveness {
            Liveness::Judge { stabilised_ns, bound_ns } => {
                Some(waiting.issued_ns.max(stabilised_ns).saturating_add(bound_ns))
            }
            Liveness::NotJudged(_) => None,
        }
    }
}

#[cold]
fn report(context: &mut Context, waiting: &Waiting, deadline_ns: u64, rows: &[Event<'static>]) {
    let Waiting { client, number, .. } = *waiting;
    let what = format_args!("request {number} of client {client} was not accepted by its deadline, {deadline_ns} ns");
    context.findings.report(Invariant::I11, deadline_ns, what, rows);
}
