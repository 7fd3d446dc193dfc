//! The environment variables of our own process, and which of them a provider process may see.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use terrane_core::addr::ProviderSource;

/// The environment that the command line was started in, handed down so that no layer reads it behind its back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// Names and values.
    pub vars: BTreeMap<String, String>,
    /// Names, or prefixes with a `*`, that a program passes to a provider beside the built-in list.
    pub passed: BTreeMap<ProviderSource, BTreeSet<Arc<str>>>,
}

/// Variables that every provider gets: how to find programs, files, certificates and proxies, and how much to log. An entry that ends
/// with `*` is a prefix.
const EVERY_PROVIDER: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "LANG",
    "LC_*",
    "TZ",
    "XDG_*",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "TF_LOG",
    "TF_LOG_*",
    "TF_APPEND_USER_AGENT",
    "GODEBUG",
    "GOMAXPROCS",
    "GOMEMLIMIT",
    "GOTRACEBACK",
];

/// Further variables by type of provider. Each also gets the variables that begin with its own name: `GITHUB_*` for
/// `github`.
const BY_PROVIDER: &[(&str, &[&str])] = &[
    ("aws", &["TF_AWS_*"]),
    ("awscc", &["AWS_*"]),
    ("azuread", &["ARM_*", "AZURE_*"]),
    ("azurerm", &["ARM_*", "AZURE_*"]),
    ("google", &["GCLOUD_*", "CLOUDSDK_*"]),
    ("google-beta", &["GOOGLE_*", "GCLOUD_*", "CLOUDSDK_*"]),
    ("helm", &["KUBE_*", "KUBECONFIG", "AWS_*"]),
    ("kubernetes", &["KUBE_*", "KUBECONFIG", "AWS_*"]),
];

/// Names, or prefixes with a `*`, that are let through to every provider beside the built-in list; separated by commas.
pub(crate) const MORE: &str = "TERRANE_PROVIDER_ENV";

impl Environment {
    /// The value of a variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        let value = self.vars.get(name)?;
        (!value.is_empty()).then_some(value)
    }

    /// The variables that may tell a provider where to look and what to do, and are no credentials: those change while it answers the same.
    pub(crate) fn settings_for(&self, source: &ProviderSource) -> Vec<(&str, &str)> {
        const CREDENTIALS: [&str; 7] = [
            "TOKEN",
            "SECRET",
            "PASSWORD",
            "KEY",
            "CREDENTIAL",
            "CERT",
            "SESSION",
        ];
        let is_general = |name: &str| EVERY_PROVIDER.iter().any(|it| matches(it, name));
        let is_credential = |name: &str| CREDENTIALS.iter().any(|word| name.contains(word));
        let mut settings = self.for_provider(source);
        settings.retain(|(name, _)| !is_general(name) && !is_credential(name));
        settings
    }

    /// The variables that a process of that provider gets.
    pub(crate) fn for_provider(&self, source: &ProviderSource) -> Vec<(&str, &str)> {
        let type_name = &*source.type_name;
        let own = format!("{}_*", type_name.to_uppercase().replace('-', "_"));
        let special = BY_PROVIDER
            .iter()
            .find(|(name, _)| *name == type_name)
            .map_or(&[][..], |(_, patterns)| patterns);
        let more = self.get(MORE).unwrap_or_default();
        let passed = self.passed.get(source).into_iter();
        let patterns: Vec<&str> = EVERY_PROVIDER
            .iter()
            .chain(special)
            .copied()
            .chain(more.split(',').map(str::trim))
            .chain(passed.flatten().map(|pattern| &**pattern))
            .chain([own.as_str()])
            .collect();
        (self.vars.iter())
            .filter(|(name, _)| patterns.iter().any(|pattern| matches(pattern, name)))
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }
}

pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => !prefix.is_empty() && name.starts_with(prefix),
        None => pattern == name,
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(vars: I) -> Self {
        Self {
            vars: vars
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            passed: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(source: &str, names: &[&str]) -> Vec<String> {
        let environment: Environment = names.iter().map(|name| (*name, "x")).collect();
        let source = ProviderSource {
            host: "example.com".into(),
            namespace: "acme".into(),
            type_name: source.into(),
        };
        let seen = environment.for_provider(&source);
        seen.iter().map(|(name, _)| (*name).to_owned()).collect()
    }

    #[test]
    fn a_provider_sees_the_variables_it_needs_and_no_other_secrets() {
        let names = [
            "AWS_PROFILE",
            "DATABASE_URL",
            "GITHUB_TOKEN",
            "PATH",
            "TF_TOKEN_example_com",
            "TF_VAR_x",
        ];
        assert_eq!(seen("aws", &names), ["AWS_PROFILE", "PATH"]);
        assert_eq!(seen("github", &names), ["GITHUB_TOKEN", "PATH"]);
        assert_eq!(seen("null", &names), ["PATH"]);
    }

    #[test]
    fn a_program_passes_more_to_one_provider() {
        let mut environment: Environment =
            [("VAULT_TOKEN", "t"), ("OTHER", "o")].into_iter().collect();
        let null = ProviderSource::implied_by("null_resource");
        environment
            .passed
            .entry(null.clone())
            .or_default()
            .insert("VAULT_*".into());
        assert_eq!(environment.for_provider(&null), [("VAULT_TOKEN", "t")]);
        let random = ProviderSource::implied_by("random_id");
        assert!(environment.for_provider(&random).is_empty());
    }

    #[test]
    fn credentials_and_what_every_process_gets_are_no_settings() {
        let names = [
            "AWS_PROFILE",
            "AWS_REGION",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "HOME",
        ];
        let environment: Environment = names.iter().map(|name| (*name, "x")).collect();
        let settings = environment.settings_for(&ProviderSource::implied_by("aws_vpc"));
        assert_eq!(settings, [("AWS_PROFILE", "x"), ("AWS_REGION", "x")]);
    }

    #[test]
    fn one_variable_lets_more_through() {
        let environment: Environment = [
            (MORE, "VAULT_*, SPECIAL"),
            ("VAULT_TOKEN", "t"),
            ("SPECIAL", "s"),
            ("OTHER", "o"),
        ]
        .into_iter()
        .collect();
        let seen = environment.for_provider(&ProviderSource::implied_by("null_resource"));
        assert_eq!(seen, [("SPECIAL", "s"), ("VAULT_TOKEN", "t")]);
    }
}
