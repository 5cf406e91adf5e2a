//! The wall around parsers that other people wrote.

use std::{
    any::Any,
    cell::RefCell,
    panic::{self, AssertUnwindSafe, PanicHookInfo},
    sync::{Once, mpsc},
    thread,
    time::Duration,
};

use super::Reason;

/// Stack of a parser's thread: deeply nested input recurses deeply, and a stack overflow cannot be caught.
const STACK: usize = 64 << 20;

thread_local! {
    /// `Some` on a parser's thread: where its panic is noted instead of being printed.
    static NOTED: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `parse` on a thread of its own and waits for it no longer than `limit`.
///
/// A parser that is still busy then is left behind: a thread cannot be stopped from outside, so it and its memory stay until it
/// ends by itself.
///
/// The first call installs a panic hook that stays silent for these threads and hands every other panic to the hook that stood
/// before. Where a program installs its own hook later, a contained panic is printed too, and nothing else changes.
pub(super) fn run<T: Send + 'static>(limit: Duration, parse: impl FnOnce() -> Result<T, Reason> + Send + 'static) -> Result<T, Reason> {
    install_hook();
    let (sender, receiver) = mpsc::sync_channel(1);
    let work = move || {
        // The receiver is gone where the time was up: then nobody wants the result.
        let _ = sender.send(guarded(parse));
    };
    thread::Builder::new().name("parser".to_owned()).stack_size(STACK).spawn(work).map_err(|error| Reason::io(&error))?;
    match receiver.recv_timeout(limit) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => Err(Reason::TimedOut { limit }),
        Err(mpsc::RecvTimeoutError::Disconnected) => Err(Reason::Panicked { detail: "its thread died".to_owned() }),
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the wall around foreign parsers")]
fn guarded<T>(parse: impl FnOnce() -> Result<T, Reason>) -> Result<T, Reason> {
    NOTED.set(Some(String::new()));
    panic::catch_unwind(AssertUnwindSafe(parse)).unwrap_or_else(|payload| {
        let noted = NOTED.take().filter(|noted| !noted.is_empty());
        Err(Reason::Panicked { detail: noted.unwrap_or_else(|| message(&*payload)) })
    })
}

fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !note(info) {
                previous(info);
            }
        }));
    });
}

/// Notes the panic where this is a parser's thread, and says whether it is. It must not panic itself: the thread may be on its way out.
fn note(info: &PanicHookInfo<'_>) -> bool {
    let here = info.location().map_or_else(String::new, |place| format!(" at {}:{}", file_name(place.file()), place.line()));
    let noted = NOTED.try_with(|noted| match noted.try_borrow_mut() {
        Ok(mut noted) => noted.as_mut().map(|text| *text = message(info.payload()) + &here).is_some(),
        Err(_) => true,
    });
    noted.unwrap_or(false)
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}

/// The last part of a source path: the rest is the machine that built it.
fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    fn refused(parse: impl FnOnce() -> Result<(), Reason> + Send + 'static) -> Reason {
        run(LONG, parse).expect_err("the parser fails")
    }

    #[test]
    fn results_and_reasons_pass_through() {
        assert_eq!(run(LONG, || Ok(7)), Ok(7));
        assert_eq!(refused(|| Err(Reason::Encrypted)), Reason::Encrypted);
    }

    #[test]
    fn a_panic_becomes_a_reason_with_message_and_place() {
        let Reason::Panicked { detail } = refused(|| panic!("index {} of {}", 3, 2)) else { panic!("not a panic") };
        assert!(detail.starts_with("index 3 of 2 at contain.rs:"), "{detail}");
    }

    #[test]
    fn a_panic_with_an_odd_payload_becomes_a_reason() {
        let Reason::Panicked { detail } = refused(|| panic::panic_any(42_u8)) else { panic!("not a panic") };
        assert!(detail.contains("without a message"), "{detail}");
    }

    #[test]
    fn a_stuck_parser_is_left_behind() {
        let limit = Duration::from_millis(50);
        let (release, stuck) = mpsc::channel::<()>();
        let result = run(limit, move || stuck.recv().map_err(|_| Reason::Empty));
        assert_eq!(result, Err(Reason::TimedOut { limit }));
        drop(release);
    }

    #[test]
    fn deep_recursion_has_room() {
        fn depth(left: u32) -> u32 {
            let room = std::hint::black_box([left; 64]);
            if left == 0 { 0 } else { depth(left - 1) + room[0].min(1) }
        }
        assert_eq!(run(LONG, || Ok(depth(100_000))), Ok(100_000));
    }
}
