use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use redb::StorageBackend;

/// The unit that a disk writes whole.
const SECTOR: usize = 512;

/// A disk in memory that keeps what is on it apart from what was only written: it can stop at any operation, and then have lost, torn or
/// kept what was not synced. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    live: Vec<u8>,
    durable: Vec<u8>,
    /// What was done since the last sync.
    pending: Vec<Change>,
    operations: u64,
    fault: Option<(u64, Fault)>,
    stopped: bool,
}

#[derive(Clone, Debug)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Resize(usize),
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The power goes before the operation is carried out; nothing works after it.
    Stop,
    /// The operation fails with an input/output error, those after it do not.
    Fail,
    /// The operation fails for want of space, and so does every write after it.
    Full,
}

/// What of the changes that were not synced is on disk after the power went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// None.
    Nothing,
    /// All.
    Everything,
    /// All before the last write, and so many sectors of it.
    Torn(usize),
    /// Each sector or not, as this seed says for its place and how often it was written before; in which order others were written makes no
    /// difference.
    Some(u64),
}

impl Disk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// A disk that holds `image`, synced.
    pub fn holding(image: Vec<u8>) -> Self {
        Self { state: Arc::new(Mutex::new(State { live: image.clone(), durable: image, ..State::default() })) }
    }

    /// Lets the `operation`th write, resize or sync from now, counted from 0, go wrong.
    pub fn fault_at(&self, operation: u64, fault: Fault) {
        let mut state = self.lock();
        state.fault = Some((state.operations + operation, fault));
    }

    /// How many writes, resizes and syncs there were.
    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// What is written, synced or not.
    pub fn image(&self) -> Vec<u8> {
        self.lock().live.clone()
    }

    /// How many sectors the last write has that was not synced.
    pub fn last_sectors(&self) -> usize {
        let state = self.lock();
        let last =
            state.pending.iter().rev().find_map(|change| if let Change::Write { bytes, .. } = change { Some(bytes.len()) } else { None });
        last.unwrap_or(0).div_ceil(SECTOR)
    }

    /// The disk after the power went and came back.
    pub fn after_power_loss(&self, kept: Kept) -> Self {
        let state = self.lock();
        let mut image = state.durable.clone();
        let mut chance = Chance::default();
        let last = state.pending.iter().rposition(|change| matches!(change, Change::Write { .. }));
        for (number, change) in state.pending.iter().enumerate() {
            match (change, kept) {
                (_, Kept::Nothing) => {}
                (Change::Resize(length), _) => {
                    let keep = match kept {
                        Kept::Some(seed) => chance.keeps(seed, None),
                        _ => true,
                    };
                    if keep {
                        image.resize(*length, 0);
                    }
                }
                (Change::Write { at, bytes }, _) => {
                    for (sector, chunk) in bytes.chunks(SECTOR).enumerate() {
                        let keep = match kept {
                            Kept::Torn(sectors) => last != Some(number) || sector < sectors,
                            Kept::Some(seed) => chance.keeps(seed, Some(at + sector * SECTOR)),
                            Kept::Everything | Kept::Nothing => true,
                        };
                        if keep {
                            overwrite(&mut image, at + sector * SECTOR, chunk);
                        }
                    }
                }
            }
        }
        Self::holding(image)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn operation(&mut self, writes: bool) -> io::Result<()> {
        if self.stopped {
            return Err(io::Error::other("the power is off"));
        }
        let number = self.operations;
        self.operations += 1;
        match self.fault {
            Some((at, Fault::Stop)) if at <= number => {
                self.stopped = true;
                Err(io::Error::other("the power went"))
            }
            Some((at, Fault::Fail)) if at == number => Err(io::Error::other("input/output error")),
            Some((at, Fault::Full)) if at <= number && writes => Err(io::ErrorKind::StorageFull.into()),
            _ => Ok(()),
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.lock().live.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.lock();
        let bytes = state.live.get(offset as usize..).and_then(|rest| rest.get(..out.len()));
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.lock();
        state.operation(true)?;
        state.live.resize(len as usize, 0);
        state.pending.push(Change::Resize(len as usize));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.lock();
        state.operation(false)?;
        let State { durable, pending, .. } = &mut *state;
        for change in pending.drain(..) {
            match change {
                Change::Write { at, bytes } => overwrite(durable, at, &bytes),
                Change::Resize(length) => durable.resize(length, 0),
            }
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.lock();
        state.operation(true)?;
        overwrite(&mut state.live, offset as usize, data);
        state.pending.push(Change::Write { at: offset as usize, bytes: data.to_vec() });
        Ok(())
    }
}

/// Writes past the end grow the image, as they do a file.
fn overwrite(image: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    if image.len() < at + bytes.len() {
        image.resize(at + bytes.len(), 0);
    }
    image[at..at + bytes.len()].copy_from_slice(bytes);
}

/// What of several changes of the same place is kept: a resize, where there is no place.
#[derive(Default)]
struct Chance(BTreeMap<Option<usize>, u64>);

impl Chance {
    fn keeps(&mut self, seed: u64, place: Option<usize>) -> bool {
        let earlier = self.0.entry(place).or_default();
        *earlier += 1;
        let place = place.map_or(0, |place| place as u64 + 1);
        mix(mix(mix(seed) ^ place) ^ *earlier) & 1 == 1
    }
}

/// A number that looks random (splitmix64).
const fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of some pages that were written in an order.
    fn left(order: &[usize], seed: u64) -> Vec<u8> {
        let disk = Disk::holding(vec![0; 64 * SECTOR]);
        for page in order {
            disk.write((page * 4 * SECTOR) as u64, &vec![*page as u8 + 1; 4 * SECTOR]).unwrap();
        }
        disk.after_power_loss(Kept::Some(seed)).image()
    }

    #[test]
    fn what_is_kept_does_not_depend_on_the_order_of_pages() {
        let pages: Vec<usize> = (0..16).collect();
        let back: Vec<usize> = pages.iter().rev().copied().collect();
        for seed in 0..20 {
            assert_eq!(left(&pages, seed), left(&back, seed));
            assert_ne!(left(&pages, seed), left(&pages, seed + 1));
        }
    }

    #[test]
    fn some_sectors_are_kept_and_some_are_not() {
        let pages: Vec<usize> = (0..16).collect();
        for seed in 0..20 {
            let kept = left(&pages, seed).chunks(SECTOR).filter(|sector| sector[0] != 0).count();
            assert!((16..=48).contains(&kept), "seed {seed} keeps {kept} of 64");
        }
    }

    #[test]
    fn each_write_of_a_sector_has_a_chance_of_its_own() {
        let of = |seed| {
            let disk = Disk::holding(vec![0; SECTOR]);
            (1..=3).for_each(|value| disk.write(0, &[value; SECTOR]).unwrap());
            disk.after_power_loss(Kept::Some(seed)).image()[0]
        };
        let seen: std::collections::BTreeSet<u8> = (0..100).map(of).collect();
        assert_eq!(seen, (0..=3).collect());
    }
}
