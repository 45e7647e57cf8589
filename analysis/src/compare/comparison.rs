//! What a comparison says of a group.

use serde::Serialize;

use super::verdict::Verdict;
use crate::statistics::{Conditional, Estimate, Unconditional};
use crate::summary::group_object;

/// A comparison of two sides.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What A is.
    pub a: String,
    /// What B is.
    pub b: String,
    /// What was measured.
    pub quantity: Quantity,
    /// Confidence of every interval.
    pub confidence: f64,
    /// The groups that both sides have, in the order of A; at least one.
    pub groups: Vec<GroupComparison>,
    /// What a reader must know of the whole: groups that one side alone has, settings that differ.
    pub notes: Vec<String>,
}

/// What is compared, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantity {
    /// The name of the metric or of the column.
    pub name: String,
    /// What it is, for people: `all_commit latency`, `column rtt`.
    pub words: String,
    /// The unit of its values; `None` if that is not known.
    pub unit: Option<String>,
    /// Whether more of it is slower, or better.
    pub sense: Sense,
}

/// What more of a quantity means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sense {
    /// It is a time: B is slower where it has more. Failures count as +∞.
    Time,
    /// It is a rate: more is better, and failures come below everything.
    Rate,
    /// Nobody knows. Failures count as +∞.
    Unknown,
}

/// The two sides of a group beside each other. All differences are B − A.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupComparison {
    /// The columns that define the group, with their values.
    #[serde(serialize_with = "group_object")]
    pub group: Vec<(String, String)>,
    /// What was measured: the metric or the column.
    pub metric: String,
    /// Unit of its values; `None` if that is not known.
    pub unit: Option<String>,
    /// Confidence of every interval.
    pub confidence: f64,
    /// The figures of A.
    pub a: SideFigures,
    /// The figures of B.
    pub b: SideFigures,
    /// Of the means of what succeeded.
    pub difference: Difference,
    /// B / A of the same means.
    pub ratio: Estimate,
    /// Of the shares that succeeded.
    pub success_difference: Difference,
    /// Of the means of min(x, τ) over all, failures counting as τ.
    pub restricted_mean_difference: Difference,
    /// τ, the limit until which all units of both sides were watched.
    pub limit: Option<f64>,
    /// Hodges and Lehmann's shift: the median of all differences of a unit of B and one of A, failures at the end.
    pub shift: Estimate,
    /// Mann and Whitney's test, of all units.
    pub mann_whitney: RankTest,
    /// Kolmogorov and Smirnov's two-sample test, of all units.
    pub kolmogorov_smirnov: DistributionTest,
    /// Number of pairs of runs with the same random numbers; `None` if the sides were compared as independent.
    pub pairs: Option<u64>,
    /// Number of those in which both have a value.
    pub complete_pairs: Option<u64>,
    /// Correlation of the values of those.
    pub correlation: Option<f64>,
    /// How many times as wide the interval of `difference` would be had the same pairs been compared as independent.
    pub narrowing: Option<f64>,
    /// What a reader must know.
    pub notes: Vec<String>,
}

/// The figures of one side of a group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SideFigures {
    /// What the side is.
    pub name: String,
    /// Number of runs or rows.
    pub runs: u64,
    /// Number of those that succeeded.
    pub completed: u64,
    /// Their share.
    pub success: Estimate,
    /// Of those that succeeded alone.
    pub conditional: Conditional,
    /// Of all: failures count as +∞.
    pub unconditional: Unconditional,
}

/// A difference, B − A, with its interval and test; what is undefined is `None` and `note` says why.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Difference {
    /// The point estimate.
    pub estimate: Option<f64>,
    /// Lower end of the interval.
    pub lower: Option<f64>,
    /// Upper end of the interval.
    pub upper: Option<f64>,
    /// How the interval was made, and of what.
    pub method: String,
    /// The p value of the hypothesis that there is no difference.
    pub p: Option<f64>,
    /// Holm's adjustment of `p` for the number of groups.
    pub p_holm: Option<f64>,
    /// What follows from the interval and `p` together, and with several groups from `p_holm`.
    pub verdict: Option<Verdict>,
    /// Why something is undefined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Mann and Whitney's test.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RankTest {
    /// The number of pairs of units in which B has more, ties counting a half.
    pub u: Option<f64>,
    /// Cliff's delta: how much likelier B has more than A has, from −1 to 1.
    pub cliffs_delta: Option<f64>,
    /// The p value.
    pub p: Option<f64>,
    /// Holm's adjustment of `p` for the number of groups.
    pub p_holm: Option<f64>,
    /// How the p value was made.
    pub method: String,
    /// Why something is undefined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Kolmogorov and Smirnov's two-sample test.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DistributionTest {
    /// The largest distance of the two empirical distribution functions.
    pub d: Option<f64>,
    /// The p value.
    pub p: Option<f64>,
    /// Holm's adjustment of `p` for the number of groups.
    pub p_holm: Option<f64>,
    /// How the p value was made.
    pub method: String,
    /// Why something is undefined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Difference {
    /// Nothing, for this reason.
    pub(super) fn undefined(method: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { method: method.into(), note: Some(reason.into()), ..Self::default() }
    }

    /// Both ends, if both are defined.
    pub fn interval(&self) -> Option<(f64, f64)> {
        self.lower.zip(self.upper)
    }
}
