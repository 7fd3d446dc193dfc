//! Write-only values that a provider hands back: an error that names them, and nothing of them is kept.

use terrane_core::{Diagnostics, Value};

use crate::object::Subject;

impl Subject<'_> {
    /// An error for each write-only attribute that has a value in what the provider returned from `call`.
    ///
    /// The legacy type system excuses none of them: a value that is handed back is about to be stored.
    pub(crate) fn returned_write_only(&self, call: &str, value: &Value) -> Diagnostics {
        let returned = self.schema.block.write_only_values(value).into_iter();
        let diagnose = |path| {
            let what = format!(
                "{} returned a value for the write-only attribute `{path}` from {call}",
                self.source
            );
            self.error(what)
                .attribute(path)
                .detail("the value was not stored")
                .hint("this is a bug in the provider; report it to its developers")
        };
        returned.map(diagnose).collect()
    }

    /// `value` as the provider returned it from `call`, if it holds no write-only values.
    pub(crate) fn without_write_only(
        &self,
        call: &str,
        value: Value,
    ) -> Result<Value, Diagnostics> {
        let (value, _) = self.returned_write_only(call, &value).into_result(value)?;
        Ok(value)
    }
}
