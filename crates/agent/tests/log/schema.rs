//! Lines of schema 1 as they were first written, one of every event, are read for ever.

use jarre_agent::log::{decode, verify_lines};
use pollster::block_on;

use crate::sample::{at, every_event, memory};

const VERSION_1: &[u8] = include_bytes!("version_1.log");
/// BLAKE3 of its last line (`tail -n 1 version_1.log | tr -d '\n' | b3sum`).
const HEAD: &str = "4aa0763601eae036663e29a9d0672a9c75196dc7473edf0418b31cb6e619cb03";

#[test]
fn version_1_is_read() {
    let lines: Vec<&[u8]> = VERSION_1.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).collect();
    let events: Vec<_> = lines.iter().map(|line| decode(line).unwrap().event).collect();
    assert_eq!(events, every_event("run"));
    assert_eq!(verify_lines("run", lines).unwrap().head, HEAD);
}

#[test]
fn version_1_is_kept_as_it_was_written() {
    let log = memory();
    block_on(log.import(&mut &*VERSION_1)).unwrap();
    let mut exported = Vec::new();
    block_on(log.export("run", &mut exported)).unwrap();
    assert_eq!(exported, VERSION_1);
    let (writer, records) = block_on(log.open("run")).unwrap();
    assert_eq!(records.iter().map(|record| record.at).collect::<Vec<_>>(), (0..14).map(at).collect::<Vec<_>>());
    block_on(writer.append(jarre_agent::Event::Remembered)).unwrap();
    assert_eq!(block_on(log.verify("run")).unwrap().records, 15, "new records follow on old ones");
}
