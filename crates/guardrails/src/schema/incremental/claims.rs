use std::sync::Arc;

use serde_json::{Number, Value};

use super::super::{
    Violation,
    graph::{Bound, Graph, Id, Kind, Node, ROOT, Size, Values},
};

/// The most claims on one value. Where a schema makes more, those beyond are not made, so that less is checked.
const MOST: usize = 256;
/// Whole numbers up to here are doubles without rounding.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// What the schema still demands of the values that are open.
///
/// A claim is one subschema applied to one value. Claims on a value hang on claims on the value around it, all the way to the root: where
/// one cannot be met any more it falls, and what hung on it alone falls with it. Where the root falls, nothing can be valid.
pub(super) struct Claims {
    graph: Arc<Graph>,
    /// The claims, those on a value after those on the values around it.
    made: Vec<Claim>,
    choices: Vec<Choice>,
    open: Vec<Open>,
    fallen: Option<Fall>,
}

/// Why the root fell: the claim that fell last, and by which keyword.
#[derive(Clone, Copy)]
struct Fall {
    node: Id,
    keyword: &'static str,
    /// How many values are around the one that the claim was on.
    depth: usize,
}

struct Claim {
    node: Id,
    met: bool,
    on: Hold,
    /// Where the claim is on a string with set values, or on an object whose key is being read: which of the sorted texts are still
    /// possible.
    texts: (usize, usize),
}

/// What falls where a claim falls.
#[derive(Clone, Copy)]
enum Hold {
    Document,
    /// The claim that cannot do without it.
    Claim(usize),
    /// The choice that has one alternative less.
    Choice(usize),
}

struct Choice {
    claim: usize,
    left: usize,
}

/// A value that is being read.
struct Open {
    kind: Kind,
    claims: usize,
    choices: usize,
    /// Items, or properties whose key was read, or characters.
    count: u64,
    /// Bytes of the text or key that were compared.
    compared: usize,
    key: String,
    /// Whether every character counts.
    picky: bool,
}

impl Claims {
    pub(super) fn new(graph: Arc<Graph>) -> Self {
        Self { graph, made: Vec::new(), choices: Vec::new(), open: Vec::new(), fallen: None }
    }

    /// A value begins. False, here and below, where the document cannot become valid.
    pub(super) fn begin(&mut self, kind: Kind) -> bool {
        let (start, choices) = (self.made.len(), self.choices.len());
        self.inherit();
        self.unfold(start);
        self.open.push(Open { kind, claims: start, choices, count: 0, compared: 0, key: String::new(), picky: false });
        self.each(|claim, node| begins(claim, node, kind));
        if kind == Kind::String {
            let graph = &self.graph;
            let picky =
                |claim: &Claim| graph.nodes[claim.node].claim.length.most.is_some() || graph.nodes[claim.node].claim.values.is_some();
            self.innermost().picky = self.made[start..].iter().any(picky);
        }
        self.fallen.is_none()
    }

    /// More of a string; where nothing can make it valid any more, the byte of `run` at which that is so.
    pub(super) fn text(&mut self, run: &str) -> Result<(), usize> {
        if !self.innermost().picky {
            self.innermost().count += run.chars().count() as u64;
            return Ok(());
        }
        for (at, character) in run.char_indices() {
            let open = self.innermost();
            open.count += 1;
            let (count, from) = (open.count, open.compared);
            open.compared += character.len_utf8();
            let mut bytes = [0; 4];
            let text = &*character.encode_utf8(&mut bytes);
            self.each(|claim, node| {
                if node.claim.length.most.is_some_and(|most| count > most) {
                    return Err("maxLength");
                }
                node.claim.values.as_ref().map_or(Ok(()), |values| narrow(claim, &values.strings, |known| known, from, text))
            });
            self.stands().ok_or(at)?;
        }
        Ok(())
    }

    pub(super) fn end_text(&mut self) -> bool {
        let open = self.innermost();
        let (count, length) = (open.count, open.compared);
        self.each(|claim, node| {
            if node.claim.length.least.is_some_and(|least| count < least) {
                return Err("minLength");
            }
            let whole = |values: &Values| values.strings[claim.texts.0..claim.texts.1].first().is_some_and(|text| text.len() == length);
            if node.claim.values.as_ref().is_none_or(whole) { Ok(()) } else { Err("enum") }
        });
        self.leave()
    }

    pub(super) fn begin_key(&mut self) -> bool {
        let open = self.innermost();
        open.count += 1;
        open.compared = 0;
        let count = open.count;
        self.each(|claim, node| {
            claim.texts = (0, node.object.properties.len());
            most(node.object.size, count, "maxProperties")
        });
        let graph = &self.graph;
        let start = self.open.last().map_or(0, |open| open.claims);
        let picky = self.made[start..].iter().any(|claim| claim.met && is_closed(graph, &graph.nodes[claim.node]));
        self.innermost().picky = picky;
        self.fallen.is_none()
    }

    /// More of a key, as for [`text`](Self::text).
    pub(super) fn key(&mut self, run: &str) -> Result<(), usize> {
        if !self.innermost().picky {
            return Ok(());
        }
        let graph = Arc::clone(&self.graph);
        for (at, character) in run.char_indices() {
            let from = self.innermost().compared;
            self.innermost().compared += character.len_utf8();
            let mut bytes = [0; 4];
            let text = &*character.encode_utf8(&mut bytes);
            self.each(|claim, node| {
                let closed = is_closed(&graph, node);
                if closed {
                    narrow(claim, &node.object.properties, |(name, _)| name, from, text).map_err(|_| "additionalProperties")
                } else {
                    Ok(())
                }
            });
            self.stands().ok_or(at)?;
        }
        Ok(())
    }

    pub(super) fn end_key(&mut self, key: &str) -> bool {
        key.clone_into(&mut self.innermost().key);
        let graph = Arc::clone(&self.graph);
        self.each(
            |_, node| if is_closed(&graph, node) && node.object.property(key).is_none() { Err("additionalProperties") } else { Ok(()) },
        );
        self.fallen.is_none()
    }

    pub(super) fn number(&mut self, number: &Number) -> bool {
        let value = number.as_f64();
        self.each(|_, node| value.map_or(Ok(()), |value| fits(node, value, number)));
        self.leave()
    }

    /// A literal ends; what it is was known at its first letter.
    pub(super) fn literal(&mut self) -> bool {
        self.leave()
    }

    /// `container` ends.
    pub(super) fn close(&mut self, container: Option<&Value>) -> bool {
        let count = self.innermost().count;
        self.each(|_, node| match container {
            Some(Value::Object(entries)) => match node.object.required.iter().find(|&name| !entries.contains_key(&**name)) {
                Some(_) => Err("required"),
                None => least(node.object.size, count, "minProperties"),
            },
            Some(Value::Array(_)) => least(node.array.size, count, "minItems"),
            _ => Ok(()),
        });
        self.leave()
    }

    /// What the root fell of, where the value that is being read stands at `pointer`.
    pub(super) fn violation(&self, pointer: &str) -> Violation {
        let Fall { node, keyword, depth } = self.fallen.expect("asked for once the root has fallen");
        let path: String = pointer.split_inclusive('/').take(depth + 1).collect();
        let path = path.strip_suffix('/').unwrap_or(&path).to_owned();
        let told = tell(&self.graph.nodes[node], keyword);
        let place = if path.is_empty() { "the whole".to_owned() } else { format!("`{path}`") };
        let message = super::super::wording::clip(&format!("{place} {told}"), 240);
        Violation { path, schema_path: String::new(), keyword: keyword.to_owned(), message }
    }

    /// Makes the claims on a value that begins, as the claims on the value around it say.
    fn inherit(&mut self) {
        if !self.graph.standard {
            return;
        }
        let graph = Arc::clone(&self.graph);
        let Some(open) = self.open.last_mut() else {
            self.made.push(Claim::new(ROOT, Hold::Document));
            return;
        };
        let index = open.count as usize;
        let is_object = open.kind == Kind::Object;
        if !is_object {
            open.count += 1;
        }
        let (start, end, key) = (open.claims, self.made.len(), open.key.clone());
        for around in start..end {
            if !self.made[around].met {
                continue;
            }
            let Node { object, array, .. } = &graph.nodes[self.made[around].node];
            let child = if is_object {
                object.property(&key).or_else(|| object.rest.filter(|_| object.is_closed_list()))
            } else {
                if most(array.size, index as u64 + 1, "maxItems").is_err() {
                    self.fall(around, "maxItems");
                    continue;
                }
                array.item(index)
            };
            if let Some(child) = child.filter(|_| self.made.len() - end < MOST) {
                self.made.push(Claim::new(child, Hold::Claim(around)));
            }
        }
    }

    /// Adds what the claims from `start` lead to on the same value.
    fn unfold(&mut self, start: usize) {
        let graph = Arc::clone(&self.graph);
        let mut at = start;
        while at < self.made.len() {
            let node = &graph.nodes[self.made[at].node];
            for &inner in &node.all {
                if self.made.len() - start < MOST {
                    self.made.push(Claim::new(inner, Hold::Claim(at)));
                }
            }
            for alternatives in &node.any {
                // A choice of which some alternatives are not watched could fall though one of these is met.
                if self.made.len() - start + alternatives.len() <= MOST {
                    let choice = self.choices.len();
                    self.choices.push(Choice { claim: at, left: alternatives.len() });
                    self.made.extend(alternatives.iter().map(|&inner| Claim::new(inner, Hold::Choice(choice))));
                }
            }
            at += 1;
        }
    }

    /// Asks every claim on the innermost value whether it can still be met; those that cannot fall by the keyword that is told.
    fn each(&mut self, mut ask: impl FnMut(&mut Claim, &Node) -> Result<(), &'static str>) {
        let graph = Arc::clone(&self.graph);
        let start = self.open.last().map_or(0, |open| open.claims);
        for at in start..self.made.len() {
            let claim = &mut self.made[at];
            if claim.met
                && let Err(keyword) = ask(claim, &graph.nodes[claim.node])
            {
                self.fall(at, keyword);
            }
        }
    }

    fn fall(&mut self, mut at: usize, keyword: &'static str) {
        let depth = self.open.partition_point(|open| open.claims <= at).saturating_sub(1);
        let fall = Fall { node: self.made[at].node, keyword, depth };
        while std::mem::replace(&mut self.made[at].met, false) {
            at = match self.made[at].on {
                Hold::Document => {
                    self.fallen.get_or_insert(fall);
                    return;
                }
                Hold::Claim(around) => around,
                Hold::Choice(choice) => {
                    let choice = &mut self.choices[choice];
                    choice.left -= 1;
                    if choice.left > 0 {
                        return;
                    }
                    choice.claim
                }
            };
        }
    }

    /// Forgets the innermost value.
    fn leave(&mut self) -> bool {
        if self.fallen.is_none() {
            let open = self.open.pop().expect("a value that ends has begun");
            self.made.truncate(open.claims);
            self.choices.truncate(open.choices);
        }
        self.fallen.is_none()
    }

    fn stands(&self) -> Option<()> {
        self.fallen.is_none().then_some(())
    }

    fn innermost(&mut self) -> &mut Open {
        self.open.last_mut().expect("what is inside of a value comes after its beginning")
    }
}

impl Claim {
    fn new(node: Id, on: Hold) -> Self {
        Self { node, met: true, on, texts: (0, 0) }
    }
}

type Asked = Result<(), &'static str>;

fn begins(claim: &mut Claim, node: &Node, kind: Kind) -> Asked {
    let demands = &node.claim;
    if demands.never {
        return Err("false");
    }
    if !demands.kinds.has(kind) {
        return Err("type");
    }
    let Some(values) = &demands.values else { return Ok(()) };
    claim.texts = (0, values.strings.len());
    if values.kinds.has(kind) { Ok(()) } else { Err("enum") }
}

fn fits(node: &Node, value: f64, number: &Number) -> Asked {
    let demands = &node.claim;
    if demands.kinds.whole && value.fract() != 0.0 {
        return Err("type");
    }
    if demands.values.as_ref().is_some_and(|values| !values.numbers.contains(&value)) {
        return Err("enum");
    }
    if demands.maximum.is_some_and(|bound| is_beyond(value, bound)) {
        return Err("maximum");
    }
    if demands.minimum.is_some_and(|Bound { at, exclusive }| is_beyond(-value, Bound { at: -at, exclusive })) {
        return Err("minimum");
    }
    let whole = number.as_i64().map(i64::unsigned_abs).filter(|_| value.abs() < EXACT);
    if let (Some(multiple), Some(whole)) = (demands.multiple, whole)
        && whole % multiple != 0
    {
        return Err("multipleOf");
    }
    Ok(())
}

/// Rounding keeps the order, so what is greater as a double is greater; what is equal as a double may not be.
fn is_beyond(value: f64, bound: Bound) -> bool {
    value > bound.at || (bound.exclusive && value.abs() < EXACT && value.total_cmp(&bound.at).is_eq())
}

fn most(size: Size, count: u64, keyword: &'static str) -> Asked {
    if size.most.is_some_and(|most| count > most) { Err(keyword) } else { Ok(()) }
}

fn least(size: Size, count: u64, keyword: &'static str) -> Asked {
    if size.least.is_some_and(|least| count < least) { Err(keyword) } else { Ok(()) }
}

/// Keeps those of the sorted `known` texts, all alike up to `from`, that go on with `text`.
fn narrow<T>(claim: &mut Claim, known: &[T], name: impl Fn(&T) -> &str, from: usize, text: &str) -> Asked {
    let (start, end) = claim.texts;
    let next = |known: &T| {
        let rest = name(known).as_bytes().get(from..).unwrap_or_default();
        rest[..rest.len().min(text.len())].cmp(text.as_bytes())
    };
    let left = &known[start..end];
    let first = left.partition_point(|known| next(known).is_lt());
    let past = left.partition_point(|known| next(known).is_le());
    claim.texts = (start + first, start + past);
    if first < past { Ok(()) } else { Err("enum") }
}

/// Whether an object may have no properties but those that are named.
fn is_closed(graph: &Graph, node: &Node) -> bool {
    node.object.is_closed_list() && node.object.rest.is_some_and(|rest| graph.nodes[rest].claim.never)
}

/// The demand as words that follow the place.
fn tell(node: &Node, keyword: &str) -> String {
    let names = |names: &mut dyn Iterator<Item = &str>| names.take(12).map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    let demands = &node.claim;
    let end = |bound: Option<Bound>| bound.map_or(f64::NAN, |bound| bound.at);
    let count = |size: Option<u64>| size.unwrap_or_default();
    match keyword {
        "false" => "must not be there".to_owned(),
        "type" if demands.kinds.whole => "must be an integer".to_owned(),
        "type" => "is of a type that is not allowed there".to_owned(),
        "enum" => match &demands.values {
            Some(values) if !values.strings.is_empty() => {
                format!("is none of the values allowed, as {}", names(&mut values.strings.iter().map(AsRef::as_ref)))
            }
            _ => "is none of the values allowed".to_owned(),
        },
        "maximum" => format!("must be at most {}", end(demands.maximum)),
        "minimum" => format!("must be at least {}", end(demands.minimum)),
        "multipleOf" => format!("must be a multiple of {}", count(demands.multiple)),
        "maxLength" => format!("must have at most {} characters", count(demands.length.most)),
        "minLength" => format!("must have at least {} characters", count(demands.length.least)),
        "maxItems" => format!("must have at most {} items", count(node.array.size.most)),
        "minItems" => format!("must have at least {} items", count(node.array.size.least)),
        "maxProperties" => format!("must have at most {} properties", count(node.object.size.most)),
        "minProperties" => format!("must have at least {} properties", count(node.object.size.least)),
        "required" => format!("lacks one of the properties {}", names(&mut node.object.required.iter().map(AsRef::as_ref))),
        "additionalProperties" => {
            format!("must have no properties but {}", names(&mut node.object.properties.iter().map(|(name, _)| &**name)))
        }
        _ => "cannot become valid".to_owned(),
    }
}
