//! Products of blocks whose factors lie as tiles, and may be sums of several numbers in bfloat16.

#![expect(unsafe_code, reason = "instructions that the language does not know, on memory behind pointers")]

use super::Amx;

/// Two tiles, `[2, 16, 16]` words of two numbers in bfloat16 each: rows of a left factor, or pairs of rows of a right one.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Tiles(pub(crate) [[[u32; 16]; 16]; 2]);

impl Tiles {
    pub(crate) const ZERO: Self = Self([[[0; 16]; 16]; 2]);
}

/// A product of `32 * left_count` rows and 32 columns. Numbers of both factors are sums of parts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blocks<'a> {
    /// `steps` of tiles for each part of 32 rows.
    pub(crate) left: &'a [Tiles],
    /// From 32 rows to the next, in [`Tiles`].
    pub(crate) left_stride: usize,
    pub(crate) left_count: usize,
    /// `steps` of tiles for each part of 32 columns.
    pub(crate) right: &'a [Tiles],
    /// From one part to the next in `left` and in `right`.
    pub(crate) part_strides: [usize; 2],
    /// Which parts of both factors are multiplied.
    pub(crate) terms: &'a [[usize; 2]],
    /// Each is 32 products of a sum.
    pub(crate) steps: usize,
}

impl Blocks<'_> {
    /// Whether the factors and `out` are as long as the sizes say.
    fn fit(&self, out: &[f32]) -> bool {
        let [left, right] =
            [0, 1].map(|side| self.terms.iter().map(|term| term[side]).max().unwrap_or(0) * self.part_strides[side] + self.steps);
        let last = self.left_count.saturating_sub(1) * self.left_stride;
        last + left <= self.left.len() && right <= self.right.len() && self.left_count * 32 * 32 <= out.len()
    }

    /// Bytes from the start of both factors to those of each term.
    fn places(&self) -> [[usize; 2]; TERMS] {
        let mut places = [[0; 2]; TERMS];
        for (place, term) in places.iter_mut().zip(self.terms) {
            *place = [0, 1].map(|side| term[side] * self.part_strides[side] * size_of::<Tiles>());
        }
        places
    }
}

impl Amx {
    /// Products into `out [32 * left_count, 32]`: each is the sum of its terms from the first to the last, of a term's steps in their order,
    /// and of each step's products as [`multiply_bf16`](Self::multiply_bf16) says.
    ///
    /// # Panics
    /// Where a slice is too short, or there are no terms or more than [`TERMS`], or no steps.
    #[expect(clippy::unused_self, reason = "the value is the proof that the instructions exist")]
    pub(crate) fn multiply_blocks(self, blocks: &Blocks<'_>, out: &mut [f32]) {
        assert!(blocks.fit(out), "factors fit each other and their place");
        assert!((1..=TERMS).contains(&blocks.terms.len()) && blocks.steps > 0, "something is multiplied");
        if blocks.left_count > 0 {
            // SAFETY: an `Amx` exists, so the processor has the instructions; the sizes were checked.
            unsafe { multiply(blocks, out) }
        }
    }
}

/// All tiles are of 16 rows of 64 bytes, as `ldtilecfg` reads it.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
#[repr(C, align(64))]
struct Shape {
    palette: [u8; 16],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
static SHAPE: Shape = Shape {
    palette: [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    row_bytes: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

/// What the loops read from memory, for want of registers.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
#[repr(C)]
struct Places {
    right: *const Tiles,
    terms: *const [usize; 2],
    terms_end: *const [usize; 2],
    steps: usize,
    left_stride: usize,
}

/// # Safety
/// The processor must have the instructions; and there must be blocks, terms and steps, which fit, as checked above.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
unsafe fn multiply(blocks: &Blocks<'_>, out: &mut [f32]) {
    let terms = blocks.places();
    let places = Places {
        right: blocks.right.as_ptr(),
        terms: terms.as_ptr(),
        terms_end: terms[..blocks.terms.len()].as_ptr_range().end,
        steps: blocks.steps,
        left_stride: blocks.left_stride * size_of::<Tiles>(),
    };
    // SAFETY: the caller's; one block sets the tiles up, uses them and gives them back, so that no other code meets them.
    unsafe {
        std::arch::asm!(
            "ldtilecfg [{shape}]",
            "2:",
            "tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3",
            "mov {term}, [{places} + 8]",
            "3:",
            "mov {a}, [{term}]",
            "mov {b}, [{term} + 8]",
            "add {a}, {left}",
            "add {b}, [{places}]",
            "mov {step}, [{places} + 24]",
            "4:",
            "tileloadd tmm4, [{a} + {line}]",
            "tileloadd tmm6, [{b} + {line}]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tileloadd tmm7, [{b} + {line} + 1024]",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tileloadd tmm5, [{a} + {line} + 1024]",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "add {a}, 2048",
            "add {b}, 2048",
            "dec {step}",
            "jnz 4b",
            "add {term}, 16",
            "cmp {term}, [{places} + 16]",
            "jne 3b",
            "tilestored [{out} + {line} * 2], tmm0",
            "tilestored [{out} + {line} * 2 + 64], tmm1",
            "tilestored [{out} + {line} * 2 + 2048], tmm2",
            "tilestored [{out} + {line} * 2 + 2112], tmm3",
            "add {out}, 4096",
            "add {left}, [{places} + 32]",
            "dec {count}",
            "jnz 2b",
            "tilerelease",
            shape = in(reg) &raw const SHAPE,
            places = in(reg) &raw const places,
            left = inout(reg) blocks.left.as_ptr() => _,
            out = inout(reg) out.as_mut_ptr() => _,
            count = inout(reg) blocks.left_count => _,
            line = in(reg) 64_usize,
            term = out(reg) _, a = out(reg) _, b = out(reg) _, step = out(reg) _,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        );
    }
}

/// # Safety
/// Cannot be called: no value proves instructions that are not there.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
unsafe fn multiply(_blocks: &Blocks<'_>, _out: &mut [f32]) {
    unreachable!("there are no tiles");
}

/// The most terms: the products of two sums of three numbers, without the three smallest.
const TERMS: usize = 6;
