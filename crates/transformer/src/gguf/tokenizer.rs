//! Vocabularies of GGUF files as tokenizers of Hugging Face.

use std::collections::HashMap;

use jarre_quant::gguf::{self, Metadata};
use tokenizers::decoders::byte_fallback::ByteFallback;
use tokenizers::decoders::byte_level::ByteLevel;
use tokenizers::decoders::fuse::Fuse;
use tokenizers::decoders::strip::Strip;
use tokenizers::models::bpe::BPE;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::{BertNormalizer, Prepend, Replace};
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::pre_tokenizers::sequence::Sequence as PreSequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{AddedToken, DecoderWrapper, NormalizerWrapper, PreTokenizerWrapper, SplitDelimiterBehavior};

use super::Reason;
use crate::tokenizer::{Tokenizer, contain, merges_by_score};

/// Kinds of tokens, as files number them.
const CONTROL: i32 = 3;
const USER_DEFINED: i32 = 4;

/// What sentencepiece writes for a space.
const SPACE: &str = "\u{2581}";

const LETTERS_OR_NUMBERS: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

const DEEPSEEK_MARKS: &str = "\\s?[!-/:-~\u{ff01}-\u{ff0f}\u{ff1a}-\u{ff5e}\u{2018}-\u{201f}\u{3000}-\u{3002}]+";
const CHINESE_AND_KOREAN: &str = "[\u{800}-\u{9fa5}\u{ac00}-\u{d7ff}]+";

const SUPPORTED_SPLITS: &str = "default, gpt-2, mpt, olmo, phi-2, llama-bpe, qwen2, starcoder, refact, command-r, smollm, codeshell, falcon, \
    deepseek-llm, deepseek-coder";

/// The tokenizer that the metadata describe.
pub(super) fn of(metadata: &Metadata) -> Result<Tokenizer, Reason> {
    let tokens = metadata.get_strings("tokenizer.ggml.tokens")?;
    let kinds = if metadata.get("tokenizer.ggml.token_type").is_some() { metadata.get_i32s("tokenizer.ggml.token_type")? } else { &[] };
    let mut inner = match metadata.get_str("tokenizer.ggml.model")? {
        "llama" => sentencepiece(metadata, tokens)?,
        "gpt2" => byte_level(metadata, tokens)?,
        "bert" => wordpiece(metadata, tokens)?,
        other => return Err(Reason::Unsupported { what: "vocabulary", found: other.to_owned(), supported: "llama, gpt2, bert" }),
    };
    let of_kind = |kind: i32| tokens.iter().zip(kinds).filter(move |(_, found)| **found == kind).map(|(token, _)| token);
    inner.add_special_tokens(&of_kind(CONTROL).map(|token| AddedToken::from(token, true)).collect::<Vec<_>>());
    inner.add_tokens(&of_kind(USER_DEFINED).map(|token| AddedToken::from(token, false).normalized(false)).collect::<Vec<_>>());
    if let Some(template) = around(metadata, tokens)? {
        inner.with_post_processor(Some(template));
    }
    Tokenizer::new(inner, usize::MAX).map_err(Reason::Malformed)
}

/// Whether texts begin with the token that is for it: what the file says, or else what its kind of vocabulary does.
pub(super) fn begins_texts(metadata: &Metadata) -> bool {
    let kind = metadata.get_str("tokenizer.ggml.model").unwrap_or_default();
    let usual = kind != "gpt2" || joins_whole_words(metadata.get_str("tokenizer.ggml.pre").unwrap_or_default());
    metadata.get_bool("tokenizer.ggml.add_bos_token").unwrap_or(usual)
}

/// The tokens that stand around a text.
fn around(metadata: &Metadata, tokens: &[String]) -> Result<Option<TemplateProcessing>, Reason> {
    let id = |name: &str| metadata.get_u64(&format!("tokenizer.ggml.{name}_token_id")).ok();
    let is_bert = metadata.get_str("tokenizer.ggml.model").is_ok_and(|kind| kind == "bert");
    let begin = begins_texts(metadata).then(|| if is_bert { id("cls").or_else(|| id("bos")) } else { id("bos") }).flatten();
    let ends = metadata.get_bool("tokenizer.ggml.add_eos_token").unwrap_or(false);
    // The specification spells it so.
    let end = if is_bert { id("seperator").or_else(|| id("eos")) } else { id("eos").filter(|_| ends) };
    let named = |id: Option<u64>| id.and_then(|id| Some((tokens.get(usize::try_from(id).ok()?)?.clone(), id as u32)));
    let (begin, end) = (named(begin), named(end));
    let specials: Vec<(String, u32)> = begin.iter().chain(&end).cloned().collect();
    if specials.is_empty() {
        return Ok(None);
    }
    let pieces = |texts: &[&str]| {
        let first = begin.iter().map(|(token, _)| token.as_str());
        first.chain(texts.iter().copied()).chain(end.iter().map(|(token, _)| token.as_str())).map(str::to_owned).collect::<Vec<String>>()
    };
    let template = TemplateProcessing::builder().try_single(pieces(&["$A"])).map_err(malformed)?.special_tokens(specials).build();
    template.map(Some).map_err(malformed)
}

/// The special tokens that chat templates name, as `bos_token` and `<s>`.
pub(super) fn specials(metadata: &Metadata) -> gguf::Result<Vec<(&'static str, String)>> {
    let tokens = metadata.get_strings("tokenizer.ggml.tokens")?;
    let token = |key: &str| {
        let id = metadata.get_u64(&format!("tokenizer.ggml.{key}_token_id")).ok()?;
        tokens.get(usize::try_from(id).ok()?).cloned()
    };
    let names = [("bos_token", "bos"), ("eos_token", "eos"), ("unk_token", "unknown"), ("pad_token", "padding")];
    Ok(names.into_iter().filter_map(|(name, key)| Some((name, token(key)?))).collect())
}

/// Ids of tokens; of two that are spelled alike the first.
fn ids(tokens: &[String]) -> HashMap<String, u32> {
    tokens.iter().enumerate().rev().map(|(id, token)| (token.clone(), id as u32)).collect()
}

fn malformed(error: impl std::fmt::Display) -> Reason {
    Reason::Malformed(format!("its vocabulary: {error}"))
}

/// Joins the neighbours whose union has the highest score, and spells with bytes what it does not know.
fn sentencepiece(metadata: &Metadata, tokens: &[String]) -> Result<tokenizers::Tokenizer, Reason> {
    let scores = metadata.get_f32s("tokenizer.ggml.scores")?;
    if scores.len() != tokens.len() {
        return Err(malformed(format!("{} scores of {} tokens", scores.len(), tokens.len())));
    }
    let vocabulary = ids(tokens);
    let unknown = metadata.get_u64("tokenizer.ggml.unknown_token_id").ok().and_then(|id| tokens.get(id as usize)).cloned();
    let pieces = tokens.iter().map(String::as_str).zip(scores.iter().copied());
    let merges = merges_by_score(pieces, &vocabulary);
    let mut model = BPE::builder().vocab_and_merges(vocabulary.into_iter().collect::<tokenizers::models::bpe::Vocab>(), merges);
    if let Some(unknown) = unknown {
        model = model.unk_token(unknown).fuse_unk(true);
    }
    let model = contain(|| model.byte_fallback(true).build()).map_err(malformed)?;
    let mut inner = tokenizers::Tokenizer::new(model);
    let prefixed = metadata.get_bool("tokenizer.ggml.add_space_prefix").unwrap_or(true);
    let mut steps: Vec<NormalizerWrapper> = Vec::new();
    if prefixed {
        steps.push(Prepend::new(SPACE.to_owned()).into());
    }
    steps.push(Replace::new(" ", SPACE).map_err(malformed)?.into());
    inner.with_normalizer(Some(tokenizers::normalizers::Sequence::new(steps)));
    let mut back: Vec<DecoderWrapper> =
        vec![Replace::new(SPACE, " ").map_err(malformed)?.into(), ByteFallback::new().into(), Fuse::new().into()];
    if prefixed {
        back.push(Strip::new(' ', 1, 0).into());
    }
    inner.with_decoder(Some(tokenizers::decoders::sequence::Sequence::new(back)));
    Ok(inner)
}

/// Joins neighbours by a list of merges, within the parts that a text is split into.
fn byte_level(metadata: &Metadata, tokens: &[String]) -> Result<tokenizers::Tokenizer, Reason> {
    let merges = metadata.get_strings("tokenizer.ggml.merges")?.iter().map(|merge| {
        let (first, second) = merge.split_once(' ').ok_or_else(|| malformed(format!("`{merge}` is no merge")))?;
        Ok((first.to_owned(), second.to_owned()))
    });
    let merges: Vec<(String, String)> = merges.collect::<Result<_, Reason>>()?;
    let split = metadata.get_str("tokenizer.ggml.pre").unwrap_or("default");
    let model = BPE::builder()
        .vocab_and_merges(ids(tokens).into_iter().collect::<tokenizers::models::bpe::Vocab>(), merges)
        .ignore_merges(joins_whole_words(split));
    let mut inner = tokenizers::Tokenizer::new(contain(|| model.build()).map_err(malformed)?);
    let mut steps = Vec::new();
    for pattern in patterns(split)? {
        let pattern = SplitPattern::Regex((*pattern).to_owned());
        steps.push(PreTokenizerWrapper::from(contain(|| Split::new(pattern, SplitDelimiterBehavior::Isolated, false)).map_err(malformed)?));
    }
    steps.push(ByteLevel::new(false, true, false).into());
    inner.with_pre_tokenizer(Some(PreSequence::new(steps)));
    inner.with_decoder(Some(ByteLevel::default()));
    Ok(inner)
}

/// Whether a part that is in the vocabulary is one token whatever the merges say, as in the vocabularies of Llama 3.
fn joins_whole_words(split: &str) -> bool {
    matches!(split, "llama-bpe" | "llama3" | "llama-v3")
}

/// Takes the longest piece of a word that there is. Files mark the beginnings of words instead of their continuations.
fn wordpiece(metadata: &Metadata, tokens: &[String]) -> Result<tokenizers::Tokenizer, Reason> {
    let spelled = |token: &String| match token.strip_prefix(SPACE) {
        Some(beginning) => beginning.to_owned(),
        None if token.starts_with('[') && token.ends_with(']') => token.clone(),
        None => format!("##{token}"),
    };
    let spelled: Vec<String> = tokens.iter().map(spelled).collect();
    let unknown = metadata.get_u64("tokenizer.ggml.unknown_token_id").ok().and_then(|id| tokens.get(id as usize)).cloned();
    let vocabulary = ids(&spelled).into_iter().collect::<tokenizers::models::bpe::Vocab>();
    let model = WordPiece::builder().vocab(vocabulary).unk_token(unknown.unwrap_or_else(|| "[UNK]".to_owned()));
    let mut inner = tokenizers::Tokenizer::new(contain(|| model.build()).map_err(malformed)?);
    inner.with_normalizer(Some(BertNormalizer::default()));
    inner.with_pre_tokenizer(Some(BertPreTokenizer));
    inner.with_decoder(Some(tokenizers::decoders::wordpiece::WordPiece::default()));
    Ok(inner)
}

/// What a text is split by, one pattern after another.
fn patterns(split: &str) -> Result<&'static [&'static str], Reason> {
    Ok(match split {
        "default" => &[r"[\p{P}\$\+<=>\^~\|]+", LETTERS_OR_NUMBERS, r"\p{N}+", r"[0-9][0-9][0-9]"],
        "gpt-2" | "mpt" | "olmo" | "phi-2" | "jina-es" | "jina-de" => &[LETTERS_OR_NUMBERS],
        "llama-bpe" | "llama3" | "llama-v3" => &[LLAMA3],
        "qwen2" | "stablelm2" | "megrez" => &[QWEN2],
        "starcoder" | "refact" | "command-r" | "smollm" | "codeshell" | "exaone" => &[r"\p{N}", LETTERS_OR_NUMBERS],
        "deepseek-llm" => &[r"[\r\n]", r"\s?[\p{Lu}\p{Ll}\p{Lt}]+", DEEPSEEK_MARKS, r"\s+$", CHINESE_AND_KOREAN, r"\p{N}+"],
        "deepseek-coder" => &[r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", CHINESE_AND_KOREAN, r"\p{N}"],
        "falcon" => &[r"[\p{P}\$\+<=>\^~\|`]+", LETTERS_OR_NUMBERS, r"[0-9][0-9][0-9]"],
        other => {
            return Err(Reason::Unsupported { what: "way to split texts", found: other.to_owned(), supported: SUPPORTED_SPLITS });
        }
    })
}
