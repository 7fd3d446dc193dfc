//! The environment variables that a provider does not get, for when it misses one.

use terrane_core::addr::ProviderSource;
use terrane_core::{Diagnostic, Diagnostics};

use crate::environment::{Environment, MORE};
use crate::provider::StartError;

/// The names of the variables that one provider does not get.
#[derive(Debug, Clone, Default)]
pub(crate) struct Withheld {
    source: String,
    names: Vec<String>,
}

/// What every shell has and no provider asks for; it would only hide the one that counts.
const NEVER_MISSED: &[&str] = &[
    "_",
    "CARGO*",
    "COLORTERM",
    "COLUMNS",
    "DBUS_*",
    "DISPLAY",
    "EDITOR",
    "HOSTNAME",
    "HISTFILE",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "LESS*",
    "LINES",
    "LS_COLORS",
    "MAIL",
    "NO_COLOR",
    "OLDPWD",
    "PAGER",
    "PS1",
    "PWD",
    "RUST*",
    "SHELL",
    "SHLVL",
    "SSH_*",
    "TERM",
    "TERM_*",
    "TERRANE_*",
    "TF_*",
    "TMUX*",
    "VISUAL",
];

/// At most so many are named where the provider does not say which one it misses.
const NAMED: usize = 8;

impl Withheld {
    /// What that provider does not get of that environment.
    pub(crate) fn from(environment: &Environment, source: &ProviderSource) -> Self {
        let given = environment.for_provider(source);
        let names = environment.vars.keys().filter(|name| {
            !given.iter().any(|(passed, _)| passed == name)
                && !NEVER_MISSED
                    .iter()
                    .any(|pattern| crate::environment::matches(pattern, name))
        });
        Self {
            source: source.to_string(),
            names: names.cloned().collect(),
        }
    }

    /// The same diagnostics; an error that names a variable that was withheld says so.
    pub(crate) fn explain(&self, diagnostics: Diagnostics) -> Diagnostics {
        let explained = diagnostics.into_iter().map(|diagnostic| {
            let text = format!("{} {}", diagnostic.summary, diagnostic.detail);
            match self.hint(&text).filter(|_| diagnostic.is_error()) {
                Some(hint) => diagnostic.hint(hint),
                None => diagnostic,
            }
        });
        explained.collect()
    }

    /// The same for diagnostics about its configuration: the first error lists the withheld variables even if it names none.
    pub(crate) fn explain_configuration(&self, diagnostics: Diagnostics) -> Diagnostics {
        let mut explained: Vec<Diagnostic> = self.explain(diagnostics).into_iter().collect();
        let mut errors = explained
            .iter_mut()
            .filter(|diagnostic| diagnostic.is_error());
        if let Some(first) = errors.next()
            && first.hints.is_empty()
            && !self.names.is_empty()
        {
            let mut names = self
                .names
                .iter()
                .take(NAMED)
                .cloned()
                .collect::<Vec<_>>()
                .join(", ");
            if self.names.len() > NAMED {
                names = format!("{names} and {} more", self.names.len() - NAMED);
            }
            first.hints.push(format!(
                "{} does not get these variables of the environment: {names}; `{MORE}=NAME` or `.pass_env([\"NAME\"])` on the \
                 provider in the program passes one",
                self.source
            ));
        }
        explained.into_iter().collect()
    }

    /// The same for a provider that did not start.
    pub(crate) fn explain_start(&self, mut error: StartError) -> StartError {
        error.hints.extend(self.hint(&error.detail));
        error
    }

    fn hint(&self, text: &str) -> Option<String> {
        let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let missed = words.find(|word| self.names.iter().any(|name| name == word))?;
        Some(format!(
            "`{missed}` is set, but {} does not get it: set `{MORE}={missed}`, or add `.pass_env([\"{missed}\"])` to the provider in \
             the program",
            self.source
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn withheld(names: &[&str]) -> Withheld {
        let environment: Environment = names.iter().map(|name| (*name, "hunter2")).collect();
        Withheld::from(&environment, &ProviderSource::implied_by("null_resource"))
    }

    #[test]
    fn an_error_that_names_a_withheld_variable_says_how_to_pass_it() {
        let withheld = withheld(&["VAULT_TOKEN", "NULL_REGION", "PATH"]);
        let said = |summary: &str| {
            let explained = withheld.explain(Diagnostic::error(summary).into());
            explained.iter().next().expect("an error").hints.clone()
        };
        assert_eq!(
            said("set VAULT_TOKEN."),
            [
                "`VAULT_TOKEN` is set, but registry.opentofu.org/hashicorp/null does not get it: set \
              `TERRANE_PROVIDER_ENV=VAULT_TOKEN`, or add `.pass_env([\"VAULT_TOKEN\"])` to the provider in the program"
            ]
        );
        assert!(said("set NULL_REGION and VAULT_TOKENS").is_empty());
    }

    #[test]
    fn a_configuration_that_fails_names_what_was_withheld_and_no_value() {
        let withheld = withheld(&["VAULT_TOKEN", "PWD", "PATH"]);
        let explained = withheld.explain_configuration(Diagnostic::error("no credentials").into());
        let text = explained.to_string();
        assert!(
            text.contains("does not get these variables of the environment: VAULT_TOKEN;"),
            "{text}"
        );
        assert!(!text.contains("hunter2"));
    }
}
