//! Durable puts of the embedded store, by one writer and by 64, beside appending to a file and syncing it, and with the feature `kv-peers`
//! beside redb alone, fjall and `SQLite`. All take turns in each round, on the same disk, and a figure is the median of its rounds.
//!
//! `cargo bench -p benches --bench kv_store --features kv-peers`; `KV_BENCH_DIR` names the folder, on the disk that is meant.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use jarre_kv_store::{Blocking, Embedded};

const VALUE: [u8; 256] = [0x5a; 256];
const WRITERS: u64 = 64;

/// Something that makes a value durable before it returns, from any thread.
trait Contender: Sync {
    fn name(&self) -> &'static str;
    fn put(&self, key: &[u8]);
    /// Whether the key holds the value; appending alone cannot tell.
    fn holds(&self, key: &[u8]) -> bool;
}

fn main() {
    // Cargo passes this when it benches, and not when it tests.
    let benching = std::env::args().any(|argument| argument == "--bench");
    let (rounds, span) = if benching { (11, Duration::from_millis(400)) } else { (1, Duration::from_millis(5)) };
    let folder = folder();
    let contenders = contenders(folder.path());
    println!("{} bytes a value, {rounds} rounds of {} ms in turn, medians\n", VALUE.len(), span.as_millis());
    let append = compare("1 writer", &contenders, rounds, 1, span, None);
    compare("64 writers", &contenders, rounds, WRITERS, span, Some(append));
}

#[expect(clippy::disallowed_methods, reason = "the program chooses its disk")]
fn folder() -> tempfile::TempDir {
    let folder = std::env::var_os("KV_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    tempfile::tempdir_in(folder).expect("a folder for the files")
}

fn contenders(folder: &Path) -> Vec<Box<dyn Contender>> {
    let mut contenders: Vec<Box<dyn Contender>> = vec![
        Box::new(Append(Mutex::new(File::create(folder.join("append")).expect("a file")))),
        Box::new(Ours(Blocking::new(Embedded::open(folder.join("embedded")).expect("a store")))),
    ];
    peers::add(&mut contenders, folder);
    contenders
}

/// Prints puts a second, and how many times `append` it is, or that of appending here, which is returned.
fn compare(title: &str, contenders: &[Box<dyn Contender>], rounds: u64, writers: u64, span: Duration, append: Option<f64>) -> f64 {
    let mut rates = vec![Vec::new(); contenders.len()];
    for round in 0..rounds {
        for (contender, rates) in contenders.iter().zip(&mut rates) {
            rates.push(rate(&**contender, writers, span, round));
            assert!(contender.holds(&key(writers, writers - 1, round, 0)), "{} lost what it acknowledged", contender.name());
        }
    }
    println!("{title:<24} {:>12} {:>16} {:>24}", "puts/s", "from .. to", "one that appends = 1");
    let append = append.unwrap_or(median(&rates[0]));
    for (contender, rates) in contenders.iter().zip(&mut rates) {
        let median = median(rates);
        let (low, high) = (rates.iter().copied().fold(f64::MAX, f64::min), rates.iter().copied().fold(0.0, f64::max));
        println!("  {:<22} {median:>12.0} {:>16} {:>24.2}", contender.name(), format!("{low:.0} .. {high:.0}"), median / append);
    }
    println!();
    append
}

/// Puts a second of so many writers, each with a thread of its own, over at least `span`.
#[expect(clippy::disallowed_methods, reason = "the program measures time")]
fn rate(contender: &dyn Contender, writers: u64, span: Duration, round: u64) -> f64 {
    let (start, puts) = (Instant::now(), AtomicU64::new(0));
    let put_for_a_while = |writer| {
        for number in 0.. {
            contender.put(&key(writers, writer, round, number));
            puts.fetch_add(1, Ordering::Relaxed);
            if start.elapsed() >= span {
                break;
            }
        }
    };
    thread::scope(|scope| {
        for writer in 0..writers {
            let put_for_a_while = &put_for_a_while;
            scope.spawn(move || put_for_a_while(writer));
        }
    });
    puts.into_inner() as f64 / start.elapsed().as_secs_f64()
}

/// Keys of 24 bytes, scattered.
fn key(writers: u64, writer: u64, round: u64, number: u64) -> [u8; 24] {
    let scattered = (number * 7_919 + round * 104_729 + writer * 1_299_709) % 1_000_003;
    let mut key = [0; 24];
    key[..8].copy_from_slice(&scattered.to_be_bytes());
    key[8..16].copy_from_slice(&(writers * 1000 + writer).to_be_bytes());
    key[16..].copy_from_slice(&(round * 100_000 + number).to_be_bytes());
    key
}

fn median(rates: &[f64]) -> f64 {
    let mut sorted = rates.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// One after another: what a disk does for a program that syncs each write.
struct Append(Mutex<File>);

impl Contender for Append {
    fn name(&self) -> &'static str {
        "append + fdatasync"
    }

    fn put(&self, key: &[u8]) {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&[key, &VALUE].concat()).and_then(|()| file.sync_data()).expect("a write");
    }

    fn holds(&self, _: &[u8]) -> bool {
        true
    }
}

struct Ours(Blocking<Embedded>);

impl Contender for Ours {
    fn name(&self) -> &'static str {
        "jarre-kv-store"
    }

    fn put(&self, key: &[u8]) {
        self.0.put(key, &VALUE).expect("a put");
    }

    fn holds(&self, key: &[u8]) -> bool {
        self.0.get(key).expect("a read").is_some_and(|entry| entry.value == VALUE)
    }
}

#[cfg(not(feature = "kv-peers"))]
mod peers {
    pub(crate) fn add(_: &mut [Box<dyn super::Contender>], _: &std::path::Path) {}
}

#[cfg(feature = "kv-peers")]
mod peers {
    use std::{
        path::Path,
        sync::{Mutex, PoisonError},
    };

    use fjall::{KeyspaceCreateOptions, PersistMode};
    use redb::{ReadableDatabase, TableDefinition};

    use super::{Contender, VALUE};

    const TABLE: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("table");

    pub(crate) fn add(contenders: &mut Vec<Box<dyn Contender>>, folder: &Path) {
        contenders.push(Box::new(Redb(redb::Database::create(folder.join("redb")).expect("a database"))));
        let database = fjall::Database::builder(folder.join("fjall")).open().expect("a database");
        let keyspace = database.keyspace("table", KeyspaceCreateOptions::default).expect("a keyspace");
        contenders.push(Box::new(Fjall { database, keyspace }));
        let connection = rusqlite::Connection::open(folder.join("sqlite")).expect("a database");
        let set_up = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID;";
        connection.execute_batch(set_up).expect("a table");
        contenders.push(Box::new(Sqlite(Mutex::new(connection))));
    }

    /// Its own commit makes a value durable; one writer at a time.
    struct Redb(redb::Database);

    impl Contender for Redb {
        fn name(&self) -> &'static str {
            "redb"
        }

        fn put(&self, key: &[u8]) {
            let writing = self.0.begin_write().expect("a transaction");
            writing.open_table(TABLE).expect("a table").insert(key, &VALUE[..]).expect("a put");
            writing.commit().expect("a commit");
        }

        fn holds(&self, key: &[u8]) -> bool {
            let table = self.0.begin_read().expect("a transaction").open_table(TABLE).expect("a table");
            table.get(key).expect("a read").is_some_and(|value| value.value() == VALUE)
        }
    }

    /// By itself it leaves values to the system; asked to, it syncs its journal.
    struct Fjall {
        database: fjall::Database,
        keyspace: fjall::Keyspace,
    }

    impl Contender for Fjall {
        fn name(&self) -> &'static str {
            "fjall"
        }

        fn put(&self, key: &[u8]) {
            self.keyspace.insert(key, VALUE).expect("a put");
            self.database.persist(PersistMode::SyncData).expect("a sync");
        }

        fn holds(&self, key: &[u8]) -> bool {
            self.keyspace.get(key).expect("a read").is_some_and(|value| *value == VALUE)
        }
    }

    /// Write-ahead log, synced at each commit; one writer at a time.
    struct Sqlite(Mutex<rusqlite::Connection>);

    impl Contender for Sqlite {
        fn name(&self) -> &'static str {
            "SQLite, WAL, FULL"
        }

        fn put(&self, key: &[u8]) {
            let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let mut statement = connection.prepare_cached("INSERT OR REPLACE INTO t VALUES (?1, ?2)").expect("a statement");
            statement.execute((key, &VALUE[..])).expect("a put");
        }

        fn holds(&self, key: &[u8]) -> bool {
            let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let read = connection.query_row("SELECT v FROM t WHERE k = ?1", [key], |row| row.get::<_, Vec<u8>>(0));
            read.expect("a read") == VALUE
        }
    }
}
