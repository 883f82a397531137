//! Reading an owner's state beside the owner: fences nobody, and sees everything that was synced by then.

use std::fmt;
use std::sync::Arc;

use domain::decision::Issuer;
use object_store::ObjectStore;
use ports::{Pair, PortError};
use slatedb::{DbIterator, DbReader};

use super::fault::{Fault, failure};
use super::{KEY_PREFIX, Shared, SlateStores, next, tuning};

/// The manifests of a database, without which there is none.
const MANIFESTS: &str = "manifest";

/// Every pair of an owner's state as it was when reading began, in the order of the keys' bytes. Ends after
/// the first error.
pub struct SlatePairs {
    shared: Arc<Shared>,
    name: String,
    reader: DbReader,
    pairs: DbIterator,
    ended: bool,
}

impl SlateStores {
    /// Reads an owner's state while whoever owns it goes on. What is read is kept from being removed by a mark
    /// in the place, so the place must be writable.
    ///
    /// # Errors
    ///
    /// When there is none, or it can't be read.
    pub fn read_all(&self, owner: Issuer) -> Result<SlatePairs, PortError> {
        let shared = &self.shared;
        let (name, path) = (shared.name(owner), shared.path(owner));
        let manifests = object_store::path::Path::from(format!("{path}/{MANIFESTS}"));
        let listed = shared.runtime.block_on(shared.place.objects.list_with_delimiter(Some(&manifests)));
        if listed.map_err(|error| Fault::of_request(error).while_doing("read", &name))?.objects.is_empty() {
            return Err(Fault::Nothing.while_doing("read", &name));
        }
        shared.set_clock()?;
        let opening = async {
            let builder =
                DbReader::builder(path, Arc::clone(&shared.place.objects)).with_options(tuning::reading(shared.retries));
            let builder = builder.with_system_clock(shared.clock.clone()).with_db_cache_disabled();
            let reader = builder.build().await?;
            let pairs = reader.scan_prefix_with_options([KEY_PREFIX], .., &tuning::scanning()).await?;
            Ok((reader, pairs))
        };
        let (reader, pairs) = shared.runtime.block_on(opening).map_err(|error| failure("read", &name, error))?;
        Ok(SlatePairs { shared: Arc::clone(shared), name, reader, pairs, ended: false })
    }
}

impl Iterator for SlatePairs {
    type Item = Result<Pair, PortError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let pair = self.shared.runtime.block_on(next(&mut self.pairs));
        self.ended = !matches!(pair, Ok(Some(_)));
        pair.map_err(|error| failure("read", &self.name, error)).transpose()
    }
}

impl Drop for SlatePairs {
    fn drop(&mut self) {
        // Takes back the mark; one that stays ends by itself.
        if let Err(error) = self.shared.runtime.block_on(self.reader.close()) {
            tracing::debug!(state = self.name, %error, "the mark of a reader stays until it expires");
        }
    }
}

impl fmt::Debug for SlatePairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlatePairs").field("name", &self.name).finish_non_exhaustive()
    }
}
