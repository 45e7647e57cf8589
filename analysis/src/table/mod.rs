//! Any table: figures of a column of a CSV file, whoever wrote it.
//!
//! ```text
//! file ──► blocks of whole records ──► rows (all cores) ──► groups ──► figures
//!          header ──► plan: which columns, which conditions
//! ```
//!
//! - **The unit of analysis is the row.** Intervals assume that rows are independent; rows of one long measurement are
//!   not, and a note says so where it shows.
//! - **Failures are rows too**: an infinite value, a row that meets a condition, or a value above the limit did not
//!   succeed. They never leave the figures silently.
//! - **Reading is strict.** What is no number is an error that names line, column, content and remedy. Rows are skipped only
//!   on request, and counted; rows without a value are counted too.
//! - **Memory is bounded** by [`TableOptions::exact`], whatever the size of the file: beyond it the quantiles of large
//!   groups are approximate, within half a percent, and say so. Groups that are so small that a sketch would take more
//!   memory than their rows are kept as they are.
//!
//! Fields may be quoted as in RFC 4180, and then hold delimiters, line ends and doubled quotes; lines end with LF or CR LF.
//! Numbers are decimal, with a point. `inf`, `+inf` and `Infinity`, in any case, are failures; `NaN` and nothing are no value.
//!
//! ```
//! use byzlab_analysis::statistics::FigureOptions;
//! use byzlab_analysis::table::{TableOptions, read_table, summarize_table};
//! let csv = "system,latency\npbft,12\nhotstuff,20\npbft,14\npbft,inf\n";
//! let options = TableOptions { by: vec!["system".to_owned()], ..TableOptions::of("latency") };
//! let data = read_table(csv.as_bytes(), "latencies.csv", &options)?;
//! let groups = summarize_table(&data, &options, &FigureOptions::default())?;
//! assert_eq!((groups[0].rows, groups[0].succeeded), (3, 2));
//! assert_eq!(groups[0].mean.estimate, Some(13.0));
//! assert_eq!(groups[0].unconditional.median.estimate, Some(14.0));
//! # Ok::<(), byzlab_analysis::table::TableError>(())
//! ```

mod blocks;
mod condition;
mod error;
mod header;
mod neighbours;
mod plan;
mod read;
mod rows;
mod sample;
mod series;
mod summary;

use std::num::NonZeroUsize;

use crate::statistics::{is_inside_unit, is_usable_confidence};
pub use condition::{Condition, ConditionError};
pub use error::{RowProblem, TableError};
pub use header::{read_header, read_header_file};
pub use read::{TableData, TableGroup, read_table, read_table_file};
pub use sample::Sample;
pub use series::{analyze_series, summarize_series};
pub use summary::{ColumnSummary, FurtherQuantile, analyze_table, summarize_table};

/// Which column to read, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct TableOptions {
    /// The column with the values.
    pub column: String,
    /// Rows with the same values of these columns are a group.
    pub by: Vec<String>,
    /// Only rows that meet all of these are looked at.
    pub conditions: Vec<Condition>,
    /// Rows that meet one of these did not succeed, whatever their value: they were watched until their limit.
    pub failed: Vec<Condition>,
    /// Rows that meet one of these never will: neither success nor censoring.
    pub never: Vec<Condition>,
    /// Whether rows without a value did not succeed; otherwise they are left out and counted.
    pub empty_is_failure: bool,
    /// Texts that stand for no value, such as `NA`.
    pub missing: Vec<String>,
    /// How long all rows were watched, in the unit of the values times `scale`. A value above it is not a success within it.
    pub limit: Option<f64>,
    /// The column that says how long a row was watched; it goes before `limit`.
    pub limit_column: Option<String>,
    /// What values, and the limits in a column, are multiplied by.
    pub scale: f64,
    /// What the unit of the values is called, after scaling.
    pub unit: Option<String>,
    /// Quantiles to estimate besides the usual ones, such as 0.95.
    pub quantiles: Vec<f64>,
    /// What stands between fields.
    pub delimiter: u8,
    /// Whether rows that cannot be used are skipped and counted.
    pub lenient: bool,
    /// Up to so many rows, of all groups together, are kept one by one; what is more is summed up in sketches, whose
    /// quantiles are approximate. A group whose sketch would take more memory than its rows stays exact beyond that; a
    /// sketch takes at most 128 KiB, most take less than 10.
    pub exact: usize,
    /// Threads that read, at most two for each core; none means one for each core.
    pub jobs: Option<NonZeroUsize>,
}

impl TableOptions {
    /// All rows of this column, as one group.
    ///
    /// ```
    /// let options = byzlab_analysis::table::TableOptions::of("latency");
    /// assert_eq!((options.scale, options.delimiter, options.limit), (1.0, b',', None));
    /// ```
    pub fn of(column: impl Into<String>) -> Self {
        Self {
            column: column.into(),
            by: Vec::new(),
            conditions: Vec::new(),
            failed: Vec::new(),
            never: Vec::new(),
            empty_is_failure: false,
            missing: Vec::new(),
            limit: None,
            limit_column: None,
            scale: 1.0,
            unit: None,
            quantiles: Vec::new(),
            delimiter: b',',
            lenient: false,
            exact: 1_000_000,
            jobs: None,
        }
    }

    fn check(&self) -> Result<(), TableError> {
        let error = |option, value, expected| Err(TableError::Option { option, value, expected });
        if !(self.scale.is_finite() && self.scale > 0.0) {
            return error("scale", self.scale, "a finite number above 0");
        }
        if let Some(&p) = self.quantiles.iter().find(|p| !is_inside_unit(**p)) {
            return error("quantile", p, "a number between 0 and 1, such as 0.95");
        }
        match self.limit {
            Some(limit) if !limit.is_finite() => error("limit", limit, "a finite number"),
            _ => Ok(()),
        }
    }
}

fn check_confidence(confidence: f64) -> Result<(), TableError> {
    let (option, expected) = ("confidence", "a number between 0 and 1, such as 0.95");
    if is_usable_confidence(confidence) {
        Ok(())
    } else {
        Err(TableError::Option { option, value: confidence, expected })
    }
}

/// At most 100 characters, for messages; what would confuse a terminal is replaced.
fn shorten(text: &str) -> String {
    const SHOWN: usize = 100;
    let visible = |character: char| if character.is_control() { char::REPLACEMENT_CHARACTER } else { character };
    let mut shown: String = text.chars().take(SHOWN).map(visible).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}
