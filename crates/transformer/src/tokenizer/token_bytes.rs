use tokenizers::{Decoder, DecoderWrapper, ModelWrapper};

use super::{Tokenizer, contain};

/// What tokens are decoded behind, so that no decoder takes them for the beginning of a text.
const BEFORE: &str = "a";

impl Tokenizer {
    /// The bytes that a token adds to a text, where it stands behind other tokens: of byte-level vocabularies the bytes that its letters
    /// stand for, of those with byte fallback the one of `<0x0A>`, of sentencepiece's a space for each `▁`, of WordPiece's a space before
    /// whatever is no continuation. They need not be whole characters.
    ///
    /// `None` for special tokens and for the unknown token, which stand for no text, and for ids that are no tokens. What a tokenizer
    /// changes in a text before it cuts it (capitals, accents) and what it takes off its beginning is not undone.
    ///
    /// ```
    /// # fn main() -> jarre_transformer::Result<()> {
    /// # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/assets/jarre-tiny");
    /// let tokenizer = jarre_transformer::Tokenizer::from_folder(folder)?;
    /// let ids = tokenizer.encode_plain("{\"é\": 1}")?;
    /// let bytes: Vec<u8> = ids.iter().filter_map(|id| tokenizer.token_bytes(*id)).flatten().collect();
    /// assert_eq!(bytes, "{\"é\": 1}".as_bytes());
    /// assert_eq!(tokenizer.token_bytes(u32::MAX), None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn token_bytes(&self, id: u32) -> Option<Vec<u8>> {
        let token = self.token(id)?;
        if self.is_special(&token) {
            return None;
        }
        let Some(decoder) = self.inner.get_decoder() else {
            return Some(format!(" {token}").into_bytes());
        };
        if has(decoder, &|step| matches!(step, DecoderWrapper::ByteLevel(_))) {
            return Some(token.chars().map(byte_of).collect::<Option<Vec<u8>>>().unwrap_or_else(|| token.into_bytes()));
        }
        if has(decoder, &|step| matches!(step, DecoderWrapper::ByteFallback(_)))
            && let Some(byte) = fallback_byte(&token)
        {
            return Some(vec![byte]);
        }
        behind_another(decoder, token)
    }

    fn is_special(&self, token: &str) -> bool {
        let unknown = match self.inner.get_model() {
            ModelWrapper::BPE(model) => model.unk_token.as_deref(),
            ModelWrapper::WordPiece(model) => Some(model.unk_token.as_str()),
            ModelWrapper::WordLevel(model) => Some(model.unk_token.as_str()),
            ModelWrapper::Unigram(_) => None,
        };
        unknown == Some(token) || self.inner.get_added_vocabulary().is_special_token(token)
    }
}

/// Whether a decoder, or a step of it, is of a kind.
fn has(decoder: &DecoderWrapper, kind: &dyn Fn(&DecoderWrapper) -> bool) -> bool {
    match decoder {
        DecoderWrapper::Sequence(steps) => steps.get_decoders().iter().any(|step| has(step, kind)),
        step => kind(step),
    }
}

/// The byte of `<0x0A>`.
fn fallback_byte(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    (digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())).then(|| u8::from_str_radix(digits, 16).ok())?
}

/// The byte that a letter of GPT-2's alphabet stands for: printable bytes stand for themselves, the others for the letters from U+0100 on, in order.
fn byte_of(letter: char) -> Option<u8> {
    const PRINTS: fn(&u8) -> bool = |byte| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    match u8::try_from(letter) {
        Ok(byte) => PRINTS(&byte).then_some(byte),
        Err(_) => (0..=u8::MAX).filter(|byte| !PRINTS(byte)).nth((letter as usize).checked_sub(0x100)?),
    }
}

/// What a token adds to a text that [`BEFORE`] begins.
fn behind_another(decoder: &DecoderWrapper, token: String) -> Option<Vec<u8>> {
    let decode = |tokens: Vec<String>| contain(|| decoder.decode(tokens)).ok();
    let alone = decode(vec![BEFORE.to_owned()])?;
    let both = decode(vec![BEFORE.to_owned(), token])?;
    both.strip_prefix(&alone).map(|added| added.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenizers::decoders::byte_level::ByteLevel;
    use tokenizers::pre_tokenizers::byte_level::ByteLevel as Alphabet;

    #[test]
    fn the_alphabet_stands_for_every_byte_once() {
        let mut bytes: Vec<u8> = Alphabet::alphabet().into_iter().map(|letter| byte_of(letter).unwrap()).collect();
        bytes.sort_unstable();
        assert_eq!(bytes, (0..=u8::MAX).collect::<Vec<_>>());
        assert_eq!(
            (byte_of('Ġ'), byte_of('Ċ'), byte_of(' '), byte_of('\u{AD}'), byte_of('語')),
            (Some(b' '), Some(b'\n'), None, None, None)
        );
        let text: String = Alphabet::alphabet().into_iter().filter(|letter| byte_of(*letter).unwrap().is_ascii()).collect();
        let decoded = ByteLevel::default().decode(vec![text.clone()]).unwrap();
        assert_eq!(decoded.as_bytes(), text.chars().map(|letter| byte_of(letter).unwrap()).collect::<Vec<_>>());
    }

    #[test]
    fn only_two_digits_between_brackets_are_a_byte() {
        assert_eq!((fallback_byte("<0x0A>"), fallback_byte("<0xff>")), (Some(10), Some(255)));
        for token in ["<0x+A>", "<0x>", "<0x0A", "0x0A", "<0x00A>", "<0xé>"] {
            assert_eq!(fallback_byte(token), None, "{token}");
        }
    }
}
