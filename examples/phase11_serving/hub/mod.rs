//! Models by their names at the Hugging Face Hub, kept where its own tools keep them.

mod cache;
mod download;
mod listing;
mod name;
mod settings;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use self::cache::ModelCache;
use self::download::{Hub, Missing};
use self::listing::File;
use self::name::HubName;
use self::settings::Settings;

/// Pages of a list of files at most.
const MAX_PAGES: usize = 100;

/// The folder of the model `ORG/NAME` or `ORG/NAME@REVISION`, fetched where it is not in the cache yet. Blocks, on any thread.
pub(crate) fn folder(name: &str) -> Result<PathBuf> {
    let settings = Settings::from_environment()?;
    let name: HubName = name.parse()?;
    let work = || tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(find(&settings, &name));
    // A runtime cannot be waited for inside of another one.
    let found = std::thread::scope(|scope| scope.spawn(work).join());
    found.map_err(|_| anyhow!("fetching a model failed because of a defect"))?.with_context(|| format!("cannot fetch {name} from the hub"))
}

async fn find(settings: &Settings, name: &HubName) -> Result<PathBuf> {
    let cache = ModelCache::new(&settings.cache, name);
    let cached = cache.find(&name.revision);
    if settings.offline {
        return cached.context("HF_HUB_OFFLINE is set, and the cache does not have it whole");
    }
    let hub = Hub::new(settings)?;
    let commit = match (hub.commit(name).await, cached) {
        (Ok(commit), _) => commit,
        (Err(Missing::Unreached(error)), Some(cached)) => {
            eprintln!("{name} is taken from the cache as it is: {error:#}");
            return Ok(cached);
        }
        (Err(missing), _) => return Err(missing.into_error()),
    };
    if cache.find(&commit).is_none() {
        hub.bring(name, &commit, &cache).await?;
    }
    cache.name(&name.revision, &commit)?;
    cache.find(&commit).context("it has no configuration, or not all of its weights as safetensors")
}

impl Hub<'_> {
    async fn commit(&self, name: &HubName) -> Result<String, Missing> {
        let address = self.address(&format!("/api/models/{name}/revision/{}", name.escaped_revision())).map_err(Missing::Refused)?;
        listing::commit(&self.get(address).await?.0).map_err(Missing::Refused)
    }

    /// Fetches what the cache lacks of a commit, and shows it in its snapshot.
    async fn bring(&self, name: &HubName, commit: &str, cache: &ModelCache) -> Result<()> {
        let files = self.files(name, commit).await?;
        ensure!(files.iter().any(|file| listing::is_weights(&file.path)), "it has no weights as safetensors");
        let bar = ProgressBar::new(files.iter().map(|file| file.bytes).sum());
        bar.set_style(ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}")?);
        for file in &files {
            bar.set_message(file.path.clone());
            let blob = cache.blob(file);
            std::fs::create_dir_all(blob.parent().context("blobs lie in a folder")?)?;
            let _lock = cache.lock(file)?;
            if blob.is_file() {
                bar.inc(file.bytes);
            } else {
                let path = file.path.split('/').map(escaped).collect::<Vec<_>>().join("/");
                self.fetch(&self.address(&format!("/{name}/resolve/{commit}/{path}"))?, file, &blob, &bar).await?;
            }
            cache.link(file, commit)?;
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// The files of a commit that a model is loaded from.
    async fn files(&self, name: &HubName, commit: &str) -> Result<Vec<File>> {
        let mut files = Vec::new();
        let mut next = Some(self.address(&format!("/api/models/{name}/tree/{commit}?recursive=true"))?);
        for _ in 0..MAX_PAGES {
            let Some(address) = next else { return Ok(files) };
            let (page, further) = self.get(address).await.map_err(Missing::into_error)?;
            files.extend(listing::files(&page)?.into_iter().filter(|file| listing::is_wanted(&file.path)));
            next = further;
        }
        Err(anyhow!("its list of files has no end"))
    }
}

/// A part of a path as one of an address.
fn escaped(part: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'~');
    part.bytes().map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
