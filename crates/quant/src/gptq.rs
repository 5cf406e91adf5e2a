use rayon::prelude::*;

use crate::calibration::Calibration;
use crate::cholesky::inverse_factor;
use crate::error::{Error, Result};
use crate::int4::{Grid, Int4Groups, Int4Scheme};

/// Rows that go through the factor together, so that it is read from the cache.
const ROWS: usize = 16;

/// Rounding in which each column makes up for the errors of those before it ([Frantar et al. 2022](https://arxiv.org/abs/2210.17323)).
///
/// With `U` the upper Cholesky factor of the inverse of `H = X^T X + damping`, rounding column `i` of a row leaves the error
/// `e = (w_i - q_i) / U_ii`, and the columns after it move by `-e U_ij`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gptq {
    /// How groups are made.
    pub scheme: Int4Scheme,
    /// Added to the diagonal of `H`, as a share of its mean.
    pub damping: f64,
    /// Whether columns of large inputs are rounded first (the reference's `act_order`); grids are then those of the untouched weights.
    pub act_order: bool,
}

impl Gptq {
    /// With the reference's damping of 0.01, and columns in order.
    pub fn new(scheme: Int4Scheme) -> Self {
        Self { scheme, damping: 0.01, act_order: false }
    }

    /// Sets whether columns of large inputs are rounded first.
    pub fn with_act_order(mut self, act_order: bool) -> Self {
        self.act_order = act_order;
        self
    }

    /// Quantises `weights [rows, columns]` of the layer that was calibrated.
    ///
    /// # Errors
    /// Where the weights are no matrix of finite numbers of the calibration's width, the group does not divide a row, or the second
    /// moments cannot be inverted.
    pub fn quantize(&self, weights: &[f32], calibration: &Calibration) -> Result<Int4Groups> {
        let columns = calibration.columns();
        self.scheme.check(weights, columns)?;
        let mut moments = calibration.second_moments();
        let mean = (0..columns).map(|i| moments[i * columns + i]).sum::<f64>() / columns as f64;
        for i in 0..columns {
            // An input that was always zero says nothing; its weight is rounded by itself.
            let diagonal = &mut moments[i * columns + i];
            *diagonal += self.damping * mean + if *diagonal == 0.0 { mean.max(1.0) } else { 0.0 };
        }
        let order = self.order(&moments, columns);
        let ordered: Vec<f64> =
            order.iter().flat_map(|&i| order.iter().map(move |&j| (i, j))).map(|(i, j)| moments[i * columns + j]).collect();
        let factor = inverse_factor(&ordered, columns).ok_or(Error::Singular { columns })?;
        let factor: Vec<f32> = factor.into_iter().map(|x| x as f32).collect();
        let blocks: Vec<(Vec<u8>, Vec<Grid>)> = weights
            .par_chunks(ROWS * columns)
            .map(|rows| self.round_rows(rows, &Walk { order: &order, factor: &factor, columns }))
            .collect();
        let (codes, grid): (Vec<Vec<u8>>, Vec<Vec<Grid>>) = blocks.into_iter().unzip();
        Ok(Int4Groups::from_codes(codes.concat(), grid.concat(), columns, self.scheme))
    }

    /// The order in which columns are rounded.
    fn order(&self, moments: &[f64], columns: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..columns).collect();
        if self.act_order {
            order.sort_by(|&i, &j| moments[j * columns + j].total_cmp(&moments[i * columns + i]));
        }
        order
    }

    fn round_rows(&self, rows: &[f32], walk: &Walk<'_>) -> (Vec<u8>, Vec<Grid>) {
        let (columns, group) = (walk.columns, self.scheme.group);
        let groups = columns / group;
        let count = rows.len() / columns;
        let mut grid: Vec<Grid> = rows.chunks_exact(group).map(|group| Grid::of(group, self.scheme.zero_point)).collect();
        let mut codes = vec![0; rows.len()];
        // Weights in the order of the walk.
        let mut left: Vec<f32> = rows.chunks_exact(columns).flat_map(|row| walk.order.iter().map(|&column| row[column])).collect();
        for (step, &column) in walk.order.iter().enumerate() {
            let factor = &walk.factor[step * columns..(step + 1) * columns];
            for row in 0..count {
                let left = &mut left[row * columns..(row + 1) * columns];
                let own = &mut grid[row * groups + column / group];
                if !self.act_order && column.is_multiple_of(group) {
                    *own = Grid::of(&left[column..column + group], self.scheme.zero_point);
                }
                let code = own.code(left[step]);
                codes[row * columns + column] = code;
                let error = (left[step] - own.value(code)) / factor[step];
                for (weight, factor) in left[step + 1..].iter_mut().zip(&factor[step + 1..]) {
                    *weight -= error * factor;
                }
            }
        }
        (codes, grid)
    }
}

/// What the rounding of a row goes along.
struct Walk<'a> {
    order: &'a [usize],
    /// Upper triangle, in the order of the walk.
    factor: &'a [f32],
    columns: usize,
}
