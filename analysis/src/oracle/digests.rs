//! Sets of digests.

/// The last digests: at least [`RecentDigests::KEPT`] of them, and at most twice as many.
#[derive(Clone, Debug)]
pub(super) struct RecentDigests {
    recent: DigestSet,
    older: DigestSet,
    has_forgotten: bool,
}

impl RecentDigests {
    /// Enough for all requests that can be under way at once, and half a megabyte.
    pub(super) const KEPT: usize = 1 << 16;

    pub(super) fn new() -> Self {
        Self { recent: DigestSet::new(), older: DigestSet::new(), has_forgotten: false }
    }

    pub(super) fn insert(&mut self, digest: u64) {
        if self.recent.len() == Self::KEPT {
            self.has_forgotten |= self.older.len() > 0;
            self.older = std::mem::replace(&mut self.recent, DigestSet::new());
        }
        self.recent.insert(digest);
    }

    /// Whether it was inserted; none if that is forgotten, or never was.
    pub(super) fn knows(&self, digest: u64) -> Option<bool> {
        let is_known = self.recent.contains(digest) || self.older.contains(digest);
        (is_known || !self.has_forgotten).then_some(is_known)
    }

    pub(super) fn len(&self) -> usize {
        self.recent.len() + self.older.len()
    }
}

/// Digests in a table with open addressing: they are evenly distributed already, so their low bits say where they stand.
#[derive(Clone, Debug)]
struct DigestSet {
    /// 0 is a free place.
    slots: Vec<u64>,
    len: usize,
}

impl DigestSet {
    fn new() -> Self {
        Self { slots: vec![0; 64], len: 0 }
    }

    fn insert(&mut self, digest: u64) {
        // At most three quarters full.
        if self.len * 4 >= self.slots.len() * 3 {
            let doubled = vec![0; self.slots.len() * 2];
            for old in std::mem::replace(&mut self.slots, doubled) {
                if old != 0 {
                    let place = self.place(old);
                    self.slots[place] = old;
                }
            }
        }
        let place = self.place(stored(digest));
        if self.slots[place] == 0 {
            self.slots[place] = stored(digest);
            self.len += 1;
        }
    }

    fn contains(&self, digest: u64) -> bool {
        self.slots[self.place(stored(digest))] != 0
    }

    fn len(&self) -> usize {
        self.len
    }

    /// Where it stands, or else the free place for it.
    fn place(&self, digest: u64) -> usize {
        let mask = self.slots.len() - 1;
        // Digests of hand-made logs may be small numbers.
        let mut place = (digest.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & mask;
        while self.slots[place] != 0 && self.slots[place] != digest {
            place = (place + 1) & mask;
        }
        place
    }
}

/// As it stands in the table, where 0 means nothing.
fn stored(digest: u64) -> u64 {
    digest.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_ago_is_neither_known_nor_unknown() {
        let kept = RecentDigests::KEPT as u64;
        let mut digests = RecentDigests::new();
        (1..=2 * kept).for_each(|digest| digests.insert(digest));
        assert_eq!([1, kept, 2 * kept].map(|digest| digests.knows(digest)), [Some(true); 3]);
        assert_eq!(digests.knows(3 * kept), Some(false));
        digests.insert(2 * kept + 1);
        assert_eq!([kept + 1, 2 * kept + 1].map(|digest| digests.knows(digest)), [Some(true); 2]);
        assert_eq!([1, 3 * kept].map(|digest| digests.knows(digest)), [None; 2]);
        assert_eq!(digests.len() as u64, kept + 1);
    }

    #[test]
    fn holds_what_was_inserted_and_nothing_else() {
        let mut set = DigestSet::new();
        for digest in (0..10_000).step_by(2) {
            set.insert(digest);
            set.insert(digest);
        }
        assert_eq!(set.len(), 5_000);
        // 1 is how 0 is stored.
        assert!((2..10_000).all(|digest| set.contains(digest) == (digest % 2 == 0)));
    }
}
