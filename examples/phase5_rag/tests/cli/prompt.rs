//! Questions that come on standard input.

use std::{
    io::{BufRead, BufReader, Lines, Write},
    process::{ChildStdout, Stdio},
};

use serde_json::Value;

use crate::program::{ANSWERED, Place, Running, UNANSWERED, object};

/// A program that waits for questions.
struct Prompt {
    running: Running,
    replies: Lines<BufReader<ChildStdout>>,
}

impl Prompt {
    fn open(place: &Place) -> Self {
        let mut running = Running::start(place.program(["--json"]).stdin(Stdio::piped()));
        let replies = BufReader::new(running.child.stdout.take().unwrap()).lines();
        Self { running, replies }
    }

    fn ask(&mut self, question: &str) -> Value {
        writeln!(self.running.child.stdin.as_mut().unwrap(), "{question}").unwrap();
        object(&self.replies.next().expect("the program answers and goes on").unwrap())
    }

    fn close(mut self) -> Option<i32> {
        drop(self.running.child.stdin.take());
        self.running.child.wait().unwrap().code()
    }
}

#[test]
fn each_line_is_answered_before_the_next_and_refusals_are_no_failure() {
    let place = Place::new();
    let mut prompt = Prompt::open(&place);
    assert_eq!(prompt.ask(ANSWERED)["refused"], false);
    assert_eq!(prompt.ask(UNANSWERED)["refused"], true);
    assert_eq!(prompt.close(), Some(0));
}

#[test]
fn who_waits_at_the_prompt_hinders_no_other_process() {
    let place = Place::new();
    let mut prompt = Prompt::open(&place);
    let before = prompt.ask(ANSWERED);
    place.write("harbour.md", "# Harbour\n\nThe harbour of Varnholt was dredged by the engineer Ottilie Kern in 1902.\n");
    let other = place.run(["--json", "--ask", ANSWERED]);
    assert_eq!(other.code, Some(0), "{other:?}");
    assert!(other.stdout.contains("Ottilie Kern"), "{other:?}");
    assert_eq!(prompt.ask(ANSWERED)["answer"], before["answer"], "an answer is from the documents as they were when the prompt opened");
    assert_eq!(prompt.close(), Some(0));
}

#[cfg(unix)]
#[test]
fn ctrl_c_at_the_prompt_ends_at_once() {
    let place = Place::new();
    let mut prompt = Prompt::open(&place);
    prompt.ask(ANSWERED);
    prompt.running.interrupt();
    assert_eq!(prompt.running.child.wait().unwrap().code(), Some(130));
}
