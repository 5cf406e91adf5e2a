//! Strict reading of requests: bytes to a tree without repeated keys, and the tree to types, with a path in every error.

mod fields;
mod node;
mod suggest;
mod tree;

pub(crate) use fields::Fields;
pub(crate) use node::Node;
pub(crate) use tree::parse as value;

use crate::Result;

/// Reads the object that `bytes` hold, whole.
pub(crate) fn object<T>(bytes: &[u8], read: impl FnOnce(&mut Fields) -> Result<T>) -> Result<T> {
    Node::root(tree::parse(bytes)?).object(read)
}

/// Gives request types their way in.
macro_rules! requests {
    ($($type:ty: $read:path;)*) => {$(
        impl $type {
            /// Reads a request's body.
            ///
            /// # Errors
            /// A 400 that names the field to blame, where the bytes are no JSON object, a field is unknown, missing, of another type
            /// or out of range, or two fields contradict each other.
            pub fn from_json(bytes: &[u8]) -> $crate::Result<Self> {
                $crate::decode::object(bytes, $read)
            }
        }
    )*};
}

pub(crate) use requests;
