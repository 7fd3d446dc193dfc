//! A provider registry on loopback, with a network mirror beside it: good, until a test makes it bad.

mod certificates;
mod faults;
mod proxy;
mod release;
mod server;
mod signer;
mod zips;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};
use terrane_core::addr::ProviderSource;

pub use faults::{Fault, Step};
pub use proxy::Proxy;
pub use release::Release;
pub use server::Request;
pub use signer::Signer;
pub use zips::{renamed, zip_of, zip_with_link};

use server::{Manner, Reply, Server};

/// A registry under a port of its own; it ends when it is dropped.
pub struct TestRegistry {
    server: Server,
    shared: Arc<Mutex<Shared>>,
}

/// What it serves.
#[derive(Default)]
struct Shared {
    /// By path.
    files: BTreeMap<String, Vec<u8>>,
    /// Lines of the lists of versions, by name and version.
    listed: BTreeMap<String, BTreeMap<String, Value>>,
    /// Each for so many more requests.
    faults: Vec<(Step, Fault, usize)>,
    token: Option<String>,
    has_ranges: bool,
    requests: Vec<Request>,
}

impl TestRegistry {
    /// An empty registry.
    pub fn start() -> Self {
        let shared = Arc::new(Mutex::new(Shared::default()));
        let answering = Arc::clone(&shared);
        let server = Server::start(Arc::new(move |request: &Request| {
            answering.lock().expect("no panic").answer(request)
        }));
        let registry = Self { server, shared };
        let discovery = json!({ "modules.v1": "/v1/modules/", "providers.v1": "/v1/providers/" });
        let path = "/.well-known/terraform.json".to_owned();
        (registry.shared().files).insert(path, discovery.to_string().into_bytes());
        registry
    }

    /// The certificate of the authority that vouches for it, in PEM.
    pub fn authority() -> &'static str {
        certificates::authority()
    }

    /// Its host, as addresses of providers name it.
    pub fn host(&self) -> String {
        format!("{}:{}", certificates::NAMES[0], self.server.address.port())
    }

    /// Another host that leads to the same server.
    pub fn other_host(&self) -> String {
        format!("{}:{}", certificates::NAMES[1], self.server.address.port())
    }

    /// The base URL of its network mirror.
    pub fn mirror(&self) -> String {
        format!("https://{}/mirror/", self.host())
    }

    /// The address of a provider here.
    pub fn source(&self, type_name: &str) -> ProviderSource {
        ProviderSource {
            host: self.host().into(),
            namespace: "acme".into(),
            type_name: type_name.into(),
        }
    }

    /// Serves a release, in place of what was published under its version before.
    pub fn publish(&self, release: &Release) {
        let mirror = format!("/mirror/{}", self.host());
        let mut shared = self.shared();
        let listed = shared.listed.entry(release.name()).or_default();
        listed.insert(release.version.clone(), release.listed());
        let versions: Vec<Value> = listed.values().cloned().collect();
        let index: BTreeMap<_, _> = listed.keys().map(|version| (version, json!({}))).collect();
        let index = json!({ "versions": index }).to_string();
        let versions = json!({ "versions": versions }).to_string();
        let name = release.name();
        let lists = [
            (format!("/v1/providers/{name}/versions"), versions),
            (format!("{mirror}/{name}/index.json"), index),
        ];
        let lists = lists.map(|(path, text)| (path, text.into_bytes()));
        shared
            .files
            .extend(lists.into_iter().chain(release.files(&mirror)));
    }

    /// Serves everything that was published under another namespace, too.
    pub fn publish_also_under(&self, namespace: &str) {
        let mut shared = self.shared();
        let more = shared.files.iter().filter_map(|(path, bytes)| {
            let rest = path.strip_prefix("/v1/providers/acme/")?;
            Some((format!("/v1/providers/{namespace}/{rest}"), bytes.clone()))
        });
        let more: Vec<_> = more.collect();
        shared.files.extend(more);
    }

    /// Serves no file any more whose path contains that.
    pub fn forget(&self, part: &str) {
        self.shared().files.retain(|path, _| !path.contains(part));
    }

    /// Answers the next so many requests of that kind wrongly.
    pub fn fail(&self, step: Step, fault: Fault, times: usize) {
        self.shared().faults.push((step, fault, times));
    }

    /// Answers rightly again.
    pub fn mend(&self) {
        self.shared().faults.clear();
    }

    /// Refuses everything but discovery without that token.
    pub fn require_token(&self, token: &str) {
        self.shared().token = Some(token.to_owned());
    }

    /// Sends parts of packages to those who ask for some.
    pub fn offer_ranges(&self) {
        self.shared().has_ranges = true;
    }

    /// Names another host for its provider registry.
    pub fn delegate_to(&self, host: &str) {
        let discovery = json!({ "providers.v1": format!("https://{host}/v1/providers/") });
        let path = "/.well-known/terraform.json".to_owned();
        (self.shared().files).insert(path, discovery.to_string().into_bytes());
    }

    /// The requests since the last call.
    pub fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.shared().requests)
    }

    /// How many requests of that kind there were since the last look at them.
    pub fn count(&self, step: Step) -> usize {
        let shared = self.shared();
        let requests = shared.requests.iter();
        requests
            .filter(|request| Step::of(&request.path) == Some(step))
            .count()
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().expect("no panic")
    }
}

impl Shared {
    fn answer(&mut self, request: &Request) -> Reply {
        self.requests.push(request.clone());
        let step = Step::of(&request.path);
        let good = self.good_answer(request, step);
        let fault = self
            .faults
            .iter_mut()
            .find(|(at, _, times)| Some(*at) == step && *times > 0);
        match fault {
            None => good,
            Some((_, fault, times)) => {
                *times -= 1;
                fault.spoil(request, good)
            }
        }
    }

    fn good_answer(&self, request: &Request, step: Option<Step>) -> Reply {
        let reply = |status, body| Reply {
            status,
            headers: Vec::new(),
            body,
            manner: Manner::Whole,
        };
        let expected = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let is_open = step == Some(Step::Discovery);
        if !is_open && expected.is_some() && request.authorization != expected {
            return reply(401, Vec::new());
        }
        match self.files.get(&request.path) {
            None => reply(404, Vec::new()),
            Some(body) => {
                let mut good = reply(200, body.clone());
                if request.path.ends_with(".json") || step == Some(Step::Versions) {
                    (good.headers).push(("content-type", "application/json".to_owned()));
                }
                match request.from.filter(|_| self.has_ranges) {
                    Some(from) => part(good, from),
                    None => good,
                }
            }
        }
    }
}

/// The same answer from that byte on.
fn part(whole: Reply, from: usize) -> Reply {
    let all = whole.body.len();
    if from >= all {
        return Reply {
            status: 416,
            body: Vec::new(),
            ..whole
        };
    }
    let mut headers = whole.headers;
    headers.push(("content-range", format!("bytes {from}-{}/{all}", all - 1)));
    Reply {
        status: 206,
        headers,
        body: whole.body[from..].to_vec(),
        manner: whole.manner,
    }
}
