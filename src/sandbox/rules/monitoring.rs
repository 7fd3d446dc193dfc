//! What watches: CloudWatch's alarms and dashboards, SNS, and the workspaces of Prometheus and Grafana.

use super::{ACCOUNT, CloudView, Rule, Verdict, random_hex, refuse, uuid};
use crate::draft::Draft;

pub(super) const RULES: &[Rule] = &[
    Rule::new("aws_cloudwatch_metric_alarm", "CloudWatch Metric Alarm").creates(create_alarm),
    Rule::new("aws_cloudwatch_dashboard", "CloudWatch Dashboard").creates(create_dashboard),
    Rule::new("aws_sns_topic", "SNS Topic").creates(create_topic),
    Rule::new("aws_sns_topic_subscription", "SNS Topic Subscription").creates(subscribe),
    Rule::new("aws_prometheus_workspace", "Managed Prometheus Workspace")
        .creates(create_prometheus)
        .takes(20.0, 5.0, 20.0),
    Rule::new("aws_grafana_workspace", "Managed Grafana Workspace")
        .creates(create_grafana)
        .takes(120.0, 20.0, 60.0),
    Rule::new("aws_s3_bucket_metric", "S3 Bucket Metric").creates(create_bucket_metric),
];

fn create_alarm(alarm: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let name = alarm.text("alarm_name").to_owned();
    alarm.put("arn", view.arn("cloudwatch", &format!("alarm:{name}")));
    alarm.put("id", name);
    Ok(())
}

fn create_dashboard(dashboard: &mut Draft, _: &CloudView<'_>) -> Verdict {
    let name = dashboard.text("dashboard_name").to_owned();
    let body: Result<serde_json::Value, _> = serde_json::from_str(dashboard.text("dashboard_body"));
    if !body.is_ok_and(|body| body["widgets"].is_array()) {
        return refuse(
            "InvalidParameterInput",
            "The dashboard body is invalid, there are 1 validation errors: Field \"widgets\" is expected",
        );
    }
    dashboard.put(
        "dashboard_arn",
        format!("arn:aws:cloudwatch::{ACCOUNT}:dashboard/{name}"),
    );
    dashboard.put("id", name);
    Ok(())
}

fn create_topic(topic: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let name = view.named(topic, "name");
    let arn = view.arn("sns", &name);
    topic.fill("policy", format!(
        r#"{{"Id":"__default_policy_ID","Statement":[{{"Action":["SNS:GetTopicAttributes","SNS:Publish","SNS:Subscribe"],"Condition":{{"StringEquals":{{"AWS:SourceOwner":"{ACCOUNT}"}}}},"Effect":"Allow","Principal":{{"AWS":"*"}},"Resource":"{arn}","Sid":"__default_statement_ID"}}],"Version":"2008-10-17"}}"#
    ));
    topic.put("owner", ACCOUNT);
    topic.put("arn", arn.as_str());
    topic.put("id", arn);
    Ok(())
}

fn subscribe(subscription: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let topic = subscription.text("topic_arn").to_owned();
    if view.find("aws_sns_topic", &topic).is_none() {
        return refuse("NotFound", "Topic does not exist");
    }
    let arn = format!("{topic}:{}", uuid());
    // A person has to say yes first.
    let pending = subscription.text("protocol").starts_with("email");
    subscription.put("pending_confirmation", pending);
    subscription.put("confirmation_was_authenticated", false);
    subscription.put("owner_id", ACCOUNT);
    subscription.put("arn", arn.as_str());
    subscription.put("id", arn);
    Ok(())
}

fn create_prometheus(workspace: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let id = format!("ws-{}", uuid());
    workspace.put("arn", view.arn("aps", &format!("workspace/{id}")));
    workspace.put(
        "prometheus_endpoint",
        format!(
            "https://aps-workspaces.{}.amazonaws.com/workspaces/{id}/",
            view.region
        ),
    );
    workspace.put("id", id);
    Ok(())
}

fn create_grafana(workspace: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let id = format!("g-{}", &random_hex()[..10]);
    workspace.put("arn", view.arn("grafana", &format!("/workspaces/{id}")));
    let host = format!("{id}.grafana-workspace.{}.amazonaws.com", view.region);
    workspace.put("endpoint", host);
    workspace.fill("grafana_version", "10.4");
    workspace.put("id", id);
    Ok(())
}

fn create_bucket_metric(metric: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let bucket = metric.text("bucket").to_owned();
    if view.find("aws_s3_bucket", &bucket).is_none() {
        return refuse("NoSuchBucket", "The specified bucket does not exist");
    }
    let id = format!("{bucket}:{}", metric.text("name"));
    metric.put("id", id);
    Ok(())
}
