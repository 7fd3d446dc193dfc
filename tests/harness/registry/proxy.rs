//! A proxy for TLS connections, as companies have one: `CONNECT HOST:PORT`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A proxy on loopback, for as long as the test program runs.
pub struct Proxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Starts one.
    ///
    /// # Panics
    /// When loopback has no port.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let asked = Arc::clone(&asked);
                std::thread::spawn(move || pass(stream, &asked).ok());
            }
        });
        Self {
            address,
            asked: kept,
        }
    }

    /// Its address, as `HTTPS_PROXY` names one.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The places that it was asked to connect to, in order.
    ///
    /// # Panics
    /// Never.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }
}

fn pass(client: TcpStream, asked: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let place = line.split(' ').nth(1).unwrap_or_default().to_owned();
    while line.trim_end() != "" {
        line.clear();
        reader.read_line(&mut line)?;
    }
    asked.lock().expect("no panic").push(place.clone());
    let mut writer = client;
    let Ok(server) = TcpStream::connect(&place) else {
        return writer.write_all(b"HTTP/1.1 502 Bad Gateway\r\n\r\n");
    };
    writer.write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?;
    let (mut there, mut back) = (server.try_clone()?, server);
    let sending = std::thread::spawn(move || {
        let _ = std::io::copy(&mut reader, &mut there);
        there.shutdown(Shutdown::Write)
    });
    let _ = std::io::copy(&mut back, &mut writer);
    let _ = writer.shutdown(Shutdown::Both);
    let _ = sending.join();
    Ok(())
}
