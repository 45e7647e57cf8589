//! What the oracles found.

use std::fmt;

use crate::event::Event;

use super::Invariant;

/// What is said of an invariant at the end of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It held.
    Held,
    /// It was violated, first by this.
    Violated(Violation),
    /// Nothing can be said, for this reason.
    NotJudged(String),
    /// More replicas were faulty than the quorums are sized for, so it was not promised; how it was violated, if it was.
    AssumptionBroken(Option<Violation>),
    /// It was switched off.
    Off,
}

impl Judgement {
    /// In a word or two.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Violated(_) => "violated",
            Self::NotJudged(_) => "not judged",
            Self::AssumptionBroken(_) => "assumption broken",
            Self::Off => "off",
        }
    }

    /// What was seen against the invariant, whether it was promised or not.
    pub fn violation(&self) -> Option<&Violation> {
        match self {
            Self::Violated(violation) | Self::AssumptionBroken(Some(violation)) => Some(violation),
            _ => None,
        }
    }
}

/// The first event that contradicts an invariant, with what it contradicts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which invariant.
    pub invariant: Invariant,
    /// When it showed, in nanoseconds of virtual time.
    pub time_ns: u64,
    /// The nodes that it is about, each once, in the order of the evidence.
    pub nodes: Vec<u32>,
    /// What happened, in a sentence.
    pub what: String,
    /// The rows that prove it, in the order of their times.
    pub evidence: Vec<Event<'static>>,
}

/// The first violation of each invariant.
#[derive(Clone, Debug, Default)]
pub(super) struct Findings {
    first: [Option<Violation>; Invariant::ALL.len()],
}

impl Findings {
    /// Takes note of a violation that shows at a moment, unless an earlier one is known.
    #[cold]
    #[inline(never)]
    pub(super) fn report(
        &mut self,
        invariant: Invariant,
        time_ns: u64,
        what: fmt::Arguments<'_>,
        evidence: &[Event<'static>],
    ) {
        let first = &mut self.first[invariant as usize];
        if first.as_ref().is_some_and(|first| first.time_ns <= time_ns) {
            return;
        }
        let mut evidence = evidence.to_vec();
        evidence.sort_by_key(|row| row.time_ns);
        let mut nodes = Vec::new();
        for row in &evidence {
            if !nodes.contains(&row.node) {
                nodes.push(row.node);
            }
        }
        *first = Some(Violation { invariant, time_ns, nodes, what: what.to_string(), evidence });
    }

    pub(super) fn of(&self, invariant: Invariant) -> Option<&Violation> {
        self.first[invariant as usize].as_ref()
    }
}
