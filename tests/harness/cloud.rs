//! The world behind a fake provider: the objects that exist, and a ledger of everything that was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use terrane_core::Value;

/// The objects that exist, for every process. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Cloud {
    inner: Arc<Mutex<Contents>>,
}

#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) objects: BTreeMap<String, CloudObject>,
    pub(crate) ledger: Vec<String>,
    /// Makes ids and private bytes differ.
    pub(crate) counter: u32,
    /// Private bytes of plans that were answered.
    pub(crate) plans: Vec<Bytes>,
    /// Processes of the provider that live, and the most there were at once.
    pub(crate) processes: usize,
    most_processes: usize,
}

impl Contents {
    /// Another process of the provider starts.
    pub(crate) fn begin_process(&mut self) {
        self.processes += 1;
        self.most_processes = self.most_processes.max(self.processes);
    }
}

/// One object of the cloud.
#[derive(Debug, Clone)]
pub struct CloudObject {
    /// Its id.
    pub id: String,
    /// Its resource type.
    pub type_name: String,
    /// Every attribute.
    pub value: Value,
    /// The private bytes that its provider gave out last.
    pub private: Bytes,
    /// Somebody else made it.
    pub foreign: bool,
}

impl CloudObject {
    /// Its name.
    pub fn name(&self) -> &str {
        name_of(&self.value)
    }
}

impl Cloud {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Contents> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The calls since the last look, a line each.
    pub fn ledger(&self) -> String {
        let lines = std::mem::take(&mut self.lock().ledger);
        lines.join("\n")
    }

    /// The processes of the provider that live.
    pub fn processes(&self) -> usize {
        self.lock().processes
    }

    /// The most processes of the provider that lived at once.
    pub fn most_processes(&self) -> usize {
        self.lock().most_processes
    }

    /// Everything that exists.
    pub fn objects(&self) -> Vec<CloudObject> {
        self.lock().objects.values().cloned().collect()
    }

    /// Names of the objects, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.objects().iter().map(|o| o.name().to_owned()).collect();
        names.sort();
        names
    }

    /// Changes an attribute of the object with that name behind everyone's back.
    pub fn edit(&self, name: &str, attribute: &str, value: impl Into<Value>) {
        let mut contents = self.lock();
        let object = contents
            .objects
            .values_mut()
            .find(|object| object.name() == name)
            .unwrap_or_else(|| panic!("the cloud has no object `{name}`"));
        object.value = with_member(&object.value, attribute, value.into());
    }

    /// Copies the object with that name under another id, as something that somebody else made.
    pub fn copy(&self, name: &str, id: &str) {
        let mut contents = self.lock();
        let mut objects = contents.objects.values();
        let original = objects.find(|object| object.name() == name).cloned();
        let mut copy = original.unwrap_or_else(|| panic!("the cloud has no object `{name}`"));
        copy.value = with_member(&copy.value, "id", id.into());
        copy.id = id.to_owned();
        copy.foreign = true;
        contents.objects.insert(id.to_owned(), copy);
    }

    /// Says that somebody else made the object with that name.
    pub fn disown(&self, name: &str) {
        let mut contents = self.lock();
        for object in contents.objects.values_mut() {
            object.foreign |= object.name() == name;
        }
    }

    /// Removes the object with that name behind everyone's back.
    pub fn remove(&self, name: &str) {
        let mut contents = self.lock();
        let before = contents.objects.len();
        contents.objects.retain(|_, object| object.name() != name);
        assert!(
            contents.objects.len() < before,
            "the cloud has no object `{name}`"
        );
    }
}

impl Cloud {
    /// Keeps only these ids, each with those private bytes.
    pub(crate) fn retain_known(&self, known: &BTreeMap<String, Bytes>) {
        let mut contents = self.lock();
        contents.objects.retain(|id, _| known.contains_key(id));
        for (id, object) in &mut contents.objects {
            object.private = known[id].clone();
        }
    }
}

impl Contents {
    pub(crate) fn next(&mut self) -> u32 {
        self.counter += 1;
        self.counter
    }
}

/// The `name` of an object or a configuration.
pub(crate) fn name_of(value: &Value) -> &str {
    value.get("name").and_then(Value::as_str).unwrap_or("?")
}

/// An object with one member replaced.
pub fn with_member(object: &Value, name: &str, value: Value) -> Value {
    let mut members = object.members().cloned().unwrap_or_default();
    members.insert(name.into(), value);
    Value::Map(Arc::new(members))
}
