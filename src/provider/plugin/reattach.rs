//! `TF_REATTACH_PROVIDERS`: providers that somebody else runs, usually under a debugger.

use std::collections::BTreeMap;

use serde::Deserialize;
use terrane_core::addr::ProviderSource;

use super::handshake::Address;
use crate::environment::Environment;
use crate::provider::StartError;
use crate::wire::Protocol;

const VARIABLE: &str = "TF_REATTACH_PROVIDERS";

/// How to reach a plugin that runs already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reattach {
    pub(crate) protocol: Protocol,
    pub(crate) address: Address,
    pub(crate) pid: u32,
    /// Whether it must not be ended by us.
    pub(crate) leave_running: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    #[serde(default)]
    protocol: String,
    #[serde(default)]
    protocol_version: u32,
    #[serde(default)]
    pid: u32,
    #[serde(default)]
    test: bool,
    addr: EntryAddress,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EntryAddress {
    network: String,
    string: String,
}

impl Reattach {
    /// The running plugin of that provider, if the environment names one.
    pub(crate) fn find(
        environment: &Environment,
        source: &ProviderSource,
    ) -> Result<Option<Self>, StartError> {
        let Some(text) = environment.get(VARIABLE) else {
            return Ok(None);
        };
        let entries: BTreeMap<String, Entry> = serde_json::from_str(text)
            .map_err(|error| StartError::new(format!("cannot read {VARIABLE}: {error}")))?;
        // Providers print their address at Terraform's registry, whichever the program means.
        let public = [ProviderSource::DEFAULT_HOST, ProviderSource::TERRAFORM_HOST];
        let is_meant = |name: &str| {
            let named = name.parse::<ProviderSource>().ok();
            named.is_some_and(|named| {
                let hosts = [&*named.host, &*source.host];
                named == *source
                    || (hosts.iter().all(|host| public.contains(host))
                        && named.namespace == source.namespace
                        && named.type_name == source.type_name)
            })
        };
        let Some((_, entry)) = (entries.into_iter()).find(|(name, _)| is_meant(name)) else {
            return Ok(None);
        };
        let wrong = |what: String| StartError::new(format!("{VARIABLE} for {source} {what}"));
        if !matches!(entry.protocol.as_str(), "" | "grpc") {
            return Err(wrong(format!(
                "names the protocol {}, not grpc",
                entry.protocol
            )));
        }
        let protocol = match entry.protocol_version {
            0 | 5 => Protocol::V5,
            6 => Protocol::V6,
            other => return Err(wrong(format!("names version {other} of the protocol"))),
        };
        let EntryAddress { network, string } = entry.addr;
        let address = Address::parse(&network, &string)
            .ok_or_else(|| wrong(format!("names the network {network}")))?;
        Ok(Some(Self {
            protocol,
            address,
            pid: entry.pid,
            leave_running: entry.test,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_provider_is_found_by_its_source_in_any_spelling() {
        let text = r#"{"hashicorp/null":{"Protocol":"grpc","Pid":7,"Test":true,"Addr":{"Network":"unix","String":"/tmp/p"}}}"#;
        let environment: Environment = [(VARIABLE, text)].into_iter().collect();
        let null = ProviderSource::implied_by("null_resource");
        let found = Reattach::find(&environment, &null).expect("readable");
        let expected = Reattach {
            protocol: Protocol::V5,
            address: Address::Unix("/tmp/p".into()),
            pid: 7,
            leave_running: true,
        };
        assert_eq!(found, Some(expected));
        let aws = ProviderSource::implied_by("aws_vpc");
        assert_eq!(Reattach::find(&environment, &aws).expect("readable"), None);
    }

    #[test]
    fn what_is_not_json_is_refused() {
        let environment: Environment = [(VARIABLE, "{")].into_iter().collect();
        let source = ProviderSource::implied_by("null_resource");
        let error = Reattach::find(&environment, &source).expect_err("refused");
        assert!(error.summary.contains(VARIABLE), "{error}");
    }
}
