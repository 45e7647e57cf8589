//! How CSV files are read, as arguments: the same for `stats` and `compare`.

use byzlab_analysis::log::ReadOptions;
use byzlab_analysis::table::{Condition, TableOptions};
use clap::Args;
use std::num::NonZeroUsize;

/// What rows and values of CSV files mean.
#[derive(Debug, Args)]
#[command(next_help_heading = "CSV files")]
pub(super) struct TableArguments {
    /// Rows that meet this condition, or a further one, did not succeed, whatever their value; nor did those whose value is
    /// `inf`.
    #[arg(long, value_name = "CONDITION")]
    failed: Vec<Condition>,
    /// Rows that meet this condition, or a further one, can never succeed, however long one waits: no limit applies to
    /// them.
    #[arg(long, value_name = "CONDITION")]
    never: Vec<Condition>,
    /// Rows without a value did not succeed, instead of being left out.
    #[arg(long)]
    empty_is_failure: bool,
    /// A text that stands for no value, such as NA; may be given several times.
    #[arg(long, value_name = "TEXT")]
    missing: Vec<String>,
    /// How long all rows were watched, in the unit of the values after scaling: failures lie beyond it, and so do values
    /// above it, which count as not succeeded.
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    limit: Option<f64>,
    /// The column that says how long a row was watched, where that differs from row to row.
    #[arg(long, value_name = "COLUMN", conflicts_with = "limit")]
    limit_column: Option<String>,
    /// Multiplies the values and the limits of a column, such as 1e-6 for nanoseconds that are to be shown as milliseconds.
    #[arg(long, value_name = "FACTOR")]
    pub(super) scale: Option<f64>,
    /// What the unit of the values is called, after scaling.
    #[arg(long, value_name = "UNIT")]
    pub(super) unit: Option<String>,
    /// The character between fields, a comma if left out; `tab` is a tabulator.
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter)]
    delimiter: Option<u8>,
}

/// How any input is read.
#[derive(Debug, Args)]
pub(super) struct ReadArguments {
    /// Skips rows that cannot be used, and counts them, instead of ending with an error.
    #[arg(long)]
    lenient: bool,
    /// How many threads read; one for each core if left out. The figures do not depend on it.
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

impl ReadArguments {
    pub(super) fn options(&self) -> ReadOptions {
        ReadOptions { lenient: self.lenient, jobs: self.jobs }
    }
}

impl TableArguments {
    /// The options to read this column, without groups and conditions.
    pub(super) fn options(&self, column: &str, read: &ReadArguments) -> TableOptions {
        TableOptions {
            failed: self.failed.clone(),
            never: self.never.clone(),
            empty_is_failure: self.empty_is_failure,
            missing: self.missing.clone(),
            limit: self.limit,
            limit_column: self.limit_column.clone(),
            scale: self.scale.unwrap_or(1.0),
            unit: self.unit.clone(),
            delimiter: self.delimiter(),
            lenient: read.lenient,
            jobs: read.jobs,
            ..TableOptions::of(column)
        }
    }

    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter.unwrap_or(b',')
    }

    /// The first option that was given.
    pub(super) fn given(&self) -> Option<&'static str> {
        let options = [
            ("failed", !self.failed.is_empty()),
            ("never", !self.never.is_empty()),
            ("empty-is-failure", self.empty_is_failure),
            ("missing", !self.missing.is_empty()),
            ("limit", self.limit.is_some()),
            ("limit-column", self.limit_column.is_some()),
            ("scale", self.scale.is_some()),
            ("unit", self.unit.is_some()),
            ("delimiter", self.delimiter.is_some()),
        ];
        options.into_iter().find_map(|(name, is_given)| is_given.then_some(name))
    }
}

/// One character that can stand between fields.
fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        &[byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(byte),
        _ => Err("give one character such as ; or tab, but no quote".to_owned()),
    }
}
