//! What each attack changes, message by message.

#![expect(clippy::disallowed_methods, reason = "the test sets the scene: it deals out the signers")]

mod stage;

use byzlab_adversary::attacks::{ConflictingVotes, Equivocate, FakeDigest, Ignore, Silent};
use byzlab_adversary::{AttackConfig, AttackKind, Event, Groups, Scope};
use byzlab_network::NodeId;
use byzlab_replica::{Digest, Message, MessageKind};
use stage::{REPLICAS, Scene, at};

#[test]
fn without_attacks_a_corrupted_replica_is_honest_and_reports_nothing() {
    let mut scene = Scene::new(&[1], &[]);
    let sent = scene.pre_prepare(1, 1);
    assert_eq!(sent.kinds(), [MessageKind::Prepare]);
    assert!(sent.events.is_empty(), "{:?}", sent.events);
}

#[test]
fn silent_sends_nothing_or_not_some_kinds() {
    let mut scene = Scene::new(&[1], &[Silent.into()]);
    let sent = scene.pre_prepare(1, 1);
    assert!(sent.messages.is_empty());
    assert_eq!(sent.events, [Event::Attack("silent")]);

    let scope = Scope { messages: Some(vec![MessageKind::Commit]), ..Scope::default() };
    let mut scene = Scene::new(&[1], &[AttackConfig { kind: Silent.into(), scope }]);
    assert_eq!(scene.pre_prepare(1, 1).kinds(), [MessageKind::Prepare]);
}

#[test]
fn ignore_swallows_the_pre_prepare() {
    let mut scene = Scene::new(&[1], &[Ignore.into()]);
    let sent = scene.pre_prepare(1, 1);
    assert!(sent.messages.is_empty());
    assert_eq!(sent.events, [Event::Attack("ignore")]);
}

#[test]
fn fake_digest_votes_for_what_nobody_proposed_and_signs_it_itself() {
    let mut scene = Scene::new(&[1], &[FakeDigest.into()]);
    let honest = Scene::new(&[1], &[]).pre_prepare(1, 1);
    let sent = scene.pre_prepare(1, 1);
    assert_eq!((sent.kinds(), sent.recipients()), (honest.kinds(), honest.recipients()));
    assert_ne!(sent.digests(), honest.digests());
    let (_, Message::Vote(vote)) = &sent.messages[0] else { panic!() };
    assert_eq!(vote.replica, NodeId(1));
}

#[test]
fn conflicting_votes_cover_all_that_colluders_know() {
    let mut scene = Scene::new(&[0, 1], &[ConflictingVotes.into()]);
    let truth = scene.pre_prepare(1, 1);
    assert_eq!(truth.kinds(), [MessageKind::Prepare; 2], "one proposal is known, so one is invented");

    let equivocate: AttackConfig = Equivocate { groups: Groups::Halves, collude: false }.into();
    let mut scene = Scene::new(&[0, 1], &[equivocate, ConflictingVotes.into()]);
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
    let each = Equivocate { groups: Groups::Each, collude: false };
    let sent = Scene::new(&[0], &[each.into()]).propose(1);
    assert_eq!(sent.recipients(), [[1], [2], [3], [4], [5], [6]]);
    let mut digests = sent.digests();
    assert_eq!(sent.proposed(), digests, "one `propose` for each thing that is proposed");
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), 6);

    let halves = Equivocate { groups: Groups::Halves, collude: false };
    let sent = Scene::new(&[0], &[halves.into()]).propose(1);
    assert_eq!(sent.recipients(), [[1, 2, 3], [4, 5, 6]]);

    let lists = vec![vec![NodeId(1)], vec![NodeId(2), NodeId(3)]];
    let sent = Scene::new(&[0], &[Equivocate { groups: Groups::Lists(lists), collude: false }.into()]).propose(1);
    assert_eq!(sent.recipients(), [vec![1], vec![2, 3]], "who is in no group gets nothing");
}

#[test]
fn equivocated_batches_keep_their_clients_requests() {
    let sent = Scene::new(&[0], &[Equivocate { groups: Groups::Each, collude: false }.into()]).propose(1);
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
    let limited = |scope: Scope| Scene::new(&[1, 2], &[AttackConfig { kind: Silent.into(), scope }]);
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
    let half = |kind: AttackKind| AttackConfig { kind, scope: Scope { probability: 0.5, ..Scope::default() } };
    let mut scene = Scene::new(&[1], &[half(Ignore.into()), half(FakeDigest.into())]);
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
