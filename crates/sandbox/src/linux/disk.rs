use std::{io, os::unix::fs::MetadataExt, path::Path};

use super::walk::walk;

/// The smallest that an entry counts, so that many empty files count as well.
const BLOCK: u64 = 4096;
/// More entries than anything that is measured has.
const MOST: u64 = 1 << 20;

/// What a folder holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) bytes: u64,
    /// The length of the largest file.
    pub(super) largest: u64,
}

/// Measures a folder.
///
/// # Errors
/// Those of [`walk`].
pub(super) fn usage(dir: &Path) -> io::Result<Usage> {
    let mut total = Usage::default();
    walk(dir, MOST, &mut |_, file| {
        total.bytes = total.bytes.saturating_add(file.blocks().saturating_mul(512).max(BLOCK));
        if file.is_file() {
            total.largest = total.largest.max(file.len());
        }
    })?;
    Ok(total)
}
