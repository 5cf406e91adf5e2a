/// What can go wrong in quantisation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Numbers that do not make a matrix.
    #[error("{found} values make no matrix of {rows} rows of {columns}")]
    Shape {
        /// Values given.
        found: usize,
        /// Rows expected; 0 where any number will do.
        rows: usize,
        /// Columns expected.
        columns: usize,
    },
    /// A weight that is not a number, or infinite.
    #[error("value {index} is not finite: the model is damaged, or diverged while it was trained")]
    NotFinite {
        /// Where it stands.
        index: usize,
    },
    /// A group size that cannot be used.
    #[error("groups of {group} do not divide rows of {columns}: take 32, 64 or 128, or a divisor of the row")]
    Group {
        /// Values of a group.
        group: usize,
        /// Values of a row.
        columns: usize,
    },
    /// A calibration of another layer.
    #[error("the calibration has {found} columns and the weights {expected}: calibrate the layer that is quantised")]
    Calibration {
        /// Columns of the calibration.
        found: usize,
        /// Columns of the weights.
        expected: usize,
    },
    /// A tensor of a checkpoint that does not fit the others.
    #[error("`{tensor}` has {found} values and does not fit {expected}: the checkpoint is damaged, or of another layout")]
    Checkpoint {
        /// Its name in the layer.
        tensor: &'static str,
        /// Values found, or groups.
        found: usize,
        /// What they have to be, or to divide.
        expected: usize,
    },
    /// A code or a zero point that a scheme of four bits does not have.
    #[error("a {what} of {found} does not fit the scheme of four bits: pack the layer anew from floats")]
    Code {
        /// `code` or `zero point`.
        what: &'static str,
        /// Its value.
        found: u8,
    },
    /// A calibration whose second moments cannot be inverted.
    #[error("the second moments of {columns} inputs cannot be inverted even with damping: calibrate on more text")]
    Singular {
        /// Inputs of the layer.
        columns: usize,
    },
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Refuses what is no matrix of finite numbers.
pub(crate) fn check_matrix(values: &[f32], columns: usize) -> Result<()> {
    if columns == 0 || !values.len().is_multiple_of(columns) {
        return Err(Error::Shape { found: values.len(), rows: 0, columns });
    }
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(Error::NotFinite { index }),
        None => Ok(()),
    }
}
