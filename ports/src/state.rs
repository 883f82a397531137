//! State that outlives its process: an ordered store of keys and values, both bytes.

use std::ops::Range;

use domain::decision::Issuer;

use crate::error::PortError;

/// A change of one key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Op {
    /// Sets a key's value.
    Put {
        /// The key.
        key: Vec<u8>,
        /// Its value from now on.
        value: Vec<u8>,
    },
    /// Removes a key; it may be missing.
    Delete {
        /// The key.
        key: Vec<u8>,
    },
}

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// A store with one owner. Reading sees what was written before.
pub trait StateStore {
    /// A key's value, if it has one.
    ///
    /// # Errors
    ///
    /// When the store can't be read, or what it holds is damaged.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, PortError>;

    /// Every key that begins with the prefix, with its value, in the order of the keys' bytes.
    ///
    /// # Errors
    ///
    /// As [`Self::get`].
    fn scan(&self, prefix: &[u8]) -> Result<Vec<Pair>, PortError>;

    /// Every key that begins with the prefix, in the order of the keys' bytes; no value is read.
    ///
    /// # Errors
    ///
    /// As [`Self::get`].
    fn keys(&self, prefix: &[u8]) -> Result<Vec<Vec<u8>>, PortError>;

    /// Makes all the changes, in order, or after a crash none of them.
    ///
    /// # Errors
    ///
    /// When they can't be written. What is stored then is known only once the store is opened again.
    fn write(&mut self, batch: Vec<Op>) -> Result<(), PortError>;

    /// Waits until everything written survives a loss of power.
    ///
    /// # Errors
    ///
    /// When it isn't certain to.
    fn sync(&mut self) -> Result<(), PortError>;

    /// Sets one key's value.
    ///
    /// # Errors
    ///
    /// As [`Self::write`].
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), PortError> {
        self.write(vec![Op::Put { key: key.to_vec(), value: value.to_vec() }])
    }

    /// Removes one key; it may be missing.
    ///
    /// # Errors
    ///
    /// As [`Self::write`].
    fn delete(&mut self, key: &[u8]) -> Result<(), PortError> {
        self.write(vec![Op::Delete { key: key.to_vec() }])
    }
}

/// The state of several owners, each fenced by itself: of two processes that believe to own the same, only
/// the one that opened it last can write.
pub trait StateStores {
    /// Opens an owner's state. From then on every write of whoever had it open before fails with
    /// [`PortError::Fenced`], and nothing of it is stored. Opening what is open opens it anew.
    ///
    /// # Errors
    ///
    /// When the state can't be opened, or is damaged.
    fn open(&mut self, owner: Issuer) -> Result<(), PortError>;

    /// An owner's state.
    ///
    /// # Errors
    ///
    /// When it isn't open.
    fn of(&mut self, owner: Issuer) -> Result<&mut dyn StateStore, PortError>;

    /// Drops an owner's state as a crash would: what isn't durable may be lost. For what is somebody else's by now.
    fn abandon(&mut self, owner: Issuer);

    /// Gives an owner's state away: everything written is durable, and nothing is written any more. What
    /// isn't open stays so.
    ///
    /// # Errors
    ///
    /// When not everything is known to be durable.
    fn close(&mut self, owner: Issuer) -> Result<(), PortError>;

    /// Which stretches of the registry's log are stored, by offsets, rising. They are no owner's: what one says follows
    /// from the log alone, so whoever writes it writes the same.
    ///
    /// # Errors
    ///
    /// When that can't be read.
    fn stretches(&self) -> Result<Vec<Range<u64>>, PortError>;

    /// The bytes of a stretch, if it is there.
    ///
    /// # Errors
    ///
    /// When it can't be read.
    fn stretch(&self, offsets: &Range<u64>) -> Result<Option<Vec<u8>>, PortError>;

    /// Stores a stretch: once this returns it survives a loss of power, and nobody ever sees a part of it. One that is
    /// there is replaced, as it may be damaged.
    ///
    /// # Errors
    ///
    /// When it isn't certain to be stored.
    fn put_stretch(&mut self, offsets: &Range<u64>, bytes: Vec<u8>) -> Result<(), PortError>;
}

impl Op {
    /// The key that changes.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        match self {
            Self::Put { key, .. } | Self::Delete { key } => key,
        }
    }
}
