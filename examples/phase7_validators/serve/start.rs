use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use jarre_core::SystemClock;
use jarre_guardrails::guarded::{GuardedConfig, OnBlock};
use jarre_guardrails::moderation::{Category, ModerationConfig, ModerationGuard, Reading, Rule};
use jarre_guardrails::pii::{RestoreConfig, RestoreGuard};
use jarre_guardrails::pipeline::{Pipeline, Policy, Registry, Resources};
use jarre_providers::{Dialect, EndpointConfig};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::args::{BlockedInput, DialectName};
use super::run::check_access;
use super::{App, DecisionLog, Keys, Moderator, ProxyConfig, ServeArgs, Upstream, run};

/// Stands before a model until it is asked to stop. Whether all that was open then came to its end.
///
/// # Errors
/// Where the arguments, the policy or the environment do not fit, or the address cannot be had.
pub(crate) fn serve(args: &ServeArgs) -> Result<bool> {
    let config = config(args)?;
    check_access(args.listen, &config, args.allow_open_access)?;
    let entropy = getrandom::u64().map_err(|error| anyhow!("the system gives no random numbers: {error}"))?;
    let pipeline = pipeline(args.policy.as_deref(), &args.policy_name)?;
    let mut app = App::new(config, upstream(args)?, pipeline, Arc::new(SystemClock::new()), entropy);
    app = app.with_guarding(guarding(args)).with_moderator(moderator()?);
    if args.restore_pseudonyms {
        app = app.with_restore(Arc::new(RestoreGuard::new(&RestoreConfig::default())?)).restoring_in_calls(&args.restore_in_calls);
    }
    if let Some(path) = &args.log_decisions {
        app = app.with_log(DecisionLog::open(path).with_context(|| format!("cannot write to {}", path.display()))?);
    }
    let asked = Arc::new(Notify::new());
    let heard = Arc::clone(&asked);
    ctrlc::set_handler(move || heard.notify_one()).context("cannot watch for Ctrl-C")?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind(args.listen).await.with_context(|| format!("cannot listen on {}", args.listen))?;
        println!("guarding {} on http://{}/v1", args.upstream, listener.local_addr()?);
        let is_complete = run(Arc::new(app), listener, asked.notified()).await;
        if !is_complete {
            eprintln!("requests were cut off at the deadline for stopping");
        }
        Ok(is_complete)
    })
}

fn config(args: &ServeArgs) -> Result<ProxyConfig> {
    let keys = args.api_key_env.as_deref().map(variable).transpose()?.map(|text| Keys::from_text(&text)).unwrap_or_default();
    if let Some(name) = args.api_key_env.as_ref().filter(|_| keys.is_empty()) {
        bail!("the environment variable {name} holds no key");
    }
    Ok(ProxyConfig {
        keys,
        max_body_bytes: args.max_body_bytes,
        max_in_flight: args.max_in_flight,
        request_timeout: Duration::from_secs(args.request_timeout),
        drain_timeout: Duration::from_secs(args.drain_timeout),
        ..ProxyConfig::default()
    })
}

fn guarding(args: &ServeArgs) -> GuardedConfig {
    let on_input = match args.blocked_input {
        BlockedInput::Error => OnBlock::Error,
        BlockedInput::Completion => OnBlock::Answer,
    };
    GuardedConfig { on_input, ..GuardedConfig::default() }
}

/// The guard that comes with the library, made to tell of every category. One is flagged where the guard would block it.
fn moderator() -> Result<Moderator> {
    let all = Category::ALL.map(|category| (category, Rule { note: Some(0.0), block: None }));
    let config = ModerationConfig { rules: all.into(), reading: Reading::Whole, ..ModerationConfig::default() };
    let moderator = Moderator::new("jarre-moderation", Arc::new(ModerationGuard::new(&config)?));
    let thresholds = Category::ALL.into_iter().filter_map(|category| Some((category, Rule::of(category).block?)));
    Ok(thresholds.fold(moderator, |moderator, (category, score)| moderator.with_threshold(category.name(), score)))
}

fn upstream(args: &ServeArgs) -> Result<Upstream> {
    let dialect = match args.upstream_dialect {
        DialectName::Openai => Dialect::OpenAi,
        DialectName::Extended => Dialect::Extended,
    };
    let key = args.upstream_key_env.as_deref().map(variable).transpose()?;
    let upstream = Upstream::new(EndpointConfig::new(&args.upstream).with_dialect(dialect), key.as_deref())?;
    Ok(args.model_aliases.iter().fold(upstream, |upstream, (name, model)| upstream.with_alias(name, model)))
}

/// The policy `name` of the file at `path`, or of the built-in ones.
///
/// # Errors
/// Where the file cannot be read, or what it says cannot be.
pub(crate) fn pipeline(path: Option<&Path>, name: &str) -> Result<Pipeline> {
    let text = match path {
        Some(path) => std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?,
        None => Policy::DEFAULT.to_owned(),
    };
    let policy = Policy::from_toml(&text)?;
    Ok(policy.pipeline(name, &Registry::builtin(), &Resources::new(), Arc::new(SystemClock::new()))?)
}

/// The value is not shown where it is wrong: it is a key.
fn variable(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| format!("the environment variable {name} is not set"))
}
