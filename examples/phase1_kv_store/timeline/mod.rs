//! What happened over time, for a terminal and for a page: nodes and clients as rows.

mod drawing;
mod mark;
mod strip;

pub(crate) use drawing::Drawing;
pub(crate) use strip::strip;

use crate::{
    deployment::Micros,
    record::{Operation, Reign},
};

/// What both show.
pub(crate) struct Timeline<'a> {
    pub(crate) title: String,
    pub(crate) end: Micros,
    pub(crate) nodes: usize,
    pub(crate) reigns: &'a [Reign],
    pub(crate) operations: &'a [Operation],
    /// Places of acknowledged writes that were lost.
    pub(crate) lost: &'a [usize],
    /// Stretches in which something was broken, and what.
    pub(crate) faults: Vec<(Micros, Micros, String)>,
}

/// The name of a node: a letter.
pub(crate) fn letter(node: usize) -> String {
    char::from_u32('A' as u32 + node as u32).map_or_else(|| node.to_string(), String::from)
}

#[cfg(test)]
mod tests;
