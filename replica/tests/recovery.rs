//! Lost messages and lost memories: rules 17 and 30 of docs/protocol.md, and the replica in the dark of rule 29.

mod stage;

use byzlab_network::{Arrival, NodeId, Outbox, Process, Span};
use byzlab_replica::{
    Event, Fetch, Input, Message, MessageKind, Outage, Replica, SeqNum, Shell, Signer, Timer, View, VoteKind, Wanted,
};
use stage::{DELAY, Passage, Stage, kinds, ms};
use std::sync::Arc;

/// Four replicas that speak of what they lack each 100 ms.
fn attentive() -> Stage {
    Stage::with(4, |config| config.status_interval = Span::from_millis(100))
}

#[test]
fn rule_17_each_kind_of_message_can_get_lost_once() {
    use MessageKind::{Checkpoint, Commit, NewView, PrePrepare, Prepare, ViewChange};
    for kind in [PrePrepare, Prepare, Commit, Checkpoint, ViewChange, NewView] {
        let mut stage = attentive();
        let lost = move |passage: &Passage| passage.is(kind) && passage.at < ms(1200);
        stage.lose(lost);
        stage.begin_client(10, |_| {});
        stage.run_until(ms(600));
        if matches!(kind, ViewChange | NewView) {
            stage.silence(0);
            stage.ask(1, 1);
        }
        stage.run();
        stage.restart(0, true);
        stage.run();
        assert_eq!(stage.accepted().len(), 10, "{kind}");
        assert_eq!(stage.states(&[0, 1, 2, 3]).len(), 1, "{kind}");
        let stable = stage.replicas.iter().all(|replica| replica.log().low() == SeqNum(10));
        assert!(stable || kind == Checkpoint, "{kind}");
    }
}

#[test]
fn rule_17_lost_checkpoints_come_again_when_somebody_waits_for_them() {
    let mut stage = Stage::with(4, |config| {
        config.status_interval = Span::from_millis(100);
        config.log_window = config.checkpoint_interval;
    });
    stage.lose(|passage| passage.is(MessageKind::Checkpoint) && passage.at < ms(1200));
    stage.begin_client(15, |workload| workload.client_timeout = Span::from_millis(100));
    stage.run_until(ms(1100));
    assert_eq!(stage.accepted().len(), 10, "no number is free");
    stage.run();
    assert_eq!(stage.accepted().len(), 15);
    assert_eq!(stage.states(&[0, 1, 2, 3]).len(), 1);
}

#[test]
fn rule_17_commits_that_a_tentative_replica_lost_come_again() {
    let mut stage = Stage::with(4, |config| {
        config.status_interval = Span::from_millis(100);
        config.tentative = true;
    });
    stage.lose(|passage| passage.is(MessageKind::Commit) && passage.to == NodeId(3) && passage.at < ms(90));
    stage.begin_client(1, |workload| workload.reply_quorum = 3);
    stage.run_until(ms(400));
    assert_eq!(stage.commits().len(), 4, "the last one by what others say again");
    assert_eq!(stage.timeouts(), []);
    stage.run();
    assert_eq!(stage.states(&[0, 1, 2, 3]).len(), 1);
}

#[test]
fn rule_17_a_view_change_is_repeated_unchanged_until_the_view_begins() {
    let mut stage = attentive();
    stage.silence(0);
    stage.lose(|passage| passage.is(MessageKind::ViewChange) && passage.at < ms(700));
    stage.ask(0, 1);
    stage.run();
    let sent = stage.sent_by(2, MessageKind::ViewChange);
    assert!(sent.len() > 3);
    assert!(sent.iter().all(|passage| passage.message == sent[0].message), "the same each time");
    assert!(sent.last().unwrap().at < ms(900));
    assert_eq!(stage.executions().len(), 3);
    assert!(stage.replicas[1..].iter().all(|replica| replica.view() == View(1)));
}

#[test]
fn rule_17_a_lost_view_change_reaches_also_who_is_content_with_its_view() {
    let mut stage = attentive();
    stage.silence(0);
    stage.lose(|passage| passage.is(MessageKind::ViewChange) && passage.at < ms(700));
    // Replica 1 knows of no request, so it lacks nothing and asks nobody.
    (2..4).for_each(|backup| stage.ask_one(0, 1, backup));
    stage.run();
    assert_eq!(stage.executions().len(), 3);
    assert!(stage.timeouts().iter().all(|&(_, node, _)| node != 1), "it joins the others");
}

#[test]
fn rule_17_whoever_has_the_new_view_repeats_it() {
    let mut stage = attentive();
    stage.silence(0);
    stage.lose(|passage| passage.is(MessageKind::NewView) && passage.to == NodeId(3) && passage.from == NodeId(1));
    stage.ask(0, 1);
    stage.run();
    let [first, again] = [1, 2].map(|from| stage.sent_by(from, MessageKind::NewView));
    assert_eq!(again[0].message, first[0].message);
    assert_eq!((again[0].to, stage.replicas[3].view()), (NodeId(3), View(1)));
    assert_eq!(stage.states(&[1, 2, 3]).len(), 1);
}

#[test]
fn rule_17_a_quiet_cluster_comes_to_rest() {
    let mut stage = Stage::new(4);
    stage.begin_client(12, |_| {});
    stage.run();
    let timers = [Timer::Batch, Timer::View, Timer::Status];
    assert!((0..4).all(|replica| timers.iter().all(|&timer| stage.due(replica, timer).is_none())));
    assert_eq!(stage.count(MessageKind::Status), 0, "all have heard that all have come so far");
}

/// Heavy, repeatable loss for two seconds. Whatever gets lost, everybody ends alike, and with every request.
#[test]
fn rule_17_after_any_loss_the_cluster_recovers() {
    for (seed, tentative) in (1..=40_u64).flat_map(|seed| [(seed, false), (seed, true)]) {
        let mut stage = Stage::with(4, |config| {
            config.status_interval = Span::from_millis(100);
            config.tentative = tentative;
        });
        let mut random = seed;
        stage.lose(move |passage| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            passage.at < ms(2000) && random >> 60 < 5
        });
        stage.begin_client(25, |workload| {
            workload.client_timeout = Span::from_millis(200);
            workload.reply_quorum = 3;
        });
        stage.run();
        assert_eq!(stage.accepted().len(), 25, "seed {seed}, tentative {tentative}");
        assert_eq!(stage.states(&[0, 1, 2, 3]).len(), 1, "seed {seed}, tentative {tentative}");
    }
}

#[test]
fn rule_29_a_replica_that_the_primary_keeps_in_the_dark_catches_up() {
    let mut stage = attentive();
    stage.lose(|passage| passage.from == NodeId(0) && passage.to == NodeId(3));
    // The client insists on all four.
    stage.begin_client(7, |workload| workload.reply_quorum = 4);
    stage.run();
    assert_eq!(stage.accepted().len(), 7);
    assert_eq!(stage.states(&[0, 1, 2, 3]).len(), 1);
    assert!(
        stage.sent_by(1, MessageKind::PrePrepare).iter().any(|passage| passage.to == NodeId(3)),
        "a backup sent it"
    );
}

#[test]
fn rule_17_fetch_is_answered_to_its_author_with_what_is_known() {
    let mut stage = Stage::new(4);
    stage.begin_client(1, |_| {});
    stage.run();
    let batch = stage.replicas[2].log().get(SeqNum(1)).unwrap().pre_prepare.clone().unwrap().batch.digest();
    let fetch = |stage: &Stage, from: usize, wanted, seq, digest| {
        let fetch = Fetch { wanted, seq: SeqNum(seq), digest, replica: NodeId::new(from) };
        Message::Fetch(Arc::new(stage.signers[from].sign(fetch)))
    };
    let mut answers = |from: usize, message| kinds(&stage.deliver(from, 2, message));
    let scene = Stage::new(4);
    assert_eq!(answers(0, fetch(&scene, 0, Wanted::Batch, 1, batch)), [MessageKind::State]);
    assert_eq!(answers(0, fetch(&scene, 1, Wanted::Batch, 1, batch)), [], "asked in another's name");
    assert_eq!(answers(0, fetch(&scene, 0, Wanted::Batch, 2, batch)), []);
    assert_eq!(answers(0, fetch(&scene, 0, Wanted::Batch, 1, byzlab_replica::Digest(7))), []);
    assert_eq!(answers(0, fetch(&scene, 0, Wanted::Checkpoint, 0, batch)), [], "no checkpoint is stable yet");
}

/// A backup that has voted for one batch, and is prepared or not.
fn voted(prepared: bool) -> Stage {
    let mut stage = Stage::new(4);
    let batch = stage.batch(1, 0);
    let proposal = stage.proposal(0, 0, 1, &batch);
    stage.deliver(0, 2, proposal);
    if prepared {
        let prepare = stage.vote(VoteKind::Prepare, 3, 0, 1, batch.digest());
        assert_eq!(kinds(&stage.deliver(3, 2, prepare)), [MessageKind::Commit]);
    }
    stage
}

#[test]
fn rule_30_durable_state_keeps_a_replica_to_its_vote() {
    let mut stage = voted(false);
    stage.restart(2, true);
    let other = stage.proposal(0, 0, 1, &stage.batch(1, 9));
    assert_eq!(kinds(&stage.deliver(0, 2, other)), [], "it has voted for another batch");
    let digest = stage.batch(1, 0).digest();
    let prepare = stage.vote(VoteKind::Prepare, 1, 0, 1, digest);
    assert_eq!(kinds(&stage.deliver(1, 2, prepare)), [MessageKind::Commit], "its own vote still counts");

    let mut stage = voted(false);
    stage.restart(2, false);
    let other = stage.proposal(0, 0, 1, &stage.batch(1, 9));
    assert_eq!(kinds(&stage.deliver(0, 2, other)), [MessageKind::Prepare], "without its memory it votes twice");
}

#[test]
fn rule_30_durable_state_keeps_prepared_certificates_and_the_view() {
    let mut stage = voted(true);
    stage.restart(2, true);
    for from in [1, 3] {
        let change = Message::ViewChange(stage.empty_change(from, 1));
        stage.deliver(from, 2, change);
    }
    let before = stage.sent_by(2, MessageKind::ViewChange)[0].message.clone();
    let Message::ViewChange(change) = &before else { panic!("{before:?}") };
    assert_eq!(change.prepared.len(), 1);
    assert!(change.is_valid(&stage.config));

    stage.restart(2, true);
    assert_eq!((stage.replicas[2].view(), stage.replicas[2].is_active()), (View(1), false));
    stage.run_for(Span::from_millis(1100));
    let again = stage.sent_by(2, MessageKind::ViewChange);
    assert!(again.len() > 3 && again.iter().all(|passage| passage.message == before), "the same VIEW-CHANGE");
}

#[test]
fn rule_30_durable_state_keeps_the_client_table_and_h() {
    let mut stage = Stage::new(4);
    stage.begin_client(12, |_| {});
    stage.run();
    let before = stage.replicas[2].state_digest();
    stage.restart(2, true);
    let replica = &stage.replicas[2];
    assert_eq!(
        (replica.state_digest(), replica.last_executed(), replica.log().low()),
        (before, SeqNum(12), SeqNum(10))
    );
    let old = Message::Request(stage.request(0, 11));
    assert!(kinds(&stage.deliver(4, 2, old)).is_empty());
    let change_before = stage.sent.len();
    stage.run();
    assert!(stage.sent[change_before..].iter().all(|passage| !passage.is(MessageKind::State)), "it lacks nothing");
}

#[test]
fn rule_30_a_replica_without_its_state_begins_anew_and_catches_up() {
    let mut stage = attentive();
    stage.begin_client(12, |_| {});
    stage.run();
    stage.silence(2);
    stage.restart(2, false);
    assert_eq!((stage.replicas[2].last_executed(), stage.replicas[2].log().low()), (SeqNum(0), SeqNum(0)));
    stage.run();
    assert_eq!(stage.states(&[0, 1, 2, 3]).len(), 1);
    let restarts = stage.instants(|event| if let Event::Restart { durable } = event { Some(*durable) } else { None });
    assert_eq!(restarts.into_iter().map(|(.., durable)| durable).collect::<Vec<_>>(), [false]);
}

#[test]
fn rule_30_a_primary_that_comes_back_assigns_no_number_twice() {
    let mut stage = Stage::new(4);
    stage.lose(|passage| passage.is(MessageKind::Prepare));
    stage.ask_one(0, 1, 0);
    stage.run_for(DELAY);
    stage.restart(0, true);
    stage.heal();
    stage.ask_one(1, 1, 0);
    stage.run();
    let proposed = stage.instants(|event| if let Event::Propose(slot) = event { Some(slot.seq.0) } else { None });
    assert_eq!(proposed.into_iter().map(|(.., seq)| seq).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(stage.states(&[0, 1, 2, 3]).len(), 1);
    assert_eq!(stage.replicas[0].last_executed(), SeqNum(2));
}

#[test]
fn rule_30_a_crash_in_the_midst_of_a_state_transfer_does_not_end_it() {
    let mut stage = attentive();
    stage.lose(|passage| passage.from == NodeId(3) || passage.to == NodeId(3));
    stage.begin_client(12, |_| {});
    stage.run_for(Span::from_millis(650));
    // It learns that a checkpoint is stable, and crashes before it has the state.
    stage.lose(|passage| passage.is(MessageKind::State));
    while stage.replicas[3].log().low() == SeqNum(0) {
        stage.run_for(DELAY);
    }
    assert_eq!(stage.replicas[3].last_executed(), SeqNum(0));
    stage.silence(3);
    stage.run_for(DELAY);
    stage.heal();
    stage.restart(3, true);
    stage.run();
    assert_eq!(stage.states(&[0, 1, 2, 3]).len(), 1);
}

/// The shell of replica 2 with an outage from 100 to 200 ms, and the events that it logs.
fn outage(durable: bool) -> (Shell<Replica>, Outbox<Message, Event>) {
    let stage = Stage::new(4);
    let replica = Replica::new(Arc::clone(&stage.config), stage.signers[2].clone());
    let outage = Outage { at: ms(100), recover_at: Some(ms(200)), durable };
    let mut shell = Shell::with_outages(replica, [outage]);
    let mut out = Outbox::new(false);
    assert_eq!(Process::<Message, Event>::next_wake(&shell), Some(ms(0)));
    shell.wake(ms(0), &mut out);
    let message = stage.proposal(0, 0, 1, &stage.batch(1, 0));
    shell.receive(Arrival::direct(ms(50), NodeId(0), NodeId(2), message), &mut out);
    (shell, out)
}

#[test]
fn rule_30_outages_switch_a_shell_off_and_on() {
    for durable in [true, false] {
        let (mut shell, mut out) = outage(durable);
        assert_eq!(out.take_sends().len(), 1, "PREPARE");
        assert_eq!(Process::<Message, Event>::next_wake(&shell), Some(ms(100)));
        shell.wake(ms(100), &mut out);
        assert!(!Process::<Message, Event>::hears(&shell, ms(100)));
        assert_eq!(Process::<Message, Event>::next_wake(&shell), Some(ms(200)), "its timers are gone");
        shell.wake(ms(200), &mut out);
        assert!(Process::<Message, Event>::hears(&shell, ms(200)));
        let sends = out.take_sends();
        assert_eq!(sends.iter().map(|send| send.message.kind()).collect::<Vec<_>>(), [MessageKind::Status]);
        let events: Vec<_> = out.take_records().into_iter().map(|record| format!("{:?}", record.what)).collect();
        let has = |event: Event| events.iter().filter(|text| text.contains(&format!("{event:?}"))).count();
        assert_eq!((has(Event::Crash), has(Event::Restart { durable })), (1, 1), "{events:?}");

        let stage = Stage::new(4);
        let other = stage.proposal(0, 0, 1, &stage.batch(1, 9));
        shell.receive(Arrival::direct(ms(250), NodeId(0), NodeId(2), other), &mut out);
        assert_eq!(
            out.take_sends().len(),
            usize::from(!durable),
            "a second PREPARE only if it has forgotten the first"
        );
    }
}

#[test]
fn rule_30_an_outage_without_end_is_for_good() {
    let stage = Stage::new(4);
    let outage = Outage { at: ms(100), recover_at: None, durable: true };
    let signer: Signer = stage.signers[1].clone();
    let mut shell = Shell::with_outages(Replica::new(Arc::clone(&stage.config), signer), [outage]);
    let mut out: Outbox<Message, Event> = Outbox::new(false);
    shell.wake(ms(100), &mut out);
    assert!(!Process::<Message, Event>::hears(&shell, ms(5000)));
    assert_eq!(Process::<Message, Event>::next_wake(&shell), None);
}

#[test]
fn rule_30_a_client_takes_no_notice_of_a_restart() {
    let mut stage = Stage::new(4);
    stage.begin_client(1, |_| {});
    let before = stage.clients[0].clone();
    let mut effects = byzlab_replica::Effects::default();
    stage.clients[0].step(ms(0), Input::Restart { durable: true }, &mut effects);
    assert!(effects.is_empty() && stage.clients[0] == before);
}
