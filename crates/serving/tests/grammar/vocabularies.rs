use jarre_serving::{Grammar, GrammarCompiler};
use jarre_transformer::Tokenizer;
use rand::SeedableRng;
use rand_pcg::Pcg64;
use serde_json::{Value, json};

use crate::judge::Judge;
use crate::model::{Answer, RandomModel, asset, data};

fn schema() -> Value {
    json!({"type": "object", "properties": {"name": {"type": "string", "maxLength": 8}, "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 3}}, "required": ["name", "tags"], "additionalProperties": false})
}

/// Answers are valid with a vocabulary, and what it spells is read.
fn holds(model: &RandomModel, text: &str) {
    let schema = schema();
    let judge = Judge::new(&schema);
    let grammar = Grammar::JsonSchema(schema.clone());
    for seed in 0..8 {
        let Answer::Complete(text) = model.answer(&grammar, &mut Pcg64::seed_from_u64(seed)).unwrap() else { continue };
        assert!(judge.is_valid(&serde_json::from_str(&text).unwrap()), "{text}");
    }
    assert_eq!(model.read(&grammar, text).unwrap(), Ok(()), "{text}");
}

#[test]
fn pieces_of_words_are_spelled_with_the_spaces_between_them() {
    let tokenizer = Tokenizer::from_folder(asset("all-minilm-l6-v2-int8")).unwrap();
    let eos = tokenizer.id("[SEP]").unwrap();
    let model = RandomModel::new(tokenizer, eos);
    let Answer::Complete(text) = model.answer(&Grammar::Regex("( [a-z]{1,9}){2}".to_owned()), &mut Pcg64::seed_from_u64(1)).unwrap() else {
        panic!("it goes on and on")
    };
    assert_eq!(text.split(' ').count(), 3, "{text}");
}

#[test]
fn what_cannot_end_or_is_no_logit_is_refused() {
    let tokenizer = Tokenizer::from_folder(asset("jarre-tiny")).unwrap();
    let size = tokenizer.vocab_size();
    assert!(GrammarCompiler::new(&tokenizer, size, &[]).is_err());
    assert!(GrammarCompiler::new(&tokenizer, size, &[size as u32]).is_err());
    assert!(GrammarCompiler::new(&tokenizer, 0, &[0]).is_err());
    let two = GrammarCompiler::new(&tokenizer, size, &[0, 300]).unwrap();
    let mut matcher = two.compile(&Grammar::Choice(vec![String::new(), "ab".into()])).unwrap();
    assert!(matcher.mask().unwrap().allows(0) && matcher.mask().unwrap().allows(300));
    matcher.accept(300).unwrap();
    assert!(matcher.is_done());
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn answers_are_valid_with_sentencepiece_and_bytes_to_fall_back_on() {
    let stories = Tokenizer::from_llama2c(data().join("models/stories260k/tok512.bin")).unwrap();
    let eos = stories.id("</s>").unwrap();
    holds(&RandomModel::new(stories, eos), r#"{"name": "é\n", "tags": ["a"]}"#);
}
