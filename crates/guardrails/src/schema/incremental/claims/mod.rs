use std::sync::Arc;

use self::demands::{Asked, most};
use super::super::{
    Violation,
    graph::{Graph, Id, Kind, Node, ROOT},
};

mod demands;
mod events;
mod wording;

/// The most claims on one value. Where a schema makes more, those beyond are not made, so that less is checked.
const MOST: usize = 256;

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
    /// Whether every character has to be compared.
    picky: bool,
    /// The most characters that every claim allows.
    room: u64,
}

impl Claims {
    pub(super) fn new(graph: Arc<Graph>) -> Self {
        Self { graph, made: Vec::new(), choices: Vec::new(), open: Vec::new(), fallen: None }
    }

    /// What the root fell of, where the value that is being read stands at `pointer`.
    pub(super) fn violation(&self, pointer: &str) -> Violation {
        let Fall { node, keyword, depth } = self.fallen.expect("asked for once the root has fallen");
        let path: String = pointer.split_inclusive('/').take(depth + 1).collect();
        let path = path.strip_suffix('/').unwrap_or(&path).to_owned();
        let told = wording::tell(&self.graph.nodes[node], keyword);
        let place = if path.is_empty() { "the document".to_owned() } else { format!("`{path}`") };
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
    fn each(&mut self, mut ask: impl FnMut(&mut Claim, &Node) -> Asked) {
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
