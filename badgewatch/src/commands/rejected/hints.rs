//! What to do about a rejected line.

use domain::RejectReason;

/// What to do about an event that was rejected for a reason.
pub(super) const fn of_event(reason: RejectReason) -> &'static str {
    match reason {
        RejectReason::InvalidJson => {
            "Have its reporter send one JSON object a line, no longer than a record may be; repair this one and replay it with --from."
        }
        RejectReason::UnsupportedVersion => {
            "Upgrade badgewatch, then replay the line, or repair it to \"v\": 1 and replay it with --from."
        }
        RejectReason::UnknownType => "Repair `type` to outcome or state, and replay it with --from.",
        RejectReason::MissingField => "Add the field, and replay it with --from.",
        RejectReason::InvalidField => "Repair the field, and replay it with --from.",
        RejectReason::UnknownSubject => "Register what it is about (a badge line names it), then replay the line as it was.",
        RejectReason::UnknownRegion => "Repair `region` to NA, EU or FE, and replay it with --from.",
        RejectReason::UnknownMarketplace => "Repair the marketplace, and replay it with --from.",
        RejectReason::ConflictingDuplicate => {
            "The first event of its name stands; if both are true, give this one a `seq` of its own and replay it with --from."
        }
        RejectReason::SequenceTooOld => {
            "It may have counted long ago; if you know that it never did, leave out its `seq` and replay it with --from."
        }
        RejectReason::TooFarInFuture => {
            "Set its reporter's clock, and replay the line as it was once its time has come, or with `at` repaired."
        }
        RejectReason::OlderThanWindow => "It can't count any more: nothing that old changes what is judged.",
        RejectReason::CommandRefused => {
            "Only commands are refused, and those belong into the registry: give it with `badgewatch registry apply`."
        }
    }
}

/// What to do about a registry line that was rejected for a reason.
pub(super) const fn of_fact(reason: RejectReason) -> &'static str {
    match reason {
        RejectReason::UnknownSubject => "Register what it is about: the line waits for that, and counts by itself then.",
        RejectReason::OlderThanWindow => "It can't count any more: nothing that old changes what is judged.",
        RejectReason::CommandRefused => {
            "Do what its detail says for each thing in the way, then give the command again under an id of its own: \
             `badgewatch registry apply --dry-run` says whether anything still is."
        }
        RejectReason::InvalidJson
        | RejectReason::UnsupportedVersion
        | RejectReason::UnknownType
        | RejectReason::MissingField
        | RejectReason::InvalidField
        | RejectReason::UnknownRegion
        | RejectReason::UnknownMarketplace
        | RejectReason::ConflictingDuplicate
        | RejectReason::SequenceTooOld
        | RejectReason::TooFarInFuture => "Append the repaired line to the registry: it isn't replayed.",
    }
}

/// Whether an event that was rejected for a reason may count as it was, now or later.
pub(super) const fn may_count_as_it_was(reason: RejectReason) -> bool {
    match reason {
        RejectReason::UnknownSubject | RejectReason::TooFarInFuture | RejectReason::UnsupportedVersion => true,
        RejectReason::InvalidJson
        | RejectReason::UnknownType
        | RejectReason::MissingField
        | RejectReason::InvalidField
        | RejectReason::UnknownRegion
        | RejectReason::UnknownMarketplace
        | RejectReason::ConflictingDuplicate
        | RejectReason::SequenceTooOld
        | RejectReason::OlderThanWindow
        | RejectReason::CommandRefused => false,
    }
}
