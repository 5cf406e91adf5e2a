use std::fmt;

/// How the elements of a tensor are stored: `ggml_type` of the specification, as far as it is read here.
///
/// Quantised types store blocks of elements along the first dimension, each with its scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TensorType {
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary16.
    F16,
    /// The upper half of a binary32.
    BF16,
    /// 32 integers of 8 bits times a scale.
    Q8_0,
    /// 32 integers of 4 bits, from -8 to 7, times a scale.
    Q4_0,
    /// 32 integers of 4 bits times a scale, plus a minimum.
    Q4_1,
    /// 32 integers of 5 bits, from -16 to 15, times a scale.
    Q5_0,
    /// 32 integers of 5 bits times a scale, plus a minimum.
    Q5_1,
    /// 256 integers of 4 bits in 8 groups, which have scales and minima of 6 bits.
    Q4K,
    /// 256 integers of 5 bits in 8 groups, which have scales and minima of 6 bits.
    Q5K,
    /// 256 integers of 6 bits, from -32 to 31, in 16 groups, which have scales of 8 bits.
    Q6K,
}

impl TensorType {
    /// Every type.
    pub const ALL: [Self; 11] =
        [Self::F32, Self::F16, Self::BF16, Self::Q8_0, Self::Q4_0, Self::Q4_1, Self::Q5_0, Self::Q5_1, Self::Q4K, Self::Q5K, Self::Q6K];

    /// The number in the file.
    pub fn id(self) -> u32 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Q4_0 => 2,
            Self::Q4_1 => 3,
            Self::Q5_0 => 6,
            Self::Q5_1 => 7,
            Self::Q8_0 => 8,
            Self::Q4K => 12,
            Self::Q5K => 13,
            Self::Q6K => 14,
            Self::BF16 => 30,
        }
    }

    /// The type with a number; `None` for those that are not read here.
    pub fn from_id(id: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.id() == id)
    }

    /// Elements in a block; 1 for types that are not quantised. The first dimension is a multiple of it.
    pub fn block_len(self) -> usize {
        match self {
            Self::F32 | Self::F16 | Self::BF16 => 1,
            Self::Q8_0 | Self::Q4_0 | Self::Q4_1 | Self::Q5_0 | Self::Q5_1 => 32,
            Self::Q4K | Self::Q5K | Self::Q6K => 256,
        }
    }

    /// Bytes of a block.
    pub fn block_bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
            Self::Q4_0 => 2 + 16,
            Self::Q4_1 => 2 + 2 + 16,
            Self::Q5_0 => 2 + 4 + 16,
            Self::Q5_1 => 2 + 2 + 4 + 16,
            Self::Q8_0 => 2 + 32,
            Self::Q4K => 2 + 2 + 12 + 128,
            Self::Q5K => 2 + 2 + 12 + 32 + 128,
            Self::Q6K => 128 + 64 + 16 + 2,
        }
    }

    /// What ggml calls the type.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::BF16 => "BF16",
            Self::Q8_0 => "Q8_0",
            Self::Q4_0 => "Q4_0",
            Self::Q4_1 => "Q4_1",
            Self::Q5_0 => "Q5_0",
            Self::Q5_1 => "Q5_1",
            Self::Q4K => "Q4_K",
            Self::Q5K => "Q5_K",
            Self::Q6K => "Q6_K",
        }
    }
}

impl fmt::Display for TensorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Names of types that ggml has and this module does not read, for errors.
pub(super) fn describe(id: u32) -> String {
    let name = match id {
        9 => "Q8_1",
        10 => "Q2_K",
        11 => "Q3_K",
        15 => "Q8_K",
        16..=19 | 21..=22 | 29 => "one of IQ1, IQ2 and IQ3",
        20 | 23 => "one of IQ4",
        24..=27 => "an integer type",
        28 => "F64",
        34..=35 => "ternary",
        39..=40 => "one of FP4",
        _ => return format!("{id}, which no version of ggml knows that this module does"),
    };
    format!("{id} ({name})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_types_correspond() {
        for one in TensorType::ALL {
            assert_eq!(TensorType::from_id(one.id()), Some(one));
        }
        assert_eq!((0..100).filter_map(TensorType::from_id).count(), TensorType::ALL.len());
        assert!(describe(10).contains("Q2_K") && describe(99).starts_with("99,"));
    }
}
