//! Policies for stacks on AWS: a starter set, each a function that gives a policy to declare.
//!
//! ```
//! # use terrane_core::{NoConfig, Program};
//! use terrane_policies::{ec2, s3, tags};
//!
//! # let program = Program::from_fn(|stack| {
//! stack.policies([
//!     s3::buckets_block_public_access().except("aws_s3_bucket.site", "a public web site"),
//!     ec2::no_open_ingress(&[443]),
//!     tags::required(&["team"]).advisory(),
//! ]);
//! // Or everything that this crate thinks every stack should keep:
//! # let _ =
//! terrane_policies::recommended();
//! # Ok(())
//! # }, NoConfig).unwrap();
//! # assert_eq!(program.policies().len(), 3);
//! ```
//!
//! | module | about |
//! |---|---|
//! | [`s3`] | buckets: public access, encryption, versions |
//! | [`ec2`] | security groups, volumes, instances, networks |
//! | [`iam`] | permissions, trust, keys, policies of resources |
//! | [`eks`] | clusters: versions, logs, endpoints, secrets |
//! | [`ecr`] | image repositories |
//! | [`rds`] | databases |
//! | [`stores`] | other stores of data, queues, keys and logs |
//! | [`elb`] | load balancers |
//! | [`stateful`] | resources that hold data: protected, not destroyed |
//! | [`tags`] | tags |
//!
//! Types with bindings are read through them, others by their names. Where only the apply can tell, a policy is undecided; an argument
//! that the program leaves to the provider counts as not set.
//!
//! Why not one policy "AWS is secure": a name is what an exception, a report and a discussion are about.

mod check;
mod document;
pub mod ec2;
pub mod ecr;
pub mod eks;
pub mod elb;
pub mod iam;
pub mod rds;
pub mod s3;
pub mod stateful;
pub mod stores;
pub mod tags;
#[cfg(test)]
mod tests;

use terrane_core::Policy;

/// The policies that fit nearly every stack: mandatory where breaking one opens something to the public, or
/// a cloud would refuse the plan half-way, advisory elsewhere.
#[track_caller]
pub fn recommended() -> Vec<Policy> {
    vec![
        s3::buckets_block_public_access(),
        s3::no_public_acls(),
        s3::no_public_policies(),
        s3::buckets_are_encrypted(),
        s3::buckets_are_versioned().advisory(),
        ec2::no_open_ingress(&[80, 443]),
        ec2::volumes_are_encrypted(),
        ec2::instances_require_tokens().advisory(),
        ec2::networks_have_flow_logs().advisory(),
        iam::no_wildcard_permissions(),
        iam::no_open_trust(),
        iam::github_trust_is_limited(),
        iam::no_open_resource_policies(),
        iam::no_administrators().advisory(),
        iam::no_access_keys().advisory(),
        iam::no_policies_of_users().advisory(),
        eks::supported_kubernetes().advisory(),
        eks::upgrades_go_by_one_minor(),
        eks::control_plane_logs().advisory(),
        eks::endpoint_is_limited().advisory(),
        eks::secrets_are_encrypted().advisory(),
        ecr::images_are_scanned(),
        ecr::tags_are_immutable().advisory(),
        rds::databases_are_encrypted(),
        rds::databases_are_private(),
        rds::databases_are_backed_up().advisory(),
        stores::tables_can_be_restored().advisory(),
        stores::file_systems_are_encrypted(),
        stores::caches_are_encrypted().advisory(),
        stores::queues_are_encrypted().advisory(),
        stores::keys_rotate().advisory(),
        stores::keys_outlive_their_data(),
        stores::logs_expire().advisory(),
        stores::secrets_are_write_only().advisory(),
        elb::listeners_use_tls().advisory(),
        stateful::protected().advisory(),
    ]
}
