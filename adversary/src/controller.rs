//! The controller: the one actor that plays every corrupted replica.

use crate::attack::{ActiveAttack, AttackConfig, Departure, Knowledge, Scene};
use crate::collusion::Collusion;
use crate::event::Event;
use byzlab_network::{Arrival, Key, NodeId, Outbox, Process, Span, Time};
use byzlab_replica::{
    Costs, Digest, Effects, Event as ProtocolEvent, Input, Message, Replica, Signer, Timers, ordered_events,
};

/// Plays the corrupted replicas of a run.
pub struct Controller {
    puppets: Vec<Puppet>,
    attacks: Vec<ActiveAttack>,
    knowledge: Knowledge,
    collusion: Option<Collusion>,
    /// The corrupted replicas, if they collude; else nobody.
    colluders: Vec<NodeId>,
    started: bool,
}

/// A corrupted replica: the honest state machine, with others' hands on its mouth and ears; one, or one for each story that
/// colluders tell.
struct Puppet {
    sides: Vec<Side>,
    /// None if nothing that it does takes time.
    costs: Option<Box<Costs>>,
    /// When the work for what it sent last is done.
    busy_until: Time,
}

#[derive(Clone)]
struct Side {
    replica: Replica,
    timers: Timers,
}

/// A side of a puppet, by their indices.
#[derive(Clone, Copy)]
struct Place {
    puppet: usize,
    side: usize,
}

impl Puppet {
    fn signer(&self) -> &Signer {
        self.sides[0].replica.signer()
    }

    fn id(&self) -> NodeId {
        self.signer().node()
    }
}

impl Controller {
    /// A controller for these replicas, which hand over state and signer. `run` names its random draws.
    pub fn new(replicas: Vec<Replica>, attacks: &[AttackConfig], run: Key) -> Controller {
        let draws = run.component("attack");
        let nodes: Vec<NodeId> = replicas.iter().map(Replica::id).collect();
        let config = replicas.first().map(Replica::config);
        let collusion = config.and_then(|config| Collusion::of(attacks, config, &nodes));
        let attacks = attacks.iter().zip(0..).map(|(attack, index)| ActiveAttack::new(attack, draws.child(index)));
        let sides = collusion.as_ref().map_or(1, Collusion::sides);
        let puppet = |replica| Puppet {
            sides: vec![Side { replica, timers: Timers::default() }; sides],
            costs: None,
            busy_until: Time::START,
        };
        Controller {
            puppets: replicas.into_iter().map(puppet).collect(),
            attacks: attacks.collect(),
            knowledge: Knowledge::default(),
            colluders: if collusion.is_some() { nodes } else { Vec::new() },
            collusion,
            started: false,
        }
    }

    /// The same, with what messages and requests cost each replica: lies are no cheaper than the truth.
    #[must_use]
    pub fn with_costs(mut self, costs: impl Fn(NodeId) -> Option<Costs>) -> Controller {
        for puppet in &mut self.puppets {
            puppet.costs = costs(puppet.id()).map(Box::new);
        }
        self
    }

    /// The replicas that it plays.
    pub fn nodes(&self) -> Vec<NodeId> {
        self.puppets.iter().map(Puppet::id).collect()
    }

    fn places(&self) -> impl Iterator<Item = Place> + use<> {
        let sides = self.puppets.first().map_or(0, |puppet| puppet.sides.len());
        (0..self.puppets.len()).flat_map(move |puppet| (0..sides).map(move |side| Place { puppet, side }))
    }

    fn step(&mut self, now: Time, place: Place, input: Input, out: &mut Outbox<Message, Event>) {
        let because = out.cause();
        let side = &mut self.puppets[place.puppet].sides[place.side];
        let mut effects = Effects::default();
        side.replica.step(now, input, &mut effects);
        let Puppet { costs, busy_until, .. } = &mut self.puppets[place.puppet];
        if let Some(costs) = costs {
            *busy_until = *busy_until + costs.execute(effects.executed);
            out.busy_until(*busy_until);
        }
        let side = &mut self.puppets[place.puppet].sides[place.side];
        for (timer, at) in effects.timers {
            side.timers.set(timer, at, because);
        }
        let mut proposed: Vec<Digest> = Vec::new();
        for (to, message) in effects.sends {
            self.send(now, place, Departure { to, message }, &mut proposed, out);
        }
    }

    /// Gives a message to the sides of a replica that it is for.
    fn hand_over(
        &mut self,
        now: Time,
        puppet: usize,
        from: NodeId,
        message: &Message,
        out: &mut Outbox<Message, Event>,
    ) {
        let side = self.collusion.as_ref().and_then(|collusion| collusion.side_of(message));
        let sides = match side {
            Some(side) => side..side + 1,
            None => 0..self.puppets[puppet].sides.len(),
        };
        for side in sides {
            self.step(now, Place { puppet, side }, Input::Message(from, message.clone()), out);
        }
    }

    /// Sends what the attacks make of a message.
    fn send(
        &mut self,
        now: Time,
        place: Place,
        departure: Departure,
        proposed: &mut Vec<Digest>,
        out: &mut Outbox<Message, Event>,
    ) {
        let signer = self.puppets[place.puppet].signer();
        let node = signer.node();
        let mut departures = vec![departure];
        for active in self.attacks.iter().filter(|active| !active.inbound) {
            let mut changed = Vec::new();
            let mut acted = false;
            for departure in departures {
                let Some(draws) = active.applies(now, node, &departure.message) else {
                    changed.push(departure);
                    continue;
                };
                let (inside, outside) = active.split(node, departure);
                changed.extend(outside);
                if let Some(departure) = inside {
                    let scene = Scene { signer, draws, knowledge: &self.knowledge, colluders: &self.colluders };
                    let (original, first) = (departure.clone(), changed.len());
                    active.attack.send(&scene, departure, &mut changed);
                    acted |= !original.is_all_of(node, &changed[first..]);
                }
            }
            if acted {
                out.event(now, node, Event::Attack(active.attack.name()));
            }
            departures = changed;
        }
        let departures = match &mut self.collusion {
            Some(collusion) => departures.into_iter().filter_map(|d| collusion.divert(place.side, node, d)).collect(),
            None => departures,
        };
        for Departure { to, message } in departures {
            self.knowledge.learn(&message);
            if let Message::PrePrepare(pre_prepare) = &message
                && pre_prepare.vote.replica == node
                && !proposed.contains(&pre_prepare.vote.digest)
            {
                proposed.push(pre_prepare.vote.digest);
                out.event(now, node, ProtocolEvent::Propose(pre_prepare.slot()).into());
                ordered_events(pre_prepare).for_each(|event| out.event(now, node, event.into()));
                if place.side == 0 && self.collusion.is_some() {
                    // Its own other sides have proposed this just now.
                    self.hand_over(now, place.puppet, node, &message, out);
                }
            }
            let Puppet { costs, busy_until, .. } = &mut self.puppets[place.puppet];
            if let Some(costs) = costs {
                *busy_until = *busy_until + costs.send_out(&to, &message);
            }
            out.send(*busy_until, node, to, message);
        }
    }

    /// Whether the attacks let a message through to the replica.
    fn lets_in(&self, arrival: &Arrival<Message>, index: usize, out: &mut Outbox<Message, Event>) -> bool {
        for active in self.attacks.iter().filter(|active| active.inbound) {
            let Some(draws) = active.applies(arrival.time, arrival.to(), &arrival.message) else { continue };
            let signer = self.puppets[index].signer();
            let scene = Scene { signer, draws, knowledge: &self.knowledge, colluders: &self.colluders };
            if !active.attack.lets_in(&scene, &arrival.message) {
                out.event(arrival.time, arrival.to(), Event::Attack(active.attack.name()));
                return false;
            }
        }
        true
    }
}

impl Process<Message, Event> for Controller {
    fn work_of(&mut self, arrival: &Arrival<Message>) -> Span {
        let puppet = self.puppets.iter_mut().find(|puppet| puppet.id() == arrival.to());
        let costs = puppet.and_then(|puppet| puppet.costs.as_mut());
        costs.map_or(Span::ZERO, |costs| costs.take_in(&arrival.message))
    }

    fn receive(&mut self, arrival: Arrival<Message>, out: &mut Outbox<Message, Event>) {
        let node = arrival.to();
        let Some(index) = self.puppets.iter().position(|puppet| puppet.id() == node) else { return };
        self.puppets[index].busy_until = arrival.time;
        self.knowledge.learn(&arrival.message);
        if self.lets_in(&arrival, index, out) {
            let from = arrival.from();
            self.hand_over(arrival.time, index, from, &arrival.message, out);
        }
    }

    fn wake(&mut self, now: Time, out: &mut Outbox<Message, Event>) {
        self.puppets.iter_mut().for_each(|puppet| puppet.busy_until = now);
        if !self.started {
            self.started = true;
            for puppet in &self.puppets {
                out.event(now, puppet.id(), Event::Corrupt);
            }
            self.places().for_each(|place| self.step(now, place, Input::Start, out));
        }
        for place in self.places() {
            while let Some((timer, because)) = self.puppets[place.puppet].sides[place.side].timers.pop(now) {
                out.woken(now, self.puppets[place.puppet].id(), because);
                self.step(now, place, Input::Timer(timer), out);
            }
        }
    }

    fn next_wake(&self) -> Option<Time> {
        if !self.started {
            return Some(Time::START);
        }
        self.puppets.iter().flat_map(|puppet| &puppet.sides).filter_map(|side| side.timers.next()).min()
    }
}
