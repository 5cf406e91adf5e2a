use jarre_core::{Embedder, ErrorKind, Result};

/// The cosine of the vectors that `embedder` gives two texts, from -1 to 1; `None` where one of the vectors is zero or not finite, so that
/// it has no direction.
///
/// ```
/// use jarre_core::testing::HashEmbedder;
/// use jarre_eval::text::embedding_similarity;
///
/// let embedder = HashEmbedder::new(64, 128);
/// let same = embedding_similarity(&embedder, "a red house", "a red house")?;
/// assert!(same.is_some_and(|cosine| (cosine - 1.0).abs() < 1e-6));
/// # Ok::<(), jarre_core::Error>(())
/// ```
///
/// # Errors
/// Those of the embedder, and where it does not give two vectors of one length.
pub fn embedding_similarity(embedder: &dyn Embedder, left: &str, right: &str) -> Result<Option<f64>> {
    let vectors = embedder.embed(&[left, right])?;
    if vectors.len() != 2 {
        let message = format!("the embedder gave {} vectors for two texts", vectors.len());
        return Err(jarre_core::Error::new(ErrorKind::InvalidResponse, message));
    }
    Ok(cosine(vectors.row(0), vectors.row(1)))
}

/// The cosine of two vectors of the same length; `None` where one is zero or not finite.
pub(crate) fn cosine(left: &[f32], right: &[f32]) -> Option<f64> {
    let dot = |left: &[f32], right: &[f32]| left.iter().zip(right).map(|(left, right)| f64::from(*left) * f64::from(*right)).sum::<f64>();
    let lengths = (dot(left, left) * dot(right, right)).sqrt();
    let cosine = dot(left, right) / lengths;
    // Rounding may carry it over the edge.
    cosine.is_finite().then(|| cosine.clamp(-1.0, 1.0))
}
