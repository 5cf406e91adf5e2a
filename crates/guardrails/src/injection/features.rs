use super::{
    patterns::{self, hits},
    sentences::sentences,
};
use crate::learn::FeatureHook;

/// How many sentences count fully.
const FULL: f32 = 3.0;

/// What the classifier reads beside n-grams: for each pattern in how many sentences it is found, up to three; and whether it is enough by
/// itself in any.
///
/// The text is one without disguise, as [`Normal`](super::Normal) gives it. A model that was trained with these is read with these.
pub fn features() -> FeatureHook {
    let names = patterns::names().chain(["strong".into()]);
    FeatureHook::new(names, |text| {
        let mut values = vec![0.0; patterns::COUNT + 1];
        for hit in hits(text, &sentences(text)) {
            values[hit.rule] = (values[hit.rule] + 1.0 / FULL).min(1.0);
            values[patterns::COUNT] = f32::from(u8::from(hit.strong)).max(values[patterns::COUNT]);
        }
        values
    })
}
