//! `cluster`: a cluster and a prompt. What is typed happens to it; in a simulated one time passes only while something happens.

use std::io::{BufRead, IsTerminal, Write, stdin, stdout};

use anyhow::{Context, Result, bail, ensure};
use jarre_kv_store::testing::nemesis::Grudge;

use crate::{
    args::ClusterArgs,
    client::Client,
    deployment::{Deployment, Fault, MILLI, Micros},
    request::{Answer, Input, Level, Value},
    timeline::letter,
};

const HELP: &str = "\
  status                   who leads
  put NODE KEY             writes a new value at a node: put A x
  get NODE KEY [LEVEL]     reads: linearizable (default), lease, stale, or stale:MS
  cut GROUP|GROUP          cuts the network: cut AB|C
  one-way FROM TO          TO no longer hears FROM
  heal                     nothing is cut any more
  kill, start, pause, resume NODE
  wait MS                  lets time pass
  quit";

/// How long the prompt waits for an answer.
const PATIENCE: Micros = 2_000 * MILLI;

pub(crate) fn run(args: &ClusterArgs) -> Result<()> {
    let mut prompt = Prompt::new(args.mode.deploy(usize::from(args.nodes), args.seed)?);
    println!("{}: {}\n{HELP}", args.mode.name(), args.mode.says());
    let is_typed = stdin().is_terminal();
    loop {
        if is_typed {
            print!("> ");
            stdout().flush()?;
        }
        let mut line = String::new();
        if stdin().lock().read_line(&mut line)? == 0 || line.trim() == "quit" {
            return Ok(());
        }
        match prompt.carry_out(line.trim()) {
            Ok(answer) => println!("{answer}"),
            Err(error) => println!("error: {error:#}"),
        }
    }
}

struct Prompt {
    deployment: Box<dyn Deployment>,
    cut: Grudge,
    asked: u64,
}

impl Prompt {
    fn new(mut deployment: Box<dyn Deployment>) -> Self {
        deployment.run_until(1_000 * MILLI);
        let cut = Grudge::none(deployment.nodes());
        Self { deployment, cut, asked: 0 }
    }

    fn carry_out(&mut self, line: &str) -> Result<String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [] | ["help"] => return Ok(HELP.to_owned()),
            ["status"] => {}
            ["put", node, key] => {
                let value = Value::new(self.asked + 1, 1);
                return Ok(format!("{value}: {}", self.ask(node, key, Input::Write(value))?));
            }
            ["get", node, key] => return self.ask(node, key, Input::Read(Level::Linearizable)),
            ["get", node, key, wanted] => return self.ask(node, key, Input::Read(level(wanted)?)),
            ["cut", groups] => self.cut(groups)?,
            ["one-way", from, to] => {
                let (from, to) = (self.node(from)?, self.node(to)?);
                self.cut.cut(from, to);
                self.deployment.inject(&Fault::Cut(self.cut.clone()))?;
            }
            ["heal"] => {
                self.cut = Grudge::none(self.deployment.nodes());
                self.deployment.inject(&Fault::Heal)?;
            }
            ["kill", node] => self.inject(Fault::Kill, node)?,
            ["start", node] => self.inject(Fault::Start, node)?,
            ["pause", node] => self.inject(Fault::Pause, node)?,
            ["resume", node] => self.inject(Fault::Resume, node)?,
            ["wait", millis] => self.wait(millis)?,
            _ => bail!("`{line}` is no command; `help` lists them"),
        }
        Ok(self.status())
    }

    fn inject(&mut self, fault: fn(usize) -> Fault, node: &str) -> Result<()> {
        self.deployment.inject(&fault(self.node(node)?))
    }

    fn wait(&mut self, millis: &str) -> Result<()> {
        let millis: u64 = millis.parse().with_context(|| format!("`{millis}` is no number of milliseconds"))?;
        ensure!(millis <= 600_000, "ten minutes are enough");
        self.deployment.run_until(self.deployment.now() + millis * MILLI);
        Ok(())
    }

    fn cut(&mut self, groups: &str) -> Result<()> {
        let groups = groups.split('|').map(|group| group.split(',').flat_map(|part| part.split("")).filter(|letter| !letter.is_empty()));
        let groups = groups.map(|group| group.map(|letter| self.node(letter)).collect::<Result<Vec<_>>>()).collect::<Result<Vec<_>>>()?;
        let groups: Vec<&[usize]> = groups.iter().map(Vec::as_slice).collect();
        self.cut = Grudge::between(self.deployment.nodes(), &groups);
        self.deployment.inject(&Fault::Cut(self.cut.clone()))
    }

    fn ask(&mut self, node: &str, key: &str, input: Input) -> Result<String> {
        let (node, key) = (self.node(node)?, key_number(key)?);
        self.asked += 1;
        let start = self.deployment.now();
        self.deployment.start(Client::scripted(self.asked, vec![(start, node, key, input)], PATIENCE - 100 * MILLI));
        while self.deployment.now() < start + PATIENCE {
            self.deployment.run_until(self.deployment.now() + MILLI / 2);
            let ended = self.deployment.last_of(self.asked).filter(|operation| operation.end.is_some());
            if let Some(operation) = ended {
                let took = (operation.end.unwrap_or(start) - operation.call) as f64 / MILLI as f64;
                return Ok(format!("{} ({took:.1} ms)", says(&operation.answer)));
            }
        }
        Ok("no answer".to_owned())
    }

    fn node(&self, name: &str) -> Result<usize> {
        let nodes = self.deployment.nodes();
        (0..nodes).find(|&node| letter(node).eq_ignore_ascii_case(name)).with_context(|| {
            let last = letter(nodes.saturating_sub(1));
            format!("there is no node {name}: they are A to {last}")
        })
    }

    fn status(&self) -> String {
        let leaders = self.deployment.leaders();
        let says = leaders.iter().map(|leader| {
            let term = leader.term.map_or(String::new(), |term| format!(" in term {term}"));
            format!("{} believes to lead{term}", letter(leader.node))
        });
        let says = if leaders.is_empty() { "nobody believes to lead".to_owned() } else { says.collect::<Vec<_>>().join(", ") };
        format!("{} ms: {says}", self.deployment.now() / MILLI)
    }
}

fn level(word: &str) -> Result<Level> {
    match word.split_once(':') {
        None if word == "linearizable" => Ok(Level::Linearizable),
        None if word == "lease" => Ok(Level::Lease),
        None if word == "stale" => Ok(Level::Stale { max_age: 1_000 * MILLI }),
        Some(("stale", millis)) => {
            let millis: u32 = millis.parse().with_context(|| format!("`{millis}` is no number of milliseconds"))?;
            Ok(Level::Stale { max_age: Micros::from(millis) * MILLI })
        }
        _ => bail!("`{word}` is no read level: linearizable, lease, stale or stale:MS"),
    }
}

fn key_number(name: &str) -> Result<u8> {
    ["x", "y", "z"].iter().position(|key| *key == name).map(|key| key as u8).context("keys here are x, y and z")
}

fn says(answer: &Answer) -> String {
    match answer {
        Answer::Written => "written".to_owned(),
        Answer::Value { value: None, .. } => "nothing there".to_owned(),
        Answer::Value { value: Some(value), age: None } => value.to_string(),
        Answer::Value { value: Some(value), age: Some(age) } => format!("{value}, {:.0} ms old at most", *age as f64 / MILLI as f64),
        Answer::Refused { reason, hint } => {
            let hint = hint.map_or(String::new(), |node| format!("; ask {}", letter(node)));
            format!("refused: {}{hint}", reason.name())
        }
        Answer::Unknown => "unknown: it may have happened, or may still".to_owned(),
    }
}

#[cfg(test)]
mod tests;
