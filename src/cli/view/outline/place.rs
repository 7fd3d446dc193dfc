//! Where a plan acts: stack, account, region, providers with their versions, state.

use serde::Serialize;
use terrane_engine::CallerIdentity;

use crate::view::printable::one_line;

/// Where a plan acts.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Place {
    pub(crate) stack: String,
    pub(crate) is_sandbox: bool,
    /// In whose name the providers act, as far as they can say.
    pub(crate) callers: Vec<CallerIdentity>,
    /// `aws 5.100.0`
    pub(crate) providers: Vec<String>,
    /// Where the state is kept.
    pub(crate) state: String,
}

impl Place {
    /// All of it on one line: `prod · account 123456789012, us-east-1 · aws 5.100.0 · state s3://…`.
    pub(crate) fn line(&self) -> String {
        let mut parts = vec![self.stack.clone()];
        if self.is_sandbox {
            parts.push("sandbox".to_owned());
        }
        parts.extend(self.accounts());
        parts.extend(self.providers.iter().cloned());
        parts.push(format!("state {}", self.state));
        one_line(&parts.join(" · "))
    }

    /// Accounts and regions, each pair once.
    fn accounts(&self) -> Vec<String> {
        let mut all = Vec::new();
        for caller in &self.callers {
            let account = caller.account.as_ref();
            let account = account.map(|account| format!("account {account}"));
            let parts: Vec<String> = account.into_iter().chain(caller.region.clone()).collect();
            let text = parts.join(", ");
            if !all.contains(&text) {
                all.push(text);
            }
        }
        all
    }
}
