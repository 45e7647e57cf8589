//! The corrupted primary of view 0: everything that it could say, and when it makes sense.
//!
//! It holds its own signer only. Certificates it makes of what honest replicas have really sent: everything is signed here in
//! advance, and used as soon as it is out.

use super::honest::{Archive, Honest, Letter};
use super::{HONEST, State, Trial};
use byzlab_network::NodeId;
use byzlab_replica::{
    Batch, Content, Digest, Message, PrePrepare, Prepared, SeqNum, Signed, SignedRequest, Signer, State as Contents,
    View, ViewChange, Vote, VoteKind, Votes,
};
use std::sync::Arc;

const SEQ: SeqNum = SeqNum(1);
const PAIRS: [[usize; 2]; 3] = [[0, 1], [0, 2], [1, 2]];

/// Something that takes what two honest replicas have sent.
struct Composed {
    /// What they must have sent, and from which places.
    takes: [(usize, Letter); 2],
    letter: Letter,
}

impl Composed {
    fn is_possible(&self, state: &State) -> bool {
        self.takes.iter().all(|(place, letter)| state.honest[*place].past.sent.contains(letter))
    }
}

/// What the corrupted primary can say.
pub(crate) struct Liar {
    /// PRE-PREPARE of `A` and of `B`.
    proposals: [Letter; 2],
    /// PREPARE and COMMIT of each batch in each view.
    votes: Vec<(View, Digest, Letter)>,
    /// VIEW-CHANGE that claims nothing.
    claims_nothing: Letter,
    /// VIEW-CHANGE with a prepared certificate.
    claims: Vec<Composed>,
    /// COMMITs of a quorum, its own among them, with the batch.
    proofs: Vec<Composed>,
    /// The contents of each batch.
    contents: Vec<(Digest, Letter)>,
}

impl Liar {
    pub(crate) fn new(signers: &[Signer], request: &SignedRequest, archive: &Archive) -> Liar {
        let me = &signers[0];
        // An honest primary's batch has the nonce 0.
        let batches = [1, 2, 0].map(|nonce| Arc::new(Batch::new(vec![Arc::clone(request)], nonce)));
        let [first, second, third] = [0, 1, 2].map(|place: usize| batches[place].digest());
        let sign = |kind, node: usize, view: u32, digest| signers[node].vote(kind, View(view), SEQ, digest);
        let of_vote = |vote| archive.letter(&Message::Vote(vote));
        let propose = |batch: &Arc<Batch>| {
            archive.letter(&Message::PrePrepare(Arc::new(PrePrepare::new(me, View(0), SEQ, Arc::clone(batch)))))
        };
        let claim = |prepared| {
            let replica = NodeId(0);
            let change = ViewChange { view: View(1), stable: SeqNum(0), checkpoint: None, prepared, replica };
            archive.letter(&Message::ViewChange(Arc::new(me.sign(change))))
        };
        let contents =
            |content| archive.letter(&Message::State(Arc::new(me.sign(Contents { content, replica: NodeId(0) }))));
        // The votes of two honest replicas, which the liar must have seen, and its own if that counts.
        let compose = |kind, view, digest, own: bool, make: &dyn Fn(&Votes) -> Letter| {
            PAIRS.map(|pair| {
                let votes = pair.map(|place| (place, sign(kind, HONEST[place].index(), view, digest)));
                let mut tally = Votes::default();
                let own = own.then(|| sign(kind, 0, view, digest));
                own.iter().chain(votes.iter().map(|(_, vote)| vote)).for_each(|vote| _ = tally.insert(vote));
                Composed { takes: votes.map(|(place, vote)| (place, of_vote(vote))), letter: make(&tally) }
            })
        };
        let claims = |digest| {
            compose(VoteKind::Prepare, 0, digest, false, &|votes| {
                let pre_prepare: Signed<Vote> = sign(VoteKind::PrePrepare, 0, 0, digest);
                claim(vec![Prepared { pre_prepare, prepares: votes.certificate(digest) }])
            })
        };
        let proofs = |(view, batch): (u32, &Arc<Batch>)| {
            compose(VoteKind::Commit, view, batch.digest(), true, &|votes| {
                contents(Content::Committed { proof: votes.certificate(batch.digest()), batch: Arc::clone(batch) })
            })
        };
        let places = [(0, first), (0, second), (1, first), (1, second), (1, third)];
        let votes = [VoteKind::Prepare, VoteKind::Commit]
            .into_iter()
            .flat_map(|kind| places.map(|(view, digest)| (View(view), digest, of_vote(sign(kind, 0, view, digest)))));
        let decided =
            [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)].map(|(view, batch): (u32, usize)| (view, &batches[batch]));
        Liar {
            proposals: [propose(&batches[0]), propose(&batches[1])],
            votes: votes.collect(),
            claims_nothing: claim(Vec::new()),
            claims: [first, second].into_iter().flat_map(claims).collect(),
            proofs: decided.into_iter().flat_map(proofs).collect(),
            contents: batches
                .iter()
                .map(|batch| (batch.digest(), contents(Content::Batch { seq: SEQ, batch: Arc::clone(batch) })))
                .collect(),
        }
    }

    /// What it may say to the honest replica at a place.
    pub(crate) fn lies(&self, trial: &Trial, state: &State, place: usize, mut say: impl FnMut(Letter)) {
        let to = &*state.honest[place];
        let replica = &to.past.replica;
        if replica.is_active() && replica.view() == View(0) && to.accepted().is_none() {
            self.propose(state, place, &mut say);
        }
        let last = if trial.bounds.votes_on { View(1) } else { View(0) };
        let due = |view, digest| view <= last && trial.is_deliverable(to, view, digest);
        let votes = self.votes.iter().filter(|&&(view, digest, _)| due(view, digest));
        votes.for_each(|&(_, _, letter)| say(letter));
        if replica.view() < View(1) || !replica.is_active() {
            say(self.claims_nothing);
            // Elsewhere it counts only that it has sent one.
            if replica.id() == HONEST[0] {
                composed(&self.claims, state, &mut say);
            }
        }
        if trial.bounds.proofs_to.contains(&replica.id().0) && !to.is_done() {
            composed(&self.proofs, state, &mut say);
        }
        self.fill(to, &mut say);
    }

    /// `A` comes before `B`, and replica 2 before 3: see the symmetries in the parent module.
    fn propose(&self, state: &State, place: usize, say: &mut impl FnMut(Letter)) {
        let [_, two, three] = [0, 1, 2].map(|place: usize| state.honest[place].has_accepted(View(0)));
        let [a, b] = self.proposals;
        if place == 2 && !two && !three {
            return;
        }
        say(a);
        if state.honest.iter().any(|honest| honest.has_accepted(View(0))) {
            say(b);
        }
    }

    fn fill(&self, to: &Honest, say: &mut impl FnMut(Letter)) {
        let awaited = to.past.replica.log().get(SEQ).and_then(|entry| entry.awaited);
        let contents = self.contents.iter().filter(|(digest, _)| awaited.is_some_and(|vote| vote.digest == *digest));
        contents.for_each(|&(_, letter)| say(letter));
    }
}

/// What can be made of what is out: for each digest one, as all are worth the same.
fn composed(all: &[Composed], state: &State, say: &mut impl FnMut(Letter)) {
    for alike in all.chunks(PAIRS.len()) {
        alike.iter().find(|one| one.is_possible(state)).into_iter().for_each(|one| say(one.letter));
    }
}
