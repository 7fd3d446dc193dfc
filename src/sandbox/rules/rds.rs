//! RDS: database instances, and the subnets that they are in.

use super::Rule;

pub(super) const RULES: &[Rule] = &[];
