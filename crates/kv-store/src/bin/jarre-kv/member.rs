use anyhow::{Result, bail};
use jarre_kv_store::{Member, Members};
use serde_json::json;

use crate::{
    args::{Cli, MemberArgs},
    show, target,
};

pub async fn run(cli: &Cli, args: &MemberArgs) -> Result<bool> {
    if cli.file.is_some() {
        bail!("a store in one file has no members: name servers by --endpoints");
    }
    let remote = target::remote(cli)?;
    match args {
        MemberArgs::List => {}
        MemberArgs::Add { member, learner } => {
            let member = if *learner { member.clone().learner() } else { member.clone() };
            remote.add(member).await?;
        }
        MemberArgs::Promote { id } => remote.promote(*id).await?,
        MemberArgs::Remove { id } => remote.remove(*id).await?,
        MemberArgs::StepDown => remote.step_down().await?,
    }
    for member in remote.members().await? {
        print(cli, &member)?;
    }
    Ok(true)
}

fn print(cli: &Cli, member: &Member) -> Result<()> {
    if cli.json {
        return Ok(show::line(&json!(member))?);
    }
    let kind = if member.voter { "votes" } else { "follows" };
    println!("{}  {kind}  {}  {}", member.id, member.peer, member.client.as_deref().unwrap_or("-"));
    Ok(())
}

pub async fn status(cli: &Cli) -> Result<bool> {
    let status = target::store(cli)?.status().await?;
    let shown = [
        ("kind", json!(status.kind)),
        ("revision", json!(status.revision)),
        ("compacted", json!(status.compacted)),
        ("keys", json!(status.keys)),
        ("leases", json!(status.leases)),
        ("bytes", json!(status.bytes)),
        ("applied", json!(status.applied)),
        ("leader", json!(status.leader)),
    ];
    if cli.json {
        show::line(&shown.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<serde_json::Map<_, _>>().into())?;
        return Ok(true);
    }
    for (name, value) in shown.into_iter().filter(|(_, value)| !value.is_null()) {
        println!("{name:10} {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    Ok(true)
}
