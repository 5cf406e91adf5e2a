//! A training that is killed again and again writes the curve of one that is not.
#![cfg(feature = "train")]
#![expect(clippy::unwrap_used, reason = "tests")]
#![expect(clippy::disallowed_methods, reason = "tests read the environment")]

use std::num::NonZeroUsize;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use burn::tensor::Device;
use jarre_core::MetricSink;
use jarre_transformer::collective::{Communicator, Rendezvous, RingConfig};
use jarre_transformer::corpus::{BatchConfig, BatchSource, Order, TokenStream};
use jarre_transformer::train::{CheckpointStore, Metrics, MetricsLog, Trainer, TrainerConfig};
use jarre_transformer::{DecoderConfig, Error, Sequences};

const FOLDER: &str = "JARRE_TEST_TRAINING";
const RENDEZVOUS: &str = "JARRE_TEST_RENDEZVOUS";
const STEPS: u64 = 400;
const KILLS: u32 = 20;

/// What a child runs: a training that goes on from the newest checkpoint in its folder.
#[test]
#[ignore = "run by the test below, in a process of its own"]
fn train_until_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    train(Path::new(&folder));
}

/// What the other worker of a ring runs, until it is killed.
#[test]
#[ignore = "run by a test below, in a process of its own"]
fn work_until_killed() {
    let Ok(rendezvous) = std::env::var(RENDEZVOUS) else { return };
    let mut ring = Communicator::connect(&RingConfig::new(1, 2, rendezvous.parse().unwrap())).unwrap();
    let (mut trainer, batches) = start();
    let batches = batches.with_shard(1, 2).unwrap();
    while trainer.step(&[batches.batch(trainer.steps()).unwrap()], 3e-3, Some(&mut ring)).is_ok() {}
}

#[test]
fn a_killed_worker_is_an_error_to_the_others_and_leaves_their_model() {
    let anywhere = "127.0.0.1:0".parse().unwrap();
    let rendezvous = Rendezvous::bind(&RingConfig::new(0, 2, anywhere)).unwrap();
    let mut command = test_process("work_until_killed");
    let mut other = command.env(RENDEZVOUS, rendezvous.address().to_string()).spawn().unwrap();
    let mut ring = rendezvous.connect().unwrap();
    let (mut trainer, batches) = start();
    let batches = batches.with_shard(0, 2).unwrap();
    let mut step = |trainer: &mut Trainer| trainer.step(&[batches.batch(trainer.steps()).unwrap()], 3e-3, Some(&mut ring));
    for _ in 0..5 {
        step(&mut trainer).unwrap();
    }
    other.kill().unwrap();
    other.wait().unwrap();
    // What the other one had sent may serve for a step.
    let (lost, before) = loop {
        let before = state(&trainer);
        if let Err(error) = step(&mut trainer) {
            break (error, before);
        }
    };
    assert!(matches!(lost, Error::Collective { .. }), "{lost:?}");
    assert_eq!(before, state(&trainer));
}

/// Steps, and the scores of a few tokens.
fn state(trainer: &Trainer) -> (u64, Vec<f32>) {
    let logits = trainer.model().forward(&Sequences::right_padded(&[&[1, 5, 9, 2]], 0));
    (trainer.steps(), logits.into_data().try_into_vec().unwrap())
}

/// A small training at its beginning, the same in every process.
fn start() -> (Trainer, BatchSource) {
    let ids: Vec<u32> = (0..3000_u32).map(|i| (i * i / 11 + i % 7) % 40).collect();
    let stream = Arc::new(TokenStream::from_documents(40, [ids]).unwrap());
    let batches = BatchConfig::new(4, 16).with_order(Order::RandomWindows).with_seed(8).init(stream).unwrap();
    let device = Device::default();
    device.seed(1);
    let config = DecoderConfig::new(40, 16, 2, 2, 32).with_max_positions(16).with_dropout(0.1);
    (Trainer::new(config.init(&device), TrainerConfig { seed: 6, ..TrainerConfig::default() }), batches)
}

fn train(folder: &Path) {
    let (mut trainer, batches) = start();
    let mut store = CheckpointStore::open(folder.join("checkpoints"), NonZeroUsize::new(2).unwrap()).unwrap();
    if let Some(checkpoint) = store.latest().unwrap().checkpoint {
        trainer.resume(&checkpoint).unwrap();
    }
    let log = MetricsLog::append(folder.join("metrics.jsonl")).unwrap().truncate_after(trainer.steps()).unwrap();
    while trainer.steps() < STEPS {
        let report = trainer.step(&[batches.batch(trainer.steps()).unwrap()], 3e-3, None).unwrap();
        log.scalar("loss", report.step, report.loss).unwrap();
        if report.step.is_multiple_of(7) || report.step == STEPS {
            log.sync().unwrap();
            store.save(&trainer.checkpoint(&serde_json::Value::Null).unwrap()).unwrap();
        }
    }
}

fn child(folder: &Path) -> Child {
    test_process("train_until_killed").env(FOLDER, folder).spawn().unwrap()
}

/// This program, running one test.
fn test_process(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--include-ignored", "--quiet"]).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Steps of the newest checkpoint.
fn reached(folder: &Path) -> u64 {
    CheckpointStore::latest_in(&folder.join("checkpoints"))
        .ok()
        .and_then(|found| found.checkpoint)
        .map_or(0, |checkpoint| checkpoint.step())
}

#[test]
fn twenty_kills_leave_the_loss_curve_as_it_would_have_been() {
    let (whole, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert!(child(whole.path()).wait().unwrap().success());
    let mut kills = 0;
    while kills < KILLS {
        let before = reached(broken.path());
        assert!(before < STEPS, "the training ended after {kills} kills: it needs more steps");
        let mut running = child(broken.path());
        // At least one checkpoint further, then at some moment within the next ones.
        while reached(broken.path()) <= before && running.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(u64::from(kills) * 397));
        running.kill().unwrap();
        running.wait().unwrap();
        kills += 1;
    }
    assert!(child(broken.path()).wait().unwrap().success());
    let curve = |folder: &Path| Metrics::read(&folder.join("metrics.jsonl")).unwrap().scalars("loss");
    assert_eq!(curve(whole.path()).len(), STEPS as usize);
    assert_eq!(curve(broken.path()), curve(whole.path()));
}
