//! Products of rows of floats with packed weights.
#![expect(unsafe_code, reason = "launches without checks of bounds, which the kernels make themselves")]

use cubecl::client::Client;
use cubecl::features::Plane;
use cubecl::prelude::{CubeCount, CubeDim};

use super::buffer::Buffer;
use super::codes::CodeFormat;
use super::gemm::{self, GemmPlan};
use super::gemv::{self, GemvPlan};

/// Rows up to which weights are read by [`gemv`]: sums of more would not stay in registers.
const FEW_ROWS: usize = 8;
/// Units of a team where planes do not say otherwise.
const LANES: usize = 32;
const UNITS: usize = 256;
/// Cubes along the first axis, at most: what every device takes.
const CUBES: u32 = 65_535;

/// The weights of a linear layer in a device's memory.
#[derive(Clone, Debug)]
pub struct PackedMatrix {
    /// Codes: u32 `[n, k / codes per word]`.
    pub words: Buffer,
    /// f32 `[n]` for bytes, `[n, k / group]` for groups.
    pub scales: Buffer,
    /// f32 of the same shape, in units of codes, where the format has zero points.
    pub zeros: Option<Buffer>,
    /// How codes are written.
    pub format: CodeFormat,
    /// Outputs.
    pub n: usize,
    /// Inputs.
    pub k: usize,
}

impl PackedMatrix {
    /// # Panics
    /// Where the buffers do not fit the shape, or `k` is no multiple of a word's codes, or a group is none that divides `k`.
    fn check(&self) {
        let (n, k, format) = (self.n, self.k, self.format);
        let per_word = format.per_word();
        assert!(n > 0 && k > 0, "weights of {n} outputs of {k} inputs");
        assert!(k.is_multiple_of(per_word), "{k} inputs do not fill words of {per_word} codes");
        if let CodeFormat::Int4 { group, .. } = format {
            assert!(group.is_multiple_of(8) && group > 0 && k.is_multiple_of(group), "groups of {group} in {k} inputs");
        }
        assert_eq!(self.words.len, n * k / per_word, "words of {n} outputs of {k} inputs");
        assert_eq!(self.scales.len, n * format.scales_per_row(k), "scales of {n} outputs of {k} inputs");
        assert_eq!(self.zeros.is_some(), format.has_zeros(), "zero points, or none, as the format says");
        assert!(self.zeros.as_ref().is_none_or(|zeros| zeros.len == self.scales.len), "a zero point for every scale");
    }

    /// Zero points; where the format has none, any buffer will do, because the kernel does not read it.
    fn zeros(&self) -> &Buffer {
        self.zeros.as_ref().unwrap_or(&self.scales)
    }
}

/// `x W^T` with weights in signed bytes: `words` u32 `[n, k / 4]`, `scales` f32 `[n]`; see [`matmul`].
pub fn w8a16_matmul(client: &Client, x: &Buffer, words: Buffer, scales: Buffer, [n, k]: [usize; 2]) -> Buffer {
    matmul(client, x, &PackedMatrix { words, scales, zeros: None, format: CodeFormat::Int8, n, k })
}

/// `x W^T` with weights in four bits: `words` u32 `[n, k / 8]`, `scales` and `zeros` f32 `[n, k / group]`; see [`matmul`].
pub fn w4a16_matmul(
    client: &Client,
    x: &Buffer,
    (words, scales, zeros): (Buffer, Buffer, Option<Buffer>),
    [n, k]: [usize; 2],
    group: usize,
) -> Buffer {
    let format = CodeFormat::Int4 { group, zeros: zeros.is_some() };
    matmul(client, x, &PackedMatrix { words, scales, zeros, format, n, k })
}

/// `x W^T`: `[m, n]` from `x [m, k]`, in the type of `x`, with sums in f32.
///
/// Up to 8 rows every output's weights are read once and decoded in registers; more rows go through shared memory in tiles. A row's result
/// depends on which of the two ways it went, in the last bits.
///
/// # Panics
/// Where `x` is not rows of `k` values, or the buffers of `weights` do not fit its shape.
pub fn matmul(client: &Client, x: &Buffer, weights: &PackedMatrix) -> Buffer {
    weights.check();
    let k = weights.k;
    assert!(x.len.is_multiple_of(k), "{} values are no rows of {k}", x.len);
    let m = x.len / k;
    let output = Buffer::empty(client, m * weights.n, x.elem);
    match m {
        0 => {}
        1..=FEW_ROWS => launch_gemv(client, x, weights, &output, gemv_plan(client, m, weights)),
        _ => launch_gemm(client, x, weights, &output, m),
    }
    output
}

/// Teams are planes where the device has them in one width; where the width may vary, sums go through shared memory.
fn gemv_plan(client: &Client, m: usize, weights: &PackedMatrix) -> GemvPlan {
    let hardware = &client.properties().hardware;
    let width = hardware.plane_size_max as usize;
    let planes = client.features().plane.contains(Plane::Ops) && hardware.plane_size_min as usize == width && width > 1;
    let lanes = if planes { width } else { LANES };
    let teams = UNITS.min(hardware.max_units_per_cube as usize).div_euclid(lanes).max(1);
    GemvPlan { format: weights.format, m, k: weights.k, n: weights.n, lanes, teams, planes }
}

pub(super) fn launch_gemv(client: &Client, x: &Buffer, weights: &PackedMatrix, output: &Buffer, plan: GemvPlan) {
    let cubes = weights.n.div_ceil(plan.teams) as u32;
    let across = cubes.min(CUBES);
    // SAFETY: columns are compared with `n` before they are used, rows are those the buffers were checked for.
    unsafe {
        gemv::gemv::launch_unchecked(
            client,
            CubeCount::Static(across, cubes.div_ceil(across), 1),
            CubeDim::new_2d(plan.lanes as u32, plan.teams as u32),
            widest(&[x, &weights.words, output]),
            x.arg(4),
            weights.words.arg(1),
            weights.scales.arg(1),
            weights.zeros().arg(1),
            output.arg(1),
            plan,
            x.elem,
        );
    }
}

pub(super) fn launch_gemm(client: &Client, x: &Buffer, weights: &PackedMatrix, output: &Buffer, m: usize) {
    let plan = GemmPlan { format: weights.format, k: weights.k, n: weights.n };
    let tiles = |count: usize| count.div_ceil(gemm::TILE) as u32;
    // SAFETY: rows, columns and inputs are compared with their numbers before they are used.
    unsafe {
        gemm::gemm::launch_unchecked(
            client,
            CubeCount::Static(tiles(plan.n), tiles(m), 1),
            CubeDim::new_2d(gemm::SIDE as u32, gemm::SIDE as u32),
            widest(&[x, &weights.words, output]),
            x.arg(4),
            weights.words.arg(1),
            weights.scales.arg(1),
            weights.zeros().arg(1),
            output.arg(1),
            m as u32,
            plan,
            x.elem,
        );
    }
}

fn widest(buffers: &[&Buffer]) -> cubecl::prelude::AddressType {
    buffers.iter().map(|buffer| buffer.address_type()).max().unwrap_or_default()
}
