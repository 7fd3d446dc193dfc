//! gRPC calls on the one HTTP/2 connection to a plugin.
//!
//! Why not tonic's own channel: it reconnects, balances and queues, none of which a connection to one process may do, and its
//! queue costs a task switch on each of the tens of thousands of calls of a run.

use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::PathAndQuery;
use http_body_util::BodyExt as _;
use http_body_util::combinators::MapErr;
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use terrane_files::SocketFolder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;
use tonic::{Request, Status, Streaming};
use tonic_prost::ProstCodec;
use tower_service::Service;

use super::handshake::Address;

/// The largest message in either direction; what plugin-go allows.
pub(crate) const MAX_MESSAGE: usize = 256 << 20;

/// How much a server may send ahead on one stream: enough for a large schema not to wait for us.
const WINDOW: u32 = 4 << 20;

/// How long a process that announced its address may take to answer there.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// A connection to a plugin; clones share it.
#[derive(Clone)]
pub(crate) struct Channel {
    client: tonic::client::Grpc<Connection>,
}

impl Channel {
    /// Connects, with TLS if there is a configuration for it.
    pub(crate) async fn connect(address: &Address, tls: Option<ClientConfig>) -> io::Result<Self> {
        let connect = async {
            match address {
                Address::Unix(path) => Self::over(UnixStream::connect(path).await?, tls).await,
                Address::Tcp(address) => {
                    let stream = TcpStream::connect(address).await?;
                    stream.set_nodelay(true)?;
                    Self::over(stream, tls).await
                }
            }
        };
        match tokio::time::timeout(CONNECT_LIMIT, connect).await {
            Ok(result) => result,
            Err(_) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("no answer within {} s", CONNECT_LIMIT.as_secs()),
            )),
        }
    }

    async fn over<S>(stream: S, tls: Option<ClientConfig>) -> io::Result<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Some(config) = tls else {
            return Self::http2(stream).await;
        };
        let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
        let stream = TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await?;
        Self::http2(stream).await
    }

    async fn http2<S>(stream: S) -> io::Result<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(4 * WINDOW)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        // It ends with the last clone of the sender, or when the process closes its end; the calls hear of that themselves.
        tokio::spawn(connection);
        let client = tonic::client::Grpc::with_origin(
            Connection { sender },
            Uri::from_static("http://localhost"),
        )
        .max_decoding_message_size(MAX_MESSAGE)
        .max_encoding_message_size(MAX_MESSAGE);
        Ok(Self { client })
    }

    /// A call with one request and one answer.
    pub(crate) async fn unary<Q, A>(&self, path: PathAndQuery, request: Q) -> Result<A, Status>
    where
        Q: Message + Default + 'static,
        A: Message + Default + 'static,
    {
        let mut client = self.client.clone();
        client.ready().await?;
        let codec = ProstCodec::<Q, A>::default();
        let answer = client.unary(Request::new(request), path, codec).await?;
        Ok(answer.into_inner())
    }

    /// A call with one request and many answers.
    pub(crate) async fn stream<Q, A>(
        &self,
        path: PathAndQuery,
        request: Q,
    ) -> Result<Streaming<A>, Status>
    where
        Q: Message + Default + 'static,
        A: Message + Default + 'static,
    {
        let mut client = self.client.clone();
        client.ready().await?;
        let codec = ProstCodec::<Q, A>::default();
        let answers = client
            .server_streaming(Request::new(request), path, codec)
            .await?;
        Ok(answers.into_inner())
    }
}

/// hyper's connection as tonic wants to see it: a lost one is the status `Unavailable`.
#[derive(Clone)]
struct Connection {
    sender: SendRequest<tonic::body::Body>,
}

type ToStatus = fn(hyper::Error) -> Status;

fn lost(error: hyper::Error) -> Status {
    let mut message = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(error) = source {
        message = format!("{message}: {error}");
        source = error.source();
    }
    Status::unavailable(message)
}

impl Service<http::Request<tonic::body::Body>> for Connection {
    type Response = http::Response<MapErr<Incoming, ToStatus>>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Status>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        self.sender.poll_ready(cx).map_err(lost)
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        let answer = self.sender.send_request(request);
        Box::pin(async {
            let answer = answer.await.map_err(lost)?;
            Ok(answer.map(|body| body.map_err(lost as ToStatus)))
        })
    }
}

/// A folder for one socket.
pub(crate) fn socket_folder(temporary: Option<&str>) -> io::Result<SocketFolder> {
    /// A socket's path may have 108 bytes, and the plugin adds a name of some twenty to it.
    const LONGEST: usize = 64;
    let parent = temporary.filter(|path| path.len() <= LONGEST);
    SocketFolder::new(Path::new(parent.unwrap_or("/tmp")))
}
