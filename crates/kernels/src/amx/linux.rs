//! Tiles on Linux.
//!
//! Eight registers hold tiles of up to 16 rows of 64 bytes. Here four of them hold sums, 32 rows by 32 outputs, two hold inputs and two
//! weights, so that four products follow four loads. Instructions and registers are described in Intel's "Architecture Instruction Set
//! Extensions Programming Reference", chapter 3; how a process asks for them in the kernel's `Documentation/arch/x86/xstate.rst`.

#![expect(unsafe_code, reason = "instructions that the language does not know, on memory behind pointers")]

use std::arch::asm;
use std::arch::x86_64::{__cpuid, __cpuid_count};
use std::sync::OnceLock;

use super::{Factors, LINE, Panels, ROWS, Sums};

mod groups;

/// Rows of a tile, which are the steps of a tile of weights too.
pub(super) const TILE_ROWS: usize = ROWS / 2;

/// Bytes of weights of a step: 32 outputs, of four bytes each.
const STEP_BYTES: usize = 2 * LINE;

/// Bytes that weights are fetched ahead of their use, into the second-level cache.
const AHEAD: usize = 8 * 1024;

/// Proof that the processor has AMX with products of 8-bit integers and of bfloat16, and that the system lets this process use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Amx(());

impl Amx {
    /// The proof, where the processor has the instructions. The first call asks the system to let the process use them.
    pub(crate) fn new() -> Option<Self> {
        static FOUND: OnceLock<bool> = OnceLock::new();
        FOUND.get_or_init(|| processor_has_tiles() && system_keeps_tiles() && system_permits_tiles()).then_some(Self(()))
    }

    /// Adds products of unsigned inputs and signed weights to 32-bit integers.
    ///
    /// # Safety
    /// The pointers must lead to as many bytes as [`Factors`] and [`Sums`] say, those of the end be free to write, and rows be 1 to [`ROWS`].
    #[expect(clippy::unused_self, reason = "the value is the proof that the instructions exist")]
    pub(crate) unsafe fn multiply_integers(self, factors: &Factors, sums: &Sums) {
        let multiply = if factors.rows > TILE_ROWS { two_tiles } else { one_tile };
        // SAFETY: the caller's.
        unsafe { multiply_all(multiply, factors, sums) }
    }

    /// Adds products of pairs of bfloat16 to f32: of 16 pairs, the sum of the first ones' products and that of the second ones' are each
    /// one chain, and their sum is added. Numbers that are subnormal count as zero.
    ///
    /// # Safety
    /// The pointers must lead to as many bytes as [`Panels`] and [`Sums`] say, those of the end be free to write, there be a panel at least, and
    /// its rows be [`ROWS`] or, where there is one panel, 1 to [`ROWS`].
    #[expect(clippy::unused_self, reason = "the value is the proof that the instructions exist")]
    pub(crate) unsafe fn multiply_bf16(self, panels: &Panels, sums: &Sums) {
        // SAFETY: the caller's.
        unsafe { super::bf16::multiply(panels, sums) }
    }
}

/// Multiplies all whole tiles of weights, then one more where the last pointer is not null.
type Multiply = unsafe fn(&Factors, &Sums, *const u8);

/// Copies the steps that fill no tile to one that they fit.
///
/// # Safety
/// As [`Amx::multiply_integers`], and `multiply` must take as many rows.
unsafe fn multiply_all(multiply: Multiply, factors: &Factors, sums: &Sums) {
    let rest = factors.steps % TILE_ROWS * STEP_BYTES;
    // SAFETY: the caller's; the rest is less than a tile.
    unsafe {
        if rest == 0 {
            return multiply(factors, sums, std::ptr::null());
        }
        let mut tail = Tail([0; TILE_ROWS * STEP_BYTES]);
        let whole = factors.steps * STEP_BYTES - rest;
        std::ptr::copy_nonoverlapping(factors.weights.add(whole), tail.0.as_mut_ptr(), rest);
        multiply(factors, sums, tail.0.as_ptr());
    }
}

/// A function with what is done to load the sums, to add the products of a line of inputs, and to store the sums. One block sets the tiles
/// up, uses them and gives them back, so that no other code meets them. Weights are fetched ahead of their use, as a tile waits for all of
/// its rows.
macro_rules! multiply_tiles {
    ($name:ident, [$($load:literal)*], $multiply:expr, $store:expr) => {
        /// # Safety
        /// As [`Amx::multiply_integers`], for as many rows as the tiles have, with a tile of weights at `tail` or null, and a processor that
        /// has the instructions.
        unsafe fn $name(factors: &Factors, sums: &Sums, tail: *const u8) {
            // SAFETY: the caller's; hints to fetch read nothing and cannot fault.
            unsafe {
                asm!(
                    "ldtilecfg [{scratch}]",
                    "mov {scratch}, {start_stride}; shl {scratch}, 4; add {scratch}, {start}",
                    $($load,)*
                    "test {lines}, {lines}; jz 3f",
                    "2:",
                    $multiply,
                    ".irp row,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
                    "prefetcht1 [{weights} + {ahead} + \\row * 128]",
                    "prefetcht1 [{weights} + {ahead} + \\row * 128 + 64]",
                    ".endr",
                    "add {inputs}, {inputs_stride}; add {weights}, 2048",
                    "dec {lines}; jnz 2b",
                    "3:",
                    "test {tail}, {tail}; jz 4f",
                    "mov {weights}, {tail}; xor {tail:e}, {tail:e}",
                    "mov {lines:e}, 1",
                    "jmp 2b",
                    "4:",
                    "mov {scratch}, {end_stride}; shl {scratch}, 4; add {scratch}, {end}",
                    $store,
                    "tilerelease",
                    scratch = inout(reg) &raw const SHAPES[factors.rows] => _,
                    start = in(reg) sums.start,
                    start_stride = in(reg) sums.start_stride,
                    end = in(reg) sums.end,
                    end_stride = in(reg) sums.end_stride,
                    inputs = inout(reg) factors.inputs => _,
                    inputs_stride = in(reg) factors.rows * LINE,
                    weights = inout(reg) factors.weights => _,
                    ahead = const AHEAD,
                    lines = inout(reg) factors.steps / TILE_ROWS => _,
                    tail = inout(reg) tail => _,
                    line = in(reg) LINE,
                    out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                    out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                    options(nostack),
                );
            }
        }
    };
}

// More than 16 rows.
multiply_tiles!(
    two_tiles,
    [
        "tileloadd tmm0, [{start} + {start_stride}]"
        "tileloadd tmm1, [{start} + {start_stride} + 64]"
        "tileloadd tmm2, [{scratch} + {start_stride}]"
        "tileloadd tmm3, [{scratch} + {start_stride} + 64]"
    ],
    two_products!("tdpbusd"),
    store_two!()
);

// Up to 16 rows.
multiply_tiles!(
    one_tile,
    [
        "tileloadd tmm0, [{start} + {start_stride}]"
        "tileloadd tmm1, [{start} + {start_stride} + 64]"
    ],
    one_product!("tdpbusd"),
    store_one!()
);

/// Weights with zeros after them.
#[repr(C, align(64))]
struct Tail([u8; TILE_ROWS * STEP_BYTES]);

/// The shapes of the eight tiles, as `ldtilecfg` reads them.
#[repr(C, align(64))]
pub(super) struct Shape {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

/// The shapes for each number of rows, ready for the instruction: one that was just written would have to wait for its bytes.
pub(super) static SHAPES: [Shape; ROWS + 1] = {
    let mut shapes = [const { Shape::new(0) }; ROWS + 1];
    let mut rows = 0;
    while rows <= ROWS {
        shapes[rows] = Shape::new(rows);
        rows += 1;
    }
    shapes
};

impl Shape {
    /// Sums in tiles 0 to 3 and inputs in 4 and 5, of the first 16 rows and of the others, and weights in 6 and 7.
    const fn new(rows: usize) -> Self {
        let first = if rows < TILE_ROWS { rows } else { TILE_ROWS } as u8;
        // A tile without rows is not allowed; these are not used where there are no others.
        let others = if rows > TILE_ROWS { rows - TILE_ROWS } else { 1 } as u8;
        let tile = TILE_ROWS as u8;
        let mut row_bytes = [0; 16];
        let mut index = 0;
        while index < 8 {
            row_bytes[index] = LINE as u16;
            index += 1;
        }
        let rows = [first, first, others, others, first, others, tile, tile, 0, 0, 0, 0, 0, 0, 0, 0];
        Self { palette: 1, start_row: 0, reserved: [0; 14], row_bytes, rows }
    }
}

/// Leaf 7 of CPUID: products of bfloat16, tiles, and products of 8-bit integers.
fn processor_has_tiles() -> bool {
    const WANTED: u32 = 1 << 22 | 1 << 24 | 1 << 25;
    __cpuid(0).eax >= 7 && __cpuid_count(7, 0).edx & WANTED == WANTED
}

/// Whether the system saves tiles and their shapes when threads take turns: two bits of the register XCR0, which bit 27 of leaf 1 says
/// can be read.
fn system_keeps_tiles() -> bool {
    const WANTED: u32 = 3 << 17;
    if __cpuid(1).ecx & 1 << 27 == 0 {
        return false;
    }
    let low: u32;
    // SAFETY: the processor has the instruction, which reads a register.
    unsafe { asm!("xgetbv", in("ecx") 0, out("eax") low, out("edx") _, options(nomem, nostack, preserves_flags)) };
    low & WANTED == WANTED
}

/// Linux lets a process use tiles when it has asked: `arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA)`. It refuses where a thread's
/// stack for signals is too small to save them.
fn system_permits_tiles() -> bool {
    const ARCH_PRCTL: i64 = 158;
    const REQUEST: u64 = 0x1023;
    const TILES: u64 = 18;
    let result: i64;
    // SAFETY: a call that reads and writes no memory of the process; a kernel that does not know it gives back an error.
    unsafe {
        asm!("syscall", inlateout("rax") ARCH_PRCTL => result, in("rdi") REQUEST, in("rsi") TILES, out("rcx") _, out("r11") _, options(nostack));
    }
    result == 0
}
