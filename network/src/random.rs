//! Random numbers by name instead of by order.
//!
//! A run never shares one generator: the numbers would then depend on who asked first. Instead a [`Key`] names each draw
//! (`run → component → sender → receiver → k-th message`), and a key gives the same numbers whatever else was drawn. Two
//! systems that send different messages still meet the same network, which is what makes their comparison in pairs sharp.
//!
//! The numbers come from `SplitMix64` (Steele, Lea & Flood, OOPSLA 2014): the child `i` of a key is the `i`-th output of the
//! generator that the key seeds. They are the same on every machine.

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::{SplitMix64, Xoshiro256PlusPlus};

/// The increment of `SplitMix64`: output `i` of seed `s` is output 0 of seed `s + i·GAMMA`.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// The name of a random draw, or of a family of them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Key(u64);

impl Key {
    /// The key at the root of an experiment.
    pub fn root(seed: u64) -> Key {
        Key(seed).child(0)
    }

    /// The member `label` of this key's family.
    #[inline]
    #[must_use]
    pub fn child(self, label: u64) -> Key {
        Key(SplitMix64::seed_from_u64(self.0.wrapping_add(label.wrapping_mul(GAMMA))).next_u64())
    }

    /// The member with a name, for a component of the system.
    #[must_use]
    pub fn component(self, name: &str) -> Key {
        name.bytes().fold(self.child(name.len() as u64), |key, byte| key.child(u64::from(byte)))
    }

    /// The key as a number, to be written down and used with [`Key::from_u64`].
    pub fn as_u64(self) -> u64 {
        self.0
    }

    /// The key that [`Key::as_u64`] wrote down.
    pub fn from_u64(key: u64) -> Key {
        Key(key)
    }

    /// The stream of a single draw: cheap to make, good for a handful of numbers.
    #[inline]
    pub fn draw(self) -> Draw {
        Draw(SplitMix64::seed_from_u64(self.0))
    }

    /// A generator for many numbers, for `rand`'s algorithms.
    pub fn generator(self) -> Xoshiro256PlusPlus {
        Xoshiro256PlusPlus::seed_from_u64(self.0)
    }

    /// True with `probability` (0 never, 1 always).
    #[inline]
    pub fn chance(self, probability: f64) -> bool {
        self.draw().unit() < probability
    }
}

/// The few numbers behind one [`Key`].
#[derive(Clone, Debug)]
pub struct Draw(SplitMix64);

impl Draw {
    /// 64 random bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in [0, 1), a multiple of 2⁻⁵³.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in (0, 1): the midpoints of 2⁵³ equal cells, so that a quantile function never meets an end.
    #[inline]
    pub fn open_unit(&mut self) -> f64 {
        ((self.bits() >> 12) as f64 + 0.5) * (1.0 / (1u64 << 52) as f64)
    }

    /// Uniform in `0..=last`. The bias is below 2⁻⁶⁴ times the range.
    #[inline]
    pub fn up_to(&mut self, last: u64) -> u64 {
        match last.checked_add(1) {
            Some(count) => ((u128::from(self.bits()) * u128::from(count)) >> 64) as u64,
            None => self.bits(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published outputs of `SplitMix64` for seed 1234567.
    #[test]
    fn the_stream_is_splitmix64() {
        let mut draw = Key(1_234_567).draw();
        assert_eq!(draw.bits(), 6_457_827_717_110_365_317);
        assert_eq!(draw.bits(), 3_203_168_211_198_807_973);
        assert_eq!(Key(1_234_567).child(1).0, 3_203_168_211_198_807_973);
    }

    #[test]
    fn names_lead_to_different_keys() {
        let root = Key::root(11);
        assert_ne!(root.component("drop"), root.component("latency"));
        assert_ne!(root.component("ab"), root.component("ba"));
        assert_ne!(root, Key::root(12));
        assert_eq!(root.component("drop"), Key::root(11).component("drop"));
    }

    #[test]
    fn ranges_are_kept_to_their_ends() {
        let draws: Vec<u64> = (0..2000).map(|i| Key::root(1).child(i).draw().up_to(3)).collect();
        for value in 0..=3 {
            let count = draws.iter().filter(|&&draw| draw == value).count();
            assert!((400..600).contains(&count), "{value} came {count} times of 2000");
        }
        assert!((0..2000).all(|i| {
            let x = Key::root(2).child(i).draw().open_unit();
            x > 0.0 && x < 1.0
        }));
    }
}
