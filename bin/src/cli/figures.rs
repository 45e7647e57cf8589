//! How intervals are made, as arguments.

use byzlab_analysis::statistics::{FigureOptions, MeanMethod, ProportionMethod};
use clap::{Args, ValueEnum};

#[derive(Clone, Debug, Args)]
pub(super) struct FigureArguments {
    /// The confidence of all intervals.
    #[arg(long, default_value_t = 0.95, value_name = "C")]
    pub(super) confidence: f64,
    /// How the intervals of shares are made.
    #[arg(long, value_enum, default_value_t = Proportion::Wilson, value_name = "METHOD")]
    proportion: Proportion,
    /// Makes the intervals of means and standard deviations by the bias-corrected and accelerated bootstrap, for skewed values,
    /// with so many resamples.
    #[arg(
        long, value_name = "RESAMPLES", num_args = 0..=1, require_equals = true, default_missing_value = "10000",
        value_parser = clap::value_parser!(u32).range(100..)
    )]
    bootstrap: Option<u32>,
    /// The seed of the bootstrap's resamples: the same seed, the same intervals.
    #[arg(long, default_value_t = 1, value_name = "SEED", requires = "bootstrap")]
    seed: u64,
}

impl FigureArguments {
    pub(super) fn options(&self) -> FigureOptions {
        FigureOptions {
            confidence: self.confidence,
            proportion: self.proportion.into(),
            mean: match self.bootstrap {
                Some(replicates) => MeanMethod::Bca { replicates, seed: self.seed },
                None => MeanMethod::StudentT,
            },
            ..FigureOptions::default()
        }
    }
}

/// How the interval of a share is made.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Proportion {
    /// Wilson's score interval: on average it covers as often as it says.
    Wilson,
    /// The exact interval: it covers never less often than it says, and is wider.
    ClopperPearson,
}

impl From<Proportion> for ProportionMethod {
    fn from(name: Proportion) -> Self {
        match name {
            Proportion::Wilson => Self::Wilson,
            Proportion::ClopperPearson => Self::ClopperPearson,
        }
    }
}
