//! GitHub, as far as a workflow of a stack talks to it: comments of a pull request, commits, artifacts. On loopback.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};

/// The only token that it takes.
pub(crate) const TOKEN: &str = "ghs_token";
/// The name under which a workflow comments.
const BOT: &str = "github-actions[bot]";

/// What it keeps.
#[derive(Default)]
pub(crate) struct Records {
    /// The comments of the pull request.
    pub(crate) comments: Vec<Json>,
    /// The head of the pull request that was merged as a commit.
    pub(crate) merged: Vec<(String, String)>,
    /// Artifacts: their names, and the heads that they were made of.
    pub(crate) artifacts: Vec<(String, String)>,
}

/// A server.
pub(crate) struct Forge {
    /// `GITHUB_API_URL`.
    pub(crate) url: String,
    records: Arc<Mutex<Records>>,
}

impl Forge {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let records = Arc::<Mutex<Records>>::default();
        let kept = Arc::clone(&records);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A client that leaves early is no business of others.
                let _ = answer(client, &mut kept.lock().expect("not poisoned"));
            }
        });
        Self { url, records }
    }

    pub(crate) fn with<T>(&self, use_it: impl FnOnce(&mut Records) -> T) -> T {
        use_it(&mut self.records.lock().expect("not poisoned"))
    }
}

fn answer(client: TcpStream, records: &mut Records) -> std::io::Result<()> {
    let mut reader = BufReader::new(client);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let (mut length, mut is_known) = (0, false);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let header = header.trim_end();
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(": ").unwrap_or((header, ""));
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap_or(0),
            "authorization" => is_known = value == format!("Bearer {TOKEN}"),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = serde_json::from_slice(&body).unwrap_or(Json::Null);
    let answered = match is_known {
        true => records.answer(method, target, &body),
        false => None,
    };
    let (status, text) = match answered {
        Some(json) => ("200 OK", json.to_string()),
        None => ("404 Not Found", "{}".to_owned()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        text.len()
    );
    let client = reader.get_mut();
    client.write_all(head.as_bytes())?;
    client.write_all(text.as_bytes())
}

impl Records {
    fn answer(&mut self, method: &str, target: &str, body: &Json) -> Option<Json> {
        let path = target.strip_prefix("/repos/acme/infra/")?;
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let parts: Vec<&str> = path.split('/').collect();
        match (method, parts.as_slice()) {
            ("GET", ["issues", "7", "comments"]) => {
                let page: usize = query.rsplit_once("page=")?.1.parse().ok()?;
                let all = self.comments.chunks(100).nth(page - 1);
                Some(all.unwrap_or_default().into())
            }
            ("POST", ["issues", "7", "comments"]) => {
                let id = self.comments.len() + 1;
                self.comments.push(comment(id, BOT, body["body"].as_str()?));
                self.comments.last().cloned()
            }
            ("PATCH", ["issues", "comments", id]) => {
                let ids = self
                    .comments
                    .iter()
                    .position(|it| it["id"].as_u64() == id.parse().ok());
                let place = ids?;
                self.comments[place]["body"] = body["body"].clone();
                Some(self.comments[place].clone())
            }
            ("GET", ["commits", sha, "pulls"]) => {
                let merged = self.merged.iter().filter(|(merged, _)| merged == sha);
                let pulls = merged.map(|(_, head)| {
                    json!({ "merged_at": "2026-11-28T15:00:00Z", "head": { "sha": head } })
                });
                Some(pulls.collect())
            }
            ("GET", ["actions", "artifacts"]) => {
                let name = query
                    .split('&')
                    .find_map(|pair| pair.strip_prefix("name="))?;
                let found = self.artifacts.iter().enumerate().rev();
                let found = found.filter(|(_, (known, _))| known == name);
                let found = found.map(|(run, (name, head))| {
                    json!({
                        "name": name,
                        "expired": false,
                        "workflow_run": { "id": run, "head_sha": head },
                    })
                });
                Some(json!({ "artifacts": found.collect::<Vec<_>>() }))
            }
            _ => None,
        }
    }
}

/// A comment as GitHub shows it.
pub(crate) fn comment(id: usize, author: &str, body: &str) -> Json {
    json!({
        "id": id,
        "user": { "login": author },
        "body": body,
        "html_url": format!("https://forge.example/acme/infra/pull/7#issuecomment-{id}"),
    })
}
