//! Ticks: records of `health` that say nothing but that time went on, so that an idle partition's log
//! time moves (R23). Only badgewatch writes them, to one partition each; they are no events.

/// A tick of form 1, as it is written.
pub const TICK: &[u8] = br#"{"v":1,"type":"tick"}"#;

/// Whether a line is a tick. Cheap enough to ask of every line: ticks have one spelling, ours.
#[must_use]
pub fn is_tick(line: &[u8]) -> bool {
    line == TICK
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event;

    #[test]
    fn a_tick_is_told_from_everything_else() {
        let check = |line: &str, expected: bool| assert_eq!(is_tick(line.as_bytes()), expected, "{line}");
        check(r#"{"v":1,"type":"tick"}"#, true);
        check(r#"{"v":2,"type":"tick"}"#, false);
        check(r#"{"v":1,"type":"tick"} "#, false);
        check(r#"{"v":1,"type":"tick","ok":1}"#, false);
        check(r#"{"v":1,"type":"state"}"#, false);
        check("", false);
    }

    #[test]
    fn a_tick_is_no_event() {
        let error = event::parse(TICK).expect_err("a tick");
        assert_eq!(error.to_string(), "unknown_type: type is \"tick\"; expected outcome or state");
    }
}
