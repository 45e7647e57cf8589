//! The clock of a node, which may run fast or slow.

use byzlab_network::Time;

/// How fast a node's clock runs. All clocks show 0 at the start of the run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Clock {
    /// By how many billionths it is fast; negative if it is slow.
    drift: i64,
}

const BILLION: i64 = 1_000_000_000;

impl Clock {
    /// A clock that is fast by so many billionths (10 000 000 are one percent); negative if it is slow. None if it would not run forward.
    pub fn with_drift(billionths: i64) -> Option<Clock> {
        (-BILLION < billionths && billionths <= BILLION).then_some(Clock { drift: billionths })
    }

    /// By how many billionths it is fast.
    pub fn drift(self) -> i64 {
        self.drift
    }

    /// What it shows at an instant.
    #[inline]
    pub fn read(self, now: Time) -> Time {
        if self.drift == 0 {
            return now;
        }
        scaled(now, BILLION + self.drift, BILLION, 0)
    }

    /// The first instant at which it shows this.
    #[inline]
    pub fn when(self, shown: Time) -> Time {
        if self.drift == 0 {
            return shown;
        }
        let speed = BILLION + self.drift;
        scaled(shown, BILLION, speed, speed - 1)
    }
}

/// `(time · by + plus) / over`, rounded down.
fn scaled(time: Time, by: i64, over: i64, plus: i64) -> Time {
    let scaled = (u128::from(time.as_nanos()) * by as u128 + plus as u128) / over as u128;
    Time::from_nanos(u64::try_from(scaled).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_runs_out_when_the_clock_shows_it() {
        let at = Time::from_nanos;
        for drift in [-999_999_999, -7, 3, 10_000_000, 1_000_000_000] {
            let clock = Clock::with_drift(drift).unwrap();
            for shown in [0, 1, 17, 499_999_999, 500_000_000] {
                let due = clock.when(at(shown));
                assert!(clock.read(due) >= at(shown), "{drift} {shown}");
                assert!(due == at(0) || clock.read(at(due.as_nanos() - 1)) < at(shown), "{drift} {shown}");
            }
        }
        assert_eq!(Clock::with_drift(10_000_000).unwrap().when(at(1_010_000_000)), at(1_000_000_000));
        assert_eq!(Clock::default().read(at(5)), at(5));
        assert_eq!(Clock::with_drift(-BILLION), None);
    }
}
