//! Where the platform's stacks keep their states: one bucket and one lock table for all of them, a key each.

use terrane::S3Backend;

/// The state of one environment. `bootstrap` makes bucket and table.
pub fn state_backend(environment: &str) -> S3Backend {
    S3Backend::new(
        "mlops-platform-terraform-state",
        format!("{environment}/terraform.tfstate"),
    )
    .region("us-east-1")
    .lock_table("mlops-platform-terraform-locks")
    .encrypted(None)
}
