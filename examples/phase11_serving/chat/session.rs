//! A conversation: lines in, answers out.

use std::io::{BufRead, Write};

use anyhow::{Context, Result, bail};
use jarre_core::{ChatModel, ChatRequest, FinishReason, Message, Sampling};

use super::answer::{Answer, Runtime};
use super::interrupt::Interrupt;
use super::line::Line;

/// How a session speaks.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    /// To a person: asks for lines, and outlives what goes wrong.
    pub(super) interactive: bool,
    /// Says how fast answers were, on standard error.
    pub(super) speed: bool,
}

pub(super) struct Session<'a> {
    model: &'a dyn ChatModel,
    runtime: Runtime,
    sampling: Sampling,
    system: Option<String>,
    /// Turns and answers so far.
    messages: Vec<Message>,
    interrupt: &'a Interrupt,
    manner: Manner,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        model: &'a dyn ChatModel,
        runtime: Runtime,
        sampling: Sampling,
        system: Option<String>,
        interrupt: &'a Interrupt,
        manner: Manner,
    ) -> Self {
        Self { model, runtime, sampling, system, messages: Vec::new(), interrupt, manner }
    }

    /// Answers lines until they end.
    ///
    /// # Errors
    /// Where input or output fails; and, where no person is there to try again, a turn or a command.
    pub(super) fn run(mut self, mut input: impl BufRead, out: &mut impl Write) -> Result<()> {
        let mut line = String::new();
        loop {
            if self.manner.interactive {
                write!(out, "> ")?;
                out.flush()?;
            }
            line.clear();
            if input.read_line(&mut line).context("cannot read standard input")? == 0 {
                return Ok(());
            }
            let Some(done) = self.take(Line::parse(&line), out) else { return Ok(()) };
            match done {
                Err(error) if self.manner.interactive => eprintln!("error: {error:#}"),
                done => done?,
            }
        }
    }

    /// Does what a line asks for; nothing where it asks for the end.
    fn take(&mut self, line: Line<'_>, out: &mut impl Write) -> Option<Result<()>> {
        match line {
            Line::Empty => {}
            Line::Quit => return None,
            Line::Reset => self.messages.clear(),
            Line::System(text) => {
                self.system = text.map(str::to_owned);
                self.messages.clear();
            }
            Line::Say(text) => return Some(self.say(text, out)),
            Line::Unknown(command) => return Some(unknown(command)),
        }
        Some(Ok(()))
    }

    /// A turn and its answer. One that fails is as if it had not been.
    fn say(&mut self, text: &str, out: &mut impl Write) -> Result<()> {
        let turn = Message::user(text);
        let system = self.system.as_ref().map(Message::system);
        let messages = system.into_iter().chain(self.messages.iter().cloned()).chain([turn.clone()]);
        let request = ChatRequest::new(messages).with_sampling(self.sampling.clone());
        self.interrupt.answering(true);
        let answer = self.runtime.wait(Answer::write(self.model, request, self.interrupt, out));
        self.interrupt.answering(false);
        writeln!(out)?;
        let answer = answer.with_context(|| {
            if self.messages.is_empty() {
                "no answer".to_owned()
            } else {
                "no answer; /reset makes the conversation short again".to_owned()
            }
        })?;
        self.tell(&answer);
        self.messages.extend([turn, Message::assistant(answer.text)]);
        Ok(())
    }

    /// How an answer went, on standard error.
    fn tell(&self, answer: &Answer) {
        if self.manner.interactive && answer.stopped {
            eprintln!("[stopped]");
        }
        if self.manner.interactive && answer.finish == Some(FinishReason::Length) {
            eprintln!("[cut off: there is no room for more tokens]");
        }
        if let Some(speed) = answer.speed().filter(|_| self.manner.speed) {
            eprintln!("[{speed}]");
        }
    }
}

fn unknown(command: &str) -> Result<()> {
    bail!("`{command}` is none of /reset, /system TEXT, /quit; a turn that begins with a slash is written with two")
}

#[cfg(test)]
mod tests {
    use jarre_core::testing::ScriptedModel;
    use jarre_core::{ChatChunk, Error, ErrorKind};

    use super::*;

    fn session<'a>(model: &'a ScriptedModel, interrupt: &'a Interrupt, interactive: bool) -> Session<'a> {
        Session::new(model, Runtime::Here, Sampling::default(), None, interrupt, Manner { interactive, speed: false })
    }

    /// What was asked: roles and texts of each request.
    fn asked(model: &ScriptedModel) -> Vec<Vec<String>> {
        let message = |message: &Message| format!("{:?} {}", message.role, message.text());
        model.requests().iter().map(|request| request.messages.iter().map(message).collect()).collect()
    }

    #[test]
    fn a_conversation_grows_until_it_is_reset() {
        let model = ["one", "two", "three", "four"].into_iter().fold(ScriptedModel::new(), ScriptedModel::with_text);
        let mut out = Vec::new();
        let lines = "a\n\nb\n/reset\nc\n/system Be brief.\nd\n/quit\nnever\n";
        session(&model, &Interrupt::default(), false).run(lines.as_bytes(), &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "one\ntwo\nthree\nfour\n");
        let expected: [&[&str]; 4] = [&["User a"], &["User a", "Assistant one", "User b"], &["User c"], &["System Be brief.", "User d"]];
        assert_eq!(asked(&model), expected);
    }

    #[test]
    fn a_turn_that_fails_is_forgotten_and_ends_a_script() {
        let model = || ScriptedModel::new().with_error(Error::new(ErrorKind::Unavailable, "down")).with_text("up");
        let people = model();
        session(&people, &Interrupt::default(), true).run("a\n/what\nb\n".as_bytes(), &mut Vec::new()).unwrap();
        assert_eq!(asked(&people), [["User a"], ["User b"]]);
        let script = model();
        let error = session(&script, &Interrupt::default(), false).run("a\nb\n".as_bytes(), &mut Vec::new()).unwrap_err();
        assert!(format!("{error:#}").contains("down"));
        assert!(session(&script, &Interrupt::default(), false).run("/what\n".as_bytes(), &mut Vec::new()).is_err());
    }

    /// Presses Ctrl-C when something is written.
    struct Impatient<'a>(&'a Interrupt, Vec<u8>);

    impl Write for Impatient<'_> {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            if bytes == b"first" {
                self.0.raise();
            }
            self.1.write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_interrupt_ends_the_answer_and_what_was_said_stays_said() {
        let chunks = ["first", " second"].map(|text| Ok(ChatChunk::text(text)));
        let model = ScriptedModel::new().with_chunks(chunks).with_text("more");
        let interrupt = Interrupt::default();
        let mut out = Impatient(&interrupt, Vec::new());
        session(&model, &interrupt, false).run("a\nb\n".as_bytes(), &mut out).unwrap();
        assert_eq!(String::from_utf8(out.1).unwrap(), "first\nmore\n");
        assert_eq!(asked(&model)[1], ["User a", "Assistant first", "User b"]);
    }
}
