//! What attacks on timing and floods send when, message by message.

#![expect(clippy::disallowed_methods, reason = "the test sets the scene: it deals out the signers")]

mod stage;

use byzlab_adversary::attacks::{
    BadAuthenticator, InDark, RequestFlood, SlowCpu, SlowPrimary, StallQuorum, Starve, ViewChangeSpam,
};
use byzlab_adversary::{AttackConfig, Event, Scope};
use byzlab_network::{Latency, NodeId, Recipients, Span, Time};
use byzlab_replica::{Authenticator, Message, MessageKind, View, ViewChange, VoteKind};
use stage::{REPLICAS, Scene, Sent, at};
use std::sync::Arc;

/// Milliseconds after the start.
fn when(time: Time) -> u64 {
    time.as_nanos() / 1_000_000
}

/// When messages of a kind left.
fn departures(played: &[(Time, Sent)], kind: MessageKind) -> Vec<u64> {
    let of_kind = |sent: &Sent| sent.kinds().into_iter().filter(|&sent| sent == kind).count();
    played.iter().flat_map(|(time, sent)| vec![when(*time); of_kind(sent)]).collect()
}

#[test]
fn a_slow_cpu_takes_one_message_after_the_other() {
    let mut slow = SlowCpu::default();
    slow.work = Latency::constant(Span::from_millis(10));
    let mut scene = Scene::new(&[1, 2], &[slow.into()]);
    for seq in 1..=3 {
        let sent = scene.pre_prepare(1, seq);
        assert_eq!((sent.messages.len(), sent.events), (0, vec![Event::Attack("slow_cpu")]), "at {seq} ms");
    }
    scene.pre_prepare(2, 4);
    let played = scene.play_until(at(100));
    let prepares = departures(&played, MessageKind::Prepare);
    assert_eq!(prepares, [11, 14, 21, 31], "each is done 10 ms after the one before; the other replica is its own CPU");
    assert!(played.iter().all(|(_, sent)| sent.events.is_empty()), "reported when it was put off, and only then");
    scene.pre_prepare(1, 200);
    assert_eq!(departures(&scene.play_until(at(300)), MessageKind::Prepare), [210], "after a pause it is free");

    let mut free = SlowCpu::default();
    free.work = Latency::constant(Span::ZERO);
    let sent = Scene::new(&[1], &[free.into()]).pre_prepare(1, 1);
    assert_eq!((sent.kinds(), sent.events), (vec![MessageKind::Prepare], vec![]), "no work changes nothing");
}

#[test]
fn a_slow_primary_holds_its_proposals_back_and_nothing_else() {
    let mut scene = Scene::new(&[0, 1], &[SlowPrimary::default().into()]);
    for timestamp in [1, 2, 50] {
        let sent = scene.propose(timestamp);
        assert_eq!((sent.messages.len(), sent.events), (0, vec![Event::Attack("slow_primary")]));
    }
    // A backup votes at once.
    let honest = scene.pre_prepare(1, 60);
    assert_eq!((honest.kinds(), honest.events), (vec![MessageKind::Prepare], vec![]));
    let played = scene.play_until(at(600));
    assert_eq!(departures(&played, MessageKind::PrePrepare), [401, 402, 450], "4/5 of 500 ms later");
    assert_eq!(played[0].1.proposed(), played[0].1.digests(), "proposed when it leaves");

    let mut short = SlowPrimary::default();
    short.delay = Some(Span::from_millis(7));
    let mut scene = Scene::new(&[0], &[short.into()]);
    scene.propose(1);
    assert_eq!(departures(&scene.play_until(at(100)), MessageKind::PrePrepare), [8]);
}

/// Lets replica 0, the primary, order request `timestamp` at `time`, and executes it; gives how long it held the proposal back.
fn order(scene: &mut Scene, time: Time, timestamp: u64) -> u64 {
    let request = Message::Request(scene.request(timestamp));
    scene.deliver(time, REPLICAS, 0, request);
    let later = time + Span::from_millis(900);
    let played = scene.play_until(later);
    let left = departures(&played, MessageKind::PrePrepare)[0];
    for kind in [VoteKind::Prepare, VoteKind::Commit] {
        for from in 1..=4 {
            let vote = scene.vote(kind, from, timestamp);
            scene.deliver(later, from, 0, vote);
        }
    }
    left - when(time)
}

/// A VIEW-CHANGE of someone who has done nothing yet.
fn view_change(scene: &Scene, from: u16, view: u32) -> Message {
    let replica = NodeId(from);
    let change =
        ViewChange { view: View(view), stable: byzlab_replica::SeqNum(0), checkpoint: None, prepared: vec![], replica };
    Message::ViewChange(Arc::new(scene.signers[usize::from(from)].sign(change)))
}

#[test]
fn an_adaptive_slow_primary_grows_bolder_and_never_goes_again_where_it_was_deposed() {
    let mut adaptive = SlowPrimary::default();
    adaptive.adaptive = true;
    let mut scene = Scene::new(&[0, 1], &[adaptive.into()]);
    let delays: Vec<u64> = (1..=5).map(|number| order(&mut scene, at(1000 * number), number)).collect();
    assert_eq!(delays, [25, 37, 56, 84, 126], "half as long again as what went well");
    // With the next one, of 189 ms, it is deposed: it joins f+1 others.
    let request = Message::Request(scene.request(6));
    scene.deliver(at(6000), REPLICAS, 0, request.clone());
    for from in 2..=4 {
        let change = view_change(&scene, from, 1);
        scene.deliver(at(6100), from, 0, change.clone());
        scene.deliver(at(6100), from, 1, change);
    }
    // Now replica 1 is primary. It was not told what was executed, and orders request 6 as its first.
    let own = scene.play_until(at(6195));
    assert!(departures(&own, MessageKind::NewView).is_empty(), "3 of 5 VIEW-CHANGEs");
    for from in [5, 6] {
        let change = view_change(&scene, from, 1);
        scene.deliver(at(6200), from, 1, change);
    }
    scene.deliver(at(6200), REPLICAS, 1, request);
    let played = scene.play_until(at(6900));
    let second = departures(&played, MessageKind::PrePrepare);
    // 126.56 went well and 189.84 did not.
    assert_eq!(second.last(), Some(&6358), "half way between them: {second:?}");
}

#[test]
fn stall_quorum_votes_as_soon_as_the_quorum_closes_without_it() {
    let mut scene = Scene::new(&[5, 6], &[StallQuorum::default().into()]);
    let first = scene.pre_prepare(5, 1);
    assert_eq!((first.messages.len(), first.events), (0, vec![Event::Attack("stall_quorum")]));
    scene.pre_prepare(6, 1);
    // A prepare of the primary counts nowhere (rule 4), and a vote that comes twice counts once.
    for from in [0, 1, 2, 3, 3] {
        let vote = scene.vote(VoteKind::Prepare, from, 1);
        let sent = scene.deliver(at(2), from, 5, vote);
        assert!(!sent.kinds().contains(&MessageKind::Prepare));
    }
    // Q − 1 = 4 prepares of others. The last one comes to the colleague, who tells at once.
    let fourth = scene.vote(VoteKind::Prepare, 4, 1);
    scene.deliver(at(3), 4, 6, fourth);
    let played = scene.play_until(at(10));
    assert_eq!(departures(&played, MessageKind::Prepare), [3, 3]);
    assert_eq!(played[0].1.events, [Event::Attack("stall_quorum"); 2]);

    // Of the commits, that of the primary counts too.
    for from in [0, 1, 2, 3, 4] {
        let vote = scene.vote(VoteKind::Commit, from, 1);
        scene.deliver(at(4 + u64::from(from)), from, 5, vote.clone());
        scene.deliver(at(4 + u64::from(from)), from, 6, vote);
    }
    let commits = departures(&scene.play_until(at(20)), MessageKind::Commit);
    assert_eq!(commits, [8], "replica 6 has not heard enough to be prepared");

    // What closed before its turn came, it votes for at once.
    for from in 1..=4 {
        let vote = scene.vote(VoteKind::Prepare, from, 40);
        scene.deliver(at(30), from, 5, vote);
    }
    let sent = scene.pre_prepare(5, 40);
    assert_eq!((sent.kinds()[0], sent.events.contains(&Event::Attack("stall_quorum"))), (MessageKind::Prepare, true));
}

#[test]
fn stall_quorum_can_keep_a_vote_for_so_long_and_no_longer() {
    let mut patient = StallQuorum::default();
    patient.hold = Some(Span::from_millis(40));
    let mut scene = Scene::new(&[5], &[patient.into()]);
    scene.pre_prepare(5, 1);
    let played = scene.play_until(at(500));
    assert_eq!(departures(&played, MessageKind::Prepare), [41]);
    assert_eq!(played[0].1.recipients(), [[1, 2, 3, 4, 5, 6]], "as seen from node 0");

    let mut scene = Scene::new(&[5], &[StallQuorum::default().into()]);
    scene.pre_prepare(5, 1);
    assert!(departures(&scene.play_until(at(400)), MessageKind::Prepare).is_empty(), "else for ever");
}

#[test]
fn in_dark_leaves_the_last_honest_replicas_out() {
    let mut scene = Scene::new(&[0, 6], &[InDark::default().into()]);
    let sent = scene.propose(1);
    assert_eq!((sent.kinds()[0], sent.recipients()[0].clone()), (MessageKind::PrePrepare, vec![1, 2, 3, 6]));
    assert!(sent.events.contains(&Event::Attack("in_dark")));

    let mut scene = Scene::new(&[1], &[InDark { targets: Some(vec![NodeId(2)]) }.into()]);
    let sent = scene.pre_prepare(1, 1);
    assert_eq!(sent.recipients(), [[0, 3, 4, 5, 6]]);
    // A reply goes to nobody in the dark, and nothing is changed about it.
    let mut answers = Vec::new();
    for kind in [VoteKind::Prepare, VoteKind::Commit] {
        for from in [0, 2, 3, 4, 5] {
            let vote = scene.vote(kind, from, 1);
            answers.push(scene.deliver(at(2), from, 1, vote));
        }
    }
    let reply = answers.iter().find(|sent| sent.kinds() == [MessageKind::Reply]).unwrap();
    assert!(!reply.events.contains(&Event::Attack("in_dark")));
}

#[test]
fn starve_orders_only_the_requests_of_others() {
    let mut scene = Scene::new(&[0, 1], &[Starve::default().into()]);
    let sent = scene.propose(1);
    assert_eq!((sent.messages.len(), sent.events), (0, vec![Event::Attack("starve")]));
    let other = Message::Request(scene.request_of(REPLICAS + 1, 1));
    let sent = scene.deliver(at(2), REPLICAS + 1, 0, other.clone());
    assert_eq!((sent.kinds(), sent.events.contains(&Event::Attack("starve"))), (vec![MessageKind::PrePrepare], false));
    // A backup passes on what others ask for, and not that.
    let relayed = scene.deliver(at(3), REPLICAS + 1, 1, other);
    assert_eq!((relayed.kinds(), relayed.recipients()), (vec![MessageKind::Request], vec![vec![0]]));
    let starved = Message::Request(scene.request(1));
    assert!(scene.deliver(at(4), REPLICAS, 1, starved).messages.is_empty());
    // What another primary proposes, it votes for.
    assert_eq!(scene.pre_prepare(1, 1).kinds(), [MessageKind::Prepare]);
}

#[test]
fn view_change_spam_wants_later_and_later_views() {
    let mut spam = ViewChangeSpam::default();
    spam.rate = 200.0;
    let scope = Scope { start: at(8), end: at(20), ..Scope::default() };
    let mut scene = Scene::new(&[3, 4], &[AttackConfig { kind: spam.into(), scope }]);
    let played = scene.play_until(at(100));
    assert_eq!(departures(&played, MessageKind::ViewChange), [8, 8, 13, 13, 18, 18], "each 5 ms, from 8 to 20 ms");
    let mut views = Vec::new();
    for (_, message) in played.iter().flat_map(|(_, sent)| &sent.messages) {
        let Message::ViewChange(change) = message else { panic!("{message:?}") };
        views.push((change.view.0, change.replica.0));
    }
    assert_eq!(views, [(1, 3), (2, 4), (3, 3), (4, 4), (5, 3), (6, 4)]);
    assert!(played.iter().all(|(_, sent)| sent.events == [Event::Attack("view_change_spam"); 2]));
}

#[test]
fn a_request_flood_waits_for_nothing() {
    let client = usize::from(REPLICAS);
    let mut flood = RequestFlood::default();
    flood.rate = 100.0;
    let mut scene = Scene::new(&[1, client], &[flood.clone().into()]);
    let played = scene.play_until(at(35));
    assert_eq!(departures(&played, MessageKind::Request), [10, 20, 30]);
    let requests: Vec<_> = played.iter().flat_map(|(_, sent)| &sent.messages).collect();
    for ((to, message), number) in requests.into_iter().zip(1..) {
        let Message::Request(request) = message else { panic!("{message:?}") };
        assert_eq!((request.client, request.timestamp), (NodeId(REPLICAS), number));
        assert_eq!(*to, Recipients::OthersBelow(NodeId(REPLICAS)));
    }
    assert!(played.iter().all(|(_, sent)| sent.events == [Event::Attack("request_flood")]));

    flood.to = "primary";
    let mut scene = Scene::new(&[client], &[flood.into()]);
    assert_eq!(scene.play_until(at(15))[0].1.messages[0].0, Recipients::One(NodeId(0)));
}

#[test]
fn a_bad_authenticator_gives_each_replica_a_request_of_its_own() {
    let client = usize::from(REPLICAS);
    let (mut scene, first) = Scene::begin(&[1, client], &[BadAuthenticator.into()]);
    assert_eq!((first.recipients(), first.events), (vec![vec![0]], vec![Event::Attack("bad_authenticator")]));
    // After its timeout it turns to all.
    let played = scene.play_until(at(1000));
    let (_, again) = played.iter().find(|(_, sent)| sent.kinds().contains(&MessageKind::Request)).unwrap();
    let mut digests = again.digests();
    for (place, (to, message)) in again.messages.iter().enumerate() {
        let Message::Request(request) = message else { panic!("{message:?}") };
        let replica = NodeId(place as u16);
        assert_eq!((to, request.authenticator), (&Recipients::One(replica), Authenticator::Only(replica)));
        assert_eq!((request.client, request.timestamp), (NodeId(REPLICAS), 1));
    }
    assert_eq!(digests.len(), usize::from(REPLICAS));
    assert_eq!(digests[0], first.messages[0].1.digest(), "always the same for the same replica");
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), usize::from(REPLICAS), "nobody can verify what another got");
    // What a corrupted replica passes on of others stays as it is.
    let honest = Message::Request(scene.request_of(REPLICAS + 1, 1));
    let relayed = scene.deliver(at(1001), REPLICAS + 1, 1, honest);
    assert!(!relayed.events.contains(&Event::Attack("bad_authenticator")));
}
