//! Terraform configurations as Rust programs for terrane, with a proof that both plan the same.

pub mod against;
pub mod check;
