//! Which opening of an owner this is: what it publishes carries the number, so that readers know an owner that was
//! taken over from its successor.

use domain::decision::Issuer;
use ports::state::StateStore;
use wire::standing::Version;

use crate::error::Error;

/// The next epoch of an owner, durable before anything is said in it.
pub(crate) fn next(owner: Issuer, store: &mut dyn StateStore) -> Result<Version, Error> {
    let key = format!("epoch/{owner}");
    let last = match store.get(key.as_bytes())? {
        None => 0,
        Some(stored) => {
            let text = String::from_utf8_lossy(&stored).into_owned();
            text.parse::<u64>().map_err(|_| Error::State { key: key.clone(), found: text })?
        }
    };
    let epoch = last + 1;
    store.put(key.as_bytes(), epoch.to_string().as_bytes())?;
    store.sync()?;
    Ok(Version { epoch, revision: 0 })
}
