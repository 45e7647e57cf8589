//! `[oracles]`: which invariants are judged.

use super::experiment::span;
use super::units::{Nanoseconds, duration};
use super::{ConfigError, Section, boolean};
use byzlab_analysis::oracle::{Invariant, InvariantSet};
use byzlab_network::Span;

/// What the oracles of a run look at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OracleSwitches {
    /// The invariants that are judged.
    pub enabled: InvariantSet,
    /// How long a request may take once the network is stable; none if that follows from delays and timeouts.
    pub liveness_bound: Option<Span>,
}

pub(super) fn read_oracles(section: &Section<'_>) -> Result<OracleSwitches, ConfigError> {
    let mut enabled = InvariantSet::ALL;
    for invariant in Invariant::ALL {
        if !section.or(invariant.name(), boolean(), true)? {
            enabled = enabled.without(invariant);
        }
    }
    let liveness_bound = section.optional("liveness_bound", duration().within(Nanoseconds(1)..))?.map(span);
    Ok(OracleSwitches { enabled, liveness_bound })
}
