//! The controller: the one actor that plays every corrupted node.

use crate::attack::{ActiveAttack, AttackConfig, Command, Departure, Reception, Scene};
use crate::event::Event;
use crate::knowledge::Knowledge;
use crate::puppet::{Played, Puppet};
use crate::sides::Sides;
use byzlab_network::{Act, Arrival, Cause, Key, NodeId, Outbox, Process, Span, Time};
use byzlab_replica::{
    Client, Clock, Costs, Effects, Estate, Event as ProtocolEvent, Input, Message, PrePrepare, ProtocolConfig, Replica,
    Slot, Timers, ordered_events,
};
use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

type Out = Outbox<Message, Event>;

/// Plays the corrupted nodes of a run.
pub struct Controller {
    config: Arc<ProtocolConfig>,
    puppets: Vec<Puppet>,
    /// The place of each node among the puppets.
    place_of: Vec<Option<usize>>,
    attacks: Vec<ActiveAttack>,
    knowledge: Knowledge,
    /// None if each corrupted replica plays one part.
    sides: Option<Sides>,
    /// All corrupted nodes, lowest id first.
    corrupted: Vec<NodeId>,
    /// The corrupted replicas, if they collude; else nobody.
    colluders: Vec<NodeId>,
    /// What corrupted primaries have proposed, each with its author.
    proposed: BTreeSet<(Slot, NodeId)>,
    /// How many replicas it may still take over, and whom it is taking over.
    budget: u16,
    falling: Vec<NodeId>,
    /// What it does to the run next.
    acts: Vec<Act>,
    agenda: Agenda,
    /// What a step leaves to be done; kept for its room.
    effects: Effects,
    /// At the latest when something is due.
    next_wake: Option<Time>,
    started: bool,
}

/// What attacks put off.
#[derive(Default)]
struct Agenda {
    /// By instant, and at one instant in the order in which it was put off.
    due: BTreeMap<(Time, u64), Deferred>,
    count: u64,
}

enum Deferred {
    /// A message leaves.
    Departure(Place, Departure),
    /// A message reaches its puppet, as far as the attacks from this one on let it.
    Arrival { puppet: usize, from: NodeId, message: Message, attack: usize },
}

impl Agenda {
    fn put(&mut self, at: Time, what: Deferred) {
        self.due.insert((at, self.count), what);
        self.count += 1;
    }

    fn next(&self) -> Option<Time> {
        self.due.first_key_value().map(|(&(at, _), _)| at)
    }

    fn pop(&mut self, now: Time) -> Option<Deferred> {
        self.next().filter(|&at| at <= now)?;
        self.due.pop_first().map(|(_, what)| what)
    }
}

/// A side of a puppet, by their indices.
#[derive(Clone, Copy)]
struct Place {
    puppet: usize,
    side: usize,
}

impl Controller {
    /// A controller for these replicas and clients, which hand over state and signer. `run` names its random draws.
    pub fn new(
        config: Arc<ProtocolConfig>,
        replicas: Vec<Replica>,
        clients: Vec<Client>,
        attacks: &[AttackConfig],
        run: Key,
    ) -> Controller {
        let draws = run.component("attack");
        let nodes: Vec<NodeId> = replicas.iter().map(Replica::id).collect();
        let sides = Sides::of(attacks, &config, &nodes);
        let attacks = attacks.iter().zip(0..).map(|(attack, index)| ActiveAttack::new(attack, draws.child(index)));
        let mut controller = Controller {
            config,
            puppets: Vec::new(),
            place_of: Vec::new(),
            attacks: attacks.collect(),
            knowledge: Knowledge::default(),
            colluders: if sides.as_ref().is_some_and(Sides::collude) { nodes } else { Vec::new() },
            sides,
            corrupted: Vec::new(),
            proposed: BTreeSet::new(),
            budget: 0,
            falling: Vec::new(),
            acts: Vec::new(),
            agenda: Agenda::default(),
            effects: Effects::default(),
            next_wake: Some(Time::START),
            started: false,
        };
        let replicas = replicas.into_iter().map(Played::Replica);
        let clients = clients.into_iter().map(|client| Played::Client(Box::new(client)));
        let machines = replicas.chain(clients);
        machines.for_each(|machine| controller.add(machine, Timers::default(), Clock::default()));
        controller
    }

    /// The same, with what messages and requests cost each node: lies are no cheaper than the truth.
    #[must_use]
    pub fn with_costs(mut self, costs: impl Fn(NodeId) -> Option<Costs>) -> Controller {
        for puppet in &mut self.puppets {
            puppet.costs = costs(puppet.node()).map(Box::new);
        }
        self
    }

    /// The same, with the clocks that the nodes' timers go by.
    #[must_use]
    pub fn with_clocks(mut self, clock_of: impl Fn(NodeId) -> Clock) -> Controller {
        for puppet in &mut self.puppets {
            let clock = clock_of(puppet.node());
            puppet.sides.iter_mut().for_each(|side| side.set_clock(clock));
        }
        self
    }

    /// The same, with so many replicas that it may take over while the run goes on. The run must grant it the power for that.
    #[must_use]
    pub fn with_budget(mut self, takeovers: u16) -> Controller {
        self.budget = takeovers;
        self
    }

    /// The nodes that it plays.
    pub fn nodes(&self) -> &[NodeId] {
        &self.corrupted
    }

    fn add(&mut self, machine: Played, timers: Timers, clock: Clock) {
        let node = machine.node();
        let sides = self.sides.as_ref().map_or(1, |sides| sides.count(node));
        let puppet = Puppet::new(machine, timers, clock, sides);
        if self.place_of.len() <= node.index() {
            self.place_of.resize(node.index() + 1, None);
        }
        self.place_of[node.index()] = Some(self.puppets.len());
        self.puppets.push(puppet);
        self.corrupted.push(node);
        self.corrupted.sort_unstable();
    }

    fn place_of(&self, node: NodeId) -> Option<usize> {
        self.place_of.get(node.index()).copied().flatten()
    }

    fn places(&self) -> Vec<Place> {
        let sides =
            |(puppet, played): (usize, &Puppet)| (0..played.sides.len()).map(move |side| Place { puppet, side });
        self.puppets.iter().enumerate().flat_map(sides).collect()
    }

    /// Whether nobody looks at what passes.
    #[inline]
    fn is_plain(&self) -> bool {
        self.attacks.is_empty() && self.sides.is_none()
    }

    fn wake_at(&mut self, at: Time) {
        self.next_wake = Some(self.next_wake.map_or(at, |wake| wake.min(at)));
    }

    fn step(&mut self, now: Time, place: Place, input: Input, out: &mut Out) {
        let because = out.cause();
        if self.react(now, place, input) {
            self.carry_out(now, place, because, out);
        }
    }

    /// Lets a side react to an input, and tells whether something is to be done. Most votes change nothing but a count.
    #[inline(always)]
    fn react(&mut self, now: Time, Place { puppet, side }: Place, input: Input) -> bool {
        let Controller { puppets, effects, .. } = self;
        puppets[puppet].sides[side].step(now, input, effects);
        !effects.is_empty() || effects.executed > 0
    }

    /// Does what a reaction of a side leaves to be done.
    fn carry_out(&mut self, now: Time, place: Place, because: Cause, out: &mut Out) {
        let Controller { puppets, effects, .. } = self;
        let mut effects = std::mem::take(effects);
        let Puppet { sides, costs, busy_until, .. } = &mut puppets[place.puppet];
        let side = &mut sides[place.side];
        // What a corrupted replica makes of it is nobody's business.
        effects.events.clear();
        if let Some(costs) = costs {
            *busy_until = *busy_until + costs.execute(std::mem::take(&mut effects.executed));
            out.busy_until(*busy_until);
        }
        for (timer, at) in effects.timers.drain(..) {
            if let Some(at) = side.set_timer(timer, at, because) {
                self.next_wake = Some(self.next_wake.map_or(at, |wake| wake.min(at)));
            }
        }
        for (to, message) in effects.sends.drain(..) {
            let departure = Departure { at: now, to, message };
            if self.is_plain() {
                self.leave(now, place, departure, out);
            } else {
                self.send(now, place, 0, vec![departure], out);
            }
        }
        self.effects = effects;
    }

    /// Gives a message to the sides of a puppet that it is for.
    fn hand_over(&mut self, now: Time, puppet: usize, from: NodeId, message: &Message, out: &mut Out) {
        let (to, count) = (self.puppets[puppet].node(), self.puppets[puppet].sides.len());
        let side = match &mut self.sides {
            Some(sides) if count > 1 => sides.side_of(from, to, message),
            _ => None,
        };
        let sides = side.map_or(0..count, |side| side..side + 1);
        for side in sides {
            self.step(now, Place { puppet, side }, Input::Message(from, message.clone()), out);
        }
    }

    /// An attack at this place acts for a puppet; what it says goes to `departures`.
    fn stage<T>(
        &mut self,
        now: Time,
        attack: usize,
        Place { puppet, side }: Place,
        departures: &mut Vec<Departure>,
        act: impl FnOnce(&mut ActiveAttack, Scene<'_>) -> T,
    ) -> T {
        let Controller { config, puppets, attacks, knowledge, corrupted, colluders, .. } = self;
        let puppet = &puppets[puppet];
        let scene = Scene {
            now,
            signer: &puppet.signer,
            view: puppet.sides[side].view(),
            config,
            corrupted,
            colluders,
            draws: Key::root(0),
            end: Time::END,
            knowledge,
            out: departures,
        };
        let result = act(&mut attacks[attack], scene);
        if let Some(at) = attacks[attack].next_wake() {
            self.wake_at(at);
        }
        result
    }

    /// Sends what the attacks from `first` on make of some messages.
    fn send(&mut self, now: Time, place: Place, first: usize, mut departures: Vec<Departure>, out: &mut Out) {
        for index in first..self.attacks.len() {
            let mut changed = Vec::with_capacity(departures.len());
            let mut acted = false;
            for departure in departures {
                acted |= self.stage(now, index, place, &mut changed, |attack, scene| attack.send(scene, departure));
            }
            if acted {
                self.report(now, index, place.puppet, out);
            }
            departures = changed;
        }
        for departure in departures {
            if departure.at > now {
                self.wake_at(departure.at);
                self.agenda.put(departure.at, Deferred::Departure(place, departure));
            } else {
                self.leave(now, place, departure, out);
            }
        }
    }

    fn report(&self, now: Time, attack: usize, puppet: usize, out: &mut Out) {
        out.event(now, self.puppets[puppet].node(), Event::Attack(self.attacks[attack].name()));
    }

    /// A message leaves for the network.
    fn leave(&mut self, now: Time, place: Place, departure: Departure, out: &mut Out) {
        let node = self.puppets[place.puppet].node();
        let departure = match &mut self.sides {
            Some(sides) if self.config.cluster.is_replica(node) => sides.divert(place.side, node, departure),
            _ => Some(departure),
        };
        let Some(Departure { to, message, .. }) = departure else { return };
        if !self.is_plain() {
            self.learn(now, &message, out);
        }
        if let Message::PrePrepare(pre_prepare) = &message {
            self.log_proposal(now, place, pre_prepare, &message, out);
        }
        let Puppet { costs, busy_until, .. } = &mut self.puppets[place.puppet];
        if let Some(costs) = costs {
            *busy_until = *busy_until + costs.send_out(&to, &message);
        }
        out.send((*busy_until).max(now), node, to, message);
    }

    /// Logs what a corrupted primary proposes, when it first leaves, whoever sends it.
    fn log_proposal(&mut self, now: Time, place: Place, proposal: &PrePrepare, message: &Message, out: &mut Out) {
        /// Of so many proposals it is remembered that they were logged.
        const MEMORY: usize = 1 << 16;
        let author = proposal.vote.replica;
        let is_ours = self.config.cluster.is_replica(author) && self.place_of(author).is_some();
        if !is_ours || !self.proposed.insert((proposal.slot(), author)) {
            return;
        }
        if self.proposed.len() > MEMORY {
            self.proposed.pop_first();
        }
        out.event(now, author, ProtocolEvent::Propose(proposal.slot()).into());
        ordered_events(proposal).for_each(|event| out.event(now, author, event.into()));
        let is_own = author == self.puppets[place.puppet].node();
        if is_own && place.side == 0 && self.sides.as_ref().is_some_and(Sides::collude) {
            // Its own other sides have proposed this just now.
            self.hand_over(now, place.puppet, author, message, out);
        }
    }

    /// Lets a message reach a puppet, as far as the attacks from `first` on let it.
    fn hear(&mut self, now: Time, puppet: usize, from: NodeId, message: &Message, first: usize, out: &mut Out) {
        for index in first..self.attacks.len() {
            let (place, mut said) = (Place { puppet, side: 0 }, Vec::new());
            let (reception, acted) =
                self.stage(now, index, place, &mut said, |attack, scene| attack.receive(scene, from, message));
            if acted {
                self.report(now, index, puppet, out);
            }
            if !said.is_empty() {
                self.send(now, place, index + 1, said, out);
            }
            match reception {
                Reception::Heard => {}
                Reception::Lost => return,
                Reception::Later(at) => {
                    let message = message.clone();
                    self.wake_at(at);
                    return self.agenda.put(at, Deferred::Arrival { puppet, from, message, attack: index + 1 });
                }
            }
        }
        self.hand_over(now, puppet, from, message, out);
    }

    fn start(&mut self, now: Time, out: &mut Out) {
        self.started = true;
        for puppet in &self.puppets {
            let node = puppet.node();
            out.event(now, node, Event::Corrupt);
            if let Some(name) = self.sides.as_ref().and_then(|sides| sides.name_of_twins(node)) {
                out.event(now, node, Event::Attack(name));
            }
        }
        for place in self.places() {
            self.step(now, place, Input::Start, out);
        }
    }

    /// What attacks put off until now.
    fn take_up(&mut self, now: Time, out: &mut Out) {
        while let Some(deferred) = self.agenda.pop(now) {
            match deferred {
                Deferred::Departure(place, departure) => self.leave(now, place, departure, out),
                Deferred::Arrival { puppet, from, message, attack } => {
                    self.hear(now, puppet, from, &message, attack, out);
                }
            }
        }
    }

    /// Lets an attack act for the adversary as a whole.
    fn command(&mut self, now: Time, index: usize, out: &mut Out) {
        /// No attack imposes so many rules.
        const RULES: u32 = 1 << 20;
        let Controller { config, attacks, knowledge, corrupted, budget, falling, acts, .. } = self;
        let attack = &mut attacks[index];
        let mut imposed = std::mem::take(&mut attack.imposed);
        let command = Command {
            now,
            view: knowledge.view,
            config,
            corrupted,
            span: (Time::START, Time::END),
            budget,
            falling,
            first_rule: index as u32 * RULES,
            imposed: &mut imposed,
            acts,
        };
        let acted = attack.command(command);
        attack.imposed = imposed;
        if acted && !self.puppets.is_empty() {
            self.report(now, index, 0, out);
        }
    }

    /// Learns from a message; a view that begins is a time to act.
    fn learn(&mut self, now: Time, message: &Message, out: &mut Out) {
        let before = self.knowledge.view;
        self.knowledge.learn(message, &self.config);
        if self.knowledge.view > before {
            for index in 0..self.attacks.len() {
                self.command(now, index, out);
            }
        }
    }

    fn act(&mut self, out: &mut Out) {
        self.acts.drain(..).for_each(|act| out.act(act));
    }

    fn wake_attacks(&mut self, now: Time, out: &mut Out) {
        for index in 0..self.attacks.len() {
            if self.attacks[index].next_wake().is_none_or(|at| at > now) {
                continue;
            }
            self.command(now, index, out);
            for puppet in 0..self.puppets.len() {
                let (place, mut said) = (Place { puppet, side: 0 }, Vec::new());
                if self.stage(now, index, place, &mut said, ActiveAttack::wake) {
                    self.report(now, index, puppet, out);
                    self.send(now, place, index + 1, said, out);
                }
            }
            self.attacks[index].has_woken(now);
        }
    }
}

impl Process<Message, Event> for Controller {
    fn work_of(&mut self, arrival: &Arrival<Message>) -> Span {
        let puppet = self.place_of(arrival.to()).map(|place| &mut self.puppets[place]);
        let costs = puppet.and_then(|puppet| puppet.costs.as_mut());
        costs.map_or(Span::ZERO, |costs| costs.take_in(&arrival.message))
    }

    fn receive(&mut self, arrival: Arrival<Message>, out: &mut Out) {
        let (now, from) = (arrival.time, arrival.from());
        let Some(puppet) = self.place_of(arrival.to()) else { return };
        self.puppets[puppet].busy_until = now;
        if self.is_plain() {
            let (because, place) = (out.cause(), Place { puppet, side: 0 });
            if self.react(now, place, Input::Message(from, arrival.message)) {
                self.carry_out(now, place, because, out);
            }
            return;
        }
        self.learn(now, &arrival.message, out);
        self.hear(now, puppet, from, &arrival.message, 0, out);
        self.act(out);
    }

    fn wake(&mut self, now: Time, out: &mut Out) {
        self.puppets.iter_mut().for_each(|puppet| puppet.busy_until = now);
        if !self.started {
            self.start(now, out);
        }
        self.take_up(now, out);
        self.wake_attacks(now, out);
        for place in self.places() {
            while let Some((timer, because)) = self.puppets[place.puppet].sides[place.side].pop_timer(now) {
                out.woken(now, self.puppets[place.puppet].node(), because);
                self.step(now, place, Input::Timer(timer), out);
            }
        }
        self.act(out);
        let timers = self.puppets.iter().filter_map(Puppet::next_timer);
        let attacks = self.attacks.iter().filter_map(ActiveAttack::next_wake);
        self.next_wake = timers.chain(attacks).chain(self.agenda.next()).min();
    }

    #[inline]
    fn next_wake(&self) -> Option<Time> {
        self.next_wake
    }

    /// A replica falls to the adversary, with its state and its signer.
    ///
    /// # Panics
    /// If another process than the shell of a replica gave the node away.
    fn take_over(&mut self, node: NodeId, what: Box<dyn Any>, now: Time, out: &mut Out) {
        let Ok(estate) = what.downcast::<Estate<Replica>>() else {
            panic!("node {node} was not played by the shell of a replica");
        };
        let Estate { machine, timers, clock, costs, is_down } = *estate;
        if let Some(timer) = timers.next() {
            self.wake_at(timer);
        }
        self.add(Played::Replica(machine), timers, clock);
        self.falling.retain(|&other| other != node);
        let puppet = self.puppets.len() - 1;
        (self.puppets[puppet].costs, self.puppets[puppet].busy_until) = (costs, now);
        out.event(now, node, Event::Corrupt);
        // Whom attacks leave alone, or act on, may have changed.
        for index in 0..self.attacks.len() {
            self.command(now, index, out);
        }
        // Whoever plays it lets it stand up again, with what it stored.
        if is_down {
            let sides = self.puppets[puppet].sides.len();
            for side in 0..sides {
                self.step(now, Place { puppet, side }, Input::Restart { durable: true }, out);
            }
        }
        self.act(out);
    }
}
