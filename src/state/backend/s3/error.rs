//! What AWS answers, in our words.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use thiserror::Error;

use crate::backend::BackendError;

/// An answer of AWS, as text: no type of the SDK leaves this module.
#[derive(Debug, Error)]
#[error("{0}")]
struct AwsError(String);

/// The HTTP status of the answer, if there was one.
pub(super) fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error
        .raw_response()
        .map(|response| response.status().as_u16())
}

/// Whether the condition of a conditional write did not hold.
pub(super) fn is_precondition<E>(error: &SdkError<E, HttpResponse>) -> bool {
    status(error) == Some(412)
}

/// Whether another conditional write was in progress at the same moment: nothing is decided then.
pub(super) fn is_race<E>(error: &SdkError<E, HttpResponse>) -> bool {
    status(error) == Some(409)
}

/// Whether there is no such object.
pub(super) fn is_missing<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    match error
        .as_service_error()
        .and_then(ProvideErrorMetadata::code)
    {
        Some("NoSuchBucket") => false,
        Some("NoSuchKey" | "NotFound" | "NoSuchVersion") => true,
        _ => status(error) == Some(404),
    }
}

/// The error for people: the reason, and a way out where there is one.
pub(super) fn failure<E>(
    action: &'static str,
    place: &str,
    error: &SdkError<E, HttpResponse>,
) -> BackendError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let code = error
        .as_service_error()
        .and_then(ProvideErrorMetadata::code);
    let not_made = |what| BackendError::NotMade {
        what,
        looked_in: None,
        hint: None,
    };
    let unusable = |reason: &str| BackendError::Unusable {
        place: place.to_owned(),
        reason: reason.to_owned(),
    };
    match code {
        Some("NoSuchBucket") => return not_made(format!("the bucket of {place}")),
        Some("ResourceNotFoundException") => return not_made(format!("the lock table {place}")),
        // Nothing else can be wrong with an item that has a key and a text.
        Some("ValidationException") => {
            return unusable(
                "its key is not `LockID` (a text) alone, as Terraform and terrane need it; name another table with the option `dynamodb_table`",
            );
        }
        Some("PermanentRedirect" | "AuthorizationHeaderMalformed") => {
            return unusable("the bucket lies in another region; name it with the option `region`");
        }
        _ => {}
    }
    let hint = match code {
        Some("ExpiredToken" | "ExpiredTokenException" | "RequestExpired") => {
            "the AWS credentials have expired: "
        }
        Some("AccessDenied" | "AccessDeniedException") => "the AWS credentials do not allow this: ",
        Some("RequestTimeTooSkewed") => "the clock of this machine is wrong: ",
        _ => "",
    };
    let message = match (code, error.as_service_error()) {
        (Some(code), Some(service)) => {
            format!(
                "{hint}{code}: {}",
                service.message().unwrap_or("no message")
            )
        }
        // Not an answer of the service: a proxy, a login page, a connection that broke.
        _ => match error.raw_response() {
            Some(response) => {
                let body = response.body().bytes().unwrap_or_default();
                let body: String = String::from_utf8_lossy(body).chars().take(200).collect();
                format!("HTTP status {} {}", response.status(), body.escape_debug())
            }
            None => unanswered(error),
        },
    };
    BackendError::store(action, place, AwsError(message))
}

/// Why there is no answer. Most often there are no valid credentials.
fn unanswered(error: &(dyn std::error::Error + 'static)) -> String {
    let why = crate::chain(error);
    if why.contains("credentials") {
        return format!(
            "no AWS credentials could be loaded; log in, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY ({why})"
        );
    }
    format!("there is no answer: {why}")
}

/// An error that is not an answer of a service.
pub(super) fn other(
    action: &'static str,
    place: &str,
    error: &(dyn std::error::Error + 'static),
) -> BackendError {
    BackendError::store(action, place, AwsError(crate::chain(error)))
}
