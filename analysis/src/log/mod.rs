//! Writer and reader of `events.csv`.
//!
//! The format is CSV without quotes: a header, then a row an event, fields that do not apply empty,
//! digests as 16 lower-case hexadecimal digits. Rows of a run stand together, in time order.

mod error;
mod pass;
mod reader;
mod row;
mod run_order;
mod sink;
mod source;
mod writer;

pub(crate) use error::{LENIENTLY, of_run};
pub use error::{LogError, RowProblem};
pub(crate) use pass::read_log;
pub use pass::{ReadOptions, RunConsumer, RunOutputs, Skipped, read_runs};
pub use reader::EventReader;
pub(crate) use run_order::{RunOrder, Step};
pub use sink::{Compression, FrameSink};
pub use source::{AmbiguousFile, Source, find_file};
pub use writer::EventWriter;
pub(crate) use writer::breaks_a_row;
