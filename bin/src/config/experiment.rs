//! The checked experiment: what a TOML file, its overrides and its sweep come to.

use super::adversary::read_adversary;
use super::clock::{Clocks, clock_of, read_clocks};
use super::latency::read_network;
use super::oracles::{OracleSwitches, read_oracles};
use super::processing::read_processing;
use super::protocol::{Crash, Derived, read_crashes, read_protocol};
use super::scene::{SceneNames, Stage, read_scene};
use super::stop::read_stop;
use super::sweep::{Axis, read_axes};
use super::topology::{TopologySettings, read_topology};
use super::units::{Nanoseconds, duration};
use super::{ConfigError, Document, Origin, Problem, Value};
use super::{Section, boolean, integer, text, word};
use byzlab_adversary::{AttackConfig, Selection};
use byzlab_analysis::{AnalysisOptions, Compression, ExpectedRuns, Metric, Precision, TimeLimits};
use byzlab_network::{Delays, Key, NetworkModel, NodeId, Span, Time};
use byzlab_replica::{Clock, Cluster, Processing, ProtocolConfig, Workload};
use std::path::Path;
use std::sync::Arc;

/// A whole experiment, checked: nothing in it needs another check.
#[derive(Clone, PartialEq, Debug)]
pub struct Experiment {
    /// Its name.
    pub name: String,
    /// The seed of everything random in it.
    pub seed: u64,
    /// Independent replications of each cell, unless `stop` decides.
    pub runs: u32,
    /// When the runs of a cell are enough; none: after `runs`.
    pub stop: Option<Precision>,
    /// Whether the file gives `runs` beside `stop`, where they do not count.
    pub runs_in_vain: bool,
    /// Whether cells have random numbers of their own; else runs of the same index share theirs.
    pub independent_cells: bool,
    /// What goes into `events.csv`.
    pub events: EventDetail,
    /// What its table and its plots show.
    pub metric: Metric,
    /// Whether `latency_parts.csv` says on what the time of each request went.
    pub latency_parts: bool,
    /// How the logs are compressed.
    pub compression: Compression,
    /// The settings of the first cell, which stand for what is not swept.
    pub base: Arc<Settings>,
    /// The swept keys with their values.
    pub axes: Vec<Axis>,
    /// One cell for each combination of swept values, the last axis varying fastest; one cell if nothing is swept.
    pub cells: Vec<Cell>,
}

/// How much is logged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum EventDetail {
    /// No events.
    None,
    /// The protocol's events.
    Protocol,
    /// And each message.
    Messages,
}

/// One combination of swept values.
#[derive(Clone, PartialEq, Debug)]
pub struct Cell {
    /// The value of each swept key, as `runs.csv` shows it.
    pub parameters: Vec<String>,
    /// What it is run with.
    pub settings: Arc<Settings>,
}

/// What a single run needs to know, but for its seed.
#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    /// A run that is not done by then ends.
    pub time_limit: Span,
    /// How long a completed run waits for the last honest replicas to execute.
    pub drain: Span,
    /// What the analysis leaves out at the beginning.
    pub warmup: Span,
    /// The protocol.
    pub protocol: Arc<ProtocolConfig>,
    /// The clients.
    pub workload: Arc<Workload>,
    /// What the CPU of each node spends.
    pub processing: Processing,
    /// Which replicas crash, and when; one that is corrupted in a run does not.
    pub crashes: Vec<Crash>,
    /// Whose clocks are not true.
    pub clocks: Clocks,
    /// What the file leaves to others of its keys.
    pub derived: Derived,
    /// The network. Where a topology draws the places of its nodes in each run, it says what can occur in any of them, and
    /// [`Settings::network_for`] has that of a run.
    pub network: NetworkModel,
    /// The sites of the nodes, if the network has such.
    pub topology: Option<TopologySettings>,
    /// How its parts name their nodes.
    pub scene: SceneNames,
    /// The adversary.
    pub adversary: AdversarySettings,
    /// The oracles.
    pub oracles: OracleSwitches,
}

/// Who is corrupted, what they do, and how far their power goes.
#[derive(Clone, PartialEq, Debug)]
pub struct AdversarySettings {
    /// Who, from the start of a run.
    pub corrupted: Corrupted,
    /// How many replicas may be corrupted in a run in all; none: no more than from the start.
    pub budget: Option<Count>,
    /// How many clients are corrupted: the last ones.
    pub clients: u16,
    /// What it may do to the network; none: nothing.
    pub network: Option<NetworkPower>,
    /// What they do.
    pub attacks: Vec<AttackConfig>,
    /// What of it the file says itself, beside a preset.
    pub given: GivenAdversary,
}

/// What a file says of the adversary beside a preset: in a sweep over presets nothing else is the same in all cells.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "a key each")]
pub struct GivenAdversary {
    /// Who, or how many, are corrupted from the start.
    pub corrupted: bool,
    /// In which order.
    pub selection: bool,
    /// How many in all.
    pub budget: bool,
    /// How many clients.
    pub clients: bool,
    /// Power over the network.
    pub network: bool,
    /// So many of the attacks are the preset's: the first.
    pub preset_attacks: usize,
}

impl Default for AdversarySettings {
    /// Nobody.
    fn default() -> AdversarySettings {
        AdversarySettings {
            corrupted: Corrupted::Count(0, Selection::Random),
            budget: None,
            clients: 0,
            network: None,
            attacks: Vec::new(),
            given: GivenAdversary::default(),
        }
    }
}

/// How many replicas: a number, or f.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Count {
    /// So many.
    Number(u16),
    /// As many as the quorums tolerate.
    Faults,
}

impl Count {
    /// How many these are in a cluster.
    pub fn of(self, cluster: Cluster) -> u16 {
        match self {
            Count::Number(number) => number,
            Count::Faults => cluster.faults(),
        }
    }
}

/// Who is corrupted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Corrupted {
    /// So many, chosen in each run.
    Count(u16, Selection),
    /// f of them, chosen in each run.
    Faults(Selection),
    /// These.
    Members(Vec<NodeId>),
}

/// What the adversary may do to messages of honest nodes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NetworkPower {
    /// Whether it may lose them,
    pub drop: bool,
    /// keep them until some instant,
    pub hold: bool,
    /// make them late.
    pub delay: bool,
    /// Until when; none: to the end.
    pub until: Option<Time>,
}

impl Corrupted {
    /// How many replicas are corrupted from the start.
    pub fn count(&self, cluster: Cluster) -> usize {
        match self {
            Corrupted::Count(count, _) => usize::from(*count),
            Corrupted::Faults(_) => usize::from(cluster.faults()),
            Corrupted::Members(members) => members.len(),
        }
    }
}

impl AdversarySettings {
    /// How many replicas may be corrupted after the start of a run.
    pub fn takeovers(&self, cluster: Cluster) -> u16 {
        let count = self.corrupted.count(cluster) as u16;
        self.budget.map_or(0, |budget| budget.of(cluster).saturating_sub(count))
    }

    /// All nodes that can be corrupted in some run.
    pub(super) fn candidates(&self, protocol: &ProtocolConfig) -> Vec<NodeId> {
        let cluster = protocol.cluster;
        let count = self.corrupted.count(cluster);
        let replicas = match &self.corrupted {
            _ if self.takeovers(cluster) > 0 => (0..cluster.replicas()).map(NodeId).collect(),
            Corrupted::Members(members) => members.clone(),
            Corrupted::Count(_, selection) | Corrupted::Faults(selection) => {
                let is_drawn = match selection {
                    Selection::Random => count > 0,
                    Selection::Primary => count > 1,
                    Selection::First | Selection::Last => false,
                };
                let all = usize::from(cluster.replicas());
                // What is not drawn is the same for any key.
                selection.choose(cluster, if is_drawn { all } else { count }, Key::root(0))
            }
        };
        replicas.into_iter().chain(self.corrupted_clients(protocol)).collect()
    }

    /// The attacks as they are run: what acts on the network ends with the power over it, and what does not limit an attack is left
    /// out, as in `config.toml`.
    pub fn attacks_in_force(&self) -> Vec<AttackConfig> {
        let until = self.network.as_ref().and_then(|power| power.until).unwrap_or(Time::END);
        let in_force = |attack: &AttackConfig| {
            let limits = attack.kind.about().limits();
            let mut attack = AttackConfig { kind: attack.kind.clone(), scope: attack.scope.within(limits) };
            if attack.kind.interference().is_some() {
                attack.scope.end = attack.scope.end.min(until);
            }
            attack
        };
        self.attacks.iter().map(in_force).collect()
    }

    /// The corrupted clients.
    pub fn corrupted_clients(&self, protocol: &ProtocolConfig) -> impl Iterator<Item = NodeId> + use<> {
        let end = protocol.cluster.replicas() + protocol.clients;
        (end - self.clients..end).map(NodeId)
    }
}

impl Settings {
    /// The clock of a node.
    pub fn clock_of(&self, node: NodeId) -> Clock {
        clock_of(&self.clocks, node, &self.protocol)
    }

    /// The replicas that are corrupted from the start of a run, lowest id first.
    pub fn corrupted(&self, run: Key) -> Vec<NodeId> {
        let cluster = self.protocol.cluster;
        match &self.adversary.corrupted {
            Corrupted::Members(members) => members.clone(),
            corrupted @ (Corrupted::Count(_, selection) | Corrupted::Faults(selection)) => {
                selection.choose(cluster, corrupted.count(cluster), run)
            }
        }
    }

    /// How many replicas are corrupted from the start of a run.
    pub fn corrupted_count(&self) -> usize {
        self.adversary.corrupted.count(self.protocol.cluster)
    }

    /// How many replicas can be corrupted in a run in all.
    pub fn most_corrupted(&self) -> usize {
        self.corrupted_count() + usize::from(self.adversary.takeovers(self.protocol.cluster))
    }

    /// How many requests the honest clients make.
    pub fn requests(&self) -> u64 {
        u64::from(self.protocol.clients - self.adversary.clients) * self.workload.requests
    }
}

impl Experiment {
    /// How its results are analysed: the metric, the warm-up and the time limits are part of the experiment.
    pub fn analysis(&self) -> AnalysisOptions {
        let limits = self.cells.iter().map(|cell| cell.settings.time_limit.as_nanos());
        AnalysisOptions {
            metric: self.metric,
            warmup_ns: self.base.warmup.as_nanos(),
            time_limits: TimeLimits::ByCell(limits.collect()),
            precision: self.stop,
            expected: Some(ExpectedRuns {
                cells: self.cells.len() as u32,
                least: self.stop.map_or(self.runs, |stop| stop.min_runs),
                most: self.most_runs(),
            }),
            ..AnalysisOptions::default()
        }
    }

    /// Reads an experiment from a file. Each of `overrides` is a `key=value`, as after `--set`.
    pub fn load(path: &Path, overrides: &[String]) -> Result<Experiment, ConfigError> {
        let name = path.display().to_string();
        let unreadable = |error: std::io::Error| {
            ConfigError::new(
                Origin::File { path: name.as_str().into(), line: 0 },
                format_args!("cannot be read: {error}"),
            )
            .hint("give the path of an experiment, for example configs/tutorial.toml")
        };
        let content = std::fs::read_to_string(path).map_err(unreadable)?;
        Experiment::parse(&name, &content, path.parent().unwrap_or(Path::new("")), overrides)
    }

    /// Reads an experiment from TOML text. `name` stands for the file in errors; files that it names are looked for in
    /// `folder`.
    pub fn parse(name: &str, toml: &str, folder: &Path, overrides: &[String]) -> Result<Experiment, ConfigError> {
        let mut document = Document::parse(name, toml)?;
        for argument in overrides {
            document.set(argument)?;
        }
        let root = document.root();
        let mut axes = read_axes(&root)?;
        // What the command line sets is no longer swept.
        let is_set =
            |key: &str| overrides.iter().any(|argument| argument.split('=').next().map(str::trim) == Some(key));
        axes.retain(|axis| !is_set(&axis.key));
        let cells = read_cells(&document, &axes, folder)?;
        let experiment = root.section("experiment")?;
        let default_name =
            Path::new(name).file_stem().map_or("experiment".into(), |stem| stem.to_string_lossy().into_owned());
        let detail =
            [("none", EventDetail::None), ("protocol", EventDetail::Protocol), ("messages", EventDetail::Messages)];
        let metrics = Metric::ALL.map(|metric| (metric.name(), metric));
        let compressions = Compression::ALL.map(|compression| (compression.name(), compression));
        let metric = root.section("output")?.or("metric", word(metrics), Metric::AllCommit)?;
        let stop = read_stop(&root, metric)?;
        Ok(Experiment {
            name: experiment.or("name", text().check(check_name), default_name)?,
            seed: experiment.or("seed", integer(0..), 1)?,
            runs: experiment.or("runs", integer(1..), 100)?,
            independent_cells: experiment.or("independent_cells", boolean(), false)?,
            events: root.section("output")?.or("events", word(detail), EventDetail::Protocol)?,
            latency_parts: root.section("output")?.or("latency_parts", boolean(), false)?,
            metric,
            compression: root.section("output")?.or("compression", word(compressions), Compression::None)?,
            stop,
            runs_in_vain: stop.is_some() && experiment.value("runs").is_some(),
            base: Arc::clone(&cells[0].settings),
            cells,
            axes,
        })
    }

    /// The swept keys.
    pub fn swept_keys(&self) -> Vec<String> {
        self.axes.iter().map(|axis| axis.key.clone()).collect()
    }

    /// No cell has more runs.
    pub fn most_runs(&self) -> u32 {
        self.stop.map_or(self.runs, |stop| stop.max_runs)
    }

    /// The seed of a run: a function of the experiment's seed and the run's index, so that runs of the same index in different
    /// cells can be compared in pairs; and of the cell, if the experiment wants that.
    pub fn run_seed(&self, cell: u32, run: u32) -> u64 {
        let runs = Key::root(self.seed).component("run");
        let family = if self.independent_cells { runs.component("cell").child(u64::from(cell)) } else { runs };
        family.child(u64::from(run)).as_u64()
    }
}

/// The name also names the results folder.
fn check_name(name: String) -> Result<String, Problem> {
    let plain = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\']);
    if plain { Ok(name) } else { Err(Problem::new("this cannot name a folder").hint("use letters, digits, - and _")) }
}

/// Every combination of the axes' values.
fn read_cells(document: &Document, axes: &[Axis], folder: &Path) -> Result<Vec<Cell>, ConfigError> {
    let count = axes.iter().map(|axis| axis.points.len()).product();
    let read_cell = |index: usize| {
        let mut document = document.clone();
        let mut parameters = Vec::new();
        let mut place = count;
        for axis in axes {
            place /= axis.points.len();
            let (value, origin): &(Value, Origin) = &axis.points[index / place % axis.points.len()];
            document.set_value(&axis.key, value.clone(), origin)?;
            parameters.push(match value {
                Value::Text(text) => text.clone(),
                other => other.to_string(),
            });
        }
        let settings = Arc::new(read_settings(document.root(), folder)?);
        Ok(Cell { parameters, settings })
    };
    (0..count).map(read_cell).collect()
}

/// Reads all that a single run needs, and complains about keys that nobody knows.
fn read_settings(root: Section<'_>, folder: &Path) -> Result<Settings, ConfigError> {
    // Read with the experiment itself; a cell needs only their being known.
    for key in ["name", "seed", "runs", "independent_cells"] {
        root.section("experiment")?.value(key);
    }
    for key in ["events", "metric", "latency_parts", "compression"] {
        root.section("output")?.value(key);
    }
    root.value("sweep");

    let experiment = root.section("experiment")?;
    let time_limit = experiment.or("time_limit", duration().within(Nanoseconds(1)..), Nanoseconds(10_000_000_000))?;
    let drain = experiment.or("drain", duration(), Nanoseconds(1_000_000_000))?;
    let (protocol, workload, derived) = read_protocol(&root)?;
    let (processing, costs) = read_processing(&root.section("processing")?, &protocol, folder)?;
    let warmup = root.section("workload")?.or("warmup", duration(), Nanoseconds(0))?;
    let network = root.section("network")?;
    let stage = Stage { protocol: &protocol, time_limit: span(time_limit), folder };
    let topology = read_topology(&network, &protocol, folder)?;
    let mut model = read_network(&network, folder)?;
    if let Some(topology) = &topology {
        model.delays = Delays::BetweenSites(topology.plan.delays().clone());
    }
    let (network, scene) = read_scene(&network, &stage, model)?;
    let adversary = read_adversary(&root.section("adversary")?, &protocol, folder)?;
    let crashes = read_crashes(&root.section("cluster")?, protocol.cluster, &adversary.corrupted)?;
    let settings = Settings {
        crashes,
        clocks: read_clocks(&root.section("cluster")?, &protocol)?,
        oracles: read_oracles(&root.section("oracles")?)?,
        time_limit: span(time_limit),
        drain: span(drain),
        warmup: span(warmup),
        network,
        topology,
        scene,
        adversary,
        protocol: Arc::new(protocol),
        workload: Arc::new(workload),
        processing,
        derived: Derived { costs, ..derived },
    };
    root.finish()?;
    Ok(settings)
}

pub(super) fn span(nanoseconds: Nanoseconds) -> Span {
    Span::from_nanos(nanoseconds.0)
}

pub(super) fn time(nanoseconds: Nanoseconds) -> Time {
    Time::from_nanos(nanoseconds.0)
}
