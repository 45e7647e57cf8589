use super::*;
use crate::message::{Authenticator, Batch, PrePrepare, Reply, Request, SeqNum, SignedRequest, View, VoteKind};
use crate::signature::Signer;
use crate::transfer::{Content, State};
use crate::view_change::ViewChange;
use crate::wire::Authentication;
use crate::{Digest, Prepared, Votes};
use byzlab_network::latency::Shape;
use std::sync::Arc;

const NS: fn(u64) -> Span = Span::from_nanos;
const OTHERS: Recipients = Recipients::OthersBelow(NodeId(10));
const SIGNED: Wire = Wire::SIGNED;

fn with_macs() -> Wire {
    Wire::new(Authentication::Mac, 10)
}

/// Each operation costs a power of ten, so that a sum says what was done.
fn processing() -> Processing {
    let cost = |nanoseconds| Latency::constant(NS(nanoseconds));
    Processing {
        receive: cost(1),
        send: cost(100),
        sign: cost(10_000),
        verify: cost(1_000_000),
        mac: cost(100_000_000),
        execute: cost(10_000_000_000),
        ..Processing::default()
    }
}

fn costs(wire: Wire, node: u16) -> Costs {
    Costs::new(&processing(), wire, NodeId(node), Key::root(1))
}

/// What was done, from the sum that it cost: messages received, copies sent, signed, verified, MACs, executed.
fn done(cost: Span) -> [u64; 6] {
    [0, 2, 4, 6, 8, 10].map(|digits| cost.as_nanos() / 10_u64.pow(digits) % 100)
}

fn signer(node: usize) -> Signer {
    Signer::deal(node + 1).last().unwrap()
}

fn request(client: usize) -> SignedRequest {
    let request = Request {
        client: NodeId(0),
        timestamp: 1,
        operation: 0,
        reads: false,
        authenticator: Authenticator::All,
        payload: 0,
    };
    Arc::new(signer(client).sign(request))
}

fn batch() -> Arc<Batch> {
    Arc::new(Batch::new(vec![request(10), request(11), request(12)], 0))
}

fn vote(node: usize) -> Message {
    Message::Vote(signer(node).vote(VoteKind::Commit, View(0), SeqNum(1), Digest(7)))
}

fn pre_prepare() -> Message {
    Message::PrePrepare(Arc::new(PrePrepare::new(&signer(0), View(0), SeqNum(1), batch())))
}

fn reply() -> Message {
    let (view, client, replica) = (View(0), NodeId(10), NodeId(1));
    let reply = Reply { view, timestamp: 1, client, replica, result: 0, tentative: false, read_at: None, payload: 0 };
    Message::Reply(Arc::new(signer(1).sign(reply)))
}

/// By replica 1, with one prepared certificate of six backups.
fn view_change() -> Message {
    let pre_prepare = signer(0).vote(VoteKind::PrePrepare, View(0), SeqNum(1), Digest(7));
    let mut backups = Votes::default();
    for node in 1..=6 {
        backups.insert(&signer(node).vote(VoteKind::Prepare, View(0), SeqNum(1), Digest(7)));
    }
    let prepared = vec![Prepared { pre_prepare, prepares: backups.certificate(Digest(7)) }];
    let (view, stable, replica) = (View(1), SeqNum(0), NodeId(1));
    Message::ViewChange(Arc::new(signer(1).sign(ViewChange { view, stable, checkpoint: None, prepared, replica })))
}

#[test]
fn taking_a_message_in_checks_what_it_brings() {
    let state = State { content: Content::Batch { seq: SeqNum(1), batch: batch() }, replica: NodeId(1) };
    for (message, signed, authenticated) in [
        (Message::Request(request(10)), [1, 0], [0, 1]),
        (vote(2), [1, 0], [0, 1]),
        (pre_prepare(), [4, 0], [0, 4]),
        (reply(), [1, 0], [0, 1]),
        (view_change(), [8, 0], [8, 0]),
        (Message::State(Arc::new(signer(1).sign(state))), [4, 0], [0, 4]),
    ] {
        for (wire, [signatures, macs]) in [(SIGNED, signed), (with_macs(), authenticated)] {
            let cost = costs(wire, 3).take_in(&message);
            assert_eq!(done(cost), [1, 0, 0, signatures, macs, 0], "{message:?}");
        }
    }
}

#[test]
fn an_author_signs_once_and_sends_each_copy() {
    for (node, message, to, copies, macs) in [
        (2, vote(2), OTHERS, 9, 10),
        (0, pre_prepare(), OTHERS, 9, 10),
        (10, Message::Request(request(10)), OTHERS, 10, 10),
        (10, Message::Request(request(10)), Recipients::One(NodeId(0)), 1, 10),
        (1, reply(), Recipients::One(NodeId(10)), 1, 1),
        (2, vote(2), Recipients::List([NodeId(3), NodeId(4), NodeId(7)].into()), 3, 10),
    ] {
        assert_eq!(done(costs(SIGNED, node).send_out(&to, &message)), [0, copies, 1, 0, 0, 0], "{message:?}");
        assert_eq!(done(costs(with_macs(), node).send_out(&to, &message)), [0, copies, 0, 0, macs, 0], "{message:?}");
    }
    for wire in [SIGNED, with_macs()] {
        assert_eq!(done(costs(wire, 1).send_out(&OTHERS, &view_change())), [0, 9, 1, 0, 0, 0], "signed in any case");
    }
}

#[test]
fn what_is_passed_on_is_only_sent() {
    for (message, to) in [(Message::Request(request(10)), Recipients::One(NodeId(0))), (pre_prepare(), OTHERS)] {
        let copies = copies(NodeId(3), &to);
        assert_eq!(done(costs(SIGNED, 3).send_out(&to, &message)), [0, copies, 0, 0, 0, 0], "{message:?}");
    }
}

#[test]
fn a_message_for_nobody_costs_nothing() {
    let alone = Recipients::OthersBelow(NodeId(1));
    assert_eq!(costs(SIGNED, 0).send_out(&alone, &vote(0)), Span::ZERO);
    assert_eq!(costs(SIGNED, 0).send_out(&Recipients::List([].into()), &vote(0)), Span::ZERO);
}

#[test]
fn executing_costs_by_the_request() {
    assert_eq!(done(costs(SIGNED, 0).execute(7)), [0, 0, 0, 0, 0, 7]);
    assert_eq!(costs(SIGNED, 0).execute(0), Span::ZERO);
}

#[test]
fn hashing_costs_by_the_byte_and_is_rounded_once() {
    let processing = Processing { hash_per_kib: Latency::constant(NS(3000)), ..Processing::default() };
    let costs = |node| Costs::new(&processing, SIGNED, NodeId(node), Key::root(1));
    // 120 bytes: 351.56 ns.
    assert_eq!(costs(3).take_in(&vote(2)), NS(352));
    assert_eq!(costs(2).send_out(&OTHERS, &vote(2)), NS(352), "once for all copies");
    assert_eq!(costs(3).send_out(&OTHERS, &vote(2)), Span::ZERO, "passed on");
    let large = Request { payload: 1 << 20, ..(**request(10)).clone() };
    let large = Message::Request(Arc::new(signer(10).sign(large)));
    assert_eq!(costs(3).take_in(&large), NS(((1 << 20) + 88) * 3000 / 1024 + 1));
    let dear = Processing { hash_per_kib: Latency::constant(Latency::LONGEST), ..Processing::default() };
    let cost = Costs::new(&dear, SIGNED, NodeId(3), Key::root(1)).take_in(&large);
    assert_eq!(cost, NS(u64::MAX), "no overflow");
}

fn exponential(mean: u64) -> Latency {
    Latency::new(Shape::Exponential { mean: NS(mean) }, Span::ZERO, Span::ZERO).unwrap()
}

#[test]
fn draws_are_named_by_node_operation_and_number() {
    let processing = Processing { verify: exponential(1000), execute: exponential(1000), ..processing() };
    let costs = |node| Costs::new(&processing, SIGNED, NodeId(node), Key::root(1));
    let draws = |mut costs: Costs| -> Vec<Span> { (0..20).map(|_| costs.take_in(&vote(2))).collect() };
    assert_eq!(draws(costs(3)), draws(costs(3)), "the same run");
    assert_ne!(draws(costs(3)), draws(costs(4)), "another node");
    assert_ne!(draws(costs(3)), draws(Costs::new(&processing, SIGNED, NodeId(3), Key::root(2))), "another run");

    // What else a node does changes nothing.
    let mut busy = costs(3);
    let among_others: Vec<Span> = (0..20)
        .map(|count| {
            busy.execute(count);
            busy.send_out(&OTHERS, &vote(3));
            busy.take_in(&vote(2))
        })
        .collect();
    assert_eq!(among_others, draws(costs(3)));

    // Four signatures at once are the first four.
    let without_receive = |cost: Span| cost.as_nanos() - 1;
    let singly: u64 = draws(costs(3)).into_iter().take(4).map(without_receive).sum();
    assert_eq!(without_receive(costs(3).take_in(&pre_prepare())), singly);
}

#[test]
fn random_costs_have_their_mean() {
    let processing = Processing { execute: exponential(1000), ..Processing::default() };
    let total = Costs::new(&processing, SIGNED, NodeId(0), Key::root(5)).execute(100_000).as_nanos();
    // Five standard errors of 1000/√100,000 each.
    assert!((total as f64 / 1e5 - 1000.0).abs() < 5.0 * 1000.0 / 1e5_f64.sqrt(), "{total}");
}

#[test]
fn constant_costs_draw_nothing() {
    let narrow = Latency::uniform(NS(5), NS(5)).unwrap();
    let mut costs = Costs::new(&Processing { execute: narrow, ..processing() }, SIGNED, NodeId(3), Key::root(1));
    assert_eq!(costs.execute(3), NS(15));
    costs.take_in(&pre_prepare());
    costs.send_out(&OTHERS, &vote(3));
    let Costs { receive, send, sign, verify, mac, hash_per_kib, execute, .. } = costs;
    assert!([receive, send, sign, verify, mac, hash_per_kib, execute].iter().all(|cost| cost.drawn == 0));
}

#[test]
fn processing_is_free_if_nothing_ever_takes_time() {
    assert!(Processing::default().is_free());
    let more_cores = NonZeroU16::new(8).unwrap();
    assert!(Processing { cores: more_cores, ..Processing::default() }.is_free());
    assert!(!processing().is_free());
    assert!(!Processing { mac: exponential(1), ..Processing::default() }.is_free());
}
