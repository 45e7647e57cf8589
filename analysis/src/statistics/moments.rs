//! What a sample is described by, gathered in one pass and merged.

/// Count, mean, central moments up to the fourth, least and greatest value of a sample.
///
/// Name: Welford's algorithm, merged by Chan, Golub & `LeVeque`; the third and fourth moment by Pébay.
/// Formula: δ = x − m, m += δ/n, M₂ += δ(x − m). Sources: Welford 1962; Chan, Golub & `LeVeque` 1983;
/// Pébay 2008.
///
/// It is for finite values. A sample with an infinity or NaN among them, or whose mean is beyond the
/// range of an `f64`, has no figures but its count: each is `None`, never NaN. So is a single figure
/// that overflows (the variance of 10²⁰⁰ and −10²⁰⁰).
///
/// ```
/// # use byzlab_analysis::statistics::Moments;
/// let sample: Moments = [10_000_001.0, 10_000_003.0, 10_000_002.0].into_iter().collect();
/// assert_eq!(sample.mean(), Some(10_000_002.0));
/// assert_eq!(sample.standard_deviation(), Some(1.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    count: u64,
    mean: f64,
    m2: f64,
    m3: f64,
    m4: f64,
    min: f64,
    max: f64,
}

impl Default for Moments {
    fn default() -> Self {
        Self { count: 0, mean: 0.0, m2: 0.0, m3: 0.0, m4: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Moments {
    /// Adds one value.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Moments;
    /// let mut sample = Moments::default();
    /// sample.push(4.0);
    /// assert_eq!(sample.mean(), Some(4.0));
    /// sample.push(f64::INFINITY);
    /// assert_eq!((sample.count(), sample.mean()), (2, None));
    /// ```
    pub fn push(&mut self, value: f64) {
        self.count += 1;
        let n = self.count as f64;
        let delta = value - self.mean;
        let step = delta / n;
        self.mean += step;
        let rest = delta * (value - self.mean);
        self.m4 += rest * step * step * (n * n - 3.0 * n + 3.0) + 6.0 * step * step * self.m2 - 4.0 * step * self.m3;
        self.m3 += rest * step * (n - 2.0) - 3.0 * step * self.m2;
        self.m2 += rest;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
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
        let (left_share, right_share) = (left / total, right / total);
        let delta = other.mean - self.mean;
        // δ² times the weight that the distance of both means has in M₂.
        let between = delta * delta * (left * right_share);
        self.m4 += other.m4
            + between
                * delta
                * delta
                * (left_share * left_share - left_share * right_share + right_share * right_share)
            + 6.0 * delta * delta * (left_share * left_share * other.m2 + right_share * right_share * self.m2)
            + 4.0 * delta * (left_share * other.m3 - right_share * self.m3);
        self.m3 += other.m3
            + between * delta * (left_share - right_share)
            + 3.0 * delta * (left_share * other.m2 - right_share * self.m2);
        self.m2 += other.m2 + between;
        self.mean += delta * right_share;
        self.count += other.count;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// Number of values.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Moments;
    /// let sample: Moments = [3.0, 5.0].into_iter().collect();
    /// assert_eq!(sample.count(), 2);
    /// ```
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The mean; `None` of nothing.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Moments;
    /// let sample: Moments = [3.0, 5.0].into_iter().collect();
    /// assert_eq!((sample.mean(), Moments::default().mean()), (Some(4.0), None));
    /// ```
    pub fn mean(&self) -> Option<f64> {
        Some(self.mean).filter(|mean| self.count > 0 && mean.is_finite())
    }

    /// The least value; `None` of nothing.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Moments;
    /// let sample: Moments = [3.0, -1.0, 2.0].into_iter().collect();
    /// assert_eq!(sample.min(), Some(-1.0));
    /// ```
    pub fn min(&self) -> Option<f64> {
        self.mean().map(|_| self.min)
    }

    /// The greatest value; `None` of nothing.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Moments;
    /// let sample: Moments = [3.0, -1.0, 2.0].into_iter().collect();
    /// assert_eq!(sample.max(), Some(3.0));
    /// ```
    pub fn max(&self) -> Option<f64> {
        self.mean().map(|_| self.max)
    }

    /// Sum of squared deviations from the mean, M₂; `None` of nothing.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Moments;
    /// let sample: Moments = [1.0, 2.0, 6.0].into_iter().collect();
    /// assert_eq!(sample.sum_of_squares(), Some(14.0));
    /// ```
    pub fn sum_of_squares(&self) -> Option<f64> {
        self.mean().map(|_| self.m2).filter(|m2| m2.is_finite())
    }

    /// Unbiased variance, M₂/(n−1); `None` of fewer than two values.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Moments;
    /// let sample: Moments = [1.0, 2.0, 6.0].into_iter().collect();
    /// assert_eq!(sample.variance(), Some(7.0));
    /// ```
    pub fn variance(&self) -> Option<f64> {
        let m2 = self.sum_of_squares()?;
        (self.count > 1).then(|| m2 / (self.count - 1) as f64)
    }

    /// Square root of the unbiased variance; `None` of fewer than two values.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Moments;
    /// let sample: Moments = [1.0, 2.0, 3.0].into_iter().collect();
    /// assert_eq!(sample.standard_deviation(), Some(1.0));
    /// ```
    pub fn standard_deviation(&self) -> Option<f64> {
        self.variance().map(f64::sqrt)
    }

    /// Skewness g₁ = √n M₃ / M₂^(3/2), that of the sample itself (not corrected for bias).
    ///
    /// `None` where all values are equal. Source: Joanes & Gill 1998.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Moments;
    /// let sample: Moments = [1.0, 1.0, 4.0].into_iter().collect();
    /// assert!((sample.skewness().unwrap() - 0.5_f64.sqrt()).abs() < 1e-15);
    /// ```
    pub fn skewness(&self) -> Option<f64> {
        let m2 = self.sum_of_squares()?;
        Some((self.count as f64 / m2).sqrt() * (self.m3 / m2)).filter(|skewness| skewness.is_finite())
    }

    /// Excess kurtosis g₂ = n M₄ / M₂² − 3, that of the sample itself; 0 of a normal distribution.
    ///
    /// `None` where all values are equal. Source: Joanes & Gill 1998.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Moments;
    /// let sample: Moments = [-1.0, 1.0, -1.0, 1.0].into_iter().collect();
    /// assert_eq!(sample.excess_kurtosis(), Some(-2.0)); // no distribution has less
    /// ```
    pub fn excess_kurtosis(&self) -> Option<f64> {
        let m2 = self.sum_of_squares()?;
        Some(self.count as f64 * (self.m4 / m2) / m2 - 3.0).filter(|kurtosis| kurtosis.is_finite())
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
