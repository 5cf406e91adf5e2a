//! Vocabularies of llama2.c (`tok512.bin`): pieces with the scores of sentencepiece's BPE, without a list of merges.

use std::collections::HashMap;
use std::path::Path;

use tokenizers::decoders::byte_fallback::ByteFallback;
use tokenizers::decoders::fuse::Fuse;
use tokenizers::decoders::sequence::Sequence;
use tokenizers::decoders::strip::Strip;
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::normalizers::Prepend;
use tokenizers::{AddedToken, DecoderWrapper};

use super::Tokenizer;
use crate::error::{Error, Result};

/// `<unk>`, beginning and end of a text stand first, then one piece for each byte.
const SPECIALS: [&str; 3] = ["<unk>", "<s>", "</s>"];
const FIRST_BYTE: usize = 3;
const FIRST_PIECE: usize = FIRST_BYTE + 256;

impl Tokenizer {
    /// Reads a vocabulary of llama2.c (`.bin`).
    ///
    /// sentencepiece joins the two neighbours whose union has the highest score; so every split of a piece into two others is a
    /// merge, and merges are ranked by that score.
    ///
    /// # Errors
    /// Where the file cannot be read or is cut off.
    pub fn from_llama2c(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(Error::io(path))?;
        let pieces = parse(&bytes).ok_or_else(|| Error::malformed(path, "it is cut off, or no vocabulary"))?;
        build(&pieces).map_err(|error| Error::malformed(path, error))
    }
}

struct Piece {
    text: String,
    score: f32,
}

/// An integer, then for each piece its score, its length and its bytes.
fn parse(bytes: &[u8]) -> Option<Vec<Piece>> {
    let mut rest = bytes.get(size_of::<i32>()..)?;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let (score, after) = rest.split_first_chunk::<4>()?;
        let (length, after) = after.split_first_chunk::<4>()?;
        let length = usize::try_from(i32::from_le_bytes(*length)).ok()?;
        let (text, after) = after.split_at_checked(length)?;
        pieces.push(Piece { text: String::from_utf8_lossy(text).into_owned(), score: f32::from_le_bytes(*score) });
        rest = after;
    }
    (pieces.len() >= FIRST_PIECE).then_some(pieces)
}

fn build(pieces: &[Piece]) -> tokenizers::Result<Tokenizer> {
    let name = |id: usize| match id {
        0..FIRST_BYTE => SPECIALS[id].to_owned(),
        FIRST_BYTE..FIRST_PIECE => format!("<0x{:02X}>", id - FIRST_BYTE),
        _ => pieces[id].text.clone(),
    };
    let vocabulary: HashMap<String, u32> = (0..pieces.len()).rev().map(|id| (name(id), id as u32)).collect();
    let merges = merges_by_score(pieces[FIRST_PIECE..].iter().map(|piece| (piece.text.as_str(), piece.score)), &vocabulary);
    let model = BPE::builder()
        .vocab_and_merges(vocabulary.into_iter().collect::<Vocab>(), merges)
        .unk_token(SPECIALS[0].to_owned())
        .fuse_unk(true)
        .byte_fallback(true)
        .build()?;
    let mut inner = tokenizers::Tokenizer::new(model);
    inner.with_normalizer(Some(Prepend::new(" ".to_owned())));
    let steps: Vec<DecoderWrapper> = vec![ByteFallback::new().into(), Fuse::new().into(), Strip::new(' ', 1, 0).into()];
    inner.with_decoder(Some(Sequence::new(steps)));
    inner.add_special_tokens(&SPECIALS.map(|token| AddedToken::from(token, true)));
    Tokenizer::new(inner, usize::MAX).map_err(Into::into)
}

/// Every way to join two pieces to a third one, the highest score first: sentencepiece's rule as a list of merges.
pub(crate) fn merges_by_score<'a>(
    pieces: impl Iterator<Item = (&'a str, f32)>,
    vocabulary: &HashMap<String, u32>,
) -> Vec<(String, String)> {
    let mut order: Vec<(&str, f32)> = pieces.collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    let splits = |(text, _): (&'a str, f32)| -> Vec<(String, String)> {
        let ends = text.char_indices().skip(1).map(|(at, _)| text.split_at(at));
        ends.filter(|(a, b)| vocabulary.contains_key(*a) && vocabulary.contains_key(*b))
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .collect()
    };
    order.into_iter().flat_map(splits).collect()
}
