use jarre_serving::Grammar;
use rand::SeedableRng;
use rand_pcg::Pcg64;
use serde_json::Value;

use crate::model::{Answer, RandomModel, is_past_f64};

fn answers(model: &RandomModel, grammar: &Grammar) -> Vec<String> {
    let complete = |seed| match model.answer(grammar, &mut Pcg64::seed_from_u64(seed)).unwrap() {
        Answer::Complete(text) => Some(text),
        Answer::Unfinished => None,
    };
    let answers: Vec<String> = (0..30).filter_map(complete).collect();
    assert!(answers.len() > 10, "{grammar:?}: {} answers", answers.len());
    answers
}

#[test]
fn answers_match_their_regular_expression_from_end_to_end() {
    let model = RandomModel::shipped();
    let digits = |text: &str, n: usize| text.len() == n && text.bytes().all(|byte| byte.is_ascii_digit());
    for text in answers(&model, &Grammar::Regex(r"\+[0-9]{2} [0-9]{3}/[0-9]{4}".to_owned())) {
        let (country, rest) = text.strip_prefix('+').unwrap().split_once(' ').unwrap();
        let (area, number) = rest.split_once('/').unwrap();
        assert!(digits(country, 2) && digits(area, 3) && digits(number, 4), "{text}");
    }
    let words = Grammar::Regex(r"[a-zäöü]{2,5}(, [a-zäöü]{2,5}){0,3}".to_owned());
    for text in answers(&model, &words) {
        assert!(text.split(", ").all(|word| (2..=5).contains(&word.chars().count())), "{text}");
    }
    assert!(model.takes(&words, "über, die, höhe") && !model.takes(&words, "über, ") && !model.takes(&words, ""));
    assert!(model.takes(&Grammar::Regex("a*".to_owned()), ""));
    for wrong in ["(", "a{2,1}", "(?=a)", r"(a)\1", "[z-a]", ""] {
        let refused = model.compiler.compile(&Grammar::Regex(wrong.to_owned()));
        assert!(refused.is_err() || wrong.is_empty(), "{wrong}");
    }
}

#[test]
fn answers_are_one_of_the_choices() {
    let model = RandomModel::shipped();
    let texts = ["yes", "no", "not sure", "\"quoted\\\" \n", "日本", "<|endoftext|>", "/x/i | y"].map(str::to_owned).to_vec();
    let grammar = Grammar::Choice(texts.clone());
    assert!(answers(&model, &grammar).iter().all(|answer| texts.contains(answer)));
    for text in texts.iter().filter(|text| *text != "<|endoftext|>") {
        assert_eq!(model.read(&grammar, text).unwrap(), Ok(()), "{text}");
    }
    assert!(!model.takes(&grammar, "not") && !model.takes(&grammar, "yes!"));
    assert!(model.compiler.compile(&Grammar::Choice(Vec::new())).is_err());
    assert!(model.takes(&Grammar::Choice(vec![String::new(), "a".to_owned()]), ""));
    let many: Vec<String> = (0..10_000).map(|number| format!("item {number}")).collect();
    assert!(model.takes(&Grammar::Choice(many), "item 9876"));
}

#[test]
fn any_object_is_an_object() {
    let model = RandomModel::shipped();
    for text in answers(&model, &Grammar::JsonObject) {
        let value: Result<Value, _> = serde_json::from_str(&text);
        assert!(value.is_ok_and(|value| value.is_object()) || is_past_f64(&text), "{text}");
    }
    for text in ["{}", "{ \"a\" : [1, {\"b\": null}], \"c\": \"\\u00e9\\n\" }"] {
        assert_eq!(model.read(&Grammar::JsonObject, text).unwrap(), Ok(()));
    }
    assert!(!model.takes(&Grammar::JsonObject, "[]") && !model.takes(&Grammar::JsonObject, "{} {}"));
}

#[test]
fn lark_grammars_are_context_free() {
    let model = RandomModel::shipped();
    let grammar = Grammar::Lark("start: sum\nsum: term (\"+\" term)*\nterm: /[0-9]{1,3}/ | \"(\" sum \")\"".to_owned());
    for text in answers(&model, &grammar) {
        let depth = text.chars().try_fold(0usize, |depth, char| match char {
            '(' => Some(depth + 1),
            ')' => depth.checked_sub(1),
            _ => Some(depth),
        });
        assert_eq!(depth, Some(0), "{text}");
    }
    assert!(model.takes(&grammar, "((1)+20)+300") && !model.takes(&grammar, "((1)") && !model.takes(&grammar, "1+"));
    for wrong in ["", "start: missing", "start: \"a", "begin: \"a\"", "start: start", "start: <|no_such_token|>"] {
        assert!(model.compiler.compile(&Grammar::Lark(wrong.to_owned())).is_err(), "{wrong}");
    }
}

#[test]
fn speculative_and_forced_tokens_leave_the_matcher_where_it_is() {
    let model = RandomModel::shipped();
    let grammar = Grammar::Regex(r#"\{"temperature": -?[0-9]+\}"#.to_owned());
    let mut matcher = model.compiler.compile(&grammar).unwrap();
    let ids = model.tokenizer.encode_plain("{\"temperature\": -12}").unwrap();
    let wrong = model.tokenizer.encode_plain("{\"temperature\": -x").unwrap();
    let before = format!("{:?}", matcher.mask().unwrap());
    assert_eq!(matcher.accepts(&ids), ids.len());
    assert!(matcher.accepts(&wrong) < wrong.len() && matcher.accepts(&wrong) >= wrong.len() - 2);
    assert_eq!(matcher.accepts(&[u32::MAX]), 0);
    let forced = matcher.forced();
    let text: Vec<u8> = forced.iter().flat_map(|id| model.tokenizer.token_bytes(*id).unwrap()).collect();
    assert!(text.len() > 8 && b"{\"temperature\": ".starts_with(&text), "{:?}", String::from_utf8_lossy(&text));
    assert_eq!(format!("{:?}", matcher.mask().unwrap()), before);
    assert!(matcher.accept(wrong[wrong.len() - 1]).is_err() && matcher.accept(u32::MAX).is_err());
    let mut other = matcher.clone();
    for id in &forced {
        other.accept(*id).unwrap();
    }
    for id in &ids {
        assert!(!matcher.is_done());
        matcher.accept(*id).unwrap();
    }
    assert!(matcher.is_done() && !other.is_done());
    assert!(other.mask().unwrap().count() >= 1);
    let eos = model.tokenizer.id("<|endoftext|>").unwrap();
    assert_eq!((matcher.mask().unwrap().count(), matcher.mask().unwrap().allows(eos), matcher.accepts(&[eos])), (1, true, 1));
    matcher.accept(eos).unwrap();
    matcher.accept(eos).unwrap();
    assert!(matcher.accept(ids[0]).is_err() && matcher.is_done());
}
