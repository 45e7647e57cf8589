//! How many bins a histogram has, and how far a whole empirical distribution function may be off.

use super::quantile::quantile;

/// The width of a histogram's bins by the rule of Freedman and Diaconis.
///
/// Formula: 2 · IQR / n^(1/3), with IQR the distance of the quartiles (type 7). It minimises the expected squared distance
/// of histogram and density, up to a constant that hardly depends on the distribution. `None` of fewer than two values
/// and where the quartiles agree, for which [`sturges_bins`] remains.
///
/// Source: Freedman & Diaconis 1981, *On the histogram as a density estimator: L₂ theory*.
///
/// ```
/// # use byzlab_analysis::statistics::freedman_diaconis_width;
/// let values: Vec<f64> = (0..=1000).map(f64::from).collect();
/// let width = freedman_diaconis_width(&values).unwrap();
/// assert!((width - 1000.0 / 1001_f64.cbrt()).abs() < 1e-9);
/// assert_eq!(freedman_diaconis_width(&[3.0, 3.0, 3.0]), None);
/// ```
pub fn freedman_diaconis_width(sorted: &[f64]) -> Option<f64> {
    if sorted.len() < 2 {
        return None;
    }
    let range = quantile(sorted, 0.75)? - quantile(sorted, 0.25)?;
    let width = 2.0 * range / libm::cbrt(sorted.len() as f64);
    (width > 0.0 && width.is_finite()).then_some(width)
}

/// The number of a histogram's bins by the rule of Sturges; 0 of nothing.
///
/// Formula: ⌈log₂ n⌉ + 1. It assumes values of about a normal distribution. Source: Sturges 1926, *The choice of a class interval*.
///
/// ```
/// # use byzlab_analysis::statistics::sturges_bins;
/// assert_eq!([0, 1, 2, 100].map(sturges_bins), [0, 1, 2, 8]);
/// ```
pub fn sturges_bins(n: u64) -> u32 {
    if n == 0 { 0 } else { n.next_power_of_two().ilog2() + 1 }
}

/// Half the height of a band that holds a whole distribution function, everywhere at once.
///
/// Name: the band of Dvoretzky, Kiefer and Wolfowitz, with Massart's constant. Formula: √(ln(2/α) / 2n); the band is the
/// empirical distribution function ± this, within 0 and 1. It assumes independent values and nothing about their
/// distribution; values of +∞ are values like others. `None` without values or unless 0 < `confidence` < 1.
///
/// Source: Dvoretzky, Kiefer & Wolfowitz 1956; Massart 1990.
///
/// ```
/// # use byzlab_analysis::statistics::dkw_half_width;
/// let half = dkw_half_width(200, 0.95).unwrap();
/// assert!((half - 0.096_032).abs() < 1e-6);
/// assert_eq!(dkw_half_width(0, 0.95), None);
/// ```
pub fn dkw_half_width(n: u64, confidence: f64) -> Option<f64> {
    let is_defined = n > 0 && super::is_inside_unit(confidence);
    is_defined.then(|| (libm::log(2.0 / (1.0 - confidence)) / (2.0 * n as f64)).sqrt())
}
