//! Remote models against a server on the loopback interface that answers as told.

#![expect(clippy::unwrap_used, reason = "tests")]
#![expect(clippy::disallowed_methods, reason = "how long a real socket is waited for is measured")]

mod chat;
mod embed;
mod failures;
mod server;
