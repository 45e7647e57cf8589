//! A replica that lies about states: its CHECKPOINTs carry an invented digest, and who fetches contents from it gets wrong ones.

use super::fake_digest::invented_digest;
use crate::attack::{About, Attack, Departure, Family, Scene};
use byzlab_replica::{Batch, Content, Message, MessageKind, Snapshot, State, Vote};
use std::sync::Arc;

/// A replica that lies about states: its CHECKPOINTs carry an invented digest, and who fetches contents from it gets wrong ones.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct ForgeCheckpoint;

impl Attack for ForgeCheckpoint {
    fn about(&self) -> About {
        let summary = "Lies about states: invented digests in checkpoints, wrong contents for who fetches them.";
        About::saying("forge_checkpoint", Family::Lying, summary, &[MessageKind::Checkpoint, MessageKind::State])
    }

    fn send(&mut self, scene: &mut Scene<'_>, departure: Departure) {
        let message = match &departure.message {
            Message::Vote(vote) => Message::Vote(scene.signer.sign(Vote { digest: invented_digest(scene), ..**vote })),
            Message::State(state) => {
                let content = wrong(&state.content, scene);
                Message::State(Arc::new(scene.signer.sign(State { content, replica: scene.node() })))
            }
            other => other.clone(),
        };
        scene.send(Departure { message, ..departure });
    }
}

/// Contents of the same form, under a proof that is right.
fn wrong(content: &Content, scene: &Scene<'_>) -> Content {
    match content {
        Content::Batch { seq, batch } => Content::Batch { seq: *seq, batch: other(batch) },
        Content::Committed { proof, batch } => Content::Committed { proof: proof.clone(), batch: other(batch) },
        // The state before the first request.
        Content::Checkpoint { proof, .. } => {
            Content::Checkpoint { proof: proof.clone(), snapshot: Arc::new(Snapshot::new(scene.config)) }
        }
    }
}

/// Another batch of the same requests.
fn other(batch: &Batch) -> Arc<Batch> {
    Arc::new(Batch::new(batch.requests().to_vec(), batch.nonce().wrapping_add(1)))
}
