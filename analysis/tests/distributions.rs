//! The distributions against values of many digits, and their laws, for samples up to 10⁹.

use byzlab_analysis::statistics::{
    beta_cdf, beta_quantile, binomial_cdf, binomial_pmf, binomial_sf, chi_squared_quantile, chi_squared_sf, normal_cdf,
    normal_quantile, normal_sf, order_statistics, quantile_min_n, student_t_cdf, student_t_quantile,
    student_t_two_sided,
};
use proptest::prelude::{ProptestConfig, Strategy, prop_assert, proptest};

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
        assert_near(binomial_pmf(n / 2, n, 0.5).unwrap(), central, 1e-12);
        let below = (1.0 - central) / 2.0;
        assert_near(binomial_cdf(n / 2 - 1, n, 0.5).unwrap(), below, 1e-10);
        assert_near(binomial_sf(n / 2, n, 0.5).unwrap(), below, 1e-10);
    }
    // Far below and far above: Poisson limits and the single last term.
    assert_near(binomial_cdf(0, 1_000_000_000, 1e-9).unwrap(), (-1.0_f64).exp(), 1e-8);
    assert_near(binomial_sf(999_999_999, 1_000_000_000, 1.0 - 1e-9).unwrap(), (-1.0_f64).exp(), 1e-6);
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

#[test]
fn values_of_many_digits() {
    let lines = include_str!("data/distributions.csv").lines().skip(2);
    let mut checked = 0;
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |cell: usize| cells[cell].parse::<f64>().unwrap_or_else(|_| panic!("{line}"));
        let count = |cell: usize| cells[cell].parse::<u64>().unwrap_or_else(|_| panic!("{line}"));
        let value = match cells[0] {
            "normal_cdf" => {
                assert_eq!(normal_cdf(number(1)), normal_sf(-number(1)));
                normal_cdf(number(1))
            }
            "normal_quantile" => normal_quantile(number(1)),
            "beta_cdf" => beta_cdf(number(1), number(2), number(3)),
            "student_t_two_sided" => {
                let (t, df) = (number(1), number(2));
                let both = student_t_two_sided(t, df).unwrap();
                assert_near(student_t_cdf(-t, df).unwrap(), both / 2.0, 1e-15);
                assert_near(student_t_cdf(t, df).unwrap(), 1.0 - both / 2.0, 1e-15);
                Some(both)
            }
            "student_t_quantile" => student_t_quantile(number(1), number(2)),
            "chi_squared_sf" => chi_squared_sf(number(1), number(2)),
            "binomial_cdf" => binomial_cdf(count(1), count(2), number(3)),
            "binomial_sf" => binomial_sf(count(1), count(2), number(3)),
            other => panic!("no function {other}"),
        };
        let (value, expected) = (value.unwrap_or_else(|| panic!("{line}")), number(4));
        let error = (value / expected - 1.0).abs();
        assert!(error < 1e-11, "{line}: {value}, relative error {error:e}");
        checked += 1;
    }
    assert!(checked > 300);
}

#[test]
fn t_is_normal_beyond_all_samples() {
    // The step to the normal distribution with its first correction, at 10¹² degrees of freedom.
    for t in [0.1, 2.0, 6.0, 30.0] {
        let (before, after) = (student_t_two_sided(t, 0.999e12), student_t_two_sided(t, 1.001e12));
        assert_near(before.unwrap(), after.unwrap(), 1e-9);
    }
    for p in [1e-200, 0.01, 0.4, 0.975] {
        let (before, after) = (student_t_quantile(p, 0.999e12), student_t_quantile(p, 1.001e12));
        assert_near(before.unwrap(), after.unwrap(), 1e-11);
    }
    assert_eq!(student_t_two_sided(f64::INFINITY, 1e13), Some(0.0));
}

#[test]
fn binomial_at_its_ends() {
    for n in [0_u64, 1, 10] {
        assert_eq!((binomial_pmf(0, n, 0.0), binomial_pmf(n, n, 1.0)), (Some(1.0), Some(1.0)));
        assert_eq!((binomial_cdf(0, n, 0.0), binomial_sf(0, n, 0.0)), (Some(1.0), Some(0.0)));
        assert_eq!(binomial_pmf(n + 1, n, 0.5), Some(0.0));
    }
    assert_eq!((binomial_pmf(1, 2, 0.0), binomial_pmf(1, 2, 1.0)), (Some(0.0), Some(0.0)));
    assert_eq!((binomial_cdf(1, 2, 1.0), binomial_sf(1, 2, 1.0)), (Some(0.0), Some(1.0)));
    let sum: f64 = (0..=30).map(|k| binomial_pmf(k, 30, 0.3).unwrap()).sum();
    assert_near(sum, 1.0, 1e-14);
}

/// 10⁻² to 10⁹, evenly in orders of magnitude.
fn magnitude() -> impl Strategy<Value = f64> {
    (-2.0..9.0).prop_map(|exponent| 10.0_f64.powf(exponent))
}

/// Probabilities from 10⁻³⁰ to one half.
fn tail() -> impl Strategy<Value = f64> {
    (-30.0..0.0).prop_map(|exponent| 0.5 * 10.0_f64.powf(exponent))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn t_inverts_and_is_symmetric(df in magnitude(), p in tail()) {
        let df = df.max(0.5);
        if let Some(t) = student_t_quantile(p, df) {
            prop_assert!((student_t_cdf(t, df).unwrap() / p - 1.0).abs() < 1e-10);
            if p > 1e-3 {
                let mirrored = student_t_quantile(1.0 - p, df).unwrap();
                prop_assert!((mirrored + t).abs() <= 1e-9 * t.abs().max(1e-6));
            }
        }
    }

    #[test]
    fn t_rises(df in magnitude(), t in -50.0..50.0, step in 1e-3..5.0) {
        let (left, right) = (student_t_cdf(t, df).unwrap(), student_t_cdf(t + step, df).unwrap());
        prop_assert!(left <= right);
    }

    #[test]
    fn beta_inverts(a in magnitude(), b in magnitude(), p in tail()) {
        let x = beta_quantile(p, a, b).unwrap();
        // At the least x the tail stops short; near 1 the next number is a step of the tail.
        if x > 1e-300 && x < 0.999 {
            let tail = beta_cdf(x, a, b).unwrap();
            prop_assert!((tail / p - 1.0).abs() < 1e-9, "{tail} {p}");
        }
    }

    #[test]
    fn beta_mirrors(a in magnitude(), b in magnitude(), parts in 0_u32..=1 << 20) {
        let x = f64::from(parts) / f64::from(1 << 20);
        let (left, right) = (beta_cdf(x, a, b).unwrap(), beta_cdf(1.0 - x, b, a).unwrap());
        prop_assert!((left + right - 1.0).abs() < 1e-14);
    }

    #[test]
    fn beta_rises(a in magnitude(), b in magnitude(), x in 0.0..1.0, y in 0.0..1.0) {
        let (left, right) = (f64::min(x, y), f64::max(x, y));
        prop_assert!(beta_cdf(left, a, b).unwrap() <= beta_cdf(right, a, b).unwrap() + 1e-14);
    }

    #[test]
    fn chi_squared_inverts(df in magnitude(), p in tail()) {
        let x = chi_squared_quantile(p, df).unwrap();
        if x > 1e-300 && p > 1e-3 {
            let above = chi_squared_sf(x, df).unwrap();
            prop_assert!((above - (1.0 - p)).abs() < 1e-10 * p, "{above} {p}");
        }
    }

    #[test]
    fn normal_inverts(p in tail()) {
        let z = normal_quantile(p).unwrap();
        prop_assert!((normal_cdf(z).unwrap() / p - 1.0).abs() < 1e-11);
    }

    #[test]
    fn binomial_tails_are_complements(n in 1_u64..=1_000_000_000, share in 0.0..1.0, p in 0.0..1.0) {
        let k = (n as f64 * share) as u64;
        let (cdf, sf) = (binomial_cdf(k, n, p).unwrap(), binomial_sf(k, n, p).unwrap());
        prop_assert!((0.0..=1.0).contains(&cdf) && (0.0..=1.0).contains(&sf));
        prop_assert!((cdf + sf - 1.0).abs() < 1e-14);
    }
}
