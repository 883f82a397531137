//! Where the state lies: a directory of this machine, or a bucket that speaks S3's protocol.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut};
use object_store::local::LocalFileSystem;
use object_store::{ClientOptions, ObjectStore, RetryConfig};
use ports::PortError;

use super::fault::Fault;

/// The setting that names a place, as the user writes it.
const SETTING: &str = "state";
/// How a place in a bucket begins.
const BUCKET_SCHEME: &str = "s3://";
/// How variables and lines of a file begin that are for S3.
const VARIABLE: &str = "AWS_";
/// Largest file of variables; what follows is not read, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// How often one request is sent again by the client itself, and for how long, in ms.
const SENT_AGAIN_MAX: usize = 3;
const SENDING_MS_MAX: u64 = 20_000;
/// How long one request, and one connection, may take, in ms.
const REQUEST_MS_MAX: u64 = 30_000;
const CONNECT_MS_MAX: u64 = 5_000;
/// What the plain-file store of earlier versions left: its lock, its journal, and the ends of its names.
const PLAIN_FILES: [&str; 2] = ["lock", "batch"];
const PLAIN_SUFFIXES: [&str; 2] = [".state", ".d"];

/// Where state lies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StateUrl {
    /// A directory of this machine, synced to its disk.
    Directory(PathBuf),
    /// A bucket of S3 or of a store that speaks its protocol.
    Bucket {
        /// The bucket's name.
        bucket: String,
        /// What its objects' names begin with; may be empty.
        prefix: String,
    },
}

/// How S3 is reached: endpoint, region, credentials, under the names of AWS's environment variables.
///
/// Of what it holds only the names are ever shown.
#[derive(Clone, Default)]
pub struct S3Options {
    options: Vec<(AmazonS3ConfigKey, String)>,
}

/// A store of objects, ready to be used.
pub(super) struct Place {
    pub(super) objects: Arc<dyn ObjectStore>,
    /// What every object's name begins with.
    pub(super) prefix: String,
    /// What a message calls it.
    pub(super) name: String,
    /// Whether an object can be replaced only if it is as it was.
    pub(super) compares: bool,
}

impl FromStr for StateUrl {
    type Err = PortError;

    /// Reads `s3://bucket/prefix`, or a directory's path.
    fn from_str(text: &str) -> Result<Self, PortError> {
        let wrong = |problem: &str| Err(PortError::Setting { key: SETTING.to_owned(), problem: problem.to_owned() });
        if let Some(place) = text.strip_prefix(BUCKET_SCHEME) {
            let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
            if bucket.is_empty() {
                return wrong("it names no bucket: write s3://bucket/prefix");
            }
            return Ok(Self::Bucket { bucket: bucket.to_owned(), prefix: prefix.trim_matches('/').to_owned() });
        }
        match text {
            "" => wrong("it is empty: write a directory's path, or s3://bucket/prefix"),
            _ if text.contains("://") => wrong("only s3:// is known: write a directory's path, or s3://bucket/prefix"),
            _ => Ok(Self::Directory(PathBuf::from(text))),
        }
    }
}

impl fmt::Display for StateUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => path.display().fmt(f),
            Self::Bucket { bucket, prefix } if prefix.is_empty() => write!(f, "{BUCKET_SCHEME}{bucket}"),
            Self::Bucket { bucket, prefix } => write!(f, "{BUCKET_SCHEME}{bucket}/{prefix}"),
        }
    }
}

impl fmt::Debug for S3Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.options.iter().map(|(key, _)| key)).finish()
    }
}

impl S3Options {
    /// What the environment says: `AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_ALLOW_HTTP`, `AWS_ACCESS_KEY_ID`,
    /// `AWS_SECRET_ACCESS_KEY`, `AWS_WEB_IDENTITY_TOKEN_FILE` and whatever else `object_store` knows.
    #[must_use]
    pub fn from_env() -> Self {
        let text =
            |(key, value): (std::ffi::OsString, std::ffi::OsString)| Some((key.into_string().ok()?, value.into_string().ok()?));
        Self::from_vars(std::env::vars_os().filter_map(text))
    }

    /// What variables say, of which those that aren't for S3 are left out.
    #[must_use]
    pub fn from_vars(vars: impl IntoIterator<Item = (String, String)>) -> Self {
        let known = |(key, value): (String, String)| Some((variable(&key)?, value));
        Self { options: vars.into_iter().filter_map(known).collect() }
    }

    /// Takes in a file of lines `AWS_…=value`, which stand before what was known. Empty lines and those that
    /// begin with `#` are skipped.
    ///
    /// # Errors
    ///
    /// When it can't be read, or a line says nothing that is known: of that the number is told, not the content.
    pub fn read(mut self, path: &Path) -> Result<Self, PortError> {
        let fail = |problem: String| PortError::Setting { key: path.display().to_string(), problem };
        let file = File::open(path).map_err(|error| fail(format!("it can't be read: {error}")))?;
        for (number, line) in BufReader::new(io::Read::take(file, FILE_BYTES_MAX)).lines().enumerate() {
            let line = line.map_err(|error| fail(format!("it can't be read: {error}")))?;
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let option = line.split_once('=').and_then(|(key, value)| Some((variable(key.trim())?, value.trim().to_owned())));
            let unknown = || fail(format!("line {} is no variable for S3: write e.g. AWS_ACCESS_KEY_ID=…", number + 1));
            self.options.push(option.ok_or_else(unknown)?);
        }
        Ok(self)
    }
}

impl Place {
    /// Gets a place ready; a directory is made where missing. Nothing is asked of a bucket yet.
    pub(super) fn at(url: &StateUrl, s3: &S3Options) -> Result<Self, PortError> {
        let name = url.to_string();
        let (objects, prefix, compares): (Arc<dyn ObjectStore>, _, _) = match url {
            StateUrl::Directory(path) => {
                (Arc::new(directory(path).map_err(|fault| fault.while_doing("open", &name))?), "", false)
            }
            StateUrl::Bucket { bucket, prefix } => (Arc::new(self::bucket(bucket, s3)?), prefix.as_str(), true),
        };
        Ok(Self { objects, prefix: prefix.to_owned(), name, compares })
    }
}

fn variable(name: &str) -> Option<AmazonS3ConfigKey> {
    name.starts_with(VARIABLE).then(|| name.to_ascii_lowercase().parse().ok())?
}

fn directory(path: &Path) -> Result<LocalFileSystem, Fault> {
    create(path).map_err(Fault::of_system)?;
    for entry in fs::read_dir(path).map_err(Fault::of_system)? {
        let file = entry.map_err(Fault::of_system)?.file_name().to_string_lossy().into_owned();
        if PLAIN_FILES.contains(&file.as_str()) || PLAIN_SUFFIXES.iter().any(|suffix| file.ends_with(suffix)) {
            return Err(Fault::PlainFiles { file });
        }
    }
    // Without it a crash of the machine takes what it had confirmed.
    Ok(LocalFileSystem::new_with_prefix(path).map_err(Fault::of_request)?.with_fsync(true))
}

/// Makes a directory whose name survives a loss of power.
fn create(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    create(parent)?;
    match fs::create_dir(path) {
        Err(error) if !path.is_dir() => return Err(error),
        Ok(()) | Err(_) => {}
    }
    File::open(parent)?.sync_all()
}

fn bucket(bucket: &str, s3: &S3Options) -> Result<object_store::aws::AmazonS3, PortError> {
    // Of two installed providers the first stays; ours is the only one there is.
    rustls::crypto::ring::default_provider().install_default().ok();
    let patient = |ms| Duration::from_millis(ms);
    let client = ClientOptions::new().with_timeout(patient(REQUEST_MS_MAX)).with_connect_timeout(patient(CONNECT_MS_MAX));
    let retry = RetryConfig { max_retries: SENT_AGAIN_MAX, retry_timeout: patient(SENDING_MS_MAX), ..RetryConfig::default() };
    let mut builder = AmazonS3Builder::new().with_client_options(client).with_retry(retry);
    for (key, value) in &s3.options {
        builder = builder.with_config(*key, value);
    }
    let builder = builder.with_bucket_name(bucket).with_conditional_put(S3ConditionalPut::ETagMatch);
    builder.build().map_err(|error| PortError::Setting { key: format!("{BUCKET_SCHEME}{bucket}"), problem: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_directory_or_a_bucket() {
        let check = |text: &str, expected: StateUrl, shown: &str| {
            let url: StateUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), shown, "{text}");
            assert_eq!(url, expected, "{text}");
        };
        let bucket = |bucket: &str, prefix: &str| StateUrl::Bucket { bucket: bucket.to_owned(), prefix: prefix.to_owned() };
        check("state", StateUrl::Directory("state".into()), "state");
        check("/var/lib/badgewatch", StateUrl::Directory("/var/lib/badgewatch".into()), "/var/lib/badgewatch");
        check("s3://bucket", bucket("bucket", ""), "s3://bucket");
        check("s3://bucket/", bucket("bucket", ""), "s3://bucket");
        check("s3://bucket/a/b/", bucket("bucket", "a/b"), "s3://bucket/a/b");
    }

    #[test]
    fn what_names_no_place_is_refused() {
        let check = |text: &str, expected: &str| {
            let error = StateUrl::from_str(text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("setting `state`: {expected}")), "{error}");
        };
        check("", "it is empty");
        check("s3://", "it names no bucket");
        check("s3:///prefix", "it names no bucket");
        check("gs://bucket", "only s3:// is known");
    }

    #[test]
    fn secrets_are_never_shown() {
        let vars = [("AWS_SECRET_ACCESS_KEY", "hunter2"), ("AWS_REGION", "eu-1"), ("PATH", "/bin"), ("AWS_PROFILE", "x")];
        let options = S3Options::from_vars(vars.map(|(key, value)| (key.to_owned(), value.to_owned())));
        assert_eq!(format!("{options:?}"), "{SecretAccessKey, Region}");
    }

    #[test]
    fn a_file_of_variables_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s3");
        let read = |text: &str| {
            fs::write(&path, text).unwrap();
            S3Options::default().read(&path)
        };
        let options = read("# ours\n\nAWS_ACCESS_KEY_ID = me\nAWS_SECRET_ACCESS_KEY=a=b\n").unwrap();
        let values: Vec<&str> = options.options.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(values, ["me", "a=b"]);
        for text in ["AWS_REGION=eu\nhunter2", "AWS_REGION=eu\nAWS_HUNTER2=x", "\nSECRET=hunter2"] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains("line 2 is no variable for S3") && !error.to_lowercase().contains("hunter2"), "{error}");
        }
        let missing = S3Options::default().read(&directory.path().join("none")).unwrap_err().to_string();
        assert!(missing.contains("none`: it can't be read"), "{missing}");
    }
}
