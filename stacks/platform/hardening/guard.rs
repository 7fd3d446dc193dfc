//! GuardDuty: findings about the account, the cluster's audit log and what is read from the buckets.

use terrane::Stack;
use terrane_aws::guardduty;

/// What the detector looks at beside the account's own events.
const FEATURES: [&str; 2] = ["EKS_AUDIT_LOGS", "S3_DATA_EVENTS"];

/// The detector. An account has at most one in a region.
#[derive(Debug, Clone)]
pub struct Guard {
    /// The detector.
    pub detector: guardduty::Detector,
}

impl Guard {
    /// Declares the detector with its features.
    pub fn declare(stack: &mut Stack) -> Self {
        stack.module("guard", |stack| {
            let detector = guardduty::Detector::builder("main")
                .enable(true)
                .finding_publishing_frequency("FIFTEEN_MINUTES")
                .declare(stack);
            for feature in FEATURES {
                guardduty::DetectorFeature::builder("main")
                    .instance_key(feature)
                    .detector_id(detector.id())
                    .name(feature)
                    .status("ENABLED")
                    .declare(stack);
            }
            Self { detector }
        })
    }
}
