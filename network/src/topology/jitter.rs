//! What is added to the delay between two sites.

use crate::latency::{Latency, LatencyError, Shape};
use crate::time::Span;

/// What is added to each delay, drawn for each message.
#[derive(Clone, Debug, PartialEq)]
pub enum Jitter {
    /// The same distribution for all pairs.
    Absolute(Latency),
    /// In proportion to the one-way delay of the pair. This is the distribution of a pair whose delay is [`Jitter::UNIT`].
    Relative(Latency),
}

impl Jitter {
    /// The delay for which a relative jitter is given.
    pub const UNIT: Span = Span::from_nanos(1_000_000_000);

    /// The delays of a pair whose least delay is `base`: no draw is below that.
    ///
    /// # Errors
    /// [`LatencyError::Unbounded`], if the greatest draw becomes too long. Nothing else, for what is checked at 1 s holds for all.
    pub fn added_to(&self, base: Span) -> Result<Latency, LatencyError> {
        match self {
            Jitter::Absolute(jitter) => {
                Latency::new(jitter.shape().clone(), base + jitter.offset(), base + jitter.floor())
            }
            // A part of nothing is nothing.
            Jitter::Relative(_) if base == Span::ZERO => Ok(Latency::constant(base)),
            Jitter::Relative(jitter) => {
                let part = |length: Span| part_of(base, length);
                Latency::new(scaled(jitter.shape(), part), base + part(jitter.offset()), base + part(jitter.floor()))
            }
        }
    }
}

/// `length / UNIT` of the base, to whole nanoseconds; at least one of them if it is more than nothing, for a distribution without any
/// length is none.
fn part_of(base: Span, length: Span) -> Span {
    let product = u128::from(base.as_nanos()) * u128::from(length.as_nanos());
    let unit = u128::from(Jitter::UNIT.as_nanos());
    let rounded = (product + unit / 2) / unit;
    let least = u128::from(product > 0);
    Span::from_nanos(u64::try_from(rounded.max(least)).unwrap_or(u64::MAX))
}

/// A shape with all its lengths changed.
fn scaled(shape: &Shape, change: impl Fn(Span) -> Span) -> Shape {
    match shape {
        Shape::Constant { value } => Shape::Constant { value: change(*value) },
        Shape::Uniform { min, max } => Shape::Uniform { min: change(*min), max: change(*max) },
        Shape::Normal { mean, std_dev } => Shape::Normal { mean: change(*mean), std_dev: change(*std_dev) },
        Shape::Exponential { mean } => Shape::Exponential { mean: change(*mean) },
        Shape::Lognormal { median, sigma } => Shape::Lognormal { median: change(*median), sigma: *sigma },
        Shape::Pareto { scale, shape } => Shape::Pareto { scale: change(*scale), shape: *shape },
        Shape::Gamma { shape, scale } => Shape::Gamma { shape: *shape, scale: change(*scale) },
        Shape::Weibull { scale, shape } => Shape::Weibull { scale: change(*scale), shape: *shape },
        Shape::Discrete { values, weights } => {
            let values = values.iter().map(|&value| change(value)).collect();
            Shape::Discrete { values, weights: weights.clone() }
        }
        Shape::Empirical { values } => Shape::Empirical { values: values.iter().map(|&value| change(value)).collect() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Key;

    fn ms(milliseconds: u64) -> Span {
        Span::from_millis(milliseconds)
    }

    fn draws(latency: &Latency) -> Vec<Span> {
        (0..2000).map(|i| latency.sample(&mut Key::root(3).child(i).draw())).collect()
    }

    #[test]
    fn jitter_only_ever_adds() {
        let shapes = [
            Shape::Exponential { mean: ms(5) },
            Shape::Normal { mean: ms(1), std_dev: ms(3) },
            Shape::Uniform { min: ms(0), max: ms(4) },
            Shape::Lognormal { median: ms(2), sigma: 1.0 },
        ];
        for shape in shapes {
            let jitter = Latency::new(shape, ms(0), ms(0)).unwrap();
            let plain = draws(&jitter);
            let delay = Jitter::Absolute(jitter).added_to(ms(70)).unwrap();
            assert!(delay.least() >= ms(70));
            for (with, jitter) in draws(&delay).into_iter().zip(plain) {
                // A normal's base goes into its mean, which moves the rounding.
                assert!(with.as_nanos().abs_diff((ms(70) + jitter).as_nanos()) <= 1, "{with:?} {jitter:?}");
            }
        }
    }

    /// Draws below 0 become no jitter, not a shorter delay; an offset moves the jitter, and a floor lifts it.
    #[test]
    fn offset_and_floor_are_those_of_the_jitter() {
        let normal = |offset, floor| {
            let jitter = Latency::new(Shape::Normal { mean: ms(0), std_dev: ms(3) }, offset, floor).unwrap();
            draws(&Jitter::Absolute(jitter).added_to(ms(70)).unwrap())
        };
        let at = |draws: &[Span], least: Span| draws.iter().filter(|&&draw| draw == least).count();
        assert!((900..1100).contains(&at(&normal(ms(0), ms(0)), ms(70))), "half of the draws are negative");
        assert!(normal(ms(0), ms(0)).into_iter().all(|draw| draw >= ms(70)));
        assert!(normal(ms(0), ms(2)).into_iter().all(|draw| draw >= ms(72)));
        assert!((200..450).contains(&at(&normal(ms(3), ms(0)), ms(70))), "one in six is below -3");
    }

    #[test]
    fn relative_jitter_grows_with_the_delay() {
        let five_percent = Latency::new(Shape::Exponential { mean: ms(50) }, ms(10), ms(0)).unwrap();
        let jitter = Jitter::Relative(five_percent);
        let delay = jitter.added_to(ms(80)).unwrap();
        assert_eq!(delay.shape(), &Shape::Exponential { mean: ms(4) });
        assert_eq!((delay.offset(), delay.floor()), (ms(80) + Span::from_nanos(800_000), ms(80)));
        // Of so little it is still something, and of nothing it is nothing.
        let short = jitter.added_to(Span::from_nanos(3)).unwrap();
        assert_eq!(short.shape(), &Shape::Exponential { mean: Span::NANOSECOND });
        assert_eq!(jitter.added_to(Span::ZERO), Ok(Latency::constant(Span::ZERO)));
    }

    #[test]
    fn a_tail_may_be_too_long_for_a_long_way() {
        let heavy = Latency::new(Shape::Pareto { scale: ms(1000), shape: 2.2 }, ms(0), ms(0)).unwrap();
        assert!(Jitter::Relative(heavy.clone()).added_to(ms(80)).is_ok());
        assert_eq!(Jitter::Relative(heavy).added_to(ms(3_600_000)), Err(LatencyError::Unbounded));
    }
}
