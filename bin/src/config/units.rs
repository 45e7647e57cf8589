//! Quantities with units as text, `"5ms"`, `"1KiB"`, `"1Gbit/s"`, and probabilities.
//!
//! Conversions are exact: decimals are never a float on the way. What is no whole number of the smallest unit, or does
//! not fit 64 bits, is refused, and what is printed reads back as the same number.

use std::fmt;
use std::str::FromStr;

use super::error::{nearest, shorten};
use super::kind::{Kind, Problem};
use super::value::Value;

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Nanoseconds(pub u64);

/// A size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(pub u64);

/// A rate of transmission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct BitsPerSecond(pub u64);

/// A part of a length of time, in parts of a billion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Share(pub u64);

/// A probability: from 0 to 1, both included, never NaN.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Probability(f64);

impl Probability {
    /// What never happens.
    pub const NEVER: Self = Self(0.0);
    /// What always happens.
    pub const ALWAYS: Self = Self(1.0);

    /// A probability, or nothing when the number is none.
    pub fn new(value: f64) -> Option<Self> {
        // Adding zero turns −0 into 0.
        (0.0..=1.0).contains(&value).then_some(Self(value + 0.0))
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }

    /// So many of a million.
    pub fn of_a_million(count: u32) -> Self {
        Probability(f64::from(count.min(1_000_000)) / 1e6)
    }
}

impl fmt::Display for Probability {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}", self.0)
    }
}

/// A duration with its unit, such as `"5ms"`.
pub fn duration() -> Kind<'static, Nanoseconds> {
    DURATION.kind().map(Nanoseconds)
}

/// A duration that is mostly some microseconds: what a number without a unit is taken to mean.
pub(super) fn short_duration() -> Kind<'static, Nanoseconds> {
    SHORT_DURATION.kind().map(Nanoseconds)
}

/// A size with its unit, such as `"512B"`.
pub fn bytes() -> Kind<'static, Bytes> {
    SIZE.kind().map(Bytes)
}

/// A rate with its unit, such as `"1Gbit/s"`.
pub fn bit_rate() -> Kind<'static, BitsPerSecond> {
    BIT_RATE.kind().map(BitsPerSecond)
}

/// A part of a length of time, such as `"5%"`.
pub fn share() -> Kind<'static, Share> {
    SHARE.kind().map(Share)
}

/// A probability, a number from 0 to 1.
pub fn probability() -> Kind<'static, Probability> {
    Kind::new("a probability from 0 to 1", |value| {
        let number = match value {
            Value::Integer(number) => *number as f64,
            Value::Float(number) => *number,
            _ => return Err(Problem::other_type(value)),
        };
        Probability::new(number).ok_or_else(|| {
            let problem = Problem::new("not a probability");
            match Probability::new(number / 100.0) {
                Some(share) => problem.hint(format_args!("write {share} for {number} percent")),
                None => problem,
            }
        })
    })
}

macro_rules! quantity {
    ($($quantity:ident: $units:ident)*) => {
        $(
            /// The shortest exact form that does not begin with `0.`.
            impl fmt::Display for $quantity {
                fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                    out.pad(&$units.write(self.0))
                }
            }

            impl FromStr for $quantity {
                type Err = Problem;

                fn from_str(text: &str) -> Result<Self, Problem> {
                    $units.read(text).map(Self)
                }
            }
        )*
    };
}
quantity!(Nanoseconds: DURATION Bytes: SIZE BitsPerSecond: BIT_RATE Share: SHARE);

/// The units of one quantity.
struct Units {
    wanted: &'static str,
    /// From small to large; the first is what is counted in.
    scale: &'static [Unit],
    zero: &'static str,
    /// The unit for a number that comes without one, and its name in the plural.
    usual: (&'static str, &'static str),
    /// What people write by mistake, in lower case, and what they mean.
    slips: &'static [(&'static str, &'static str)],
}

struct Unit {
    name: &'static str,
    factor: u64,
}

const fn unit(name: &'static str, factor: u64) -> Unit {
    Unit { name, factor }
}

const DURATION: Units = Units {
    wanted: r#"a duration such as "5ms", "1.5s", "250us", "10ns" (also min, h)"#,
    scale: &[
        unit("ns", 1),
        unit("us", 1_000),
        unit("ms", 1_000_000),
        unit("s", 1_000_000_000),
        unit("min", 60_000_000_000),
        unit("h", 3_600_000_000_000),
    ],
    zero: "0ms",
    usual: ("ms", "milliseconds"),
    slips: &[
        ("nsec", "ns"),
        ("nanoseconds", "ns"),
        ("usec", "us"),
        ("microseconds", "us"),
        ("msec", "ms"),
        ("millis", "ms"),
        ("milliseconds", "ms"),
        ("sec", "s"),
        ("secs", "s"),
        ("second", "s"),
        ("seconds", "s"),
        ("m", "min"),
        ("mins", "min"),
        ("minute", "min"),
        ("minutes", "min"),
        ("hour", "h"),
        ("hours", "h"),
    ],
};

const SHORT_DURATION: Units = Units { usual: ("us", "microseconds"), ..DURATION };

const SIZE: Units = Units {
    wanted: r#"a size such as "512B", "1KiB", "2.5MB" (B, KB, KiB, MB, MiB, GB, GiB)"#,
    scale: &[
        unit("B", 1),
        unit("KB", 1_000),
        unit("KiB", 1 << 10),
        unit("MB", 1_000_000),
        unit("MiB", 1 << 20),
        unit("GB", 1_000_000_000),
        unit("GiB", 1 << 30),
    ],
    zero: "0B",
    usual: ("B", "bytes"),
    slips: &[("byte", "B"), ("bytes", "B"), ("k", "KB"), ("m", "MB"), ("g", "GB")],
};

const BIT_RATE: Units = Units {
    wanted: r#"a rate such as "1Gbit/s", "10Gibit/s", "2.5Mbit/s" (bit/s, kbit/s, Kibit/s, Mbit/s, Mibit/s, Gbit/s, Gibit/s)"#,
    scale: &[
        unit("bit/s", 1),
        unit("kbit/s", 1_000),
        unit("Kibit/s", 1 << 10),
        unit("Mbit/s", 1_000_000),
        unit("Mibit/s", 1 << 20),
        unit("Gbit/s", 1_000_000_000),
        unit("Gibit/s", 1 << 30),
    ],
    zero: "0bit/s",
    usual: ("Mbit/s", "megabits a second"),
    slips: &[
        ("bps", "bit/s"),
        ("kbps", "kbit/s"),
        ("mbps", "Mbit/s"),
        ("gbps", "Gbit/s"),
        ("mbit", "Mbit/s"),
        ("gbit", "Gbit/s"),
        ("gibit", "Gibit/s"),
        ("gb/s", "Gbit/s"),
        ("mb/s", "Mbit/s"),
    ],
};

const SHARE: Units = Units {
    wanted: r#"a share such as "5%" or "0.5%" (also ppm, ppb)"#,
    scale: &[unit("ppb", 1), unit("ppm", 1_000), unit("%", 10_000_000)],
    zero: "0%",
    usual: ("%", "percent"),
    slips: &[("percent", "%"), ("pct", "%"), ("per cent", "%")],
};

/// More digits than these, and a number fits no 64 bits or is finer than any smallest unit.
const MOST_WHOLE_DIGITS: usize = 20;
const MOST_DECIMALS: usize = 30;

impl Units {
    fn kind(&'static self) -> Kind<'static, u64> {
        Kind::new(self.wanted, |value| match value {
            Value::Text(text) => self.read(text),
            Value::Integer(..0) => Err(negative()),
            Value::Float(number) if *number < 0.0 => Err(negative()),
            Value::Integer(number) => Err(self.no_unit(&number.to_string())),
            Value::Float(number) if *number < 1e15 => Err(self.no_unit(&number.to_string())),
            _ => Err(Problem::other_type(value)),
        })
    }

    fn read(&self, text: &str) -> Result<u64, Problem> {
        let text = text.trim();
        if text.starts_with(['-', '−']) {
            return Err(negative());
        }
        let end = text.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(text.len());
        let (number, name) = (&text[..end], text[end..].trim_start());
        let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |part: &str| !part.is_empty() && !part.contains('.');
        if !digits(whole) || !digits(decimals) {
            return Err(if number.is_empty() {
                Problem::new("there is no number before the unit")
            } else {
                Problem::new(format_args!("`{number}` is not a number"))
            });
        }
        if name.is_empty() {
            return Err(self.no_unit(number));
        }
        let factor = self.factor(number, name)?;
        self.convert(whole, decimals, factor)
    }

    fn factor(&self, number: &str, name: &str) -> Result<u64, Problem> {
        // Both the micro sign and the Greek letter are on keyboards.
        let written = match name {
            "µs" | "μs" => "us",
            name => name,
        };
        if let Some(unit) = self.scale.iter().find(|unit| unit.name == written) {
            return Ok(unit.factor);
        }
        let problem = Problem::new(format_args!("unknown unit `{}`", shorten(name)));
        if name.starts_with(',') {
            return Err(problem.hint("write decimals with a point"));
        }
        let lower = name.to_lowercase();
        let slip = self.slips.iter().find(|(slip, _)| *slip == lower);
        let near = slip.map(|(_, meant)| *meant).or_else(|| {
            let mut names = self.scale.iter().map(|unit| unit.name);
            names.clone().find(|name| name.to_lowercase() == lower).or_else(|| {
                // A slip of one letter within a unit of two is another unit.
                let long = names.by_ref().filter(|name| name.len() > 2);
                nearest(&lower, long)
            })
        });
        Err(match near {
            Some(near) => problem.hint(format_args!("did you mean \"{number}{near}\"?")),
            None => problem.hint(self.example(number)),
        })
    }

    /// `whole.decimals` times the factor, exactly.
    fn convert(&self, whole: &str, decimals: &str, factor: u64) -> Result<u64, Problem> {
        let smallest = self.scale[0].name;
        let too_large = || Problem::new(format_args!("too large: at most {}", self.write(u64::MAX)));
        let too_fine = || Problem::new(format_args!("not a whole number of {smallest}"));
        let (whole, decimals) = (whole.trim_start_matches('0'), decimals.trim_end_matches('0'));
        if whole.len() > MOST_WHOLE_DIGITS {
            return Err(too_large());
        }
        if decimals.len() > MOST_DECIMALS {
            return Err(too_fine());
        }
        // The digits are few enough for 128 bits; the empty text stands for zero.
        let parse = |digits: &str| digits.parse::<u128>().unwrap_or(0);
        let factor = u128::from(factor);
        let scale = 10_u128.pow(decimals.len() as u32);
        // Reducing scale and factor first keeps the product small.
        let common = greatest_common_divisor(scale, factor);
        let (scale, part_factor) = (scale / common, factor / common);
        let decimals = parse(decimals);
        if !decimals.is_multiple_of(scale) {
            return Err(too_fine());
        }
        let total = parse(whole) * factor + decimals / scale * part_factor;
        u64::try_from(total).map_err(|_| too_large())
    }

    fn write(&self, amount: u64) -> String {
        if amount == 0 {
            return self.zero.to_owned();
        }
        let forms = self.scale.iter().rev();
        forms
            .filter(|unit| unit.factor <= amount)
            .filter_map(|unit| Some(format!("{}{}", exact(amount, unit.factor)?, unit.name)))
            // The first of the shortest: the one with the largest unit.
            .min_by_key(String::len)
            .unwrap_or_default()
    }

    fn no_unit(&self, number: &str) -> Problem {
        Problem::new("a unit is missing").hint(self.example(number))
    }

    fn example(&self, number: &str) -> String {
        let (name, words) = self.usual;
        let number = if number.len() > MOST_WHOLE_DIGITS { "5" } else { number };
        format!("write \"{number}{name}\" if {words} are meant")
    }
}

fn negative() -> Problem {
    Problem::new("must not be negative")
}

/// `amount / factor` as a decimal number with at most nine decimals, if that is exact.
fn exact(amount: u64, factor: u64) -> Option<String> {
    let (amount, factor) = (u128::from(amount), u128::from(factor));
    let scale = (0..=9).find(|&scale| (amount * 10_u128.pow(scale)).is_multiple_of(factor))?;
    let digits = amount * 10_u128.pow(scale) / factor;
    let (whole, decimals) = (digits / 10_u128.pow(scale), digits % 10_u128.pow(scale));
    Some(match scale {
        0 => whole.to_string(),
        scale => format!("{whole}.{decimals:0width$}", width = scale as usize),
    })
}

fn greatest_common_divisor(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
#[path = "units_tests.rs"]
mod tests;
