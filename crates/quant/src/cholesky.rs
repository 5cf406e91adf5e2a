//! The factor that GPTQ walks along.

use rayon::prelude::*;

/// Upper triangular `U` with `U^T U = M^-1` for a symmetric positive definite `m [n, n]`, row-major; nothing where `m` is not positive
/// definite.
///
/// With the order of rows and columns reversed, a lower factor of `m` is an upper one, and the inverse of a triangle is a triangle: so
/// one factorisation and one inversion of a triangle do.
pub(crate) fn inverse_factor(m: &[f64], n: usize) -> Option<Vec<f64>> {
    let reversed: Vec<f64> = (0..n * n).map(|i| m[(n - 1 - i / n) * n + (n - 1 - i % n)]).collect();
    let lower = factor(reversed, n)?;
    let inverse = invert_lower(&lower, n);
    // J L^-1 J is upper triangular, and (J L^-1 J)^T (J L^-1 J) = J (L L^T)^-1 J = M^-1.
    Some((0..n * n).map(|i| inverse[(n - 1 - i / n) * n + (n - 1 - i % n)]).collect())
}

/// `L` with `L L^T = m`, in the lower triangle of the result.
fn factor(mut m: Vec<f64>, n: usize) -> Option<Vec<f64>> {
    for column in 0..n {
        let (above, below) = m.split_at_mut((column + 1) * n);
        let pivot_row = &mut above[column * n..];
        let pivot = pivot_row[column] - pivot_row[..column].iter().map(|x| x * x).sum::<f64>();
        if !(pivot.is_finite() && pivot > 0.0) {
            return None;
        }
        pivot_row[column] = pivot.sqrt();
        let pivot_row = &above[column * n..=column * n + column];
        let (done, pivot) = (&pivot_row[..column], pivot_row[column]);
        let update = |row: &mut [f64]| {
            let dot: f64 = row[..column].iter().zip(done).map(|(a, b)| a * b).sum();
            row[column] = (row[column] - dot) / pivot;
        };
        below.par_chunks_exact_mut(n).with_min_len(64).for_each(update);
    }
    Some(m)
}

/// The inverse of a lower triangle.
fn invert_lower(lower: &[f64], n: usize) -> Vec<f64> {
    // Row `i` of the transposed inverse is column `i` of the inverse: the solution of `L x = e_i`.
    let mut transposed = vec![0.0; n * n];
    transposed.par_chunks_exact_mut(n).enumerate().for_each(|(column, x)| {
        for row in column..n {
            let dot: f64 = lower[row * n + column..row * n + row].iter().zip(&x[column..row]).map(|(a, b)| a * b).sum();
            x[row] = (f64::from(u8::from(row == column)) - dot) / lower[row * n + row];
        }
    });
    (0..n * n).map(|i| transposed[(i % n) * n + i / n]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_squares_to_the_inverse() {
        let n = 40;
        let noise: Vec<f64> = (0..n * n).map(|i| ((i * i) as f64 * 0.37).sin()).collect();
        let m: Vec<f64> = (0..n * n)
            .map(|i| {
                let (row, column) = (i / n, i % n);
                let dot: f64 = (0..n).map(|k| noise[row * n + k] * noise[column * n + k]).sum();
                dot + if row == column { 1.0 } else { 0.0 }
            })
            .collect();
        let u = inverse_factor(&m, n).unwrap();
        assert!((0..n).all(|row| (0..row).all(|column| u[row * n + column] == 0.0)));
        // M U^T U = 1.
        let inverse: Vec<f64> = (0..n * n).map(|i| (0..n).map(|k| u[k * n + i / n] * u[k * n + i % n]).sum()).collect();
        for row in 0..n {
            for column in 0..n {
                let found: f64 = (0..n).map(|k| m[row * n + k] * inverse[k * n + column]).sum();
                let expected = if row == column { 1.0 } else { 0.0 };
                assert!((found - expected).abs() < 1e-9, "{row} {column}: {found}");
            }
        }
    }

    #[test]
    fn what_is_not_positive_definite_has_none() {
        assert!(inverse_factor(&[1.0, 2.0, 2.0, 1.0], 2).is_none());
        assert!(inverse_factor(&[f64::NAN], 1).is_none());
    }
}
