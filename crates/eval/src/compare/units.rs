use serde::{Deserialize, Serialize};

use super::Pairs;
use crate::{Result, stats::Design};

/// How items hang together, which decides how uncertain their mean is: see [`Design`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum Units {
    /// Clusters where every item names one, else strata that hold at least two items each, else items.
    #[default]
    Auto,
    /// Each item stands for itself.
    Items,
    /// Items of a cluster were drawn together.
    Clusters,
    /// Strata are fixed, and items were drawn within them.
    Strata,
}

impl Units {
    /// The design of `pairs`.
    ///
    /// # Errors
    /// [`Error::MissingGroup`](crate::Error::MissingGroup) where clusters or strata are asked for and an item names none.
    pub fn design(self, pairs: &Pairs) -> Result<Design> {
        let clusters = || Design::clustered(pairs.items.iter().map(|pair| pair.cluster.as_deref()));
        let strata = || Design::stratified(pairs.items.iter().map(|pair| pair.stratum.as_deref()));
        match self {
            Self::Clusters => clusters(),
            Self::Strata => strata(),
            Self::Auto if pairs.clusters().is_some() => clusters(),
            Self::Auto if pairs.strata().is_some() && every_stratum_has_two(pairs) => strata(),
            Self::Auto | Self::Items => Ok(Design::Simple),
        }
    }
}

/// The spread within a stratum of one item is not known.
fn every_stratum_has_two(pairs: &Pairs) -> bool {
    pairs.by_stratum().values().all(|slice| slice.items.len() > 1)
}
