//! The inverse of a distribution function.

/// Where an increasing function of x > 0 is 0.
///
/// `at` gives its value and its slope against ln x. Newton's method in ln x, with every step that
/// leaves the bracket replaced by halving it: x may be 10⁻³⁰⁰ and still has its digits. Returns what
/// it has after 200 steps at the latest, which no function of this crate needs. `None` where `at` is.
pub(super) fn root(mut lower: f64, mut upper: f64, start: f64, at: impl Fn(f64) -> Option<(f64, f64)>) -> Option<f64> {
    let inside = |x: f64, lower: f64, upper: f64| x > lower && x < upper;
    let middle = |lower: f64, upper: f64| lower.sqrt() * upper.sqrt();
    let mut x = if inside(start, lower, upper) { start } else { middle(lower, upper) };
    for _ in 0..200 {
        let (value, slope) = at(x)?;
        if value > 0.0 {
            upper = x;
        } else {
            lower = x;
        }
        let step = -value / slope;
        if value == 0.0 || step.abs() <= f64::EPSILON / 2.0 || upper <= lower * (1.0 + f64::EPSILON) {
            return Some(x);
        }
        let next = x + x * libm::expm1(step);
        x = if inside(next, lower, upper) { next } else { middle(lower, upper) };
    }
    Some(x)
}
