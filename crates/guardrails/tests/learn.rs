//! Classifiers over n-grams: what they learn, what their files hold, and that damage is told.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::LazyLock;

use jarre_core::TextClassifier;
use jarre_guardrails::{
    Error,
    learn::{Example, FeatureHook, NgramModel, TrainConfig, fold, train},
};
use proptest::prelude::*;

const HEADER: usize = 14;

fn config() -> TrainConfig {
    TrainConfig { name: "animals".into(), labels: vec!["cat".into(), "loud".into()], bits: 10, ..TrainConfig::default() }
}

/// Texts about cats or dogs, loud or not; what is loud is known of every second only.
fn examples() -> Vec<Example> {
    let example = |at: usize| {
        let (cat, loud) = (at.is_multiple_of(2), at.is_multiple_of(3));
        let text = format!(
            "the {} {} in room {}",
            if cat { "kitten" } else { "puppy" },
            if loud { "shouts" } else { "sleeps" },
            "abcdefghij".repeat(at % 9)
        );
        Example::new(text, [Some(cat), Some(loud).filter(|_| at % 4 < 2)])
    };
    (0..180).map(example).collect()
}

fn trained() -> NgramModel {
    train(&config(), None, &examples(), &mut |_| ()).unwrap()
}

static MODEL: LazyLock<NgramModel> = LazyLock::new(trained);

fn length(hook: &str) -> FeatureHook {
    FeatureHook::new([hook.to_owned(), "nonsense".to_owned()], |text: &str| vec![text.len() as f32, f32::NAN])
}

#[test]
fn labels_are_learnt_apart() {
    let score = |text: &str| MODEL.score(text);
    let [cat, loud] = score("a kitten shouts")[..] else { unreachable!("there are two labels") };
    assert!(cat > 0.9 && loud > 0.9, "{cat} {loud}");
    let [cat, loud] = score("a PUPPY sleeps")[..] else { unreachable!("there are two labels") };
    assert!(cat < 0.1 && loud < 0.1, "{cat} {loud}");
    assert!((score("")[0] - 0.5).abs() < 0.4, "nothing is neither");
    let classified = MODEL.classify(&["kitten", "puppy"]).unwrap();
    assert!(classified[0].score("cat") > classified[1].score("cat"));
    assert_eq!(MODEL.info().labels, ["cat", "loud"]);
}

#[test]
fn probabilities_are_calibrated_where_texts_say_nothing() {
    let example = |at: usize| Example::new(format!("word number {}", at * at), [Some(at.is_multiple_of(10))]);
    let examples: Vec<Example> = (0..400).map(|at| example(at * 7)).collect();
    let config = TrainConfig { labels: vec!["tenth".into()], ..config() };
    let model = train(&config, None, &examples, &mut |_| ()).unwrap();
    let mean = examples.iter().map(|example| model.score(&example.text)[0]).sum::<f32>() / 400.0;
    assert!((mean - 0.1).abs() < 0.05, "{mean}");
}

#[test]
fn training_is_repeatable_and_tells_of_its_progress() {
    let mut told = Vec::new();
    let again = train(&config(), None, &examples(), &mut |progress| told.push(progress)).unwrap();
    assert_eq!(again.to_bytes(), MODEL.to_bytes());
    assert_eq!(told.iter().map(|progress| progress.strength).collect::<Vec<_>>(), config().strengths);
    assert!(told.iter().all(|progress| progress.of == 6 && progress.log_loss < 0.69), "{told:?}");
}

#[test]
fn a_file_gives_the_same_scores() {
    let read = NgramModel::from_bytes(&MODEL.to_bytes()).unwrap();
    for text in ["a kitten shouts", "", "ÄÖ \u{202e} 😀😀 kitten", &"puppy ".repeat(5_000)] {
        assert_eq!(read.score(text), MODEL.score(text));
    }
}

#[test]
fn hooks_are_learnt_from_and_checked() {
    let example = |at: usize| Example::new("same ".repeat(1 + at % 20), [Some(at % 20 > 10)]);
    let examples: Vec<Example> = (0..200).map(example).collect();
    let config = TrainConfig { labels: vec!["long".into()], hook_scale: 1.0, ..config() };
    let model = train(&config, Some(length("length")), &examples, &mut |_| ()).unwrap();
    let bytes = model.to_bytes();
    let read = NgramModel::with_hook(&bytes, length("length")).unwrap();
    assert!(read.score(&"same ".repeat(18))[0] > 0.8 && read.score(&"same ".repeat(4))[0] < 0.2);
    assert!(matches!(NgramModel::from_bytes(&bytes), Err(Error::ModelFile { .. })));
    assert!(matches!(NgramModel::with_hook(&bytes, length("width")), Err(Error::ModelFile { .. })));
    assert!(matches!(NgramModel::with_hook(&MODEL.to_bytes(), length("length")), Err(Error::ModelFile { .. })));
}

#[test]
fn each_way_to_train_learns() {
    for config in [
        TrainConfig { smoothing: 1.0, ..config() },
        TrainConfig { mix: 1.0, ..config() },
        TrainConfig { balance: 0.0, least_texts: 1, folds: 2, ..config() },
    ] {
        let model = train(&config, None, &examples(), &mut |_| ()).unwrap();
        let wrong = |example: &&Example| {
            let scores = model.score(&example.text);
            example.targets.iter().zip(scores).any(|(target, score)| target.is_some_and(|target| target != (score > 0.5)))
        };
        assert_eq!(examples().iter().filter(wrong).count(), 0, "{config:?}");
    }
}

#[test]
fn what_cannot_be_trained_is_refused() {
    let refused =
        |config: TrainConfig, examples: &[Example]| matches!(train(&config, None, examples, &mut |_| ()), Err(Error::Training { .. }));
    assert!(refused(TrainConfig { labels: Vec::new(), ..config() }, &examples()));
    assert!(refused(TrainConfig { bits: 40, ..config() }, &examples()));
    assert!(refused(TrainConfig { strengths: vec![-1.0], ..config() }, &examples()));
    assert!(refused(TrainConfig { folds: 1, ..config() }, &examples()));
    assert!(refused(config(), &[]));
    assert!(refused(config(), &[Example::new("a", [Some(true)])]));
    assert!(refused(config(), &examples().into_iter().map(|example| example.with_weight(f32::NAN)).collect::<Vec<_>>()));
    let one_sided: Vec<Example> = examples().into_iter().filter(|example| example.targets[1] != Some(true)).collect();
    assert!(refused(config(), &one_sided));
}

#[test]
fn megabytes_of_anything_are_read() {
    for (piece, bytes) in
        [("a ", 10_000_000), ("a", 1_000_000), ("\u{301}", 1_000_000), ("😀", 1_000_000), ("!?", 1_000_000), ("ﷺ", 100_000)]
    {
        let text = piece.repeat(bytes / piece.len());
        assert!(MODEL.score(&text).iter().all(|score| (0.0..=1.0).contains(score)), "{piece:?}");
    }
}

#[test]
fn a_fold_is_of_the_text() {
    assert_eq!(fold("a", 1, 10), fold("a", 1, 10));
    assert!((0..100).all(|seed| fold("a", seed, 3) < 3));
}

/// The hash of a model's contents, so that damage passes it.
fn mended(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.len() >= HEADER {
        let hash =
            bytes[HEADER..].iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        bytes[6..HEADER].copy_from_slice(&hash.to_le_bytes());
    }
    bytes
}

proptest! {
    #[test]
    fn damage_is_told(at in any::<prop::sample::Index>(), bit in 0..8_u8, cut in any::<prop::sample::Index>()) {
        let mut bytes = MODEL.to_bytes();
        prop_assert!(NgramModel::from_bytes(&bytes[..cut.index(bytes.len())]).is_err());
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(NgramModel::from_bytes(&bytes).is_err());
    }

    #[test]
    fn files_made_to_deceive_do_no_harm(at in 4..260_usize, byte in any::<u8>(), cut in any::<prop::sample::Index>(), whole in any::<bool>()) {
        let mut bytes = MODEL.to_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        if !whole {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(model) = NgramModel::from_bytes(&mended(bytes)) {
            prop_assert!(model.score("a kitten shouts").iter().all(|score| (0.0..=1.0).contains(score)));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut file = b"JNGM\x01\x00\0\0\0\0\0\0\0\0".to_vec();
        file.extend(bytes);
        prop_assert!(NgramModel::from_bytes(&mended(file)).is_err());
    }

    #[test]
    fn any_text_has_scores(text in any::<String>()) {
        prop_assert!(MODEL.score(&text).iter().all(|score| (0.0..=1.0).contains(score)));
    }
}
