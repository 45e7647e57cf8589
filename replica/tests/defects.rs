//! Planted defects that break agreement: each script goes wrong with its defect, and does not without it.
//!
//! At most f replicas lie or are silent in them; what else happens is a network that loses or delays messages. Those that keep a
//! cluster from ever coming to rest are in `defects_of_liveness.rs`.

mod stage;

use byzlab_network::{NodeId, Span};
use byzlab_replica::{
    Batch, Content, Defect, Defects, Event, Message, MessageKind, NewView, SeqNum, Snapshot, State, View, VoteKind,
};
use stage::{DELAY, Passage, Stage, ms, shows, slot};
use std::sync::Arc;

/// What the first primary, a liar, proposes; nobody else would with this nonce.
const LIE: u64 = 7;

/// Four replicas with this defect. Nothing comes again by itself while a script plays.
fn stage_with(defects: Defects) -> Stage {
    Stage::with(4, |config| {
        config.defects = defects;
        config.status_interval = Span::from_millis(60_000);
    })
}

/// A vote or a proposal in a view.
fn is_vote(passage: &Passage, view: u32) -> bool {
    let kinds = [MessageKind::PrePrepare, MessageKind::Prepare, MessageKind::Commit];
    kinds.contains(&passage.message.kind()) && passage.message.view() == Some(View(view))
}

/// The lying replica 0 wants a view, and has nothing to say about earlier ones.
fn lie_about_nothing(stage: &mut Stage, view: u32) {
    let change = Message::ViewChange(stage.empty_change(0, view));
    stage.inject_to_all(0, &change);
}

/// The lying replica 0 votes for a batch.
fn vote_along(stage: &mut Stage, view: u32, batch: &Batch, to: [usize; 2]) {
    for kind in [VoteKind::Prepare, VoteKind::Commit] {
        let vote = stage.vote(kind, 0, view, 1, batch.digest());
        for to in to {
            stage.inject(0, to, vote.clone());
        }
    }
}

/// Replica 1 is prepared and hears so many COMMITs of the lying primary. Replica 2 has voted too, but is prepared only if it hears
/// the PREPARE of 1. Then nobody hears of replica 1, until the others have begun view 2. Whatever is committed at 1 must come out
/// of that again.
fn one_commits_and_is_not_heard(defects: Defects, liars_commits: usize, is_prepare_heard: bool) -> bool {
    let mut stage = stage_with(defects);
    stage.silence(0);
    stage.lose(move |passage| {
        passage.from == NodeId(1) && !(is_prepare_heard && passage.is(MessageKind::Prepare) && passage.at < ms(100))
    });
    let batch = stage.batch(1, LIE);
    let (proposal, commit) = (stage.proposal(0, 0, 1, &batch), stage.vote(VoteKind::Commit, 0, 0, 1, batch.digest()));
    for to in [1, 2] {
        stage.inject(0, to, proposal.clone());
    }
    (0..liars_commits).for_each(|_| stage.inject(0, 1, commit.clone()));
    stage.ask_one(1, 1, 3);
    stage.run_until(ms(500));
    lie_about_nothing(&mut stage, 1);
    stage.run_until(ms(1000));
    lie_about_nothing(&mut stage, 2);
    stage.run_until(ms(1100));
    assert!(stage.replicas[2..].iter().all(|replica| replica.is_active() && replica.view() == View(2)));
    stage.heal();
    stage.run_until(ms(3000));
    stage.disagrees()
}

#[test]
fn rule_2_votes_counted_a_liar_votes_twice() {
    shows(Defect::VotesCounted, |defects| one_commits_and_is_not_heard(defects, 2, false));
}

#[test]
fn rule_6_commit_before_prepared_a_quorum_commits_what_one_replica_can_prove() {
    shows(Defect::CommitBeforePrepared, |defects| one_commits_and_is_not_heard(defects, 1, false));
}

#[test]
fn rule_7_commit_quorum_2f_a_liar_and_one_other_commit() {
    shows(Defect::CommitQuorum2f, |defects| one_commits_and_is_not_heard(defects, 1, false));
}

#[test]
fn rule_22_prepared_dropped_the_others_order_something_else() {
    shows(Defect::PreparedDropped, |defects| one_commits_and_is_not_heard(defects, 1, true));
}

#[test]
fn rule_4_primarys_prepare_counts_two_batches_are_prepared_in_one_view() {
    shows(Defect::PrimarysPrepareCounts, |defects| {
        let mut stage = stage_with(defects);
        stage.silence(0);
        for backup in [1, 2] {
            let batch = stage.batch(1, backup as u64);
            let (proposal, prepare) =
                (stage.proposal(0, 0, 1, &batch), stage.vote(VoteKind::Prepare, 0, 0, 1, batch.digest()));
            stage.inject(0, backup, proposal);
            stage.inject(0, backup, prepare);
        }
        stage.run_until(ms(100));
        let prepared = stage.instants(|event| if let Event::Prepared(slot) = event { Some(slot.digest) } else { None });
        prepared.iter().any(|(.., digest)| *digest != prepared[0].2)
    });
}

/// The lying primary has replica 3 prepared in view 0, and it alone: 2 does not hear its PREPARE. View 1 begins without 3, and
/// replica 1, its primary, proposes the request of the second client. Gives what is prepared in view 0, and what in view 1.
fn one_is_prepared(stage: &mut Stage, lost: impl Fn(&Passage) -> bool + 'static) -> (Arc<Batch>, Arc<Batch>) {
    stage.silence(0);
    stage.lose(move |passage| {
        let to_2 = (passage.from, passage.to) == (NodeId(3), NodeId(2)) && is_vote(passage, 0);
        let change = passage.from == NodeId(3) && passage.is(MessageKind::ViewChange) && passage.at < ms(550);
        to_2 || change || lost(passage)
    });
    let old = stage.batch(1, LIE);
    let proposal = stage.proposal(0, 0, 1, &old);
    for to in [2, 3] {
        stage.inject(0, to, proposal.clone());
    }
    stage.ask_one(1, 1, 1);
    stage.run_until(ms(500));
    let new = Arc::new(Batch::new(vec![stage.request(1, 1)], 0));
    lie_about_nothing(stage, 1);
    // They keep that until view 1 begins.
    vote_along(stage, 1, &new, [1, 2]);
    stage.run_until(ms(600));
    let committed: Vec<_> = stage.commits().into_iter().map(|(_, node, slot)| (node, slot)).collect();
    assert_eq!(committed, [1, 2].map(|node| (node, slot(1, 1, new.digest()))), "at replicas 1 and 2");
    (old, new)
}

#[test]
fn rule_25_first_certificate_an_older_view_wins() {
    shows(Defect::FirstCertificate, |defects| {
        let mut stage = stage_with(defects);
        // In view 1 replica 3 hears no votes. View 2 begins without what replica 1 would say of it.
        let (old, _) = one_is_prepared(&mut stage, |passage| {
            passage.to == NodeId(3) && is_vote(passage, 1)
                || passage.from == NodeId(1) && passage.is(MessageKind::ViewChange) && passage.at > ms(600)
        });
        let certificate = stage.prepared(0, &[2, 3], slot(0, 1, old.digest()));
        stage.run_until(ms(1000));
        let change = Message::ViewChange(stage.change(0, 2, vec![certificate]));
        stage.inject_to_all(0, &change);
        stage.run_until(ms(1100));
        assert!(stage.replicas[1..].iter().all(|replica| replica.is_active() && replica.view() == View(2)));
        stage.disagrees()
    });
}

#[test]
fn rule_24_new_view_again_a_view_begins_with_two_orders() {
    shows(Defect::NewViewAgain, |defects| {
        let mut stage = stage_with(defects);
        let (old, _) = one_is_prepared(&mut stage, |passage| {
            passage.to == NodeId(3) && passage.at > ms(50) && passage.at < ms(600)
        });
        // The VIEW-CHANGE of replica 3, with what it has prepared, comes late.
        let late: Vec<_> = stage.sent_by(3, MessageKind::ViewChange);
        let late = late.iter().find(|passage| passage.message.view() == Some(View(1))).unwrap().message.clone();
        stage.inject(3, 1, late);
        stage.run_until(ms(611));
        vote_along(&mut stage, 1, &old, [1, 3]);
        stage.run_until(ms(900));
        stage.disagrees()
    });
}

#[test]
fn rule_26_new_view_unchecked_a_liar_begins_a_view_by_itself() {
    shows(Defect::NewViewUnchecked, |defects| {
        let mut stage = stage_with(defects);
        // Replica 1, the primary of view 1, lies. Without replica 3 the others commit a batch.
        stage.silence(1);
        stage.lose(|passage| passage.to == NodeId(3) && passage.at < ms(100));
        stage.ask_one(0, 1, 0);
        let batch = stage.batch(1, 0);
        for kind in [VoteKind::Prepare, VoteKind::Commit] {
            let vote = stage.vote(kind, 1, 0, 1, batch.digest());
            for to in [0, 2] {
                stage.inject(1, to, vote.clone());
            }
        }
        stage.run_until(ms(100));
        assert_eq!(stage.commits().len(), 2);
        let nothing = NewView { view: View(1), view_changes: Vec::new(), order: Vec::new(), primary: NodeId(1) };
        let nothing = Message::NewView(Arc::new(stage.signers[1].sign(nothing)));
        stage.inject_to_all(1, &nothing);
        let proposal = stage.proposal(1, 1, 1, &stage.batch(1, LIE));
        stage.inject_to_all(1, &proposal);
        stage.run_until(ms(200));
        stage.disagrees()
    });
}

#[test]
fn rule_20_state_unchecked_a_liar_s_state_is_taken() {
    shows(Defect::StateUnchecked, |defects| {
        let mut stage = Stage::with(4, |config| {
            config.defects = defects;
            config.status_interval = Span::from_millis(100);
        });
        stage.lose(|passage| [passage.from, passage.to].contains(&NodeId(3)));
        stage.begin_client(10, |_| {});
        stage.run_until(ms(520));
        stage.silence(0);
        stage.heal();
        while stage.sent_by(3, MessageKind::Fetch).is_empty() {
            stage.run_for(DELAY);
        }
        // The proof is right, the state is that of the beginning.
        let digest = stage.replicas[1].state_digest();
        let proof = stage.certificate(VoteKind::Checkpoint, &[0, 1, 2], slot(0, 10, digest));
        let content = Content::Checkpoint { proof, snapshot: Arc::new(Snapshot::new(&stage.config)) };
        let lie = Message::State(Arc::new(stage.signers[0].sign(State { content, replica: NodeId(0) })));
        stage.deliver(0, 3, lie);
        stage.run();
        assert!((1..4).all(|replica| stage.replicas[replica].last_executed() == SeqNum(10)));
        stage.states(&[1, 2, 3]).len() > 1
    });
}

#[test]
fn rule_29_weak_read_quorum_a_read_does_not_see_what_was_written_before() {
    shows(Defect::WeakReadQuorum, |defects| {
        let mut stage = Stage::with(4, |config| {
            config.defects = defects;
            config.read_only = true;
        });
        // Nobody lies: replicas 2 and 3 hear the COMMITs late, and what 0 and 1 answer to the reader comes late.
        stage.lose(|passage| {
            let (low, to) = (passage.from < NodeId(2), passage.to);
            passage.is(MessageKind::Commit) && (NodeId(2)..NodeId(4)).contains(&to)
                || passage.is(MessageKind::Reply) && low && to == NodeId(5)
        });
        stage.begin_client(1, |workload| workload.reply_quorum = 3);
        stage.run_until(ms(100));
        stage.begin_client(1, |workload| (workload.reply_quorum, workload.reads_per_million) = (3, 1_000_000));
        stage.run_until(ms(200));
        stage.heal();
        stage.run();
        let results =
            stage.instants(|event| if let Event::Reply { result, .. } = event { Some(*result) } else { None });
        let result_of = |client| results.iter().find(|(_, node, _)| *node == client).unwrap();
        let (written, read) = (result_of(4), result_of(5));
        written.0 < ms(100) && read.2 != written.2
    });
}
