//! A linear layer in four bits, rounded here by the plain rule, and the tensors that each tool makes of it: written from the formats'
//! descriptions, apart from the code that reads them.

use burn::tensor::{bf16, f16};
use safetensors::Dtype;

use crate::folder::Stored;

/// Codes of a word.
const CODES: usize = 8;

/// Which output of eight `AutoAWQ` puts at each place of a word.
const AWQ_ORDER: [usize; CODES] = [0, 2, 4, 6, 1, 3, 5, 7];

/// Which inputs share a scale.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Groups {
    /// So many neighbours.
    Neighbours(usize),
    /// So many from anywhere, the last group with what is left.
    Scattered(usize),
    /// All of a row.
    Row,
}

/// `value = (code - zero) scale`, row-major.
pub(crate) struct Layer {
    pub(crate) outputs: usize,
    pub(crate) inputs: usize,
    group_of: Vec<usize>,
    groups: usize,
    codes: Vec<u8>,
    /// `[outputs, groups]`, like the scales.
    zeros: Vec<u8>,
    scales: Vec<f32>,
}

impl Layer {
    /// Rounds to the nearest; zero points lie in 1..=15, and are 8 in symmetric groups.
    pub(crate) fn round(weights: &[f32], [outputs, inputs]: [usize; 2], groups: Groups, symmetric: bool) -> Self {
        let group_of = group_of(inputs, groups);
        let groups = group_of.iter().max().unwrap() + 1;
        let (mut codes, mut zeros, mut scales) = (Vec::new(), Vec::new(), Vec::new());
        for row in weights.chunks_exact(inputs) {
            let grids: Vec<(f32, f32)> = (0..groups)
                .map(|group| grid(row.iter().zip(&group_of).filter(|(_, of)| **of == group).map(|(weight, _)| *weight), symmetric))
                .collect();
            codes.extend(row.iter().zip(&group_of).map(|(weight, of)| {
                let (scale, zero) = grids[*of];
                (weight / scale + zero).round().clamp(0.0, 15.0) as u8
            }));
            zeros.extend(grids.iter().map(|(_, zero)| *zero as u8));
            scales.extend(grids.iter().map(|(scale, _)| *scale));
        }
        Self { outputs, inputs, group_of, groups, codes, zeros, scales }
    }

    /// `[outputs, inputs]`.
    pub(crate) fn values(&self) -> Vec<f32> {
        let value = |(index, code): (usize, &u8)| {
            let at = index / self.inputs * self.groups + self.group_of[index % self.inputs];
            (f32::from(*code) - f32::from(self.zeros[at])) * self.scales[at]
        };
        self.codes.iter().enumerate().map(value).collect()
    }

    pub(crate) fn awq(&self) -> Vec<(&'static str, Stored)> {
        let (n, k, groups) = (self.outputs, self.inputs, self.groups);
        let words = n / CODES;
        let codes = |input: usize, output: usize| self.codes[output * k + input];
        vec![
            ("qweight", Stored::words(&[k, words], |row, word| pack(|i| codes(row, word * CODES + AWQ_ORDER[i])))),
            ("qzeros", Stored::words(&[groups, words], |group, word| pack(|i| self.zero(word * CODES + AWQ_ORDER[i], group)))),
            ("scales", self.halves()),
        ]
    }

    /// `second`: zero points as they are, not less 1.
    pub(crate) fn gptq(&self, second: bool, index: bool) -> Vec<(&'static str, Stored)> {
        let (n, k, groups) = (self.outputs, self.inputs, self.groups);
        let zero = |output: usize, group: usize| self.zero(output, group) - u8::from(!second);
        let mut tensors = vec![
            ("qweight", Stored::words(&[k / CODES, n], |word, output| pack(|i| self.codes[output * k + word * CODES + i]))),
            ("qzeros", Stored::words(&[groups, n / CODES], |group, word| pack(|i| zero(word * CODES + i, group)))),
            ("scales", self.halves()),
        ];
        if index {
            tensors.push(("g_idx", Stored::words(&[k, 1], |input, _| self.group_of[input] as u32).with_shape(&[k])));
        }
        tensors
    }

    pub(crate) fn packed(&self, symmetric: bool) -> Vec<(&'static str, Stored)> {
        let (n, k, groups) = (self.outputs, self.inputs, self.groups);
        let scales = self.scales.iter().flat_map(|&scale| bf16::from_f32(scale).to_le_bytes()).collect();
        let shape = [n, k].iter().flat_map(|&size| (size as i64).to_le_bytes()).collect();
        let mut tensors = vec![
            ("weight_packed", Stored::words(&[n, k / CODES], |output, word| pack(|i| self.codes[output * k + word * CODES + i]))),
            ("weight_scale", Stored::new(Dtype::BF16, &[n, groups], scales)),
            ("weight_shape", Stored::new(Dtype::I64, &[2], shape)),
        ];
        if !symmetric {
            tensors.push((
                "weight_zero_point",
                Stored::words(&[n / CODES, groups], |word, group| pack(|i| self.zero(word * CODES + i, group))),
            ));
        }
        tensors
    }

    fn zero(&self, output: usize, group: usize) -> u8 {
        self.zeros[output * self.groups + group]
    }

    /// Scales `[groups, outputs]`.
    fn halves(&self) -> Stored {
        let turned = (0..self.groups).flat_map(|group| (0..self.outputs).map(move |output| self.scales[output * self.groups + group]));
        Stored::new(Dtype::F16, &[self.groups, self.outputs], turned.flat_map(|scale| f16::from_f32(scale).to_le_bytes()).collect())
    }
}

fn group_of(inputs: usize, groups: Groups) -> Vec<usize> {
    (0..inputs)
        .map(|input| match groups {
            Groups::Neighbours(group) => input / group,
            // 7 has no divisor in common with the sizes of the fixtures, so that every place is taken once.
            Groups::Scattered(group) => input * 7 % inputs / group,
            Groups::Row => 0,
        })
        .collect()
}

/// Scale and zero point. The scale is cut to few bits, which half precision and bfloat16 hold exactly.
fn grid(weights: impl Iterator<Item = f32>, symmetric: bool) -> (f32, f32) {
    let (low, high) = weights.fold((0.0_f32, 0.0_f32), |(low, high), weight| (low.min(weight), high.max(weight)));
    let step = if symmetric { high.max(-low) / 7.0 } else { (high - low) / 15.0 };
    let scale = bf16::from_f32(step).to_f32();
    let zero = if symmetric { 8.0 } else { (-low / scale).round().clamp(1.0, 15.0) };
    (scale, zero)
}

fn pack(code: impl Fn(usize) -> u8) -> u32 {
    (0..CODES).fold(0, |word, place| word | u32::from(code(place)) << (4 * place))
}
