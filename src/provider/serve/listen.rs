//! Handshake, socket and connections of a served provider.

use std::io;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{UnixListener, UnixStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

use super::Service;
use super::dispatch::Dispatch;
use crate::environment::Environment;
use crate::plugin::{Address, COOKIE, Handshake, TlsIdentity, socket_folder};
use crate::wire::Protocol;

/// A provider could not be served.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// A person started the binary, not an engine.
    #[error("this is a provider plugin, to be started by an engine")]
    NotStartedByAnEngine,
    /// The certificate that the engine sent, or the one that we made, cannot be used.
    #[error("cannot set up mutual TLS: {reason}")]
    Tls {
        /// Why it cannot be used.
        reason: String,
    },
    /// The schema has no form in the protocol.
    #[error("cannot serve {name} over the protocol: {reason}")]
    Schema {
        /// The resource type, data source, or `provider`.
        name: String,
        /// Which type has no form.
        reason: String,
    },
    /// The socket, or standard output.
    #[error("cannot {action}")]
    Io {
        /// The action that failed.
        action: &'static str,
        /// The system's error.
        #[source]
        source: io::Error,
    },
}

fn failed(action: &'static str) -> impl FnOnce(io::Error) -> ServeError {
    move |source| ServeError::Io { action, source }
}

/// Serves a provider to the engine that started this process, until the engine asks it to shut down.
///
/// # Errors
/// When the process was not started by an engine, or its half of the handshake cannot be done.
pub fn run(
    service: impl Service,
    protocol: Protocol,
    environment: &Environment,
) -> Result<(), ServeError> {
    if environment.get(COOKIE.0) != Some(COOKIE.1) {
        return Err(ServeError::NotStartedByAnEngine);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(failed("start a runtime"))?;
    let result = runtime.block_on(serve(service, protocol, environment));
    // Calls that hang must not keep the process alive.
    runtime.shutdown_background();
    result
}

async fn serve(
    service: impl Service,
    protocol: Protocol,
    environment: &Environment,
) -> Result<(), ServeError> {
    let dispatch = Arc::new(Dispatch::new(service, protocol)?);
    let (tls, certificate) = match environment.get("PLUGIN_CLIENT_CERT") {
        Some(pem) => {
            let (acceptor, certificate) = mutual_tls(pem)?;
            (Some(acceptor), Some(certificate))
        }
        None => (None, None),
    };
    let (path, _directory) = match environment.get("PLUGIN_UNIX_SOCKET_DIR") {
        Some(directory) => (PathBuf::from(directory), None),
        None => {
            let directory = socket_folder(environment.get("TMPDIR"))
                .map_err(failed("make a directory for the socket"))?;
            (directory.path().to_owned(), Some(directory))
        }
    };
    let path = path.join(format!("plugin{}", std::process::id()));
    let listener = UnixListener::bind(&path).map_err(failed("listen on a socket"))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))
        .map_err(failed("protect the socket"))?;
    let handshake = Handshake {
        protocol,
        address: Address::Unix(path.clone()),
        certificate,
    };
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(handshake.line().as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(failed("write the handshake"))?;
    drop(stdout);
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted.map_err(failed("accept a connection"))?;
                tokio::spawn(connection(stream, tls.clone(), dispatch.clone()));
            }
            () = dispatch.shut_down() => break,
        }
    }
    // It may be gone already, with its directory.
    let _ = std::fs::remove_file(&path);
    Ok(())
}

fn mutual_tls(client: &str) -> Result<(TlsAcceptor, Vec<u8>), ServeError> {
    let setup = || {
        let client =
            CertificateDer::from_pem_slice(client.as_bytes()).map_err(|error| error.to_string())?;
        let identity = TlsIdentity::new()?;
        let certificate = identity.der().to_vec();
        let config = identity.server(client.to_vec())?;
        Ok((TlsAcceptor::from(Arc::new(config)), certificate))
    };
    setup().map_err(|reason| ServeError::Tls { reason })
}

async fn connection<S: Service>(
    stream: UnixStream,
    tls: Option<TlsAcceptor>,
    dispatch: Arc<Dispatch<S>>,
) {
    match tls {
        None => http2_connection(stream, dispatch).await,
        Some(tls) => {
            // A connection that is not our engine's is closed without a response.
            if let Ok(stream) = tls.accept(stream).await {
                http2_connection(stream, dispatch).await;
            }
        }
    }
}

async fn http2_connection<S: Service>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    dispatch: Arc<Dispatch<S>>,
) {
    let service = service_fn(move |request| {
        let dispatch = dispatch.clone();
        async move { Ok::<_, std::convert::Infallible>(dispatch.answer(request).await) }
    });
    // An engine that hangs up is no news.
    let _ = http2::Builder::new(TokioExecutor::new())
        .max_concurrent_streams(None)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
