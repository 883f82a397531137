//! Stories of the frozen past, and of versions that no longer agree with what was issued.

use super::story::{Step, check, policies};

const REMOVAL: &str = "badge_removal global 2025-03-01T06:00 budget";

#[test]
fn an_arc_goes_on_whose_opening_is_frozen_and_no_longer_listed() {
    let restarted = ["probation_restarted global 2025-06-01T07:00 budget", "probation_restarted global 2025-07-01T07:00 budget"];
    check(
        &policies(&[]),
        &[
            Step::At("2025-03-05T00:00", &[REMOVAL], &["#1 badge_removal global 2025-03-01T06:00 budget"]),
            Step::Forget("2025-05-01T00:00"),
            Step::At("2025-06-05T00:00", &restarted, &["#2 probation_restarted global 2025-06-01T07:00 budget"]),
            Step::At("2025-07-05T00:00", &restarted, &["#3 probation_restarted global 2025-07-01T07:00 budget"]),
            Step::At(
                "2025-07-06T00:00",
                &restarted[..1],
                &["#4 reversal global 2025-07-06T00:00 budget supersedes #3 (probation_restarted)"],
            ),
            // A later arc isn't the frozen one, moved.
            Step::At(
                "2025-08-05T00:00",
                &[restarted[0], "badge_removal global 2025-08-01T06:00 budget"],
                &["#5 badge_removal global 2025-08-01T06:00 budget"],
            ),
        ],
    );
}

#[test]
fn a_proposal_of_review_does_not_hold_back_a_removal_that_needs_none() {
    check(
        &policies(&[]),
        &[
            Step::At(
                "2025-03-05T00:00",
                &["proposal global 2025-03-01T06:00 budget"],
                &["#1 proposal global 2025-03-01T06:00 budget"],
            ),
            Step::At(
                "2025-03-06T00:00",
                &["badge_removal global 2025-02-01T06:00 budget"],
                &[
                    "#2 reversal global 2025-03-06T00:00 budget supersedes #1 (proposal)",
                    "#3 badge_removal global 2025-02-01T06:00 budget",
                ],
            ),
        ],
    );
}
