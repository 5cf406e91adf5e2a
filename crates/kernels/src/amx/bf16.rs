//! Products of bfloat16 on Linux.
//!
//! Tiles are set up once for some panels of rows, which takes as long as several products. While they are multiplied, the weights that come
//! next are fetched into the second-level cache and the places of the sums into the first: neither is found there by itself, as weights are
//! more than a cache holds and the sums of a tile lie on 32 pages. Places of sums need not be aligned: 128 bytes lie on three cache lines then.

#![expect(unsafe_code, reason = "instructions that the language does not know, on memory behind pointers")]

use std::arch::asm;
use std::mem::offset_of;

use super::linux::{SHAPES, Shape, TILE_ROWS};
use super::{LINE, Panels, ROWS, Sums};

/// What a block of instructions reads from memory, as registers are few.
#[repr(C)]
struct State {
    shape: *const Shape,
    start: *const u8,
    start_stride: usize,
    /// Bytes from the end of a panel to that of the next one.
    panel_stride: usize,
    weights: *const u8,
    lines: usize,
    rows: usize,
    /// Panels that are left.
    panels: usize,
    /// Cache lines of the next weights that are fetched beside a line of inputs.
    fetches: usize,
}

/// # Safety
/// As [`super::Amx::multiply_bf16`], and the processor must have the instructions.
pub(super) unsafe fn multiply(panels: &Panels, sums: &Sums) {
    let state = State {
        shape: &raw const SHAPES[panels.rows],
        start: sums.start,
        start_stride: sums.start_stride,
        panel_stride: sums.end_stride * ROWS,
        weights: panels.weights,
        lines: panels.lines,
        rows: panels.rows,
        panels: panels.count,
        fetches: (2 * TILE_ROWS).div_ceil(panels.count),
    };
    let multiply = if panels.rows > TILE_ROWS { two_tiles } else { one_tile };
    // SAFETY: the caller's.
    unsafe { multiply(state, panels, sums) }
}

/// A function with what is done for each panel: its sums are loaded, products added line by line, and its sums stored. One block sets the
/// tiles up, uses them and gives them back, so that no other code meets them.
macro_rules! multiply_panels {
    ($name:ident, [$($load:literal)*], $multiply:expr, $store:expr) => {
        /// # Safety
        /// As [`multiply`], for as many rows as the tiles have.
        unsafe fn $name(mut state: State, panels: &Panels, sums: &Sums) {
            // SAFETY: the caller's; hints to fetch read nothing and cannot fault.
            unsafe {
                asm!(
                    "mov {scratch}, [{state} + {shape}]",
                    "ldtilecfg [{scratch}]",
                    "2:",
                    "mov {weights}, [{state} + {start}]",
                    "mov {scratch}, [{state} + {start_stride}]",
                    $($load,)*
                    "mov {touched}, {end}",
                    "mov {untouched}, [{state} + {rows}]",
                    "mov {weights}, [{state} + {first_weights}]",
                    "mov {lines}, [{state} + {all_lines}]",
                    "3:",
                    $multiply,
                    "add {inputs}, {inputs_stride}; add {weights}, 2048",
                    "mov {scratch}, [{state} + {fetches}]",
                    "4:",
                    "prefetcht1 [{next}]; add {next}, 64",
                    "dec {scratch}",
                    "jnz 4b",
                    "test {untouched}, {untouched}; jz 5f",
                    "prefetchw [{touched}]; prefetchw [{touched} + 64]; prefetchw [{touched} + 127]",
                    "add {touched}, {end_stride}; dec {untouched}",
                    "5:",
                    "dec {lines}",
                    "jnz 3b",
                    "mov {scratch}, {end_stride}; shl {scratch}, 4; add {scratch}, {end}",
                    $store,
                    "add {end}, [{state} + {panel_stride}]",
                    "mov {scratch}, [{state} + {start_stride}]",
                    "shl {scratch}, 5; add [{state} + {start}], {scratch}",
                    "dec qword ptr [{state} + {left}]",
                    "jnz 2b",
                    "tilerelease",
                    shape = const offset_of!(State, shape),
                    start = const offset_of!(State, start),
                    start_stride = const offset_of!(State, start_stride),
                    panel_stride = const offset_of!(State, panel_stride),
                    first_weights = const offset_of!(State, weights),
                    all_lines = const offset_of!(State, lines),
                    rows = const offset_of!(State, rows),
                    left = const offset_of!(State, panels),
                    fetches = const offset_of!(State, fetches),
                    state = in(reg) &raw mut state,
                    inputs = inout(reg) panels.inputs => _,
                    inputs_stride = in(reg) panels.rows * LINE,
                    weights = out(reg) _,
                    lines = out(reg) _,
                    line = in(reg) LINE,
                    next = inout(reg) panels.next => _,
                    touched = out(reg) _,
                    untouched = out(reg) _,
                    end = inout(reg) sums.end => _,
                    end_stride = in(reg) sums.end_stride,
                    scratch = out(reg) _,
                    out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                    out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                    options(nostack),
                );
            }
        }
    };
}

multiply_panels!(
    two_tiles,
    [
        "tileloadd tmm0, [{weights} + {scratch}]"
        "tileloadd tmm1, [{weights} + {scratch} + 64]"
        "mov {touched}, {scratch}"
        "shl {touched}, 4"
        "add {touched}, {weights}"
        "tileloadd tmm2, [{touched} + {scratch}]"
        "tileloadd tmm3, [{touched} + {scratch} + 64]"
    ],
    two_products!("tdpbf16ps"),
    store_two!()
);

multiply_panels!(
    one_tile,
    [
        "tileloadd tmm0, [{weights} + {scratch}]"
        "tileloadd tmm1, [{weights} + {scratch} + 64]"
    ],
    one_product!("tdpbf16ps"),
    store_one!()
);
