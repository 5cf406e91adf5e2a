use jarre_core::{BoxFuture, ChatModel, ChatRequest, ChatResponse, Error, ErrorKind, ModelInfo, Result};

/// Stands where a model would, for tasks that ask nothing, such as [`Recorded`](super::Recorded): it has a name, and refuses to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nobody(ModelInfo);

impl Nobody {
    /// In the place of the model of this name.
    pub fn named(name: impl Into<String>) -> Self {
        Self(ModelInfo::new("recorded", name))
    }
}

impl ChatModel for Nobody {
    fn info(&self) -> &ModelInfo {
        &self.0
    }

    fn chat(&self, _request: ChatRequest) -> BoxFuture<'_, Result<ChatResponse>> {
        let refused =
            || Error::new(ErrorKind::InvalidRequest, format!("`{}` has recorded answers alone, and cannot be asked", self.0.name));
        Box::pin(async move { Err(refused()) })
    }
}
