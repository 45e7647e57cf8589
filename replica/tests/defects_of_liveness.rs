//! Planted defects that keep a cluster from coming to rest: each script goes wrong with its defect, and does not without it.

mod stage;

use byzlab_network::{NodeId, Span};
use byzlab_replica::{Defect, Defects, Digest, Message, MessageKind, View};
use stage::{DELAY, Stage, TIMEOUT, ms, shows, slot};

/// Four replicas with this defect, which say each 100 ms what they lack.
fn stage_with(defects: Defects) -> Stage {
    Stage::with(4, |config| {
        config.defects = defects;
        config.status_interval = Span::from_millis(100);
    })
}

/// Whether the second client got an answer.
fn is_answered(stage: &Stage) -> bool {
    stage.sent.iter().any(|passage| passage.is(MessageKind::Reply) && passage.to == NodeId(5))
}

#[test]
fn rule_23_bad_certificate_masks_one_liar_stops_every_view_change() {
    shows(Defect::BadCertificateMasks, |defects| {
        let mut stage = stage_with(defects);
        stage.silence(0);
        stage.ask(1, 1);
        stage.run_until(ms(400));
        // Each primary hears of its own view before it hears of it from anybody else.
        for view in [1, 2, 3, 5] {
            let certificate = stage.prepared(0, &[0], slot(0, 1, Digest(7)));
            let bad = Message::ViewChange(stage.change(0, view, vec![certificate]));
            stage.inject(0, view as usize % 4, bad);
            for _ in 0..2000 {
                stage.run_for(DELAY);
                if stage.replicas[1].view() >= View(view) {
                    break;
                }
            }
            stage.run_for(Span::from_millis(100));
        }
        !is_answered(&stage)
    });
}

#[test]
fn rule_13_timer_reset_by_others_a_primary_starves_one_client() {
    shows(Defect::TimerResetByOthers, |defects| {
        let mut stage = stage_with(defects);
        stage.lose(|passage| {
            passage.to == NodeId(0)
                && matches!(&passage.message, Message::Request(request) if request.client == NodeId(5))
        });
        stage.ask(1, 1);
        stage.begin_client(200, |_| {});
        stage.run_until(ms(5000));
        !is_answered(&stage)
    });
}

#[test]
fn rule_12_timer_for_executed_one_view_follows_the_other_for_ever() {
    shows(Defect::TimerForExecuted, |defects| {
        let mut stage = stage_with(defects);
        stage.begin_client(3, |_| {});
        stage.run_until(ms(200));
        stage.silence(0);
        stage.ask(1, 1);
        stage.run_until(ms(20_000));
        assert!(is_answered(&stage));
        stage.replicas[1..].iter().any(|replica| replica.view() > View(1))
    });
}

#[test]
fn rule_17_view_change_sent_once_lost_ones_are_waited_for_for_ever() {
    shows(Defect::ViewChangeSentOnce, |defects| {
        let mut stage = stage_with(defects);
        stage.silence(0);
        stage.lose(|passage| passage.is(MessageKind::ViewChange) && passage.at < ms(600));
        stage.ask(1, 1);
        stage.run();
        !is_answered(&stage)
    });
}

#[test]
fn rule_15_doubling_never_resets_old_troubles_make_later_ones_longer() {
    shows(Defect::DoublingNeverResets, |defects| {
        let mut stage = Stage::with(7, |config| config.defects = defects);
        (0..2).for_each(|primary| stage.silence(primary));
        stage.ask(0, 1);
        stage.run();
        // All is well in view 2. Later its primary, and the one after it, fall silent.
        (0..2).for_each(|replica| stage.restart(replica, true));
        stage.run();
        (2..4).for_each(|primary| stage.silence(primary));
        stage.ask(0, 2);
        stage.run();
        let timeouts = stage.timeouts();
        let leaves = |view| timeouts.iter().find(|(_, node, left)| (*node, *left) == (6, View(view))).unwrap().0;
        assert!(stage.replicas[6].is_active() && stage.replicas[6].view() == View(4));
        leaves(3) != leaves(2) + DELAY + TIMEOUT
    });
}

#[test]
fn rule_17_early_proposals_dropped_a_primary_that_moved_first_is_not_heard_again() {
    shows(Defect::EarlyProposalsDropped, |defects| {
        let mut stage = Stage::with(4, |config| {
            config.defects = defects;
            config.status_interval = Span::from_millis(100);
            config.log_window = config.checkpoint_interval;
            config.max_in_flight = config.checkpoint_interval;
            config.view_change = false;
        });
        // The checkpoint at 10 is stable at the primary at once, at the backups later.
        stage.lose(|passage| passage.is(MessageKind::Checkpoint) && passage.to != NodeId(0) && passage.at < ms(800));
        stage.begin_client(11, |_| {});
        stage.run();
        stage.accepted().len() < 11
    });
}

#[test]
fn rule_20_stuck_after_catching_up_the_new_view_it_missed_is_refused() {
    shows(Defect::StuckAfterCatchingUp, |defects| {
        let mut stage = stage_with(defects);
        stage.begin_client(3, |_| {});
        stage.run();
        stage.silence(0);
        stage.ask(1, 1);
        // Replica 3 wants view 1 too, never hears that it begins, and falls behind.
        stage.run_for(DELAY);
        stage.lose(|passage| passage.to == NodeId(3));
        stage.run_for(Span::from_millis(550));
        stage.restart(0, true);
        for timestamp in 2..=12 {
            stage.ask(1, timestamp);
            stage.run_for(Span::from_millis(60));
        }
        stage.heal();
        stage.run_for(Span::from_millis(5000));
        assert_eq!(stage.states(&[0, 1, 2, 3]).len(), 1, "it has caught up");
        !stage.replicas[3].is_active()
    });
}
