//! Autocovariances: directly for few lags, by Fourier transform for many.

use std::f64::consts::PI;

use crate::statistics::Moments;

/// Up to so many lags a sum a lag is cheaper than two transforms.
const DIRECT_LAGS: usize = 64;

/// The deviations of a series from its mean.
#[derive(Debug)]
pub(super) struct Deviations(Vec<f64>);

impl Deviations {
    /// `None` unless all are finite.
    pub(super) fn new(values: &[f64]) -> Option<Self> {
        let moments: Moments = values.iter().copied().collect();
        let mean = moments.mean().filter(|_| super::all_finite(values))?;
        // Values so far apart that the squares overflow have no variance to speak of.
        moments.sum_of_squares().is_some().then(|| Self(values.iter().map(|value| value - mean).collect()))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn as_slice(&self) -> &[f64] {
        &self.0
    }

    /// Σ dₜdₜ₊ₖ, n times the biased autocovariance.
    pub(super) fn products(&self, lag: usize) -> f64 {
        if lag >= self.len() {
            return 0.0;
        }
        self.0[lag..].iter().zip(&self.0).map(|(late, early)| late * early).sum()
    }

    /// Gives Σ dₜdₜ₊ₖ for k = 0, 1, … as long as they are asked for, in O(n log n) whatever their number.
    pub(super) fn all_products(&self) -> impl Iterator<Item = f64> {
        let mut transformed: Option<Vec<f64>> = None;
        (0..self.len()).map(move |lag| {
            if lag < DIRECT_LAGS {
                self.products(lag)
            } else {
                transformed.get_or_insert_with(|| self.transformed_products())[lag]
            }
        })
    }

    /// All of them, by the theorem of Wiener & Khinchin: the transform of the squared amplitudes.
    fn transformed_products(&self) -> Vec<f64> {
        // Zeros behind it keep the end from wrapping round to the start.
        let size = (2 * self.len()).next_power_of_two();
        let mut real = self.0.clone();
        real.resize(size, 0.0);
        let mut imaginary = vec![0.0; size];
        fourier(&mut real, &mut imaginary);
        for (re, im) in real.iter_mut().zip(&mut imaginary) {
            *re = *re * *re + *im * *im;
            *im = 0.0;
        }
        // The squared amplitudes are symmetric: there and back are one up to the scale.
        fourier(&mut real, &mut imaginary);
        real.truncate(self.len());
        for product in &mut real {
            *product /= size as f64;
        }
        real
    }
}

/// The discrete Fourier transform in place; the length is a power of two. Source: Cooley & Tukey 1965.
fn fourier(real: &mut [f64], imaginary: &mut [f64]) {
    let size = real.len();
    let bits = size.trailing_zeros();
    for i in 0..size {
        let j = if bits == 0 { 0 } else { i.reverse_bits() >> (usize::BITS - bits) };
        if i < j {
            real.swap(i, j);
            imaginary.swap(i, j);
        }
    }
    // Each root from its own angle: products of roots would gather rounding.
    let roots: Vec<(f64, f64)> = (0..size / 2).map(|k| (-2.0 * PI * k as f64 / size as f64).sin_cos()).collect();
    let mut half = 1;
    while half < size {
        let stride = size / (2 * half);
        for start in (0..size).step_by(2 * half) {
            for k in 0..half {
                let (sin, cos) = roots[k * stride];
                let (even, odd) = (start + k, start + k + half);
                let re = real[odd] * cos - imaginary[odd] * sin;
                let im = real[odd] * sin + imaginary[odd] * cos;
                (real[odd], imaginary[odd]) = (real[even] - re, imaginary[even] - im);
                real[even] += re;
                imaginary[even] += im;
            }
        }
        half *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transform_gives_the_sums() {
        let values: Vec<f64> = (0..333_u32).map(|i| f64::from(i * 7919 % 101) + f64::from(i) / 10.0).collect();
        let deviations = Deviations::new(&values).unwrap();
        let scale = deviations.products(0);
        for (lag, product) in deviations.all_products().enumerate() {
            assert!((product - deviations.products(lag)).abs() < 1e-12 * scale, "lag {lag}");
        }
        assert_eq!(deviations.all_products().count(), values.len());
    }
}
