//! Training: gradients, resuming, and what is frozen.
#![cfg(feature = "train")]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Gradients, Int, Tensor, TensorData};
use jarre_transformer::collective::{Communicator, Rendezvous, RingConfig};
use jarre_transformer::corpus::{BatchConfig, BatchSource, Order, TokenStream};
use jarre_transformer::train::{CheckpointStore, StepReport, Trainer, TrainerConfig};
use jarre_transformer::{
    Activation, Decoder, DecoderConfig, LoraConfig, NormKind, NormPlacement, Positions, Precision, RopeConfig, Sequences, SlidingLayers,
};

const VOCAB: usize = 30;

/// A device draws from one generator for the whole process: tests that train take turns.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn base() -> DecoderConfig {
    DecoderConfig::new(VOCAB, 16, 4, 2, 24).with_max_positions(16).with_init_std(0.25)
}

fn zoo() -> Vec<(&'static str, DecoderConfig)> {
    vec![
        ("llama", base().with_n_kv_heads(Some(2))),
        (
            "gpt2",
            base()
                .with_positions(Positions::Learned)
                .with_norm(NormKind::LayerNorm)
                .with_gated(false)
                .with_activation(Activation::GeluTanh)
                .with_qkv_bias(true)
                .with_output_bias(true)
                .with_mlp_bias(true),
        ),
        (
            "post-norm",
            base()
                .with_positions(Positions::Sinusoidal)
                .with_norm_placement(NormPlacement::Post)
                .with_activation(Activation::Gelu)
                .with_tied(false),
        ),
        ("alibi", base().with_positions(Positions::Alibi).with_activation(Activation::Relu).with_sliding_window(Some(3))),
        (
            "gemma2",
            base()
                .with_norm_placement(NormPlacement::Sandwich)
                .with_qk_norm(true)
                .with_attention_softcap(Some(3.0))
                .with_logit_softcap(Some(5.0))
                .with_sliding_window(Some(2))
                .with_sliding_layers(SlidingLayers::Listed(vec![true, false]))
                .with_positions(Positions::Rope(RopeConfig::new(50.0).with_dim(Some(2)))),
        ),
    ]
}

fn tokens() -> (Sequences, Vec<i32>) {
    let ids: Vec<u32> = (0..24).map(|i| (i * i * 7 + 3 * i) % VOCAB as u32).collect();
    let targets = ids.iter().map(|id| ((id * 5 + 1) % VOCAB as u32) as i32).collect();
    (Sequences::packed(ids, 12, None), targets)
}

fn loss(model: &Decoder) -> Tensor<1> {
    let (tokens, targets) = tokens();
    let logits = model.forward(&tokens);
    let [batch, seq, vocab] = logits.dims();
    let targets = Tensor::<2, Int>::from_data(TensorData::new(targets, [batch * seq, 1]), &logits.device());
    -log_softmax(logits.reshape([batch * seq, vocab]), 1).gather(1, targets).mean()
}

/// The gradient of each parameter, by path.
struct Collect<'a> {
    gradients: &'a Gradients,
    path: Vec<String>,
    found: Vec<(String, Vec<f32>)>,
}

impl ModuleVisitor for Collect<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = param.val().grad(self.gradients).unwrap_or_else(|| panic!("{} has no gradient", self.path.join(".")));
        self.found.push((self.path.join("."), gradient.into_data().try_into_vec().unwrap()));
    }
}

/// Moves the parameter at one path along a direction.
struct Move<'a> {
    target: &'a str,
    direction: &'a [f32],
    by: f32,
    path: Vec<String>,
}

impl ModuleMapper for Move<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.path.join(".") != self.target {
            return param;
        }
        let by: Vec<f32> = self.direction.iter().map(|value| value * self.by).collect();
        param.map(|tensor| {
            let by = Tensor::from_data(TensorData::new(by, tensor.shape()), &tensor.device());
            tensor + by
        })
    }
}

/// Along its own gradient a parameter changes the loss by the gradient's length, as differences of losses show.
#[test]
fn gradients_are_those_of_finite_differences() {
    let _turn = turn();
    let plain = Device::flex();
    for (name, config) in zoo() {
        plain.seed(5);
        let model = config.init(&plain);
        let tracked = model.clone().fork(&plain.clone().autodiff()).train();
        let gradients = loss(&tracked).backward();
        let mut collect = Collect { gradients: &gradients, path: Vec::new(), found: Vec::new() };
        tracked.visit(&mut collect);
        for (path, gradient) in &collect.found {
            let length = gradient.iter().map(|g| g * g).sum::<f32>().sqrt();
            if length < 1e-4 {
                continue;
            }
            let direction: Vec<f32> = gradient.iter().map(|g| g / length).collect();
            let at = |by: f32| {
                let moved = model.clone().map(&mut Move { target: path, direction: &direction, by, path: Vec::new() });
                loss(&moved).into_scalar::<f32>()
            };
            let step = 0.02;
            let slope = (at(step) - at(-step)) / (2.0 * step);
            assert!((slope - length).abs() < 0.03 * length + 2e-4, "{name}, {path}: {slope} by differences, {length} by the gradient");
        }
        assert!(collect.found.len() > 10, "{name}: {} parameters", collect.found.len());
    }
}

fn batches(rows: usize) -> BatchSource {
    let ids: Vec<u32> = (0..2000_u32).map(|i| (i * i / 7 + i % 5) % VOCAB as u32).collect();
    let stream = Arc::new(TokenStream::from_documents(VOCAB as u32, [ids]).unwrap());
    BatchConfig::new(rows, 12).with_order(Order::RandomWindows).with_seed(3).init(stream).unwrap()
}

fn trainer() -> Trainer {
    let device = Device::default();
    device.seed(9);
    let config = base().with_dropout(0.1).with_n_kv_heads(Some(2));
    Trainer::new(config.init(&device), TrainerConfig { seed: 4, label_smoothing: 0.05, ..TrainerConfig::default() })
}

fn steps(trainer: &mut Trainer, batches: &BatchSource, until: u64) -> Vec<StepReport> {
    let mut reports = Vec::new();
    while trainer.steps() < until {
        let batch = batches.batch(trainer.steps()).unwrap();
        reports.push(trainer.step(&[batch], 1e-2, None).unwrap());
    }
    reports
}

#[test]
fn a_resumed_training_goes_on_bit_for_bit() {
    let _turn = turn();
    let batches = batches(4);
    let whole = steps(&mut trainer(), &batches, 12);
    let folder = tempfile::tempdir().unwrap();
    let mut store = CheckpointStore::open(folder.path(), NonZeroUsize::MIN).unwrap();
    let mut first = trainer();
    steps(&mut first, &batches, 5);
    store.save(&first.checkpoint(&serde_json::Value::Null).unwrap()).unwrap();
    drop(first);
    let mut second = trainer();
    second.resume(&store.latest().unwrap().checkpoint.unwrap()).unwrap();
    assert_eq!(second.steps(), 5);
    assert_eq!(steps(&mut second, &batches, 12), whole[5..]);
    assert!(whole[11].loss < whole[0].loss, "{whole:?}");
}

#[test]
fn a_checkpoint_of_another_model_is_refused() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let mut store = CheckpointStore::open(folder.path(), NonZeroUsize::MIN).unwrap();
    let device = Device::default();
    let other = Trainer::new(base().with_tied(false).init(&device), TrainerConfig::default());
    store.save(&other.checkpoint(&serde_json::Value::Null).unwrap()).unwrap();
    let error = trainer().resume(&store.latest().unwrap().checkpoint.unwrap()).unwrap_err();
    assert!(error.to_string().contains("another model"), "{error}");
}

#[test]
fn summed_gradients_of_small_batches_are_those_of_a_large_one() {
    let _turn = turn();
    let (large, small) = (batches(4), batches(4));
    let plain = || {
        let device = Device::default();
        device.seed(9);
        Trainer::new(base().init(&device), TrainerConfig::default())
    };
    let (mut one, mut two) = (plain(), plain());
    for step in 0..4 {
        let whole = one.step(&[large.batch(step).unwrap()], 1e-2, None).unwrap();
        let parts: Vec<_> = (0..2).map(|rank| small.clone().with_shard(rank, 2).unwrap().batch(step).unwrap()).collect();
        let summed = two.step(&parts, 1e-2, None).unwrap();
        assert!((whole.loss - summed.loss).abs() < 1e-5 && (whole.grad_norm - summed.grad_norm).abs() < 1e-4, "{whole:?} {summed:?}");
    }
}

#[test]
fn two_workers_make_the_steps_of_one() {
    let _turn = turn();
    let plain = || {
        let device = Device::default();
        device.seed(9);
        Trainer::new(base().init(&device), TrainerConfig::default())
    };
    let mut alone = plain();
    let expected = steps(&mut alone, &batches(4), 6);
    let rendezvous = Rendezvous::bind(&RingConfig::new(0, 2, "127.0.0.1:0".parse().unwrap()).with_token("t")).unwrap();
    let config = RingConfig::new(1, 2, rendezvous.address()).with_token("t");
    let work = |mut ring: Communicator, mut trainer: Trainer| -> Vec<StepReport> {
        let batches = batches(4).with_shard(ring.rank(), 2).unwrap();
        (0..6).map(|step| trainer.step(&[batches.batch(step).unwrap()], 1e-2, Some(&mut ring)).unwrap()).collect()
    };
    // Both start from the same weights: a device is seeded for the whole process.
    let (first, second) = (plain(), plain());
    let other = std::thread::spawn(move || work(Communicator::connect(&config).unwrap(), second));
    let ours = work(rendezvous.connect().unwrap(), first);
    assert_eq!(ours, other.join().unwrap());
    for (ours, alone) in ours.iter().zip(&expected) {
        assert!((ours.loss - alone.loss).abs() < 2e-4, "{ours:?} {alone:?}");
        assert_eq!(ours.tokens, alone.tokens);
    }
}

#[test]
fn bfloat16_lasts_over_steps_and_stays_close() {
    let _turn = turn();
    let with = |precision| {
        let device = Device::default();
        device.seed(9);
        Trainer::new(base().init(&device), TrainerConfig { precision, ..TrainerConfig::default() })
    };
    let mut rounded = with(Precision::Bf16);
    steps(&mut rounded, &batches(4), 3);
    // The same parameters and moments, in another arithmetic.
    let folder = tempfile::tempdir().unwrap();
    let mut store = CheckpointStore::open(folder.path(), NonZeroUsize::MIN).unwrap();
    store.save(&rounded.checkpoint(&serde_json::Value::Null).unwrap()).unwrap();
    let checkpoint = store.latest().unwrap().checkpoint.unwrap();
    let [mut exact, mut resumed] = [Precision::F32, Precision::Bf16].map(with);
    for trainer in [&mut exact, &mut resumed] {
        trainer.resume(&checkpoint).unwrap();
    }
    let [exact, resumed, lasting] = [&mut exact, &mut resumed, &mut rounded].map(|trainer| steps(trainer, &batches(4), 4).remove(0));
    assert_eq!(lasting, resumed);
    let difference = (exact.loss - lasting.loss).abs();
    assert!(difference > 1e-7 && difference < 0.02 * exact.loss, "{exact:?} {lasting:?}");
    // What is given back computes in f32: a batch has one loss, however the model was trained.
    let model = rounded.model();
    let tokens = Sequences::right_padded(&[&[1, 2, 3, 4]], 0);
    let logits = |model: &Decoder| model.forward(&tokens).into_data().try_into_vec::<f32>().unwrap();
    assert_eq!(logits(&model), logits(&model.clone().with_precision(Precision::F32)));
    assert_ne!(logits(&model), logits(&model.clone().with_precision(Precision::Bf16)));
}

#[test]
fn adapters_train_and_everything_else_stays() {
    let _turn = turn();
    let device = Device::default();
    device.seed(2);
    let model = base().init(&device);
    let before = values(&model);
    let adapted = model.with_lora(&LoraConfig::new(2).with_targets(["q_proj", "up_proj"])).unwrap();
    let mut trainer = Trainer::new(adapted, TrainerConfig::default());
    let reports = steps(&mut trainer, &batches(4), 8);
    assert!(reports[7].loss < reports[0].loss, "{reports:?}");
    let after = values(&trainer.model());
    for (path, values) in &after {
        match before.iter().find(|(other, _)| other == path) {
            Some((_, old)) => assert_eq!(old, values, "{path} moved"),
            None => assert!(path.contains(".lora."), "{path}"),
        }
    }
    let moved = after.iter().filter(|(path, values)| path.ends_with(".lora.b") && values.iter().any(|value| *value != 0.0)).count();
    assert_eq!(moved, 4);
}

#[test]
fn a_loss_that_is_no_number_ends_training_and_leaves_the_model() {
    let _turn = turn();
    let mut trainer = trainer();
    let batches = batches(4);
    steps(&mut trainer, &batches, 2);
    let before = values(&trainer.model());
    let batch = batches.batch(2).unwrap();
    trainer.step(std::slice::from_ref(&batch), f64::MAX, None).unwrap();
    let broken = values(&trainer.model());
    assert!(trainer.step(&[batch], 1e-2, None).is_err());
    assert_ne!(before.first(), broken.first());
    assert_eq!(format!("{:?}", values(&trainer.model())), format!("{broken:?}"));
}

fn values(model: &Decoder) -> Vec<(String, Vec<f32>)> {
    struct Read {
        path: Vec<String>,
        found: Vec<(String, Vec<f32>)>,
    }
    impl ModuleVisitor for Read {
        fn enter_module(&mut self, name: &str, _container: &str) {
            self.path.push(name.to_owned());
        }

        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.path.pop();
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.found.push((self.path.join("."), param.val().into_data().try_into_vec().unwrap()));
        }
    }
    let mut read = Read { path: Vec::new(), found: Vec::new() };
    model.visit(&mut read);
    read.found
}
