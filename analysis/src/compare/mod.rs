//! Two systems, or a simulation and a measurement: is there a difference, how large, and how sure is that?
//!
//! ```text
//! runs.csv, events.csv ──► sources ─┐
//!                                   ├──► Side A, Side B ──► matching ──► group ──► verdict ──► render
//! any CSV ────────────────► sources ┘      (groups of units)  (pairs)   (figures)  (Holm)
//! ```
//!
//! - **All differences are B − A**, whichever is larger.
//! - **Groups** belong together if they have the same values of the same columns; numbers are compared as numbers.
//!   A group that one side alone has is named in a note.
//! - **Runs with the same index and the same seed met the same random numbers** ([`Stream`]), and are compared in pairs
//!   (paired t): what the network does to both cancels out, and the interval is narrower. All others are compared as
//!   independent (Welch).
//! - **Three views stand together**, as everywhere in this crate: the difference in success; that of the means of what
//!   succeeded, which says nothing of what did not; and that of all, with failures at their limit (restricted mean) or at the
//!   end of the order (shift, rank test, distribution test).
//! - **Among several groups** p values are adjusted by Holm's method, each kind of test for itself, and a difference must
//!   withstand that too.
//!
//! Sources: Law 2015, section 10.2 (paired t, Welch, common random numbers); Newcombe 1998; Mann & Whitney 1947;
//! Hodges & Lehmann 1963; Royston & Parmar 2013 (restricted mean); Holm 1979.

mod comparison;
mod error;
mod group;
mod matching;
mod means;
mod ranks;
mod side;
mod sources;
mod success;
mod verdict;

pub use comparison::{
    Comparison, Difference, DistributionTest, GroupComparison, Quantity, RankTest, Sense, SideFigures,
};
pub use error::CompareError;
pub use side::{Side, SideGroup, SideUnit, Stream};
pub use sources::{RunChoice, common_keys};
pub use verdict::Verdict;

use crate::statistics::is_inside_unit;

/// How two sides are compared.
#[derive(Clone, Debug, PartialEq)]
pub struct CompareOptions {
    /// Confidence of every interval; default 0.95.
    pub confidence: f64,
    /// Compares runs as independent even if they met the same random numbers; default false.
    pub unpaired: bool,
}

impl Default for CompareOptions {
    fn default() -> Self {
        Self { confidence: 0.95, unpaired: false }
    }
}

/// Compares two sides, group by group. Both must be grouped by the same columns.
///
/// # Errors
///
/// If a side has no unit, the two have no group in common, or the confidence is none.
///
/// ```
/// use byzlab_analysis::compare::{CompareOptions, Quantity, Sense, Side, SideGroup, SideUnit, Stream, Verdict, compare};
/// use byzlab_analysis::statistics::Attempt;
///
/// let side = |name: &str, latencies: [f64; 4]| {
///     let unit = |(value, run)| SideUnit { stream: Some(Stream { run, seed: 7 }), ..Attempt::Success(value).into() };
///     let units = latencies.into_iter().zip(0..).map(unit).collect();
///     let group = SideGroup { group: Vec::new(), units, limit: None, no_value: None };
///     Side { name: name.to_owned(), units: "runs", success: "completed", groups: vec![group], notes: Vec::new() }
/// };
/// let a = side("one", [20.0, 31.0, 25.0, 40.0]);
/// let b = side("two", [22.0, 33.5, 27.0, 42.5]); // the same networks, 2 to 2.5 ms later
/// let latency = Quantity { name: "client".into(), words: "client latency".into(), unit: Some("ms".into()), sense: Sense::Time };
/// let comparison = compare(&a, &b, latency, &CompareOptions::default())?;
/// let difference = &comparison.groups[0].difference;
/// assert_eq!((difference.estimate, difference.verdict), (Some(2.25), Some(Verdict::Higher)));
/// assert_eq!(comparison.groups[0].pairs, Some(4));
/// # Ok::<(), byzlab_analysis::compare::CompareError>(())
/// ```
pub fn compare(a: &Side, b: &Side, quantity: Quantity, options: &CompareOptions) -> Result<Comparison, CompareError> {
    if !is_inside_unit(options.confidence) {
        return Err(CompareError::Confidence(options.confidence));
    }
    let matched = matching::matched(a, b)?;
    let sides = group::Sides { a, b, quantity: &quantity, options };
    let mut groups: Vec<GroupComparison> = matched.pairs.iter().map(|(a, b)| sides.compare(a, b)).collect();
    verdict::decide(&mut groups, options.confidence);
    let of_sides = [("A", a), ("B", b)]
        .into_iter()
        .flat_map(|(side, it)| it.notes.iter().map(move |note| format!("{side}: {note}")));
    let notes = of_sides.chain(matched.notes).collect();
    Ok(Comparison { a: a.name.clone(), b: b.name.clone(), quantity, confidence: options.confidence, groups, notes })
}
