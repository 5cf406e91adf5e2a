use jarre_core::FinishReason;
use jarre_openai::StopReason as WireStop;

use super::app::App;
use crate::{Finish, StopReason};

/// What all pieces of an answer begin with, and how its ends are told.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) id: String,
    pub(super) model: String,
    pub(super) created: u64,
    /// The tokens that the request named as ends: the model's own are not told.
    stop_token_ids: Vec<u32>,
}

impl Head {
    pub(super) fn new(app: &App, prefix: &str, model: &str, stop_token_ids: &[u32]) -> Self {
        let (id, created) = (app.draws.name(prefix), app.unix_seconds());
        Self { id, model: model.to_owned(), created, stop_token_ids: stop_token_ids.to_vec() }
    }

    /// Why and by what an answer ended.
    pub(super) fn end(&self, finish: Option<&Finish>) -> (Option<FinishReason>, Option<WireStop>) {
        let stop = finish.and_then(|finish| match finish.stop.as_ref()? {
            StopReason::Token(id) => self.stop_token_ids.contains(id).then(|| WireStop::Token(i64::from(*id))),
            StopReason::Text(text) => Some(WireStop::Text(text.clone())),
        });
        (finish.map(|finish| finish.reason), stop)
    }
}
