//! A replica that says again, together with what it sends, old messages that it sent or received, just as they were.
//!
//! It can bring back whatever it has signed itself, and of others what may come from anybody: requests, pre-prepares, NEW-VIEWs and
//! contents. A vote of another is of no use to it, for the receiver asks for it from its author.

use crate::attack::{About, Attack, Departure, Family, Reception, Scene};
use crate::parameter::{Parameter, Visit};
use byzlab_network::NodeId;
use byzlab_replica::{Message, MessageKind};
use std::collections::VecDeque;

/// A replica that says again, together with what it sends, old messages that it sent or received, just as they were.
#[derive(Clone, PartialEq, Debug)]
pub struct Replay {
    /// How many old messages go with each that it sends.
    pub count: u64,
    /// The latest messages of all corrupted nodes, the oldest first.
    memory: VecDeque<Message>,
}

/// So many messages are remembered.
const MEMORY: usize = 256;

impl Default for Replay {
    fn default() -> Replay {
        Replay { count: 1, memory: VecDeque::new() }
    }
}

impl Attack for Replay {
    fn about(&self) -> About {
        let summary = "Says old messages again, together with what it sends.";
        About::saying("replay", Family::Lying, summary, &MessageKind::ALL).both_ways()
    }

    fn parameters(&mut self, visit: &mut dyn Visit) {
        let about = Parameter::new("count", "how many old messages go with each that it sends");
        visit.integer(about, 1..=100, &mut self.count);
    }

    fn receive(&mut self, _: &mut Scene<'_>, _: NodeId, message: &Message) -> Reception {
        self.remember(message);
        Reception::Heard
    }

    fn send(&mut self, scene: &mut Scene<'_>, departure: Departure) {
        let node = scene.node();
        let to = departure.recipients(node);
        let old: Vec<&Message> = self.memory.iter().filter(|old| may_say(node, &to, old, &departure.message)).collect();
        scene.send(departure.clone());
        if let Some(last) = old.len().checked_sub(1) {
            let mut draw = scene.draws.draw();
            for _ in 0..self.count {
                let message = old[draw.up_to(last as u64) as usize].clone();
                scene.send(Departure { message, ..departure.clone() });
            }
        }
        self.remember(&departure.message);
    }
}

impl Replay {
    fn remember(&mut self, message: &Message) {
        if self.memory.len() == MEMORY {
            self.memory.pop_front();
        }
        self.memory.push_back(message.clone());
    }
}

/// Whether those to whom `present` goes would take the old message from this node.
fn may_say(node: NodeId, to: &[NodeId], old: &Message, present: &Message) -> bool {
    let is_reply = |message: &Message| matches!(message, Message::Reply(_));
    match old {
        Message::Reply(reply) => reply.replica == node && to.contains(&reply.client),
        _ if is_reply(present) => false,
        Message::Request(_) | Message::PrePrepare(_) | Message::NewView(_) | Message::State(_) => true,
        _ => old.author() == node,
    }
}
