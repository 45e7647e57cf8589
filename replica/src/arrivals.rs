//! When requests come into being in an open loop, whatever has been answered.
//!
//! Each pattern is one of rate 1, stretched so that the area under the rate between two requests is what the pattern says: that
//! makes a ramp exact, for Poisson processes too (a change of time; Çinlar 1975, *Introduction to Stochastic Processes*, chapter 4).
//! Draws are named by the request's number, so that another rate stretches the same pattern.

use byzlab_network::{Key, Span, Time};
use std::hash::{Hash, Hasher};
use std::num::NonZeroU32;

/// Requests a second and client: a finite number above 0.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct Rate(f64);

impl Rate {
    /// So many a second; none if that is no finite number above 0.
    pub fn per_second(rate: f64) -> Option<Rate> {
        (rate.is_finite() && rate > 0.0).then_some(Rate(rate))
    }

    /// How many a second.
    pub fn get(self) -> f64 {
        self.0
    }
}

/// It is never NaN.
impl Eq for Rate {}

/// Nor is it zero, so equal rates have equal bits.
impl Hash for Rate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

/// How the requests of one client come.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Arrivals {
    /// How many come on average; at the start, if there is a ramp.
    pub rate: Rate,
    /// How regularly.
    pub pattern: Pattern,
    /// How the rate changes.
    pub ramp: Option<Ramp>,
}

/// How regularly requests come.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Pattern {
    /// As a Poisson process: independent of each other.
    Poisson,
    /// Equally spaced, from a random phase on, so that clients do not march in step.
    Constant,
    /// So many at once, and these bursts as a Poisson process; with one it is that of [`Pattern::Poisson`].
    Bursts {
        /// How many.
        size: NonZeroU32,
    },
}

/// A rate that grows or falls linearly from the start of the run on, and then stays.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Ramp {
    /// The rate at its end.
    pub to: Rate,
    /// How long it takes.
    pub over: Span,
}

impl Arrivals {
    /// When request `number`, from 1 on, comes into being, if the one before came at `last`. `client` names the client's draws.
    pub fn next(&self, client: Key, number: u64, last: Time) -> Time {
        let exponential = |number| -libm::log(client.child(number).draw().open_unit());
        match self.pattern {
            Pattern::Poisson => self.after(last, exponential(number)),
            // Counted from the start, so that no rounding adds up.
            Pattern::Constant => self.after(Time::START, client.child(0).draw().unit() + (number - 1) as f64),
            Pattern::Bursts { size } => {
                let (burst, place) = ((number - 1) / u64::from(size.get()), (number - 1) % u64::from(size.get()));
                if place > 0 { last } else { self.after(last, exponential(burst + 1) * f64::from(size.get())) }
            }
        }
    }

    /// When so many requests are to be expected since `from`, rounded to whole nanoseconds.
    fn after(&self, from: Time, requests: f64) -> Time {
        from + match self.ramp {
            None => seconds(requests / self.rate.0),
            Some(ramp) => seconds(ramp.until(self.rate.0, from.as_nanos() as f64 / 1e9, requests)),
        }
    }
}

impl Ramp {
    /// How many seconds after `start`, in seconds, the area under the rate has grown by so many requests.
    fn until(self, from: f64, start: f64, requests: f64) -> f64 {
        let (to, over) = (self.to.0, self.over.as_nanos() as f64 / 1e9);
        if start >= over {
            return requests / to;
        }
        let slope = (to - from) / over;
        let (rate, left) = (from + slope * start, over - start);
        let within = f64::midpoint(rate, to) * left;
        if requests >= within {
            return left + (requests - within) / to;
        }
        // The root of rate·x + slope·x²/2 = requests, in the form that does not cancel where the slope is small.
        2.0 * requests / (rate + libm::sqrt(rate * rate + 2.0 * slope * requests))
    }
}

/// Whole nanoseconds; what is too long lasts for ever.
fn seconds(seconds: f64) -> Span {
    Span::from_nanos((seconds * 1e9 + 0.5) as u64)
}

#[cfg(test)]
#[path = "arrivals_tests.rs"]
mod tests;
