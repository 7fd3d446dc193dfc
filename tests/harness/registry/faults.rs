//! What can go wrong between a registry and its client.

use std::time::Duration;

use super::server::{Manner, Reply, Request};

/// One kind of request that an installation makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// `/.well-known/terraform.json`
    Discovery,
    /// The versions of a provider, of a registry or a mirror.
    Versions,
    /// Where a package is, of a registry or a mirror.
    Description,
    /// SHA256SUMS.
    Sums,
    /// The signature over it.
    Signature,
    /// The package.
    Zip,
}

/// A wrong answer.
#[derive(Debug, Clone)]
pub enum Fault {
    /// That status.
    Status(u16),
    /// Too many requests; try again after so many seconds.
    Busy(u32),
    /// The connection ends without an answer.
    Silence,
    /// The connection ends in the middle of the answer.
    Cut,
    /// The answer stops in its middle, and the connection stays open.
    Stall,
    /// The answer comes in pieces of that size, with pauses.
    Slow(usize, Duration),
    /// The answer never ends.
    Endless,
    /// The answer has another length than its header says.
    Length(u64),
    /// A page for people.
    Html,
    /// The same path of another host.
    ToHost(String),
    /// The same path without TLS.
    ToPlainHttp,
    /// A redirect to itself.
    ToItself,
}

impl Step {
    pub(super) fn of(path: &str) -> Option<Self> {
        let ends = |end: &str| path.ends_with(end);
        Some(match path {
            "/.well-known/terraform.json" => Self::Discovery,
            _ if ends("/versions") || ends("/index.json") => Self::Versions,
            _ if path.contains("/download/") || ends(".json") => Self::Description,
            _ if ends("_SHA256SUMS") => Self::Sums,
            _ if ends("_SHA256SUMS.sig") => Self::Signature,
            _ if ends(".zip") => Self::Zip,
            _ => return None,
        })
    }
}

impl Fault {
    pub(super) fn spoil(&self, request: &Request, good: Reply) -> Reply {
        let said = |status: u16, headers: Vec<(&'static str, String)>| Reply {
            status,
            headers,
            body: Vec::new(),
            manner: Manner::Whole,
        };
        let sent = |manner: Manner| Reply {
            manner,
            ..good.clone()
        };
        let leads = |to: String| said(302, vec![("location", to)]);
        let Request { host, path, .. } = request;
        match self {
            Self::Status(status) => said(*status, Vec::new()),
            Self::Busy(seconds) => said(429, vec![("retry-after", seconds.to_string())]),
            Self::Silence => sent(Manner::Silent),
            Self::Cut => sent(Manner::Half),
            Self::Stall => sent(Manner::Stalled),
            Self::Slow(size, pause) => sent(Manner::InPieces(*size, *pause)),
            Self::Endless => Reply {
                body: vec![b' '; 1 << 16],
                manner: Manner::Endless,
                ..good
            },
            Self::Length(length) => sent(Manner::Stating(*length)),
            Self::Html => Reply {
                headers: vec![("content-type", "text/html".to_owned())],
                body: b"<!doctype html><title>Sign in</title>".to_vec(),
                ..good
            },
            Self::ToHost(other) => leads(format!("https://{other}{path}")),
            Self::ToPlainHttp => leads(format!("http://{host}{path}")),
            Self::ToItself => leads(format!("https://{host}{path}")),
        }
    }
}
