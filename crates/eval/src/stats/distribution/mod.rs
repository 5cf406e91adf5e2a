//! The distributions that tests and intervals need, with small tail probabilities exact to about 1e-13 of their size.

pub(crate) mod beta;
pub(crate) mod binomial;
pub(crate) mod normal;
pub(crate) mod student;
