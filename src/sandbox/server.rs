//! The provider: answers to an engine's calls.

use async_trait::async_trait;
use terrane_core::schema::ProviderSchema;
use terrane_core::value::Map;
use terrane_core::{Diagnostic, Diagnostics, Value};
use terrane_provider::serve::Service;
use terrane_provider::{
    ApplyResourceChange, ApplyResourceChangeResponse, ImportResourceState,
    ImportResourceStateResponse, ImportedResource, PlanResourceChange, PlanResourceChangeResponse,
    ReadDataSource, ReadDataSourceResponse, ReadResource, ReadResourceResponse,
};
use tokio::sync::{Mutex, Notify, RwLock};

use crate::cloud::Cloud;
use crate::kind::{Kind, Kinds};
use crate::plan::{self, DefaultTags};
use crate::rules::{self, Account};

/// The embedded AWS.
pub(crate) struct Sandbox {
    kinds: Kinds,
    cloud: Mutex<Cloud>,
    settings: RwLock<Settings>,
    speed: f64,
    stopped: Notify,
}

/// What the provider configuration says.
#[derive(Default)]
struct Settings {
    account: Account,
    default_tags: DefaultTags,
}

impl Sandbox {
    pub(crate) fn new(kinds: Kinds, cloud: Cloud, speed: f64) -> Self {
        Self {
            kinds,
            cloud: Mutex::new(cloud),
            settings: RwLock::default(),
            speed,
            stopped: Notify::new(),
        }
    }

    fn kind(&self, type_name: &str) -> Result<&Kind, Diagnostics> {
        self.kinds
            .resource(type_name)
            .ok_or_else(|| Diagnostic::error(format!("the sandbox has no {type_name}")).into())
    }

    /// Takes as long as AWS would, divided by the speed; ends early when told to stop.
    async fn take_time(&self, type_name: &str, operation: Operation) -> Result<(), Diagnostics> {
        if self.speed <= 0.0 {
            return Ok(());
        }
        let real = rules::duration(type_name, operation == Operation::Delete);
        tokio::select! {
            () = tokio::time::sleep(real.div_f64(self.speed)) => Ok(()),
            () = self.stopped.notified() => Err(Diagnostic::error("stopped while waiting").into()),
        }
    }

    async fn apply(&self, request: ApplyResourceChange<'_>) -> Result<Value, Diagnostics> {
        let kind = self.kind(request.type_name)?;
        let operation = match (request.prior_state, request.planned_state) {
            (_, Value::Null) => Operation::Delete,
            (Value::Null, _) => Operation::Create,
            _ => Operation::Update,
        };
        let refused = |reason: String| Diagnostics::from(Diagnostic::error(reason));
        if operation == Operation::Delete {
            let id = id_of(request.prior_state);
            let existing = self.cloud.lock().await.get(&kind.name, &id).cloned();
            let Some(object) = existing else {
                return Ok(Value::Null);
            };
            rules::may_be_deleted(&kind.name, &object, &*self.cloud.lock().await)
                .map_err(refused)?;
            self.take_time(&kind.name, operation).await?;
            // Again: others may have come to stand on it in the meantime.
            let mut cloud = self.cloud.lock().await;
            rules::may_be_deleted(&kind.name, &object, &cloud).map_err(refused)?;
            let written = cloud.put("delete", &kind.name, &id, None, &self.kinds);
            written.map_err(|error| refused(format!("the sandbox cannot write: {error}")))?;
            return Ok(Value::Null);
        }
        let settings = self.settings.read().await;
        let mut object: Map = request.planned_state.members().cloned().unwrap_or_default();
        {
            let cloud = self.cloud.lock().await;
            let prior = request.prior_state.members();
            rules::may_exist(&kind.name, &object, prior, &cloud).map_err(refused)?;
            rules::complete(kind, &mut object, prior, &settings.account, &cloud);
        }
        self.take_time(&kind.name, operation).await?;
        let object = Value::Map(object.into());
        let id = id_of(&object);
        let mut cloud = self.cloud.lock().await;
        let name = if operation == Operation::Create {
            "create"
        } else {
            "update"
        };
        let written = cloud.put(name, &kind.name, &id, Some(object.clone()), &self.kinds);
        written.map_err(|error| refused(format!("the sandbox cannot write: {error}")))?;
        Ok(object)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Create,
    Update,
    Delete,
}

fn id_of(object: &Value) -> String {
    object
        .get("id")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

#[async_trait]
impl Service for Sandbox {
    fn schema(&self) -> ProviderSchema {
        self.kinds.schema.clone()
    }

    async fn configure(&self, config: &Value) -> Diagnostics {
        let mut settings = self.settings.write().await;
        if let Some(region) = config.get("region").and_then(Value::as_str) {
            settings.account.region = region.to_owned();
        }
        let blocks = config.get("default_tags").and_then(Value::elements);
        let tags = blocks.and_then(|blocks| blocks.first()?.get("tags")?.members().cloned());
        settings.default_tags = tags.unwrap_or_default();
        Diagnostics::new()
    }

    async fn read_resource(&self, request: ReadResource<'_>) -> ReadResourceResponse {
        let cloud = self.cloud.lock().await;
        let object = cloud.get(request.type_name, &id_of(request.current_state));
        let settings = match (object, request.current_state) {
            // What only the configuration knows (timeouts, force_destroy) is not in the cloud of a real provider either.
            (Some(object), current) => rules::with_settings(object, current),
            (None, _) => Value::Null,
        };
        ReadResourceResponse {
            new_state: settings,
            private: request.private.clone(),
            new_identity: None,
            diagnostics: Diagnostics::new(),
        }
    }

    async fn plan_resource_change(
        &self,
        request: PlanResourceChange<'_>,
    ) -> PlanResourceChangeResponse {
        let mut response = PlanResourceChangeResponse {
            planned_state: Value::Null,
            requires_replace: Vec::new(),
            planned_private: request.prior_private.clone(),
            planned_identity: None,
            legacy_type_system: true,
            diagnostics: Diagnostics::new(),
        };
        if request.proposed_new_state.is_null() {
            return response;
        }
        match self.kind(request.type_name) {
            Err(diagnostics) => response.diagnostics = diagnostics,
            Ok(kind) => {
                let settings = self.settings.read().await;
                let (prior, proposed) = (request.prior_state, request.proposed_new_state);
                let planned = plan::plan(kind, prior, proposed, &settings.default_tags);
                response.planned_state = planned.object;
                response.requires_replace = planned.requires_replace;
            }
        }
        response
    }

    async fn apply_resource_change(
        &self,
        request: ApplyResourceChange<'_>,
    ) -> ApplyResourceChangeResponse {
        let before = request.prior_state.clone();
        let private = request.planned_private.clone();
        let (new_state, diagnostics) = match self.apply(request).await {
            Ok(object) => (object, Diagnostics::new()),
            Err(diagnostics) => (before, diagnostics),
        };
        ApplyResourceChangeResponse {
            new_state: Ok(new_state),
            private,
            new_identity: None,
            legacy_type_system: true,
            diagnostics,
        }
    }

    async fn import_resource_state(
        &self,
        request: ImportResourceState<'_>,
    ) -> ImportResourceStateResponse {
        let cloud = self.cloud.lock().await;
        let found = cloud.get(request.type_name, request.id).cloned();
        let missing = || {
            let what = format!("the sandbox has no {} {}", request.type_name, request.id);
            Diagnostics::from(Diagnostic::error(what))
        };
        let diagnostics = if found.is_some() {
            Diagnostics::new()
        } else {
            missing()
        };
        let import = |state| ImportedResource {
            type_name: request.type_name.to_owned(),
            state,
            private: bytes::Bytes::new(),
            identity: None,
        };
        ImportResourceStateResponse {
            imported_resources: found.map(import).into_iter().collect(),
            diagnostics,
        }
    }

    async fn read_data_source(&self, request: ReadDataSource<'_>) -> ReadDataSourceResponse {
        let settings = self.settings.read().await;
        let schema = self.kinds.schema.data_sources.get(request.type_name);
        let config = request.config.members().cloned().unwrap_or_default();
        let read = schema.and_then(|schema| {
            rules::read_data(request.type_name, schema, config, &settings.account)
        });
        let (state, diagnostics) = match read {
            Some(state) => (state, Diagnostics::new()),
            None => {
                let what = format!("the sandbox cannot read {}", request.type_name);
                let hint = "the sandbox knows availability zones, the caller's identity, the partition and the region";
                (Value::Null, Diagnostic::error(what).hint(hint).into())
            }
        };
        ReadDataSourceResponse { state, diagnostics }
    }

    async fn stop(&self) -> Result<(), String> {
        self.stopped.notify_waiters();
        Ok(())
    }
}
