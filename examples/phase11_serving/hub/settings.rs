use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use reqwest::Url;
use reqwest::header::HeaderValue;

/// Where models come from and are kept: what the tools of Hugging Face read from the environment.
pub(super) struct Settings {
    pub(super) endpoint: Url,
    pub(super) cache: PathBuf,
    /// Shown nowhere.
    pub(super) token: Option<HeaderValue>,
    pub(super) offline: bool,
}

impl Settings {
    /// As `HF_ENDPOINT`, `HF_HUB_CACHE`, `HF_HOME`, `HF_TOKEN` and `HF_HUB_OFFLINE` say.
    pub(super) fn from_environment() -> Result<Self> {
        let home = || std::env::home_dir().map(|home| home.join(".cache/huggingface"));
        let home = path("HF_HOME").or_else(home).context("there is no home folder; set HF_HOME")?;
        let endpoint = text("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".to_owned());
        let token = text("HF_TOKEN").or_else(|| read_token(&path("HF_TOKEN_PATH").unwrap_or_else(|| home.join("token"))));
        let offline = text("HF_HUB_OFFLINE").is_some_and(|value| matches!(value.to_lowercase().as_str(), "1" | "true" | "yes" | "on"));
        Self::new(&endpoint, path("HF_HUB_CACHE").unwrap_or_else(|| home.join("hub")), token.as_deref(), offline)
    }

    pub(super) fn new(endpoint: &str, cache: PathBuf, token: Option<&str>, offline: bool) -> Result<Self> {
        let endpoint = Url::parse(endpoint.trim_end_matches('/')).context("HF_ENDPOINT is no address")?;
        ensure!(matches!(endpoint.scheme(), "http" | "https") && endpoint.has_host(), "HF_ENDPOINT is no address of the web");
        let token = token.map(bearer).transpose()?;
        ensure!(token.is_none() || is_safe(&endpoint), "HF_TOKEN is not sent over plain HTTP; use an https address in HF_ENDPOINT");
        Ok(Self { endpoint, cache, token, offline })
    }
}

/// Whether what is sent there is read by nobody else.
fn is_safe(endpoint: &Url) -> bool {
    let is_local =
        |host: &str| host == "localhost" || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    endpoint.scheme() == "https" || endpoint.host_str().is_some_and(is_local)
}

fn bearer(token: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.trim())).ok().context("HF_TOKEN has letters that no token has")?;
    value.set_sensitive(true);
    Ok(value)
}

fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

fn path(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn read_token(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok().filter(|token| !token.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_shown_nowhere_and_not_sent_in_the_open() {
        let settings = |endpoint| Settings::new(endpoint, PathBuf::new(), Some("hf_secret"), false);
        for safe in ["https://huggingface.co/", "http://127.0.0.1:80", "http://[::1]:80", "http://localhost"] {
            let token = settings(safe).unwrap().token.unwrap();
            assert!(token.is_sensitive() && !format!("{token:?}").contains("secret"));
        }
        for open in ["http://huggingface.co", "http://127.0.0.1.example.org", "ftp://localhost", "no address"] {
            let told = format!("{:#}", settings(open).err().unwrap());
            assert!(!told.contains("secret"), "{told}");
        }
        assert!(Settings::new("http://huggingface.co", PathBuf::new(), None, false).is_ok());
        let told = Settings::new("https://x", PathBuf::new(), Some("hf_\u{7}secret"), false).err().unwrap();
        assert!(!format!("{told:?}").contains("secret"));
    }
}
