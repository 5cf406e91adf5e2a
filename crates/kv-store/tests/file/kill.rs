//! Kill -9 at any moment, again and again: every write that was acknowledged is there.

use std::{
    io::{BufRead, BufReader, Write},
    thread,
    time::Duration,
};

use jarre_kv_store::{Blocking, Embedded, EmbeddedOptions, KeyRange, Op, RangeRequest, Txn};

use crate::process::{part_path, start};

const ROUNDS: u64 = 12;
const WRITERS: u64 = 4;

/// Writes as fast as it can, from several threads, and says each number once it was acknowledged. Both keys of a number are one transaction.
#[test]
#[ignore = "a part of another test"]
fn keep_writing() {
    let Some(path) = part_path() else { return };
    let store = Blocking::new(Embedded::open(path).unwrap());
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let store = &store;
            scope.spawn(move || {
                let mut last = store.get(format!("last/{writer}").as_bytes()).unwrap().map_or(0, |entry| number(&entry.value));
                loop {
                    last += 1;
                    let txn = Txn::new().then(Op::put(format!("last/{writer}"), last.to_string()));
                    store.txn(txn.then(Op::put(format!("all/{writer}/{last:08}"), vec![b'v'; (last % 700) as usize]))).unwrap();
                    writeln!(std::io::stdout(), "{writer} {last}").unwrap();
                }
            });
        }
    });
}

fn number(text: &[u8]) -> u64 {
    String::from_utf8_lossy(text).parse().unwrap()
}

#[test]
fn a_killed_process_loses_nothing_that_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let mut acknowledged = [0; WRITERS as usize];
    for round in 0..ROUNDS {
        let mut child = start("kill::keep_writing", &path);
        let output = BufReader::new(child.stdout.take().unwrap());
        let reader = thread::spawn(move || output.lines().map_while(Result::ok).collect::<Vec<_>>());
        thread::sleep(Duration::from_millis(30 + round * 37 % 200));
        child.kill().unwrap();
        child.wait().unwrap();
        // The last line may have been cut off in its middle, in which case a smaller number was read, which was acknowledged too.
        for line in reader.join().unwrap() {
            if let Some((Ok(writer), Ok(last))) = line.split_once(' ').map(|(writer, last)| (writer.parse::<usize>(), last.parse::<u64>()))
            {
                acknowledged[writer] = acknowledged[writer].max(last);
            }
        }
        check(&Blocking::new(Embedded::open_with(&path, &EmbeddedOptions::new().verified()).unwrap()), &acknowledged, round);
    }
    assert!(acknowledged.iter().sum::<u64>() > ROUNDS, "hardly anything was written: {acknowledged:?}");
}

fn check(store: &Blocking<Embedded>, acknowledged: &[u64], round: u64) {
    for (writer, acknowledged) in acknowledged.iter().enumerate() {
        let last = store.get(format!("last/{writer}").as_bytes()).unwrap().map_or(0, |entry| number(&entry.value));
        assert!(last >= *acknowledged, "round {round}: writer {writer} was told that {acknowledged} is there, and {last} is");
        let (mut next, mut count) = (Some(RangeRequest::new(KeyRange::prefix(format!("all/{writer}/")))), 0);
        while let Some(request) = next {
            let page = store.range(request).unwrap();
            for entry in page.entries {
                count += 1;
                assert_eq!(entry.key, format!("all/{writer}/{count:08}").as_bytes(), "nothing is missing in between");
                assert_eq!(entry.value.len() as u64, count % 700);
            }
            next = page.next;
        }
        assert_eq!(count, last, "both keys of a transaction or neither");
    }
}
