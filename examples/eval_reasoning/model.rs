use std::{fs, path::Path, sync::Arc};

use anyhow::{Context, Result};
use jarre_core::{ChatModel, SystemClock};
use jarre_serving::{ChatEngine, Model, ServeOptions};
use jarre_transformer::{Device, chat_template::ChatTemplate};

use crate::args::AskArgs;

/// How the small model of this repository is spoken to, which was taught to continue texts and not to chat.
const PLAIN: &str = "{% for message in messages %}{{ message.content }}\n{% endfor %}Answer:";

/// The model, served in this process.
pub(crate) fn open(args: &AskArgs) -> Result<Arc<dyn ChatModel>> {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/jarre-tiny");
    let path = args.model.as_deref().unwrap_or(&shipped);
    let mut model = Model::open(path, &Device::default()).with_context(|| format!("cannot serve {}", path.display()))?;
    if let Some(template) = &args.chat_template {
        let source = fs::read_to_string(template).with_context(|| format!("cannot read {}", template.display()))?;
        model = model.with_template(ChatTemplate::new(&source, [])?);
    } else if model.template().is_none() {
        model = model.with_template(ChatTemplate::new(PLAIN, [])?);
    }
    Ok(Arc::new(ChatEngine::start(model, &ServeOptions::default(), Arc::new(SystemClock::new()))?))
}
