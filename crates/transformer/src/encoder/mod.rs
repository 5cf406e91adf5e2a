//! Encoders of the BERT family and what turns their states into vectors, labels and scores.

mod attention;
mod batch;
mod bert;
mod bert_classifier;
mod by_length;
mod cross_encoder;
mod folder;
mod folder_config;
mod head;
mod labels;
mod load;
mod names;
mod new_head;
mod packed;
mod pooling;
mod save;
mod sentence_encoder;
mod sequence_classifier;

pub use attention::{SelfAttention, SelfAttentionConfig};
pub use batch::TokenBatch;
pub use bert::{Bert, BertConfig};
pub use bert_classifier::{BertClassifier, BertClassifierConfig};
pub use cross_encoder::CrossEncoder;
pub(crate) use folder_config::FolderConfig;
pub use head::{ClassificationHead, ClassificationHeadConfig, Pooler, PoolerActivation};
pub use pooling::{Pooling, l2_normalize};
pub use sentence_encoder::SentenceEncoder;
pub use sequence_classifier::SequenceClassifier;
