//! Errors by which a provider says that it does not know the outcome.

use terrane_core::Diagnostics;

/// The words by which a call that was given up is known, in lower case. The protocol has no other sign of it; these are the words of
/// HashiCorp's SDKs, of Go's standard library and of AWS. A word too many costs a look by a person, a word too few an object.
const WORDS: [&str; 22] = [
    "timeout",
    "timed out",
    "deadline exceeded",
    "couldn't find resource",
    "unexpected state",
    "giving up after",
    "context canceled",
    "operation was canceled",
    "request canceled",
    "connection reset",
    "connection refused",
    "connection lost",
    "broken pipe",
    ": eof",
    "unexpected eof",
    "use of closed network connection",
    "server closed idle connection",
    "internalfailure",
    "internalservererror",
    "serviceunavailable",
    "status code: 5",
    "statuscode: 5",
];

/// Whether the words of an error say that its writer does not know the outcome.
pub(crate) fn gave_up(diagnostics: &Diagnostics) -> bool {
    let mut errors = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error());
    errors.any(|error| {
        let text = format!("{}\n{}", error.summary, error.detail).to_lowercase();
        WORDS.iter().any(|word| text.contains(word))
    })
}

#[cfg(test)]
mod tests {
    use terrane_core::Diagnostic;

    use super::*;

    fn gives_up(text: &str) -> bool {
        gave_up(&Diagnostics::from(Diagnostic::error(text)))
    }

    /// Every text by which these libraries say that they stopped waiting or lost the connection, with the file that has it.
    #[test]
    fn every_text_of_the_sdks_for_an_unknown_outcome_is_known() {
        let sdk_v2 = "terraform-plugin-sdk v2.40: helper/retry/error.go";
        let http = "go-retryablehttp v0.7.8: client.go";
        for (source, text) in [
            (sdk_v2, "couldn't find resource"),
            (sdk_v2, "couldn't find resource (21 retries)"),
            (
                sdk_v2,
                "unexpected state 'FAILED', wanted target 'ACTIVE'. last error: %!s(<nil>)",
            ),
            (sdk_v2, "timeout while waiting for resource to be gone"),
            (
                sdk_v2,
                "timeout while waiting for state to become 'ACTIVE' (last state: 'CREATING', timeout: 30m0s)",
            ),
            (
                sdk_v2,
                "timeout while waiting for state to become 'success' (timeout: 2m0s): AccessDenied",
            ),
            (
                http,
                "POST https://api.example/v1/things giving up after 5 attempt(s)",
            ),
            (
                http,
                "POST https://api.example/v1/things giving up after 5 attempt(s): EOF",
            ),
            ("go 1.25: context/context.go", "context deadline exceeded"),
            ("go 1.25: context/context.go", "context canceled"),
            ("go 1.25: net/net.go", "dial tcp 10.0.0.1:443: i/o timeout"),
            ("go 1.25: net/net.go", "dial tcp: operation was canceled"),
            (
                "go 1.25: net/net.go",
                "write tcp 10.0.0.1:443: use of closed network connection",
            ),
            ("go 1.25: io/io.go", "Post \"https://api.example/\": EOF"),
            ("go 1.25: io/io.go", "unexpected EOF"),
            (
                "go 1.25: net/http/transport.go",
                "net/http: TLS handshake timeout",
            ),
            (
                "go 1.25: net/http/transport.go",
                "http: server closed idle connection",
            ),
            (
                "go 1.25: net/http/transport.go",
                "net/http: request canceled",
            ),
            (
                "go 1.25: net/http/client.go",
                "context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
            ),
            (
                "go 1.25: net/http/h2_bundle.go",
                "http2: client connection lost",
            ),
            (
                "go 1.25: net/http/h2_bundle.go",
                "http2: timeout awaiting response headers",
            ),
            (
                "go 1.25: syscall/zerrors_linux_amd64.go",
                "read: connection reset by peer",
            ),
            (
                "go 1.25: syscall/zerrors_linux_amd64.go",
                "connect: connection refused",
            ),
            (
                "go 1.25: syscall/zerrors_linux_amd64.go",
                "write: broken pipe",
            ),
            (
                "go 1.25: syscall/zerrors_linux_amd64.go",
                "connect: connection timed out",
            ),
            (
                "aws-sdk-go-v2: transport/http/response_error.go",
                "operation error EC2: CreateVpc, https response error StatusCode: 503, RequestID: 1, api error ServiceUnavailable",
            ),
            (
                "aws-sdk-go: aws/awserr/types.go",
                "InternalFailure: An internal error has occurred\n\tstatus code: 500, request id: 1",
            ),
        ] {
            assert!(gives_up(text), "{source}: {text}");
        }
    }

    #[test]
    fn an_answer_that_refuses_is_no_unknown_outcome() {
        for text in [
            "creating S3 Bucket: BucketAlreadyExists: status code: 409",
            "operation error EC2: CreateVpc, https response error StatusCode: 400, api error VpcLimitExceeded",
            "quota exceeded",
            "Provider returned invalid result object after apply",
        ] {
            assert!(!gives_up(text), "{text}");
        }
    }
}
