use super::rows::Rows;

/// Where a linear model is kept while it is fitted: a sum of rows, each so many times.
pub(super) trait Space {
    /// The squared length of a row, its columns scaled.
    fn norm(&self, row: usize) -> f32;

    /// The model times a row.
    fn margin(&self, row: usize) -> f32;

    /// Adds a row so many times.
    fn add(&mut self, row: usize, times: f32);

    /// The weights of the columns as they are, not scaled.
    fn weights(&self) -> Vec<f32>;
}

/// Keeps the weights: for many rows, and for scales of one label alone. A step costs what the row holds.
pub(super) struct Columns<'a> {
    rows: &'a Rows,
    /// The weight of a column, and its scale squared: with weights for columns as they are, only what is added is scaled.
    columns: Vec<(f32, f32)>,
}

impl<'a> Columns<'a> {
    pub(super) fn new(rows: &'a Rows, scales: &[f32]) -> Self {
        Self { rows, columns: scales.iter().map(|scale| (0.0, scale * scale)).collect() }
    }
}

impl Space for Columns<'_> {
    fn norm(&self, row: usize) -> f32 {
        self.rows.row(row).iter().map(|&(column, value)| value * value * self.columns[column as usize].1).sum()
    }

    fn margin(&self, row: usize) -> f32 {
        self.rows.row(row).iter().map(|&(column, value)| value * self.columns[column as usize].0).sum()
    }

    fn add(&mut self, row: usize, times: f32) {
        for &(column, value) in self.rows.row(row) {
            let (weight, square) = &mut self.columns[column as usize];
            *weight += times * *square * value;
        }
    }

    fn weights(&self) -> Vec<f32> {
        self.columns.iter().map(|(weight, _)| *weight).collect()
    }
}

/// The products of all rows with each other, columns scaled: computed once for all labels, folds and strengths.
pub(super) struct Gram<'a> {
    rows: &'a Rows,
    scales: Vec<f32>,
    products: Vec<f32>,
    count: usize,
}

impl<'a> Gram<'a> {
    pub(super) fn new(rows: &'a Rows, scales: Vec<f32>) -> Self {
        let count = rows.count();
        let mut columns = vec![Vec::new(); rows.columns];
        for at in 0..count {
            rows.row(at).iter().for_each(|&(column, value)| columns[column as usize].push((at, value * scales[column as usize])));
        }
        let mut products = vec![0.0; count * count];
        for column in columns {
            for (at, &(row, value)) in column.iter().enumerate() {
                let products = &mut products[row * count..][..count];
                column[at..].iter().for_each(|&(other, factor)| products[other] += value * factor);
            }
        }
        for row in 0..count {
            for other in 0..row {
                products[row * count + other] = products[other * count + row];
            }
        }
        Self { rows, scales, products, count }
    }

    fn row(&self, at: usize) -> &[f32] {
        &self.products[at * self.count..][..self.count]
    }
}

/// Keeps the margin of every row by the products: for few rows, each of them long. A step costs one pass over a row of products.
pub(super) struct Kernel<'a> {
    gram: &'a Gram<'a>,
    times: Vec<f32>,
    margins: Vec<f32>,
}

impl<'a> Kernel<'a> {
    pub(super) fn new(gram: &'a Gram<'a>) -> Self {
        Self { gram, times: vec![0.0; gram.count], margins: vec![0.0; gram.count] }
    }
}

impl Space for Kernel<'_> {
    fn norm(&self, row: usize) -> f32 {
        self.gram.row(row)[row]
    }

    fn margin(&self, row: usize) -> f32 {
        self.margins[row]
    }

    fn add(&mut self, row: usize, times: f32) {
        self.times[row] += times;
        self.margins.iter_mut().zip(self.gram.row(row)).for_each(|(margin, product)| *margin += times * product);
    }

    fn weights(&self) -> Vec<f32> {
        let mut columns = Columns::new(self.gram.rows, &self.gram.scales);
        self.times.iter().enumerate().filter(|(_, times)| **times != 0.0).for_each(|(row, &times)| columns.add(row, times));
        columns.weights()
    }
}
