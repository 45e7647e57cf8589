//! I8 and I12.

use byzlab_analysis::EventKind as Kind;
use byzlab_analysis::oracle::Invariant::{I8, I12};

use crate::scenario::*;

#[test]
fn i8_views_do_not_decrease() {
    let mut events = vec![view(1, 2, Kind::Timeout, 0, None), view(1, 2, Kind::ViewChange, 1, None)];
    events.push(view(5, 2, Kind::ViewChange, 2, None));
    events.push(view(6, 2, Kind::NewView, 2, Some(0xaa)));
    violations(&events, []);
    events.push(view(9, 2, Kind::NewView, 1, Some(0xaa)));
    let [violation] = violations(&events, [I8]);
    let (ms, nodes, rows) = proof(&violation);
    assert_eq!((ms, nodes), (9, &[2][..]));
    assert_eq!(
        rows,
        "0,3,6000000,2,new_view,2,,,,,,00000000000000aa\n\
         0,3,9000000,2,new_view,1,,,,,,00000000000000aa\n"
    );
}

#[test]
fn i8_one_order_a_view() {
    let enter = |ms, node, order| view(ms, node, Kind::NewView, 1, Some(order));
    let timeout = view(1, 0, Kind::Timeout, 0, None);
    violations(&[timeout, enter(2, 1, 0xaa), enter(3, 2, 0xaa)], []);
    let [violation] = violations(&[timeout, enter(2, 1, 0xaa), enter(3, 2, 0xbb)], [I8]);
    assert_eq!((proof(&violation).0, proof(&violation).1), (3, &[1, 2][..]));
    // The primary of view 1 enters it once.
    let [violation] = violations(&[timeout, enter(2, 1, 0xaa), enter(3, 1, 0xaa)], [I8]);
    assert_eq!((proof(&violation).0, proof(&violation).1), (3, &[1][..]));
    violations(&[timeout, enter(2, 2, 0xaa), enter(3, 2, 0xaa)], []);
}

#[test]
fn i12_somebody_honest_gave_up_first() {
    let enter = view(5, 2, Kind::NewView, 1, Some(0xaa));
    let timeout = |ms, node, given_up| view(ms, node, Kind::Timeout, given_up, None);
    violations(&[timeout(1, 3, 0), enter], []);
    violations(&[enter, timeout(5, 3, 0)], []);
    let [violation] = violations(&[enter, timeout(6, 3, 0)], [I12]);
    let (ms, nodes, rows) = proof(&violation);
    assert_eq!((ms, nodes), (5, &[2][..]));
    assert_eq!(rows, "0,3,5000000,2,new_view,1,,,,,,00000000000000aa\n");
    violations(&[timeout(1, 3, 1), enter], [I12]);
    // A corrupted one is no reason.
    violations(&[corrupt(0, 3), timeout(1, 3, 0), enter], [I12]);
    // View 0 needs none.
    violations(&[view(5, 2, Kind::NewView, 0, Some(0xaa))], []);
}
