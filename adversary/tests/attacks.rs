//! What each attack changes, message by message.

#![expect(clippy::disallowed_methods, reason = "the test sets the scene: it deals out the signers")]

use byzlab_adversary::{AttackConfig, AttackKind, Controller, Event, Groups, Scope};
use byzlab_network::{Arrival, Happening, Key, NodeId, Outbox, Process, Recipients, Span, Time};
use byzlab_replica::{
    Batch, Cluster, Digest, Event as ProtocolEvent, Message, MessageKind, PrePrepare, ProtocolConfig, Replica, Request,
    SeqNum, Signer, View,
};
use std::sync::Arc;

const REPLICAS: u16 = 7;

fn at(milliseconds: u64) -> Time {
    Time::START + Span::from_millis(milliseconds)
}

fn attack(kind: AttackKind) -> AttackConfig {
    AttackConfig { kind, scope: Scope::default() }
}

/// A controller for some of seven replicas, and the signers of all nodes.
struct Scene {
    controller: Controller,
    signers: Vec<Signer>,
}

impl Scene {
    fn new(corrupted: &[usize], attacks: &[AttackConfig]) -> Scene {
        let config = Arc::new(ProtocolConfig::new(Cluster::new(REPLICAS, None).unwrap(), 1));
        let signers: Vec<Signer> = Signer::deal(usize::from(REPLICAS) + 1).collect();
        let replica = |&id: &usize| Replica::new(Arc::clone(&config), signers[id].clone());
        let replicas = corrupted.iter().map(replica).collect();
        let mut controller = Controller::new(replicas, attacks, Key::root(5));
        controller.wake(Time::START, &mut Outbox::new(false));
        Scene { controller, signers }
    }

    /// A proposal of replica 0, as it arrives at `to`.
    fn pre_prepare(&mut self, to: u16, seq: u64) -> Sent {
        let batch = Arc::new(Batch::new(vec![self.request(seq)], 0));
        let proposal = PrePrepare::new(&self.signers[0], View(0), SeqNum(seq), batch);
        let message = Message::PrePrepare(Arc::new(proposal));
        self.deliver(at(seq), 0, to, message)
    }

    fn request(&self, timestamp: u64) -> Arc<byzlab_replica::Signed<Request>> {
        let client = NodeId(REPLICAS);
        let request = Request { client, timestamp, operation: 1, reads: false, payload: 0 };
        Arc::new(self.signers[usize::from(REPLICAS)].sign(request))
    }

    fn propose(&mut self, timestamp: u64) -> Sent {
        let request = self.request(timestamp);
        self.deliver(at(timestamp), REPLICAS, 0, Message::Request(request))
    }

    fn deliver(&mut self, time: Time, from: u16, to: u16, message: Message) -> Sent {
        let mut out = Outbox::new(false);
        self.controller.receive(Arrival::direct(time, NodeId(from), NodeId(to), message), &mut out);
        let messages = out.take_sends().into_iter().map(|sending| (sending.to, sending.message)).collect();
        let event = |happening| match happening {
            Happening::Event(event) => event,
            other => panic!("{other:?}"),
        };
        Sent { messages, events: out.take_records().into_iter().map(|record| event(record.what)).collect() }
    }
}

/// What left the controller.
struct Sent {
    messages: Vec<(Recipients, Message)>,
    events: Vec<Event>,
}

impl Sent {
    fn kinds(&self) -> Vec<MessageKind> {
        self.messages.iter().map(|(_, message)| message.kind()).collect()
    }

    fn digests(&self) -> Vec<Digest> {
        self.messages.iter().map(|(_, message)| message.digest()).collect()
    }

    fn recipients(&self) -> Vec<Vec<u16>> {
        let list = |to: &Recipients| {
            let mut nodes = Vec::new();
            to.for_each(NodeId(0), |node| nodes.push(node.0));
            nodes
        };
        self.messages.iter().map(|(to, _)| list(to)).collect()
    }

    /// The digests of the `propose` events.
    fn proposed(&self) -> Vec<Digest> {
        let digest = |event: &Event| match event {
            Event::Protocol(ProtocolEvent::Propose(slot)) => Some(slot.digest),
            _ => None,
        };
        self.events.iter().filter_map(digest).collect()
    }
}

#[test]
fn without_attacks_a_corrupted_replica_is_honest_and_reports_nothing() {
    let mut scene = Scene::new(&[1], &[]);
    let sent = scene.pre_prepare(1, 1);
    assert_eq!(sent.kinds(), [MessageKind::Prepare]);
    assert!(sent.events.is_empty(), "{:?}", sent.events);
}

#[test]
fn silent_sends_nothing_or_not_some_kinds() {
    let mut scene = Scene::new(&[1], &[attack(AttackKind::Silent)]);
    let sent = scene.pre_prepare(1, 1);
    assert!(sent.messages.is_empty());
    assert_eq!(sent.events, [Event::Attack("silent")]);

    let scope = Scope { messages: Some(vec![MessageKind::Commit]), ..Scope::default() };
    let mut scene = Scene::new(&[1], &[AttackConfig { kind: AttackKind::Silent, scope }]);
    assert_eq!(scene.pre_prepare(1, 1).kinds(), [MessageKind::Prepare]);
}

#[test]
fn ignore_swallows_the_pre_prepare() {
    let mut scene = Scene::new(&[1], &[attack(AttackKind::Ignore)]);
    let sent = scene.pre_prepare(1, 1);
    assert!(sent.messages.is_empty());
    assert_eq!(sent.events, [Event::Attack("ignore")]);
}

#[test]
fn fake_digest_votes_for_what_nobody_proposed_and_signs_it_itself() {
    let mut scene = Scene::new(&[1], &[attack(AttackKind::FakeDigest)]);
    let honest = Scene::new(&[1], &[]).pre_prepare(1, 1);
    let sent = scene.pre_prepare(1, 1);
    assert_eq!((sent.kinds(), sent.recipients()), (honest.kinds(), honest.recipients()));
    assert_ne!(sent.digests(), honest.digests());
    let (_, Message::Vote(vote)) = &sent.messages[0] else { panic!() };
    assert_eq!(vote.replica, NodeId(1));
}

#[test]
fn conflicting_votes_cover_all_that_colluders_know() {
    let mut scene = Scene::new(&[0, 1], &[attack(AttackKind::ConflictingVotes)]);
    let truth = scene.pre_prepare(1, 1);
    assert_eq!(truth.kinds(), [MessageKind::Prepare; 2], "one proposal is known, so one is invented");

    let equivocate = attack(AttackKind::Equivocate { groups: Groups::Halves, collude: false });
    let mut scene = Scene::new(&[0, 1], &[equivocate, attack(AttackKind::ConflictingVotes)]);
    let proposals = scene.propose(1);
    let (_, own) = proposals.messages[0].clone();
    let votes = scene.deliver(at(2), 0, 1, own);
    let mut digests = votes.digests();
    digests.sort_unstable();
    let mut known = proposals.digests();
    known.sort_unstable();
    assert_eq!(digests, known, "a vote for each of the primary's proposals");
}

#[test]
fn equivocate_divides_the_others() {
    let each = AttackKind::Equivocate { groups: Groups::Each, collude: false };
    let sent = Scene::new(&[0], &[attack(each)]).propose(1);
    assert_eq!(sent.recipients(), [[1], [2], [3], [4], [5], [6]]);
    let mut digests = sent.digests();
    assert_eq!(sent.proposed(), digests, "one `propose` for each thing that is proposed");
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), 6);

    let halves = AttackKind::Equivocate { groups: Groups::Halves, collude: false };
    let sent = Scene::new(&[0], &[attack(halves)]).propose(1);
    assert_eq!(sent.recipients(), [[1, 2, 3], [4, 5, 6]]);

    let lists = vec![vec![NodeId(1)], vec![NodeId(2), NodeId(3)]];
    let sent =
        Scene::new(&[0], &[attack(AttackKind::Equivocate { groups: Groups::Lists(lists), collude: false })]).propose(1);
    assert_eq!(sent.recipients(), [vec![1], vec![2, 3]], "who is in no group gets nothing");
}

#[test]
fn equivocated_batches_keep_their_clients_requests() {
    let sent = Scene::new(&[0], &[attack(AttackKind::Equivocate { groups: Groups::Each, collude: false })]).propose(1);
    for (_, message) in &sent.messages {
        let Message::PrePrepare(proposal) = message else { panic!("{message:?}") };
        assert_eq!(proposal.vote.digest, proposal.batch.digest());
        assert_eq!(proposal.vote.replica, NodeId(0));
        let clients: Vec<NodeId> = proposal.batch.requests().iter().map(|request| request.client).collect();
        assert_eq!(clients, [NodeId(REPLICAS)]);
    }
}

#[test]
fn a_scope_limits_members_time_recipients_and_frequency() {
    let limited = |scope: Scope| Scene::new(&[1, 2], &[AttackConfig { kind: AttackKind::Silent, scope }]);
    let mut scene = limited(Scope { members: Some(vec![NodeId(2)]), ..Scope::default() });
    assert_eq!(scene.pre_prepare(1, 1).kinds(), [MessageKind::Prepare]);
    assert!(scene.pre_prepare(2, 1).messages.is_empty());

    let mut scene = limited(Scope { start: at(2), end: at(4), ..Scope::default() });
    let silent: Vec<bool> = (1..=5).map(|seq| scene.pre_prepare(1, seq).messages.is_empty()).collect();
    assert_eq!(silent, [false, true, true, false, false], "from 2 ms until before 4 ms");

    let mut scene = limited(Scope { to: Some(vec![NodeId(0), NodeId(5)]), ..Scope::default() });
    let sent = scene.pre_prepare(1, 1);
    assert_eq!(sent.recipients(), [[2, 3, 4, 6]]);

    let mut scene = limited(Scope { probability: 0.25, ..Scope::default() });
    let silent = (1..=400).filter(|&seq| scene.pre_prepare(1, seq).messages.is_empty()).count();
    assert!((70..=130).contains(&silent), "{silent} of 400 at a probability of 1/4");
}

#[test]
fn attacks_compose_in_order() {
    let half = |kind| AttackConfig { kind, scope: Scope { probability: 0.5, ..Scope::default() } };
    let mut scene = Scene::new(&[1], &[half(AttackKind::Ignore), half(AttackKind::FakeDigest)]);
    let honest: Vec<Digest> = (1..=400).flat_map(|seq| Scene::new(&[1], &[]).pre_prepare(1, seq).digests()).collect();
    let (mut ignored, mut faked) = (0, 0);
    for (seq, truth) in (1..=400).zip(honest) {
        match scene.pre_prepare(1, seq).digests().as_slice() {
            [] => ignored += 1,
            [digest] => faked += i32::from(*digest != truth),
            other => panic!("{other:?}"),
        }
    }
    assert!((160..=240).contains(&ignored), "{ignored} of 400 ignored");
    assert!((70..=130).contains(&faked), "half of the rest faked: {faked}");
}
