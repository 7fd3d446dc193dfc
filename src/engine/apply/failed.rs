//! A creation that ended with an error and left nothing behind: whether that is to be believed.

use terrane_core::Diagnostics;
use terrane_state::{Intent, ObjectStatus, OperationOutcome, OperationResult};

use super::applier::Applier;
use super::settle::Settled;
use crate::object::{Loaded, Subject};
use crate::recover::proof::prove;

/// The class of errors that a provider reports.
pub(super) const REPORTED: &str = "provider error";
/// The same, where the words say that it gave up waiting or lost its connection: it does not know either.
const GAVE_UP: &str = "provider error: gave up";

/// Whether the provider itself said that the operation failed: what is left of it is not whole.
pub(crate) fn reported(result: Option<&OperationResult>) -> bool {
    let class = result.and_then(|result| result.error_class.as_deref());
    class.is_some_and(|class| class.starts_with(REPORTED))
}

/// What a look after a failed creation came to.
enum Left {
    /// What the creation made.
    Object(Box<Loaded>),
    /// Nothing of it is there.
    Nothing,
    /// There is no way to look, or what was seen proves nothing.
    Unseen,
}

impl Applier<'_> {
    /// Looks for the object before a failed creation is called failed. A provider that made something and then failed may say only
    /// that it failed.
    pub(super) async fn look_after_failure(
        &self,
        intent: &Intent,
        subject: &Subject<'_>,
        settled: &mut Settled,
    ) {
        let left = self.left_behind(intent, subject).await;
        match left.unwrap_or(Left::Unseen) {
            Left::Object(mut object) => {
                object.status = ObjectStatus::Tainted;
                settled.object = Some(*object);
                settled.outcome = OperationOutcome::Partial;
                settled.diagnostics.push(
                    subject
                        .warning("the creation failed and left an object behind")
                        .detail("it is in the state, and will be replaced"),
                );
            }
            Left::Nothing => settled.outcome = OperationOutcome::FailedProved,
            Left::Unseen if gave_up(&settled.diagnostics) => {
                settled.outcome = OperationOutcome::Unknown;
                settled.error_class = Some(GAVE_UP.to_owned());
                settled.diagnostics = std::mem::take(&mut settled.diagnostics)
                    .into_iter()
                    .map(|diagnostic| match diagnostic.is_error() {
                        true => diagnostic.hint("the object may or may not have been created"),
                        false => diagnostic,
                    })
                    .collect();
            }
            Left::Unseen => {}
        }
    }

    async fn left_behind(
        &self,
        intent: &Intent,
        subject: &Subject<'_>,
    ) -> Result<Left, Diagnostics> {
        let named = self.named(subject);
        let ours = |id: &str, found: Loaded| match prove(intent, named, id, &found.value) {
            Ok(_) => Left::Object(Box::new(found)),
            Err(_) => Left::Unseen,
        };
        if let Some(id) = &intent.planned_id {
            return Ok(match subject.look_up(id, None).await? {
                None => Left::Nothing,
                Some(found) => ours(id, found),
            });
        }
        let finder = self.recovery(subject).and_then(|recovery| recovery.by_tag);
        let (Some(tag), Some(finder)) = (&intent.owner_tag, finder) else {
            return Ok(Left::Unseen);
        };
        // That nothing has the tag proves nothing yet: an index of tags lags behind. Several are for a person to look at.
        let mut found = subject.with_tag(&finder, tag).await?;
        Ok(match (found.pop(), found.is_empty()) {
            (Some((id, object)), true) => ours(&id, object),
            _ => Left::Unseen,
        })
    }
}

/// Whether the words of an error say that its writer does not know what happened. The protocol has no other sign of it: these are
/// the words of Go's standard library and of the SDKs.
fn gave_up(diagnostics: &Diagnostics) -> bool {
    const WORDS: [&str; 15] = [
        "timeout",
        "timed out",
        "deadline exceeded",
        "context canceled",
        "operation was canceled",
        "connection reset",
        "connection refused",
        "broken pipe",
        "unexpected eof",
        "use of closed network connection",
        "internalfailure",
        "internalservererror",
        "serviceunavailable",
        "status code: 5",
        "statuscode: 5",
    ];
    diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error())
        .any(|diagnostic| {
            let text = format!("{}\n{}", diagnostic.summary, diagnostic.detail);
            let text = text.to_lowercase();
            WORDS.iter().any(|word| text.contains(word))
        })
}

#[cfg(test)]
mod tests {
    use terrane_core::Diagnostic;

    use super::*;

    #[test]
    fn an_error_that_does_not_know_is_told_from_one_that_does() {
        for (text, unsure) in [
            (
                "creating EC2 VPC: RequestError: send request failed: read: connection reset by peer",
                true,
            ),
            (
                "waiting for EKS Cluster (prod) create: timeout while waiting for state",
                true,
            ),
            (
                "creating X: operation error: StatusCode: 503, ServiceUnavailable",
                true,
            ),
            ("context deadline exceeded", true),
            (
                "creating S3 Bucket: BucketAlreadyExists: status code: 409",
                false,
            ),
            ("quota exceeded", false),
        ] {
            let diagnostics = Diagnostics::from(Diagnostic::error(text));
            assert_eq!(gave_up(&diagnostics), unsure, "{text}");
        }
    }
}
