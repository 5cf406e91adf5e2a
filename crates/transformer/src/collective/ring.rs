//! The operations as steps around a ring.

use std::{
    io,
    ops::Range,
    sync::{Arc, OnceLock},
    time::Duration,
};

use super::{
    CollectiveStats,
    frame::{Call, FrameHeader, Operation},
    incoming::Incoming,
    outgoing::Outgoing,
    patience::Patience,
    place::Place,
    rendezvous::Neighbours,
};

/// Values in a frame. Small enough that the parts of a step overlap, large enough that headers and system calls cost little.
pub(super) const PART: usize = FrameHeader::MAX_PAYLOAD as usize / size_of::<f32>();

/// How long a worker that gives up tries to say why.
const FAREWELL: Duration = Duration::from_millis(200);
const LONGEST_FAREWELL: usize = 1024;

/// The two connections of a worker, while all goes well.
#[derive(Debug)]
pub(super) struct Ring {
    place: Place,
    incoming: Incoming,
    outgoing: Outgoing,
}

/// Why the ring cannot go on, and who noticed it first.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) origin: usize,
    pub(super) reason: String,
}

impl Ring {
    pub(super) fn new(place: Place, neighbours: Neighbours, patience: &Patience) -> io::Result<Self> {
        let trouble = Arc::new(OnceLock::new());
        let outgoing = Outgoing::new(neighbours.right, place.right(), patience.clone(), Arc::clone(&trouble))?;
        let incoming = Incoming::new(neighbours.left, place.left(), patience.clone(), trouble)?;
        Ok(Self { place, incoming, outgoing })
    }

    /// Adds what was moved since the last time to `stats`.
    pub(super) fn report(&mut self, stats: &mut CollectiveStats) {
        stats.bytes_sent += std::mem::take(&mut self.outgoing.bytes);
        stats.bytes_received += std::mem::take(&mut self.incoming.bytes);
        stats.waited += std::mem::take(&mut self.outgoing.waited) + std::mem::take(&mut self.incoming.waited);
    }

    /// Ring reduce-scatter, after which this worker has all values of one segment `combine`d, then ring all-gather of what `finish` makes of
    /// them. Two workers give each other everything at once instead: as many bytes, and half as often waited for each other.
    pub(super) fn all_reduce(
        &mut self,
        call: &Call,
        values: &mut [f32],
        combine: impl Fn(&mut f32, f32),
        finish: impl Fn(f32) -> f32,
    ) -> Result<(), Fault> {
        let Place { rank, world } = self.place;
        if world == 2 {
            return self.all_reduce_pair(call, values, combine, finish);
        }
        let segments: Vec<Range<usize>> = (0..world).map(|index| self.place.segment(values.len(), index)).collect();
        let at = |steps: usize| segments[(rank + 1 + world - steps) % world].clone();
        for step in 1..world {
            self.exchange(call, values, at(step), at(step + 1), &combine)?;
        }
        for sum in &mut values[at(0)] {
            *sum = finish(*sum);
        }
        for step in 0..world - 1 {
            self.exchange(call, values, at(step), at(step + 1), |value, sum| *value = sum)?;
        }
        Ok(())
    }

    /// [`all_reduce`](Self::all_reduce) of two, for which it does not matter which value is combined with which.
    fn all_reduce_pair(
        &mut self,
        call: &Call,
        values: &mut [f32],
        combine: impl Fn(&mut f32, f32),
        finish: impl Fn(f32) -> f32,
    ) -> Result<(), Fault> {
        let all = 0..values.len();
        self.exchange(call, values, all.clone(), all, |value, sent| {
            combine(value, sent);
            *value = finish(*value);
        })
    }

    /// What each worker has, by rank: every block travels once around.
    pub(super) fn all_gather(&mut self, call: &Call, mine: &[f32]) -> Result<Vec<Vec<f32>>, Fault> {
        let Place { rank, world } = self.place;
        let mut blocks = vec![Vec::new(); world];
        blocks[rank] = mine.to_vec();
        for step in 0..world - 1 {
            let theirs = self.swap_blocks(call, &blocks[self.place.back(step)])?;
            blocks[self.place.back(step + 1)] = theirs;
        }
        Ok(blocks)
    }

    /// From neighbour to neighbour, part by part. The last hands the root an empty frame: then all have everything.
    pub(super) fn broadcast(&mut self, call: &Call, values: &mut [f32], root: usize) -> Result<(), Fault> {
        let position = self.place.distance_from(root);
        let is_last = position + 1 == self.place.world;
        for part in parts(values.len()) {
            let values = &mut values[part];
            if position > 0 {
                self.receive(call)?;
                self.take(values, |value, sent| *value = sent)?;
            }
            if !is_last {
                self.send(call, values)?;
            }
        }
        if is_last {
            self.send(call, &[])?;
        }
        if position == 0 {
            self.receive(call)?;
            self.take(&mut [], |_, _| ())?;
        }
        Ok(())
    }

    /// After `world - 1` steps a word of every worker has come to every other.
    pub(super) fn barrier(&mut self, call: &Call) -> Result<(), Fault> {
        for _ in 1..self.place.world {
            self.exchange(call, &mut [], 0..0, 0..0, |_, _| ())?;
        }
        Ok(())
    }

    /// Tells the right neighbour why this is the end, and leaves: the neighbours see closed connections, and so on around the ring.
    pub(super) fn give_up(mut self, fault: &Fault) {
        let reason = fault.reason.as_bytes();
        let reason = &reason[..reason.len().min(LONGEST_FAREWELL)];
        let call = Call { operation: Operation::GiveUp, root: fault.origin as u32, sequence: 0, count: 0 };
        let header = FrameHeader { call, payload_len: reason.len() as u32 };
        self.outgoing.end_with(&header, reason, FAREWELL);
    }

    /// A step: sends the values of one range, and combines those of another with what comes from the left, in turn part by part.
    fn exchange(
        &mut self,
        call: &Call,
        values: &mut [f32],
        send: Range<usize>,
        receive: Range<usize>,
        combine: impl Fn(&mut f32, f32),
    ) -> Result<(), Fault> {
        let steps = parts(send.len()).len().max(parts(receive.len()).len());
        for index in 0..steps {
            if let Some(part) = part(send.len(), index) {
                self.send(call, &values[send.clone()][part])?;
            }
            if let Some(part) = part(receive.len(), index) {
                self.receive(call)?;
                self.take(&mut values[receive.clone()][part], &combine)?;
            }
        }
        Ok(())
    }

    /// Sends a block, and returns the one that comes from the left, whose length only its frames say.
    fn swap_blocks(&mut self, call: &Call, mine: &[f32]) -> Result<Vec<f32>, Fault> {
        let mine_call = Call { count: mine.len() as u64, ..*call };
        let mut theirs = Vec::new();
        let mut their_len = None;
        for index in 0.. {
            let (to_send, to_come) = (part(mine.len(), index), their_len.map_or(Some(0..0), |len| part(len, index)));
            if let Some(part) = &to_send {
                self.send(&mine_call, &mine[part.clone()])?;
            }
            if to_come.is_some() {
                let len = self.receive_block(call, their_len)?;
                their_len = Some(len);
                let start = theirs.len();
                theirs.resize(part(len, index).map_or(start, |part| part.end), 0.0);
                self.take(&mut theirs[start..], |value, sent| *value = sent)?;
            }
            if to_send.is_none() && to_come.is_none() {
                break;
            }
        }
        Ok(theirs)
    }

    /// A frame of a block: the first says how long the block is, the others say the same.
    fn receive_block(&mut self, call: &Call, len: Option<usize>) -> Result<usize, Fault> {
        let theirs = self.next()?;
        let count = len.map_or(theirs.count, |len| len as u64);
        self.require(&theirs, &Call { count, ..*call })?;
        usize::try_from(count).map_err(|_| self.fault(format!("a block of {count} values does not fit into memory")))
    }

    fn send(&mut self, call: &Call, values: &[f32]) -> Result<(), Fault> {
        let header = FrameHeader { call: *call, payload_len: size_of_val(values) as u32 };
        self.outgoing.send(&header, values).map_err(|reason| self.fault(reason))
    }

    fn receive(&mut self, call: &Call) -> Result<(), Fault> {
        let theirs = self.next()?;
        self.require(&theirs, call)
    }

    /// The call that the next frame belongs to; the last word of another worker is a fault.
    fn next(&mut self) -> Result<Call, Fault> {
        let header = self.incoming.next().map_err(|reason| self.fault(reason))?;
        if header.call.operation == Operation::GiveUp {
            let reason = String::from_utf8_lossy(self.incoming.payload()).into_owned();
            return Err(Fault { origin: header.call.root as usize, reason });
        }
        Ok(header.call)
    }

    fn require(&self, theirs: &Call, expected: &Call) -> Result<(), Fault> {
        if theirs == expected {
            return Ok(());
        }
        let left = self.place.left();
        let which = |call: &Call| if theirs.sequence == expected.sequence { String::new() } else { format!(" (call {})", call.sequence) };
        let (theirs_which, expected_which) = (which(theirs), which(expected));
        Err(self.fault(format!("rank {left} called {theirs}{theirs_which} where {expected}{expected_which} was expected")))
    }

    /// Combines the payload that came last with `values`.
    fn take(&mut self, values: &mut [f32], combine: impl Fn(&mut f32, f32)) -> Result<(), Fault> {
        let payload = self.incoming.payload();
        if payload.len() != size_of_val(values) {
            let (left, len, expected) = (self.place.left(), payload.len(), size_of_val(values));
            return Err(self.fault(format!("rank {left} sent {len} bytes where {expected} were expected")));
        }
        for (value, bytes) in values.iter_mut().zip(payload.as_chunks().0) {
            combine(value, f32::from_le_bytes(*bytes));
        }
        Ok(())
    }

    fn fault(&self, reason: String) -> Fault {
        Fault { origin: self.place.rank, reason }
    }
}

/// The ranges that `len` values travel in: one at least, so that an empty message is a message too.
fn parts(len: usize) -> impl ExactSizeIterator<Item = Range<usize>> {
    let count = len.div_ceil(PART).max(1);
    (0..count).map(move |index| index * PART..((index + 1) * PART).min(len))
}

fn part(len: usize, index: usize) -> Option<Range<usize>> {
    parts(len).nth(index)
}
