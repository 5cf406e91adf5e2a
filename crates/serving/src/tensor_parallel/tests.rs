//! Adapters between rank 0 and workers, one of which cannot take what the others take.

use std::num::NonZeroU32;
use std::thread;
use std::time::Duration;

use jarre_transformer::collective::{Communicator, Rendezvous, RingConfig};
use jarre_transformer::paged::{KvType, PagedAdapter, PagedBatch, ShardedDecoder};
use jarre_transformer::{CausalModel, Decoder, DecoderConfig, Device, LoraConfig};

use super::ShardedRunner;
use super::complaint::answer;
use super::message::Message;
use super::pulse::lock;
use super::worker::{Worker, cut, next};
use crate::{Error, LoraAdapter, ModelRunner, Result};

const WORLD: usize = 3;

fn adapter(decoder: &Decoder) -> LoraAdapter {
    LoraAdapter::new("tuned", PagedAdapter::new(&decoder.clone().with_lora(&LoraConfig::new(2)).unwrap()).unwrap())
}

/// A worker that cannot take the first adapter; the adapters that it has in the end.
fn stubborn(decoder: Decoder, mut communicator: Communicator) -> Result<usize> {
    let mut worker = Worker::begin(&mut communicator, |place| cut(CausalModel::new(decoder, None, Vec::new()), place))?;
    let mut refuses = true;
    loop {
        match next(&mut communicator)? {
            Message::Adapter { .. } if std::mem::take(&mut refuses) => {
                answer::<()>(&mut communicator, &Err(Error::Engine("there is no room".to_owned())))?;
            }
            message => {
                if !worker.obey(message, &mut communicator)? {
                    return Ok(worker.adapters.len());
                }
            }
        }
    }
}

fn willing(decoder: Decoder, mut communicator: Communicator) -> Result<usize> {
    let mut worker = Worker::begin(&mut communicator, |place| cut(CausalModel::new(decoder, None, Vec::new()), place))?;
    while worker.obey(next(&mut communicator)?, &mut communicator)? {}
    Ok(worker.adapters.len())
}

fn step(runner: &mut ShardedRunner, adapter: Option<&LoraAdapter>) -> Result<Vec<f32>> {
    let adapters = [adapter.map(LoraAdapter::weights)];
    let batch = PagedBatch {
        tokens: &[7, 8],
        query_starts: &[0, 2],
        context_lens: &[2],
        block_tables: &[&[0]],
        adapters: &adapters,
        outputs: &[1],
    };
    runner.step(&batch)
}

#[test]
fn an_adapter_that_one_worker_cannot_take_leaves_all_in_step() {
    let decoder = DecoderConfig::new(60, 24, 3, 2, 32).init(&Device::default());
    let ring = |rank, address| RingConfig::new(rank, WORLD, address).with_timeout(Duration::from_mins(2));
    let rendezvous = Rendezvous::bind(&ring(0, "127.0.0.1:0".parse().unwrap())).unwrap();
    let address = rendezvous.address();
    let other = |rank, work: fn(Decoder, Communicator) -> Result<usize>| {
        let (decoder, ring) = (decoder.clone(), ring(rank, address));
        thread::spawn(move || work(decoder, Communicator::connect(&ring)?))
    };
    let others = [other(1, willing), other(2, stubborn)];
    let part = ShardedDecoder::new(&decoder, 16, 0, WORLD).unwrap();
    let mut runner = ShardedRunner::new(part, 4, 4, KvType::F32, rendezvous.connect().unwrap()).unwrap();
    let (first, plain) = (adapter(&decoder), step(&mut runner, None).unwrap());

    let error = runner.load_adapter(&first).unwrap_err().to_string();
    assert!(error.contains("rank 2") && error.contains("there is no room"), "{error}");
    assert!(step(&mut runner, Some(&first)).unwrap_err().to_string().contains("has to be loaded"));
    assert!(runner.lost().is_none());
    assert_eq!(step(&mut runner, None).unwrap(), plain);

    runner.load_adapter(&first).unwrap();
    step(&mut runner, Some(&first)).unwrap();
    let second = adapter(&decoder);
    runner.load_adapter(&second).unwrap();
    step(&mut runner, Some(&second)).unwrap();
    let held = |runner: &ShardedRunner| {
        let mut lead = lock(&runner.lead);
        lead.pulse().unwrap();
        let is_held = |number: &u32| lead.adapters.part(NonZeroU32::new(*number).unwrap()).is_some();
        (1..=3).filter(is_held).collect::<Vec<_>>()
    };
    assert_eq!(held(&runner), [1, 2]);
    drop(first);
    assert_eq!(held(&runner), [2], "nobody has it any more");
    runner.load_adapter(&adapter(&decoder)).unwrap();
    assert_eq!(step(&mut runner, None).unwrap(), plain);
    step(&mut runner, Some(&second)).unwrap();
    drop(runner);
    for other in others {
        assert_eq!(other.join().unwrap().unwrap(), 1, "the second adapter is held until the end, the others are not");
    }
}
