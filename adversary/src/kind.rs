//! All kinds of attacks, each with its parameters.

use crate::attack::{About, Attack};
use crate::attacks;
use crate::interference::Interference;
use crate::parameter::Visit;

/// Makes the enumeration of all kinds from their types, so that a new attack is its file and one word here.
macro_rules! kinds {
    ($($kind:ident),* $(,)?) => {
        /// The kinds of attacks, with their parameters. `AttackKind::from(Silent::default())` is one of them.
        #[derive(Clone, PartialEq, Debug)]
        pub enum AttackKind {
            $(#[doc = concat!("See [`attacks::", stringify!($kind), "`].")] $kind(attacks::$kind),)*
        }

        impl AttackKind {
            /// All of them with the defaults of their parameters, in the order of the catalogue.
            pub fn all() -> Vec<AttackKind> {
                vec![$(AttackKind::$kind(attacks::$kind::default())),*]
            }

            pub(crate) fn get(&self) -> &dyn Attack {
                match self {
                    $(AttackKind::$kind(attack) => attack,)*
                }
            }

            pub(crate) fn get_mut(&mut self) -> &mut dyn Attack {
                match self {
                    $(AttackKind::$kind(attack) => attack,)*
                }
            }
        }

        $(impl From<attacks::$kind> for AttackKind {
            fn from(attack: attacks::$kind) -> AttackKind {
                AttackKind::$kind(attack)
            }
        })*
    };
}

kinds! {
    Stop, Silent, Omit, SlowCpu,
    Equivocate, ConflictingVotes, PrimaryVotes, FakeDigest, Ignore, Mutate,
    Replay, StaleView, ForgeCheckpoint, ForgedCertificate, BadNewView, DoubleNewView,
    Delay, SlowPrimary, StallQuorum, InDark, Starve, WithholdNewView,
    ViewChangeSpam, RequestFlood, BadAuthenticator,
    ChasePrimary, CorruptAt,
    Partition, Isolate, Eclipse, TargetLinks,
    Twins,
}

impl AttackKind {
    /// The kind of this name, with the defaults of its parameters.
    pub fn named(name: &str) -> Option<AttackKind> {
        AttackKind::all().into_iter().find(|kind| kind.name() == name)
    }

    /// What is known of it before it begins.
    pub fn about(&self) -> About {
        self.get().about()
    }

    /// Its name in configurations and logs.
    pub fn name(&self) -> &'static str {
        self.about().name
    }

    /// What it does to the network, if it does.
    pub fn interference(&self) -> Option<&Interference> {
        self.get().interference()
    }

    /// Shows its parameters to a visitor, who may change them.
    pub fn visit(&mut self, visit: &mut dyn Visit) {
        self.get_mut().parameters(visit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_name_of_its_own_and_stands_with_its_family() {
        let abouts: Vec<About> = AttackKind::all().iter().map(AttackKind::about).collect();
        for (index, about) in abouts.iter().enumerate() {
            assert!(abouts[..index].iter().all(|other| other.name != about.name), "{}", about.name);
            assert!(abouts[..index].iter().all(|other| other.family <= about.family), "{}", about.name);
            assert!(about.summary.ends_with('.'), "{}: {}", about.name, about.summary);
            assert_eq!(AttackKind::named(about.name).unwrap().name(), about.name);
        }
    }
}
