//! A replica that starves some clients: as primary it never orders their requests, as backup it does not pass them on, and all others
//! it serves.

use crate::attack::{About, Attack, Departure, Family, Reception, Scene};
use crate::parameter::{NodeSort, Parameter, Visit};
use byzlab_network::NodeId;
use byzlab_replica::{Message, MessageKind};

/// A replica that starves some clients: as primary it never orders their requests, as backup it does not pass them on, and all others
/// it serves.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Starve {
    /// Whom; the first client if left out.
    pub clients: Option<Vec<NodeId>>,
}

impl Starve {
    fn starves(&self, scene: &Scene<'_>, client: NodeId) -> bool {
        match &self.clients {
            Some(clients) => clients.contains(&client),
            None => scene.config.client_index(client) == Some(0),
        }
    }
}

impl Attack for Starve {
    fn about(&self) -> About {
        let summary = "Never orders the requests of some clients, nor passes them on, and serves all others.";
        let messages = &[MessageKind::Request, MessageKind::PrePrepare];
        About::saying("starve", Family::Timing, summary, messages).both_ways()
    }

    fn parameters(&mut self, visit: &mut dyn Visit) {
        let parameter = Parameter::or("clients", "whose requests it does not order", "the first client");
        visit.nodes(parameter, NodeSort::Clients, &mut self.clients);
    }

    fn receive(&mut self, scene: &mut Scene<'_>, _: NodeId, message: &Message) -> Reception {
        match message {
            Message::Request(request) | Message::Read(request) if self.starves(scene, request.client) => {
                Reception::Lost
            }
            _ => Reception::Heard,
        }
    }

    /// It can know of such a request all the same, from another's proposal that came to nothing. It proposes that no more than any
    /// other, at the price of the whole view: that the backups are about to leave anyhow.
    fn send(&mut self, scene: &mut Scene<'_>, departure: Departure) {
        let is_starved = match &departure.message {
            Message::PrePrepare(own) if own.vote.replica == scene.node() => {
                own.batch.requests().iter().any(|request| self.starves(scene, request.client))
            }
            Message::Request(request) => request.client != scene.node() && self.starves(scene, request.client),
            _ => false,
        };
        if !is_starved {
            scene.send(departure);
        }
    }
}
