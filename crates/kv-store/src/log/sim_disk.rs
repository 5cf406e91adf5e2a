use std::{
    collections::{BTreeMap, BTreeSet},
    io, mem,
    sync::{Arc, Mutex, MutexGuard},
};

use super::{Disk, DiskFile};

/// What a disk writes wholly or not at all, in bytes.
const SECTOR: usize = 512;

/// A disk in memory that keeps two images: what a running process sees, and what is left after a power cut.
///
/// Clones are handles of one disk. Calls that change something are counted, and one of them can be made to fail.
#[derive(Clone, Debug, Default)]
pub struct SimDisk(Arc<Mutex<Image>>);

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SimFault {
    /// The power goes: this call and all later ones fail. A write that was under way counts as written, not synced.
    Stop,
    /// The call fails, once. A failed sync drops what it could not write from what is still to be written, as systems do.
    Eio,
    /// A write or a reservation finds no room, once; half of the write is there.
    Enospc,
}

#[derive(Clone, Debug, Default)]
struct Image {
    live: BTreeMap<String, usize>,
    durable: BTreeMap<String, usize>,
    unsynced_names: Vec<NameChange>,
    files: Vec<SimContent>,
    calls: u64,
    fault: Option<(u64, SimFault)>,
    is_stopped: bool,
}

#[derive(Clone, Debug)]
enum NameChange {
    Link(String, usize),
    Unlink(String),
    Rename(String, String, usize),
}

#[derive(Clone, Debug, Default)]
struct SimContent {
    live: Vec<u8>,
    durable: Vec<u8>,
    unsynced: BTreeSet<usize>,
}

impl SimDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// A disk that holds `files`, all durable.
    pub fn with_files<N: Into<String>>(files: impl IntoIterator<Item = (N, Vec<u8>)>) -> Self {
        let mut image = Image::default();
        for (name, bytes) in files {
            let name = name.into();
            image.live.insert(name.clone(), image.files.len());
            image.durable.insert(name, image.files.len());
            image.files.push(SimContent { live: bytes.clone(), durable: bytes, unsynced: BTreeSet::new() });
        }
        Self(Arc::new(Mutex::new(image)))
    }

    /// Calls so far that changed or synced something.
    pub fn calls(&self) -> u64 {
        self.image().calls
    }

    /// Makes the call after `calls` such calls fail.
    pub fn fail_at(&self, calls: u64, fault: SimFault) {
        self.image().fault = Some((calls, fault));
    }

    /// The disk after a power cut. For each sector and each name that was not synced `keep` says whether it reached the disk: it is asked in
    /// the order of files and sectors, then of names.
    pub fn after_power_cut(&self, mut keep: impl FnMut() -> bool) -> Self {
        let image = self.image();
        let mut files = image.files.clone();
        for file in &mut files {
            file.cut(&mut keep);
        }
        let mut names = image.durable.clone();
        for change in &image.unsynced_names {
            if keep() {
                change.apply(&mut names);
            }
        }
        Self(Arc::new(Mutex::new(Image { live: names.clone(), durable: names, files, ..Image::default() })))
    }

    /// The disk as another process finds it after this one was killed: nothing is lost, nothing is synced.
    pub fn after_kill(&self) -> Self {
        let image = self.image().clone();
        Self(Arc::new(Mutex::new(Image { calls: 0, fault: None, is_stopped: false, ..image })))
    }

    /// Sectors and names that a power cut may lose.
    pub fn unsynced(&self) -> usize {
        let image = self.image();
        image.files.iter().map(|file| file.unsynced.len()).sum::<usize>() + image.unsynced_names.len()
    }

    /// What a running process sees.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let image = self.image();
        image.live.iter().map(|(name, &file)| (name.clone(), image.files[file].live.clone())).collect()
    }

    /// Flips a bit of a file, in both images.
    ///
    /// # Panics
    /// Where there is no such file or bit.
    pub fn flip(&self, name: &str, bit: usize) {
        let mut image = self.image();
        let file = image.live[name];
        let content = &mut image.files[file];
        content.live[bit / 8] ^= 1 << (bit % 8);
        if let Some(byte) = content.durable.get_mut(bit / 8) {
            *byte ^= 1 << (bit % 8);
        }
    }

    fn image(&self) -> MutexGuard<'_, Image> {
        self.0.lock().expect("nobody panics while holding the disk")
    }
}

impl Disk for SimDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.image().live.keys().cloned().collect())
    }

    fn create(&self, name: &str, len: u64) -> io::Result<Arc<dyn DiskFile>> {
        let mut image = self.image();
        image.call()?;
        let index = image.files.len();
        image.files.push(SimContent::default());
        image.files[index].write(0, &vec![0; len as usize]);
        image.live.insert(name.to_owned(), index);
        image.unsynced_names.push(NameChange::Link(name.to_owned(), index));
        Ok(Arc::new(SimFile { disk: self.clone(), index }))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let index = *self.image().live.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(SimFile { disk: self.clone(), index }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut image = self.image();
        image.call()?;
        let index = *image.live.get(from).ok_or(io::ErrorKind::NotFound)?;
        image.change(NameChange::Rename(from.to_owned(), to.to_owned(), index));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut image = self.image();
        image.call()?;
        image.live.get(name).ok_or(io::ErrorKind::NotFound)?;
        image.change(NameChange::Unlink(name.to_owned()));
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut image = self.image();
        // Names of a failed sync stay unsynced: each may or may not be there after a power cut, which is the worst that can be.
        image.call()?;
        image.durable = image.live.clone();
        image.unsynced_names.clear();
        Ok(())
    }
}

#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    index: usize,
}

impl DiskFile for SimFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.disk.image().files[self.index].live.len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let image = self.disk.image();
        let bytes = image.files[self.index].live.get(offset as usize..).and_then(|rest| rest.get(..buffer.len()));
        buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut image = self.disk.image();
        let was_stopped = image.is_stopped;
        let outcome = image.call();
        let written = match &outcome {
            Err(_) if was_stopped => &[],
            Err(error) if error.kind() == io::ErrorKind::StorageFull => &bytes[..bytes.len() / 2],
            _ => bytes,
        };
        image.files[self.index].write(offset as usize, written);
        outcome
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut image = self.disk.image();
        let outcome = image.call();
        let is_stopped = image.is_stopped;
        let file = &mut image.files[self.index];
        match &outcome {
            Ok(()) => file.sync(),
            Err(_) if is_stopped => {}
            Err(_) => file.unsynced.clear(),
        }
        outcome
    }
}

impl Image {
    fn call(&mut self) -> io::Result<()> {
        if self.is_stopped {
            return Err(io::Error::other("the power is off"));
        }
        let fault = self.fault.take_if(|(at, _)| *at == self.calls);
        self.calls += 1;
        match fault {
            None => Ok(()),
            Some((_, SimFault::Stop)) => {
                self.is_stopped = true;
                Err(io::Error::other("the power went off"))
            }
            Some((_, SimFault::Eio)) => Err(io::Error::other("simulated input/output error")),
            Some((_, SimFault::Enospc)) => Err(io::ErrorKind::StorageFull.into()),
        }
    }

    fn change(&mut self, change: NameChange) {
        change.apply(&mut self.live);
        self.unsynced_names.push(change);
    }
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Link(name, file) => drop(names.insert(name.clone(), *file)),
            Self::Unlink(name) => drop(names.remove(name)),
            Self::Rename(from, to, file) => {
                names.remove(from);
                names.insert(to.clone(), *file);
            }
        }
    }
}

impl SimContent {
    fn write(&mut self, offset: usize, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let end = offset + bytes.len();
        if self.live.len() < end {
            self.live.resize(end, 0);
        }
        self.live[offset..end].copy_from_slice(bytes);
        self.unsynced.extend(offset / SECTOR..end.div_ceil(SECTOR));
    }

    fn sync(&mut self) {
        let unsynced = mem::take(&mut self.unsynced);
        self.durable.resize(self.live.len(), 0);
        for sector in unsynced {
            self.keep(sector);
        }
    }

    fn keep(&mut self, sector: usize) {
        let range = sector * SECTOR..((sector + 1) * SECTOR).min(self.live.len());
        if self.durable.len() < range.end {
            self.durable.resize(range.end, 0);
        }
        self.durable[range.clone()].copy_from_slice(&self.live[range]);
    }

    fn cut(&mut self, keep: &mut impl FnMut() -> bool) {
        for sector in mem::take(&mut self.unsynced) {
            if keep() {
                self.keep(sector);
            }
        }
        self.live.clone_from(&self.durable);
    }
}
