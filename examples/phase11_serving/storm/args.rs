use anyhow::{Result, ensure};
use clap::Args;

use crate::bench::args::Lengths;

#[derive(Args)]
pub(crate) struct StormArgs {
    /// The server, as `http://127.0.0.1:8000`. A key is taken from `JARRE_API_KEY` alone.
    #[arg(long)]
    pub(crate) url: String,
    #[command(flatten)]
    pub(crate) lengths: Lengths,
    /// Ids that prompts are drawn from.
    #[arg(long, default_value_t = 512)]
    pub(crate) vocab_size: usize,
    /// Requests that the server answers in a second; measured for a quarter of a minute where it is not given.
    #[arg(long)]
    pub(crate) capacity: Option<f64>,
    /// So many times as many come.
    #[arg(long, default_value_t = 3.0)]
    pub(crate) times: f64,
    /// How long they come.
    #[arg(long, default_value_t = 300)]
    pub(crate) seconds: u64,
    /// The share whose client goes away: half of them soon, half amid the answer.
    #[arg(long, default_value_t = 0.10)]
    pub(crate) disconnect: f64,
    /// The share that is no request.
    #[arg(long, default_value_t = 0.05)]
    pub(crate) malformed: f64,
    /// The share whose body is of 10 MB.
    #[arg(long, default_value_t = 0.01)]
    pub(crate) huge: f64,
    /// Requests that wait at the server at most: what it was started with.
    #[arg(long, default_value_t = 256)]
    pub(crate) max_waiting: usize,
    /// The server's process, whose memory is watched.
    #[arg(long)]
    pub(crate) pid: Option<u32>,
    /// The bound on the time of a refusal, milliseconds.
    #[arg(long, default_value_t = 50.0)]
    pub(crate) refusal_ms: f64,
    /// The bound on how much more memory the server holds afterwards, as a share.
    #[arg(long, default_value_t = 0.05)]
    pub(crate) growth: f64,
    /// Prints JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

impl StormArgs {
    /// Refuses what makes no load.
    pub(super) fn check(&self) -> Result<()> {
        ensure!(self.times > 0.0 && self.times.is_finite(), "--times has to be above 0");
        ensure!(self.capacity.is_none_or(|rate| rate > 0.0 && rate.is_finite()), "--capacity has to be above 0");
        ensure!(
            self.seconds > 0 && self.max_waiting > 0 && self.vocab_size > 0,
            "--seconds, --max-waiting and --vocab-size have to be above 0"
        );
        let shares = [self.disconnect, self.malformed, self.huge];
        ensure!(shares.iter().all(|&share| share >= 0.0) && shares.iter().sum::<f64>() <= 1.0, "shares are above 0 and together at most 1");
        self.lengths.check()
    }
}
