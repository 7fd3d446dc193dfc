//! States in S3 with DynamoDB: the conformance suite, Terraform's own bytes, faults between us and the store.

mod faults;
mod s3;
mod world;
