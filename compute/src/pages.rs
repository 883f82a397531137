//! The pages of a subject that are in memory.

use domain::page::PageNo;

use crate::page::Page;

/// Pages in memory, and before which page others may be stored.
#[derive(Clone, Default, Debug)]
pub(crate) struct Pages {
    /// Rising.
    resident: Vec<Resident>,
    /// Pages from this one on that aren't here were never made; earlier ones may be stored.
    horizon: PageNo,
}

/// A page in memory.
#[derive(Clone, Debug)]
pub(crate) struct Resident {
    pub(crate) no: PageNo,
    /// Whether it differs from what is stored.
    pub(crate) is_changed: bool,
    pub(crate) page: Page,
}

impl Pages {
    /// No page in memory, and none ever made from this one on.
    pub(crate) const fn away(horizon: PageNo) -> Self {
        Self { resident: Vec::new(), horizon }
    }

    /// The first page from which on none was ever made, as far as is known.
    pub(crate) fn horizon(&self) -> PageNo {
        let behind = self.resident.last().map(|last| PageNo::new(last.no.get() + 1));
        behind.map_or(self.horizon, |behind| self.horizon.max(behind))
    }

    /// The pages in memory, in order of time.
    pub(crate) fn resident(&self) -> &[Resident] {
        &self.resident
    }

    /// The pages in memory that differ from what is stored; they count as stored from now on.
    pub(crate) fn changed(&mut self) -> Vec<(PageNo, Page)> {
        let changed = self.resident.iter_mut().filter(|resident| resident.is_changed);
        changed
            .map(|resident| {
                resident.is_changed = false;
                (resident.no, resident.page.clone())
            })
            .collect()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.resident.is_empty()
    }

    /// Bytes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.resident.capacity() * size_of::<Resident>()
            + self.resident.iter().map(|resident| resident.page.heap_bytes()).sum::<usize>()
    }

    /// The page of this number; it is made if there can't be one stored. `None`: load it first.
    #[inline]
    pub(crate) fn at(&mut self, no: PageNo) -> Option<&mut Resident> {
        let place = match self.place(no) {
            Ok(place) => place,
            Err(_) if no < self.horizon => return None,
            Err(place) => self.open(place, no),
        };
        Some(&mut self.resident[place])
    }

    /// The pages `[from, to]` that are in memory, in order of time.
    pub(crate) fn between(&self, from: PageNo, to: PageNo) -> &[Resident] {
        let start = self.resident.partition_point(|resident| resident.no < from);
        let end = self.resident.partition_point(|resident| resident.no <= to);
        &self.resident[start..end.max(start)]
    }

    /// The pages `[from, to]`, in order of time; `None` if one of them may be stored.
    pub(crate) fn whole(&self, from: PageNo, to: PageNo) -> Option<&[Resident]> {
        let found = self.between(from, to);
        let old = found.iter().filter(|resident| resident.no < self.horizon).count();
        let needed = (to.get() + 1).min(self.horizon.get()).saturating_sub(from.get());
        (old == needed as usize).then_some(found)
    }

    /// Takes out the pages before this one; yields them with whether they differ from what is
    /// stored.
    pub(crate) fn evict(&mut self, before: PageNo) -> Vec<Resident> {
        self.horizon = self.horizon.max(before);
        let gone = self.resident.partition_point(|resident| resident.no < before);
        let left = self.resident.drain(..gone).collect();
        self.resident.shrink_to(self.resident.len() + 1);
        left
    }

    /// Puts a page back in its place; one that is there stays as it is.
    pub(crate) fn load(&mut self, no: PageNo, page: impl FnOnce() -> Page) {
        if let Err(place) = self.place(no) {
            self.resident.insert(place, Resident { no, is_changed: false, page: page() });
        }
    }

    /// Where a page lies, or would lie.
    #[inline]
    fn place(&self, no: PageNo) -> Result<usize, usize> {
        let Some((last, before)) = self.resident.split_last() else { return Err(0) };
        let Some(back) = last.no.get().checked_sub(no.get()) else { return Err(self.resident.len()) };
        // Mostly there are no gaps.
        match self.resident.len().checked_sub(1 + back as usize).filter(|guess| self.resident[*guess].no == no) {
            Some(guess) => Ok(guess),
            None => before.binary_search_by_key(&no, |resident| resident.no),
        }
    }

    #[cold]
    fn open(&mut self, place: usize, no: PageNo) -> usize {
        let page = Page::after(place.checked_sub(1).map(|before| &self.resident[before].page));
        self.resident.insert(place, Resident { no, is_changed: false, page });
        place
    }
}
