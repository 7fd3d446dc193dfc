//! A certificate authority of the test program, and the certificate of its servers.

use std::sync::{Arc, OnceLock};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// The names that every server here is reached by. They are two hosts for credentials, and one for the network.
pub(super) const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

struct Made {
    authority: String,
    server: Arc<ServerConfig>,
}

fn made() -> &'static Made {
    static MADE: OnceLock<Made> = OnceLock::new();
    MADE.get_or_init(|| {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = params.self_signed(&key).expect("signed");
        let issuer = Issuer::new(params, key);
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(NAMES.map(str::to_owned)).expect("names");
        let certificate = params.signed_by(&key, &issuer).expect("signed");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key);
        Made {
            authority: authority.pem(),
            server: Arc::new(config.expect("a certificate and its key")),
        }
    })
}

pub(super) fn server_config() -> Arc<ServerConfig> {
    Arc::clone(&made().server)
}

/// The authority's certificate in PEM, as `SSL_CERT_FILE` names one.
pub(super) fn authority() -> &'static str {
    &made().authority
}
