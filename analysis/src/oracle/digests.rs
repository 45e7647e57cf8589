//! A set of digests that only grows.

/// Digests in a table with open addressing: they are evenly distributed already, so their low bits say where they stand.
#[derive(Clone, Debug)]
pub(super) struct DigestSet {
    /// 0 is a free place.
    slots: Vec<u64>,
    len: usize,
}

impl DigestSet {
    pub(super) fn new() -> Self {
        Self { slots: vec![0; 64], len: 0 }
    }

    pub(super) fn insert(&mut self, digest: u64) {
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

    pub(super) fn contains(&self, digest: u64) -> bool {
        self.slots[self.place(stored(digest))] != 0
    }

    pub(super) fn len(&self) -> usize {
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
