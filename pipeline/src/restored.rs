//! State that was restored from a copy, over logs that were, too: the logs begin anew, what is stored goes on.
//!
//! A restore notes in each owner's state how positions of before are to be read. Offsets of the owner's `health`
//! partition are counted on from where the copied log ended, so heads, origins and revisions stand as they are.
//! Of the other logs nothing but the positions of the last decision is waited for: those of a restored one are
//! taken to be where the restored logs end.

use domain::decision::Issuer;
use ports::state::StateStore;
use wire::stored::restored::Restored;

use crate::error::Error;

/// Under which key it is noted.
pub const KEY: &[u8] = b"restored";

/// What is noted of an owner's state; nothing but defaults where it was never restored.
pub(crate) fn read(owner: Issuer, store: &dyn StateStore) -> Result<Restored, Error> {
    let Some(stored) = store.get(KEY)? else { return Ok(Restored { complete: true, ..Restored::default() }) };
    let damaged = |key, source| Error::Checkpoint { key, source: Some(Box::new(source)) };
    let restored = wire::stored::restored::read(&stored).map_err(|source| Error::of_stored(KEY, source, damaged))?;
    if restored.complete { Ok(restored) } else { Err(Error::RestoreUnfinished { owner }) }
}
