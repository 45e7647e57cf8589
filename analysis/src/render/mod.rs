//! Groups as a table for people, as JSON and as CSV.

mod columns;
mod compare;
mod csv;
mod json;
mod parts;
mod series;
mod table;

pub use self::csv::csv;
pub use columns::{columns_csv, columns_json, columns_table};
pub use compare::{comparison_csv, comparison_json, comparison_table};
pub use json::json;
pub(crate) use parts::shown_parts;
pub use parts::{parts_csv, parts_json, parts_table};
pub use series::{series_csv, series_json, series_table};
pub(crate) use table::percent_digits;
pub use table::table;
