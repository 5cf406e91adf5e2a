use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use jarre_openai::{ApiError, LoadLoraAdapterRequest, UnloadLoraAdapterRequest};
use jarre_transformer::CausalModel;
use jarre_transformer::paged::PagedAdapter;

use super::app::App;
use super::body;
use super::failure::{Answer, refused};
use crate::LoraAdapter;

/// The adapters that requests may name.
pub(super) struct Adapters {
    base: CausalModel,
    /// Where clients may have adapters loaded from; nowhere where it is not given.
    folder: Option<PathBuf>,
    limit: usize,
    loaded: Mutex<Vec<Loaded>>,
}

/// An adapter, and where a client had it loaded from.
#[derive(Clone, Debug)]
pub(super) struct Loaded {
    pub(super) adapter: LoraAdapter,
    pub(super) path: Option<String>,
}

impl Adapters {
    pub(super) fn new(base: CausalModel, folder: Option<PathBuf>, limit: usize) -> Self {
        Self { base, folder, limit, loaded: Mutex::default() }
    }

    pub(super) fn get(&self, name: &str) -> Option<LoraAdapter> {
        self.all().into_iter().find(|loaded| loaded.adapter.name() == name).map(|loaded| loaded.adapter)
    }

    pub(super) fn all(&self) -> Vec<Loaded> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes an adapter, which replaces one of its name where it may.
    pub(super) fn add(&self, new: Loaded, replaces: bool) -> Result<(), ApiError> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let place = loaded.iter().position(|old| old.adapter.name() == new.adapter.name());
        match place {
            Some(place) if replaces => loaded[place] = new,
            Some(_) => return Err(taken(new.adapter.name())),
            None if loaded.len() >= self.limit => {
                let told = format!("{} adapters are loaded, and more are not taken: unload one", self.limit);
                return Err(ApiError::invalid_request(told));
            }
            None => loaded.push(new),
        }
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<(), ApiError> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let place = loaded.iter().position(|old| old.adapter.name() == name);
        let place = place.ok_or_else(|| ApiError::not_found(format!("there is no adapter '{name}'")).with_param("lora_name"))?;
        loaded.remove(place);
        Ok(())
    }

    /// Refuses everything where clients may not change what is served.
    fn folder(&self) -> Result<&Path, ApiError> {
        let told = "adapters are not loaded and unloaded by clients here: the server was started without a folder for them";
        self.folder.as_deref().ok_or_else(|| ApiError::new(403, "permission_error", Some("adapters_are_fixed"), told))
    }

    /// The folder that a client means, which lies in the one that it may load from. Whether others exist is not told.
    fn locate(&self, path: &str) -> Result<PathBuf, ApiError> {
        let allowed = self.folder()?.canonicalize().map_err(|_| ApiError::internal("the folder of adapters cannot be read"))?;
        let located = allowed.join(path).canonicalize().ok().filter(|located| located.starts_with(&allowed));
        located.ok_or_else(|| refused("lora_path", "names no folder in the server's folder of adapters"))
    }

    fn load(&self, request: &LoadLoraAdapterRequest) -> Answer<()> {
        let folder = self.locate(&request.lora_path)?;
        let replaces = request.load_inplace == Some(true);
        if !replaces && self.get(&request.lora_name).is_some() {
            return Err(taken(&request.lora_name).into());
        }
        let weights = PagedAdapter::from_folder(self.base.decoder(), folder).map_err(|error| {
            tracing::warn!(%error, adapter = request.lora_name, "an adapter was not loaded");
            refused("lora_path", "holds no adapter for this model; the server's log says why")
        })?;
        let adapter = LoraAdapter::new(&request.lora_name, weights);
        Ok(self.add(Loaded { adapter, path: Some(request.lora_path.clone()) }, replaces)?)
    }
}

fn taken(name: &str) -> ApiError {
    let told = format!("an adapter '{name}' is loaded already; set 'load_inplace' to replace it");
    ApiError::invalid_request(told).with_param("lora_name")
}

/// `POST /v1/load_lora_adapter`.
pub(super) async fn load(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Answer {
    let bytes = body::read(&app.config, &headers, body).await?;
    let request = LoadLoraAdapterRequest::from_json(&bytes)?;
    app.adapters.folder()?;
    if app.names.contains(&request.lora_name) {
        return Err(ApiError::invalid_request("the model itself has this name").with_param("lora_name").into());
    }
    let name = request.lora_name.clone();
    app.load(move |app| app.adapters.load(&request)).await?;
    Ok(format!("Success: LoRA adapter '{name}' added successfully.").into_response())
}

/// `POST /v1/unload_lora_adapter`: requests that are being answered with it are answered to their end.
pub(super) async fn unload(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Answer {
    let bytes = body::read(&app.config, &headers, body).await?;
    let request = UnloadLoraAdapterRequest::from_json(&bytes)?;
    app.adapters.folder()?;
    app.adapters.remove(&request.lora_name)?;
    Ok(format!("Success: LoRA adapter '{}' removed successfully.", request.lora_name).into_response())
}
