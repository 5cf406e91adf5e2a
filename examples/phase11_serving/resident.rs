//! Memory of this process, as Linux tells it; nothing on other systems.

use std::fs;

/// Bytes in memory now.
pub(crate) fn now() -> Option<u64> {
    field(&status()?, "VmRSS:")
}

/// The most bytes that were in memory so far, or since [`forget_peak`].
pub(crate) fn peak() -> Option<u64> {
    field(&status()?, "VmHWM:")
}

/// Begins the peak anew, where the system lets a process do so.
pub(crate) fn forget_peak() {
    // Without it the peak is that of the whole life, which is the same or more: figures are then upper bounds.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

fn status() -> Option<String> {
    fs::read_to_string("/proc/self/status").ok()
}

/// The bytes of a line such as `VmRSS:    1234 kB`.
fn field(status: &str, name: &str) -> Option<u64> {
    let kibibytes = status.lines().find_map(|line| line.strip_prefix(name))?.trim().strip_suffix("kB")?;
    Some(kibibytes.trim().parse::<u64>().ok()? << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_status_is_read_in_bytes() {
        let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t      10 kB\nThreads:\t3\n";
        assert_eq!(field(status, "VmHWM:"), Some(2 << 20));
        assert_eq!(field(status, "VmRSS:"), Some(10 << 10));
        assert_eq!(field(status, "Threads:"), None);
        assert_eq!(field(status, "VmSwap:"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_large_buffer_shows_in_the_peak() {
        let before = peak().expect("Linux tells it");
        let buffer = vec![1_u8; 64 << 20];
        std::hint::black_box(&buffer);
        assert!(peak().expect("Linux tells it") >= before + (32 << 20) || now().expect("Linux tells it") >= 64 << 20);
    }
}
