//! What honest replicas did at each sequence number, as long as it can still matter.
//!
//! ```text
//!      lowest honest h − L        lowest honest h, at least highest − L      highest number
//!   dropped     │     digest and state alone     │       everything              │
//! ──────────────┴────────────────────────────────┴───────────────────────────────┘
//! ```
//!
//! Without a replica that lags the middle part is one window long. One that lags for ever, such as a dead one, costs 32 bytes a
//! number.

use std::collections::{BTreeMap, VecDeque};

use crate::event::{Event, EventKind, Value};

use super::context::{Context, NEVER};

/// How far a replica is with a digest at a view and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    PrePrepared,
    Prepared,
    Committed,
}

impl Phase {
    pub(super) const ALL: [Self; 3] = [Self::PrePrepared, Self::Prepared, Self::Committed];

    pub(super) fn kind(self) -> EventKind {
        match self {
            Self::PrePrepared => EventKind::PrePrepared,
            Self::Prepared => EventKind::Prepared,
            Self::Committed => EventKind::Committed,
        }
    }
}

/// A digest that an honest replica accepted or proposed at a view and number.
#[derive(Clone, Debug)]
pub(super) struct Ballot {
    pub(super) view: u64,
    pub(super) digest: u64,
    /// Who reached each phase.
    voters: [Voters; Phase::ALL.len()],
    /// Whether it was seen that a quorum prepared it.
    pub(super) certified: bool,
    /// The honest replica that proposed it, and when.
    pub(super) proposed: Option<(u32, u64)>,
}

impl Ballot {
    /// Whether any honest replica reached this phase.
    pub(super) fn has_reached(&self, phase: Phase) -> bool {
        !matches!(self.voters[phase as usize], Voters::Few { len: 0, .. })
    }
}

/// Who did something first when. A primary that tells everybody something else makes many ballots with few voters.
#[derive(Clone, Copy, Debug)]
enum Voters {
    /// At most so many, in the order of the log.
    Few { len: u8, voters: [Voter; FEW] },
    /// A time for each replica stands in the number's `times`, from here on.
    Many { start: u32 },
}

const FEW: usize = 4;

/// A replica, and when it was so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Voter {
    pub(super) node: u32,
    pub(super) time_ns: u64,
}

impl Voters {
    const NONE: Self = Self::Few { len: 0, voters: [Voter { node: 0, time_ns: NEVER }; FEW] };
}

/// A batch that somebody proposed at a number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Proposal {
    pub(super) digest: u64,
    pub(super) node: u32,
    pub(super) view: u64,
    pub(super) time_ns: u64,
    /// Where its requests stand.
    first_request: u32,
    requests: u32,
}

/// A request of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OrderedRequest {
    pub(super) client: u32,
    pub(super) digest: u64,
}

/// The first honest commit or execution at a number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fact {
    pub(super) time_ns: u64,
    pub(super) node: u32,
    pub(super) view: u64,
    pub(super) digest: u64,
    /// The state after it, of an execution.
    pub(super) state: Option<u64>,
}

impl Fact {
    /// Its row.
    pub(super) fn row(&self, context: &Context, seq: u64) -> Event<'static> {
        let kind = if self.state.is_some() { EventKind::Executed } else { EventKind::Committed };
        let slot = (self.view, seq, self.digest);
        let row = context.slot_row((self.time_ns, self.node, kind), slot);
        Event { value: self.state.map(Value::Digest), ..row }
    }
}

/// All that happened at a number.
#[derive(Clone, Debug, Default)]
pub(super) struct Number {
    pub(super) ballots: Vec<Ballot>,
    /// When each replica first reached a phase of a ballot, where there are many.
    times: Vec<u64>,
    pub(super) proposals: Vec<Proposal>,
    /// The requests of all proposals.
    requests: Vec<OrderedRequest>,
    /// The first honest commit.
    pub(super) decided: Option<Fact>,
    /// The first honest execution that is not tentative.
    pub(super) executed: Option<Fact>,
    /// The digest whose validity and requests were looked at last: tentatively or for good.
    pub(super) examined: Option<(u64, bool)>,
}

impl Number {
    /// The index of a ballot, new or known.
    #[inline]
    pub(super) fn ballot(&mut self, view: u64, digest: u64) -> usize {
        let known = self.ballots.iter().position(|ballot| ballot.view == view && ballot.digest == digest);
        known.unwrap_or_else(|| self.new_ballot(view, digest))
    }

    fn new_ballot(&mut self, view: u64, digest: u64) -> usize {
        let voters = [Voters::NONE; Phase::ALL.len()];
        self.ballots.push(Ballot { view, digest, voters, certified: false, proposed: None });
        self.ballots.len() - 1
    }

    /// A replica reaches a phase of a ballot.
    #[inline]
    pub(super) fn reach(&mut self, ballot: usize, phase: Phase, replica: u32, context: &Context) {
        let now_ns = context.now_ns;
        match &mut self.ballots[ballot].voters[phase as usize] {
            Voters::Many { start } => {
                let time_ns = &mut self.times[*start as usize + replica as usize];
                *time_ns = (*time_ns).min(now_ns);
            }
            Voters::Few { len, voters } => {
                let known = &voters[..usize::from(*len)];
                if known.iter().any(|voter| voter.node == replica) {
                    return;
                }
                if let Some(place) = voters.get_mut(usize::from(*len)) {
                    *place = Voter { node: replica, time_ns: now_ns };
                    *len += 1;
                } else {
                    self.spread(ballot, phase, context.replicas);
                    self.reach(ballot, phase, replica, context);
                }
            }
        }
    }

    /// From few voters to many.
    fn spread(&mut self, ballot: usize, phase: Phase, replicas: usize) {
        let start = self.times.len();
        let many = Voters::Many { start: start as u32 };
        self.times.resize(start + replicas, NEVER);
        if let Voters::Few { len, voters } = std::mem::replace(&mut self.ballots[ballot].voters[phase as usize], many) {
            for Voter { node, time_ns } in &voters[..usize::from(len)] {
                self.times[start + *node as usize] = *time_ns;
            }
        }
    }

    /// Who reached a phase of a ballot.
    pub(super) fn voters(&self, ballot: usize, phase: Phase, replicas: usize) -> impl Iterator<Item = Voter> + '_ {
        let (few, many) = match &self.ballots[ballot].voters[phase as usize] {
            Voters::Few { len, voters } => (&voters[..usize::from(*len)], &[][..]),
            Voters::Many { start } => (&[][..], &self.times[*start as usize..*start as usize + replicas]),
        };
        few.iter().copied().chain(voters_of(many))
    }

    /// When a replica reached a phase of a ballot, or [`NEVER`].
    #[inline]
    pub(super) fn time(&self, ballot: usize, phase: Phase, replica: u32) -> u64 {
        match &self.ballots[ballot].voters[phase as usize] {
            Voters::Many { start } => self.times[*start as usize + replica as usize],
            Voters::Few { len, voters } => {
                let voter = voters[..usize::from(*len)].iter().find(|voter| voter.node == replica);
                voter.map_or(NEVER, |voter| voter.time_ns)
            }
        }
    }

    /// Whether a replica committed a digest, in whatever view.
    #[inline]
    pub(super) fn has_committed(&self, replica: u32, digest: u64) -> bool {
        (0..self.ballots.len()).any(|ballot| {
            self.ballots[ballot].digest == digest && self.time(ballot, Phase::Committed, replica) != NEVER
        })
    }

    pub(super) fn add_proposal(&mut self, proposal: Proposal) {
        let first_request = self.requests.len() as u32;
        self.proposals.push(Proposal { first_request, requests: 0, ..proposal });
    }

    /// Adds a request to the proposal that was added last.
    pub(super) fn add_request(&mut self, request: OrderedRequest) {
        if let Some(proposal) = self.proposals.last_mut() {
            proposal.requests += 1;
            self.requests.push(request);
        }
    }

    pub(super) fn proposal(&self, digest: u64) -> Option<&Proposal> {
        self.proposals.iter().find(|proposal| proposal.digest == digest)
    }

    pub(super) fn requests(&self, proposal: &Proposal) -> &[OrderedRequest] {
        let first = proposal.first_request as usize;
        &self.requests[first..first + proposal.requests as usize]
    }

    /// What is known of the decision: the execution, else the commit.
    fn fact(&self) -> Option<Fact> {
        self.executed.or(self.decided)
    }

    fn clear(&mut self) {
        self.ballots.clear();
        self.times.clear();
        self.proposals.clear();
        self.requests.clear();
        (self.decided, self.executed, self.examined) = (None, None, None);
    }
}

impl Proposal {
    pub(super) fn new(digest: u64, node: u32, view: u64, time_ns: u64) -> Self {
        Self { digest, node, view, time_ns, first_request: 0, requests: 0 }
    }
}

/// Those who did something, from a time for each replica.
pub(super) fn voters_of(times: &[u64]) -> impl Iterator<Item = Voter> + '_ {
    let all = (0..).zip(times).map(|(node, &time_ns)| Voter { node, time_ns });
    all.filter(|voter| voter.time_ns != NEVER)
}

/// What is left of a number that only replicas which lag can still come to.
#[derive(Clone, Copy, Debug)]
struct Past {
    time_ns: u64,
    digest: u64,
    state: u64,
    view: u32,
    node: u16,
    known: Known,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Nothing,
    Commit,
    Execution,
}

impl Past {
    fn new(fact: Option<Fact>) -> Self {
        let Some(Fact { time_ns, node, view, digest, state }) = fact else {
            return Self { time_ns: 0, digest: 0, state: 0, view: 0, node: 0, known: Known::Nothing };
        };
        let known = if state.is_some() { Known::Execution } else { Known::Commit };
        // Node ids have 16 bits and views 32, and here they only serve as evidence.
        Self { time_ns, digest, state: state.unwrap_or_default(), view: view as u32, node: node as u16, known }
    }

    fn fact(&self) -> Option<Fact> {
        let state = (self.known == Known::Execution).then_some(self.state);
        let Self { time_ns, digest, .. } = *self;
        let fact = Fact { time_ns, node: u32::from(self.node), view: u64::from(self.view), digest, state };
        (self.known != Known::Nothing).then_some(fact)
    }
}

/// All numbers that matter.
#[derive(Clone, Debug)]
pub(super) struct History {
    /// The number before the first in `numbers`.
    base: u64,
    numbers: VecDeque<Number>,
    /// Numbers beyond any window: only liars and broken replicas use them.
    far: BTreeMap<u64, Number>,
    longest: usize,
    /// Cleared numbers to be used again.
    spare: Vec<Number>,
    /// What is left of the numbers up to `base`, the last at the end.
    past: VecDeque<Past>,
}

impl History {
    pub(super) fn new(log_window: u64) -> Self {
        Self {
            base: 0,
            numbers: VecDeque::new(),
            far: BTreeMap::new(),
            // A sender may be a window ahead of a receiver, who may lag by one.
            longest: log_window.saturating_mul(4).clamp(1 << 10, 1 << 20) as usize,
            spare: Vec::new(),
            past: VecDeque::new(),
        }
    }

    /// The number with all that happened there; none if it is too old.
    #[inline]
    pub(super) fn number(&mut self, seq: u64) -> Option<&mut Number> {
        let index = seq.checked_sub(self.base + 1)? as usize;
        if index < self.numbers.len() { Some(&mut self.numbers[index]) } else { Some(self.new_number(seq, index)) }
    }

    #[cold]
    #[inline(never)]
    fn new_number(&mut self, seq: u64, index: usize) -> &mut Number {
        if index >= self.longest {
            return self.far.entry(seq).or_default();
        }
        while self.numbers.len() <= index {
            let next = self.base + 1 + self.numbers.len() as u64;
            let far = if self.far.is_empty() { None } else { self.far.remove(&next) };
            self.numbers.push_back(far.or_else(|| self.spare.pop()).unwrap_or_default());
        }
        &mut self.numbers[index]
    }

    /// The number, if anything happened there and it is not too old.
    pub(super) fn known(&self, seq: u64) -> Option<&Number> {
        let index = seq.checked_sub(self.base + 1)? as usize;
        self.numbers.get(index).or_else(|| self.far.get(&seq))
    }

    /// What was decided at a number, as far as that is still known: executed if possible, else committed.
    pub(super) fn fact(&self, seq: u64) -> Option<Fact> {
        if let Some(number) = self.known(seq) {
            return number.fact();
        }
        let from_end = self.base.checked_sub(seq)? as usize;
        let index = self.past.len().checked_sub(from_end + 1)?;
        self.past[index].fact()
    }

    /// Keeps everything above the stable checkpoint of any honest replica, but of what lies a window or more below the highest
    /// one only the decision; that for one window more.
    pub(super) fn prune(&mut self, lowest: u64, highest: u64, log_window: u64) {
        let base = lowest.max(highest.saturating_sub(log_window));
        if base.saturating_sub(self.base) > self.longest as u64 {
            // Not even a broken replica jumps that far; a damaged log may.
            self.numbers.clear();
            self.past.clear();
            self.far = self.far.split_off(&base.saturating_add(1));
            self.base = base;
        }
        while self.base < base {
            self.base += 1;
            let Some(mut number) = self.numbers.pop_front() else {
                let far = self.far.remove(&self.base);
                self.past.push_back(Past::new(far.and_then(|number| number.fact())));
                continue;
            };
            self.past.push_back(Past::new(number.fact()));
            number.clear();
            self.spare.push(number);
        }
        // A broken replica may go back behind its checkpoint: the last window is still compared with.
        let kept = self.base.saturating_sub(lowest).saturating_add(log_window) as usize;
        self.past.drain(..self.past.len().saturating_sub(kept));
    }

    /// Whether a number is so near that a window may reach it.
    pub(super) fn is_near(&self, seq: u64) -> bool {
        seq.saturating_sub(self.base) <= self.longest as u64
    }

    /// How many numbers are held with everything, and how many with their decision alone.
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.numbers.len() + self.far.len(), self.past.len())
    }
}
