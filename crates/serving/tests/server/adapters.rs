use std::path::Path;

use jarre_serving::server::ServerConfig;
use jarre_serving::{Engine, LoraAdapter, Model};
use jarre_transformer::{CausalModel, Device, LoraConfig};
use serde_json::json;

use crate::harness::{Rig, assets, config, options, server};
use crate::metrics::series;

const LOAD: &str = "/v1/load_lora_adapter";
const UNLOAD: &str = "/v1/unload_lora_adapter";

/// Writes a fresh adapter for the shipped model, which adds nothing yet.
fn save(folder: &Path) {
    let causal = CausalModel::from_folder(assets().join("jarre-tiny"), &Device::default()).unwrap();
    causal.decoder().clone().with_lora(&LoraConfig::new(2)).unwrap().save_lora(folder).unwrap();
}

fn rig(config: ServerConfig) -> Rig {
    Rig::over(server(&options(), config))
}

fn ask(model: &str) -> serde_json::Value {
    json!({"model": model, "prompt": "fn main() {", "max_tokens": 6, "temperature": 0})
}

#[tokio::test]
async fn adapters_come_and_go_under_their_names() {
    let folder = tempfile::tempdir().unwrap();
    save(&folder.path().join("sql"));
    let rig = rig(config().with_lora_dir(folder.path()));
    assert_eq!(rig.post("/v1/completions", &ask("sql")).await.refused(404)["code"], "model_not_found");

    let loaded = rig.post(LOAD, &json!({"lora_name": "sql", "lora_path": "sql"})).await;
    assert_eq!((loaded.status, loaded.text.as_str()), (200, "Success: LoRA adapter 'sql' added successfully."));
    let models = rig.get("/v1/models").await.ok();
    let sql = models["data"].as_array().unwrap().iter().find(|model| model["id"] == "sql").unwrap();
    assert_eq!((&sql["parent"], &sql["root"]), (&json!("jarre-tiny"), &json!("sql")));
    let (tuned, plain) = (rig.post("/v1/completions", &ask("sql")).await.ok(), rig.post("/v1/completions", &ask("jarre-tiny")).await.ok());
    assert_eq!((&tuned["model"], &tuned["choices"]), (&json!("sql"), &plain["choices"]));
    let chat = json!({"model": "sql", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 2});
    assert_eq!(rig.post("/v1/chat/completions", &chat).await.ok()["model"], "sql");

    let error = rig.post(LOAD, &json!({"lora_name": "sql", "lora_path": "sql"})).await.refused(400);
    assert!(error["message"].as_str().unwrap().contains("load_inplace"), "{error}");
    assert_eq!(rig.post(LOAD, &json!({"lora_name": "sql", "lora_path": "sql", "load_inplace": true})).await.status, 200);
    assert_eq!(rig.post(UNLOAD, &json!({"lora_name": "sql"})).await.status, 200);
    assert_eq!(rig.post(UNLOAD, &json!({"lora_name": "sql"})).await.refused(404)["param"], "lora_name");
    rig.post("/v1/completions", &ask("sql")).await.refused(404);
}

#[tokio::test]
async fn nothing_is_loaded_from_elsewhere() {
    let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    save(&outside.path().join("sql"));
    std::os::unix::fs::symlink(outside.path().join("sql"), folder.path().join("link")).unwrap();
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    let rig = rig(config().with_lora_dir(folder.path()));
    let absolute = outside.path().join("sql").to_str().unwrap().to_owned();
    let climbing = format!("../{}/sql", outside.path().file_name().unwrap().to_str().unwrap());
    for path in [absolute.as_str(), climbing.as_str(), "link", "missing", "empty", "/etc"] {
        let error = rig.post(LOAD, &json!({"lora_name": "sql", "lora_path": path})).await.refused(400);
        assert_eq!(error["param"], "lora_path", "{path}");
        assert!(!error.to_string().contains(outside.path().to_str().unwrap()), "{error}");
    }
    let error = rig.post(LOAD, &json!({"lora_name": "jarre-tiny", "lora_path": "link"})).await.refused(400);
    assert_eq!(error["param"], "lora_name");
}

#[tokio::test]
async fn clients_change_nothing_where_no_folder_is_given() {
    let folder = tempfile::tempdir().unwrap();
    save(folder.path());
    let model = Model::open(assets().join("jarre-tiny"), &Device::default()).unwrap();
    let adapter = LoraAdapter::from_folder("fixed", &model, folder.path()).unwrap();
    let rig = Rig::over(server(&options(), config()).with_adapter(adapter).unwrap());
    rig.post("/v1/completions", &ask("fixed")).await.ok();
    let path = folder.path().to_str().unwrap();
    assert_eq!(rig.post(LOAD, &json!({"lora_name": "sql", "lora_path": path})).await.refused(403)["code"], "adapters_are_fixed");
    rig.post(UNLOAD, &json!({"lora_name": "fixed"})).await.refused(403);
    rig.post("/v1/completions", &ask("fixed")).await.ok();
}

#[tokio::test]
async fn so_many_are_loaded_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    save(&folder.path().join("sql"));
    let mut config = config().with_lora_dir(folder.path());
    config.max_loras = 2;
    let rig = rig(config);
    for name in ["a", "b"] {
        assert_eq!(rig.post(LOAD, &json!({"lora_name": name, "lora_path": "sql"})).await.status, 200);
    }
    let error = rig.post(LOAD, &json!({"lora_name": "c", "lora_path": "sql"})).await.refused(400);
    assert!(error["message"].as_str().unwrap().contains("unload one"), "{error}");
    assert_eq!(rig.post(LOAD, &json!({"lora_name": "b", "lora_path": "sql", "load_inplace": true})).await.status, 200);
}

#[tokio::test]
async fn metrics_name_the_adapters_that_run_and_wait() {
    let folder = tempfile::tempdir().unwrap();
    save(folder.path());
    let model = Model::open(assets().join("jarre-tiny"), &Device::default()).unwrap();
    let adapter = |name: &str| LoraAdapter::from_folder(name, &model, folder.path()).unwrap();
    let mut narrow = options();
    narrow.max_num_seqs = 1;
    let server = server(&narrow, config()).with_adapter(adapter("sql")).unwrap().with_adapter(adapter("prose")).unwrap();
    let rig = Rig::over(server);
    let labels = async || {
        let page = rig.get("/metrics").await.text;
        let told: Vec<(String, f64)> = series(&page).into_iter().filter(|(name, _)| name.starts_with("vllm:lora_requests_info")).collect();
        assert_eq!(told.len(), 1, "one line, as of now: {told:?}");
        assert!(told[0].1 > 1.7e9, "{told:?}");
        told[0].0.clone()
    };
    assert_eq!(labels().await, r#"vllm:lora_requests_info{max_lora="16",waiting_lora_adapters="",running_lora_adapters=""}"#);
    let long = |model: &str| json!({"model": model, "prompt": "fn", "max_tokens": 480, "ignore_eos": true, "stream": true});
    let running = rig.open("/v1/completions", &long("sql")).await;
    rig.until(|engine| engine.stats().running == 1).await;
    let waiting = [rig.open("/v1/completions", &long("prose")).await, rig.open("/v1/completions", &long("sql")).await];
    rig.until(|engine| engine.adapter_stats().waiting.len() == 2).await;
    assert_eq!(labels().await, r#"vllm:lora_requests_info{max_lora="16",waiting_lora_adapters="prose,sql",running_lora_adapters="sql"}"#);
    drop((running, waiting));
    rig.until(Engine::is_idle).await;
    assert!(labels().await.ends_with(r#"waiting_lora_adapters="",running_lora_adapters=""}"#));
}
