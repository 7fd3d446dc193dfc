//! Write-only values that a provider hands back: an error that names them, and nothing of them is kept.

use terrane_core::{Diagnostics, Value};

use crate::object::Subject;

/// The call whose answer holds such a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnswerOf {
    Plan,
    Apply,
    Read,
    Import,
    Upgrade,
}

impl AnswerOf {
    /// The error's summary, in the words of Terraform and OpenTofu: people look for them.
    fn summary(self) -> &'static str {
        match self {
            Self::Plan => "provider produced invalid plan",
            Self::Apply | Self::Read => "provider produced invalid object",
            Self::Import => "import returned a non-null value for a write-only attribute",
            Self::Upgrade => "invalid resource state upgrade",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Plan => "a plan",
            Self::Apply => "an apply",
            Self::Read => "a read",
            Self::Import => "an import",
            Self::Upgrade => "an upgrade",
        }
    }
}

impl Subject<'_> {
    /// An error for each write-only attribute that has a value in the provider's response to `call`.
    ///
    /// The legacy type system excuses none of them: a value that is handed back is about to be stored.
    pub(crate) fn returned_write_only(&self, call: AnswerOf, value: &Value) -> Diagnostics {
        let returned = self.schema.block.write_only_values(value).into_iter();
        let diagnose = |path| {
            let what = format!(
                "{} returned a value for the write-only attribute `{path}` from {}; it was not stored",
                self.source,
                call.word()
            );
            self.error(call.summary())
                .attribute(path)
                .detail(what)
                .hint("this is a bug in the provider; report it to its developers")
        };
        returned.map(diagnose).collect()
    }

    /// `value` as the provider returned it from `call`, if it holds no write-only values.
    pub(crate) fn without_write_only(
        &self,
        call: AnswerOf,
        value: Value,
    ) -> Result<Value, Diagnostics> {
        let (value, _) = self.returned_write_only(call, &value).into_result(value)?;
        Ok(value)
    }
}
