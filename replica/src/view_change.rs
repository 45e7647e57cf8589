//! VIEW-CHANGE and NEW-VIEW: what they say, when they are valid, and what follows from them (rules 22–26).

use crate::certificate::{Certificate, Prepared};
use crate::config::ProtocolConfig;
use crate::defects::{Defect, Defects};
use crate::digest::Digest;
use crate::message::{SeqNum, View, Vote, VoteKind};
use crate::signature::{Signed, Signer, Statement};
use byzlab_network::NodeId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// VIEW-CHANGE(v, h, C, P, i).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ViewChange {
    /// v: the view that the replica wants.
    pub view: View,
    /// h: its last stable checkpoint.
    pub stable: SeqNum,
    /// C: the proof of h; none iff h = 0.
    pub checkpoint: Option<Certificate>,
    /// P: for each number above h at most one prepared certificate, the one of the highest view; in the order of numbers.
    pub prepared: Vec<Prepared>,
    /// i.
    pub replica: NodeId,
}

impl Statement for ViewChange {
    fn author(&self) -> NodeId {
        self.replica
    }

    fn set_author(&mut self, author: NodeId) {
        self.replica = author;
    }
}

impl ViewChange {
    /// Whether each certificate verifies (rule 23).
    pub fn is_valid(&self, config: &ProtocolConfig) -> bool {
        let cluster = config.cluster;
        let checkpoint = match &self.checkpoint {
            None => self.stable == SeqNum(0),
            Some(proof) => {
                self.stable > SeqNum(0)
                    && proof.slot().seq == self.stable
                    && config.is_checkpoint(self.stable)
                    && proof.proves_checkpoint(cluster)
            }
        };
        let in_window = |seq: SeqNum| seq > self.stable && seq.0 - self.stable.0 <= config.log_window.get();
        let certificate = |prepared: &Prepared| {
            let slot = prepared.slot();
            slot.view < self.view && in_window(slot.seq) && prepared.is_valid(cluster)
        };
        cluster.is_replica(self.replica)
            && checkpoint
            && self.prepared.iter().all(certificate)
            && self.prepared.windows(2).all(|pair| pair[0].slot().seq < pair[1].slot().seq)
    }

    /// The digest of what it claims.
    pub fn digest(&self) -> Digest {
        let prepared = self.prepared.iter().flat_map(|prepared| {
            let slot = prepared.slot();
            [u64::from(slot.view.0), slot.seq.0, slot.digest.0]
        });
        Digest::of([u64::from(self.view.0), self.stable.0].into_iter().chain(prepared))
    }
}

/// NEW-VIEW(v, V, O).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct NewView {
    /// v.
    pub view: View,
    /// V: valid VIEW-CHANGEs for v of at least Q distinct replicas.
    pub view_changes: Vec<Arc<Signed<ViewChange>>>,
    /// O: PRE-PREPAREs for the numbers that V says something about.
    pub order: Vec<Signed<Vote>>,
    /// The primary of v.
    pub primary: NodeId,
}

impl Statement for NewView {
    fn author(&self) -> NodeId {
        self.primary
    }

    fn set_author(&mut self, author: NodeId) {
        self.primary = author;
    }
}

/// What follows from V, for everybody the same (rule 25).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// min-s: the highest proven checkpoint,
    pub stable: SeqNum,
    /// and its proof; none if it is 0.
    pub checkpoint: Option<Certificate>,
    /// For each number from min-s + 1 to max-s its digest: that of the null request where no certificate says anything.
    pub order: Vec<Digest>,
}

impl Plan {
    /// What follows from some VIEW-CHANGEs.
    pub fn of(view_changes: &[Arc<Signed<ViewChange>>]) -> Plan {
        Plan::with(view_changes, Defects::default())
    }

    fn with(view_changes: &[Arc<Signed<ViewChange>>], defects: Defects) -> Plan {
        let first = view_changes.iter().max_by_key(|change| change.stable);
        let stable = first.map_or(SeqNum(0), |change| change.stable);
        let checkpoint = first.and_then(|change| change.checkpoint.clone());
        let mut highest: BTreeMap<SeqNum, &Prepared> = BTreeMap::new();
        for prepared in view_changes.iter().flat_map(|change| &change.prepared) {
            let slot = prepared.slot();
            if slot.seq <= stable {
                continue;
            }
            let best = highest.entry(slot.seq).or_insert(prepared);
            // The highest view counts. That two digests were prepared in one view takes more than f liars; then still everybody
            // must choose the same.
            let is_higher = (slot.view, slot.digest) > (best.slot().view, best.slot().digest);
            if is_higher && !defects.has(Defect::FirstCertificate) {
                *best = prepared;
            }
        }
        let last = highest.last_key_value().map_or(stable, |(&seq, _)| seq);
        let numbers = stable.0 + 1..=last.0;
        let order = numbers.map(|number| highest.get(&SeqNum(number)).map_or(Digest::NULL, |best| best.slot().digest));
        Plan { stable, checkpoint, order: order.collect() }
    }

    /// max-s: the last number that is ordered.
    pub fn last(&self) -> SeqNum {
        SeqNum(self.stable.0 + self.order.len() as u64)
    }

    /// The places of O with their digests.
    fn places(&self) -> impl Iterator<Item = (SeqNum, Digest)> + '_ {
        self.order.iter().zip(self.stable.0 + 1..).map(|(digest, number)| (SeqNum(number), *digest))
    }
}

impl NewView {
    /// The NEW-VIEW that its primary makes of V.
    pub fn new(signer: &Signer, view: View, view_changes: Vec<Arc<Signed<ViewChange>>>) -> Signed<NewView> {
        NewView::with_plan(signer, view, view_changes, Defects::default()).0
    }

    /// The same, and the plan that its O is made of.
    pub(crate) fn with_plan(
        signer: &Signer,
        view: View,
        view_changes: Vec<Arc<Signed<ViewChange>>>,
        defects: Defects,
    ) -> (Signed<NewView>, Plan) {
        let plan = Plan::with(&view_changes, defects);
        let vote = |(seq, digest)| signer.vote(VoteKind::PrePrepare, view, seq, digest);
        let order = plan.places().map(vote).collect();
        (signer.sign(NewView { view, view_changes, order, primary: signer.node() }), plan)
    }

    /// min-s: the highest proven checkpoint in V.
    pub fn stable(&self) -> SeqNum {
        self.view_changes.iter().map(|change| change.stable).max().unwrap_or_default()
    }

    /// What follows from its V.
    pub fn plan(&self) -> Plan {
        Plan::of(&self.view_changes)
    }

    /// Its plan, if it is valid (rules 24 and 26): signed by the primary of its view, with valid VIEW-CHANGEs for it from at
    /// least Q distinct replicas, and with the O that follows from them.
    pub fn check(&self, config: &ProtocolConfig) -> Option<Plan> {
        let cluster = config.cluster;
        let mut authors = crate::quorum::NodeSet::new();
        let new = |change: &Arc<Signed<ViewChange>>| authors.insert(change.replica);
        let valid = self.primary == cluster.primary(self.view)
            && self.view_changes.iter().all(|change| change.view == self.view && change.is_valid(config))
            && self.view_changes.iter().all(new)
            && authors.len() >= cluster.quorum();
        if config.defects.has(Defect::NewViewUnchecked) && self.primary == cluster.primary(self.view) {
            return Some(self.plan());
        }
        if !valid {
            return None;
        }
        let plan = Plan::with(&self.view_changes, config.defects);
        let same = |(vote, (seq, digest)): (&Signed<Vote>, (SeqNum, Digest))| {
            let expected = Vote { seq, digest, kind: VoteKind::PrePrepare, replica: self.primary, view: self.view };
            **vote == expected
        };
        let matches = self.order.len() == plan.order.len() && self.order.iter().zip(plan.places()).all(same);
        matches.then_some(plan)
    }

    /// The digest of O: of the places with what is ordered there.
    pub fn order_digest(&self) -> Digest {
        let votes = self.order.iter().flat_map(|vote| [vote.seq.0, vote.digest.0]);
        Digest::of([u64::from(self.view.0)].into_iter().chain(votes))
    }
}
