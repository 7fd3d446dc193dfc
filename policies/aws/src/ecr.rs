//! Image repositories.

use terrane_aws::ecr;
use terrane_core::Policy;

/// Images are scanned when they are pushed.
#[track_caller]
pub fn images_are_scanned() -> Policy {
    Policy::new("images are scanned", |plan| {
        for repository in plan.of::<ecr::Repository>() {
            let scanned = repository
                .image_scanning_configuration()
                .index(0)
                .scan_on_push();
            repository.require(&scanned, "its images are not scanned", |on| {
                on == Some(true)
            });
        }
    })
    .hint("set `scan_on_push` in `image_scanning_configuration` to `true`")
}

/// A tag names one image for ever.
#[track_caller]
pub fn tags_are_immutable() -> Policy {
    Policy::new("image tags are immutable", |plan| {
        for repository in plan.of::<ecr::Repository>() {
            let tags = repository.image_tag_mutability();
            repository.require(&tags, "a tag can be moved to another image", |tags| {
                tags.is_some_and(|tags| tags.starts_with("IMMUTABLE"))
            });
        }
    })
    .hint("set `image_tag_mutability` to `IMMUTABLE`")
}
