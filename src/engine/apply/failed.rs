//! A creation that ended with an error and left nothing behind: whether that is to be believed.

use terrane_core::Diagnostics;
use terrane_state::{ErrorClass, Intent, ObjectStatus, OperationOutcome};

use super::outcome::ApplyOutcome;
use super::visitor::Visitor;
use crate::evidence::{gave_up, prove};
use crate::object::{Loaded, Subject};

/// The result of a look after a failed creation.
enum Left {
    /// The object that the creation made.
    Object(Box<Loaded>),
    /// Nothing of it is there.
    Nothing,
    /// There is no way to look, or the result proves nothing.
    Unseen,
}

impl Visitor<'_> {
    /// Looks for the object before a failed creation is called failed. A provider that made something and then failed may say only
    /// that it failed.
    pub(super) async fn look_after_failure(
        &self,
        intent: &Intent,
        subject: &Subject<'_>,
        applied: &mut ApplyOutcome,
    ) {
        let left = self.left_behind(intent, subject).await;
        match left.unwrap_or(Left::Unseen) {
            Left::Object(mut object) => {
                object.status = ObjectStatus::Tainted;
                applied.object = Some(*object);
                applied.outcome = OperationOutcome::Partial;
                applied.diagnostics.push(
                    subject
                        .warning("the creation failed and left an object behind")
                        .detail("it is in the state, and will be replaced"),
                );
            }
            Left::Nothing => applied.outcome = OperationOutcome::FailedProved,
            Left::Unseen if gave_up(&applied.diagnostics) => {
                applied.outcome = OperationOutcome::Unknown;
                applied.error_class = Some(ErrorClass::GaveUp);
                applied.diagnostics = std::mem::take(&mut applied.diagnostics)
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
        let tags = self.tags(subject);
        let ours = |found: Loaded| match prove(intent, named, tags, &found.value) {
            Ok(_) => Left::Object(Box::new(found)),
            Err(_) => Left::Unseen,
        };
        if let Some(id) = &intent.planned_id {
            return Ok(match subject.look_up(id, None).await? {
                None => Left::Nothing,
                Some(found) => ours(found),
            });
        }
        let rules = self.recovery(subject);
        let rules = rules.and_then(|rules| Some((rules, rules.by_tag?)));
        let (Some(tag), Some((rules, finder))) = (&intent.owner_tag, rules) else {
            return Ok(Left::Unseen);
        };
        // That nothing has the tag proves nothing yet: an index of tags lags behind. Several are for a person to look at.
        let place = intent.place.as_deref();
        let mut found = subject.with_tag(rules, &finder, tag, place).await?;
        Ok(match (found.pop(), found.is_empty()) {
            (Some((_, object)), true) => ours(object),
            _ => Left::Unseen,
        })
    }
}
