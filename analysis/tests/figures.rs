//! Figures in which failures count: at the edges, and where limits differ.

use byzlab_analysis::statistics::Attempt::{Beyond, Never, Success};
use byzlab_analysis::statistics::{
    Attempt, Estimate, FigureOptions, Figures, MeanMethod, ProportionMethod, SketchedAttempts,
};

const LIMIT: f64 = 2000.0;

fn figures(attempts: &[Attempt]) -> Figures {
    Figures::new(attempts, &FigureOptions::default(), || "nothing came".to_owned())
}

fn successes(count: u32) -> impl Iterator<Item = Attempt> {
    (1..=count).map(|value| Success(f64::from(value)))
}

fn with(count: u32, others: &[Attempt]) -> Figures {
    figures(&successes(count).chain(others.iter().copied()).collect::<Vec<_>>())
}

fn sketched(attempts: &[Attempt]) -> SketchedAttempts {
    let mut sketched = SketchedAttempts::default();
    for &attempt in attempts {
        sketched.insert(attempt);
    }
    sketched
}

fn estimates(figures: &Figures) -> Vec<&Estimate> {
    let (some, all) = (&figures.conditional, &figures.unconditional);
    let of_some = [&figures.success, &some.mean, &some.standard_deviation, &some.median, &some.p99];
    let of_all = [&all.median, &all.p90, &all.p99, &all.restricted_mean];
    of_some.into_iter().chain(of_all).collect()
}

/// Whatever comes in: nothing but finite numbers comes out, intervals hold their estimates, and what is undefined says why.
#[track_caller]
fn assert_sound(figures: &Figures) {
    for estimate in estimates(figures) {
        let Estimate { estimate: value, lower, upper, above, lower_above, upper_above, .. } = estimate;
        for number in [value, lower, upper, above, lower_above, upper_above].into_iter().flatten() {
            assert!(number.is_finite(), "{estimate:?}");
        }
        assert!(lower.zip(*upper).is_none_or(|(lower, upper)| lower <= upper), "{estimate:?}");
        assert!(value.is_some() || lower.is_none() || above.is_some() || estimate.note.is_some(), "{estimate:?}");
        let is_whole = value.is_some() && lower.is_some() && upper.is_some();
        assert!(is_whole || estimate.note.is_some(), "no reason: {estimate:?}");
        assert!(!estimate.method.is_empty());
    }
    let json = serde_json::to_string(figures).unwrap();
    assert!(!json.contains("NaN") && !json.contains("inf"), "{json}");
}

#[test]
fn of_nothing_all_is_undefined() {
    let none = figures(&[]);
    assert_sound(&none);
    assert_eq!((none.attempts, none.successes, none.unconditional.limit), (0, 0, None));
    assert!(estimates(&none).into_iter().all(|estimate| estimate.estimate.is_none()));
    assert_eq!(none.unconditional.p99.note.as_deref(), Some("nothing came"));
}

#[test]
fn one_and_two() {
    let one = figures(&[Success(5.0)]);
    assert_sound(&one);
    assert_eq!((one.conditional.mean.estimate, one.conditional.mean.interval()), (Some(5.0), None));
    assert_eq!(one.conditional.mean.note.as_deref(), Some("interval undefined: needs at least 2 runs"));
    assert_eq!(one.conditional.standard_deviation.estimate, None);
    assert_eq!((one.unconditional.p99.estimate, one.unconditional.p99.interval()), (Some(5.0), None));
    let failed = figures(&[Beyond(LIMIT)]);
    assert_sound(&failed);
    assert_eq!((failed.unconditional.median.estimate, failed.unconditional.median.above), (None, Some(LIMIT)));
    assert_eq!(failed.unconditional.restricted_mean.estimate, Some(LIMIT));

    let two = figures(&[Success(4.0), Success(6.0)]);
    assert_sound(&two);
    assert_eq!(two.conditional.standard_deviation.estimate, Some(2_f64.sqrt()));
    // Without failures the restricted mean is the mean, though no limit is known.
    assert_eq!(two.unconditional.restricted_mean.interval(), two.conditional.mean.interval());
    assert_eq!(two.unconditional.limit, None);
    let half = figures(&[Success(4.0), Beyond(LIMIT)]);
    assert_sound(&half);
    assert_eq!((half.unconditional.median.estimate, half.unconditional.p90.above), (Some(4.0), Some(LIMIT)));
    assert_eq!(half.unconditional.restricted_mean.estimate, Some(1002.0));
}

#[test]
fn all_failed() {
    for attempt in [Beyond(LIMIT), Never] {
        let options = FigureOptions { limit: Some(LIMIT), ..FigureOptions::default() };
        let all = Figures::new(&[attempt; 10], &options, || "nothing came".to_owned());
        assert_sound(&all);
        assert_eq!((all.successes, all.conditional.n, all.unconditional.n), (0, 0, 10));
        assert_eq!(all.success.estimate, Some(0.0));
        assert_eq!(all.conditional.mean.note.as_deref(), Some("nothing came"));
        let median = &all.unconditional.median;
        assert_eq!((median.above, median.lower_above, median.upper_above), (Some(LIMIT), Some(LIMIT), Some(LIMIT)));
        // Ten equal values are no proof that all are.
        let mean = &all.unconditional.restricted_mean;
        assert_eq!((mean.estimate, mean.interval()), (Some(LIMIT), None));
        assert_eq!(mean.note.as_deref(), Some("interval undefined: all runs count as the limit"));
    }
    let endless = figures(&[Never; 10]);
    assert_sound(&endless);
    assert_eq!((endless.unconditional.median.estimate, endless.unconditional.median.above), (None, None));
    assert_eq!(endless.unconditional.restricted_mean.note.as_deref(), Some("no limit is known to restrict it to"));
}

#[test]
fn all_equal() {
    let all = figures(&[Success(7.0); 8]);
    assert_sound(&all);
    for estimate in [&all.conditional.mean, &all.unconditional.median, &all.unconditional.restricted_mean] {
        assert_eq!((estimate.estimate, estimate.interval()), (Some(7.0), Some((7.0, 7.0))));
    }
    assert_eq!(all.conditional.standard_deviation.estimate, Some(0.0));
}

#[test]
fn without_failures_all_is_what_succeeded() {
    let all = with(400, &[]);
    assert_sound(&all);
    assert_eq!((all.unconditional.p90.estimate, all.unconditional.p99.estimate), (Some(360.0), Some(396.0)));
    assert_eq!(all.unconditional.p99.interval(), all.conditional.p99.interval());
    assert_eq!(all.unconditional.p99.coverage, all.conditional.p99.coverage);
    let coverage = all.unconditional.p99.coverage.unwrap();
    assert!((0.95..0.99).contains(&coverage), "{coverage}");
}

/// Failures move the quantiles up, and the end of an interval goes beyond the limit before the estimate does.
#[test]
fn quantiles_climb_over_the_limit() {
    let some = with(95, &[Beyond(LIMIT); 5]);
    assert_sound(&some);
    let all = &some.unconditional;
    assert_eq!((all.median.estimate, all.p90.estimate, all.p99.estimate), (Some(50.0), Some(90.0), None));
    assert_eq!((all.p90.upper, all.p90.upper_above), (None, Some(LIMIT)));
    assert!(all.p90.note.as_ref().unwrap().starts_with("upper end falls among the 5 of 100 runs that did not"));
    assert!(all.p99.note.as_ref().unwrap().starts_with("it falls among the 5 of 100 runs that did not"));
    assert_eq!(some.conditional.median.estimate, Some(48.0), "what failed is left out there");

    let better = with(95, &[Success(96.0); 5]).unconditional;
    assert!(better.restricted_mean.estimate < all.restricted_mean.estimate);
}

/// It is neither a success nor censored: with the same limit it counts like a timeout, and among different limits it is not let go.
#[test]
fn a_violation_is_no_censoring() {
    let (late, wrong) = (with(95, &[Beyond(LIMIT); 5]), with(95, &[Beyond(LIMIT), Never, Never, Never, Never]));
    assert_eq!(late.unconditional, wrong.unconditional);
    assert_eq!(late.success, wrong.success);

    let given_up = with(10, &[Beyond(0.5); 10]).unconditional;
    let never = with(10, &[Never; 10]).unconditional;
    assert_eq!(given_up.median.estimate, Some(5.0), "nothing is known of the ten");
    assert_eq!(never.median.estimate, Some(10.0));
    assert_eq!((never.p90.estimate, never.kaplan_meier), (None, None));
}

#[test]
fn different_limits_make_a_kaplan_meier_curve() {
    // Freireich's patients: remission in weeks, some left the study before.
    let seen = [6.0, 6.0, 6.0, 7.0, 10.0, 13.0, 16.0, 22.0, 23.0].map(Success);
    let left = [6.0, 9.0, 10.0, 11.0, 17.0, 19.0, 20.0, 25.0, 32.0, 32.0, 34.0, 35.0].map(Beyond);
    let all: Vec<Attempt> = seen.into_iter().chain(left).collect();
    let figures = figures(&all);
    assert_sound(&figures);
    let all = &figures.unconditional;
    assert_eq!((all.median.estimate, all.median.lower, all.median.upper), (Some(23.0), Some(13.0), None));
    assert_eq!((all.median.upper_above, all.p90.above), (Some(35.0), Some(35.0)));
    assert!(all.median.method.starts_with("Kaplan–Meier over all runs"), "{}", all.median.method);
    // To the shortest limit everybody was seen.
    assert_eq!((all.limit, all.restricted_mean.estimate), (Some(6.0), Some(6.0)));
    let longest = all.kaplan_meier.as_ref().unwrap();
    let (limit, area) = (longest.limit, longest.restricted_mean.estimate.unwrap());
    let to_30 = 21.046_498_599_439_776;
    assert!((area - (to_30 + (limit - 30.0) * 0.448_179_271_708_683_55)).abs() < 1e-12, "{area}");

    // Limits that differ where nothing succeeded later need no curve.
    let rest = with(10, &[Beyond(20.0), Beyond(20.0)]).unconditional;
    assert!(rest.kaplan_meier.is_none() && rest.median.method.starts_with("order statistics"));
}

#[test]
fn infinities_and_nan() {
    let plain = with(9, &[Never]);
    let infinite = with(9, &[Success(f64::INFINITY)]);
    assert_eq!(plain, infinite, "a success that takes for ever is none");
    assert_eq!(plain, with(9, &[Beyond(f64::INFINITY)]));
    assert_eq!(plain, with(9, &[Beyond(f64::NAN)]));
    let odd = with(9, &[Success(f64::NAN), Success(f64::NEG_INFINITY)]);
    assert_sound(&odd);
    assert_eq!((odd.attempts, odd.successes, odd.without_value), (11, 11, 2));
    assert_eq!((odd.conditional.n, odd.unconditional.n), (9, 9));
    assert_eq!(odd.unconditional.restricted_mean.estimate, odd.conditional.mean.estimate);
    for estimate in [&odd.unconditional.median, &odd.unconditional.restricted_mean] {
        assert!(estimate.note.as_ref().unwrap().ends_with("2 of 11 completed runs have no value and are left out"));
    }
    // Only failures have a number, which would make all fail.
    let nothing = figures(&[Success(f64::NAN), Beyond(LIMIT)]);
    assert_sound(&nothing);
    assert_eq!((nothing.success.estimate, nothing.unconditional.median.above), (Some(0.5), None));
    let huge = figures(&[Success(f64::MAX), Success(-f64::MAX), Success(f64::MAX)]);
    assert_sound(&huge);
}

/// Skewed values: the bootstrap's interval leans to the side of the long tail. Its method says all that it depends on.
#[test]
fn intervals_on_request() {
    let attempts: Vec<Attempt> = (0..40).map(|i| Success((f64::from(i) / 6.0).exp())).chain([Beyond(LIMIT)]).collect();
    let by = |mean, proportion| {
        let options = FigureOptions { mean, proportion, ..FigureOptions::default() };
        let figures = Figures::new(&attempts, &options, String::new);
        assert_sound(&figures);
        figures
    };
    let bootstrap = |seed| by(MeanMethod::Bca { replicates: 2000, seed }, ProportionMethod::ClopperPearson);
    let (usual, one) = (by(MeanMethod::StudentT, ProportionMethod::Wilson), bootstrap(1));
    assert_eq!(one, bootstrap(1));
    assert_ne!(one.conditional.mean, bootstrap(2).conditional.mean);

    let (t, bca) = (&usual.conditional.mean, &one.conditional.mean);
    assert_eq!(bca.method, "BCa bootstrap (2000 resamples, seed 1, ties count half) over completed runs");
    assert_eq!(t.estimate, bca.estimate);
    assert!(bca.lower > t.lower && bca.upper > t.upper, "{bca:?} {t:?}");
    let all = &one.unconditional.restricted_mean;
    assert!(all.method.ends_with("over all runs, BCa bootstrap (2000 resamples, seed 1, ties count half)"), "{all:?}");
    let deviation = &usual.conditional.standard_deviation;
    assert_eq!(deviation.method, "χ² (normal values) over completed runs");
    assert!(deviation.lower < deviation.estimate && deviation.estimate < deviation.upper);
    assert!(one.success.lower < usual.success.lower && one.success.upper > usual.success.upper);
    assert_eq!((&usual.success.method[..], &one.success.method[..]), ("Wilson score", "Clopper–Pearson"));

    let options = FigureOptions { mean: MeanMethod::Bca { replicates: 2000, seed: 1 }, ..FigureOptions::default() };
    let one = Figures::new(&[Success(1.0)], &options, String::new);
    assert_sound(&one);
    assert_eq!(one.conditional.mean.note.as_deref(), Some("interval undefined: needs at least 2 runs"));
}

/// Successes without a value could lie anywhere among all: beside failures nothing can be said, for those all count.
#[test]
fn successes_without_a_value_beside_failures() {
    let mut attempts = vec![Success(f64::NAN); 85];
    attempts.extend(successes(5));
    attempts.extend([Beyond(LIMIT); 10]);
    let exact = figures(&attempts);
    let sketched = sketched(&attempts);
    let sketched = sketched.figures(&FigureOptions::default(), || "nothing came".to_owned());
    let reason = "undefined: 85 of 90 completed runs have no value, and nothing says where they lie among all";
    for figures in [&exact, &sketched] {
        assert_sound(figures);
        assert_eq!((figures.success.estimate, figures.conditional.n), (Some(0.9), 5));
        let all = &figures.unconditional;
        assert_eq!((all.n, all.limit), (15, None));
        for estimate in [&all.median, &all.p90, &all.p99, &all.restricted_mean] {
            assert_eq!((estimate.estimate, estimate.above, estimate.note.as_deref()), (None, None, Some(reason)));
        }
    }
    let median = FigureOptions::default().quantile_of_all(&attempts, 0.5, || "nothing came".to_owned());
    assert_eq!(median.note.as_deref(), Some(reason));
}

/// What does not vary among a few is not sure of all.
#[test]
fn no_interval_has_no_width() {
    let blind = figures(&[Beyond(1.0), Beyond(2.0)]).unconditional;
    assert_eq!((blind.restricted_mean.estimate, blind.restricted_mean.interval()), (Some(1.0), None));
    for (attempts, area) in [(vec![Beyond(1.0), Beyond(2.0)], 2.0), (vec![Beyond(1.0), Success(5.0)], 5.0)] {
        let figures = figures(&attempts);
        assert_sound(&figures);
        let area_of_all = figures.unconditional.kaplan_meier.unwrap().restricted_mean;
        assert_eq!((area_of_all.estimate, area_of_all.interval()), (Some(area), None));
        assert!(area_of_all.note.unwrap().starts_with("interval undefined: Greenwood's formula"));
    }
    let late = [Beyond(1.0), Success(5.0), Success(6.0), Success(7.0), Beyond(8.0)];
    for attempts in [&late[..], &[Beyond(LIMIT)]] {
        let mean = figures(attempts).unconditional.restricted_mean;
        assert!(mean.estimate.is_some() && mean.interval().is_none());
        assert_eq!(mean.note.as_deref(), Some("interval undefined: all runs count as the limit"));
    }
    let sketched = sketched(&[Success(9.0); 10]);
    let options = FigureOptions { limit: Some(9.0), ..FigureOptions::default() };
    let mean = sketched.figures(&options, String::new).unconditional.restricted_mean;
    assert_eq!((mean.estimate, mean.interval()), (Some(9.0), None));
}

/// No mean of min(x, τ) is above τ, and no mean of times below 0.
#[test]
fn intervals_end_where_no_mean_can_be() {
    let mut attempts = vec![Success(100.0)];
    attempts.extend([Beyond(LIMIT); 9]);
    let sketched = sketched(&attempts);
    let sketched = sketched.figures(&FigureOptions::default(), String::new);
    for figures in [figures(&attempts), sketched] {
        let mean = figures.unconditional.restricted_mean;
        assert_eq!((mean.estimate, mean.upper), (Some(1810.0), Some(LIMIT)));
        assert!((mean.lower.unwrap() - 1380.19).abs() < 0.01, "{mean:?}");
        assert_eq!(mean.method, "mean of min(x, limit) over all runs, Student t, cut at the limit");
    }
    let times = FigureOptions { least: Some(0.0), limit: Some(LIMIT), ..FigureOptions::default() };
    let attempts = [Success(1.0), Success(2.0), Beyond(LIMIT)];
    let few = Figures::new(&attempts, &times, String::new);
    assert_eq!(
        (few.conditional.mean.lower, few.unconditional.restricted_mean.interval()),
        (Some(0.0), Some((0.0, LIMIT)))
    );
    assert_eq!(few.conditional.mean.method, "Student t over completed runs, cut at 0");
    assert!(few.unconditional.restricted_mean.method.ends_with("Student t, cut at 0 and at the limit"));
    // Of numbers that can be negative nothing is cut below.
    assert!(figures(&attempts).unconditional.restricted_mean.lower.unwrap() < 0.0);
}

/// Numbers too large to compute with are not too few, and not failures.
#[test]
fn overflow_says_so() {
    let attempts = [Success(1e308), Success(-1e308)];
    let sketched = sketched(&attempts);
    for figures in [figures(&attempts), sketched.figures(&FigureOptions::default(), || "nothing came".to_owned())] {
        assert_sound(&figures);
        let (some, all) = (&figures.conditional, &figures.unconditional);
        for estimate in [&some.mean, &some.standard_deviation, &all.restricted_mean] {
            let note = estimate.note.as_deref().unwrap();
            assert!(note.ends_with("the numbers are too large to compute with"), "{estimate:?}");
        }
    }
}

/// A sketch says of its quantiles what the exact ones say, but for the error.
#[test]
fn sketched_quantiles_are_named() {
    let sketched = sketched(&successes(50).collect::<Vec<_>>());
    let options = FigureOptions::default();
    let p99 = sketched.quantile(0.99, &options, String::new);
    let exact = with(50, &[]).conditional.p99;
    assert_eq!(p99.method, "type 1, order statistics over completed runs, approximate within 0.5 %");
    assert_eq!((p99.coverage, &p99.note), (exact.coverage, &exact.note));
    assert!(p99.lower.is_some() && p99.upper.is_none());
    assert_eq!(p99.note.as_deref(), Some("upper end undefined: needs at least 368 runs"));
}

#[test]
fn a_confidence_that_rounds_away_is_no_lack_of_runs() {
    let options = FigureOptions { confidence: 1.0 - f64::EPSILON / 2.0, ..FigureOptions::default() };
    let figures = Figures::new(&[Success(1.0), Success(2.0)], &options, String::new);
    for estimate in [&figures.success, &figures.conditional.mean] {
        assert!(estimate.estimate.is_some() && estimate.lower.is_none(), "{estimate:?}");
        assert!(estimate.note.as_ref().unwrap().contains("too near 1"), "{estimate:?}");
    }
}
