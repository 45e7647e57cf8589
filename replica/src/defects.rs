//! Defects to be planted, to measure whether tests and searches find them. A normal build has none of them: without the feature
//! `planted-defects` there is no way to switch one on, and no code of it is left.

/// A mistake that real implementations made.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Defect {
    /// The primary's PREPARE counts (against rule 4).
    PrimarysPrepareCounts,
    /// A VIEW-CHANGE carries no prepared certificates (against rule 22).
    PreparedDropped,
}

/// The defects of a replica: none, but for builds that plant one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Defects {
    #[cfg(feature = "planted-defects")]
    planted: Option<Defect>,
}

impl Defects {
    /// Plants one.
    #[cfg(feature = "planted-defects")]
    pub fn plant(defect: Defect) -> Defects {
        Defects { planted: Some(defect) }
    }

    #[cfg(feature = "planted-defects")]
    #[inline]
    pub(crate) fn has(self, defect: Defect) -> bool {
        self.planted == Some(defect)
    }

    #[cfg(not(feature = "planted-defects"))]
    #[inline]
    #[allow(clippy::unused_self)]
    pub(crate) fn has(self, _: Defect) -> bool {
        false
    }
}
