/// `1.5 * 2^23`, whose neighbours are one apart.
const ROUND: f32 = 12_582_912.0;

/// The integer nearest to a number below `2^22`, ties to even. Unlike the standard library's it needs no instruction that some processors
/// lack, so that loops of it become vector code.
pub(crate) fn whole(x: f32) -> f32 {
    x + ROUND - ROUND
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "whole numbers are exact")]
    fn it_is_the_function_of_the_standard_library() {
        for i in -30_000..=30_000_i16 {
            let x = f32::from(i) / 64.0;
            assert_eq!(whole(x), x.round_ties_even(), "{x}");
        }
        assert!(whole(f32::NAN).is_nan());
    }
}
