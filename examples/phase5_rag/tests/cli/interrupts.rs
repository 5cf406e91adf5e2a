//! Two processes at one index, and Ctrl-C while documents are read.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
};

use crate::program::{ANSWERED, Place, Running};

/// Files before the one that shows how far the program has come; the two of every [`Place`] come before it too.
const EARLY: usize = 10;
/// Files after it: far more than are embedded while another process starts.
const LATE: usize = 1500;

fn early(number: usize) -> String {
    format!("a-{number:04}.md")
}

fn late(number: usize) -> String {
    format!("z-{number:04}.md")
}

/// A passage of its own for each number.
fn passage(number: usize) -> String {
    format!("# Ledger {number}\n\n{}\n", format!("Barge {number} brought timber, salt and barley past the lock. ").repeat(6).trim_end())
}

/// Many documents, read in the order of their names, among them one that the program says something about.
fn many() -> Place {
    let place = Place::new();
    (0..EARLY).for_each(|number| place.write(&early(number), &passage(number)));
    place.write("p-torn.pdf", "%PDF-1.7 and no more");
    (0..LATE).for_each(|number| place.write(&late(number), &passage(number)));
    place
}

#[test]
fn a_second_process_is_turned_away_and_an_interrupted_one_is_taken_up() {
    let place = many();
    let mut first = Running::start(&mut place.program(["--ask", ANSWERED]));
    let mut stderr = BufReader::new(first.child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert!(line.starts_with("skipped p-torn.pdf"), "{line}");

    let second = place.run(["--ask", ANSWERED]);
    assert_eq!(second.code, Some(4), "{second:?}");
    assert!(second.stderr.contains(&format!("in use by process {}", first.child.id())), "{second:?}");

    first.interrupt();
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert_eq!(first.child.wait().unwrap().code(), Some(130), "{rest}");
    assert!(rest.contains("run again to go on"), "{rest}");

    (0..LATE - 1).for_each(|number| fs::remove_file(place.docs().join(late(number))).unwrap());
    let next = place.run(["--ask", ANSWERED]);
    assert_eq!(next.code, Some(0), "{next:?}");
    assert!(next.stderr.contains("files: 1 added"), "{next:?}");
    assert!(next.stderr.contains(&format!(" {} unchanged", EARLY + 2)), "what was read before the interrupt is not read again: {next:?}");
}
