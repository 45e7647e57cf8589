//! Checkpoints and the states of others: rules 18 to 20 of docs/protocol.md.

mod stage;

use byzlab_network::{NodeId, Span};
use byzlab_replica::{
    Batch, Content, Digest, Event, Message, MessageKind, SeqNum, Snapshot, State, Status, Timer, View, VoteKind,
};
use stage::{DELAY, Passage, Stage, kinds, ms, slot, times};
use std::num::NonZeroU64;
use std::sync::Arc;

/// What comes from this replica or goes to it.
fn touches(replica: u16) -> impl Fn(&Passage) -> bool {
    move |passage| passage.from == NodeId(replica) || passage.to == NodeId(replica)
}

/// Four replicas of which the last has heard nothing of so many requests. A status goes out each 100 ms.
fn behind(requests: u64) -> Stage {
    let mut stage = Stage::with(4, |config| config.status_interval = Span::from_millis(100));
    stage.lose(touches(3));
    stage.begin_client(requests, |_| {});
    stage.run_until(ms(0) + times(DELAY, 5 * requests + 2));
    assert_eq!((stage.replicas[0].last_executed(), stage.replicas[3].last_executed()), (SeqNum(requests), SeqNum(0)));
    stage
}

fn transfers(stage: &Stage) -> Vec<(usize, u64)> {
    let transfer = |event: &Event| if let Event::StateTransfer { seq, .. } = event { Some(seq.0) } else { None };
    stage.instants(transfer).into_iter().map(|(_, node, seq)| (node, seq)).collect()
}

#[test]
fn rule_18_the_log_stays_within_its_window_however_long_a_run() {
    let mut stage = Stage::new(4);
    stage.begin_client(95, |_| {});
    stage.run();
    assert_eq!(stage.accepted().len(), 95);
    for replica in &stage.replicas {
        assert_eq!(
            (replica.log().low(), replica.log().last(), replica.log().end()),
            (SeqNum(90), SeqNum(95), SeqNum(110))
        );
        assert!((1..=90).all(|seq| replica.log().get(SeqNum(seq)).is_none()), "everything at or below h is gone");
    }
    let stable = stage.instants(|event| if let Event::Stable { seq, .. } = event { Some(seq.0) } else { None });
    let of_replica_2: Vec<_> = stable.into_iter().filter(|(_, node, _)| *node == 2).map(|(.., seq)| seq).collect();
    assert_eq!(of_replica_2, (1..=9).map(|k| 10 * k).collect::<Vec<_>>());
    assert_eq!(stage.count(MessageKind::Checkpoint), 9 * 4 * 3);
}

#[test]
fn rule_18_nothing_of_what_is_stable_stays_behind() {
    let weight = |requests| {
        let mut stage = Stage::new(4);
        stage.begin_client(requests, |_| {});
        stage.run();
        format!("{:?}", stage.replicas[2]).len()
    };
    let [few, many] = [25, 995].map(weight);
    assert!(many < few + few / 20, "as long as a description {few}, then {many}");
}

#[test]
fn rule_18_a_liar_makes_no_checkpoint_stable_nor_keeps_one_from_it() {
    let mut stage = Stage::with(4, |config| config.checkpoint_interval = NonZeroU64::MIN);
    stage.silence(0);
    let batch = stage.batch(1, 0);
    let proposal = stage.proposal(0, 0, 1, &batch);
    stage.inject_to_all(0, &proposal);
    for seq in [1, 2, 3] {
        let lie = stage.vote(VoteKind::Checkpoint, 0, 0, seq, Digest(7));
        stage.inject_to_all(0, &lie);
    }
    // Outside any view, at no checkpoint, in another's name.
    let wrong_view = stage.vote(VoteKind::Checkpoint, 0, 1, 1, Digest(7));
    let in_anothers_name = stage.vote(VoteKind::Checkpoint, 2, 0, 1, Digest(7));
    for lie in [wrong_view, in_anothers_name] {
        stage.inject_to_all(0, &lie);
    }
    let commit = stage.vote(VoteKind::Commit, 0, 0, 1, batch.digest());
    stage.inject_to_all(0, &commit);
    stage.run_until(ms(45));
    let mut stable = stage.instants(|event| if let Event::Stable { state, .. } = event { Some(*state) } else { None });
    stable.sort();
    assert_eq!(
        stable,
        [1, 2, 3].map(|node| (ms(40), node, stage.replicas[node].state_digest())),
        "three honest ones agree"
    );
}

#[test]
fn rule_19_the_client_table_is_part_of_the_state() {
    let state_after = |client| {
        let mut stage = Stage::new(4);
        stage.ask(client, 1);
        stage.run();
        stage.replicas[2].state_digest()
    };
    // The counter stands at 1 either way; whom it answered differs.
    assert_ne!(state_after(0), state_after(1));
    assert_eq!(state_after(0), state_after(0));
}

#[test]
fn rule_19_null_requests_advance_the_sequence_number() {
    let mut stage = Stage::new(4);
    stage.silence(0);
    // The first primary leaves number 1 out; number 2 is committed all the same, and waits.
    let batch = stage.batch(1, 0);
    let proposal = stage.proposal(0, 0, 2, &batch);
    stage.inject_to_all(0, &proposal);
    stage.run();
    let executed: Vec<_> =
        stage.executions().into_iter().filter(|(_, node, _)| *node == 2).map(|(.., slot)| slot).collect();
    assert_eq!(executed, [slot(1, 1, Digest::NULL), slot(0, 2, batch.digest())]);
    assert_eq!(stage.states(&[1, 2, 3]).len(), 1);
    let before = Stage::new(4).replicas[0].state_digest();
    let after_null =
        stage.instants(|event| if let Event::Executed { state, .. } = event { Some(*state) } else { None });
    assert_eq!(after_null[0].2, before, "and change nothing");
}

#[test]
fn rule_20_a_replica_that_lags_fetches_the_state_and_takes_part_again() {
    let mut stage = behind(25);
    stage.heal();
    stage.run();
    assert_eq!(transfers(&stage), [(3, 20)]);
    assert_eq!(stage.states(&[0, 1, 2, 3]).len(), 1, "the state at 20, and what is committed after it");
    let votes = stage.sent_by(3, MessageKind::Commit).len();
    stage.ask(1, 1);
    stage.run();
    assert_eq!(stage.sent_by(3, MessageKind::Commit).len(), votes + 3);
    assert_eq!(stage.states(&[0, 1, 2, 3]).len(), 1);
}

#[test]
fn rule_20_a_state_with_a_wrong_digest_is_asked_of_another() {
    let mut stage = behind(10);
    stage.silence(0);
    stage.heal();
    let asked =
        |stage: &Stage| stage.sent_by(3, MessageKind::Fetch).iter().map(|passage| passage.to.0).collect::<Vec<_>>();
    while asked(&stage).is_empty() {
        stage.run_for(DELAY);
    }
    assert_eq!(asked(&stage), [0, 1], "f + 1 signers, those after it");
    let proof = stage.certificate(VoteKind::Checkpoint, &[0, 1, 2], slot(0, 10, stage.replicas[1].state_digest()));
    let answer = |stage: &Stage, from: usize, content| {
        Message::State(Arc::new(stage.signers[from].sign(State { content, replica: NodeId::new(from) })))
    };
    let forged = |voters: &[usize], seq, state: &Snapshot| Content::Checkpoint {
        proof: stage.certificate(VoteKind::Checkpoint, voters, slot(0, seq, state.digest())),
        snapshot: Arc::new(state.clone()),
    };
    let beginning = Snapshot::new(&stage.config);
    let elsewhere = Snapshot::new(&Stage::with(4, |config| config.clients = 1).config);
    let lies = [
        ("another state", Content::Checkpoint { proof, snapshot: Arc::new(beginning.clone()) }),
        ("a proof of too few", forged(&[0, 1], 10, &beginning)),
        ("an older state", forged(&[0, 1, 2], 0, &beginning)),
        ("no checkpoint", forged(&[0, 1, 2], 15, &beginning)),
        ("a state of another cluster", forged(&[0, 1, 2], 10, &elsewhere)),
    ];
    let alike = stage.replicas[3].clone();
    for (lie, content) in lies {
        stage.replicas[3] = alike.clone();
        let from_another = answer(&stage, 2, content.clone());
        assert!(kinds(&stage.deliver(2, 3, from_another)).is_empty(), "{lie}: it was not asked");
        let message = answer(&stage, 0, content);
        let effects = stage.deliver(0, 3, message);
        assert_eq!(kinds(&effects), [MessageKind::Fetch], "{lie}");
        assert_eq!(stage.replicas[3].last_executed(), SeqNum(0), "{lie}");
    }
    assert_eq!(asked(&stage)[2..], [2; 5], "the next signer");
    stage.run();
    assert_eq!(stage.states(&[1, 2, 3]).len(), 1);
    let unasked = answer(
        &stage,
        0,
        Content::Checkpoint {
            proof: stage.certificate(VoteKind::Checkpoint, &[0, 1, 2], slot(0, 20, beginning.digest())),
            snapshot: Arc::new(beginning),
        },
    );
    assert!(stage.deliver(0, 3, unasked).is_empty(), "nobody fetches now");
}

#[test]
fn rule_20_checkpoints_far_beyond_the_window_are_noticed() {
    let mut stage = behind(25);
    // From now on it hears CHECKPOINT alone, and says nothing.
    let others = touches(3);
    stage.lose(move |passage| others(passage) && !(passage.is(MessageKind::Checkpoint) && passage.to == NodeId(3)));
    stage.begin_client(15, |_| {});
    stage.run_for(Span::from_millis(5 * 15 * 10 + 20));
    assert_eq!(stage.replicas[0].log().low(), SeqNum(40));
    let replica = &stage.replicas[3];
    assert_eq!((replica.last_executed(), replica.log().low()), (SeqNum(0), SeqNum(40)), "a quorum vouches for 40");
    assert_eq!(transfers(&stage), []);
    stage.heal();
    stage.run();
    assert_eq!(transfers(&stage), [(3, 40)]);
    assert_eq!(stage.states(&[0, 1, 2, 3]).len(), 1);
}

#[test]
fn rule_20_a_replica_that_missed_the_new_view_comes_back_once_it_has_caught_up() {
    let mut stage = Stage::with(4, |config| config.status_interval = Span::from_millis(100));
    stage.begin_client(3, |_| {});
    stage.run();
    stage.silence(0);
    stage.ask(1, 1);
    // Replica 3 wants view 1 too, and never hears that it begins.
    stage.run_for(DELAY);
    stage.lose(|passage| passage.to == NodeId(3));
    stage.run_for(Span::from_millis(550));
    stage.restart(0, true);
    for timestamp in 2..=12 {
        stage.ask(1, timestamp);
        stage.run_for(Span::from_millis(60));
    }
    assert!(stage.replicas[..3].iter().all(|replica| replica.view() == View(1) && replica.is_active()));
    assert!(stage.replicas[1].log().low() >= SeqNum(10));
    assert!(!stage.replicas[3].is_active(), "stuck in the view change, and behind");
    stage.heal();
    stage.run_for(Span::from_millis(300));
    assert!(stage.replicas[3].is_active() && stage.replicas[3].view() == View(1));
    assert_eq!(stage.states(&[0, 1, 2, 3]).len(), 1);
}

#[test]
fn rule_20_a_status_that_proves_nothing_moves_nobody() {
    let mut stage = Stage::new(4);
    let status = |stage: &Stage, from: usize, voters: &[usize], seq| {
        let proof = stage.certificate(VoteKind::Checkpoint, voters, slot(0, seq, Digest(7)));
        let (view, active, replica) = (View(0), true, NodeId::new(from));
        let status = Status {
            view,
            active,
            stable: Some(proof),
            executed: SeqNum(seq),
            pre_prepared: 0,
            answers: true,
            replica,
        };
        Message::Status(Arc::new(stage.signers[from].sign(status)))
    };
    for (from, voters, seq) in [(0, &[0, 1][..], 10), (0, &[0, 1, 2][..], 7), (1, &[0, 1, 2][..], 10)] {
        let message = status(&stage, from, voters, seq);
        let effects = stage.deliver(0, 3, message);
        assert!(effects.sends.is_empty() && effects.events.is_empty(), "{voters:?} at {seq} by {from}");
    }
    // It waits for a request, and asks.
    stage.silence(0);
    stage.ask_one(0, 1, 3);
    stage.run_for(Span::from_millis(2000));
    let message = status(&stage, 0, &[0, 1, 2], 10);
    assert_eq!(kinds(&stage.deliver(0, 3, message)), [MessageKind::Fetch], "a proven one is worth asking for");
    assert_eq!(stage.replicas[3].log().low(), SeqNum(10));
}

#[test]
fn rule_20_what_a_quorum_has_committed_is_taken_over_with_its_proof_alone() {
    let mut stage = Stage::new(4);
    let batch = stage.batch(1, 0);
    let foreign = Arc::new(Batch::new(vec![Arc::new(stage.signers[0].sign((**stage.request(0, 1)).clone()))], 0));
    let content = |stage: &Stage, kind, voters: &[usize], seq, batch: &Arc<Batch>, digest| {
        let proof = stage.certificate(kind, voters, slot(0, seq, digest));
        let content = Content::Committed { proof, batch: Arc::clone(batch) };
        Message::State(Arc::new(stage.signers[0].sign(State { content, replica: NodeId(0) })))
    };
    let all = &[0, 1, 2][..];
    let lies = [
        content(&stage, VoteKind::Commit, &[0, 1], 1, &batch, batch.digest()),
        content(&stage, VoteKind::Commit, &[0, 1, 4], 1, &batch, batch.digest()),
        content(&stage, VoteKind::Prepare, all, 1, &batch, batch.digest()),
        content(&stage, VoteKind::Commit, all, 1, &batch, Digest(7)),
        content(&stage, VoteKind::Commit, all, 21, &batch, batch.digest()),
        content(&stage, VoteKind::Commit, all, 0, &batch, batch.digest()),
        content(&stage, VoteKind::Commit, all, 1, &foreign, foreign.digest()),
    ];
    for lie in lies {
        assert!(stage.deliver(0, 3, lie.clone()).events.is_empty(), "{lie:?}");
    }
    assert_eq!(stage.executions(), []);
    let truth = content(&stage, VoteKind::Commit, all, 1, &batch, batch.digest());
    stage.deliver(0, 3, truth.clone());
    assert_eq!(stage.executions(), [(ms(0), 3, slot(0, 1, batch.digest()))]);
    assert!(stage.deliver(0, 3, truth).events.is_empty(), "once");
    assert_eq!(stage.due(3, Timer::View), None);
}

#[test]
fn rule_20_a_later_state_than_the_one_asked_for_will_do() {
    let mut stage = behind(10);
    stage.heal();
    while stage.sent_by(3, MessageKind::Fetch).is_empty() {
        stage.run_for(DELAY);
    }
    // Before an answer comes the others are ten numbers further, and the one at 10 is gone.
    stage.lose(|passage| passage.to == NodeId(3));
    stage.begin_client(10, |_| {});
    stage.run_for(Span::from_millis(520));
    assert_eq!((stage.replicas[1].log().low(), stage.replicas[3].log().low()), (SeqNum(20), SeqNum(10)));
    stage.lose(|passage| passage.is(MessageKind::Status) || passage.is(MessageKind::Checkpoint));
    stage.run();
    assert_eq!(transfers(&stage), [(3, 20)]);
    assert_eq!(stage.states(&[0, 1, 2, 3]).len(), 1);
}

#[test]
fn rule_20_a_checkpoint_is_asked_for_until_somebody_answers() {
    let mut stage = behind(10);
    stage.lose(|passage| passage.is(MessageKind::Fetch) && passage.at < ms(1500));
    stage.run();
    let asked: Vec<_> = stage.sent_by(3, MessageKind::Fetch).iter().map(|passage| passage.to.0).collect();
    assert!(asked.len() >= 6 && asked[..6] == [0, 1, 2, 0, 1, 2], "in turn: {asked:?}");
    assert_eq!(stage.states(&[0, 1, 2, 3]).len(), 1);
}
