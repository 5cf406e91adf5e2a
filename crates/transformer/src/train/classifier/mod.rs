//! Fine-tuning of an encoder with a head for labels of which any number fits a text.

mod batches;
mod loss;
mod trainer;

pub use batches::batches_by_length;
pub use trainer::{ClassifierStep, ClassifierTrainer, ClassifierTrainerConfig};
