//! Named adversaries: `adversary.preset`.

use super::{ConfigError, Document};

/// An adversary with a name.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// The word in configurations.
    pub name: &'static str,
    /// What to expect, and why.
    pub expects: &'static str,
    /// The `[adversary]` section that it stands for.
    pub toml: &'static str,
}

impl Preset {
    /// Its section as a document of its own, for errors to point to.
    pub(super) fn document(&self) -> Result<Document, ConfigError> {
        Document::parse(&format!("preset \"{}\"", self.name), &format!("[adversary]\n{}", self.toml))
    }
}

/// All presets.
pub const PRESETS: [Preset; 13] = [
    Preset {
        name: "tutorial",
        expects: "Some of everything, as in configs/tutorial.toml: without view changes only an equivocating primary stops f of \
                  them, for all else there is a quorum without them.",
        toml: r#"count = "f"
attack = [
    { kind = "equivocate", groups = "each" },
    { kind = "ignore", probability = 0.5 },
    { kind = "fake_digest", probability = 0.5, messages = ["prepare"] },
    { kind = "silent", messages = ["commit", "reply"] },
]"#,
    },
    Preset {
        name: "worst_backup",
        expects: "Backups that never vote: each quorum needs every honest replica, so latency becomes that of the slowest one, \
                  and no view changes.",
        toml: r#"count = "f"
selection = "last"
attack = [{ kind = "silent", messages = ["prepare", "commit", "reply", "checkpoint"] }]"#,
    },
    Preset {
        name: "stalling_backup",
        expects: "Backups that vote when it is too late to matter: latency as with worst_backup, but nothing to accuse them of.",
        toml: r#"count = "f"
selection = "last"
attack = [{ kind = "stall_quorum" }]"#,
    },
    Preset {
        name: "aardvark",
        expects: "A primary that proposes just before the backups would depose it: it stays, and every request waits nearly the \
                  timeout (Clement et al., NSDI 2009).",
        toml: r#"count = "f"
selection = "primary"
attack = [{ kind = "slow_primary" }]"#,
    },
    Preset {
        name: "prime",
        expects: "The same by a primary that does not know the timeout and learns how long it can wait (Amir et al., DSN 2008).",
        toml: r#"count = "f"
selection = "primary"
attack = [{ kind = "slow_primary", adaptive = true }]"#,
    },
    Preset {
        name: "silent_primaries",
        expects: "The first f primaries say nothing: f view changes in a row, each with twice the wait, before anything commits.",
        toml: r#"count = "f"
selection = "first"
attack = [{ kind = "silent" }]"#,
    },
    Preset {
        name: "bad_successors",
        expects: "The first primary is silent and the next ones begin their views with what does not follow from the view \
                  changes: nobody follows them (rule 26), and f views are lost as with silent_primaries.",
        toml: r#"count = "f"
selection = "first"
attack = [{ kind = "silent", view = 0 }, { kind = "bad_new_view" }]"#,
    },
    Preset {
        name: "equivocator",
        expects: "A primary that proposes two things: no quorum for either half, so a view change; never a disagreement.",
        toml: r#"count = "f"
selection = "primary"
attack = [{ kind = "equivocate", collude = true }]"#,
    },
    Preset {
        name: "twins",
        expects: "Each corrupted identity runs twice and talks with one half each: up to f it costs time, never agreement.",
        toml: r#"count = "f"
selection = "primary"
attack = [{ kind = "twins" }]"#,
    },
    Preset {
        name: "in_the_dark",
        expects: "f honest replicas hear nothing from the corrupted ones: the rest is a quorum, and those in the dark catch up by \
                  what the honest ones send again.",
        toml: r#"count = "f"
selection = "primary"
attack = [{ kind = "in_dark" }]"#,
    },
    Preset {
        name: "chase",
        expects: "Nobody is corrupted at first; each primary falls when its view begins and is silent then: f view changes.",
        toml: r#"count = 0
budget = "f"
attack = [{ kind = "chase_primary" }, { kind = "silent" }]"#,
    },
    Preset {
        name: "flood",
        expects: "A corrupted client sends a thousand requests a second: without limits on CPU and lines it takes numbers from the \
                  others and no more; with them it takes their time.",
        toml: r#"count = 0
clients = 1
attack = [{ kind = "request_flood" }]"#,
    },
    Preset {
        name: "big_mac",
        expects: "A corrupted client whose requests the primary can verify and nobody else: each one stops a primary until it is \
                  deposed (Clement et al., NSDI 2009). Takes protocol.authentication = \"mac\".",
        toml: r#"count = 0
clients = 1
attack = [{ kind = "bad_authenticator" }]"#,
    },
];
