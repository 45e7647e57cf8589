//! What lies change, message by message: about the past, about states, and in view changes; and twins.

#![expect(clippy::disallowed_methods, reason = "the test sets the scene: it deals out the signers")]

mod stage;

use byzlab_adversary::attacks::{
    BadNewView, DoubleNewView, ForgeCheckpoint, ForgedCertificate, Mutate, PrimaryVotes, Replay, StaleView, Twins,
    WithholdNewView,
};
use byzlab_adversary::{AttackConfig, Event, Groups, Scope};
use byzlab_network::NodeId;
use byzlab_replica::{Content, Digest, Fetch, Message, MessageKind, SeqNum, View, VoteKind, Wanted};
use stage::{REPLICAS, Scene, Sent, at};
use std::sync::Arc;

/// PBFT.md rule 4.
#[test]
fn primary_votes_is_one_more_backup() {
    let sent = Scene::new(&[0], &[PrimaryVotes.into()]).propose(1);
    assert_eq!(sent.kinds(), [MessageKind::PrePrepare, MessageKind::Prepare]);
    let recipients = sent.recipients();
    assert_eq!((&recipients[0], sent.digests()[0]), (&recipients[1], sent.digests()[1]));
    assert!(sent.events.contains(&Event::Attack("primary_votes")));
}

#[test]
fn replay_brings_back_what_was_said_and_what_its_receivers_take() {
    let mut scene = Scene::new(&[1], &[Replay::default().into()]);
    let mut said = Vec::new();
    for seq in 1..=50 {
        let vote = scene.signers[2].vote(VoteKind::Prepare, View(0), SeqNum(seq), Digest(seq));
        scene.deliver(at(seq), 2, 1, Message::Vote(vote));
        let sent = scene.pre_prepare(1, seq);
        assert_eq!((sent.messages.len(), sent.attacks()), (2, 1), "its own, and an old one");
        let (_, own) = sent.messages[0].clone();
        let (_, old) = &sent.messages[1];
        assert_eq!(own.kind(), MessageKind::Prepare);
        match old {
            Message::PrePrepare(old) => assert_eq!(old.vote.replica, NodeId(0)),
            old => assert!(said.contains(old), "never said: {old:?}"),
        }
        said.push(own);
    }
}

#[test]
fn stale_view_speaks_for_the_view_before() {
    let mut scene = Scene::new(&[1], &[StaleView::default().into()]);
    let sent = scene.pre_prepare(1, 1);
    assert_eq!((sent.messages[0].1.view(), sent.attacks()), (Some(View(0)), 0), "there is none before the first");
    let mut scene = Scene::new(&[1], &[StaleView::default().into()]);
    assert_eq!(scene.make_view_1(&[]).attacks(), 0);
    let request = scene.request(1);
    let sent = scene.deliver(at(600), REPLICAS, 1, Message::Request(request)).only(MessageKind::PrePrepare);
    assert_eq!((sent.messages[0].1.view(), sent.attacks()), (Some(View(0)), 1));

    let later = StaleView { views: 3, direction: "later" };
    let sent = Scene::new(&[1], &[later.into()]).pre_prepare(1, 1);
    assert_eq!((sent.messages[0].1.view(), sent.attacks()), (Some(View(3)), 1));
}

#[test]
fn forge_checkpoint_lies_about_states_and_contents() {
    let run = |attacks: &[AttackConfig]| {
        let mut scene = Scene::new(&[1], attacks);
        let last = (1..=100).map(|seq| scene.commit(1, seq)).last().unwrap();
        (scene, last.only(MessageKind::Checkpoint))
    };
    let ((_, honest), (mut scene, forged)) = (run(&[]), run(&[ForgeCheckpoint.into()]));
    assert_eq!((honest.attacks(), forged.attacks()), (0, 1));
    assert_eq!(honest.recipients(), forged.recipients());
    assert_ne!(honest.digests(), forged.digests());

    let digest = scene.pre_prepare(1, 101).digests()[0];
    let fetch = Fetch { wanted: Wanted::Batch, seq: SeqNum(101), digest, replica: NodeId(2) };
    let fetch = Message::Fetch(Arc::new(scene.signers[2].sign(fetch)));
    let sent = scene.deliver(at(200), 2, 1, fetch);
    let (_, Message::State(state)) = &sent.messages[0] else { panic!("{:?}", sent.kinds()) };
    assert!(matches!(&state.content, Content::Batch { seq: SeqNum(101), batch } if batch.digest() != digest));
    assert_eq!(sent.attacks(), 1);
}

#[test]
fn a_forged_certificate_is_not_valid() {
    for claim in ["prepared", "checkpoint"] {
        let mut scene = Scene::new(&[1], &[ForgedCertificate { claim }.into()]);
        let sent = scene.make_view_1(&[1]);
        assert_eq!(sent.attacks(), 2, "in its VIEW-CHANGE and in its NEW-VIEW");
        let [new_view] = sent.new_views().try_into().unwrap();
        let said = sent.only(MessageKind::ViewChange);
        let [(_, Message::ViewChange(change))] = said.messages.as_slice() else { panic!("{:?}", said.kinds()) };
        assert_eq!((change.replica, change.is_valid(&scene.config)), (NodeId(1), false), "{claim}");
        assert!(new_view.view_changes.contains(change), "the same claim again");
        assert!(new_view.check(&scene.config).is_none());
        assert!(new_view.order.iter().all(|vote| vote.replica == NodeId(1)));
    }
}

#[test]
fn a_bad_new_view_does_not_follow_from_its_view_changes() {
    let new_view = |lie: &'static str, prepared: &[u64]| {
        let mut scene = Scene::new(&[1], &[BadNewView { lie }.into()]);
        let sent = scene.make_view_1(prepared);
        let [new_view] = sent.new_views().try_into().unwrap();
        let digests: Vec<Digest> = new_view.order.iter().map(|vote| vote.digest).collect();
        (new_view.check(&scene.config).is_some(), sent.attacks(), new_view.view_changes.len(), digests)
    };
    let truth = Scene::new(&[1], &[]).make_view_1(&[1, 2]).new_views()[0].order.clone();
    let [first, second] = truth.iter().map(|vote| vote.digest).collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(new_view("null", &[1, 2]), (false, 1, 5, vec![Digest::NULL; 2]));
    assert_eq!(new_view("swap", &[1, 2]), (false, 1, 5, vec![second, first]));
    let (valid, attacks, changes, invented) = new_view("invent", &[1, 2]);
    assert_eq!((valid, attacks, changes, &invented[..2], invented.len()), (false, 1, 5, &[first, second][..], 3));
    assert_eq!(new_view("few", &[1, 2]), (false, 1, 4, vec![first, second]));
    // Where nothing was prepared, nothing can be dropped.
    assert_eq!(new_view("null", &[]), (true, 0, 5, vec![]));
}

#[test]
fn withhold_new_view_keeps_it_from_all_or_from_some() {
    let mut scene = Scene::new(&[1], &[WithholdNewView.into()]);
    let sent = scene.make_view_1(&[]);
    assert_eq!((sent.kinds(), sent.attacks()), (vec![MessageKind::ViewChange], 1));

    let scope = Scope { to: Some(vec![NodeId(3), NodeId(6)]), ..Scope::default() };
    let sent = Scene::new(&[1], &[AttackConfig { kind: WithholdNewView.into(), scope }]).make_view_1(&[]);
    assert_eq!(sent.attacks(), 1);
    assert_eq!(sent.only(MessageKind::NewView).recipients(), [[0, 2, 4, 5]]);
}

#[test]
fn double_new_view_tells_the_halves_different_orders_and_each_is_valid() {
    let mut scene = Scene::new(&[0, 1], &[DoubleNewView::default().into()]);
    // Colluders know it all: replica 0 wants view 1 too, so replica 2, the only one that prepared something, can be left out.
    for author in 3..=5 {
        let change = scene.view_change(author, &[]);
        scene.deliver(at(500), author, 0, change);
    }
    let sent = scene.make_view_1(&[1]);
    assert_eq!(sent.attacks(), 1);
    let [all, little] = sent.new_views().try_into().unwrap();
    let orders = [&all, &little].map(|new_view| new_view.check(&scene.config).map(|plan| plan.order.len()));
    assert_eq!(orders, [Some(1), Some(0)]);
    let recipients = sent.only(MessageKind::NewView).recipients();
    let sorted = |mut nodes: Vec<u16>| {
        nodes.sort_unstable();
        nodes
    };
    assert_eq!(recipients.into_iter().map(sorted).collect::<Vec<_>>(), [vec![0, 2, 3, 4], vec![5, 6]]);
}

#[test]
fn a_corrupted_replica_signs_a_second_view_change_for_a_double_new_view() {
    // Replica 1 alone has prepared something, and can keep it to itself.
    let mut scene = Scene::new(&[1], &[DoubleNewView::default().into()]);
    scene.commit(1, 1);
    let sent = scene.make_view_1(&[]);
    let orders: Vec<_> = sent.new_views().iter().map(|new_view| new_view.check(&scene.config).unwrap().order).collect();
    assert_eq!(orders.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0]);
    // Where nothing was prepared there is nothing to choose.
    assert_eq!(Scene::new(&[1], &[DoubleNewView::default().into()]).make_view_1(&[]).attacks(), 0);
}

/// Two honest copies of replica 0, with one key: each proposes what it hears of to its own group.
#[test]
fn twins_propose_different_things_at_one_place() {
    let mut scene = Scene::new(&[0], &[Twins::default().into()]);
    assert_eq!(scene.start.events, [Event::Corrupt, Event::Attack("twins")]);
    let first = scene.propose(1);
    assert_eq!((first.kinds(), first.recipients()), (vec![MessageKind::PrePrepare], vec![vec![1, 2, 3]]));
    let request = scene.request(2);
    let second = scene.deliver(at(2), 5, 0, Message::Request(request));
    assert_eq!((second.kinds(), second.recipients()), (vec![MessageKind::PrePrepare], vec![vec![4, 5, 6]]));
    let place = |sent: &Sent| {
        let (_, Message::PrePrepare(proposal)) = &sent.messages[0] else { panic!() };
        (proposal.vote.replica, proposal.vote.view, proposal.vote.seq)
    };
    assert_eq!(place(&first), place(&second));
    assert_ne!(first.digests(), second.digests());
}

#[test]
fn copies_of_different_twins_hear_their_like() {
    let groups = Groups::Lists(vec![vec![NodeId(2), NodeId(3)], vec![NodeId(4), NodeId(5)]]);
    let twins = Twins { groups, share_clients: true };
    let mut scene = Scene::new(&[0, 1], &[twins.into()]);
    let sent = scene.propose(1);
    assert_eq!(
        sent.recipients(),
        [[1, 2, 3, 6], [1, 4, 5, 6]],
        "both copies hear the client, and replica 6 both copies"
    );
    // The same words of both copies: each reaches its like.
    let prepares: Vec<_> =
        sent.messages.iter().map(|(_, proposal)| scene.deliver(at(2), 0, 1, proposal.clone()).recipients()).collect();
    let others = |group: [u16; 2]| vec![vec![0, group[0], group[1], 6]];
    assert_eq!(prepares, [others([2, 3]), others([4, 5])]);

    let scope = Scope { members: Some(vec![NodeId(0)]), ..Scope::default() };
    let one = AttackConfig { kind: Twins::default().into(), scope };
    let mut scene = Scene::new(&[0, 1], &[one]);
    assert_eq!(scene.start.attacks(), 1, "replica 1 is one and the same for all");
    let vote = scene.pre_prepare(1, 1);
    assert_eq!(vote.messages.len(), 1);
}

#[test]
fn a_client_changes_its_own_requests_and_no_others() {
    let scene = Scene::new(&[7], &[Mutate::default().into()]);
    let honest = Scene::new(&[7], &[]).start;
    assert_eq!((scene.start.attacks(), scene.start.kinds()), (1, vec![MessageKind::Request]));
    assert_ne!(scene.start.digests(), honest.digests());
    let mut scene = Scene::new(&[1], &[Mutate::default().into()]);
    let request = scene.request(1);
    let relayed = scene.deliver(at(1), REPLICAS, 1, Message::Request(request));
    assert_eq!((relayed.kinds(), relayed.attacks()), (vec![MessageKind::Request], 0));
}
