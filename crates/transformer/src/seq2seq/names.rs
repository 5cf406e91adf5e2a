use crate::weights::{Layout, Naming, Place};

/// The names of an encoder-decoder's tensors in Marian's files.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MarianNames;

/// Names of the one table for both sides and the head, of which a file may hold several.
const TABLES: [&str; 3] = ["model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight", "lm_head.weight"];

const SHARED: &str = "model.shared.weight";

impl Naming for MarianNames {
    fn place(&self, path: &str) -> Option<Place> {
        let layout = if path.ends_with("linear.weight") { Layout::OutIn } else { Layout::AsIs };
        Some(Place { name: name(path), part: None, layout, offset: 0.0 })
    }

    fn alias(&self, name: &str) -> String {
        if TABLES.contains(&name) { SHARED.to_owned() } else { name.to_owned() }
    }

    /// Sines that are written out.
    fn ignores(&self, name: &str) -> bool {
        name.ends_with("embed_positions.weight")
    }
}

fn name(path: &str) -> String {
    match path {
        "embedding.weight" => return SHARED.to_owned(),
        "logits_bias" => return "final_logits_bias".to_owned(),
        _ => {}
    }
    let (module, kind) = path.rsplit_once('.').unwrap_or((path, ""));
    if let Some(side) = module.strip_suffix("_norm").filter(|side| !side.contains('.')) {
        return format!("model.{side}.layer_norm.{kind}");
    }
    let mut parts = module.strip_suffix(".linear").unwrap_or(module).splitn(3, '.');
    let [side, index, module] = [(); 3].map(|()| parts.next().unwrap_or_default());
    format!("model.{side}.layers.{index}.{}.{kind}", in_layer(module))
}

fn in_layer(module: &str) -> &'static str {
    match module {
        "attention.query" => "self_attn.q_proj",
        "attention.key" => "self_attn.k_proj",
        "attention.value" => "self_attn.v_proj",
        "attention.output" => "self_attn.out_proj",
        "attention_norm" => "self_attn_layer_norm",
        "cross.attention.query" => "encoder_attn.q_proj",
        "cross.attention.key" => "encoder_attn.k_proj",
        "cross.attention.value" => "encoder_attn.v_proj",
        "cross.attention.output" => "encoder_attn.out_proj",
        "cross.norm" => "encoder_attn_layer_norm",
        "feed_forward.up" => "fc1",
        "feed_forward.down" => "fc2",
        "feed_forward_norm" => "final_layer_norm",
        other => unreachable!("an encoder-decoder has no module `{other}`"),
    }
}
