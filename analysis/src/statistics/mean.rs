//! The mean, and its Student t interval.

use super::distributions::student_t_quantile;

/// Count, mean and sum of squared deviations of a sample, gathered in one pass.
///
/// Name: Welford's algorithm, merged by Chan, Golub & `LeVeque`. Formula: δ = x − m,
/// m += δ/n, M₂ += δ(x − m). Sources: Welford 1962; Chan, Golub & `LeVeque` 1983.
///
/// ```
/// # use byzlab_analysis::statistics::Moments;
/// let sample: Moments = [10_000_001.0, 10_000_003.0, 10_000_002.0].into_iter().collect();
/// assert_eq!(sample.mean(), Some(10_000_002.0));
/// assert_eq!(sample.standard_deviation(), Some(1.0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    count: u64,
    mean: f64,
    m2: f64,
}

/// A mean with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TInterval {
    /// The mean.
    pub mean: f64,
    /// Its standard error, s/√n.
    pub standard_error: f64,
    /// Half the width of the interval.
    pub half_width: f64,
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

impl Moments {
    /// Adds one value.
    pub fn push(&mut self, value: f64) {
        self.count += 1;
        let delta = value - self.mean;
        self.mean += delta / self.count as f64;
        self.m2 += delta * (value - self.mean);
    }

    /// Adds another sample.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Moments;
    /// let mut left: Moments = [1.0, 2.0].into_iter().collect();
    /// left.merge(&[3.0, 6.0].into_iter().collect());
    /// assert_eq!((left.count(), left.mean()), (4, Some(3.0)));
    /// ```
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *other;
            return;
        }
        let (left, right) = (self.count as f64, other.count as f64);
        let total = left + right;
        let delta = other.mean - self.mean;
        self.count += other.count;
        self.mean += delta * (right / total);
        self.m2 += other.m2 + delta * delta * (left * right / total);
    }

    /// Number of values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The mean; `None` of nothing.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then_some(self.mean)
    }

    /// Sum of squared deviations from the mean.
    pub fn sum_of_squares(&self) -> f64 {
        self.m2
    }

    /// Unbiased variance, M₂/(n−1); `None` of fewer than two values.
    pub fn variance(&self) -> Option<f64> {
        (self.count > 1).then(|| self.m2 / (self.count - 1) as f64)
    }

    /// Square root of the unbiased variance; `None` of fewer than two values.
    pub fn standard_deviation(&self) -> Option<f64> {
        self.variance().map(f64::sqrt)
    }

    /// The Student t interval of the mean: m ± t(1−α/2; n−1) · s/√n.
    ///
    /// Exact for independent values of one normal distribution, and good for means of many values of
    /// any other with finite variance. `None` of fewer than two values or unless
    /// 0 < `confidence` < 1. Source: Student 1908; Law 2015, eq. 4.12.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Moments;
    /// let sample: Moments = [1.2, 1.5, 1.68, 1.89, 0.95, 1.49, 1.58, 1.55, 0.5, 1.09]
    ///     .into_iter()
    ///     .collect();
    /// let interval = sample.interval(0.90).unwrap();
    /// assert!((interval.mean - 1.343).abs() < 1e-12); // Law 2015, ex. 4.26: 1.34 ± 0.24
    /// assert!((interval.half_width - 0.237_253).abs() < 1e-6);
    /// ```
    pub fn interval(&self, confidence: f64) -> Option<TInterval> {
        let deviation = self.standard_deviation()?;
        if !super::is_inside_unit(confidence) {
            return None;
        }
        let t = student_t_quantile(0.5 + confidence / 2.0, (self.count - 1) as f64)?;
        let standard_error = deviation / (self.count as f64).sqrt();
        let half_width = t * standard_error;
        Some(TInterval {
            mean: self.mean,
            standard_error,
            half_width,
            lower: self.mean - half_width,
            upper: self.mean + half_width,
        })
    }
}

impl Extend<f64> for Moments {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, values: I) {
        for value in values {
            self.push(value);
        }
    }
}

impl FromIterator<f64> for Moments {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut moments = Self::default();
        moments.extend(values);
        moments
    }
}
