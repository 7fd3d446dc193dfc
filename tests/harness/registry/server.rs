//! A TLS listener on loopback that answers every request in the manner a test asks for.
//!
//! HTTP is written by hand: a server library would not send a wrong length, or half of an answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use super::certificates;

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The host it was made to, with the port.
    pub host: String,
    /// Its path.
    pub path: String,
    /// Its `Authorization` header.
    pub authorization: Option<String>,
    /// The first byte that it asks for, where it asks for a part.
    pub from: Option<usize>,
}

/// An answer.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    pub(super) manner: Manner,
}

/// How an answer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// As it is.
    Whole,
    /// Not at all: the connection ends.
    Silent,
    /// Half of the body; then the connection ends.
    Half,
    /// Half of the body; then nothing more happens.
    Stalled,
    /// In small pieces, each a while after the other.
    InPieces(usize, Duration),
    /// The body again and again, without an end.
    Endless,
    /// With another length in its header.
    Stating(u64),
}

type Answer = dyn Fn(&Request) -> Reply + Send + Sync;

/// The listener; it ends when it is dropped.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(super) fn start(answer: Arc<Answer>) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        listener.set_nonblocking(true).expect("a socket");
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.expect("a runtime").block_on(async {
                let listener = TcpListener::from_std(listener).expect("a socket");
                tokio::select! {
                    () = accept(listener, answer) => {}
                    _ = stopped => {}
                }
            });
        });
        Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, answer: Arc<Answer>) {
    let acceptor = TlsAcceptor::from(certificates::server_config());
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        let (acceptor, answer) = (acceptor.clone(), Arc::clone(&answer));
        // A client that goes away is the client's business.
        tokio::spawn(async move { serve(stream, acceptor, answer).await.ok() });
    }
}

async fn serve(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    answer: Arc<Answer>,
) -> std::io::Result<()> {
    let mut stream = acceptor.accept(stream).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let header = |wanted: &str| {
        let lines = head.lines().filter_map(|line| line.split_once(": "));
        let found = lines
            .clone()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.to_owned())
    };
    let request = Request {
        host: header("host").unwrap_or_default(),
        path: head.split(' ').nth(1).unwrap_or_default().to_owned(),
        authorization: header("authorization"),
        from: header("range").and_then(|range| {
            let first = range.strip_prefix("bytes=")?.strip_suffix('-')?;
            first.parse().ok()
        }),
    };
    let Reply {
        status,
        headers,
        body,
        manner,
    } = answer(&request);
    let half = body.len() / 2;
    let mut head = format!("HTTP/1.1 {status} As Asked\r\nconnection: close\r\n");
    let mut push =
        |name: &str, value: String| head.push_str(&[name, ": ", &value, "\r\n"].concat());
    for (name, value) in headers {
        push(name, value);
    }
    match manner {
        Manner::Silent => return Ok(()),
        // Without a length, the end of the connection is the end of the body.
        Manner::Endless => {}
        Manner::Stating(length) => push("content-length", length.to_string()),
        _ => push("content-length", body.len().to_string()),
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await?;
    match manner {
        Manner::Silent => {}
        Manner::Whole | Manner::Stating(_) => {
            stream.write_all(&body).await?;
            stream.shutdown().await?;
        }
        Manner::Half => {
            stream.write_all(&body[..half]).await?;
            stream.flush().await?;
        }
        Manner::Stalled => {
            stream.write_all(&body[..half]).await?;
            stream.flush().await?;
            // Until the client gives up.
            let _ = stream.read_u8().await;
        }
        Manner::InPieces(size, pause) => {
            for piece in body.chunks(size) {
                stream.write_all(piece).await?;
                stream.flush().await?;
                tokio::time::sleep(pause).await;
            }
            stream.shutdown().await?;
        }
        Manner::Endless => loop {
            stream.write_all(&body).await?;
        },
    }
    Ok(())
}
