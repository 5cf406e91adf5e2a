//! Conversions between the wire and `jarre_core`.

mod image;
mod request_from_core;
mod request_to_core;
mod response;
mod stream_read;
mod stream_write;

pub use stream_read::{ChunkReader, StreamEvent};
pub use stream_write::ChunkWriter;

pub(crate) use image::is_image_url;
