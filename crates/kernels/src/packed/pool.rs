//! One team of threads for all kernels.
//!
//! Parking and waking threads for every product costs more than a small product does. Here workers that have run out of work look for more
//! for some ten microseconds, then give way to other threads, and only then sleep.

#![expect(unsafe_code, reason = "workers borrow the caller's closure")]

use std::any::Any;
use std::cell::UnsafeCell;
use std::fmt;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};

use super::disjoint::Disjoint;
use super::door::{Door, pause_until};

/// The thread count asked for before the global pool started; 0 where none was.
static THREADS: AtomicUsize = AtomicUsize::new(0);
static GLOBAL: OnceLock<Pool> = OnceLock::new();

/// Sets how many threads [`Pool::global`] has, its caller counted; no more are started than the machine has cores. Gives back whether the
/// pool had not started yet: afterwards its size stands.
pub fn set_threads(threads: usize) -> bool {
    THREADS.store(threads.max(1), Ordering::Relaxed);
    GLOBAL.get().is_none()
}

/// Threads that wait for work, and take it together with whoever brings it.
pub struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

impl Pool {
    /// The pool of the process, started at first use.
    pub fn global() -> &'static Self {
        GLOBAL.get_or_init(|| {
            let cores = thread::available_parallelism().map_or(1, Into::into);
            Self::new(match THREADS.load(Ordering::Relaxed) {
                0 => cores,
                threads => threads.min(cores),
            })
        })
    }

    /// A pool of `threads` threads, the caller of [`run`](Self::run) counted. Where the system refuses threads it has fewer.
    pub fn new(threads: usize) -> Self {
        let shared = Arc::new(Shared::default());
        let worker = |index| {
            let shared = Arc::clone(&shared);
            thread::Builder::new().name(format!("kernels-{index}")).spawn(move || shared.work()).ok()
        };
        let workers = (1..threads).map_while(worker).collect();
        Self { shared, workers }
    }

    /// The most threads that work together.
    pub fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Runs `task(0)` to `task(tasks - 1)`, each once, on any thread and in any order. Where the pool is at work already, for another
    /// thread or for the task that calls, the caller runs them all itself; and so does a thread of rayon's, whose pool has filled the cores.
    ///
    /// # Panics
    /// With the first panic of a task, when no task runs any more; those not begun by then are left out.
    pub fn run(&self, tasks: usize, task: impl Fn(usize) + Sync) {
        if tasks <= 1
            || self.workers.is_empty()
            || rayon::current_thread_index().is_some()
            || self.shared.taken.swap(true, Ordering::Acquire)
        {
            (0..tasks).for_each(task);
            return;
        }
        self.shared.lead(tasks, &task);
        let panic = lock(&self.shared.panic).take();
        self.shared.taken.store(false, Ordering::Release);
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }

    /// Runs `edit` on every `size` values of a slice with their index, the last of which may be fewer.
    ///
    /// # Panics
    /// Where `size` is 0, and as [`run`](Self::run).
    pub fn edit_chunks<T: Send>(&self, values: &mut [T], size: usize, edit: impl Fn(usize, &mut [T]) + Sync) {
        let values = Disjoint::new(values);
        self.run(values.len().div_ceil(size), |index| {
            let chunk = chunk(index, size, values.len());
            // SAFETY: chunks of different indices do not overlap, and each index is run once.
            edit(index, unsafe { values.part(chunk) });
        });
    }
}

/// The values of one chunk out of `len`.
pub(super) fn chunk(index: usize, size: usize, len: usize) -> Range<usize> {
    index * size..((index + 1) * size).min(len)
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.shared.wake();
        for worker in self.workers.drain(..) {
            // A worker catches the panics of its tasks and has none of its own.
            let _ = worker.join();
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("threads", &self.threads()).finish_non_exhaustive()
    }
}

/// A closure that workers run, and how often.
#[derive(Clone, Copy)]
struct Job {
    task: &'static (dyn Fn(usize) + Sync),
    tasks: usize,
}

/// What leader and workers share. A leader holds `taken`; it alone writes `job`, and only while the door is shut and nobody is inside.
#[derive(Default)]
struct Shared {
    taken: AtomicBool,
    door: Door,
    job: UnsafeCell<Option<Job>>,
    next: AtomicUsize,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    stop: AtomicBool,
    sleeping: AtomicUsize,
    bed: Mutex<()>,
    bell: Condvar,
}

// SAFETY: `job` is the one field that is not `Sync`. It is written by the leader while no worker is inside the door, and read by workers
// inside; the door's atomic orders the two. Closures in it are `Sync`.
unsafe impl Sync for Shared {}
// SAFETY: a `Job` is a shared reference to a `Sync` closure and a number, both of which may go to another thread.
unsafe impl Send for Shared {}

impl Shared {
    /// Opens a job, takes part in it, and leaves when no worker is in it any more.
    fn lead(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        // SAFETY: the closure outlives every use: `shut` below returns when no worker is inside, nothing before it unwinds, as `take_part`
        // catches the tasks' panics, and no worker enters a shut door.
        let task = unsafe { std::mem::transmute::<&(dyn Fn(usize) + Sync), &'static (dyn Fn(usize) + Sync)>(task) };
        let job = Job { task, tasks };
        // SAFETY: the door is shut with nobody inside, and only the one leader writes.
        unsafe { *self.job.get() = Some(job) };
        self.next.store(0, Ordering::Relaxed);
        self.door.open();
        if self.sleeping.load(Ordering::SeqCst) > 0 {
            self.wake();
        }
        self.take_part(job);
        self.door.shut();
    }

    /// Runs tasks until none is left.
    #[expect(clippy::disallowed_methods, reason = "a panic must reach the caller, not end a worker while the caller waits for it")]
    fn take_part(&self, job: Job) {
        let run = || {
            loop {
                let index = self.next.fetch_add(1, Ordering::Relaxed);
                if index >= job.tasks {
                    break;
                }
                (job.task)(index);
            }
        };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(run)) {
            self.next.store(job.tasks, Ordering::Relaxed);
            lock(&self.panic).get_or_insert(panic);
        }
    }

    /// A worker's life.
    fn work(&self) {
        let mut last = 0;
        while self.wait(last) {
            let Some(number) = self.door.enter(last) else { continue };
            last = number;
            // SAFETY: inside the door nobody writes the job, which was written before the door opened.
            if let Some(job) = unsafe { *self.job.get() } {
                self.take_part(job);
            }
            self.door.leave();
        }
    }

    /// Waits for a job other than the last one; false where the pool ends.
    fn wait(&self, last: u32) -> bool {
        let ready = || self.stop.load(Ordering::SeqCst) || self.door.is_open(last);
        if !pause_until(ready) {
            let mut guard = lock(&self.bed);
            self.sleeping.fetch_add(1, Ordering::SeqCst);
            // A leader that did not see this thread asleep had opened its door before, so the thread sees it open.
            while !ready() {
                guard = self.bell.wait(guard).unwrap_or_else(PoisonError::into_inner);
            }
            self.sleeping.fetch_sub(1, Ordering::SeqCst);
        }
        !self.stop.load(Ordering::SeqCst)
    }

    fn wake(&self) {
        drop(lock(&self.bed));
        self.bell.notify_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(pool: &Pool, tasks: usize) -> Vec<usize> {
        let counts: Vec<AtomicUsize> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
        pool.run(tasks, |task| {
            counts[task].fetch_add(1, Ordering::Relaxed);
        });
        counts.into_iter().map(AtomicUsize::into_inner).collect()
    }

    #[test]
    fn every_task_runs_once_before_run_returns() {
        for threads in [1, 2, 4] {
            let pool = Pool::new(threads);
            assert_eq!(pool.threads(), threads);
            for tasks in (0..200).chain([10_000]) {
                assert!(counts(&pool, tasks).iter().all(|&count| count == 1), "{tasks} tasks on {threads} threads");
            }
        }
    }

    #[test]
    fn workers_that_fell_asleep_are_woken_and_help() {
        let pool = Pool::new(2);
        for _ in 0..3 {
            thread::sleep(std::time::Duration::from_millis(20));
            // Each of the two tasks waits for the other, so one thread alone would never end.
            let met = AtomicUsize::new(0);
            pool.run(2, |_| {
                met.fetch_add(1, Ordering::SeqCst);
                while met.load(Ordering::SeqCst) < 2 {
                    thread::yield_now();
                }
            });
        }
    }

    #[test]
    fn a_task_may_call_the_pool_again() {
        let pool = Pool::new(3);
        let total = AtomicUsize::new(0);
        pool.run(8, |_| {
            pool.run(8, |_| {
                total.fetch_add(1, Ordering::Relaxed);
            });
        });
        assert_eq!(total.into_inner(), 64);
    }

    #[test]
    fn threads_may_call_one_pool_at_once() {
        let pool = Pool::new(3);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..200).for_each(|_| assert!(counts(&pool, 16).iter().all(|&count| count == 1))));
            }
        });
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the panic is what is tested")]
    fn a_panic_reaches_the_caller_and_leaves_the_pool_usable() {
        let pool = Pool::new(3);
        for bad in 0..20 {
            let panic = catch_unwind(AssertUnwindSafe(|| pool.run(20, |task| assert_ne!(task, bad, "bad task")))).unwrap_err();
            assert!(panic.downcast_ref::<String>().is_some_and(|text| text.contains("bad task")));
            assert!(counts(&pool, 50).iter().all(|&count| count == 1));
        }
    }

    #[test]
    fn chunks_cover_a_slice() {
        let mut values = vec![0; 1003];
        Pool::new(2).edit_chunks(&mut values, 10, |index, chunk| chunk.fill(index + 1));
        assert!(values.iter().enumerate().all(|(i, &x)| x == i / 10 + 1));
    }

    #[test]
    fn the_global_pool_keeps_its_size() {
        assert!(set_threads(1) || GLOBAL.get().is_some());
        let threads = Pool::global().threads();
        assert!(!set_threads(threads + 1));
        assert_eq!(Pool::global().threads(), threads);
    }
}
