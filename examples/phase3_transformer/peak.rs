//! What the device reaches where it has nothing else to do: the peak that a training is held against.

use std::time::Instant;

use anyhow::{Context, Result};
use jarre_transformer::{Device, Tensor};

/// Rows and columns of the product that is timed.
const SIZE: usize = 1024;

/// How often it is timed.
const REPEATS: usize = 7;

/// Operations a second of a product of two square matrices of f32, the median of a few.
pub(crate) fn measure(device: &Device) -> Result<f64> {
    let a = Tensor::<2>::ones([SIZE, SIZE], device);
    let mut rates = Vec::with_capacity(REPEATS);
    for _ in 0..=REPEATS {
        let started = Instant::now();
        a.clone().matmul(a.clone()).sum().into_data().try_into_vec::<f32>().ok().context("the device gave nothing back")?;
        rates.push(2.0 * (SIZE as f64).powi(3) / started.elapsed().as_secs_f64().max(f64::EPSILON));
    }
    // The first one also warms up.
    let mut rates = rates.split_off(1);
    rates.sort_by(f64::total_cmp);
    Ok(rates[REPEATS / 2])
}
