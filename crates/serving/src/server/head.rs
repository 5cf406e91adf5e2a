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

    /// By what an answer ended, where a text or a token of the request's ended it.
    pub(super) fn stop(&self, finish: Option<&Finish>) -> Option<WireStop> {
        finish.and_then(|finish| match finish.stop.as_ref()? {
            StopReason::Token(id) => self.stop_token_ids.contains(id).then(|| WireStop::Token(i64::from(*id))),
            StopReason::Text(text) => Some(WireStop::Text(text.clone())),
        })
    }
}
