//! The correlation of each value with the one before, of more values than are kept.

/// Sums over a series, in its order, from which its lag-1 autocorrelation follows.
///
/// Formula: with d = x − c, c the first value, and m the mean of the d, r₁ = (Σ dₜdₜ₊₁ − m(2Σd − d₁ − dₙ) + (n−1)m²) /
/// (Σd² − nm²): the autocorrelation of [`autocorrelation`](crate::statistics::autocorrelation), multiplied out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Neighbours {
    count: u64,
    /// The first value; all others are taken less it, which leaves most digits where they lie close together.
    first: f64,
    /// The last one, less the first.
    last: f64,
    sum: f64,
    squares: f64,
    products: f64,
}

impl Neighbours {
    pub(super) fn push(&mut self, value: f64) {
        if self.count == 0 {
            self.first = value;
        }
        let difference = value - self.first;
        // Before the first one `last` is 0, and so is the product.
        self.products += self.last * difference;
        self.sum += difference;
        self.squares += difference * difference;
        self.last = difference;
        self.count += 1;
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// `None` of fewer than two values, where all are equal, and beyond the range of an `f64`.
    pub(super) fn correlation(&self) -> Option<f64> {
        let n = self.count as f64;
        let mean = self.sum / n;
        let scale = self.squares - mean * self.sum;
        let products = self.products - mean * (2.0 * self.sum - self.last) + (n - 1.0) * mean * mean;
        let correlation = products / scale;
        (self.count > 1 && scale > 0.0 && correlation.is_finite()).then_some(correlation)
    }
}

impl FromIterator<f64> for Neighbours {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut all = Self::default();
        values.into_iter().for_each(|value| all.push(value));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::autocorrelation;

    #[test]
    fn sums_say_what_the_values_do() {
        let rough: Vec<f64> = (0..1000_u64).map(|i| 5e6 + (i * 7919 % 1009) as f64 / 10.0).collect();
        let smooth: Vec<f64> = (0..1000).map(|i| f64::from(i * i)).collect();
        for values in [rough, smooth, vec![1.0, 3.0], vec![2.0, 2.0, 5.0]] {
            let sums: Neighbours = values.iter().copied().collect();
            let (found, expected) = (sums.correlation().unwrap(), autocorrelation(&values, 1).unwrap());
            assert!((found - expected).abs() < 1e-9, "{found} instead of {expected}");
        }
        for values in [&[][..], &[1.0], &[4.0; 9], &[1e200, -1e200]] {
            assert_eq!(values.iter().copied().collect::<Neighbours>().correlation(), None);
        }
    }
}
