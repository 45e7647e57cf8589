//! The value of a continued fraction.

/// `first` + a₁ / (b₁ + a₂ / (b₂ + …)), where `term(m)` gives (aₘ, bₘ).
///
/// Source: the modified method of Lentz; Thompson & Barnett 1986. `None` if it has not come to rest
/// after ten million terms.
pub(super) fn continued_fraction(first: f64, term: impl Fn(f64) -> (f64, f64)) -> Option<f64> {
    const TINY: f64 = 1e-300;
    let nonzero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut value = nonzero(first);
    let mut numerators = value;
    let mut denominators = 0.0;
    for m in 1..10_000_000 {
        let (a, b) = term(f64::from(m));
        denominators = 1.0 / nonzero(b + a * denominators);
        numerators = nonzero(b + a / numerators);
        let change = numerators * denominators;
        value *= change;
        if (change - 1.0).abs() <= 2.0 * f64::EPSILON {
            return Some(value);
        }
    }
    None
}
