//! Values that the provider refuses before it asks AWS: malformed addresses and documents.

use ipnet::Ipv4Net;
use terrane_core::{Diagnostic, Diagnostics, Path, Value};

use crate::behaviour::Same;
use crate::kind::Kind;

/// Arguments that hold the network address of an IPv4 block.
const NETWORKS: &[(&str, &str)] = &[
    ("aws_vpc", "cidr_block"),
    ("aws_subnet", "cidr_block"),
    ("aws_route", "destination_cidr_block"),
    ("aws_vpc_ipv4_cidr_block_association", "cidr_block"),
    ("aws_security_group_rule", "cidr_blocks"),
    ("aws_vpc_security_group_ingress_rule", "cidr_ipv4"),
    ("aws_vpc_security_group_egress_rule", "cidr_ipv4"),
];

/// Checks the known parts of a configuration.
pub(crate) fn resource(kind: &Kind, config: &Value) -> Diagnostics {
    let mut said = Diagnostics::new();
    let networks = NETWORKS
        .iter()
        .filter(|(type_name, _)| *type_name == &*kind.name);
    for (_, name) in networks {
        let value = config.get(name).unwrap_or(&Value::Null);
        let one = value.as_str().into_iter();
        for text in one.chain(
            value
                .elements()
                .unwrap_or(&[])
                .iter()
                .filter_map(Value::as_str),
        ) {
            if let Some(complaint) = network(name, text) {
                said.push(complaint);
            }
        }
    }
    for (name, value) in config.members().into_iter().flatten() {
        let document = matches!(
            kind.behaviour().at(name).same,
            Same::AsPolicy | Same::AsJson
        );
        if let Some(text) = value.as_str().filter(|_| document)
            && let Err(error) = serde_json::from_str::<serde_json::Value>(text)
        {
            let what = format!("\"{name}\" contains an invalid JSON: {error}");
            said.push(Diagnostic::error(what).attribute(Path::root().attribute(name.clone())));
        }
    }
    said
}

fn network(name: &str, text: &str) -> Option<Diagnostic> {
    let complaint = match text.parse::<Ipv4Net>() {
        Ok(block) if block.trunc() == block => return None,
        Ok(block) => format!(
            "\"{text}\" is not a valid IPv4 CIDR network address; did you mean \"{}\"",
            block.trunc()
        ),
        Err(_) => format!("\"{text}\" is not a valid CIDR block: invalid CIDR address: {text}"),
    };
    Some(Diagnostic::error(complaint).attribute(Path::root().attribute(name)))
}
