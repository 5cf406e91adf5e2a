//! The checkpoint of llama2.c (`version 0`): seven little-endian integers and float32 tensors one after another, without names.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::Device;

use super::causal::CausalModel;
use super::config::DecoderConfig;
use crate::error::{Error, Result};
use crate::position::{Positions, RopeConfig, RopeLayout};
use crate::weights::{Layout, Naming, Place, TensorSource, fill};

const HEADER: usize = 7 * size_of::<i32>();

/// The ids that llama2.c's vocabularies give to the beginning and the end of a text.
const BOS: u32 = 1;
const EOS: u32 = 2;

impl CausalModel {
    /// Loads a llama2.c checkpoint (`.bin`, float32, version 0) onto `device`. A negative vocabulary size means a head of its own.
    ///
    /// # Errors
    /// Where the file cannot be read, its header makes no model, or it has another length than the header says.
    pub fn from_llama2c(path: impl AsRef<Path>, device: &Device) -> Result<Self> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(Error::io(path))?;
        let file = File::parse(&bytes).map_err(|reason| Error::malformed(path, reason))?;
        let decoder = fill(file.config.init(device), &Llama2cNames, &file, device);
        Ok(Self::new(decoder, Some(BOS), vec![EOS]))
    }
}

struct File {
    config: DecoderConfig,
    tensors: BTreeMap<String, Vec<f32>>,
}

impl File {
    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let (header, body) = bytes.split_at_checked(HEADER).ok_or("it is shorter than its header")?;
        let header: Vec<i32> = header.as_chunks().0.iter().map(|four| i32::from_le_bytes(*four)).collect();
        let config = config(&header)?;
        let mut reader = Reader { rest: body, tensors: BTreeMap::new() };
        reader.read_all(&config)?;
        Ok(Self { config, tensors: reader.tensors })
    }
}

fn config(header: &[i32]) -> Result<DecoderConfig, String> {
    let &[dim, hidden, layers, heads, kv_heads, vocab, seq] = header else { return Err("its header is cut off".to_owned()) };
    let size = |value: i32| usize::try_from(value).map_err(|_| format!("its header holds {value} where a size belongs"));
    let rope = RopeConfig::new(10_000.0).with_layout(RopeLayout::Interleaved);
    let config = DecoderConfig::new(vocab.unsigned_abs() as usize, size(dim)?, size(heads)?, size(layers)?, size(hidden)?)
        .with_n_kv_heads(Some(size(kv_heads)?))
        .with_max_positions(size(seq)?)
        .with_positions(Positions::Rope(rope))
        .with_tied(vocab > 0);
    match config.complaint() {
        Some(complaint) => Err(complaint),
        None if !config.d_model.is_multiple_of(config.n_heads) => Err("its heads do not divide its width".to_owned()),
        None => Ok(config),
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    tensors: BTreeMap<String, Vec<f32>>,
}

impl Reader<'_> {
    fn read_all(&mut self, config: &DecoderConfig) -> Result<(), String> {
        let (d, ff, keys) = (config.d_model, config.d_ff, config.kv_heads() * config.head_width());
        self.read("embedding.weight", config.vocab_size, d)?;
        for (name, rows, columns) in [
            ("attention_norm.weight", 1, d),
            ("attention.query.linear.weight", d, d),
            ("attention.key.linear.weight", keys, d),
            ("attention.value.linear.weight", keys, d),
            ("attention.output.linear.weight", d, d),
            ("feed_forward_norm.weight", 1, d),
            ("feed_forward.gate.linear.weight", ff, d),
            ("feed_forward.down.linear.weight", d, ff),
            ("feed_forward.up.linear.weight", ff, d),
        ] {
            for layer in 0..config.n_layers {
                self.read(&format!("layers.{layer}.{name}"), rows, columns)?;
            }
        }
        self.read("norm.weight", 1, d)?;
        // Tables of rotations, which the reference code no longer reads either.
        self.take(config.max_positions, config.head_width())?;
        if !config.tied {
            self.read("head.linear.weight", config.vocab_size, d)?;
        }
        if self.rest.is_empty() { Ok(()) } else { Err(format!("it has {} bytes more than its header says", self.rest.len())) }
    }

    fn read(&mut self, name: &str, rows: usize, columns: usize) -> Result<(), String> {
        let bytes = self.take(rows, columns).map_err(|reason| format!("{reason} at `{name}`"))?;
        let values = bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
        self.tensors.insert(name.to_owned(), values);
        Ok(())
    }

    fn take(&mut self, rows: usize, columns: usize) -> Result<&[u8], String> {
        let length = rows.checked_mul(columns).and_then(|count| count.checked_mul(size_of::<f32>()));
        let (taken, rest) = length.and_then(|length| self.rest.split_at_checked(length)).ok_or("it ends early")?;
        self.rest = rest;
        Ok(taken)
    }
}

impl TensorSource for File {
    fn values(&self, name: &str) -> Vec<f32> {
        self.tensors.get(name).expect("read_all reads every parameter of the configuration").clone()
    }
}

/// Tensors under the paths of the module's parameters.
struct Llama2cNames;

impl Naming for Llama2cNames {
    fn place(&self, path: &str) -> Option<Place> {
        let layout = if path.ends_with("linear.weight") { Layout::OutIn } else { Layout::AsIs };
        Some(Place { name: path.to_owned(), part: None, layout, offset: 0.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiny() -> Vec<u8> {
        let header = [8_i32, 12, 2, 2, 1, 10, 16];
        let floats = 10 * 8 + 2 * (8 + 64 + 32 + 32 + 64 + 8 + 96 * 3) + 8 + 16 * 4;
        let mut bytes: Vec<u8> = header.iter().flat_map(|value| value.to_le_bytes()).collect();
        bytes.extend((0..floats).flat_map(|i| (i as f32 * 1e-3).to_le_bytes()));
        bytes
    }

    #[test]
    fn every_cut_and_every_extra_byte_is_refused() {
        let bytes = tiny();
        assert!(File::parse(&bytes).is_ok());
        for length in 0..bytes.len() {
            assert!(File::parse(&bytes[..length]).is_err(), "{length}");
        }
        assert!(File::parse(&[bytes, vec![0]].concat()).is_err());
    }

    #[test]
    fn headers_that_make_no_model_are_refused() {
        for (place, value) in [(0, -8_i32), (0, 0), (1, i32::MAX), (2, i32::MAX), (3, 3), (3, 0), (4, 0), (5, i32::MIN), (6, -1)] {
            let mut bytes = tiny();
            bytes[place * 4..place * 4 + 4].copy_from_slice(&value.to_le_bytes());
            assert!(File::parse(&bytes).is_err(), "{place} {value}");
        }
    }
}
