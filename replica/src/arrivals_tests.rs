use super::*;

const SECOND: u64 = 1_000_000_000;

fn rate(per_second: f64) -> Rate {
    Rate::per_second(per_second).unwrap()
}

fn arrivals(per_second: f64, pattern: Pattern) -> Arrivals {
    Arrivals { rate: rate(per_second), pattern, ramp: None }
}

fn ramp(from: f64, to: f64, over_seconds: u64, pattern: Pattern) -> Arrivals {
    let ramp = Ramp { to: rate(to), over: Span::from_nanos(over_seconds * SECOND) };
    Arrivals { ramp: Some(ramp), ..arrivals(from, pattern) }
}

fn bursts(size: u32) -> Pattern {
    Pattern::Bursts { size: NonZeroU32::new(size).unwrap() }
}

/// The first requests of a client, in nanoseconds.
fn times(arrivals: Arrivals, client: Key, count: u64) -> Vec<u64> {
    let mut last = Time::START;
    let next = |number| {
        last = arrivals.next(client, number, last);
        last.as_nanos()
    };
    (1..=count).map(next).collect()
}

fn client(number: u64) -> Key {
    Key::root(7).child(number)
}

/// How many of them come before an instant.
fn before(times: &[u64], seconds: f64) -> f64 {
    times.partition_point(|&at| (at as f64) < seconds * SECOND as f64) as f64
}

#[test]
fn rates_are_finite_and_above_zero() {
    for wrong in [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(Rate::per_second(wrong), None);
    }
    assert_eq!(Rate::per_second(0.5).map(Rate::get), Some(0.5));
}

#[test]
fn constant_arrivals_are_equally_spaced_from_a_phase_of_their_own() {
    let all: Vec<Vec<u64>> = (0..50).map(|node| times(arrivals(3.0, Pattern::Constant), client(node), 1000)).collect();
    for times in &all {
        let first = times[0];
        assert!(first < SECOND / 3 + 1, "the phase is below one period");
        for (index, at) in times.iter().enumerate() {
            let exact = first as f64 + index as f64 * SECOND as f64 / 3.0;
            assert!((*at as f64 - exact).abs() <= 1.0, "no rounding adds up: {at} for {exact}");
        }
    }
    let early = all.iter().filter(|times| times[0] < SECOND / 6).count();
    assert!((12..=38).contains(&early), "phases are uniform: {early} of 50 are in the first half");
}

/// The number in a time is Poisson: mean and variance are the same.
#[test]
fn poisson_arrivals_have_their_rate_and_its_variance() {
    let counts: Vec<f64> =
        (0..2000).map(|node| before(&times(arrivals(40.0, Pattern::Poisson), client(node), 90), 1.0)).collect();
    assert!(counts.iter().all(|&count| count < 90.0), "enough were drawn");
    let mean = counts.iter().sum::<f64>() / 2000.0;
    let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / 1999.0;
    // Four standard errors: of the mean √(λ/n), of the variance about λ√(2/n).
    assert!((mean - 40.0).abs() < 4.0 * (40.0_f64 / 2000.0).sqrt(), "{mean}");
    assert!((variance - 40.0).abs() < 4.0 * 40.0 * (2.0_f64 / 2000.0).sqrt(), "{variance}");
}

/// Kolmogorov's distance of the gaps to the exponential distribution; 1.95/√n is exceeded once in a thousand.
#[test]
fn poisson_gaps_are_exponential() {
    let times = times(arrivals(1000.0, Pattern::Poisson), client(1), 20_000);
    let mut gaps: Vec<f64> = times.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / 1e6).collect();
    gaps.sort_by(f64::total_cmp);
    let n = gaps.len() as f64;
    let distance = gaps.iter().enumerate().map(|(index, gap)| (1.0 - (-gap).exp() - index as f64 / n).abs());
    assert!(distance.fold(0.0, f64::max) < 1.95 / n.sqrt());
}

#[test]
fn bursts_come_at_once_and_keep_the_rate() {
    let times = times(arrivals(500.0, bursts(10)), client(3), 50_000);
    for burst in times.chunks(10) {
        assert!(burst.iter().all(|at| at == &burst[0]));
    }
    assert!(times.chunks(10).zip(times.chunks(10).skip(1)).all(|(one, next)| one[0] < next[0]));
    let seconds = *times.last().unwrap() as f64 / 1e9;
    // 5,000 bursts: a standard error of 1/√5000.
    assert!((50_000.0 / seconds / 500.0 - 1.0).abs() < 4.0 / 5000.0_f64.sqrt());
}

#[test]
fn bursts_of_one_are_poisson_arrivals() {
    let of = |pattern| times(arrivals(20.0, pattern), client(5), 200);
    assert_eq!(of(bursts(1)), of(Pattern::Poisson));
}

#[test]
fn draws_are_shared_between_rates_and_differ_between_clients() {
    let slow = times(arrivals(10.0, Pattern::Poisson), client(1), 100);
    let fast = times(arrivals(40.0, Pattern::Poisson), client(1), 100);
    for (slow, fast) in slow.iter().zip(&fast) {
        assert!(slow.abs_diff(4 * fast) <= 400, "the same pattern, four times as fast: {slow} and {fast}");
    }
    assert_eq!(slow, times(arrivals(10.0, Pattern::Poisson), client(1), 100));
    assert_ne!(slow, times(arrivals(10.0, Pattern::Poisson), client(2), 100));
}

/// From 10 to 50 a second over 10 s: x seconds after the start 10·x + 2·x² have come.
#[test]
fn a_ramp_stretches_constant_arrivals_exactly() {
    let times = times(ramp(10.0, 50.0, 10, Pattern::Constant), client(1), 1000);
    let phase = 10.0 * times[0] as f64 / 1e9 + 2.0 * (times[0] as f64 / 1e9).powi(2);
    for (index, at) in times.iter().enumerate() {
        let (seconds, expected) = (*at as f64 / 1e9, phase + index as f64);
        let area =
            if seconds < 10.0 { 10.0 * seconds + 2.0 * seconds * seconds } else { 300.0 + 50.0 * (seconds - 10.0) };
        assert!((area - expected).abs() < 1e-6, "request {index} at {seconds} s: {area} for {expected}");
    }
}

#[test]
fn a_ramp_down_is_as_exact() {
    let times = times(ramp(50.0, 0.5, 4, Pattern::Constant), client(1), 200);
    let phase = times[0] as f64 / 1e9 * 50.0 - 49.5 / 8.0 * (times[0] as f64 / 1e9).powi(2);
    let area = |seconds: f64| {
        if seconds < 4.0 { 50.0 * seconds - 49.5 / 8.0 * seconds * seconds } else { 101.0 + 0.5 * (seconds - 4.0) }
    };
    for (index, at) in times.iter().enumerate() {
        let expected = phase + index as f64;
        assert!((area(*at as f64 / 1e9) - expected).abs() < 1e-6, "request {index} at {at} ns");
    }
    assert!(times.is_sorted());
}

/// In each second of the ramp the number is Poisson with the area under the rate as its mean.
#[test]
fn a_ramp_changes_the_time_of_poisson_arrivals() {
    let runs: Vec<Vec<u64>> =
        (0..400).map(|node| times(ramp(10.0, 50.0, 10, Pattern::Poisson), client(node), 600)).collect();
    for second in 0..12_u32 {
        let from = f64::from(second);
        let expected = if second < 10 { 12.0 + 4.0 * from } else { 50.0 };
        let counts = runs.iter().map(|times| before(times, from + 1.0) - before(times, from));
        let mean = counts.sum::<f64>() / 400.0;
        assert!((mean - expected).abs() < 4.0 * (expected / 400.0).sqrt(), "second {second}: {mean} for {expected}");
    }
}

#[test]
fn a_flat_ramp_changes_nothing_and_far_times_never_come() {
    let flat = times(ramp(20.0, 20.0, 3, Pattern::Poisson), client(1), 200);
    let plain = times(arrivals(20.0, Pattern::Poisson), client(1), 200);
    assert!(flat.iter().zip(&plain).all(|(flat, plain)| flat.abs_diff(*plain) <= 200), "but for rounding");
    let never = arrivals(1e-300, Pattern::Poisson).next(client(1), 1, Time::START);
    assert_eq!(never, Time::END);
}
