//! Products of tiles of matrices (Intel's Advanced Matrix Extensions, "AMX"), where processor and system have them.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
#[macro_use]
mod tiles;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod bf16;
#[cfg(target_arch = "x86_64")]
pub(crate) mod blocks;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod linux;
#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
mod none;

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub(crate) use linux::Amx;
#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
pub(crate) use none::Amx;

/// Bytes of a row of a tile: what an instruction multiplies and adds up, 64 integers of 8 bits or 32 numbers in bfloat16.
pub(crate) const LINE: usize = 64;

/// Most rows of inputs that are multiplied together, two tiles.
pub(crate) const ROWS: usize = 32;

/// Rows of inputs, and weights of 32 outputs. A step is four bytes of inputs, four integers or two numbers in bfloat16, or the weights for them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Factors {
    /// `[steps / 16, rows, 64]` bytes, the steps rounded up.
    pub(crate) inputs: *const u8,
    /// 1 to [`ROWS`].
    pub(crate) rows: usize,
    /// `[steps, 32, 4]` bytes. They and the inputs are read fastest where they are aligned to 64.
    pub(crate) weights: *const u8,
    pub(crate) steps: usize,
}

/// Panels of rows of inputs in bfloat16, and weights of 32 outputs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Panels {
    /// `[count, lines, rows, 64]` bytes.
    pub(crate) inputs: *const u8,
    /// Panels, 1 at least.
    pub(crate) count: usize,
    /// Rows of a panel: [`ROWS`], or fewer where there is one panel.
    pub(crate) rows: usize,
    /// `[lines, 16, 32, 4]` bytes. They and the inputs are read fastest where they are aligned to 64.
    pub(crate) weights: *const u8,
    /// Lines of each row, 1 at least.
    pub(crate) lines: usize,
    /// The weights that are needed next, as many: they are fetched meanwhile. A hint, which may lead anywhere.
    pub(crate) next: *const u8,
}

/// Where the sums of products start from and go to: 32 of four bytes for each row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sums {
    pub(crate) start: *const u8,
    /// Bytes from a row's start to the next one's, 0 where all start from the same.
    pub(crate) start_stride: usize,
    pub(crate) end: *mut u8,
    /// Bytes from a row's sums to the next one's.
    pub(crate) end_stride: usize,
}

/// Rows of inputs of a [`Pass`]: a tile.
pub(crate) const PASS_ROWS: usize = 16;

/// Outputs of a [`Pass`]: a tile.
pub(crate) const PASS_OUTPUTS: usize = 16;

/// Products of 16 rows by 16 outputs, group of inputs by group: the integer sum of each is exact, and `scale sum` is added to f32 sums.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Pass {
    /// Signed, `[groups, units, 16, unit]`.
    pub(crate) inputs: *const u8,
    /// Signed, `[groups, units, unit / 4, 4]` for every output, 128 bytes from one four inputs to the next.
    pub(crate) weights: *const u8,
    /// Of 16 outputs, 128 bytes from one group to the next.
    pub(crate) scales: *const f32,
    /// Of 16 outputs, 128 bytes from one row to the next.
    pub(crate) sums: *mut f32,
}

/// Inputs of passes.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Groups {
    /// At least one.
    pub(crate) count: usize,
    /// Units of a group, at least one.
    pub(crate) units: usize,
    /// Inputs of a unit, which one instruction multiplies and adds up: 32 or 64.
    pub(crate) unit: usize,
}
