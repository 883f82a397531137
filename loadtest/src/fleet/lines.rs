//! The events of a fleet as lines, in the order in which they arrive.

use domain::{Subject, Timestamp};

use super::config::FleetConfig;
use super::malformed::{self, MalformedKind};
use super::plan::Plan;
use super::stream::{Message, Sent, Stream};

/// What a line is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum LineKind {
    /// An event, for the first time.
    Event,
    /// An event that was sent before, as it was.
    Duplicate,
    /// A line that is to be rejected.
    Malformed(MalformedKind),
}

/// What goes with a line's bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineHead<'a> {
    /// The text of the subject: the record's key.
    pub key: &'a str,
    /// The instant that the line is about; of a malformed one, that of the event it was made from.
    pub at: Timestamp,
    /// When it arrives; never earlier than the line before.
    pub sent_at: Timestamp,
    /// What it is.
    pub kind: LineKind,
    /// Whether it arrives later than jitter explains.
    pub late: bool,
}

/// A line with its own copy of everything.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// The text of the subject: the record's key.
    pub key: String,
    /// The instant that the line is about.
    pub at: Timestamp,
    /// When it arrives; never earlier than the line before.
    pub sent_at: Timestamp,
    /// What it is.
    pub kind: LineKind,
    /// Without the newline.
    pub bytes: Vec<u8>,
}

/// The events of a fleet, line by line. Bounded memory: nothing is kept but what is under way.
#[derive(Debug)]
pub struct Lines<'a> {
    stream: Stream<'a>,
    keys: Vec<Box<str>>,
    key: String,
    sent_at: Timestamp,
}

impl<'a> Lines<'a> {
    pub(super) fn new(plan: &'a Plan, config: &FleetConfig) -> Self {
        let keys = plan.channels.iter().map(|channel| text(&channel.subject)).collect();
        Self { stream: Stream::new(plan, config), keys, key: String::new(), sent_at: Timestamp::MIN }
    }

    /// Appends the next line to `out`, without its newline. Allocates nothing but what `out` needs,
    /// malformed lines aside. `None` at the end, with `out` as it was.
    pub fn next_into(&mut self, out: &mut Vec<u8>) -> Option<LineHead<'_>> {
        let (kind, message) = match self.stream.next()? {
            Sent::First(message) => (LineKind::Event, message),
            Sent::Duplicate(message) => (LineKind::Duplicate, message),
            Sent::Malformed(kind, message) => (LineKind::Malformed(kind), message),
        };
        let event = self.stream.event(&message);
        match kind {
            LineKind::Malformed(kind) => malformed::write(kind, &event, out),
            LineKind::Event | LineKind::Duplicate => wire::event::write(&event, out),
        }
        // What is sent again is sent now, not when it was sent first.
        self.sent_at = self.sent_at.max(message.sent_at);
        Some(self.head(kind, &message))
    }

    fn head(&mut self, kind: LineKind, message: &Message) -> LineHead<'_> {
        let stranger = match kind {
            LineKind::Malformed(kind) => malformed::key(kind),
            LineKind::Event | LineKind::Duplicate => None,
        };
        let key = match stranger {
            Some(stranger) => {
                self.key = stranger;
                self.key.as_str()
            }
            None => &self.keys[usize::try_from(message.channel).expect("32 bits fit")],
        };
        LineHead { key, at: message.at, sent_at: self.sent_at, kind, late: message.late && kind == LineKind::Event }
    }
}

impl Iterator for Lines<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        let mut bytes = Vec::with_capacity(LINE_BYTES);
        let LineHead { key, at, sent_at, kind, .. } = self.next_into(&mut bytes)?;
        Some(Line { key: key.to_owned(), at, sent_at, kind, bytes })
    }
}

/// Enough for most lines, in bytes.
const LINE_BYTES: usize = 192;

fn text(subject: &Subject) -> Box<str> {
    subject.to_string().into_boxed_str()
}
