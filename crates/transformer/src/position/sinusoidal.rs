/// Sinusoidal positions ([Vaswani et al. 2017](https://arxiv.org/abs/1706.03762), section 3.5), `[n_positions, d_model]` row-major:
/// frequency `i` of position `p` is `p / 10000^(2i / d_model)`.
///
/// With `interleaved` sine and cosine of a frequency stand side by side, as in the paper; without it all sines come first, as in
/// Marian and fairseq.
pub fn sinusoidal_table(n_positions: usize, d_model: usize, interleaved: bool) -> Vec<f32> {
    let sines = d_model.div_ceil(2);
    let mut table = vec![0.0; n_positions * d_model];
    for (position, row) in table.chunks_exact_mut(d_model.max(1)).enumerate() {
        for (column, value) in row.iter_mut().enumerate() {
            let (frequency, is_sine) = if interleaved { (column / 2, column % 2 == 0) } else { (column % sines, column < sines) };
            let angle = position as f64 / 10_000_f64.powf(2.0 * frequency as f64 / d_model as f64);
            *value = if is_sine { angle.sin() } else { angle.cos() } as f32;
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_follow_the_paper() {
        let table = sinusoidal_table(3, 4, true);
        let angle = 2.0 / 100.0_f32;
        assert_eq!(table[..4], [0.0, 1.0, 0.0, 1.0]);
        for (value, expected) in table[8..].iter().zip([2.0_f32.sin(), 2.0_f32.cos(), angle.sin(), angle.cos()]) {
            assert!((value - expected).abs() < 1e-7, "{value} {expected}");
        }
    }

    #[test]
    fn split_rows_hold_the_same_values_in_another_order() {
        let (paper, split) = (sinusoidal_table(5, 6, true), sinusoidal_table(5, 6, false));
        for (paper, split) in paper.chunks_exact(6).zip(split.chunks_exact(6)) {
            let turned = [paper[0], paper[2], paper[4], paper[1], paper[3], paper[5]];
            assert!(turned.iter().zip(split).all(|(a, b)| a.to_bits() == b.to_bits()), "{paper:?} {split:?}");
        }
    }
}
