use jarre_agent::{
    Error,
    log::{EventLog, verify_lines},
};
use pollster::block_on;

use crate::sample::{at, every_event, memory, note, started};

fn exported(log: &EventLog) -> Vec<u8> {
    let mut lines = Vec::new();
    block_on(log.export("run", &mut lines)).unwrap();
    lines
}

fn full() -> (EventLog, Vec<u8>) {
    let log = memory();
    let writer = block_on(log.create("run")).unwrap();
    for (n, event) in every_event("run").into_iter().enumerate() {
        block_on(writer.append_at(event, at(n as i64))).unwrap();
    }
    let lines = exported(&log);
    (log, lines)
}

fn import(log: &EventLog, mut lines: &[u8]) -> Result<(), Error> {
    block_on(log.import(&mut lines)).map(drop)
}

#[test]
fn what_is_exported_is_verified_and_imported_without_the_store_it_came_from() {
    let (source, lines) = full();
    assert_eq!(lines.split_inclusive(|&byte| byte == b'\n').count(), 14);
    let verified = verify_lines("run", lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty())).unwrap();
    assert_eq!(verified, block_on(source.verify("run")).unwrap());

    let target = memory();
    import(&target, &lines).unwrap();
    assert_eq!(exported(&target), lines);
    assert_eq!(block_on(target.summary("run")).unwrap(), block_on(source.summary("run")).unwrap());
    import(&target, &lines).unwrap();
    assert_eq!(exported(&target), lines, "a second import changes nothing");
}

#[test]
fn an_import_that_broke_off_is_taken_up() {
    let (_, lines) = full();
    let target = memory();
    let half: Vec<u8> = lines.split_inclusive(|&byte| byte == b'\n').take(6).collect::<Vec<_>>().concat();
    import(&target, &half).unwrap();
    assert_eq!(exported(&target), half);
    import(&target, &lines).unwrap();
    assert_eq!(exported(&target), lines);
}

#[test]
fn another_run_of_the_same_name_stays_as_it_is() {
    let (_, lines) = full();
    let target = memory();
    let writer = block_on(target.create("run")).unwrap();
    block_on(writer.append_at(started("run"), at(0))).unwrap();
    block_on(writer.append(note("its own"))).unwrap();
    let before = exported(&target);
    assert!(matches!(import(&target, &lines), Err(Error::RunExists { .. })));
    assert_eq!(exported(&target), before);
}

#[test]
fn lines_that_do_not_hold_are_refused_with_their_place() {
    let (_, lines) = full();
    let text = String::from_utf8(lines).unwrap();
    let changed = text.replace("use `..=`", "use `..`");
    assert!(matches!(import(&memory(), changed.as_bytes()), Err(Error::Log { at: 2, .. })));
    let without: String = text.split_inclusive('\n').enumerate().filter(|(n, _)| *n != 4).map(|(_, line)| line).collect();
    assert!(matches!(import(&memory(), without.as_bytes()), Err(Error::Log { at: 4, .. })));
    let cut = &text[..text.len() - 20];
    assert!(matches!(import(&memory(), cut.as_bytes()), Err(Error::Log { at: 13, .. })));
    for nothing in ["", "\n\n", "{}", "null\n", &text[text.find('\n').unwrap()..]] {
        assert!(matches!(import(&memory(), nothing.as_bytes()), Err(Error::Invalid(_))), "{nothing:?}");
    }
    let endless = "x".repeat(4 << 20);
    assert!(matches!(import(&memory(), endless.as_bytes()), Err(Error::Invalid(_))));
}
