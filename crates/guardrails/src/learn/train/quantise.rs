/// Weights of the first `buckets` places of each of `columns`, as a row a bucket of signed roots in a byte, and the scale of each column: a
/// weight is `root * |root| * scale`. Roots keep small weights apart, of which there are many.
pub(super) fn quantise(columns: &[&[f32]], buckets: usize) -> (Vec<i8>, Vec<f32>) {
    let largest = |weights: &&[f32]| weights[..buckets].iter().fold(0.0_f32, |most, weight| most.max(weight.abs()));
    let scales: Vec<f32> = columns.iter().map(|weights| largest(weights) / (127.0 * 127.0)).collect();
    let root = |weight: f32, scale: f32| if scale > 0.0 { ((weight.abs() / scale).sqrt().round() * weight.signum()) as i8 } else { 0 };
    let row = |at: usize| columns.iter().zip(&scales).map(move |(weights, &scale)| root(weights[at], scale));
    ((0..buckets).flat_map(row).collect(), scales)
}

#[cfg(test)]
mod tests {
    use super::quantise;

    #[test]
    fn weights_come_back_within_a_step() {
        let weights: Vec<f32> = (-500..=500).map(|at| (at as f32 / 100.0).powi(3)).collect();
        let zeros = vec![0.0; weights.len()];
        let (roots, scales) = quantise(&[&weights, &zeros], weights.len());
        for (row, weight) in roots.chunks_exact(2).zip(&weights) {
            let root = f32::from(row[0]);
            let error = (root * root.abs() * scales[0] - weight).abs();
            assert!(error <= scales[0] * (root.abs() + 0.26), "{weight}: {error}");
            assert_eq!(row[1], 0);
        }
    }
}
