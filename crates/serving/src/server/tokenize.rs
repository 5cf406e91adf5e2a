use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use jarre_openai::{ChatCompletionRequest, DetokenizeRequest, DetokenizeResponse, TokenizeInput, TokenizeRequest, TokenizeResponse};

use super::app::App;
use super::failure::{Answer, json, refused};
use super::{body, chat};
use crate::Error;

/// `POST /tokenize`.
pub(super) async fn tokenize(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Answer {
    let bytes = body::read(&app.config, &headers, body).await?;
    let request = TokenizeRequest::from_json(&bytes)?;
    Ok(json(&app.blocking(move |app| cut(app, request)).await?))
}

/// `POST /detokenize`: special tokens have no text.
pub(super) async fn detokenize(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Answer {
    let bytes = body::read(&app.config, &headers, body).await?;
    let request = DetokenizeRequest::from_json(&bytes)?;
    request.model.as_deref().map_or(Ok(None), |name| app.adapter(name))?;
    let prompt = app.blocking(move |app| Ok(app.tokenizer.decode(&request.tokens).map_err(Error::from)?)).await?;
    Ok(json(&DetokenizeResponse { prompt }))
}

fn cut(app: &App, request: TokenizeRequest) -> Answer<TokenizeResponse> {
    request.model.as_deref().map_or(Ok(None), |name| app.adapter(name))?;
    let tokens = match request.input {
        TokenizeInput::Text { prompt } if request.add_special_tokens == Some(false) => {
            app.tokenizer.encode_plain(&prompt).map_err(Error::from)?
        }
        TokenizeInput::Text { prompt } => app.tokenizer.encode(&prompt).map_err(Error::from)?,
        TokenizeInput::Chat { .. } if request.add_special_tokens == Some(true) => {
            return Err(refused("add_special_tokens", "must be false: conversations have these tokens from their template").into());
        }
        TokenizeInput::Chat { messages, tools, add_generation_prompt, chat_template_kwargs } => {
            let chat = ChatCompletionRequest { messages, tools, add_generation_prompt, chat_template_kwargs, ..Default::default() };
            chat::prompt(app, &chat)?
        }
    };
    let text = |&id: &u32| app.tokenizer.token(id).unwrap_or_default();
    let token_strs = (request.return_token_strs == Some(true)).then(|| tokens.iter().map(text).collect());
    Ok(TokenizeResponse { count: tokens.len(), max_model_len: app.engine.max_len(), tokens, token_strs })
}
