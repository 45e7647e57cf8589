//! Reads that are not ordered: rule 29 of docs/protocol.md.

mod stage;

use byzlab_network::{NodeId, Span};
use byzlab_replica::{Authenticator, Digest, Effects, Event, Message, MessageKind, Request, VoteKind, Workload};
use stage::{Stage, kinds, ms};
use std::sync::Arc;

/// Four replicas that answer reads.
fn readable(tentative: bool) -> Stage {
    Stage::with(4, |config| {
        config.read_only = true;
        config.tentative = tentative;
        config.status_interval = Span::from_millis(100);
    })
}

/// All that a client does is read, and it takes a quorum's word for it.
fn reader(workload: &mut Workload) {
    workload.reads_per_million = 1_000_000;
    workload.reply_quorum = 3;
}

fn writer(workload: &mut Workload) {
    workload.reply_quorum = 3;
}

/// A read of the second client.
fn read(stage: &Stage, timestamp: u64) -> Message {
    let signer = &stage.signers[5];
    let request = Request {
        client: signer.node(),
        timestamp,
        operation: 0,
        reads: true,
        authenticator: Authenticator::All,
        payload: 0,
    };
    Message::Read(Arc::new(signer.sign(request)))
}

/// The results that a step replies.
fn results(effects: &Effects) -> Vec<Digest> {
    let replied = |event: &Event| if let Event::Replied { result, .. } = event { Some(*result) } else { None };
    effects.events.iter().filter_map(replied).collect()
}

#[test]
fn rule_29_a_read_takes_one_round_trip_and_no_number() {
    let mut stage = readable(false);
    stage.begin_client(3, reader);
    stage.run();
    assert_eq!(stage.accepted(), [ms(20), ms(40), ms(60)]);
    assert_eq!((stage.count(MessageKind::PrePrepare), stage.count(MessageKind::Reply)), (0, 12));
}

#[test]
fn rule_29_a_read_sees_what_was_written_before() {
    let mut stage = readable(false);
    stage.begin_client(2, writer);
    stage.run();
    let written = stage.replicas[0].state_digest();
    let result =
        stage.instants(|event| if let Event::Reply { result, .. } = event { Some(*result) } else { None })[1].2;
    let answer = read(&stage, 1);
    assert_eq!(results(&stage.deliver(5, 2, answer)), [result], "the counter stands where the last write left it");
    assert_eq!(stage.replicas[2].state_digest(), written, "and a read changes nothing, the client table included");
}

#[test]
fn rule_29_without_enough_answers_that_match_the_read_is_ordered() {
    let mut stage = readable(false);
    let mut lost = 0;
    stage.lose(move |passage| {
        lost += usize::from(passage.is(MessageKind::Reply));
        passage.is(MessageKind::Reply) && lost <= 2
    });
    stage.begin_client(1, reader);
    stage.run();
    assert_eq!(stage.accepted(), [ms(1050)], "after the client's timeout, as any other request");
    assert_eq!(stage.count(MessageKind::PrePrepare), 3);
}

#[test]
fn rule_29_a_tentative_state_is_not_read_before_it_is_committed() {
    let mut stage = readable(true);
    let batch = stage.batch(1, 0);
    let proposal = stage.proposal(0, 0, 1, &batch);
    let prepare = stage.vote(VoteKind::Prepare, 1, 0, 1, batch.digest());
    stage.deliver(0, 2, proposal);
    let written = stage.deliver(1, 2, prepare);
    assert_eq!(kinds(&written), [MessageKind::Commit, MessageKind::Reply], "executed tentatively");
    let question = read(&stage, 1);
    assert!(kinds(&stage.deliver(5, 2, question)).is_empty(), "the answer waits");
    let commit = |stage: &Stage, from| stage.vote(VoteKind::Commit, from, 0, 1, batch.digest());
    let message = commit(&stage, 0);
    assert!(kinds(&stage.deliver(0, 2, message)).is_empty());
    let message = commit(&stage, 1);
    let committed = stage.deliver(1, 2, message);
    assert_eq!(kinds(&committed), [MessageKind::Reply]);
    assert_eq!(results(&committed), results(&written), "what the write left");
    assert_eq!((written.executed, committed.executed), (1, 1), "the service ran for the write, then for the read");
}

#[test]
fn rule_29_a_state_older_than_a_tentative_reply_is_not_read() {
    let mut stage = readable(true);
    stage.lose(|passage| passage.is(MessageKind::Commit) && passage.message.view() == Some(byzlab_replica::View(0)));
    stage.begin_client(1, writer);
    stage.run_until(ms(60));
    assert_eq!(stage.accepted(), [ms(40)], "the client has its result, and nobody has committed");
    // A view change takes back what the client was told, until the new view executes it again.
    for from in [0, 3] {
        let change = Message::ViewChange(stage.empty_change(from, 1));
        stage.deliver(from, 2, change);
    }
    let question = read(&stage, 1);
    assert!(kinds(&stage.deliver(5, 2, question)).is_empty(), "the state before it is committed, and too old");
    stage.run();
    let answers: Vec<_> =
        stage.sent_by(2, MessageKind::Reply).into_iter().filter(|reply| reply.to == NodeId(5)).collect();
    assert_eq!(answers.len(), 1, "once the new view has executed it");
}

#[test]
fn rule_29_only_a_client_s_own_new_reads_are_answered() {
    let mut stage = readable(false);
    let question = read(&stage, 1);
    assert!(kinds(&stage.deliver(4, 2, question.clone())).is_empty(), "passed on by another client");
    assert!(kinds(&stage.deliver(1, 2, question.clone())).is_empty(), "or by a replica");
    let Message::Request(write) = Message::Request(stage.request(1, 1)) else { unreachable!() };
    assert!(kinds(&stage.deliver(5, 2, Message::Read(write))).is_empty(), "a write is not to be answered at once");
    let signer = stage.signers[0].clone();
    let request = Request {
        client: signer.node(),
        timestamp: 1,
        operation: 0,
        reads: true,
        authenticator: Authenticator::All,
        payload: 0,
    };
    let of_replica = Message::Read(Arc::new(signer.sign(request)));
    assert!(kinds(&stage.deliver(0, 2, of_replica)).is_empty(), "a replica is no client");
    assert_eq!(kinds(&stage.deliver(5, 2, question.clone())), [MessageKind::Reply]);
    stage.ask(1, 2);
    stage.run();
    assert!(kinds(&stage.deliver(5, 2, question)).is_empty(), "older than what was executed for it");

    let mut stage = Stage::new(4);
    let question = read(&stage, 1);
    assert!(kinds(&stage.deliver(5, 2, question)).is_empty(), "the option is off");
}
