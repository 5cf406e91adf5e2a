use std::fmt;
use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};

use crate::position::sinusoidal_table;

/// Sinusoidal positions of a model, made once.
#[derive(Clone)]
pub(crate) struct PositionTable {
    /// `[max_positions, d_model]`.
    values: Arc<[f32]>,
    d_model: usize,
}

impl PositionTable {
    pub(crate) fn new(max_positions: usize, d_model: usize, interleaved: bool) -> Self {
        Self { values: sinusoidal_table(max_positions, d_model, interleaved).into(), d_model }
    }

    /// Rows of `positions [batch or 1][seq]`: `[batch or 1, seq, d_model]`.
    ///
    /// # Panics
    /// Where a position is beyond the table.
    pub(crate) fn rows(&self, positions: &[Vec<usize>], device: &Device) -> Tensor<3> {
        let max = self.values.len() / self.d_model;
        let row = |&position: &usize| {
            assert!(position < max, "position {position} is beyond the model's {max}");
            &self.values[position * self.d_model..(position + 1) * self.d_model]
        };
        let values: Vec<f32> = positions.iter().flatten().flat_map(row).copied().collect();
        let seq = positions.first().map_or(0, Vec::len);
        Tensor::from_data(TensorData::new(values, [positions.len(), seq, self.d_model]), device)
    }
}

impl fmt::Debug for PositionTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PositionTable").field("d_model", &self.d_model).finish_non_exhaustive()
    }
}
