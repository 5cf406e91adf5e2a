use crate::deployment::Micros;

/// What a node has on disk when its power fails. A process that dies leaves everything that it wrote to the system, which has a page cache.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    /// How long a sync takes on average.
    pub(super) sync: Micros,
    /// What was taken until then, by the node's clock, is on disk.
    synced: Micros,
    /// Syncs under way: what they hold, and when they are done.
    under_way: Vec<(Micros, Micros)>,
}

impl Disk {
    pub(super) fn new(sync: Micros) -> Self {
        Self { sync, synced: 0, under_way: Vec::new() }
    }

    /// A sync of all that was taken until `taken` is done at `done`.
    pub(super) fn begin_sync(&mut self, now: Micros, taken: Micros, done: Micros) {
        self.synced = self.synced(now);
        self.under_way.retain(|(_, done)| *done > now);
        self.under_way.push((taken, done));
    }

    /// Until when, by the node's clock, what it took is on disk.
    pub(super) fn synced(&self, now: Micros) -> Micros {
        let done = self.under_way.iter().filter(|(_, done)| *done <= now).map(|(taken, _)| *taken);
        done.fold(self.synced, Micros::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_sync_that_is_done_holds_is_there_and_no_more() {
        let mut disk = Disk::new(10);
        disk.begin_sync(100, 100, 115);
        disk.begin_sync(105, 105, 112);
        assert_eq!((disk.synced(111), disk.synced(112), disk.synced(200)), (0, 105, 105), "a later sync holds what came earlier");
        disk.begin_sync(120, 120, 130);
        assert_eq!((disk.synced(129), disk.synced(130)), (105, 120));
    }
}
