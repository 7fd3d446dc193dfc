//! Clients for S3 and DynamoDB from the options of a backend.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_sdk_s3::config::{Credentials, RequestChecksumCalculation, SharedCredentialsProvider};

use super::S3Backend;
use crate::backend::BackendError;

/// Clients that share credentials and settings.
#[derive(Debug, Clone)]
pub(super) struct Clients {
    pub(super) s3: aws_sdk_s3::Client,
    pub(super) dynamodb: aws_sdk_dynamodb::Client,
    pub(super) region: String,
    /// Whether S3 is reached without TLS, as emulators are.
    pub(super) without_tls: bool,
}

impl S3Backend {
    /// The clients, with credentials from the options or the usual AWS chain; checks whose account they are if asked to.
    pub(super) async fn clients(&self) -> Result<Clients, BackendError> {
        let unusable = |reason: String| BackendError::Unusable {
            place: self.to_string(),
            reason,
        };
        self.validate()
            .map_err(|error| unusable(error.to_string()))?;
        let shared = self.shared_config().await;
        let region = match shared.region() {
            Some(region) => region.to_string(),
            None => {
                return Err(unusable(
                    "no region is named, neither in the options nor in the environment".into(),
                ));
            }
        };
        self.check_account(&shared).await?;
        let endpoint = self.endpoints.s3.as_deref().or(shared.endpoint_url());
        let without_tls = endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"));
        let custom = |own: Option<&String>| own.is_some() || shared.endpoint_url().is_some();
        let mut s3 = aws_sdk_s3::config::Builder::from(&shared).force_path_style(
            self.use_path_style
                .unwrap_or_else(|| custom(self.endpoints.s3.as_ref())),
        );
        if let Some(endpoint) = &self.endpoints.s3 {
            s3 = s3.endpoint_url(endpoint);
        }
        if self.skip_s3_checksum {
            s3 = s3.request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
        }
        let mut dynamodb = aws_sdk_dynamodb::config::Builder::from(&shared);
        if let Some(endpoint) = &self.endpoints.dynamodb {
            dynamodb = dynamodb.endpoint_url(endpoint);
        }
        Ok(Clients {
            s3: aws_sdk_s3::Client::from_conf(s3.build()),
            dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb.build()),
            region,
            without_tls,
        })
    }

    async fn shared_config(&self) -> SdkConfig {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(5))
            .read_timeout(Duration::from_secs(30))
            .operation_attempt_timeout(Duration::from_secs(120))
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            // Terraform counts retries, the SDK attempts.
            .retry_config(RetryConfig::standard().with_max_attempts(self.max_retries + 1))
            .timeout_config(timeouts);
        if let Some(region) = &self.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(profile) = &self.profile {
            loader = loader.profile_name(profile);
        }
        if !self.shared_config_files.is_empty() || !self.shared_credentials_files.is_empty() {
            let mut files = EnvConfigFiles::builder();
            for file in &self.shared_config_files {
                files = files.with_file(EnvConfigFileKind::Config, file);
            }
            for file in &self.shared_credentials_files {
                files = files.with_file(EnvConfigFileKind::Credentials, file);
            }
            loader = loader.profile_files(files.build());
        }
        if let (Some(id), Some(secret)) = (&self.access_key, &self.secret_key) {
            let credentials =
                Credentials::new(id, secret, self.token.clone(), None, "s3 backend options");
            loader = loader.credentials_provider(credentials);
        }
        if self.use_dualstack_endpoint {
            loader = loader.use_dual_stack(true);
        }
        if self.use_fips_endpoint {
            loader = loader.use_fips(true);
        }
        let shared = loader.load().await;
        let Some(role) = &self.assume_role else {
            return shared;
        };
        let mut sts = shared.to_builder();
        if let Some(endpoint) = &self.endpoints.sts {
            sts = sts.endpoint_url(endpoint);
        }
        let mut provider = AssumeRoleProvider::builder(&role.role_arn)
            .session_name(role.session_name.as_deref().unwrap_or("terrane"))
            .configure(&sts.build());
        if let Some(id) = &role.external_id {
            provider = provider.external_id(id);
        }
        if let Some(policy) = &role.policy {
            provider = provider.policy(policy);
        }
        if let Some(seconds) = role.duration_seconds {
            provider = provider.session_length(Duration::from_secs(seconds.into()));
        }
        let provider = SharedCredentialsProvider::new(provider.build().await);
        shared.to_builder().credentials_provider(provider).build()
    }

    /// Refuses credentials of an account that the options exclude.
    async fn check_account(&self, shared: &SdkConfig) -> Result<(), BackendError> {
        if self.allowed_account_ids.is_empty() && self.forbidden_account_ids.is_empty() {
            return Ok(());
        }
        let mut sts = aws_sdk_sts::config::Builder::from(shared);
        if let Some(endpoint) = &self.endpoints.sts {
            sts = sts.endpoint_url(endpoint);
        }
        let identity = aws_sdk_sts::Client::from_conf(sts.build())
            .get_caller_identity()
            .send()
            .await;
        let identity = identity.map_err(|error| {
            super::error::failure("ask for the account of", &self.to_string(), &error)
        })?;
        let account = identity.account().unwrap_or_default().to_owned();
        let allowed =
            self.allowed_account_ids.is_empty() || self.allowed_account_ids.contains(&account);
        if allowed && !self.forbidden_account_ids.contains(&account) {
            return Ok(());
        }
        Err(BackendError::Unusable {
            place: self.to_string(),
            reason: format!("the credentials are of account {account}, which the options exclude"),
        })
    }
}
