//! The schemas of providers that allow to ask for them once: in memory for this run, in a folder for the next ones.
//!
//! A provider that announces `get_provider_schema_optional` serves every call without a request for its schema, which for the largest
//! costs more than all the rest of a run's start. The schema is a fact of the binary, so it is kept under its hash; hashing hundreds of
//! megabytes would cost as much, so the hash is remembered under the file's metadata. A provider that does not announce it is asked
//! by every run, and nothing of it is kept.

mod binary;
mod store;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use terrane_registry::Stamp;
use tokio::task::JoinHandle;

use crate::client::{SchemaResponse, Schemas};
use crate::log::LogLevel;
use crate::plugin::Plugin;
use crate::plugins::ProviderCommand;
use crate::wire::Protocol;

use binary::hash_of;
use store::Store;

/// Schemas by binary.
#[derive(Default)]
pub(crate) struct SchemaCache {
    memory: Mutex<HashMap<ProviderCommand, (Stamp, Arc<Schemas>)>>,
    store: Option<Store>,
}

/// The cached schemas for a command that is about to be started.
pub(crate) struct CacheEntry {
    stamp: Option<Stamp>,
    schemas: Option<Arc<Schemas>>,
}

impl SchemaCache {
    /// One that keeps schemas in that folder, which need not exist.
    pub(crate) fn in_folder(folder: PathBuf) -> Self {
        Self {
            store: Some(Store::new(folder)),
            ..Self::default()
        }
    }

    /// The folder for this command: one with arguments is a part of another program.
    fn store_for(&self, command: &ProviderCommand) -> Option<Store> {
        let store = self.store.as_ref();
        store.filter(|_| command.arguments.is_empty()).cloned()
    }

    fn memory(
        &self,
    ) -> impl std::ops::DerefMut<Target = HashMap<ProviderCommand, (Stamp, Arc<Schemas>)>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks for the schemas of that binary as it is now.
    pub(crate) async fn find(&self, command: &ProviderCommand) -> CacheEntry {
        let Ok(stamp) = Stamp::of(&command.binary) else {
            return CacheEntry {
                stamp: None,
                schemas: None,
            };
        };
        let known = self.memory().get(command).cloned();
        let mut schemas = known.filter(|(then, _)| *then == stamp);
        if schemas.is_none()
            && let Some(store) = self.store_for(command)
        {
            let wanted = command.clone();
            let read = tokio::task::spawn_blocking(move || store.find(&wanted, stamp));
            let kept = read.await.ok().flatten();
            schemas =
                kept.map(|(protocol, answer)| (stamp, Arc::new(Schemas::new(protocol, answer))));
        }
        CacheEntry {
            stamp: Some(stamp),
            schemas: schemas.map(|(_, schemas)| schemas),
        }
    }

    /// The hash of that binary as it is now; `None` where it cannot be read.
    pub(crate) async fn hash(&self, command: &ProviderCommand) -> Option<[u8; 32]> {
        let stamp = Stamp::of(&command.binary).ok()?;
        let (store, binary) = (self.store.clone(), command.binary.clone());
        let hash = tokio::task::spawn_blocking(move || match store {
            Some(store) => store.hash(&binary, stamp),
            None => hash_of(&binary, stamp),
        });
        hash.await.ok()?.ok()?
    }

    /// Keeps the response of a process that was started after that look-up. The folder is written while the run goes on; the task ends
    /// when that is done.
    pub(crate) fn keep(
        &self,
        command: &ProviderCommand,
        entry: &CacheEntry,
        plugin: &Plugin,
        answer: SchemaResponse,
        schemas: &Arc<Schemas>,
    ) -> Option<JoinHandle<()>> {
        let stamp = entry.stamp?;
        if !schemas.capabilities().get_provider_schema_optional || answer.identities.is_none() {
            return None;
        }
        self.memory()
            .insert(command.clone(), (stamp, schemas.clone()));
        let store = self.store_for(command)?;
        let (command, protocol) = (command.clone(), plugin.protocol());
        let words = plugin.words();
        Some(tokio::task::spawn_blocking(move || {
            if let Err(error) = store.keep(&command, stamp, protocol, answer) {
                let failed = format!("cannot cache its schema: {error}");
                words.note(LogLevel::Warn, &failed);
            }
        }))
    }
}

impl CacheEntry {
    /// The schemas, if the process that was started meanwhile is of the same binary and speaks the same protocol.
    pub(crate) fn schemas_for(
        &self,
        command: &ProviderCommand,
        protocol: Protocol,
    ) -> Option<&Arc<Schemas>> {
        let schemas = self.schemas.as_ref()?;
        let same = Stamp::of(&command.binary).ok() == self.stamp;
        (same && schemas.protocol() == protocol).then_some(schemas)
    }
}
