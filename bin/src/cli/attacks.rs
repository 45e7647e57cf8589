//! `byzlab attacks`.

use super::{CliError, print};
use crate::config::{PRESETS, Preset, parameters};
use byzlab_adversary::{About, ActsOn, AttackKind};
use clap::Args;
use std::fmt::Write;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(super) struct AttacksArguments {
    /// One kind or preset; all of them if left out.
    name: Option<String>,
}

/// Lists all kinds of attacks with their parameters and defaults, and all presets.
pub(super) fn attacks(arguments: &AttacksArguments) -> Result<ExitCode, CliError> {
    let wanted = |name: &str| arguments.name.as_ref().is_none_or(|wanted| wanted == name);
    let kinds: Vec<AttackKind> = AttackKind::all().into_iter().filter(|kind| wanted(kind.name())).collect();
    let presets: Vec<&Preset> = PRESETS.iter().filter(|preset| wanted(preset.name)).collect();
    if let (Some(name), true) = (&arguments.name, kinds.is_empty() && presets.is_empty()) {
        return Err(CliError::NoSuchAttack(name.clone()));
    }
    let mut text = String::new();
    let mut family = None;
    for kind in &kinds {
        let about = kind.about();
        if family.replace(about.family) != Some(about.family) {
            let gap = if text.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{gap}{}", about.family.name().to_uppercase());
        }
        describe(kind, about, &mut text);
    }
    if !presets.is_empty() {
        let gap = if text.is_empty() { "" } else { "\n" };
        let _ = writeln!(
            text,
            "{gap}PRESETS: adversary.preset = \"NAME\"; keys beside it go before its own, attacks come after"
        );
    }
    for Preset { name, expects, toml } in presets {
        let _ = writeln!(text, "  {name:<18} {}", wrap(expects, 21));
        if arguments.name.is_some() {
            toml.lines().for_each(|line| _ = writeln!(text, "      {line}"));
        }
    }
    if arguments.name.is_none() {
        text.push_str(SCOPE);
    }
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

const SCOPE: &str = "
What limits an attack: members (which of the corrupted take part), start, end (instants), probability (that a message is affected, decided
once for all its recipients and repetitions), messages (kinds), view, seq (of a message) and to (recipients): all of these, where nothing
else is said. A parameter of the same name goes before. Several attacks compose, in the order of the file.

The default metric, all_commit, begins with the proposal and hides slow and silent primaries: look at output.metric = \"client\".
";

fn describe(kind: &AttackKind, about: About, text: &mut String) {
    let _ = writeln!(text, "  {:<19}{}", about.name, wrap(about.summary, 21));
    for parameter in parameters(kind) {
        let default = parameter.value.unwrap_or_else(|| format!("({})", parameter.parameter.otherwise));
        let _ = writeln!(text, "      {} = {default}: {}", parameter.parameter.name, parameter.parameter.about);
    }
    if about.acts_on == ActsOn::Hearing && !about.unprompted {
        let _ = writeln!(text, "      acts on what corrupted replicas receive");
    }
    if !about.limits().contains(&"to") {
        let _ = writeln!(text, "      limited by {}", about.limits().join(", "));
    }
    for need in about.needs {
        let _ = writeln!(text, "      takes {}", need.setting());
    }
}

/// Breaks a sentence into lines, all but the first indented.
fn wrap(sentence: &str, indent: usize) -> String {
    const WIDTH: usize = 110;
    let (mut out, mut column) = (String::new(), indent);
    for word in sentence.split_whitespace() {
        if column + word.chars().count() > WIDTH {
            let _ = write!(out, "\n{:indent$}", "");
            column = indent;
        } else if !out.is_empty() {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += word.chars().count();
    }
    out
}
