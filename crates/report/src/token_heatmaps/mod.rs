mod data;

use self::data::Weights;
use crate::{Error, Result, html::Html, markup::Markup};

/// Attention weights of all heads over a text, to look around in: a grid of small heat maps, one a head; the chosen one large, with the
/// text; the token or cell under the pointer, or reached with the arrow keys, shows what it attends to.
///
/// The page stays small: a weight takes a byte (in steps of 1/255 of its row's largest), and half of them where no token looks ahead.
/// 12 layers of 12 heads over 128 tokens take 1.7 MB, or 3.2 MB without a causal mask.
///
/// ```
/// use jarre_report::{Page, Section, TokenHeatmaps};
///
/// let uniform = [1.0, 0.0, 0.5, 0.5];
/// let heatmaps = TokenHeatmaps::new(["to", "be"], [[&uniform]])?.figure("entropy, nats", [0.35])?;
/// let page = Page::new("Attention").section(Section::new("Heads").token_heatmaps(&heatmaps));
/// assert!(page.to_html().contains("token-heatmaps"));
/// # Ok::<(), jarre_report::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TokenHeatmaps {
    tokens: Vec<String>,
    layers: usize,
    heads: usize,
    weights: Weights,
    figures: Vec<(String, Vec<f64>)>,
}

/// Weights that a page holds at most: some 20 MB of text, which a browser opens in a second or two.
const MOST_WEIGHTS: usize = 1 << 24;

impl TokenHeatmaps {
    pub(crate) const SCRIPT: &'static str = include_str!("token_heatmaps.js");

    /// Heat maps of `layers[layer][head]`, each the weights `[tokens, tokens]` of one head by rows: how much the token of the row attends to
    /// the token of the column. Tokens may hold anything; they are shown with their controls made visible.
    ///
    /// # Errors
    /// [`Error::HeadCount`], [`Error::MatrixSize`], [`Error::Weight`] for one that is negative or not finite, and
    /// [`Error::TooManyWeights`] for more than 2^24.
    pub fn new<T: Into<String>, M: AsRef<[f32]>>(
        tokens: impl IntoIterator<Item = T>,
        layers: impl IntoIterator<Item = impl IntoIterator<Item = M>>,
    ) -> Result<Self> {
        let tokens: Vec<String> = tokens.into_iter().map(Into::into).collect();
        let layers: Vec<Vec<M>> = layers.into_iter().map(|heads| heads.into_iter().collect()).collect();
        let heads = layers.first().map_or(0, Vec::len);
        check(&tokens, &layers, heads)?;
        let matrices: Vec<&[f32]> = layers.iter().flatten().map(AsRef::as_ref).collect();
        let weights = Weights::new(&matrices, tokens.len());
        Ok(Self { tokens, layers: layers.len(), heads, weights, figures: Vec::new() })
    }

    /// Adds a figure of each head, layer by layer: entropy, mean distance, a score. The grid can be ordered by it.
    ///
    /// # Errors
    /// [`Error::FigureCount`] where there is not one value a head.
    pub fn figure(mut self, label: impl Into<String>, values: impl IntoIterator<Item = f64>) -> Result<Self> {
        let (label, values): (String, Vec<f64>) = (label.into(), values.into_iter().collect());
        let expected = self.layers * self.heads;
        if values.len() != expected {
            return Err(Error::FigureCount { label, expected, found: values.len() });
        }
        self.figures.push((label, values));
        Ok(self)
    }

    /// The element that the script fills, with the data inside.
    pub(crate) fn to_html(&self) -> Html {
        let mut markup = Markup::default();
        markup.tag("div").attr("class", "token-heatmaps").open();
        markup.leaf("noscript", "These heat maps are drawn by a script, and scripts are switched off.");
        markup.tag("script").attr("type", "application/json").open();
        markup.html(&Html::trusted(self.data()));
        markup.close();
        markup.close();
        markup.into_html()
    }
}

fn check<M: AsRef<[f32]>>(tokens: &[String], layers: &[Vec<M>], heads: usize) -> Result<()> {
    if let Some((layer, found)) = layers.iter().map(Vec::len).enumerate().find(|(_, found)| *found != heads) {
        return Err(Error::HeadCount { layer, expected: heads, found });
    }
    let found = layers.len().saturating_mul(heads).saturating_mul(tokens.len()).saturating_mul(tokens.len());
    if found > MOST_WEIGHTS {
        return Err(Error::TooManyWeights { found, limit: MOST_WEIGHTS });
    }
    for (layer, heads) in layers.iter().enumerate() {
        for (head, matrix) in heads.iter().enumerate() {
            check_matrix(layer, head, matrix.as_ref(), tokens.len())?;
        }
    }
    Ok(())
}

fn check_matrix(layer: usize, head: usize, matrix: &[f32], tokens: usize) -> Result<()> {
    if matrix.len() != tokens * tokens {
        return Err(Error::MatrixSize { layer, head, tokens, found: matrix.len() });
    }
    match matrix.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
        Some(place) => Err(Error::Weight { layer, head, row: place / tokens, column: place % tokens, weight: matrix[place] }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_named() {
        let error = TokenHeatmaps::new(["a", "b"], [vec![vec![0.5_f32; 4]; 2], vec![vec![0.5; 4]]]).unwrap_err();
        assert_eq!(error, Error::HeadCount { layer: 1, expected: 2, found: 1 });
        let error = TokenHeatmaps::new(["a", "b"], [[vec![1.0_f32; 3]]]).unwrap_err();
        assert_eq!(error.to_string(), "the weights of layer 0, head 0 are 3 numbers, not 2 x 2: one row a token, row-major");
        let error = TokenHeatmaps::new(["a", "b"], [[vec![1.0_f32, 0.0, -0.5, 1.0]]]).unwrap_err();
        assert_eq!(error, Error::Weight { layer: 0, head: 0, row: 1, column: 0, weight: -0.5 });
        assert!(matches!(TokenHeatmaps::new(["a"], [[vec![f32::NAN]]]), Err(Error::Weight { .. })));
        let maps = TokenHeatmaps::new(["a"], [[[1.0_f32]]]).unwrap();
        assert_eq!(maps.figure("x", [1.0, 2.0]).unwrap_err(), Error::FigureCount { label: "x".into(), expected: 1, found: 2 });
    }

    #[test]
    fn more_than_a_page_holds_is_refused_before_it_is_looked_at() {
        let tokens = vec!["t"; 4097];
        let error = TokenHeatmaps::new(tokens, [[[0.0_f32; 0]]]).unwrap_err();
        assert_eq!(error, Error::TooManyWeights { found: 4097 * 4097, limit: MOST_WEIGHTS });
    }

    #[test]
    fn nothing_at_all_is_a_page_too() {
        let none: [[[f32; 0]; 0]; 0] = [];
        assert!(TokenHeatmaps::new([""; 0], none).unwrap().to_html().as_str().contains("\"heads\":0"));
    }
}
