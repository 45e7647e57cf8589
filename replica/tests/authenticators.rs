//! Requests that not all replicas can verify (rule 3): with MACs a corrupted client can make them, with signatures it cannot.

mod stage;

use byzlab_network::NodeId;
use byzlab_replica::{
    Authentication, Authenticator, Batch, Message, MessageKind, NewView, Request, SignedRequest, Timer, View,
};
use stage::{DELAY, Stage, TIMEOUT, kinds, slot, times};
use std::sync::Arc;

fn with_macs() -> Stage {
    Stage::with(4, |config| config.authentication = Authentication::Mac)
}

/// Request 1 of the first client, which only one replica can verify.
fn only(stage: &Stage, replica: u16) -> SignedRequest {
    let authenticator = Authenticator::Only(NodeId(replica));
    let request = Request { authenticator, ..(**stage.request(0, 1)).clone() };
    Arc::new(stage.signers[stage.client(0)].sign(request))
}

#[test]
fn rule_3_who_vouches_for_a_request_is_not_part_of_it() {
    let stage = with_macs();
    assert_eq!(only(&stage, 0).digest(), stage.request(0, 1).digest());
    let batch = |request| Batch::new(vec![request], 0).digest();
    assert_eq!(batch(only(&stage, 0)), batch(stage.request(0, 1)));
}

#[test]
fn rule_3_a_request_that_a_replica_cannot_verify_is_ignored_however_it_comes() {
    let mut stage = with_macs();
    let request = Message::Request(only(&stage, 1));
    let client = stage.client(0);
    for (from, to) in [(client, 0), (client, 2), (1, 0)] {
        let effects = stage.deliver(from, to, request.clone());
        assert!(effects.sends.is_empty() && effects.events.is_empty(), "{effects:?}");
        assert!(effects.timers.iter().all(|&(timer, _)| timer == Timer::Status), "it waits for nothing: {effects:?}");
    }
    // The one that can verify it passes it on, which is of no use.
    let effects = stage.deliver(client, 1, request);
    assert_eq!(kinds(&effects), [MessageKind::Request]);
}

#[test]
fn rule_3_a_proposal_is_accepted_once_its_requests_can_be_verified() {
    let mut stage = with_macs();
    let client = stage.client(0);
    let proposal = stage.proposal(0, 0, 1, &Arc::new(Batch::new(vec![only(&stage, 0)], 0)));
    assert_eq!(kinds(&stage.deliver(0, 1, proposal.clone())), []);
    // Another request under the same number does not help; the same one, come here by itself, does.
    let same = stage.request(0, 1);
    let other = Request { operation: same.operation + 1, ..(**same).clone() };
    let other = Arc::new(stage.signers[client].sign(other));
    stage.deliver(client, 2, Message::Request(other));
    assert_eq!(kinds(&stage.deliver(0, 2, proposal.clone())), []);
    stage.deliver(client, 1, Message::Request(same));
    assert_eq!(kinds(&stage.deliver(0, 1, proposal)), [MessageKind::Prepare]);
}

#[test]
fn rule_3_a_signature_all_can_verify() {
    let mut stage = Stage::new(4);
    let proposal = stage.proposal(0, 0, 1, &Arc::new(Batch::new(vec![only(&stage, 0)], 0)));
    assert_eq!(kinds(&stage.deliver(0, 1, proposal)), [MessageKind::Prepare]);
    let (client, request) = (stage.client(0), Message::Request(only(&stage, 1)));
    assert_eq!(kinds(&stage.deliver(client, 2, request)), [MessageKind::Request]);
}

/// The request that only the primary can verify costs it its view: nothing behind it can be executed.
#[test]
fn rule_3_a_request_that_only_the_primary_can_verify_stalls_it_until_it_is_deposed() {
    let mut stage = with_macs();
    let (client, request) = (stage.client(0), Message::Request(only(&stage, 0)));
    stage.inject(client, 0, request);
    stage.run_for(TIMEOUT);
    assert!(stage.accepted().is_empty() && stage.timeouts().is_empty(), "the backups know of nothing");
    stage.ask(1, 1);
    stage.run_for(TIMEOUT);
    assert!(stage.executions().is_empty(), "an honest client waits behind it");
    stage.run_for(times(DELAY, 6));
    for replica in &stage.replicas {
        assert_eq!((replica.view(), replica.last_executed().0), (View(1), 2), "null, and the honest client's request");
    }
}

/// What a quorum has prepared is ordered in the next view also where it cannot be verified: those who prepared it vouch for it.
#[test]
fn rule_3_what_a_new_view_orders_is_accepted() {
    let mut stage = with_macs();
    let batch = Arc::new(Batch::new(vec![only(&stage, 2)], 0));
    let slot = slot(0, 1, batch.digest());
    // Two of three replicas other than 1 are liars, or could verify it: what counts is their certificate.
    let prepared = stage.prepared(0, &[2, 3], slot);
    let with = |from| stage.change(from, 1, vec![prepared.clone()]);
    let changes = vec![stage.empty_change(0, 1), with(2), with(3)];
    let new_view = NewView::new(&stage.signers[1], View(1), changes);
    let effects = stage.deliver(1, 0, Message::NewView(Arc::new(new_view)));
    assert!(kinds(&effects).contains(&MessageKind::Fetch), "{:?}", kinds(&effects));
    let proposal = stage.proposal(1, 1, 1, &batch);
    assert_eq!(kinds(&stage.deliver(1, 0, proposal)), [MessageKind::Prepare]);
}
