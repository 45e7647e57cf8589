//! A corrupted node: the honest state machine, with others' hands on its mouth and ears.

use byzlab_network::{Cause, NodeId, Time};
use byzlab_replica::{Client, Clock, Costs, Effects, Input, Replica, Signer, Timer, Timers, View};

/// A corrupted node: one honest state machine, or one for each story that it tells.
pub(crate) struct Puppet {
    node: NodeId,
    pub(crate) signer: Signer,
    pub(crate) sides: Vec<Side>,
    /// None if nothing that it does takes time.
    pub(crate) costs: Option<Box<Costs>>,
    /// When the work for what it sent last is done.
    pub(crate) busy_until: Time,
}

/// A state machine with its timers.
#[derive(Clone)]
pub(crate) struct Side {
    machine: Played,
    timers: Timers,
    /// What its timers go by.
    clock: Clock,
}

/// What a corrupted node runs. Nearly all of them are replicas, and each step of one would pay for a box.
#[derive(Clone)]
#[allow(clippy::large_enum_variant)]
pub(crate) enum Played {
    Replica(Replica),
    Client(Box<Client>),
}

impl Played {
    pub(crate) fn node(&self) -> NodeId {
        self.signer().node()
    }

    fn signer(&self) -> &Signer {
        match self {
            Played::Replica(replica) => replica.signer(),
            Played::Client(client) => client.signer(),
        }
    }
}

impl Puppet {
    pub(crate) fn new(machine: Played, timers: Timers, clock: Clock, sides: usize) -> Puppet {
        let signer = machine.signer().clone();
        // A client talks to all replicas alike.
        let sides = if matches!(machine, Played::Client(_)) { 1 } else { sides };
        Puppet {
            node: signer.node(),
            signer,
            sides: vec![Side { machine, timers, clock }; sides],
            costs: None,
            busy_until: Time::START,
        }
    }

    #[inline]
    pub(crate) fn node(&self) -> NodeId {
        self.node
    }

    /// When a timer next runs out.
    pub(crate) fn next_timer(&self) -> Option<Time> {
        self.sides.iter().filter_map(|side| side.timers.next()).min()
    }
}

impl Side {
    /// The view that it is in or wants; a client is in none.
    pub(crate) fn view(&self) -> View {
        match &self.machine {
            Played::Replica(replica) => replica.view(),
            Played::Client(_) => View::default(),
        }
    }

    #[inline(always)]
    pub(crate) fn step(&mut self, now: Time, input: Input, effects: &mut Effects) {
        let now = self.clock.read(now);
        match &mut self.machine {
            Played::Replica(replica) => replica.step(now, input, effects),
            Played::Client(client) => client.step(now, input, effects),
        }
    }

    /// Sets a timer or switches it off, and tells when it runs out.
    pub(crate) fn set_timer(&mut self, timer: Timer, at: Option<Time>, because: Cause) -> Option<Time> {
        let at = at.map(|at| self.clock.when(at));
        self.timers.set(timer, at, because);
        at
    }

    pub(crate) fn set_clock(&mut self, clock: Clock) {
        self.clock = clock;
    }

    pub(crate) fn pop_timer(&mut self, now: Time) -> Option<(Timer, Cause)> {
        self.timers.pop(now)
    }
}
