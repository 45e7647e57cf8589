//! An estimate with its interval, as it stands in results.

use std::borrow::Cow;

use serde::Serialize;

/// An estimate with its interval; what is undefined is `None` and `note` says why.
///
/// ```
/// # use byzlab_analysis::statistics::Estimate;
/// let mean = Estimate::new("Student t over runs", 14.5).with_interval(12.3, 16.7);
/// assert_eq!((mean.estimate, mean.lower, mean.upper, mean.note), (Some(14.5), Some(12.3), Some(16.7), None));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Estimate {
    /// The point estimate.
    pub estimate: Option<f64>,
    /// Lower end of the interval.
    pub lower: Option<f64>,
    /// Upper end of the interval.
    pub upper: Option<f64>,
    /// How estimate and interval were made, and of what.
    pub method: Cow<'static, str>,
    /// The probability with which such an interval covers, where it is known exactly and differs from the confidence that was
    /// asked for: order statistics come in steps. Of a sketch it is at least this, for its ends are moved outwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage: Option<f64>,
    /// The estimate counts as above this: the quantile falls among units that did not succeed within their limit. That is a
    /// convention where a unit has parts: one that did not succeed as a whole counts as slower than every limit, whatever its parts
    /// did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub above: Option<f64>,
    /// Likewise the lower end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lower_above: Option<f64>,
    /// Likewise the upper end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upper_above: Option<f64>,
    /// Why something is undefined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Estimate {
    /// An estimate without an interval. What is not finite is undefined.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Estimate;
    /// assert_eq!(Estimate::new("Student t over runs", f64::NAN).estimate, None);
    /// ```
    pub fn new(method: impl Into<Cow<'static, str>>, estimate: f64) -> Self {
        Self { estimate: Some(estimate), method: method.into(), ..Self::default() }.finite()
    }

    /// Nothing, for this reason.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Estimate;
    /// let nothing = Estimate::undefined("Student t over runs", "no completed run");
    /// assert_eq!((nothing.estimate, nothing.note.as_deref()), (None, Some("no completed run")));
    /// ```
    pub fn undefined(method: impl Into<Cow<'static, str>>, reason: impl Into<String>) -> Self {
        Self { method: method.into(), note: Some(reason.into()), ..Self::default() }
    }

    /// The same with these ends.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Estimate;
    /// let share = Estimate::new("Wilson score", 0.5).with_interval(0.4, 0.6);
    /// assert_eq!((share.lower, share.upper), (Some(0.4), Some(0.6)));
    /// ```
    #[must_use]
    pub fn with_interval(mut self, lower: f64, upper: f64) -> Self {
        (self.lower, self.upper) = (Some(lower), Some(upper));
        self.finite()
    }

    /// The same with this note.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Estimate;
    /// let one = Estimate::new("Student t over runs", 3.0).with_note("interval undefined: needs at least 2 runs");
    /// assert!(one.note.is_some());
    /// ```
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// The same without what is not finite, which numbers near the largest come to; the note says so.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Estimate;
    /// let overflowed = Estimate { estimate: Some(f64::INFINITY), ..Estimate::default() }.finite();
    /// assert_eq!(overflowed.estimate, None);
    /// assert!(overflowed.note.is_some());
    /// ```
    #[must_use]
    pub fn finite(mut self) -> Self {
        let before = [self.estimate, self.lower, self.upper];
        let after = before.map(|number| number.filter(|number| number.is_finite()));
        [self.estimate, self.lower, self.upper] = after;
        if before.map(|number| number.is_some()) != after.map(|number| number.is_some()) {
            let reason = "undefined: the numbers are too large to compute with";
            self.note = Some(self.note.map_or(reason.to_owned(), |note| format!("{note}; {reason}")));
        }
        self
    }

    /// Both ends, if both are defined.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Estimate;
    /// assert_eq!(Estimate::new("Student t over runs", 3.0).interval(), None);
    /// ```
    pub fn interval(&self) -> Option<(f64, f64)> {
        self.lower.zip(self.upper)
    }

    /// Half the width of the interval, if both ends are defined.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Estimate;
    /// assert_eq!(Estimate::new("t", 3.0).with_interval(2.0, 4.0).half_width(), Some(1.0));
    /// ```
    pub fn half_width(&self) -> Option<f64> {
        self.interval().map(|(lower, upper)| (upper - lower) / 2.0)
    }
}
