//! Who says what, and what comes of nonsense: rules 1, 2, 5 and 21 of docs/protocol.md against a hostile sender.

mod stage;

use byzlab_network::{NodeId, Time};
use byzlab_replica::{
    Authenticator, Batch, Certificate, Client, Cluster, Content, Digest, Effects, Event, Fetch, Input, Message,
    MessageKind, NewView, PrePrepare, Reply, Request, SeqNum, Signed, SignedRequest, State, Statement, Status, View,
    ViewChange, VoteKind, Wanted,
};
use stage::{Stage, kinds, slot};
use std::num::NonZeroU64;
use std::sync::Arc;

#[test]
fn rule_1_a_signature_names_its_signer_whatever_the_statement_claims() {
    fn author<T: Statement>(stage: &Stage, statement: T) -> NodeId {
        stage.signers[3].sign(statement).author()
    }
    let stage = Stage::new(4);
    let me = NodeId(3);
    let claimed = NodeId(1);
    let (view, seq, digest) = (View(0), SeqNum(1), Digest(7));
    let vote = *stage.signers[1].vote(VoteKind::Commit, view, seq, digest);
    assert_eq!(author(&stage, vote), me);
    assert_eq!(
        author(
            &stage,
            Request {
                client: claimed,
                timestamp: 1,
                operation: 0,
                reads: false,
                authenticator: Authenticator::All,
                payload: 0
            }
        ),
        me
    );
    assert_eq!(
        author(
            &stage,
            Reply {
                view,
                timestamp: 1,
                client: me,
                replica: claimed,
                result: 0,
                tentative: false,
                read_at: None,
                payload: 0
            }
        ),
        me
    );
    assert_eq!(author(&stage, ViewChange::clone(&stage.empty_change(1, 1))), me);
    assert_eq!(author(&stage, NewView { view, view_changes: vec![], order: vec![], primary: claimed }), me);
    let status =
        Status { view, active: true, stable: None, executed: seq, pre_prepared: 0, answers: false, replica: claimed };
    assert_eq!(author(&stage, status), me);
    assert_eq!(author(&stage, Fetch { wanted: Wanted::Batch, seq, digest, replica: claimed }), me);
    let content = Content::Batch { seq, batch: Arc::new(Batch::null()) };
    assert_eq!(author(&stage, State { content, replica: claimed }), me);
}

#[test]
fn rule_1_each_message_tells_its_kind_view_number_and_digest() {
    let stage = Stage::new(4);
    let mut liar = Liar { stage: Stage::new(4), random: 1 };
    for _ in 0..500 {
        let message = liar.message();
        let label = byzlab_network::Message::label(&message);
        assert_eq!(MessageKind::ALL[usize::from(label.kind)], message.kind());
        assert_eq!(label.seq, Some(message.seq()));
        assert_eq!(label.view, message.view().map(|view| u64::from(view.0)));
        assert!(byzlab_network::Message::size(&message) >= 72, "a header and a signature at least: {message:?}");
        assert_eq!(message.clone(), message);
    }
    let vote = stage.vote(VoteKind::Commit, 1, 3, 5, Digest(7));
    assert_eq!((vote.view(), vote.seq(), vote.digest()), (Some(View(3)), 5, Digest(7)));
    assert_eq!(stage.vote(VoteKind::Checkpoint, 1, 0, 5, Digest(7)).view(), None, "a checkpoint is of no view");
    let batch = stage.batch(9, 0);
    let proposal = stage.proposal(0, 2, 5, &batch);
    assert_eq!((proposal.view(), proposal.seq(), proposal.digest()), (Some(View(2)), 5, batch.digest()));
}

/// What replica 1 signed, sent by replica 0. A request and the words of a primary may be passed on; all else may not.
#[test]
fn rule_2_the_sender_must_be_the_author() {
    let mut stage = Stage::new(4);
    let signer = stage.signers[1].clone();
    let (view, seq, digest, replica) = (View(0), SeqNum(10), Digest(7), NodeId(1));
    let status = Status { view, active: true, stable: None, executed: seq, pre_prepared: 0, answers: false, replica };
    let words = [
        stage.vote(VoteKind::Prepare, 1, 0, 1, digest),
        stage.vote(VoteKind::Commit, 1, 0, 1, digest),
        stage.vote(VoteKind::Checkpoint, 1, 0, 10, digest),
        Message::ViewChange(stage.empty_change(1, 1)),
        Message::Status(Arc::new(signer.sign(status))),
        Message::Fetch(Arc::new(signer.sign(Fetch { wanted: Wanted::Checkpoint, seq, digest, replica }))),
    ];
    // Once it has heard anything it is awake.
    stage.deliver(0, 2, Message::Request(stage.request(0, 0)));
    let before = stage.replicas[2].clone();
    for word in words {
        assert!(stage.deliver(0, 2, word.clone()).is_empty(), "{word:?}");
        assert!(stage.replicas[2] == before, "{word:?}");
        stage.deliver(4, 2, word.clone());
        assert!(stage.replicas[2] == before, "{word:?} from a client");
    }
}

#[test]
fn rule_2_replies_count_for_their_author_alone() {
    let mut stage = Stage::new(4);
    stage.begin_client(1, |_| {});
    let reply = |stage: &Stage, replica: usize, client: u16| {
        let reply = Reply {
            view: View(0),
            timestamp: 1,
            client: NodeId(client),
            replica: NodeId(0),
            result: 5,
            tentative: false,
            read_at: None,
            payload: 0,
        };
        Message::Reply(Arc::new(stage.signers[replica].sign(reply)))
    };
    let mut hear = |from: usize, message: Message| {
        let mut effects = Effects::default();
        Client::step(&mut stage.clients[0], Time::START, Input::Message(NodeId::new(from), message), &mut effects);
        effects.events
    };
    let scene = Stage::new(4);
    for (from, message) in [
        (0, reply(&scene, 0, 4)),
        (0, reply(&scene, 1, 4)),
        (1, reply(&scene, 1, 5)),
        (5, reply(&scene, 5, 4)),
        (2, scene.vote(VoteKind::Commit, 2, 0, 1, Digest(7))),
    ] {
        assert_eq!(hear(from, message), [], "from {from}");
    }
    assert!(matches!(hear(1, reply(&scene, 1, 4))[..], [Event::Reply { .. }]), "the second honest one");
}

/// Makes messages of all kinds at random, as corrupted nodes could: each is signed by whoever sends it.
struct Liar {
    stage: Stage,
    random: u64,
}

impl Liar {
    fn draw(&mut self, below: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % below
    }

    /// Often small, sometimes as large as can be.
    fn number(&mut self) -> u64 {
        match self.draw(8) {
            0 => u64::MAX - self.draw(3),
            1 => self.draw(u64::from(u32::MAX)) << 20,
            _ => self.draw(70),
        }
    }

    fn view(&mut self) -> View {
        View(if self.draw(2) == 0 { self.draw(4) as u32 } else { self.number() as u32 })
    }

    fn kind(&mut self) -> VoteKind {
        [VoteKind::Prepare, VoteKind::PrePrepare, VoteKind::Commit, VoteKind::Checkpoint][self.draw(4) as usize]
    }

    fn request(&mut self) -> SignedRequest {
        let (client, timestamp) = (self.draw(2) as usize, self.number());
        let author = if self.draw(5) == 0 { 0 } else { 4 + client };
        let signer = self.stage.signers[author].clone();
        let (operation, reads) = (self.number(), self.draw(2) == 0);
        Arc::new(signer.sign(Request {
            client: signer.node(),
            timestamp,
            operation,
            reads,
            authenticator: Authenticator::All,
            payload: 0,
        }))
    }

    fn batch(&mut self) -> Arc<Batch> {
        let requests = (0..self.draw(3)).map(|_| self.request()).collect();
        Arc::new(Batch::new(requests, self.number()))
    }

    /// Signed by the two corrupted nodes at most, so never by a quorum.
    fn certificate(&mut self) -> Certificate {
        let (kind, view, seq, digest) = (self.kind(), self.view(), self.number(), Digest(self.number()));
        let signers = self.draw(3) as usize;
        self.stage.certificate(kind, &[0, 5][..signers], slot(view.0, seq, digest))
    }

    fn change(&mut self) -> Arc<Signed<ViewChange>> {
        let (view, stable) = (self.view(), SeqNum(self.number()));
        let checkpoint = (self.draw(2) == 0).then(|| self.certificate());
        let prepared = (0..self.draw(3)).map(|_| {
            let (kind, view, seq) = (self.kind(), self.view(), SeqNum(self.number()));
            let pre_prepare = self.stage.signers[0].vote(kind, view, seq, Digest(7));
            byzlab_replica::Prepared { pre_prepare, prepares: self.certificate() }
        });
        let prepared = prepared.collect();
        Arc::new(self.stage.signers[0].sign(ViewChange { view, stable, checkpoint, prepared, replica: NodeId(0) }))
    }

    fn message(&mut self) -> Message {
        let me = self.stage.signers[0].clone();
        let (view, number, digest, replica) = (self.view(), self.number(), Digest(self.number()), NodeId(0));
        let seq = SeqNum(number);
        match self.draw(12) {
            0 => Message::Request(self.request()),
            1 => Message::Read(self.request()),
            2 => Message::PrePrepare(Arc::new(PrePrepare::new(&me, view, seq, self.batch()))),
            3 => Message::PrePrepare(Arc::new(PrePrepare {
                vote: me.vote(self.kind(), view, seq, digest),
                batch: self.batch(),
            })),
            4 => Message::Reply(Arc::new(me.sign(Reply {
                view,
                timestamp: number,
                client: NodeId(4),
                replica,
                result: 0,
                tentative: false,
                read_at: None,
                payload: 0,
            }))),
            5 => Message::ViewChange(self.change()),
            6 => {
                let view_changes = (0..self.draw(5)).map(|_| self.change()).collect();
                let order = (0..self.draw(3)).map(|_| me.vote(self.kind(), view, seq, digest)).collect();
                Message::NewView(Arc::new(me.sign(NewView { view, view_changes, order, primary: replica })))
            }
            7 => {
                let stable = (self.draw(2) == 0).then(|| self.certificate());
                let (pre_prepared, answers) = (self.number(), self.draw(2) == 0);
                let status = Status { view, active: answers, stable, executed: seq, pre_prepared, answers, replica };
                Message::Status(Arc::new(me.sign(status)))
            }
            8 => {
                let wanted = if self.draw(2) == 0 { Wanted::Batch } else { Wanted::Checkpoint };
                Message::Fetch(Arc::new(me.sign(Fetch { wanted, seq, digest, replica })))
            }
            9 => {
                let content = match self.draw(3) {
                    0 => Content::Batch { seq, batch: self.batch() },
                    1 => Content::Committed { proof: self.certificate(), batch: self.batch() },
                    _ => {
                        let snapshot = Arc::new(byzlab_replica::Snapshot::new(&self.stage.config));
                        Content::Checkpoint { proof: self.certificate(), snapshot }
                    }
                };
                Message::State(Arc::new(me.sign(State { content, replica })))
            }
            _ => Message::Vote(me.vote(self.kind(), view, seq, digest)),
        }
    }
}

/// How much a replica remembers, by the length of its description.
fn weight(stage: &Stage, replica: usize) -> usize {
    format!("{:?}", stage.replicas[replica]).len()
}

/// One corrupted replica and one corrupted client say all they can think of. Nothing breaks, and what is kept of it has a bound.
#[test]
fn rule_5_floods_are_survived_and_their_traces_are_bounded() {
    for tentative in [false, true] {
        let options = |config: &mut byzlab_replica::ProtocolConfig| {
            (config.tentative, config.read_only) = (tentative, true);
        };
        let mut stage = Stage::with(4, options);
        let mut liar = Liar { stage: Stage::with(4, options), random: 42 };
        let mut weights = Vec::new();
        for _ in 0..6 {
            for _ in 0..20_000 {
                let message = liar.message();
                let from = if matches!(message, Message::Request(_) | Message::Read(_)) { 5 } else { 0 };
                let effects = stage.deliver(from, 2, message);
                assert!(effects.sends.len() < 200);
            }
            stage.sent.clear();
            weights.push(weight(&stage, 2));
        }
        let replica = &stage.replicas[2];
        assert!(replica.log().last().0 <= replica.log().low().0 + 2 * 20, "no more entries than two windows");
        assert_eq!(
            (replica.last_executed(), replica.log().low()),
            (SeqNum(0), SeqNum(0)),
            "it takes more than one liar"
        );
        assert_eq!(replica.view(), View(0));
        // It fills up, and then it is full: three windows of messages for later views, and a vote a number.
        assert!(weights[5] <= weights[2] + weights[2] / 10, "{weights:?}");
        assert!(weights[5] < 1_000_000, "{weights:?}");
    }
}

#[test]
fn rule_5_messages_of_later_views_are_kept_for_them_within_bounds() {
    let mut stage = Stage::new(4);
    stage.deliver(0, 2, Message::Request(stage.request(0, 0)));
    // What one honest sender may say in a window: three votes a number.
    for seq in 1..=30 {
        for kind in [VoteKind::Prepare, VoteKind::Commit] {
            let early = stage.vote(kind, 3, 1, seq, Digest(seq));
            stage.deliver(3, 2, early);
        }
    }
    let full = weight(&stage, 2);
    for view in [1, 7, u32::MAX] {
        let more = stage.vote(VoteKind::Commit, 3, view, 5, Digest(99));
        stage.deliver(3, 2, more);
    }
    assert_eq!(weight(&stage, 2), full, "one sender's share is 3 L");
    let other = stage.vote(VoteKind::Commit, 1, 1, 5, Digest(99));
    stage.deliver(1, 2, other);
    assert!(weight(&stage, 2) > full, "another's share is another");
}

#[test]
fn rule_2_unknown_nodes_are_nobody() {
    let mut stage = Stage::new(4);
    let signers: Vec<_> = byzlab_replica::Signer::deal(1000).collect();
    let stranger = signers[999].clone();
    stage.deliver(0, 2, Message::Request(stage.request(0, 0)));
    let before = stage.replicas[2].clone();
    let request = Request {
        client: stranger.node(),
        timestamp: 1,
        operation: 0,
        reads: true,
        authenticator: Authenticator::All,
        payload: 0,
    };
    let request = Arc::new(stranger.sign(request));
    let vote = |kind| Message::Vote(stranger.vote(kind, View(0), SeqNum(10), Digest(7)));
    let sayings = [
        Message::Request(Arc::clone(&request)),
        Message::Read(request),
        vote(VoteKind::Prepare),
        vote(VoteKind::Commit),
        vote(VoteKind::Checkpoint),
        vote(VoteKind::PrePrepare),
    ];
    for saying in sayings {
        assert!(stage.deliver(999, 2, saying).is_empty());
        assert!(stage.replicas[2] == before);
    }
}

#[test]
fn rule_2_a_primary_s_vote_in_place_of_a_proposal_is_nothing() {
    let mut stage = Stage::new(4);
    let vote = stage.vote(VoteKind::PrePrepare, 0, 0, 1, Digest(7));
    stage.deliver(0, 2, vote);
    assert!(stage.sent.is_empty());
    // And a PRE-PREPARE that is a vote of another kind, or empty, is none.
    let batch = stage.batch(1, 0);
    let not_one =
        PrePrepare { vote: stage.signers[0].vote(VoteKind::Commit, View(0), SeqNum(1), batch.digest()), batch };
    assert!(kinds(&stage.deliver(0, 2, Message::PrePrepare(Arc::new(not_one)))).is_empty());
    for empty in [Batch::null(), Batch::new(Vec::new(), 3)] {
        let proposal = stage.proposal(0, 0, 1, &Arc::new(empty));
        assert!(kinds(&stage.deliver(0, 2, proposal)).is_empty(), "only a new view orders the null request");
    }
    stage.deliver(
        0,
        2,
        Message::Reply(Arc::new(stage.signers[0].sign(Reply {
            view: View(0),
            timestamp: 1,
            client: NodeId(2),
            replica: NodeId(0),
            result: 0,
            tentative: false,
            read_at: None,
            payload: 0,
        }))),
    );
    assert!(stage.sent.is_empty() && stage.events.is_empty());
}

/// Any f ≤ ⌊(n−1)/3⌋, not only the greatest: what quorums are for.
#[test]
fn quorums_of_every_size_intersect_in_an_honest_replica_and_can_form() {
    for n in 1..=20_u16 {
        for f in 0..=(n - 1) / 3 {
            let cluster = Cluster::new(n, Some(f)).unwrap();
            let q = cluster.quorum();
            assert!(2 * q > n + f, "n = {n}, f = {f}: two quorums share f + 1");
            assert!(q <= n - f, "n = {n}, f = {f}: the honest ones suffice");
            assert!(2 * (q - 1) < n + f + 1, "n = {n}, f = {f}: and one less would not do");
            assert_eq!(cluster.weak_quorum(), f + 1);
        }
        assert!(Cluster::new(n, Some((n - 1) / 3 + 1)).is_err());
    }
}

#[test]
fn rule_9_requests_beyond_the_window_wait_and_are_all_ordered() {
    let mut stage = Stage::with(4, |config| {
        config.checkpoint_interval = NonZeroU64::new(2).unwrap();
        config.log_window = NonZeroU64::new(2).unwrap();
    });
    stage.begin_client(9, |_| {});
    stage.begin_client(9, |_| {});
    stage.run();
    assert_eq!(stage.accepted().len(), 18);
    assert_eq!(stage.states(&[0, 1, 2, 3]).len(), 1);
}

#[test]
fn rule_10_a_client_s_later_request_stands_in_for_one_that_waits() {
    let mut stage = Stage::with(4, |config| config.max_in_flight = NonZeroU64::MIN);
    stage.ask_one(0, 1, 0);
    for timestamp in 1..=3 {
        stage.ask_one(1, timestamp, 0);
    }
    stage.run();
    let executed: Vec<_> =
        stage.executions().into_iter().filter(|(_, node, _)| *node == 2).map(|(.., slot)| slot).collect();
    let last = Batch::new(vec![stage.request(1, 3)], 0).digest();
    assert_eq!(executed.iter().map(|slot| slot.digest).collect::<Vec<_>>(), [stage.batch(1, 0).digest(), last]);
    assert_eq!(stage.batch(1, 7).nonce(), 7);
}

#[test]
fn rule_1_kinds_have_the_names_that_logs_and_configurations_use() {
    let names = "request pre_prepare prepare commit reply checkpoint view_change new_view fetch state status";
    let all: Vec<_> = MessageKind::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(all.join(" "), names);
}
