//! Defects to be planted, to measure whether tests, oracles and searches find them. A normal build has none of them: without the
//! feature `planted-defects` there is no way to switch one on, and no code of it is left.

use std::fmt;

/// A mistake that real implementations made. All nodes of a cluster run the same code, so all of them make it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Defect {
    /// Votes are counted instead of voters: who votes twice counts twice (against rule 2).
    VotesCounted,
    /// The primary's PREPARE counts (against rule 4).
    PrimarysPrepareCounts,
    /// COMMIT is sent with the PREPARE, before anything is prepared (against rule 6).
    CommitBeforePrepared,
    /// 2f COMMITs commit, where Q are needed (against rule 7).
    CommitQuorum2f,
    /// A VIEW-CHANGE carries no prepared certificates (against rule 22).
    PreparedDropped,
    /// Of several certificates for a number the first in V counts, not that of the highest view (against rule 25).
    FirstCertificate,
    /// Each VIEW-CHANGE that comes after Q are in makes the primary begin the view again, with another V and O (against rule 24).
    NewViewAgain,
    /// A NEW-VIEW is believed because its primary signed it: neither V nor O is checked (against rule 26).
    NewViewUnchecked,
    /// VIEW-CHANGEs are checked all together: one with a bad certificate makes a whole quorum worthless (against rule 23).
    BadCertificateMasks,
    /// Whatever executes starts the request timer anew, also if it is the request of another client (against rule 13).
    TimerResetByOthers,
    /// A proposal starts the timer for requests that have executed already, as those that a new view orders again (against
    /// rule 12).
    TimerForExecuted,
    /// A VIEW-CHANGE is sent once, whether it arrives or not (against rule 17).
    ViewChangeSentOnce,
    /// The wait for a new view doubles with each view since the beginning, and never returns to its base (against rule 15).
    DoublingNeverResets,
    /// What a primary proposes whose window moved first is dropped by those whose window did not, and no PRE-PREPARE is ever sent
    /// again (against rules 5 and 17).
    EarlyProposalsDropped,
    /// The first state that comes is taken: neither the proof of its checkpoint nor its digest is checked (against rule 20).
    StateUnchecked,
    /// Who caught up while in a view change refuses the NEW-VIEW that it missed, because that begins below its own checkpoint
    /// (against rule 20).
    StuckAfterCatchingUp,
    /// With the read-only option on, clients take f+1 matching replies for enough (against rules 11 and 29).
    WeakReadQuorum,
}

impl Defect {
    /// All of them, in the order of the list of real bugs.
    pub const ALL: [Defect; 17] = [
        Defect::VotesCounted,
        Defect::PrimarysPrepareCounts,
        Defect::CommitBeforePrepared,
        Defect::CommitQuorum2f,
        Defect::PreparedDropped,
        Defect::FirstCertificate,
        Defect::NewViewAgain,
        Defect::NewViewUnchecked,
        Defect::BadCertificateMasks,
        Defect::TimerResetByOthers,
        Defect::TimerForExecuted,
        Defect::ViewChangeSentOnce,
        Defect::DoublingNeverResets,
        Defect::EarlyProposalsDropped,
        Defect::StateUnchecked,
        Defect::StuckAfterCatchingUp,
        Defect::WeakReadQuorum,
    ];

    /// Its name in configurations.
    pub fn name(self) -> &'static str {
        match self {
            Defect::VotesCounted => "votes_counted",
            Defect::PrimarysPrepareCounts => "primarys_prepare_counts",
            Defect::CommitBeforePrepared => "commit_before_prepared",
            Defect::CommitQuorum2f => "commit_quorum_2f",
            Defect::PreparedDropped => "prepared_dropped",
            Defect::FirstCertificate => "first_certificate",
            Defect::NewViewAgain => "new_view_again",
            Defect::NewViewUnchecked => "new_view_unchecked",
            Defect::BadCertificateMasks => "bad_certificate_masks",
            Defect::TimerResetByOthers => "timer_reset_by_others",
            Defect::TimerForExecuted => "timer_for_executed",
            Defect::ViewChangeSentOnce => "view_change_sent_once",
            Defect::DoublingNeverResets => "doubling_never_resets",
            Defect::EarlyProposalsDropped => "early_proposals_dropped",
            Defect::StateUnchecked => "state_unchecked",
            Defect::StuckAfterCatchingUp => "stuck_after_catching_up",
            Defect::WeakReadQuorum => "weak_read_quorum",
        }
    }

    /// The one with this name.
    pub fn from_name(name: &str) -> Option<Defect> {
        Defect::ALL.into_iter().find(|defect| defect.name() == name)
    }

    /// The rule that it breaks, as `docs/protocol.md` counts them.
    pub fn rule(self) -> u8 {
        match self {
            Defect::VotesCounted => 2,
            Defect::PrimarysPrepareCounts => 4,
            Defect::CommitBeforePrepared => 6,
            Defect::CommitQuorum2f => 7,
            Defect::TimerForExecuted => 12,
            Defect::TimerResetByOthers => 13,
            Defect::DoublingNeverResets => 15,
            Defect::ViewChangeSentOnce | Defect::EarlyProposalsDropped => 17,
            Defect::StateUnchecked | Defect::StuckAfterCatchingUp => 20,
            Defect::PreparedDropped => 22,
            Defect::BadCertificateMasks => 23,
            Defect::NewViewAgain => 24,
            Defect::FirstCertificate => 25,
            Defect::NewViewUnchecked => 26,
            Defect::WeakReadQuorum => 29,
        }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The defects of a cluster: none, but for builds that plant one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Defects {
    #[cfg(feature = "planted-defects")]
    planted: Option<Defect>,
}

#[cfg(feature = "planted-defects")]
impl Defects {
    /// Plants one.
    pub fn plant(defect: Defect) -> Defects {
        Defects { planted: Some(defect) }
    }

    /// The one that is planted.
    pub fn planted(self) -> Option<Defect> {
        self.planted
    }

    #[inline]
    pub(crate) fn has(self, defect: Defect) -> bool {
        self.planted == Some(defect)
    }
}

#[cfg(not(feature = "planted-defects"))]
#[allow(clippy::unused_self)]
impl Defects {
    /// None: this build has no defects.
    pub fn planted(self) -> Option<Defect> {
        None
    }

    #[inline]
    pub(crate) fn has(self, _: Defect) -> bool {
        false
    }
}

/// How many votes came again from who had voted before, for [`Defect::VotesCounted`]. In a normal build it is nothing, and takes no
/// room.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub(crate) struct Repeated {
    #[cfg(feature = "planted-defects")]
    votes: u16,
}

#[cfg(feature = "planted-defects")]
impl Repeated {
    pub(crate) fn add(&mut self) {
        self.votes += 1;
    }

    #[inline]
    pub(crate) fn votes(self) -> u16 {
        self.votes
    }
}

#[cfg(not(feature = "planted-defects"))]
#[allow(clippy::unused_self)]
impl Repeated {
    pub(crate) fn add(&mut self) {}

    #[inline]
    pub(crate) fn votes(self) -> u16 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_means_one_defect() {
        for defect in Defect::ALL {
            assert_eq!(Defect::from_name(defect.name()), Some(defect));
        }
        assert_eq!(Defect::from_name("none"), None);
        let mut all = Defect::ALL;
        all.sort();
        assert!(all.windows(2).all(|pair| pair[0] < pair[1]), "each once");
    }

    /// Without the feature there is nothing to be planted, so nothing of it can be left.
    #[test]
    fn a_normal_build_has_no_room_for_defects() {
        let is_normal = !cfg!(feature = "planted-defects");
        assert_eq!((size_of::<Defects>(), size_of::<Repeated>()) == (0, 0), is_normal);
        assert!(!Defect::ALL.into_iter().any(|defect| Defects::default().has(defect)));
    }
}
