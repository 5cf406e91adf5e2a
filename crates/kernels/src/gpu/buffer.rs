//! Memory of a device with what it holds.
#![expect(unsafe_code, reason = "the length of an argument of a kernel is a promise to CubeCL")]

use cubecl::client::Client;
use cubecl::ir::ElemType;
use cubecl::prelude::{AddressType, BufferArg, Scalar};
use cubecl::server::Handle;

/// Numbers in a device's memory, one after another.
#[derive(Clone, Debug)]
pub struct Buffer {
    /// Where they are.
    pub handle: Handle,
    /// How many there are.
    pub len: usize,
    /// What they are.
    pub elem: ElemType,
}

impl Buffer {
    /// Numbers of type `elem` at `handle`.
    ///
    /// # Panics
    /// Where `handle` is too small for `len` of them.
    pub fn new(handle: Handle, len: usize, elem: ElemType) -> Self {
        assert!(handle.size_in_used() >= (len * elem.size()) as u64, "{len} numbers of {elem:?} in {} bytes", handle.size_in_used());
        Self { handle, len, elem }
    }

    /// Room for `len` numbers, of any value.
    pub fn empty(client: &Client, len: usize, elem: ElemType) -> Self {
        Self::new(client.empty((len * elem.size()).max(4)), len, elem)
    }

    /// Room for `len` f32, of any value.
    pub fn empty_f32(client: &Client, len: usize) -> Self {
        Self::empty(client, len, f32::elem_type_native())
    }

    /// The width of indices into this.
    pub(super) fn address_type(&self) -> AddressType {
        AddressType::from_len(self.len)
    }

    /// This, read or written by a kernel `width` numbers at a time.
    pub(super) fn arg(&self, width: usize) -> BufferArg {
        debug_assert!(self.len.is_multiple_of(width), "{} numbers by {width}", self.len);
        // SAFETY: `new` has checked that the handle holds this many.
        unsafe { BufferArg::from_raw_parts(self.handle.clone(), self.len / width) }
    }
}
