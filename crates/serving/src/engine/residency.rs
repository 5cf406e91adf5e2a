use std::time::Duration;

use crate::block_manager::BlockEvent;

/// Accesses of a block that are remembered.
const REMEMBERED: usize = 4;

/// How long a block's text was in the cache, when it made room for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockResidency {
    /// From the block's last taking to its eviction.
    pub lifetime: Duration,
    /// From its last use, by who took it or a prompt that found it, to its eviction.
    pub idle: Duration,
    /// From each of the last prompts that found it to the next one.
    pub reuse_gaps: Vec<Duration>,
}

/// When each block of a cache was taken and found.
#[derive(Debug, Default)]
pub(super) struct Residency {
    blocks: Vec<Times>,
}

#[derive(Clone, Debug, Default)]
struct Times {
    taken: Duration,
    found: Vec<Duration>,
}

impl Residency {
    /// Takes what happened `now`; says how it had been with blocks that were evicted.
    pub(super) fn note(&mut self, events: &[BlockEvent], now: Duration) -> Vec<BlockResidency> {
        let mut evicted = Vec::new();
        for event in events {
            match *event {
                BlockEvent::Taken(block) => *self.at(block) = Times { taken: now, found: Vec::new() },
                BlockEvent::Found(block) => self.at(block).find(now),
                BlockEvent::Evicted(block) => evicted.push(self.at(block).until(now)),
            }
        }
        evicted
    }

    fn at(&mut self, block: u32) -> &mut Times {
        let at = block as usize;
        if at >= self.blocks.len() {
            self.blocks.resize(at + 1, Times::default());
        }
        &mut self.blocks[at]
    }
}

impl Times {
    fn find(&mut self, now: Duration) {
        if self.found.len() == REMEMBERED {
            self.found.remove(0);
        }
        self.found.push(now);
    }

    fn until(&self, now: Duration) -> BlockResidency {
        let last = self.found.last().copied().unwrap_or(self.taken);
        let reuse_gaps = self.found.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
        BlockResidency { lifetime: now.saturating_sub(self.taken), idle: now.saturating_sub(last), reuse_gaps }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_eviction_tells_the_life_before_it() {
        let (mut residency, second) = (Residency::default(), Duration::from_secs);
        assert!(residency.note(&[BlockEvent::Taken(3), BlockEvent::Taken(1)], second(10)).is_empty());
        for at in [11, 13, 16, 20, 25] {
            residency.note(&[BlockEvent::Found(3)], second(at));
        }
        let told = residency.note(&[BlockEvent::Evicted(3), BlockEvent::Taken(3), BlockEvent::Evicted(1)], second(31));
        let gaps = [3, 4, 5].map(second).to_vec();
        assert_eq!(told[0], BlockResidency { lifetime: second(21), idle: second(6), reuse_gaps: gaps });
        assert_eq!(told[1], BlockResidency { lifetime: second(21), idle: second(21), reuse_gaps: Vec::new() });
        let told = residency.note(&[BlockEvent::Evicted(3)], second(33));
        assert_eq!(told, [BlockResidency { lifetime: second(2), idle: second(2), reuse_gaps: Vec::new() }], "its old life is forgotten");
    }
}
