//! Why a broker can't be reached. What fails for it says only that it did: the reason comes to a client as an event
//! of its own, which is lost on whoever doesn't poll.

use std::error::Error;
use std::sync::Mutex;
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, DeliveryResult, NoCustomPartitioner, Producer, ProducerContext};

use super::config::KafkaConfig;
use super::context::forward_log;

/// How long the reason is sought.
const SOUGHT_MAX: Duration = Duration::from_secs(3);
/// How long what was told meanwhile is listened to.
const HEARD_MAX: Duration = Duration::from_millis(200);
const UNPOISONED: &str = "nobody panics with it";
/// What the client's log calls a broker's failure.
const FAILURE: &str = "FAIL";
const CERTIFICATE: &str = "point ssl.ca.location, or ssl.ca.pem, to the certificate of the authority that signed the broker's, and \
                           name the broker as its certificate does";
const TLS: &str = "check that security.protocol is what the broker's port speaks, and ssl.* what it asks for";
/// What is said where one side speaks TLS and the other doesn't; a port that does hangs up on a first plain request.
const PROTOCOL: [&str; 4] = ["SSL routines", "SSL handshake", "security.protocol", "APIVERSION_QUERY"];
const LOGIN: &str = "check sasl.mechanism, sasl.username, and what sasl.password is taken from";
const NETWORK: &str = "check that the broker runs, and its address and port";

/// A broker that can't be reached.
#[derive(Debug, thiserror::Error)]
#[error("{reason}; {advice}")]
struct Unreachable {
    reason: String,
    advice: &'static str,
    #[source]
    cause: KafkaError,
}

/// Keeps the first reason; of those that are only logged the last.
#[derive(Default)]
struct TroubleContext {
    told: Mutex<Option<String>>,
    logged: Mutex<Option<String>>,
}

impl ClientContext for TroubleContext {
    /// The clients that fail to open something aren't polled by then, so this is where their log is told. A broker
    /// that ends the connection without a word is no error yet, and only logged.
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        forward_log(level, facility, message);
        if facility == FAILURE {
            let (_thread, reason) = message.split_once("]: ").unwrap_or(("", message));
            *self.logged.lock().expect(UNPOISONED) = Some(reason.to_owned());
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // That all of them are down says less than why one is.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            self.told.lock().expect(UNPOISONED).get_or_insert_with(|| reason.to_owned());
        }
    }
}

impl ProducerContext<NoCustomPartitioner> for TroubleContext {
    type DeliveryOpaque = ();

    fn delivery(&self, _result: &DeliveryResult<'_>, (): ()) {}
}

/// An error of a client that has just tried to reach the broker, with the reason where that can be found out.
pub(super) fn explained(config: &KafkaConfig, error: KafkaError) -> Box<dyn Error + Send + Sync> {
    use RDKafkaErrorCode as Code;
    let unreached = matches!(
        error.rdkafka_error_code(),
        Some(Code::BrokerTransportFailure | Code::AllBrokersDown | Code::OperationTimedOut | Code::Authentication | Code::SSL)
    );
    match unreached.then(|| reason(config)).flatten() {
        None => Box::new(error),
        Some(reason) => Box::new(Unreachable { advice: advice(&reason), reason, cause: error }),
    }
}

/// What to do about it. The client tells one fault under several codes, but in the same words.
fn advice(reason: &str) -> &'static str {
    if reason.contains("certificate verify failed") {
        CERTIFICATE
    } else if reason.contains("uthentication") {
        LOGIN
    } else if PROTOCOL.iter().any(|part| reason.contains(part)) {
        TLS
    } else {
        NETWORK
    }
}

/// Tries once more, and listens.
fn reason(config: &KafkaConfig) -> Option<String> {
    let mut settings = config.admin().ok()?;
    if (settings.log_level as i32) < RDKafkaLogLevel::Info as i32 {
        settings.set_log_level(RDKafkaLogLevel::Info);
    }
    let client: BaseProducer<TroubleContext> = settings.create_with_context(TroubleContext::default()).ok()?;
    let found = client.client().fetch_metadata(None, config.timeout.min(SOUGHT_MAX));
    if found.is_ok() {
        return None;
    }
    client.poll(HEARD_MAX);
    let TroubleContext { told, logged } = &**client.context();
    told.lock().expect(UNPOISONED).take().or_else(|| logged.lock().expect(UNPOISONED).take())
}
