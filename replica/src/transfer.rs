//! What replicas send each other so that none stays behind: STATUS, FETCH and STATE (rules 17 and 20).

use crate::certificate::Certificate;
use crate::digest::Digest;
use crate::message::{Batch, SeqNum, View};
use crate::signature::Statement;
use crate::state::Snapshot;
use byzlab_network::NodeId;
use std::sync::Arc;

/// What a replica has. Who receives it sends what it lacks.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Status {
    /// The view that it is in, or wants.
    pub view: View,
    /// Whether it has entered that view.
    pub active: bool,
    /// The proof of its last stable checkpoint; none if that is 0.
    pub stable: Option<Certificate>,
    /// The last number that it executed, and not tentatively: of what is not committed yet it may lack the COMMITs.
    pub executed: SeqNum,
    /// Which of the 64 numbers after that it has a pre-prepare for in this view, the lowest bit for the first; none before it has
    /// entered it.
    pub pre_prepared: u64,
    /// Whether it answers another status. An answer is not answered with a status again.
    pub answers: bool,
    /// Who says it.
    pub replica: NodeId,
}

impl Statement for Status {
    fn author(&self) -> NodeId {
        self.replica
    }

    fn set_author(&mut self, author: NodeId) {
        self.replica = author;
    }
}

/// A replica asks for the batch with a digest at a number, or for the state at a checkpoint.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Fetch {
    /// What for.
    pub wanted: Wanted,
    /// The batch's number, or the checkpoint's. A later checkpoint will do as well.
    pub seq: SeqNum,
    /// Of the batch or the state.
    pub digest: Digest,
    /// Who asks.
    pub replica: NodeId,
}

/// What can be fetched.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Wanted {
    /// The requests of a batch.
    Batch,
    /// The state at a stable checkpoint.
    Checkpoint,
}

impl Statement for Fetch {
    fn author(&self) -> NodeId {
        self.replica
    }

    fn set_author(&mut self, author: NodeId) {
        self.replica = author;
    }
}

/// Contents that were asked for. The receiver checks their digest, so it does not matter who sends them.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct State {
    /// The contents.
    pub content: Content,
    /// Who sends them.
    pub replica: NodeId,
}

/// Contents that can be fetched.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Content {
    /// A batch.
    Batch {
        /// Its number.
        seq: SeqNum,
        /// Its requests.
        batch: Arc<Batch>,
    },
    /// A batch that is committed. Nobody asks for it: who hears from a replica that lags sends it.
    Committed {
        /// The COMMITs of a quorum.
        proof: Certificate,
        /// Its requests.
        batch: Arc<Batch>,
    },
    /// A stable checkpoint.
    Checkpoint {
        /// The proof that it is stable.
        proof: Certificate,
        /// The state.
        snapshot: Arc<Snapshot>,
    },
}

impl State {
    /// The number that it is about.
    pub fn seq(&self) -> SeqNum {
        match &self.content {
            Content::Batch { seq, .. } => *seq,
            Content::Committed { proof, .. } | Content::Checkpoint { proof, .. } => proof.slot().seq,
        }
    }

    /// The digest of the contents themselves, whatever they are said to be.
    pub fn digest(&self) -> Digest {
        match &self.content {
            Content::Batch { batch, .. } | Content::Committed { batch, .. } => batch.digest(),
            Content::Checkpoint { snapshot, .. } => snapshot.digest(),
        }
    }
}

impl Statement for State {
    fn author(&self) -> NodeId {
        self.replica
    }

    fn set_author(&mut self, author: NodeId) {
        self.replica = author;
    }
}
