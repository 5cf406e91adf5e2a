//! Quantiles of what was measured.

/// The smallest of `sorted` values that is not below a share `q` of them (nearest rank); `None` of none.
pub(crate) fn quantile<T: Copy>(sorted: &[T], q: f64) -> Option<T> {
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_the_nearest_not_below() {
        let values: Vec<u32> = (1..=100).collect();
        assert_eq!(quantile(&values, 0.5), Some(50));
        assert_eq!(quantile(&values, 0.99), Some(99));
        assert_eq!(quantile(&values[..3], 0.5), Some(2));
        assert_eq!(quantile(&values[..1], 0.0), Some(1));
        assert_eq!(quantile::<u32>(&[], 0.5), None);
    }
}
