//! Load and proof: fleets and scenarios from a seed, and the auditor, which recomputes naively
//! what the engine computes quickly.

pub mod auditor;
pub mod dice;
pub mod fleet;
pub mod record;
pub mod scenario;
pub mod truth;
pub mod world;
