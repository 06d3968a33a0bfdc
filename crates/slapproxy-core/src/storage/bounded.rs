//! A storage before which few may wait: who comes when there are too many is refused at once, instead
//! of late, when it no longer listens.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Listener, Records, Storage};
use crate::MasterError;

/// A storage with a bounded queue.
pub(crate) struct Bounded<S> {
    storage: S,
    present: AtomicUsize,
    most: usize,
}

/// Counts as present while it lives.
struct Turn<'a>(&'a AtomicUsize);

impl<S> Bounded<S> {
    /// At most so many transactions are under way or wait for their turn.
    pub(crate) fn new(storage: S, most: usize) -> Self {
        Self {
            storage,
            present: AtomicUsize::new(0),
            most,
        }
    }

    fn enter(&self) -> Result<Turn<'_>, MasterError> {
        let before = self.present.fetch_add(1, Ordering::Relaxed);
        let turn = Turn(&self.present);
        match before < self.most {
            true => Ok(turn),
            false => Err(MasterError::Overloaded),
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<S: Storage> Storage for Bounded<S> {
    fn read<T>(
        &self,
        function: impl Fn(&dyn Records) -> Result<T, MasterError>,
    ) -> Result<T, MasterError> {
        let _turn = self.enter()?;
        self.storage.read(function)
    }

    fn write<T>(
        &self,
        function: impl Fn(&dyn Records) -> Result<T, MasterError>,
    ) -> Result<T, MasterError> {
        let _turn = self.enter()?;
        self.storage.write(function)
    }

    async fn read_async<T: Send>(
        &self,
        function: impl Fn(&dyn Records) -> Result<T, MasterError> + Send,
    ) -> Result<T, MasterError> {
        let _turn = self.enter()?;
        self.storage.read_async(function).await
    }

    async fn glance_async<T: Send>(
        &self,
        function: impl Fn(&dyn Records) -> Result<T, MasterError> + Send,
    ) -> Result<T, MasterError> {
        let _turn = self.enter()?;
        self.storage.glance_async(function).await
    }

    async fn write_async<T: Send>(
        &self,
        function: impl Fn(&dyn Records) -> Result<T, MasterError> + Send,
    ) -> Result<T, MasterError> {
        let _turn = self.enter()?;
        self.storage.write_async(function).await
    }

    fn tell_changes(&self, listener: Listener) {
        self.storage.tell_changes(listener);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::SqliteStorage;

    #[test]
    fn who_is_one_too_many_is_refused_and_there_is_room_again_later() {
        let directory = tempfile::tempdir().unwrap();
        let storage = SqliteStorage::open(&directory.path().join("db"), "C").unwrap();
        let storage = Bounded::new(storage, 2);
        let read = |inner: &dyn Fn() -> Result<(), MasterError>| storage.read(|_| inner());
        let refused = read(&|| read(&|| read(&|| Ok(()))));
        assert!(
            matches!(refused, Err(MasterError::Overloaded)),
            "{refused:?}"
        );
        let refused = read(&|| read(&|| storage.write(|_| Ok(()))));
        assert!(
            matches!(refused, Err(MasterError::Overloaded)),
            "{refused:?}"
        );
        read(&|| read(&|| Ok(()))).unwrap();
    }
}
