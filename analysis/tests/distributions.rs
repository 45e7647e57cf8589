//! Distributions of samples up to 10⁹, where difference formulas lose their digits.

use byzlab_analysis::statistics::{
    binomial_cdf, binomial_pmf, binomial_sf, normal_quantile, order_statistics, quantile_min_n, student_t_quantile,
};

#[track_caller]
fn assert_near(actual: f64, expected: f64, tolerance: f64) {
    let error = (actual - expected).abs();
    assert!(
        error <= tolerance * expected.abs(),
        "{actual} instead of {expected}: relative error {:e}",
        error / expected.abs()
    );
}

#[test]
fn binomial_of_huge_samples() {
    // Symmetry fixes the exact values: P(X ≤ n/2 − 1) = (1 − P(X = n/2)) / 2, and the central
    // term follows from Wallis' series, C(2m, m)/4^m = 1/√(πm) · (1 − 1/8m + 1/128m² + …).
    for n in [10_000_u64, 1_000_000, 100_000_000, 1_000_000_000] {
        let m = (n / 2) as f64;
        let central = (1.0 - 1.0 / (8.0 * m) + 1.0 / (128.0 * m * m)) / (std::f64::consts::PI * m).sqrt();
        assert_near(binomial_pmf(n / 2, n, 0.5), central, 1e-12);
        let below = (1.0 - central) / 2.0;
        assert_near(binomial_cdf(n / 2 - 1, n, 0.5), below, 1e-10);
        assert_near(binomial_sf(n / 2, n, 0.5), below, 1e-10);
    }
    // Far below and far above: Poisson limits and the single last term.
    assert_near(binomial_cdf(0, 1_000_000_000, 1e-9), (-1.0_f64).exp(), 1e-8);
    assert_near(binomial_sf(999_999_999, 1_000_000_000, 1.0 - 1e-9), (-1.0_f64).exp(), 1e-6);
    // The median's ranks lie z√n/2 around the middle.
    let ranks = order_statistics(1_000_000_000, 0.5, 0.95).unwrap();
    let half_width = 500_000_000.0 - ranks.lower_rank.unwrap() as f64;
    assert_near(half_width, 1.959_964 * 1e9_f64.sqrt() / 2.0, 1e-4);
    assert!(ranks.coverage() >= 0.95 && ranks.coverage() < 0.9501);
}

#[test]
fn t_quantile_has_no_step() {
    // Both methods meet: neighbours on both sides of the switch lie on one smooth curve.
    for p in [0.9, 0.975, 0.995, 0.9995, 0.01] {
        let at = |inverse_df: f64| student_t_quantile(p, 1.0 / inverse_df).unwrap();
        let (x, h) = (1e-3, 1e-7);
        let bend = at(x - h) - 2.0 * at(x) + at(x + h);
        assert!(bend.abs() < 1e-10 * at(x).abs(), "p {p}: {bend:e}");
    }
    // And it tends to the normal quantile.
    let z = normal_quantile(0.975).unwrap();
    assert_near(student_t_quantile(0.975, 1e9).unwrap(), z, 1e-8);
    assert_near(student_t_quantile(0.975, 1e300).unwrap(), z, 1e-15);
}

#[test]
fn smallest_sample_at_the_boundary() {
    // 0.5³ is exactly half of 1 − 0.75.
    assert_eq!(quantile_min_n(0.5, 0.75), Some(3));
    let ranks = order_statistics(3, 0.5, 0.75).unwrap();
    assert_eq!((ranks.lower_rank, ranks.upper_rank), (Some(1), Some(3)));
}
