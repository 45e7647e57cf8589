//! Powers: what a process may do to the run itself, besides playing its nodes.
//!
//! A process that was granted [`Powers`] ([`crate::Simulation::seat_with`]) acts through its outbox ([`crate::Outbox::act`]). What it
//! did in a window takes effect when the window closes:
//!
//! ```text
//! all processes       rules are       what was sent in      observer     nodes change hands,      next window
//! have answered ──►   imposed,   ──►  the window goes  ──►  sees the ──► one after the other ──►  opens
//!                     lifted          on the network        window       at the window's end
//! ```
//!
//! Acts are done in the order of seats, those of one process in the order in which it did them. A run in which nobody has powers
//! pays nothing for them.

use crate::cause::Journey;
use crate::node::NodeId;
use crate::random::{Draw, Key};
use crate::scene::{Rule, Sent};
use crate::station::Desk;
use std::any::Any;
use std::collections::BTreeMap;

/// What a process with powers does to the run.
///
/// A node that changes hands does so at the end of the window in which that was asked for: the first instant that nobody has
/// lived through. Its process gives it away ([`crate::Process::surrender`]), the other one gets it
/// ([`crate::Process::take_over`]), no time passes in between, and nothing is lost: what is under way to the node reaches its new
/// process, and where the run models cores and lines, so does what waits there, what is being worked on, and what has not left yet.
///
/// A rule that is imposed or lifted counts for everything sent in the window in which that happens, also for what was sent a
/// little earlier in it (less than the lookahead, and none of it has arrived yet); let its scope start later where that matters.
/// Imposed rules come before all of the [`crate::NetworkModel`], in the order of their names, and mean what those mean: see
/// [`crate::scene`]. Over a reliable transport the fate of a message, with all its transmissions, is settled by the rules that are
/// in force when it is first sent. Names are common to all processes with this power.
///
/// ```
/// # use byzlab_network::*;
/// # use std::any::Any;
/// # #[derive(Clone)]
/// # struct Ball;
/// # impl Message for Ball {
/// #     fn size(&self) -> u64 { 1 }
/// # }
/// /// Throws a ball to node 1 each second, as long as it plays node 0.
/// struct Player { next: Option<Time> }
/// impl Process<Ball, ()> for Player {
///     fn receive(&mut self, _: Arrival<Ball>, _: &mut Outbox<Ball, ()>) {}
///     fn wake(&mut self, now: Time, out: &mut Outbox<Ball, ()>) {
///         out.send(now, NodeId(0), Recipients::One(NodeId(1)), Ball);
///         self.next = Some(now + Span::from_millis(1000));
///     }
///     fn next_wake(&self) -> Option<Time> { self.next }
///     fn surrender(&mut self, _: NodeId, _: Time) -> Option<Box<dyn Any>> {
///         Some(Box::new(self.next.take()))
///     }
/// }
/// /// Begins without a node. After 2.5 s it takes node 0 over, and after the next ball there are no more.
/// struct Thief { node: bool, next: Option<Time> }
/// impl Process<Ball, ()> for Thief {
///     fn receive(&mut self, _: Arrival<Ball>, _: &mut Outbox<Ball, ()>) {}
///     fn wake(&mut self, now: Time, out: &mut Outbox<Ball, ()>) {
///         self.next = None;
///         if self.node {
///             out.send(now, NodeId(0), Recipients::One(NodeId(1)), Ball);
///         } else {
///             out.act(Act::TakeOver(NodeId(0)));
///         }
///     }
///     fn next_wake(&self) -> Option<Time> { self.next }
///     fn take_over(&mut self, _: NodeId, what: Box<dyn Any>, _: Time, _: &mut Outbox<Ball, ()>) {
///         self.node = true;
///         self.next = *what.downcast().unwrap();
///     }
/// }
/// let network = NetworkModel::perfect(Latency::constant(Span::from_millis(10)));
/// let mut simulation = Simulation::new(network, Key::root(1));
/// simulation.seat(&[NodeId(0)], Player { next: Some(Time::START) });
/// simulation.seat(&[NodeId(1)], Player { next: None });
/// let thief = Thief { node: false, next: Some(Time::START + Span::from_millis(2500)) };
/// simulation.seat_with(&[], thief, Powers { takeovers: 1, rules: false });
/// let report = simulation.run().unwrap();
/// assert_eq!(report.traffic.messages, 4, "sent at 0, 1, 2 and 3 s");
/// ```
// Acts are few, so they may be large.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, PartialEq, Debug)]
pub enum Act {
    /// Takes a node over: its process hands it over at the end of the window.
    TakeOver(NodeId),
    /// Puts a rule in front of all others, under a name of its own; a rule of the same name is replaced.
    Impose(u32, Rule),
    /// Takes the rule of this name away again, if there is one; what it holds stays held until its end.
    Lift(u32),
}

/// What a process may do to the run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Powers {
    /// So many nodes it may take over, in the whole run.
    pub takeovers: u16,
    /// It may impose and lift rules.
    pub rules: bool,
}

impl Powers {
    /// None at all.
    pub const NONE: Powers = Powers { takeovers: 0, rules: false };

    /// All of them, as the outboxes have that a test makes for itself.
    pub(crate) const ALL: Powers = Powers { takeovers: u16::MAX, rules: true };

    /// Makes use of them.
    ///
    /// # Panics
    /// If they do not reach so far.
    pub(crate) fn spend(&mut self, act: &Act) {
        match act {
            Act::TakeOver(node) => {
                let left = self.takeovers.checked_sub(1);
                self.takeovers = left.unwrap_or_else(|| {
                    panic!("no power to take over node {node}: none was granted, or all are used up")
                });
            }
            Act::Impose(name, _) => assert!(self.rules, "no power to impose rule {name}"),
            Act::Lift(name) => assert!(self.rules, "no power to lift rule {name}"),
        }
    }
}

/// What a parcel is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Errand {
    /// Live through a window.
    Live,
    /// Give this node away.
    Surrender(NodeId),
    /// This one is yours now.
    TakeOver(NodeId),
}

/// What goes from hand to hand with a node. It never leaves the thread, so it need not be `Send`.
pub(crate) struct Luggage<M> {
    /// From the process.
    pub(crate) what: Box<dyn Any>,
    /// Its machine, in a run that models them.
    pub(crate) desk: Option<Desk<M>>,
    /// The journeys of the messages at its machine, in the order of [`Desk::arrivals`].
    pub(crate) journeys: Vec<Option<Journey<M>>>,
}

/// The rules that were imposed, with the stream of their random numbers.
#[derive(Debug)]
pub(crate) struct Imposed {
    rules: BTreeMap<u32, Rule>,
    draws: Key,
}

impl Imposed {
    pub(crate) fn new(draws: Key) -> Imposed {
        Imposed { rules: BTreeMap::new(), draws }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    pub(crate) fn impose(&mut self, name: u32, rule: Rule) {
        self.rules.insert(name, rule);
    }

    pub(crate) fn lift(&mut self, name: u32) {
        self.rules.remove(&name);
    }

    /// The first rule that matches the `number`-th transmission of a message, with what is left of its random numbers.
    pub(crate) fn decisive(&self, sent: &Sent, number: u64) -> Option<(&Rule, Draw)> {
        let draws = self.draws.child(number);
        self.rules.iter().find_map(|(&name, rule)| Some((rule, rule.decides(sent, draws, u64::from(name))?)))
    }
}
