//! A linear layer in four or eight bits, rounded here by the plain rule, and the tensors that each tool makes of it: written from the formats'
//! descriptions, apart from the code that reads them.

use burn::tensor::{bf16, f16};
use safetensors::Dtype;

use crate::folder::Stored;

/// Which output of eight `AutoAWQ` puts at each place of a word.
const AWQ_ORDER: [usize; 8] = [0, 2, 4, 6, 1, 3, 5, 7];

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
    bits: u32,
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
    /// Rounds to the nearest; zero points are codes from 1 on, and the middle one in symmetric groups.
    pub(crate) fn round(weights: &[f32], [outputs, inputs]: [usize; 2], groups: Groups, symmetric: bool, bits: u32) -> Self {
        let group_of = group_of(inputs, groups);
        let groups = group_of.iter().max().unwrap() + 1;
        let (mut codes, mut zeros, mut scales) = (Vec::new(), Vec::new(), Vec::new());
        for row in weights.chunks_exact(inputs) {
            let grids: Vec<(f32, f32)> = (0..groups)
                .map(|group| {
                    grid(row.iter().zip(&group_of).filter(|(_, of)| **of == group).map(|(weight, _)| *weight), symmetric, largest(bits))
                })
                .collect();
            codes.extend(row.iter().zip(&group_of).map(|(weight, of)| {
                let (scale, zero) = grids[*of];
                (weight / scale + zero).round().clamp(0.0, largest(bits)) as u8
            }));
            zeros.extend(grids.iter().map(|(_, zero)| *zero as u8));
            scales.extend(grids.iter().map(|(scale, _)| *scale));
        }
        Self { bits, outputs, inputs, group_of, groups, codes, zeros, scales }
    }

    /// `[outputs, inputs]`.
    pub(crate) fn values(&self) -> Vec<f32> {
        let value = |(index, code): (usize, &u8)| {
            let at = index / self.inputs * self.groups + self.group_of[index % self.inputs];
            (f32::from(*code) - f32::from(self.zeros[at])) * self.scales[at]
        };
        self.codes.iter().enumerate().map(value).collect()
    }

    /// Codes of a word.
    fn per_word(&self) -> usize {
        32 / self.bits as usize
    }

    /// Those that `code` gives, the first one lowest.
    fn pack(&self, code: impl Fn(usize) -> u8) -> u32 {
        (0..self.per_word()).fold(0, |word, place| word | u32::from(code(place)) << (self.bits * place as u32))
    }

    pub(crate) fn awq(&self) -> Vec<(&'static str, Stored)> {
        let (n, k, groups) = (self.outputs, self.inputs, self.groups);
        let per_word = self.per_word();
        let words = n / per_word;
        let codes = |input: usize, output: usize| self.codes[output * k + input];
        vec![
            ("qweight", Stored::words(&[k, words], |row, word| self.pack(|i| codes(row, word * per_word + AWQ_ORDER[i])))),
            ("qzeros", Stored::words(&[groups, words], |group, word| self.pack(|i| self.zero(word * per_word + AWQ_ORDER[i], group)))),
            ("scales", self.halves()),
        ]
    }

    /// `second`: zero points as they are, not less 1.
    pub(crate) fn gptq(&self, second: bool, index: bool) -> Vec<(&'static str, Stored)> {
        let (n, k, groups, per_word) = (self.outputs, self.inputs, self.groups, self.per_word());
        let zero = |output: usize, group: usize| self.zero(output, group) - u8::from(!second);
        let mut tensors = vec![
            ("qweight", Stored::words(&[k / per_word, n], |word, output| self.pack(|i| self.codes[output * k + word * per_word + i]))),
            ("qzeros", Stored::words(&[groups, n / per_word], |group, word| self.pack(|i| zero(word * per_word + i, group)))),
            ("scales", self.halves()),
        ];
        if index {
            tensors.push(("g_idx", self.index()));
        }
        tensors
    }

    pub(crate) fn packed(&self, symmetric: bool, index: bool) -> Vec<(&'static str, Stored)> {
        let (n, k, groups, per_word) = (self.outputs, self.inputs, self.groups, self.per_word());
        let scales = self.scales.iter().flat_map(|&scale| bf16::from_f32(scale).to_le_bytes()).collect();
        let shape = [n, k].iter().flat_map(|&size| (size as i64).to_le_bytes()).collect();
        let mut tensors = vec![
            (
                "weight_packed",
                Stored::words(&[n, k / per_word], |output, word| self.pack(|i| self.codes[output * k + word * per_word + i])),
            ),
            ("weight_scale", Stored::new(Dtype::BF16, &[n, groups], scales)),
            ("weight_shape", Stored::new(Dtype::I64, &[2], shape)),
        ];
        if !symmetric {
            tensors.push((
                "weight_zero_point",
                Stored::words(&[n / per_word, groups], |word, group| self.pack(|i| self.zero(word * per_word + i, group))),
            ));
        }
        if index {
            tensors.push(("weight_g_idx", self.index()));
        }
        tensors
    }

    fn index(&self) -> Stored {
        Stored::words(&[self.inputs, 1], |input, _| self.group_of[input] as u32).with_shape(&[self.inputs])
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

/// The largest code.
fn largest(bits: u32) -> f32 {
    ((1_u32 << bits) - 1) as f32
}

/// Scale and zero point. The scale is cut to few bits, which half precision and bfloat16 hold exactly.
fn grid(weights: impl Iterator<Item = f32>, symmetric: bool, largest: f32) -> (f32, f32) {
    let (low, high) = weights.fold((0.0_f32, 0.0_f32), |(low, high), weight| (low.min(weight), high.max(weight)));
    let middle = largest / 2.0 + 0.5;
    let step = if symmetric { high.max(-low) / (middle - 1.0) } else { (high - low) / largest };
    let scale = bf16::from_f32(step).to_f32();
    let zero = if symmetric { middle } else { (-low / scale).round().clamp(1.0, largest) };
    (scale, zero)
}
