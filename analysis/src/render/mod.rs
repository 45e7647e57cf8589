//! Groups as a table for people, as JSON and as CSV.

mod csv;
mod json;
mod table;

pub use self::csv::csv;
pub use json::json;
pub(crate) use table::percent_digits;
pub use table::table;
