//! HTTP as registries and mirrors need it: only TLS, credentials for their own host alone, bounded answers, retries.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_RANGE, RANGE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use thiserror::Error;
use tokio::time::Instant;
use url::Url;

use crate::credentials::{Asked, Credentials};

/// As many redirects as peers follow.
const REDIRECTS: usize = 10;
/// Fewer bytes than that within the timeout are no answer.
const SLOWEST: u64 = 4 << 10;

/// How requests are made.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// How long the start of an answer, and each next piece of it, may take.
    pub timeout: Duration,
    /// How often a request is made again after a failure that may pass.
    pub retries: u32,
    /// The pause before the first of these; each next one is twice as long.
    pub pause: Duration,
    /// Bearer tokens, each for one host.
    pub credentials: Credentials,
    /// Services by host that are taken as stated, in place of discovery.
    pub services: BTreeMap<String, BTreeMap<String, String>>,
    /// More certificate authorities, in PEM.
    pub authorities: Vec<Vec<u8>>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            retries: 2,
            pause: Duration::from_millis(500),
            credentials: Credentials::default(),
            services: BTreeMap::new(),
            authorities: Vec::new(),
        }
    }
}

impl HttpOptions {
    /// As Terraform's variables say: `TF_REGISTRY_CLIENT_TIMEOUT` in seconds, `TF_REGISTRY_DISCOVERY_RETRY`.
    pub fn from_vars(vars: &BTreeMap<String, String>) -> Self {
        let number = |name: &str| vars.get(name)?.parse::<u32>().ok();
        let usual = Self::default();
        let timeout = number("TF_REGISTRY_CLIENT_TIMEOUT").filter(|seconds| *seconds > 0);
        Self {
            timeout: timeout.map_or(usual.timeout, |it| Duration::from_secs(it.into())),
            retries: number("TF_REGISTRY_DISCOVERY_RETRY").map_or(usual.retries, |it| it.min(10)),
            ..usual
        }
    }
}

/// A request came to nothing.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HttpError {
    /// A certificate or the system's proxy settings cannot be read.
    #[error("cannot prepare requests: {reason}")]
    Setup {
        /// Why.
        reason: String,
    },
    /// The credentials helper failed.
    #[error("there are no credentials for {host}: {reason}")]
    Credentials {
        /// The host.
        host: String,
        /// Why.
        reason: String,
    },
    /// Only `https` URLs are asked.
    #[error("`{url}` is not an https URL")]
    Insecure {
        /// The URL.
        url: String,
    },
    /// The server says that there is no such thing.
    #[error("{url} does not exist")]
    NotFound {
        /// The URL.
        url: Url,
    },
    /// The server wants credentials, or refuses ours.
    #[error("{} {} (HTTP {status})", host(url), if *were_sent { "refuses the credentials" } else { "asks for credentials" })]
    Refused {
        /// The URL.
        url: Url,
        /// The answer's status.
        status: u16,
        /// Whether the request had a token.
        were_sent: bool,
    },
    /// The server answered with an error.
    #[error("{url} answered HTTP {status}")]
    Status {
        /// The URL.
        url: Url,
        /// The answer's status.
        status: u16,
    },
    /// There is no connection.
    #[error("{} cannot be reached: {reason}", host(url))]
    Unreachable {
        /// The URL.
        url: Url,
        /// Why.
        reason: String,
    },
    /// The server is not known to be the one that the URL names.
    #[error("the certificate of {} is not trusted: {reason}", host(url))]
    Untrusted {
        /// The URL.
        url: Url,
        /// Why.
        reason: String,
    },
    /// No answer came, or not all of one.
    #[error("the answer of {} broke off: {reason}", host(url))]
    BrokenOff {
        /// The URL.
        url: Url,
        /// Why.
        reason: String,
    },
    /// The server leads to a place that is not asked.
    #[error("{} {reason}", host(url))]
    Redirected {
        /// The URL.
        url: Url,
        /// Where it leads.
        reason: String,
    },
    /// The answer is meant for a person.
    #[error("{url} answered with a web page")]
    WebPage {
        /// The URL.
        url: Url,
    },
    /// The answer is longer than anything of its kind.
    #[error("{url} answered with more than {limit} bytes")]
    TooLong {
        /// The URL.
        url: Url,
        /// The limit.
        limit: u64,
    },
    /// The answer is not what was asked for.
    #[error("{url} answered with something else: {reason}")]
    Malformed {
        /// The URL.
        url: Url,
        /// What is wrong with it.
        reason: String,
    },
}

/// A client for all registries and mirrors of one run.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    client: Client,
    timeout: Duration,
    retries: u32,
    pause: Duration,
    credentials: Credentials,
    asked: Arc<Asked>,
}

/// A document and where it finally came from, which is what its relative URLs are relative to.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) url: Url,
    pub(crate) bytes: Vec<u8>,
}

impl Http {
    pub(crate) fn new(options: &HttpOptions) -> Result<Self, HttpError> {
        let setup = |error: reqwest::Error| HttpError::Setup {
            reason: last_cause(&error),
        };
        // None that leaves TLS: the answer could send us anywhere.
        let policy = Policy::custom(|attempt| {
            if attempt.url().scheme() != "https" {
                let message = format!("redirects to {}, which is not https", attempt.url());
                attempt.error(message)
            } else if attempt.previous().len() > REDIRECTS {
                attempt.error(format!("redirects more than {REDIRECTS} times"))
            } else {
                attempt.follow()
            }
        });
        let mut builder = Client::builder()
            .user_agent(concat!("terrane/", env!("CARGO_PKG_VERSION")))
            .redirect(policy)
            .connect_timeout(options.timeout);
        for pem in &options.authorities {
            for certificate in reqwest::Certificate::from_pem_bundle(pem).map_err(setup)? {
                builder = builder.add_root_certificate(certificate);
            }
        }
        Ok(Self {
            client: builder.build().map_err(setup)?,
            timeout: options.timeout,
            retries: options.retries,
            pause: options.pause,
            credentials: options.credentials.clone(),
            asked: Arc::default(),
        })
    }

    /// A document of at most `limit` bytes.
    pub(crate) async fn document(&self, url: &Url, limit: u64) -> Result<Document, HttpError> {
        let mut bytes = Vec::new();
        let url = self.stream(url, limit, &mut bytes).await?;
        Ok(Document { url, bytes })
    }

    /// A JSON document.
    pub(crate) async fn json<T: serde::de::DeserializeOwned>(
        &self,
        url: &Url,
    ) -> Result<(T, Url), HttpError> {
        let document = self.document(url, 4 << 20).await?;
        match serde_json::from_slice(&document.bytes) {
            Ok(value) => Ok((value, document.url)),
            Err(_) if document.bytes.trim_ascii_start().starts_with(b"<") => {
                Err(HttpError::WebPage { url: document.url })
            }
            Err(error) => Err(HttpError::Malformed {
                url: document.url,
                reason: error.to_string(),
            }),
        }
    }

    /// Hands the answer over in pieces. After a failure on the way it asks for the rest, or for everything again.
    pub(crate) async fn stream(
        &self,
        url: &Url,
        limit: u64,
        sink: &mut dyn Sink,
    ) -> Result<Url, HttpError> {
        let (mut attempt, mut can_resume) = (0, true);
        loop {
            let from = if can_resume { sink.has() } else { 0 };
            match self.stream_once(url, limit, from, sink).await {
                Err(Failed::NoSuchRange) => can_resume = false,
                Err(Failed::Passing { after, .. }) if attempt < self.retries => {
                    let pause = after.unwrap_or(self.pause * 2_u32.pow(attempt));
                    attempt += 1;
                    tokio::time::sleep(pause).await;
                }
                Err(Failed::Passing { error, .. } | Failed::Lasting(error)) => return Err(error),
                Ok(url) => return Ok(url),
            }
        }
    }

    /// Asks for the bytes from that one on.
    async fn stream_once(
        &self,
        url: &Url,
        limit: u64,
        asked: u64,
        sink: &mut dyn Sink,
    ) -> Result<Url, Failed> {
        let mut response = self.get(url, asked).await?;
        let from = response.url().clone();
        let too_long = || HttpError::TooLong {
            url: from.clone(),
            limit,
        };
        let begins = match response.status() {
            StatusCode::PARTIAL_CONTENT if asked > 0 && first_byte(&response) == Some(asked) => {
                asked
            }
            StatusCode::PARTIAL_CONTENT if asked > 0 => return Err(Failed::NoSuchRange),
            // A server that does not know ranges sends everything.
            _ => 0,
        };
        let length = response.content_length();
        let length = length.map(|length| length.saturating_add(begins));
        if length.is_some_and(|length| length > limit) {
            return Err(Failed::Lasting(too_long()));
        }
        sink.start(begins, length).map_err(Failed::Lasting)?;
        let mut left = limit - begins.min(limit);
        let (mut window, mut arrived) = (Instant::now() + self.timeout, 0);
        loop {
            let Ok(piece) = tokio::time::timeout_at(window, response.chunk()).await else {
                if arrived < SLOWEST {
                    let reason = format!("{arrived} bytes came in {}", self.patience());
                    let url = url.clone();
                    return Err(passing(HttpError::BrokenOff { url, reason }));
                }
                (window, arrived) = (Instant::now() + self.timeout, 0);
                continue;
            };
            match piece {
                Ok(None) => return Ok(from),
                Ok(Some(bytes)) => {
                    arrived += bytes.len() as u64;
                    left = (left.checked_sub(bytes.len() as u64))
                        .ok_or_else(|| Failed::Lasting(too_long()))?;
                    sink.bytes(&bytes).map_err(Failed::Lasting)?;
                }
                Err(error) => return Err(failed(url, &error)),
            }
        }
    }

    /// The timeout, for people.
    fn patience(&self) -> String {
        format!("{} s", self.timeout.as_secs_f32())
    }

    async fn get(&self, url: &Url, from: u64) -> Result<Response, Failed> {
        if url.scheme() != "https" {
            return Err(Failed::Lasting(HttpError::Insecure {
                url: url.to_string(),
            }));
        }
        let mut request = self
            .client
            .get(url.clone())
            .header(ACCEPT, "application/json, */*");
        if from > 0 {
            request = request.header(RANGE, format!("bytes={from}-"));
        }
        let token = self.credentials.token(&host(url), &self.asked).await;
        let token = token.map_err(|reason| {
            let host = host(url);
            Failed::Lasting(HttpError::Credentials { host, reason })
        })?;
        let were_sent = token.is_some();
        if let Some(token) = token {
            // reqwest drops it when a redirect leads to another host.
            request = request.bearer_auth(token);
        }
        let response = tokio::time::timeout(self.timeout, request.send()).await;
        let response = response.map_err(|_| {
            let reason = format!("nothing came in {}", self.patience());
            let url = url.clone();
            passing(HttpError::BrokenOff { url, reason })
        })?;
        let response = response.map_err(|error| failed(url, &error))?;
        let status = response.status();
        let url = response.url().clone();
        match status {
            status if status.is_success() => Ok(response),
            StatusCode::RANGE_NOT_SATISFIABLE if from > 0 => Err(Failed::NoSuchRange),
            StatusCode::NOT_FOUND | StatusCode::GONE => {
                Err(Failed::Lasting(HttpError::NotFound { url }))
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(Failed::Lasting(HttpError::Refused {
                    url,
                    status: status.as_u16(),
                    were_sent,
                }))
            }
            status => {
                let after = response
                    .headers()
                    .get(RETRY_AFTER)
                    .and_then(|value| value.to_str().ok()?.parse().ok());
                let error = HttpError::Status {
                    url,
                    status: status.as_u16(),
                };
                match status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
                    true => Err(Failed::Passing {
                        error,
                        after: after.map(|seconds: u64| Duration::from_secs(seconds.min(30))),
                    }),
                    false => Err(Failed::Lasting(error)),
                }
            }
        }
    }
}

/// Takes an answer in pieces.
pub(crate) trait Sink: Send {
    /// How many of the first bytes are here already, so that only the rest has to come.
    fn has(&self) -> u64 {
        0
    }

    /// An answer begins at that byte; what is here from there on counts no more. `length` is that of the whole.
    fn start(&mut self, at: u64, length: Option<u64>) -> Result<(), HttpError>;

    /// The next bytes.
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), HttpError>;
}

impl Sink for Vec<u8> {
    fn start(&mut self, _: u64, _: Option<u64>) -> Result<(), HttpError> {
        self.clear();
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), HttpError> {
        self.extend_from_slice(bytes);
        Ok(())
    }
}

/// The place of the first byte of a part, of `bytes FIRST-LAST/ALL`.
fn first_byte(response: &Response) -> Option<u64> {
    let range = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    let (first, _) = range.strip_prefix("bytes ")?.split_once('-')?;
    first.parse().ok()
}

enum Failed {
    /// The server has no part that begins where it was asked to.
    NoSuchRange,
    /// Another attempt may succeed.
    Passing {
        error: HttpError,
        after: Option<Duration>,
    },
    Lasting(HttpError),
}

fn passing(error: HttpError) -> Failed {
    Failed::Passing { error, after: None }
}

/// What a request that came to nothing came to.
fn failed(url: &Url, error: &reqwest::Error) -> Failed {
    let (url, reason) = (url.clone(), last_cause(error));
    // Only a text tells: the TLS library is none of ours.
    if reason.contains("certificate") {
        return Failed::Lasting(HttpError::Untrusted { url, reason });
    }
    if error.is_redirect() {
        return Failed::Lasting(HttpError::Redirected { url, reason });
    }
    if error.is_builder() {
        return Failed::Lasting(HttpError::Unreachable { url, reason });
    }
    passing(match error.is_connect() {
        true => HttpError::Unreachable { url, reason },
        false => HttpError::BrokenOff { url, reason },
    })
}

/// The last cause says what happened; the first ones only that a request failed.
fn last_cause(error: &reqwest::Error) -> String {
    let mut reason = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let ended = (inner.downcast_ref::<std::io::Error>())
            .is_some_and(|error| error.kind() == std::io::ErrorKind::UnexpectedEof);
        reason = inner.to_string();
        // The libraries' words for it are long, and name themselves.
        if ended || reason.starts_with("connection closed before message") {
            return "the connection ended".to_owned();
        }
        cause = inner.source();
    }
    reason
}

/// `HOST`, with the port when it is not the usual one, as provider addresses and credentials name it.
pub(crate) fn host(url: &Url) -> String {
    let name = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"))
}
