//! `[network.topology]`: sites, delays between them, and who is where.

use super::error::nearest;
use super::experiment::{Settings, span};
use super::latency::read_jitter;
use super::units::{Nanoseconds, duration};
use super::{ConfigError, Experiment, Kind, Origin, Problem, Section, Value, boolean, list, number, text, word};
use byzlab_network::topology::{
    Coordinates, CoordinatesError, INFLATION, Jitter, Link, Place, Placement, SiteTable, TableError, TableProblem,
    Topology, TopologyError, region, regions,
};
use byzlab_network::{Delays, Key, NetworkModel, Span};
use byzlab_replica::ProtocolConfig;
use std::path::Path;
use std::sync::Arc;

/// A topology, as it is written and as it is meant.
#[derive(Clone, PartialEq, Debug)]
pub struct TopologySettings {
    /// What is known of the sites.
    pub sites: Sites,
    /// The sites in play, if they are given; else they are those that the placements name.
    pub in_play: Option<Vec<String>>,
    /// Where the replicas are.
    pub replicas: SitePlacement,
    /// Where the clients are.
    pub clients: SitePlacement,
    /// The one-way delay within each site, whatever else is said of it.
    pub within_site: Option<Span>,
    /// What is added to each delay.
    pub jitter: Option<Jitter>,
    /// What is different between two sites.
    pub links: Vec<SiteLink>,
    /// The names of the sites in play, in the order of `plan`.
    pub names: Vec<String>,
    /// What follows from all this for these numbers of replicas and clients.
    pub plan: Topology,
}

/// From where the delays between sites are known.
#[derive(Clone, PartialEq, Debug)]
pub enum Sites {
    /// From a file.
    File(Arc<SiteTable>),
    /// From the experiment itself.
    Written(Arc<SiteTable>),
    /// From where they are.
    Geographic {
        /// Sites beside the known regions of public clouds, or in their place.
        own: Vec<Place>,
        /// How much longer the ways are than the shortest.
        inflation: f64,
    },
}

/// Where the nodes of one kind are, by the names of sites.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SitePlacement {
    /// At these, one after the other, again and again.
    Listed(Vec<String>),
    /// At all in play, one after the other.
    RoundRobin,
    /// Each at one that is drawn in each run.
    Random,
}

/// What is different between two sites.
#[derive(Clone, PartialEq, Debug)]
pub struct SiteLink {
    /// From this site,
    pub from: String,
    /// to this one;
    pub to: String,
    /// and also from there to here.
    pub both: bool,
    /// The one-way delay.
    pub one_way: Option<Span>,
    /// What is added to it.
    pub jitter: Option<Jitter>,
}

impl Settings {
    /// The network of a run: its nodes are where the run places them.
    pub fn network_for(&self, run: Key) -> NetworkModel {
        let network = self.network.clone();
        match &self.topology {
            Some(topology) => NetworkModel { delays: Delays::BetweenSites(topology.plan.delays_of(run)), ..network },
            None => network,
        }
    }
}

impl Experiment {
    /// The sites that are in play in some cell, or that a link names.
    pub(super) fn sites_in_use(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for topology in self.cells.iter().filter_map(|cell| cell.settings.topology.as_ref()) {
            let ends = topology.links.iter().flat_map(|link| [&link.from, &link.to]);
            for name in topology.names.iter().chain(ends) {
                if !names.contains(&name.as_str()) {
                    names.push(name);
                }
            }
        }
        names
    }
}

/// The names that a site can have, and what to do about another one.
struct Known<'a> {
    names: Vec<String>,
    /// Names that it could have if `network.topology.sites` had them.
    left_out: &'a [String],
    remedy: String,
}

/// No delay is longer than this.
const LONGEST: Nanoseconds = Nanoseconds(3_600_000_000_000);

pub(super) fn read_topology(
    network: &Section<'_>,
    protocol: &ProtocolConfig,
    folder: &Path,
) -> Result<Option<TopologySettings>, ConfigError> {
    let Some(section) = network.optional_section("topology")? else { return Ok(None) };
    if network.value("latency").is_some() {
        let problem = "[network.topology] replaces the latency, so there cannot be both";
        return Err(network.error_at("latency", problem, "leave out network.latency, or the topology"));
    }
    let sites = read_sites(&section, folder)?;
    let all = sites.known();
    let in_play = section.optional("sites", list(site(&all)).check(each_once))?;
    let seats = match &in_play {
        Some(names) => {
            let remedy = format!("name it there too, or take one of {}", names.join(", "));
            &Known { names: names.clone(), left_out: &all.names, remedy }
        }
        None => &all,
    };
    let replicas = section.or("replicas", placement(seats), SitePlacement::RoundRobin)?;
    let clients = section.or("clients", placement(seats), SitePlacement::RoundRobin)?;
    let within_site = section.optional("within_site", duration().within(..=LONGEST))?.map(span);
    let jitter = section.optional_section("jitter")?.map(|table| read_jitter(&table, folder)).transpose()?;
    let links = section.sections("link")?;
    let links = links.iter().map(|link| read_link(link, &all, folder)).collect::<Result<Vec<_>, _>>()?;

    let names = in_play.clone().unwrap_or_else(|| named_sites(&sites, [&replicas, &clients]));
    if names.is_empty() {
        let remedy = "name the sites, for example sites = [\"us-east-1\", \"eu-west-1\"], or give a file with a matrix";
        return Err(section.error_at("", "no site is named", remedy));
    }
    if names.len() > SiteTable::MOST_SITES {
        let problem = format!("more than {} sites", SiteTable::MOST_SITES);
        return Err(section.error_at("sites", problem, "name fewer in network.topology.sites"));
    }
    let mut table = sites.table(&names);
    if let Some(delay) = within_site {
        table.set_within(delay);
    }
    let indexed: Vec<Link> = links.iter().filter_map(|link| link.between(&table)).collect();
    let seated = |placement: &SitePlacement, count| (placement.within(&table), count);
    let (replica_seats, client_seats) =
        (seated(&replicas, protocol.cluster.replicas()), seated(&clients, protocol.clients));
    let plan = Topology::new(&table, &indexed, jitter.as_ref(), replica_seats, client_seats)
        .map_err(|error| explain(&section, &error))?;
    Ok(Some(TopologySettings { sites, in_play, replicas, clients, within_site, jitter, links, names, plan }))
}

fn read_sites(section: &Section<'_>, folder: &Path) -> Result<Sites, ConfigError> {
    let own = section.sections("site")?;
    let inflation = section.optional("inflation", number(1.0..=100.0))?;
    let file = section.optional("matrix", text())?;
    let table = section.optional_section("table")?;
    let key = match (&file, &table) {
        (Some(_), Some(_)) => {
            let problem = "the delays come from the file, so there cannot be a table too";
            return Err(section.error_at("table", problem, "leave out `matrix` or `table`"));
        }
        (Some(_), None) => "matrix",
        (None, Some(_)) => "table",
        (None, None) => {
            let own = own.iter().map(read_place).collect::<Result<Vec<_>, _>>()?;
            for (index, place) in own.iter().enumerate() {
                if own[..index].iter().any(|other| other.name == place.name) {
                    let problem = format!("the site \"{}\" comes twice", place.name);
                    return Err(section.error_at("site", problem, "give each site a name of its own"));
                }
            }
            return Ok(Sites::Geographic { own, inflation: inflation.unwrap_or(INFLATION) });
        }
    };
    for (extra, is_there) in [("site", !own.is_empty()), ("inflation", inflation.is_some())] {
        if is_there {
            let problem = format!("delays by geography need it, but here they come from `{key}`");
            return Err(section.error_at(extra, problem, format_args!("leave out `{extra}` or `{key}`")));
        }
    }
    match (file, table) {
        (_, Some(table)) => read_written(&table).map(|table| Sites::Written(Arc::new(table))),
        (file, None) => {
            read_file(section, &folder.join(file.unwrap_or_default())).map(|table| Sites::File(Arc::new(table)))
        }
    }
}

/// The path is taken from the folder of the experiment.
fn read_file(section: &Section<'_>, path: &Path) -> Result<SiteTable, ConfigError> {
    let name = path.display();
    if let Origin::Sweep { .. } = section.origin("matrix") {
        // The resolved configuration holds what the file says, and that is one table.
        let remedy = "write an experiment for each file, or sweep network.topology.table";
        return Err(section.error_at("matrix", "a sweep cannot vary the file", remedy));
    }
    let content = std::fs::read_to_string(path).map_err(|error| {
        let remedy =
            "give the path of a table of delays, from the folder of this experiment; docs/network.md has its formats";
        section.error_at("matrix", format_args!("{name} cannot be read: {error}"), remedy)
    })?;
    SiteTable::parse(&content).map_err(|TableError { line, problem }| {
        section.error_at("matrix", format_args!("{name}:{line}: {problem}"), table_remedy(&problem))
    })
}

fn table_remedy(problem: &TableProblem) -> &'static str {
    match problem {
        TableProblem::Empty | TableProblem::Header(_) => {
            "begin with from,to,rtt_ms or from,to,one_way_ms, or for a matrix with ,a,b,c (the names of the sites), with commas in between"
        }
        TableProblem::NoDelays => "write a line for each pair of sites, such as us-east-1,eu-west-1,67.5",
        TableProblem::Cells { .. } => "give one cell for each column, with commas in between; names contain no comma",
        TableProblem::Unnamed { .. } => "give each site a name",
        TableProblem::Twice(_) => "name each site once",
        TableProblem::TooMany => "leave out the sites that no node is at",
        TableProblem::OtherRow { .. } => "bring the rows into the order of the columns",
        TableProblem::NotSquare { .. } => "give one row for each site of the header",
        TableProblem::Missing { .. } => "give a number of milliseconds; only within a site it may be left out",
        TableProblem::NotADelay { .. } => "give a number of milliseconds without a unit, from 0 to 3600000",
        TableProblem::Contradiction { .. } => "keep one of the two lines",
        TableProblem::OneDirection { .. } => "add the other direction, or give round trips: from,to,rtt_ms",
    }
}

/// A table that stands in the experiment itself, as `DIR/config.toml` writes what a file said.
fn read_written(section: &Section<'_>) -> Result<SiteTable, ConfigError> {
    let names = section.required("sites", list(text()).check(each_once))?;
    let known = duration().within(..=LONGEST).map(|delay| Some(span(delay)));
    let rows: Vec<Vec<Option<Span>>> = section.required("one_way", list(list(known.or(word([("none", None)])))))?;
    let sites = names.len();
    if sites > SiteTable::MOST_SITES {
        let problem = format!("more than {} sites", SiteTable::MOST_SITES);
        return Err(section.error_at("sites", problem, "leave out the sites that no node is at"));
    }
    if rows.len() != sites || rows.iter().any(|row| row.len() != sites) {
        let problem = format!("not {sites} rows of {sites} delays");
        let remedy = "give a row for each of `sites`, and in it a delay to each, \"none\" where it is not known";
        return Err(section.error_at("one_way", problem, remedy));
    }
    let mut table = SiteTable::unknown(names);
    for (from, row) in rows.iter().enumerate() {
        for (to, delay) in row.iter().enumerate() {
            if let Some(delay) = *delay {
                table.set(from, to, delay);
            }
        }
    }
    Ok(table)
}

fn read_place(section: &Section<'_>) -> Result<Place, ConfigError> {
    let some_name = |name: String| {
        if name.is_empty() {
            Err(Problem::new("this is no name").hint("write for example \"berlin\""))
        } else {
            Ok(name)
        }
    };
    let name = section.required("name", text().check(some_name))?;
    let (latitude, longitude) = (section.required("latitude", number(..))?, section.required("longitude", number(..))?);
    let at = Coordinates::new(latitude, longitude).map_err(|error| {
        let key = match error {
            CoordinatesError::Latitude => "latitude",
            CoordinatesError::Longitude => "longitude",
        };
        section.error_at(key, error, "write it as a decimal number, for Berlin latitude = 52.52, longitude = 13.41")
    })?;
    Ok(Place { name, at })
}

fn read_link(section: &Section<'_>, known: &Known<'_>, folder: &Path) -> Result<SiteLink, ConfigError> {
    let link = SiteLink {
        from: section.required("from", site(known))?,
        to: section.required("to", site(known))?,
        both: section.or("both", boolean(), true)?,
        one_way: section.optional("one_way", duration().within(..=LONGEST))?.map(span),
        jitter: section.optional_section("jitter")?.map(|table| read_jitter(&table, folder)).transpose()?,
    };
    if link.one_way.is_none() && link.jitter.is_none() {
        let problem = "nothing is different between these sites";
        return Err(section.error_at("", problem, "give `one_way` or `jitter`, or leave the link out"));
    }
    Ok(link)
}

/// The name of a site.
fn site<'k>(known: &'k Known<'_>) -> Kind<'k, String> {
    Kind::new("the name of a site", |value| match value {
        Value::Text(name) if known.names.contains(name) => Ok(name.clone()),
        Value::Text(name) if known.left_out.contains(name) => {
            Err(Problem::new("this is none of network.topology.sites").hint(&known.remedy))
        }
        Value::Text(name) => Err(match nearest(name, known.names.iter().map(String::as_str)) {
            Some(near) => Problem::new("there is no such site").hint(format_args!("did you mean \"{near}\"?")),
            None => Problem::new("there is no such site").hint(&known.remedy),
        }),
        other => Err(Problem::other_type(other)),
    })
}

fn placement<'k>(known: &'k Known<'_>) -> Kind<'k, SitePlacement> {
    let listed = list(site(known)).check(|names| {
        if names.is_empty() {
            return Err(Problem::new("the list is empty").hint("name at least one site, or leave the key out"));
        }
        Ok(SitePlacement::Listed(names))
    });
    let words = word([("round_robin", SitePlacement::RoundRobin), ("random", SitePlacement::Random)]);
    let wanted = words.wanted.clone();
    listed.or(Kind::new(wanted, move |value| match value {
        Value::Text(name) if known.names.contains(name) => {
            Err(Problem::new("this is a single site, not a list").hint(format_args!("write [\"{name}\"]")))
        }
        other => (words.read)(other),
    }))
}

/// The names of sites, at least one, none of them twice.
fn each_once(names: Vec<String>) -> Result<Vec<String>, Problem> {
    if names.is_empty() {
        return Err(Problem::new("the list is empty").hint("name at least one site"));
    }
    match names.iter().enumerate().find(|&(index, name)| names[..index].contains(name)) {
        Some((_, name)) => Err(Problem::new(format_args!("\"{name}\" comes twice")).hint("name each site once")),
        None => Ok(names),
    }
}

/// The sites that the placements name; if they name none, all of the table, or all that are no cloud's.
fn named_sites(sites: &Sites, placements: [&SitePlacement; 2]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for placement in placements {
        if let SitePlacement::Listed(listed) = placement {
            for name in listed {
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
        }
    }
    match sites {
        _ if !names.is_empty() => names,
        Sites::File(table) | Sites::Written(table) => table.names().to_vec(),
        Sites::Geographic { own, .. } => own.iter().map(|place| place.name.clone()).collect(),
    }
}

impl Sites {
    fn known(&self) -> Known<'static> {
        match self {
            Sites::File(table) | Sites::Written(table) => {
                let names = table.names().to_vec();
                let shown =
                    if names.len() > 12 { format!("{}, …", names[..12].join(", ")) } else { names.join(", ") };
                Known { names, left_out: &[], remedy: format!("the sites are {shown}") }
            }
            Sites::Geographic { own, .. } => {
                let clouds = regions().iter().map(|region| region.name.to_owned());
                let names = own.iter().map(|place| place.name.clone()).chain(clouds).collect();
                let remedy = "take a region of a public cloud such as us-east-1, europe-west1 or westeurope, or add \
                     [[network.topology.site]] with its name, latitude and longitude";
                Known { names, left_out: &[], remedy: remedy.to_owned() }
            }
        }
    }

    /// The delays between sites whose names are known.
    fn table(&self, names: &[String]) -> SiteTable {
        let names = names.iter().map(String::as_str);
        match self {
            Sites::File(table) | Sites::Written(table) => table.only(names),
            Sites::Geographic { own, inflation } => {
                let place = |name: &str| {
                    let own = own.iter().find(|place| place.name == name).cloned();
                    own.or_else(|| region(name).map(|region| Place { name: name.to_owned(), at: region.at }))
                };
                SiteTable::geographic(&names.filter_map(place).collect::<Vec<_>>(), *inflation)
            }
        }
    }
}

impl SitePlacement {
    /// The same by indices into a table that has all its sites.
    fn within(&self, table: &SiteTable) -> Placement {
        match self {
            SitePlacement::Listed(names) => Placement::Listed(
                names.iter().filter_map(|name| table.index_of(name)).map(|site| site as u16).collect(),
            ),
            SitePlacement::RoundRobin => Placement::RoundRobin,
            SitePlacement::Random => Placement::Random,
        }
    }
}

impl SiteLink {
    /// The same by indices into a table; nothing if a site is not in play.
    fn between(&self, table: &SiteTable) -> Option<Link> {
        let (from, to) = (table.index_of(&self.from)? as u16, table.index_of(&self.to)? as u16);
        Some(Link { from, to, both: self.both, one_way: self.one_way, jitter: self.jitter.clone() })
    }
}

fn explain(section: &Section<'_>, error: &TopologyError) -> ConfigError {
    let key = if section.value("matrix").is_some() { "matrix" } else { "table" };
    match error {
        TopologyError::NoDelay { from, to } if from == to => {
            let problem = format!("two nodes can be at {from}, but no delay is known from {from} to {to}");
            let remedy = "add the entry, or give within_site = \"0.25ms\", the one-way delay within each site";
            section.error_at(key, problem, remedy)
        }
        TopologyError::NoDelay { .. } => {
            let remedy = "add the pair, or give [[network.topology.link]] with from, to and one_way";
            section.error_at(key, error, remedy)
        }
        TopologyError::Jitter { .. } => {
            section.error_at("jitter", error, "take a lighter tail: a smaller sigma, a larger shape or smaller times")
        }
    }
}
