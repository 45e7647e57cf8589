//! Distributions of link latency.
//!
//! Each draw is a function of one [`Draw`] alone. The transcendental functions come from `libm`, not from the platform: what a
//! platform's `exp` returns differs in the last bit from machine to machine. (`rand_distr` takes them from `num-traits`, which
//! uses the platform's as soon as any other crate of the build asks for its `std` feature; so it serves as the reference in the
//! tests only.) Where a quantile function exists it is used, so that two experiments with the same seed and other parameters
//! get draws of the same rank. A delay is rounded to whole nanoseconds once.

use crate::random::Draw;
use crate::time::Span;
use std::sync::Arc;

/// The shape of a latency, before offset and floor. Lengths of time are in nanoseconds.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Always `value`.
    Constant {
        /// The latency.
        value: Span,
    },
    /// Uniform on the whole nanoseconds of `min..=max`.
    Uniform {
        /// The least latency.
        min: Span,
        /// The greatest.
        max: Span,
    },
    /// Normal; draws below the floor are set to it.
    Normal {
        /// Its mean.
        mean: Span,
        /// Its standard deviation.
        std_dev: Span,
    },
    /// Exponential.
    Exponential {
        /// Its mean.
        mean: Span,
    },
    /// The exponential of a normal with mean `ln median` and standard deviation `sigma`.
    Lognormal {
        /// Its median.
        median: Span,
        /// The standard deviation of the logarithm.
        sigma: f64,
    },
    /// Pareto (type I): `P(X > x) = (scale / x)^shape`.
    Pareto {
        /// The least value.
        scale: Span,
        /// The tail's exponent; the mean is infinite up to 1.
        shape: f64,
    },
    /// Gamma with mean `shape · scale`.
    Gamma {
        /// Its shape.
        shape: f64,
        /// Its scale.
        scale: Span,
    },
    /// Weibull: `P(X > x) = exp(−(x / scale)^shape)`.
    Weibull {
        /// Its scale.
        scale: Span,
        /// Its shape.
        shape: f64,
    },
    /// One of some values, each with its weight.
    Discrete {
        /// The values.
        values: Arc<[Span]>,
        /// Their weights; they need not add up to 1.
        weights: Arc<[f64]>,
    },
    /// One of the measured values, each as likely as any other.
    Empirical {
        /// The measurements.
        values: Arc<[Span]>,
    },
}

/// Why a latency cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LatencyError {
    /// `min` lies above `max`.
    #[error("min is above max: the range is empty")]
    EmptyRange,
    /// A parameter that must be a positive finite number is not.
    #[error("`{0}` must be a finite number above 0")]
    NotPositive(&'static str),
    /// There is nothing to choose from.
    #[error("there is no value to choose from")]
    NoValues,
    /// Values and weights do not pair.
    #[error("{values} values but {weights} weights")]
    Unpaired {
        /// How many values.
        values: usize,
        /// How many weights.
        weights: usize,
    },
    /// A weight is negative or not finite, or all are 0.
    #[error("weights must be finite and not negative, and one of them above 0")]
    BadWeights,
    /// The greatest draw is beyond [`Latency::LONGEST`].
    #[error("a draw can be infinite or longer than 292 years")]
    Unbounded,
}

/// A checked distribution of latencies: a shape, plus an offset, with a floor.
#[derive(Clone, Debug, PartialEq)]
pub struct Latency {
    sampler: Sampler,
    /// What is added to a draw of the sampler.
    added: Span,
    shape: Shape,
    offset: Span,
    floor: Span,
}

/// The shape with everything computed that does not depend on the draw.
#[derive(Clone, Debug, PartialEq)]
enum Sampler {
    Constant(u64),
    Uniform { min: u64, width: u64 },
    Normal { mean: f64, std_dev: f64 },
    Exponential { mean: f64 },
    Lognormal { ln_median: f64, sigma: f64 },
    Pareto { scale: f64, exponent: f64 },
    Gamma(Gamma),
    Weibull { scale: f64, exponent: f64 },
    Discrete { values: Arc<[Span]>, cumulative: Arc<[f64]> },
    Empirical { values: Arc<[Span]> },
}

impl Latency {
    /// The longest latency that a distribution may produce: 2⁶³−1 ns.
    pub const LONGEST: Span = Span::from_nanos(i64::MAX as u64);

    /// Always `value`.
    pub fn constant(value: Span) -> Latency {
        let sampler = Sampler::Constant(value.as_nanos());
        Latency { sampler, added: Span::ZERO, shape: Shape::Constant { value }, offset: Span::ZERO, floor: Span::ZERO }
    }

    /// Uniform between `min` and `max`.
    pub fn uniform(min: Span, max: Span) -> Result<Latency, LatencyError> {
        Latency::new(Shape::Uniform { min, max }, Span::ZERO, Span::ZERO)
    }

    /// `shape` plus `offset`; draws below `floor` are set to it.
    pub fn new(shape: Shape, offset: Span, floor: Span) -> Result<Latency, LatencyError> {
        let mut sampler = Sampler::new(&shape)?;
        let mut added = offset;
        // A normal draw can be negative; the floor is for the sum, so the offset goes in before the cut at 0.
        if let Sampler::Normal { mean, .. } = &mut sampler {
            *mean += nanos(offset);
            added = Span::ZERO;
        }
        let longest = sampler.greatest() + nanos(added);
        let bounded = longest <= Latency::LONGEST.as_nanos() as f64;
        if !bounded || floor > Latency::LONGEST {
            return Err(LatencyError::Unbounded);
        }
        Ok(Latency { sampler, added, shape, offset, floor })
    }

    /// A latency for this draw.
    #[inline]
    pub fn sample(&self, draw: &mut Draw) -> Span {
        let raw = self.sampler.sample(draw);
        (Span::from_nanos(raw) + self.added).max(self.floor)
    }

    /// No draw is below this.
    pub fn least(&self) -> Span {
        (Span::from_nanos(self.sampler.least()) + self.added).max(self.floor)
    }

    /// No draw is above this; none if the distribution has no upper end, even though the draws of a computer have one.
    pub fn most(&self) -> Option<Span> {
        let most = match &self.sampler {
            Sampler::Constant(value) => *value,
            Sampler::Uniform { min, width } => min + width,
            Sampler::Discrete { values, .. } | Sampler::Empirical { values } => values.iter().max()?.as_nanos(),
            Sampler::Normal { std_dev, .. } if *std_dev == 0.0 => self.sampler.least(),
            Sampler::Normal { .. }
            | Sampler::Exponential { .. }
            | Sampler::Lognormal { .. }
            | Sampler::Pareto { .. }
            | Sampler::Gamma(_)
            | Sampler::Weibull { .. } => return None,
        };
        Some((Span::from_nanos(most) + self.added).max(self.floor))
    }

    /// About the length that one draw in a thousand exceeds: what a queue should be laid out for.
    pub fn typical_longest(&self) -> Span {
        let key = crate::random::Key::root(0);
        (0..1000).map(|i| self.sample(&mut key.child(i).draw())).max().unwrap_or(Span::ZERO)
    }

    /// What it was made of.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// What is added to each draw.
    pub fn offset(&self) -> Span {
        self.offset
    }

    /// What lower draws are set to.
    pub fn floor(&self) -> Span {
        self.floor
    }
}

fn positive(name: &'static str, value: f64) -> Result<f64, LatencyError> {
    if value.is_finite() && value > 0.0 { Ok(value) } else { Err(LatencyError::NotPositive(name)) }
}

fn nanos(span: Span) -> f64 {
    span.as_nanos() as f64
}

/// Whole nanoseconds; below 0 becomes 0.
#[inline]
fn rounded(nanoseconds: f64) -> u64 {
    (nanoseconds + 0.5) as u64
}

impl Sampler {
    fn new(shape: &Shape) -> Result<Sampler, LatencyError> {
        Ok(match *shape {
            Shape::Constant { value } => Sampler::Constant(value.as_nanos()),
            Shape::Uniform { min, max } if min > max => return Err(LatencyError::EmptyRange),
            Shape::Uniform { min, max } => Sampler::Uniform { min: min.as_nanos(), width: (max - min).as_nanos() },
            Shape::Normal { mean, std_dev } => Sampler::Normal { mean: nanos(mean), std_dev: nanos(std_dev) },
            Shape::Exponential { mean } => Sampler::Exponential { mean: positive("mean", nanos(mean))? },
            Shape::Lognormal { median, sigma } => Sampler::Lognormal {
                ln_median: libm::log(positive("median", nanos(median))?),
                sigma: positive("sigma", sigma)?,
            },
            Shape::Pareto { scale, shape } => {
                Sampler::Pareto { scale: positive("scale", nanos(scale))?, exponent: -1.0 / positive("shape", shape)? }
            }
            Shape::Gamma { shape, scale } => {
                Sampler::Gamma(Gamma::new(positive("shape", shape)?, positive("scale", nanos(scale))?))
            }
            Shape::Weibull { scale, shape } => {
                Sampler::Weibull { scale: positive("scale", nanos(scale))?, exponent: 1.0 / positive("shape", shape)? }
            }
            Shape::Discrete { ref values, ref weights } => {
                Sampler::Discrete { values: values.clone(), cumulative: cumulative(values.len(), weights)? }
            }
            Shape::Empirical { ref values } if values.is_empty() => return Err(LatencyError::NoValues),
            Shape::Empirical { ref values } => Sampler::Empirical { values: values.clone() },
        })
    }

    #[inline(always)]
    fn sample(&self, draw: &mut Draw) -> u64 {
        match self {
            Sampler::Constant(value) => *value,
            Sampler::Uniform { min, width } => min + draw.up_to(*width),
            _ => self.sample_curved(draw),
        }
    }

    /// The shapes that take more than a multiplication: kept out of the router's inner loop.
    #[inline(never)]
    fn sample_curved(&self, draw: &mut Draw) -> u64 {
        match self {
            Sampler::Constant(_) | Sampler::Uniform { .. } => self.sample(draw),
            Sampler::Normal { mean, std_dev } => rounded(mean + std_dev * normal_quantile(draw.open_unit())),
            Sampler::Exponential { mean } => rounded(mean * -libm::log(draw.open_unit())),
            Sampler::Lognormal { ln_median, sigma } => {
                rounded(libm::exp(ln_median + sigma * normal_quantile(draw.open_unit())))
            }
            Sampler::Pareto { scale, exponent } => rounded(scale * libm::pow(draw.open_unit(), *exponent)),
            Sampler::Gamma(gamma) => rounded(gamma.sample(draw)),
            Sampler::Weibull { scale, exponent } => rounded(scale * libm::pow(-libm::log(draw.open_unit()), *exponent)),
            Sampler::Discrete { values, cumulative } => {
                let point = draw.unit() * cumulative[cumulative.len() - 1];
                values[cumulative.partition_point(|&end| end <= point).min(values.len() - 1)].as_nanos()
            }
            Sampler::Empirical { values } => values[draw.up_to(values.len() as u64 - 1) as usize].as_nanos(),
        }
    }

    /// The least value that a draw can have, in nanoseconds.
    fn least(&self) -> u64 {
        match self {
            Sampler::Constant(value) => *value,
            Sampler::Uniform { min, .. } => *min,
            // One nanosecond less than `scale`, for what rounding may take.
            Sampler::Pareto { scale, .. } => rounded(*scale).saturating_sub(1),
            Sampler::Normal { mean, std_dev } => rounded(mean - FARTHEST_NORMAL * std_dev),
            Sampler::Lognormal { ln_median, sigma } => rounded(libm::exp(ln_median - FARTHEST_NORMAL * sigma)),
            Sampler::Exponential { .. } | Sampler::Gamma(_) | Sampler::Weibull { .. } => 0,
            Sampler::Discrete { values, .. } | Sampler::Empirical { values } => {
                values.iter().min().map_or(0, |value| value.as_nanos())
            }
        }
    }

    /// No draw is above this, in nanoseconds; infinite where the arithmetic overflows.
    fn greatest(&self) -> f64 {
        match self {
            Sampler::Constant(value) => *value as f64,
            Sampler::Uniform { min, width } => *min as f64 + *width as f64,
            Sampler::Normal { mean, std_dev } => mean + FARTHEST_NORMAL * std_dev,
            Sampler::Exponential { mean } => mean * LARGEST_EXPONENTIAL,
            Sampler::Lognormal { ln_median, sigma } => libm::exp(ln_median + FARTHEST_NORMAL * sigma),
            Sampler::Pareto { scale, exponent } => scale * libm::pow(SMALLEST_OPEN_UNIT, *exponent),
            Sampler::Gamma(gamma) => gamma.greatest(),
            Sampler::Weibull { scale, exponent } => scale * libm::pow(LARGEST_EXPONENTIAL, *exponent),
            Sampler::Discrete { values, .. } | Sampler::Empirical { values } => {
                values.iter().max().map_or(0.0, |&value| nanos(value))
            }
        }
    }
}

/// The running totals of the weights.
fn cumulative(values: usize, weights: &[f64]) -> Result<Arc<[f64]>, LatencyError> {
    if values == 0 {
        return Err(LatencyError::NoValues);
    }
    if values != weights.len() {
        return Err(LatencyError::Unpaired { values, weights: weights.len() });
    }
    let mut total = 0.0;
    let ends: Arc<[f64]> = weights
        .iter()
        .map(|weight| {
            total += weight;
            total
        })
        .collect();
    let usable = weights.iter().all(|weight| weight.is_finite() && *weight >= 0.0);
    if usable && total.is_finite() && total > 0.0 { Ok(ends) } else { Err(LatencyError::BadWeights) }
}

/// [`Draw::open_unit`] is never below 2⁻⁵³.
const SMALLEST_OPEN_UNIT: f64 = 1.0 / (1u64 << 53) as f64;
/// −ln 2⁻⁵³, rounded up.
const LARGEST_EXPONENTIAL: f64 = 36.74;
/// The normal quantile of 2⁻⁵³ is −8.21.
const FARTHEST_NORMAL: f64 = 8.3;

/// The quantile function of the standard normal, to about 1 part in 10¹⁶: algorithm AS 241, PPND16 (Wichura, Applied
/// Statistics 37, 1988).
#[inline]
pub fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * polynomial(&CENTRE_ABOVE, r) / polynomial(&CENTRE_BELOW, r);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = libm::sqrt(-libm::log(tail));
    let value = if r <= 5.0 {
        polynomial(&MIDDLE_ABOVE, r - 1.6) / polynomial(&MIDDLE_BELOW, r - 1.6)
    } else {
        polynomial(&FAR_ABOVE, r - 5.0) / polynomial(&FAR_BELOW, r - 5.0)
    };
    if q < 0.0 { -value } else { value }
}

/// The polynomial with these coefficients, from the constant up.
#[inline]
fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

const CENTRE_ABOVE: [f64; 8] = [
    3.387_132_872_796_366_608_0,
    1.331_416_678_917_843_774_5e2,
    1.971_590_950_306_551_442_7e3,
    1.373_169_376_550_946_112_5e4,
    4.592_195_393_154_987_145_7e4,
    6.726_577_092_700_870_085_3e4,
    3.343_057_558_358_812_810_5e4,
    2.509_080_928_730_122_672_7e3,
];
const CENTRE_BELOW: [f64; 8] = [
    1.0,
    4.231_333_070_160_091_125_2e1,
    6.871_870_074_920_579_082_8e2,
    5.394_196_021_424_751_107_7e3,
    2.121_379_430_158_659_586_7e4,
    3.930_789_580_009_271_061_0e4,
    2.872_908_573_572_194_267_4e4,
    5.226_495_278_852_854_561_0e3,
];
const MIDDLE_ABOVE: [f64; 8] = [
    1.423_437_110_749_683_577_34,
    4.630_337_846_156_545_295_90,
    5.769_497_221_460_691_405_50,
    3.647_848_324_763_204_605_04,
    1.270_458_252_452_368_382_58,
    2.417_807_251_774_506_117_70e-1,
    2.272_384_498_926_918_458_33e-2,
    7.745_450_142_783_414_076_40e-4,
];
const MIDDLE_BELOW: [f64; 8] = [
    1.0,
    2.053_191_626_637_758_821_87,
    1.676_384_830_183_803_849_40,
    6.897_673_349_851_000_045_50e-1,
    1.481_039_764_274_800_745_90e-1,
    1.519_866_656_361_645_719_66e-2,
    5.475_938_084_995_344_946_00e-4,
    1.050_750_071_644_416_843_24e-9,
];
const FAR_ABOVE: [f64; 8] = [
    6.657_904_643_501_103_777_20,
    5.463_784_911_164_114_369_90,
    1.784_826_539_917_291_335_80,
    2.965_605_718_285_048_912_30e-1,
    2.653_218_952_657_612_309_30e-2,
    1.242_660_947_388_078_438_60e-3,
    2.711_555_568_743_487_578_15e-5,
    2.010_334_399_292_288_132_65e-7,
];
const FAR_BELOW: [f64; 8] = [
    1.0,
    5.998_322_065_558_879_376_90e-1,
    1.369_298_809_227_358_053_10e-1,
    1.487_536_129_085_061_485_25e-2,
    7.868_691_311_456_132_591_00e-4,
    1.846_318_317_510_054_681_80e-5,
    1.421_511_758_316_445_888_70e-7,
    2.044_263_103_389_939_785_64e-15,
];

/// A gamma distribution by the squeeze-free method of Marsaglia & Tsang (ACM TOMS 26, 2000); a shape below 1 is boosted.
#[derive(Clone, Debug, PartialEq)]
struct Gamma {
    scale: f64,
    d: f64,
    c: f64,
    /// 1/shape where the shape is below 1.
    boost: Option<f64>,
}

impl Gamma {
    fn new(shape: f64, scale: f64) -> Gamma {
        let boost = (shape < 1.0).then(|| 1.0 / shape);
        let d = if boost.is_some() { shape + 1.0 } else { shape } - 1.0 / 3.0;
        Gamma { scale, d, c: 1.0 / libm::sqrt(9.0 * d), boost }
    }

    fn sample(&self, draw: &mut Draw) -> f64 {
        let boost = self.boost.map_or(1.0, |exponent| libm::pow(draw.open_unit(), exponent));
        loop {
            let x = normal_quantile(draw.open_unit());
            let root = 1.0 + self.c * x;
            if root <= 0.0 {
                continue;
            }
            let v = root * root * root;
            if libm::log(draw.open_unit()) < 0.5 * x * x + self.d - self.d * v + self.d * libm::log(v) {
                return boost * self.scale * self.d * v;
            }
        }
    }

    fn greatest(&self) -> f64 {
        let root = 1.0 + self.c * FARTHEST_NORMAL;
        self.scale * self.d * root * root * root
    }
}

#[cfg(test)]
#[path = "latency_tests.rs"]
mod tests;
