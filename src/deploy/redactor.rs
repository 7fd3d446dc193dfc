//! Masks the known secrets of this invocation in texts: diagnostics, logs, last words of a provider.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use terrane_core::secrets::{SecretMatcher, forms_of, secrets_in, secrets_of};
use terrane_core::{Diagnostic, Diagnostics, Expr, Marked};
use terrane_provider::Environment;

/// Stands in place of a secret.
pub const SENSITIVE: &str = "(sensitive)";

/// Everything that is known to be secret so far.
#[derive(Default)]
pub struct Redactor(Mutex<Known>);

#[derive(Default)]
struct Known {
    secrets: HashSet<Box<str>>,
    /// Forms that no searcher looks for yet.
    fresh: Vec<String>,
    /// Searchers, each for at least twice as many texts as the next: however secrets and texts take turns, building them stays cheap.
    searchers: Vec<SecretMatcher>,
}

impl Redactor {
    /// One that knows the credentials of this process's environment.
    pub fn new(environment: &Environment) -> Self {
        let redactor = Self::default();
        for (name, value) in &environment.vars {
            if is_credential(name, value) {
                redactor.known().learn(value);
            }
        }
        redactor
    }

    /// Learns the values that an object marks as sensitive.
    pub fn learn(&self, object: &Marked) {
        if object.is_sensitive() {
            let mut known = self.known();
            secrets_in(object, &mut |secret| known.learn(secret));
        }
    }

    /// Learns the values that a program declares to be sensitive, and sensitive exports of other stacks that it uses.
    pub fn learn_constants<'e>(&self, expressions: impl Iterator<Item = &'e Expr>) {
        let mut known = self.known();
        secrets_of(expressions, &mut |secret| known.learn(secret));
    }

    /// The text without secrets.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut known = self.known();
        known.build();
        let searchers = known.searchers.iter();
        let mut places: Vec<Range<usize>> = searchers.flat_map(|one| one.places(text)).collect();
        if places.is_empty() {
            return Cow::Borrowed(text);
        }
        places.sort_unstable_by_key(|place| place.start);
        let mut masked = String::with_capacity(text.len());
        let mut end = 0;
        for place in places {
            if place.start >= end {
                masked.push_str(&text[end..place.start]);
                masked.push_str(SENSITIVE);
            }
            end = end.max(place.end);
        }
        masked.push_str(&text[end..]);
        Cow::Owned(masked)
    }

    /// The diagnostic without secrets. Addresses and hints are ours, and stay as they are.
    pub fn diagnostic(&self, mut diagnostic: Diagnostic) -> Diagnostic {
        for text in [&mut diagnostic.summary, &mut diagnostic.detail] {
            if let Cow::Owned(masked) = self.text(text) {
                *text = masked;
            }
        }
        if let Some(attribute) = &diagnostic.attribute
            && let Cow::Owned(_) = self.text(&attribute.to_string())
        {
            // A key of a map is part of the path.
            let whole = attribute.steps().iter().take(1);
            diagnostic.attribute = Some(whole.cloned().collect());
        }
        diagnostic
    }

    /// All of them without secrets.
    pub fn diagnostics(&self, all: Diagnostics) -> Diagnostics {
        all.into_iter().map(|one| self.diagnostic(one)).collect()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn learn(&mut self, secret: &str) {
        if !self.secrets.contains(secret) {
            self.secrets.insert(secret.into());
            self.fresh.extend(forms_of(secret));
        }
    }

    fn build(&mut self) {
        if self.fresh.is_empty() {
            return;
        }
        let mut texts = std::mem::take(&mut self.fresh);
        while self
            .searchers
            .last()
            .is_some_and(|last| last.count() < texts.len() * 2)
        {
            texts.extend(
                self.searchers
                    .pop()
                    .into_iter()
                    .flat_map(SecretMatcher::into_texts),
            );
        }
        self.searchers.extend(SecretMatcher::of(texts));
    }
}

/// Whether a variable of the environment holds a credential: its name says so, and its value is as long as one and no place of one.
fn is_credential(name: &str, value: &str) -> bool {
    const SHORTEST: usize = 16;
    let name = name.to_ascii_uppercase();
    let named = ["SECRET", "TOKEN", "PASSWORD", "PRIVATE_KEY"];
    let place = value.starts_with(['/', '.']) || value.starts_with("arn:") || value.contains("://");
    value.len() >= SHORTEST && !place && named.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use terrane_core::Value;

    use super::*;

    fn knowing(secrets: &[&str]) -> Redactor {
        let redactor = Redactor::default();
        for secret in secrets {
            redactor.learn(&Marked::sensitive(Value::from(*secret)));
        }
        redactor
    }

    #[test]
    fn every_known_secret_is_masked_and_overlapping_ones_leave_no_end() {
        let redactor = knowing(&["abcdef", "defghi", "hunter2"]);
        assert_eq!(
            redactor.text("x abcdefghi y hunter2hunter2 z"),
            "x (sensitive) y (sensitive)(sensitive) z"
        );
        assert!(matches!(redactor.text("nothing here"), Cow::Borrowed(_)));
        assert_eq!(redactor.text("hunter2"), "(sensitive)");
    }

    #[test]
    fn secrets_learnt_later_are_masked_with_those_learnt_before() {
        let redactor = Redactor::default();
        for n in 0..300 {
            redactor.learn(&Marked::sensitive(Value::from(format!("canary-{n:03}"))));
            let text = format!("canary-000 and canary-{n:03}");
            assert_eq!(redactor.text(&text), "(sensitive) and (sensitive)");
        }
        assert!(redactor.known().searchers.len() < 12);
    }

    #[test]
    fn the_rest_of_a_long_secret_is_masked_with_its_beginning() {
        let long: String = (0..10_000).map(|n| format!("{n:x}")).collect();
        let redactor = knowing(&[&long]);
        assert_eq!(
            redactor.text(&format!("it is {long}!")),
            "it is (sensitive)"
        );
    }

    #[test]
    fn diagnostics_lose_secrets_and_keep_what_is_ours() {
        let redactor = knowing(&["hunter2"]);
        let diagnostic = Diagnostic::error("no `hunter2`")
            .detail("said\nhunter2")
            .address("t_x.hunter2")
            .attribute("tags[\"hunter2\"]".parse().expect("a path"))
            .hint("run `stack up`");
        let masked = redactor.diagnostic(diagnostic);
        assert_eq!(masked.summary, "no `(sensitive)`");
        assert_eq!(masked.detail, "said\n(sensitive)");
        assert_eq!(masked.attribute, "tags".parse().ok());
        assert_eq!(masked.address.as_deref(), Some("t_x.hunter2"));
    }

    #[test]
    fn credentials_of_the_environment_are_known_and_places_of_them_are_not() {
        let vars = [
            ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMIK7MDENGbPxRfiCY"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/secrets/token"),
            ("AWS_SESSION_TOKEN", "testing"),
        ];
        let environment = vars.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned()));
        let redactor = Redactor::new(&environment.collect());
        let text = "wJalrXUtnFEMIK7MDENGbPxRfiCY /var/run/secrets/token testing";
        assert_eq!(
            redactor.text(text),
            "(sensitive) /var/run/secrets/token testing"
        );
    }
}
