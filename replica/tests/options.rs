//! The options: tentative execution and reads without ordering (rules 28 and 29 of docs/protocol.md).

mod stage;

use byzlab_network::{NodeId, Span};
use byzlab_replica::{
    Batch, Content, Effects, Event, Message, MessageKind, SeqNum, State, Timer, View, VoteKind, Workload,
};
use stage::{Stage, kinds, ms, slot};
use std::num::NonZeroU64;
use std::sync::Arc;

/// Four replicas that execute tentatively.
fn hasty() -> Stage {
    Stage::with(4, |config| {
        config.tentative = true;
        config.status_interval = Span::from_millis(100);
    })
}

fn quorum(workload: &mut Workload) {
    workload.reply_quorum = 3;
}

/// The rollbacks at a replica: which numbers, and how often.
fn rollbacks(stage: &Stage, replica: usize) -> Vec<u64> {
    let undone = stage.instants(|event| if let Event::Rollback(slot) = event { Some(slot.seq.0) } else { None });
    undone.into_iter().filter(|(_, node, _)| *node == replica).map(|(.., seq)| seq).collect()
}

#[test]
fn rule_28_what_is_prepared_is_executed_a_delay_earlier() {
    let mut stage = hasty();
    stage.begin_client(1, quorum);
    stage.run();
    assert_eq!(stage.accepted(), [ms(40)], "request, pre-prepare, prepare, reply");
    let executed: Vec<_> = stage.executions().into_iter().map(|(at, ..)| at).collect();
    assert_eq!(executed, [ms(30); 4]);
    assert_eq!(stage.commits().iter().map(|&(at, ..)| at).collect::<Vec<_>>(), [ms(40); 4]);
    assert_eq!(stage.count(MessageKind::Reply), 4, "one reply each");
}

#[test]
fn rule_28_only_one_batch_is_ahead_of_what_is_committed() {
    let mut stage = hasty();
    stage.lose(|passage| passage.is(MessageKind::Commit));
    stage.ask(0, 1);
    stage.ask(1, 1);
    stage.run_until(ms(60));
    assert!(
        stage.replicas.iter().all(|replica| replica.last_executed() == SeqNum(1)),
        "2 is prepared, 1 not committed"
    );
    stage.heal();
    stage.run();
    assert!(stage.replicas.iter().all(|replica| replica.last_executed() == SeqNum(2)));
    assert_eq!(stage.states(&[0, 1, 2, 3]).len(), 1);
}

/// Replica 3 alone is prepared and executes, then a view begins without its word.
#[test]
fn rule_28_a_view_change_takes_back_what_was_not_committed() {
    let mut stage = hasty();
    let scene = hasty();
    let [first, second] = [0, 1].map(|client| scene.request(client, 1));
    stage.lose(|passage| {
        let votes = passage.is(MessageKind::Prepare) && passage.to != NodeId(3) || passage.is(MessageKind::Commit);
        let word = passage.from == NodeId(3) && passage.is(MessageKind::ViewChange);
        (votes || word || passage.is(MessageKind::Status)) && passage.at < ms(700)
    });
    // The next primary hears of the requests in another order.
    stage.inject(5, 1, Message::Request(Arc::clone(&second)));
    stage.ask(0, 1);
    stage.run_for(Span::from_millis(1));
    stage.ask(1, 1);
    stage.run();
    let order = |request| Batch::new(vec![request], 0).digest();
    let at_1: Vec<_> =
        stage.executions().into_iter().filter(|(_, node, slot)| *node == 3 && slot.seq == SeqNum(1)).collect();
    let digests: Vec<_> = at_1.iter().map(|(.., slot)| (slot.view, slot.digest)).collect();
    assert_eq!(digests, [(View(0), order(first)), (View(1), order(second))], "undone, and executed as view 1 has it");
    assert_eq!(rollbacks(&stage, 3), [1]);
    assert_eq!(stage.states(&[0, 1, 2, 3]).len(), 1);
    assert!(stage.replicas.iter().all(|replica| replica.last_executed() == SeqNum(2)));
}

#[test]
fn rule_28_what_was_prepared_at_enough_replicas_is_executed_again_in_the_new_view() {
    let mut stage = hasty();
    stage.lose(|passage| passage.is(MessageKind::Commit) && passage.message.view() == Some(View(0)));
    stage.begin_client(1, quorum);
    stage.run_until(ms(600));
    assert_eq!(stage.accepted(), [ms(40)], "a quorum of tentative replies binds");
    stage.run();
    let executed: Vec<_> =
        stage.executions().into_iter().filter(|(_, node, _)| *node == 2).map(|(.., slot)| slot).collect();
    assert_eq!(executed.iter().map(|slot| (slot.view.0, slot.seq.0)).collect::<Vec<_>>(), [(0, 1), (1, 1)]);
    assert_eq!(executed[0].digest, executed[1].digest);
    assert_eq!(rollbacks(&stage, 2), [1]);
    assert_eq!(stage.states(&[0, 1, 2, 3]).len(), 1);
}

/// A message that says that a quorum has committed a batch of the first client's request.
fn proof(stage: &Stage, view: u32, seq: u64, batch: &Arc<Batch>) -> Message {
    let proof = stage.certificate(VoteKind::Commit, &[0, 1, 2], slot(view, seq, batch.digest()));
    let content = Content::Committed { proof, batch: Arc::clone(batch) };
    Message::State(Arc::new(stage.signers[0].sign(State { content, replica: NodeId(0) })))
}

/// Replica 3 has executed this batch tentatively.
fn tentatively(stage: &mut Stage, seq: u64, batch: &Arc<Batch>) -> Effects {
    let proposal = stage.proposal(0, 0, seq, batch);
    let vote = stage.vote(VoteKind::Prepare, 1, 0, seq, batch.digest());
    stage.deliver(0, 3, proposal);
    stage.deliver(1, 3, vote)
}

#[test]
fn rule_28_a_proof_of_what_was_executed_tentatively_makes_it_final() {
    let mut stage = hasty();
    let batch = stage.batch(1, 0);
    let effects = tentatively(&mut stage, 1, &batch);
    assert_eq!(kinds(&effects), [MessageKind::Commit, MessageKind::Reply]);
    let message = proof(&stage, 0, 1, &batch);
    let effects = stage.deliver(0, 3, message);
    assert_eq!(effects.events, [Event::Committed(slot(0, 1, batch.digest()))], "and it is not executed again");
    assert_eq!(stage.due(3, Timer::View), None);
}

#[test]
fn rule_28_a_proof_of_something_else_takes_it_back() {
    let mut stage = hasty();
    let [here, there] = [0, 9].map(|nonce| stage.batch(1, nonce));
    tentatively(&mut stage, 1, &here);
    let message = proof(&stage, 5, 1, &there);
    let events = stage.deliver(0, 3, message).events;
    assert_eq!(events[..2], [Event::Committed(slot(5, 1, there.digest())), Event::Rollback(slot(0, 1, here.digest()))]);
    assert!(matches!(events[2..], [Event::Executed { .. }, Event::Replied { .. }]), "{events:?}");
    assert_eq!(stage.replicas[3].last_executed(), SeqNum(1));
}

#[test]
fn rule_28_a_checkpoint_of_what_is_not_final_here_is_fetched() {
    let mut stage = Stage::with(4, |config| {
        config.tentative = true;
        config.checkpoint_interval = NonZeroU64::MIN;
        config.status_interval = Span::from_millis(100);
    });
    stage.lose(|passage| passage.is(MessageKind::Commit) && passage.to == NodeId(3));
    stage.begin_client(1, quorum);
    stage.run_until(ms(90));
    assert!(stage.replicas[..3].iter().all(|replica| replica.log().low() == SeqNum(1)), "the others forget the batch");
    assert_eq!((stage.replicas[3].last_executed(), stage.replicas[3].log().low()), (SeqNum(1), SeqNum(0)));
    stage.run_until(ms(400));
    assert_eq!(stage.replicas[3].log().low(), SeqNum(1));
    assert_eq!(rollbacks(&stage, 3), [1], "the state comes in place of what was executed");
    assert_eq!(stage.states(&[0, 1, 2, 3]).len(), 1);
    assert_eq!(stage.timeouts(), []);
}

#[test]
fn rule_28_nothing_is_executed_tentatively_in_a_view_change() {
    let mut stage = hasty();
    let [first, second] = [1, 2].map(|timestamp| stage.batch(timestamp, 0));
    assert_eq!(kinds(&tentatively(&mut stage, 2, &second)), [MessageKind::Commit], "1 is missing");
    for from in [1, 2] {
        let change = Message::ViewChange(stage.empty_change(from, 1));
        stage.deliver(from, 3, change);
    }
    let message = proof(&stage, 0, 1, &first);
    stage.deliver(0, 3, message);
    assert_eq!(stage.replicas[3].last_executed(), SeqNum(1), "what is committed is final; what is prepared may change");
}
