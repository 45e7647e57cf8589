//! The controller: the one actor that plays every corrupted replica.

use crate::attack::{ActiveAttack, AttackConfig, Departure, Knowledge, Scene};
use crate::event::Event;
use byzlab_network::{Arrival, Key, NodeId, Outbox, Process, Time};
use byzlab_replica::{Digest, Effects, Event as ProtocolEvent, Input, Message, Replica, Timers, ordered_events};

/// Plays the corrupted replicas of a run.
pub struct Controller {
    puppets: Vec<Puppet>,
    attacks: Vec<ActiveAttack>,
    knowledge: Knowledge,
    started: bool,
}

/// A corrupted replica: the honest state machine, with others' hands on its mouth and ears.
struct Puppet {
    replica: Replica,
    timers: Timers,
}

impl Controller {
    /// A controller for these replicas, which hand over state and signer. `run` names its random draws.
    pub fn new(replicas: Vec<Replica>, attacks: &[AttackConfig], run: Key) -> Controller {
        let draws = run.component("attack");
        let attacks = attacks.iter().zip(0..).map(|(attack, index)| ActiveAttack::new(attack, draws.child(index)));
        Controller {
            puppets: replicas.into_iter().map(|replica| Puppet { replica, timers: Timers::default() }).collect(),
            attacks: attacks.collect(),
            knowledge: Knowledge::default(),
            started: false,
        }
    }

    /// The replicas that it plays.
    pub fn nodes(&self) -> Vec<NodeId> {
        self.puppets.iter().map(|puppet| puppet.replica.id()).collect()
    }

    fn step(&mut self, now: Time, index: usize, input: Input, out: &mut Outbox<Message, Event>) {
        let puppet = &mut self.puppets[index];
        let mut effects = Effects::default();
        puppet.replica.step(now, input, &mut effects);
        for (timer, at) in effects.timers {
            puppet.timers.set(timer, at);
        }
        let mut proposed: Vec<Digest> = Vec::new();
        for (to, message) in effects.sends {
            self.send(now, index, Departure { to, message }, &mut proposed, out);
        }
    }

    /// Sends what the attacks make of a message.
    fn send(
        &mut self,
        now: Time,
        index: usize,
        departure: Departure,
        proposed: &mut Vec<Digest>,
        out: &mut Outbox<Message, Event>,
    ) {
        let signer = self.puppets[index].replica.signer();
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
                    let scene = Scene { signer, draws, knowledge: &self.knowledge };
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
        for Departure { to, message } in departures {
            self.knowledge.learn(&message);
            if let Message::PrePrepare(pre_prepare) = &message
                && pre_prepare.vote.replica == node
                && !proposed.contains(&pre_prepare.vote.digest)
            {
                proposed.push(pre_prepare.vote.digest);
                out.event(now, node, ProtocolEvent::Propose(pre_prepare.slot()).into());
                ordered_events(pre_prepare).for_each(|event| out.event(now, node, event.into()));
            }
            out.send(now, node, to, message);
        }
    }

    /// Whether the attacks let a message through to the replica.
    fn lets_in(&self, arrival: &Arrival<Message>, index: usize, out: &mut Outbox<Message, Event>) -> bool {
        for active in self.attacks.iter().filter(|active| active.inbound) {
            let Some(draws) = active.applies(arrival.time, arrival.to(), &arrival.message) else { continue };
            let signer = self.puppets[index].replica.signer();
            let scene = Scene { signer, draws, knowledge: &self.knowledge };
            if !active.attack.lets_in(&scene, &arrival.message) {
                out.event(arrival.time, arrival.to(), Event::Attack(active.attack.name()));
                return false;
            }
        }
        true
    }
}

impl Process<Message, Event> for Controller {
    fn receive(&mut self, arrival: Arrival<Message>, out: &mut Outbox<Message, Event>) {
        let node = arrival.to();
        let Some(index) = self.puppets.iter().position(|puppet| puppet.replica.id() == node) else { return };
        self.knowledge.learn(&arrival.message);
        if self.lets_in(&arrival, index, out) {
            let from = arrival.from();
            self.step(arrival.time, index, Input::Message(from, arrival.message), out);
        }
    }

    fn wake(&mut self, now: Time, out: &mut Outbox<Message, Event>) {
        if !self.started {
            self.started = true;
            for index in 0..self.puppets.len() {
                out.event(now, self.puppets[index].replica.id(), Event::Corrupt);
                self.step(now, index, Input::Start, out);
            }
        }
        for index in 0..self.puppets.len() {
            while let Some(timer) = self.puppets[index].timers.pop(now) {
                self.step(now, index, Input::Timer(timer), out);
            }
        }
    }

    fn next_wake(&self) -> Option<Time> {
        if !self.started {
            return Some(Time::START);
        }
        self.puppets.iter().filter_map(|puppet| puppet.timers.next()).min()
    }
}
