//! A replica that changes a single field of its messages, and signs the result: by one, or to anything at all (the process faults of
//! Winter et al., "Randomized Testing of Byzantine Fault Tolerant Algorithms", OOPSLA 2023).
//!
//! What others have signed it cannot change: of certificates and requests it can only leave some out, or repeat them.

use crate::attack::{About, Attack, Departure, Family, Scene};
use crate::parameter::{Parameter, Visit};
use byzlab_network::Draw;
use byzlab_replica::{
    Batch, Content, Digest, Fetch, Message, MessageKind, NewView, PrePrepare, Reply, Request, SeqNum, Signer, Snapshot,
    State, Status, View, ViewChange, Vote, VoteKind, Wanted,
};
use std::sync::Arc;

/// A replica that changes a single field of its messages, and signs the result.
#[derive(Clone, PartialEq, Debug)]
pub struct Mutate {
    /// How far a field is changed: "small", by one, or "any".
    pub change: &'static str,
}

impl Default for Mutate {
    fn default() -> Mutate {
        Mutate { change: "small" }
    }
}

impl Attack for Mutate {
    fn about(&self) -> About {
        let summary = "Changes a single field of a message that it has signed itself, drawn at random.";
        About::saying("mutate", Family::Lying, summary, &MessageKind::ALL)
    }

    fn parameters(&mut self, visit: &mut dyn Visit) {
        let about = "how far a field is changed: by one, or to anything";
        visit.word(Parameter::new("change", about), &["small", "any"], &mut self.change);
    }

    fn send(&mut self, scene: &mut Scene<'_>, departure: Departure) {
        if departure.message.author() != scene.node() {
            return scene.send(departure);
        }
        let mut knife = Knife { draw: scene.draws.draw(), is_small: self.change == "small" };
        let message = knife.change(scene, &departure.message);
        scene.send(Departure { message, ..departure });
    }
}

/// No request claims to be longer.
const MOST_BYTES: u64 = 1 << 20;

/// Draws which field is changed, and how.
struct Knife {
    draw: Draw,
    is_small: bool,
}

impl Knife {
    /// One of so many fields.
    fn field(&mut self, fields: u64) -> u64 {
        self.draw.up_to(fields - 1)
    }

    fn number(&mut self, value: u64) -> u64 {
        if !self.is_small {
            return self.draw.bits() >> self.draw.up_to(63);
        }
        // Nothing is below zero.
        if value > 0 && self.draw.unit() < 0.5 { value - 1 } else { value.saturating_add(1) }
    }

    fn view(&mut self, view: View) -> View {
        View(self.number(u64::from(view.0)).min(u64::from(u32::MAX)) as u32)
    }

    fn seq(&mut self, seq: SeqNum) -> SeqNum {
        SeqNum(self.number(seq.0))
    }

    fn digest(&mut self, digest: Digest) -> Digest {
        if self.is_small { Digest(digest.0 ^ 1 << self.draw.up_to(63)) } else { Digest(self.draw.bits()) }
    }

    /// Leaves one out, repeats one, or swaps two.
    fn list<T: Clone>(&mut self, list: &mut Vec<T>) {
        if list.is_empty() {
            return;
        }
        let end = list.len() as u64 - 1;
        let (place, other) = (self.draw.up_to(end) as usize, self.draw.up_to(end) as usize);
        match self.field(3) {
            0 => _ = list.remove(place),
            1 => list.insert(place, list[other].clone()),
            _ => list.swap(place, other),
        }
    }

    fn change(&mut self, scene: &Scene<'_>, message: &Message) -> Message {
        let signer = scene.signer;
        match message {
            Message::Vote(vote) => Message::Vote(signer.sign(self.vote(**vote))),
            Message::PrePrepare(pre_prepare) => Message::PrePrepare(Arc::new(self.pre_prepare(signer, pre_prepare))),
            Message::Reply(reply) => Message::Reply(Arc::new(signer.sign(self.reply(reply)))),
            Message::ViewChange(change) => {
                Message::ViewChange(Arc::new(signer.sign(self.view_change(ViewChange::clone(change)))))
            }
            Message::NewView(new_view) => {
                Message::NewView(Arc::new(signer.sign(self.new_view(signer, NewView::clone(new_view)))))
            }
            Message::Status(status) => Message::Status(Arc::new(signer.sign(self.status(Status::clone(status))))),
            Message::Fetch(fetch) => Message::Fetch(Arc::new(signer.sign(self.fetch(fetch)))),
            Message::State(state) => {
                let content = self.content(scene, &state.content);
                Message::State(Arc::new(signer.sign(State { content, replica: signer.node() })))
            }
            Message::Request(request) => Message::Request(Arc::new(signer.sign(self.request(request)))),
            Message::Read(request) => Message::Read(Arc::new(signer.sign(self.request(request)))),
        }
    }

    fn vote(&mut self, vote: Vote) -> Vote {
        match self.field(if vote.kind == VoteKind::Checkpoint { 2 } else { 3 }) {
            0 => Vote { seq: self.seq(vote.seq), ..vote },
            1 => Vote { digest: self.digest(vote.digest), ..vote },
            _ => Vote { view: self.view(vote.view), ..vote },
        }
    }

    fn pre_prepare(&mut self, signer: &Signer, pre_prepare: &PrePrepare) -> PrePrepare {
        let (vote, batch) = (*pre_prepare.vote, Arc::clone(&pre_prepare.batch));
        match self.field(4) {
            // A batch that nobody can refuse for itself.
            0 => PrePrepare::new(signer, vote.view, vote.seq, Arc::new(self.batch(&batch))),
            // One whose digest does not match.
            1 => PrePrepare { vote: signer.sign(Vote { digest: self.digest(vote.digest), ..vote }), batch },
            2 => PrePrepare { vote: signer.sign(Vote { seq: self.seq(vote.seq), ..vote }), batch },
            _ => PrePrepare { vote: signer.sign(Vote { view: self.view(vote.view), ..vote }), batch },
        }
    }

    fn batch(&mut self, batch: &Batch) -> Batch {
        let mut requests = batch.requests().to_vec();
        if self.field(2) == 0 {
            return Batch::new(requests, self.number(batch.nonce()));
        }
        self.list(&mut requests);
        Batch::new(requests, batch.nonce())
    }

    fn request(&mut self, request: &Request) -> Request {
        match self.field(4) {
            0 => Request { timestamp: self.number(request.timestamp), ..request.clone() },
            1 => Request { operation: self.number(request.operation), ..request.clone() },
            2 => Request { reads: !request.reads, ..request.clone() },
            _ => Request { payload: self.number(u64::from(request.payload)).min(MOST_BYTES) as u32, ..request.clone() },
        }
    }

    fn reply(&mut self, reply: &Reply) -> Reply {
        match self.field(5) {
            0 => Reply { result: self.number(reply.result), ..reply.clone() },
            1 => Reply { timestamp: self.number(reply.timestamp), ..reply.clone() },
            2 => Reply { view: self.view(reply.view), ..reply.clone() },
            3 => Reply { tentative: !reply.tentative, ..reply.clone() },
            _ => Reply { read_at: reply.read_at.map_or(Some(SeqNum(0)), |seq| Some(self.seq(seq))), ..reply.clone() },
        }
    }

    fn view_change(&mut self, mut change: ViewChange) -> ViewChange {
        match self.field(4) {
            0 => ViewChange { view: self.view(change.view), ..change },
            1 => ViewChange { stable: self.seq(change.stable), ..change },
            2 => ViewChange { checkpoint: None, ..change },
            _ => {
                self.list(&mut change.prepared);
                change
            }
        }
    }

    fn new_view(&mut self, signer: &Signer, mut new_view: NewView) -> NewView {
        match self.field(4) {
            0 => NewView { view: self.view(new_view.view), ..new_view },
            1 => {
                self.list(&mut new_view.view_changes);
                new_view
            }
            2 => {
                self.list(&mut new_view.order);
                new_view
            }
            _ => {
                if let Some(vote) = new_view.order.first_mut() {
                    *vote = signer.sign(self.vote(**vote));
                }
                new_view
            }
        }
    }

    fn status(&mut self, status: Status) -> Status {
        match self.field(5) {
            0 => Status { view: self.view(status.view), ..status },
            1 => Status { active: !status.active, ..status },
            2 => Status { stable: None, ..status },
            3 => Status { executed: self.seq(status.executed), ..status },
            _ => Status { pre_prepared: self.number(status.pre_prepared), ..status },
        }
    }

    fn fetch(&mut self, fetch: &Fetch) -> Fetch {
        match self.field(3) {
            0 => Fetch { seq: self.seq(fetch.seq), ..fetch.clone() },
            1 => Fetch { digest: self.digest(fetch.digest), ..fetch.clone() },
            _ if fetch.wanted == Wanted::Batch => Fetch { wanted: Wanted::Checkpoint, ..fetch.clone() },
            _ => Fetch { wanted: Wanted::Batch, ..fetch.clone() },
        }
    }

    fn content(&mut self, scene: &Scene<'_>, content: &Content) -> Content {
        match content {
            Content::Batch { seq, batch } if self.field(2) == 0 => {
                Content::Batch { seq: self.seq(*seq), batch: Arc::clone(batch) }
            }
            Content::Batch { seq, batch } => Content::Batch { seq: *seq, batch: Arc::new(self.batch(batch)) },
            Content::Committed { proof, batch } => {
                Content::Committed { proof: proof.clone(), batch: Arc::new(self.batch(batch)) }
            }
            // The state before the first request: the right form, the wrong contents.
            Content::Checkpoint { proof, .. } => {
                Content::Checkpoint { proof: proof.clone(), snapshot: Arc::new(Snapshot::new(scene.config)) }
            }
        }
    }
}
