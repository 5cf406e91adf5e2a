use std::collections::BTreeMap;

use serde_json::Value;

use super::graph::{Graph, Id, Node, ROOT};

/// The longest chain of subschemas, each applied by the one before, from the root to a leaf: what the stack has room for.
pub(super) const NESTING: u32 = 1_000;

/// What there would be too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overrun {
    Steps,
    Nesting,
}

impl Overrun {
    pub(super) fn of(steps: bool, nesting: bool) -> Option<Self> {
        if nesting { Some(Self::Nesting) } else { steps.then_some(Self::Steps) }
    }

    pub(super) fn message(self, steps: u64) -> String {
        match self {
            Self::Steps => format!("checking the document takes more than {steps} steps"),
            Self::Nesting => format!("checking the document takes a chain of more than {NESTING} subschemas"),
        }
    }
}

/// Counts what a validator that remembers nothing would do, without doing it: subschemas that are applied to the same value along several
/// ways are counted together. Where the budget is spent, counting ends; so it costs no more than the budget.
pub(super) struct Meter<'a> {
    graph: &'a Graph,
    left: u64,
}

/// How often a subschema is applied to a value, and how deep in the chain at most.
#[derive(Clone, Copy)]
struct Tally {
    times: u64,
    level: u32,
}

impl<'a> Meter<'a> {
    pub(super) fn new(graph: &'a Graph, steps: u64) -> Self {
        Self { graph, left: steps }
    }

    /// Recurses as deep as `instance`, which has been measured.
    /// Returns the steps.
    pub(super) fn measure(mut self, instance: &Value) -> Result<u64, Overrun> {
        let budget = self.left;
        self.place(instance, &[(ROOT, Tally { times: 1, level: 0 })])?;
        Ok(budget - self.left)
    }

    fn place(&mut self, value: &Value, entering: &[(Id, Tally)]) -> Result<(), Overrun> {
        match value {
            Value::Array(items) => {
                let here = self.spread(entering, items.len())?;
                self.items(items, &here)
            }
            Value::Object(entries) => {
                let here = self.spread(entering, entries.len())?;
                self.entries(entries, &here)
            }
            Value::String(text) => self.scalar(entering, 1 + text.len() as u64 / 256),
            _ => self.scalar(entering, 1),
        }
    }

    /// A string is read by each subschema that is applied to it, `size` times as long as a number takes.
    fn scalar(&mut self, entering: &[(Id, Tally)], size: u64) -> Result<(), Overrun> {
        for &(id, tally) in entering {
            let cost = self.graph.costs[id];
            if tally.level.saturating_add(cost.nesting) > NESTING {
                return Err(Overrun::Nesting);
            }
            self.spend(tally.times.saturating_mul(cost.steps).saturating_mul(size))?;
        }
        Ok(())
    }

    /// Everything that is applied to a container, and leads to what is inside of it.
    fn spread(&mut self, entering: &[(Id, Tally)], children: usize) -> Result<Vec<(&'a Node, Tally)>, Overrun> {
        let graph = self.graph;
        let mut waiting = BTreeMap::new();
        for &(id, tally) in entering {
            meet(&mut waiting, graph, id, tally);
        }
        let mut here = Vec::new();
        while let Some((_, (id, tally))) = waiting.pop_first() {
            let node = &graph.nodes[id];
            if tally.level >= NESTING {
                return Err(Overrun::Nesting);
            }
            let each = if node.array.unique { children as u64 } else { 0 };
            self.spend(tally.times.saturating_mul(node.weight.saturating_add(each)))?;
            let inner = Tally { times: tally.times.saturating_mul(1 + u64::from(node.twice)), level: tally.level + 1 };
            node.in_place().for_each(|child| meet(&mut waiting, graph, child, inner));
            if node.has_children() {
                here.push((node, Tally { level: tally.level + 1, ..tally }));
            }
        }
        self.spend((here.len() * children) as u64)?;
        Ok(here)
    }

    fn items(&mut self, items: &[Value], here: &[(&Node, Tally)]) -> Result<(), Overrun> {
        let mut entering = Vec::new();
        for (index, item) in items.iter().enumerate() {
            entering.clear();
            for (node, tally) in here {
                let applied = node.array.item(index).into_iter().chain(node.array.aside.iter().copied());
                entering.extend(applied.map(|id| (id, *tally)));
            }
            self.place(item, &entering)?;
        }
        Ok(())
    }

    fn entries(&mut self, entries: &serde_json::Map<String, Value>, here: &[(&Node, Tally)]) -> Result<(), Overrun> {
        let mut entering = Vec::new();
        for (name, entry) in entries {
            entering.clear();
            for (Node { object, .. }, tally) in here {
                let known = object.property(name);
                let rest = object.rest.filter(|_| known.is_none());
                let patterns = object.patterns.iter().filter(|(pattern, _)| pattern.as_ref().is_none_or(|pattern| pattern.is_match(name)));
                let applied = known.into_iter().chain(rest).chain(patterns.map(|(_, id)| *id)).chain(object.aside.iter().copied());
                entering.extend(applied.map(|id| (id, *tally)));
                self.spend(object.patterns.len() as u64 * tally.times)?;
                if let Some(names) = object.names {
                    self.scalar(&[(names, *tally)], 1 + name.len() as u64 / 256)?;
                }
            }
            self.place(entry, &entering)?;
        }
        Ok(())
    }

    fn spend(&mut self, steps: u64) -> Result<(), Overrun> {
        self.left = self.left.checked_sub(steps).ok_or(Overrun::Steps)?;
        Ok(())
    }
}

/// Ranks tell which of the nodes that wait leads to others that wait: it is taken first, so that each is taken once.
fn meet(waiting: &mut BTreeMap<usize, (Id, Tally)>, graph: &Graph, id: Id, tally: Tally) {
    let known = waiting.entry(graph.costs[id].rank).or_insert((id, Tally { times: 0, level: 0 }));
    known.1 = Tally { times: known.1.times.saturating_add(tally.times), level: known.1.level.max(tally.level) };
}
