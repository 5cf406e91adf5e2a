//! The data that the script reads: a JSON object in the page.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::TokenHeatmaps;
use crate::{
    chart::ColorScale,
    color::LEVELS,
    text::{is_direction_control, printable},
};

/// Weights in a byte each: `quantized / 255 * largest of the row`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Weights {
    /// Whether no token looks ahead in any head, so that only the lower triangle is kept.
    causal: bool,
    /// By heads, then rows, then columns.
    quantized: Vec<u8>,
    /// The largest weight of each row, by heads, then rows.
    largest: Vec<f32>,
}

impl Weights {
    pub(super) fn new(matrices: &[&[f32]], tokens: usize) -> Self {
        let rows = || matrices.iter().flat_map(|matrix| matrix.chunks(tokens.max(1)).enumerate());
        let causal = rows().all(|(row, weights)| weights[row + 1..].iter().all(|weight| *weight == 0.0));
        let mut quantized = Vec::new();
        let mut largest = Vec::new();
        for (row, weights) in rows() {
            let most = weights.iter().copied().fold(0.0, f32::max);
            let kept = if causal { &weights[..=row] } else { weights };
            quantized.extend(kept.iter().map(|weight| if most > 0.0 { (weight / most * 255.0).round() as u8 } else { 0 }));
            largest.push(most);
        }
        Self { causal, quantized, largest }
    }
}

impl TokenHeatmaps {
    /// JSON that stands inside of a `script` element: no `<`, `>` or `&` is left in it.
    pub(super) fn data(&self) -> String {
        let largest: Vec<u8> = self.weights.largest.iter().flat_map(|weight| weight.to_le_bytes()).collect();
        let tokens: Vec<String> = self.tokens.iter().map(|token| visible(token)).collect();
        let figures: Vec<Value> = self.figures.iter().map(|(label, values)| json!({ "label": label, "values": values })).collect();
        let colors = |pick: fn((crate::color::Rgb, crate::color::Rgb)) -> crate::color::Rgb| -> Vec<String> {
            (0..LEVELS).map(|level| pick(ColorScale::Sequential.colors(level)).to_string()).collect()
        };
        // In the order of the alphabet, so that it is the same with and without serde_json's `preserve_order`.
        let data = json!({
            "causal": self.weights.causal,
            "dark": colors(|colors| colors.1),
            "figures": figures,
            "heads": self.heads,
            "largest": STANDARD.encode(largest),
            "layers": self.layers,
            "light": colors(|colors| colors.0),
            "tokens": tokens,
            "weights": STANDARD.encode(&self.weights.quantized),
        });
        data.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
    }
}

/// A token as it is shown: controls as their pictures, direction marks by their numbers, nothing as an empty-set sign.
fn visible(token: &str) -> String {
    if token.is_empty() {
        return "∅".to_owned();
    }
    let mut shown = String::with_capacity(token.len());
    for character in token.chars() {
        match character {
            '\n' => shown.push('⏎'),
            '\t' => shown.push('⇥'),
            '\u{7f}' => shown.push('␡'),
            '\0'..='\u{1f}' => shown.push(char::from_u32(0x2400 + u32::from(character)).unwrap_or(char::REPLACEMENT_CHARACTER)),
            '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' => shown.push_str(&numbered(character)),
            _ if is_direction_control(character) => shown.push_str(&numbered(character)),
            _ => shown.push(printable(character)),
        }
    }
    shown
}

fn numbered(character: char) -> String {
    format!("⟨U+{:04X}⟩", u32::from(character))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_cannot_be_seen_is_shown() {
        assert_eq!(visible("a\nb\t\0\u{1b}\u{7f}"), "a⏎b⇥␀␛␡");
        assert_eq!(visible("\u{202e}x\u{200b}"), "⟨U+202E⟩x⟨U+200B⟩");
        assert_eq!((visible(""), visible(" ")), ("∅".to_owned(), " ".to_owned()));
        assert_eq!(visible("\u{85}\u{ffff}"), "\u{fffd}\u{fffd}");
    }

    #[test]
    fn a_causal_mask_halves_the_data() {
        let causal = Weights::new(&[&[1.0, 0.0, 0.25, 0.75]], 2);
        assert_eq!((causal.causal, causal.quantized, causal.largest), (true, vec![255, 85, 255], vec![1.0, 0.75]));
        let full = Weights::new(&[&[1.0, 0.0, 0.25, 0.75], &[0.5, 0.5, 0.0, 0.0]], 2);
        assert_eq!((full.causal, full.quantized.len(), full.largest[3]), (false, 8, 0.0));
    }

    proptest! {
        #[test]
        fn a_byte_is_within_half_a_step(weights in prop::collection::vec(0.0..1.0_f32, 16)) {
            let stored = Weights::new(&[&weights], 4);
            prop_assume!(!stored.causal);
            for (place, weight) in weights.iter().enumerate() {
                let largest = stored.largest[place / 4];
                let read = f32::from(stored.quantized[place]) / 255.0 * largest;
                prop_assert!((read - weight).abs() <= largest / 509.0, "{read} for {weight}");
            }
        }
    }
}
