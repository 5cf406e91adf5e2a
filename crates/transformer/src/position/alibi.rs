/// The slopes of ALiBi for `n_heads` heads ([Press et al. 2021](https://arxiv.org/abs/2108.12409), section 3): `2^(-8 h / n)` for
/// `h = 1..=n` where `n` is a power of two; otherwise those of the next lower power, then every second one of the next higher.
pub fn alibi_slopes(n_heads: usize) -> Vec<f32> {
    if n_heads == 0 {
        return Vec::new();
    }
    let below = 1 << n_heads.ilog2();
    let geometric = |count: usize| move |head: usize| 2_f64.powf(-8.0 * (head + 1) as f64 / count as f64) as f32;
    let between = (0..below).step_by(2).map(geometric(2 * below));
    (0..below).map(geometric(below)).chain(between).take(n_heads).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_of_a_power_of_two_are_geometric() {
        assert_eq!(alibi_slopes(8), [0.5, 0.25, 0.125, 0.0625, 0.031_25, 0.015_625, 0.007_812_5, 0.003_906_25]);
    }

    #[test]
    fn other_counts_take_every_second_slope_of_the_next_power() {
        let slopes = alibi_slopes(6);
        assert_eq!(slopes[..4], alibi_slopes(4)[..]);
        assert_eq!(slopes[4..], [alibi_slopes(8)[0], alibi_slopes(8)[2]]);
        assert_eq!(alibi_slopes(1), [2_f32.powi(-8)]);
        assert!(alibi_slopes(0).is_empty());
    }
}
