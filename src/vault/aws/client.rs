//! Requests to services of AWS that speak JSON: signed, repeated and timed by the SDK's runtime.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{
    HttpStatusCodeClassifier, TransientErrorClassifier,
};
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::orchestrator::{
    HttpRequest, HttpResponse, OrchestratorError, SensitiveOutput,
};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use serde_json::Value as Json;
use tokio::sync::OnceCell;

use super::endpoint::endpoint;

/// A service of AWS.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Service {
    /// As a person knows it.
    pub(crate) name: &'static str,
    /// In host names and signatures.
    pub(crate) host: &'static str,
    /// In `AWS_ENDPOINT_URL_…` and profiles.
    pub(crate) variable: &'static str,
    /// Before the names of its operations.
    pub(crate) targets: &'static str,
}

/// AWS with the credentials of the usual chain, which are looked for when they are first needed.
#[derive(Debug, Default)]
pub(crate) struct Aws(OnceCell<SdkConfig>);

/// Why a request has no answer.
#[derive(Debug)]
pub(crate) enum AwsFailure {
    /// Neither the caller nor the environment names a region.
    NoRegion,
    /// No answer came.
    Unreachable(String),
    /// The service refused the request.
    Refused {
        /// The class of the refusal.
        code: String,
        /// The service's words.
        message: String,
    },
}

/// A refusal, as the SDK's classifiers read it.
#[derive(Debug)]
struct Refusal(ErrorMetadata);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Refusal {}

impl ProvideErrorMetadata for Refusal {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

/// A body that `Debug` keeps to itself.
struct Body(Vec<u8>);

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(sensitive)")
    }
}

impl Aws {
    async fn shared(&self) -> &SdkConfig {
        self.0
            .get_or_init(|| async {
                let timeouts = TimeoutConfig::builder()
                    .connect_timeout(Duration::from_secs(5))
                    .read_timeout(Duration::from_secs(30))
                    .build();
                aws_config::defaults(BehaviorVersion::latest())
                    .retry_config(RetryConfig::standard().with_max_attempts(5))
                    .timeout_config(timeouts)
                    .load()
                    .await
            })
            .await
    }

    /// Asks a service for one operation, in a region of its own or in the environment's.
    pub(crate) async fn call(
        &self,
        service: Service,
        operation: &'static str,
        request: &Json,
        region: Option<&str>,
    ) -> Result<Json, AwsFailure> {
        let shared = self.shared().await;
        let region = region.map(|region| Region::new(region.to_owned()));
        let Some(region) = region.or_else(|| shared.region().cloned()) else {
            return Err(AwsFailure::NoRegion);
        };
        let target = format!("{}.{operation}", service.targets);
        let mut config = Layer::new("terrane");
        config.store_put(SensitiveOutput);
        config.store_put(AuthSchemeOptionResolverParams::new(()));
        config.store_put(SigV4OperationSigningConfig::default());
        config.store_put(SigningRegion::from(region.clone()));
        config.store_put(SigningName::from_static(service.host));
        let schemes = StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]);
        let mut components = RuntimeComponentsBuilder::new("terrane")
            .with_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(schemes)))
            .with_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()))
            .with_identity_cache(shared.identity_cache());
        if let Some(credentials) = shared.credentials_provider() {
            components.set_identity_resolver(SCHEME_ID, SharedIdentityResolver::new(credentials));
        }
        let retries = RetryConfig::standard();
        let mut builder = Operation::builder()
            .service_name(service.name)
            .operation_name(operation)
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&endpoint(shared, service, region.as_ref()))
            .standard_retry(shared.retry_config().unwrap_or(&retries))
            .retry_classifier(HttpStatusCodeClassifier::default())
            .retry_classifier(TransientErrorClassifier::<Refusal>::new())
            .retry_classifier(AwsErrorCodeClassifier::<Refusal>::new())
            .with_connection_poisoning()
            .runtime_plugin(
                StaticRuntimePlugin::new()
                    .with_config(config.freeze())
                    .with_runtime_components(components),
            );
        if let Some(timeouts) = shared.timeout_config() {
            builder = builder.timeout_config(timeouts.clone());
        }
        if let Some(client) = shared.http_client() {
            builder = builder.http_client(client);
        }
        let asked = builder
            .serializer(move |Body(body): Body| {
                let request = http::Request::builder()
                    .method("POST")
                    .uri("/")
                    .header("content-type", "application/x-amz-json-1.1")
                    .header("x-amz-target", &target)
                    .body(SdkBody::from(body))?;
                Ok(HttpRequest::try_from(request)?)
            })
            .deserializer(answer)
            .build();
        let body = serde_json::to_vec(request).expect("invariant: JSON is serialisable");
        let Body(body) = asked.invoke(Body(body)).await.map_err(failure)?;
        serde_json::from_slice(&body)
            .map_err(|_| AwsFailure::Unreachable("the answer is not JSON".into()))
    }
}

fn answer(response: &HttpResponse) -> Result<Body, OrchestratorError<Refusal>> {
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        return Ok(Body(body.to_vec()));
    }
    let refusal: Json = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| {
        refusal
            .get(name)
            .and_then(Json::as_str)
            .map(ToOwned::to_owned)
    };
    // Some services put a namespace before the code and a place to read about it behind.
    let code = text("__type").or_else(|| text("code")).or_else(|| {
        response
            .headers()
            .get("x-amzn-errortype")
            .map(ToOwned::to_owned)
    });
    let code = code.unwrap_or_else(|| format!("HTTP {}", response.status().as_u16()));
    let code = code.rsplit('#').next().unwrap_or_default();
    let code = code.split(':').next().unwrap_or_default();
    let message = text("message")
        .or_else(|| text("Message"))
        .unwrap_or_default();
    let metadata = ErrorMetadata::builder().code(code).message(message).build();
    Err(OrchestratorError::operation(Refusal(metadata)))
}

fn failure(error: SdkError<Refusal, HttpResponse>) -> AwsFailure {
    match error {
        SdkError::ServiceError(refused) => {
            let Refusal(metadata) = refused.into_err();
            AwsFailure::Refused {
                code: metadata.code().unwrap_or_default().to_owned(),
                message: metadata.message().unwrap_or_default().to_owned(),
            }
        }
        other => AwsFailure::Unreachable(DisplayErrorContext(&other).to_string()),
    }
}
