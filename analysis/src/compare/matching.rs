//! Which groups of one side belong to which of the other, and which runs to which.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::CompareError;
use super::side::{Side, SideGroup, Stream, Value};

/// Groups with the same values on both sides.
pub(super) struct Matched<'a> {
    pub(super) pairs: Vec<(Cow<'a, SideGroup>, Cow<'a, SideGroup>)>,
    /// Groups that only one side has, in words.
    pub(super) notes: Vec<String>,
}

/// Matches the groups of two sides, which must be grouped by the same columns. Fails if nothing is in common.
pub(super) fn matched<'a>(a: &'a Side, b: &'a Side) -> Result<Matched<'a>, CompareError> {
    for (name, side) in [("A", a), ("B", b)] {
        if side.groups.is_empty() {
            return Err(CompareError::Empty { side: name, name: side.name.clone(), units: side.units });
        }
    }
    let (groups_a, groups_b) = (distinct(&a.groups), distinct(&b.groups));
    let places: BTreeMap<Vec<Value>, usize> = groups_b.iter().map(|(key, _)| key.clone()).zip(0..).collect();
    let mut groups_b: Vec<Option<Cow<'_, SideGroup>>> = groups_b.into_iter().map(|(_, group)| Some(group)).collect();
    let mut pairs = Vec::new();
    let mut only_a = Vec::new();
    for (key, group) in groups_a {
        match places.get(&key).and_then(|&place| groups_b[place].take()) {
            Some(other) => pairs.push((group, other)),
            None => only_a.push(group),
        }
    }
    let only_b: Vec<Cow<'_, SideGroup>> = groups_b.into_iter().flatten().collect();
    if pairs.is_empty() {
        return Err(CompareError::NothingInCommon { a: names(&only_a), b: names(&only_b) });
    }
    let note = |(side, groups): (&str, Vec<Cow<'_, SideGroup>>)| {
        (!groups.is_empty()).then(|| format!("only {side} has {}: not compared", names(&groups)))
    };
    let notes = [("A", only_a), ("B", only_b)].into_iter().filter_map(note).collect();
    Ok(Matched { pairs, notes })
}

/// The groups with their values. Those whose values are equal as numbers are one: a table may say `2` here and `2.0` there.
fn distinct(groups: &[SideGroup]) -> Vec<(Vec<Value>, Cow<'_, SideGroup>)> {
    let mut distinct: Vec<(Vec<Value>, Cow<'_, SideGroup>)> = Vec::new();
    let mut places = BTreeMap::new();
    for group in groups {
        let key: Vec<Value> = group.group.iter().map(|(_, value)| Value::of(value)).collect();
        let place = *places.entry(key.clone()).or_insert(distinct.len());
        match distinct.get_mut(place) {
            Some((_, known)) => known.to_mut().join(group),
            None => distinct.push((key, Cow::Borrowed(group))),
        }
    }
    distinct
}

/// The most groups that a message names.
const MOST_NAMED: usize = 12;

/// `adversary.count 4, 5, 6`, or with several keys `a 1 b 2, a 1 b 3`.
fn names(groups: &[Cow<'_, SideGroup>]) -> String {
    let one_key = groups.first().and_then(|group| match &group.group[..] {
        [(key, _)] => Some(key),
        _ => None,
    });
    let name = |group: &Cow<'_, SideGroup>| match &group.group[..] {
        [(_, value)] => value.clone(),
        pairs => pairs.iter().map(|(key, value)| format!("{key} {value}")).collect::<Vec<_>>().join(" "),
    };
    let mut named: Vec<String> = groups.iter().take(MOST_NAMED).map(name).collect();
    if groups.len() > MOST_NAMED {
        named.push(format!("… ({} in all)", groups.len()));
    }
    let prefix = one_key.map_or_else(String::new, |key| format!("{key} "));
    prefix + &named.join(", ")
}

/// How the units of two groups belong together.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Pairing {
    /// Runs that met the same random numbers, as places in the two groups; at least two.
    Paired { pairs: Vec<(usize, usize)>, left_out_a: usize, left_out_b: usize },
    /// They do not; for runs with the reason.
    Independent { reason: Option<String> },
}

/// Pairs runs by index and seed.
pub(super) fn paired(a: &SideGroup, b: &SideGroup, unpaired: bool) -> Pairing {
    let independent = |reason: Option<&str>| Pairing::Independent { reason: reason.map(str::to_owned) };
    if unpaired {
        return independent(None);
    }
    let (Some(of_a), Some(of_b)) = (streams(a), streams(b)) else {
        return independent(None);
    };
    let (Some(places_a), Some(places_b)) = (places(&of_a), places(&of_b)) else {
        return independent(Some(
            "a group pools cells whose runs share their random numbers, so its runs are neither paired nor independent, \
             and intervals and p values may be too small; group by all swept keys (--by) or choose one cell (--where)",
        ));
    };
    let pairs: Vec<(usize, usize)> =
        of_a.iter().enumerate().filter_map(|(place, stream)| Some((place, *places_b.get(stream)?))).collect();
    if pairs.len() < 2 {
        let shared = of_b.iter().any(|stream| places_a.contains_key(stream));
        let few =
            "only one run has the same index and seed on both sides, too few for pairs: compared as independent runs";
        let none = "no run has the same index and seed on both sides: compared as independent runs";
        return independent(Some(if shared { few } else { none }));
    }
    let (left_out_a, left_out_b) = (of_a.len() - pairs.len(), of_b.len() - pairs.len());
    Pairing::Paired { pairs, left_out_a, left_out_b }
}

/// The streams of all units, if all are known.
fn streams(group: &SideGroup) -> Option<Vec<Stream>> {
    group.units.iter().map(|unit| unit.stream).collect()
}

/// Where each stream stands; `None` if one stands there twice.
fn places(streams: &[Stream]) -> Option<BTreeMap<Stream, usize>> {
    let places: BTreeMap<Stream, usize> = streams.iter().copied().zip(0..).collect();
    (places.len() == streams.len()).then_some(places)
}

#[cfg(test)]
mod tests {
    use super::super::side::SideUnit;
    use super::*;
    use crate::statistics::Attempt;

    fn group(value: &str, streams: &[Option<(u32, u64)>]) -> SideGroup {
        let unit = |stream: &Option<(u32, u64)>| SideUnit {
            stream: stream.map(|(run, seed)| Stream { run, seed }),
            ..SideUnit::from(Attempt::Success(1.0))
        };
        SideGroup {
            group: vec![("x".to_owned(), value.to_owned())],
            units: streams.iter().map(unit).collect(),
            limit: None,
            no_value: None,
        }
    }

    fn side(values: &[&str]) -> Side {
        let groups = values.iter().map(|value| group(value, &[None])).collect();
        Side { name: "side".to_owned(), units: "rows", success: "successful", groups, notes: Vec::new() }
    }

    #[test]
    fn groups_match_by_value_in_the_order_of_a() {
        let (a, b) = (side(&["3", "1", "2"]), side(&["2.0", "5", "3"]));
        let matched = matched(&a, &b).unwrap();
        let values: Vec<&str> = matched.pairs.iter().map(|(a, _)| a.group[0].1.as_str()).collect();
        assert_eq!(values, ["3", "2"]);
        assert_eq!(matched.notes, ["only A has x 1: not compared", "only B has x 5: not compared"]);
    }

    #[test]
    fn equal_numbers_are_one_group() {
        let (a, b) = (side(&["2", "1", "2.0"]), side(&["2e0", "1"]));
        let sizes: Vec<usize> = matched(&a, &b).unwrap().pairs.iter().map(|(a, _)| a.units.len()).collect();
        assert_eq!(sizes, [2, 1]);
    }

    #[test]
    fn nothing_in_common_is_an_error_that_shows_both() {
        let error = |a: &[&str], b: &[&str]| matched(&side(a), &side(b)).err().unwrap().to_string();
        let message = error(&["1", "2"], &["3"]);
        assert!(message.contains("x 1, 2") && message.contains("x 3"), "{message}");
        assert!(error(&[], &["3"]).contains('A'), "no rows");
    }

    #[test]
    fn runs_pair_by_index_and_seed() {
        let a = group("1", &[Some((0, 7)), Some((1, 8)), Some((2, 9))]);
        let b = group("1", &[Some((2, 9)), Some((0, 7)), Some((1, 99)), Some((5, 5))]);
        let expected = Pairing::Paired { pairs: vec![(0, 1), (2, 0)], left_out_a: 1, left_out_b: 2 };
        assert_eq!(paired(&a, &b, false), expected);
        assert_eq!(paired(&a, &b, true), Pairing::Independent { reason: None });
        assert_eq!(paired(&a, &group("1", &[None]), false), Pairing::Independent { reason: None });
        let reason = |b: &SideGroup| match paired(&a, b, false) {
            Pairing::Independent { reason } => reason.unwrap(),
            pairing @ Pairing::Paired { .. } => panic!("{pairing:?}"),
        };
        assert!(reason(&group("1", &[Some((0, 8)), Some((1, 7))])).contains("no run has the same index and seed"));
        assert!(reason(&group("1", &[Some((0, 7))])).contains("only one run"));
        assert!(reason(&group("1", &[Some((0, 7)), Some((0, 7))])).contains("pools cells"));
    }
}
