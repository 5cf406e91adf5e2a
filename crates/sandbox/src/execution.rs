use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::Protection;

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Execution {
    /// How it ended.
    pub exit: Exit,
    /// What it wrote to standard output.
    pub stdout: Captured,
    /// What it wrote to standard error.
    pub stderr: Captured,
    /// Limits that it ran into, in the order in which that was noticed.
    pub limits_hit: Vec<LimitHit>,
    /// Time from its start to its end.
    pub wall: Duration,
    /// Processor time of the whole tree, where it could be told.
    pub cpu: Option<Duration>,
    /// The most memory that the whole tree had, in bytes, where it could be told.
    pub peak_memory: Option<u64>,
    /// What stood around it.
    pub protection: Protection,
}

impl Execution {
    /// Whether it ended by itself with the code 0.
    pub fn succeeded(&self) -> bool {
        self.exit == Exit::Code(0)
    }
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

/// A stream that was captured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Captured {
    /// The text; what is not UTF-8 is replaced, control characters that could steer a terminal are shown as `\x1b` and the like.
    pub text: String,
    /// Bytes that were written and dropped, from the middle.
    pub dropped: u64,
}

/// A limit that a command ran into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LimitHit {
    /// [`Limits::wall`](crate::Limits::wall).
    Wall,
    /// [`Limits::cpu`](crate::Limits::cpu).
    Cpu,
    /// [`Limits::memory`](crate::Limits::memory).
    Memory,
    /// [`Limits::processes`](crate::Limits::processes).
    Processes,
    /// [`Limits::file_size`](crate::Limits::file_size).
    FileSize,
    /// [`Limits::disk`](crate::Limits::disk).
    Disk,
    /// [`Limits::output`](crate::Limits::output).
    Output,
    /// The caller cancelled.
    Cancelled,
}

impl fmt::Display for LimitHit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wall => "time",
            Self::Cpu => "processor time",
            Self::Memory => "memory",
            Self::Processes => "processes",
            Self::FileSize => "file size",
            Self::Disk => "disk",
            Self::Output => "output",
            Self::Cancelled => "cancelled",
        })
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "ended by signal {signal}"),
        }
    }
}

/// How it ended, which limits it met, and what it wrote: what a person or a model reads.
impl fmt::Display for Execution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} after {:.3} s", self.exit, self.wall.as_secs_f64())?;
        if !self.limits_hit.is_empty() {
            let hits: Vec<String> = self.limits_hit.iter().map(ToString::to_string).collect();
            write!(f, "; limits met: {}", hits.join(", "))?;
        }
        for (name, stream) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !stream.text.is_empty() {
                write!(f, "\n--- {name} ---\n{}", stream.text.trim_end_matches('\n'))?;
            }
        }
        Ok(())
    }
}
