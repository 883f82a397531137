//! Statuses, with the names that the programme's console shows.

use std::fmt;

macro_rules! names {
    ($kind:ty { $($value:pat => $name:literal as $title:literal),+ $(,)? }) => {
        impl $kind {
            /// The name on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($value => $name),+ }
            }

            /// The name that the console shows.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $($value => $title),+ }
            }
        }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.title())
            }
        }
    };
}

/// Where a certification request is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CertificationStatus {
    /// Being written.
    Draft,
    /// The programme team looks at it.
    UnderReview,
    /// It isn't taken on.
    Rejected,
    /// In the laboratory, or on the way there.
    InTesting(TestingStep),
    /// The results are looked at.
    ResultsReview,
    /// Certified.
    Approved,
    /// Tested, and not certified.
    Failed,
}

/// What was done last on the way through testing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TestingStep {
    /// Nothing yet: a quote is awaited.
    Accepted,
    /// The laboratory said what it costs.
    Quoted,
    /// That is paid.
    Paid,
    /// The device arrived.
    DeviceReceived,
    /// It is being tested.
    Testing,
}

names!(CertificationStatus {
    Self::Draft => "draft" as "Draft",
    Self::UnderReview => "under_review" as "Under review",
    Self::Rejected => "rejected" as "Rejected",
    Self::InTesting(TestingStep::Accepted) => "in_testing_accepted" as "In testing (awaiting quote)",
    Self::InTesting(TestingStep::Quoted) => "in_testing_quoted" as "In testing (quoted)",
    Self::InTesting(TestingStep::Paid) => "in_testing_paid" as "In testing (paid)",
    Self::InTesting(TestingStep::DeviceReceived) => "in_testing_device_received" as "In testing (device received)",
    Self::InTesting(TestingStep::Testing) => "in_testing" as "In testing (testing)",
    Self::ResultsReview => "results_review" as "Results review",
    Self::Approved => "approved" as "Completed (Approved)",
    Self::Failed => "failed" as "Completed (Rejected)",
});

names!(TestingStep {
    Self::Accepted => "accepted" as "awaiting quote",
    Self::Quoted => "quoted" as "quoted",
    Self::Paid => "paid" as "paid",
    Self::DeviceReceived => "device_received" as "device received",
    Self::Testing => "testing" as "testing",
});

impl TestingStep {
    /// Every step in order.
    pub const ALL: [Self; 5] = [Self::Accepted, Self::Quoted, Self::Paid, Self::DeviceReceived, Self::Testing];

    /// The step that follows.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::Accepted => Some(Self::Quoted),
            Self::Quoted => Some(Self::Paid),
            Self::Paid => Some(Self::DeviceReceived),
            Self::DeviceReceived => Some(Self::Testing),
            Self::Testing => None,
        }
    }
}

/// Where a badge request is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum BadgeRequestStatus {
    /// Being written.
    NotSubmitted,
    /// The programme team looks at it.
    UnderReview,
    /// Approved: it goes live at its date, once every check is met.
    Pending,
    /// The badge is live.
    Enabled,
    /// It isn't granted.
    Rejected,
}

names!(BadgeRequestStatus {
    Self::NotSubmitted => "not_submitted" as "Not Submitted",
    Self::UnderReview => "under_review" as "Under Review",
    Self::Pending => "pending" as "Pending",
    Self::Enabled => "enabled" as "Enabled",
    Self::Rejected => "rejected" as "Rejected",
});

/// What became of a badge that was enabled, in a scope.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum BadgeStatus {
    /// It is shown.
    Enabled,
    /// It was taken away (R13); it comes back by reinstatement or reversal.
    Removed,
    /// Its manufacturer gave it back.
    Withdrawn,
}

names!(BadgeStatus {
    Self::Enabled => "enabled" as "Enabled",
    Self::Removed => "removed" as "Removed",
    Self::Withdrawn => "withdrawn" as "Withdrawn",
});

/// Where an exclusion is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ExclusionStatus {
    /// Waits for the programme team.
    Requested,
    /// It counts (R7).
    Approved,
    /// It doesn't.
    Declined,
    /// It doesn't any more.
    Revoked,
}

names!(ExclusionStatus {
    Self::Requested => "requested" as "Requested",
    Self::Approved => "approved" as "Approved",
    Self::Declined => "declined" as "Declined",
    Self::Revoked => "revoked" as "Revoked",
});

/// Where a dispute is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DisputeStatus {
    /// Waits for the programme team.
    Open,
    /// The downtime is excused.
    Upheld,
    /// It stands.
    Declined,
}

names!(DisputeStatus {
    Self::Open => "open" as "Open",
    Self::Upheld => "upheld" as "Upheld",
    Self::Declined => "declined" as "Declined",
});
