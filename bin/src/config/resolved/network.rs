//! `[network]` and its topology, as TOML.

use super::{Toml, decimal, instant, jitter, latency, node_names, quoted, span, strings};
use crate::config::links::{FickleNames, GivenInterface, GivenRetransmission, LineNames, PairNames};
use crate::config::scene::{NodeNames, SceneNames};
use crate::config::topology::{SitePlacement, Sites, TopologySettings};
use crate::config::units::{BitsPerSecond, Bytes};
use byzlab_network::topology::{SiteTable, WITHIN_SITE, region};
use byzlab_network::{
    Action, Bandwidth, BurstLoss, Cut, Delays, NetworkModel, Rule, RuleScope, Step, Synchrony, Transport,
};
use byzlab_replica::MessageKind;
use std::fmt::Write;

pub(super) fn write_network(network: &NetworkModel, lines: &LineNames, out: &mut Toml) {
    out.section("network");
    let transport = if network.transport == Transport::Datagram { "datagram" } else { "reliable" };
    out.key("transport", quoted(transport));
    if let Some(GivenRetransmission { timeout, longest }) = lines.retransmission {
        let keys = [("timeout", timeout), ("longest", longest)];
        let given = keys.iter().filter_map(|(key, value)| Some(format!("{key} = {}", span((*value)?))));
        out.key("retransmission", format_args!("{{ {} }}", given.collect::<Vec<_>>().join(", ")));
    } else if let Transport::Reliable(usual) = network.transport {
        let (timeout, longest) = (span(usual.timeout()), span(usual.longest()));
        out.comment(&format!("retransmission = {{ timeout = {timeout}, longest = {longest} }}"));
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
    for (names, GivenInterface { egress, ingress, buffer }) in &lines.interfaces {
        out.section("[network.interface]");
        out.key("nodes", node_names(names));
        let keys = [("egress", egress.map(rate)), ("ingress", ingress.map(rate)), ("buffer", buffer.map(room))];
        for (key, value) in keys {
            match value {
                Some(value) => out.key(key, value),
                None => out.comment(&format!("{key} as usual")),
            }
        }
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

pub(super) fn write_changes(network: &NetworkModel, scene: &SceneNames, out: &mut Toml) {
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
pub(super) fn write_topology(topology: &TopologySettings, sites: &[&str], out: &mut Toml) {
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

pub(super) fn write_scene(network: &NetworkModel, scene: &SceneNames, out: &mut Toml) {
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
