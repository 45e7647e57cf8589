//! A primary that proposes as late as it can without being deposed (Clement et al., "Making Byzantine Fault Tolerant Systems Tolerate
//! Byzantine Faults", NSDI 2009; Amir et al., "Byzantine Replication Under Attack", DSN 2008).
//!
//! Each proposal is held back by the same span. A backup's timer is that of the request that has waited longest (rule 13), so what
//! counts is this span and four delays, however many requests there are.

use crate::attack::{About, Attack, Departure, Family, Scene};
use crate::parameter::{Parameter, Visit};
use byzlab_network::{NodeId, Span, Time};
use byzlab_replica::{Message, MessageKind, PrePrepare, ProtocolConfig, SeqNum, Slot, View};
use std::collections::BTreeMap;

/// A primary that proposes as late as it can without being deposed.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct SlowPrimary {
    /// How long it holds each proposal back; four fifths of the shorter of both timeouts if left out.
    pub delay: Option<Span>,
    /// Whether it finds out by itself how long it can: then it begins with `delay`, or low if that is left out.
    pub adaptive: bool,
    /// When the proposals leave that are held back.
    held: BTreeMap<(View, SeqNum), Time>,
    /// The longest delay with which all went well, and the shortest with which it was deposed.
    good: Span,
    bad: Option<Span>,
    trial: Option<Trial>,
}

/// A proposal that shows whether a delay does: if it is executed and the view is still kept when the next one comes. Those who depose
/// the primary may do so while it executes what they do not.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Trial {
    view: View,
    /// One of its requests.
    client: NodeId,
    timestamp: u64,
    delay: Span,
    was_executed: bool,
}

impl Attack for SlowPrimary {
    fn about(&self) -> About {
        let summary = "As primary, proposes as late as it can without being deposed.";
        let messages = &[MessageKind::PrePrepare, MessageKind::Reply, MessageKind::ViewChange];
        About::saying("slow_primary", Family::Timing, summary, messages)
    }

    fn parameters(&mut self, visit: &mut dyn Visit) {
        let otherwise = "4/5 of the shorter of both timeouts; 1/20 if adaptive";
        visit.span(Parameter::or("delay", "how long it holds each proposal back", otherwise), &mut self.delay);
        let about = "whether it finds out by itself how long it can, beginning with `delay`";
        visit.flag(Parameter::new("adaptive", about), &mut self.adaptive);
    }

    fn send(&mut self, scene: &mut Scene<'_>, departure: Departure) {
        match &departure.message {
            Message::PrePrepare(own) if own.vote.replica == scene.node() => {
                let at = self.leaves_at(scene, own);
                return scene.send(departure.not_before(at));
            }
            Message::Reply(reply) => {
                if let Some(trial) = &mut self.trial {
                    trial.was_executed |= (trial.client, trial.timestamp) == (reply.client, reply.timestamp);
                }
            }
            Message::ViewChange(change) => {
                let primary = |view| scene.config.cluster.primary(view);
                if self.trial.is_some_and(|trial| primary(trial.view) == scene.node()) {
                    self.has_reached(change.view);
                }
            }
            _ => {}
        }
        scene.send(departure);
    }
}

impl SlowPrimary {
    fn leaves_at(&mut self, scene: &Scene<'_>, proposal: &PrePrepare) -> Time {
        let Slot { view, seq, digest } = proposal.slot();
        // It may be sent again, to who lacks it.
        if scene.knowledge.proposals(view, seq).contains(&digest) {
            return scene.now;
        }
        self.has_reached(view);
        if let Some(Trial { delay, .. }) = self.trial.take_if(|trial| trial.was_executed) {
            self.good = self.good.max(delay);
        }
        self.held.retain(|_, &mut at| at > scene.now);
        let delay = self.next_delay(scene.config);
        if let (true, None, Some(request)) = (self.adaptive, self.trial, proposal.batch.requests().first()) {
            self.trial =
                Some(Trial { view, client: request.client, timestamp: request.timestamp, delay, was_executed: false });
        }
        *self.held.entry((view, seq)).or_insert(scene.now + delay)
    }

    /// What was on trial in an earlier view has cost that view.
    fn has_reached(&mut self, view: View) {
        if let Some(Trial { delay, .. }) = self.trial.take_if(|trial| trial.view < view) {
            self.bad = Some(self.bad.map_or(delay, |bad| bad.min(delay)));
            // What went well before goes well no more.
            self.good = if self.good < delay { self.good } else { Span::ZERO };
        }
    }

    /// Half as long again as what went well, but no more than half way to what went wrong, until little is left to be gained. As
    /// long as nothing did, that is patience itself.
    fn next_delay(&self, config: &ProtocolConfig) -> Span {
        // The first request of a later view is waited for as the view itself is (rule 15).
        let patience = config.request_timeout.min(config.view_change_timeout).as_nanos();
        let (good, bad) = (self.good.as_nanos(), self.bad.map_or(patience, Span::as_nanos));
        let nanoseconds = match self.trial {
            _ if !self.adaptive => return self.delay.unwrap_or(Span::from_nanos(patience / 5 * 4)),
            Some(trial) => return trial.delay,
            None if good == 0 && self.bad.is_none() => return self.delay.unwrap_or(Span::from_nanos(patience / 20)),
            None if good == 0 => bad / 2,
            None if bad.saturating_sub(good) <= bad / 16 => good,
            None => good.midpoint(bad).min(good.saturating_add(good / 2)),
        };
        Span::from_nanos(nanoseconds)
    }
}
