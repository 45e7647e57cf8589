//! Every order of messages and timeouts, within bounds, against a primary that lies.

mod model;

use byzlab_replica::Defects;
use model::{Bounds, Trial};
use stateright::{Checker, Model};

#[test]
#[ignore = "measure"]
fn measure() {
    let flag = |name: &str| std::env::var(name).is_ok();
    let bounds = Bounds {
        timeouts: std::env::var("TIMEOUTS").map_or(1, |t| t.parse().unwrap()),
        early_votes: flag("EARLY"),
        stray_votes: flag("STRAY"),
        proofs: flag("PROOFS"),
    };
    let begin = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let checker = Trial::new(bounds, Defects::default())
        .checker()
        .threads(2)
        .timeout(std::time::Duration::from_secs(300))
        .spawn_dfs()
        .join();
    let end = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    println!(
        "{bounds:?}: {} unique of {} generated, {} single, depth {}, {:?}, done {}",
        checker.unique_state_count(),
        checker.state_count(),
        checker.model().single_states(),
        checker.max_depth(),
        end - begin,
        checker.is_done()
    );
    checker.assert_properties();
}
