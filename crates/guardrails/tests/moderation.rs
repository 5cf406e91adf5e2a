//! The guard that moderates: what its thresholds do, how streams and long texts are read, and how classifiers are joined.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::{Arc, LazyLock};

use jarre_core::{Classification, ClassifierInfo, LabelScore, TextClassifier};
use jarre_guardrails::{
    Context, Effect, Error, Finding, Guard, Reach, Stage,
    learn::{FeatureHook, NgramModel},
    moderation::{Category, Join, ModerationConfig, ModerationGuard, Reading, Rule, hook, model},
};
use proptest::prelude::*;

/// Says `score` of texts with the word, 0 of others.
struct Word {
    info: ClassifierInfo,
    needle: &'static str,
    score: f32,
}

impl TextClassifier for Word {
    fn info(&self) -> &ClassifierInfo {
        &self.info
    }

    fn classify(&self, texts: &[&str]) -> jarre_core::Result<Vec<Classification>> {
        let score = |text: &str| if text.contains(self.needle) { self.score } else { 0.0 };
        let scores = |text: &str| Classification::new(self.info.labels.iter().map(|label| LabelScore::new(label.clone(), score(text))));
        Ok(texts.iter().map(|text| scores(text)).collect())
    }
}

fn word(label: &str, word: &'static str, score: f32) -> Arc<dyn TextClassifier> {
    let info = ClassifierInfo { name: word.into(), labels: vec![label.into()], multi_label: true };
    Arc::new(Word { info, needle: word, score })
}

fn check(config: &ModerationConfig, classifiers: Vec<Arc<dyn TextClassifier>>, text: &str) -> Vec<Finding> {
    ModerationGuard::asking(config, classifiers).unwrap().check(text, &Context::new(Stage::Output)).unwrap()
}

fn rules(category: Category, note: Option<f32>, block: Option<f32>) -> ModerationConfig {
    ModerationConfig { rules: [(category, Rule { note, block })].into(), ..ModerationConfig::default() }
}

#[test]
fn thresholds_decide() {
    let effect = |note, block, score| {
        let found = check(&rules(Category::Violence, note, block), vec![word("V", "blow", score)], "a blow");
        found.first().map(|found| (found.label.to_string(), found.effect.clone()))
    };
    assert_eq!(effect(Some(0.2), Some(0.6), 0.6), Some(("violence".into(), Effect::Block)));
    assert_eq!(effect(Some(0.2), Some(0.6), 0.59), Some(("violence".into(), Effect::Note)));
    assert_eq!(effect(Some(0.2), Some(0.6), 0.19), None);
    assert_eq!(effect(None, None, 1.0), None);
    assert_eq!(effect(None, Some(0.6), 0.5), None);
}

#[test]
fn classifiers_are_joined_and_others_left_out() {
    let both = || vec![word("violence", "blow", 0.8), word("V", "kiss", 0.9)];
    let config = |join| ModerationConfig { join, ..rules(Category::Violence, Some(0.5), None) };
    assert!((check(&config(Join::Max), both(), "a blow")[0].score - 0.8).abs() < 1e-6);
    assert!(check(&config(Join::Mean), both(), "a blow").is_empty());
    assert!((check(&config(Join::Mean), both(), "a blow, a kiss")[0].score - 0.85).abs() < 1e-6);
    let refused = |classifiers| matches!(ModerationGuard::asking(&config(Join::Max), classifiers), Err(Error::Moderation { .. }));
    assert!(refused(vec![word("spam", "buy", 0.9)]) && refused(Vec::new()));
    let config = ModerationConfig { stride: 3, ..ModerationConfig::default() };
    assert!(matches!(ModerationGuard::new(&config), Err(Error::Moderation { .. })));
}

#[test]
fn a_whole_text_has_one_finding_a_category_where_it_is_worst() {
    let config = ModerationConfig { reading: Reading::Whole, ..rules(Category::Hate, Some(0.1), None) };
    let text = format!("{}malice{}", "é".repeat(4_000), "x".repeat(5_000));
    let found = check(&config, vec![word("H", "malice", 0.9), word("SH", "nothing", 0.9)], &text);
    assert_eq!(found.len(), 1);
    assert!(found[0].span.contains(&8_002) && found[0].span.len() <= 1_024, "{found:?}");
    for text in ["", "malice", &"é".repeat(1_023)] {
        let found = check(&config, vec![word("H", "malice", 0.9)], text);
        assert_eq!(found.len(), usize::from(text == "malice"));
    }
    let guard = |reading| ModerationGuard::new(&ModerationConfig { reading, ..ModerationConfig::default() }).unwrap();
    assert_eq!(guard(Reading::Whole).reach(), Reach::Whole);
    assert_eq!(guard(Reading::Windows).reach(), Reach::Bytes(259));
}

#[test]
fn configurations_are_read_and_mistakes_told() {
    let config: ModerationConfig = toml::from_str("reading = \"whole\"\n[rules.\"sexual/minors\"]\nblock = 0.1").unwrap();
    assert_eq!(config.rule(Category::SexualMinors), Rule { note: None, block: Some(0.1) });
    assert_eq!(config.rule(Category::Hate), Rule::of(Category::Hate));
    assert_eq!(config.window, 1_024);
    assert!(toml::from_str::<ModerationConfig>("[rules.sexuall]\nblock = 0.1").is_err());
    for category in Category::ALL {
        let json = serde_json::to_string(&category).unwrap();
        assert_eq!(json, format!("\"{}\"", category.name()));
        assert_eq!((Category::of_label(category.name()), Category::of_label(category.code())), (Some(category), Some(category)));
    }
}

#[test]
fn the_model_fits_its_hook_and_nothing_else() {
    let bytes = model().to_bytes();
    assert!(bytes.len() <= 2_000_000, "{}", bytes.len());
    assert_eq!(model().labels(), Category::ALL.map(Category::code));
    assert!(NgramModel::with_hook(&bytes, hook()).is_ok());
    assert!(NgramModel::from_bytes(&bytes).is_err());
    assert!(NgramModel::with_hook(&bytes, FeatureHook::new(["length"], |_| vec![0.0])).is_err());
}

/// Texts of no set, each plainly of its kind.
#[test]
fn plain_cases_are_told_apart() {
    let top = |text: &str| {
        let scores = model().score(text);
        Category::ALL.into_iter().zip(scores).max_by(|one, other| one.1.total_cmp(&other.1)).unwrap()
    };
    for (text, category) in [
        ("I cut myself again last night and I keep thinking about suicide, I just want to die", Category::SelfHarm),
        ("she moaned as he thrust his cock deep into her wet pussy until she came", Category::Sexual),
        ("all muslims are subhuman vermin and jews are filthy parasites, i hate them", Category::Hate),
    ] {
        let (found, score) = top(text);
        assert!(found == category && score > 0.5, "{text}: {found:?} {score}");
    }
    for text in [
        "The committee will publish its report on regional water supply in March.",
        "Could you help me write a cover letter for a job at a bakery?",
        "To kill a process on Linux, send it a signal; children of the process are reaped by init.",
    ] {
        let (found, score) = top(text);
        assert!(score < 0.35, "{text}: {found:?} {score}");
    }
}

static GUARD: LazyLock<ModerationGuard> = LazyLock::new(|| {
    let rule = Rule { note: Some(0.02), block: Some(0.4) };
    let rules = Category::ALL.map(|category| (category, rule)).into();
    ModerationGuard::new(&ModerationConfig { rules, window: 64, stride: 16, ..ModerationConfig::default() }).unwrap()
});

proptest! {
    #[test]
    fn cuts_make_no_difference(words in prop::collection::vec("kill|you|é|😀|die|sex|girl|the|\u{202e}|\n", 0..60), cuts in prop::collection::vec(any::<usize>(), 0..9)) {
        let text = words.join(" ");
        let context = Context::new(Stage::Output);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).filter(|&cut| text.is_char_boundary(cut)).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let (mut scan, mut found) = (GUARD.scan(&context), Vec::new());
        for piece in cuts.windows(2) {
            scan.push(&text[piece[0]..piece[1]], &mut found).unwrap();
            prop_assert!(piece[1] - scan.decided() <= 19);
        }
        scan.finish(&mut found).unwrap();
        prop_assert_eq!(found, GUARD.check(&text, &context).unwrap());
    }
}
