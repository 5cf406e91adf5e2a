//! Memory that a thread keeps from one product to the next, as fresh pages cost a good part of a product.

use std::cell::RefCell;

use super::words::Words;

/// Bytes that are kept at most of one product.
const KEPT_BYTES: usize = 20 << 20;

/// Buffers that a thread keeps at most: a product may run within another.
const KEPT: usize = 3;

/// What a thread packs and multiplies in; what stands there is anything.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    /// A packed part of a matrix.
    pub(crate) packed: Words,
    /// Values of a product that are not yet in their place.
    pub(crate) product: Vec<f32>,
}

impl Buffers {
    fn bytes(&self) -> usize {
        size_of_val(&*self.packed) + size_of_val(&*self.product)
    }
}

/// Runs `run` with buffers that nothing else on this thread uses meanwhile.
pub(crate) fn with_buffers<R>(run: impl FnOnce(&mut Buffers) -> R) -> R {
    thread_local! {
        static OF_THREAD: RefCell<Vec<Buffers>> = const { RefCell::new(Vec::new()) };
    }
    let mut buffers = OF_THREAD.with_borrow_mut(Vec::pop).unwrap_or_default();
    let result = run(&mut buffers);
    OF_THREAD.with_borrow_mut(|kept| {
        if kept.len() < KEPT && buffers.bytes() <= KEPT_BYTES {
            kept.push(buffers);
        }
    });
    result
}
