//! How often a comparison finds a difference: about as often as promised where there is none, and where there is one, more often in
//! pairs.

use byzlab_analysis::compare::{CompareOptions, SideGroup, Verdict, compare};
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::scenario::{all, latency, runs, side};

/// Values of runs whose network makes them all slow or fast together, and something of their own.
fn draw(random: &mut Xoshiro256PlusPlus, shared: &[f64], shift: f64) -> Vec<f64> {
    shared.iter().map(|network| 60.0 + 10.0 * network + 2.0 * normal(random) + shift).collect()
}

/// Box and Muller's.
fn normal(random: &mut Xoshiro256PlusPlus) -> f64 {
    let mut uniform = || ((random.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
    let (u, v) = (uniform(), uniform());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// The share of experiments with a difference, in which B's seeds begin with `seed` and B is later by `shift`.
fn share_distinguished(seed: u64, shift: f64) -> f64 {
    const EXPERIMENTS: usize = 2_000;
    let mut random = Xoshiro256PlusPlus::seed_from_u64(41);
    let mut distinguished = 0;
    for _ in 0..EXPERIMENTS {
        let shared: Vec<f64> = (0..20).map(|_| normal(&mut random)).collect();
        let other: Vec<f64> = (0..20).map(|_| normal(&mut random)).collect();
        let of_b = if seed == 1 { &shared } else { &other };
        let (a, b) = (draw(&mut random, &shared, 0.0), draw(&mut random, of_b, shift));
        let group = |seed, values: &[f64]| -> Vec<SideGroup> { vec![runs(seed, &all(values))] };
        let (a, b) = (side("a", group(1, &a)), side("b", group(seed, &b)));
        let it = compare(&a, &b, latency(), &CompareOptions::default()).unwrap();
        if matches!(it.groups[0].difference.verdict, Some(Verdict::Higher | Verdict::Lower)) {
            distinguished += 1;
        }
    }
    f64::from(distinguished) / EXPERIMENTS as f64
}

#[test]
fn without_a_difference_five_in_a_hundred_are_found() {
    // Three standard errors of 2000 experiments are 1.5 %.
    for seed in [1, 1_000] {
        let share = share_distinguished(seed, 0.0);
        assert!((0.035..0.065).contains(&share), "seeds from {seed}: {share}");
    }
}

#[test]
fn pairs_find_a_difference_that_independent_runs_do_not() {
    let (paired, independent) = (share_distinguished(1, 2.0), share_distinguished(1_000, 2.0));
    assert!(paired > 0.8 && independent < 0.2, "{paired} and {independent}");
}
