use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use indicatif::ProgressBar;
use reqwest::header::{AUTHORIZATION, CONTENT_RANGE, ETAG, HeaderMap, LINK, RANGE};
use reqwest::{Client, Response, StatusCode, Url};
use sha2::{Digest, Sha256};

use super::listing::File;
use super::settings::Settings;

/// How often a file is asked for until it is there; each try goes on where the last broke off.
const TRIES: u32 = 5;
/// Bytes of a list of files at most.
const MAX_LIST_BYTES: usize = 32 << 20;

/// Why something did not come.
pub(super) enum Missing {
    /// The hub was not reached, or could not answer: later it may.
    Unreached(anyhow::Error),
    /// The hub does not have it, or not for us; or what came is wrong.
    Refused(anyhow::Error),
}

impl Missing {
    pub(super) fn into_error(self) -> anyhow::Error {
        match self {
            Self::Unreached(error) | Self::Refused(error) => error,
        }
    }
}

/// A hub, asked as its settings say.
pub(super) struct Hub<'a> {
    settings: &'a Settings,
    client: Client,
}

impl<'a> Hub<'a> {
    pub(super) fn new(settings: &'a Settings) -> Result<Self> {
        let client = Client::builder().connect_timeout(Duration::from_secs(10)).read_timeout(Duration::from_secs(30));
        let client = client.user_agent(concat!("jarre/", env!("CARGO_PKG_VERSION"))).build()?;
        Ok(Self { settings, client })
    }

    /// An address below the endpoint; `path` begins with a stroke.
    pub(super) fn address(&self, path: &str) -> Result<Url> {
        let base = self.settings.endpoint.as_str().trim_end_matches('/');
        Url::parse(&format!("{base}{path}")).with_context(|| format!("{path} makes no address"))
    }

    /// A short answer, and the address of what follows on it.
    pub(super) async fn get(&self, address: Url) -> Result<(Vec<u8>, Option<Url>), Missing> {
        let mut response = self.send(address, None).await?;
        let next = self.next(response.headers()).map_err(Missing::Refused)?;
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreached)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > MAX_LIST_BYTES {
                return Err(Missing::Refused(anyhow!("the hub's answer has more than {MAX_LIST_BYTES} bytes")));
            }
        }
        Ok((bytes, next))
    }

    /// Brings a file to `place`, which has it whole or not at all. What came before a break is kept beside it, and the next call goes on from there.
    pub(super) async fn fetch(&self, address: &Url, file: &File, place: &Path, bar: &ProgressBar) -> Result<()> {
        let partial = with_suffix(place, ".incomplete");
        let before = bar.position();
        let mut tries = 1;
        loop {
            bar.set_position(before);
            match self.fetch_once(address, file, &partial, bar).await {
                Ok(()) => break,
                Err(Missing::Unreached(_)) if tries < TRIES => tokio::time::sleep(Duration::from_millis(200 << tries)).await,
                Err(missing) => return Err(missing.into_error().context(format!("{} did not come", file.path))),
            }
            tries += 1;
        }
        if let Err(error) = check(&partial, file) {
            // What is wrong is not gone on with.
            fs::remove_file(&partial)?;
            return Err(error);
        }
        Ok(fs::rename(&partial, place)?)
    }

    async fn fetch_once(&self, address: &Url, file: &File, partial: &Path, bar: &ProgressBar) -> Result<(), Missing> {
        let local = |error: std::io::Error| Missing::Refused(error.into());
        let mut have = fs::metadata(partial).map_or(0, |found| found.len());
        if have > file.bytes {
            fs::remove_file(partial).map_err(local)?;
            have = 0;
        }
        if have == file.bytes && partial.exists() {
            bar.inc(have);
            return Ok(());
        }
        let mut response = self.send(address.clone(), Some(have)).await?;
        check_tag(&response, file).map_err(Missing::Refused)?;
        let goes_on = response.status() == StatusCode::PARTIAL_CONTENT;
        if goes_on && !begins_at(&response, have) {
            fs::remove_file(partial).map_err(local)?;
            return Err(Missing::Unreached(anyhow!("another part came than was asked for")));
        }
        if !goes_on {
            have = 0;
        }
        let mut output = OpenOptions::new().create(true).append(goes_on).write(true).truncate(!goes_on).open(partial).map_err(local)?;
        bar.inc(have);
        while let Some(chunk) = response.chunk().await.map_err(unreached)? {
            have += chunk.len() as u64;
            if have > file.bytes {
                return Err(Missing::Refused(anyhow!("more comes than the {} bytes that were told", file.bytes)));
            }
            output.write_all(&chunk).map_err(local)?;
            bar.inc(chunk.len() as u64);
        }
        output.sync_all().map_err(local)?;
        if have < file.bytes {
            return Err(Missing::Unreached(anyhow!("the transfer broke off after {have} of {} bytes", file.bytes)));
        }
        Ok(())
    }

    /// Asks once, for what follows on the first bytes where `from` is given.
    async fn send(&self, address: Url, from: Option<u64>) -> Result<Response, Missing> {
        let shown = address.path().to_owned();
        let mut request = self.client.get(address);
        if let Some(token) = &self.settings.token {
            // Not sent on where another host is named instead.
            request = request.header(AUTHORIZATION, token.clone());
        }
        if let Some(from) = from.filter(|from| *from > 0) {
            request = request.header(RANGE, format!("bytes={from}-"));
        }
        let response = request.send().await.map_err(unreached)?;
        let status = response.status();
        let told = match status {
            status if status.is_success() => return Ok(response),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "is not for everybody: set HF_TOKEN to a token that may read it",
            StatusCode::NOT_FOUND => "is not there",
            _ => "was not answered",
        };
        let error = anyhow!("{shown} {told} ({status})");
        let later = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::REQUEST_TIMEOUT;
        Err(if later { Missing::Unreached(error) } else { Missing::Refused(error) })
    }

    /// The next page of a list. One on another host is refused: it would be shown the token.
    fn next(&self, headers: &HeaderMap) -> Result<Option<Url>> {
        let links = headers.get(LINK).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let next = links.split(',').find(|link| link.contains("rel=\"next\""));
        let Some(target) = next.and_then(|link| link.split_once('<')?.1.split_once('>')) else { return Ok(None) };
        let address = self.settings.endpoint.join(target.0).context("the next page has no address")?;
        ensure!(address.origin() == self.settings.endpoint.origin(), "the hub's list goes on at another host");
        Ok(Some(address))
    }
}

fn unreached(error: reqwest::Error) -> Missing {
    Missing::Unreached(anyhow::Error::from(error.without_url()).context("the hub cannot be reached"))
}

/// Whether what comes follows on the first `have` bytes.
fn begins_at(response: &Response, have: u64) -> bool {
    let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {have}-")))
}

/// A file that the hub keeps in git has its git name for a tag; elsewhere tags mean other things.
fn check_tag(response: &Response, file: &File) -> Result<()> {
    let tag = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok());
    let tag = tag.map(|tag| tag.trim_start_matches("W/").trim_matches('"')).filter(|tag| tag.len() == file.blob.len());
    match tag {
        Some(tag) if !file.is_large && tag != file.blob => bail!("{} is another file than was listed: it changed meanwhile", file.path),
        _ => Ok(()),
    }
}

/// Whether a file has the size, and where it is a large one the digest, that was told.
fn check(path: &Path, file: &File) -> Result<()> {
    let bytes = fs::metadata(path)?.len();
    ensure!(bytes == file.bytes, "{} has {bytes} bytes, and {} were told", file.path, file.bytes);
    if !file.is_large {
        return Ok(());
    }
    let (mut input, mut digest, mut buffer) = (fs::File::open(path)?, Sha256::new(), vec![0; 1 << 20]);
    loop {
        let read = input.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        digest.update(&buffer[..read]);
    }
    let found = digest.finalize().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    ensure!(found == file.blob, "{} has another SHA-256 than was told: it was damaged on its way", file.path);
    Ok(())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
