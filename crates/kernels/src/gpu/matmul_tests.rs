use cubecl::client::Client;

use super::buffer::Buffer;
use super::codes::CodeFormat;
use super::gemv::GemvPlan;
use super::matmul::{PackedMatrix, launch_gemm, launch_gemv, matmul, w4a16_matmul, w8a16_matmul};
use super::testing::{Random, assert_close, client, download, upload};

/// Weights and what they stand for.
struct Case {
    words: Vec<u32>,
    scales: Vec<f32>,
    zeros: Option<Vec<f32>>,
    format: CodeFormat,
    n: usize,
    k: usize,
}

impl Case {
    fn new(random: &mut Random, format: CodeFormat, [n, k]: [usize; 2]) -> Self {
        let words = (0..n * k / format.per_word()).map(|_| random.next() as u32).collect();
        let count = n * format.scales_per_row(k);
        let scales = (0..count).map(|_| random.float() * 0.1).collect();
        let zeros = format.has_zeros().then(|| (0..count).map(|_| random.below(17) as f32).collect());
        Self { words, scales, zeros, format, n, k }
    }

    fn weight(&self, row: usize, column: usize) -> f32 {
        let index = row * self.k + column;
        match self.format {
            CodeFormat::Int8 => f32::from((self.words[index / 4] >> (8 * (index % 4))) as i8) * self.scales[row],
            CodeFormat::Int4 { group, .. } => {
                let scale = index / group;
                let zero = self.zeros.as_ref().map_or(8.0, |zeros| zeros[scale]);
                (((self.words[index / 8] >> (4 * (index % 8))) & 15) as f32 - zero) * self.scales[scale]
            }
        }
    }

    fn product(&self, x: &[f32]) -> Vec<f32> {
        let weights: Vec<f32> = (0..self.n * self.k).map(|index| self.weight(index / self.k, index % self.k)).collect();
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>() as f32;
        x.chunks_exact(self.k).flat_map(|row| weights.chunks_exact(self.k).map(move |weights| dot(row, weights))).collect()
    }

    fn upload(&self, client: &Client) -> PackedMatrix {
        PackedMatrix {
            words: upload(client, &self.words),
            scales: upload(client, &self.scales),
            zeros: self.zeros.as_ref().map(|zeros| upload(client, zeros)),
            format: self.format,
            n: self.n,
            k: self.k,
        }
    }
}

fn formats() -> Vec<(CodeFormat, usize)> {
    let int4 = |group, zeros| CodeFormat::Int4 { group, zeros };
    vec![(CodeFormat::Int8, 4), (int4(8, false), 8), (int4(24, true), 24), (int4(32, true), 32), (int4(128, false), 128)]
}

#[test]
fn products_are_those_of_decoded_weights() {
    let Some(client) = client() else { return };
    let mut random = Random(1);
    for (format, unit) in formats() {
        for m in [1, 3, 8, 70] {
            let (n, k) = (1 + random.below(150), unit * (1 + random.below(1 + 300 / unit)));
            let case = Case::new(&mut random, format, [n, k]);
            let x = random.floats(m * k);
            let output = matmul(&client, &upload(&client, &x), &case.upload(&client));
            assert_close(&download(&client, &output), &case.product(&x), 2e-6, &format!("{format:?} of {n} by {k}, {m} rows"));
        }
    }
}

#[test]
fn both_ways_serve_any_number_of_rows() {
    let Some(client) = client() else { return };
    let mut random = Random(2);
    for (format, unit) in formats() {
        let (m, n, k) = (5, 77, unit * 3);
        let case = Case::new(&mut random, format, [n, k]);
        let (x, weights) = (random.floats(m * k), case.upload(&client));
        let wanted = case.product(&x);
        let (input, output) = (upload(&client, &x), Buffer::empty_f32(&client, m * n));
        for (lanes, teams) in [(32, 8), (8, 1)] {
            launch_gemv(&client, &input, &weights, &output, GemvPlan { format, m, k, n, lanes, teams, planes: false });
            assert_close(&download(&client, &output), &wanted, 2e-6, &format!("{format:?} by {teams} teams of {lanes}"));
        }
        launch_gemm(&client, &input, &weights, &output, m);
        assert_close(&download(&client, &output), &wanted, 2e-6, &format!("{format:?} in tiles"));
    }
}

#[test]
fn inputs_of_half_precision_give_outputs_of_it() {
    let Some(client) = client() else { return };
    let half = burn::tensor::f16::from_f32;
    let mut random = Random(3);
    for m in [2, 20] {
        let case = Case::new(&mut random, CodeFormat::Int8, [33, 64]);
        let x: Vec<burn::tensor::f16> = random.floats(m * 64).into_iter().map(half).collect();
        let output = matmul(&client, &upload(&client, &x), &case.upload(&client));
        let found: Vec<f32> = download::<burn::tensor::f16>(&client, &output).into_iter().map(f32::from).collect();
        let x: Vec<f32> = x.into_iter().map(f32::from).collect();
        assert_close(&found, &case.product(&x), 1e-3, &format!("{m} rows"));
    }
}

#[test]
fn the_first_code_is_in_the_lowest_bits() {
    let Some(client) = client() else { return };
    let x = upload(&client, &[1.0_f32, 10.0, 100.0, 1000.0]);
    let bytes = u32::from_le_bytes([1, 255, 3, 128]);
    let found = w8a16_matmul(&client, &x, upload(&client, &[bytes]), upload(&client, &[0.5_f32]), [1, 4]);
    assert_eq!(download::<f32>(&client, &found), [0.5 * (1.0 - 10.0 + 300.0 - 128_000.0)]);

    let x = upload(&client, &[1.0_f32, 10.0, 100.0, 1000.0, 0.0, 0.0, 0.0, 1.0]);
    let parts = (upload(&client, &[0xf000_9870_u32]), upload(&client, &[2.0_f32]), None);
    let found = w4a16_matmul(&client, &x, parts, [1, 8], 8);
    assert_eq!(download::<f32>(&client, &found), [2.0 * (-8.0 - 10.0 + 0.0 + 1000.0 + 7.0)]);
}

#[test]
fn no_rows_give_no_rows() {
    let Some(client) = client() else { return };
    let case = Case::new(&mut Random(4), CodeFormat::Int8, [3, 8]);
    assert_eq!(matmul(&client, &Buffer::empty_f32(&client, 0), &case.upload(&client)).len, 0);
}
