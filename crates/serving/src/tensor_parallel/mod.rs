//! One model over several processes of a host: rank 0 has the engine, the others compute their parts of its steps.
//!
//! Every process joins a ring ([`jarre_transformer::collective`]). Rank 0 makes an engine of the model
//! ([`Model::tensor_parallel_engine`](crate::Model::tensor_parallel_engine)), the others call [`run_reading_worker`], which reads their parts
//! of it alone, or [`run_worker`] where they have the model. Before each step rank 0 sends the batch (tokens, block tables, copies of blocks:
//! some bytes a token), all compute it with their weights and caches, and rank 0 alone chooses tokens. While the engine is idle it sends a
//! sign of life, so that no worker takes its silence for its end.
//!
//! An adapter is read by rank 0, from a folder that the others need not see, and sent with the first request that wants it; each worker keeps
//! its part of it until no request and no server has the adapter any more.
//!
//! A worker that is lost ends the engine: the step fails, every open request gets an error that names the rank, and no request is taken any
//! more. A process that dies is noticed at once, as its connections close; one that hangs, when the ring's timeout has passed.

mod adapters;
mod complaint;
mod lead;
mod message;
mod pulse;
mod runner;
#[cfg(test)]
mod tests;
mod worker;

pub use self::runner::ShardedRunner;
pub use self::worker::{run_reading_worker, run_worker};
