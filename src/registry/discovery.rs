//! Finds a host's provider registry: `/.well-known/terraform.json`.

use std::collections::BTreeMap;

use serde_json::Value;
use url::Url;

use crate::http::{Http, HttpError};

/// The service that serves providers, version 1 of its protocol.
pub(crate) const PROVIDERS: &str = "providers.v1";

/// The base URL of the host's provider registry; `None` when the host offers none.
///
/// `services` are those that the CLI configuration states for that host, in place of asking it.
pub(crate) async fn provider_registry(
    http: &Http,
    host: &str,
    services: Option<&BTreeMap<String, String>>,
) -> Result<Option<Url>, HttpError> {
    let document = format!("https://{host}/.well-known/terraform.json");
    let document = Url::parse(&document).map_err(|_| HttpError::Insecure { url: document })?;
    if let Some(services) = services {
        let stated = services.get(PROVIDERS);
        return stated.map(|text| base(&document, text)).transpose();
    }
    let (found, from) = match http.json::<BTreeMap<String, Value>>(&document).await {
        Ok(found) => found,
        Err(HttpError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    match found.get(PROVIDERS) {
        None => Ok(None),
        Some(Value::String(text)) => base(&from, text).map(Some),
        Some(_) => Err(HttpError::Malformed {
            url: from,
            reason: format!("`{PROVIDERS}` is not a URL"),
        }),
    }
}

/// Relative to the document, and a folder.
fn base(document: &Url, text: &str) -> Result<Url, HttpError> {
    let malformed = |reason: String| HttpError::Malformed {
        url: document.clone(),
        reason,
    };
    let mut url = document
        .join(text)
        .map_err(|error| malformed(format!("`{text}`: {error}")))?;
    if url.scheme() != "https" {
        return Err(HttpError::Insecure { url: url.into() });
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_is_relative_to_the_document_and_a_folder() {
        let document = Url::parse("https://example.com/.well-known/terraform.json").expect("a URL");
        let base = |text| base(&document, text).map(String::from);
        assert_eq!(
            base("/v1/providers").expect("a URL"),
            "https://example.com/v1/providers/"
        );
        assert_eq!(
            base("https://api.example.com/p/").expect("a URL"),
            "https://api.example.com/p/"
        );
        assert!(base("http://example.com/p/").is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_stated_base_leaves_tls(text in "(https?:|ftp:|//|/|[.]{1,2})?[a-z@:./?# %\u{e4}-]{0,16}") {
            let document = Url::parse("https://example.com/.well-known/terraform.json").expect("a URL");
            if let Ok(url) = base(&document, &text) {
                proptest::prop_assert_eq!(url.scheme(), "https");
                proptest::prop_assert!(url.path().ends_with('/') && url.host().is_some());
            }
        }
    }
}
