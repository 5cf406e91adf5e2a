use super::{super::work::Overrun, Graph, Id, Node};

/// What applying a subschema to one value takes, everything that is applied to the same value included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Cost {
    /// The sum of the weights, each as often as it is applied. Saturates.
    pub(in super::super) steps: u64,
    /// The longest chain of subschemas that lead to one another.
    pub(in super::super) nesting: u32,
    /// A node comes after those that lead to it at the same place.
    pub(in super::super) rank: usize,
}

impl Graph {
    /// The first limit that applying one subschema to one value goes beyond.
    pub(in super::super) fn overrun(&self, steps: u64, nesting: u32) -> Option<Overrun> {
        self.costs.iter().find_map(|cost| Overrun::of(cost.steps > steps, cost.nesting > nesting))
    }
}

/// The cost of each node; `None` where a chain at one place leads back to its start. A dynamic reference that would close such a circle is
/// left out, as it may lead elsewhere; the others join what is applied aside.
pub(super) fn of(nodes: &mut [Node]) -> Option<Vec<Cost>> {
    let mut order = Vec::with_capacity(nodes.len());
    let mut marks = vec![Mark::New; nodes.len()];
    for start in 0..nodes.len() {
        visit(start, nodes, &mut marks, &mut order)?;
    }
    let mut costs = vec![Cost::default(); nodes.len()];
    for (from_last, &id) in order.iter().enumerate() {
        let node = &nodes[id];
        let times = 1 + u64::from(node.twice);
        let inner = node.in_place().map(|child| costs[child]);
        let (steps, nesting) = inner.fold((node.weight, 0), |(steps, nesting): (u64, u32), child| {
            (steps.saturating_add(child.steps.saturating_mul(times)), nesting.max(child.nesting))
        });
        costs[id] = Cost { steps, nesting: nesting.saturating_add(1), rank: nodes.len() - 1 - from_last };
    }
    Some(costs)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    Open,
    Done,
}

/// Adds what `start` leads to at its place to `order`, innermost first.
fn visit(start: Id, nodes: &mut [Node], marks: &mut [Mark], order: &mut Vec<Id>) -> Option<()> {
    if marks[start] != Mark::New {
        return Some(());
    }
    marks[start] = Mark::Open;
    let mut open = vec![(start, nodes[start].in_place().collect::<Vec<_>>())];
    while let Some((id, children)) = open.last_mut() {
        let (id, next) = (*id, children.pop());
        match next {
            Some(child) if marks[child] == Mark::Open => return None,
            Some(child) if marks[child] == Mark::Done => {}
            Some(child) => {
                marks[child] = Mark::Open;
                open.push((child, nodes[child].in_place().collect()));
            }
            None => {
                if let Some(target) = nodes[id].dynamic.take().filter(|&target| marks[target] != Mark::Open) {
                    nodes[id].aside.push(target);
                    children.push(target);
                } else {
                    marks[id] = Mark::Done;
                    order.push(id);
                    open.pop();
                }
            }
        }
    }
    Some(())
}
