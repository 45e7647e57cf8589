//! Digests: 64 bits that stand for contents.
//!
//! The simulation needs equality of contents, not resistance against an attacker's computing power: no attack searches for
//! collisions, and the chance that a run meets one by accident is below 10⁻⁷ for a million digests. What a real digest costs
//! is a matter of the modelled CPU and of the sizes on the wire.

use std::fmt;

/// The digest of some contents.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest(pub u64);

impl Digest {
    /// The digest of the null request. Nothing else has it, but for a chance of 2⁻⁶⁴.
    pub const NULL: Digest = Digest(0);

    /// The digest of a sequence of words; both the words and their number matter.
    pub fn of(words: impl IntoIterator<Item = u64>) -> Digest {
        let mut state = 0x243f_6a88_85a3_08d3;
        let mut count = 0;
        for word in words {
            state = mix(state ^ mix(word));
            count += 1;
        }
        Digest(mix(state ^ count))
    }
}

/// The finaliser of `SplitMix64`, with an increment so that 0 does not stay 0: a bijection in which each bit of the input
/// changes half of the output.
#[inline]
fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ word >> 31
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_number_and_content_all_matter() {
        let digests = [
            Digest::of([]),
            Digest::of([0]),
            Digest::of([0, 0]),
            Digest::of([1, 2]),
            Digest::of([2, 1]),
            Digest::of([1, 2, 0]),
        ];
        for (i, a) in digests.iter().enumerate() {
            assert!(digests[..i].iter().all(|b| a != b));
        }
        assert_eq!(Digest::of([1, 2]), Digest::of(vec![1, 2]));
    }
}
