//! What one input shows of a decoder: whether it was read, what memory that took, and what is wrong, if anything is.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// How a decoder took an input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Verdict {
    pub(crate) accepted: bool,
    /// Most bytes that were allocated at one time while it was read or refused, the message included.
    pub(crate) peak_bytes: u64,
    pub(crate) fault: Option<String>,
}

/// Decodes, and where that yields something checks it. Only the decoding is measured.
pub(crate) fn judge<T>(decode: impl FnOnce() -> Result<T, String>, check: impl FnOnce(T) -> Result<(), String>) -> Verdict {
    let mut outcome = None;
    // The panic is caught within, as the counter doesn't find back from one.
    let measured = allocation_counter::measure(|| outcome = Some(catch_unwind(AssertUnwindSafe(decode))));
    let verdict = |accepted, fault| Verdict { accepted, peak_bytes: measured.bytes_max, fault };
    match outcome.expect("the measured code has run") {
        Err(_) => verdict(false, Some("it panics".to_owned())),
        Ok(Err(_)) => verdict(false, None),
        Ok(Ok(value)) => {
            let checked = catch_unwind(AssertUnwindSafe(|| check(value)));
            verdict(true, checked.unwrap_or_else(|_| Err("what it read can't be written: that panics".to_owned())).err())
        }
    }
}

/// Whether what was written is read back as the same.
pub(crate) fn same<T: PartialEq + std::fmt::Debug, E: ToString>(again: Result<T, E>, value: &T) -> Result<(), String> {
    match again {
        Ok(again) if again == *value => Ok(()),
        Ok(again) => Err(format!("it reads {value:?}, and once that is written {again:?}")),
        Err(error) => Err(format!("it reads {value:?}, and once that is written says: {}", error.to_string())),
    }
}
