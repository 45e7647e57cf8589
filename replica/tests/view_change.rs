//! View changes: what is said, what counts, and how a view begins (rules 21 to 27 of docs/protocol.md).

mod stage;

use byzlab_network::{NodeId, Span};
use byzlab_replica::{
    Digest, Event, Message, MessageKind, NewView, Prepared, ProtocolConfig, SeqNum, Signed, Timer, View, ViewChange,
    VoteKind,
};
use stage::{Passage, Stage, kinds, ms, slot};
use std::num::NonZeroU64;
use std::sync::Arc;

/// Four replicas that have executed some requests, after which the first primary falls silent.
fn after_requests(requests: u64) -> Stage {
    let mut stage = Stage::new(4);
    stage.begin_client(requests, |_| {});
    stage.run_until(ms(0) + stage::times(stage::DELAY, 5 * requests));
    stage.silence(0);
    stage
}

fn view_change(passage: &Passage) -> &Arc<Signed<ViewChange>> {
    let Message::ViewChange(change) = &passage.message else { panic!("{passage:?}") };
    change
}

fn new_view(passage: &Passage) -> &Arc<Signed<NewView>> {
    let Message::NewView(new_view) = &passage.message else { panic!("{passage:?}") };
    new_view
}

/// The VIEW-CHANGE of replica 1 for a view, once requests that nobody orders have driven it there.
fn change_of_replica_1(stage: &mut Stage, view: u32) -> Arc<Signed<ViewChange>> {
    stage.ask(1, u64::from(view));
    stage.run();
    let changes = stage.sent_by(1, MessageKind::ViewChange).into_iter().map(view_change);
    Arc::clone(changes.rev().find(|change| change.view == View(view)).unwrap())
}

#[test]
fn rule_21_in_a_view_change_proposals_and_votes_wait_for_the_new_view() {
    let mut stage = Stage::new(4);
    let batch = stage.batch(1, 0);
    let propose = |stage: &Stage, view: u32| stage.proposal(view as usize, view, 1, &batch);
    // Replica 2 joins replicas 1 and 3.
    for from in [1, 3] {
        let change = Message::ViewChange(stage.empty_change(from, 1));
        stage.deliver(from, 2, change);
    }
    let vote = |stage: &Stage, kind, from, view| stage.vote(kind, from, view, 1, batch.digest());
    let mut heard = |from, message| {
        let effects = stage.deliver(from, 2, message);
        assert!(effects.sends.is_empty() && effects.events.is_empty(), "{effects:?}");
    };
    let fresh = Stage::new(4);
    for view in [0, 1] {
        heard(view as usize, propose(&fresh, view));
        for (kind, from) in [(VoteKind::Prepare, 3), (VoteKind::Commit, 1), (VoteKind::Commit, 3)] {
            heard(from, vote(&fresh, kind, from, view));
        }
    }
    assert_eq!(stage.replicas[2].log().get(SeqNum(1)), None);

    let changes = [0, 1, 3].map(|from| stage.empty_change(from, 1));
    let begin = Message::NewView(Arc::new(NewView::new(&stage.signers[1], View(1), changes.to_vec())));
    let entered = stage.deliver(1, 2, begin);
    let committed = entered.events.contains(&Event::Committed(slot(1, 1, batch.digest())));
    assert!(committed, "what came early for view 1 counts now; what came for view 0 never: {entered:?}");
}

#[test]
fn rule_21_checkpoints_requests_and_status_go_on_in_a_view_change() {
    let mut stage = Stage::with(4, |config| config.checkpoint_interval = NonZeroU64::MIN);
    stage.begin_client(1, |_| {});
    // Each replica lacks one CHECKPOINT, so that none is stable.
    stage.lose(|passage| passage.is(MessageKind::Checkpoint));
    stage.run_until(ms(100));
    for from in [1, 3] {
        let change = Message::ViewChange(stage.empty_change(from, 1));
        stage.deliver(from, 2, change);
    }
    assert!(!stage.replicas[2].is_active());
    let digest = stage.replicas[2].state_digest();
    for from in [0, 3] {
        let vote = stage.vote(VoteKind::Checkpoint, from, 0, 1, digest);
        stage.deliver(from, 2, vote);
    }
    assert_eq!(stage.replicas[2].log().low(), SeqNum(1), "stable");
    let again =
        Message::Request(stage.clients[0].id().0.checked_sub(4).map(|client| stage.request(client.into(), 1)).unwrap());
    assert_eq!(kinds(&stage.deliver(4, 2, again)), [MessageKind::Reply], "the last reply again");
    let unanswered = stage.sent_by(2, MessageKind::Status).len();
    stage.lose(|passage| passage.is(MessageKind::NewView));
    stage.run_for(Span::from_millis(1500));
    assert!(stage.sent_by(2, MessageKind::Status).len() > unanswered);
}

#[test]
fn rule_22_a_view_change_carries_what_was_prepared_executed_or_not() {
    let mut stage = after_requests(3);
    let change = change_of_replica_1(&mut stage, 1);
    let places: Vec<_> = change.prepared.iter().map(|prepared| (prepared.slot().view, prepared.slot().seq.0)).collect();
    assert_eq!(places, [(View(0), 1), (View(0), 2), (View(0), 3)]);
    assert_eq!((change.stable, &change.checkpoint), (SeqNum(0), &None), "no proof is needed of the beginning");
    assert!(change.is_valid(&stage.config));
}

#[test]
fn rule_22_it_begins_at_the_stable_checkpoint_and_proves_it() {
    let mut stage = after_requests(12);
    let change = change_of_replica_1(&mut stage, 1);
    let places: Vec<_> = change.prepared.iter().map(|prepared| prepared.slot().seq.0).collect();
    assert_eq!(places, [11, 12]);
    let proof = change.checkpoint.as_ref().unwrap();
    assert_eq!((change.stable, proof.slot().seq), (SeqNum(10), SeqNum(10)));
    assert!(proof.proves_checkpoint(stage.config.cluster) && change.is_valid(&stage.config));
}

#[test]
fn rule_22_of_a_number_the_certificate_of_the_highest_view_counts() {
    let mut stage = after_requests(2);
    stage.ask(1, 1);
    stage.run();
    stage.restart(0, true);
    stage.run();
    stage.silence(1);
    stage.ask(1, 2);
    stage.run();
    let change = Arc::clone(view_change(stage.sent_by(2, MessageKind::ViewChange).last().unwrap()));
    let places: Vec<_> =
        change.prepared.iter().map(|prepared| (prepared.slot().view.0, prepared.slot().seq.0)).collect();
    assert_eq!((change.view, places), (View(2), vec![(1, 1), (1, 2), (1, 3)]), "prepared again in view 1, once each");
}

#[test]
fn rule_22_a_certificate_outlives_a_view_in_which_nothing_was_prepared() {
    let mut stage = Stage::new(4);
    stage.lose(|passage| {
        let view = passage.message.view();
        passage.is(MessageKind::Commit) && view == Some(View(0))
            || passage.is(MessageKind::Prepare) && view == Some(View(1))
    });
    stage.ask(0, 1);
    stage.run();
    let changes = stage.sent_by(3, MessageKind::ViewChange);
    for view in [1, 2] {
        let change =
            changes.iter().map(|passage| view_change(passage)).find(|change| change.view == View(view)).unwrap();
        let places: Vec<_> = change.prepared.iter().map(Prepared::slot).collect();
        assert_eq!(places, [slot(0, 1, stage.batch(1, 0).digest())], "for view {view}");
    }
    assert_eq!(stage.states(&[0, 1, 2, 3]).len(), 1);
    assert_eq!(stage.replicas[3].last_executed(), SeqNum(1));
}

/// All ways to lie in a VIEW-CHANGE for view 2 of a cluster of four.
fn bad_changes(stage: &Stage) -> Vec<(&'static str, ViewChange)> {
    let digest = Digest(7);
    let good = |view: u32, seq| {
        stage.prepared(view as usize, if view == 0 { &[1, 2] } else { &[2, 3] }, slot(view, seq, digest))
    };
    let sample = ViewChange::clone(&stage.empty_change(0, 2));
    let with = |prepared: Vec<Prepared>| ViewChange { prepared, ..sample.clone() };
    let checkpoint =
        |voters: &[usize], seq| Some(stage.certificate(VoteKind::Checkpoint, voters, slot(0, seq, digest)));
    let stable = |stable, checkpoint| ViewChange { stable: SeqNum(stable), checkpoint, ..sample.clone() };
    let all_good = with(vec![good(0, 1), good(1, 2), good(0, 20)]);
    assert!(stage.signers[0].sign(all_good).is_valid(&stage.config));
    let proven = ViewChange { prepared: vec![good(1, 30)], ..stable(10, checkpoint(&[0, 2, 3], 10)) };
    assert!(stage.signers[0].sign(proven).is_valid(&stage.config));
    vec![
        ("too few PREPAREs", with(vec![stage.prepared(0, &[1], slot(0, 1, digest))])),
        ("the primary's own PREPARE", with(vec![stage.prepared(0, &[0, 1], slot(0, 1, digest))])),
        ("a client's PREPARE", with(vec![stage.prepared(0, &[1, 4], slot(0, 1, digest))])),
        ("not the primary of its view", with(vec![stage.prepared(1, &[2, 3], slot(0, 1, digest))])),
        ("a certificate of the view it asks for", with(vec![stage.prepared(2, &[1, 3], slot(2, 1, digest))])),
        ("beyond the window", with(vec![good(0, 21)])),
        ("at number 0", with(vec![good(0, 0)])),
        ("a number twice", with(vec![good(0, 1), good(1, 1)])),
        ("out of order", with(vec![good(0, 2), good(0, 1)])),
        ("one bad one among good ones", with(vec![good(0, 1), stage.prepared(0, &[1], slot(0, 2, digest))])),
        ("a checkpoint without proof", stable(10, None)),
        ("a checkpoint with too few voters", stable(10, checkpoint(&[0, 1], 10))),
        ("the proof of another checkpoint", stable(20, checkpoint(&[0, 1, 2], 10))),
        ("the proof of the beginning", stable(0, checkpoint(&[0, 1, 2], 0))),
        ("a checkpoint between checkpoints", stable(7, checkpoint(&[0, 1, 2], 7))),
        ("below its checkpoint", ViewChange { prepared: vec![good(0, 10)], ..stable(10, checkpoint(&[0, 1, 2], 10)) }),
        ("commits as proof", stable(10, Some(stage.certificate(VoteKind::Commit, &[0, 1, 2], slot(0, 10, digest))))),
    ]
}

#[test]
fn rule_23_one_bad_certificate_discards_its_view_change_alone() {
    let plain = Stage::new(4);
    for (lie, change) in bad_changes(&plain) {
        let change = Arc::new(plain.signers[0].sign(change));
        assert!(!change.is_valid(&plain.config), "{lie}");

        let mut stage = Stage::new(4);
        stage.deliver(0, 2, Message::ViewChange(change));
        let mut tell = |from| {
            let change = Message::ViewChange(stage.empty_change(from, 2));
            kinds(&stage.deliver(from, 2, change))
        };
        assert_eq!(tell(1), [], "{lie}: with a bad one, it is the first of f + 1");
        assert_eq!(tell(3), [MessageKind::ViewChange, MessageKind::NewView], "{lie}: its own is the third of Q");
        let sent = stage.sent_by(2, MessageKind::NewView);
        let authors: Vec<_> = new_view(sent[0]).view_changes.iter().map(|change| change.replica.0).collect();
        assert_eq!(authors, [1, 2, 3], "{lie}");
    }
}

#[test]
fn rule_23_a_client_can_say_nothing_about_views() {
    let mut stage = Stage::new(4);
    for client in [4, 5] {
        let change = Message::ViewChange(stage.empty_change(client, 1));
        assert!(stage.deliver(client, 2, change).sends.is_empty());
    }
    assert!(!stage.empty_change(4, 1).is_valid(&stage.config));
}

#[test]
fn rule_24_new_view_is_sent_once_with_a_quorum_of_view_changes() {
    let mut stage = Stage::new(4);
    // Its primary was only slow.
    stage.lose(|passage| passage.is(MessageKind::PrePrepare) && passage.message.view() == Some(View(0)));
    stage.ask(0, 1);
    stage.run_until(ms(600));
    // With n = 4, f + 1 = 2f: a fourth VIEW-CHANGE comes after Q = 3 are in.
    let late = Message::ViewChange(stage.empty_change(0, 1));
    stage.inject_to_all(0, &late);
    stage.run();
    let sent = stage.sent_by(1, MessageKind::NewView);
    assert_eq!(sent.len(), 3);
    let first = new_view(sent[0]);
    assert_eq!(first.view_changes.len(), 3);
    assert!(first.check(&stage.config).is_some());
    assert!(sent.iter().all(|passage| new_view(passage) == first));
    assert_eq!(stage.count(MessageKind::NewView), 3);
    assert_eq!(stage.states(&[0, 1, 2, 3]).len(), 1);
}

#[test]
fn rule_24_a_new_view_needs_a_quorum_of_distinct_valid_view_changes_for_its_view() {
    let stage = Stage::new(4);
    let check = |primary: usize, view: u32, changes: Vec<Arc<Signed<ViewChange>>>| {
        NewView::new(&stage.signers[primary], View(view), changes).check(&stage.config).is_some()
    };
    let change = |from| stage.empty_change(from, 1);
    assert!(check(1, 1, vec![change(1), change(2), change(3)]));
    assert!(check(1, 1, vec![change(0), change(1), change(2), change(3)]));
    assert!(!check(1, 1, vec![change(1), change(2)]), "fewer than Q");
    assert!(!check(1, 1, vec![change(1), change(2), change(2)]), "one of them twice");
    assert!(!check(2, 1, vec![change(1), change(2), change(3)]), "not the primary of view 1");
    assert!(!check(1, 1, vec![change(1), change(2), change(4)]), "a client among them");
    assert!(!check(1, 1, vec![change(1), change(2), stage.empty_change(3, 5)]), "one of them for another view");
    let bad = stage.change(3, 1, vec![stage.prepared(0, &[1], slot(0, 1, Digest(7)))]);
    assert!(!check(1, 1, vec![change(1), change(2), bad]), "one of them is not valid");
}

#[test]
fn rule_25_the_highest_view_wins_and_gaps_become_null() {
    let stage = Stage::new(4);
    let prepared = |view: u32, seq, digest| {
        let (primary, backups): (usize, &[usize]) = if view == 0 { (0, &[1, 2]) } else { (1, &[2, 3]) };
        stage.prepared(primary, backups, slot(view, seq, Digest(digest)))
    };
    let order = |changes: [Vec<Prepared>; 3]| {
        let changes = changes.into_iter().zip(0..).map(|(prepared, from)| stage.change(from, 2, prepared)).collect();
        let new_view = NewView::new(&stage.signers[2], View(2), changes);
        assert!(new_view.check(&stage.config).is_some());
        new_view.order.iter().map(|vote| (vote.seq.0, vote.digest.0)).collect::<Vec<_>>()
    };
    // Digest 9 is greater, and comes first or last; view 1 is later.
    let old = || vec![prepared(0, 1, 9), prepared(0, 4, 5)];
    let new = || vec![prepared(1, 1, 3)];
    let expected = [(1, 3), (2, 0), (3, 0), (4, 5)];
    assert_eq!(order([old(), new(), vec![]]), expected);
    assert_eq!(order([new(), vec![], old()]), expected);
    assert_eq!(order([vec![], vec![], vec![]]), []);
}

#[test]
fn rule_25_the_order_begins_after_the_highest_proven_checkpoint() {
    let stage = Stage::new(4);
    let proof = stage.certificate(VoteKind::Checkpoint, &[0, 1, 2], slot(0, 10, Digest(8)));
    let late =
        ViewChange { stable: SeqNum(10), checkpoint: Some(proof), ..ViewChange::clone(&stage.empty_change(1, 2)) };
    let early =
        vec![stage.prepared(0, &[1, 2], slot(0, 9, Digest(3))), stage.prepared(0, &[1, 2], slot(0, 12, Digest(4)))];
    let changes = vec![stage.change(0, 2, early), Arc::new(stage.signers[1].sign(late)), stage.empty_change(3, 2)];
    let new_view = NewView::new(&stage.signers[2], View(2), changes);
    let plan = new_view.check(&stage.config).unwrap();
    assert_eq!((plan.stable, plan.last(), new_view.stable()), (SeqNum(10), SeqNum(12), SeqNum(10)));
    let order: Vec<_> = new_view.order.iter().map(|vote| (vote.seq.0, vote.digest.0)).collect();
    assert_eq!(order, [(11, 0), (12, 4)]);
}

#[test]
fn rule_26_a_wrong_order_leaves_the_replica_waiting_with_its_timer_running() {
    let scene = Stage::new(4);
    let certified = stage_change_with_certificate(&scene);
    let changes = || vec![Arc::clone(&certified), scene.empty_change(1, 1), scene.empty_change(3, 1)];
    let honest = NewView::new(&scene.signers[1], View(1), changes());
    let order = honest.order.clone();
    let vote = |seq, digest| scene.signers[1].vote(VoteKind::PrePrepare, View(1), SeqNum(seq), digest);
    let wrong = [
        ("nothing", vec![]),
        ("null instead of what was prepared", vec![vote(1, Digest::NULL)]),
        ("another digest", vec![vote(1, Digest(99))]),
        ("another number", vec![vote(2, order[0].digest)]),
        ("one number more", vec![order[0], vote(2, Digest(5))]),
        ("in another's name", vec![scene.signers[0].vote(VoteKind::PrePrepare, View(1), SeqNum(1), order[0].digest)]),
        ("for another view", vec![scene.signers[1].vote(VoteKind::PrePrepare, View(5), SeqNum(1), order[0].digest)]),
        ("as a PREPARE", vec![scene.signers[1].vote(VoteKind::Prepare, View(1), SeqNum(1), order[0].digest)]),
    ];
    for (lie, order) in wrong {
        let mut stage = Stage::new(4);
        stage.silence(0);
        stage.silence(1);
        stage.ask_one(0, 1, 2);
        for from in [1, 3] {
            let change = Message::ViewChange(stage.empty_change(from, 1));
            stage.inject(from, 2, change);
        }
        stage.run_until(ms(20));
        assert_eq!(stage.due(2, Timer::View), Some(ms(510)));
        let new_view = NewView { view: View(1), view_changes: changes(), order, primary: NodeId(1) };
        let new_view = Message::NewView(Arc::new(stage.signers[1].sign(new_view)));
        let effects = stage.deliver(1, 2, new_view);
        assert!(
            effects.sends.is_empty() && effects.events.is_empty() && effects.timers.is_empty(),
            "{lie}: {effects:?}"
        );
        assert!(!stage.replicas[2].is_active(), "{lie}");
        stage.run_until(ms(510));
        assert_eq!(stage.replicas[2].view(), View(2), "{lie}");
    }
    let mut stage = Stage::new(4);
    stage.deliver(1, 2, Message::NewView(Arc::new(honest)));
    assert!(stage.replicas[2].is_active() && stage.replicas[2].view() == View(1), "the right one is taken at once");
}

fn stage_change_with_certificate(stage: &Stage) -> Arc<Signed<ViewChange>> {
    let batch = stage.batch(1, 0);
    stage.change(2, 1, vec![stage.prepared(0, &[1, 2], slot(0, 1, batch.digest()))])
}

#[test]
fn rule_27_what_was_executed_is_voted_for_again_and_not_executed_again() {
    let mut stage = after_requests(3);
    stage.ask(1, 1);
    stage.run();
    let mut executed: Vec<_> = stage.executions().into_iter().filter(|(_, node, _)| *node > 0).collect();
    executed.sort_by_key(|&(at, node, _)| (node, at));
    let places: Vec<_> = executed.iter().map(|&(_, node, slot)| (node, slot.seq.0, slot.view.0)).collect();
    let of = |node| [(node, 1, 0), (node, 2, 0), (node, 3, 0), (node, 4, 1)];
    assert_eq!(places, [of(1), of(2), of(3)].concat(), "the next number is max-s + 1");
    let again =
        stage.sent_by(3, MessageKind::Prepare).into_iter().filter(|passage| passage.message.view() == Some(View(1)));
    assert_eq!(again.count(), 3 * 4, "PREPARE for each of O, and for the new one");
    let replies = stage.sent_by(3, MessageKind::Reply).len();
    assert_eq!(replies, 4, "one for each request");
}

#[test]
fn rule_27_a_missing_batch_is_fetched() {
    let mut stage = Stage::new(4);
    stage.lose(|passage| {
        passage.is(MessageKind::PrePrepare) && passage.to == NodeId(3)
            || passage.is(MessageKind::Commit) && passage.message.view() == Some(View(0))
    });
    stage.begin_client(1, |workload| workload.client_timeout = Span::from_millis(60_000));
    stage.run_until(ms(100));
    assert_eq!(stage.executions(), []);
    stage.silence(0);
    // The PRE-PREPARE that others send again is lost as well: only FETCH helps.
    stage.ask(1, 1);
    stage.run_until(ms(700));
    let asked = stage.sent_by(3, MessageKind::Fetch);
    assert_eq!(asked[0].message.seq(), 1);
    assert_eq!(asked.len(), 3, "all who may have prepared it");
    assert!(stage.executions().iter().any(|&(_, node, slot)| node == 3 && slot.seq == SeqNum(1)));
    assert_eq!(
        stage.executions().iter().filter(|(_, node, _)| *node == 3).count(),
        1,
        "and no pre-prepare of view 1 came"
    );
}

#[test]
fn rule_27_a_missing_batch_is_asked_for_until_it_comes() {
    let mut stage = Stage::with(4, |config| config.status_interval = Span::from_millis(100));
    stage.lose(|passage| {
        passage.is(MessageKind::PrePrepare) && passage.to == NodeId(3)
            || passage.is(MessageKind::State)
            || passage.is(MessageKind::Commit) && passage.message.view() == Some(View(0))
            || passage.is(MessageKind::Fetch) && passage.at < ms(700)
    });
    stage.ask(0, 1);
    stage.run_until(ms(600));
    let asked = stage.sent_by(3, MessageKind::Fetch).len();
    assert_eq!((asked, stage.replicas[3].view()), (3, View(1)));
    stage.lose(|passage| {
        passage.is(MessageKind::PrePrepare) && passage.to == NodeId(3)
            || passage.is(MessageKind::Fetch) && passage.at < ms(700)
    });
    stage.run_until(ms(900));
    assert!(stage.sent_by(3, MessageKind::Fetch).len() > asked);
    assert_eq!(stage.states(&[0, 1, 2, 3]).len(), 1);
    assert_eq!(stage.replicas[3].view(), View(1));
}

#[test]
fn rule_27_a_missing_checkpoint_is_fetched_on_entering() {
    // The first one that is asked is silent; the next is asked a status interval later.
    let mut stage = Stage::with(4, |config| config.status_interval = Span::from_millis(100));
    let cut = |passage: &Passage| passage.to == NodeId(3) || passage.from == NodeId(3);
    stage.lose(cut);
    stage.begin_client(10, |_| {});
    stage.run_until(ms(600));
    assert_eq!((stage.replicas[2].log().low(), stage.replicas[3].log().low()), (SeqNum(10), SeqNum(0)));
    stage.lose(|passage| passage.is(MessageKind::Status));
    stage.silence(0);
    stage.ask(1, 1);
    stage.run_until(ms(1600));
    assert_eq!(stage.replicas[3].view(), View(1));
    assert_eq!(stage.states(&[1, 2, 3]).len(), 1);
    assert_eq!(stage.replicas[3].last_executed(), SeqNum(11));
    let transfers = stage.instants(|event| matches!(event, Event::StateTransfer { .. }).then_some(()));
    assert_eq!(transfers.iter().map(|&(_, node, ())| node).collect::<Vec<_>>(), [3]);
}

#[test]
fn rule_27_backups_relay_waiting_requests_to_the_new_primary() {
    let mut stage = Stage::new(4);
    stage.silence(0);
    (2..4).for_each(|backup| stage.ask_one(0, 1, backup));
    stage.run_until(ms(510));
    let before = stage.sent_by(2, MessageKind::Request).len();
    stage.run();
    let relayed = stage.sent_by(2, MessageKind::Request).split_off(before);
    assert_eq!(relayed.iter().map(|passage| (passage.at, passage.to)).collect::<Vec<_>>(), [(ms(530), NodeId(1))]);
    assert_eq!(stage.executions().len(), 3);
}

#[test]
fn rule_27_a_new_primary_proposes_what_waits_and_nothing_that_o_orders() {
    let mut stage = Stage::new(4);
    // Request 1 of the first client is prepared everywhere, that of the second nowhere.
    stage.lose(|passage| passage.is(MessageKind::Commit));
    stage.ask(0, 1);
    stage.run_until(ms(60));
    stage.silence(0);
    stage.ask(1, 1);
    stage.run_until(ms(520));
    stage.heal();
    stage.run();
    let proposed = stage.instants(|event| if let Event::Propose(slot) = event { Some(slot.seq.0) } else { None });
    let in_view_1: Vec<_> = proposed.into_iter().filter(|(_, node, _)| *node == 1).map(|(.., seq)| seq).collect();
    assert_eq!(in_view_1, [2], "the first one is in O");
    assert_eq!(stage.states(&[1, 2, 3]).len(), 1);
    assert_eq!(stage.replicas[1].last_executed(), SeqNum(2));
}

#[test]
fn rule_24_a_cluster_survives_one_primary_after_the_other() {
    let mut stage = Stage::with(4, |config: &mut ProtocolConfig| config.status_interval = Span::from_millis(100));
    stage.begin_client(20, |_| {});
    for view in 0..6_u32 {
        stage.run_for(Span::from_millis(120));
        let primary = (view % 4) as usize;
        stage.silence(primary);
        stage.ask(1, u64::from(view) + 1);
        stage.run_for(Span::from_millis(1200));
        stage.restart(primary, true);
    }
    stage.run();
    assert_eq!(stage.accepted().len(), 20);
    assert_eq!(stage.states(&[0, 1, 2, 3]).len(), 1);
    let mut per_view = std::collections::BTreeMap::new();
    for passage in stage.sent.iter().filter(|passage| passage.is(MessageKind::NewView)) {
        assert_eq!(*per_view.entry(new_view(passage).view).or_insert(new_view(passage)), new_view(passage));
    }
    assert!(per_view.len() >= 6, "{:?}", per_view.keys());
}
