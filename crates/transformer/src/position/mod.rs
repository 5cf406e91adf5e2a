//! Where a token stands: learned and sinusoidal tables that are added to embeddings, rotations of queries and keys, and slopes on scores.

mod alibi;
mod rope;
mod scaling;
mod sinusoidal;

pub use alibi::alibi_slopes;
pub use rope::{Rope, RopeConfig, RopeLayout, Rotation};
pub use scaling::RopeScaling;
use serde::{Deserialize, Serialize};
pub use sinusoidal::sinusoidal_table;

/// How a model knows the order of its tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Positions {
    /// A trained row for each position is added to the embedding; positions end with the table.
    Learned,
    /// Sines and cosines of falling frequency are added to the embedding ([Vaswani et al. 2017](https://arxiv.org/abs/1706.03762)).
    Sinusoidal,
    /// Queries and keys are rotated by their position ([Su et al. 2021](https://arxiv.org/abs/2104.09864)).
    Rope(RopeConfig),
    /// Scores fall linearly with distance, by a slope for each head ([Press et al. 2021](https://arxiv.org/abs/2108.12409)).
    Alibi,
}
