use std::collections::VecDeque;

use super::Event;

/// Reads events from a stream that comes in pieces of any size.
#[derive(Debug)]
pub struct Decoder {
    limit: usize,
    /// The line that is not whole yet.
    line: Vec<u8>,
    /// The last byte was a carriage return: a line feed after it ends no line of its own.
    after_return: bool,
    /// No line was whole yet, so the next may begin with a byte order mark.
    first_line: bool,
    event: Option<String>,
    data: Option<String>,
    id: Option<String>,
    ready: VecDeque<Event>,
    broken: bool,
}

/// An event is longer than the decoder takes; the rest of the stream is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is longer than {limit} bytes")]
pub struct EventTooLarge {
    /// The most bytes of an event.
    pub limit: usize,
}

impl Decoder {
    /// A decoder at the start of a stream, which holds at most `limit` bytes of an event that is not whole yet.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            line: Vec::new(),
            after_return: false,
            first_line: true,
            event: None,
            data: None,
            id: None,
            ready: VecDeque::new(),
            broken: false,
        }
    }

    /// Takes the next bytes. What is whole waits in [`next_event`](Self::next_event): take it before the next bytes, or it piles up.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.broken {
            if std::mem::take(&mut self.after_return) && bytes[0] == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = bytes.iter().position(|&byte| byte == b'\n' || byte == b'\r');
            self.hold(&bytes[..end.unwrap_or(bytes.len())]);
            let Some(end) = end else { return };
            self.after_return = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            self.end_line();
        }
    }

    /// The next whole event; `None` where more bytes are needed. After an error there is nothing more.
    pub fn next_event(&mut self) -> Option<Result<Event, EventTooLarge>> {
        self.ready.pop_front().map(Ok).or_else(|| self.broken.then_some(Err(EventTooLarge { limit: self.limit })))
    }

    /// The end of the stream. The standard forgets an event that no empty line ended; servers that leave out the last one are common, so
    /// it counts here.
    pub fn finish(&mut self) {
        if !self.line.is_empty() {
            self.end_line();
        }
        self.dispatch();
    }

    fn hold(&mut self, bytes: &[u8]) {
        let held = self.line.len() + self.data.as_ref().map_or(0, String::len) + self.event.as_ref().map_or(0, String::len);
        if held + bytes.len() > self.limit {
            self.broken = true;
            (self.line, self.data) = (Vec::new(), None);
        } else {
            self.line.extend_from_slice(bytes);
        }
    }

    fn end_line(&mut self) {
        if self.broken {
            return;
        }
        let mut bytes = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.first_line) && bytes.starts_with(b"\xef\xbb\xbf") {
            bytes.drain(..3);
        }
        if bytes.is_empty() {
            return self.dispatch();
        }
        let line = String::from_utf8_lossy(&bytes);
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        self.take_field(field, value.strip_prefix(' ').unwrap_or(value));
    }

    /// A field of an empty name is a comment; unknown ones, and `retry`, which is for readers that connect again, are passed over.
    fn take_field(&mut self, field: &str, value: &str) {
        match field {
            "event" => self.event = Some(value.to_owned()),
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            "data" => match &mut self.data {
                None => self.data = Some(value.to_owned()),
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
            },
            _ => {}
        }
    }

    fn dispatch(&mut self) {
        let event = self.event.take().filter(|event| !event.is_empty());
        if let Some(data) = self.data.take() {
            self.ready.push_back(Event { event, data, id: self.id.clone().filter(|id| !id.is_empty()) });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::sse::{DONE, comment};

    type Read = Vec<Result<Event, EventTooLarge>>;

    /// Cuts `bytes` into pieces of the given lengths, over and over.
    fn read(bytes: &[u8], cuts: &[usize], limit: usize) -> Read {
        let (mut decoder, mut rest, mut read) = (Decoder::new(limit), bytes, Vec::new());
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            decoder.push(piece);
            rest = after;
        }
        decoder.finish();
        while let Some(event) = decoder.next_event() {
            let failed = event.is_err();
            read.push(event);
            if failed {
                break;
            }
        }
        read
    }

    fn whole(text: &str) -> Vec<Event> {
        read(text.as_bytes(), &[usize::MAX], 1 << 20).into_iter().map(Result::unwrap).collect()
    }

    /// The standard's rules over the whole text at once.
    fn naive(bytes: &[u8]) -> Vec<Event> {
        let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).into_owned();
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let mut id = String::new();
        let mut events = Vec::new();
        for block in text.split("\n\n").flat_map(|block| block.split("\n\n")) {
            let (mut name, mut data) = (String::new(), Vec::new());
            for line in block.split('\n') {
                let (field, value) = line.split_once(':').unwrap_or((line, ""));
                let value = value.strip_prefix(' ').unwrap_or(value);
                match field {
                    "event" => name = value.into(),
                    "data" => data.push(value),
                    "id" if !value.contains('\0') => id = value.into(),
                    _ => {}
                }
            }
            if !data.is_empty() {
                let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
                events.push(Event { event: some(&name), data: data.join("\n"), id: some(&id) });
            }
        }
        events
    }

    /// Text that looks like events, with every line end, and now and then a byte that is no UTF-8.
    fn stream() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            6 => prop_oneof!["data: ?", "event:", "id: 7", ":", "retry: 3", "dat", "data"].prop_map(String::into_bytes),
            6 => prop_oneof!["\n", "\r", "\r\n", "\n\n", "\r\r"].prop_map(String::into_bytes),
            4 => "[a-z :é字\u{feff}]{0,6}".prop_map(String::into_bytes),
            1 => Just(vec![0xff]),
            1 => Just(vec![0]),
        ];
        (any::<bool>(), vec(piece, 0..24)).prop_map(|(mark, pieces)| {
            let mut bytes = if mark { b"\xef\xbb\xbf".to_vec() } else { Vec::new() };
            bytes.extend(pieces.concat());
            bytes
        })
    }

    proptest! {
        #[test]
        fn any_cut_reads_what_the_whole_text_says(bytes in stream(), cuts in vec(1..6usize, 1..5)) {
            let read: Vec<Event> = read(&bytes, &cuts, 1 << 20).into_iter().map(Result::unwrap).collect();
            prop_assert_eq!(read, naive(&bytes));
        }

        #[test]
        fn the_bound_does_not_depend_on_the_cut(bytes in stream(), cuts in vec(1..6usize, 1..5), limit in 0..20usize) {
            prop_assert_eq!(read(&bytes, &cuts, limit), read(&bytes, &[usize::MAX], limit));
        }

        #[test]
        fn what_is_written_is_read(name in "[a-z]{0,3}", data in "[a-z :\n\r]{0,9}", id in "[a-z]{0,3}", remark in "[a-z:\n\r]{0,9}") {
            let some = |text: String| (!text.is_empty()).then_some(text);
            let event = Event { event: some(name), data, id: some(id) };
            let read = whole(&format!("{}{event}{}", comment(&remark), comment(&remark)));
            let lines = event.data.replace("\r\n", "\n").replace('\r', "\n");
            prop_assert_eq!(read, [Event { data: lines, ..event }]);
        }
    }

    #[test]
    fn the_examples_of_the_standard() {
        let data = |text: &str| whole(text).into_iter().map(|event| event.data).collect::<Vec<_>>();
        assert_eq!(data("data: YHOO\ndata: +2\ndata: 10\n\n"), ["YHOO\n+2\n10"]);
        assert_eq!(data("data\n\ndata\ndata\n\ndata:"), ["", "\n", ""]);
        assert_eq!(data("data:test\n\ndata: test\n\n"), ["test", "test"]);
        let ids: Vec<_> = whole(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n")
            .into_iter()
            .map(|e| (e.data, e.id))
            .collect();
        let expected = [("first event", Some("1")), ("second event", None), (" third event", None)];
        assert_eq!(ids, expected.map(|(data, id)| (data.to_owned(), id.map(ToOwned::to_owned))));
    }

    #[test]
    fn long_events_break_the_stream_and_comments_do_not_add_up() {
        let keep_alives = ":".to_owned() + &" alive\n:".repeat(1000) + "\ndata: 1\n\n";
        assert_eq!(read(keep_alives.as_bytes(), &[7], 16).len(), 1);
        let long = format!("data: 1\n\n{DONE}data: {}\n\ndata: 2\n\n", "x".repeat(40));
        let read = read(long.as_bytes(), &[3], 32);
        assert_eq!(read[2], Err(EventTooLarge { limit: 32 }));
        assert_eq!(read.len(), 3);
        let lines = "data: 12345678\n".repeat(8);
        assert!(super::tests::read(lines.as_bytes(), &[5], 64).iter().any(Result::is_err), "lines of one event add up");
    }
}
