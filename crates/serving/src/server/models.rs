use std::sync::Arc;

use axum::extract::{Path, State};
use jarre_openai::{ApiError, Model, ModelList};

use super::app::App;
use super::failure::{Answer, json};

/// `GET /v1/models`.
pub(super) async fn list(State(app): State<Arc<App>>) -> Answer {
    Ok(json(&ModelList { data: models(&app), ..ModelList::default() }))
}

/// `GET /v1/models/{id}`.
pub(super) async fn get(State(app): State<Arc<App>>, Path(id): Path<String>) -> Answer {
    let found = models(&app).into_iter().find(|model| model.id == id);
    Ok(json(&found.ok_or_else(|| ApiError::model_not_found(&id))?))
}

fn models(app: &App) -> Vec<Model> {
    let model = |name: &str| Model { id: name.to_owned(), created: app.started, owned_by: "jarre".to_owned(), ..Model::default() };
    let length = u32::try_from(app.engine.max_len()).ok();
    let root = || Some(app.names[0].clone());
    let mut models: Vec<Model> = app.names.iter().map(|name| Model { max_model_len: length, root: root(), ..model(name) }).collect();
    models.extend(app.adapters.all().into_iter().map(|loaded| {
        let parent = Some(app.names[0].clone());
        Model { max_model_len: length, root: loaded.path, parent, ..model(loaded.adapter.name()) }
    }));
    models.extend(app.embedder.iter().map(|embedder| model(&embedder.name)));
    models.extend(app.reranker.iter().map(|reranker| model(&reranker.name)));
    models
}
