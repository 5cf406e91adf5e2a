//! Runs, their figures and their answers, kept in one SQLite file.
