//! Monitoring: alarms that tell people, a dashboard, and Prometheus with Grafana, managed by AWS or in the cluster.

mod alarms;
mod chart;
mod dashboard;
mod managed;
mod policies;

use terrane::Stack;
use terrane_aws::{cloudwatch, s3, sns};

pub use chart::Chart;
pub use managed::Managed;
pub(crate) use policies::alarms_tell_someone;

use crate::hardening::Keys;
use crate::{Cluster, Config, Network, Storage};

/// The alarms, and who looks at metrics.
#[derive(Debug, Clone)]
pub struct Monitoring {
    /// Where alarms go.
    pub topic: sns::Topic,
    /// The alarms.
    pub alarms: Vec<cloudwatch::MetricAlarm>,
    /// Nodes, control plane, NAT gateways and buckets on one page.
    pub dashboard: cloudwatch::Dashboard,
    /// Prometheus and Grafana as AWS's services, unless the chart takes their place.
    pub managed: Option<Managed>,
}

impl Monitoring {
    /// Declares topic, alarms and dashboard, and AWS's services unless the cluster has the chart.
    pub fn declare(
        stack: &mut Stack,
        config: &Config,
        network: &Network,
        cluster: &Cluster,
        storage: &Storage,
        keys: Option<&Keys>,
    ) -> Self {
        stack.module("monitoring", |stack| {
            // Not encrypted: CloudWatch cannot send to a topic with the key of SNS, and an alarm holds no secret.
            let topic = sns::Topic::builder("alarms")
                .name(config.name("alarms"))
                .declare(stack);
            if !config.alarm_email.is_empty() {
                sns::TopicSubscription::builder("email")
                    .topic_arn(topic.arn())
                    .protocol("email")
                    .endpoint(&config.alarm_email)
                    .declare(stack);
            }
            let watched = alarms::Watched {
                config,
                network,
                cluster,
                buckets: metered(stack, storage),
                topic: &topic,
            };
            let alarms = watched.declare(stack);
            let dashboard = dashboard::declare(stack, &watched);
            let managed = (config.monitoring_in_cluster != Some(true))
                .then(|| Managed::declare(stack, config, cluster, keys));
            Self {
                topic,
                alarms,
                dashboard,
                managed,
            }
        })
    }
}

/// The name of the metrics of a whole bucket.
const WHOLE_BUCKET: &str = "whole";

/// The buckets, each with metrics of its requests, which S3 publishes only when asked.
fn metered<'a>(
    stack: &mut Stack,
    storage: &'a Storage,
) -> [(&'static str, &'a s3::Bucket, s3::BucketMetric); 3] {
    let buckets = [
        ("models", &storage.models),
        ("data", &storage.data),
        ("artifacts", &storage.artifacts),
    ];
    buckets.map(|(name, bucket)| {
        let metric = s3::BucketMetric::builder("requests")
            .instance_key(name)
            .bucket(bucket.id())
            .name(WHOLE_BUCKET)
            .declare(stack);
        (name, bucket, metric)
    })
}
