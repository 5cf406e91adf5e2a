use std::collections::HashMap;

use jsonschema::{Draft, Registry};
use referencing::{Resolver, ResourceRef};
use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

use super::{super::compile::from_reference, Bound, Claim, Graph, Id, Node, Size, Values, cost, values::Kinds};
use crate::{Error, Result};

/// The size of a compiled pattern of `patternProperties` in bytes: one that is larger counts as fitting every name.
const PATTERN_BYTES: usize = 1 << 18;

impl Graph {
    /// Follows `source` and whatever it refers to.
    pub(in super::super) fn new(source: &Value, draft: Draft, registry: &Registry<'_>) -> Result<Self> {
        let id = source.get(draft.id_keyword()).and_then(Value::as_str).filter(|id| !id.starts_with('#')).unwrap_or_default();
        let base = referencing::uri::from_str(id.trim_end_matches('#')).map_err(|error| from_reference(&error))?;
        let mut builder = Builder { ids: HashMap::new(), pending: Vec::new(), nodes: Vec::new(), standard: true };
        builder.meet(Place { value: source, resolver: registry.resolver(base), draft });
        while let Some((id, place)) = builder.pending.pop() {
            builder.nodes[id] = builder.node(&place)?;
        }
        let mut nodes = builder.nodes;
        let costs = cost::of(&mut nodes).ok_or_else(|| Error::Schema {
            reason: "a chain of references at one place leads back to its start and would never end".to_owned(),
        })?;
        Ok(Self { nodes, costs, standard: builder.standard })
    }
}

/// A subschema, and what its references are relative to.
struct Place<'a> {
    value: &'a Value,
    resolver: Resolver<'a>,
    draft: Draft,
}

/// Subschemas are known by where they stand in memory, so each becomes one node however many references lead to it.
struct Builder<'a> {
    ids: HashMap<*const Value, Id>,
    pending: Vec<(Id, Place<'a>)>,
    nodes: Vec<Node>,
    standard: bool,
}

impl<'a> Builder<'a> {
    /// The node of `place`, whose resolver knows its identifier already.
    fn meet(&mut self, place: Place<'a>) -> Id {
        let draft = place.draft.detect(place.value);
        *self.ids.entry(place.value).or_insert_with(|| {
            let id = self.nodes.len();
            self.standard &= draft != Draft::Unknown;
            self.nodes.push(Node::default());
            self.pending.push((id, Place { draft, ..place }));
            id
        })
    }

    fn sub(&mut self, parent: &Place<'a>, value: &'a Value) -> Result<Id> {
        let draft = parent.draft.detect(value);
        let resolver = parent.resolver.in_subresource(ResourceRef::new(value, draft)).map_err(|error| from_reference(&error))?;
        Ok(self.meet(Place { value, resolver, draft }))
    }

    fn subs(&mut self, parent: &Place<'a>, values: Option<&'a Value>) -> Result<Vec<Id>> {
        let values = values.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        values.iter().map(|value| self.sub(parent, value)).collect()
    }

    fn maybe(&mut self, parent: &Place<'a>, value: Option<&'a Value>) -> Result<Option<Id>> {
        value.filter(|value| value.is_object() || value.is_boolean()).map(|value| self.sub(parent, value)).transpose()
    }

    fn node(&mut self, place: &Place<'a>) -> Result<Node> {
        let Value::Object(keywords) = place.value else {
            let never = place.value == &Value::Bool(false);
            return Ok(Node { claim: Claim { never, ..Claim::default() }, weight: 1, ..Node::default() });
        };
        let mut node = Node { weight: 1 + keywords.len() as u64, ..Node::default() };
        if let Some(target) = keywords.get("$ref").and_then(Value::as_str) {
            let id = self.target(place, target)?;
            node.all.push(id);
            if place.draft <= Draft::Draft7 {
                return Ok(node);
            }
        }
        self.references(place, keywords, &mut node);
        self.in_place(place, keywords, &mut node)?;
        self.object(place, keywords, &mut node)?;
        self.array(place, keywords, &mut node)?;
        node.claim = claim(keywords, place.draft);
        node.weight += node.claim.values.as_ref().map_or(0, |values| values.strings.len() + values.numbers.len()) as u64;
        node.weight += node.object.required.len() as u64;
        Ok(node)
    }

    fn target(&mut self, place: &Place<'a>, reference: &str) -> Result<Id> {
        let target = place.resolver.lookup(reference).map_err(|error| from_reference(&error))?;
        let (value, resolver, draft) = target.into_inner();
        Ok(self.meet(Place { value, resolver, draft }))
    }

    /// Where a dynamic reference leads depends on the way to it; its plain target stands for all of them, where it has one.
    fn references(&mut self, place: &Place<'a>, keywords: &'a Map<String, Value>, node: &mut Node) {
        for keyword in ["$dynamicRef", "$recursiveRef"] {
            let target = keywords.get(keyword).and_then(Value::as_str).and_then(|target| place.resolver.lookup(target).ok());
            if let Some(target) = target {
                let (value, resolver, draft) = target.into_inner();
                node.dynamic = Some(self.meet(Place { value, resolver, draft }));
            }
        }
    }

    fn in_place(&mut self, place: &Place<'a>, keywords: &'a Map<String, Value>, node: &mut Node) -> Result<()> {
        node.all.extend(self.subs(place, keywords.get("allOf"))?);
        for keyword in ["anyOf", "oneOf"] {
            let alternatives = self.subs(place, keywords.get(keyword))?;
            if !alternatives.is_empty() {
                node.any.push(alternatives);
            }
        }
        for keyword in ["not", "if", "then", "else"] {
            node.aside.extend(self.maybe(place, keywords.get(keyword))?);
        }
        for keyword in ["dependentSchemas", "dependencies"] {
            for value in keywords.get(keyword).and_then(Value::as_object).into_iter().flat_map(Map::values) {
                node.aside.extend(self.maybe(place, Some(value))?);
            }
        }
        node.twice = keywords.contains_key("unevaluatedProperties") || keywords.contains_key("unevaluatedItems");
        Ok(())
    }

    fn object(&mut self, place: &Place<'a>, keywords: &'a Map<String, Value>, node: &mut Node) -> Result<()> {
        let entries = |keyword: &str| keywords.get(keyword).and_then(Value::as_object).into_iter().flatten();
        for (name, value) in entries("properties") {
            node.object.properties.push((name.as_str().into(), self.sub(place, value)?));
        }
        node.object.properties.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        for (pattern, value) in entries("patternProperties") {
            node.object.patterns.push((compile(pattern), self.sub(place, value)?));
        }
        node.object.rest = self.maybe(place, keywords.get("additionalProperties"))?;
        node.object.names = self.maybe(place, keywords.get("propertyNames"))?;
        node.object.aside.extend(self.maybe(place, keywords.get("unevaluatedProperties"))?);
        let required = keywords.get("required").and_then(Value::as_array).into_iter().flatten();
        node.object.required = required.filter_map(Value::as_str).map(Box::from).collect();
        node.object.size = size(keywords, "minProperties", "maxProperties");
        Ok(())
    }

    fn array(&mut self, place: &Place<'a>, keywords: &'a Map<String, Value>, node: &mut Node) -> Result<()> {
        let modern = place.draft >= Draft::Draft202012;
        let (prefix, rest) = match keywords.get("items") {
            items if modern => (keywords.get("prefixItems"), items),
            Some(items @ Value::Array(_)) => (Some(items), keywords.get("additionalItems")),
            items => (None, items),
        };
        node.array.prefix = self.subs(place, prefix)?;
        node.array.rest = self.maybe(place, rest)?;
        for keyword in ["contains", "unevaluatedItems"] {
            node.array.aside.extend(self.maybe(place, keywords.get(keyword))?);
        }
        node.array.size = size(keywords, "minItems", "maxItems");
        node.array.unique = keywords.get("uniqueItems") == Some(&Value::Bool(true));
        Ok(())
    }
}

fn claim(keywords: &Map<String, Value>, draft: Draft) -> Claim {
    let allowed = keywords.get("const").filter(|_| draft >= Draft::Draft6).map(std::slice::from_ref);
    let allowed = allowed.or_else(|| keywords.get("enum").and_then(Value::as_array).map(Vec::as_slice));
    Claim {
        never: false,
        kinds: keywords.get("type").map(Kinds::of_type).unwrap_or_default(),
        values: allowed.map(Values::new),
        minimum: bound(keywords, "minimum", "exclusiveMinimum", f64::max),
        maximum: bound(keywords, "maximum", "exclusiveMaximum", f64::min),
        multiple: keywords.get("multipleOf").and_then(Value::as_u64).filter(|&multiple| multiple > 0),
        length: size(keywords, "minLength", "maxLength"),
    }
}

/// The tighter of two ends. In draft 4, the exclusive one is a flag on the other.
fn bound(keywords: &Map<String, Value>, inclusive: &str, exclusive: &str, tighter: fn(f64, f64) -> f64) -> Option<Bound> {
    let number = |keyword| keywords.get(keyword).and_then(Value::as_f64);
    let flagged = keywords.get(exclusive) == Some(&Value::Bool(true));
    match (number(inclusive), number(exclusive)) {
        (at, None) => at.map(|at| Bound { at, exclusive: flagged }),
        (None, Some(at)) => Some(Bound { at, exclusive: true }),
        (Some(one), Some(other)) => {
            let at = tighter(one, other);
            Some(Bound { at, exclusive: at.total_cmp(&other).is_eq() })
        }
    }
}

fn size(keywords: &Map<String, Value>, least: &str, most: &str) -> Size {
    // A whole number may be written as `2.0`.
    let count = |keyword: &str| {
        let number = keywords.get(keyword)?;
        number.as_u64().or_else(|| number.as_f64().filter(|number| number.fract() == 0.0 && *number >= 0.0).map(|number| number as u64))
    };
    Size { least: count(least), most: count(most) }
}

fn compile(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).size_limit(PATTERN_BYTES).build().ok()
}
