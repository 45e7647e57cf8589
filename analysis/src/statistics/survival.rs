//! How long until it happens, where some are watched too short a time to know: Kaplan–Meier.

use super::distributions::normal_quantile;

/// What is known of one unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Observation {
    /// It happened at this time.
    Event(f64),
    /// It had not happened at this time, when the unit was last watched (right-censored).
    Censored(f64),
    /// It never happens, however long one waits: the unit stays at risk to the end.
    Never,
}

/// The Kaplan–Meier estimate of the survival function S(t) = P(T > t).
///
/// Formula: Ŝ(t) = ∏ (1 − dᵢ/nᵢ) over the times tᵢ ≤ t of events, with dᵢ events among the nᵢ at risk just
/// before. An event goes before a censoring at the same time. It assumes independent units, and that being
/// watched no longer says nothing about what would have come. Sorting apart it takes one pass.
///
/// Sources: Kaplan & Meier 1958; Klein & Moeschberger 2003, chapter 4.
///
/// ```
/// # use byzlab_analysis::statistics::{KaplanMeier, Observation::{Censored, Event, Never}};
/// let curve = KaplanMeier::new([Event(2.0), Censored(3.0), Event(5.0), Never], 0.95).unwrap();
/// let survival: Vec<f64> = curve.steps().map(|step| step.survival).collect();
/// assert_eq!(survival, [0.75, 0.375]);
/// assert_eq!(curve.quantile(0.5).estimate, Some(5.0));
/// assert_eq!(curve.quantile(0.9).estimate, None); // not reached
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct KaplanMeier {
    count: u64,
    steps: Vec<Step>,
    followed_to: f64,
    confidence: f64,
    z: f64,
}

/// What the steps are made of; ends of intervals are computed when asked for, for there may be millions of steps.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    time: f64,
    at_risk: u64,
    events: u64,
    survival: f64,
    /// Greenwood's sum of d/(n(n−d)) so far: the variance of ln Ŝ.
    log_variance: f64,
}

/// The survival function from one time of events to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SurvivalStep {
    /// When events happened.
    pub time: f64,
    /// How many were at risk just before.
    pub at_risk: u64,
    /// How many events happened.
    pub events: u64,
    /// Ŝ from then on.
    pub survival: f64,
    /// Greenwood's standard error of Ŝ; `None` where Ŝ is 0.
    pub standard_error: Option<f64>,
    /// Lower end of the log–log interval of Ŝ at this time; 0 where Ŝ is 0.
    pub lower: f64,
    /// Upper end; where Ŝ is 0 that of the step before, or 1 if there is none.
    pub upper: f64,
}

/// A quantile of the time to the event; an end that the curve does not reach is `None`: it lies beyond what was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SurvivalQuantile {
    /// The first time at which Ŝ ≤ 1 − p.
    pub estimate: Option<f64>,
    /// Lower end.
    pub lower: Option<f64>,
    /// Upper end.
    pub upper: Option<f64>,
}

/// The mean of min(T, τ) with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RestrictedMean {
    /// The time τ to which it is restricted.
    pub limit: f64,
    /// The area under Ŝ up to τ.
    pub mean: f64,
    /// Greenwood's standard error.
    pub standard_error: f64,
    /// Lower end, m − z·s; `None` where that standard error says too little, see [`KaplanMeier::restricted_mean`].
    pub lower: Option<f64>,
    /// Upper end, m + z·s; `None` as the lower one.
    pub upper: Option<f64>,
}

impl KaplanMeier {
    /// The estimate from these observations, with intervals of this confidence.
    ///
    /// An event or a censoring at +∞ is [`Observation::Never`]. Times may be negative. `None` if a time is NaN or −∞,
    /// or unless 0 < `confidence` < 1. Of nothing it is a curve without steps.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::{KaplanMeier, Observation::Event};
    /// assert!(KaplanMeier::new([Event(f64::NAN)], 0.95).is_none());
    /// assert_eq!(KaplanMeier::new([], 0.95).unwrap().quantile(0.5).estimate, None);
    /// ```
    pub fn new(observations: impl IntoIterator<Item = Observation>, confidence: f64) -> Option<Self> {
        if !super::is_inside_unit(confidence) {
            return None;
        }
        let z = normal_quantile(0.5 + confidence / 2.0)?;
        let (mut events, mut censored, mut never) = (Vec::new(), Vec::new(), 0_u64);
        for observation in observations {
            match observation {
                Observation::Event(f64::INFINITY) | Observation::Censored(f64::INFINITY) | Observation::Never => {
                    never += 1;
                }
                Observation::Event(time) if time.is_finite() => events.push(time),
                Observation::Censored(time) if time.is_finite() => censored.push(time),
                _ => return None,
            }
        }
        events.sort_unstable_by(f64::total_cmp);
        censored.sort_unstable_by(f64::total_cmp);
        let last = |times: &[f64]| times.last().copied().unwrap_or(f64::NEG_INFINITY);
        let followed_to = if never > 0 { f64::INFINITY } else { last(&events).max(last(&censored)) };
        let count = (events.len() + censored.len()) as u64 + never;
        Some(Self { count, steps: steps(&events, &censored, count), followed_to, confidence, z })
    }

    /// Number of observations.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::{KaplanMeier, Observation::{Event, Never}};
    /// assert_eq!(KaplanMeier::new([Event(2.0), Never], 0.95).unwrap().count(), 2);
    /// ```
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The confidence of the intervals.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::{KaplanMeier, Observation::Event};
    /// assert_eq!(KaplanMeier::new([Event(2.0)], 0.9).unwrap().confidence(), 0.9);
    /// ```
    pub fn confidence(&self) -> f64 {
        self.confidence
    }

    /// The steps of the curve, in order of time.
    ///
    /// Formulas: Greenwood's standard error Ŝ·√Σ dᵢ/(nᵢ(nᵢ−dᵢ)); the log–log interval Ŝ^exp(±z·σ/ln Ŝ) with σ that
    /// square root, which stays inside 0..1. Both are undefined where Ŝ is 0; there the interval keeps the upper end
    /// of the step before, so that it says no more than the data do.
    ///
    /// Sources: Greenwood 1926; Kalbfleisch & Prentice 1980, section 1.3.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::{KaplanMeier, Observation::{Censored, Event}};
    /// // Six of Freireich's leukaemia patients.
    /// let curve = KaplanMeier::new([6.0, 6.0, 6.0, 7.0].map(Event).into_iter().chain([6.0, 9.0].map(Censored)), 0.95);
    /// let steps: Vec<_> = curve.unwrap().steps().collect();
    /// assert_eq!((steps[0].at_risk, steps[0].events, steps[0].survival), (6, 3, 0.5));
    /// assert!((steps[0].standard_error.unwrap() - 0.204_124).abs() < 1e-6);
    /// assert!((steps[0].lower - 0.110_948).abs() < 1e-6);
    /// assert_eq!((steps[1].at_risk, steps[1].survival), (2, 0.25));
    /// ```
    pub fn steps(&self) -> impl ExactSizeIterator<Item = SurvivalStep> {
        (0..self.steps.len()).map(|index| self.step(index))
    }

    fn step(&self, index: usize) -> SurvivalStep {
        let Step { time, at_risk, events, survival, log_variance } = self.steps[index];
        if survival > 0.0 {
            let deviation = log_variance.sqrt();
            let stretch = libm::exp(self.z * deviation / libm::log(survival));
            let standard_error = Some(survival * deviation);
            // ln Ŝ is negative: dividing by the factor is the stronger power.
            let (lower, upper) = (libm::pow(survival, 1.0 / stretch), libm::pow(survival, stretch));
            return SurvivalStep { time, at_risk, events, survival, standard_error, lower, upper };
        }
        let upper = if index > 0 { self.step(index - 1).upper } else { 1.0 };
        SurvivalStep { time, at_risk, events, survival, standard_error: None, lower: 0.0, upper }
    }

    /// Ŝ(t): the share for which the event comes after `time`.
    ///
    /// `None` of nothing, for NaN, and beyond the time to which any unit was followed while Ŝ is above 0: nothing was
    /// seen there.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::{KaplanMeier, Observation::{Censored, Event}};
    /// let curve = KaplanMeier::new([Event(2.0), Censored(3.0)], 0.95).unwrap();
    /// assert_eq!((curve.survival(1.9), curve.survival(2.0), curve.survival(3.1)), (Some(1.0), Some(0.5), None));
    /// ```
    pub fn survival(&self, time: f64) -> Option<f64> {
        self.is_known_to(time).then(|| match self.steps.partition_point(|step| step.time <= time) {
            0 => 1.0,
            after => self.steps[after - 1].survival,
        })
    }

    /// Whether the curve is defined up to this time.
    fn is_known_to(&self, time: f64) -> bool {
        let ends_at_zero = self.steps.last().is_some_and(|step| step.survival <= 0.0);
        time <= self.followed_to || (ends_at_zero && !time.is_nan())
    }

    /// The p-quantile of the time to the event, with the interval of Brookmeyer & Crowley.
    ///
    /// Formula: the first time at which Ŝ ≤ 1 − p (type 1: without censoring the order statistic ⌈np⌉). The interval
    /// holds the times at which the log–log interval of Ŝ covers 1 − p: from the first time at which its lower end is
    /// at most 1 − p, to the first at which its upper end is. All are `None` unless 0 < p < 1.
    ///
    /// Sources: Brookmeyer & Crowley 1982; Klein & Moeschberger 2003, section 4.5.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::{KaplanMeier, Observation::Event};
    /// let curve = KaplanMeier::new((1..=20).map(f64::from).map(Event), 0.95).unwrap();
    /// let median = curve.quantile(0.5);
    /// assert_eq!((median.estimate, median.lower, median.upper), (Some(10.0), Some(5.0), Some(15.0)));
    /// ```
    pub fn quantile(&self, p: f64) -> SurvivalQuantile {
        if !super::is_inside_unit(p) {
            return SurvivalQuantile::default();
        }
        // Room for rounding: what equals 1 − p in exact arithmetic is not above it.
        let level = (1.0 - p) * (1.0 + 1e-12);
        let reached = self.steps.partition_point(|step| step.survival > level);
        let mut quantile =
            SurvivalQuantile { estimate: self.steps.get(reached).map(|step| step.time), ..SurvivalQuantile::default() };
        for step in self.steps() {
            if quantile.lower.is_none() && step.lower <= level {
                quantile.lower = Some(step.time);
            }
            if step.upper <= level {
                quantile.upper = Some(step.time);
                break;
            }
        }
        quantile
    }

    /// The restricted mean, E min(T, τ): the area under Ŝ up to `limit`, with a normal interval.
    ///
    /// Formula of the variance: Σ Aᵢ² dᵢ/(nᵢ(nᵢ−dᵢ)) over the times of events up to τ, where Aᵢ is the area from tᵢ to
    /// τ. Where nobody is censored before τ the mean is that of min(T, τ). `None` of nothing, unless τ is
    /// finite, and beyond the time to which any unit was followed while Ŝ is above 0.
    ///
    /// The interval is undefined where the formula is blind: where the error is 0 (nothing happened before τ, or
    /// everything at once), and where the curve falls to 0 at or before τ with the last at risk after others were
    /// censored, for those might have lasted longer and no term says so.
    ///
    /// Sources: Klein & Moeschberger 2003, section 4.5; Royston & Parmar 2013.
    ///
    /// ```
    /// # use byzlab_analysis::statistics::{KaplanMeier, Observation::{Event, Never}};
    /// let curve = KaplanMeier::new([Event(1.0), Event(3.0), Never, Never], 0.95).unwrap();
    /// let mean = curve.restricted_mean(4.0).unwrap();
    /// assert_eq!(mean.mean, (1.0 + 3.0 + 4.0 + 4.0) / 4.0);
    /// assert!((mean.standard_error - 0.612_372).abs() < 1e-6);
    /// assert!(mean.lower.is_some_and(|lower| (lower - 1.799_773).abs() < 1e-6));
    /// ```
    pub fn restricted_mean(&self, limit: f64) -> Option<RestrictedMean> {
        if !limit.is_finite() || !self.is_known_to(limit) {
            return None;
        }
        let within = self.steps.partition_point(|step| step.time <= limit);
        let (mut area, mut variance) = (0.0, 0.0);
        let mut end = limit;
        // Backwards, so that the area from each step to τ is at hand.
        for step in self.steps[..within].iter().rev() {
            area += step.survival * (end - step.time);
            end = step.time;
            let (events, left) = (step.events as f64, (step.at_risk - step.events) as f64);
            if left > 0.0 {
                // Else the area is 0, and with it the term.
                variance += area * area * events / (step.at_risk as f64 * left);
            }
        }
        // Up to the first event Ŝ is 1.
        let (mean, standard_error) = (end + area, variance.sqrt());
        let events: u64 = self.steps[..within].iter().map(|step| step.events).sum();
        // Who left before the last of those at risk did is not among the events.
        let is_blind = self.steps[..within].last().is_some_and(|step| step.survival <= 0.0) && events < self.count;
        let half_width = (standard_error > 0.0 && !is_blind).then_some(self.z * standard_error);
        let [lower, upper] = [-1.0, 1.0].map(|side| half_width.map(|half_width| mean + side * half_width));
        Some(RestrictedMean { limit, mean, standard_error, lower, upper })
    }
}

/// The steps of the curve, from sorted times.
fn steps(events: &[f64], censored: &[f64], count: u64) -> Vec<Step> {
    let mut steps = Vec::new();
    let (mut at_risk, mut log_variance) = (count, 0.0);
    // While nobody is censored the product telescopes: one division instead of many that round.
    let (mut base_survival, mut base_risk) = (1.0, count);
    let (mut next, mut gone) = (0, 0);
    let mut survival = 1.0;
    while next < events.len() {
        let time = events[next];
        let censored_before = censored[gone..].iter().take_while(|&&end| end < time).count();
        if censored_before > 0 {
            gone += censored_before;
            at_risk -= censored_before as u64;
            (base_survival, base_risk) = (survival, at_risk);
        }
        // Not by equality of bits: −0.0 and 0.0 are one time.
        let tied = events[next..].iter().take_while(|&&event| event <= time).count();
        let left = at_risk - tied as u64;
        survival = base_survival * (left as f64 / base_risk as f64);
        log_variance += tied as f64 / (at_risk as f64 * left as f64);
        steps.push(Step { time, at_risk, events: tied as u64, survival, log_variance });
        next += tied;
        at_risk = left;
    }
    steps
}
