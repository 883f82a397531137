//! The programme's life cycles, and what holds of every history.

mod cycles;
mod dates;
mod decisions;
mod forms;
mod invariants;
mod order;
mod races;
mod stage;
