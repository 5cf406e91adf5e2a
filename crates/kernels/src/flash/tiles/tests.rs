//! Tiles against vectors: rounding, and numbers that tiles do not take. On processors without tiles there is nothing to test.

use super::super::{Batch, Heads, Isa, Mask, Settings, Team, attend_batch};
use crate::samples::{noise, pools};

const TOKENS: usize = 333;
const WIDTH: usize = 56;

/// The team with tiles, and the one with the same processor's vectors.
fn teams() -> Option<[Team<'static>; 2]> {
    let teams = Team::available(&pools()[1]);
    let [tiles, vectors, ..] = teams[..] else { return None };
    matches!(tiles.isa, Isa::Tiles(_)).then_some([tiles, vectors])
}

/// Causal attention of `[TOKENS, WIDTH]` in one head.
fn attend(team: Team<'_>, [queries, keys, values]: [&[f32]; 3]) -> Vec<f32> {
    let heads = |x| Heads::dense(x, 1, WIDTH);
    let starts = [0, TOKENS];
    let batch = Batch { queries: heads(queries), keys: heads(keys), values: heads(values), query_starts: &starts, key_starts: &starts };
    let mut out = vec![f32::NAN; TOKENS * WIDTH];
    attend_batch(team, &batch, &Mask { causal: true, ..Mask::default() }, Settings::default(), &mut out, None);
    out
}

fn inputs() -> [Vec<f32>; 3] {
    [1, 2, 3].map(|seed| noise(TOKENS * WIDTH, seed))
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}

/// Attention in f64.
fn exact([queries, keys, values]: [&[f32]; 3]) -> Vec<f64> {
    let row = |x: &[f32], token: usize| x[token * WIDTH..(token + 1) * WIDTH].iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
    let mut out = Vec::new();
    for query in 0..TOKENS {
        let q = row(queries, query);
        let weight = |key| row(keys, key).iter().zip(&q).map(|(k, q)| k * q).sum::<f64>().exp();
        let weights: Vec<f64> = (0..=query).map(weight).collect();
        let total: f64 = weights.iter().sum();
        let mut mix = vec![0.0; WIDTH];
        for (key, weight) in weights.iter().enumerate() {
            mix.iter_mut().zip(row(values, key)).for_each(|(mix, v)| *mix += weight / total * v);
        }
        out.extend(mix);
    }
    out
}

#[test]
fn three_parts_are_as_close_as_f32() {
    let Some(teams) = teams() else { return };
    let inputs = inputs();
    let inputs = inputs.each_ref().map(Vec::as_slice);
    let expected = exact(inputs);
    let [tiles, vectors] = teams.map(|team| {
        let squares = attend(team, inputs).iter().zip(&expected).map(|(&x, e)| (f64::from(x) - e).powi(2)).sum::<f64>();
        (squares / expected.len() as f64).sqrt()
    });
    assert!(tiles < 1.25 * vectors, "{tiles} of tiles, {vectors} of vectors");
}

#[test]
fn large_keys_and_values_are_taken_by_vectors() {
    let Some([tiles, vectors]) = teams() else { return };
    let plain = inputs();
    for (side, number) in [(1, f32::INFINITY), (1, f32::NAN), (1, f32::MIN), (2, f32::NEG_INFINITY), (2, f32::MAX)] {
        let mut changed = plain.clone();
        changed[side][300 * WIDTH + 7] = number;
        let changed = changed.each_ref().map(Vec::as_slice);
        let [given, expected] = [tiles, vectors].map(|team| bits(&attend(team, changed)));
        let before = bits(&attend(tiles, plain.each_ref().map(Vec::as_slice)));
        // Key 300 is in the block that starts at 256. Of the queries there, those before it may show it.
        assert!(given[..256 * WIDTH] == before[..256 * WIDTH], "{number}");
        assert!(given[300 * WIDTH..] == expected[300 * WIDTH..], "{number}");
    }
}

#[test]
fn large_queries_are_taken_by_vectors() {
    let Some([tiles, vectors]) = teams() else { return };
    let plain = inputs();
    let before = bits(&attend(tiles, plain.each_ref().map(Vec::as_slice)));
    for number in [f32::INFINITY, f32::NAN, f32::MAX] {
        let mut changed = plain.clone();
        changed[0][100 * WIDTH] = number;
        changed[0][101 * WIDTH + 55] = number;
        let changed = changed.each_ref().map(Vec::as_slice);
        let [given, expected] = [tiles, vectors].map(|team| bits(&attend(team, changed)));
        assert!(given[..100 * WIDTH] == before[..100 * WIDTH], "{number}");
        assert!(given[100 * WIDTH..102 * WIDTH] == expected[100 * WIDTH..102 * WIDTH], "{number}");
        assert!(given[102 * WIDTH..] == before[102 * WIDTH..], "{number}");
    }
}

#[test]
fn subnormal_numbers_count_as_zero() {
    let Some([tiles, _]) = teams() else { return };
    let mut changed = inputs();
    changed[2].fill(1e-40);
    assert!(attend(tiles, changed.each_ref().map(Vec::as_slice)).iter().all(|x| x.to_bits() == 0));
}
