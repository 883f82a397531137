//! What is remembered of a subject beside its pages: its head.
//!
//! Form 1, in variable-length integers but for the first byte, ids and hashes:
//!
//! - the form, one byte;
//! - the first offset of its partition that isn't applied to it;
//! - its events' names ([`names`]);
//! - the number of regions; of each, its number (EU, FE, NA from 0) and its health ([`health`]).

mod health;
mod names;

use domain::{HealthParts, NamesParts, Region};

use super::varint;
use crate::Error;

/// The form that is written, and the only one that is read.
pub const FORM: u8 = 1;

/// What is remembered of a subject beside its pages.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Head {
    /// The first offset of the subject's partition that isn't applied to it.
    pub applied_to: u64,
    /// The names of its events.
    pub names: NamesParts,
    /// Its health, each region once.
    pub health: Vec<(Region, HealthParts)>,
}

/// A head as bytes.
#[must_use]
pub fn write(head: &Head) -> Vec<u8> {
    let mut out = vec![FORM];
    varint::write(head.applied_to, &mut out);
    names::write(&head.names, &mut out);
    varint::write(head.health.len() as u64, &mut out);
    for (region, parts) in &head.health {
        varint::write(code(*region), &mut out);
        health::write(parts, &mut out);
    }
    out
}

/// A head from its bytes.
///
/// # Errors
/// Bytes that [`write`] can't have written, which includes those of a later form.
pub fn read(bytes: &[u8]) -> Result<Head, Error> {
    match bytes.split_first() {
        Some((&FORM, rest)) => read_head(rest).map_err(|problem| Error::Stored { what: "head", problem }),
        Some((&form, _)) => Err(Error::Form { what: "head", found: u64::from(form), expected: u64::from(FORM) }),
        None => Err(Error::Stored { what: "head", problem: "it is empty" }),
    }
}

fn read_head(mut rest: &[u8]) -> Result<Head, &'static str> {
    let applied_to = varint::required(&mut rest)?;
    let names = names::read(&mut rest)?;
    let mut health: Vec<(Region, HealthParts)> = Vec::new();
    for _ in 0..varint::required(&mut rest)? {
        let region = region(varint::required(&mut rest)?).ok_or("a region is unknown")?;
        if health.iter().any(|(other, _)| *other == region) {
            return Err("a region is there twice");
        }
        health.push((region, health::read(&mut rest)?));
    }
    if !rest.is_empty() {
        return Err("there is more behind it");
    }
    Ok(Head { applied_to, names, health })
}

const fn code(region: Region) -> u64 {
    match region {
        Region::Eu => 0,
        Region::Fe => 1,
        Region::Na => 2,
    }
}

fn region(number: u64) -> Option<Region> {
    Region::ALL.into_iter().find(|region| code(*region) == number)
}

#[cfg(test)]
mod tests;
