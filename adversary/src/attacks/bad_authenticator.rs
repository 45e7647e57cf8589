//! A client whose requests only the primary can verify, so that each primary that orders one stalls until it is deposed: the MAC attack
//! (Clement et al., "Making Byzantine Fault Tolerant Systems Tolerate Byzantine Faults", NSDI 2009).
//!
//! Who is primary it need not know. Each replica gets a request of its own under the same number, with a MAC that is right for this
//! replica alone: whoever is primary finds something to order, and no backup has ever seen that with a MAC that is right for itself.

use crate::attack::{About, Attack, Departure, Family, Need, Scene};
use byzlab_network::{NodeId, Recipients};
use byzlab_replica::{Authenticator, Message, MessageKind, Request, SignedRequest};
use std::sync::Arc;

/// A client whose requests only the primary can verify, so that each primary that orders one stalls until it is deposed.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct BadAuthenticator;

impl Attack for BadAuthenticator {
    fn about(&self) -> About {
        let summary =
            "Corrupted clients send each replica a request that it alone can verify, so that its proposal stalls.";
        About::saying("bad_authenticator", Family::Flood, summary, &[MessageKind::Request])
            .needing(&[Need::Clients, Need::Macs])
            .unbounded("each primary stalls that orders a request which nobody else can verify")
    }

    fn send(&mut self, scene: &mut Scene<'_>, departure: Departure) {
        if departure.message.author() != scene.node() {
            return scene.send(departure);
        }
        for to in departure.recipients(scene.node()) {
            let message = match &departure.message {
                Message::Request(request) => Message::Request(for_one(scene, request, to)),
                Message::Read(request) => Message::Read(for_one(scene, request, to)),
                other => other.clone(),
            };
            scene.send(Departure { to: Recipients::One(to), message, ..departure });
        }
    }
}

/// The request that this replica gets.
fn for_one(scene: &Scene<'_>, request: &Request, replica: NodeId) -> SignedRequest {
    let operation = request.operation.wrapping_add(1 + u64::from(replica.0));
    let authenticator = Authenticator::Only(replica);
    Arc::new(scene.signer.sign(Request { operation, authenticator, ..request.clone() }))
}
