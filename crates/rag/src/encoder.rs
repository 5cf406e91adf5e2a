use std::{path::Path, sync::Arc};

use jarre_core::{Error, ErrorKind};
use jarre_transformer::{Device, SentenceEncoder};

use crate::Result;

/// Loads a sentence encoder from a Hugging Face folder onto the CPU, ready for [`Rag::builder`](crate::Rag::builder); needs the cargo
/// feature `encoder`. For another device, load a [`SentenceEncoder`] yourself.
///
/// # Errors
/// Where a file of the folder is missing or malformed, or asks for an architecture that is not there.
pub fn load_encoder(folder: impl AsRef<Path>) -> Result<Arc<SentenceEncoder>> {
    let folder = folder.as_ref();
    let encoder = SentenceEncoder::from_folder(folder, &Device::flex()).map_err(|error| {
        let message = format!("cannot load the encoder in {}: {error}", folder.display());
        Error::new(ErrorKind::InvalidRequest, message).with_source(error)
    })?;
    Ok(Arc::new(encoder))
}
