//! Writes the folder of an encoder or a decoder with weights of eight bits: `quantize_folder IN OUT`.

use std::path::Path;

use anyhow::{Context, bail};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, output] = &arguments[..] else { bail!("usage: quantize_folder IN OUT, both folders") };
    jarre_transformer::int8::quantize_folder(Path::new(input), Path::new(output)).with_context(|| format!("quantising {input}"))
}
