//! Explicit states in two bits.

use domain::HealthState;

/// Bits that a state takes.
pub(super) const BITS: u32 = 2;
const MASK: u64 = (1 << BITS) - 1;

/// A state's number.
pub(super) const fn code(state: HealthState) -> u64 {
    match state {
        HealthState::Up => 0,
        HealthState::Unknown => 1,
        HealthState::Maintenance => 2,
        HealthState::Down => 3,
    }
}

/// The state in the lowest bits.
pub(super) const fn of(value: u64) -> HealthState {
    match value & MASK {
        0 => HealthState::Up,
        1 => HealthState::Unknown,
        2 => HealthState::Maintenance,
        _ => HealthState::Down,
    }
}
