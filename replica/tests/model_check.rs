//! Every order of messages and timeouts, within bounds, against a primary that lies (see [`model`]).
//!
//! A part of the search, 1.4 million states, runs with all tests. The whole of it has 161 million states, and takes five minutes
//! on two cores and 2.7 GB:
//!
//! ```text
//! cargo test --release -p byzlab-replica --test model_check -- --ignored --nocapture full
//! ```

mod model;

use byzlab_replica::{Defect, Defects};
use model::{AGREEMENT, Bounds, ONE_PREPARED, Trial};
use stateright::{Checker, HasDiscoveries, Model};

/// Replica 3 alone may lose patience; the liar makes others join it, but does not vote in view 1.
const PART: Bounds = Bounds { impatient: &[3], timeouts: 1, any_order_at: &[], proofs_to: &[], votes_on: false };

/// Searches everything within bounds. Nothing may be wrong anywhere, and what should be possible is.
fn nothing_is_wrong_within(bounds: Bounds) {
    let checker = Trial::new(bounds, Defects::default()).checker().threads(2).spawn_dfs().join();
    let (unique, generated) = (checker.unique_state_count(), checker.state_count());
    println!("{bounds:?}: {unique} states, reached {generated} times; {}", checker.model().summary());
    checker.assert_properties();
}

#[test]
fn rule_6_and_25_no_order_of_messages_breaks_agreement() {
    nothing_is_wrong_within(PART);
}

#[test]
#[ignore = "the same search with wider bounds: minutes of a release build, and 2.7 GB"]
fn full() {
    // Each may lose patience, and the liar votes in view 1 as well.
    nothing_is_wrong_within(Bounds { impatient: &[1, 2, 3], timeouts: 3, votes_on: true, ..PART });
    // A backup and the next primary hear votes in any order.
    nothing_is_wrong_within(Bounds { any_order_at: &[1, 3], ..PART });
    // A backup hears proofs of what others have committed.
    nothing_is_wrong_within(Bounds { proofs_to: &[3], ..PART });
}

/// Plants a defect. The search must find out what comes of it.
fn shows(defect: Defect, property: &'static str) {
    let of_property = HasDiscoveries::AnyOf([property].into());
    let checker = Trial::new(PART, Defects::plant(defect)).checker().finish_when(of_property).spawn_bfs().join();
    for action in checker.assert_any_discovery(property).into_actions() {
        println!("{action:?}");
    }
}

/// Two batches, each at a backup that takes the primary's PREPARE for another backup's.
#[test]
fn rule_4_a_primary_whose_prepare_counts_is_found_out() {
    shows(Defect::PrimarysPrepareCounts, ONE_PREPARED);
}

/// A batch is committed at one replica in view 0; view 1 begins with nothing, and commits another.
#[test]
fn rule_22_view_changes_that_drop_what_was_prepared_are_found_out() {
    shows(Defect::PreparedDropped, AGREEMENT);
}
