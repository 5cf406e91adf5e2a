use proptest::prelude::*;

use super::*;

fn noise(count: usize, seed: f32) -> Vec<f32> {
    (0..count).map(|i| ((i as f32 * 0.7 + seed).sin() * 43.7).fract()).collect()
}

/// A matrix of any order in a slice with gaps.
fn matrix(values: &[f32], [rows, columns]: [usize; 2], gap: usize, transposed: bool) -> Matrix<'_> {
    if transposed {
        Matrix::strided(values, columns, rows, rows + gap).transposed()
    } else {
        Matrix::strided(values, rows, columns, columns + gap)
    }
}

fn storage([rows, columns]: [usize; 2], gap: usize, transposed: bool, seed: f32) -> Vec<f32> {
    noise(if transposed { columns * (rows + gap) } else { rows * (columns + gap) }, seed)
}

fn at(matrix: Matrix<'_>, row: usize, column: usize) -> f64 {
    let [row_stride, column_stride] = matrix.strides();
    f64::from(pack::rounded(matrix.values()[row * row_stride + column * column_stride]))
}

/// Every value lies within `k` roundings of f32 of the sum over rounded inputs in f64, relative to the sum of magnitudes.
fn check(out: &[f32], a: Matrix<'_>, b: Matrix<'_>) {
    let ([m, k], [_, n]) = (a.shape(), b.shape());
    assert_eq!(out.len(), m * n);
    for (index, &found) in out.iter().enumerate() {
        let terms = (0..k).map(|i| at(a, index / n, i) * at(b, i, index % n));
        let (sum, size) = terms.fold((0.0, 0.0), |(sum, size), term| (sum + term, size + term.abs()));
        let bound = (k + 1) as f64 * f64::from(f32::EPSILON) * size;
        assert!((f64::from(found) - sum).abs() <= bound, "{found} instead of {sum} at {index}, {m}x{k}x{n}");
    }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}

fn on_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(run)
}

fn size() -> impl Strategy<Value = usize> {
    prop_oneof![0_usize..3, 1_usize..80, Just(24_usize), Just(25_usize), Just(133_usize)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn products_agree_with_three_loops([m, n, k] in [size(), size(), size()], gaps: [bool; 2], transposed: [bool; 2]) {
        let (shape_a, shape_b) = ([m, k], [k, n]);
        let gaps = gaps.map(|gap| 3 * usize::from(gap));
        let (a, b) = (storage(shape_a, gaps[0], transposed[0], 1.0), storage(shape_b, gaps[1], transposed[1], 2.0));
        let (a, b) = (matrix(&a, shape_a, gaps[0], transposed[0]), matrix(&b, shape_b, gaps[1], transposed[1]));
        check(&product_bf16(a, b), a, b);
        check(&portable_product(a, b), a, b);
        for isa in Isa::available() {
            let mut out = vec![f32::NAN; m * n];
            Bf16Weights::pack(isa, b.transposed()).multiply(a, &mut out, &Epilogue::default());
            check(&out, a, b);
        }
    }

    #[test]
    fn all_instruction_sets_pack_the_same_bits([lanes, k] in [size(), size()], gap in 0_usize..3, transposed: bool) {
        let values = storage([lanes, k], gap, transposed, 3.0);
        let side = matrix(&values, [lanes, k], gap, transposed);
        for layout in [Layout::Rows, Layout::Lines, Layout::Columns] {
            let mut all = Isa::available().into_iter().map(|isa| {
                let mut packed = vec![u32::MAX; layout.words(lanes, k)];
                pack(isa, side, layout, &mut packed);
                packed
            });
            let first = all.next().unwrap();
            prop_assert!(all.all(|packed| packed == first), "{layout:?}");
        }
    }
}

#[test]
fn many_blocks_agree_with_three_loops() {
    for (transposed, shape) in [
        ([false, true], [30, 1027, 33]),
        ([true, false], [205, 513, 4100]),
        ([false, false], [4100, 3, 40]),
        ([true, false], [70, 4133, 33]),
    ] {
        let [m, k, n] = shape;
        let (a, b) = (noise(m * k, 1.0), noise(k * n, 2.0));
        let (a, b) = (matrix(&a, [m, k], 0, transposed[0]), matrix(&b, [k, n], 0, transposed[1]));
        check(&product_bf16(a, b), a, b);
        for isa in Isa::available() {
            let mut out = vec![0.0; m * n];
            blocked_product(isa, a, b, &mut out);
            check(&out, a, b);
        }
    }
}

#[test]
fn an_epilogue_takes_the_bits_of_the_product() {
    for [m, n, k] in [[3, 40, 70], [61, 131, 33], [133, 70, 50], [150, 45, 0]] {
        let (x, weights) = (noise(m * k, 1.0), noise(n * k, 2.0));
        let (bias, residual) = (noise(n, 3.0), noise(m * n, 4.0));
        for isa in Isa::available() {
            let weights = Bf16Weights::pack(isa, Matrix::strided(&weights, n, k, k));
            let run = |epilogue: &Epilogue<'_>, mut out: Vec<f32>| {
                weights.matmul_through(&x, &mut out, epilogue);
                out
            };
            let product = run(&Epilogue::default(), vec![f32::NAN; m * n]);
            let expected: Vec<f32> = (0..m * n).map(|index| product[index] + bias[index % n] + residual[index]).collect();
            let biased = Epilogue::default().with_bias(&bias);
            assert_eq!(bits(&run(&biased.with_residual(&residual), vec![f32::NAN; m * n])), bits(&expected));
            assert_eq!(bits(&run(&biased.onto_output(), residual.clone())), bits(&expected));
        }
    }
}

#[test]
fn products_do_not_depend_on_threads() {
    for [m, k, n] in [[1, 700, 300], [24, 64, 200], [300, 1100, 70], [70, 4133, 40], [140, 4133, 40]] {
        let (a, b) = (noise(m * k, 1.0), noise(k * n, 2.0));
        let run = || bits(&product_bf16(Matrix::dense(&a, k), Matrix::dense(&b, n)));
        assert_eq!(on_threads(1, run), on_threads(3, run));
    }
}

#[test]
fn a_row_does_not_depend_on_those_beside_it() {
    let (m, [n, k]) = (165, [75, 4133]);
    let (x, weights) = (noise(m * k, 1.0), noise(n * k, 2.0));
    for isa in Isa::available() {
        let weights = Bf16Weights::pack(isa, Matrix::dense(&weights, k));
        let run = |first: usize, count: usize| {
            let mut out = vec![0.0; count * n];
            weights.matmul(&x[first * k..(first + count) * k], &mut out);
            bits(&out)
        };
        let all = run(0, m);
        for (first, count) in
            [(0, 1), (60, 1), (3, 2), (5, 8), (7, 12), (9, 13), (20, 24), (30, 25), (1, 60), (2, 66), (31, 64), (5, 129), (20, 140)]
        {
            assert_eq!(run(first, count), all[first * n..(first + count) * n], "{count} rows from {first}");
            assert_eq!(on_threads(3, || run(first, count)), all[first * n..(first + count) * n]);
        }
    }
}

#[test]
fn nan_and_infinity_reach_their_row_only() {
    let (m, k, n) = (40, 50, 40);
    let (mut a, b) = (vec![1.0; m * k], vec![1.0; k * n]);
    (a[3 * k + 7], a[5 * k + 49], a[6 * k]) = (f32::NAN, f32::INFINITY, f32::NEG_INFINITY);
    let (a, b) = (Matrix::dense(&a, k), Matrix::dense(&b, n));
    for out in [product_bf16(a, b), portable_product(a, b)] {
        for (row, out) in out.chunks_exact(n).enumerate() {
            assert!(out.iter().all(|&x| match row {
                3 => x.is_nan(),
                5 => x > f32::MAX,
                6 => x < f32::MIN,
                _ => (x - 50.0).abs() < 1e-6,
            }));
        }
    }
}

#[test]
fn rounding_is_to_the_nearest_and_ties_to_even() {
    let ulp = 2.0_f32.powi(-7);
    for (x, expected) in
        [(1.0 + ulp / 2.0, 1.0), (1.0 + 1.5 * ulp, 1.0 + 2.0 * ulp), (1.0 + 0.51 * ulp, 1.0 + ulp), (f32::MAX, f32::INFINITY)]
    {
        assert_eq!(pack::rounded(x).to_bits(), expected.to_bits());
        let mut out = [0.0];
        Bf16Weights::new(&[x], [1, 1]).matmul(&[1.0], &mut out);
        assert_eq!(out[0].to_bits(), expected.to_bits());
    }
    assert!(pack::rounded(f32::from_bits(0x7f80_0001)).is_nan());
}

#[test]
#[should_panic(expected = "columns of the left matrix")]
fn matrices_that_do_not_fit_are_refused() {
    product_bf16(Matrix::dense(&[0.0; 6], 3), Matrix::dense(&[0.0; 8], 4));
}

#[test]
#[should_panic(expected = "outputs are 2 rows")]
fn an_output_of_another_size_is_refused() {
    Bf16Weights::new(&[0.0; 6], [2, 3]).matmul(&[0.0; 6], &mut [0.0; 5]);
}
