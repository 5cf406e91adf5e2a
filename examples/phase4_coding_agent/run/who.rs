//! Who acts in a run: the script that comes with the program, or a model that is named.

use std::sync::Arc;

use anyhow::{Result, bail};
use jarre_agent::{CodecKind, Event, Record};
use jarre_core::ChatModel;

use super::RunArgs;
use crate::{demo, models::Acting};

/// The name of the script in logs.
const SCRIPT: &str = "demo";

/// In a new run.
pub(super) fn begins(args: &RunArgs) -> Result<Arc<dyn ChatModel>> {
    if let Some(model) = named(args)? {
        return Ok(model);
    }
    if args.task.is_some() {
        bail!(
            "the model that comes with the program knows one task alone: name another by --url and --model-name (built with --features remote)"
        );
    }
    Ok(scripted(args.codec.into(), &[]))
}

/// In a run that goes on after `records`: the script only where it acted before, with calls written as in them.
pub(super) fn goes_on(args: &RunArgs, codec: CodecKind, records: &[Record]) -> Result<Arc<dyn ChatModel>> {
    if let Some(model) = named(args)? {
        return Ok(model);
    }
    match records.first().map(|record| &record.event) {
        Some(Event::Started { model, .. }) if model.name != SCRIPT => bail!(
            "the run began with the model `{}`: name one that goes on by --url and --model-name (built with --features remote)",
            model.name
        ),
        _ => Ok(scripted(codec, records)),
    }
}

#[cfg(feature = "remote")]
fn named(args: &RunArgs) -> Result<Option<Arc<dyn ChatModel>>> {
    args.remote.model()
}

#[cfg(not(feature = "remote"))]
#[expect(clippy::unnecessary_wraps, reason = "as it is where models can be named")]
fn named(_: &RunArgs) -> Result<Option<Arc<dyn ChatModel>>> {
    Ok(None)
}

fn scripted(codec: CodecKind, records: &[Record]) -> Arc<dyn ChatModel> {
    Arc::new(Acting::new(SCRIPT, codec, demo::script()).after(records))
}
