//! The invariants, by code and by name.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Declares the invariants with their codes, names and statements.
macro_rules! invariants {
    ($($(#[$doc:meta])* $code:ident = $name:literal: $statement:literal,)*) => {
        /// A property that every run must have as long as at most f replicas are faulty.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Invariant { $($(#[$doc])* $code,)* }

        impl Invariant {
            /// All of them, in order.
            pub const ALL: [Self; 12] = [$(Self::$code,)*];

            /// Its code, such as `I1`.
            pub fn code(self) -> &'static str {
                match self { $(Self::$code => stringify!($code),)* }
            }

            /// Its name, such as `agreement`: also the name of its switch in a configuration.
            pub fn name(self) -> &'static str {
                match self { $(Self::$code => $name,)* }
            }

            /// What it says, in one sentence.
            pub fn statement(self) -> &'static str {
                match self { $(Self::$code => $statement,)* }
            }
        }
    };
}

invariants! {
    /// Agreement.
    I1 = "agreement": "honest replicas that commit or execute at the same number have the same digest, across views",
    /// One prepared digest.
    I2 = "one_prepared": "at most one digest is prepared for each view and number among honest replicas",
    /// Validity.
    I3 = "validity": "an executed request that is not null was issued by its client",
    /// One history.
    I4 = "one_history": "executions have no gaps, are prefixes of each other, and lead to equal states",
    /// Linearizability.
    I5 = "linearizable": "the accepted results of honest clients are linearizable",
    /// Commits rest on quorums and survive view changes.
    I6 = "commits_survive": "an honest commit rests on a quorum that prepared it, and every later view carries it",
    /// No equivocation.
    I7 = "no_equivocation": "an honest replica never votes for two digests at one view and number",
    /// Views.
    I8 = "views_grow": "views never decrease, and a view is entered with one order, which its primary sends once",
    /// The window.
    I9 = "window": "the log stays within its window, which moves forward only, to certified checkpoints",
    /// Equal checkpoints.
    I10 = "equal_checkpoints": "any two honest stable checkpoints at a number are equal",
    /// Liveness.
    I11 = "liveness": "after stabilisation each request of an honest client is accepted within the bound",
    /// No view change without a cause.
    I12 = "caused_view_change": "an honest replica enters a later view only if an honest replica's timer ran out, which none does while no client waits",
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

/// A text that names no invariant.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unknown invariant `{name}`; use one of {}", Invariant::ALL.map(Invariant::name).join(", "))]
pub struct UnknownInvariant {
    /// The text.
    pub name: String,
}

impl FromStr for Invariant {
    type Err = UnknownInvariant;

    /// Takes names and codes.
    fn from_str(name: &str) -> Result<Self, UnknownInvariant> {
        let mut all = Self::ALL.into_iter();
        let found = all.find(|invariant| invariant.name() == name || invariant.code() == name);
        found.ok_or_else(|| UnknownInvariant { name: name.to_owned() })
    }
}

/// Some of the invariants.
///
/// ```
/// use byzlab_analysis::oracle::{Invariant, InvariantSet};
/// let safety = InvariantSet::ALL.without(Invariant::I11);
/// assert!(safety.contains(Invariant::I1) && !safety.contains(Invariant::I11));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvariantSet(u16);

impl InvariantSet {
    /// All of them.
    pub const ALL: Self = Self((1 << Invariant::ALL.len()) - 1);
    /// None of them.
    pub const NONE: Self = Self(0);

    /// These, and this one.
    #[must_use]
    pub fn with(self, invariant: Invariant) -> Self {
        Self(self.0 | 1 << invariant as u16)
    }

    /// These, but not this one.
    #[must_use]
    pub fn without(self, invariant: Invariant) -> Self {
        Self(self.0 & !(1 << invariant as u16))
    }

    /// Whether it is one of these.
    pub fn contains(self, invariant: Invariant) -> bool {
        self.0 >> invariant as u16 & 1 == 1
    }
}
