//! A bucket of a real server that speaks S3's protocol, signatures and conditions included.

use std::net::SocketAddr;

use hyper_util::rt::{TokioExecutor, TokioIo};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::*;

const SECRET: &str = "correct-horse-battery-staple";

/// A server of this process; its buckets are directories.
struct Server {
    address: SocketAddr,
    buckets: TempDir,
    _runtime: Runtime,
}

impl Server {
    fn start() -> Self {
        let buckets = tempfile::tempdir().unwrap();
        std::fs::create_dir(buckets.path().join("bucket")).unwrap();
        let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(buckets.path()).unwrap());
        service.set_auth(SimpleAuth::from_single("me", SECRET));
        let service = service.build();
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                let connection = server.serve_connection(TokioIo::new(socket), service.clone()).into_owned();
                tokio::spawn(connection);
            }
        });
        Self { address, buckets, _runtime: runtime }
    }

    fn options(&self, scheme: &str, secret: &str) -> S3Options {
        let endpoint = format!("{scheme}://{}", self.address);
        let vars = [
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_ACCESS_KEY_ID", "me"),
            ("AWS_SECRET_ACCESS_KEY", secret),
        ];
        S3Options::from_vars(vars.map(|(key, value)| (key.to_owned(), value.to_owned())))
    }

    fn stores(&self, url: &str, secret: &str) -> Result<SlateStores, PortError> {
        SlateStores::at(&url.parse()?, &self.options("http", secret))
    }
}

#[test]
fn a_bucket_holds_state_and_fences() {
    let server = Server::start();
    let place = || server.stores("s3://bucket/some/prefix", SECRET).unwrap();
    check_behaviour(opened(place()).of(OWNER).unwrap());
    let kept = place().read_all(OWNER).unwrap().map(Result::unwrap).count();
    assert_eq!(kept, 7);
    assert!(server.buckets.path().join("bucket/some/prefix/partition-3").is_dir());
}

#[test]
fn a_bucket_holds_stretches() {
    let server = Server::start();
    stretches::check_stretches(|| Box::new(server.stores("s3://bucket/some/prefix", SECRET).unwrap()));
    assert!(server.buckets.path().join("bucket/some/prefix/registry").is_dir());
}

#[test]
fn an_earlier_owner_writes_nothing_more_to_a_bucket() {
    let server = Server::start();
    fencing::check_fencing(|| server.stores("s3://bucket", SECRET).unwrap());
}

#[test]
fn what_is_wrong_with_a_bucket_is_told_without_its_secret() {
    let server = Server::start();
    let check = |url: &str, secret: &str, expected: &str| {
        let told = every_cause(&server.stores(url, secret).and_then(|mut stores| stores.open(OWNER)).unwrap_err());
        assert!(told.starts_with(&format!("cannot open state {url}: {expected}")), "{told}");
        assert!(!told.contains(secret), "{told}");
    };
    check("s3://none/x", SECRET, "there is no such bucket: create it, or correct the name");
    check("s3://bucket/x", "not-the-secret", "the credentials are missing or refused: check AWS_ACCESS_KEY_ID");

    let unreachable = |options: &S3Options| {
        let told = every_cause(&SlateStores::at(&"s3://bucket".parse().unwrap(), options).unwrap_err());
        assert!(told.starts_with("cannot open state s3://bucket: it can't be reached or doesn't answer as expected"), "{told}");
    };
    // It doesn't speak TLS; that we do takes a provider of ciphers.
    unreachable(&server.options("https", SECRET));
    let gone = server.options("http", SECRET);
    drop(server);
    unreachable(&gone);
}
