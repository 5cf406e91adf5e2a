use std::{
    convert::Infallible,
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result};
use jarre_kv_store::{ServerTls, Tls, cluster::TlsTransport};

use crate::args::{Cli, ServeArgs};

/// How often to look whether certificates were renewed.
const LOOK: Duration = Duration::from_secs(5);
/// Where what cannot be used comes from.
const CLIENTS: &str = "cannot use what --cert-file, --key-file and --trusted-ca-file name";
const MEMBERS: &str = "cannot use what --peer-cert-file, --peer-key-file and --peer-trusted-ca-file name";

/// How servers are known, and this program to them.
pub fn caller(cli: &Cli) -> Result<Option<Tls>> {
    let Some(authorities) = &cli.cacert else { return Ok(None) };
    let tls = Tls::new(read(authorities)?);
    Ok(Some(match (&cli.cert, &cli.key) {
        (Some(certificate), Some(key)) => tls.with_identity(read(certificate)?, read(key)?),
        _ => tls,
    }))
}

/// What a server shows to its clients and to other members.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    pub clients: Option<ServerTls>,
    pub members: Option<TlsTransport>,
}

impl Shown {
    pub fn new(args: &ServeArgs) -> Result<Self> {
        let clients = client_files(args)?.map(|files| ServerTls::new(files.certificate, files.key, files.authorities.as_deref()));
        let clients = clients.transpose().context(CLIENTS)?;
        let members = member_tls(args)?.map(|tls| TlsTransport::new(&tls)).transpose().context(MEMBERS)?;
        Ok(Self { clients, members })
    }

    /// Takes what was renewed, for as long as it is polled. What cannot be used is told, and what there was stays.
    pub async fn keep_up(&self, args: &ServeArgs) -> Infallible {
        let mut known = written(args);
        loop {
            tokio::time::sleep(LOOK).await;
            let now = written(args);
            if now != known {
                match self.read_again(args) {
                    Ok(()) => tracing::info!("renewed certificates are shown from now on"),
                    Err(error) => tracing::error!("renewed certificates cannot be used, those from before stay: {error:#}"),
                }
                known = now;
            }
        }
    }

    fn read_again(&self, args: &ServeArgs) -> Result<()> {
        if let (Some(shown), Some(files)) = (&self.clients, client_files(args)?) {
            shown.replace(files.certificate, files.key, files.authorities.as_deref()).context(CLIENTS)?;
        }
        if let (Some(shown), Some(tls)) = (&self.members, member_tls(args)?) {
            shown.replace(&tls).context(MEMBERS)?;
        }
        Ok(())
    }
}

/// What is shown to clients.
struct Files {
    certificate: Vec<u8>,
    key: Vec<u8>,
    authorities: Option<Vec<u8>>,
}

fn client_files(args: &ServeArgs) -> Result<Option<Files>> {
    let (Some(certificate), Some(key)) = (&args.cert_file, &args.key_file) else { return Ok(None) };
    let authorities = args.trusted_ca_file.as_deref().map(read).transpose()?;
    Ok(Some(Files { certificate: read(certificate)?, key: read(key)?, authorities }))
}

fn member_tls(args: &ServeArgs) -> Result<Option<Tls>> {
    let (Some(authorities), Some(certificate), Some(key)) = (&args.peer_trusted_ca_file, &args.peer_cert_file, &args.peer_key_file) else {
        return Ok(None);
    };
    Ok(Some(Tls::new(read(authorities)?).with_identity(read(certificate)?, read(key)?)))
}

/// When each of the files was last written, as far as can be told.
fn written(args: &ServeArgs) -> Vec<Option<SystemTime>> {
    let clients = [&args.cert_file, &args.key_file, &args.trusted_ca_file];
    let members = [&args.peer_cert_file, &args.peer_key_file, &args.peer_trusted_ca_file];
    let modified = |path: &PathBuf| fs::metadata(path).and_then(|file| file.modified()).ok();
    clients.into_iter().chain(members).map(|path| path.as_ref().and_then(modified)).collect()
}

fn read(path: impl AsRef<Path>) -> Result<Vec<u8>> {
    let path = path.as_ref();
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
