//! The dashboard: a graph for each alarm's metric, two in a row.

use serde_json::{Value as Json, json};
use terrane::{Output, Stack, all};
use terrane_aws::cloudwatch::Dashboard;

use super::WHOLE_BUCKET;
use super::alarms::Watched;

/// The width and height of a graph, in the dashboard's own units: 24 are a row.
const SIZE: (usize, usize) = (12, 6);

/// Declares the dashboard.
pub(super) fn declare(stack: &mut Stack, watched: &Watched<'_>) -> Dashboard {
    let config = watched.config;
    let mut names: Vec<Output<String>> = vec![watched.node_group(), watched.cluster.cluster.name()];
    names.extend(watched.buckets.iter().map(|(_, bucket, _)| bucket.bucket()));
    let gateways = &watched.network.nat_gateways;
    names.extend(gateways.iter().map(terrane_aws::ec2::NatGateway::id));
    let (region, buckets) = (config.aws_region.clone(), watched.buckets.len());
    let body = all(names).map(move |names| body(&region, &names, buckets));
    Dashboard::builder("main")
        .dashboard_name(config.name("overview"))
        .dashboard_body(body)
        .declare(stack)
}

/// The body for a node group, a cluster, so many buckets, and NAT gateways, by their names.
fn body(region: &str, names: &[String], buckets: usize) -> String {
    let [nodes, cluster, others @ ..] = names else {
        return String::new();
    };
    let (buckets, gateways) = others.split_at(buckets);
    let of_buckets = |name: &&String| {
        json!([
            "AWS/S3",
            "4xxErrors",
            "BucketName",
            name,
            "FilterId",
            WHOLE_BUCKET
        ])
    };
    let of_gateways = |name: &String| {
        ["ErrorPortAllocation", "PacketsDropCount"]
            .map(|metric| json!(["AWS/NATGateway", metric, "NatGatewayId", name]))
    };
    let graphs = [
        graph(
            "Nodes",
            "SampleCount",
            vec![
                json!(["AWS/EC2", "StatusCheckFailed", "AutoScalingGroupName", nodes, {"period": 60}]),
            ],
        ),
        graph(
            "Processors of the nodes, in percent",
            "Average",
            vec![json!([
                "AWS/EC2",
                "CPUUtilization",
                "AutoScalingGroupName",
                nodes
            ])],
        ),
        graph(
            "Errors of the API server",
            "Sum",
            vec![json!([
                "AWS/EKS",
                "apiserver_request_total_5XX",
                "ClusterName",
                cluster
            ])],
        ),
        graph(
            "Errors of NAT gateways",
            "Sum",
            gateways.iter().flat_map(of_gateways).collect(),
        ),
        graph(
            "Refused requests to buckets",
            "Sum",
            buckets
                .iter()
                .collect::<Vec<_>>()
                .iter()
                .map(of_buckets)
                .collect(),
        ),
    ];
    let (width, height) = SIZE;
    let placed = graphs
        .into_iter()
        .enumerate()
        .map(|(place, mut properties)| {
            properties["region"] = region.into();
            json!({
                "type": "metric",
                "x": place % 2 * width,
                "y": place / 2 * height,
                "width": width,
                "height": height,
                "properties": properties,
            })
        });
    json!({ "widgets": placed.collect::<Vec<_>>() }).to_string()
}

fn graph(title: &str, statistic: &str, metrics: Vec<Json>) -> Json {
    json!({
        "title": title,
        "stat": statistic,
        "period": 300,
        "view": "timeSeries",
        "metrics": metrics,
    })
}
