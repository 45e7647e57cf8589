//! What a script says in its opening comment: the story, and what is expected.

use byzlab_analysis::Outcome;
use byzlab_network::{NodeId, Time};
use std::collections::BTreeSet;

/// The opening comment of a script.
pub(crate) struct Script {
    /// What happens.
    pub(crate) story: String,
    /// What must be so.
    pub(crate) expectations: Vec<Expectation>,
}

/// Something that must be so, whatever else a trace says.
pub(crate) enum Expectation {
    /// The run ends like this.
    Outcome(&'static str),
    /// So many views are entered after the first.
    ViewChanges(u64),
    /// Exactly these nodes do this, at this instant or at any.
    Deed {
        /// Who.
        who: BTreeSet<NodeId>,
        /// What, in the words of the trace; these may go on.
        deed: String,
        /// When.
        at: Option<Time>,
    },
}

impl Script {
    /// Reads the comment that `toml` opens with.
    pub(crate) fn read(toml: &str) -> Result<Script, String> {
        let comment = toml.lines().map_while(|line| line.strip_prefix('#')).map(str::trim);
        let (expectations, story): (Vec<&str>, Vec<&str>) = comment.partition(|line| line.starts_with("expect:"));
        let read = |line: &&str| Expectation::read(line.trim_start_matches("expect:").trim());
        let expectations = expectations.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        if !expectations.iter().any(|expected| matches!(expected, Expectation::Outcome(_))) {
            return Err("the script expects no outcome: say `# expect: completed` in its opening comment".to_owned());
        }
        if story.iter().all(|line| line.is_empty()) {
            return Err("the script has no opening comment that tells what happens".to_owned());
        }
        Ok(Script { story: story.join("\n").trim().to_owned() + "\n", expectations })
    }
}

impl Expectation {
    fn read(text: &str) -> Result<Expectation, String> {
        let outcomes = [Outcome::Completed, Outcome::Timeout, Outcome::Violation].map(Outcome::name);
        if let Some(outcome) = outcomes.into_iter().find(|&name| name == text) {
            return Ok(Expectation::Outcome(outcome));
        }
        if let Some(count) = text.strip_prefix("view changes = ").and_then(|count| count.parse().ok()) {
            return Ok(Expectation::ViewChanges(count));
        }
        let deed = || {
            let (kind, rest) = text.split_once(' ')?;
            let (who, rest) = match kind {
                "nobody" => ("", rest),
                "replica" | "replicas" | "client" | "clients" => rest.split_at(rest.find(char::is_alphabetic)?),
                _ => return None,
            };
            let time = |text: &str| text.strip_suffix(" ms")?.parse().ok();
            let (deed, at) = match rest.rsplit_once(" at ").and_then(|(deed, at)| Some((deed, time(at)?))) {
                Some((deed, at)) => (deed, Some(at)),
                None => (rest, None),
            };
            let at = at.map(|at: u64| Time::from_nanos(at * 1_000_000));
            Some(Expectation::Deed { who: parse_list(who)?, deed: deed.to_owned(), at })
        };
        deed()
            .ok_or_else(|| format!("`{text}` is no expectation: say an outcome, `view changes = 1`, or who does what"))
    }
}

/// Ids with a space between them, or ranges of them, as traces write them.
fn parse_list(text: &str) -> Option<BTreeSet<NodeId>> {
    let mut nodes = BTreeSet::new();
    for word in text.split_whitespace() {
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        let (first, last): (u16, u16) = (first.parse().ok()?, last.parse().ok()?);
        nodes.extend((first..=last).map(NodeId));
    }
    Some(nodes)
}
