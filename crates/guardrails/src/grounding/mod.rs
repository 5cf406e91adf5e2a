//! Whether an answer is held by the sources it was given.
