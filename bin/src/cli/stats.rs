//! `byzlab stats`.

use super::analyze::Format;
use super::figures::FigureArguments;
use super::table::{ReadArguments, TableArguments};
use super::{CliError, print};
use byzlab_analysis::plot::distribution_groups_of_table;
use byzlab_analysis::table::{
    Condition, TableData, TableOptions, analyze_series, analyze_table, read_table_file, summarize_table,
};
use byzlab_analysis::{PlotError, render, write_distribution_plots};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tracing::{info, warn};

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct StatsArguments {
    /// A CSV file whose first line names the columns, plain or compressed with gzip or zstd; `-` is standard input.
    file: PathBuf,
    /// The column with the values. `inf` is a failure; an empty field or `NaN` is no value, is left out, and is counted.
    #[arg(long, value_name = "COLUMN")]
    column: String,
    /// Groups the rows by these columns, as `--by a,b` or `--by a --by b`; without it all rows are one group.
    #[arg(long, value_name = "COLUMN", num_args = 1.., value_delimiter = ',')]
    by: Vec<String>,
    /// Looks only at rows that meet this condition, and each further one. A condition is `COLUMN OPERATOR VALUE`, with one
    /// of = != < <= > >=; numbers are compared as numbers, text only for = and !=.
    #[arg(long = "where", value_name = "CONDITION")]
    conditions: Vec<Condition>,
    /// A further quantile to show, such as 0.95, besides the median and p99; may be given several times.
    #[arg(long = "quantile", value_name = "P", conflicts_with = "series")]
    quantiles: Vec<f64>,
    /// Takes the rows of each group, in the order of the file, for one long measurement: deletes its warm-up, and gives the
    /// mean of its steady state with intervals that do not need independent rows.
    #[arg(long, conflicts_with_all = ["proportion", "bootstrap"])]
    series: bool,
    #[command(flatten)]
    figures: FigureArguments,
    /// Draws the distribution of the values as well, its histogram and its quantiles, as SVG and PNG into this folder.
    #[arg(long, value_name = "OUT", conflicts_with = "series")]
    plots: Option<PathBuf>,
    /// Up to so many rows are kept one by one; of more, the quantiles of large groups are approximate, within 0.5 %. Groups
    /// whose summary would take more memory than their rows stay exact.
    #[arg(long, value_name = "ROWS", default_value_t = 1_000_000)]
    exact: usize,
    #[command(flatten)]
    read: ReadArguments,
    /// How to show it.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    table: TableArguments,
}

const EXAMPLES: &str = "Examples:\n  \
    byzlab stats latencies.csv --column latency_ms --unit ms --by system\n  \
    byzlab stats latencies.csv --column latency_ms --failed 'outcome != ok' --limit 2000 --where 'clients >= 8'\n  \
    byzlab stats throughput.csv --column requests_per_second --by load --series\n  \
    byzlab stats events.csv.zst --column time_ns --scale 1e-6 --unit ms --where 'event = committed' --by cell\n  \
    psql -c 'copy … to stdout csv header' | byzlab stats - --column seconds --format json";

pub(super) fn stats(arguments: &StatsArguments) -> Result<ExitCode, CliError> {
    let options = TableOptions {
        by: arguments.by.clone(),
        conditions: arguments.conditions.clone(),
        quantiles: arguments.quantiles.clone(),
        exact: arguments.exact,
        ..arguments.table.options(&arguments.column, &arguments.read)
    };
    let (file, figures) = (&arguments.file, arguments.figures.options());
    let text = if arguments.series {
        let series = analyze_series(file, &options, figures.confidence)?;
        match arguments.format {
            Format::Table => render::series_table(&series),
            Format::Json => render::series_json(&series),
            Format::Csv => render::series_csv(&series),
        }
    } else {
        let groups = match &arguments.plots {
            None => analyze_table(file, &options, &figures)?,
            Some(out) => {
                let data = read_table_file(file, &options)?;
                let groups = summarize_table(&data, &options, &figures)?;
                draw(out, &data, &options, figures.confidence)?;
                groups
            }
        };
        match arguments.format {
            Format::Table => render::columns_table(&groups),
            Format::Json => render::columns_json(&groups),
            Format::Csv => render::columns_csv(&groups),
        }
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Draws what is kept row by row.
fn draw(out: &Path, data: &TableData, options: &TableOptions, confidence: f64) -> Result<(), CliError> {
    let (groups, labels, left_out) = distribution_groups_of_table(data, options, confidence);
    if left_out > 0 {
        let exact = options.exact;
        warn!("not drawn: {left_out} of the groups, for more than {exact} rows are not kept one by one; raise --exact");
    }
    std::fs::create_dir_all(out).map_err(|source| PlotError::Write { path: out.to_owned(), source })?;
    for path in write_distribution_plots(out, &groups, &labels)? {
        info!("plotted {}", path.display());
    }
    Ok(())
}
