//! The file of a recording, line by line as things happen.

use std::collections::HashSet;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value as Json, json};
use terrane_core::Marked;
use terrane_core::addr::ProviderSource;
use terrane_core::schema::IdentitySchema;

use super::form;
use crate::provider::Capabilities;

/// Who knows the secrets of a run, and hears when the file cannot be written.
pub trait RecordObserver: Send + Sync {
    /// An object with values that its schema says to be secret: from here on they are secrets in every text.
    fn learn(&self, object: &Marked);

    /// The text without known secrets.
    fn masked(&self, text: &str) -> String;

    /// The recording ends here; the run goes on.
    fn stopped(&self, error: &io::Error);
}

/// Writes conversations with providers into one file.
pub struct Recorder {
    tape: Mutex<Tape>,
    observer: Box<dyn RecordObserver>,
}

struct Tape {
    /// None once a line could not be written.
    file: Option<Box<dyn Write + Send>>,
    processes: u64,
    asked: u64,
    /// The schemas that are in the file.
    schemas: HashSet<(ProviderSource, String)>,
}

/// A process, as the lines of the file name it.
#[derive(Debug, Clone)]
pub(super) struct Process {
    pub(super) source: ProviderSource,
    number: u64,
}

impl Recorder {
    /// Begins a recording in that file.
    ///
    /// # Errors
    /// When its first line cannot be written.
    pub fn new(
        mut file: impl Write + Send + 'static,
        observer: impl RecordObserver + 'static,
    ) -> io::Result<Self> {
        writeln!(file, "{}", json!({ "terrane_recording": 1 }))?;
        Ok(Self {
            tape: Mutex::new(Tape {
                file: Some(Box::new(file)),
                processes: 0,
                asked: 0,
                schemas: HashSet::new(),
            }),
            observer: Box::new(observer),
        })
    }

    pub(super) fn learn(&self, object: &Marked) {
        self.observer.learn(object);
    }

    /// A process was started.
    pub(super) fn started(&self, source: &ProviderSource, capabilities: Capabilities) -> Process {
        let mut tape = self.tape();
        tape.processes += 1;
        let process = Process {
            source: source.clone(),
            number: tape.processes,
        };
        let line = json!({
            "provider": source.to_string(),
            "process": process.number,
            "capabilities": {
                "plan_destroy": capabilities.plan_destroy,
                "move_resource_state": capabilities.move_resource_state,
            },
        });
        self.write(&mut tape, line);
        process
    }

    /// A schema was asked for; `facts` make its line, or `Err` names a type that does not exist.
    pub(super) fn schema(
        &self,
        source: &ProviderSource,
        name: &str,
        facts: impl FnOnce() -> Option<String>,
    ) {
        let mut tape = self.tape();
        if !tape.schemas.insert((source.clone(), name.to_owned())) {
            return;
        }
        let provider = source.to_string();
        let line = match facts() {
            Some(facts) => json!({ "provider": provider, "schema": facts }),
            None => json!({ "provider": provider, "missing": name }),
        };
        self.write(&mut tape, line);
    }

    /// The schema of an identity was asked for.
    pub(super) fn identity_schema(
        &self,
        source: &ProviderSource,
        type_name: &str,
        schema: &IdentitySchema,
    ) {
        let mut tape = self.tape();
        let name = format!("identity {type_name}");
        if tape.schemas.insert((source.clone(), name)) {
            let line = json!({
                "provider": source.to_string(),
                "identity": type_name,
                "version": schema.version,
                "attributes": form::identity_attributes(schema),
            });
            self.write(&mut tape, line);
        }
    }

    /// The schema or signature of something beside resources was asked for.
    pub(super) fn feature(
        &self,
        source: &ProviderSource,
        feature: &str,
        name: &str,
        is: impl FnOnce() -> Json,
    ) {
        let mut tape = self.tape();
        let key = format!("{feature} {name}");
        if tape.schemas.insert((source.clone(), key)) {
            let line = json!({
                "provider": source.to_string(),
                "feature": feature,
                "name": name,
                "is": is(),
            });
            self.write(&mut tape, line);
        }
    }

    /// Writes a request; its number is that of the answer.
    pub(super) fn ask(&self, process: &Process, call: &str, type_name: &str, request: Json) -> u64 {
        let mut tape = self.tape();
        tape.asked += 1;
        let ask = tape.asked;
        let line = json!({
            "provider": process.source.to_string(),
            "process": process.number,
            "ask": ask,
            "call": call,
            "type": type_name,
            "request": request,
        });
        self.write(&mut tape, line);
        ask
    }

    /// Writes the response to a request.
    pub(super) fn answer(&self, ask: u64, response: Json) {
        let line = json!({ "answer": ask, "response": response });
        self.write(&mut self.tape(), line);
    }

    /// Writes why there is none.
    pub(super) fn no_answer(&self, ask: u64, failure: Json) {
        let line = json!({ "answer": ask, "failed": failure });
        self.write(&mut self.tape(), line);
    }

    fn write(&self, tape: &mut Tape, mut line: Json) {
        let Some(file) = &mut tape.file else {
            return;
        };
        self.mask(&mut line);
        let mut text = line.to_string();
        text.push('\n');
        // In one piece and at once: a run that is killed leaves whole lines.
        if let Err(error) = file.write_all(text.as_bytes()).and_then(|()| file.flush()) {
            tape.file = None;
            self.observer.stopped(&error);
        }
    }

    fn mask(&self, json: &mut Json) {
        match json {
            Json::String(text) => *text = self.observer.masked(text),
            Json::Array(elements) => elements.iter_mut().for_each(|one| self.mask(one)),
            Json::Object(members) => {
                let named = std::mem::take(members)
                    .into_iter()
                    .map(|(name, mut member)| {
                        self.mask(&mut member);
                        (self.observer.masked(&name), member)
                    });
                *members = named.collect();
            }
            _ => {}
        }
    }

    fn tape(&self) -> MutexGuard<'_, Tape> {
        self.tape.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
