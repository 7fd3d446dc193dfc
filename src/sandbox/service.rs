//! The provider that the sandbox serves.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use terrane_core::schema::ProviderSchema;
use terrane_core::value::Map;
use terrane_core::{Diagnostic, Diagnostics, Value};
use terrane_provider::serve::Service;
use terrane_provider::{
    ApplyResourceChange, ApplyResourceChangeResponse, CallFunction, CallFunctionResponse,
    FunctionError, ImportResourceState, ImportResourceStateResponse, ImportedResource,
    OpenEphemeralResource, OpenEphemeralResourceResponse, PlanResourceChange,
    PlanResourceChangeResponse, ReadDataSource, ReadDataSourceResponse, ReadResource,
    ReadResourceResponse,
};
use tokio::sync::watch;

use crate::clock::Speed;
use crate::data;
use crate::ephemeral;
use crate::functions;
use crate::kind::Kind;
use crate::operations::{Failure, Operations, Settings};
use crate::plan::plan;
use crate::rules;
use crate::validate;

/// How long the provider tries again what the cloud refuses for now, in the cloud's seconds.
const PATIENCE: f64 = 900.0;
/// The least it tries again, however fast the sandbox is: the awaited operation is running beside it.
const LEAST_PATIENCE: Duration = Duration::from_secs(5);
/// Between two tries, in the cloud's seconds, and at least.
const PAUSE: (f64, Duration) = (5.0, Duration::from_millis(20));

pub(crate) struct Sandbox {
    operations: Arc<Operations>,
    speed: Speed,
    settings: RwLock<Settings>,
    stopped: watch::Sender<bool>,
}

impl Sandbox {
    pub(crate) fn new(operations: Arc<Operations>, region: &str, speed: Speed) -> Self {
        Self {
            operations,
            speed,
            settings: RwLock::new(Settings::new(region)),
            stopped: watch::Sender::new(false),
        }
    }

    /// The same, which never waits: as if it had been asked to stop already.
    pub(crate) fn without_waiting(self) -> Self {
        self.stopped.send_replace(true);
        self
    }

    fn settings(&self) -> Settings {
        let settings = self.settings.read();
        settings.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The schema is in the request's path, so the type is known.
    fn kind(&self, type_name: &str) -> Result<&Kind, Diagnostics> {
        let kind = self.operations.kinds.resource(type_name);
        kind.ok_or_else(|| {
            Diagnostic::error(format!("the sandbox has no resource type {type_name}")).into()
        })
    }

    /// Waits as long as the cloud would take, or until the engine asks to stop: then it is done at once.
    async fn take(&self, seconds: f64) {
        self.pause(self.speed.scaled(seconds)).await;
    }

    async fn pause(&self, duration: Duration) {
        if duration.is_zero() || *self.stopped.borrow() {
            return;
        }
        let mut stopped = self.stopped.subscribe();
        tokio::select! {
            () = tokio::time::sleep(duration) => {}
            _ = stopped.wait_for(|stopped| *stopped) => {}
        }
    }

    /// The object afterwards and its private data.
    async fn apply(
        &self,
        kind: &Kind,
        prior: &Value,
        planned: &Value,
        private: &Bytes,
    ) -> Result<(Value, Bytes), Failure> {
        let settings = self.settings();
        let [create, update, delete] = rules::of(&kind.name).seconds;
        let (object, private) = match (prior.members(), planned.members()) {
            (None, Some(planned)) => {
                let (object, id) = self.operations.create(kind, planned, &settings)?;
                self.take(create).await;
                (object, kind.private(Some(&id)))
            }
            (Some(prior), Some(planned)) => {
                let id = kind.id_of(prior, private);
                let updated = (self.operations).update(kind, &id, prior, planned, &settings)?;
                self.take(update).await;
                (updated, private.clone())
            }
            (Some(prior), None) => {
                let id = kind.id_of(prior, private);
                self.delete(kind, &id, prior, &settings).await?;
                self.take(delete).await;
                return Ok((Value::Null, private.clone()));
            }
            (None, None) => return Ok((Value::Null, private.clone())),
        };
        Ok((Value::Map(Arc::new(object)), private))
    }

    async fn delete(
        &self,
        kind: &Kind,
        id: &str,
        prior: &Map,
        settings: &Settings,
    ) -> Result<(), Failure> {
        let started = Instant::now();
        let patience = self.speed.scaled(PATIENCE).max(LEAST_PATIENCE);
        loop {
            let result = self.operations.delete(kind, id, prior, settings);
            let again = matches!(&result, Err(failure) if failure.is_passing());
            if !again || started.elapsed() >= patience || *self.stopped.borrow() {
                return result;
            }
            self.pause(self.speed.scaled(PAUSE.0).max(PAUSE.1)).await;
        }
    }
}

#[async_trait]
impl Service for Sandbox {
    fn schema(&self) -> ProviderSchema {
        self.operations.kinds.schema.clone()
    }

    async fn configure(&self, config: &Value) -> Diagnostics {
        let mut settings = self
            .settings
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let text = |value: Option<&Value>| value?.as_str().map(ToOwned::to_owned);
        // The address of a cluster, where the Kubernetes provider and the one of Helm have it.
        let in_block = config.get("kubernetes").and_then(|block| block.get("host"));
        settings.cluster = text(config.get("host").or(in_block)).unwrap_or_default();
        if let Some(region) = config
            .get("region")
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty() && self.operations.kinds.is_aws())
        {
            if !data::REGIONS.contains(&region) {
                return Diagnostic::error(format!("invalid AWS Region: {region}")).into();
            }
            region.clone_into(&mut settings.region);
        }
        let default_tags = config
            .get("default_tags")
            .and_then(|blocks| blocks.elements()?.first()?.get("tags")?.members());
        settings.default_tags = default_tags.cloned().unwrap_or_default();
        Diagnostics::new()
    }

    async fn validate_resource_config(&self, type_name: &str, config: &Value) -> Diagnostics {
        match self.kind(type_name) {
            Ok(kind) => validate::resource(kind, config),
            Err(complaints) => complaints,
        }
    }

    async fn read_resource(&self, request: ReadResource<'_>) -> ReadResourceResponse {
        let empty = Map::new();
        let current = request.current_state.members().unwrap_or(&empty);
        let read = match self.kind(request.type_name) {
            Ok(kind) => {
                let id = kind.id_of(current, request.private);
                (self.operations.read(kind, &id, current, &self.settings()))
                    .map_err(|failure| failure.into_diagnostic().into())
            }
            Err(complaints) => Err(complaints),
        };
        let (new_state, diagnostics) = match read {
            Ok(Some(object)) => (Value::Map(Arc::new(object)), Diagnostics::new()),
            Ok(None) => (Value::Null, Diagnostics::new()),
            Err(complaints) => (request.current_state.clone(), complaints),
        };
        ReadResourceResponse {
            deferred: None,
            new_state,
            private: request.private.clone(),
            new_identity: None,
            diagnostics,
        }
    }

    async fn plan_resource_change(
        &self,
        request: PlanResourceChange<'_>,
    ) -> PlanResourceChangeResponse {
        let mut response = PlanResourceChangeResponse {
            deferred: None,
            planned_state: request.proposed_new_state.clone(),
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
            Ok(kind) => {
                let settings = self.settings();
                let planned = plan(
                    kind,
                    request.prior_state,
                    request.proposed_new_state,
                    &settings.default_tags,
                    &settings.region,
                );
                response.planned_state = planned.object;
                response.requires_replace = planned.requires_replace;
                if response.planned_private.is_empty() {
                    response.planned_private = kind.private(None);
                }
            }
            Err(complaints) => response.diagnostics = complaints,
        }
        response
    }

    async fn apply_resource_change(
        &self,
        request: ApplyResourceChange<'_>,
    ) -> ApplyResourceChangeResponse {
        let applied = match self.kind(request.type_name) {
            Ok(kind) => (self
                .apply(
                    kind,
                    request.prior_state,
                    request.planned_state,
                    request.planned_private,
                )
                .await)
                .map_err(|failure| failure.into_diagnostic().into()),
            Err(complaints) => Err(complaints),
        };
        let ((new_state, private), diagnostics) = match applied {
            Ok(applied) => (applied, Diagnostics::new()),
            Err(complaints) => {
                let unchanged = (request.prior_state.clone(), request.planned_private.clone());
                (unchanged, complaints)
            }
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
        let mut response = ImportResourceStateResponse {
            deferred: None,
            imported_resources: Vec::new(),
            diagnostics: Diagnostics::new(),
        };
        let found = self.kind(request.type_name).and_then(|kind| {
            let id = self.operations.imported_id(kind, request.id);
            let id = id.map_err(|failure| Diagnostics::from(failure.into_diagnostic()))?;
            Ok((kind, id))
        });
        match found {
            Ok((kind, id)) => {
                let mut state = kind
                    .schema
                    .block
                    .empty_value()
                    .members()
                    .cloned()
                    .unwrap_or_default();
                let private = kind.private(Some(&id));
                if kind.shows_id() {
                    state.insert("id".into(), id.into());
                }
                response.imported_resources.push(ImportedResource {
                    type_name: request.type_name.to_owned(),
                    state: Value::Map(Arc::new(state)),
                    private,
                    identity: None,
                });
            }
            Err(complaints) => response.diagnostics = complaints,
        }
        response
    }

    async fn read_data_source(&self, request: ReadDataSource<'_>) -> ReadDataSourceResponse {
        let schemas = &self.operations.kinds.schema.data_sources;
        let read = match schemas.get(request.type_name) {
            Some(schema) => data::read(
                request.type_name,
                schema,
                request.config,
                &self.operations,
                &self.settings(),
            ),
            None => {
                let what = format!("the sandbox has no data source {}", request.type_name);
                Err(Diagnostic::error(what).into())
            }
        };
        let (state, diagnostics) = match read {
            Ok(state) => (state, Diagnostics::new()),
            Err(complaints) => (Value::Null, complaints),
        };
        ReadDataSourceResponse {
            deferred: None,
            state,
            diagnostics,
        }
    }

    async fn open_ephemeral_resource(
        &self,
        request: OpenEphemeralResource<'_>,
    ) -> OpenEphemeralResourceResponse {
        let schemas = &self.operations.kinds.schema.ephemeral_resources;
        let opened = schemas.get(request.type_name).map(|schema| {
            ephemeral::open(
                request.type_name,
                schema,
                request.config,
                &self.operations,
                &self.settings(),
            )
        });
        let (result, diagnostics) = match opened {
            Some(Ok(result)) => (result, Diagnostics::new()),
            Some(Err(complaints)) => (Value::Null, complaints),
            None => {
                let what = format!(
                    "the sandbox has no ephemeral resource {}",
                    request.type_name
                );
                (Value::Null, Diagnostic::error(what).into())
            }
        };
        OpenEphemeralResourceResponse {
            result,
            private: None,
            renew_at: None,
            deferred: None,
            diagnostics,
        }
    }

    async fn call_function(&self, request: CallFunction<'_>) -> CallFunctionResponse {
        let functions = &self.operations.kinds.schema.functions;
        let function = functions.get(request.name).ok_or_else(|| FunctionError {
            text: format!("the sandbox has no function {}", request.name),
            argument: None,
        })?;
        functions::call(request.name, function, request.arguments)
    }

    async fn stop(&self) -> Result<(), String> {
        self.stopped.send_replace(true);
        Ok(())
    }
}
