//! A cache against a list of what was written.

use burn::tensor::{Device, Tensor, TensorData};
use proptest::prelude::*;

use super::{KvCache, KvShape, KvType};
use crate::samples::noise;
use crate::{RopePairs, Rotation, rope};

pub(super) fn kinds() -> impl Strategy<Value = KvType> {
    prop_oneof![Just(KvType::F32), Just(KvType::Bf16), Just(KvType::Int8)]
}

/// What a row becomes in a cache.
fn kept(row: &[f32], kind: KvType) -> Vec<f32> {
    let largest = row.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
    let one = |x: &f32| match kind {
        KvType::F32 => *x,
        KvType::Bf16 => {
            let [below, above] = [0, 0x1_0000].map(|step| f32::from_bits((x.to_bits() & 0xffff_0000) + step));
            let up = (above - x).abs() < (x - below).abs()
                || (above - x).abs().total_cmp(&(x - below).abs()).is_eq() && x.to_bits() & 0x1_0000 != 0;
            if up { above } else { below }
        }
        KvType::Int8 => (x * (127.0 / largest)).round_ties_even() * (largest / 127.0),
    };
    row.iter().map(one).collect()
}

proptest! {
    #[test]
    fn slots_hold_what_was_written_last(
        kind in kinds(),
        (blocks, block_size, kv_heads, head_dim) in (1_usize..5, prop_oneof![1_usize..6, 15_usize..34], 1_usize..4, prop_oneof![1_usize..40, 1_usize..=256]),
        steps in prop::collection::vec((any::<bool>(), any::<usize>(), any::<usize>()), 0..12),
    ) {
        let mut cache = KvCache::new(KvShape { blocks, block_size, kv_heads, head_dim }, kind);
        let (slots, token) = (blocks * block_size, kv_heads * head_dim);
        let mut twin = vec![[vec![0.0; token], vec![0.0; token]]; slots];
        for (step, (copy, a, b)) in steps.into_iter().enumerate() {
            if copy {
                cache.copy_block(a % blocks, b % blocks);
                for offset in 0..block_size {
                    twin[b % blocks * block_size + offset] = twin[a % blocks * block_size + offset].clone();
                }
            } else {
                let [keys, values] = [1, 2].map(|side| noise(2 * token, 2 * step as u64 + side));
                cache.write(&[a % slots, b % slots], &keys, &values);
                for (index, slot) in [a % slots, b % slots].into_iter().enumerate() {
                    let rows = [&keys, &values].map(|x| x[index * token..][..token].chunks(head_dim).flat_map(|row| kept(row, kind)).collect());
                    twin[slot] = rows;
                }
            }
        }
        let (keys, values) = cache.read(&(0..slots).collect::<Vec<_>>());
        prop_assert_eq!(keys, twin.iter().flat_map(|[keys, _]| keys.clone()).collect::<Vec<_>>());
        prop_assert_eq!(values, twin.iter().flat_map(|[_, values]| values.clone()).collect::<Vec<_>>());
    }
}

/// A tensor `[1, tokens, heads, width]` rotated by burn operations' twin or the host's pass, as a slice.
fn rotated(x: &[f32], [tokens, heads, width]: [usize; 3], [cos, sin]: [&[f32]; 2], pairs: RopePairs) -> Vec<f32> {
    let table =
        |values: &[f32]| Tensor::<3>::from_data(TensorData::new(values.to_vec(), [1, tokens, values.len() / tokens]), &Device::flex());
    let x = Tensor::<4>::from_data(TensorData::new(x.to_vec(), [1, tokens, heads, width]), &Device::flex());
    rope(x, &table(cos), &table(sin), pairs).into_data().try_into_vec().unwrap()
}

proptest! {
    #[test]
    fn keys_that_are_rotated_on_their_way_are_those_of_rope(
        kind in kinds(),
        (tokens, kv_heads, head_dim) in (1_usize..6, 1_usize..4, 1_usize..50),
        half in any::<prop::sample::Index>(),
        interleaved: bool,
        seed: u64,
    ) {
        let half = half.index(head_dim / 2 + 1).max(head_dim.min(2) / 2);
        let pairs = if interleaved { RopePairs::Interleaved } else { RopePairs::HalfSplit };
        let [cos, sin] = [1, 2].map(|table| noise(tokens * half, seed ^ table));
        let [keys, values] = [3, 4].map(|side| noise(tokens * kv_heads * head_dim, seed ^ side));
        let rotation = Rotation { cos: &cos, sin: &sin, pairs };
        let mut expected = keys.clone();
        if half > 0 {
            expected = rotated(&keys, [tokens, kv_heads, head_dim], [&cos, &sin], pairs);
        }
        let mut in_place = keys.clone();
        rotation.rotate(&mut in_place, tokens, head_dim);
        prop_assert_eq!(&in_place, &expected);
        let slots: Vec<usize> = (0..tokens).rev().collect();
        let shape = KvShape { blocks: 3, block_size: 2, kv_heads, head_dim };
        let [mut at_once, mut after] = [(); 2].map(|()| KvCache::new(shape, kind));
        at_once.write_rotated(&slots, &keys, &values, &rotation);
        after.write(&slots, &expected, &values);
        prop_assert_eq!(at_once.read(&slots), after.read(&slots));
    }
}

#[test]
#[should_panic(expected = "do not fit 2 tokens")]
fn tables_of_another_length_are_refused() {
    let mut cache = KvCache::new(KvShape { blocks: 3, block_size: 2, kv_heads: 1, head_dim: 2 }, KvType::F32);
    let rotation = Rotation { cos: &[1.0; 3], sin: &[0.0; 3], pairs: RopePairs::HalfSplit };
    cache.write_rotated(&[0, 1], &[0.0; 4], &[0.0; 4], &rotation);
}

#[test]
fn bytes_count_padding_and_scales() {
    let shape = KvShape { blocks: 3, block_size: 16, kv_heads: 2, head_dim: 70 };
    let bytes = [KvType::F32, KvType::Bf16, KvType::Int8].map(|kind| KvCache::new(shape, kind).bytes_per_block());
    assert_eq!(bytes, [32 * 150 * 4, 32 * 150 * 2, 32 * 158]);
    let odd = KvShape { block_size: 17, ..shape };
    assert_eq!(odd.bytes_per_block(KvType::F32), 2 * (32 * 70 + 17 * 80) * 4);
}

#[test]
fn a_row_that_is_not_finite_is_nan_alone() {
    let mut cache = KvCache::new(KvShape { blocks: 1, block_size: 2, kv_heads: 2, head_dim: 2 }, KvType::Int8);
    cache.write(&[1], &[f32::INFINITY, 1.0, 127.0, -64.0], &[0.0; 4]);
    let (keys, values) = cache.read(&[1]);
    assert!(keys[..2].iter().all(|x| x.is_nan()));
    assert_eq!((&keys[2..], values), (&[127.0, -64.0][..], vec![0.0; 4]));
}

#[test]
#[should_panic(expected = "slot 6 of 6")]
fn a_slot_beyond_the_cache_is_refused() {
    let mut cache = KvCache::new(KvShape { blocks: 3, block_size: 2, kv_heads: 1, head_dim: 1 }, KvType::F32);
    cache.write(&[5, 6], &[0.0; 2], &[0.0; 2]);
}
