//! What became of one unit: it succeeded, it had not by its limit, or it never will.

/// What became of one unit: a run, a request, a row of a table.
///
/// ```
/// # use byzlab_analysis::statistics::Attempt;
/// let attempts = [Attempt::Success(12.5), Attempt::Beyond(2000.0), Attempt::Never];
/// let values: Vec<f64> = attempts.into_iter().map(Attempt::or_infinity).collect();
/// assert_eq!(values, [12.5, f64::INFINITY, f64::INFINITY]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Attempt {
    /// It succeeded, with this value.
    Success(f64),
    /// It had not by this limit, when it was last watched: its value lies above (right-censored).
    Beyond(f64),
    /// It never will, however long one waits: a violation of safety, an error. Neither success nor censoring.
    Never,
}

impl Attempt {
    /// What a plain number says: +∞ is [`Never`](Self::Never), a finite number a success. `None` for what is no time at all,
    /// NaN and −∞.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Attempt;
    /// assert_eq!(Attempt::from_value(3.0), Some(Attempt::Success(3.0)));
    /// assert_eq!(Attempt::from_value(f64::INFINITY), Some(Attempt::Never));
    /// assert_eq!(Attempt::from_value(f64::NAN), None);
    /// ```
    pub fn from_value(value: f64) -> Option<Self> {
        if value == f64::INFINITY { Some(Self::Never) } else { value.is_finite().then_some(Self::Success(value)) }
    }

    /// The same with finite numbers alone: a success is judged as by [`from_value`](Self::from_value), and a limit that is not
    /// finite says nothing about when, which leaves [`Never`](Self::Never). `None` for a success without a value.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Attempt;
    /// assert_eq!(Attempt::Success(f64::NAN).checked(), None);
    /// assert_eq!(Attempt::Beyond(f64::NAN).checked(), Some(Attempt::Never));
    /// assert_eq!(Attempt::Beyond(2.0).checked(), Some(Attempt::Beyond(2.0)));
    /// ```
    pub fn checked(self) -> Option<Self> {
        match self {
            Self::Success(value) => Self::from_value(value),
            Self::Beyond(limit) if !limit.is_finite() => Some(Self::Never),
            other => Some(other),
        }
    }

    /// Its value if it succeeded.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Attempt;
    /// assert_eq!((Attempt::Success(3.0).value(), Attempt::Beyond(3.0).value()), (Some(3.0), None));
    /// ```
    pub fn value(self) -> Option<f64> {
        match self {
            Self::Success(value) => Some(value),
            Self::Beyond(_) | Self::Never => None,
        }
    }

    /// Its limit if it had not succeeded by then.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Attempt;
    /// assert_eq!((Attempt::Beyond(9.0).limit(), Attempt::Never.limit()), (Some(9.0), None));
    /// ```
    pub fn limit(self) -> Option<f64> {
        match self {
            Self::Beyond(limit) => Some(limit),
            Self::Success(_) | Self::Never => None,
        }
    }

    /// Its value, or +∞ if it did not succeed.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Attempt;
    /// assert_eq!(Attempt::Never.or_infinity(), f64::INFINITY);
    /// ```
    pub fn or_infinity(self) -> f64 {
        self.value().unwrap_or(f64::INFINITY)
    }

    /// min(x, τ), with x its value or +∞. It is known only if it was watched until τ: `None` for what was given up before.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::Attempt;
    /// assert_eq!(Attempt::Success(3.0).restricted(10.0), Some(3.0));
    /// assert_eq!(Attempt::Beyond(20.0).restricted(10.0), Some(10.0));
    /// assert_eq!(Attempt::Beyond(5.0).restricted(10.0), None);
    /// ```
    pub fn restricted(self, tau: f64) -> Option<f64> {
        match self {
            Self::Beyond(limit) if limit < tau => None,
            other => Some(other.or_infinity().min(tau)),
        }
    }
}
