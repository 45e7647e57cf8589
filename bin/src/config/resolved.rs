//! The resolved configuration: an experiment as TOML, with every default spelled out.

use super::experiment::{Corrupted, EventDetail, Experiment, Settings};
use super::links::{FickleNames, LineNames, PairNames};
use super::processing::OPERATIONS;
use super::protocol::Crash;
use super::scene::{NodeNames, SceneNames};
use super::topology::{SitePlacement, Sites, TopologySettings};
use super::units::{BitsPerSecond, Bytes, Nanoseconds, Probability, Share};
use super::workload::ReplyQuorum;
use byzlab_adversary::{AttackConfig, AttackKind, Groups, Scope, Selection};
use byzlab_analysis::oracle::Invariant;
use byzlab_network::latency::Shape;
use byzlab_network::topology::{Jitter, SiteTable, WITHIN_SITE, region};
use byzlab_network::{
    Action, Bandwidth, BurstLoss, Cut, Delays, Latency, NetworkModel, NodeId, Rule, RuleScope, Span, Step, Synchrony,
    Time, Transport,
};
use byzlab_replica::{Arrivals, Authentication, MessageKind, Pace, Pattern, Processing, Ramp, SendTo, ServiceKind};
use std::fmt::{Display, Write};

impl Experiment {
    /// The experiment as TOML. Reading it gives the same experiment again.
    pub fn to_toml(&self) -> String {
        let mut out = Toml::default();
        out.section("experiment");
        out.key("name", quoted(&self.name));
        out.key("seed", self.seed);
        out.key("runs", self.runs);
        out.key("independent_cells", self.independent_cells);
        out.key("time_limit", span(self.base.time_limit));
        out.key("drain", span(self.base.drain));
        let is_swept = |key: &str| self.axes.iter().any(|axis| axis.key == key);
        write_settings(&self.base, &self.sites_in_use(), &is_swept, &mut out);
        if !self.axes.is_empty() {
            out.section("sweep");
            for axis in &self.axes {
                let values: Vec<String> = axis.points.iter().map(|(value, _)| value.to_string()).collect();
                out.key(&quoted(&axis.key), format_args!("[{}]", values.join(", ")));
            }
        }
        out.section("output");
        let detail = match self.events {
            EventDetail::None => "none",
            EventDetail::Protocol => "protocol",
            EventDetail::Messages => "messages",
        };
        out.key("events", quoted(detail));
        out.key("latency_parts", self.latency_parts);
        out.key("metric", quoted(self.metric.name()));
        out.0
    }
}

/// TOML text that grows line by line.
#[derive(Default)]
struct Toml(String);

impl Toml {
    fn section(&mut self, name: &str) {
        let gap = if self.0.is_empty() { "" } else { "\n" };
        let _ = writeln!(self.0, "{gap}[{name}]");
    }

    fn comment(&mut self, text: &str) {
        let _ = writeln!(self.0, "# {text}");
    }

    fn key(&mut self, key: &str, value: impl Display) {
        let _ = writeln!(self.0, "{key} = {value}");
    }
}

/// `is_swept` tells of a key: what follows it is left to follow it. `sites` are those of all cells.
fn write_settings(settings: &Settings, sites: &[&str], is_swept: &dyn Fn(&str) -> bool, out: &mut Toml) {
    let Settings { protocol, derived, .. } = settings;
    out.section("cluster");
    out.key("replicas", protocol.cluster.replicas());
    if derived.faults && is_swept("cluster.replicas") {
        out.comment("faults = floor((replicas - 1) / 3)");
    } else {
        out.key("faults", protocol.cluster.faults());
    }
    for (names, clock) in &settings.clocks {
        out.section("[cluster.clock]");
        out.key("nodes", node_names(names));
        out.key("drift", decimal(clock.drift() as f64 / 1e9));
    }
    for Crash { node, outage } in &settings.crashes {
        out.section("[cluster.crash]");
        out.key("node", node);
        out.key("at", instant(outage.at));
        if let Some(end) = outage.recover_at {
            out.key("recover_at", instant(end));
            out.key("durable", outage.durable);
        }
    }

    out.section("protocol");
    out.key("view_change", protocol.view_change);
    out.key("request_timeout", span(protocol.request_timeout));
    out.key("view_change_timeout", span(protocol.view_change_timeout));
    out.key("checkpoint_interval", protocol.checkpoint_interval);
    out.key("log_window", protocol.log_window);
    out.key("batch_size", protocol.batch_size);
    out.key("batch_delay", span(protocol.batch_delay));
    if derived.max_in_flight && is_swept("protocol.log_window") {
        out.comment("max_in_flight = log_window");
    } else {
        out.key("max_in_flight", protocol.max_in_flight);
    }
    out.key("status_interval", span(protocol.status_interval));
    out.key("tentative", protocol.tentative);
    out.key("read_only", protocol.read_only);
    let service = match protocol.service {
        ServiceKind::Counter => "counter",
        ServiceKind::KeyValue => "key_value",
        ServiceKind::Null => "null",
    };
    out.key("service", quoted(service));
    let authentication = match protocol.authentication {
        Authentication::Signature => "signature",
        Authentication::Mac => "mac",
    };
    out.key("authentication", quoted(authentication));

    write_workload(settings, is_swept, out);
    write_processing(settings, is_swept("processing.preset"), out);
    write_network(&settings.network, &settings.scene.lines, out);
    if let Some(topology) = &settings.topology {
        write_topology(topology, sites, out);
    }
    write_changes(&settings.network, &settings.scene, out);
    write_scene(&settings.network, &settings.scene, out);

    out.section("adversary");
    match &settings.adversary.corrupted {
        Corrupted::Count(count, selection) => {
            out.key("count", count);
            let selection = match selection {
                Selection::Random => "random",
                Selection::First => "first",
                Selection::Last => "last",
                Selection::Primary => "primary",
            };
            out.key("selection", quoted(selection));
        }
        Corrupted::Members(members) => out.key("members", nodes(members)),
    }
    for attack in &settings.adversary.attacks {
        write_attack(attack, out);
    }

    out.section("oracles");
    for invariant in Invariant::ALL {
        out.key(invariant.name(), settings.oracles.enabled.contains(invariant));
    }
    match settings.oracles.liveness_bound {
        Some(bound) => out.key("liveness_bound", span(bound)),
        None => out.comment("liveness_bound follows from delays and timeouts"),
    }
}

fn write_workload(settings: &Settings, is_swept: &dyn Fn(&str) -> bool, out: &mut Toml) {
    let Settings { protocol, workload, derived, .. } = settings;
    out.section("workload");
    out.key("clients", protocol.clients);
    let mode = match workload.pace {
        Pace::Closed { .. } => "closed",
        Pace::Open(_) => "open",
    };
    out.key("mode", quoted(mode));
    out.key("requests", workload.requests);
    let send_to = match workload.send_to {
        SendTo::Primary => "primary",
        SendTo::All => "all",
    };
    out.key("send_to", quoted(send_to));
    out.key("client_timeout", span(workload.client_timeout));
    match derived.reply_quorum {
        None if is_swept("protocol.tentative") || is_swept("protocol.read_only") => {
            out.comment("reply_quorum = \"quorum\" with tentative or read_only, else \"f+1\"");
        }
        Some(ReplyQuorum::Count(count)) => out.key("reply_quorum", count),
        Some(ReplyQuorum::Quorum) => out.key("reply_quorum", quoted("quorum")),
        None if protocol.tentative || protocol.read_only => out.key("reply_quorum", quoted("quorum")),
        Some(ReplyQuorum::WeakQuorum) | None => out.key("reply_quorum", quoted("f+1")),
    }
    match &workload.pace {
        Pace::Closed { think_time } => out.key("think_time", span(*think_time)),
        Pace::Open(arrivals) => write_arrivals(arrivals, out),
    }
    out.key("payload", quoted(&Bytes(u64::from(workload.payload)).to_string()));
    out.key("reply_payload", quoted(&Bytes(u64::from(protocol.reply_payload)).to_string()));
    out.key("reads", Probability::of_a_million(workload.reads_per_million));
    out.key("warmup", span(settings.warmup));
}

fn write_arrivals(Arrivals { rate, pattern, ramp }: &Arrivals, out: &mut Toml) {
    out.key("rate", decimal(rate.get()));
    let arrivals = match pattern {
        Pattern::Poisson => "poisson",
        Pattern::Constant => "constant",
        Pattern::Bursts { .. } => "bursts",
    };
    out.key("arrivals", quoted(arrivals));
    if let Pattern::Bursts { size } = pattern {
        out.key("burst_size", size);
    }
    if let Some(Ramp { to, over }) = ramp {
        out.key("ramp", format_args!("{{ to = {}, over = {} }}", decimal(to.get()), span(*over)));
    }
}

fn write_processing(settings: &Settings, follow_preset: bool, out: &mut Toml) {
    let Processing { receive, send, sign, verify, mac, hash_per_kib, execute, cores } = &settings.processing;
    out.section("processing");
    let costs = [receive, send, sign, verify, mac, hash_per_kib, execute];
    for ((name, cost), is_given) in OPERATIONS.into_iter().zip(costs).zip(settings.derived.costs) {
        match cost.shape() {
            _ if follow_preset && !is_given => out.comment(&format!("{name} follows preset")),
            Shape::Constant { value } if *cost == Latency::constant(*value) => out.key(name, span(*value)),
            _ => out.key(name, latency(cost)),
        }
    }
    out.key("cores", cores);
}

fn write_network(network: &NetworkModel, lines: &LineNames, out: &mut Toml) {
    out.section("network");
    match network.transport {
        Transport::Datagram => out.key("transport", quoted("datagram")),
        Transport::Reliable(retransmission) => {
            out.key("transport", quoted("reliable"));
            let (timeout, longest) = (span(retransmission.timeout()), span(retransmission.longest()));
            out.key("retransmission", format_args!("{{ timeout = {timeout}, longest = {longest} }}"));
        }
    }
    if let Delays::Everywhere(everywhere) = &network.delays {
        out.key("latency", latency(everywhere));
    }
    out.key("drop", decimal(network.drop));
    out.key("duplicate", decimal(network.duplicate));
    if let Some(reorder) = &network.reorder {
        let (probability, extra) = (decimal(reorder.probability), latency(&reorder.extra));
        out.key("reorder", format_args!("{{ probability = {probability}, extra = {extra} }}"));
    }
    if let Some(BurstLoss { to_bad, to_good, loss_good, loss_bad }) = network.bursts {
        let all = [("to_bad", to_bad), ("to_good", to_good), ("loss_good", loss_good), ("loss_bad", loss_bad)];
        let all = all.map(|(key, value)| format!("{key} = {}", decimal(value)));
        out.key("bursts", format_args!("{{ {} }}", all.join(", ")));
    }
    out.key("bandwidth", rate(lines.usual.egress));
    out.key("buffer", room(lines.usual.buffer));
    for (names, interface) in &lines.interfaces {
        out.section("[network.interface]");
        out.key("nodes", node_names(names));
        out.key("egress", rate(interface.egress));
        out.key("ingress", rate(interface.ingress));
        out.key("buffer", room(interface.buffer));
    }
}

/// A bandwidth, or `"unlimited"`.
fn rate(bandwidth: Option<Bandwidth>) -> String {
    let rate = bandwidth.map(|bandwidth| BitsPerSecond(bandwidth.bits_a_second()).to_string());
    quoted(rate.as_deref().unwrap_or("unlimited"))
}

/// A buffer, or `"unlimited"`.
fn room(buffer: Option<u64>) -> String {
    quoted(buffer.map(|buffer| Bytes(buffer).to_string()).as_deref().unwrap_or("unlimited"))
}

fn write_pairs((from, to): &PairNames, out: &mut Toml) {
    if let Some(from) = from {
        out.key("from", node_names(from));
    }
    if let Some(to) = to {
        out.key("to", node_names(to));
    }
}

fn write_changes(network: &NetworkModel, scene: &SceneNames, out: &mut Toml) {
    for (schedule, names) in network.schedules.iter().zip(&scene.schedules) {
        out.section("[network.schedule]");
        write_pairs(names, out);
        let step = |step: &Step| {
            let mut text = format!("{{ at = {}", instant(step.at));
            if let Some(scheduled) = &step.latency {
                let _ = write!(text, ", latency = {}", latency(scheduled));
            }
            if let Some(drop) = step.drop {
                let _ = write!(text, ", drop = {}", decimal(drop));
            }
            if step.bandwidth.is_some() {
                let _ = write!(text, ", bandwidth = {}", rate(step.bandwidth));
            }
            text + " }"
        };
        let steps: Vec<String> = schedule.steps().iter().map(step).collect();
        out.key("steps", format_args!("[{}]", steps.join(", ")));
    }
    for (churn, names) in network.churn.iter().zip(&scene.churn) {
        out.section("[network.churn]");
        match names {
            FickleNames::Nodes(nodes) => out.key("nodes", node_names(nodes)),
            FickleNames::Links(pairs) => write_pairs(pairs, out),
        }
        out.key("up", latency(churn.up()));
        out.key("down", latency(churn.down()));
        out.key("start", instant(churn.start()));
        if let Some(end) = churn.end() {
            out.key("end", instant(end));
        }
        out.key("mode", quoted(mode(churn.cut())));
    }
}

fn mode(cut: Cut) -> &'static str {
    match cut {
        Cut::Drop => "drop",
        Cut::Hold => "hold",
    }
}

/// A file of delays is not needed any more: what it says of the sites in use is written down.
fn write_topology(topology: &TopologySettings, sites: &[&str], out: &mut Toml) {
    let TopologySettings { in_play, replicas, clients, within_site, jitter: added, links, .. } = topology;
    out.section("network.topology");
    match in_play {
        Some(names) => out.key("sites", strings(names)),
        None => out.comment("sites = those that replicas and clients name, or else all of the table or all own ones"),
    }
    for (key, placement) in [("replicas", replicas), ("clients", clients)] {
        match placement {
            SitePlacement::Listed(names) => out.key(key, strings(names)),
            SitePlacement::RoundRobin => out.key(key, quoted("round_robin")),
            SitePlacement::Random => out.key(key, quoted("random")),
        }
    }
    match (within_site, &topology.sites) {
        (Some(delay), _) => out.key("within_site", span(*delay)),
        (None, Sites::Geographic { .. }) => out.key("within_site", span(WITHIN_SITE)),
        (None, _) => out.comment("within_site = the table's own entry for the site"),
    }
    if let Some(added) = added {
        out.key("jitter", jitter(added));
    }
    match &topology.sites {
        Sites::File(table) => {
            // In the order of the file.
            let used = table.names().iter().map(String::as_str).filter(|name| sites.contains(name));
            write_table(&table.only(used), out);
        }
        Sites::Written(table) => write_table(table, out),
        Sites::Geographic { own, inflation } => {
            out.key("inflation", decimal(*inflation));
            let is_own = |name: &str| own.iter().any(|place| place.name == name);
            for region in sites.iter().filter(|name| !is_own(name)).filter_map(|name| region(name)) {
                let (latitude, longitude) = (decimal(region.at.latitude()), decimal(region.at.longitude()));
                out.comment(&format!("{} is in {}: {latitude}, {longitude}", region.name, region.place));
            }
            for place in own {
                out.section("[network.topology.site]");
                out.key("name", quoted(&place.name));
                out.key("latitude", decimal(place.at.latitude()));
                out.key("longitude", decimal(place.at.longitude()));
            }
        }
    }
    for link in links {
        out.section("[network.topology.link]");
        out.key("from", quoted(&link.from));
        out.key("to", quoted(&link.to));
        out.key("both", link.both);
        if let Some(delay) = link.one_way {
            out.key("one_way", span(delay));
        }
        if let Some(added) = &link.jitter {
            out.key("jitter", jitter(added));
        }
    }
}

fn write_table(table: &SiteTable, out: &mut Toml) {
    out.section("network.topology.table");
    out.key("sites", strings(table.names()));
    let sites = 0..table.names().len();
    let delay = |from, to| table.one_way(from, to).map_or(quoted("none"), span);
    let row = |from| format!("[{}]", sites.clone().map(|to| delay(from, to)).collect::<Vec<_>>().join(", "));
    let rows: Vec<String> = sites.clone().map(row).collect();
    out.key("one_way", format_args!("[\n    {},\n]", rows.join(",\n    ")));
}

fn write_scene(network: &NetworkModel, scene: &SceneNames, out: &mut Toml) {
    if let Some(Synchrony { gst, latency: early, drop }) = &network.synchrony {
        out.section("network.synchrony");
        out.key("gst", instant(*gst));
        match early {
            Some(early) => out.key("latency", latency(early)),
            None => out.comment("latency = network.latency"),
        }
        match drop {
            Some(drop) => out.key("drop", decimal(*drop)),
            None => out.comment("drop = network.drop"),
        }
    }
    for (rule, (from, to)) in network.rules.iter().zip(&scene.rules) {
        write_rule(rule, from.as_ref(), to.as_ref(), out);
    }
    for (partition, groups) in network.partitions.iter().zip(&scene.partitions) {
        out.section("[network.partition]");
        out.key("start", instant(partition.start()));
        if let Some(end) = partition.end() {
            out.key("end", instant(end));
        }
        let groups: Vec<String> = groups.iter().map(node_names).collect();
        out.key("groups", format_args!("[{}]", groups.join(", ")));
        out.key("one_way", partition.is_one_way());
        out.key("mode", quoted(mode(partition.cut())));
    }
}

fn write_rule(rule: &Rule, from: Option<&NodeNames>, to: Option<&NodeNames>, out: &mut Toml) {
    // The sets of nodes are written as they were named.
    let RuleScope { from: _, to: _, kinds, view, seq, start, end, probability } = rule.scope();
    out.section("[network.rule]");
    for (key, names) in [("from", from), ("to", to)] {
        if let Some(names) = names {
            out.key(key, node_names(names));
        }
    }
    if let Some(kinds) = kinds {
        let kinds = MessageKind::ALL.into_iter().filter(|&kind| kinds.contains(kind as u8));
        let names: Vec<String> = kinds.map(|kind| quoted(kind.name())).collect();
        out.key("messages", format_args!("[{}]", names.join(", ")));
    }
    for (key, number) in [("view", view), ("seq", seq)] {
        if let Some(number) = number {
            out.key(key, number);
        }
    }
    out.key("start", instant(*start));
    if let Some(end) = end {
        out.key("end", instant(*end));
    }
    out.key("probability", decimal(*probability));
    let action = match rule.action() {
        Action::Drop => "drop",
        Action::Hold => "hold",
        Action::Delay(_) => "delay",
        Action::Duplicate => "duplicate",
    };
    out.key("action", quoted(action));
    if let Action::Delay(delay) = rule.action() {
        out.key("delay", latency(delay));
    }
}

fn write_attack(AttackConfig { kind, scope }: &AttackConfig, out: &mut Toml) {
    let Scope { members, start, end, probability, messages, to } = scope;
    out.section("[adversary.attack]");
    out.key("kind", quoted(kind.name()));
    if let AttackKind::Equivocate { groups, collude } = kind {
        out.key("collude", collude);
        match groups {
            Groups::Each => out.key("groups", quoted("each")),
            Groups::Halves => out.key("groups", quoted("halves")),
            Groups::Lists(lists) => {
                let lists: Vec<String> = lists.iter().map(|list| nodes(list)).collect();
                out.key("groups", format_args!("[{}]", lists.join(", ")));
            }
        }
    }
    if let Some(members) = members {
        out.key("members", nodes(members));
    }
    out.key("start", instant(*start));
    if *end != Time::END {
        out.key("end", instant(*end));
    }
    out.key("probability", decimal(*probability));
    if let Some(messages) = messages {
        let names: Vec<String> = messages.iter().map(|kind| quoted(kind.name())).collect();
        out.key("messages", format_args!("[{}]", names.join(", ")));
    }
    if let Some(to) = to {
        out.key("to", nodes(to));
    }
}

fn latency(latency: &Latency) -> String {
    distribution(latency, span)
}

fn jitter(jitter: &Jitter) -> String {
    match jitter {
        Jitter::Absolute(latency) => distribution(latency, span),
        Jitter::Relative(latency) => distribution(latency, |part| quoted(&Share(part.as_nanos()).to_string())),
    }
}

/// A distribution whose lengths are written by `span`.
fn distribution(latency: &Latency, span: impl Fn(Span) -> String) -> String {
    let list = |values: &[Span]| values.iter().map(|&value| span(value)).collect::<Vec<_>>().join(", ");
    let (name, parameters) = match latency.shape() {
        Shape::Constant { value } => ("constant", format!("value = {}", span(*value))),
        Shape::Uniform { min, max } => ("uniform", format!("min = {}, max = {}", span(*min), span(*max))),
        Shape::Normal { mean, std_dev } => ("normal", format!("mean = {}, std_dev = {}", span(*mean), span(*std_dev))),
        Shape::Exponential { mean } => ("exponential", format!("mean = {}", span(*mean))),
        Shape::Lognormal { median, sigma } => {
            ("lognormal", format!("median = {}, sigma = {}", span(*median), decimal(*sigma)))
        }
        Shape::Pareto { scale, shape } => ("pareto", format!("scale = {}, shape = {}", span(*scale), decimal(*shape))),
        Shape::Gamma { shape, scale } => ("gamma", format!("shape = {}, scale = {}", decimal(*shape), span(*scale))),
        Shape::Weibull { scale, shape } => {
            ("weibull", format!("scale = {}, shape = {}", span(*scale), decimal(*shape)))
        }
        Shape::Discrete { values, weights } => {
            let weights: Vec<String> = weights.iter().map(|&weight| decimal(weight)).collect();
            ("discrete", format!("values = [{}], weights = [{}]", list(values), weights.join(", ")))
        }
        Shape::Empirical { values } => ("empirical", format!("values = [{}]", list(values))),
    };
    let mut text = format!("{{ distribution = \"{name}\", {parameters}, offset = {}", span(latency.offset()));
    if name != "uniform" {
        let _ = write!(text, ", min = {}", span(latency.floor()));
    }
    text + " }"
}

fn span(span: Span) -> String {
    quoted(&Nanoseconds(span.as_nanos()).to_string())
}

fn instant(time: Time) -> String {
    span(time.since(Time::START))
}

fn node_names(names: &NodeNames) -> String {
    match names {
        NodeNames::Replicas => quoted("replicas"),
        NodeNames::Clients => quoted("clients"),
        NodeNames::Listed(listed) => nodes(listed),
    }
}

fn nodes(nodes: &[NodeId]) -> String {
    let ids: Vec<String> = nodes.iter().map(ToString::to_string).collect();
    format!("[{}]", ids.join(", "))
}

fn strings(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    format!("[{}]", names.join(", "))
}

/// A decimal number, with a point even if it is whole.
fn decimal(value: f64) -> String {
    format!("{value:?}")
}

fn quoted(text: &str) -> String {
    super::Value::Text(text.to_owned()).to_string()
}
