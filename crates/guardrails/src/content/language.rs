use std::sync::Arc;

use serde::{Deserialize, Serialize};
use whatlang::Lang;

use crate::{
    Basis, Context, Effect, Error, Guard, Reach, Result, Scan,
    scan::{Strides, Window},
};

/// Which languages a text may be in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LanguageConfig {
    /// What is done about others.
    pub effect: Effect,
    /// Codes of ISO 639-3, as `eng` and `deu`.
    pub allow: Vec<String>,
    /// Letters that a window has to have before its language is guessed: of less text the language is unknown, which is no finding.
    pub least: usize,
    /// How sure the guess has to be, from 0 to 1.
    pub confidence: f64,
    /// Bytes that are read together.
    pub length: usize,
    /// Bytes from one reading to the next.
    pub stride: usize,
}

impl Default for LanguageConfig {
    /// English, by half a kilobyte.
    fn default() -> Self {
        Self { effect: Effect::Block, allow: vec!["eng".into()], least: 40, confidence: 0.8, length: 512, stride: 256 }
    }
}

/// Finds text in languages that are not allowed; the label is the code of ISO 639-3 of the language.
///
/// Languages are told by scripts and trigrams of letters ([`whatlang`]), 69 of them. Code, names and lists of words are in no language:
/// a guess about them is seldom sure.
///
/// ```
/// use jarre_guardrails::{Context, Guard, content::{LanguageConfig, LanguageGuard}};
///
/// let guard = LanguageGuard::new(LanguageConfig::default())?;
/// let german = "Der Zug nach München fährt heute leider erst um halb neun, weil die Strecke gesperrt ist.";
/// assert_eq!(guard.check(german, &Context::default())?[0].label, "deu");
/// assert!(guard.check("Danke!", &Context::default())?.is_empty());
/// # Ok::<(), jarre_guardrails::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct LanguageGuard {
    config: LanguageConfig,
    allow: Arc<[Lang]>,
}

impl LanguageGuard {
    /// A guard that lets these languages be.
    ///
    /// # Errors
    /// [`Error::Config`] where a code is not known, none is given, or windows are shorter than strides or than 4 bytes.
    pub fn new(config: LanguageConfig) -> Result<Self> {
        let known = |code: &String| {
            Lang::from_code(code)
                .ok_or_else(|| Error::config("language", format!("`{code}` is not the ISO 639-3 code of a language that can be told")))
        };
        let allow: Arc<[Lang]> = config.allow.iter().map(known).collect::<Result<_>>()?;
        if allow.is_empty() {
            return Err(Error::config("language", "no language is allowed"));
        }
        if !(4..=config.length).contains(&config.stride) {
            return Err(Error::config("language", "`stride` is from 4 to `length`"));
        }
        Ok(Self { config, allow })
    }
}

impl Guard for LanguageGuard {
    fn name(&self) -> &'static str {
        "language"
    }

    fn reach(&self) -> Reach {
        Reach::Bytes(self.config.stride + 3)
    }

    fn basis(&self) -> Basis {
        Basis::Text
    }

    fn scan(&self, _: &Context) -> Box<dyn Scan> {
        let (config, allow) = (self.config.clone(), Arc::clone(&self.allow));
        let window = Window { length: config.length, stride: config.stride };
        Box::new(Strides::new(window, move |text| {
            let letters = text.chars().filter(|character| character.is_alphabetic()).count();
            let guess = if letters < config.least { None } else { whatlang::detect(text) };
            let other = guess.filter(|guess| guess.confidence() >= config.confidence && !allow.contains(&guess.lang()));
            Ok(other.map(|guess| (guess.lang().code().into(), guess.confidence() as f32, config.effect.clone())))
        }))
    }
}
