//! Crashes at chosen moments, for the fault runner: `BADGEWATCH_CRASH=POINT:COUNT` ends the process as a power cut
//! would when a point is reached for the COUNT-th time. Without the variable nothing is wrapped.

use std::cell::{Cell, RefCell};
use std::ops::Range;

use domain::decision::Issuer;
use ports::{Op, Pair, PortError, StateStore, StateStores};

/// The environment's variable.
const VARIABLE: &str = "BADGEWATCH_CRASH";

/// Where a process crashes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Point {
    /// A decision is in the journal, and nobody was told.
    AfterJournal,
    /// It is published, and not marked as such.
    AfterPublication,
    /// A head is written, and more are to come.
    MidCheckpoint,
    /// Heads were read, and nothing was made of them.
    MidRestore,
}

/// State with a crash in it.
pub(crate) struct CrashingStores<S> {
    inner: RefCell<S>,
    point: Point,
    left: Cell<u32>,
    at: Issuer,
    /// Whether an entry of the journal was written, and not synced.
    journalled: bool,
}

impl Point {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "after-journal" => Some(Self::AfterJournal),
            "after-publication" => Some(Self::AfterPublication),
            "mid-checkpoint" => Some(Self::MidCheckpoint),
            "mid-restore" => Some(Self::MidRestore),
            _ => None,
        }
    }
}

/// Wraps stores if the environment asks for a crash.
///
/// # Errors
/// When what it says isn't understood.
pub(crate) fn wrapped<S: StateStores + 'static>(stores: S) -> anyhow::Result<Box<dyn StateStores>> {
    let Ok(text) = std::env::var(VARIABLE) else { return Ok(Box::new(stores)) };
    let parsed = text.split_once(':').and_then(|(point, count)| Some((Point::parse(point)?, count.parse().ok()?)));
    let Some((point, count)) = parsed else {
        anyhow::bail!(
            "{VARIABLE} is {text:?}: write after-journal, after-publication, mid-checkpoint or mid-restore, then :COUNT"
        );
    };
    let (inner, left) = (RefCell::new(stores), Cell::new(count));
    Ok(Box::new(CrashingStores { inner, point, left, at: Issuer::Programme, journalled: false }))
}

impl<S: StateStores> CrashingStores<S> {
    fn reach(&self, point: Point) {
        if point == self.point {
            self.left.set(self.left.get().saturating_sub(1));
            if self.left.get() == 0 {
                tracing::error!(?point, "crashing, as {VARIABLE} asks for");
                std::process::abort();
            }
        }
    }
}

impl<S: StateStores> StateStore for CrashingStores<S> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, PortError> {
        self.inner.borrow_mut().of(self.at)?.get(key)
    }

    fn scan(&self, prefix: &[u8]) -> Result<Vec<Pair>, PortError> {
        let found = self.inner.borrow_mut().of(self.at)?.scan(prefix)?;
        if prefix.starts_with(b"head/") && !found.is_empty() {
            self.reach(Point::MidRestore);
        }
        Ok(found)
    }

    fn keys(&self, prefix: &[u8]) -> Result<Vec<Vec<u8>>, PortError> {
        self.inner.borrow_mut().of(self.at)?.keys(prefix)
    }

    fn write(&mut self, batch: Vec<Op>) -> Result<(), PortError> {
        let is_journal = batch.iter().any(|op| op.key().starts_with(b"journal/"));
        let is_mark = is_journal && batch.iter().any(|op| op.key().ends_with(b"/published"));
        let has_head = batch.iter().any(|op| op.key().starts_with(b"head/"));
        if is_mark {
            self.reach(Point::AfterPublication);
        }
        self.journalled |= is_journal && !is_mark;
        self.inner.get_mut().of(self.at)?.write(batch)?;
        if has_head {
            self.reach(Point::MidCheckpoint);
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), PortError> {
        self.inner.get_mut().of(self.at)?.sync()?;
        if std::mem::take(&mut self.journalled) {
            self.reach(Point::AfterJournal);
        }
        Ok(())
    }
}

impl<S: StateStores> StateStores for CrashingStores<S> {
    fn open(&mut self, owner: Issuer) -> Result<(), PortError> {
        self.inner.get_mut().open(owner)
    }

    fn of(&mut self, owner: Issuer) -> Result<&mut dyn StateStore, PortError> {
        self.at = owner;
        Ok(self)
    }

    fn abandon(&mut self, owner: Issuer) {
        self.inner.get_mut().abandon(owner);
    }

    fn close(&mut self, owner: Issuer) -> Result<(), PortError> {
        self.inner.get_mut().close(owner)
    }
    fn stretches(&self) -> Result<Vec<Range<u64>>, PortError> {
        self.inner.borrow().stretches()
    }

    fn stretch(&self, offsets: &Range<u64>) -> Result<Option<Vec<u8>>, PortError> {
        self.inner.borrow().stretch(offsets)
    }

    fn put_stretch(&mut self, offsets: &Range<u64>, bytes: Vec<u8>) -> Result<(), PortError> {
        self.inner.get_mut().put_stretch(offsets, bytes)
    }
}
