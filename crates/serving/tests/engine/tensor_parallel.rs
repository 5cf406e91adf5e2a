//! Engines over several workers: threads where all goes well, processes where one is killed.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use jarre_core::SystemClock;
use jarre_core::future::{BoxStream, next};
use jarre_serving::tensor_parallel::{ShardedRunner, run_reading_worker, run_worker};
use jarre_serving::{Engine, EngineCore, Error, LoraAdapter, Model, ModelRunner, Output, Request, Result, SamplingParams, ServeOptions};
use jarre_transformer::collective::{Communicator, Rendezvous, RingConfig};
use jarre_transformer::paged::{PagedAdapter, ShardConfig};
use jarre_transformer::quantize::{Quantizer, Scheme};
use jarre_transformer::{Device, LoraConfig};

use crate::fixture::{Answered, answer, family, family_folder, options, options_with, prompt, run, shipped, tiny_folder};

const LONG: Duration = Duration::from_mins(2);
const PART: &str = "JARRE_TEST_TENSOR_PARALLEL_PART";

fn config(rank: usize, world: usize, address: SocketAddr, timeout: Duration) -> RingConfig {
    RingConfig::new(rank, world, address).with_timeout(timeout).with_token("of this test")
}

fn meeting(world: usize, timeout: Duration) -> Rendezvous {
    Rendezvous::bind(&config(0, world, "127.0.0.1:0".parse().unwrap(), timeout)).unwrap()
}

/// An engine over `world` workers of this process, and what becomes of the others.
fn engine(
    model: impl Fn() -> Model + Send + Sync + 'static,
    options: &ServeOptions,
    world: usize,
    timeout: Duration,
) -> (Result<EngineCore<ShardedRunner>>, Vec<JoinHandle<Result<()>>>) {
    let (rendezvous, model) = (meeting(world, timeout), Arc::new(model));
    let address = rendezvous.address();
    let worker = |rank| {
        let model = Arc::clone(&model);
        thread::spawn(move || run_worker(model().into_causal(), Communicator::connect(&config(rank, world, address, timeout))?))
    };
    let workers = (1..world).map(worker).collect();
    (rendezvous.connect().map_err(Error::from).and_then(|communicator| model().tensor_parallel_engine(options, communicator)), workers)
}

/// Several answers to some, so that blocks are copied.
fn requests(vocab: usize) -> Vec<Request> {
    let sampling = |i: u32| if i.is_multiple_of(2) { SamplingParams::greedy() } else { SamplingParams::default().with_seed(i.into()) };
    let request = |i: u32| {
        let request = Request::new(prompt(i, 3 + (i as usize * 7) % 23, vocab)).with_sampling(sampling(i)).with_ignore_eos(true);
        request.with_max_tokens(6 + i as usize % 5).with_n(1 + i as usize % 3)
    };
    (0..9).map(request).collect()
}

fn ids(answered: &Answered) -> Vec<Vec<u32>> {
    answered.answers.keys().map(|&index| answered.ids_of(index)).collect()
}

fn check(model: impl Fn() -> Model + Send + Sync + 'static, options: &ServeOptions, world: usize) {
    let whole = model();
    let requests = requests(whole.causal().config().vocab_size);
    let expected: Vec<_> = answer(&whole, options, &requests).iter().map(ids).collect();
    let (core, workers) = engine(model, options, world, LONG);
    let mut core = core.unwrap();
    let keys: Vec<_> = requests.iter().map(|request| core.add(request.clone(), Duration::ZERO).unwrap()).collect();
    let answered = run(&mut core);
    assert_eq!(keys.iter().map(|key| ids(&answered[key])).collect::<Vec<_>>(), expected);
    let communication = core.runner().communication();
    assert!(world == 1 || communication.bytes_sent > 0 && communication.spent >= communication.waited);
    drop(core);
    for worker in workers {
        worker.join().unwrap().unwrap();
    }
}

#[test]
fn several_workers_choose_the_tokens_of_one() {
    check(shipped, &options(), 2);
    check(shipped, &options_with(|options| (options.max_num_batched_tokens, options.max_num_seqs) = (5, 5)), 4);
}

#[test]
fn so_they_do_with_packed_weights() {
    let packed = || shipped().quantized(&Quantizer::new(Scheme::Int8), &[]).unwrap();
    check(packed, &options(), 2);
    check(packed, &options_with(|options| (options.max_num_batched_tokens, options.max_num_seqs) = (7, 7)), 4);
}

#[test]
fn so_they_do_where_each_reads_its_part_alone() {
    let quantizer = Quantizer::new(Scheme::Int8);
    let packed = Model::open_quantized(tiny_folder(), &quantizer, &Device::default()).unwrap();
    let requests = requests(packed.causal().config().vocab_size);
    let expected: Vec<_> = answer(&packed, &options(), &requests).iter().map(ids).collect();
    let rendezvous = meeting(2, LONG);
    let address = rendezvous.address();
    let worker = thread::spawn(move || {
        let read = |part: ShardConfig| part.with_quantizer(quantizer).read_folder(tiny_folder(), &Device::default());
        run_reading_worker(read, Communicator::connect(&config(1, 2, address, LONG))?)
    });
    let mut core = packed.tensor_parallel_engine(&options(), rendezvous.connect().unwrap()).unwrap();
    let keys: Vec<_> = requests.iter().map(|request| core.add(request.clone(), Duration::ZERO).unwrap()).collect();
    let answered = run(&mut core);
    assert_eq!(keys.iter().map(|key| ids(&answered[key])).collect::<Vec<_>>(), expected);
    drop(core);
    worker.join().unwrap().unwrap();
}

#[test]
fn a_part_that_cannot_be_read_is_named_with_the_reason() {
    let rendezvous = meeting(2, LONG);
    let address = rendezvous.address();
    let worker = thread::spawn(move || {
        let read = |part: ShardConfig| part.read_folder("of/nobody", &Device::default());
        run_reading_worker(read, Communicator::connect(&config(1, 2, address, LONG))?)
    });
    let error = family("llama").tensor_parallel_engine(&options(), rendezvous.connect().unwrap()).unwrap_err().to_string();
    assert!(error.contains("rank 1 cannot take its part") && error.contains("of/nobody"), "{error}");
    assert!(worker.join().unwrap().unwrap_err().to_string().contains("of/nobody"));
}

#[test]
fn so_does_a_ring_of_one() {
    check(|| family("llama_mqa"), &options(), 1);
}

/// The adapter of the llama family, and one that adds the opposite.
fn two_adapters(model: &Model) -> [LoraAdapter; 2] {
    let (folder, opposite) = (family_folder("llama").join("lora"), tempfile::tempdir().unwrap());
    let config = std::fs::read_to_string(folder.join("adapter_config.json")).unwrap();
    let turned = config.replace("\"lora_alpha\": 8", "\"lora_alpha\": -8");
    assert_ne!(turned, config);
    std::fs::write(opposite.path().join("adapter_config.json"), turned).unwrap();
    std::fs::copy(folder.join("adapter_model.safetensors"), opposite.path().join("adapter_model.safetensors")).unwrap();
    let load = |name: &str, folder: &std::path::Path| LoraAdapter::from_folder(name, model, folder).unwrap();
    [load("tuned", &folder), load("opposite", opposite.path())]
}

/// [`requests`] with the first adapter, the second, and none, in turn.
fn adapted_requests(adapters: &[LoraAdapter; 2]) -> Vec<Request> {
    let with = |(i, request): (usize, Request)| match adapters.get(i % 3) {
        Some(adapter) => request.with_adapter(adapter.clone()),
        None => request,
    };
    requests(96).into_iter().enumerate().map(with).collect()
}

#[test]
fn adapters_come_and_go_and_answer_as_in_one_process() {
    let whole = family("llama");
    let chunks = options_with(|options| (options.max_num_batched_tokens, options.max_num_seqs) = (6, 6));
    for (options, world) in [(options(), 2), (chunks, 4)] {
        let answered = answer(&whole, &options, &adapted_requests(&two_adapters(&whole)));
        let expected: Vec<_> = answered.iter().map(ids).collect();
        assert_ne!(expected, answer(&whole, &options, &requests(96)).iter().map(ids).collect::<Vec<_>>(), "they have to do something");
        let (core, workers) = engine(|| family("llama"), &options, world, LONG);
        let mut core = core.unwrap();
        // Loaded, unloaded with the last request, and loaded again.
        for round in 0..3 {
            let requests = adapted_requests(&two_adapters(&whole));
            let keys: Vec<_> = requests.iter().map(|request| core.add(request.clone(), Duration::ZERO).unwrap()).collect();
            let answered = run(&mut core);
            assert_eq!(keys.iter().map(|key| ids(&answered[key])).collect::<Vec<_>>(), expected, "round {round} of {world} workers");
            for (key, request) in keys.iter().zip(&requests).filter(|(_, request)| request.adapter.is_some()) {
                let found = answered[key].stats.as_ref().unwrap().usage.cached_tokens;
                assert_eq!(found, 0, "round {round}: the prefix of an adapter that is loaded anew, {} tokens", request.prompt.len());
            }
        }
        drop(core);
        assert!(workers.into_iter().all(|worker| worker.join().unwrap().is_ok()));
    }
}

#[test]
fn an_adapter_that_does_not_fit_leaves_the_workers_in_step() {
    let (whole, stranger) = (family("llama"), family("mistral"));
    let (core, workers) = engine(|| family("llama"), &options(), 2, LONG);
    let mut core = core.unwrap();
    let decoder = stranger.causal().decoder().clone();
    let weights = PagedAdapter::new(&decoder.with_lora(&LoraConfig::new(2)).unwrap()).unwrap();
    let [tuned, _] = two_adapters(&whole);
    let request = |adapter| Request::new([1, 2, 3]).with_adapter(adapter).with_max_tokens(6).with_ignore_eos(true);
    let expected = answer(&whole, &options(), &[request(tuned.clone())])[0].ids();
    for _ in 0..2 {
        let error = core.add(request(LoraAdapter::new("stranger", weights.clone())), Duration::ZERO).unwrap_err();
        assert!(matches!(&error, Error::Invalid(reason) if reason.contains("stranger")), "{error}");
        let key = core.add(request(tuned.clone()), Duration::ZERO).unwrap();
        assert_eq!(run(&mut core)[&key].ids(), expected);
    }
    assert!(core.lost().is_none());
    drop(core);
    assert!(workers.into_iter().all(|worker| worker.join().unwrap().is_ok()));
}

#[test]
fn an_idle_engine_keeps_its_workers_beyond_the_timeout_of_the_ring() {
    let timeout = Duration::from_secs(2);
    let (core, workers) = engine(|| family("llama"), &options(), 2, timeout);
    let mut core = core.unwrap();
    thread::sleep(timeout * 2);
    let key = core.add(Request::new([1, 2, 3]).with_max_tokens(4).with_ignore_eos(true), Duration::ZERO).unwrap();
    assert_eq!(run(&mut core)[&key].ids().len(), 4);
    drop(core);
    assert!(workers.into_iter().all(|worker| worker.join().unwrap().is_ok()));
}

#[test]
fn a_worker_that_says_nothing_is_given_up_after_the_timeout() {
    let rendezvous = meeting(2, Duration::from_secs(1));
    let address = rendezvous.address();
    let silent = thread::spawn(move || Communicator::connect(&config(1, 2, address, LONG)).unwrap());
    let error = family("llama").tensor_parallel_engine(&options(), rendezvous.connect().unwrap()).unwrap_err().to_string();
    assert!(error.contains("rank 1 was silent for 1s"), "{error}");
    drop(silent.join().unwrap());
}

#[test]
fn a_worker_with_another_model_is_named_with_what_is_wrong() {
    let rendezvous = meeting(2, LONG);
    let address = rendezvous.address();
    let other = thread::spawn(move || run_worker(family("qwen3").into_causal(), Communicator::connect(&config(1, 2, address, LONG))?));
    let error = family("llama").tensor_parallel_engine(&options(), rendezvous.connect().unwrap()).unwrap_err().to_string();
    assert!(error.contains("rank 1 cannot take its part") && error.contains("give all workers the same"), "{error}");
    assert!(other.join().unwrap().unwrap_err().to_string().contains("give all workers the same"));
}

#[test]
fn a_model_that_cannot_be_cut_says_so_and_the_workers_hear_of_it() {
    let (core, workers) = engine(|| family("llama_mqa"), &options(), 2, LONG);
    assert!(core.unwrap_err().to_string().contains("a divisor of the model's number of key heads, 1"));
    for worker in workers {
        assert!(worker.join().unwrap().unwrap_err().to_string().contains("rank 0 closed its connection"));
    }
}

#[test]
fn roles_are_those_of_ranks() {
    let alone = || Communicator::connect(&config(0, 1, "127.0.0.1:0".parse().unwrap(), LONG)).unwrap();
    assert!(matches!(run_worker(family("llama").into_causal(), alone()), Err(Error::Invalid(_))));
    let results = engine(|| family("llama"), &options(), 1, LONG).0;
    assert!(results.unwrap().lost().is_none());
}

/// The part of a worker that is a process; `None` where someone runs the ignored tests by hand.
#[expect(clippy::disallowed_methods, reason = "how the parent process tells a part where rank 0 is")]
fn rendezvous_of_part() -> Option<SocketAddr> {
    std::env::var(PART).ok()?.parse().ok()
}

#[test]
#[ignore = "a part of another test"]
fn work_until_killed() {
    let Some(address) = rendezvous_of_part() else { return };
    let communicator = Communicator::connect(&config(1, 2, address, LONG)).unwrap();
    run_worker(shipped().into_causal(), communicator).unwrap();
}

/// An engine whose other worker is a process.
fn engine_over_a_process() -> (Engine, Child) {
    let rendezvous = meeting(2, LONG);
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["tensor_parallel::work_until_killed", "--exact", "--ignored", "--nocapture"]);
    command.env(PART, rendezvous.address().to_string()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().unwrap();
    let core = shipped().tensor_parallel_engine(&options_with(|options| options.max_num_seqs = 2), rendezvous.connect().unwrap());
    (Engine::start(core.unwrap(), Arc::new(SystemClock::new())).unwrap(), child)
}

fn request(seed: u32) -> Request {
    Request::new(prompt(seed, 12, 50)).with_max_tokens(400).with_ignore_eos(true)
}

fn failure(stream: &mut BoxStream<'_, Output>) -> String {
    loop {
        match pollster::block_on(next(stream)).expect("a stream ends with a last output") {
            Output::Failed(error) => return error.to_string(),
            Output::Done(stats) => panic!("it was answered: {stats:?}"),
            _ => {}
        }
    }
}

#[test]
fn a_killed_worker_fails_every_open_request_by_its_name_and_nothing_hangs() {
    let (engine, mut child) = engine_over_a_process();
    // Two run and two wait.
    let mut streams: Vec<BoxStream<'_, Output>> =
        (0..4).map(|seed| Box::pin(engine.submit(request(seed)).unwrap()) as BoxStream<'_, Output>).collect();
    assert!(matches!(pollster::block_on(next(&mut streams[0])), Some(Output::Chunk(_))));
    child.kill().unwrap();
    child.wait().unwrap();
    for stream in &mut streams {
        let failure = failure(stream);
        assert!(failure.contains("rank 1") && failure.contains("cannot go on"), "{failure}");
        assert!(!failure.contains("silent"), "a closed connection is noticed, not waited for: {failure}");
    }
    drop(streams);
    assert!(engine.submit(request(9)).unwrap_err().to_string().contains("rank 1"));
    assert!(engine.check_queue().unwrap_err().to_string().contains("rank 1"));
    while !engine.is_idle() {
        thread::yield_now();
    }
    assert_eq!(engine.stats().blocks_free, engine.stats().blocks);
}

#[test]
fn a_worker_killed_while_nothing_runs_fails_the_next_request() {
    let (engine, mut child) = engine_over_a_process();
    child.kill().unwrap();
    child.wait().unwrap();
    let mut stream: BoxStream<'_, Output> = Box::pin(engine.submit(request(1)).unwrap());
    assert!(failure(&mut stream).contains("rank 1"));
}

/// One process that is lost, without a ring.
struct Lost;

impl ModelRunner for Lost {
    fn vocab_size(&self) -> usize {
        50
    }

    fn max_len(&self) -> usize {
        64
    }

    fn cache(&self) -> (usize, usize) {
        (64, 4)
    }

    fn copy_blocks(&mut self, _: &[jarre_serving::BlockCopy]) {}

    fn step(&mut self, _: &jarre_transformer::paged::PagedBatch<'_>) -> Result<Vec<f32>> {
        Err(Error::Engine("it broke".to_owned()))
    }

    fn lost(&self) -> Option<String> {
        Some("it broke for good".to_owned())
    }
}

#[test]
fn a_lost_runner_ends_the_engine_without_leaving_blocks_behind() {
    let config = jarre_serving::EngineConfig {
        scheduler: jarre_serving::SchedulerConfig::new(64).with_max_num_seqs(1),
        prefix_caching: true,
        max_n: 4,
        grammar_timeout: Duration::from_secs(1),
    };
    let mut core = EngineCore::new(Lost, Arc::clone(shipped().tokenizer()), &[], &config).unwrap();
    let keys: Vec<_> = (0..3).map(|seed| core.add(request(seed).with_max_tokens(9), Duration::ZERO).unwrap()).collect();
    let answered = run(&mut core);
    assert!(keys.iter().all(|key| answered[key].failure.as_deref().is_some_and(|failure| failure.contains("it broke"))));
    assert_eq!(core.lost(), Some("it broke for good"));
    assert!(core.add(request(1).with_max_tokens(9), Duration::ZERO).unwrap_err().to_string().contains("it broke for good"));
}
