//! A recording as providers: each request gets the answer that the same request got.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use serde_json::Value as Json;
use terrane_core::addr::ProviderSource;
use terrane_core::schema::{Block, FactsKind, IdentitySchema, Schema, from_facts_line};
use terrane_core::{Diagnostics, Value};
use thiserror::Error;

use super::compare::{difference, with_secrets};
use super::exchange::{Response, read_failure, request};
use super::form::{block_of, hidden, read_identity_schema};
use super::recorded::META;
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
        let known = self.known("GetProviderSchema", FactsKind::Provider, "")?;
        Ok(known.unwrap_or_else(|| Arc::new(Schema::new(0, Block::default()))))
    }

    fn provider_meta_schema(&self) -> Result<Option<Arc<Schema>>, CallError> {
        Ok(self.schema(FactsKind::Provider, META))
    }

    fn resource_schema(&self, type_name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        self.known("GetProviderSchema", FactsKind::Resource, type_name)
    }

    fn data_source_schema(&self, type_name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        self.known("GetProviderSchema", FactsKind::DataSource, type_name)
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

    async fn stop(&self) -> Result<(), CallError> {
        Ok(())
    }

    async fn shutdown(&self) {}
}
