//! Lines of an agent's log: whatever the bytes are they are a record, which is written and read again as it is, or refused; and a chain takes no
//! line but the next.
#![no_main]

use jarre_agent::log::{Chain, decode, digest, encode, verify_lines};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let lines: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).collect();
    let mut chain = Chain::new("run");
    for (seq, line) in lines.iter().enumerate() {
        let decoded = decode(line);
        if let Ok(record) = &decoded {
            let written = encode(record).expect("what was read is written");
            // Numbers of other sizes than JSON's text have read as something near; from then on nothing moves.
            let again = decode(&written).expect("what is written is read");
            assert_eq!(encode(&again).expect("what was read is written"), written);
        }
        let before = (chain.next(), chain.head().to_owned());
        match chain.check(line) {
            Ok(record) => {
                assert_eq!((record.seq, &record.previous), (before.0, &before.1));
                assert_eq!((chain.next(), chain.head()), (before.0 + 1, &*digest(line)));
            }
            Err(_) => {
                assert_eq!((chain.next(), chain.head()), (before.0, &*before.1));
                let broken = verify_lines("run", lines.iter().copied()).expect_err("it is broken here");
                assert_eq!(broken.at, seq as u64);
                return;
            }
        }
    }
    assert_eq!(verify_lines("run", lines.iter().copied()).expect("each line was taken").records, lines.len() as u64);
});
