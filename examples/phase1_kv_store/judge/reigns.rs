use crate::{deployment::Micros, record::Reign};

/// For how long two nodes or more believed to lead at once, up to `end`.
pub(crate) fn both_lead(reigns: &[Reign], end: Micros) -> Micros {
    let mut changes: Vec<(Micros, i32)> =
        reigns.iter().flat_map(|reign| [(reign.from, 1), (reign.until.unwrap_or(end).max(reign.from), -1)]).collect();
    // At one time ends stand before beginnings: to follow at once is not to overlap.
    changes.sort_unstable();
    let (mut leaders, mut since, mut both) = (0, 0, 0);
    for (at, change) in changes {
        if leaders > 1 {
            both += at - since;
        }
        (leaders, since) = (leaders + change, at);
    }
    both
}

/// Whether two nodes ever led in one term, at whatever times.
pub(crate) fn two_of_one_term(reigns: &[Reign]) -> bool {
    let clash = |one: &Reign, other: &Reign| one.node != other.node && one.term.is_some() && one.term == other.term;
    reigns.iter().enumerate().any(|(place, one)| reigns[..place].iter().any(|other| clash(one, other)))
}
