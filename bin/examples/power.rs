//! How well a hunt finds planted defects: the table of `docs/hunt.md`.
//!
//! ```text
//! cargo run --release --features planted-defects --example power -- [HUNTS] [BUDGET] [DEFECT …]
//! ```
//!
//! Each defect is planted in `configs/hunt.toml` and hunted `HUNTS` times (20), each time with another seed and until the first violation,
//! for at most `BUDGET` runs (2000). What is found is made small, and its faults are counted.

use byzlab::Experiment;
use byzlab::hunt::{Break, HuntOptions, hunt};
use byzlab_analysis::statistics::{order_statistics, wilson};
use byzlab_replica::Defect;
use std::collections::BTreeSet;
use std::error::Error;
use std::num::NonZeroU64;
use std::path::Path;

/// What many hunts for one defect came to.
struct Power {
    /// Runs to the first violation, in ascending order; infinite where there was none.
    runs: Vec<f64>,
    /// How many faults each violation takes when it is made small.
    faults: Vec<usize>,
    /// What was violated.
    shown: BTreeSet<Break>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize, usual: u64| arguments.get(place).map_or(Ok(usual), |text| text.parse::<u64>());
    let (hunts, budget) = (number(0, 20)?, number(1, 2000)?);
    if hunts == 0 {
        return Err("no hunts measure nothing".into());
    }
    let wanted = arguments.get(2..).unwrap_or_default();
    if let Some(unknown) = wanted.iter().find(|name| Defect::ALL.iter().all(|defect| defect.name() != name.as_str())) {
        let names = Defect::ALL.map(Defect::name).join(", ");
        return Err(format!("there is no defect `{unknown}`, but these: {names}").into());
    }
    let budget = NonZeroU64::new(budget).ok_or("a budget of no runs finds nothing")?;
    println!("| defect | breaks rule | found | median runs to find [95 %] | faults: median, most | shows as |");
    println!("|---|---|---|---|---|---|");
    let mut faults: Vec<usize> = Vec::new();
    for defect in Defect::ALL.into_iter().filter(|defect| wanted.is_empty() || wanted.contains(&defect.name().into())) {
        let power = measure(defect, hunts, budget)?;
        println!("{}", row(defect, &power));
        faults.extend(power.faults);
    }
    let small = faults.iter().filter(|&&count| count <= 5).count() as u64;
    if let Some(share) = wilson(small, faults.len() as u64, 0.95) {
        let [estimate, lower, upper] = [share.estimate, share.lower, share.upper].map(|share| share * 100.0);
        println!("\nAt most 5 faults: {estimate:.1} % of {} findings [{lower:.1}–{upper:.1}].", faults.len());
    }
    Ok(())
}

fn measure(defect: Defect, hunts: u64, budget: NonZeroU64) -> Result<Power, Box<dyn Error>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/hunt.toml");
    let experiment = Experiment::load(&file, &[format!("protocol.defect={}", defect.name())])?;
    let mut power = Power { runs: Vec::new(), faults: Vec::new(), shown: BTreeSet::new() };
    for seed in 1..=hunts {
        let options = HuntOptions { seed: Some(seed), stop_at_first: true, ..HuntOptions::new(budget) };
        let report = hunt(&experiment, &options, |_| {})?;
        power.runs.push(if report.violations() > 0 { report.runs as f64 } else { f64::INFINITY });
        for finding in &report.findings {
            power.faults.push(finding.schedule.faults.len());
            power.shown.insert(finding.what);
        }
    }
    power.runs.sort_by(f64::total_cmp);
    power.faults.sort_unstable();
    Ok(power)
}

fn row(defect: Defect, Power { runs, faults, shown }: &Power) -> String {
    let found = runs.iter().filter(|runs| runs.is_finite()).count();
    let text = |runs: f64| if runs.is_finite() { format!("{runs}") } else { "not found".to_owned() };
    // The lower of the two middle ones: a run that was made.
    let median = text(runs[(runs.len() - 1) / 2]);
    let ranks = order_statistics(runs.len() as u64, 0.5, 0.95);
    let end = |rank: Option<u64>| rank.map_or("?".to_owned(), |rank| text(runs[rank as usize - 1]));
    let interval =
        ranks.map_or(String::new(), |ranks| format!("[{}–{}]", end(ranks.lower_rank), end(ranks.upper_rank)));
    let sizes = match faults[..] {
        [] => "–".to_owned(),
        _ => format!("{}, {}", faults[(faults.len() - 1) / 2], faults[faults.len() - 1]),
    };
    let shown: Vec<&str> = shown.iter().map(|what| what.code()).collect();
    let (name, rule) = (defect.name(), defect.rule());
    format!("| `{name}` | {rule} | {found} of {} | {median} {interval} | {sizes} | {} |", runs.len(), shown.join(", "))
}
