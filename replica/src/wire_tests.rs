use super::*;
use crate::certificate::{Prepared, Votes};
use crate::config::ProtocolConfig;
use crate::digest::Digest;
use crate::message::{Authenticator, PrePrepare, Reply, SeqNum, View, VoteKind};
use crate::quorum::Cluster;
use crate::signature::Signer;
use crate::state::Snapshot;
use crate::transfer::{Fetch, State, Status, Wanted};
use crate::view_change::NewView;
use byzlab_network::{Message as _, NodeId};
use std::sync::Arc;

/// Replicas 0 to 3 and client 4.
fn signer(node: usize) -> Signer {
    Signer::deal(node + 1).last().unwrap()
}

const DIGEST_OF_ALL: Digest = Digest(7);

fn request(payload: u32) -> Message {
    let request = Request {
        client: NodeId(4),
        timestamp: 1,
        operation: 0,
        reads: false,
        authenticator: Authenticator::All,
        payload,
    };
    Message::Request(Arc::new(signer(4).sign(request)))
}

/// A batch of two requests, of 100 bytes and of none.
fn batch() -> Arc<Batch> {
    let requests = [100, 0].map(|payload| match request(payload) {
        Message::Request(request) => request,
        _ => unreachable!(),
    });
    Arc::new(Batch::new(requests.into(), 0))
}

fn vote(kind: VoteKind) -> Message {
    Message::Vote(signer(1).vote(kind, View(0), SeqNum(1), DIGEST_OF_ALL))
}

/// Signed by replicas 1 to `signers`.
fn certificate(kind: VoteKind, signers: usize) -> Certificate {
    let mut votes = Votes::default();
    for node in 1..=signers {
        votes.insert(&signer(node).vote(kind, View(0), SeqNum(1), DIGEST_OF_ALL));
    }
    votes.certificate(DIGEST_OF_ALL)
}

/// With a stable checkpoint, and one prepared certificate.
fn view_change() -> ViewChange {
    let pre_prepare = signer(0).vote(VoteKind::PrePrepare, View(0), SeqNum(1), DIGEST_OF_ALL);
    ViewChange {
        view: View(1),
        stable: SeqNum(1),
        checkpoint: Some(certificate(VoteKind::Checkpoint, 3)),
        prepared: vec![Prepared { pre_prepare, prepares: certificate(VoteKind::Prepare, 2) }],
        replica: NodeId(1),
    }
}

fn new_view() -> Message {
    let change = Arc::new(signer(1).sign(view_change()));
    let order = vec![signer(1).vote(VoteKind::PrePrepare, View(1), SeqNum(2), DIGEST_OF_ALL)];
    let new_view = NewView { view: View(1), view_changes: vec![change; 3], order, primary: NodeId(1) };
    Message::NewView(Arc::new(signer(1).sign(new_view)))
}

fn reply(read_at: Option<SeqNum>) -> Message {
    let (view, client, replica) = (View(0), NodeId(4), NodeId(1));
    let reply = Reply { view, timestamp: 1, client, replica, result: 0, tentative: false, read_at, payload: 10 };
    Message::Reply(Arc::new(signer(1).sign(reply)))
}

fn state(content: Content) -> Message {
    Message::State(Arc::new(signer(1).sign(State { content, replica: NodeId(1) })))
}

fn status(stable: Option<Certificate>) -> Message {
    let (view, executed, replica) = (View(0), SeqNum(1), NodeId(1));
    let status = Status { view, active: true, stable, executed, pre_prepared: 0, answers: false, replica };
    Message::Status(Arc::new(signer(1).sign(status)))
}

/// A message: its size with signatures, and with the MACs of ten replicas; signatures and MACs that its receiver checks, with the one
/// and with the other.
type Row = (&'static str, Message, [u64; 2], [[u64; 2]; 2]);

/// One of each kind.
fn table() -> Vec<Row> {
    let fetch = Fetch { wanted: Wanted::Batch, seq: SeqNum(1), digest: DIGEST_OF_ALL, replica: NodeId(1) };
    let snapshot = Arc::new(Snapshot::new(&ProtocolConfig::new(Cluster::new(10, None).unwrap(), 3)));
    let stored = snapshot.size();
    let committed = Content::Committed { proof: certificate(VoteKind::Commit, 7), batch: batch() };
    let checkpoint = Content::Checkpoint { proof: certificate(VoteKind::Checkpoint, 7), snapshot };
    let pre_prepare = Arc::new(PrePrepare::new(&signer(0), View(0), SeqNum(1), batch()));
    let change = 88 + (48 + 3 * 72) + (120 + 48 + 2 * 72);
    let new = 72 + 8 + 3 * change + 120;
    vec![
        ("request", request(5), [93, 189], [[1, 0], [0, 1]]),
        ("pre_prepare", Message::PrePrepare(pre_prepare), [404, 692], [[3, 0], [0, 3]]),
        ("prepare", vote(VoteKind::Prepare), [120, 216], [[1, 0], [0, 1]]),
        ("commit", vote(VoteKind::Commit), [120, 216], [[1, 0], [0, 1]]),
        ("checkpoint", vote(VoteKind::Checkpoint), [120, 216], [[1, 0], [0, 1]]),
        ("reply", reply(None), [106, 58], [[1, 0], [0, 1]]),
        ("reply to a read", reply(Some(SeqNum(1))), [114, 66], [[1, 0], [0, 1]]),
        ("view_change", Message::ViewChange(Arc::new(signer(1).sign(view_change()))), [change; 2], [[7, 0]; 2]),
        ("new_view", new_view(), [new; 2], [[1 + 3 * 7 + 1, 0]; 2]),
        ("status", status(None), [96, 192], [[1, 0], [0, 1]]),
        ("status with proof", status(Some(certificate(VoteKind::Checkpoint, 7))), [648, 744], [[8, 0], [7, 1]]),
        ("fetch", Message::Fetch(Arc::new(signer(1).sign(fetch))), [112, 64], [[1, 0], [0, 1]]),
        ("batch", state(Content::Batch { seq: SeqNum(1), batch: batch() }), [364, 508], [[3, 0], [0, 3]]),
        ("committed", state(committed), [900, 1044], [[10, 0], [7, 3]]),
        ("snapshot", state(checkpoint), [624 + stored, 576 + stored], [[8, 0], [7, 1]]),
    ]
}

const MACS_OF_TEN: Wire = Wire { authentication: Authentication::Mac, replicas: 10 };

#[test]
fn sizes_are_those_of_the_table() {
    for (name, message, [signed, with_macs], _) in table() {
        assert_eq!((Wire::SIGNED.size(&message), message.size()), (signed, signed), "{name}");
        assert_eq!(Wire::new(Authentication::Signature, 10).size(&message), signed, "{name}");
        assert_eq!(MACS_OF_TEN.size(&message), with_macs, "{name}");
    }
}

#[test]
fn an_authenticator_of_four_is_as_long_as_a_signature() {
    let four = Wire::new(Authentication::Mac, 4);
    for kind in [VoteKind::Prepare, VoteKind::Commit, VoteKind::Checkpoint] {
        assert_eq!(four.size(&vote(kind)), Wire::SIGNED.size(&vote(kind)));
    }
}

#[test]
fn receivers_check_each_statement_and_each_signature_of_a_certificate() {
    for (name, message, _, checked) in table() {
        let [signed, with_macs] = checked.map(|[signatures, macs]| Proofs { signatures, macs });
        assert_eq!(Wire::SIGNED.checked(&message), signed, "{name}");
        assert_eq!(MACS_OF_TEN.checked(&message), with_macs, "{name}");
    }
}

#[test]
fn an_author_makes_one_signature_one_mac_or_one_for_each_replica() {
    for (name, message, ..) in table() {
        assert_eq!(Wire::SIGNED.made(&message), Proofs::SIGNATURE, "{name}");
        let expected = match message.kind() {
            MessageKind::ViewChange | MessageKind::NewView => Proofs::SIGNATURE,
            MessageKind::Reply | MessageKind::Fetch | MessageKind::State => Proofs { signatures: 0, macs: 1 },
            _ => Proofs { signatures: 0, macs: 10 },
        };
        assert_eq!(MACS_OF_TEN.made(&message), expected, "{name}");
    }
}

#[test]
fn who_passes_a_message_on_is_not_its_author() {
    let authors: Vec<_> = table().iter().map(|(name, message, ..)| (*name, message.author().0)).collect();
    for (name, author) in authors {
        let expected = match name {
            "request" => 4,
            "pre_prepare" => 0,
            _ => 1,
        };
        assert_eq!(author, expected, "{name}");
    }
}
