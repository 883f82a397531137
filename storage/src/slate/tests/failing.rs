//! Stores of objects that don't do as they should.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result,
};

#[derive(Debug)]
pub(super) struct Failing {
    objects: Arc<dyn ObjectStore>,
    left: AtomicI64,
    careless: bool,
}

impl Failing {
    /// Fails like a full disk once it has taken so many objects.
    pub(super) fn after(objects: &Arc<dyn ObjectStore>, left: i64) -> Arc<dyn ObjectStore> {
        Arc::new(Self { objects: Arc::clone(objects), left: AtomicI64::new(left), careless: false })
    }

    /// Replaces objects that were to be made, as some stores do that call themselves compatible.
    pub(super) fn careless(objects: &Arc<dyn ObjectStore>) -> Arc<dyn ObjectStore> {
        Arc::new(Self { objects: Arc::clone(objects), left: AtomicI64::new(i64::MAX), careless: true })
    }

    fn take(&self) -> Result<()> {
        if self.left.fetch_sub(1, Ordering::SeqCst) > 0 {
            return Ok(());
        }
        Err(Error::Generic { store: "Failing", source: io::Error::from(io::ErrorKind::StorageFull).into() })
    }
}

impl fmt::Display for Failing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Failing")
    }
}

#[async_trait]
impl ObjectStore for Failing {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.take()?;
        let options = if self.careless { PutOptions::default() } else { options };
        self.objects.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(&self, location: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.take()?;
        self.objects.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.objects.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.objects.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.objects.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.objects.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.take()?;
        self.objects.copy_opts(from, to, options).await
    }
}
