//! One liar of four, and what it could once do: each of these executions broke something before it was forbidden.

mod stage;

use byzlab_network::{NodeId, Span};
use byzlab_replica::{
    Authenticator, Digest, Event, Message, MessageKind, NewView, Reply, Request, SeqNum, Status, View, ViewChange,
    VoteKind,
};
use stage::{Stage, kinds, ms, slot};
use std::num::NonZeroU64;
use std::sync::Arc;

/// The last message of a kind between two nodes; and of a view.
fn last(stage: &Stage, from: usize, to: usize, pick: impl Fn(&Message) -> bool) -> Message {
    let between = |passage: &&stage::Passage| passage.from == NodeId::new(from) && passage.to == NodeId::new(to);
    let mut passages = stage.sent.iter().rev().filter(between);
    passages
        .find(|passage| pick(&passage.message))
        .unwrap_or_else(|| panic!("no message {from} to {to}"))
        .message
        .clone()
}

fn of(kind: MessageKind) -> impl Fn(&Message) -> bool {
    move |message| message.kind() == kind
}

fn in_view(kind: MessageKind, view: u32) -> impl Fn(&Message) -> bool {
    move |message| message.kind() == kind && message.view() == Some(View(view))
}

fn change_of(stage: &Stage, from: usize, to: usize, view: u32) -> Message {
    last(stage, from, to, in_view(MessageKind::ViewChange, view))
}

/// A VIEW-CHANGE says what is prepared; whoever prepared more afterwards, because a missing batch came late, would let the old view
/// commit what the new one knows nothing of.
#[test]
fn rule_21_a_batch_that_comes_in_a_view_change_is_not_voted_for() {
    let mut stage = Stage::new(4);
    stage.lose(|_| true);
    let batch = stage.batch(1, 7);
    let proposal = stage.proposal(0, 0, 1, &batch);
    stage.deliver(0, 1, proposal.clone());
    stage.deliver(0, 2, proposal);
    let prepare = last(&stage, 2, 1, of(MessageKind::Prepare));
    stage.deliver(2, 1, prepare);
    stage.run_for(Span::from_millis(500));
    // Replica 1, which alone has prepared, begins view 1 with the liar and with 3, which lacks the batch.
    let lie = Message::ViewChange(stage.empty_change(0, 1));
    stage.deliver(0, 3, lie.clone());
    let message = change_of(&stage, 2, 3, 1);
    stage.deliver(2, 3, message);
    let message = change_of(&stage, 3, 1, 1);
    stage.deliver(0, 1, lie.clone());
    stage.deliver(3, 1, message.clone());
    let new_view = last(&stage, 1, 3, of(MessageKind::NewView));
    assert!(kinds(&stage.deliver(1, 3, new_view)).contains(&MessageKind::Fetch));
    let prepare = stage.vote(VoteKind::Prepare, 0, 1, 1, batch.digest());
    stage.deliver(0, 3, prepare);
    // Replica 2 never heard of view 1, and 3 follows it and the liar into view 2.
    stage.deliver(0, 2, lie);
    stage.deliver(3, 2, message);
    stage.run_for(Span::from_millis(500));
    let lie = Message::ViewChange(stage.empty_change(0, 2));
    stage.deliver(0, 3, lie);
    let message = change_of(&stage, 2, 3, 2);
    stage.deliver(2, 3, message);
    assert!(!stage.replicas[3].is_active() && stage.replicas[3].view() == View(2));
    let fetch = last(&stage, 3, 1, of(MessageKind::Fetch));
    stage.deliver(3, 1, fetch);
    let contents = last(&stage, 1, 3, of(MessageKind::State));
    let effects = stage.deliver(1, 3, contents);
    assert!(effects.sends.is_empty() && effects.events.is_empty(), "{effects:?}");
}

/// Two views order two requests at one number, tentatively, and a stale result of the one would make up the quorum of the other.
#[test]
fn rule_28_tentative_results_of_different_views_do_not_count_together() {
    let mut stage = Stage::with(4, |config| config.tentative = true);
    stage.lose(|_| true);
    stage.begin_client(1, |workload| workload.reply_quorum = 3);
    let request = last(&stage, 4, 0, of(MessageKind::Request));
    for to in [0, 2, 3] {
        stage.deliver(4, to, request.clone());
    }
    let proposal = last(&stage, 0, 2, of(MessageKind::PrePrepare));
    let digest = proposal.digest();
    stage.deliver(0, 2, proposal);
    let prepare = last(&stage, 2, 0, of(MessageKind::Prepare));
    stage.deliver(2, 0, prepare);
    let prepare = stage.vote(VoteKind::Prepare, 1, 0, 1, digest);
    stage.deliver(1, 0, prepare);
    let first = last(&stage, 0, 4, of(MessageKind::Reply));
    stage.deliver(0, 4, first);
    // View 1 is the liar's, and goes by without the request.
    stage.run_for(Span::from_millis(500));
    let changes = [2, 3].map(|from| match change_of(&stage, from, 1, 1) {
        Message::ViewChange(change) => change,
        other => panic!("{other:?}"),
    });
    let [two, three]: [Arc<byzlab_replica::Signed<ViewChange>>; 2] = changes;
    let changes = vec![stage.empty_change(1, 1), two, three];
    let new_view = Message::NewView(Arc::new(NewView::new(&stage.signers[1], View(1), changes)));
    stage.deliver(1, 2, new_view.clone());
    stage.deliver(1, 3, new_view);
    stage.run_for(Span::from_millis(500));
    // View 2 of 0, 1 and 2 takes it up again, and replica 2 alone prepares it.
    let lie = Message::ViewChange(stage.empty_change(1, 2));
    stage.deliver(1, 0, lie.clone());
    let message = change_of(&stage, 2, 0, 2);
    stage.deliver(2, 0, message);
    stage.deliver(1, 2, lie);
    let message = change_of(&stage, 0, 2, 2);
    stage.deliver(0, 2, message);
    let new_view = last(&stage, 2, 0, in_view(MessageKind::NewView, 2));
    stage.deliver(2, 0, new_view);
    let prepare = last(&stage, 0, 2, in_view(MessageKind::Prepare, 2));
    stage.deliver(0, 2, prepare);
    let prepare = stage.vote(VoteKind::Prepare, 1, 2, 1, digest);
    stage.deliver(1, 2, prepare);
    let second = last(&stage, 2, 4, of(MessageKind::Reply));
    stage.deliver(2, 4, second.clone());
    let Message::Reply(reply) = &second else { panic!("{second:?}") };
    let echo = stage.signers[1].sign(Reply { replica: NodeId(1), ..Reply::clone(reply) });
    stage.deliver(1, 4, Message::Reply(Arc::new(echo)));
    assert_eq!(stage.accepted(), [], "two of view 2 and one of view 0");
    let Message::Reply(reply) = last(&stage, 0, 4, of(MessageKind::Reply)) else { panic!() };
    assert_eq!(reply.view, View(0));
}

/// Else they would depose a primary that never heard of it.
#[test]
fn rule_12_a_request_that_a_replica_passed_on_reaches_the_primary() {
    let mut stage = Stage::new(4);
    let request = Message::Request(stage.request(0, 1));
    stage.silence(3);
    for to in [1, 2] {
        stage.inject(3, to, request.clone());
    }
    stage.run();
    assert_eq!((stage.timeouts(), stage.executions().len()), (vec![], 3));
    // It does not go round: two that the liar sent, and one from each backup.
    assert_eq!(stage.count(MessageKind::Request), 4);
}

#[test]
fn rule_17_lost_checkpoints_come_again_before_the_window_is_full_for_good() {
    for view_change in [true, false] {
        let mut stage = Stage::with(4, |config| {
            config.view_change = view_change;
            config.status_interval = Span::from_millis(200);
        });
        stage.lose(|passage| passage.is(MessageKind::Checkpoint) && passage.at < ms(1500));
        stage.begin_client(30, |_| {});
        stage.run();
        assert_eq!(stage.accepted().len(), 30, "view changes: {view_change}");
        assert!(stage.replicas.iter().all(|replica| replica.log().low() == SeqNum(30)));
    }
}

#[test]
fn rule_20_an_answer_that_nobody_asked_for_moves_no_window() {
    let mut stage = Stage::with(4, |config| config.checkpoint_interval = NonZeroU64::new(2).unwrap());
    // The liar keeps its CHECKPOINTs to itself, and 3 waits for COMMITs.
    stage.lose(|passage| {
        passage.from == NodeId(1) && passage.is(MessageKind::Checkpoint)
            || passage.to == NodeId(3) && passage.is(MessageKind::Commit)
    });
    stage.ask(0, 1);
    stage.ask(1, 1);
    stage.run_for(Span::from_millis(60));
    let reached = stage.replicas[0].state_digest();
    let status = Status {
        view: View(0),
        active: true,
        stable: Some(stage.certificate(VoteKind::Checkpoint, &[0, 1, 2], slot(0, 2, reached))),
        executed: SeqNum(2),
        pre_prepared: 0,
        answers: true,
        replica: NodeId(1),
    };
    let message = Message::Status(Arc::new(stage.signers[1].sign(status)));
    stage.deliver(1, 3, message);
    assert_eq!(stage.replicas[3].log().low(), SeqNum(0));
    let late = stage.sent.iter().filter(|passage| passage.to == NodeId(3) && passage.is(MessageKind::Commit));
    let late: Vec<_> = late.map(|passage| (passage.from, passage.message.clone())).collect();
    let mut seen = Vec::new();
    for (from, message) in late {
        seen.extend(stage.deliver(from.index(), 3, message).events);
    }
    assert_eq!(stage.replicas[3].last_executed(), SeqNum(2), "the COMMITs were not in vain");
    // And the checkpoint that it was told of is stable at once.
    assert!(seen.contains(&Event::Stable { seq: SeqNum(2), state: reached }), "{seen:?}");
}

/// 0, then 1, then 0 again: a value does not tell which state it was read from.
#[test]
fn rule_29_a_value_read_from_different_states_does_not_count_together() {
    let mut stage = Stage::with(4, |config| config.read_only = true);
    stage.silence(3);
    stage.lose(|passage| {
        matches!(passage.message, Message::Request(_))
            || passage.is(MessageKind::Reply)
            || passage.is(MessageKind::Commit) && passage.to == NodeId(2)
    });
    for (timestamp, operation) in [(1, 1), (2, u64::MAX)] {
        let signer = stage.signers[5].clone();
        let request = Request {
            client: NodeId(5),
            timestamp,
            operation,
            reads: false,
            authenticator: Authenticator::All,
            payload: 0,
        };
        stage.deliver(5, 0, Message::Request(Arc::new(signer.sign(request))));
        stage.run_for(Span::from_millis(50));
    }
    let executed: Vec<u64> = stage.replicas[..3].iter().map(|replica| replica.last_executed().0).collect();
    assert_eq!(executed, [2, 2, 0], "the counter is at 0 everywhere, but not in the same state");
    stage.begin_client(1, |workload| {
        workload.reply_quorum = 3;
        workload.reads_per_million = 1_000_000;
    });
    let read = last(&stage, 4, 0, |message| matches!(message, Message::Read(_)));
    let mut answer = None;
    for to in [0, 2] {
        stage.deliver(4, to, read.clone());
        let Message::Reply(reply) = last(&stage, to, 4, of(MessageKind::Reply)) else { panic!() };
        assert_eq!(reply.result, 0);
        stage.deliver(to, 4, Message::Reply(Arc::clone(&reply)));
        answer = Some(reply);
    }
    let echo = stage.signers[3].sign(Reply { replica: NodeId(3), ..Reply::clone(&answer.unwrap()) });
    stage.deliver(3, 4, Message::Reply(Arc::new(echo)));
    assert_eq!(stage.accepted(), []);
}

/// One vote for a number far ahead would keep all of them asking what they lack.
#[test]
fn rule_17_a_liar_s_vote_keeps_nobody_awake() {
    let mut stage = Stage::new(4);
    let vote = stage.vote(VoteKind::Commit, 3, 0, 40, Digest(7));
    stage.inject_to_all(3, &vote);
    stage.begin_client(1, |_| {});
    stage.run();
    assert_eq!((stage.count(MessageKind::Status), stage.accepted().len()), (0, 1));
}
