use std::{path::Path, thread, time::Duration};

use jarre_kv_store::{Embedded, EmbeddedOptions, Error, Remote, Store};

use crate::process::Serving;

const ROUNDS: u64 = 5;
const WRITERS: usize = 4;

fn serving(path: &Path) -> Serving {
    Serving::start(&["--listen", "127.0.0.1:0", "--file", path.to_str().unwrap()])
}

/// Every number that was acknowledged is there after signal 9.
#[test]
fn a_killed_server_loses_nothing_that_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let mut acknowledged = [0; WRITERS];
    for round in 0..ROUNDS {
        let serving = serving(&path);
        let writers: Vec<_> =
            acknowledged.iter().enumerate().map(|(writer, last)| keep_writing(serving.url.clone(), writer, *last)).collect();
        thread::sleep(Duration::from_millis(100 + round * 61 % 150));
        serving.kill();
        for (last, writer) in acknowledged.iter_mut().zip(writers) {
            *last = writer.join().unwrap();
        }
        let store = Embedded::open_with(&path, &EmbeddedOptions::new().verified()).unwrap();
        for (writer, last) in acknowledged.iter().enumerate() {
            for number in 1..=*last {
                let found = pollster::block_on(store.get(format!("{writer}/{number}").as_bytes())).unwrap();
                assert!(found.is_some(), "round {round}: {writer}/{number} of {last}");
            }
        }
    }
    assert!(acknowledged.iter().sum::<u64>() > ROUNDS, "hardly anything was written: {acknowledged:?}");
}

/// Writes numbers from `last` on until something fails, and gives the last that was acknowledged.
fn keep_writing(url: String, writer: usize, mut last: u64) -> thread::JoinHandle<u64> {
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let options = jarre_kv_store::RemoteOptions::new([url]).with_timeout(Duration::from_millis(500));
            let store = Remote::new(options).unwrap();
            loop {
                match store.put(format!("{writer}/{}", last + 1).as_bytes(), b"value").await {
                    Ok(_) => last += 1,
                    Err(Error::Unknown { .. } | Error::NoQuorum) => return last,
                    Err(error) => panic!("a server that dies is unknown or not there: {error}"),
                }
            }
        })
    })
}

#[test]
fn a_signal_lets_the_server_end_well() {
    let folder = tempfile::tempdir().unwrap();
    let mut serving = serving(&folder.path().join("store"));
    serving.says(&["put", "a", "b"], "");
    serving.signal("-TERM");
    assert!(serving.child.wait().unwrap().success());
    let refused = serving.run(&["--timeout", "200ms", "put", "a", "b"], "");
    assert_eq!(refused.status.code(), Some(1), "nobody is there: {refused:?}");
}
