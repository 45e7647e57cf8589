//! The normal case, step by step: each test names the rule that it checks (numbers as in docs/protocol.md).

use byzlab_network::{NodeId, Recipients, Span, Time};
use byzlab_replica::{
    Arrivals, Authenticator, Batch, Client, Cluster, Digest, Effects, Event, Input, Message, MessageKind, Pace,
    Pattern, PrePrepare, ProtocolConfig, Rate, Replica, Reply, Request, SendTo, SeqNum, Signed, SignedRequest, Signer,
    Timer, View, Vote, VoteKind, Workload,
};
use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::Arc;

const NOW: Time = Time::START;

/// A cluster with its signers: replicas first, then two clients.
struct Scene {
    config: Arc<ProtocolConfig>,
    signers: Vec<Signer>,
}

impl Scene {
    fn new(replicas: u16) -> Scene {
        Scene::with(replicas, |_| {})
    }

    fn with(replicas: u16, change: impl FnOnce(&mut ProtocolConfig)) -> Scene {
        let mut config = ProtocolConfig::new(Cluster::new(replicas, None).unwrap(), 2);
        config.checkpoint_interval = NonZeroU64::new(10).unwrap();
        config.log_window = NonZeroU64::new(20).unwrap();
        config.max_in_flight = NonZeroU64::new(20).unwrap();
        config.view_change = false;
        change(&mut config);
        Scene { config: Arc::new(config), signers: Signer::deal(usize::from(replicas) + 2).collect() }
    }

    fn replica(&self, id: usize) -> Replica {
        Replica::new(Arc::clone(&self.config), self.signers[id].clone())
    }

    fn client(&self) -> NodeId {
        NodeId(self.config.cluster.replicas())
    }

    fn request(&self, timestamp: u64) -> SignedRequest {
        self.request_of(0, timestamp)
    }

    fn request_of(&self, client: usize, timestamp: u64) -> SignedRequest {
        let signer = &self.signers[usize::from(self.config.cluster.replicas()) + client];
        Arc::new(signer.sign(Request {
            client: signer.node(),
            timestamp,
            operation: 1,
            reads: false,
            authenticator: Authenticator::All,
            payload: 0,
        }))
    }

    fn pre_prepare(&self, from: usize, view: u32, seq: u64, nonce: u64) -> Message {
        let batch = Arc::new(Batch::new(vec![self.request(seq)], nonce));
        Message::PrePrepare(Arc::new(PrePrepare::new(&self.signers[from], View(view), SeqNum(seq), batch)))
    }

    /// The digest of `pre_prepare(_, _, seq, 0)`.
    fn digest(&self, seq: u64) -> Digest {
        Batch::new(vec![self.request(seq)], 0).digest()
    }

    fn vote(&self, kind: VoteKind, from: usize, view: u32, seq: u64, digest: Digest) -> Message {
        let vote = Vote { kind, replica: NodeId::new(from), view: View(view), seq: SeqNum(seq), digest };
        Message::Vote(self.signers[from].sign(vote))
    }

    fn prepare(&self, from: usize, seq: u64) -> Message {
        self.vote(VoteKind::Prepare, from, 0, seq, self.digest(seq))
    }

    fn commit(&self, from: usize, seq: u64) -> Message {
        self.vote(VoteKind::Commit, from, 0, seq, self.digest(seq))
    }
}

fn deliver(replica: &mut Replica, from: usize, message: Message) -> Effects {
    let mut effects = Effects::default();
    replica.step(NOW, Input::Message(NodeId::new(from), message), &mut effects);
    // Whatever arrives starts the status timer.
    effects.timers.retain(|&(timer, _)| timer != Timer::Status);
    effects
}

fn sent(effects: &Effects) -> Vec<MessageKind> {
    effects.sends.iter().map(|(_, message)| message.kind()).collect()
}

fn executed(effects: &Effects) -> Vec<u64> {
    let executed = |event: &Event| match event {
        Event::Executed { slot, .. } => Some(slot.seq.0),
        _ => None,
    };
    effects.events.iter().filter_map(executed).collect()
}

/// Takes backup 1 of 4 to the execution of a number; gives the effects of the last step.
fn execute(scene: &Scene, replica: &mut Replica, seq: u64) -> Effects {
    deliver(replica, 0, scene.pre_prepare(0, 0, seq, 0));
    deliver(replica, 2, scene.prepare(2, seq));
    deliver(replica, 0, scene.commit(0, seq));
    deliver(replica, 2, scene.commit(2, seq))
}

#[test]
fn rule_2_a_vote_counts_only_from_its_author_and_once() {
    let scene = Scene::new(7);
    let mut backup = scene.replica(1);
    deliver(&mut backup, 0, scene.pre_prepare(0, 0, 1, 0));
    // Q − 1 = 4 prepares are needed, its own included.
    for _ in 0..5 {
        assert!(deliver(&mut backup, 2, scene.prepare(2, 1)).is_empty(), "the same voter");
    }
    for claimed in 3..7 {
        assert!(deliver(&mut backup, 2, scene.prepare(claimed, 1)).is_empty(), "another's vote from replica 2");
    }
    assert!(deliver(&mut backup, 3, scene.prepare(3, 1)).is_empty());
    assert_eq!(sent(&deliver(&mut backup, 4, scene.prepare(4, 1))), [MessageKind::Commit]);
}

#[test]
fn rule_3_a_pre_prepare_is_accepted_from_the_primary_of_the_view_alone() {
    let scene = Scene::new(4);
    let refused = |from: usize, message: Message| {
        let effects = deliver(&mut scene.replica(1), from, message.clone());
        assert!(effects.is_empty(), "{message:?} from {from} has effects {effects:?}");
    };
    refused(2, scene.pre_prepare(2, 0, 1, 0));
    refused(1, scene.pre_prepare(1, 1, 1, 0));
    refused(0, scene.pre_prepare(0, 4, 1, 0));
    refused(0, scene.pre_prepare(0, 0, 0, 0));
    refused(0, scene.pre_prepare(0, 0, 21, 0));
    let accepted = deliver(&mut scene.replica(1), 0, scene.pre_prepare(0, 0, 20, 0));
    assert_eq!(sent(&accepted), [MessageKind::Prepare], "h < n ≤ h + L");
    let sent_again = deliver(&mut scene.replica(1), 2, scene.pre_prepare(0, 0, 20, 0));
    assert_eq!(sent(&sent_again), [MessageKind::Prepare], "whoever sends it again: the primary signed it");
}

#[test]
fn rule_3_the_digest_must_match_the_requests_and_the_clients_must_exist() {
    let scene = Scene::new(4);
    let propose = |batch: Batch, digest: Digest| {
        let vote = scene.signers[0].vote(VoteKind::PrePrepare, View(0), SeqNum(1), digest);
        let message = Message::PrePrepare(Arc::new(PrePrepare { vote, batch: Arc::new(batch) }));
        sent(&deliver(&mut scene.replica(1), 0, message))
    };
    let batch = Batch::new(vec![scene.request(1)], 0);
    assert_eq!(propose(batch.clone(), Digest(7)), []);
    assert_eq!(propose(batch.clone(), batch.digest()), [MessageKind::Prepare]);
    let by_replica = Request {
        client: NodeId(0),
        timestamp: 1,
        operation: 1,
        reads: false,
        authenticator: Authenticator::All,
        payload: 0,
    };
    let foreign = Batch::new(vec![Arc::new(scene.signers[2].sign(by_replica))], 0);
    let digest = foreign.digest();
    assert_eq!(propose(foreign, digest), [], "a replica is no client");
}

#[test]
fn rule_3_no_second_digest_is_accepted_for_a_number() {
    let scene = Scene::new(4);
    let mut backup = scene.replica(1);
    deliver(&mut backup, 0, scene.pre_prepare(0, 0, 1, 0));
    assert!(deliver(&mut backup, 0, scene.pre_prepare(0, 0, 1, 9)).is_empty());
    assert!(deliver(&mut backup, 0, scene.pre_prepare(0, 0, 1, 0)).is_empty(), "a repetition is not voted for again");
}

#[test]
fn rule_4_the_primary_sends_no_prepare_and_its_prepare_does_not_count() {
    let scene = Scene::new(4);
    let mut primary = scene.replica(0);
    let proposal = deliver(&mut primary, 4, Message::Request(scene.request(1)));
    assert_eq!(sent(&proposal), [MessageKind::PrePrepare]);

    let mut backup = scene.replica(1);
    deliver(&mut backup, 0, scene.pre_prepare(0, 0, 1, 0));
    assert!(deliver(&mut backup, 0, scene.prepare(0, 1)).is_empty(), "Q − 1 = 2, and one of them is the primary's");
    assert_eq!(sent(&deliver(&mut backup, 2, scene.prepare(2, 1))), [MessageKind::Commit]);
}

#[test]
fn rule_5_votes_count_before_the_pre_prepare_but_not_outside_view_and_window() {
    let scene = Scene::new(4);
    let mut backup = scene.replica(1);
    deliver(&mut backup, 2, scene.prepare(2, 1));
    deliver(&mut backup, 0, scene.commit(0, 1));
    deliver(&mut backup, 2, scene.commit(2, 1));
    let all_at_once = deliver(&mut backup, 0, scene.pre_prepare(0, 0, 1, 0));
    assert_eq!(executed(&all_at_once), [1]);

    let mut backup = scene.replica(1);
    deliver(&mut backup, 2, scene.prepare(2, 40));
    let before = backup.clone();
    deliver(&mut backup, 2, scene.vote(VoteKind::Prepare, 2, 1, 1, scene.digest(1)));
    deliver(&mut backup, 2, scene.prepare(2, 41));
    deliver(&mut backup, 2, scene.prepare(2, 0));
    assert_eq!(backup, before, "nothing of it is kept");
}

#[test]
fn rule_6_prepared_takes_matching_prepares_and_commits_once() {
    let scene = Scene::new(4);
    let mut backup = scene.replica(1);
    deliver(&mut backup, 0, scene.pre_prepare(0, 0, 1, 0));
    let other = scene.vote(VoteKind::Prepare, 2, 0, 1, Digest(7));
    assert!(deliver(&mut backup, 2, other).is_empty(), "a prepare for another digest");
    assert_eq!(sent(&deliver(&mut backup, 3, scene.prepare(3, 1))), [MessageKind::Commit]);

    let scene = Scene::new(7);
    let mut backup = scene.replica(1);
    deliver(&mut backup, 0, scene.pre_prepare(0, 0, 1, 0));
    let commits: Vec<_> = (2..7).map(|from| sent(&deliver(&mut backup, from, scene.prepare(from, 1))).len()).collect();
    assert_eq!(commits, [0, 0, 1, 0, 0], "COMMIT is sent once, with the fourth prepare");
}

#[test]
fn rule_7_commits_without_prepared_do_not_execute() {
    let scene = Scene::new(4);
    let mut backup = scene.replica(1);
    deliver(&mut backup, 0, scene.pre_prepare(0, 0, 1, 0));
    for from in [0, 2, 3] {
        assert!(deliver(&mut backup, from, scene.commit(from, 1)).is_empty());
    }
    let prepared = deliver(&mut backup, 2, scene.prepare(2, 1));
    assert_eq!(executed(&prepared), [1]);
}

#[test]
fn rule_7_execution_is_in_the_order_of_numbers() {
    let scene = Scene::new(4);
    let mut backup = scene.replica(1);
    assert_eq!(executed(&execute(&scene, &mut backup, 2)), []);
    assert_eq!(executed(&execute(&scene, &mut backup, 3)), []);
    assert_eq!(executed(&execute(&scene, &mut backup, 1)), [1, 2, 3]);
}

#[test]
fn rule_8_a_batch_is_one_number() {
    let scene = Scene::with(4, |config| {
        config.batch_size = NonZeroUsize::new(2).unwrap();
        config.batch_delay = Span::from_millis(5);
    });
    let mut primary = scene.replica(0);
    let waiting = deliver(&mut primary, 4, Message::Request(scene.request(1)));
    assert_eq!(waiting.timers, [(Timer::Batch, Some(NOW + Span::from_millis(5)))]);
    let mut full = primary.clone();
    let closed = deliver(&mut full, 5, Message::Request(scene.request_of(1, 1)));
    let [(_, Message::PrePrepare(proposal))] = closed.sends.as_slice() else { panic!("{closed:?}") };
    assert_eq!((proposal.vote.seq, proposal.batch.requests().len()), (SeqNum(1), 2));

    let mut late = Effects::default();
    primary.step(NOW + Span::from_millis(5), Input::Timer(Timer::Batch), &mut late);
    let [(_, Message::PrePrepare(proposal))] = late.sends.as_slice() else { panic!("{late:?}") };
    assert_eq!(proposal.batch.requests().len(), 1, "the first has waited long enough");
}

#[test]
fn rule_9_the_primary_queues_beyond_the_window_and_the_pipeline() {
    let scene = Scene::with(1, |config| config.log_window = NonZeroU64::new(10).unwrap());
    let mut alone = scene.replica(0);
    for timestamp in 1..=25 {
        let effects = deliver(&mut alone, 1, Message::Request(scene.request(timestamp)));
        assert_eq!(executed(&effects), [timestamp], "a cluster of one needs nobody");
    }
    assert_eq!(alone.log().low(), SeqNum(20), "checkpoints move the window on");

    // A window of 1: number 2 waits until the checkpoint at 1 is stable.
    let scene = Scene::with(4, |config| {
        config.log_window = NonZeroU64::MIN;
        config.checkpoint_interval = NonZeroU64::MIN;
    });
    let mut primary = scene.replica(0);
    deliver(&mut primary, 4, Message::Request(scene.request(1)));
    for from in [1, 2] {
        deliver(&mut primary, from, scene.prepare(from, 1));
        deliver(&mut primary, from, scene.commit(from, 1));
    }
    assert_eq!(primary.last_executed(), SeqNum(1));
    assert!(deliver(&mut primary, 4, Message::Request(scene.request(2))).is_empty(), "no number is free");
    let checkpoint = |from| scene.vote(VoteKind::Checkpoint, from, 0, 1, primary.state_digest());
    let votes = [checkpoint(1), checkpoint(2)];
    let effects: Vec<_> = votes.into_iter().zip(1..).map(|(vote, from)| deliver(&mut primary, from, vote)).collect();
    assert_eq!(sent(&effects[1]), [MessageKind::PrePrepare], "the window has moved");

    let scene = Scene::with(4, |config| config.max_in_flight = NonZeroU64::new(1).unwrap());
    let mut primary = scene.replica(0);
    assert_eq!(sent(&deliver(&mut primary, 4, Message::Request(scene.request(1)))), [MessageKind::PrePrepare]);
    assert!(deliver(&mut primary, 5, Message::Request(scene.request_of(1, 1))).is_empty());
    deliver(&mut primary, 1, scene.prepare(1, 1));
    deliver(&mut primary, 2, scene.prepare(2, 1));
    deliver(&mut primary, 1, scene.commit(1, 1));
    let executed = deliver(&mut primary, 2, scene.commit(2, 1));
    assert_eq!(sent(&executed), [MessageKind::Reply, MessageKind::PrePrepare], "the pipeline is free again");
}

#[test]
fn rule_5_what_a_primary_with_a_newer_window_proposes_takes_effect_when_the_window_moves() {
    let scene = Scene::new(4);
    let mut backup = scene.replica(1);
    assert!(deliver(&mut backup, 0, scene.pre_prepare(0, 0, 21, 0)).is_empty(), "h + L = 20");
    assert!(deliver(&mut backup, 2, scene.prepare(2, 21)).is_empty());
    for seq in 1..=10 {
        execute(&scene, &mut backup, seq);
    }
    let state = backup.state_digest();
    let checkpoint = |from| scene.vote(VoteKind::Checkpoint, from, 0, 10, state);
    deliver(&mut backup, 2, checkpoint(2));
    let moved = deliver(&mut backup, 3, checkpoint(3));
    assert_eq!(sent(&moved), [MessageKind::Prepare, MessageKind::Commit]);
}

#[test]
fn rule_10_old_requests_are_ignored_and_the_last_is_answered_again() {
    let scene = Scene::new(4);
    let mut backup = scene.replica(1);
    execute(&scene, &mut backup, 1);
    let reply = execute(&scene, &mut backup, 2);
    let again = deliver(&mut backup, 4, Message::Request(scene.request(2)));
    assert_eq!(again.sends, reply.sends, "the same reply");
    assert_eq!((reply.executed, again.executed), (1, 0), "an answer that is sent again takes no execution");
    assert!(deliver(&mut backup, 4, Message::Request(scene.request(1))).is_empty());
}

#[test]
fn rule_10_a_request_that_is_ordered_twice_takes_effect_once() {
    let scene = Scene::new(4);
    let mut backup = scene.replica(1);
    execute(&scene, &mut backup, 1);
    let state = backup.state_digest();
    // The same request at number 2, in a batch with another nonce.
    let batch = Arc::new(Batch::new(vec![scene.request(1)], 5));
    let digest = batch.digest();
    let proposal = PrePrepare::new(&scene.signers[0], View(0), SeqNum(2), batch);
    deliver(&mut backup, 0, Message::PrePrepare(Arc::new(proposal)));
    for from in [2, 3] {
        deliver(&mut backup, from, scene.vote(VoteKind::Prepare, from, 0, 2, digest));
        deliver(&mut backup, from, scene.vote(VoteKind::Commit, from, 0, 2, digest));
    }
    assert_eq!((backup.last_executed(), backup.state_digest()), (SeqNum(2), state));
}

#[test]
fn rule_11_the_client_accepts_matching_replies_of_distinct_replicas() {
    let scene = Scene::new(4);
    let mut client = client_of(&scene, 1);
    step(&mut client, Input::Start);
    let reply = |replica: usize, timestamp, result| {
        let (view, client, replica_id) = (View(0), scene.client(), NodeId::new(replica));
        let reply =
            Reply { view, timestamp, client, replica: replica_id, result, tentative: false, read_at: None, payload: 0 };
        (replica_id, Message::Reply(Arc::new(scene.signers[replica].sign(reply))))
    };
    let mut answer = |replica, timestamp, result| {
        let (from, message) = reply(replica, timestamp, result);
        step(&mut client, Input::Message(from, message)).events.len()
    };
    assert_eq!(answer(0, 1, 5), 0);
    assert_eq!(answer(0, 1, 5), 0, "the same replica");
    assert_eq!(answer(1, 1, 6), 0, "another result");
    assert_eq!(answer(2, 7, 5), 0, "another request");
    assert_eq!(answer(3, 1, 5), 1, "f + 1 = 2 match");
    assert_eq!(answer(2, 1, 5), 0, "accepted once");
}

#[test]
fn rule_12_the_client_turns_to_all_and_a_backup_passes_on_to_the_primary() {
    let scene = Scene::new(4);
    let mut client = client_of(&scene, 1);
    let start = step(&mut client, Input::Start);
    assert!(matches!(start.sends.as_slice(), [(Recipients::One(NodeId(0)), Message::Request(_))]));
    assert_eq!(start.timers, [(Timer::Retransmit, Some(NOW + Span::from_millis(100)))]);
    let again = step(&mut client, Input::Timer(Timer::Retransmit));
    assert!(matches!(again.sends.as_slice(), [(Recipients::OthersBelow(NodeId(4)), Message::Request(_))]));

    let mut backup = scene.replica(1);
    let relayed = deliver(&mut backup, 4, Message::Request(scene.request(1)));
    assert!(matches!(relayed.sends.as_slice(), [(Recipients::One(NodeId(0)), Message::Request(_))]));
    let from_backup = deliver(&mut backup, 2, Message::Request(scene.request(1)));
    assert!(from_backup.is_empty(), "what a replica passed on goes no further");
}

#[test]
fn an_open_loop_keeps_one_request_under_way_and_ignores_early_timers() {
    let scene = Scene::new(4);
    let mut client = open_client_of(&scene, 3);
    let Some((Timer::NextRequest, Some(first))) = step(&mut client, Input::Start).timers.pop() else { panic!() };
    let mut timer_at = |at: Time| {
        let mut effects = Effects::default();
        client.step(at, Input::Timer(Timer::NextRequest), &mut effects);
        effects
    };
    assert!(timer_at(Time::from_nanos(first.as_nanos() - 1)).is_empty(), "nothing has come yet");
    let sent_first = timer_at(first);
    assert!(matches!(sent_first.events[..], [Event::Request { timestamp: 1, .. }]), "{sent_first:?}");
    assert_eq!(sent(&sent_first), [MessageKind::Request]);
    let much_later = timer_at(first + Span::from_millis(10_000));
    let numbers: Vec<u64> = much_later
        .events
        .iter()
        .map(|event| match event {
            Event::Request { timestamp, .. } => *timestamp,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!((numbers.as_slice(), much_later.sends.len()), (&[2, 3][..], 0), "they wait for the first");
    assert!(timer_at(Time::END).is_empty(), "there are only three");
}

#[test]
fn rule_18_a_checkpoint_is_stable_at_a_quorum_and_clears_the_log() {
    let scene = Scene::new(4);
    let mut backup = scene.replica(1);
    let mut last = Effects::default();
    for seq in 1..=10 {
        last = execute(&scene, &mut backup, seq);
    }
    assert_eq!(sent(&last), [MessageKind::Reply, MessageKind::Checkpoint]);
    let state = backup.state_digest();
    let checkpoint = |from: usize, digest| scene.vote(VoteKind::Checkpoint, from, 0, 10, digest);
    assert!(deliver(&mut backup, 2, checkpoint(2, Digest(7))).is_empty(), "another state");
    assert!(deliver(&mut backup, 3, checkpoint(3, state)).is_empty());
    let stable = deliver(&mut backup, 0, checkpoint(0, state));
    assert_eq!(stable.events, [Event::Stable { seq: SeqNum(10), state }]);
    assert_eq!(backup.log().low(), SeqNum(10));
    assert!(backup.log().get(SeqNum(10)).is_none());
    assert!(deliver(&mut backup, 0, scene.pre_prepare(0, 0, 10, 0)).is_empty(), "h < n");
    assert_eq!(sent(&deliver(&mut backup, 0, scene.pre_prepare(0, 0, 30, 0))), [MessageKind::Prepare]);
}

#[test]
fn rule_19_the_state_digest_covers_service_and_client_table() {
    let scene = Scene::new(4);
    let (mut one, mut other) = (scene.replica(1), scene.replica(1));
    execute(&scene, &mut one, 1);
    assert_ne!(one.state_digest(), other.state_digest());
    execute(&scene, &mut other, 1);
    assert_eq!(one.state_digest(), other.state_digest());
}

#[test]
fn state_machines_can_be_cloned_compared_and_hashed() {
    fn checkable<T: Clone + Eq + std::hash::Hash>() {}
    checkable::<Replica>();
    checkable::<Client>();
    checkable::<Signed<Vote>>();
}

fn client_of(scene: &Scene, requests: u64) -> Client {
    client_with(scene, requests, Pace::Closed { think_time: Span::ZERO })
}

/// Ten requests a second.
fn open_client_of(scene: &Scene, requests: u64) -> Client {
    let rate = Rate::per_second(10.0).unwrap();
    client_with(scene, requests, Pace::Open(Arrivals { rate, pattern: Pattern::Poisson, ramp: None }))
}

fn client_with(scene: &Scene, requests: u64, pace: Pace) -> Client {
    let workload = Workload {
        requests,
        pace,
        send_to: SendTo::Primary,
        client_timeout: Span::from_millis(100),
        reply_quorum: scene.config.cluster.weak_quorum(),
        payload: 0,
        reads_per_million: 0,
    };
    let signer = scene.signers[usize::from(scene.config.cluster.replicas())].clone();
    Client::new(Arc::clone(&scene.config), Arc::new(workload), signer, byzlab_network::Key::root(1))
}

fn step(client: &mut Client, input: Input) -> Effects {
    let mut effects = Effects::default();
    client.step(NOW, input, &mut effects);
    effects
}
