//! Alarms on what people have to look at: missing nodes, a failing control plane, NAT gateways and buckets that refuse.

use terrane::{Output, Stack};
use terrane_aws::cloudwatch::MetricAlarm;
use terrane_aws::cloudwatch::metric_alarm::MetricAlarmBuilder;
use terrane_aws::{s3, sns};

use crate::{Cluster, Config, Network};

/// How many errors of the API server in five minutes are too many.
const SERVER_ERRORS: u32 = 10;
/// How many refused requests to a bucket in five minutes are too many.
const REFUSED_REQUESTS: u32 = 50;

/// What is watched.
pub(super) struct Watched<'a> {
    pub(super) config: &'a Config,
    pub(super) network: &'a Network,
    pub(super) cluster: &'a Cluster,
    pub(super) buckets: [(&'static str, &'a s3::Bucket, s3::BucketMetric); 3],
    pub(super) topic: &'a sns::Topic,
}

impl Watched<'_> {
    /// The group in which EC2 starts the nodes.
    pub(super) fn node_group(&self) -> Output<String> {
        let resources = self.cluster.nodes.resources().index(0);
        resources.autoscaling_groups().index(0).name()
    }

    /// Declares the alarms. All tell the topic, when they begin and when they end.
    pub(super) fn declare(&self, stack: &mut Stack) -> Vec<MetricAlarm> {
        let mut alarms = vec![self.nodes(stack), self.control_plane(stack)];
        for (place, gateway) in self.network.nat_gateways.iter().enumerate() {
            let alarm = MetricAlarm::builder("nat_errors")
                .instance_key(place)
                .alarm_name(self.config.name(&format!("nat-errors-{place}")))
                .alarm_description(
                    "The NAT gateway has no ports left: connections to the internet fail",
                )
                .namespace("AWS/NATGateway")
                .metric_name("ErrorPortAllocation")
                .dimensions([("NatGatewayId", gateway.id())])
                .statistic("Sum")
                .period(300)
                .evaluation_periods(1)
                .comparison_operator("GreaterThanThreshold")
                .threshold(0);
            alarms.push(self.telling(alarm).declare(stack));
        }
        for (name, bucket, metric) in &self.buckets {
            let alarm = MetricAlarm::builder("bucket_refusals")
                .instance_key(*name)
                .alarm_name(self.config.name(&format!("{name}-4xx")))
                .alarm_description("The bucket refuses requests: a permission or a name is wrong")
                .namespace("AWS/S3")
                .metric_name("4xxErrors")
                .dimensions([("BucketName", bucket.bucket()), ("FilterId", metric.name())])
                .statistic("Sum")
                .period(300)
                .evaluation_periods(1)
                .comparison_operator("GreaterThanThreshold")
                .threshold(REFUSED_REQUESTS);
            alarms.push(self.telling(alarm).declare(stack));
        }
        alarms
    }

    fn telling<S>(&self, alarm: MetricAlarmBuilder<S>) -> MetricAlarmBuilder<S> {
        alarm
            .alarm_actions([self.topic.arn()])
            .ok_actions([self.topic.arn()])
    }

    /// Each node reports its status once a minute, so the number of reports is that of nodes.
    fn nodes(&self, stack: &mut Stack) -> MetricAlarm {
        let alarm = MetricAlarm::builder("nodes")
            .alarm_name(self.config.name("nodes"))
            .alarm_description("Fewer nodes run than the node group must have")
            .namespace("AWS/EC2")
            .metric_name("StatusCheckFailed")
            .dimensions([("AutoScalingGroupName", self.node_group())])
            .statistic("SampleCount")
            .period(60)
            .evaluation_periods(10)
            .comparison_operator("LessThanThreshold")
            .threshold(self.config.eks_node_min_size)
            // Without any report there is no node at all.
            .treat_missing_data("breaching");
        self.telling(alarm).declare(stack)
    }

    fn control_plane(&self, stack: &mut Stack) -> MetricAlarm {
        let alarm = MetricAlarm::builder("control_plane")
            .alarm_name(self.config.name("api-5xx"))
            .alarm_description("The API server of the cluster answers with errors of its own")
            .namespace("AWS/EKS")
            .metric_name("apiserver_request_total_5XX")
            .dimensions([("ClusterName", self.cluster.cluster.name())])
            .statistic("Sum")
            .period(300)
            .evaluation_periods(2)
            .comparison_operator("GreaterThanThreshold")
            .threshold(SERVER_ERRORS)
            .treat_missing_data("notBreaching");
        self.telling(alarm).declare(stack)
    }
}
