//! What became of each run, for one metric.

use crate::measure::RunValue;
use crate::metric::Metric;
use crate::runs::{Outcome, RunRow, RunTable};
use crate::statistics::Attempt;

/// The time limits of the runs, in nanoseconds of virtual time. `runs.csv` does not name them: a run that was out of time shows its own,
/// and of those that completed only the experiment knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TimeLimits {
    /// Not known.
    #[default]
    Unknown,
    /// The same for all.
    Common(u64),
    /// By cell, from cell 0.
    ByCell(Vec<u64>),
}

impl TimeLimits {
    /// The limit of the runs of this cell.
    ///
    /// ```
    /// use byzlab_analysis::TimeLimits;
    /// let limits = TimeLimits::ByCell(vec![1_000, 2_000]);
    /// assert_eq!((limits.of_cell(1), limits.of_cell(2)), (Some(2_000), None));
    /// ```
    pub fn of_cell(&self, cell: u32) -> Option<u64> {
        match self {
            Self::Unknown => None,
            Self::Common(limit) => Some(*limit),
            Self::ByCell(limits) => limits.get(cell as usize).copied(),
        }
    }
}

/// Nanoseconds as milliseconds.
pub(crate) fn milliseconds(ns: u64) -> f64 {
    ns as f64 / 1e6
}

/// What became of each run of the table, given the values of its runs (one for each row): the attempts of
/// [`Figures`](crate::statistics::Figures).
///
/// | the run | with a latency | with the throughput |
/// |---|---|---|
/// | completed, and has a value | [`Attempt::Success`] | [`Attempt::Success`] |
/// | completed, and an honest node's silence left it without a value | [`Attempt::Never`]: it was over, and it had not happened | – |
/// | completed, without a value for another reason (all lies in the warm-up) | `None`: nothing was to be measured, so beside failures there are no figures of all runs | `None` |
/// | timeout | [`Attempt::Beyond`] the time at which it ended, its limit | `None` |
/// | violation, error | [`Attempt::Never`] | `None` |
///
/// A run counts as a whole: by convention one that failed is slower than every limit, however many of its requests were accepted. Of
/// a run's value, the mean of its samples, that is no knowledge: those that were accepted were within the limit. It is severe with
/// runs of many requests; the share of requests tells how severe.
///
/// Of a throughput more is better, and a failure is no infinite one: there is only the throughput of completed runs.
///
/// ```
/// use byzlab_analysis::statistics::Attempt;
/// use byzlab_analysis::{Metric, RunTable, RunValue, attempts};
/// let csv = "cell,run,seed,replicas,faults,corrupted,outcome,agreement,validity,requests,completed,messages,bytes,view_changes,\
///            virtual_ns,fingerprint\n\
///            0,0,1,4,1,0,completed,true,true,1,1,30,900,0,70000000,00000000000000aa\n\
///            0,1,2,4,1,1,timeout,true,true,1,0,20,600,0,2000000000,00000000000000bb\n";
/// let table = RunTable::parse(csv.as_bytes(), "runs.csv".as_ref())?;
/// let values = [RunValue { value: Some(65.0), undefined: 0 }, RunValue::default()];
/// let runs = attempts(&table, &values, Metric::AllCommit);
/// assert_eq!(runs, [Some(Attempt::Success(65.0)), Some(Attempt::Beyond(2000.0))]);
/// # Ok::<(), byzlab_analysis::RunsError>(())
/// ```
///
/// # Panics
///
/// If there is not one value for each row.
pub fn attempts(table: &RunTable, values: &[RunValue], metric: Metric) -> Vec<Option<Attempt>> {
    assert_eq!(values.len(), table.rows.len(), "one for each row");
    let of_run = |(row, run): (&RunRow, &RunValue)| attempt(row, *run, metric);
    table.rows.iter().zip(values).map(of_run).collect()
}

fn attempt(row: &RunRow, run: RunValue, metric: Metric) -> Option<Attempt> {
    if row.outcome == Outcome::Completed && run.value.is_some() {
        return run.value.and_then(Attempt::from_value);
    }
    if metric == Metric::Throughput {
        return None;
    }
    match row.outcome {
        Outcome::Completed => (run.undefined > 0).then_some(Attempt::Never),
        Outcome::Timeout => Some(Attempt::Beyond(milliseconds(row.virtual_ns))),
        Outcome::Violation | Outcome::Error => Some(Attempt::Never),
    }
}
