//! What a forged length makes the reader allocate. Alone in its program, because it measures the whole process.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "tests")]

use jarre_quant::gguf::GgufFile;

/// Mebibytes of address space that the process has had at most; they count memory that was reserved and not used, too.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmPeak:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() >> 10
}

#[test]
fn no_changed_byte_reserves_more_than_the_file_can_fill() {
    let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/types.gguf")).unwrap();
    let header = GgufFile::from_bytes(bytes.clone()).unwrap().data_offset() as usize;
    let before = peak();
    for place in 0..header {
        for mask in [0x01, 0x10, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[place] ^= mask;
            if let Ok(file) = GgufFile::from_bytes(changed) {
                for tensor in file.tensors() {
                    file.read_f32(tensor.name()).unwrap();
                }
            }
        }
    }
    let grown = peak() - before;
    assert!(grown < 8, "a file of {} KiB made the process grow by {grown} MiB", bytes.len() >> 10);
}
