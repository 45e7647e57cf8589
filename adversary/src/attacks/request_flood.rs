//! A client that floods the replicas: it sends ever new requests at a steady rate, and does not wait for replies.

use crate::attack::{About, Attack, Family, Need, Reception, Scene};
use crate::parameter::{Parameter, Visit};
use byzlab_network::{NodeId, Recipients, Time};
use byzlab_replica::{Authenticator, Message, MessageKind, Request, View};
use std::sync::Arc;

/// A client that floods the replicas: it sends ever new requests at a steady rate, and does not wait for replies.
#[derive(Clone, PartialEq, Debug)]
pub struct RequestFlood {
    /// How many a second and client.
    pub rate: f64,
    /// To whom: "all" replicas, or the "primary".
    pub to: &'static str,
    /// How many it has sent: the number of the last.
    sent: u64,
    /// The latest view of which replies tell.
    view: View,
}

impl Default for RequestFlood {
    fn default() -> RequestFlood {
        RequestFlood { rate: 1000.0, to: "all", sent: 0, view: View(0) }
    }
}

impl Attack for RequestFlood {
    fn about(&self) -> About {
        let summary = "Corrupted clients send ever new requests at a steady rate, without waiting for replies.";
        About::hearing("request_flood", Family::Flood, summary, &[MessageKind::Reply])
            .unprompted()
            .needing(&[Need::Clients])
            .unbounded("nothing bounds how long a request waits while clients flood the replicas")
    }

    fn parameters(&mut self, visit: &mut dyn Visit) {
        visit.rate(Parameter::new("rate", "how many a second and client"), &mut self.rate);
        visit.word(Parameter::new("to", "to all replicas, or to the primary"), &["all", "primary"], &mut self.to);
    }

    fn receive(&mut self, _: &mut Scene<'_>, _: NodeId, message: &Message) -> Reception {
        self.view = self.view.max(message.view().unwrap_or_default());
        Reception::Heard
    }

    fn wake(&mut self, scene: &mut Scene<'_>) {
        let (client, cluster) = (scene.node(), scene.config.cluster);
        if cluster.is_replica(client) {
            return;
        }
        self.sent += 1;
        let request = Request {
            client,
            timestamp: self.sent,
            operation: scene.draws.as_u64(),
            reads: false,
            authenticator: Authenticator::All,
            payload: 0,
        };
        let to = match self.to {
            "primary" => Recipients::One(cluster.primary(self.view)),
            _ => Recipients::OthersBelow(NodeId(cluster.replicas())),
        };
        scene.say(to, Message::Request(Arc::new(scene.signer.sign(request))));
    }

    fn next_wake(&self, last: Option<Time>) -> Option<Time> {
        Some(super::next_beat(last, self.rate))
    }
}
