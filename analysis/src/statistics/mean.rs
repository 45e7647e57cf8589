//! The mean, and its Student t interval.

use super::distributions::student_t_quantile;
use super::moments::Moments;

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
    /// The Student t interval of the mean: m ± t(1−α/2; n−1) · s/√n.
    ///
    /// Exact for independent values of one normal distribution, and good for means of many values of
    /// any other with finite variance. `None` of fewer than two values, where mean or deviation is, or
    /// unless 0 < `confidence` < 1. Source: Student 1908; Law 2015, eq. 4.12.
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
        let (mean, deviation) = (self.mean()?, self.standard_deviation()?);
        if !super::is_inside_unit(confidence) {
            return None;
        }
        let n = self.count() as f64;
        let t = student_t_quantile(0.5 + confidence / 2.0, n - 1.0)?;
        let standard_error = deviation / n.sqrt();
        let half_width = t * standard_error;
        let (lower, upper) = (mean - half_width, mean + half_width);
        (lower.is_finite() && upper.is_finite()).then_some(TInterval { mean, standard_error, half_width, lower, upper })
    }
}
