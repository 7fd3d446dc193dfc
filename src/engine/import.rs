//! Takes over an object that exists: by the word of a person, who names its id.

use std::sync::Arc;

use terrane_core::addr::{InstanceAddr, Mode};
use terrane_core::{Diagnostic, Diagnostics, Program};
use terrane_state::{
    Instance, Intent, IntentAction, OpenIntent, OperationId, OperationOutcome, OperationResult,
    RawJson, Recorder, Resolution, Resolve,
};

use crate::engine::Engine;

/// An object that was looked up, and is not recorded yet.
#[derive(Debug, Clone)]
pub struct Imported {
    /// Everything that will be at its address.
    pub instance: Arc<Instance>,
    /// The object's own id, where it has one; else the one it was imported by.
    pub id: String,
    /// The provider's diagnostics.
    pub diagnostics: Diagnostics,
    intent: Intent,
}

impl Imported {
    /// The records of an import: both are due, one after the other.
    pub fn records(self) -> (Intent, OperationResult) {
        let result = OperationResult {
            op: self.intent.op,
            address: self.intent.address.clone(),
            outcome: OperationOutcome::Ok,
            instance: Some(self.instance),
            undecoded: None,
            error_class: None,
        };
        (self.intent, result)
    }

    /// The record that resolves a creation with it, on that person's word.
    pub fn resolve(self, open: &OpenIntent, who: String) -> Resolve {
        Resolve {
            op: open.intent.op,
            how: Resolution::Adopted { id: self.id },
            evidence: "a person named it".to_owned(),
            who,
            address: self.intent.address,
            changes_state: true,
            instance: Some(self.instance),
        }
    }
}

impl Engine<'_> {
    /// Looks up the object with that id for an address that the program declares.
    ///
    /// # Errors
    /// When the address is not declared or taken, when the provider cannot import, and when there is no such object.
    pub async fn import(
        &self,
        program: &Program,
        recorder: &dyn Recorder,
        address: &InstanceAddr,
        id: &str,
    ) -> Result<Imported, Diagnostics> {
        let refused = |why: String| Diagnostic::error(why).address(address);
        if address.resource.mode == Mode::Ephemeral {
            return Err(refused(format!("{address} is an ephemeral resource"))
                .hint("it is opened whenever a run needs it; there is nothing to import")
                .into());
        }
        if address.resource.mode == Mode::Data {
            return Err(refused(format!("{address} is a data source"))
                .hint("it is read whenever the program runs; there is nothing to import")
                .into());
        }
        if program.position(address).is_none() {
            return Err(refused(format!("{address} is not declared in the program"))
                .hint("declare it first, as it should be; then import it, and `preview` shows what differs")
                .into());
        }
        let there = recorder.instance(address);
        if there.is_some_and(|instance| instance.current.is_some()) {
            return Err(refused(format!("{address} is in the state already"))
                .hint(format!(
                    "`state show {address}` prints it; `state rm {address}` forgets it",
                    address = address.in_shell()
                ))
                .into());
        }
        self.take_over(program, recorder, address, id).await
    }

    /// Looks up the object with that id as the result of an unresolved creation.
    ///
    /// # Errors
    /// When no provider serves the address, when the provider cannot import, and when there is no such object.
    pub async fn take_over(
        &self,
        program: &Program,
        recorder: &dyn Recorder,
        address: &InstanceAddr,
        id: &str,
    ) -> Result<Imported, Diagnostics> {
        let declared = program.position(address).map(|position| {
            let resource = &program.resources()[position];
            program.providers()[resource.provider].address.clone()
        });
        let asked = recorder.open_intents().into_iter().find(|open| {
            let intent = &open.intent;
            intent.address == *address && intent.action == IntentAction::Create
        });
        let asked = asked.map(|open| open.intent);
        let provider = asked.as_ref().map(|asked| asked.provider.clone());
        let Some(provider) = provider.or(declared) else {
            let unknown = Diagnostic::error(format!("{address} is not declared in the program"));
            return Err(unknown.address(address).into());
        };
        let mut intent = Intent::new(
            OperationId::random(self.host.random),
            address.clone(),
            IntentAction::Import,
            provider,
            self.host.clock.now(),
        );
        intent.prior_id = id_json(id);
        if let Some(asked) = asked {
            intent.dependencies = asked.dependencies;
            intent.sensitive_paths = asked.sensitive_paths;
            intent.place = asked.place;
        }
        let recovery = self.recovery(program, recorder);
        let named = self
            .running()
            .renewing(recovery.named_by_a_person(&intent, id))
            .await;
        let closed = self.running().close_ephemerals().await;
        let (instance, id) = named?;
        let ((), closed) = closed.into_result(())?;
        Ok(Imported {
            instance: Arc::new(instance),
            id,
            diagnostics: recovery.into_warnings().into_iter().chain(closed).collect(),
            intent,
        })
    }
}

fn id_json(id: &str) -> Option<RawJson> {
    let json = terrane_core::Value::from(id).to_json(&terrane_core::Type::String);
    RawJson::new(&json.ok()?).ok()
}
