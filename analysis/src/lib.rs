//! byzlab's logs: what stands in them, and what follows from them.
//!
//! ```text
//! runs.csv ────► runs ───────────────┐
//! events.csv ──► log ──► measure ────┴─► summary ──► render (table, JSON, CSV), plot (SVG, PNG)
//!                 │  (latency, throughput)  │
//!                 │                     statistics
//!                 └────► oracle: did the protocol keep its promises?
//! latency_parts.csv ──► parts ──► render, plot: where did the time of each request go?
//! ```
//!
//! The crate stands alone: it needs the logs, not the simulator that wrote them. The simulator uses
//! it to write them, and may feed [`RunMeasures`], [`summarize`] and [`Oracles`] in process instead.
//!
//! - **The unit of analysis is the run.** A run's value is the mean of its samples, or its throughput. Three figures stand
//!   side by side: the share of runs that completed, the value of those that did, and the value of all, in which a
//!   failure counts as +∞.
//! - **Reading is strict.** A damaged or foreign file is an error that names file, line and remedy,
//!   never a number.
//! - **Undefined is `None`**, with a note that says why; NaN never comes out.
//! - **Memory is bounded** by the number of runs, not by the size of the log or of a run; `settled` says what else counts.
//!
//! ```no_run
//! use byzlab_analysis::{AnalysisOptions, Metric, analyze, render};
//!
//! let options = AnalysisOptions { metric: Metric::Client, ..AnalysisOptions::default() };
//! let groups = analyze("results/tutorial".as_ref(), &options)?;
//! print!("{}", render::table(&groups));
//! # Ok::<(), byzlab_analysis::AnalysisError>(())
//! ```

pub mod attempts;
pub mod compare;
pub mod event;
pub mod latency;
pub mod log;
pub mod measure;
pub mod messages;
pub mod metric;
pub mod oracle;
pub mod parts;
pub mod plot;
pub mod precision;
pub mod render;
pub mod results;
pub mod runs;
pub mod series;
pub mod settled;
pub mod statistics;
pub mod summary;
pub mod table;
pub mod throughput;
pub mod timeline;

pub use attempts::{TimeLimits, attempts};
pub use event::{EVENT_COLUMNS, Event, EventKind, Value};
pub use latency::{InvalidEvent, RunLatency, Samples};
pub use log::{
    Compression, EventReader, EventWriter, FrameSink, LogError, ReadOptions, RowProblem, RunConsumer, RunOutputs,
    Skipped, read_runs,
};
pub use measure::{RunMeasures, RunValue};
pub use messages::{MessageKinds, MessageSummary, read_message_kinds, summarize_messages};
pub use metric::{Metric, UnknownMetric};
pub use oracle::{Oracles, check_results};
pub use parts::{
    LatencyParts, LatencyPartsReader, LatencyPartsWriter, Part, PartMean, PartTimes, PartsError, PartsProblem,
    PartsSummary, summarize_parts,
};
pub use plot::{
    DistributionGroup, DistributionLabels, FrontierCurve, FrontierCurves, PlotError, write_distribution_plots,
    write_figures_plot, write_frontier_plot, write_message_kinds_plot, write_message_plot, write_parts_plot,
    write_saturation_plot, write_sweep_plots, write_timeline_plot,
};
pub use precision::{Aim, Precision, Replications};
pub use results::{ExpectedRuns, MeasuredRuns};
pub use runs::{Outcome, RunRow, RunTable, RunWriter, RunsError};
pub use series::{SeriesOf, SeriesSummary, summarize_within_runs};
pub use settled::{Sample, SampleSink, SettledLatency};
pub use statistics::Estimate;
pub use summary::{AnalysisError, AnalysisOptions, GroupSummary, analyze, analyze_metrics, summarize};
pub use throughput::RunThroughput;
pub use timeline::{Timeline, Timelines, read_timelines};
