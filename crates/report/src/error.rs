/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong when a report is put together. Charts have no errors: what cannot be drawn is left out and counted in the description.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A row with another number of cells than the table has columns.
    #[error("a row of {found} cells does not fit a table of {expected} columns")]
    RowLength {
        /// Columns of the table.
        expected: usize,
        /// Cells of the row.
        found: usize,
    },
    /// A layer with another number of heads than the first.
    #[error("layer {layer} has {found} heads where layer 0 has {expected}; pass the same number for every layer")]
    HeadCount {
        /// Which layer, counted from 0.
        layer: usize,
        /// Heads of layer 0.
        expected: usize,
        /// Heads of this layer.
        found: usize,
    },
    /// A matrix that is not tokens x tokens.
    #[error("the weights of layer {layer}, head {head} are {found} numbers, not {tokens} x {tokens}: one row a token, row-major")]
    MatrixSize {
        /// Which layer, counted from 0.
        layer: usize,
        /// Which head, counted from 0.
        head: usize,
        /// Number of tokens.
        tokens: usize,
        /// Numbers in the matrix.
        found: usize,
    },
    /// A weight that is negative, infinite or not a number.
    #[error("layer {layer}, head {head} weighs token {column} with {weight} in row {row}; weights are finite and not negative")]
    Weight {
        /// Which layer, counted from 0.
        layer: usize,
        /// Which head, counted from 0.
        head: usize,
        /// Row, the token that attends, counted from 0.
        row: usize,
        /// Column, the token attended to, counted from 0.
        column: usize,
        /// The weight.
        weight: f32,
    },
    /// More weights than a page can hold.
    #[error("{found} weights are more than the {limit} that a page can hold; show fewer layers, or fewer tokens")]
    TooManyWeights {
        /// How many there would be.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A figure given for a head that is not there, or not for every head.
    #[error("the figure `{label}` has {found} values for {expected} heads; pass one a head, layer by layer")]
    FigureCount {
        /// The figure's label.
        label: String,
        /// Heads of all layers.
        expected: usize,
        /// Values given.
        found: usize,
    },
}
