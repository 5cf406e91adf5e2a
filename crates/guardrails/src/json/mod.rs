//! JSON out of what models write: found, mended and fitted, each step told.
