use serde_json::Number;

use super::Claim;
use crate::schema::graph::{Bound, Graph, Kind, Node, Size};

/// Whole numbers up to here are doubles without rounding.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Whether a claim can still be met; where it cannot, the keyword that says so.
pub(super) type Asked = Result<(), &'static str>;

pub(super) fn begins(claim: &mut Claim, node: &Node, kind: Kind) -> Asked {
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

pub(super) fn fits(node: &Node, value: f64, number: &Number) -> Asked {
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

pub(super) fn most(size: Size, count: u64, keyword: &'static str) -> Asked {
    if size.most.is_some_and(|most| count > most) { Err(keyword) } else { Ok(()) }
}

pub(super) fn least(size: Size, count: u64, keyword: &'static str) -> Asked {
    if size.least.is_some_and(|least| count < least) { Err(keyword) } else { Ok(()) }
}

/// Keeps those of the sorted `known` texts, all alike up to `from`, that go on with `text`.
pub(super) fn narrow<T>(claim: &mut Claim, known: &[T], name: impl Fn(&T) -> &str, from: usize, text: &str) -> Asked {
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
pub(super) fn is_closed(graph: &Graph, node: &Node) -> bool {
    node.object.is_closed_list() && node.object.rest.is_some_and(|rest| graph.nodes[rest].claim.never)
}
