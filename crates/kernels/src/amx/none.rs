//! Processors and systems without AMX.

#![expect(unsafe_code, reason = "the same functions as where there is AMX")]

use super::{Factors, Groups, Panels, Pass, Sums};

/// No value proves what is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Amx {}

impl Amx {
    /// Nothing.
    pub(crate) fn new() -> Option<Self> {
        None
    }

    /// Cannot be called.
    ///
    /// # Safety
    /// None.
    pub(crate) unsafe fn multiply_integers(self, _factors: &Factors, _sums: &Sums) {
        match self {}
    }

    /// Cannot be called.
    ///
    /// # Safety
    /// None.
    pub(crate) unsafe fn multiply_bf16(self, _panels: &Panels, _sums: &Sums) {
        match self {}
    }

    /// Cannot be called.
    ///
    /// # Safety
    /// None.
    pub(crate) unsafe fn multiply_groups(self, _passes: &[Pass], _groups: Groups, _ahead: *const u8) {
        match self {}
    }
}
