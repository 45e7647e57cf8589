//! `byzlab compare`.

use super::analyze::Format;
use super::table::{ReadArguments, TableArguments};
use super::{CliError, print, usual_analysis};
use byzlab_analysis::compare::{CompareError, CompareOptions, Quantity, RunChoice, Sense, Side, common_keys, compare};
use byzlab_analysis::table::{Condition, TableOptions, read_header_file, read_table_file};
use byzlab_analysis::{AnalysisOptions, MeasuredRuns, Metric, render};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;

#[derive(Debug, Args)]
#[command(
    after_help = "Every difference is B − A. Runs with the same index and seed met the same random numbers and are compared \
                        in pairs; these are runs of two cells of one experiment, or of two experiments with one seed.\n\
                        Example, two cells of one sweep:\n  \
                        byzlab compare results/tutorial results/tutorial --where-a adversary.count=0 --where-b adversary.count=2\n\
                        Example, a simulation against a measurement in seconds that gave up after 2 s:\n  \
                        byzlab compare results/wan measured.csv --metric client --column rtt_s --scale 1000 --limit 2000"
)]
pub(super) struct CompareArguments {
    /// A results folder, or a CSV file.
    a: PathBuf,
    /// What it is compared with: a results folder, or a CSV file.
    b: PathBuf,
    /// What to compare in results folders, as for `analyze`. Left out: what the experiment says, `all_commit` by default.
    #[arg(long, value_name = "METRIC")]
    metric: Option<Metric>,
    /// Matches groups by these keys or columns, as `--by a,b` or `--by a --by b`. Left out: the keys that both folders sweep, but those that a condition sets.
    #[arg(long, value_name = "KEY", num_args = 1.., value_delimiter = ',')]
    by: Option<Vec<String>>,
    /// Only runs or rows that meet this, such as `adversary.count<=3` or `outcome!=error`; again for several.
    #[arg(long = "where", value_name = "CONDITION")]
    conditions: Vec<Condition>,
    /// Only runs or rows of A that meet this.
    #[arg(long, value_name = "CONDITION")]
    where_a: Vec<Condition>,
    /// Only runs or rows of B that meet this.
    #[arg(long, value_name = "CONDITION")]
    where_b: Vec<Condition>,
    /// Compares runs as independent even if they met the same random numbers.
    #[arg(long)]
    unpaired: bool,
    /// The confidence of all intervals.
    #[arg(long, default_value_t = 0.95, value_name = "C")]
    confidence: f64,
    /// How to show it.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    read: ReadArguments,
    #[command(flatten)]
    columns: ColumnArguments,
    #[command(flatten)]
    tables: TableArguments,
}

/// Which columns of CSV files are compared.
#[derive(Debug, Args)]
#[command(next_help_heading = "CSV files")]
struct ColumnArguments {
    /// The column with the values, of each side that is a CSV file.
    #[arg(long, value_name = "COLUMN")]
    column: Option<String>,
    /// The column of A, where it differs.
    #[arg(long, value_name = "COLUMN")]
    column_a: Option<String>,
    /// The column of B, where it differs.
    #[arg(long, value_name = "COLUMN")]
    column_b: Option<String>,
    /// What values of A are multiplied by, where it differs; results folders are in milliseconds and requests/s.
    #[arg(long, value_name = "FACTOR")]
    scale_a: Option<f64>,
    /// What values of B are multiplied by, where it differs.
    #[arg(long, value_name = "FACTOR")]
    scale_b: Option<f64>,
}

/// One of the two sides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Letter {
    A,
    B,
}

impl Letter {
    const BOTH: [Letter; 2] = [Letter::A, Letter::B];

    fn name(self) -> &'static str {
        match self {
            Letter::A => "A",
            Letter::B => "B",
        }
    }

    fn of<T>(self, [a, b]: &[T; 2]) -> &T {
        match self {
            Letter::A => a,
            Letter::B => b,
        }
    }
}

pub(super) fn compare_two(arguments: &CompareArguments) -> Result<ExitCode, CliError> {
    // Before anything is read.
    if !(arguments.confidence > 0.0 && arguments.confidence < 1.0) {
        return Err(CompareError::Confidence(arguments.confidence).into());
    }
    let sources = [Source::find(Letter::A, &arguments.a)?, Source::find(Letter::B, &arguments.b)?];
    arguments.check(&sources)?;
    let quantity = arguments.quantity(&sources)?;
    let [a, b] = arguments.sides(&sources, &quantity)?;
    let options = CompareOptions { confidence: arguments.confidence, unpaired: arguments.unpaired };
    let comparison = compare(&a, &b, quantity.described, &options)?;
    print(&match arguments.format {
        Format::Table => render::comparison_table(&comparison),
        Format::Json => render::comparison_json(&comparison),
        Format::Csv => render::comparison_csv(&comparison),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Where a side comes from.
enum Source {
    /// A results folder, and how its experiment says that it is analysed.
    Folder {
        usual: AnalysisOptions,
    },
    Table,
}

impl Source {
    fn find(letter: Letter, path: &Path) -> Result<Self, CliError> {
        if path.is_dir() {
            return Ok(Self::Folder { usual: usual_analysis(path)? });
        }
        if path.exists() || path == Path::new("-") {
            Ok(Self::Table)
        } else {
            Err(CliError::NothingToCompare { side: letter.name(), path: path.to_owned() })
        }
    }

    fn usual(&self) -> Option<&AnalysisOptions> {
        match self {
            Self::Folder { usual } => Some(usual),
            Self::Table => None,
        }
    }
}

/// What is compared: a metric where a folder is among the two.
struct Compared {
    metric: Option<Metric>,
    described: Quantity,
}

impl CompareArguments {
    /// Refuses what would say nothing.
    fn check(&self, sources: &[Source; 2]) -> Result<(), CliError> {
        let has = |of: fn(&Source) -> bool| sources.iter().any(of);
        if !has(|source| matches!(source, Source::Table))
            && let Some(name) = self.columns.given().or_else(|| self.tables.given())
        {
            return Err(CliError::NoTable(name));
        }
        let folder = Letter::BOTH.into_iter().find_map(|letter| Some((letter, letter.of(sources).usual()?)));
        if let (Some(_), Some((letter, usual))) = (&self.tables.unit, folder) {
            return Err(CliError::UnitKnown(letter.name(), self.metric.unwrap_or(usual.metric).unit()));
        }
        if self.metric.is_some() && !has(|source| matches!(source, Source::Folder { .. })) {
            return Err(CliError::NoFolder);
        }
        Ok(())
    }

    fn quantity(&self, sources: &[Source; 2]) -> Result<Compared, CliError> {
        let usual = sources.each_ref().map(|source| source.usual().map(|usual| usual.metric));
        let metric = match (self.metric, usual) {
            (Some(metric), _) => Some(metric),
            (None, [Some(a), Some(b)]) if a != b => return Err(CliError::TwoMetrics(a, b)),
            (None, [a, b]) => a.or(b),
        };
        let described = if let Some(metric) = metric {
            of_metric(metric)
        } else {
            let [a, b] = Letter::BOTH.map(|letter| self.columns.column_of(letter).unwrap_or_default().to_owned());
            let name = if a == b { a } else { format!("{a} and {b}") };
            Quantity { words: format!("column {name}"), name, unit: self.tables.unit.clone(), sense: Sense::Unknown }
        };
        Ok(Compared { metric, described })
    }

    fn sides(&self, sources: &[Source; 2], quantity: &Compared) -> Result<[Side; 2], CliError> {
        let paths = [&self.a, &self.b];
        let metric = quantity.metric.unwrap_or(Metric::AllCommit);
        let mut runs: [Option<Rc<MeasuredRuns>>; 2] = [None, None];
        for (index, source) in sources.iter().enumerate() {
            let Source::Folder { usual } = source else { continue };
            // Two cells of one folder: its log is read once.
            let known = runs[0].clone().filter(|_| is_same(paths[0], paths[1]));
            runs[index] = Some(if let Some(known) = known {
                known
            } else {
                let options = AnalysisOptions { read: self.read.options(), ..usual.clone() };
                Rc::new(MeasuredRuns::read(paths[index], &[metric], &options)?)
            });
        }
        let by = self.by(&runs);
        let side = |letter: Letter| -> Result<Side, CliError> {
            let path = letter.of(&paths);
            let conditions = self.conditions_of(letter);
            let (Some(runs), Some(usual)) = (letter.of(&runs), letter.of(sources).usual()) else {
                return self.table(letter, path, by.clone(), conditions, quantity);
            };
            let name = path.display().to_string();
            let choice = RunChoice {
                letter: letter.name(),
                name: &name,
                by: &by,
                conditions: &conditions,
                metric,
                time_limits: &usual.time_limits,
            };
            Ok(Side::of_runs(runs, &choice)?)
        };
        let mut sides = [side(Letter::A)?, side(Letter::B)?];
        let warmups = sources.each_ref().map(|source| source.usual().map(|usual| usual.warmup_ns));
        if let [Some(a), Some(b)] = warmups
            && a != b
        {
            let [a, b] = [a, b].map(|ns| ns as f64 / 1e6);
            sides[1].notes.push(format!("its warm-up is {b} ms, that of A {a} ms; each leaves out its own"));
        }
        Ok(sides)
    }

    fn conditions_of(&self, letter: Letter) -> Vec<Condition> {
        let own = *letter.of(&[&self.where_a, &self.where_b]);
        self.conditions.iter().chain(own).cloned().collect()
    }

    fn by(&self, runs: &[Option<Rc<MeasuredRuns>>; 2]) -> Vec<String> {
        match (&self.by, runs) {
            (Some(by), _) => by.clone(),
            (None, [Some(a), Some(b)]) => {
                let conditions = Letter::BOTH.map(|letter| self.conditions_of(letter)).concat();
                common_keys(&a.table.swept_keys, &b.table.swept_keys, &conditions)
            }
            // A table does not say which of its columns are keys.
            (None, _) => Vec::new(),
        }
    }

    fn table(
        &self,
        letter: Letter,
        path: &Path,
        by: Vec<String>,
        conditions: Vec<Condition>,
        quantity: &Compared,
    ) -> Result<Side, CliError> {
        let Some(column) = self.columns.column_of(letter) else {
            let columns = read_header_file(path, self.tables.delimiter())?.join(", ");
            return Err(CliError::NoColumn { side: letter.name(), path: path.to_owned(), columns });
        };
        let scale = self.columns.scale_of(letter).or(self.tables.scale);
        let options = TableOptions {
            by,
            conditions,
            scale: scale.unwrap_or(1.0),
            // Ranks need each row.
            exact: usize::MAX,
            ..self.tables.options(column, &self.read)
        };
        let data = read_table_file(path, &options)?;
        let mut side = Side::of_table(&data, &path.display().to_string(), &options)?;
        if let (Some(_), Some(unit), None) = (quantity.metric, &quantity.described.unit, scale) {
            side.notes.push(format!("its values are taken as {unit}; --scale converts them"));
        }
        Ok(side)
    }
}

impl ColumnArguments {
    fn column_of(&self, letter: Letter) -> Option<&str> {
        letter.of(&[&self.column_a, &self.column_b]).as_deref().or(self.column.as_deref())
    }

    /// Where it differs from that of both.
    fn scale_of(&self, letter: Letter) -> Option<f64> {
        *letter.of(&[self.scale_a, self.scale_b])
    }

    /// The first option that was given.
    fn given(&self) -> Option<&'static str> {
        let options = [
            ("column", self.column.is_some()),
            ("column-a", self.column_a.is_some()),
            ("column-b", self.column_b.is_some()),
            ("scale-a", self.scale_a.is_some()),
            ("scale-b", self.scale_b.is_some()),
        ];
        options.into_iter().find_map(|(name, is_given)| is_given.then_some(name))
    }
}

fn of_metric(metric: Metric) -> Quantity {
    let (kind, sense) = if metric == Metric::Throughput { ("", Sense::Rate) } else { (" latency", Sense::Time) };
    Quantity {
        name: metric.name().to_owned(),
        words: format!("{metric}{kind}: {}", metric.description()),
        unit: Some(metric.unit().to_owned()),
        sense,
    }
}

/// Whether both paths lead to one folder.
fn is_same(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}
