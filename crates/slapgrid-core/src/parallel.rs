//! Several subjects at a time.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard};

/// Works on `subjects` with so many threads at most. The results are in the order of the subjects;
/// of those for which `work` returns nothing there is none.
pub(crate) fn in_parallel<T: Sync, R: Send>(
    workers: NonZeroUsize,
    subjects: &[T],
    work: impl Fn(&T) -> Option<R> + Sync,
) -> Vec<R> {
    let slots: Vec<_> = subjects.iter().map(|_| Mutex::new(None)).collect();
    let queue = Mutex::new(subjects.iter().zip(&slots));
    let worker = || {
        while let Some((subject, slot)) = next(&queue) {
            *lock(slot) = work(subject);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..workers.get().min(subjects.len()) {
            scope.spawn(worker);
        }
    });
    slots.iter().filter_map(|slot| lock(slot).take()).collect()
}

/// The next item of a queue that threads share.
fn next<I: Iterator>(queue: &Mutex<I>) -> Option<I::Item> {
    lock(queue).next()
}

/// Takes a lock; what it guards is whole whatever happened to a thread that held it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_the_order_and_leave_gaps() {
        let subjects: Vec<u32> = (0..100).collect();
        for workers in [1, 3, 200] {
            let workers = NonZeroUsize::new(workers).unwrap();
            let squares = in_parallel(workers, &subjects, |number| {
                (number % 3 == 0).then(|| number * number)
            });
            let expected: Vec<u32> = (0..100).step_by(3).map(|number| number * number).collect();
            assert_eq!(squares, expected);
        }
        assert!(in_parallel(NonZeroUsize::MIN, &[0; 0], |_| Some(())).is_empty());
    }
}
