//! Training decoders, and encoders that classify: steps, schedules, checkpoints, metrics.

mod checkpoint;
mod classifier;
mod early_stopping;
mod flops;
mod gradients;
mod loss;
mod optimizer;
mod record;
mod scaling;
mod schedule;
mod state;
mod tee;
mod trainer;

pub use checkpoint::{Checkpoint, CheckpointHandle, CheckpointStore, Found, Skipped};
pub use classifier::{ClassifierStep, ClassifierTrainer, ClassifierTrainerConfig, batches_by_length};
pub use early_stopping::{Best, EarlyStopping, Verdict};
pub use flops::DecoderFlops;
pub use optimizer::{AdamW, AdamWConfig};
pub use record::{Metrics, MetricsLog};
pub use scaling::{LawSamples, PowerLaw, ScalingFit, ScalingRun};
pub use schedule::{DecayCurve, Schedule};
pub use tee::Tee;
pub use trainer::{StepReport, Trainer, TrainerConfig};
