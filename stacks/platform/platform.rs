//! The components put together.

use terrane::{Result, Stack};
use terrane_aws::Provider;
use terrane_aws::eks::kubeconfig;
use terrane_aws::provider::AssumeRole;

use crate::hardening::Keys;
use crate::{
    Application, Chart, Cluster, Config, Delivery, Hardening, Identity, Mlflow, Monitoring,
    Network, Registry, Storage, checklist, kubernetes,
};

/// Declares the AWS provider as all stacks of the platform configure it: its region, and tags that say whose everything is.
pub fn declare_provider(stack: &mut Stack, config: &Config) {
    // Objects that an interrupted run was creating are found by the next one.
    stack.owner_tags(true);
    let mut provider = Provider::builder()
        .region(&config.aws_region)
        .default_tags([
            ("Project", "mlops-platform"),
            ("Environment", &config.environment),
        ]);
    if let Some(role) = &config.aws_role_arn {
        provider = provider.assume_role(AssumeRole::builder().role_arn(role));
    }
    stack.provider(provider);
}

/// The whole platform.
#[derive(Debug, Clone)]
pub struct Platform {
    /// VPC, subnets, gateways.
    pub network: Network,
    /// EKS and its nodes.
    pub cluster: Cluster,
    /// The buckets.
    pub storage: Storage,
    /// The API's image repository.
    pub registry: Registry,
    /// The role of the API's service account.
    pub identity: Identity,
    /// The API in the cluster.
    pub application: Option<Application>,
    /// The roles of GitHub's workflows.
    pub delivery: Option<Delivery>,
    /// Keys of one's own.
    pub keys: Option<Keys>,
    /// Alarms, a dashboard, and AWS's services for metrics.
    pub monitoring: Option<Monitoring>,
    /// Prometheus and Grafana in the cluster.
    pub chart: Option<Chart>,
    /// MLflow with its database.
    pub mlflow: Option<Mlflow>,
    /// What else production adds.
    pub hardening: Hardening,
}

impl Platform {
    /// Declares everything.
    ///
    /// # Errors
    /// When the configuration contradicts itself.
    pub fn declare(stack: &mut Stack, config: &Config) -> Result<Self> {
        config.check()?;
        declare_provider(stack, config);
        stack.policies(checklist(config));
        let keys = config.kms.then(|| Keys::declare(stack, config));
        let keys = keys.as_ref();
        let network = Network::declare(stack, config)?;
        let cluster = Cluster::declare(stack, config, &network, keys);
        let storage = Storage::declare(stack, config, keys);
        let registry = Registry::declare(stack, config);
        let identity = Identity::declare(stack, config, &cluster, &storage, keys);
        if config.puts_into_cluster() {
            kubernetes::declare_provider(stack, config, &cluster);
        }
        if config.monitoring_in_cluster.is_some() {
            kubernetes::declare_helm(stack, config, &cluster);
        }
        let mlflow = (config.mlflow == Some(true))
            .then(|| Mlflow::declare(stack, config, &network, &cluster, &storage, keys));
        let hardening = Hardening::declare(
            stack,
            config,
            &network,
            &storage,
            &identity,
            mlflow.as_ref(),
            keys,
        );
        let secret = hardening.secret.as_ref();
        let monitoring = (config.monitoring)
            .then(|| Monitoring::declare(stack, config, &network, &cluster, &storage, keys));
        let chart =
            (config.monitoring_in_cluster == Some(true)).then(|| Chart::declare(stack, config));
        let application = (config.deploy_application == Some(true))
            .then(|| Application::declare(stack, config, &storage, &registry, &identity, secret));
        let delivery = (!config.github_repository.is_empty())
            .then(|| Delivery::declare(stack, config, &cluster, &storage));
        Ok(Self {
            keys: keys.cloned(),
            monitoring,
            chart,
            mlflow,
            hardening,
            application,
            delivery,
            network,
            cluster,
            storage,
            registry,
            identity,
        })
    }

    /// Publishes the values that users of the platform need.
    pub fn export(&self, stack: &mut Stack) {
        stack.export("vpc_id", self.network.vpc.id());
        stack.export("private_subnet_ids", self.network.private_subnet_ids());
        stack.export("public_subnet_ids", self.network.public_subnet_ids());
        stack.export("eks_cluster_name", self.cluster.cluster.name());
        stack.export("eks_cluster_endpoint", self.cluster.cluster.endpoint());
        stack.export("eks_oidc_provider_arn", self.cluster.oidc_provider.arn());
        stack.export("ecr_repository_url", self.registry.api.repository_url());
        stack.export("s3_models_bucket_name", self.storage.models.bucket());
        stack.export("s3_data_bucket_name", self.storage.data.bucket());
        stack.export("s3_artifacts_bucket_name", self.storage.artifacts.bucket());
        stack.export("service_account_role_arn", self.identity.role.arn());
        if let Some(application) = &self.application {
            stack.export("application_url", application.url());
        }
        if let Some(delivery) = &self.delivery {
            stack.export("github_preview_role_arn", delivery.preview.arn());
            stack.export("github_deploy_role_arn", delivery.deploy.arn());
        }
        if let Some(secret) = &self.hardening.secret {
            stack.export("application_secret_arn", secret.secret.arn());
        }
        if let Some(monitoring) = &self.monitoring {
            stack.export("alarm_topic_arn", monitoring.topic.arn());
            if let Some(managed) = &monitoring.managed {
                stack.export("prometheus_remote_write_url", managed.remote_write_url());
                stack.export(
                    "prometheus_collector_role_arn",
                    managed.collector_role.arn(),
                );
                stack.export("grafana_url", managed.grafana_url());
            }
        }
        if let Some(mlflow) = &self.mlflow {
            stack.export("mlflow_tracking_uri", mlflow.tracking_uri());
            stack.export("mlflow_artifact_uri", mlflow.artifact_uri());
            stack.export("mlflow_database_secret_arn", mlflow.database.secret.arn());
        }
        if let Some(waf) = &self.hardening.waf {
            stack.export("waf_acl_arn", waf.acl.arn());
        }
        stack.export("kubeconfig", kubeconfig(&self.cluster.cluster));
    }
}
