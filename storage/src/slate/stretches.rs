//! Stretches of the registry's log: objects beside the databases, one each, named by their offsets.
//!
//! They need no fencing: whoever writes one writes what the log says. An object is whole or not there, and in a
//! directory it is synced with its name before it counts as put ([`LocalFileSystem`](object_store::local::LocalFileSystem)
//! writes it under another name, and renames it).

use std::ops::Range;

use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};
use ports::PortError;

use super::fault::Fault;
use super::{Shared, VALUE_BYTES_MAX};

/// Below what they lie.
const FOLDER: &str = "registry";
/// Digits of an offset, so that names sort as offsets do.
const DIGITS: usize = 20;
/// Longest stretch, in bytes.
pub const STRETCH_BYTES_MAX: usize = 4 * VALUE_BYTES_MAX;

impl Shared {
    pub(super) fn stretches(&self) -> Result<Vec<Range<u64>>, PortError> {
        let listed = self.runtime.block_on(self.place.objects.list_with_delimiter(Some(&self.folder())));
        let listed = listed.map_err(|error| self.failed_stretch("list", error))?;
        let mut found: Vec<Range<u64>> = listed.objects.iter().filter_map(offsets_of).collect();
        found.sort_unstable_by_key(|offsets| (offsets.start, offsets.end));
        Ok(found)
    }

    pub(super) fn stretch(&self, offsets: &Range<u64>) -> Result<Option<Vec<u8>>, PortError> {
        let reading = async {
            let found = match self.place.objects.get(&self.stretch_path(offsets)).await {
                Err(object_store::Error::NotFound { .. }) => return Ok(None),
                found => found?,
            };
            if found.meta.size > STRETCH_BYTES_MAX as u64 {
                tracing::warn!(object = %found.meta.location, bytes = found.meta.size, "longer than anything that was put");
                return Ok(None);
            }
            Ok(Some(found.bytes().await?.to_vec()))
        };
        self.runtime.block_on(reading).map_err(|error| self.failed_stretch("read", error))
    }

    pub(super) fn put_stretch(&self, offsets: &Range<u64>, bytes: Vec<u8>) -> Result<(), PortError> {
        if bytes.len() > STRETCH_BYTES_MAX {
            let fault = Fault::LongStretch { bytes: bytes.len() as u64 };
            return Err(fault.while_doing("write", &self.stretches_name()));
        }
        let put = self.runtime.block_on(self.place.objects.put(&self.stretch_path(offsets), bytes.into()));
        put.map(drop).map_err(|error| self.failed_stretch("write", error))
    }

    fn folder(&self) -> Path {
        Path::from(self.place.prefix.as_str()).join(FOLDER)
    }

    fn stretch_path(&self, offsets: &Range<u64>) -> Path {
        self.folder().join(format!("{:0DIGITS$}-{:0DIGITS$}", offsets.start, offsets.end))
    }

    fn stretches_name(&self) -> String {
        format!("{}, {FOLDER}", self.place.name)
    }

    fn failed_stretch(&self, action: &'static str, error: object_store::Error) -> PortError {
        Fault::of_request(error).while_doing(action, &self.stretches_name())
    }
}

/// What an object holds by its name; none for one that isn't ours.
fn offsets_of(object: &ObjectMeta) -> Option<Range<u64>> {
    let (from, to) = object.location.filename()?.split_once('-')?;
    let number = |text: &str| text.parse().ok().filter(|_| text.len() == DIGITS);
    let offsets: Range<u64> = number(from)?..number(to)?;
    (!offsets.is_empty()).then_some(offsets)
}
