//! Monitoring and MLflow in the sandbox: each switched on, seen by its outputs, and off again.

use insta::assert_snapshot;

use crate::SandboxFolder;

/// The lines of a ledger, each once with how often it is there.
fn counted(lines: &[String]) -> String {
    let mut counted: Vec<(usize, &String)> = Vec::new();
    for line in lines {
        match counted.last_mut() {
            Some((count, last)) if *last == line => *count += 1,
            _ => counted.push((1, line)),
        }
    }
    let lines = counted
        .iter()
        .map(|(count, line)| format!("{count} × {line}"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn monitoring_is_managed_or_in_the_cluster_and_goes_without_a_trace() {
    let folder = SandboxFolder::new();
    folder.succeeds(&["up", "--yes"]);
    let mut seen = folder.lines();
    let managed = [
        "--var",
        "monitoring=true",
        "--var",
        "alarm_email=ops@example.com",
    ];
    let with = |arguments: &[&'static str], more: &[&'static str]| {
        folder.succeeds(&[arguments, &managed, more].concat())
    };
    with(&["up", "--yes"], &[]);
    assert_snapshot!(counted(&folder.ledger(seen)), @"
    1 × create aws_cloudwatch_dashboard
    6 × create aws_cloudwatch_metric_alarm
    1 × create aws_grafana_workspace
    2 × create aws_iam_role
    2 × create aws_iam_role_policy
    1 × create aws_prometheus_workspace
    3 × create aws_s3_bucket_metric
    1 × create aws_sns_topic
    1 × create aws_sns_topic_subscription
    ");
    with(&["preview", "--detailed-exitcode"], &[]);
    let url = folder.succeeds(&["output", "--raw", "prometheus_remote_write_url"]);
    assert!(
        url.starts_with("https://aps-workspaces.us-east-1.amazonaws.com/workspaces/ws-")
            && url.ends_with("/api/v1/remote_write"),
        "{url}"
    );
    let dashboards = folder.objects()["aws_cloudwatch_dashboard"].to_string();
    assert!(
        dashboards.contains("eks-mlops-platform-prod-nodes-"),
        "{dashboards}"
    );

    // The chart takes the place of the services.
    seen = folder.lines();
    let in_cluster = ["--var", "monitoring_in_cluster=true"];
    with(&["up", "--yes"], &in_cluster);
    assert_snapshot!(counted(&folder.ledger(seen)), @"
    1 × create helm_release
    1 × create kubernetes_namespace_v1
    1 × create kubernetes_secret_v1
    1 × delete aws_grafana_workspace
    2 × delete aws_iam_role
    2 × delete aws_iam_role_policy
    1 × delete aws_prometheus_workspace
    ");
    with(&["preview", "--detailed-exitcode"], &in_cluster);
    let login = folder.objects()["kubernetes_secret_v1"].to_string();
    assert!(!login.contains("admin-password"), "{login}");

    // Off again, exactly this goes.
    seen = folder.lines();
    folder.succeeds(&["up", "--yes", "--var", "monitoring_in_cluster=false"]);
    assert_snapshot!(counted(&folder.ledger(seen)), @"
    1 × delete aws_cloudwatch_dashboard
    6 × delete aws_cloudwatch_metric_alarm
    3 × delete aws_s3_bucket_metric
    1 × delete aws_sns_topic
    1 × delete aws_sns_topic_subscription
    1 × delete helm_release
    1 × delete kubernetes_namespace_v1
    1 × delete kubernetes_secret_v1
    ");
    folder.succeeds(&["preview", "--detailed-exitcode"]);
}

#[test]
fn mlflow_stands_on_a_private_database_whose_password_is_kept_in_one_place() {
    let folder = SandboxFolder::new();
    folder.succeeds(&["up", "--yes"]);
    let mut seen = folder.lines();
    let on = ["--var", "mlflow=true", "--var", "kms=false"];
    let with = |arguments: &[&'static str], more: &[&'static str]| {
        folder.succeeds(&[arguments, &on, more].concat())
    };
    with(&["up", "--yes"], &[]);
    assert_snapshot!(counted(&folder.ledger(seen)), @"
    1 × create aws_db_instance
    1 × create aws_db_subnet_group
    1 × create aws_iam_role
    1 × create aws_iam_role_policy
    1 × create aws_secretsmanager_secret
    1 × create aws_secretsmanager_secret_version
    1 × create aws_security_group
    1 × create aws_security_group_rule
    1 × create kubernetes_deployment_v1
    1 × create kubernetes_namespace_v1
    1 × create kubernetes_secret_v1
    1 × create kubernetes_service_account_v1
    1 × create kubernetes_service_v1
    ");
    with(&["preview", "--detailed-exitcode"], &[]);
    assert_snapshot!(folder.succeeds(&["output", "--raw", "mlflow_tracking_uri"]), @"http://mlflow.mlflow.svc.cluster.local");
    assert_snapshot!(folder.succeeds(&["output", "--raw", "mlflow_artifact_uri"]), @"s3://mlops-platform-prod-artifacts/mlflow");
    let objects = folder.objects();
    let database = &objects["aws_db_instance"];
    let database = database
        .as_object()
        .and_then(|all| all.values().next())
        .expect("a database");
    assert_eq!(database["publicly_accessible"], false);
    assert_eq!(database["storage_encrypted"], true);
    let pods = objects["kubernetes_deployment_v1"].to_string();
    let store = format!(
        "postgresql://mlflow:$(DATABASE_PASSWORD)@{}:5432/mlflow",
        database["address"].as_str().expect("an address")
    );
    assert!(pods.contains(&store), "{pods}");

    // Another password goes to all who need it: where it is kept, the database, and the pod.
    seen = folder.lines();
    let another = ["--var", "mlflow_password_version=2"];
    with(&["up", "--yes"], &another);
    assert_snapshot!(counted(&folder.ledger(seen)), @"
    1 × create aws_secretsmanager_secret_version
    1 × delete aws_secretsmanager_secret_version
    1 × update aws_db_instance
    1 × update kubernetes_deployment_v1
    1 × update kubernetes_secret_v1
    ");
    with(&["preview", "--detailed-exitcode"], &another);
    // The stand-in of the sandbox for a password begins so; it is nowhere.
    let state = folder.succeeds(&["state", "pull"]);
    let all = format!("{state}{}", folder.ledger_text());
    assert!(!all.contains("\"sandbox-"), "{all}");

    seen = folder.lines();
    folder.succeeds(&["up", "--yes", "--var", "mlflow=false"]);
    assert_snapshot!(counted(&folder.ledger(seen)), @"
    1 × delete aws_db_instance
    1 × delete aws_db_subnet_group
    1 × delete aws_iam_role
    1 × delete aws_iam_role_policy
    1 × delete aws_secretsmanager_secret
    1 × delete aws_secretsmanager_secret_version
    1 × delete aws_security_group
    1 × delete aws_security_group_rule
    1 × delete kubernetes_deployment_v1
    1 × delete kubernetes_namespace_v1
    1 × delete kubernetes_secret_v1
    1 × delete kubernetes_service_account_v1
    1 × delete kubernetes_service_v1
    ");
    folder.succeeds(&["destroy", "--yes", "--var", "mlflow=false"]);
    assert!(folder.objects().is_empty());
}
