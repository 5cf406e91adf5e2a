//! PDF files. The parser is another author's: its panics and its endless loops are contained, and what it returns is held to the contract.
#![no_main]

use jarre_fuzz::read;
use jarre_rag::Format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    read(Format::Pdf, bytes);
});
