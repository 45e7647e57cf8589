//! When replicas lose patience, and for what: rules 12 to 16 of docs/protocol.md, to the nanosecond.

mod stage;

use byzlab_network::{NodeId, Span};
use byzlab_replica::{Message, MessageKind, Timer, View};
use stage::{DELAY, Stage, TIMEOUT, kinds, ms, times};

/// Four replicas, of which the first primary hears nothing of the second client.
fn starving() -> Stage {
    let mut stage = Stage::new(4);
    let starved = NodeId::new(stage.client(1));
    stage.lose(move |passage| match &passage.message {
        Message::Request(request) => request.client == starved && passage.to == NodeId(0),
        _ => false,
    });
    stage
}

#[test]
fn rule_13_executing_the_requests_of_others_does_not_reset_the_timer() {
    let mut stage = starving();
    stage.ask(1, 1);
    stage.begin_client(100, |_| {});
    stage.run_until(ms(509));
    assert_eq!(stage.accepted().len(), 10, "one each 50 ms");
    assert_eq!(stage.timeouts(), []);
    stage.run_until(ms(510));
    assert_eq!(
        stage.timeouts(),
        [1, 2, 3].map(|backup| (ms(510), backup, View(0))),
        "it came at 10 ms, and T = 500 ms"
    );
    stage.heal();
    stage.run();
    assert_eq!(stage.accepted().len(), 100);
    assert_eq!(stage.states(&[0, 1, 2, 3]).len(), 1);
}

#[test]
fn rule_13_the_timer_stops_with_its_request_and_starts_anew_for_the_next() {
    let mut stage = starving();
    stage.ask(0, 1);
    stage.ask(1, 1);
    stage.run_until(ms(39));
    assert_eq!(stage.due(1, Timer::View), Some(ms(510)), "the one that came first");
    stage.run_until(ms(40));
    assert_eq!(stage.executions().len(), 4);
    assert_eq!(stage.due(1, Timer::View), Some(ms(540)), "executed at 40 ms; the other one still waits");
    assert_eq!(stage.due(0, Timer::View), None, "a primary waits for nobody");

    let mut stage = Stage::new(4);
    stage.ask(0, 1);
    stage.run_until(ms(10));
    assert_eq!(stage.due(2, Timer::View), Some(ms(510)));
    stage.run_until(ms(40));
    assert_eq!(stage.due(2, Timer::View), None, "nothing waits");
}

#[test]
fn rule_13_a_proposal_alone_starts_the_timer() {
    let mut stage = Stage::new(4);
    stage.ask_one(0, 1, 0);
    stage.lose(|passage| passage.is(MessageKind::Commit));
    stage.run_until(ms(510));
    assert_eq!(stage.due(3, Timer::View), Some(ms(520)), "the pre-prepare came at 20 ms");
}

#[test]
fn rule_12_a_request_that_was_executed_never_starts_a_timer() {
    let mut stage = Stage::new(4);
    stage.ask(0, 1);
    stage.run_until(ms(100));
    for timestamp in [1, 0] {
        stage.ask(0, timestamp);
        stage.run_for(DELAY);
        assert_eq!([1, 2, 3].map(|backup| stage.due(backup, Timer::View)), [None; 3]);
    }
    stage.run();
    assert_eq!(stage.timeouts(), []);
}

#[test]
fn rule_12_a_backup_relays_to_the_primary_and_waits() {
    let mut stage = Stage::new(4);
    let request = Message::Request(stage.request(0, 1));
    let relayed = stage.deliver(4, 3, request);
    assert_eq!(kinds(&relayed), [MessageKind::Request]);
    assert_eq!(stage.sent_by(3, MessageKind::Request)[0].to, NodeId(0));
    assert_eq!(stage.due(3, Timer::View), Some(ms(500)));
    stage.run();
    assert_eq!(stage.executions().len(), 4);
    assert_eq!(stage.timeouts(), []);
}

#[test]
fn rule_14_no_request_timer_runs_during_a_view_change() {
    let mut stage = Stage::new(4);
    stage.silence(0);
    stage.lose(|passage| passage.is(MessageKind::ViewChange));
    stage.ask(0, 1);
    stage.run_until(ms(510));
    assert_eq!(stage.timeouts().len(), 3);
    stage.ask(1, 1);
    stage.ask(0, 2);
    stage.run_until(ms(900));
    assert_eq!([1, 2, 3].map(|backup| stage.due(backup, Timer::View)), [None; 3]);
    assert!(stage.replicas[1..].iter().all(|replica| replica.view() == View(1) && !replica.is_active()));
}

#[test]
fn rule_15_the_new_view_timer_starts_only_with_a_quorum() {
    let mut stage = Stage::new(4);
    stage.silence(0);
    // Replica 2 hears of one VIEW-CHANGE but its own, replica 3 of two; the new primary says nothing.
    stage.lose(|passage| {
        passage.is(MessageKind::NewView)
            || passage.is(MessageKind::ViewChange) && (passage.from, passage.to) == (NodeId(3), NodeId(2))
    });
    stage.ask(0, 1);
    stage.run_until(ms(900));
    assert_eq!(stage.due(2, Timer::View), None, "Q − 1 = 2 want the new view, as far as it knows");
    assert_eq!(stage.due(3, Timer::View), Some(ms(1020)), "the third came at 520 ms");
}

#[test]
fn rule_15_the_wait_doubles_and_returns_to_its_base() {
    let mut stage = Stage::new(10);
    (0..3).for_each(|primary| stage.silence(primary));
    stage.ask(0, 1);
    stage.run();
    let wanted = |stage: &Stage, view: u32| {
        let leaves = stage.timeouts().into_iter().filter(|&(_, replica, left)| (replica, left) == (9, View(view)));
        leaves.map(|(at, ..)| at).next().unwrap()
    };
    let began = ms(0) + DELAY;
    assert_eq!(wanted(&stage, 0), began + TIMEOUT);
    assert_eq!(wanted(&stage, 1), wanted(&stage, 0) + DELAY + TIMEOUT);
    assert_eq!(wanted(&stage, 2), wanted(&stage, 1) + DELAY + times(TIMEOUT, 2));
    assert_eq!(stage.entries().iter().filter(|(.., view)| *view == View(3)).count(), 7);

    // All is well in view 3. Then its primary, and the one after it, fall silent.
    (0..3).for_each(|replica| stage.restart(replica, true));
    stage.run();
    assert_eq!(stage.states(&(0..10).collect::<Vec<_>>()).len(), 1);
    (3..5).for_each(|primary| stage.silence(primary));
    let asked = stage.now;
    stage.ask(0, 2);
    stage.run();
    assert_eq!(wanted(&stage, 3), asked + DELAY + TIMEOUT);
    assert_eq!(wanted(&stage, 4), wanted(&stage, 3) + DELAY + TIMEOUT, "T, not 8 T");
    assert_eq!(stage.replicas[9].view(), View(5));
}

#[test]
fn rule_15_the_timer_runs_on_until_a_request_of_the_new_view_executes() {
    let mut stage = Stage::new(4);
    stage.silence(0);
    stage.ask(0, 1);
    stage.lose(|passage| passage.is(MessageKind::Commit));
    stage.run_until(ms(540));
    assert!(stage.replicas[2].is_active());
    assert_eq!(stage.due(2, Timer::View), Some(ms(1020)), "since a quorum wanted the view");
    stage.run_until(ms(1020));
    assert_eq!(stage.replicas[2].view(), View(2), "nothing executed in view 1");

    let mut stage = Stage::new(4);
    stage.silence(0);
    stage.ask(0, 1);
    stage.run_until(ms(550));
    assert_eq!(stage.executions().len(), 3);
    assert_eq!(stage.due(2, Timer::View), None);
}

#[test]
fn rule_15_on_entering_without_waiting_requests_the_timer_stops() {
    let mut stage = Stage::new(4);
    // Nobody waits for anything, but two replicas want the next view.
    for from in [0, 2] {
        let change = Message::ViewChange(stage.empty_change(from, 1));
        stage.inject_to_all(from, &change);
    }
    stage.silence(0);
    stage.run_until(ms(15));
    assert_eq!(stage.due(3, Timer::View), Some(ms(510)), "a quorum wants the view, its own included");
    stage.run_until(ms(30));
    assert!(stage.replicas[3].is_active() && stage.replicas[3].view() == View(1));
    assert_eq!(stage.due(3, Timer::View), None);
}

#[test]
fn rule_16_a_replica_joins_f_plus_1_others_for_the_smallest_view() {
    let mut stage = Stage::new(7);
    let wants = |stage: &Stage, from, view| Message::ViewChange(stage.empty_change(from, view));
    for view in [2, 3, 9] {
        let change = wants(&stage, 1, view);
        assert!(kinds(&stage.deliver(1, 6, change)).is_empty(), "one replica, however often it speaks");
    }
    let change = wants(&stage, 2, 5);
    assert!(kinds(&stage.deliver(2, 6, change)).is_empty());
    let change = wants(&stage, 3, 4);
    assert_eq!(kinds(&stage.deliver(3, 6, change)), [MessageKind::ViewChange; 1], "f + 1 = 3");
    assert_eq!(stage.replicas[6].view(), View(4), "of 9, 5 and 4; what replica 1 said before it said 9 counts no more");

    // Above the view that it wants by now are 9 and 5; a third one joins them.
    let change = wants(&stage, 4, 4);
    assert!(kinds(&stage.deliver(4, 6, change)).is_empty(), "it wants view 4 itself");
    let change = wants(&stage, 5, 7);
    stage.deliver(5, 6, change);
    assert_eq!(stage.replicas[6].view(), View(5));
}

#[test]
fn rule_16_a_vote_of_another_or_for_the_past_moves_nobody() {
    let mut stage = Stage::new(4);
    let change = Message::ViewChange(stage.empty_change(1, 1));
    stage.deliver(1, 3, change.clone());
    stage.deliver(2, 3, change);
    let present = Message::ViewChange(stage.empty_change(2, 0));
    stage.deliver(2, 3, present);
    assert_eq!(stage.replicas[3].view(), View(0), "a VIEW-CHANGE counts from its author, for a later view");
    let change = Message::ViewChange(stage.empty_change(2, 1));
    stage.deliver(2, 3, change);
    assert_eq!(stage.replicas[3].view(), View(1));
}

/// How long a view change takes: with k silent primaries and a constant delay d the request is committed at (k+4)·d + 2^(k−1)·T.
#[test]
fn rule_15_silent_primaries_cost_exactly_their_timeouts() {
    for silent in 1..=3_u16 {
        let mut stage = Stage::new(3 * silent + 1);
        (0..usize::from(silent)).for_each(|primary| stage.silence(primary));
        stage.ask(0, 1);
        stage.run();
        let expected = ms(0) + times(DELAY, u64::from(silent) + 4) + times(TIMEOUT, 1 << (silent - 1));
        let commits: Vec<_> = stage.commits().into_iter().map(|(at, ..)| at).collect();
        assert_eq!(commits, vec![expected; 2 * usize::from(silent) + 1], "{silent} silent primaries");
    }
}

/// Without faults: request, pre-prepare, prepare, commit, reply take one delay each.
#[test]
fn the_happy_path_takes_five_delays_and_its_known_number_of_messages() {
    for replicas in [4_u16, 7, 10] {
        let mut stage = Stage::new(replicas);
        stage.begin_client(1, |_| {});
        stage.run();
        let n = usize::from(replicas);
        assert_eq!(stage.accepted(), [ms(50)]);
        let count = |kind| stage.count(kind);
        assert_eq!(count(MessageKind::Request), 1);
        assert_eq!(count(MessageKind::PrePrepare), n - 1);
        assert_eq!(count(MessageKind::Prepare), (n - 1) * (n - 1));
        assert_eq!(count(MessageKind::Commit), n * (n - 1));
        assert_eq!(count(MessageKind::Reply), n);
        let others = [MessageKind::ViewChange, MessageKind::NewView, MessageKind::Checkpoint, MessageKind::State];
        assert_eq!(others.map(count), [0; 4]);
        assert_eq!(stage.commits().len(), n);
        assert!(stage.commits().iter().all(|&(at, ..)| at == ms(40)));
    }
}

#[test]
fn rule_15_without_view_changes_nobody_ever_leaves() {
    let mut stage = Stage::with(4, |config| config.view_change = false);
    stage.silence(0);
    stage.ask(0, 1);
    for from in [0, 1, 2] {
        let change = Message::ViewChange(stage.empty_change(from, 1));
        stage.inject(from, 3, change);
    }
    stage.run_for(Span::from_millis(5000));
    assert!(stage.replicas.iter().all(|replica| replica.view() == View(0) && replica.is_active()));
}
