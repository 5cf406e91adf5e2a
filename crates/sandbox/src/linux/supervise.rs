use std::{
    fs, io,
    os::{fd::AsRawFd, unix::fs::MetadataExt},
    path::Path,
    time::Duration,
};

use jarre_core::{Clock, SystemClock};

use super::{
    cgroup::Group,
    disk,
    launch::{Pipes, Running, system},
    report::{Failure, Report},
    streams::{Input, Output, wanted},
    sys, tree,
};
use crate::{Cancel, Error, Execution, Exit, LimitHit, Limits, Protection};

/// How often is looked whether a limit is met.
const TICK: Duration = Duration::from_millis(20);
/// How often the folder is measured, at most; seldomer where that takes long.
const DISK_TICK: Duration = Duration::from_millis(50);
/// The folder is measured for one part in so many of the time.
const DISK_SHARE: u32 = 10;

/// Why there is no execution to tell of.
#[derive(Debug)]
pub(super) enum Unfinished {
    /// A step before the program failed.
    Failed(Failure),
    /// The system refused something to the caller.
    Error(Error),
}

/// A command that runs, and what is watched about it.
#[derive(Debug)]
pub(super) struct Supervision<'a> {
    pub(super) running: Running,
    pub(super) dir: &'a Path,
    pub(super) limits: &'a Limits,
    pub(super) cancel: &'a Cancel,
    /// What the folder held before.
    pub(super) before: Option<disk::Usage>,
    clock: SystemClock,
    next_look: Duration,
    next_disk: Duration,
    hits: Vec<LimitHit>,
    ended: Option<(i32, u64)>,
    failed: Option<Failure>,
    most_memory: u64,
    /// Where no cgroup counts: what the tree was seen to use.
    times: tree::Times,
    most_cpu: Duration,
}

impl<'a> Supervision<'a> {
    pub(super) fn new(running: Running, dir: &'a Path, limits: &'a Limits, cancel: &'a Cancel, before: Option<disk::Usage>) -> Self {
        Self {
            running,
            dir,
            limits,
            cancel,
            before,
            clock: SystemClock::new(),
            next_look: limits.wall.min(TICK),
            next_disk: DISK_TICK,
            hits: Vec::new(),
            ended: None,
            failed: None,
            most_memory: 0,
            times: tree::Times::default(),
            most_cpu: Duration::ZERO,
        }
    }

    /// Sees the command to its end.
    pub(super) fn finish(mut self, pipes: Pipes, input: &[u8], protection: &Protection) -> Result<Execution, Unfinished> {
        let error = |doing| move |source| Unfinished::Error(system(doing)(source));
        let mut stdin = Input::new(pipes.stdin, input).map_err(error("open a pipe"))?;
        let mut outputs = [pipes.stdout, pipes.stderr].map(|pipe| Output::new(pipe, self.limits.output));
        let status = loop {
            let [Ok(stdout), Ok(stderr)] = &mut outputs else { break libc::SIGKILL };
            if self.wait_for_something(&mut stdin, stdout, stderr).map_err(error("wait for the command"))? {
                break self.running.wait();
            }
            let now = self.clock.now();
            if now >= self.next_look {
                self.look();
                let (now, end) = (self.clock.now(), self.limits.wall);
                self.next_look = if now < end { end.min(now + TICK) } else { now + TICK };
            }
        };
        let wall = self.clock.now();
        self.hear();
        if let Some(failure) = self.failed {
            return Err(Unfinished::Failed(failure));
        }
        let [stdout, stderr] = outputs.map(|output| output.map(Output::finish));
        let (stdout, stderr) = (stdout.map_err(error("open a pipe"))?, stderr.map_err(error("open a pipe"))?);
        if stdout.dropped > 0 || stderr.dropped > 0 {
            self.hit(LimitHit::Output);
        }
        let exit = exit(self.ended.map_or(status, |(status, _)| status));
        self.last_look(exit);
        let group = self.running.group.as_ref();
        Ok(Execution {
            exit,
            stdout,
            stderr,
            wall,
            cpu: group.and_then(Group::cpu).or(self.ended.map(|(_, cpu)| Duration::from_micros(cpu).max(self.most_cpu))),
            peak_memory: group.map_or((self.most_memory > 0).then_some(self.most_memory), Group::peak_memory),
            limits_hit: self.hits,
            protection: protection.clone(),
        })
    }

    /// Waits for output, room for input, a report or the end, at most a tick; whether all of the tree is at its end.
    fn wait_for_something(&mut self, stdin: &mut Input<'_>, stdout: &mut Output, stderr: &mut Output) -> io::Result<bool> {
        let left = self.next_look.saturating_sub(self.clock.now()).min(TICK).as_millis() as i32 + 1;
        let report = if self.ended.is_some() { None } else { Some(self.running.report.as_raw_fd()) };
        let mut files = [
            wanted(Some(self.running.ended.as_raw_fd()), libc::POLLIN),
            wanted(report, libc::POLLIN),
            stdout.wanted(),
            stderr.wanted(),
            stdin.wanted(),
        ];
        sys::poll(&mut files, left)?;
        let ready = files.map(|file| file.revents != 0);
        if ready[1] {
            self.hear();
        }
        if ready[2] {
            stdout.take();
        }
        if ready[3] {
            stderr.take();
        }
        if ready[4] {
            stdin.give();
        }
        Ok(ready[0])
    }

    /// Takes in what the tree's processes report.
    fn hear(&mut self) {
        if self.ended.is_some() {
            return;
        }
        match Report::receive(self.running.report.as_raw_fd()) {
            Ok(Some(Report::Failed(failure))) => {
                self.failed = self.failed.or(Some(failure));
                self.hear();
            }
            Ok(Some(Report::Ended(status, cpu))) => {
                self.ended = Some((status, cpu));
                if !self.running.plan.pids {
                    self.running.end();
                }
            }
            // All who could report are gone.
            _ => self.ended = self.ended.or(None),
        }
    }

    /// Ends the tree where a limit is met.
    fn look(&mut self) {
        if self.cancel.is_cancelled() {
            self.stop(LimitHit::Cancelled);
        }
        if self.clock.now() >= self.limits.wall {
            self.stop(LimitHit::Wall);
        }
        match &self.running.group {
            Some(group) => {
                if group.cpu().is_some_and(|cpu| cpu > self.limits.cpu) {
                    self.stop(LimitHit::Cpu);
                }
            }
            None => self.watch(),
        }
        if self.clock.now() >= self.next_disk {
            self.look_at_disk();
        }
    }

    /// Holds the tree to what a cgroup would.
    fn watch(&mut self) {
        let usage = tree::usage(self.running.init, &mut self.times);
        self.most_memory = self.most_memory.max(usage.memory);
        self.most_cpu = self.most_cpu.max(usage.cpu);
        if usage.memory > self.limits.memory {
            self.stop(LimitHit::Memory);
        }
        if usage.cpu > self.limits.cpu {
            self.stop(LimitHit::Cpu);
        }
        // At the limit the kernel refuses another, of which it does not tell.
        if usage.processes >= self.limits.processes {
            self.hit(LimitHit::Processes);
        }
        if usage.processes > self.limits.processes {
            self.running.end();
        }
    }

    fn look_at_disk(&mut self) {
        let began = self.clock.now();
        let processes = self.running.group.as_ref().map_or_else(|| tree::below(self.running.init), Group::processes);
        self.measure(&processes);
        let now = self.clock.now();
        self.next_disk = now + DISK_TICK.max(now.saturating_sub(began).saturating_mul(DISK_SHARE));
    }

    fn measure(&mut self, processes: &[libc::pid_t]) {
        let Some(before) = self.before else { return };
        let Ok(now) = disk::usage(self.dir) else { return self.stop(LimitHit::Disk) };
        let nameless = fs::metadata(self.dir).map_or(0, |dir| tree::nameless(processes, dir.dev()));
        if now.bytes.saturating_add(nameless).saturating_sub(before.bytes) > self.limits.disk {
            self.stop(LimitHit::Disk);
        }
        if now.largest >= self.limits.file_size && before.largest < self.limits.file_size {
            self.hit(LimitHit::FileSize);
        }
    }

    /// Finds limits that the command ran into and that did not end it from here.
    fn last_look(&mut self, exit: Exit) {
        match exit {
            Exit::Signal(libc::SIGXCPU) => self.hit(LimitHit::Cpu),
            Exit::Signal(libc::SIGXFSZ) => self.hit(LimitHit::FileSize),
            _ => {}
        }
        for hit in self.running.group.as_ref().map(Group::hits).unwrap_or_default() {
            self.hit(hit);
        }
        self.measure(&[]);
    }

    fn stop(&mut self, hit: LimitHit) {
        self.hit(hit);
        self.running.end();
    }

    fn hit(&mut self, hit: LimitHit) {
        if !self.hits.contains(&hit) {
            self.hits.push(hit);
        }
    }
}

/// The end that a wait status tells of (wait(2)).
fn exit(status: i32) -> Exit {
    if libc::WIFSIGNALED(status) { Exit::Signal(libc::WTERMSIG(status)) } else { Exit::Code(libc::WEXITSTATUS(status)) }
}
