//! Whether a history of concurrent calls could have come from one copy of the data, each call taking effect at one moment between its
//! call and its return (Herlihy and Wing, 1990).
//!
//! [`check`] searches for such an order as Wing and Gong do, with Lowe's memory of configurations that failed (the set of placed
//! operations and the state), key by key where the [`Model`] says that keys do not meet (Horn and Kroening's P-compositionality).
//!
//! What a client does not know is said plainly. An operation whose outcome is [`Unknown`](Outcome::Unknown) may take effect at any time
//! after its call, or never; a read with an unknown outcome says nothing and is dropped, and so is whatever [`Failed`](Outcome::Failed),
//! that is, had no effect for sure. Nothing here reads a clock: times come with the history, and the budget is a number of steps.
//!
//! ```
//! use jarre_kv_store::testing::linearizability::{History, Register, RegisterInput::{Read, Write}, RegisterOutput::{Value, Written}, Verdict, check};
//!
//! let mut history = History::new();
//! let write = history.call(1, Write(5));
//! let early = history.call(2, Read);
//! history.returned(early, Value(Some(5)));
//! let late = history.call(3, Read);
//! history.returned(late, Value(None)); // The value was seen, and is gone.
//! history.returned(write, Written);
//!
//! let Verdict::Illegal(found) = check(&Register, history.operations(), 1_000) else { panic!("5 cannot be unseen") };
//! assert_eq!(found.culprit, late);
//! ```

mod bank;
mod check;
mod history;
mod list_append;
mod model;
mod register;
mod search;
mod set;
mod unique_register;

pub use bank::{Bank, BankInput, BankOutput};
pub use check::{Counterexample, Verdict, check};
pub use history::{History, Operation, Outcome};
pub use list_append::{ListAppend, ListInput, ListOutput};
pub use model::{Model, PerKey};
pub use register::{Register, RegisterInput, RegisterOutput};
pub use set::{Set, SetInput, SetOutput};
pub use unique_register::{Anomaly, UniqueRegister};
