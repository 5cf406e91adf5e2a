//! What comes: good requests, and others.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use serde::Serialize;

use super::args::StormArgs;
use crate::bench::load::Prompts;
use crate::client::Client;

const HUGE_BYTES: usize = 10_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Good,
    /// The client goes away.
    Disconnect,
    /// The body is no request.
    Malformed,
    /// The body is longer than the server takes.
    Huge,
}

/// When a client goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// Never.
    Stays,
    /// So long after it came.
    Arrival(Duration),
    /// So long after the answer began.
    Begin(Duration),
}

pub(super) struct Request {
    pub(super) kind: Kind,
    pub(super) body: Arc<Vec<u8>>,
    pub(super) patience: Patience,
}

/// Draws requests by their shares. Never ends.
pub(super) struct Requests {
    rng: Pcg64,
    prompts: Prompts,
    client: Arc<Client>,
    /// Upper bounds of what is drawn evenly from 0 to 1.
    bounds: [(f64, Kind); 3],
    huge: Arc<Vec<u8>>,
}

impl Requests {
    pub(super) fn new(args: &StormArgs, client: &Arc<Client>, seed: u64) -> Self {
        let disconnect = args.disconnect;
        let malformed = disconnect + args.malformed;
        let bounds = [(disconnect, Kind::Disconnect), (malformed, Kind::Malformed), (malformed + args.huge, Kind::Huge)];
        let huge = [&br#"{"model": ""#[..], &vec![b'a'; HUGE_BYTES], br#""}"#].concat();
        let prompts = Prompts::new(args.lengths, seed, args.vocab_size);
        Self { rng: Pcg64::seed_from_u64(!seed), prompts, client: Arc::clone(client), bounds, huge: Arc::new(huge) }
    }

    pub(super) fn draw(&mut self) -> Result<Request> {
        let drawn: f64 = self.rng.random();
        let kind = self.bounds.iter().find(|(bound, _)| drawn < *bound).map_or(Kind::Good, |(_, kind)| *kind);
        let mut patience = Patience::Stays;
        let body = match kind {
            Kind::Huge => Arc::clone(&self.huge),
            Kind::Malformed => {
                let body = self.completion()?;
                Arc::new(malformed(body, self.rng.random_range(0..4)))
            }
            Kind::Good | Kind::Disconnect => Arc::new(self.completion()?),
        };
        if kind == Kind::Disconnect {
            let wait = Duration::from_secs_f64(0.2 * self.rng.random::<f64>());
            patience = if self.rng.random() { Patience::Arrival(wait) } else { Patience::Begin(wait) };
        }
        Ok(Request { kind, body, patience })
    }

    fn completion(&mut self) -> Result<Vec<u8>> {
        let (prompt, output) = self.prompts.next().expect("prompts never end");
        self.client.completion(&prompt, output)
    }
}

/// Makes a request wrong in one of four ways.
fn malformed(mut body: Vec<u8>, way: u32) -> Vec<u8> {
    match way {
        0 => body.truncate(body.len() / 2),
        1 => body.iter_mut().step_by(7).for_each(|byte| *byte = 0xff),
        2 => body.splice(0..1, *br#"{"temprature": 0, "#).for_each(drop),
        _ => body = br#"{"model": 7, "prompt": {}}"#.to_vec(),
    }
    body
}

#[cfg(test)]
mod tests {
    use jarre_openai::{CompletionRequest, Prompt};

    use super::*;

    #[test]
    fn what_is_malformed_is_refused_as_such() {
        let request = CompletionRequest::new("m", Prompt::Tokens(vec![1, 2, 3]));
        let body = serde_json::to_vec(&request).unwrap();
        assert!(CompletionRequest::from_json(&body).is_ok());
        for way in 0..4 {
            assert_eq!(CompletionRequest::from_json(&malformed(body.clone(), way)).unwrap_err().status, 400, "{way}");
        }
    }
}
