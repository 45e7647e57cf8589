//! The resolved configuration: an experiment as TOML, with every default spelled out.

mod adversary;
mod network;

pub(crate) use adversary::adversary_line;
pub use adversary::{ParameterText, parameters};

use super::experiment::{EventDetail, Experiment, Settings};
use super::processing::OPERATIONS;
use super::protocol::Crash;
use super::scene::NodeNames;
use super::units::{Bytes, Nanoseconds, Probability, Share};
use super::workload::ReplyQuorum;
use adversary::write_adversary;
use byzlab_analysis::oracle::Invariant;
use byzlab_analysis::statistics::HalfWidth;
use byzlab_analysis::{Aim, Metric, Precision};
use byzlab_network::latency::Shape;
use byzlab_network::topology::Jitter;
use byzlab_network::{Latency, NodeId, Span, Time};
use byzlab_replica::{Arrivals, Authentication, Pace, Pattern, Processing, Ramp, SendTo, ServiceKind};
use network::{write_changes, write_network, write_scene, write_topology};
use std::fmt::{Display, Write};

impl Experiment {
    /// The experiment as TOML. Reading it gives the same experiment again.
    pub fn to_toml(&self) -> String {
        let mut out = Toml::default();
        out.section("experiment");
        out.key("name", quoted(&self.name));
        out.key("seed", self.seed);
        match self.stop {
            None => out.key("runs", self.runs),
            Some(_) => out.comment("how many runs a cell has follows from [sweep.stop]"),
        }
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
        if let Some(stop) = &self.stop {
            write_stop(stop, &mut out);
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
        out.key("compression", quoted(self.compression.name()));
        out.0
    }
}

fn write_stop(Precision { aim, confidence, min_runs, max_runs }: &Precision, out: &mut Toml) {
    out.section("sweep.stop");
    out.key("metric", quoted(aim.name()));
    match aim {
        Aim::Success { half_width }
        | Aim::Mean { metric: Metric::Throughput, half_width: HalfWidth::Absolute(half_width) } => {
            out.key("absolute_half_width", decimal(*half_width));
        }
        // Milliseconds, of whole nanoseconds.
        Aim::Mean { half_width: HalfWidth::Absolute(half_width), .. } => {
            out.key("absolute_half_width", span(Span::from_nanos((half_width * 1e6).round() as u64)));
        }
        Aim::Mean { half_width: HalfWidth::Relative(share), .. } => out.key("relative_half_width", decimal(*share)),
    }
    out.key("confidence", decimal(*confidence));
    out.key("min_runs", min_runs);
    out.key("max_runs", max_runs);
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
    if let Some(defect) = protocol.defects.planted() {
        out.key("defect", quoted(defect.name()));
    }

    write_workload(settings, is_swept, out);
    write_processing(settings, is_swept("processing.preset"), out);
    write_network(&settings.network, &settings.scene.lines, out);
    if let Some(topology) = &settings.topology {
        write_topology(topology, sites, out);
    }
    write_changes(&settings.network, &settings.scene, out);
    write_scene(&settings.network, &settings.scene, out);

    out.section("adversary");
    write_adversary(&settings.adversary, is_swept("adversary.preset"), out);

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

fn latency(latency: &Latency) -> String {
    distribution(latency, span, true)
}

/// Without what is zero.
fn brief(latency: &Latency) -> String {
    distribution(latency, span, false)
}

/// Without what is zero: in a sweep the same keys may be times in one cell and shares in another.
fn jitter(jitter: &Jitter) -> String {
    let share = |part: Span| quoted(&Share(part.as_nanos()).to_string());
    match jitter {
        Jitter::Absolute(latency) => brief(latency),
        Jitter::Relative(latency) => distribution(latency, share, false),
    }
}

/// A distribution whose lengths are written by `span`; without offset and floor where they are zero, unless `all` is to be there.
fn distribution(latency: &Latency, span: impl Fn(Span) -> String, all: bool) -> String {
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
    let mut text = format!("{{ distribution = \"{name}\", {parameters}");
    if all || latency.offset() > Span::ZERO {
        let _ = write!(text, ", offset = {}", span(latency.offset()));
    }
    if name != "uniform" && (all || latency.floor() > Span::ZERO) {
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
