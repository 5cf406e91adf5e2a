//! Many callers of one log: they share syncs, and what each was told holds after a power cut.
#![cfg(all(feature = "cluster", feature = "testing"))]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    io,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
};

use jarre_kv_store::log::{Disk, DiskFile, FsDisk, LogConfig, LogEntry, LogError, Mark, RaftLog, SimDisk, SimFault};

/// A disk whose syncs wait for a gate, and are counted.
#[derive(Clone, Debug)]
struct Gated {
    disk: Arc<dyn Disk>,
    /// How many syncs may pass.
    permits: Arc<(Mutex<u64>, Condvar)>,
    syncs: Arc<AtomicU64>,
}

#[derive(Debug)]
struct GatedFile(Arc<dyn DiskFile>, Gated);

impl Gated {
    fn new(disk: SimDisk) -> Self {
        Self { disk: Arc::new(disk), permits: Arc::new((Mutex::new(u64::MAX), Condvar::new())), syncs: Arc::default() }
    }

    fn permit(&self, syncs: u64) {
        *self.permits.0.lock().unwrap() = syncs;
        self.permits.1.notify_all();
    }
}

impl Disk for Gated {
    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }

    fn create(&self, name: &str, len: u64) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(GatedFile(self.disk.create(name, len)?, self.clone())))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(GatedFile(self.disk.open(name)?, self.clone())))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.disk.sync_dir()
    }
}

impl DiskFile for GatedFile {
    fn size(&self) -> io::Result<u64> {
        self.0.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.0.read_at(offset, buffer)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_at(offset, bytes)
    }

    fn sync_data(&self) -> io::Result<()> {
        let permits = self.1.permits.0.lock().unwrap();
        *self.1.permits.1.wait_while(permits, |permits| *permits == 0).unwrap() -= 1;
        self.1.syncs.fetch_add(1, Ordering::SeqCst);
        self.0.sync_data()
    }
}

fn entry(index: u64) -> LogEntry {
    LogEntry::new(index, 1, format!("entry {index}").as_bytes())
}

#[test]
fn what_waits_for_a_sync_shares_the_next_one_and_is_answered_after_it_in_order() {
    let disk = Gated::new(SimDisk::new());
    let (log, _) = RaftLog::open(Arc::new(disk.clone()), LogConfig::new(1, 1)).unwrap();
    log.append_and_wait(vec![entry(0)]).unwrap();
    disk.permit(0);
    let syncs = disk.syncs.load(Ordering::SeqCst);
    let (told, answers) = mpsc::channel();
    for index in 1..=100 {
        let told = told.clone();
        log.append(vec![entry(index)], move |result| told.send((index, result.is_ok())).unwrap()).unwrap();
    }
    let vote = told.clone();
    log.save_vote(Mark::new(0, 7, b"vote"), move |result| vote.send((101, result.is_ok())).unwrap()).unwrap();
    assert_eq!(log.read(40..42, usize::MAX).unwrap(), [entry(40), entry(41)], "what was appended can be read at once");
    assert!(answers.try_recv().is_err(), "nothing is acknowledged before it is durable");
    disk.permit(u64::MAX);
    assert_eq!(answers.iter().take(101).collect::<Vec<_>>(), (1..=101).map(|index| (index, true)).collect::<Vec<_>>());
    let shared = disk.syncs.load(Ordering::SeqCst) - syncs;
    assert!(shared <= 2, "101 changes took {shared} syncs");
}

#[test]
fn an_entry_that_replaces_one_under_way_is_read_and_not_the_other() {
    let disk = Gated::new(SimDisk::new());
    let (log, _) = RaftLog::open(Arc::new(disk.clone()), LogConfig::new(1, 1).with_cache_bytes(0)).unwrap();
    log.append_and_wait(vec![entry(0)]).unwrap();
    disk.permit(0);
    let (told, answers) = mpsc::channel();
    let syncs = disk.syncs.load(Ordering::SeqCst);
    log.append(vec![entry(1)], move |result| told.send(result).unwrap()).unwrap();
    // The writer takes the first entry alone, before it is known that it goes.
    thread::sleep(std::time::Duration::from_millis(50));
    log.truncate(1, drop).unwrap();
    let other = LogEntry::new(1, 2, b"another entry 1");
    log.append(vec![other.clone()], drop).unwrap();
    disk.permit(1);
    answers.recv().unwrap().unwrap();
    let (passed, read) = (disk.syncs.load(Ordering::SeqCst) - syncs, log.read(1..2, usize::MAX));
    disk.permit(u64::MAX);
    assert_eq!(passed, 1, "the replacement was not written yet");
    assert_eq!(read.unwrap(), [other]);
}

#[test]
fn dropping_the_log_writes_what_is_queued() {
    let disk = SimDisk::new();
    let (log, _) = RaftLog::open(Arc::new(disk.clone()), LogConfig::new(1, 1)).unwrap();
    (0..50).for_each(|index| log.append(vec![entry(index)], drop).unwrap());
    log.save_committed(Mark::new(49, 1, b"")).unwrap();
    drop(log);
    let (log, _) = RaftLog::open_inline(Arc::new(disk.after_power_cut(|| false)), LogConfig::new(1, 1)).unwrap();
    assert_eq!(log.read(0..100, usize::MAX).unwrap().len(), 50);
    assert_eq!(log.state().unwrap().committed.map(|mark| mark.index), Some(49));
}

#[test]
fn a_caller_is_told_no_more_than_the_disk_holds() {
    for at in [5, 9, 20, 33, 57, 80] {
        let disk = SimDisk::new();
        disk.fail_at(at, SimFault::Stop);
        let config = || LogConfig::new(1, 1).with_segment_bytes(4096);
        let Ok((log, _)) = RaftLog::open(Arc::new(disk.clone()), config()) else { continue };
        let (told, answers) = mpsc::channel();
        for index in 0..5_000 {
            let told = told.clone();
            if log.append(vec![entry(index)], move |result| told.send((index, result)).unwrap()).is_err() {
                break;
            }
            if index % 7 == 0 {
                thread::yield_now();
            }
        }
        assert!(matches!(log.append(vec![], drop), Ok(()) | Err(LogError::Poisoned { .. })));
        drop((log, told));
        let acknowledged: Vec<u64> = answers.iter().filter_map(|(index, result)| result.is_ok().then_some(index)).collect();
        let (log, _) = RaftLog::open_inline(Arc::new(disk.after_power_cut(|| false)), config()).unwrap();
        let next = log.state().unwrap().next;
        assert!(acknowledged.iter().all(|&index| index < next), "cut at call {at}: {next} entries, acknowledged {:?}", acknowledged.last());
        assert!(log.read(0..next, usize::MAX).unwrap().into_iter().eq((0..next).map(entry)));
    }
}

#[test]
fn a_folder_has_one_owner_and_keeps_its_log() {
    let dir = tempfile::tempdir().unwrap();
    let config = || LogConfig::new(1, 1).with_segment_bytes(8192).with_cache_bytes(0);
    let (log, _) = RaftLog::open(Arc::new(FsDisk::open(dir.path()).unwrap()), config()).unwrap();
    assert_eq!(FsDisk::open(dir.path()).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    for index in 0..400 {
        log.append_and_wait(vec![entry(index)]).unwrap();
    }
    let segments = || std::fs::read_dir(dir.path()).unwrap().count() - 1;
    let before = segments();
    let (done, outcome) = mpsc::channel();
    log.purge(Mark::new(300, 1, b""), move |result| done.send(result).unwrap()).unwrap();
    outcome.recv().unwrap().unwrap();
    assert!(before >= 3 && segments() < before, "{before} segments, then {}", segments());
    drop(log);
    let (log, recovery) = RaftLog::open(Arc::new(FsDisk::open(dir.path()).unwrap()), config()).unwrap();
    assert_eq!((recovery.torn_bytes, log.state().unwrap().first, log.state().unwrap().next), (0, 301, 400));
    assert!(log.read(0..1000, usize::MAX).unwrap().into_iter().eq((301..400).map(entry)));
    assert_eq!(log.read(310..400, 15).unwrap().len(), 1, "a limit stops before the second entry, never before the first");
}
