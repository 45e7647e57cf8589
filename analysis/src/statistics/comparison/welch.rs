//! Means of two independent samples.

use crate::statistics::{Moments, student_t_quantile, student_t_two_sided};

/// The difference of two means, with its interval and Welch's test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WelchTest {
    /// Mean of the first minus mean of the second.
    pub difference: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// The difference in standard errors; `None` where that is 0.
    pub t: Option<f64>,
    /// Satterthwaite's degrees of freedom; `None` where the standard error is 0.
    pub degrees_of_freedom: Option<f64>,
    /// Two-sided: the probability of a t at least so far from 0 if the means are equal.
    pub p: f64,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

/// Compares the means of two independent samples whose variances may differ.
///
/// Formula: d = m₁ − m₂, s² = s₁²/n₁ + s₂²/n₂, t = d/s with s⁴ / ((s₁²/n₁)²/(n₁−1) + (s₂²/n₂)²/(n₂−1)) degrees of
/// freedom; interval d ± t(1−α/2)·s. It assumes independent values, normal ones or many. Where neither sample varies
/// the interval has no width and p is 1 if the means are equal, else 0. `None` of fewer than two values in either,
/// where moments are not finite, or unless 0 < `confidence` < 1.
///
/// Sources: Welch 1947; Satterthwaite 1946.
///
/// ```
/// # use byzlab_analysis::statistics::{Moments, welch};
/// let first: Moments = [1.0, 2.0, 3.0].into_iter().collect();
/// let second: Moments = [5.0, 6.0, 7.0].into_iter().collect();
/// let test = welch(&first, &second, 0.95).unwrap();
/// assert_eq!((test.difference, test.degrees_of_freedom), (-4.0, Some(4.0)));
/// assert!((test.p - 0.008_049_9).abs() < 1e-7);
/// assert!(test.upper < 0.0);
/// ```
pub fn welch(first: &Moments, second: &Moments, confidence: f64) -> Option<WelchTest> {
    if !crate::statistics::is_inside_unit(confidence) {
        return None;
    }
    let share = |sample: &Moments| Some(sample.variance()? / sample.count() as f64);
    let (left, right) = (share(first)?, share(second)?);
    let difference = first.mean()? - second.mean()?;
    let variance = left + right;
    if !difference.is_finite() || !variance.is_finite() {
        return None;
    }
    if variance <= 0.0 {
        return Some(WelchTest {
            difference,
            standard_error: 0.0,
            t: None,
            degrees_of_freedom: None,
            p: p_without_variance(difference),
            lower: difference,
            upper: difference,
        });
    }
    // By shares of the variance: its square may overflow, or vanish.
    let (left, right) = (left / variance, right / variance);
    let rest = |sample: &Moments| (sample.count() - 1) as f64;
    let df = 1.0 / (left * left / rest(first) + right * right / rest(second));
    let standard_error = variance.sqrt();
    let t = difference / standard_error;
    let half_width = student_t_quantile(0.5 + confidence / 2.0, df)? * standard_error;
    Some(WelchTest {
        difference,
        standard_error,
        t: Some(t),
        degrees_of_freedom: Some(df),
        p: student_t_two_sided(t, df)?,
        lower: difference - half_width,
        upper: difference + half_width,
    })
}

/// What is certain has happened by chance with probability 1 or 0.
pub(super) fn p_without_variance(difference: f64) -> f64 {
    if difference == 0.0 { 1.0 } else { 0.0 }
}
