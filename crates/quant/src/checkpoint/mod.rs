//! Layers of four and eight bits as other tools store them, packed into 32-bit words: `AutoAWQ`, GPTQ and compressed-tensors.
//!
//! Each function takes the tensors of one layer as they stand in a safetensors file, row-major, and gives [`PackedLayer`]: codes with a scale and a
//! zero point for each group of inputs. What does not fit is refused with the name of the tensor. [`PackQuantized`] is the way back.
//!
//! ```
//! use jarre_quant::checkpoint::{Bits, GptqFormat, gptq};
//!
//! // 8 inputs, 1 output, one group: codes 0 to 7, zero point 8 (files of version 1 store one less), scale 0.5.
//! let format = GptqFormat { bits: Bits::Four, second: false };
//! let layer = gptq(&[0x7654_3210], &[0x0000_0007], &[0.5], None, [1, 8], format)?;
//! assert_eq!(layer.dequantize()[..3], [-4.0, -3.5, -3.0]);
//! # Ok::<(), jarre_quant::Error>(())
//! ```

mod awq;
mod compressed;
mod gptq;

pub use self::awq::awq;
pub use self::compressed::{PackQuantized, compressed_tensors};
pub use self::gptq::{GptqFormat, gptq};
use crate::error::{Error, Result};
use crate::int4::{Grid, Int4Groups, Int4Scheme};
use crate::int8::Int8Rows;

/// Bits of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bits {
    /// Codes of 0 to 15.
    Four,
    /// Codes of 0 to 255.
    Eight,
}

impl Bits {
    /// Codes of a 32-bit word.
    pub fn per_word(self) -> usize {
        match self {
            Self::Four => 8,
            Self::Eight => 4,
        }
    }

    /// The code that stands for 0 where groups have no zero points.
    fn middle(self) -> u16 {
        match self {
            Self::Four => 8,
            Self::Eight => 128,
        }
    }

    /// Code `index` of a word, the first one lowest.
    fn code(self, word: i32, index: usize) -> u8 {
        match self {
            Self::Four => (word.cast_unsigned() >> (4 * index)) as u8 & 15,
            Self::Eight => (word.cast_unsigned() >> (8 * index)) as u8,
        }
    }
}

/// A layer `[outputs, inputs]` in four or eight bits, in which any inputs may share a group: a value is `(code - zero) scale`.
#[derive(Clone, Debug, PartialEq)]
pub struct PackedLayer {
    bits: Bits,
    outputs: usize,
    /// The group of each input.
    group_of: Vec<u32>,
    groups: usize,
    /// Row-major.
    codes: Vec<u8>,
    /// `[outputs, groups]`, like the zero points, which GPTQ's first version stores less 1: so one may be a step beyond the codes.
    scales: Vec<f32>,
    zeros: Vec<u16>,
    zero_point: bool,
}

impl PackedLayer {
    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Number of inputs.
    pub fn inputs(&self) -> usize {
        self.group_of.len()
    }

    /// The weights in f32, `[outputs, inputs]`.
    pub fn dequantize(&self) -> Vec<f32> {
        let value = |code: u8, at: usize| (f32::from(code) - f32::from(self.zeros[at])) * self.scales[at];
        let row = |(output, codes): (usize, &[u8])| -> Vec<f32> {
            codes.iter().zip(&self.group_of).map(|(&code, &group)| value(code, output * self.groups + group as usize)).collect()
        };
        self.codes.chunks_exact(self.inputs().max(1)).enumerate().flat_map(row).collect()
    }

    /// The same as groups of neighbours in four bits; nothing where a file ordered its inputs otherwise (`desc_act`, `actorder`), or has eight.
    pub fn to_groups(&self) -> Option<Int4Groups> {
        let group = self.inputs().checked_div(self.groups).filter(|&group| group > 0)?;
        let neighbours = self.group_of.iter().enumerate().all(|(input, &of)| input / group == of as usize);
        let scheme = Int4Scheme { group, zero_point: self.zero_point };
        let grid = || self.scales.iter().zip(&self.zeros).map(|(&scale, &zero)| Grid { scale, zero: zero as u8 }).collect();
        let four = neighbours && self.bits == Bits::Four;
        four.then(|| Int4Groups::from_codes(self.codes.clone(), grid(), self.inputs(), scheme))
    }

    /// The same as rows in eight bits; nothing where a row has several groups, the middle code is not 0, or codes have four bits.
    pub fn to_rows(&self) -> Option<Int8Rows> {
        let middle = Bits::Eight.middle();
        let rows = self.bits == Bits::Eight && self.groups == 1 && self.zeros.iter().all(|&zero| zero == middle);
        let values = || self.codes.iter().map(|&code| (code ^ 0x80).cast_signed()).collect();
        rows.then(|| Int8Rows::from_parts(values(), self.scales.clone(), self.inputs()).ok()).flatten()
    }
}

/// The groups of inputs that a file names, of which there are `groups`.
fn indexed(tensor: &'static str, index: &[i32], inputs: usize, groups: usize) -> Result<Vec<u32>> {
    expect(tensor, index.len(), inputs)?;
    let of = |&group: &i32| u32::try_from(group).ok().filter(|&group| (group as usize) < groups);
    index.iter().map(|group| of(group).ok_or(Error::Checkpoint { tensor, found: inputs, expected: groups })).collect()
}

/// Groups of equally many neighbours.
fn neighbours(inputs: usize, groups: usize) -> Result<Vec<u32>> {
    if groups == 0 || inputs == 0 || !inputs.is_multiple_of(groups) {
        return Err(Error::Checkpoint { tensor: "scales", found: groups, expected: inputs });
    }
    Ok((0..inputs).map(|input| (input / (inputs / groups)) as u32).collect())
}

fn expect(tensor: &'static str, found: usize, expected: usize) -> Result<()> {
    if found == expected { Ok(()) } else { Err(Error::Checkpoint { tensor, found, expected }) }
}

/// The words along a size of a layer that its codes fill to the end.
fn whole_words(size: usize, bits: Bits) -> Result<usize> {
    if size.is_multiple_of(bits.per_word()) {
        Ok(size / bits.per_word())
    } else {
        Err(Error::Checkpoint { tensor: "a side of the weights", found: size, expected: bits.per_word() })
    }
}

/// The number of groups of `scales` for `outputs`, all of which have to be finite.
fn groups_of(scales: &[f32], outputs: usize) -> Result<usize> {
    if outputs == 0 || !scales.len().is_multiple_of(outputs) {
        return Err(Error::Checkpoint { tensor: "scales", found: scales.len(), expected: outputs });
    }
    match scales.iter().position(|scale| !scale.is_finite()) {
        Some(index) => Err(Error::NotFinite { index }),
        None => Ok(scales.len() / outputs),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIRST: GptqFormat = GptqFormat { bits: Bits::Four, second: false };

    /// Puts `codes` into words, code `order[i]` of each eight at place `i`.
    fn words(codes: &[u8], order: [usize; 8]) -> Vec<i32> {
        let word = |eight: &[u8]| (0..8).fold(0_u32, |word, i| word | u32::from(eight[order[i]]) << (4 * i)).cast_signed();
        codes.chunks_exact(8).map(word).collect()
    }

    const PLAIN: [usize; 8] = [0, 1, 2, 3, 4, 5, 6, 7];
    const AWQ: [usize; 8] = [0, 2, 4, 6, 1, 3, 5, 7];

    fn turned<T: Copy>(values: &[T], rows: usize, columns: usize) -> Vec<T> {
        (0..columns).flat_map(|column| (0..rows).map(move |row| values[row * columns + column])).collect()
    }

    proptest! {
        #[test]
        fn every_layout_holds_the_same_layer(
            [n, groups] in prop::array::uniform2(1_usize..4),
            per_group in prop::sample::select(vec![8_usize, 16]),
            seed in prop::collection::vec((0_u8..16, 1_u8..16, 0.01_f32..1.0), 24 * 48),
            second: bool,
        ) {
            let (n, k) = (n * 8, groups * per_group);
            let codes: Vec<u8> = (0..n * k).map(|i| seed[i % seed.len()].0).collect();
            let zeros: Vec<u8> = (0..n * groups).map(|i| seed[i].1).collect();
            let scales: Vec<f32> = (0..n * groups).map(|i| seed[i].2).collect();
            let expected: Vec<f32> = (0..n * k)
                .map(|i| {
                    let group = i / k * groups + i % k / per_group;
                    (f32::from(codes[i]) - f32::from(zeros[group])) * scales[group]
                })
                .collect();
            let by_input = turned(&codes, n, k);
            let (zeros_by_group, scales_by_group) = (turned(&zeros, n, groups), turned(&scales, n, groups));
            let layer = awq(&words(&by_input, AWQ), &words(&zeros_by_group, AWQ), &scales_by_group, [n, k]).unwrap();
            prop_assert_eq!(&layer.dequantize(), &expected);
            prop_assert_eq!(layer.to_groups().unwrap().dequantize(), expected.clone());

            // GPTQ's words run along the inputs, and its first version stores zero points less 1.
            let stored: Vec<u8> = zeros_by_group.iter().map(|zero| if second { *zero } else { zero - 1 }).collect();
            let along_inputs = turned(&words(&codes, PLAIN), n, k / 8);
            let layer = gptq(&along_inputs, &words(&stored, PLAIN), &scales_by_group, None, [n, k], GptqFormat { second, ..FIRST }).unwrap();
            prop_assert_eq!(&layer.dequantize(), &expected);

            let packed_zeros = turned(&words(&zeros_by_group, PLAIN), groups, n / 8);
            let layer = compressed_tensors(&words(&codes, PLAIN), &scales, Some(&packed_zeros), None, [n, k], Bits::Four).unwrap();
            prop_assert_eq!(&layer.dequantize(), &expected);

            // What is read is what is written.
            let written = PackQuantized::of(&layer.to_groups().unwrap()).unwrap();
            prop_assert_eq!(written.weight_packed, words(&codes, PLAIN));
            prop_assert_eq!(written.weight_scale, scales);
            prop_assert_eq!(written.weight_zero_point, Some(packed_zeros));
        }
    }

    #[test]
    fn words_that_are_part_full_are_filled_up_with_zeros() {
        // Two outputs of twelve inputs in groups of four; the codes of the second run down from 15.
        let scheme = Int4Scheme::asymmetric(4);
        let codes: Vec<u8> = (0..12).chain((4..16).rev()).collect();
        let zeros = [1, 2, 3, 10, 11, 12];
        let grid: Vec<Grid> = zeros.iter().zip([0.5, -1.0, 2.0, 4.0, 8.0, 16.0]).map(|(&zero, scale)| Grid { scale, zero }).collect();
        let groups = Int4Groups::from_parts(codes, grid, 12, scheme).unwrap();
        let written = PackQuantized::of(&groups).unwrap();
        let words = [0x7654_3210, 0x0000_ba98, 0x89ab_cdef_u32.cast_signed(), 0x0000_4567];
        assert_eq!(written.weight_packed, words);
        assert_eq!(written.weight_scale, [0.5, -1.0, 2.0, 4.0, 8.0, 16.0]);
        assert_eq!(written.weight_zero_point.as_deref(), Some(&[0xa1, 0xb2, 0xc3][..]));
        let read = compressed_tensors(
            &written.weight_packed,
            &written.weight_scale,
            written.weight_zero_point.as_deref(),
            None,
            [2, 12],
            Bits::Four,
        );
        assert_eq!(read.unwrap().to_groups(), Some(groups.clone()));

        let grid = vec![Grid { scale: 1.0, zero: 8 }; 6];
        let symmetric = Int4Groups::from_parts(groups.codes().to_vec(), grid, 12, Int4Scheme::symmetric(4)).unwrap();
        let written = PackQuantized::of(&symmetric).unwrap();
        assert_eq!((&written.weight_packed[..], written.weight_zero_point), (&words[..], None));
        let grid = vec![Grid { scale: 1.0, zero: 16 }];
        let beyond = Int4Groups::from_parts(vec![0; 4], grid, 4, scheme).unwrap();
        assert!(PackQuantized::of(&beyond).unwrap_err().to_string().contains("zero point of 16"));
    }

    #[test]
    fn eight_bits_are_four_codes_of_a_word() {
        // Eight inputs, two outputs; words of outputs 0 and 1 stand side by side.
        let qweight = [0x8001_ff00, 0x0302_0180, 0x8182_8384, 0xff7f_8000].map(u32::cast_signed);
        let scales = [0.5, 2.0];
        // Zero points of 128 and 1, in a word with room for four.
        let zeros = [0x0000_007f];
        let first = GptqFormat { bits: Bits::Eight, second: false };
        let layer = gptq(&qweight, &zeros, &scales, None, [2, 8], first).unwrap();
        let expected = [
            [0.0, 255.0, 1.0, 128.0, 132.0, 131.0, 130.0, 129.0].map(|code| (code - 128.0) * 0.5),
            [128.0, 1.0, 2.0, 3.0, 0.0, 128.0, 127.0, 255.0].map(|code| (code - 1.0) * 2.0),
        ];
        assert_eq!(layer.dequantize(), expected.concat());
        assert!(layer.to_groups().is_none() && layer.to_rows().is_none(), "a zero point is not in the middle");
        let second = GptqFormat { second: true, ..first };
        assert_eq!(gptq(&qweight, &[0x0000_0180], &scales, None, [2, 8], second).unwrap(), layer);
        // The largest that the first version stores is one beyond the codes.
        let beyond = gptq(&[0x0000_00ff], &[0xff], &[1.0], None, [1, 4], first).unwrap();
        assert_eq!(beyond.dequantize(), [-1.0, -256.0, -256.0, -256.0]);

        let rows = gptq(&qweight, &[0x0000_7f7f], &scales, None, [2, 8], first).unwrap();
        let eight = rows.to_rows().unwrap();
        assert_eq!(eight.values()[..8], [-128, 127, -127, 0, 4, 3, 2, 1]);
        assert_eq!((eight.scales(), eight.dequantize()), (&scales[..], rows.dequantize()));
        let groups = [1, 0, 1, 0, 0, 0, 1, 1];
        let ordered = gptq(&qweight, &[0x7f7f; 2], &[0.5, 2.0, 1.0, 4.0], Some(&groups), [2, 8], first).unwrap();
        assert_eq!(ordered.dequantize()[..4], [-128.0, 63.5, -127.0, 0.0]);
        assert!(ordered.to_rows().is_none() && ordered.to_groups().is_none());

        // compressed-tensors: words along a row.
        let turned = [qweight[0], qweight[2], qweight[1], qweight[3]];
        let packed = compressed_tensors(&turned, &scales, None, None, [2, 8], Bits::Eight).unwrap();
        assert_eq!((packed.dequantize(), packed.to_rows()), (rows.dequantize(), rows.to_rows()));
        let with_zeros = compressed_tensors(&turned, &scales, Some(&[0x0000_0180]), None, [2, 8], Bits::Eight).unwrap();
        assert_eq!(with_zeros.dequantize(), layer.dequantize());
    }

    #[test]
    fn inputs_may_be_in_any_order_of_groups() {
        let groups = [1, 0, 1, 0, 0, 0, 1, 1];
        let layer = gptq(&[0x7654_3210], &[7, 0], &[1.0, 10.0], Some(&groups), [1, 8], FIRST);
        let layer = layer.unwrap();
        // Zero points 8 and 1.
        assert_eq!(layer.dequantize(), [-10.0, -7.0, 10.0, -5.0, -4.0, -3.0, 50.0, 60.0]);
        assert!(layer.to_groups().is_none());
    }

    #[test]
    fn inputs_of_compressed_tensors_may_be_in_any_order_too() {
        let (packed, scales) = ([0x7654_3210], [1.0, 10.0]);
        let read = |index: &[i32]| compressed_tensors(&packed, &scales, Some(&[0x8, 0x1]), Some(index), [1, 8], Bits::Four);
        // Zero points 8 and 1.
        let layer = read(&[1, 0, 1, 0, 0, 0, 1, 1]).unwrap();
        assert_eq!(layer.dequantize(), [-10.0, -7.0, 10.0, -5.0, -4.0, -3.0, 50.0, 60.0]);
        assert!(layer.to_groups().is_none());
        // One group after the other, whether the index says so or was never set.
        let sorted = read(&[0, 0, 0, 0, 1, 1, 1, 1]).unwrap();
        assert_eq!(sorted.to_groups().unwrap().dequantize(), [-8.0, -7.0, -6.0, -5.0, 30.0, 40.0, 50.0, 60.0]);
        assert_eq!(read(&[-1; 8]).unwrap(), sorted);
        for index in [&[0, 0, 0, 0, 1, 1, 1, 2][..], &[0, 0, 0, 0, 1, 1, 1, -1], &[-1; 7], &[0; 9]] {
            assert!(read(index).unwrap_err().to_string().contains("weight_g_idx"), "{index:?}");
        }
    }

    #[test]
    fn layers_without_inputs_and_more_groups_than_inputs_do_no_harm() {
        assert!(awq(&[], &[0], &[1.0; 8], [8, 0]).is_err() && compressed_tensors(&[], &[1.0], None, None, [1, 0], Bits::Four).is_err());
        let layer = gptq(&[0], &[0; 16], &[1.0; 16], Some(&[0, 1, 2, 3, 4, 5, 6, 7]), [1, 8], FIRST).unwrap();
        assert!(layer.to_groups().is_none() && layer.dequantize().len() == 8);
    }

    #[test]
    fn without_zero_points_the_middle_code_is_zero() {
        let layer = compressed_tensors(&[0x7654_3218], &[2.0], None, None, [1, 8], Bits::Four).unwrap();
        assert_eq!(layer.dequantize()[..2], [0.0, -14.0]);
    }

    #[test]
    fn tensors_that_do_not_fit_are_named() {
        let named = |result: Result<PackedLayer>| result.unwrap_err().to_string();
        assert!(named(awq(&[0; 8], &[0], &[1.0; 8], [8, 1 << 45])).contains("qweight"));
        assert!(named(compressed_tensors(&[0; 2], &[1.0; 2], None, None, [2, 1 << 45], Bits::Four)).contains("weight_packed"));
        assert!(named(awq(&[0; 7], &[0], &[1.0; 8], [8, 8])).contains("qweight"));
        assert!(named(awq(&[0; 8], &[0; 2], &[1.0; 8], [8, 8])).contains("qzeros"));
        assert!(named(awq(&[0; 8], &[0], &[1.0; 9], [8, 8])).contains("scales"));
        assert!(named(gptq(&[0], &[0], &[f32::NAN], None, [1, 8], FIRST)).contains("not finite"));
        assert!(named(gptq(&[0; 2], &[0], &[1.0; 2], None, [2, 9], FIRST)).contains("a side of the weights"));
        assert!(named(gptq(&[0], &[0], &[1.0], Some(&[0, 0, 0, 0, 0, 0, 0, 9]), [1, 8], FIRST)).contains("g_idx"));
        assert!(named(gptq(&[0], &[0], &[1.0], Some(&[-1; 8]), [1, 8], FIRST)).contains("g_idx"));
        let eight = GptqFormat { bits: Bits::Eight, second: true };
        assert!(named(gptq(&[0], &[0], &[1.0], None, [1, 8], eight)).contains("qweight"));
        assert!(named(gptq(&[0; 2], &[0], &[1.0; 5], None, [5, 8], eight)).contains("qweight"));
        assert!(named(gptq(&[0; 10], &[0], &[1.0; 5], None, [5, 8], eight)).contains("qzeros"));
        assert!(named(gptq(&[0; 2], &[0], &[1.0; 2], None, [2, 6], eight)).contains("a side of the weights"));
        assert!(named(gptq(&[0; 2], &[0], &[1.0], Some(&[0, 0, 0, 0, 0, 0, 0, 1]), [1, 8], eight)).contains("g_idx"));
        assert!(named(compressed_tensors(&[0], &[1.0; 3], None, None, [1, 8], Bits::Four)).contains("scales"));
        assert!(named(compressed_tensors(&[], &[], None, None, [0, 8], Bits::Four)).contains("scales"));
        assert!(named(compressed_tensors(&[0; 2], &[1.0], None, None, [1, 8], Bits::Four)).contains("weight_packed"));
        assert!(named(compressed_tensors(&[0], &[1.0], Some(&[0; 3]), None, [1, 8], Bits::Four)).contains("weight_zero_point"));
    }
}
