//! Products whose sums are scaled group by group.
//!
//! A tile holds the integer sums of one group for 16 rows and 16 outputs. It goes to memory, and vectors add it to f32 sums that stay in
//! registers. They do so two groups later, when it has arrived, while the next tiles are multiplied: memory for four tiles goes round.

use std::arch::asm;

use super::super::{Groups, LINE, PASS_ROWS, Pass};
use super::{Amx, Shape};

impl Amx {
    /// Runs passes over the same groups. From `ahead` on, two lines of memory for each unit of each pass are fetched into the second-level cache.
    ///
    /// # Safety
    /// The processor must have AVX-512, pointers of passes lead to as much as [`Pass`] says, and sums be free to write.
    #[expect(clippy::unused_self, reason = "the value is the proof that the instructions exist")]
    pub(crate) unsafe fn multiply_groups(self, passes: &[Pass], groups: Groups, ahead: *const u8) {
        if passes.is_empty() || groups.count == 0 {
            return;
        }
        let mut ring = Ring([0; 4 * PASS_ROWS * LINE]);
        // SAFETY: the caller's; there is a pass and a group.
        unsafe { run(passes, groups, ahead, &mut ring) }
    }
}

/// Four tiles of sums.
#[repr(C, align(64))]
struct Ring([u8; 4 * PASS_ROWS * LINE]);

/// Repeats instructions for each of 16 rows, whose sums are in registers 16 to 31.
macro_rules! for_rows {
    ($text:literal) => {
        concat!(".irp row,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n", $text, "\n.endr")
    };
}

/// One group: its tile `$sums` of products goes to `$place` in the ring, and the sums of the group before last are added from `$ready`.
/// Neighbours have other tiles, as one would wait for itself.
macro_rules! group {
    ($sums:literal, $inputs:literal, $weights:literal, $place:literal, $ready:literal) => {
        concat!(
            "cmp {group}, [{groups}]\njae 5f\n",
            concat!("tilezero ", $sums, "\n"),
            "mov {left}, [{groups} + 8]\n",
            "4:\n",
            concat!("tileloadd ", $inputs, ", [{inputs} + {unit}]\n"),
            concat!("tileloadd ", $weights, ", [{weights} + {line} * 2]\n"),
            concat!("tdpbssd ", $sums, ", ", $inputs, ", ", $weights, "\n"),
            "prefetcht1 [{ahead}]\nprefetcht1 [{ahead} + 64]\nsub {ahead}, -128\n",
            "add {inputs}, [{groups} + 16]\nadd {weights}, [{groups} + 24]\n",
            "dec {left}\njnz 4b\n",
            concat!("tilestored [{ring} + {line} + ", $place, "], ", $sums, "\n"),
            "5:\ncmp {group}, 2\njb 6f\n",
            "vmovups zmm0, [{scales}]\nadd {scales}, 128\n",
            concat!(
                ".irp row,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n",
                "vcvtdq2ps zmm1, [{ring} + (\\row - 16) * 64 + ",
                $ready,
                "]\nvfmadd231ps zmm\\row, zmm1, zmm0\n.endr\n"
            ),
            "6:\ninc {group}\ncmp {group}, [{groups} + 32]\njae 7f\n",
        )
    };
}

/// # Safety
/// As [`Amx::multiply_groups`], with one pass and one group at least.
unsafe fn run(passes: &[Pass], groups: Groups, ahead: *const u8, ring: &mut Ring) {
    let steps = [PASS_ROWS * groups.unit, 2 * PASS_ROWS * groups.unit];
    let numbers = [groups.count, groups.units, steps[0], steps[1], groups.count + 2];
    // SAFETY: the caller's; the ring holds four tiles.
    unsafe {
        asm!(
            "ldtilecfg [{inputs}]",
            "2:", // A pass.
            "mov {left}, [{pass} + 24]",
            for_rows!("vmovups zmm\\row, [{left} + (\\row - 16) * 128]"),
            "mov {inputs}, [{pass}]",
            "mov {weights}, [{pass} + 8]",
            "mov {scales}, [{pass} + 16]",
            "xor {group:e}, {group:e}",
            "3:", // Four groups, of which the last ones may be none.
            group!("tmm0", "tmm4", "tmm5", "0", "2048"),
            group!("tmm1", "tmm6", "tmm7", "1024", "3072"),
            group!("tmm2", "tmm4", "tmm5", "2048", "0"),
            group!("tmm3", "tmm6", "tmm7", "3072", "1024"),
            "jmp 3b",
            "7:",
            "mov {left}, [{pass} + 24]",
            for_rows!("vmovups [{left} + (\\row - 16) * 128], zmm\\row"),
            "add {pass}, 32",
            "dec {passes}",
            "jnz 2b",
            "tilerelease",
            pass = inout(reg) passes.as_ptr() => _,
            passes = inout(reg) passes.len() => _,
            groups = in(reg) numbers.as_ptr(),
            unit = in(reg) groups.unit,
            line = in(reg) LINE,
            inputs = inout(reg) &raw const SHAPES[usize::from(groups.unit == LINE)] => _,
            weights = out(reg) _,
            scales = out(reg) _,
            group = out(reg) _,
            left = out(reg) _,
            ahead = inout(reg) ahead => _,
            ring = in(reg) ring.0.as_mut_ptr(),
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _, out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            out("zmm0") _, out("zmm1") _,
            out("zmm16") _, out("zmm17") _, out("zmm18") _, out("zmm19") _, out("zmm20") _, out("zmm21") _, out("zmm22") _, out("zmm23") _,
            out("zmm24") _, out("zmm25") _, out("zmm26") _, out("zmm27") _, out("zmm28") _, out("zmm29") _, out("zmm30") _, out("zmm31") _,
            options(nostack),
        );
    }
}

/// Shapes for units of 32 and 64 inputs.
static SHAPES: [Shape; 2] = [shape(LINE / 2), shape(LINE)];

/// Sums in tiles 0 to 3, inputs in 4 and 6, and weights in 5 and 7.
const fn shape(unit: usize) -> Shape {
    let mut shape = Shape::new(PASS_ROWS);
    shape.rows = [PASS_ROWS as u8; 16];
    let mut tile = 8;
    while tile < 16 {
        shape.rows[tile] = 0;
        tile += 1;
    }
    shape.row_bytes[4] = unit as u16;
    shape.row_bytes[6] = unit as u16;
    shape.rows[5] = (unit / 4) as u8;
    shape.rows[7] = (unit / 4) as u8;
    shape
}
