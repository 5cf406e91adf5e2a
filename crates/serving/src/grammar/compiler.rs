use std::fmt;
use std::sync::Arc;

use jarre_transformer::Tokenizer;
use llguidance::api::{GrammarWithLexer, ParserLimits, TopLevelGrammar};
use llguidance::earley::SlicedBiasComputer;
use llguidance::toktrie::{InferenceCapabilities, TokEnv};
use llguidance::{JsonCompileOptions, ParserFactory, regex_to_lark};
use serde_json::{Value, json};

use super::vocabulary::Vocabulary;
use super::{Grammar, Matcher, limits};
use crate::error::{Error, Result};

/// White space between two tokens of JSON: enough to indent, and no room to lose oneself in.
const WHITE_SPACE: &str = r"[\x20\x0A\x0D\x09]{1,64}";

/// Turns grammars into matchers for one model's vocabulary: made once, shared by all requests.
///
/// Memory: some 30 bytes for each byte of the vocabulary's tokens, several times over.
///
/// ```
/// use jarre_serving::{Grammar, GrammarCompiler};
/// # fn main() -> jarre_serving::Result<()> {
/// # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/assets/jarre-tiny");
/// let tokenizer = jarre_transformer::Tokenizer::from_folder(folder)?;
/// let eos = tokenizer.id("<|endoftext|>").expect("the vocabulary has it");
/// let compiler = GrammarCompiler::new(&tokenizer, tokenizer.vocab_size(), &[eos])?;
/// let mut matcher = compiler.compile(&Grammar::Choice(vec!["yes".into(), "no".into()]))?;
/// for id in tokenizer.encode_plain("yes")? {
///     assert!(matcher.mask()?.allows(id));
///     matcher.accept(id)?;
/// }
/// assert!(matcher.is_done());
/// assert!(compiler.compile(&Grammar::Regex("(".into())).is_err());
/// # Ok(())
/// # }
/// ```
pub struct GrammarCompiler {
    factory: ParserFactory,
    vocabulary: Arc<Vocabulary>,
}

impl GrammarCompiler {
    /// A compiler for a model with `vocab_size` logits, which may be more than the tokenizer has tokens (the rest is never allowed); any of
    /// `eos` ends an answer. Cost: about a second for 150,000 tokens.
    ///
    /// # Errors
    /// Where `eos` is empty or names a token that is not among the logits, or no token of the tokenizer stands for text.
    pub fn new(tokenizer: &Tokenizer, vocab_size: usize, eos: &[u32]) -> Result<Self> {
        let vocabulary = Arc::new(Vocabulary::new(tokenizer, vocab_size, eos)?);
        let env: TokEnv = vocabulary.clone();
        let mut factory = ParserFactory::new(&env, InferenceCapabilities::default(), &SlicedBiasComputer::json_slices())
            .map_err(|error| Error::Invalid(format!("this vocabulary makes no matcher: {error}")))?;
        factory.quiet();
        *factory.limits_mut() = bounds();
        Ok(Self { factory, vocabulary })
    }

    /// A matcher at the beginning of an answer.
    ///
    /// Grammars of strangers are safe to compile: they are at most 256 KiB long and 64 levels deep, a schema has at most 32 patterns of names,
    /// and what they unfold to is at most 20,000 symbols, so that the worst known end, one way or the other, within two seconds of one core.
    /// What bounds them is work, not a clock. (Schemas with more than some 500 optional properties in one object are too large.)
    ///
    /// # Errors
    /// [`Error::Invalid`], which says what is wrong with the grammar or which keyword of a schema cannot be held to.
    pub fn compile(&self, grammar: &Grammar) -> Result<Matcher> {
        limits::check(grammar)?;
        let refused = |error: &dyn fmt::Display| Error::Invalid(format!("this grammar cannot be held to: {}", limits::first_lines(error)));
        let parser = self.factory.create_parser(written(grammar)?).map_err(|error| refused(&error))?;
        let mut inner = llguidance::Matcher::new(Ok(parser));
        if let Some(warning) = inner.grammar_warnings().first() {
            return Err(refused(warning));
        }
        // A grammar of no text, or one with too many ways to begin, is found out by its first mask.
        inner.compute_mask_or_eos().map_err(|error| refused(&error))?;
        Ok(Matcher::new(inner, self.vocabulary.clone()))
    }
}

impl fmt::Debug for GrammarCompiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrammarCompiler").field("vocabulary", &self.vocabulary).finish_non_exhaustive()
    }
}

/// What one grammar may cost: a tenth of a second's work here and there, tens of megabytes in the worst case. A row of the parser takes time
/// with the square of the grammar's symbols: 200,000 of them would be many seconds before the first token.
fn bounds() -> ParserLimits {
    ParserLimits {
        initial_lexer_fuel: 500_000,
        max_lexer_states: 50_000,
        max_grammar_size: 20_000,
        verbose_errors: false,
        ..ParserLimits::default()
    }
}

/// The grammar as llguidance reads it.
fn written(grammar: &Grammar) -> Result<TopLevelGrammar> {
    let grammar = match grammar {
        Grammar::JsonSchema(schema) => GrammarWithLexer::from_json_schema(with_options(schema)?),
        Grammar::JsonObject => GrammarWithLexer::from_json_schema(with_options(&json!({"type": "object"}))?),
        Grammar::Regex(pattern) => GrammarWithLexer::from_lark(format!("start: /{}/", regex_to_lark(pattern, ""))),
        Grammar::Choice(texts) => GrammarWithLexer::from_lark(format!("start: CHOICE\nCHOICE: {}", alternatives(texts)?)),
        Grammar::Lark(source) => GrammarWithLexer::from_lark(source.clone()),
    };
    Ok(TopLevelGrammar::from_grammar(grammar))
}

fn alternatives(texts: &[String]) -> Result<String> {
    if texts.is_empty() {
        return Err(Error::Invalid("a choice offers at least one text".to_owned()));
    }
    let quoted = texts.iter().map(|text| Value::from(text.as_str()).to_string());
    Ok(quoted.collect::<Vec<_>>().join(" | "))
}

/// The schema with how JSON may be written; llguidance reads that from a key, which is not for strangers to set.
fn with_options(schema: &Value) -> Result<Value> {
    let mut schema = match schema {
        Value::Object(schema) => schema.clone(),
        Value::Bool(true) => serde_json::Map::new(),
        Value::Bool(false) => return Err(Error::Invalid("the schema `false` allows no value".to_owned())),
        _ => return Err(Error::Invalid("a JSON Schema is an object or a boolean".to_owned())),
    };
    let options = JsonCompileOptions {
        whitespace_pattern: Some(WHITE_SPACE.to_owned()),
        json_allow_general_unicode_escapes: true,
        ..JsonCompileOptions::default()
    };
    let options = serde_json::to_value(options).map_err(|error| Error::Invalid(error.to_string()))?;
    schema.insert("x-guidance".to_owned(), options);
    Ok(Value::Object(schema))
}
