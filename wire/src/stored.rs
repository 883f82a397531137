//! What is kept between runs, as bytes: compact, and each form with its number first.
//!
//! Who stores them checks that they are the bytes that were written. Here any bytes are read
//! without a panic, and without more memory than a small multiple of their length.

pub mod declared;
pub mod head;
pub mod life;
pub mod page;
pub mod place;
pub mod restored;
mod state;
pub mod stretch;
mod varint;
