//! Judgements and violations as text for people.

use std::collections::BTreeMap;
use std::fmt;

use crate::event::EVENT_COLUMNS;
use crate::log::EventWriter;

use super::check::RunCheck;
use super::{Invariant, Judgement, Violation};

/// What the oracles say of all runs of a log. Its text is a table, and under it the first violation of each invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckReport {
    /// The runs, in the order of `runs.csv`.
    pub runs: Vec<RunCheck>,
}

impl CheckReport {
    /// Whether no run violated an invariant that was promised.
    pub fn is_clean(&self) -> bool {
        self.runs.iter().all(RunCheck::is_clean)
    }

    /// The runs with their judgements of an invariant.
    fn of(&self, invariant: Invariant) -> impl Iterator<Item = (&RunCheck, &Judgement)> + '_ {
        self.runs.iter().flat_map(move |run| {
            let of_it = run.judgements.iter().filter(move |(judged, _)| *judged == invariant);
            of_it.map(move |(_, judgement)| (run, judgement))
        })
    }
}

/// The columns of the table.
const JUDGEMENTS: [&str; 5] = ["held", "violated", "not judged", "assumption broken", "off"];

/// So many further runs are named.
const NAMED: usize = 10;

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<4} {:<18}", "", "invariant")?;
        JUDGEMENTS.iter().try_for_each(|name| write!(f, "  {name:>6}"))?;
        writeln!(f)?;
        for invariant in Invariant::ALL {
            write!(f, "{:<4} {:<18}", invariant.code(), invariant.name())?;
            for name in JUDGEMENTS {
                let count = self.of(invariant).filter(|(_, judgement)| judgement.name() == name).count();
                write!(f, "  {count:>width$}", width = name.len().max(6))?;
            }
            writeln!(f)?;
        }
        writeln!(f, "\nEach number counts runs, of {}.", self.runs.len())?;
        for invariant in Invariant::ALL {
            self.write_reasons(f, invariant)?;
        }
        for invariant in Invariant::ALL {
            self.write_violations(f, invariant)?;
        }
        Ok(())
    }
}

impl CheckReport {
    fn write_reasons(&self, f: &mut fmt::Formatter<'_>, invariant: Invariant) -> fmt::Result {
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, judgement) in self.of(invariant) {
            if let Judgement::NotJudged(reason) = judgement {
                *reasons.entry(reason).or_default() += 1;
            }
        }
        for (reason, runs) in reasons {
            writeln!(f, "{invariant} not judged in {}: {reason}", number_of_runs(runs))?;
        }
        let broken = |judgement: &Judgement| matches!(judgement, Judgement::AssumptionBroken(Some(_)));
        match self.of(invariant).filter(|(_, judgement)| broken(judgement)).count() {
            0 => Ok(()),
            runs => {
                writeln!(f, "{invariant} did not hold in {} with more than f faulty replicas", number_of_runs(runs))
            }
        }
    }

    fn write_violations(&self, f: &mut fmt::Formatter<'_>, invariant: Invariant) -> fmt::Result {
        let mut violations = self.of(invariant).filter_map(|(run, judgement)| match judgement {
            Judgement::Violated(violation) => Some((run, violation)),
            _ => None,
        });
        let Some((run, violation)) = violations.next() else { return Ok(()) };
        let RunCheck { cell, run, seed, .. } = *run;
        write!(f, "\ncell {cell}, run {run}, seed {seed}: {violation}")?;
        let others: Vec<_> = violations.map(|(run, _)| (run.cell, run.run)).collect();
        if !others.is_empty() {
            let named = others.iter().take(NAMED).map(|(cell, run)| format!("cell {cell} run {run}"));
            let more = if others.len() > NAMED { ", …" } else { "" };
            let named = named.collect::<Vec<_>>().join(", ");
            writeln!(f, "{invariant} violated in {} more: {named}{more}", number_of_runs(others.len()))?;
        }
        Ok(())
    }
}

fn number_of_runs(runs: usize) -> String {
    if runs == 1 { "1 run".to_owned() } else { format!("{runs} runs") }
}

/// When and where, what, and the rows of the log that prove it.
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { invariant, time_ns, nodes, what, .. } = self;
        let nodes: Vec<_> = nodes.iter().map(u32::to_string).collect();
        let at_ms = format!("{}.{:06}", time_ns / 1_000_000, time_ns % 1_000_000);
        writeln!(
            f,
            "{invariant} ({}) violated at {at_ms} ms, node{} {}",
            invariant.name(),
            if nodes.len() == 1 { "" } else { "s" },
            nodes.join(", ")
        )?;
        writeln!(f, "  promised: {}", invariant.statement())?;
        writeln!(f, "  but: {what}")?;
        writeln!(f, "  {}", EVENT_COLUMNS.join(","))?;
        for row in self.evidence_rows().lines() {
            writeln!(f, "  {row}")?;
        }
        Ok(())
    }
}

impl Violation {
    /// The evidence as rows of `events.csv`.
    pub fn evidence_rows(&self) -> String {
        let mut writer = EventWriter::without_header(Vec::new());
        for row in &self.evidence {
            // It cannot fail: a `Vec` takes everything, and the few texts of evidence hold no commas.
            let _ = writer.write(row);
        }
        String::from_utf8(writer.finish().unwrap_or_default()).unwrap_or_default()
    }
}
