//! The objects of the sandbox in a file that survives runs, and the ledger of everything that was done to them.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::value::RawValue;
use terrane_core::Value;

use crate::kind::Kinds;

/// Every object that exists.
pub(crate) struct Cloud {
    folder: PathBuf,
    objects: BTreeMap<Arc<str>, BTreeMap<String, Value>>,
    ledger: File,
}

/// The file's form: type → id → attributes.
type Stored = BTreeMap<String, BTreeMap<String, Box<RawValue>>>;

const OBJECTS: &str = "cloud.json";
const LEDGER: &str = "ledger.jsonl";

impl Cloud {
    /// The cloud in that folder, empty if there is none yet.
    ///
    /// # Errors
    /// When the files cannot be read or written, or are damaged.
    pub(crate) fn open(folder: &Path, kinds: &Kinds) -> io::Result<Self> {
        let stored: Stored = match fs::read(folder.join(OBJECTS)) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Stored::new(),
            Err(error) => return Err(error),
        };
        let mut objects = BTreeMap::new();
        for (name, instances) in stored {
            let Some(kind) = kinds.resource(&name) else {
                continue;
            };
            let read = |(id, json): (String, Box<RawValue>)| {
                let value = Value::from_json(json.get().as_bytes(), kind.schema.ty());
                value.map(|value| (id, value)).map_err(io::Error::other)
            };
            let instances = instances.into_iter().map(read).collect::<io::Result<_>>()?;
            objects.insert(kind.name.clone(), instances);
        }
        let ledger = private().append(true).open(folder.join(LEDGER))?;
        Ok(Self {
            folder: folder.to_owned(),
            objects,
            ledger,
        })
    }

    /// The object of that type and id.
    pub(crate) fn get(&self, type_name: &str, id: &str) -> Option<&Value> {
        self.objects.get(type_name)?.get(id)
    }

    /// Every object of that type.
    pub(crate) fn all(&self, type_name: &str) -> impl Iterator<Item = &Value> {
        self.objects
            .get(type_name)
            .into_iter()
            .flat_map(BTreeMap::values)
    }

    /// Puts an object, or takes it away; durable when this returns.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub(crate) fn put(
        &mut self,
        operation: &str,
        type_name: &str,
        id: &str,
        object: Option<Value>,
        kinds: &Kinds,
    ) -> io::Result<()> {
        let instances = self.objects.entry(type_name.into()).or_default();
        match object {
            Some(object) => {
                instances.insert(id.to_owned(), object);
            }
            None => {
                instances.remove(id);
            }
        }
        self.write(kinds)?;
        let now = crate::rules::timestamp();
        let line = serde_json::json!({
            "time": now,
            "op": operation,
            "type": type_name,
            "id": id,
        });
        writeln!(self.ledger, "{line}")?;
        self.ledger.sync_data()
    }

    fn write(&self, kinds: &Kinds) -> io::Result<()> {
        let mut stored = Stored::new();
        for (name, instances) in &self.objects {
            let Some(kind) = kinds.resource(name).filter(|_| !instances.is_empty()) else {
                continue;
            };
            let json = |(id, object): (&String, &Value)| {
                let json = object.to_json(kind.schema.ty()).map_err(io::Error::other)?;
                Ok((id.clone(), RawValue::from_string(json)?))
            };
            let instances = instances.iter().map(json).collect::<io::Result<_>>()?;
            stored.insert(name.to_string(), instances);
        }
        let target = self.folder.join(OBJECTS);
        let beside = self.folder.join(".cloud.json.new");
        let mut file = private().write(true).truncate(true).open(&beside)?;
        serde_json::to_writer(&mut file, &stored)?;
        file.sync_all()?;
        fs::rename(beside, target)
    }
}

/// Files that only their owner may read: objects hold what a real cloud would keep to itself.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).mode(0o600);
    options
}
