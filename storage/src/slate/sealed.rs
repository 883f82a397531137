//! A store whose objects show whether they are whole.
//!
//! SlateDB checks the blocks of its tables, but not its manifests, of which a changed bit is believed; and to it an
//! object of the log without content is the mark of a later owner, so one that was cut to nothing would be passed over,
//! and the writes in it lost without a word. So manifests, lists of merges and objects of the log get a seal at their
//! end, which is looked at before anybody sees the content. Of tables, which come in parts, it is seen whether a part
//! is as long as it was asked for; the rest SlateDB checks.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetRange, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use slatedb::bytes::Bytes;
use slatedb_common::retry::NonRetryable;

/// Folders whose objects are sealed.
const FOLDERS: [&str; 3] = ["manifest", "compactions", LOG];
/// The folder of the log.
const LOG: &str = "wal";
/// The folder of the tables.
const TABLES: &str = "compacted";
/// Ends a seal; before it stands the content's CRC-32, big-endian.
const MARK: [u8; 4] = *b"bw1\n";
/// Length of a seal, in bytes.
const SEAL_BYTES: usize = 8;

/// An object isn't what was stored.
#[derive(Clone, Debug, thiserror::Error)]
#[error("object {path} is damaged")]
pub(super) struct Damaged {
    path: Path,
}

/// Objects that are sealed on their way into a store, and looked at on their way out.
#[derive(Debug)]
pub(super) struct Sealed {
    objects: Arc<dyn ObjectStore>,
}

impl Sealed {
    pub(super) fn over(objects: Arc<dyn ObjectStore>) -> Arc<dyn ObjectStore> {
        Arc::new(Self { objects })
    }

    /// All of a sealed object, without the seal.
    async fn whole(&self, location: &Path, options: GetOptions) -> Result<(GetResult, Bytes)> {
        let mut found = self.objects.get_opts(location, GetOptions { range: None, head: false, ..options }).await?;
        let empty = GetResultPayload::Stream(stream::empty().boxed());
        let payload = std::mem::replace(&mut found.payload, empty);
        let (meta, range) = (found.meta.clone(), found.range.clone());
        let read = GetResult { payload, meta, range, attributes: found.attributes.clone(), extensions: found.extensions.clone() };
        let content = opened(&read.bytes().await?).ok_or_else(|| damaged(location))?;
        found.meta.size = content.len() as u64;
        Ok((found, content))
    }

    /// What of a sealed object can be had without looking at all of it; none where its end is asked for.
    async fn part(&self, location: &Path, options: &GetOptions) -> Result<Option<GetResult>> {
        let is_log = location.parts().rev().nth(1).is_some_and(|folder| folder.as_ref() == LOG);
        match &options.range {
            // To be without content means something: that is looked at.
            None if options.head => {
                let mut found = self.objects.get_opts(location, options.clone()).await?;
                found.meta.size = found.meta.size.checked_sub(SEAL_BYTES as u64).ok_or_else(|| damaged(location))?;
                found.range = 0..found.meta.size;
                Ok(Some(found).filter(|found| found.meta.size > 0))
            }
            Some(GetRange::Bounded(wanted)) if is_log => {
                let Ok(mut found) = self.objects.get_opts(location, options.clone()).await else { return Ok(None) };
                found.meta.size = found.meta.size.saturating_sub(SEAL_BYTES as u64);
                Ok(Some(found).filter(|found| wanted.end < found.meta.size))
            }
            _ => Ok(None),
        }
    }

    /// A table, or a part of it that is as long as asked for.
    async fn of_table(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let Some(GetRange::Bounded(wanted)) = options.range.clone() else {
            return self.objects.get_opts(location, options).await;
        };
        let error = match self.objects.get_opts(location, options).await {
            Ok(found) if found.range == wanted => return Ok(found),
            Ok(_) => return Err(damaged(location)),
            Err(error) => error,
        };
        let head = GetOptions { head: true, ..GetOptions::default() };
        match self.objects.get_opts(location, head).await {
            Ok(found) if found.meta.size < wanted.end => Err(damaged(location)),
            _ => Err(error),
        }
    }
}

impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sealed {}", self.objects)
    }
}

#[async_trait]
impl ObjectStore for Sealed {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let payload = if is_in(location, &FOLDERS) { sealed(&payload) } else { payload };
        self.objects.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(&self, location: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        if is_in(location, &FOLDERS) {
            return Err(Error::NotSupported { source: format!("{location} is sealed, so it can't come in parts").into() });
        }
        self.objects.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        if is_in(location, &[TABLES]) {
            return self.of_table(location, options).await;
        }
        if !is_in(location, &FOLDERS) {
            return self.objects.get_opts(location, options).await;
        }
        if let Some(found) = self.part(location, &options).await? {
            return Ok(found);
        }
        let (wanted, head) = (options.range.clone(), options.head);
        let (mut found, content) = self.whole(location, options).await?;
        found.range = match wanted {
            Some(wanted) => within(&wanted, found.meta.size).ok_or_else(|| damaged(location))?,
            None => 0..found.meta.size,
        };
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        let content = if head { Bytes::new() } else { content.slice(place(found.range.start)..place(found.range.end)) };
        found.payload = GetResultPayload::Stream(async move { Ok(content) }.into_stream().boxed());
        Ok(found)
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.objects.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.objects.list(prefix).map(|listed| listed.map(without_seal)).boxed()
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.objects.list_with_offset(prefix, offset).map(|listed| listed.map(without_seal)).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let mut listed = self.objects.list_with_delimiter(prefix).await?;
        listed.objects = listed.objects.into_iter().map(without_seal).collect();
        Ok(listed)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.objects.copy_opts(from, to, options).await
    }
}

fn is_in(location: &Path, folders: &[&str]) -> bool {
    location.parts().rev().nth(1).is_some_and(|folder| folders.contains(&folder.as_ref()))
}

fn damaged(path: &Path) -> Error {
    // To ask again changes nothing.
    let source = NonRetryable(Box::new(Damaged { path: path.clone() }));
    Error::Generic { store: "state", source: Box::new(source) }
}

fn sealed(payload: &PutPayload) -> PutPayload {
    let mut crc = crc32fast::Hasher::new();
    payload.iter().for_each(|part| crc.update(part));
    let seal = [crc.finalize().to_be_bytes(), MARK].concat();
    payload.iter().cloned().chain([Bytes::from(seal)]).collect()
}

/// The content of an object whose seal is right.
fn opened(object: &Bytes) -> Option<Bytes> {
    let (content, seal) = object.split_last_chunk::<SEAL_BYTES>()?;
    let expected = [crc32fast::hash(content).to_be_bytes(), MARK].concat();
    (seal.as_slice() == expected).then(|| object.slice(..content.len()))
}

fn without_seal(mut listed: ObjectMeta) -> ObjectMeta {
    if is_in(&listed.location, &FOLDERS) {
        listed.size = listed.size.saturating_sub(SEAL_BYTES as u64);
    }
    listed
}

/// What of a length a range means, as the stores take it.
fn within(range: &GetRange, size: u64) -> Option<Range<u64>> {
    let found = match range {
        GetRange::Bounded(wanted) => wanted.start..wanted.end.min(size),
        GetRange::Offset(from) => *from..size,
        GetRange::Suffix(last) => size.saturating_sub(*last)..size,
    };
    (found.start <= found.end && found.end <= size).then_some(found)
}
