//! Credentials of registries and mirrors: a token belongs to one host and is sent to no other.

use std::collections::BTreeMap;
use std::fmt;

use url::Url;

/// Bearer tokens by host (`HOST` or `HOST:PORT`).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    tokens: BTreeMap<String, String>,
}

impl Credentials {
    /// The token for a host; a later one replaces an earlier one.
    pub fn insert(&mut self, host: &str, token: String) {
        self.tokens.insert(comparable(host), token);
    }

    /// The token for that host, as an address or a URL names it.
    pub(crate) fn token(&self, host: &str) -> Option<&str> {
        self.tokens.get(&comparable(host)).map(String::as_str)
    }
}

impl fmt::Debug for Credentials {
    /// The hosts alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.tokens.keys()).finish()
    }
}

/// One form for every way to write a host: lower case, IDNA, without the usual port.
fn comparable(host: &str) -> String {
    let url = Url::parse(&format!("https://{host}/"));
    url.map_or_else(|_| host.to_lowercase(), |url| crate::http::host(&url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_by_every_spelling_of_its_host_and_never_shown() {
        let mut credentials = Credentials::default();
        credentials.insert("Example.com:443", "s3cret".to_owned());
        credentials.insert("bücher.example:8443", "other".to_owned());
        assert_eq!(credentials.token("example.com"), Some("s3cret"));
        assert_eq!(
            credentials.token("xn--bcher-kva.example:8443"),
            Some("other")
        );
        for host in [
            "example.com:8443",
            "www.example.com",
            "xn--bcher-kva.example",
        ] {
            assert_eq!(credentials.token(host), None, "{host}");
        }
        assert!(!format!("{credentials:?}").contains("s3cret"));
    }
}
