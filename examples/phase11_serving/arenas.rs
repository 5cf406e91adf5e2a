//! How many parts glibc may divide the memory of a server into.
#![expect(unsafe_code, reason = "a setting of the C library")]

/// Lets glibc keep as many arenas as threads run at once, and not eight times as many: memory that was freed in one serves no other, so that
/// a server grew by what each of them had once held. What `MALLOC_ARENA_MAX` says is left as it is.
///
/// To be called before there are other threads.
pub(crate) fn limit() {
    if std::env::var_os("MALLOC_ARENA_MAX").is_some() {
        return;
    }
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let arenas = libc::c_int::try_from(threads).unwrap_or(libc::c_int::MAX).max(2);
    // SAFETY: it takes two numbers, and no other thread allocates meanwhile.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, arenas) };
}
