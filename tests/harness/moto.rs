//! An AWS on loopback: moto's server, behind a proxy that puts requests in a row and can lose them.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use terrane_state::backend::S3Backend;

/// A server of this test program; it ends with it.
struct Server {
    address: SocketAddr,
    _stop: StopWithUs,
}

/// A shell that waits for the end of its input, which comes with the end of this process however that ends, and then ends
/// the server.
struct StopWithUs(#[expect(dead_code, reason = "held for its standard input")] Child);

const WATCH: &str =
    r#""$0" -H 127.0.0.1 -p "$1" >/dev/null 2>&1 & server=$!; read -r _; kill $server"#;

fn server_program() -> Option<PathBuf> {
    let named = std::env::var_os("MOTO_SERVER").map(PathBuf::from);
    let own = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../.tools/moto/bin/moto_server"
    ));
    named.into_iter().chain([own]).find(|path| path.exists())
}

/// The server for the n-th AWS. There are two, since Python answers with one core at a time.
fn server(n: usize) -> Option<&'static Server> {
    static SERVERS: [OnceLock<Option<Server>>; 2] = [const { OnceLock::new() }; 2];
    let server = SERVERS[n % SERVERS.len()].get_or_init(|| {
        let program = server_program()?;
        let port = TcpListener::bind("127.0.0.1:0")
            .expect("a port")
            .local_addr()
            .expect("bound")
            .port();
        let child = Command::new("sh")
            .args(["-c", WATCH])
            .arg(program)
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .spawn()
            .expect("moto's server starts");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let deadline = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < deadline, "moto's server does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(Server {
            address,
            _stop: StopWithUs(child),
        })
    });
    server.as_ref()
}

/// The fate of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is answered.
    Answered,
    /// It arrives, and its answer is lost.
    AnswerLost,
    /// It never arrives.
    Lost,
    /// Something else answers that all is well.
    Intercepted,
    /// The service is busy.
    Busy,
}

type Rule = Box<dyn Fn(&str) -> Fate + Send>;

/// A proxy before moto with a bucket of its own. Moto checks and writes conditional puts without a lock, so requests go through
/// one after the other.
pub struct Aws {
    server: SocketAddr,
    proxy: SocketAddr,
    rule: Arc<Mutex<Rule>>,
    requests: Arc<Mutex<Vec<String>>>,
    name: String,
}

/// An AWS, or `None` where moto is not installed; under `CI=true` that is a failure.
#[expect(
    clippy::disallowed_methods,
    reason = "whether a missing tool is a failure is said by the environment"
)]
pub fn aws() -> Option<Aws> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let Some(server) = server(number) else {
        assert_ne!(
            std::env::var("CI").as_deref(),
            Ok("true"),
            "moto's server is missing: scripts/moto.sh --install"
        );
        return None;
    };
    let rule: Arc<Mutex<Rule>> = Arc::new(Mutex::new(Box::new(|_| Fate::Answered)));
    let requests = Arc::new(Mutex::new(Vec::new()));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let proxy = listener.local_addr().expect("bound");
    let (rules, seen, upstream) = (Arc::clone(&rule), Arc::clone(&requests), server.address);
    std::thread::spawn(move || {
        let row = Arc::new(Mutex::new(()));
        for client in listener.incoming().flatten() {
            let (rules, seen, row) = (Arc::clone(&rules), Arc::clone(&seen), Arc::clone(&row));
            std::thread::spawn(move || {
                let _ = serve(client, upstream, &rules, &seen, &row);
            });
        }
    });
    Some(Aws {
        server: server.address,
        proxy,
        rule,
        requests,
        name: format!("state-{number}"),
    })
}

/// One request a connection: read whole, sent on, answered.
fn serve(
    mut client: TcpStream,
    upstream: SocketAddr,
    rule: &Mutex<Rule>,
    seen: &Mutex<Vec<String>>,
    row: &Mutex<()>,
) -> std::io::Result<()> {
    let Some((head, body)) = read_request(&mut client)? else {
        return Ok(());
    };
    let line = request_name(&head);
    let _turn = row.lock().expect("not poisoned");
    let fate = rule.lock().expect("not poisoned")(&line);
    seen.lock().expect("not poisoned").push(line.clone());
    // The answer to a deletion names only the objects that could not be deleted.
    let content = match line.starts_with("POST ") && line.contains("?delete") {
        true => "<DeleteResult/>",
        false => "",
    };
    let answer = |text: &str| {
        format!(
            "HTTP/1.1 {text}\r\nContent-Length: {}\r\nETag: \"intercepted\"\r\nConnection: close\r\n\r\n{content}",
            content.len()
        )
    };
    match fate {
        Fate::Lost => return client.shutdown(Shutdown::Both),
        Fate::Intercepted => return client.write_all(answer("200 OK").as_bytes()),
        Fate::Busy => return client.write_all(answer("503 Slow Down").as_bytes()),
        Fate::Answered | Fate::AnswerLost => {}
    }
    let mut server = TcpStream::connect(upstream)?;
    let head = head.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    server.write_all(head.as_bytes())?;
    server.write_all(&body)?;
    let mut response = Vec::new();
    server.read_to_end(&mut response)?;
    if fate == Fate::Answered {
        client.write_all(&response)?;
    }
    client.shutdown(Shutdown::Both)
}

/// Method and path, and for DynamoDB the operation.
fn request_name(head: &str) -> String {
    let line = head.lines().next().unwrap_or_default();
    let line = line.trim_end_matches(" HTTP/1.1");
    let target = head
        .lines()
        .find_map(|line| line.strip_prefix("x-amz-target: DynamoDB_20120810."));
    match target {
        Some(operation) => operation.to_owned(),
        None => line.to_owned(),
    }
}

fn read_request(client: &mut TcpStream) -> std::io::Result<Option<(String, Vec<u8>)>> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 16 * 1024];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        let read = client.read(&mut chunk)?;
        if read == 0 {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk[..read]);
    };
    let mut body = bytes.split_off(end);
    let mut head = String::from_utf8_lossy(&bytes).into_owned();
    let lower = head.to_ascii_lowercase();
    if lower.contains("expect: 100-continue") {
        client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let length = lower
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
    let length: usize = length.unwrap_or(0);
    while body.len() < length {
        let read = client.read(&mut chunk)?;
        body.extend_from_slice(&chunk[..read]);
        if read == 0 {
            break;
        }
    }
    // The server shall answer once and close.
    let kept = head.split_inclusive("\r\n").filter(|line| {
        let line = line.to_ascii_lowercase();
        !line.starts_with("connection:") && !line.starts_with("expect:")
    });
    head = kept.collect();
    Ok(Some((head, body)))
}

impl Aws {
    /// The options of a state in the bucket of this AWS, with dummy credentials.
    pub fn backend(&self) -> S3Backend {
        let endpoint = self.endpoint();
        let mut backend = S3Backend::new(&self.name, "prod/terraform.tfstate").region("us-east-1");
        for (option, value) in [
            ("access_key", "AKIATEST"),
            ("secret_key", "test"),
            ("endpoints.s3", &*endpoint),
            ("endpoints.dynamodb", &endpoint),
            ("endpoints.sts", &endpoint),
        ] {
            backend.set(option, value).expect("an option");
        }
        backend
    }

    /// The same with a lock table, as `--backend` takes it; credentials come from the environment then.
    pub fn url(&self) -> String {
        Self::url_of(self.backend().lock_table(&self.name))
    }

    /// Options of this AWS as `--backend` takes them.
    pub fn url_of(mut backend: S3Backend) -> String {
        for secret in ["access_key", "secret_key"] {
            backend.set(secret, "").expect("an option");
        }
        backend.to_string()
    }

    /// The name of bucket and table.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Decides the fate of requests from now on, by `METHOD /path` or the DynamoDB operation.
    pub fn when(&self, rule: impl Fn(&str) -> Fate + Send + 'static) {
        *self.rule.lock().expect("not poisoned") = Box::new(rule);
    }

    /// Lets the first request that contains the text have that fate.
    pub fn once(&self, text: &'static str, fate: Fate) {
        self.nth([text, ""], 1, fate);
    }

    /// Lets the nth request that contains both texts have that fate, from 1.
    pub fn nth(&self, texts: [&'static str; 2], nth: usize, fate: Fate) {
        let done = AtomicUsize::new(0);
        self.when(move |request| {
            let is_one = texts.iter().all(|text| request.contains(text));
            match is_one && done.fetch_add(1, Ordering::Relaxed) + 1 == nth {
                true => fate,
                false => Fate::Answered,
            }
        });
    }

    /// The keys of the bucket that begin like that, as any other program sees them.
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        let request = format!("GET /{}?prefix={prefix} HTTP/1.1", self.name);
        let (status, body) = self.raw(&request, "");
        assert_eq!(status, 200, "{body}");
        let keys = body.split("<Key>").skip(1);
        let keys = keys.filter_map(|rest| rest.split("</Key>").next());
        keys.map(str::to_owned).collect()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("not poisoned").clone()
    }

    /// Where every service of this AWS is, for `AWS_ENDPOINT_URL`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.proxy)
    }

    /// An operation of a service that speaks JSON, as another program would ask for it: `ssm`, `AmazonSSM.PutParameter`.
    pub fn json(
        &self,
        service: &str,
        target: &str,
        input: &serde_json::Value,
    ) -> serde_json::Value {
        let request = format!(
            "POST / HTTP/1.1\r\nX-Amz-Target: {target}\r\nContent-Type: application/x-amz-json-1.1"
        );
        let (status, body) = self.raw_of(service, &request, &input.to_string());
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).expect("JSON")
    }

    /// A request of no SDK: status and body.
    fn raw(&self, request: &str, body: &str) -> (u16, String) {
        let service = match body.contains("TableName") {
            true => "dynamodb",
            false => "s3",
        };
        self.raw_of(service, request, body)
    }

    fn raw_of(&self, service: &str, request: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.server).expect("connected");
        let length = body.len();
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIATEST/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
        );
        let request = format!(
            "{request}\r\nHost: 127.0.0.1\r\nAuthorization: {authorization}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).expect("sent");
        let mut response = String::new();
        stream.read_to_string(&mut response).expect("answered");
        let status = response
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .expect("a status");
        let body = response
            .split_once("\r\n\r\n")
            .map(|(_, body)| body.to_owned());
        (status, body.unwrap_or_default())
    }

    /// The bytes of an object, as any other program sees them.
    pub fn object(&self, key: &str) -> Option<String> {
        let (status, body) = self.raw(&format!("GET /{}/{key} HTTP/1.1", self.name), "");
        (status == 200).then_some(body)
    }

    /// Puts an object there as another program would.
    pub fn put_object(&self, key: &str, body: &str) {
        let (status, answer) = self.raw(&format!("PUT /{}/{key} HTTP/1.1", self.name), body);
        assert_eq!(status, 200, "{answer}");
    }

    /// Deletes an object as a person would.
    pub fn delete_object(&self, key: &str) {
        let (status, answer) = self.raw(&format!("DELETE /{}/{key} HTTP/1.1", self.name), "");
        assert_eq!(status, 204, "{answer}");
    }

    /// A DynamoDB operation on the table, as another program would do it.
    pub fn dynamodb(&self, operation: &str, input: serde_json::Value) -> serde_json::Value {
        self.dynamodb_on(&self.name, operation, input)
    }

    fn dynamodb_on(
        &self,
        table: &str,
        operation: &str,
        mut input: serde_json::Value,
    ) -> serde_json::Value {
        input["TableName"] = table.into();
        let request = format!(
            "POST / HTTP/1.1\r\nX-Amz-Target: DynamoDB_20120810.{operation}\r\nContent-Type: application/x-amz-json-1.0"
        );
        let (status, body) = self.raw(&request, &input.to_string());
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).expect("JSON")
    }

    /// A table with another key than a lock table has.
    pub fn make_table(&self, name: &str, key: &str) {
        let create = serde_json::json!({
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{ "AttributeName": key, "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": key, "KeyType": "HASH" }],
        });
        self.dynamodb_on(name, "CreateTable", create);
    }

    /// An item of the lock table.
    pub fn item(&self, id: &str) -> Option<serde_json::Value> {
        let found = self.dynamodb(
            "GetItem",
            serde_json::json!({ "Key": { "LockID": { "S": id } } }),
        );
        found.get("Item").cloned()
    }
}

/// The MD5 of bytes, from a program that moto needs anyway.
pub fn md5_of(bytes: &[u8]) -> String {
    const PROGRAM: &str =
        "import hashlib, sys; print(hashlib.md5(sys.stdin.buffer.read()).hexdigest())";
    let mut sum = Command::new("python3")
        .args(["-c", PROGRAM])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python runs");
    let mut input = sum.stdin.take().expect("piped");
    input.write_all(bytes).expect("written");
    drop(input);
    let output = sum.wait_with_output().expect("an end");
    let text = String::from_utf8(output.stdout).expect("text");
    text.trim_end().to_owned()
}
