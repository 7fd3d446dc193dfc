//! From a request's path to the method of a service and back: the mirror image of the client.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::poll_fn;
use hyper::body::Incoming;
use prost::Message;
use terrane_core::addr::ProviderSource;
use terrane_core::schema::{ProviderSchema, Schema};
use terrane_core::{Type, Value};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tonic::body::Body;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use super::{ServeError, Service};
use crate::plugin::MAX_MESSAGE;
use crate::provider::{
    ApplyResourceChange, ImportResourceState, MoveResourceState, PlanResourceChange, RawState,
    ReadDataSource, ReadResource, UpgradeResourceState,
};
use crate::wire::tfplugin6 as proto;
use crate::wire::{
    LazyProviderSchema, LazySchema, Protocol, Rpc, dynamic_value, encode_deferred,
    encode_diagnostics, encode_path, encode_schema, go_plugin, health, read_dynamic_value,
};

/// A service behind the methods of one protocol version.
pub(super) struct Dispatch<S> {
    pub(super) service: S,
    protocol: Protocol,
    pub(super) schema: ProviderSchema,
    encoded: LazyProviderSchema,
    shut_down: watch::Sender<bool>,
}

pub(super) type Answer<T> = Result<T, Status>;

impl<S: Service> Dispatch<S> {
    pub(super) fn new(service: S, protocol: Protocol) -> Result<Self, ServeError> {
        let schema = service.schema();
        let encode = |name: &str, schema: &Schema| {
            encode_schema(schema, protocol).map_err(|reason| ServeError::Schema {
                name: name.to_owned(),
                reason,
            })
        };
        let entries = |schemas: &std::collections::BTreeMap<Arc<str>, Arc<Schema>>| {
            (schemas.iter())
                .map(|(name, schema)| {
                    Ok(LazySchema {
                        name: name.to_string(),
                        schema: encode(name, schema)?,
                    })
                })
                .collect::<Result<_, _>>()
        };
        let capabilities = service.capabilities();
        let provider = match &schema.provider {
            Some(schema) => encode("provider", schema)?,
            None => encode("provider", &Schema::new(0, Default::default()))?,
        };
        let encoded = LazyProviderSchema {
            provider: Some(provider),
            resources: entries(&schema.resources)?,
            data_sources: entries(&schema.data_sources)?,
            ephemeral_resources: entries(&schema.ephemeral_resources)?,
            list_resources: entries(&schema.list_resources)?,
            actions: super::action::encoded(&schema, protocol)?,
            functions: super::function::encoded(&schema),
            server_capabilities: Some(proto::ServerCapabilities {
                plan_destroy: capabilities.plan_destroy,
                get_provider_schema_optional: capabilities.get_provider_schema_optional,
                move_resource_state: capabilities.move_resource_state,
                generate_resource_config: capabilities.generate_resource_config,
            }),
            ..Default::default()
        };
        Ok(Self {
            service,
            protocol,
            schema,
            encoded,
            shut_down: watch::Sender::new(false),
        })
    }

    /// Waits until the engine has asked for the end.
    pub(super) async fn shut_down(&self) {
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.shut_down.subscribe().wait_for(|asked| *asked).await;
    }

    pub(super) async fn answer(
        self: Arc<Self>,
        request: http::Request<Incoming>,
    ) -> http::Response<Body> {
        let path = request.uri().path();
        if let Some(rpc) = Rpc::find(path, self.protocol) {
            return self.provider(rpc, request).await;
        }
        match path {
            "/plugin.GRPCController/Shutdown" => {
                unary(request, |_: go_plugin::Empty| async move {
                    self.shut_down.send_replace(true);
                    Ok(go_plugin::Empty {})
                })
                .await
            }
            "/plugin.GRPCStdio/StreamStdio" => stdio(request).await,
            "/grpc.health.v1.Health/Check" => {
                unary(request, |_: health::HealthCheckRequest| async {
                    let status = health::health_check_response::ServingStatus::Serving;
                    Ok(health::HealthCheckResponse {
                        status: status.into(),
                    })
                })
                .await
            }
            _ => Status::unimplemented("no such method").into_http(),
        }
    }

    async fn provider(
        self: Arc<Self>,
        rpc: Rpc,
        request: http::Request<Incoming>,
    ) -> http::Response<Body> {
        match rpc {
            Rpc::GetProviderSchema => unary(
                request,
                |_: proto::get_provider_schema::Request| async move { Ok(self.encoded.clone()) },
            )
            .await,
            Rpc::ValidateProviderConfig => {
                unary(request, |q| async move {
                    self.validate_provider_config(q).await
                })
                .await
            }
            Rpc::ConfigureProvider => {
                unary(request, |q| async move { self.configure(q).await }).await
            }
            Rpc::StopProvider => {
                unary(request, |_: proto::stop_provider::Request| async move {
                    let error = self.service.stop().await.err().unwrap_or_default();
                    Ok(proto::stop_provider::Response { error })
                })
                .await
            }
            Rpc::ValidateResourceConfig => {
                unary(request, |q| async move {
                    self.validate_resource_config(q).await
                })
                .await
            }
            Rpc::ValidateDataResourceConfig => {
                unary(request, |q| async move {
                    self.validate_data_source_config(q).await
                })
                .await
            }
            Rpc::UpgradeResourceState => {
                unary(
                    request,
                    |q| async move { self.upgrade_resource_state(q).await },
                )
                .await
            }
            Rpc::ReadResource => {
                unary(request, |q| async move { self.read_resource(q).await }).await
            }
            Rpc::PlanResourceChange => {
                unary(
                    request,
                    |q| async move { self.plan_resource_change(q).await },
                )
                .await
            }
            Rpc::ApplyResourceChange => {
                unary(
                    request,
                    |q| async move { self.apply_resource_change(q).await },
                )
                .await
            }
            Rpc::ImportResourceState => {
                unary(
                    request,
                    |q| async move { self.import_resource_state(q).await },
                )
                .await
            }
            Rpc::MoveResourceState => {
                unary(
                    request,
                    |q| async move { self.move_resource_state(q).await },
                )
                .await
            }
            Rpc::ReadDataSource => {
                unary(request, |q| async move { self.read_data_source(q).await }).await
            }
            Rpc::GetResourceIdentitySchemas => {
                unary(request, |q| async move { self.identity_schemas(q) }).await
            }
            Rpc::UpgradeResourceIdentity => {
                unary(request, |q| async move { self.upgrade_identity(q).await }).await
            }
            Rpc::CallFunction => {
                unary(request, |q| async move { self.call_function(q).await }).await
            }
            Rpc::ValidateEphemeralResourceConfig => {
                unary(request, |q| async move { self.validate_ephemeral(q).await }).await
            }
            Rpc::OpenEphemeralResource => {
                unary(request, |q| async move { self.open_ephemeral(q).await }).await
            }
            Rpc::RenewEphemeralResource => {
                unary(request, |q| async move { self.renew_ephemeral(q).await }).await
            }
            Rpc::CloseEphemeralResource => {
                unary(request, |q| async move { self.close_ephemeral(q).await }).await
            }
            Rpc::ValidateListResourceConfig => {
                unary(request, |q| async move { self.validate_list(q).await }).await
            }
            Rpc::ListResource => {
                streaming(
                    request,
                    Box::new(move |q, out| Box::pin(async move { self.list(q, out).await })),
                )
                .await
            }
            Rpc::ValidateActionConfig => {
                unary(request, |q| async move { self.validate_action(q).await }).await
            }
            Rpc::PlanAction => unary(request, |q| async move { self.plan_action(q).await }).await,
            Rpc::InvokeAction => {
                streaming(
                    request,
                    Box::new(move |q, out| Box::pin(async move { self.invoke(q, out).await })),
                )
                .await
            }
            Rpc::GenerateResourceConfig => {
                Status::unimplemented("this provider generates no configurations").into_http()
            }
        }
    }

    fn provider_type(&self) -> Type {
        let schema = self.schema.provider.as_ref();
        schema.map_or_else(
            || Type::object::<Arc<str>>([]),
            |schema| schema.ty().clone(),
        )
    }

    pub(super) fn resource(&self, name: &str) -> Answer<&Type> {
        let schema = self.schema.resources.get(name);
        schema
            .map(|schema| schema.ty())
            .ok_or_else(|| Status::invalid_argument(format!("no resource type `{name}`")))
    }

    fn data_source(&self, name: &str) -> Answer<&Type> {
        let schema = self.schema.data_sources.get(name);
        schema
            .map(|schema| schema.ty())
            .ok_or_else(|| Status::invalid_argument(format!("no data source `{name}`")))
    }

    async fn validate_provider_config(
        &self,
        q: proto::validate_provider_config::Request,
    ) -> Answer<proto::validate_provider_config::Response> {
        let config = read(q.config, &self.provider_type())?;
        let said = self.service.validate_provider_config(&config).await;
        Ok(proto::validate_provider_config::Response {
            diagnostics: encode_diagnostics(said),
        })
    }

    async fn configure(
        &self,
        q: proto::configure_provider::Request,
    ) -> Answer<proto::configure_provider::Response> {
        let config = read(q.config, &self.provider_type())?;
        let said = self.service.configure(&config).await;
        Ok(proto::configure_provider::Response {
            diagnostics: encode_diagnostics(said),
        })
    }

    async fn validate_resource_config(
        &self,
        q: proto::validate_resource_config::Request,
    ) -> Answer<proto::validate_resource_config::Response> {
        let config = read(q.config, self.resource(&q.type_name)?)?;
        let said = (self.service).validate_resource_config(&q.type_name, &config);
        Ok(proto::validate_resource_config::Response {
            diagnostics: encode_diagnostics(said.await),
        })
    }

    async fn validate_data_source_config(
        &self,
        q: proto::validate_data_resource_config::Request,
    ) -> Answer<proto::validate_data_resource_config::Response> {
        let config = read(q.config, self.data_source(&q.type_name)?)?;
        let said = (self.service).validate_data_source_config(&q.type_name, &config);
        Ok(proto::validate_data_resource_config::Response {
            diagnostics: encode_diagnostics(said.await),
        })
    }

    async fn upgrade_resource_state(
        &self,
        q: proto::upgrade_resource_state::Request,
    ) -> Answer<proto::upgrade_resource_state::Response> {
        let ty = self.resource(&q.type_name)?;
        let raw = q.raw_state.unwrap_or_default();
        let request = UpgradeResourceState {
            type_name: &q.type_name,
            version: u64::try_from(q.version).unwrap_or(0),
            raw_state: raw_state(&raw),
        };
        let answer = self.service.upgrade_resource_state(request, ty).await;
        Ok(proto::upgrade_resource_state::Response {
            upgraded_state: put(&answer.upgraded_state, ty)?,
            diagnostics: encode_diagnostics(answer.diagnostics),
        })
    }

    async fn read_resource(
        &self,
        q: proto::read_resource::Request,
    ) -> Answer<proto::read_resource::Response> {
        let ty = self.resource(&q.type_name)?;
        let identity = self.read_identity(&q.type_name, q.current_identity.as_ref())?;
        let request = ReadResource {
            provider_meta: None,
            type_name: &q.type_name,
            current_state: &read(q.current_state, ty)?,
            private: &q.private,
            current_identity: identity.as_ref(),
        };
        let answer = self.service.read_resource(request).await;
        Ok(proto::read_resource::Response {
            new_state: put(&answer.new_state, ty)?,
            diagnostics: encode_diagnostics(answer.diagnostics),
            private: answer.private,
            deferred: encode_deferred(answer.deferred),
            new_identity: self.put_identity(&q.type_name, answer.new_identity.as_ref())?,
        })
    }

    async fn plan_resource_change(
        &self,
        q: proto::plan_resource_change::Request,
    ) -> Answer<proto::plan_resource_change::Response> {
        let ty = self.resource(&q.type_name)?;
        let identity = self.read_identity(&q.type_name, q.prior_identity.as_ref())?;
        let request = PlanResourceChange {
            provider_meta: None,
            type_name: &q.type_name,
            prior_state: &read(q.prior_state, ty)?,
            proposed_new_state: &read(q.proposed_new_state, ty)?,
            config: &read(q.config, ty)?,
            prior_private: &q.prior_private,
            prior_identity: identity.as_ref(),
            planned_private: Some(&q.planned_private).filter(|private| !private.is_empty()),
        };
        let answer = self.service.plan_resource_change(request).await;
        Ok(proto::plan_resource_change::Response {
            planned_state: put(&answer.planned_state, ty)?,
            requires_replace: answer.requires_replace.iter().map(encode_path).collect(),
            planned_private: answer.planned_private,
            diagnostics: encode_diagnostics(answer.diagnostics),
            legacy_type_system: answer.legacy_type_system,
            deferred: encode_deferred(answer.deferred),
            planned_identity: self.put_identity(&q.type_name, answer.planned_identity.as_ref())?,
        })
    }

    async fn apply_resource_change(
        &self,
        q: proto::apply_resource_change::Request,
    ) -> Answer<proto::apply_resource_change::Response> {
        let ty = self.resource(&q.type_name)?;
        let identity = self.read_identity(&q.type_name, q.planned_identity.as_ref())?;
        let request = ApplyResourceChange {
            provider_meta: None,
            type_name: &q.type_name,
            prior_state: &read(q.prior_state, ty)?,
            planned_state: &read(q.planned_state, ty)?,
            config: &read(q.config, ty)?,
            planned_private: &q.planned_private,
            planned_identity: identity.as_ref(),
        };
        let answer = self.service.apply_resource_change(request).await;
        let new_state = match &answer.new_state {
            Ok(value) => put(value, ty)?,
            Err(garbled) => Some(proto::DynamicValue {
                msgpack: garbled.raw.clone(),
                json: Bytes::new(),
            }),
        };
        Ok(proto::apply_resource_change::Response {
            new_state,
            private: answer.private,
            diagnostics: encode_diagnostics(answer.diagnostics),
            legacy_type_system: answer.legacy_type_system,
            new_identity: self.put_identity(&q.type_name, answer.new_identity.as_ref())?,
        })
    }

    async fn import_resource_state(
        &self,
        q: proto::import_resource_state::Request,
    ) -> Answer<proto::import_resource_state::Response> {
        let identity = self.read_identity(&q.type_name, q.identity.as_ref())?;
        let request = ImportResourceState {
            type_name: &q.type_name,
            id: &q.id,
            identity: identity.as_ref(),
        };
        let answer = self.service.import_resource_state(request).await;
        let mut imported_resources = Vec::with_capacity(answer.imported_resources.len());
        for imported in answer.imported_resources {
            let state = put(&imported.state, self.resource(&imported.type_name)?)?;
            let identity = self.put_identity(&imported.type_name, imported.identity.as_ref())?;
            imported_resources.push(proto::import_resource_state::ImportedResource {
                type_name: imported.type_name,
                state,
                private: imported.private,
                identity,
            });
        }
        Ok(proto::import_resource_state::Response {
            imported_resources,
            diagnostics: encode_diagnostics(answer.diagnostics),
            deferred: encode_deferred(answer.deferred),
        })
    }

    async fn move_resource_state(
        &self,
        q: proto::move_resource_state::Request,
    ) -> Answer<proto::move_resource_state::Response> {
        let ty = self.resource(&q.target_type_name)?;
        let source: ProviderSource = (q.source_provider_address.parse().ok())
            .ok_or_else(|| Status::invalid_argument("not the source of a provider"))?;
        let raw = q.source_state.unwrap_or_default();
        let request = MoveResourceState {
            source_provider: &source,
            source_type_name: &q.source_type_name,
            source_schema_version: u64::try_from(q.source_schema_version).unwrap_or(0),
            source_state: raw_state(&raw),
            source_private: &q.source_private,
            source_identity: q.source_identity.as_ref().map(|identity| {
                let version = u64::try_from(q.source_identity_schema_version).unwrap_or(0);
                (&identity.json[..], version)
            }),
            target_type_name: &q.target_type_name,
        };
        let answer = self.service.move_resource_state(request).await;
        Ok(proto::move_resource_state::Response {
            target_state: put(&answer.target_state, ty)?,
            diagnostics: encode_diagnostics(answer.diagnostics),
            target_private: answer.target_private,
            target_identity: self
                .put_identity(&q.target_type_name, answer.target_identity.as_ref())?,
        })
    }

    async fn read_data_source(
        &self,
        q: proto::read_data_source::Request,
    ) -> Answer<proto::read_data_source::Response> {
        let ty = self.data_source(&q.type_name)?;
        let request = ReadDataSource {
            provider_meta: None,
            type_name: &q.type_name,
            config: &read(q.config, ty)?,
        };
        let answer = self.service.read_data_source(request).await;
        Ok(proto::read_data_source::Response {
            state: put(&answer.state, ty)?,
            diagnostics: encode_diagnostics(answer.diagnostics),
            deferred: encode_deferred(answer.deferred),
        })
    }
}

pub(super) fn read(value: Option<proto::DynamicValue>, ty: &Type) -> Answer<Value> {
    read_dynamic_value(value.as_ref(), ty).map_err(Status::invalid_argument)
}

pub(super) fn put(value: &Value, ty: &Type) -> Answer<Option<proto::DynamicValue>> {
    dynamic_value(value, ty).map(Some).map_err(Status::internal)
}

fn raw_state(raw: &proto::RawState) -> RawState<'_> {
    if raw.json.is_empty() && !raw.flatmap.is_empty() {
        RawState::Flatmap(&raw.flatmap)
    } else {
        RawState::Json(&raw.json)
    }
}

/// A closure as what tonic calls a unary service.
struct Unary<F>(Option<F>);

type Pending<A> = Pin<Box<dyn Future<Output = Result<Response<A>, Status>> + Send>>;

impl<Q, A, F, R> tonic::server::UnaryService<Q> for Unary<F>
where
    F: FnOnce(Q) -> R,
    R: Future<Output = Answer<A>> + Send + 'static,
{
    type Response = A;
    type Future = Pending<A>;

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let answer = self.0.take().map(|function| function(request.into_inner()));
        Box::pin(async {
            let answer = answer.expect("invariant: a unary service is called once");
            answer.await.map(Response::new)
        })
    }
}

async fn unary<Q, A, F, R>(request: http::Request<Incoming>, function: F) -> http::Response<Body>
where
    Q: Message + Default + 'static,
    A: Message + Default + 'static,
    F: FnOnce(Q) -> R,
    R: Future<Output = Answer<A>> + Send + 'static,
{
    tonic::server::Grpc::new(ProstCodec::<A, Q>::default())
        .max_decoding_message_size(MAX_MESSAGE)
        .max_encoding_message_size(MAX_MESSAGE)
        .unary(Unary(Some(function)), request)
        .await
}

/// The sending half of a stream of responses.
pub(super) type Responses<A> = UnboundedSender<Answer<A>>;

type ResponseStream<A> = Pin<Box<dyn Stream<Item = Answer<A>> + Send>>;

/// A closure as what tonic calls a service with many responses: it sends them while it runs, and its error ends the stream.
struct Many<Q, A>(Option<Answering<Q, A>>);

type Answering<Q, A> = Box<dyn FnOnce(Q, Responses<A>) -> Running + Send>;

type Running = Pin<Box<dyn Future<Output = Answer<()>> + Send>>;

impl<Q, A: Send + 'static> tonic::server::ServerStreamingService<Q> for Many<Q, A> {
    type Response = A;
    type ResponseStream = ResponseStream<A>;
    type Future = std::future::Ready<Answer<Response<Self::ResponseStream>>>;

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let (out, mut sent) = unbounded_channel();
        let function = self.0.take();
        let function = function.expect("invariant: a service is called once");
        let running = function(request.into_inner(), out.clone());
        tokio::spawn(async move {
            if let Err(status) = running.await {
                // A caller that has gone needs no error.
                let _ = out.send(Err(status));
            }
        });
        let stream = poll_fn(move |context| sent.poll_recv(context));
        std::future::ready(Ok(Response::new(Box::pin(stream))))
    }
}

async fn streaming<Q, A>(
    request: http::Request<Incoming>,
    function: Answering<Q, A>,
) -> http::Response<Body>
where
    Q: Message + Default + 'static,
    A: Message + Default + 'static,
{
    tonic::server::Grpc::new(ProstCodec::<A, Q>::default())
        .max_decoding_message_size(MAX_MESSAGE)
        .max_encoding_message_size(MAX_MESSAGE)
        .server_streaming(Many(Some(function)), request)
        .await
}

/// A stream without end and without content: what this process prints goes where it always went.
async fn stdio(request: http::Request<Incoming>) -> http::Response<Body> {
    struct Silence;

    impl tonic::server::ServerStreamingService<()> for Silence {
        type Response = go_plugin::StdioData;
        type ResponseStream = futures_util::stream::Pending<Answer<Self::Response>>;
        type Future = std::future::Ready<Answer<Response<Self::ResponseStream>>>;

        fn call(&mut self, _: Request<()>) -> Self::Future {
            std::future::ready(Ok(Response::new(futures_util::stream::pending())))
        }
    }

    tonic::server::Grpc::new(ProstCodec::<go_plugin::StdioData, ()>::default())
        .server_streaming(Silence, request)
        .await
}
