//! Which instructions the processor has, found once at run time.

#![expect(unsafe_code, reason = "functions compiled for instructions that not every processor has")]

use std::sync::OnceLock;

use crate::amx::Amx;

/// A set of instructions that this processor has. A value of this type proves it: only what was detected can be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    pub(super) vectors: Instructions,
    /// Products of whole tiles beside vectors of 512 bits.
    pub(super) tiles: Option<Amx>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instructions {
    /// AVX-512 F, BW, VL, DQ and VNNI.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// AVX2 and FMA, which came with it.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

impl Level {
    /// What every processor runs.
    pub const PORTABLE: Self = Self::of(Instructions::Portable);

    /// The fastest level of this processor.
    pub fn detect() -> Self {
        static BEST: OnceLock<Level> = OnceLock::new();
        *BEST.get_or_init(|| Self::available().first().copied().unwrap_or(Self::PORTABLE))
    }

    /// Every level of this processor, the fastest first. Tests and benches run each of them.
    pub fn available() -> Vec<Self> {
        let mut levels = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if has_avx512() {
                let vectors = Self::of(Instructions::Avx512);
                levels.extend(Amx::new().map(|amx| Self { tiles: Some(amx), ..vectors }));
                levels.push(vectors);
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                levels.push(Self::of(Instructions::Avx2));
            }
        }
        levels.push(Self::PORTABLE);
        levels
    }

    const fn of(vectors: Instructions) -> Self {
        Self { vectors, tiles: None }
    }

    /// Runs `work` compiled for this level's instructions, which reaches only what is inlined into it: mark the closure
    /// `#[inline(always)]`. A multiplication and an addition are fused nowhere but where the code says so, so results are the same on all.
    #[inline(always)]
    pub(super) fn vectorize<T>(self, work: impl FnOnce() -> T) -> T {
        match self.vectors {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: this level is built only where the processor was found to have these instructions.
            Instructions::Avx512 => unsafe { with_avx512(work) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Instructions::Avx2 => unsafe { with_avx2(work) },
            Instructions::Portable => work(),
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vnni")
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
fn with_avx512<T>(work: impl FnOnce() -> T) -> T {
    work()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2<T>(work: impl FnOnce() -> T) -> T {
    work()
}
