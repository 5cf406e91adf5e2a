#![expect(clippy::unwrap_used, reason = "tests")]

//! The command line as a person or a script meets it: arguments in; exit code, standard output and standard error out.

mod answers;
mod exit_codes;
#[cfg(unix)]
mod interrupts;
mod program;
mod prompt;
