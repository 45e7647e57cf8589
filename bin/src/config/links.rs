//! `[network]`: what a loss costs, bandwidth, and links that change with time.

use super::experiment::{span, time};
use super::latency::read_latency;
use super::scene::{NodeNames, Stage, names_kind};
use super::units::{BitsPerSecond, Probability, bit_rate, bytes, duration, probability};
use super::{ConfigError, Kind, Problem, Section, word};
use byzlab_network::{
    Action, Bandwidth, BurstLoss, Churn, Cut, Fickle, Interface, NetworkModel, Pairs, Retransmission, Rule, Schedule,
    ScheduleError, Span, Step, Time, Transport,
};

/// What the file says of lines and of sending again. What each node has stands in the [`NetworkModel`]; what the file leaves to others
/// of its keys must follow them in a sweep.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LineNames {
    /// `bandwidth` and `buffer`: what nodes have that are not named.
    pub usual: Interface,
    /// Each `[[network.interface]]`.
    pub interfaces: Vec<(NodeNames, GivenInterface)>,
    /// `retransmission`, also beside a transport that sends nothing again.
    pub retransmission: Option<GivenRetransmission>,
}

/// The keys of an interface; none is as usual.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct GivenInterface {
    /// None in it is unlimited.
    pub egress: Option<Option<Bandwidth>>,
    /// Likewise.
    pub ingress: Option<Option<Bandwidth>>,
    /// Likewise, in bytes.
    pub buffer: Option<Option<u64>>,
}

impl GivenInterface {
    fn beside(&self, usual: Interface) -> Interface {
        Interface {
            egress: self.egress.unwrap_or(usual.egress),
            ingress: self.ingress.unwrap_or(usual.ingress),
            buffer: self.buffer.unwrap_or(usual.buffer),
        }
    }
}

/// The keys of `retransmission`; none has its default.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct GivenRetransmission {
    /// The first timeout.
    pub timeout: Option<Span>,
    /// The longest.
    pub longest: Option<Span>,
}

/// Who comes and goes, as the file names them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FickleNames {
    /// These nodes.
    Nodes(NodeNames),
    /// The links between these.
    Links(PairNames),
}

/// `from` and `to`.
pub type PairNames = (Option<NodeNames>, Option<NodeNames>);

/// Adds transport and bursts of loss to `network`.
pub(super) fn read_transport(section: &Section<'_>, network: NetworkModel) -> Result<NetworkModel, ConfigError> {
    let reliable = section.or("transport", word([("datagram", false), ("reliable", true)]), false)?;
    let (retransmission, _) = read_retransmission(section)?;
    let transport = if reliable { Transport::Reliable(retransmission) } else { Transport::Datagram };
    if reliable && network.duplicate > 0.0 {
        let problem = "a reliable transport delivers each message once";
        return Err(section.error_at("duplicate", problem, "leave it out, or give transport = \"datagram\""));
    }
    let bursts = match section.optional_section("bursts")? {
        Some(table) => Some(read_bursts(&table)?),
        None => None,
    };
    Ok(NetworkModel { transport, bursts, ..network })
}

/// 200 ms are Linux's least (`TCP_RTO_MIN`); 60 s the bound of RFC 6298.
fn read_retransmission(section: &Section<'_>) -> Result<(Retransmission, Option<GivenRetransmission>), ConfigError> {
    let (usual, most) = (Span::from_millis(200), Span::from_millis(60_000));
    let table = section.section("retransmission")?;
    let optional = |key| table.optional(key, duration()).map(|given| given.map(span));
    let given = GivenRetransmission { timeout: optional("timeout")?, longest: optional("longest")? };
    let timeout = given.timeout.unwrap_or(usual);
    let longest = given.longest.unwrap_or(most.max(timeout));
    if timeout == Span::ZERO {
        let problem = "a message would be sent again before it can arrive";
        return Err(table.error_at("timeout", problem, "give more than the longest round trip"));
    }
    let retransmission = Retransmission::new(timeout, longest)
        .ok_or_else(|| table.error_at("longest", "below the timeout", "give at least the timeout"))?;
    Ok((retransmission, table.is_present().then_some(given)))
}

fn read_bursts(table: &Section<'_>) -> Result<BurstLoss, ConfigError> {
    let of = |key| table.required(key, probability()).map(Probability::get);
    let bursts = BurstLoss {
        to_bad: of("to_bad")?,
        to_good: of("to_good")?,
        loss_good: table.or("loss_good", probability(), Probability::NEVER)?.get(),
        loss_bad: table.or("loss_bad", probability(), Probability::ALWAYS)?.get(),
    };
    if bursts.to_good == 0.0 {
        let problem = "a link that turns bad would never turn good again";
        return Err(table.error_at("to_good", problem, "give 1 divided by the mean length of a burst in messages"));
    }
    if bursts.mean_loss() == 0.0 {
        let problem = "nothing is ever lost";
        return Err(table.error_at("", problem, "give to_bad and loss_bad above 0, or leave bursts out"));
    }
    Ok(bursts)
}

/// Adds to `network` the lines of its nodes, schedules and churn.
pub(super) fn read_links(
    section: &Section<'_>,
    stage: &Stage<'_>,
    network: NetworkModel,
) -> Result<(NetworkModel, LineNames, Vec<PairNames>, Vec<FickleNames>), ConfigError> {
    let lines = read_lines(section, stage, &network)?;
    let schedules = section.sections("schedule")?;
    let schedules = schedules.iter().map(|table| read_schedule(table, stage)).collect::<Result<Vec<_>, _>>()?;
    let churn = section.sections("churn")?;
    let churn = churn.iter().map(|table| read_churn(table, stage)).collect::<Result<Vec<_>, _>>()?;
    let (schedules, schedule_names) = schedules.into_iter().unzip();
    let (churn, churn_names) = churn.into_iter().unzip();
    let interfaces = lines.resolve(stage);
    Ok((NetworkModel { interfaces, schedules, churn, ..network }, lines, schedule_names, churn_names))
}

fn read_lines(section: &Section<'_>, stage: &Stage<'_>, network: &NetworkModel) -> Result<LineNames, ConfigError> {
    let rate = section.or("bandwidth", unlimited_or(bandwidth()), None)?;
    let buffer = section.or("buffer", unlimited_or(buffer()), None)?;
    let usual = Interface { egress: rate, ingress: rate, buffer };
    let mut interfaces: Vec<(NodeNames, GivenInterface)> = Vec::new();
    let check = |table: &Section<'_>, interface: Interface| {
        if interface.buffer.is_some() && network.transport != Transport::Datagram {
            let problem =
                "over a reliable transport senders would slow down before a buffer is full, which is not modelled";
            return Err(table.error_at("buffer", problem, "leave it out, or give transport = \"datagram\""));
        }
        Ok(())
    };
    check(section, usual)?;
    for table in section.sections("interface")? {
        let nodes = table.required("nodes", names_kind(stage.protocol))?;
        let given = GivenInterface {
            egress: table.optional("egress", unlimited_or(bandwidth()))?,
            ingress: table.optional("ingress", unlimited_or(bandwidth()))?,
            buffer: table.optional("buffer", unlimited_or(self::buffer()))?,
        };
        check(&table, given.beside(usual))?;
        let set = nodes.resolve(stage.protocol);
        let twice = interfaces.iter().find_map(|(other, _)| other.resolve(stage.protocol).shared(&set));
        if let Some(node) = twice {
            let problem = format!("node {node} has another interface above");
            return Err(table.error_at("nodes", problem, "name each node in one [[network.interface]] at most"));
        }
        interfaces.push((nodes, given));
    }
    let others = interfaces.iter().map(|(_, given)| given.beside(usual));
    let all: Vec<Interface> = std::iter::once(usual).chain(others).collect();
    if all.iter().all(Interface::is_unlimited) && all.iter().any(|interface| interface.buffer.is_some()) {
        let remedy = "give a bandwidth too, or leave it out";
        return Err(section.error_at("buffer", "nothing ever waits for a line without a bandwidth", remedy));
    }
    // Checked with the transport.
    let (_, retransmission) = read_retransmission(section)?;
    Ok(LineNames { usual, interfaces, retransmission })
}

impl LineNames {
    /// The interface of each node.
    fn resolve(&self, stage: &Stage<'_>) -> Vec<Interface> {
        if self.usual.is_unlimited() && self.interfaces.is_empty() {
            return Vec::new();
        }
        let protocol = stage.protocol;
        let mut all = vec![self.usual; usize::from(protocol.cluster.replicas()) + usize::from(protocol.clients)];
        for (names, given) in &self.interfaces {
            let interface = given.beside(self.usual);
            names.resolve(protocol).iter().for_each(|node| all[node.index()] = interface);
        }
        all
    }
}

fn bandwidth() -> Kind<'static, Bandwidth> {
    bit_rate().check(|BitsPerSecond(rate)| {
        let nothing = Problem::new("nothing would ever get through");
        Bandwidth::new(rate).ok_or_else(|| nothing.hint("give a rate above 0, or \"unlimited\""))
    })
}

fn buffer() -> Kind<'static, u64> {
    bytes().map(|bytes| bytes.0)
}

fn unlimited_or<T: 'static>(kind: Kind<'static, T>) -> Kind<'static, Option<T>> {
    let unlimited = word([("unlimited", ())]).map(|()| None);
    kind.map(Some).or(unlimited)
}

fn read_pairs(table: &Section<'_>, stage: &Stage<'_>) -> Result<(Pairs, PairNames), ConfigError> {
    let names = |key| table.optional(key, names_kind(stage.protocol));
    let (from, to) = (names("from")?, names("to")?);
    let set = |names: &Option<NodeNames>| names.as_ref().map(|names| names.resolve(stage.protocol));
    Ok((Pairs { from: set(&from), to: set(&to) }, (from, to)))
}

fn read_schedule(table: &Section<'_>, stage: &Stage<'_>) -> Result<(Schedule, PairNames), ConfigError> {
    let (pairs, names) = read_pairs(table, stage)?;
    let steps = table.sections("steps")?;
    let steps = steps.iter().map(|step| read_step(step, stage)).collect::<Result<Vec<_>, _>>()?;
    let schedule = Schedule::new(pairs, steps).map_err(|error| {
        let remedy = match error {
            ScheduleError::OutOfOrder(_) => "give the steps in the order of time, each instant once",
            _ => "give at least one, for example steps = [{ at = \"1s\", drop = 0.1 }, { at = \"2s\" }]",
        };
        table.error_at("steps", error, remedy)
    })?;
    Ok((schedule, names))
}

fn read_step(step: &Section<'_>, stage: &Stage<'_>) -> Result<Step, ConfigError> {
    let latency = step.optional_section("latency")?;
    Ok(Step {
        at: time(step.required("at", duration())?),
        latency: latency.map(|latency| read_latency(&latency, stage.folder)).transpose()?,
        drop: step.optional("drop", probability())?.map(Probability::get),
        bandwidth: step.optional("bandwidth", bandwidth())?,
    })
}

fn read_churn(table: &Section<'_>, stage: &Stage<'_>) -> Result<(Churn, FickleNames), ConfigError> {
    let nodes = table.optional("nodes", names_kind(stage.protocol))?;
    let (pairs, pair_names) = read_pairs(table, stage)?;
    let (fickle, names) = match (nodes, pair_names) {
        (Some(nodes), (None, None)) => (Fickle::Nodes(nodes.resolve(stage.protocol)), FickleNames::Nodes(nodes)),
        (None, names) => (Fickle::Links(pairs), FickleNames::Links(names)),
        (Some(_), _) => {
            let problem = "either nodes come and go, or links between `from` and `to`";
            return Err(table.error_at("nodes", problem, "write two [[network.churn]]"));
        }
    };
    let length = |key| match table.optional_section(key)? {
        Some(length) => read_latency(&length, stage.folder),
        None => Err(missing_length(table, key)),
    };
    let (up, down) = (length("up")?, length("down")?);
    let start = table.optional("start", duration())?.map_or(Time::START, time);
    let end = table.optional("end", duration())?.map(time);
    let cut = table.or("mode", word([("drop", Cut::Drop), ("hold", Cut::Hold)]), Cut::Drop)?;
    let churn = Churn::new(fickle, up, down, (start, end), cut).map_err(|error| {
        let (key, remedy) = match error {
            ScheduleError::Backwards => ("end", "give an end after the start (which is 0ms if it is left out)"),
            _ => ("up", "give a time above 0"),
        };
        table.error_at(key, error, remedy)
    })?;
    Ok((churn, names))
}

fn missing_length(table: &Section<'_>, key: &str) -> ConfigError {
    let remedy = format!(
        "say how long, for example {key} = {{ distribution = \"exponential\", mean = \"{}\" }}",
        if key == "up" { "10s" } else { "500ms" }
    );
    table.error_at(key, "missing", remedy)
}

/// What does not fit together once the scene is known.
pub(super) fn check_scene(section: &Section<'_>, network: &NetworkModel) -> Result<(), ConfigError> {
    let duplicates = |rule: &Rule| *rule.action() == Action::Duplicate;
    if network.transport != Transport::Datagram
        && let Some(place) = network.rules.iter().position(duplicates)
    {
        let problem = format!("rule[{place}] duplicates, but a reliable transport delivers each message once");
        return Err(section.error_at("rule", problem, "leave the rule out, or give transport = \"datagram\""));
    }
    for (place, partition) in network.partitions.iter().enumerate() {
        for (earlier, other) in network.partitions[..place].iter().enumerate() {
            if let Some((time, from, to)) = partition.overlap(other) {
                let at = super::units::Nanoseconds(time.as_nanos());
                let problem = format!(
                    "partition[{earlier}] and partition[{place}] overlap: at \"{at}\" both cut {from} off from {to}"
                );
                let remedy = "end one before the other starts, or put all groups into one partition";
                return Err(section.error_at("partition", problem, remedy));
            }
        }
    }
    Ok(())
}
