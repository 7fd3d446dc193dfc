//! Patterns of provider addresses: which providers an installation method is used for.

use terrane_core::addr::ProviderSource;

/// A source in which any part may be `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePattern([String; 3]);

/// In the place of a pattern's host: either public registry.
const PUBLIC: &str = "";

impl SourcePattern {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.to_lowercase();
        let parts: Vec<&str> = text.split('/').collect();
        if parts.contains(&"") {
            return None;
        }
        // `*/*` is any provider of a public registry; only three stars are any at all.
        let parts = match parts[..] {
            [namespace, type_name] => [PUBLIC, namespace, type_name],
            [host, namespace, type_name] => [host, namespace, type_name],
            _ => return None,
        };
        Some(Self(parts.map(str::to_owned)))
    }

    pub(crate) fn matches(&self, source: &ProviderSource) -> bool {
        let parts = [&source.host, &source.namespace, &source.type_name];
        let is_public = is_public(&source.host);
        (self.0.iter().zip(parts)).all(|(pattern, part)| match pattern.as_str() {
            "*" => true,
            PUBLIC => is_public,
            pattern => *pattern == **part,
        })
    }
}

/// Whether that is a registry that a source without a host means, to one tool or the other.
fn is_public(host: &str) -> bool {
    [ProviderSource::DEFAULT_HOST, ProviderSource::TERRAFORM_HOST].contains(&host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_without_a_host_means_the_public_registries() {
        let matched = |pattern, source: &str| {
            let pattern = SourcePattern::parse(pattern).expect("a pattern");
            pattern.matches(&source.parse().expect("a source"))
        };
        for host in ["registry.opentofu.org", "registry.terraform.io"] {
            assert!(matched("acme/*", &format!("{host}/acme/net")));
            assert!(!matched("acme/*", &format!("{host}/other/net")));
        }
        assert!(!matched("*/*", "registry.example.com/acme/net"));
        assert!(matched("*/*/*", "registry.example.com/acme/net"));
        for none in ["", "net", "/acme/net", "acme/", "a/b/c/d"] {
            assert_eq!(SourcePattern::parse(none), None, "{none}");
        }
    }
}
