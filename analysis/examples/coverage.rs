//! The coverage of every interval here, as a table: nominally 95 %, 10,000 repetitions.
//!
//! ```text
//! cargo run --release -p byzlab-analysis --example coverage
//! ```
//!
//! "exact" is the sum of the probabilities of all outcomes whose interval contains the truth. It fails
//! where a coverage leaves what its method promises; rows without a promise are for information. Wilson's
//! swings with the share, most where few fail (n(1−p) below 2); there it promises the mean alone.

#[path = "../tests/coverage/experiment.rs"]
mod experiment;

use std::ops::RangeInclusive;

use byzlab_analysis::statistics::{
    BcaConvention, Moments, agresti_coull, bca_mean, binomial_pmf, clopper_pearson, deviation_interval, jeffreys,
    newcombe, order_statistics, quantile_interval, ratio_of_geometric_means, ratio_of_means, wilson,
};
use experiment::{CONFIDENCE, ShareIntervals, ShareMethod, Source, monte_carlo_error, simulated};

const REPETITIONS: u32 = 10_000;

fn main() {
    println!("| interval | values | n | coverage | exact | promised |\n|---|---|---|---|---|---|");
    means();
    order_statistic_intervals();
    deviations_and_ratios();
    shares();
    differences();
}

/// A draw of one value.
type Draw = fn(&mut Source) -> f64;

fn means() {
    let covers = |sample: &Moments, truth: f64| {
        sample.interval(CONFIDENCE).is_some_and(|interval| interval.lower <= truth && truth <= interval.upper)
    };
    for n in [5, 20, 100] {
        let coverage = simulated(REPETITIONS, n, |source| covers(&(0..n).map(|_| source.normal()).collect(), 0.0));
        row("mean, Student t", "normal", &n.to_string(), Some(coverage), None, Some(0.94..=0.96));
    }
    for n in [5, 20, 100] {
        let coverage = simulated(REPETITIONS, n, |source| covers(&(0..n).map(|_| source.exponential()).collect(), 1.0));
        row("mean, Student t", "exponential", &n.to_string(), Some(coverage), None, None);
    }
    let populations: [(&str, Draw, f64); 2] =
        [("normal", Source::normal, 0.0), ("exponential", Source::exponential, 1.0)];
    for (values, draw, truth) in populations {
        for n in [20, 100] {
            let mut resampling_seed = 0;
            let coverage = simulated(REPETITIONS, n, |source| {
                let sample: Vec<f64> = (0..n).map(|_| draw(source)).collect();
                resampling_seed += 1;
                let interval = bca_mean(&sample, CONFIDENCE, 999, resampling_seed, BcaConvention::Mid);
                interval.is_some_and(|interval| interval.lower <= truth && truth <= interval.upper)
            });
            row("mean, BCa of 999", values, &n.to_string(), Some(coverage), None, None);
        }
    }
}

fn order_statistic_intervals() {
    for (p, name) in [(0.5, "median, order statistics"), (0.9, "p90, order statistics")] {
        for n in [24, 100] {
            let truth = -f64::ln(1.0 - p);
            let coverage = simulated(REPETITIONS, n, |source| {
                let mut values: Vec<f64> = (0..n).map(|_| source.exponential()).collect();
                values.sort_by(f64::total_cmp);
                let interval = quantile_interval(&values, p, CONFIDENCE).expect("values");
                interval.lower.is_none_or(|lower| lower <= truth) && interval.upper.is_none_or(|upper| truth <= upper)
            });
            let exact = order_statistics(n, p, CONFIDENCE).expect("a level").coverage();
            row(name, "exponential", &n.to_string(), Some(coverage), Some(exact), Some(0.95..=1.0));
        }
    }
}

fn deviations_and_ratios() {
    for n in [5, 100] {
        let coverage = simulated(REPETITIONS, n, |source| {
            let sample: Moments = (0..n).map(|_| source.normal()).collect();
            deviation_interval(&sample, CONFIDENCE).is_some_and(|i| i.lower <= 1.0 && 1.0 <= i.upper)
        });
        row("standard deviation, χ²", "normal", &n.to_string(), Some(coverage), None, Some(0.94..=0.96));
    }
    let coverage = simulated(REPETITIONS, 1, |source| {
        let sample: Moments = (0..100).map(|_| source.exponential()).collect();
        deviation_interval(&sample, CONFIDENCE).is_some_and(|i| i.lower <= 1.0 && 1.0 <= i.upper)
    });
    row("standard deviation, χ²", "exponential", "100", Some(coverage), None, None);
    let coverage = simulated(REPETITIONS, 2, |source| {
        let numerator: Moments = (0..15).map(|_| 20.0 + 3.0 * source.normal()).collect();
        let denominator: Moments = (0..10).map(|_| 10.0 + source.normal()).collect();
        ratio_of_means(&numerator, &denominator, CONFIDENCE).is_some_and(|i| i.lower <= 2.0 && 2.0 <= i.upper)
    });
    row("ratio of means, Fieller", "normal", "15, 10", Some(coverage), None, Some(0.94..=0.96));
    let coverage = simulated(REPETITIONS, 3, |source| {
        let numerator: Vec<f64> = (0..15).map(|_| 2.0 * (0.5 * source.normal()).exp()).collect();
        let denominator: Vec<f64> = (0..10).map(|_| (0.2 * source.normal()).exp()).collect();
        ratio_of_geometric_means(&numerator, &denominator, CONFIDENCE).is_some_and(|i| i.lower <= 2.0 && 2.0 <= i.upper)
    });
    row("ratio of geometric means", "log-normal", "15, 10", Some(coverage), None, Some(0.94..=0.96));
}

/// All shares from 0.001 to 0.999 in steps of 0.001.
fn grid() -> impl Iterator<Item = f64> {
    (1..1_000).map(|thousandths| f64::from(thousandths) / 1_000.0)
}

fn shares() {
    let methods: [(&str, ShareMethod); 4] = [
        ("share, Wilson", wilson),
        ("share, Clopper–Pearson", clopper_pearson),
        ("share, Jeffreys", jeffreys),
        ("share, Agresti–Coull", agresti_coull),
    ];
    for (name, method) in methods {
        let least = if name == "share, Clopper–Pearson" { Some(0.95 - 1e-12..=1.0) } else { None };
        for n in [20, 100, 1_000] {
            let intervals = ShareIntervals::new(method, n);
            for share in [0.5, 0.9, 0.99] {
                let (coverage, exact) = (intervals.simulated(share, REPETITIONS, n), intervals.exact(share));
                let enough_fail = n as f64 * (1.0 - share) > 1.5;
                let within = (name == "share, Wilson" && enough_fail).then_some(0.93..=0.97);
                row(name, &format!("{share}"), &n.to_string(), Some(coverage), Some(exact), within.or(least.clone()));
            }
            let all: Vec<f64> = grid().map(|share| intervals.exact(share)).collect();
            let mean = all.iter().sum::<f64>() / all.len() as f64;
            let lowest = all.iter().copied().fold(1.0, f64::min);
            let promised = (name == "share, Wilson").then_some(0.93..=0.97);
            row(name, "mean of 0.001..0.999", &n.to_string(), None, Some(mean), promised);
            row(name, "least of 0.001..0.999", &n.to_string(), None, Some(lowest), least.clone());
        }
    }
}

fn differences() {
    for (n1, p1, n2, p2) in [(20, 0.5, 20, 0.5), (20, 0.9, 30, 0.7), (100, 0.99, 100, 0.9), (50, 1.0, 50, 0.98)] {
        let mut exact = 0.0;
        for k1 in 0..=n1 {
            for k2 in 0..=n2 {
                let interval = newcombe(k1, n1, k2, n2, CONFIDENCE).expect("trials and a level");
                if interval.lower <= p1 - p2 && p1 - p2 <= interval.upper {
                    let probability = |k, n, p| binomial_pmf(k, n, p).expect("a share");
                    exact += probability(k1, n1, p1) * probability(k2, n2, p2);
                }
            }
        }
        row("difference of shares, Newcombe", &format!("{p1}, {p2}"), &format!("{n1}, {n2}"), None, Some(exact), None);
    }
}

/// Prints a row, and fails if the coverage is not what was promised.
fn row(
    method: &str,
    values: &str,
    n: &str,
    coverage: Option<f64>,
    exact: Option<f64>,
    promised: Option<RangeInclusive<f64>>,
) {
    let percent = |share: f64| format!("{:.2} %", 100.0 * share);
    let simulated = coverage
        .map(|coverage| format!("{} ± {:.2}", percent(coverage), 100.0 * monte_carlo_error(coverage, REPETITIONS)));
    let range = promised.clone().map(|range| format!("{:.0}–{:.0} %", 100.0 * range.start(), 100.0 * range.end()));
    let cell = |text: Option<String>| text.unwrap_or_default();
    println!("| {method} | {values} | {n} | {} | {} | {} |", cell(simulated), cell(exact.map(percent)), cell(range));
    if let (Some(promised), Some(reached)) = (promised, exact.or(coverage)) {
        assert!(promised.contains(&reached), "{method} of {values}, n {n}: {reached} is outside {promised:?}");
    }
}
