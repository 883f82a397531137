//! What is frozen of a product's life (R24).
//!
//! Form 1. All integers have variable length but for the first byte. An instant is how much earlier
//! (or, as a negative number, later) it is than the life's `next`, with the sign in the lowest bit; a
//! text, as also JSON, has its length in bytes before it, and a list its number of items.
//!
//! - the form, one byte; `next`, in milliseconds since 1970; the policy's version; `depends_until`;
//! - the lanes; of each:
//!   - the scope (global, EU, FE, NA) in the lowest two bits, and above them the phase (on, proposed,
//!     removed, probation, broken);
//!   - flags of what there is, from the lowest bit on: `floor`, `removed_at`, `refused`, `ruled`, a
//!     critical outage told of EU, FE and NA, `held`;
//!   - `since`, `critical_next`, `depends_until`, then what is flagged, in this order;
//!   - what the phase holds, in the order of its fields; a refused usage is downtime and outages, active
//!     warnings are a bit each, with coverage the highest;
//! - the decisions, each as the JSON of [`crate::decision`];
//! - the removals: scope, `since`, and both ends.

use domain::Timestamp;
use domain::decision::{DecisionId, Evidence, Reason, Scope};
use domain::id::Region;
use domain::interval::Interval;
use domain::life::{Active, Broken, LifeParts, Phase, Proposal, Refused, Removal, State};

use super::varint;
use crate::view::EvidenceView;
use crate::{Error, decision, json};

/// The form that is written, and the only one that is read.
pub const FORM: u8 = 1;

const WHAT: &str = "life";
const SCOPE_BITS: u32 = 2;
const SCOPES: u64 = (1 << SCOPE_BITS) - 1;
/// One lane a scope: each region, and all of them together.
const LANES_MAX: usize = Region::COUNT + 1;
const BEYOND: &str = "an instant lies outside of time";
const CUT_OFF: &str = "an integer is cut off or too large";

const ON: u64 = 0;
const PROPOSED: u64 = 1;
const REMOVED: u64 = 2;
const PROBATION: u64 = 3;
const BROKEN: u64 = 4;

const FLOOR: u64 = 1;
const REMOVED_AT: u64 = 1 << 1;
const REFUSED: u64 = 1 << 2;
const RULED: u64 = 1 << 3;
/// By region, in the order in which they are listed here.
const TOLD: [(u64, Region); Region::COUNT] = [(1 << 4, Region::Eu), (1 << 5, Region::Fe), (1 << 6, Region::Na)];
const HELD: u64 = 1 << 7;
const FLAGS: u64 = (1 << 8) - 1;

/// What is frozen of a life, as bytes.
#[must_use]
pub fn write(life: &LifeParts) -> Vec<u8> {
    let mut out = Writer { out: vec![FORM], base: life.next };
    out.integer(life.next.ms().unsigned_abs());
    out.integer(life.version as u64);
    out.instant(life.depends_until);
    out.all(&life.lanes, Writer::lane);
    out.all(&life.decisions, |out, one| out.bytes(&decision::write(one)));
    out.all(&life.removals, Writer::removal);
    out.out
}

/// What is frozen of a life, from its bytes. Whether its parts fit together isn't asked.
///
/// # Errors
/// Bytes that [`write`] can't have written, which includes those of a later form.
pub fn read(bytes: &[u8]) -> Result<LifeParts, Error> {
    match bytes.split_first() {
        Some((&FORM, rest)) => Reader { rest, base: Timestamp::MIN }.life(),
        Some((&form, _)) => Err(Error::Form { what: WHAT, found: u64::from(form), expected: u64::from(FORM) }),
        None => wrong("it is empty"),
    }
}

fn wrong<T>(problem: &'static str) -> Result<T, Error> {
    Err(Error::Stored { what: WHAT, problem })
}

/// Bytes to which a life is written.
struct Writer {
    out: Vec<u8>,
    base: Timestamp,
}

impl Writer {
    fn lane(&mut self, lane: &State) {
        let told = TOLD.map(|(flag, region)| (flag, lane.critical_told[region.index()]));
        let held = if let Phase::Probation { held, .. } = &lane.phase { *held } else { None };
        let instants = [(FLOOR, lane.floor), (REMOVED_AT, lane.removed_at), (HELD, held)].into_iter().chain(told);
        let others = [(REFUSED, lane.refused.is_some()), (RULED, !lane.ruled.is_empty())];
        let flags = instants.map(|(flag, at)| (flag, at.is_some())).chain(others);
        self.integer(phase_code(&lane.phase) << SCOPE_BITS | scope_code(lane.scope));
        self.integer(flags.filter(|(_, is)| *is).map(|(flag, _)| flag).sum());
        [lane.since, lane.critical_next, lane.depends_until].into_iter().for_each(|at| self.instant(at));
        [lane.floor, lane.removed_at].into_iter().flatten().for_each(|at| self.instant(at));
        lane.refused.into_iter().for_each(|used| self.used(used));
        if !lane.ruled.is_empty() {
            self.all(&lane.ruled, Self::ruling);
        }
        told.into_iter().filter_map(|(_, at)| at).chain(held).for_each(|at| self.instant(at));
        self.phase(&lane.phase);
    }

    fn phase(&mut self, phase: &Phase) {
        match phase {
            Phase::On { next, active } => {
                self.instant(*next);
                self.active(*active);
            }
            Phase::Proposed(proposal) => self.proposal(proposal),
            Phase::Removed { breach, not_before } => [breach, not_before].into_iter().for_each(|at| self.instant(*at)),
            Phase::Probation { start, passed, held: _ } => {
                self.instant(*start);
                self.integer(u64::from(*passed));
            }
            Phase::Broken(broken) => {
                self.instant(broken.start);
                self.interval(broken.month);
                self.instant(broken.at);
                self.all(&broken.reasons, Self::reason);
            }
        }
    }

    fn proposal(&mut self, proposal: &Proposal) {
        self.integer(scope_code(proposal.scope));
        self.instant(proposal.breach);
        self.all(&proposal.reasons, Self::reason);
        self.interval(proposal.window);
        let mut evidence = Vec::new();
        json::write(&EvidenceView::new(&proposal.evidence, proposal.scope.as_str()), &mut evidence);
        self.bytes(&evidence);
        self.used(proposal.used);
        self.active(proposal.active);
    }

    fn removal(&mut self, removal: &Removal) {
        self.integer(scope_code(removal.scope));
        self.instant(removal.since);
        self.interval(removal.interval);
    }

    fn ruling(&mut self, (at, proposed_at, proposal): &(Timestamp, Timestamp, DecisionId)) {
        self.instant(*at);
        self.instant(*proposed_at);
        self.out.extend_from_slice(&proposal.0);
    }

    fn used(&mut self, used: Refused) {
        self.signed(used.downtime_ms);
        self.integer(used.outages as u64);
    }

    fn active(&mut self, active: Active) {
        let bits = active.reasons.into_iter().chain([active.coverage]).rev();
        self.integer(bits.fold(0, |code, is| code << 1 | u64::from(is)));
    }

    fn reason(&mut self, reason: &Reason) {
        self.bytes(reason.to_string().as_bytes());
    }

    fn all<T>(&mut self, items: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>, write: impl Fn(&mut Self, T)) {
        let items = items.into_iter();
        self.integer(items.len() as u64);
        items.for_each(|item| write(self, item));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.integer(bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }

    fn interval(&mut self, interval: Interval) {
        self.instant(interval.from);
        self.instant(interval.to);
    }

    fn instant(&mut self, at: Timestamp) {
        self.signed((self.base - at).ms());
    }

    fn signed(&mut self, value: i64) {
        self.integer(((value << 1) ^ (value >> 63)).cast_unsigned());
    }

    fn integer(&mut self, value: u64) {
        varint::write(value, &mut self.out);
    }
}

/// Bytes from which a life is read.
struct Reader<'b> {
    rest: &'b [u8],
    base: Timestamp,
}

impl<'b> Reader<'b> {
    fn life(mut self) -> Result<LifeParts, Error> {
        let next = i64::try_from(self.integer()?).ok().and_then(Timestamp::from_ms);
        self.base = next.map_or_else(|| wrong(BEYOND), Ok)?;
        let life = LifeParts {
            next: self.base,
            version: self.size()?,
            depends_until: self.instant()?,
            lanes: self.lanes()?,
            decisions: self.all(|from| decision::parse(from.bytes()?))?,
            removals: self.all(Self::removal)?,
        };
        if self.rest.is_empty() { Ok(life) } else { wrong("there is more behind it") }
    }

    fn lanes(&mut self) -> Result<Vec<State>, Error> {
        let count = self.size()?;
        if count > LANES_MAX {
            return wrong("it has more lanes than there are scopes");
        }
        (0..count).map(|_| self.lane()).collect()
    }

    fn lane(&mut self) -> Result<State, Error> {
        let code = self.integer()?;
        let flags = self.integer()?;
        let has = |flag: u64| flags & flag != 0;
        let phase = code >> SCOPE_BITS;
        if flags > FLAGS || (has(HELD) && phase != PROBATION) {
            return wrong("a lane has flags that it can't have");
        }
        let [since, critical_next, depends_until] = [self.instant()?, self.instant()?, self.instant()?];
        let floor = self.optional(has(FLOOR))?;
        let removed_at = self.optional(has(REMOVED_AT))?;
        let refused = has(REFUSED).then(|| self.used()).transpose()?;
        let ruled = if has(RULED) { self.all(Self::ruling)? } else { Vec::new() };
        let mut critical_told = [None; Region::COUNT];
        for (flag, region) in TOLD {
            critical_told[region.index()] = self.optional(has(flag))?;
        }
        let held = self.optional(has(HELD))?;
        Ok(State {
            scope: scope(code & SCOPES)?,
            since,
            phase: self.phase(phase, held)?,
            floor,
            removed_at,
            refused,
            ruled: ruled.into_iter().collect(),
            critical_next,
            critical_told,
            depends_until,
        })
    }

    fn phase(&mut self, code: u64, held: Option<Timestamp>) -> Result<Phase, Error> {
        Ok(match code {
            ON => Phase::On { next: self.instant()?, active: self.active()? },
            PROPOSED => Phase::Proposed(Box::new(self.proposal()?)),
            REMOVED => Phase::Removed { breach: self.instant()?, not_before: self.instant()? },
            PROBATION => {
                let (start, passed) = (self.instant()?, self.integer()?);
                Phase::Probation { start, passed: u32::try_from(passed).or_else(|_| wrong(CUT_OFF))?, held }
            }
            BROKEN => Phase::Broken(Box::new(Broken {
                start: self.instant()?,
                month: self.interval()?,
                at: self.instant()?,
                reasons: self.all(Self::reason)?,
            })),
            _ => return wrong("a lane has a phase that there isn't"),
        })
    }

    fn proposal(&mut self) -> Result<Proposal, Error> {
        Ok(Proposal {
            scope: scope(self.integer()?)?,
            breach: self.instant()?,
            reasons: self.all(Self::reason)?,
            window: self.interval()?,
            evidence: Evidence::try_from(&json::read::<EvidenceView>(WHAT, self.bytes()?)?)?,
            used: self.used()?,
            active: self.active()?,
        })
    }

    fn removal(&mut self) -> Result<Removal, Error> {
        Ok(Removal { scope: scope(self.integer()?)?, since: self.instant()?, interval: self.interval()? })
    }

    fn ruling(&mut self) -> Result<(Timestamp, Timestamp, DecisionId), Error> {
        let (at, proposed_at) = (self.instant()?, self.instant()?);
        let Some((id, rest)) = self.rest.split_first_chunk() else { return wrong("a ruling is cut off") };
        self.rest = rest;
        Ok((at, proposed_at, DecisionId(*id)))
    }

    fn used(&mut self) -> Result<Refused, Error> {
        Ok(Refused { downtime_ms: self.signed()?, outages: self.size()? })
    }

    fn active(&mut self) -> Result<Active, Error> {
        let mut active = Active::default();
        let mut code = self.integer()?;
        for is in active.reasons.iter_mut().chain([&mut active.coverage]) {
            *is = code & 1 != 0;
            code >>= 1;
        }
        if code == 0 { Ok(active) } else { wrong("there are warnings that there aren't") }
    }

    fn reason(&mut self) -> Result<Reason, Error> {
        let text = std::str::from_utf8(self.bytes()?).ok();
        text.and_then(Reason::parse).map_or_else(|| wrong("a reason isn't one"), Ok)
    }

    /// A list. What it takes grows with what is read, not with the number that is said.
    fn all<T>(&mut self, read: impl Fn(&mut Self) -> Result<T, Error>) -> Result<Vec<T>, Error> {
        let (count, mut items) = (self.integer()?, Vec::new());
        for _ in 0..count {
            items.push(read(self)?);
        }
        Ok(items)
    }

    fn bytes(&mut self) -> Result<&'b [u8], Error> {
        let length = self.size()?;
        let Some((bytes, rest)) = self.rest.split_at_checked(length) else { return wrong("a text is cut off") };
        self.rest = rest;
        Ok(bytes)
    }

    fn interval(&mut self) -> Result<Interval, Error> {
        Ok(Interval::new(self.instant()?, self.instant()?))
    }

    fn optional(&mut self, is: bool) -> Result<Option<Timestamp>, Error> {
        is.then(|| self.instant()).transpose()
    }

    fn instant(&mut self) -> Result<Timestamp, Error> {
        let at = self.base.ms().checked_sub(self.signed()?);
        at.and_then(Timestamp::from_ms).map_or_else(|| wrong(BEYOND), Ok)
    }

    fn signed(&mut self) -> Result<i64, Error> {
        let value = self.integer()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    fn size(&mut self) -> Result<usize, Error> {
        usize::try_from(self.integer()?).or_else(|_| wrong(CUT_OFF))
    }

    fn integer(&mut self) -> Result<u64, Error> {
        varint::read(&mut self.rest).map_or_else(|| wrong(CUT_OFF), Ok)
    }
}

const fn scope_code(scope: Scope) -> u64 {
    match scope {
        Scope::Global => 0,
        Scope::Region(Region::Eu) => 1,
        Scope::Region(Region::Fe) => 2,
        Scope::Region(Region::Na) => 3,
    }
}

fn scope(code: u64) -> Result<Scope, Error> {
    Ok(match code {
        0 => Scope::Global,
        1 => Scope::Region(Region::Eu),
        2 => Scope::Region(Region::Fe),
        3 => Scope::Region(Region::Na),
        _ => return wrong("a scope isn't one"),
    })
}

const fn phase_code(phase: &Phase) -> u64 {
    match phase {
        Phase::On { .. } => ON,
        Phase::Proposed(_) => PROPOSED,
        Phase::Removed { .. } => REMOVED,
        Phase::Probation { .. } => PROBATION,
        Phase::Broken(_) => BROKEN,
    }
}

#[cfg(test)]
mod tests;
