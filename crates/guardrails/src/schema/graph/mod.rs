//! The subschemas of a schema and how they lead to one another: what counting its work and reading it step by step need to know.

mod build;
mod cost;
mod values;

use regex::Regex;

pub(super) use cost::Cost;
pub(super) use values::{Kind, Kinds, Values};

/// Names a node of a graph.
pub(super) type Id = usize;

/// Every subschema that can be reached, each once.
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    pub(super) costs: Vec<Cost>,
    /// Whether every keyword means what its draft says: not so under a meta-schema of somebody's own, which may leave keywords without effect.
    pub(super) standard: bool,
}

/// The root is the first subschema that is met.
pub(super) const ROOT: Id = 0;

/// One subschema.
#[derive(Default)]
pub(super) struct Node {
    /// What it demands by itself.
    pub(super) claim: Claim,
    /// Subschemas that the same value has to fit: `allOf`, and the target of `$ref`.
    pub(super) all: Vec<Id>,
    /// Sets of which the same value has to fit at least one: `anyOf`, `oneOf`.
    pub(super) any: Vec<Vec<Id>>,
    /// Others that are applied to the same value, whatever follows from it: `not`, `if`, `dependentSchemas`, dynamic references.
    pub(super) aside: Vec<Id>,
    /// A dynamic reference that has not been put among `aside` yet.
    dynamic: Option<Id>,
    pub(super) object: Object,
    pub(super) array: Array,
    /// Whether what is in place is applied twice, because `unevaluated...` asks what it saw.
    pub(super) twice: bool,
    /// What applying it costs, beside what it leads to.
    pub(super) weight: u64,
}

impl Node {
    /// Whatever is applied to the same value.
    pub(super) fn in_place(&self) -> impl Iterator<Item = Id> + '_ {
        self.all.iter().chain(self.any.iter().flatten()).chain(&self.aside).copied()
    }

    /// Whether it leads to subschemas for the values inside a value.
    pub(super) fn has_children(&self) -> bool {
        let Object { properties, patterns, rest, aside, names, .. } = &self.object;
        let array = !self.array.prefix.is_empty() || self.array.rest.is_some() || !self.array.aside.is_empty();
        array || !properties.is_empty() || !patterns.is_empty() || rest.is_some() || !aside.is_empty() || names.is_some()
    }
}

/// What a subschema demands of a value by itself.
#[derive(Default)]
pub(super) struct Claim {
    /// It allows nothing.
    pub(super) never: bool,
    pub(super) kinds: Kinds,
    /// `enum`, `const`.
    pub(super) values: Option<Values>,
    pub(super) minimum: Option<Bound>,
    pub(super) maximum: Option<Bound>,
    /// `multipleOf`, where it is a whole number.
    pub(super) multiple: Option<u64>,
    /// Characters of a string.
    pub(super) length: Size,
}

/// An end of a range of numbers.
#[derive(Clone, Copy)]
pub(super) struct Bound {
    pub(super) at: f64,
    pub(super) exclusive: bool,
}

/// How many there have to be.
#[derive(Clone, Copy, Default)]
pub(super) struct Size {
    pub(super) least: Option<u64>,
    pub(super) most: Option<u64>,
}

/// What a subschema says about objects.
#[derive(Default)]
pub(super) struct Object {
    /// Sorted by name.
    pub(super) properties: Vec<(Box<str>, Id)>,
    /// A pattern that could not be compiled stands for any name.
    pub(super) patterns: Vec<(Option<Regex>, Id)>,
    /// `additionalProperties`.
    pub(super) rest: Option<Id>,
    pub(super) required: Vec<Box<str>>,
    pub(super) size: Size,
    /// `propertyNames`.
    pub(super) names: Option<Id>,
    /// `unevaluatedProperties`.
    pub(super) aside: Vec<Id>,
}

impl Object {
    /// The subschema that `properties` has for `name`.
    pub(super) fn property(&self, name: &str) -> Option<Id> {
        let found = self.properties.binary_search_by(|(known, _)| (**known).cmp(name));
        found.ok().map(|index| self.properties[index].1)
    }

    /// Whether a name that is not among `properties` falls to `additionalProperties` for certain.
    pub(super) fn is_closed_list(&self) -> bool {
        self.patterns.is_empty()
    }
}

/// What a subschema says about arrays.
#[derive(Default)]
pub(super) struct Array {
    /// For the first items: `prefixItems`, or `items` where that is an array.
    pub(super) prefix: Vec<Id>,
    /// For those after: `items` or `additionalItems`.
    pub(super) rest: Option<Id>,
    pub(super) size: Size,
    pub(super) unique: bool,
    /// `contains`, `unevaluatedItems`.
    pub(super) aside: Vec<Id>,
}

impl Array {
    /// The subschema that has to fit the item at `index`.
    pub(super) fn item(&self, index: usize) -> Option<Id> {
        self.prefix.get(index).copied().or(self.rest)
    }
}
