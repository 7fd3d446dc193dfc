//! The registry: where the API's images are.

use terrane::Stack;
use terrane_aws::ecr;
use terrane_aws::ecr::{LifecyclePolicyDocument, LifecycleRule};

use crate::Config;

/// The platform's image repositories.
#[derive(Debug, Clone)]
pub struct Registry {
    /// The API's images.
    pub api: ecr::Repository,
}

impl Registry {
    /// Declares the repository; images are scanned when pushed, and old ones go.
    pub fn declare(stack: &mut Stack, config: &Config) -> Self {
        stack.module("registry", |stack| {
            let api = ecr::Repository::builder("api")
                .name(config.name("api"))
                .image_tag_mutability("MUTABLE")
                .image_scanning_configuration(
                    ecr::repository::ImageScanningConfiguration::builder().scan_on_push(true),
                )
                .force_delete(config.force_delete)
                .declare(stack);
            // Releases are tagged `v1.2.3`; the registry counts only tags that start as said.
            ecr::LifecyclePolicy::builder("api")
                .repository(api.name())
                .policy(
                    LifecyclePolicyDocument::new()
                        .rule(LifecycleRule::untagged_older_than(7))
                        .rule(LifecycleRule::tagged_beyond(10, ["v"])),
                )
                .declare(stack);
            Self { api }
        })
    }
}
