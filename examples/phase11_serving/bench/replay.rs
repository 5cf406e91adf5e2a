//! A recorded load, cut to a machine and to a model.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jarre_serving::replay::trace::{self, BLOCK_TOKENS, Recorded};
use rand::SeedableRng;
use rand_pcg::Pcg64;

use super::args::{TooLong, TraceArgs};
use super::load::{Load, Planned, Room, tokens};

/// The first `count` requests of the trace that the model has room for, the first of them at once.
pub(super) fn plan(args: &TraceArgs, path: &Path, count: usize, seed: u64, room: Room) -> Result<Load> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let recorded = trace::parse(&text).with_context(|| format!("cannot read {}", path.display()))?;
    let load = take(args, &recorded, count, seed, room);
    ensure!(
        !load.requests.is_empty(),
        "none of the {} requests of the trace has room in {} tokens; shorten them with --scale-len, or cut them with --too-long cut",
        recorded.len(),
        room.max_len
    );
    Ok(load)
}

fn take(args: &TraceArgs, recorded: &[Recorded], count: usize, seed: u64, room: Room) -> Load {
    let mut load = Load::default();
    let mut begin = None;
    for (number, request) in recorded.iter().enumerate() {
        if load.requests.len() == count {
            break;
        }
        let (mut input, mut output) = (scaled(request.prompt, args.scale_len), scaled(request.answer, args.scale_len));
        if input.saturating_add(output) > room.max_len {
            if args.too_long == TooLong::Skip || room.max_len < 2 {
                load.skipped += 1;
                continue;
            }
            load.cut += 1;
            output = output.min(room.max_len / 2);
            input = input.min(room.max_len - output);
        }
        let at = (request.at - *begin.get_or_insert(request.at)) / args.speed;
        let prompt = prompt(request, number, input, args.scale_len, seed, room.vocab_size);
        load.requests.push(Planned { at: Duration::try_from_secs_f64(at).unwrap_or(Duration::MAX), prompt, output });
    }
    load
}

fn scaled(tokens: usize, scale: f64) -> usize {
    ((tokens as f64 * scale).round() as usize).max(1)
}

/// Text of so many tokens. Where the trace names blocks, position `p` is position `p / scale` of the text that they stand for, so that two
/// prompts share the scaled length of what they shared.
fn prompt(request: &Recorded, number: usize, length: usize, scale: f64, seed: u64, vocab_size: usize) -> Vec<u32> {
    if request.blocks.is_empty() {
        return tokens(&mut Pcg64::seed_from_u64(mix(seed) ^ number as u64), length, vocab_size);
    }
    let token = |position: usize| {
        let place = ((position as f64 / scale) as usize).min(request.prompt - 1);
        let block = request.blocks[place / BLOCK_TOKENS];
        // The position counts too: where lengths grow, a token that is read twice is not the same twice.
        (mix(mix(mix(seed) ^ block) ^ position as u64) % vocab_size as u64) as u32
    };
    (0..length).map(token).collect()
}

/// A bijection after which neighbours have nothing in common (the last step of `SplitMix64`).
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Room = Room { vocab_size: 8192, max_len: usize::MAX };

    fn args(speed: f64, scale_len: f64, too_long: TooLong) -> TraceArgs {
        TraceArgs { trace: None, speed, scale_len, too_long }
    }

    fn recorded(at: f64, prompt: usize, answer: usize, blocks: &[u64]) -> Recorded {
        Recorded { at, prompt, answer, blocks: blocks.to_vec() }
    }

    fn shared(one: &[u32], other: &[u32]) -> usize {
        one.iter().zip(other).take_while(|(one, other)| one == other).count()
    }

    #[test]
    fn prompts_share_as_many_tokens_as_blocks_tell_at_every_scale() {
        let trace = [
            recorded(0.0, 1500, 10, &[0, 1, 2]),
            recorded(0.0, 2000, 10, &[0, 1, 3, 4]),
            recorded(0.0, 700, 10, &[0, 1]),
            recorded(0.0, 600, 10, &[9, 1]),
        ];
        for (scale, blocks) in [(1.0, 1024), (0.1, 103), (0.01, 11), (0.37, 379), (2.5, 2560)] {
            let load = take(&args(1.0, scale, TooLong::Skip), &trace, 9, 0, ROOM);
            let prompts: Vec<&Vec<u32>> = load.requests.iter().map(|request| &request.prompt).collect();
            let lengths: Vec<usize> = prompts.iter().map(|prompt| prompt.len()).collect();
            assert_eq!(lengths, [1500.0, 2000.0, 700.0, 600.0].map(|tokens: f64| (tokens * scale).round() as usize));
            assert_eq!(shared(prompts[0], prompts[1]), blocks, "two blocks at {scale}");
            assert_eq!(shared(prompts[0], prompts[2]), lengths[2], "the whole of the shorter one at {scale}");
            assert!(shared(prompts[0], prompts[3]) < 2, "nothing at {scale}");
        }
    }

    #[test]
    fn prompts_without_blocks_share_nothing() {
        let trace = [recorded(0.0, 500, 1, &[]), recorded(0.0, 500, 1, &[])];
        let load = take(&args(1.0, 1.0, TooLong::Skip), &trace, 9, 0, ROOM);
        assert!(shared(&load.requests[0].prompt, &load.requests[1].prompt) < 3);
        let again = take(&args(1.0, 1.0, TooLong::Skip), &trace, 9, 0, ROOM);
        let other = take(&args(1.0, 1.0, TooLong::Skip), &trace, 9, 1, ROOM);
        assert_eq!(load.requests, again.requests);
        assert!(shared(&load.requests[0].prompt, &other.requests[0].prompt) < 3);
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let trace = [recorded(0.0, 200, 10, &[]), recorded(10.0, 90, 10, &[]), recorded(12.0, 30, 80, &[]), recorded(13.0, 1, 1, &[])];
        let room = Room { max_len: 100, ..ROOM };
        let shape = |load: &Load| load.requests.iter().map(|r| (r.at.as_secs_f64(), r.prompt.len(), r.output)).collect::<Vec<_>>();
        let load = take(&args(2.0, 1.0, TooLong::Skip), &trace, 2, 0, room);
        assert_eq!((load.skipped, load.cut), (2, 0));
        assert_eq!(shape(&load), [(0.0, 90, 10), (1.5, 1, 1)]);
        let load = take(&args(2.0, 1.0, TooLong::Cut), &trace, 3, 0, room);
        assert_eq!((load.skipped, load.cut), (0, 2));
        assert_eq!(shape(&load), [(0.0, 90, 10), (5.0, 90, 10), (6.0, 30, 50)]);
    }

    #[test]
    #[ignore = "needs JARRE_DATA"]
    fn real_traces_keep_their_shape() {
        let root = std::path::PathBuf::from(std::env::var_os("JARRE_DATA").expect("JARRE_DATA names the folder of test data"));
        let args = args(60.0, 0.05, TooLong::Skip);
        let azure = root.join("serving/azure_llm_trace/AzureLLMInferenceTrace_conv.csv");
        let load = plan(&args, &azure, usize::MAX, 0, Room { max_len: 512, ..ROOM }).unwrap();
        assert_eq!(load.requests.len() + load.skipped, 19_366);
        // An hour less a second, sixty times as fast.
        assert!((58.0..60.0).contains(&load.requests.last().unwrap().at.as_secs_f64()));
        let mooncake = root.join("serving/mooncake_trace/traces/conversation_trace.jsonl");
        let load = plan(&args, &mooncake, 2000, 0, Room { max_len: 4096, ..ROOM }).unwrap();
        // Every conversation begins with the same block.
        assert!(
            load.requests
                .windows(2)
                .all(|pair| shared(&pair[0].prompt, &pair[1].prompt) >= 26.min(pair[0].prompt.len().min(pair[1].prompt.len())))
        );
    }
}
