//! Many tests at once.

/// Adjusts p-values for their number so that the probability of any false rejection stays below the level: Holm's
/// step-down.
///
/// Formula: with p₍₁₎ ≤ … ≤ p₍ₘ₎, p̃₍ᵢ₎ = min(1, max_{j≤i} (m−j+1)·p₍ⱼ₎); a hypothesis is rejected where p̃ ≤ α. It
/// assumes nothing about how the tests depend on each other. What is `None`, NaN or outside 0..1 stays undefined and is
/// not counted in m. Results are in the order of the input. Source: Holm 1979.
///
/// ```
/// # use byzlab_analysis::statistics::holm;
/// assert_eq!(holm(&[Some(0.125), Some(0.03125), None]), [Some(0.125), Some(0.0625), None]);
/// ```
pub fn holm(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order = defined(p);
    order.sort_by(|left, right| left.1.total_cmp(&right.1));
    let mut adjusted = vec![None; p.len()];
    let mut largest = 0.0_f64;
    for (done, &(place, p)) in order.iter().enumerate() {
        largest = largest.max((order.len() - done) as f64 * p).min(1.0);
        adjusted[place] = Some(largest);
    }
    adjusted
}

/// Adjusts p-values for their number by Bonferroni: m·p, at most 1. Never better than [`holm`], and simpler to say.
///
/// What is `None`, NaN or outside 0..1 stays undefined and is not counted in m. Source: Dunn 1961.
///
/// ```
/// # use byzlab_analysis::statistics::bonferroni;
/// assert_eq!(bonferroni(&[Some(0.125), Some(0.75), None]), [Some(0.25), Some(1.0), None]);
/// ```
pub fn bonferroni(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let tests = defined(p);
    let mut adjusted = vec![None; p.len()];
    for &(place, p) in &tests {
        adjusted[place] = Some((tests.len() as f64 * p).min(1.0));
    }
    adjusted
}

/// The p-values that are ones, with their places.
fn defined(p: &[Option<f64>]) -> Vec<(usize, f64)> {
    let places = p.iter().enumerate();
    places.filter_map(|(place, p)| Some((place, p.filter(|p| (0.0..=1.0).contains(p))?))).collect()
}
