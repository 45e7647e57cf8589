//! The protocol's messages (OSDI 1999, section 4).
//!
//! Votes are small and `Copy`, and everything larger is shared, so that a message is 24 bytes.

use crate::digest::Digest;
use crate::signature::{Signed, Signer, Statement};
use crate::step::Slot;
use crate::transfer::{Fetch, State, Status};
use crate::view_change::{NewView, ViewChange};
use crate::wire::Wire;
use byzlab_network::{Label, NodeId};
use std::fmt;
use std::sync::Arc;

/// A view's number. Its primary is replica `view mod n`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct View(pub u32);

/// A sequence number. The first request has 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct SeqNum(pub u64);

impl SeqNum {
    /// The one after it.
    #[must_use]
    pub fn next(self) -> SeqNum {
        SeqNum(self.0 + 1)
    }
}

/// Which replicas can verify that a request is its client's. It matters with MACs alone: a signature all can verify.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub enum Authenticator {
    /// Each of its MACs is right, as an honest client makes them.
    #[default]
    All,
    /// The MAC for this replica is right, and no other.
    Only(NodeId),
}

/// REQUEST(op, t, c): client c asks for an operation. The greater t, the later.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Request {
    /// c.
    pub client: NodeId,
    /// t: the client's request number, from 1.
    pub timestamp: u64,
    /// op.
    pub operation: u64,
    /// Whether the operation only reads.
    pub reads: bool,
    /// Who can verify that it is the client's. It vouches for the contents, and is not one of them: the digest leaves it out.
    pub authenticator: Authenticator,
    /// The size of the operation's arguments in bytes.
    pub payload: u32,
}

impl Request {
    /// The digest of its contents.
    pub fn digest(&self) -> Digest {
        let sizes = u64::from(self.payload) | u64::from(self.reads) << 32;
        Digest::of([u64::from(self.client.0), self.timestamp, self.operation, sizes])
    }
}

impl Statement for Request {
    fn author(&self) -> NodeId {
        self.client
    }

    fn set_author(&mut self, author: NodeId) {
        self.client = author;
    }
}

/// A request with its client's signature, as everybody passes it on.
pub type SignedRequest = Arc<Signed<Request>>;

/// What one sequence number orders. Its digest binds all of it, the order of the requests included.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Batch {
    requests: Vec<SignedRequest>,
    nonce: u64,
    digest: Digest,
}

impl Batch {
    /// A batch of requests. The `nonce` stands for the non-deterministic values that the primary may choose (section 4.6 of the
    /// paper); an honest primary takes 0.
    pub fn new(requests: Vec<SignedRequest>, nonce: u64) -> Batch {
        let words = requests.iter().map(|request| request.digest().0);
        let digest = Digest::of(words.chain([nonce]));
        Batch { requests, nonce, digest }
    }

    /// The null request, which a new view puts where nothing was prepared: it changes nothing. Its digest is zero.
    pub fn null() -> Batch {
        Batch { requests: Vec::new(), nonce: 0, digest: Digest::NULL }
    }

    /// The requests, in their order; none in the null request.
    pub fn requests(&self) -> &[SignedRequest] {
        &self.requests
    }

    /// The primary's own choice.
    pub fn nonce(&self) -> u64 {
        self.nonce
    }

    /// The digest of all of it.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// PRE-PREPARE(v, n, D) with the requests: the primary's vote, and beside it what the vote's digest stands for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PrePrepare {
    /// PRE-PREPARE(v, n, D), signed by the primary.
    pub vote: Signed<Vote>,
    /// What is proposed.
    pub batch: Arc<Batch>,
}

impl PrePrepare {
    /// The proposal of the signer for a place.
    pub fn new(signer: &Signer, view: View, seq: SeqNum, batch: Arc<Batch>) -> PrePrepare {
        PrePrepare { vote: signer.vote(VoteKind::PrePrepare, view, seq, batch.digest()), batch }
    }

    /// The place with the digest of the vote.
    pub fn slot(&self) -> Slot {
        self.vote.slot()
    }
}

/// What a vote is for.
///
/// Two bytes wide, so that a [`Vote`] has no padding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
#[repr(u16)]
pub enum VoteKind {
    /// PREPARE(v, n, D, i).
    #[default]
    Prepare,
    /// PRE-PREPARE(v, n, D): the primary's, in place of a PREPARE.
    PrePrepare,
    /// COMMIT(v, n, D, i).
    Commit,
    /// CHECKPOINT(n, d, i); its view is 0.
    Checkpoint,
}

/// A replica's vote for a digest.
///
/// The order of the fields is fixed: it makes a [`Message`] two whole words and one that begins with the kind. With another order the
/// compiler copies messages in overlapping pieces, which costs a tenth of a run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(C)]
pub struct Vote {
    /// n.
    pub seq: SeqNum,
    /// D, or the state's digest.
    pub digest: Digest,
    /// For what.
    pub kind: VoteKind,
    /// i.
    pub replica: NodeId,
    /// v.
    pub view: View,
}

impl Vote {
    /// The place with the digest.
    pub fn slot(&self) -> Slot {
        Slot { view: self.view, seq: self.seq, digest: self.digest }
    }
}

impl Signer {
    /// The signer's vote.
    pub fn vote(&self, kind: VoteKind, view: View, seq: SeqNum, digest: Digest) -> Signed<Vote> {
        self.sign(Vote { seq, digest, kind, replica: self.node(), view })
    }
}

impl Statement for Vote {
    fn author(&self) -> NodeId {
        self.replica
    }

    fn set_author(&mut self, author: NodeId) {
        self.replica = author;
    }
}

/// REPLY(v, t, c, i, r).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Reply {
    /// v: tells the client who is primary.
    pub view: View,
    /// t.
    pub timestamp: u64,
    /// c.
    pub client: NodeId,
    /// i.
    pub replica: NodeId,
    /// r.
    pub result: u64,
    /// Whether the execution may still be taken back.
    pub tentative: bool,
    /// For a read that was answered without being ordered: the last number that the state covers which it read.
    pub read_at: Option<SeqNum>,
    /// The size of the result in bytes.
    pub payload: u32,
}

impl Statement for Reply {
    fn author(&self) -> NodeId {
        self.replica
    }

    fn set_author(&mut self, author: NodeId) {
        self.replica = author;
    }
}

/// Any message of the protocol.
#[derive(PartialEq, Eq, Hash, Debug)]
pub enum Message {
    /// From a client, or passed on by a replica: to be ordered.
    Request(SignedRequest),
    /// From a client: to be answered at once, without being ordered. The signed request is the same either way.
    Read(SignedRequest),
    /// From a primary.
    PrePrepare(Arc<PrePrepare>),
    /// PREPARE, COMMIT or CHECKPOINT.
    Vote(Signed<Vote>),
    /// To a client.
    Reply(Arc<Signed<Reply>>),
    /// From a replica that leaves its view.
    ViewChange(Arc<Signed<ViewChange>>),
    /// From the primary of a new view.
    NewView(Arc<Signed<NewView>>),
    /// What a replica has, so that others see what it lacks.
    Status(Arc<Signed<Status>>),
    /// A replica asks for contents.
    Fetch(Arc<Signed<Fetch>>),
    /// Contents that were asked for.
    State(Arc<Signed<State>>),
}

/// As derived, but with the rare cases out of the way: nearly all copies that the network makes are of votes.
impl Clone for Message {
    #[inline(always)]
    fn clone(&self) -> Message {
        match self {
            Message::Vote(vote) => Message::Vote(*vote),
            shared => shared.clone_shared(),
        }
    }
}

/// The kinds of messages, as logs and configurations name them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum MessageKind {
    /// REQUEST.
    Request,
    /// PRE-PREPARE.
    PrePrepare,
    /// PREPARE.
    Prepare,
    /// COMMIT.
    Commit,
    /// REPLY.
    Reply,
    /// CHECKPOINT.
    Checkpoint,
    /// VIEW-CHANGE.
    ViewChange,
    /// NEW-VIEW.
    NewView,
    /// A question for contents.
    Fetch,
    /// Contents.
    State,
    /// What a replica has.
    Status,
}

impl MessageKind {
    /// All of them.
    pub const ALL: [MessageKind; 11] = [
        MessageKind::Request,
        MessageKind::PrePrepare,
        MessageKind::Prepare,
        MessageKind::Commit,
        MessageKind::Reply,
        MessageKind::Checkpoint,
        MessageKind::ViewChange,
        MessageKind::NewView,
        MessageKind::Fetch,
        MessageKind::State,
        MessageKind::Status,
    ];

    /// Its name in logs and configurations.
    pub fn name(self) -> &'static str {
        match self {
            MessageKind::Request => "request",
            MessageKind::PrePrepare => "pre_prepare",
            MessageKind::Prepare => "prepare",
            MessageKind::Commit => "commit",
            MessageKind::Reply => "reply",
            MessageKind::Checkpoint => "checkpoint",
            MessageKind::ViewChange => "view_change",
            MessageKind::NewView => "new_view",
            MessageKind::Fetch => "fetch",
            MessageKind::State => "state",
            MessageKind::Status => "status",
        }
    }
}

impl fmt::Display for MessageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Message {
    #[cold]
    #[inline(never)]
    fn clone_shared(&self) -> Message {
        match self {
            Message::Vote(vote) => Message::Vote(*vote),
            Message::Request(request) => Message::Request(Arc::clone(request)),
            Message::Read(request) => Message::Read(Arc::clone(request)),
            Message::PrePrepare(pre_prepare) => Message::PrePrepare(Arc::clone(pre_prepare)),
            Message::Reply(reply) => Message::Reply(Arc::clone(reply)),
            Message::ViewChange(change) => Message::ViewChange(Arc::clone(change)),
            Message::NewView(new_view) => Message::NewView(Arc::clone(new_view)),
            Message::Status(status) => Message::Status(Arc::clone(status)),
            Message::Fetch(fetch) => Message::Fetch(Arc::clone(fetch)),
            Message::State(state) => Message::State(Arc::clone(state)),
        }
    }

    /// Its kind.
    pub fn kind(&self) -> MessageKind {
        match self {
            Message::Request(_) | Message::Read(_) => MessageKind::Request,
            Message::PrePrepare(_) => MessageKind::PrePrepare,
            Message::Vote(vote) => match vote.kind {
                VoteKind::PrePrepare => MessageKind::PrePrepare,
                VoteKind::Prepare => MessageKind::Prepare,
                VoteKind::Commit => MessageKind::Commit,
                VoteKind::Checkpoint => MessageKind::Checkpoint,
            },
            Message::Reply(_) => MessageKind::Reply,
            Message::ViewChange(_) => MessageKind::ViewChange,
            Message::NewView(_) => MessageKind::NewView,
            Message::Status(_) => MessageKind::Status,
            Message::Fetch(_) => MessageKind::Fetch,
            Message::State(_) => MessageKind::State,
        }
    }

    /// Who wrote it, which need not be who sends it: requests and pre-prepares are passed on.
    pub fn author(&self) -> NodeId {
        match self {
            Message::Request(request) | Message::Read(request) => request.author(),
            Message::PrePrepare(pre_prepare) => pre_prepare.vote.author(),
            Message::Vote(vote) => vote.author(),
            Message::Reply(reply) => reply.author(),
            Message::ViewChange(change) => change.author(),
            Message::NewView(new_view) => new_view.author(),
            Message::Status(status) => status.author(),
            Message::Fetch(fetch) => fetch.author(),
            Message::State(state) => state.author(),
        }
    }

    /// Its view, where it has one.
    pub fn view(&self) -> Option<View> {
        match self {
            Message::Request(_) | Message::Read(_) | Message::Fetch(_) | Message::State(_) => None,
            Message::PrePrepare(pre_prepare) => Some(pre_prepare.vote.view),
            Message::Vote(vote) if vote.kind == VoteKind::Checkpoint => None,
            Message::Vote(vote) => Some(vote.view),
            Message::Reply(reply) => Some(reply.view),
            Message::ViewChange(change) => Some(change.view),
            Message::NewView(new_view) => Some(new_view.view),
            Message::Status(status) => Some(status.view),
        }
    }

    /// Its sequence number; for requests and replies the client's request number, for a view change and a new view the stable
    /// checkpoint that they begin at, for a status the last number executed.
    pub fn seq(&self) -> u64 {
        match self {
            Message::Request(request) | Message::Read(request) => request.timestamp,
            Message::PrePrepare(pre_prepare) => pre_prepare.vote.seq.0,
            Message::Vote(vote) => vote.seq.0,
            Message::Reply(reply) => reply.timestamp,
            Message::ViewChange(change) => change.stable.0,
            Message::NewView(new_view) => new_view.stable().0,
            Message::Status(status) => status.executed.0,
            Message::Fetch(fetch) => fetch.seq.0,
            Message::State(state) => state.seq().0,
        }
    }

    /// The digest that it is about: of the request, of the batch, of the state, of the result, or of the order that a new view begins
    /// with.
    pub fn digest(&self) -> Digest {
        match self {
            Message::Request(request) | Message::Read(request) => request.digest(),
            Message::PrePrepare(pre_prepare) => pre_prepare.vote.digest,
            Message::Vote(vote) => vote.digest,
            Message::Reply(reply) => Digest::of([reply.result]),
            Message::ViewChange(change) => change.digest(),
            Message::NewView(new_view) => new_view.order_digest(),
            Message::Status(status) => status.stable.as_ref().map_or(Digest::NULL, |proof| proof.slot().digest),
            Message::Fetch(fetch) => fetch.digest,
            Message::State(state) => state.digest(),
        }
    }
}

impl byzlab_network::Message for Message {
    /// With signatures; what MACs weigh instead, a [`Wire`] knows.
    #[inline]
    fn size(&self) -> u64 {
        Wire::SIGNED.size(self)
    }

    /// As logs show it: the kind is the place in [`MessageKind::ALL`].
    fn label(&self) -> Label {
        let view = self.view().map(|view| u64::from(view.0));
        Label { kind: self.kind() as u8, view, seq: Some(self.seq()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use byzlab_network::Arrival;

    /// The engine's speed rests on this.
    #[test]
    fn messages_are_small() {
        assert_eq!(size_of::<Message>(), 24);
        assert_eq!(size_of::<Arrival<Message>>(), 48);
    }

    /// Configurations name a kind by its place.
    #[test]
    fn kinds_stand_at_their_own_number() {
        for (place, kind) in MessageKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, place, "{kind}");
        }
    }

    /// PBFT.md rule 8.
    #[test]
    fn a_batch_digest_binds_content_order_and_nonce() {
        let mut signers = Signer::deal(2);
        let signer = signers.next().unwrap();
        let request = |timestamp| {
            let client = NodeId(9);
            Arc::new(signer.sign(Request {
                client,
                timestamp,
                operation: 0,
                reads: false,
                authenticator: Authenticator::All,
                payload: 0,
            }))
        };
        assert_eq!(request(1).client, NodeId(0), "the signer's name counts, not the claimed one");
        let digests = [
            Batch::new(vec![request(1), request(2)], 0),
            Batch::new(vec![request(2), request(1)], 0),
            Batch::new(vec![request(1), request(2)], 1),
            Batch::new(vec![request(1)], 0),
        ]
        .map(|batch| batch.digest());
        for (i, a) in digests.iter().enumerate() {
            assert!(digests[..i].iter().all(|b| a != b));
        }
    }
}
