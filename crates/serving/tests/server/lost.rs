use std::sync::Arc;
use std::time::Duration;

use jarre_core::SystemClock;
use jarre_serving::server::Server;
use jarre_serving::{BlockCopy, EngineConfig, EngineCore, Error, KvType, Model, ModelRunner, Result, SchedulerConfig};
use jarre_transformer::Device;
use jarre_transformer::paged::PagedBatch;
use serde_json::json;

use crate::harness::{Rig, assets, config};

/// A runner that breaks in its first step, for good.
struct Broken(usize);

impl ModelRunner for Broken {
    fn vocab_size(&self) -> usize {
        self.0
    }

    fn max_len(&self) -> usize {
        64
    }

    fn cache(&self) -> (usize, usize) {
        (16, 4)
    }

    fn copy_blocks(&mut self, _: &[BlockCopy]) {}

    fn step(&mut self, _: &PagedBatch<'_>) -> Result<Vec<f32>> {
        Err(Error::Engine("rank 1 is gone".to_owned()))
    }

    fn lost(&self) -> Option<String> {
        Some("rank 1 is gone".to_owned())
    }
}

#[tokio::test]
async fn a_server_that_has_lost_its_runner_says_so_and_is_not_ready() {
    let model = Model::open(assets().join("jarre-tiny"), &Device::default()).unwrap();
    let settings =
        EngineConfig { scheduler: SchedulerConfig::new(64), prefix_caching: true, max_n: 1, grammar_timeout: Duration::from_secs(1) };
    let runner = Broken(model.causal().config().vocab_size);
    let core = EngineCore::new(runner, Arc::clone(model.tokenizer()), model.causal().eos(), &settings).unwrap();
    let rig = Rig::over(Server::start_with(core, model, KvType::F32, Arc::new(SystemClock::new()), config()).unwrap());
    rig.get("/ready").await.ok();
    let ask = json!({"model": "jarre-tiny", "prompt": "fn", "max_tokens": 4});
    for _ in 0..2 {
        let error = rig.post("/v1/completions", &ask).await.refused(503);
        assert!(error["message"].as_str().unwrap().contains("rank 1 is gone"), "{error}");
        let ready = rig.get("/ready").await;
        assert_eq!((ready.status, ready.json()["status"].as_str()), (503, Some("lost")));
    }
    rig.get("/health").await.ok();
}
