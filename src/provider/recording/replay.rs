//! A recording as providers: each request gets the answer that the same request got.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use serde_json::Value as Json;
use terrane_core::addr::ProviderSource;
use terrane_core::schema::{Block, FactsKind, Function, IdentitySchema, Schema, from_facts_line};
use terrane_core::{Diagnostics, Value};
use thiserror::Error;

use super::compare::{difference, with_secrets};
use super::exchange::{Response, read_failure, request};
use super::features::{Invoked, arguments, list, opened, read_signature};
use super::form::{block_of, hidden, read_identity_schema};
use super::recorded::{ACTION, EPHEMERAL, FUNCTION, LIST, META};
use crate::action::{InvokeAction, PlanActionResponse, Progress};
use crate::ephemeral::{
    OpenEphemeralResource, OpenEphemeralResourceResponse, OpenedEphemeralResource,
    RenewEphemeralResourceResponse,
};
use crate::function::{CallFunction, CallFunctionResponse};
use crate::listing::{ListResource, ListedResource};
use crate::provider::{
    ApplyResourceChange, ApplyResourceChangeResponse, CallError, Capabilities, ImportResourceState,
    ImportResourceStateResponse, MoveResourceState, MoveResourceStateResponse, PlanResourceChange,
    PlanResourceChangeResponse, Provider, Providers, ReadDataSource, ReadDataSourceResponse,
    ReadResource, ReadResourceResponse, StartError, UpgradeResourceIdentity,
    UpgradeResourceIdentityResponse, UpgradeResourceState, UpgradeResourceStateResponse,
};

/// The providers of a recording, which answer from it and do nothing else.
///
/// A request is answered like the first equal one that was not answered yet; reads and plans may be repeated. The order and the
/// processes of the recorded run do not matter. What a secret is in the recording is whatever the request has in its place.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    providers: BTreeMap<String, Arc<Conversation>>,
}

/// The text is no recording.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line} of the recording {problem}")]
#[non_exhaustive]
pub struct RecordingError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

/// All that is recorded of one provider.
#[derive(Debug, Default)]
struct Conversation {
    capabilities: Capabilities,
    /// By kind and name; `None` where the provider has no such type.
    schemas: BTreeMap<(FactsKind, String), Option<Arc<Schema>>>,
    identities: BTreeMap<String, Arc<IdentitySchema>>,
    /// Schemas and signatures of what is no resource, by the word for it and name.
    features: BTreeMap<(String, String), Json>,
    exchanges: Vec<Exchange>,
}

#[derive(Debug)]
struct Exchange {
    line: usize,
    call: String,
    type_name: String,
    request: Json,
    /// `None` where the recording ends before it.
    answer: Option<Result<Json, Json>>,
    answered: AtomicBool,
}

/// One provider of a recording.
struct Replayed {
    source: ProviderSource,
    conversation: Arc<Conversation>,
}

impl Recording {
    /// Reads the text of a recording. A last line that was cut off is left out.
    ///
    /// # Errors
    /// Names the first line that is none of a recording.
    pub fn read(text: &str) -> Result<Self, RecordingError> {
        let mut conversations: BTreeMap<String, Conversation> = BTreeMap::new();
        // Provider and position of the exchange with that number.
        let mut asked: BTreeMap<u64, (String, usize)> = BTreeMap::new();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        for (index, text) in whole.lines().enumerate() {
            let line = index + 1;
            let wrong = |problem: &str| RecordingError {
                line,
                problem: problem.to_owned(),
            };
            let json: Json = serde_json::from_str(text).map_err(|_| wrong("is no JSON"))?;
            if line == 1 {
                match json["terrane_recording"].as_u64() {
                    Some(1) => continue,
                    Some(_) => return Err(wrong("says that it is of a later form")),
                    None => return Err(wrong("does not say that it is one")),
                }
            }
            if let Some(ask) = json["answer"].as_u64() {
                let (provider, position) =
                    asked.get(&ask).ok_or_else(|| wrong("answers nothing"))?;
                let exchange = conversations
                    .get_mut(provider)
                    .and_then(|conversation| conversation.exchanges.get_mut(*position))
                    .ok_or_else(|| wrong("answers nothing"))?;
                exchange.answer = Some(match json.get("failed") {
                    Some(failure) => Err(failure.clone()),
                    None => Ok(json["response"].clone()),
                });
                continue;
            }
            let provider = json["provider"]
                .as_str()
                .ok_or_else(|| wrong("names no provider"))?;
            let conversation = conversations.entry(provider.to_owned()).or_default();
            conversation
                .take(line, provider, &json, &mut asked)
                .map_err(|problem| wrong(&problem))?;
        }
        if whole.is_empty() {
            return Err(RecordingError {
                line: 1,
                problem: "does not say that it is one".to_owned(),
            });
        }
        let providers = conversations.into_iter();
        Ok(Self {
            providers: providers.map(|(name, one)| (name, Arc::new(one))).collect(),
        })
    }

    /// The requests that were not answered yet, as `CALL TYPE`, in the recording's order.
    pub fn left(&self) -> Vec<String> {
        let all = self.providers.values().flat_map(|one| &one.exchanges);
        all.filter(|one| !one.answered.load(Ordering::Relaxed))
            .map(|one| {
                format!("{} {}", one.call, one.type_name)
                    .trim_end()
                    .to_owned()
            })
            .collect()
    }
}

impl Conversation {
    fn take(
        &mut self,
        line: usize,
        provider: &str,
        json: &Json,
        asked: &mut BTreeMap<u64, (String, usize)>,
    ) -> Result<(), String> {
        let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
        if let Some(facts) = json["schema"].as_str() {
            let (kind, name, schema) = from_facts_line(facts).map_err(|error| error.to_string())?;
            let name = match (kind, name) {
                (FactsKind::Provider, META) => META,
                (FactsKind::Provider, _) => "",
                (_, name) => name,
            };
            self.schemas
                .insert((kind, name.to_owned()), Some(Arc::new(schema)));
        } else if let Some(missing) = json["missing"].as_str() {
            let (word, name) = missing.split_once(' ').ok_or("names no type")?;
            let kind = match word {
                "data" => FactsKind::DataSource,
                _ => FactsKind::Resource,
            };
            self.schemas.insert((kind, name.to_owned()), None);
        } else if let Some(type_name) = json["identity"].as_str() {
            let schema = Arc::new(read_identity_schema(json)?);
            self.identities.insert(type_name.to_owned(), schema);
        } else if let Some(feature) = json["feature"].as_str() {
            let key = (feature.to_owned(), text("name"));
            self.features.insert(key, json["is"].clone());
        } else if let Some(ask) = json["ask"].as_u64() {
            asked.insert(ask, (provider.to_owned(), self.exchanges.len()));
            self.exchanges.push(Exchange {
                line,
                call: text("call"),
                type_name: text("type"),
                request: json["request"].clone(),
                answer: None,
                answered: AtomicBool::new(false),
            });
        } else {
            let announced = &json["capabilities"];
            let has = |name: &str| announced[name].as_bool().unwrap_or_default();
            self.capabilities = Capabilities {
                plan_destroy: has("plan_destroy"),
                move_resource_state: has("move_resource_state"),
                ..Capabilities::default()
            };
        }
        Ok(())
    }
}

#[async_trait]
impl Providers for Recording {
    async fn start(&self, source: &ProviderSource) -> Result<Arc<dyn Provider>, StartError> {
        match self.providers.get(&source.to_string()) {
            Some(conversation) => Ok(Arc::new(Replayed {
                source: source.clone(),
                conversation: conversation.clone(),
            })),
            None => {
                let mut error = StartError::new(format!("the recording has no provider {source}"));
                let known: Vec<&str> = self.providers.keys().map(String::as_str).collect();
                error.detail = format!("it has {}", known.join(", "));
                Err(error)
            }
        }
    }
}

/// The call that schemas and signatures come from.
const SCHEMA: &str = "GetProviderSchema";

fn garbled(reason: &dyn std::fmt::Display) -> CallError {
    CallError::Garbled {
        rpc: SCHEMA,
        reason: reason.to_string(),
    }
}

impl Replayed {
    fn schema(&self, kind: FactsKind, name: &str) -> Option<Arc<Schema>> {
        let key = (kind, name.to_owned());
        self.conversation.schemas.get(&key).cloned().flatten()
    }

    /// The schema of a type that the recorded run asked for; another one is an error, for the recording does not say whether it exists.
    fn known(
        &self,
        rpc: &'static str,
        kind: FactsKind,
        name: &str,
    ) -> Result<Option<Arc<Schema>>, CallError> {
        let key = (kind, name.to_owned());
        let schema = self.conversation.schemas.get(&key).cloned();
        schema.ok_or_else(|| CallError::Failed {
            rpc,
            message: format!("the recording has no schema of {name} of {}", self.source),
        })
    }

    /// What is recorded of something that is no resource; null where the provider does not have it.
    fn feature(&self, feature: &str, name: &str) -> Result<&Json, CallError> {
        let key = (feature.to_owned(), name.to_owned());
        let found = self.conversation.features.get(&key);
        found.ok_or_else(|| CallError::Failed {
            rpc: SCHEMA,
            message: format!("the recording has no {feature} {name} of {}", self.source),
        })
    }

    /// The names of those that the recorded run asked for.
    fn feature_names(&self, feature: &str) -> Vec<Arc<str>> {
        let all = self.conversation.features.iter();
        let found = all.filter(|((word, _), is)| word == feature && !is.is_null());
        found.map(|((_, name), _)| name.as_str().into()).collect()
    }

    fn feature_schema(&self, feature: &str, name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        let Some(facts) = self.feature(feature, name)?.as_str() else {
            return Ok(None);
        };
        let (_, _, schema) = from_facts_line(facts).map_err(|error| garbled(&error))?;
        Ok(Some(Arc::new(schema)))
    }

    /// The recorded answer about something that has a configuration.
    fn answer_configured<R: Response>(
        &self,
        rpc: &'static str,
        (feature, name): (&str, &str),
        config: &Value,
    ) -> Result<R, CallError> {
        let schema = self.feature_schema(feature, name)?;
        let block = block_of(schema.as_deref());
        let json = request::config(block, config);
        let may_repeat = rpc != "InvokeAction";
        self.answer(rpc, name, &json, (block, &[config]), may_repeat)
    }

    /// The recorded answer to that request. `may_repeat` says that the same request may be answered twice.
    fn answer<R: Response>(
        &self,
        rpc: &'static str,
        type_name: &str,
        request: &Json,
        secrets: (Option<&Block>, &[&Value]),
        may_repeat: bool,
    ) -> Result<R, CallError> {
        let mut all = (self.conversation.exchanges.iter())
            .filter(|one| one.call == rpc && one.type_name == type_name);
        let fresh = all
            .clone()
            .filter(|one| !one.answered.load(Ordering::Relaxed));
        let same = |one: &&Exchange| difference(&one.request, request).is_none();
        let take = |one: &&Exchange| same(one) && !one.answered.swap(true, Ordering::Relaxed);
        let found = fresh.clone().find(take);
        let found = found.or_else(|| all.clone().find(|one| may_repeat && same(one)));
        let Some(exchange) = found else {
            let nearest = fresh.clone().next().or_else(|| all.next());
            let about = if type_name.is_empty() { "" } else { " of " };
            let message = match nearest {
                None => format!("the recording has no {rpc}{about}{type_name}"),
                Some(nearest) => match difference(&nearest.request, request) {
                    Some(found) => format!(
                        "the recording has another {rpc}{about}{type_name}: `{}` is {} on its line {}, and {} now",
                        found.place, found.recorded, nearest.line, found.now
                    ),
                    None => format!(
                        "the recording has this {rpc}{about}{type_name} only once, on line {}",
                        nearest.line
                    ),
                },
            };
            return Err(CallError::Failed { rpc, message });
        };
        match &exchange.answer {
            Some(Ok(json)) => {
                let read = R::read(json).map_err(|reason| CallError::Garbled { rpc, reason });
                let mut response = read?;
                let (block, values) = secrets;
                response.change(&mut |value| with_secrets(value, block, values));
                Ok(response)
            }
            Some(Err(failure)) => Err(read_failure(rpc, failure)),
            None => Err(CallError::Gone {
                rpc,
                last_words: format!(
                    "the recording ends before the answer to line {}",
                    exchange.line
                ),
            }),
        }
    }
}

#[async_trait]
impl Provider for Replayed {
    fn capabilities(&self) -> Capabilities {
        self.conversation.capabilities
    }

    fn config_schema(&self) -> Result<Arc<Schema>, CallError> {
        let known = self.known(SCHEMA, FactsKind::Provider, "")?;
        Ok(known.unwrap_or_else(|| Arc::new(Schema::new(0, Block::default()))))
    }

    fn provider_meta_schema(&self) -> Result<Option<Arc<Schema>>, CallError> {
        Ok(self.schema(FactsKind::Provider, META))
    }

    fn resource_schema(&self, type_name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        self.known(SCHEMA, FactsKind::Resource, type_name)
    }

    fn data_source_schema(&self, type_name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        self.known(SCHEMA, FactsKind::DataSource, type_name)
    }

    fn ephemeral_resource_schema(&self, name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        self.feature_schema(EPHEMERAL, name)
    }

    fn list_resource_schema(&self, name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        self.feature_schema(LIST, name)
    }

    fn list_resources(&self) -> Vec<Arc<str>> {
        self.feature_names(LIST)
    }

    fn action_schema(&self, name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        self.feature_schema(ACTION, name)
    }

    fn function(&self, name: &str) -> Result<Option<Arc<Function>>, CallError> {
        match self.feature(FUNCTION, name)? {
            Json::Null => Ok(None),
            json => Ok(Some(Arc::new(
                read_signature(json).map_err(|why| garbled(&why))?,
            ))),
        }
    }

    fn functions(&self) -> Vec<Arc<str>> {
        self.feature_names(FUNCTION)
    }

    fn identity_schema(&self, type_name: &str) -> Result<Option<Arc<IdentitySchema>>, CallError> {
        Ok(self.conversation.identities.get(type_name).cloned())
    }

    async fn validate_provider_config(&self, config: &Value) -> Result<Diagnostics, CallError> {
        let request = request::config(Some(&Block::default()), &hidden(config));
        self.answer("ValidateProviderConfig", "", &request, (None, &[]), true)
    }

    async fn configure(&self, config: &Value) -> Result<Diagnostics, CallError> {
        let request = request::config(Some(&Block::default()), &hidden(config));
        self.answer("ConfigureProvider", "", &request, (None, &[]), true)
    }

    async fn validate_resource_config(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Diagnostics, CallError> {
        let schema = self.schema(FactsKind::Resource, type_name);
        let request = request::config(block_of(schema.as_deref()), config);
        self.answer(
            "ValidateResourceConfig",
            type_name,
            &request,
            (None, &[]),
            true,
        )
    }

    async fn validate_data_source_config(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Diagnostics, CallError> {
        let schema = self.schema(FactsKind::DataSource, type_name);
        let request = request::config(block_of(schema.as_deref()), config);
        self.answer(
            "ValidateDataSourceConfig",
            type_name,
            &request,
            (None, &[]),
            true,
        )
    }

    async fn upgrade_resource_state(
        &self,
        request: UpgradeResourceState<'_>,
    ) -> Result<UpgradeResourceStateResponse, CallError> {
        let schema = self.schema(FactsKind::Resource, request.type_name);
        let block = block_of(schema.as_deref());
        let json = request::upgrade(block, &request);
        // The stored object has its secrets, in the same places unless the schema has changed.
        let stored = match (request.raw_state, &schema) {
            (crate::provider::RawState::Json(json), Some(schema)) => {
                Value::from_json(json, schema.ty()).unwrap_or_default()
            }
            _ => Value::Null,
        };
        self.answer(
            "UpgradeResourceState",
            request.type_name,
            &json,
            (block, &[&stored]),
            true,
        )
    }

    async fn upgrade_resource_identity(
        &self,
        request: UpgradeResourceIdentity<'_>,
    ) -> Result<UpgradeResourceIdentityResponse, CallError> {
        let json = request::upgrade_identity(&request);
        self.answer(
            "UpgradeResourceIdentity",
            request.type_name,
            &json,
            (None, &[]),
            true,
        )
    }

    async fn read_resource(
        &self,
        request: ReadResource<'_>,
    ) -> Result<ReadResourceResponse, CallError> {
        let schema = self.schema(FactsKind::Resource, request.type_name);
        let block = block_of(schema.as_deref());
        let json = request::read(block, &request);
        let values = [request.current_state];
        self.answer(
            "ReadResource",
            request.type_name,
            &json,
            (block, &values),
            true,
        )
    }

    async fn plan_resource_change(
        &self,
        request: PlanResourceChange<'_>,
    ) -> Result<PlanResourceChangeResponse, CallError> {
        let schema = self.schema(FactsKind::Resource, request.type_name);
        let block = block_of(schema.as_deref());
        let json = request::plan(block, &request);
        let values = [
            request.config,
            request.proposed_new_state,
            request.prior_state,
        ];
        self.answer(
            "PlanResourceChange",
            request.type_name,
            &json,
            (block, &values),
            true,
        )
    }

    async fn apply_resource_change(
        &self,
        request: ApplyResourceChange<'_>,
    ) -> Result<ApplyResourceChangeResponse, CallError> {
        let schema = self.schema(FactsKind::Resource, request.type_name);
        let block = block_of(schema.as_deref());
        let json = request::apply(block, &request);
        let values = [request.planned_state, request.prior_state];
        self.answer(
            "ApplyResourceChange",
            request.type_name,
            &json,
            (block, &values),
            false,
        )
    }

    async fn import_resource_state(
        &self,
        request: ImportResourceState<'_>,
    ) -> Result<ImportResourceStateResponse, CallError> {
        let json = request::import(&request);
        self.answer(
            "ImportResourceState",
            request.type_name,
            &json,
            (None, &[]),
            true,
        )
    }

    async fn move_resource_state(
        &self,
        request: MoveResourceState<'_>,
    ) -> Result<MoveResourceStateResponse, CallError> {
        let json = request::moved(&request);
        self.answer(
            "MoveResourceState",
            request.target_type_name,
            &json,
            (None, &[]),
            true,
        )
    }

    async fn read_data_source(
        &self,
        request: ReadDataSource<'_>,
    ) -> Result<ReadDataSourceResponse, CallError> {
        let schema = self.schema(FactsKind::DataSource, request.type_name);
        let block = block_of(schema.as_deref());
        let json = request::data(block, &request);
        self.answer(
            "ReadDataSource",
            request.type_name,
            &json,
            (block, &[request.config]),
            true,
        )
    }

    async fn call_function(
        &self,
        request: CallFunction<'_>,
    ) -> Result<CallFunctionResponse, CallError> {
        let json = arguments(&request);
        self.answer("CallFunction", request.name, &json, (None, &[]), true)
    }

    async fn validate_ephemeral_resource_config(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Diagnostics, CallError> {
        let of = (EPHEMERAL, type_name);
        self.answer_configured("ValidateEphemeralResourceConfig", of, config)
    }

    async fn open_ephemeral_resource(
        &self,
        request: OpenEphemeralResource<'_>,
    ) -> Result<OpenEphemeralResourceResponse, CallError> {
        let of = (EPHEMERAL, request.type_name);
        self.answer_configured("OpenEphemeralResource", of, request.config)
    }

    async fn renew_ephemeral_resource(
        &self,
        request: OpenedEphemeralResource<'_>,
    ) -> Result<RenewEphemeralResourceResponse, CallError> {
        let (json, name) = (opened(&request), request.type_name);
        self.answer("RenewEphemeralResource", name, &json, (None, &[]), true)
    }

    async fn close_ephemeral_resource(
        &self,
        request: OpenedEphemeralResource<'_>,
    ) -> Result<Diagnostics, CallError> {
        let (json, name) = (opened(&request), request.type_name);
        self.answer("CloseEphemeralResource", name, &json, (None, &[]), true)
    }

    async fn validate_list_resource_config(
        &self,
        request: ListResource<'_>,
    ) -> Result<Diagnostics, CallError> {
        let schema = self.feature_schema(LIST, request.type_name)?;
        let json = list(block_of(schema.as_deref()), &request);
        let name = request.type_name;
        self.answer("ValidateListResourceConfig", name, &json, (None, &[]), true)
    }

    async fn list_resource(
        &self,
        request: ListResource<'_>,
    ) -> Result<Vec<ListedResource>, CallError> {
        let schema = self.feature_schema(LIST, request.type_name)?;
        let json = list(block_of(schema.as_deref()), &request);
        self.answer("ListResource", request.type_name, &json, (None, &[]), true)
    }

    async fn validate_action_config(
        &self,
        action_type: &str,
        config: &Value,
    ) -> Result<Diagnostics, CallError> {
        self.answer_configured("ValidateActionConfig", (ACTION, action_type), config)
    }

    async fn plan_action(
        &self,
        request: InvokeAction<'_>,
    ) -> Result<PlanActionResponse, CallError> {
        let of = (ACTION, request.action_type);
        self.answer_configured("PlanAction", of, request.config)
    }

    async fn invoke_action(
        &self,
        request: InvokeAction<'_>,
        progress: Progress<'_>,
    ) -> Result<Diagnostics, CallError> {
        let of = (ACTION, request.action_type);
        let invoked: Invoked = self.answer_configured("InvokeAction", of, request.config)?;
        invoked.progress.into_iter().for_each(progress);
        Ok(invoked.diagnostics)
    }

    async fn stop(&self) -> Result<(), CallError> {
        Ok(())
    }

    async fn shutdown(&self) {}
}
