//! Why two sides cannot be compared.

use thiserror::Error;

use crate::summary::AnalysisError;
use crate::table::ConditionError;

/// Why a comparison is impossible; [`hint`](Self::hint) says what to do.
#[derive(Debug, Error)]
pub enum CompareError {
    /// A results folder cannot be analysed.
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
    /// A condition cannot be decided.
    #[error(transparent)]
    Condition(#[from] ConditionError),
    /// A condition names a column that a side does not have.
    #[error("{side} ({name}) has no column `{column}` for the condition `{condition}`")]
    UnknownColumn {
        /// `A` or `B`.
        side: &'static str,
        /// What the side is.
        name: String,
        /// The condition.
        condition: String,
        /// Its column.
        column: String,
        /// The columns that work.
        available: Vec<String>,
    },
    /// A side has nothing to compare.
    #[error("{side} ({name}) has no {units} that could be compared")]
    Empty {
        /// `A` or `B`.
        side: &'static str,
        /// What the side is.
        name: String,
        /// `runs` or `rows`.
        units: &'static str,
    },
    /// Rows of a table were summed up.
    #[error("{name}: the {rows} rows of a group were summed up in a sketch, and ranks need each of them")]
    Sketched {
        /// The table.
        name: String,
        /// Number of its rows.
        rows: u64,
    },
    /// No group is on both sides.
    #[error("A and B have no group in common: A has {a}; B has {b}")]
    NothingInCommon {
        /// The groups of A.
        a: String,
        /// The groups of B.
        b: String,
    },
    /// The confidence is no probability between 0 and 1.
    #[error("confidence {0} is not between 0 and 1")]
    Confidence(f64),
}

impl CompareError {
    /// What to do; `None` if the message says it itself.
    ///
    /// ```
    /// use byzlab_analysis::compare::CompareError;
    /// assert_eq!(CompareError::Confidence(95.0).hint().as_deref(), Some("use for example 0.95"));
    /// ```
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Analysis(_) | Self::Condition(_) => return None,
            Self::UnknownColumn { available, .. } => format!("use one of {}", available.join(", ")),
            Self::Empty { .. } => "check the file and the conditions (--where, --where-a, --where-b)".to_owned(),
            Self::Sketched { .. } => "read the table with a larger `exact`".to_owned(),
            Self::NothingInCommon { .. } => {
                "choose one group of each with --where-a KEY=VALUE and --where-b KEY=VALUE, or \
                                             match by other columns with --by"
                    .to_owned()
            }
            Self::Confidence(_) => "use for example 0.95".to_owned(),
        })
    }
}
