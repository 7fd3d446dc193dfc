//! The one line by which a plugin process says how to reach it.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::wire::Protocol;

/// The variable that tells a provider that it was started by an engine, not by a person.
pub(crate) const COOKIE: (&str, &str) = (
    "TF_PLUGIN_MAGIC_COOKIE",
    "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
);

/// A certificate field that is not longer than this is taken as absent, as go-plugin takes it.
const LEAST_CERTIFICATE: usize = 50;

/// The content of a handshake line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Handshake {
    pub(crate) protocol: Protocol,
    pub(crate) address: Address,
    /// The server's certificate in DER form, if it speaks TLS.
    pub(crate) certificate: Option<Vec<u8>>,
}

/// Where a plugin listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    Unix(PathBuf),
    Tcp(String),
}

impl Address {
    /// The address in go-plugin's two words; `None` for a network that we do not know.
    pub(crate) fn parse(network: &str, address: &str) -> Option<Self> {
        match network {
            "unix" => Some(Self::Unix(address.into())),
            "tcp" => Some(Self::Tcp(address.to_owned())),
            _ => None,
        }
    }
}

/// Why a line is no handshake; lowercase fragments that follow "the provider …".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HandshakeRefusal {
    NotAHandshake,
    CoreVersion(String),
    AppVersion(String),
    Network(String),
    Wire(String),
    Certificate,
}

impl Handshake {
    /// Reads `CORE|APP|NETWORK|ADDRESS|PROTOCOL|CERTIFICATE`.
    pub(crate) fn parse(line: &str) -> Result<Self, HandshakeRefusal> {
        let fields: Vec<&str> = line.trim().split('|').collect();
        let [core, app, network, address, rest @ ..] = fields.as_slice() else {
            return Err(HandshakeRefusal::NotAHandshake);
        };
        if core.is_empty() || !core.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(HandshakeRefusal::NotAHandshake);
        }
        if *core != "1" {
            return Err(HandshakeRefusal::CoreVersion((*core).to_owned()));
        }
        let wire = rest.first().copied().unwrap_or("netrpc");
        if wire != "grpc" {
            return Err(HandshakeRefusal::Wire(wire.to_owned()));
        }
        let protocol = match *app {
            "5" => Protocol::V5,
            "6" => Protocol::V6,
            other => return Err(HandshakeRefusal::AppVersion(other.to_owned())),
        };
        let address = Address::parse(network, address)
            .ok_or_else(|| HandshakeRefusal::Network((*network).to_owned()))?;
        let certificate = match rest.get(1) {
            Some(text) if text.len() > LEAST_CERTIFICATE => {
                // Some versions of the server pad, some do not.
                let der = STANDARD_NO_PAD.decode(text.trim_end_matches('='));
                Some(der.map_err(|_| HandshakeRefusal::Certificate)?)
            }
            _ => None,
        };
        Ok(Self {
            protocol,
            address,
            certificate,
        })
    }

    /// The line itself.
    pub(crate) fn line(&self) -> String {
        let (network, address) = match &self.address {
            Address::Unix(path) => ("unix", path.display().to_string()),
            Address::Tcp(address) => ("tcp", address.clone()),
        };
        let version = self.protocol.major();
        let certificate = match &self.certificate {
            Some(der) => STANDARD_NO_PAD.encode(der),
            None => String::new(),
        };
        format!("1|{version}|{network}|{address}|grpc|{certificate}\n")
    }
}

impl HandshakeRefusal {
    /// The reason, as a fragment that follows the provider's name.
    pub(crate) fn summary(&self) -> String {
        match self {
            Self::NotAHandshake => "does not start with a handshake line".to_owned(),
            Self::CoreVersion(version) => {
                format!("speaks version {version} of the plugin handshake; terrane speaks 1")
            }
            Self::AppVersion(version) => {
                format!("speaks version {version} of the plugin protocol; terrane speaks 5 and 6")
            }
            Self::Network(network) => {
                format!("listens on a {network} network; terrane knows unix and tcp")
            }
            Self::Wire(wire) => format!("speaks {wire}; terrane speaks grpc"),
            Self::Certificate => "names a certificate that is not base64".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handshake_line_round_trips() {
        for certificate in [None, Some(vec![7; 100])] {
            let handshake = Handshake {
                protocol: Protocol::V6,
                address: Address::Unix("/tmp/x/plugin1".into()),
                certificate,
            };
            assert_eq!(Handshake::parse(&handshake.line()), Ok(handshake));
        }
    }

    #[test]
    fn each_way_of_being_wrong_has_its_own_name() {
        let refused = |line| Handshake::parse(line).expect_err("refused").summary();
        insta::assert_snapshot!(refused("hello"), @"does not start with a handshake line");
        insta::assert_snapshot!(refused("a|b|c|d|e"), @"does not start with a handshake line");
        insta::assert_snapshot!(refused("2|5|unix|/x|grpc"), @"speaks version 2 of the plugin handshake; terrane speaks 1");
        insta::assert_snapshot!(refused("1|4|unix|/x|grpc"), @"speaks version 4 of the plugin protocol; terrane speaks 5 and 6");
        insta::assert_snapshot!(refused("1|5|vsock|/x|grpc"), @"listens on a vsock network; terrane knows unix and tcp");
        insta::assert_snapshot!(refused("1|5|unix|/x"), @"speaks netrpc; terrane speaks grpc");
    }
}
