//! A storage whose transactions are timed.

use std::sync::Arc;
use std::time::Instant;

use super::Metrics;
use crate::MasterError;
use crate::storage::{Listener, Records, Storage};

/// A storage whose transactions are timed.
pub(crate) struct Measured<S> {
    storage: S,
    metrics: Arc<Metrics>,
}

impl<S> Measured<S> {
    pub(crate) fn new(storage: S, metrics: Arc<Metrics>) -> Self {
        Self { storage, metrics }
    }

    fn timed<T>(&self, access: &'static str, transaction: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let done = transaction();
        self.metrics.transaction(access, start.elapsed());
        done
    }
}

impl<S: Storage> Storage for Measured<S> {
    fn read<T>(
        &self,
        function: impl Fn(&dyn Records) -> Result<T, MasterError>,
    ) -> Result<T, MasterError> {
        self.timed("read", || self.storage.read(function))
    }

    fn write<T>(
        &self,
        function: impl Fn(&dyn Records) -> Result<T, MasterError>,
    ) -> Result<T, MasterError> {
        self.timed("write", || self.storage.write(function))
    }

    async fn read_async<T: Send>(
        &self,
        function: impl Fn(&dyn Records) -> Result<T, MasterError> + Send,
    ) -> Result<T, MasterError> {
        let start = Instant::now();
        let done = self.storage.read_async(function).await;
        self.metrics.transaction("read", start.elapsed());
        done
    }

    async fn glance_async<T: Send>(
        &self,
        function: impl Fn(&dyn Records) -> Result<T, MasterError> + Send,
    ) -> Result<T, MasterError> {
        let start = Instant::now();
        let done = self.storage.glance_async(function).await;
        self.metrics.transaction("read", start.elapsed());
        done
    }

    async fn write_async<T: Send>(
        &self,
        function: impl Fn(&dyn Records) -> Result<T, MasterError> + Send,
    ) -> Result<T, MasterError> {
        let start = Instant::now();
        let done = self.storage.write_async(function).await;
        self.metrics.transaction("write", start.elapsed());
        done
    }

    fn tell_changes(&self, listener: Listener) {
        self.storage.tell_changes(listener);
    }
}
