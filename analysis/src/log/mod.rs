//! Writer and reader of `events.csv`.
//!
//! The format is CSV without quotes: a header, then a row an event, fields that do not apply empty,
//! digests as 16 lower-case hexadecimal digits. Rows of a run stand together, in time order.

mod reader;
mod run_order;
mod sink;
mod writer;

pub(crate) use reader::of_run;
pub use reader::{EventReader, LogError, RowProblem};
pub(crate) use run_order::{RunOrder, Step};
pub use sink::{Compression, FrameSink};
pub use writer::EventWriter;
pub(crate) use writer::breaks_a_row;
