//! HTML pages, in any encoding that they claim.
#![no_main]

use jarre_fuzz::read;
use jarre_rag::Format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    read(Format::Html, bytes);
});
