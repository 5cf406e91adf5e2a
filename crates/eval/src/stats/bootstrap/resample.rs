//! Which items a resample holds, and which a jackknife leaves out.

use crate::stats::{Design, Groups, rng::SplitMix64};

/// What is drawn: units of one or more items, from each stratum as many as it has.
pub(super) struct Resampling {
    items: usize,
    strata: Vec<Units>,
}

enum Units {
    Items(Vec<usize>),
    Clusters(Vec<Vec<usize>>),
}

impl Resampling {
    pub(super) fn new(items: usize, design: &Design) -> Self {
        let strata = match design {
            Design::Simple => vec![Units::Items((0..items).collect())],
            Design::Clustered(groups) => vec![Units::Clusters(groups.members())],
            Design::Stratified(strata) => strata.members().into_iter().map(Units::Items).collect(),
            Design::ClusteredInStrata { clusters, strata } => clusters_by_stratum(clusters, strata),
        };
        Self { items, strata }
    }

    /// Writes the items of a resample to `drawn`, stratum by stratum.
    pub(super) fn draw(&self, rng: &mut SplitMix64, drawn: &mut Vec<usize>) {
        drawn.clear();
        drawn.reserve(self.items);
        for stratum in &self.strata {
            match stratum {
                Units::Items(items) => drawn.extend((0..items.len()).map(|_| items[rng.below(items.len())])),
                Units::Clusters(clusters) => (0..clusters.len()).for_each(|_| drawn.extend(&clusters[rng.below(clusters.len())])),
            }
        }
    }

    /// For each stratum, which items (ascending) to leave out one after the other: a unit each, or where there are many, blocks of units. The skew
    /// of blocks' sums tells the skew of units' as well, for a bounded number of evaluations.
    pub(super) fn blocks(&self) -> Vec<Vec<Vec<usize>>> {
        self.strata.iter().map(|stratum| stratum.blocks(MOST_BLOCKS.div_ceil(self.strata.len()).max(2))).collect()
    }
}

impl Units {
    fn blocks(&self, most: usize) -> Vec<Vec<usize>> {
        let units = match self {
            Self::Items(items) => items.len(),
            Self::Clusters(clusters) => clusters.len(),
        };
        let mut blocks = vec![Vec::new(); units.min(most)];
        for unit in 0..units {
            let block = &mut blocks[unit % units.min(most)];
            match self {
                Self::Items(items) => block.push(items[unit]),
                Self::Clusters(clusters) => block.extend(&clusters[unit]),
            }
        }
        for block in &mut blocks {
            block.sort_unstable();
        }
        blocks
    }
}

fn clusters_by_stratum(clusters: &Groups, strata: &Groups) -> Vec<Units> {
    let mut by_stratum = vec![Vec::new(); strata.len()];
    for members in clusters.members() {
        by_stratum[strata.of(members[0])].push(members);
    }
    by_stratum.into_iter().map(Units::Clusters).collect()
}

const MOST_BLOCKS: usize = 1_000;
