//! The search: random candidates thinned out by successive halving, then the best ones changed step by step.
//!
//! ```text
//! known attacks ──┐
//! one fewer's best ├─► halving: 2 runs each, the better half 4, … ─► climbing: mutants of the best ─► simplest of the best
//! random draws ───┘
//! ```
//!
//! All candidates meet the same runs: run i has the same seed for each of them. So they are compared in pairs, and 2 runs tell much.
//! What is found was chosen because it did well in these runs, and would do less well in others: its figure is measured with
//! other seeds, see the module above.

use super::candidate::{Candidate, Space, simpler};
use super::dice::Dice;
use super::findings::Findings;
use super::known::known_attacks;
use super::trial::{Task, trials};
use crate::config::Experiment;
use byzlab_analysis::Metric;
use byzlab_network::Key;

/// Runs of a candidate in the first round.
const FIRST_RUNS: usize = 2;
/// Runs of a candidate that survives the halving.
const SETTLED_RUNS: usize = 16;
/// Runs of the last ones, from which one is chosen.
const LAST_RUNS: usize = 256;
/// So many go on from the halving, and are changed step by step.
const ELITE: usize = 8;
/// So many of them at most have the same kinds of attacks, so that the search does not end in one corner.
const ALIKE: usize = 3;
/// So many mutants at once.
const BROOD: usize = 16;
/// Of which this share is drawn anew.
const IMMIGRANTS: f64 = 0.1;
/// What is simpler may be so much better for the protocol: a half percent nobody notices.
const TOLERANCE: f64 = 0.005;

/// What a search may do.
#[derive(Clone, Copy)]
pub(super) struct Means<'a> {
    pub(super) metric: Metric,
    /// How many runs in all.
    pub(super) budget: u64,
    pub(super) jobs: usize,
    /// The experiment with the seed of the search: it goes by the runs of this one.
    pub(super) seeding: &'a Experiment,
    pub(super) has_ended: &'a (dyn Fn() + Sync),
}

/// A candidate, and what its runs came to so far.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) candidate: Candidate,
    pub(super) experiment: Experiment,
    latencies: Vec<Option<f64>>,
    /// Whether one of its runs broke off.
    is_broken: bool,
}

impl Entry {
    fn new((candidate, experiment): (Candidate, Experiment)) -> Entry {
        Entry { candidate, experiment, latencies: Vec::new(), is_broken: false }
    }

    /// The mean over its first runs; least of all if it has no latency or broke off.
    fn mean_of(&self, runs: usize) -> f64 {
        let latencies: Vec<f64> = self.latencies.iter().take(runs).copied().flatten().collect();
        if self.is_broken || latencies.is_empty() {
            return f64::NEG_INFINITY;
        }
        latencies.iter().sum::<f64>() / latencies.len() as f64
    }

    fn mean(&self) -> f64 {
        self.mean_of(self.latencies.len())
    }
}

/// A search for the worst that so many corrupted replicas can do.
pub(super) struct Search<'a> {
    space: &'a Space,
    means: Means<'a>,
    left: u64,
    draws: Key,
    /// How many candidates were drawn.
    drawn: u64,
    findings: &'a mut Findings,
}

impl<'a> Search<'a> {
    pub(super) fn new(space: &'a Space, means: Means<'a>, findings: &'a mut Findings) -> Search<'a> {
        let draws = Key::root(means.seeding.seed).component("frontier").child(u64::from(space.count));
        Search { space, means, left: means.budget, draws, drawn: 0, findings }
    }

    /// The best found, the very best first. `seeds` are candidates to begin with.
    pub(super) fn run(mut self, fewer: &[Entry]) -> Vec<Entry> {
        let budget = self.means.budget;
        let mut elite = self.halve(budget / 8 * 3, fewer);
        self.climb(&mut elite, budget / 8);
        // More corrupted replicas can do whatever fewer can, so the best of those is among the last.
        elite.extend(fewer.first().and_then(|entry| self.grown(entry)));
        self.simplify(&mut elite);
        elite
    }

    /// The dice for the next candidate.
    fn dice(&mut self) -> Dice {
        self.drawn += 1;
        Dice(self.draws.child(self.drawn).draw())
    }

    /// Gives each entry the runs that it lacks, as far as the budget goes: those that come first get theirs first. The rest is left
    /// out.
    fn extend(&mut self, entries: &mut Vec<Entry>, runs: usize) {
        let lacks = |entry: &Entry| (runs.saturating_sub(entry.latencies.len())) as u64;
        let mut affordable = 0;
        for entry in entries.iter() {
            if lacks(entry) > self.left {
                break;
            }
            self.left -= lacks(entry);
            affordable += 1;
        }
        // Nothing is thrown away that has been measured as far as it could be.
        let unmeasured = entries.split_off(affordable);
        let mut tasks = Vec::new();
        let mut places = Vec::new();
        for (place, entry) in entries.iter().enumerate() {
            for run in entry.latencies.len()..runs {
                let (settings, seed) = (entry.experiment.base.clone(), self.means.seeding.run_seed(0, run as u32));
                tasks.push(Task { settings, seed });
                places.push((place, run));
            }
        }
        let results = trials(&tasks, self.means.metric, self.means.jobs, self.means.has_ended);
        for ((place, run), trial) in places.into_iter().zip(results) {
            let entry = &mut entries[place];
            entry.latencies.push(trial.latency);
            entry.is_broken |= trial.fault.is_some();
            self.findings.take(self.space.count, &entry.experiment, (self.means.seeding.seed, run as u32), trial);
        }
        entries.extend(unmeasured.into_iter().filter(|entry| !entry.latencies.is_empty()));
    }

    /// Successive halving (Jamieson & Talwalkar 2016): twice as many runs for the better half, until few are left.
    fn halve(&mut self, budget: u64, fewer: &[Entry]) -> Vec<Entry> {
        let rounds = (SETTLED_RUNS / FIRST_RUNS).ilog2();
        // Each round costs about half as much as the first.
        let cost = FIRST_RUNS as f64 * (1.0 + 0.5 * f64::from(rounds));
        let wanted = (budget as f64 / cost) as usize;
        let known = known_attacks(self.space).into_iter().map(|(_, candidate, experiment)| (candidate, experiment));
        let mut pool: Vec<Entry> = known.map(Entry::new).collect();
        pool.extend(fewer.iter().filter_map(|entry| self.grown(entry)));
        while pool.len() < wanted {
            let mut dice = self.dice();
            let Some(drawn) = self.space.draw(&mut dice) else { break };
            pool.push(Entry::new(drawn));
        }
        let mut runs = FIRST_RUNS;
        loop {
            self.extend(&mut pool, runs);
            rank(&mut pool, runs);
            if runs >= SETTLED_RUNS {
                break;
            }
            pool.truncate((pool.len() / 2).max(ELITE));
            runs *= 2;
        }
        keep_best(&mut pool);
        pool
    }

    /// What fewer corrupted replicas did, by as many as there are here.
    fn grown(&self, entry: &Entry) -> Option<Entry> {
        let grown = self.space.grown(&entry.candidate, entry.experiment.base.most_corrupted() as u16);
        self.space.resolve(&grown).map(|experiment| Entry::new((grown, experiment)))
    }

    /// Broods of mutants until only `reserve` is left; one that does better than the last of the elite takes its place.
    fn climb(&mut self, elite: &mut Vec<Entry>, reserve: u64) {
        let budget = self.left.saturating_sub(reserve);
        let floor = self.left - budget;
        let first = SETTLED_RUNS / 4;
        while !elite.is_empty() && self.left >= floor + (BROOD * first) as u64 {
            let mut brood: Vec<Entry> = Vec::new();
            for _ in 0..BROOD {
                let mut dice = self.dice();
                // The better half of the elite has most of the children.
                let parent = dice.below(elite.len()).min(dice.below(elite.len()));
                let (parent, other) = (&elite[parent].candidate, &dice.pick(elite).candidate);
                let is_new = dice.chance(IMMIGRANTS);
                let mutant =
                    if is_new { self.space.draw(&mut dice) } else { self.space.mutate(parent, other, &mut dice) };
                let Some(mutant) = mutant else { continue };
                let is_known = |entry: &Entry| entry.candidate == mutant.0;
                if !elite.iter().chain(&brood).any(is_known) {
                    brood.push(Entry::new(mutant));
                }
            }
            if brood.is_empty() {
                return;
            }
            self.extend(&mut brood, first);
            // Only those go on that are ahead in the same runs.
            let bar = elite.last().map_or(f64::NEG_INFINITY, |last| last.mean_of(first));
            brood.retain(|mutant| mutant.mean_of(first) >= bar);
            rank(&mut brood, first);
            self.extend(&mut brood, SETTLED_RUNS);
            brood.retain(|mutant| mutant.latencies.len() >= SETTLED_RUNS);
            elite.append(&mut brood);
            keep_best(elite);
        }
    }

    /// Chooses the best by more runs, then takes away from it what makes it no worse for the protocol.
    fn simplify(&mut self, elite: &mut Vec<Entry>) {
        let afford = |left: u64, count: usize| (left / 2) as usize / count.max(1);
        let runs = LAST_RUNS.min(SETTLED_RUNS + afford(self.left, elite.len()));
        self.extend(elite, runs);
        rank(elite, runs);
        let Some(mut best) = elite.first().cloned() else { return };
        let runs = best.latencies.len();
        loop {
            let steps = simpler(&best.candidate).into_iter();
            let steps =
                steps.filter_map(|step| self.space.resolve(&step).map(|experiment| Entry::new((step, experiment))));
            let mut found = None;
            for step in steps {
                let mut step = vec![step];
                self.extend(&mut step, runs);
                let Some(step) = step.pop() else { break };
                if step.mean() >= best.mean() * (1.0 - TOLERANCE) {
                    found = Some(step);
                    break;
                }
            }
            match found {
                Some(step) => best = step,
                None => break,
            }
        }
        elite[0] = best;
    }
}

/// The worst for the protocol first; of equals that which came first.
fn rank(entries: &mut [Entry], runs: usize) {
    entries.sort_by(|left, right| right.mean_of(runs).total_cmp(&left.mean_of(runs)));
}

/// The elite. Of entries with equal runs, which differ in nothing that plays, one is enough.
fn keep_best(entries: &mut Vec<Entry>) {
    rank(entries, SETTLED_RUNS);
    entries.dedup_by(|right, left| right.latencies == left.latencies);
    let kinds = |entry: &Entry| {
        let mut names: Vec<&str> = entry.candidate.attacks.iter().map(|attack| attack.kind.name()).collect();
        names.sort_unstable();
        names
    };
    let mut seen = Vec::new();
    entries.retain(|entry| {
        seen.push(kinds(entry));
        let alike = seen.iter().filter(|other| Some(*other) == seen.last()).count();
        alike <= ALIKE
    });
    entries.truncate(ELITE);
}
