//! Over TLS, with certificates made here, and with SASL on top: what is right works, what is wrong is told with what
//! to do, and no password is ever told.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Duration;

use ports::Log;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair, KeyUsagePurpose};
use storage::dev_broker::DevBroker;
use storage::{KafkaConfig, KafkaGroupSource, KafkaSource, Secret, ensure_topics};

use super::assert_complete;
use super::harness::{SCRIPT, produce, read_all};

const PASSWORD: &str = "correct-horse-battery-staple";
const WRONG_PASSWORD: &str = "hunter2-hunter2";
const RECORDS: usize = 2_000;
/// How long a client tries a broker that won't have it.
const SHORT: Duration = Duration::from_secs(3);

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// What the server is told: its key and certificate, and who may log in.
fn server_properties(folder: &Path, authority: &CertifiedIssuer<'_, KeyPair>) -> String {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, authority).unwrap();
    let store = folder.join("server.pem");
    fs::write(&store, [key.serialize_pem(), certificate.pem()].concat()).unwrap();
    let module = "org.apache.kafka.common.security.plain.PlainLoginModule";
    format!(
        "ssl.keystore.type=PEM\nssl.keystore.location={}\nsasl.enabled.mechanisms=PLAIN\n\
         listener.name.sasl_ssl.plain.sasl.jaas.config={module} required user_badgewatch=\"{PASSWORD}\";\n",
        store.display()
    )
}

fn config(broker: &DevBroker, listener: &str, properties: &[(&str, &str)]) -> KafkaConfig {
    let mut config = KafkaConfig::new(&broker.listener(listener).unwrap());
    config.topic_prefix = format!("{}.", listener.to_lowercase());
    config.partitions = 2;
    config.timeout = SHORT;
    config.properties = properties.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
    config
}

/// Records go in and come out.
fn works(mut config: KafkaConfig) {
    config.timeout = super::harness::PATIENCE;
    ensure_topics(&config, &[Log::Health]).unwrap();
    produce(&config, Log::Health, RECORDS, 20);
    assert_complete(&read_all(&mut KafkaSource::open(&config, Log::Health).unwrap()), RECORDS);
    drop(KafkaGroupSource::open(&config, Log::Health).unwrap());
}

/// Whoever opens something is told all of this, and no password.
fn refused(config: &KafkaConfig, told: &[&str]) {
    let errors = [
        ensure_topics(config, &[Log::Health]).unwrap_err(),
        KafkaSource::open(config, Log::Health).unwrap_err(),
        KafkaGroupSource::open(config, Log::Health).err().unwrap(),
    ];
    for error in errors {
        let (mut chain, mut cause) = (format!("{error} ({error:?})"), error.source());
        while let Some(error) = cause {
            chain = format!("{chain}: {error} ({error:?})");
            cause = error.source();
        }
        assert!(told.iter().all(|part| chain.contains(part)), "{chain}\nlacks one of {told:?}");
        assert!(![PASSWORD, WRONG_PASSWORD].iter().any(|password| chain.contains(password)), "{chain}");
    }
}

#[test]
fn brokers_are_verified_and_clients_log_in() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let (ours, theirs) = (authority("ours"), authority("theirs"));
    let (our_file, their_file) = (file("ours.pem", &ours.pem()), file("theirs.pem", &theirs.pem()));
    let properties = file("server.properties", &server_properties(folder.path(), &ours));
    let data = folder.path().join("broker");
    let broker = DevBroker::start_with(Path::new(SCRIPT), &data, &["SSL", "SASL_SSL"], Path::new(&properties)).unwrap();

    let ssl = ("security.protocol", "SSL");
    let ours_located = ("ssl.ca.location", our_file.as_str());
    works(config(&broker, "SSL", &[ssl, ours_located]));
    refused(
        &config(&broker, "SSL", &[ssl, ("ssl.ca.location", &their_file)]),
        &["certificate verify failed", "point ssl.ca.location, or ssl.ca.pem, to the certificate of the authority"],
    );
    refused(&config(&broker, "SSL", &[]), &["check that security.protocol is what the broker's port speaks"]);

    let login = [("security.protocol", "SASL_SSL"), ours_located, ("sasl.mechanism", "PLAIN"), ("sasl.username", "badgewatch")];
    let mut wrong = config(&broker, "SASL_SSL", &login);
    wrong.secrets.insert("sasl.password".to_owned(), Secret::new(WRONG_PASSWORD.to_owned()));
    refused(&wrong, &["Authentication failed", "check sasl.mechanism, sasl.username, and what sasl.password is taken from"]);

    // All of it from a file, the secret from another, the authority in place.
    let password = file("password", &format!("{PASSWORD}\n"));
    let pem = file("our-authority.pem", &ours.pem());
    let lines = format!(
        "# of the test\nsecurity.protocol=SASL_SSL\nssl.ca.pem=file:{pem}\nsasl.mechanism=PLAIN\nsasl.username=badgewatch\n\
         sasl.password=file:{password}\n"
    );
    let mut right = config(&broker, "SASL_SSL", &[]);
    right.read_properties(Path::new(&file("client.properties", &lines))).unwrap();
    works(right);
}
