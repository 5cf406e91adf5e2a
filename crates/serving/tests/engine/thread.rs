use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use jarre_core::future::BoxStream;
use jarre_core::{SystemClock, future};
use jarre_serving::{
    BlockCopy, Engine, EngineConfig, EngineCore, Error, ModelRunner, Output, OutputStream, Request, SchedulerConfig, ServeOptions,
};
use jarre_transformer::paged::PagedBatch;

use crate::fixture::{Answered, answer, family, options, prompt, shipped};

fn start(options: &ServeOptions) -> Engine {
    Engine::start(family("llama").engine(options).unwrap(), Arc::new(SystemClock::new())).unwrap()
}

fn request(seed: u32, tokens: usize) -> Request {
    Request::new(prompt(seed, 12, 50)).with_max_tokens(tokens).with_ignore_eos(true)
}

fn next(stream: &mut BoxStream<'_, Output>) -> Option<Output> {
    pollster::block_on(future::next(stream))
}

fn read(stream: OutputStream) -> Answered {
    let (mut stream, mut answered): (BoxStream<'_, Output>, _) = (Box::pin(stream), Answered::default());
    while let Some(output) = next(&mut stream) {
        answered.take(output);
    }
    answered
}

/// Waits for what another thread will do.
fn until(what: impl Fn() -> bool) {
    for _ in 0..2000 {
        if what() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("it does not come to pass");
}

#[test]
fn threads_that_submit_get_what_a_caller_gets() {
    let engine = start(&options());
    let requests: Vec<Request> = (0..12).map(|seed| request(seed, 7)).collect();
    let threads: Vec<_> = requests
        .iter()
        .cloned()
        .map(|request| {
            let engine = engine.clone();
            std::thread::spawn(move || read(engine.submit(request).unwrap()))
        })
        .collect();
    let model = family("llama");
    for (thread, request) in threads.into_iter().zip(requests) {
        assert_eq!(thread.join().unwrap().ids(), answer(&model, &options(), &[request])[0].ids());
    }
    until(|| engine.is_idle());
    assert_eq!(engine.stats().blocks_free, engine.stats().blocks);
}

/// Takes token 7 for the likeliest everywhere, and every step waits to be let through while somebody holds the other end.
struct Gated {
    gate: Receiver<()>,
    steps: Arc<AtomicUsize>,
}

impl ModelRunner for Gated {
    fn vocab_size(&self) -> usize {
        50
    }

    fn max_len(&self) -> usize {
        64
    }

    fn cache(&self) -> (usize, usize) {
        (256, 4)
    }

    fn copy_blocks(&mut self, _: &[BlockCopy]) {}

    fn step(&mut self, batch: &PagedBatch<'_>) -> jarre_serving::Result<Vec<f32>> {
        let _ = self.gate.recv();
        self.steps.fetch_add(1, Ordering::SeqCst);
        Ok(batch.outputs.iter().flat_map(|_| (0..50).map(|id| if id == 7 { 100.0 } else { 0.0 })).collect())
    }
}

/// An engine whose steps are let through one by one, and how many were.
fn gated(scheduler: SchedulerConfig) -> (Engine, Sender<()>, Arc<AtomicUsize>) {
    let (open, gate) = channel();
    let steps = Arc::new(AtomicUsize::new(0));
    let config = EngineConfig { scheduler, prefix_caching: true, max_n: 4, grammar_timeout: Duration::from_secs(1) };
    let runner = Gated { gate, steps: Arc::clone(&steps) };
    let core = EngineCore::new(runner, Arc::clone(shipped().tokenizer()), &[], &config).unwrap();
    (Engine::start(core, Arc::new(SystemClock::new())).unwrap(), open, steps)
}

#[test]
fn a_stream_that_is_dropped_cancels_its_request_within_a_step() {
    let (engine, open, steps) = gated(SchedulerConfig::new(64));
    let mut stream: BoxStream<'_, Output> = Box::pin(engine.submit(request(1, 50)).unwrap());
    open.send(()).unwrap();
    assert!(matches!(next(&mut stream), Some(Output::Chunk(_))));
    assert!(!engine.is_idle());
    drop(stream);
    // The engine may wait inside a second step, and takes no third.
    open.send(()).unwrap();
    until(|| engine.is_idle());
    assert!(steps.load(Ordering::SeqCst) <= 2);
    assert_eq!(engine.stats().blocks_free, engine.stats().blocks);
}

#[test]
fn a_full_queue_refuses_while_a_step_goes_on_and_what_was_taken_is_answered() {
    let (engine, open, _) = gated(SchedulerConfig::new(64).with_max_num_seqs(1).with_max_waiting(3));
    let first = engine.submit(request(1, 50)).unwrap();
    let mut streams = vec![first];
    let refused = loop {
        match engine.submit(request(1, 50)) {
            Ok(stream) => streams.push(stream),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, Error::QueueFull { waiting: 3, limit: 3 }), "{refused}");
    assert!((3..=4).contains(&streams.len()), "one may have left the queue");
    drop(open);
    assert!(streams.into_iter().all(|stream| read(stream).ids() == [7; 50]));
    until(|| engine.is_idle());
    assert!(engine.submit(request(1, 1)).is_ok(), "the queue has room again");
}

#[test]
fn a_closed_engine_finishes_and_an_aborted_one_says_so() {
    let engine = start(&options());
    let taken = engine.submit(request(1, 50)).unwrap();
    engine.close();
    assert!(matches!(engine.submit(request(1, 5)).unwrap_err(), Error::ShuttingDown));
    assert_eq!(read(taken).ids().len(), 50);

    let (engine, open, _) = gated(SchedulerConfig::new(64));
    let taken = engine.submit(request(1, 50)).unwrap();
    engine.abort();
    drop(open);
    assert!(read(taken).failure.is_some_and(|failure| failure.contains("shutting down")));
    until(|| engine.is_idle());
}

#[test]
fn answers_come_to_an_end_when_all_handles_are_gone() {
    let engine = start(&options());
    let stream = engine.submit(request(1, 20)).unwrap();
    drop(engine);
    assert_eq!(read(stream).ids().len(), 20);
}
