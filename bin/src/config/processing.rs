//! `[processing]`: what a node's CPU spends.

use super::experiment::span;
use super::latency::read_latency;
use super::units::short_duration;
use super::{ConfigError, Section, integer, word};
use byzlab_network::Latency;
use byzlab_replica::{Authentication, Processing, ProtocolConfig};
use std::num::NonZeroU16;
use std::path::Path;

/// The operations that take time, as the file names them.
pub(super) const OPERATIONS: [&str; 7] = ["receive", "send", "sign", "verify", "mac", "hash_per_kib", "execute"];

/// Which costs the file gives, from `receive` to `execute` in the order of [`Processing`]. The others follow `preset`.
pub type GivenCosts = [bool; OPERATIONS.len()];

/// No node has more.
const MOST_CORES: u16 = 1024;

/// Costs that were measured together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Preset {
    /// Nothing costs anything: what others are compared with.
    None,
    Ed25519,
    Hmac,
}

/// Distributions may name files in `folder`.
pub(super) fn read_processing(
    section: &Section<'_>,
    protocol: &ProtocolConfig,
    folder: &Path,
) -> Result<(Processing, GivenCosts), ConfigError> {
    let presets = [("none", Preset::None), ("ed25519", Preset::Ed25519), ("hmac", Preset::Hmac)];
    let preset = section.optional("preset", word(presets))?;
    if preset == Some(Preset::Ed25519) && protocol.authentication == Authentication::Mac {
        let problem = "with protocol.authentication = \"mac\" messages carry MACs, of which it has no cost";
        return Err(section.error_at("preset", problem, "take the preset \"hmac\": it has the costs of both"));
    }
    let usual = match preset {
        None | Some(Preset::None) => Processing::default(),
        Some(Preset::Ed25519) => Processing::ed25519(),
        Some(Preset::Hmac) => Processing::hmac(),
    };
    let given = OPERATIONS.map(|name| section.value(name).is_some());
    let cost = |name, usual| read_cost(section, name, usual, folder);
    let cores = section.or("cores", integer(1..=MOST_CORES), usual.cores.get())?;
    let processing = Processing {
        receive: cost("receive", usual.receive)?,
        send: cost("send", usual.send)?,
        sign: cost("sign", usual.sign)?,
        verify: cost("verify", usual.verify)?,
        mac: cost("mac", usual.mac)?,
        hash_per_kib: cost("hash_per_kib", usual.hash_per_kib)?,
        execute: cost("execute", usual.execute)?,
        cores: NonZeroU16::new(cores).unwrap_or(NonZeroU16::MIN),
    };
    Ok((processing, given))
}

/// A duration, or a distribution of durations.
fn read_cost(section: &Section<'_>, key: &str, usual: Latency, folder: &Path) -> Result<Latency, ConfigError> {
    if section.is_table(key) {
        return read_latency(&section.section(key)?, folder);
    }
    let mut wanted = short_duration();
    wanted.wanted += ", or a distribution such as { distribution = \"exponential\", mean = \"50us\" }";
    let cost = section.optional(key, wanted.within(..=super::Nanoseconds(Latency::LONGEST.as_nanos())))?;
    Ok(cost.map_or(usual, |cost| Latency::constant(span(cost))))
}
