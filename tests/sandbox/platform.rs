//! The platform's parts in the sandbox: each switched on and off again, upgraded, and cleaned up.

use insta::assert_snapshot;
use serde_json::json;

use crate::SandboxFolder;

impl SandboxFolder {
    /// The operations on these types since `from` lines, in the order in which they were made: `update aws_eks_cluster`.
    fn order_of(&self, types: &[&str], from: usize) -> Vec<String> {
        let text = self.ledger_text();
        let lines = text.lines().skip(from);
        let operations = lines.filter_map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
            let word = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
            let kind = word("type");
            types
                .contains(&&*kind)
                .then(|| format!("{} {kind} {}", word("op"), word("id")))
        });
        operations.collect()
    }
}

/// The text without source lines, which move with every edit of the platform.
fn without_places(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.starts_with("  declared"))
        .map(|line| line.split("  stacks/").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

impl SandboxFolder {
    /// Puts an object into the cloud behind the program's back.
    fn leave(&self, kind: &str, id: &str, object: serde_json::Value) {
        self.edit(|objects| {
            let of_kind = objects.entry(kind).or_insert_with(|| json!({}));
            of_kind[id] = object;
        });
    }

    /// Changes the objects of the cloud behind the program's back.
    fn edit(&self, change: impl FnOnce(&mut serde_json::Map<String, serde_json::Value>)) {
        let path = self.folder().join("cloud.json");
        let bytes = std::fs::read(&path).expect("the cloud");
        let mut cloud: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        change(cloud["objects"].as_object_mut().expect("objects"));
        std::fs::write(&path, cloud.to_string()).expect("writable");
    }

    /// The id of the only object of a type.
    fn only(&self, kind: &str) -> String {
        let objects = self.objects();
        let mut ids = objects[kind].as_object().expect("objects").keys();
        ids.next().expect("one").clone()
    }
}

#[test]
fn what_stands_in_the_way_of_a_destroy_is_named_before_it_starts() {
    let folder = SandboxFolder::new();
    folder.succeeds(&["up", "--yes"]);
    let models = "mlops-platform-prod-models";
    for key in ["churn/1/model.pkl", "churn/2/model.pkl"] {
        folder.leave(
            "aws_s3_object",
            key,
            json!({"bucket": models, "key": key, "id": key}),
        );
    }
    let repository = "mlops-platform-prod-api";
    folder.leave(
        "aws_ecr_image",
        "v1",
        json!({"repository_name": repository, "image_tag": "v1", "image_digest": "sha256:0a"}),
    );
    let vpc = folder.only("aws_vpc");
    let subnets = folder.objects()["aws_subnet"].clone();
    let subnet = subnets
        .as_object()
        .expect("subnets")
        .keys()
        .next()
        .expect("one")
        .clone();
    folder.leave(
        "aws_network_interface",
        "eni-0a1b2c",
        json!({"id": "eni-0a1b2c", "vpc_id": vpc, "subnet_id": subnet,
            "description": "ELB app/k8s-shop-api-0a1b/5d6e"}),
    );
    let tags = json!({
        "kubernetes.io/cluster/mlops-platform-prod-cluster": "owned",
        "kubernetes.io/created-for/pvc/name": "data",
    });
    folder.leave(
        "aws_ebs_volume",
        "vol-0a1b2c",
        json!({"id": "vol-0a1b2c", "tags_all": tags}),
    );

    let shown = folder.run(&["preview", "--destroy"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert_snapshot!(shown.err.replace(&vpc, "vpc-0a1b2c"), @r#"
    warning: module.network.aws_vpc.main is used by 1 load balancer that the program did not make: ELB app/k8s-shop-api-0a1b/5d6e (eni-0a1b2c): the deletion fails, or leaves them behind
    hint: delete the services and ingresses that made them, with `kubectl delete`, and wait until they are gone

    warning: module.cluster.aws_eks_cluster.main is used by 1 volume that the program did not make: vol-0a1b2c: the deletion fails, or leaves them behind
    hint: delete the claims that made them, with `kubectl delete pvc`, or they stay and cost after the cluster is gone

    warning: the plan destroys containers that are not empty, which fails
      | module.storage.aws_s3_bucket.main["models"] holds 2 objects: churn/1/model.pkl, churn/2/model.pkl
      | module.registry.aws_ecr_repository.api holds 1 image: v1
    hint: to lose all of it, set `force_destroy` and `force_delete` in the program and run `sandbox-stack up --sandbox` first: then the deletion empties them
    hint: to keep them, pass `--exclude 'module.storage.aws_s3_bucket.main["models"]' --exclude module.registry.aws_ecr_repository.api`
    "#);
    // The command that would do it refuses, and has changed nothing.
    let (state, seen) = (folder.succeeds(&["state", "list"]), folder.lines());
    let refused = folder.run(&["destroy", "--yes"]);
    assert_eq!(refused.code, 9, "{}", refused.err);
    let error = refused.err.split("error: ").nth(1).expect("an error");
    assert_snapshot!(error, @r#"
    the plan destroys containers that are not empty, which fails
      | module.storage.aws_s3_bucket.main["models"] holds 2 objects: churn/1/model.pkl, churn/2/model.pkl
      | module.registry.aws_ecr_repository.api holds 1 image: v1
    hint: to lose all of it, set `force_destroy` and `force_delete` in the program and run `sandbox-stack up --sandbox` first: then the deletion empties them
    hint: to keep them, pass `--exclude 'module.storage.aws_s3_bucket.main["models"]' --exclude module.registry.aws_ecr_repository.api`
    hint: nothing was changed
    "#);
    assert_eq!(folder.lines(), seen);
    assert_eq!(folder.succeeds(&["state", "list"]), state);

    // Without those that are full, as it says, the rest goes; what they need stays with them.
    for kind in ["aws_network_interface", "aws_ebs_volume"] {
        folder.edit(|objects| drop(objects.remove(kind)));
    }
    let hint = error
        .lines()
        .find_map(|line| line.strip_prefix("hint: to keep them, pass `"));
    let kept = hint
        .expect("a hint")
        .trim_end_matches('`')
        .replace('\'', "");
    let kept: Vec<&str> = kept.split(' ').collect();
    folder.succeeds(&[&["destroy", "--yes"][..], &kept].concat());
    assert_snapshot!(folder.succeeds(&["state", "list"]), @r#"
    module.registry.aws_ecr_repository.api
    module.storage.aws_s3_bucket.main["models"]
    "#);

    // With the keys that it names, everything goes.
    let keys = ["--var", "force_destroy=true", "--var", "force_delete=true"];
    folder.succeeds(&[&["up", "--yes"][..], &keys].concat());
    let gone = folder.run(&[&["destroy", "--yes"][..], &keys].concat());
    assert_eq!(gone.code, 0, "{}", gone.err);
    assert!(!gone.err.contains("warning"), "{}", gone.err);
    assert_eq!(folder.succeeds(&["state", "list"]), "");
}

#[test]
fn an_old_kubernetes_is_told_once_with_the_key_to_change() {
    let folder = SandboxFolder::new();
    let shown = folder.run(&["preview"]);
    let told = shown.out.split("Policies:").nth(1).expect("policies");
    let told = told.split("\n\n").next().unwrap_or_default();
    assert_snapshot!(without_places(told), @"
    1 advisory failed, 13 passed
     advice    Kubernetes is supported
         module.cluster.aws_eks_cluster.main.version: EKS does not offer Kubernetes 1.28 since 2025-11-26: it refuses a new cluster, and upgrades an existing one by itself
         hint: pass `--var eks_cluster_version=1.35`, or set it in the stack's file; a cluster that exists goes up one minor version at a time
    ");
    let all = format!("{}{}", shown.out, shown.err);
    assert_eq!(all.matches("EKS does not offer Kubernetes 1.28").count(), 1);
    // What the hint says, followed.
    let newer = folder.succeeds(&["preview", "--var", "eks_cluster_version=1.35"]);
    assert!(newer.contains("Policies: 14 passed"), "{newer}");
}

#[test]
fn a_version_is_not_skipped_and_an_upgrade_goes_from_control_plane_to_addons_to_nodes() {
    let folder = SandboxFolder::new();
    let with = |arguments: &[&'static str], version: &'static str| {
        let more = ["--var", "eks_addons=true", "--var", version];
        [arguments, &more].concat()
    };
    folder.succeeds(&with(&["up", "--yes"], "eks_cluster_version=1.28"));
    let seen = folder.lines();
    let skipped = folder.run(&with(&["up", "--yes"], "eks_cluster_version=1.30"));
    assert_eq!(skipped.code, 9, "{}{}", skipped.out, skipped.err);
    let refused = skipped.err.split("error: ").nth(1).expect("an error");
    assert_snapshot!(without_places(refused), @"
    the plan is refused by the policy `Kubernetes goes up one minor version at a time`: module.cluster.aws_eks_cluster.main.version: EKS does not go from 1.28 to 1.30 at once; 1.29 comes first
    hint: set `eks_cluster_version` to the version that comes first, run `sandbox-stack up --sandbox`, and go on from there
    hint: nothing was changed
    ");
    assert_eq!(folder.lines(), seen);

    folder.succeeds(&with(&["up", "--yes"], "eks_cluster_version=1.29"));
    let types = ["aws_eks_cluster", "aws_eks_addon", "aws_eks_node_group"];
    let mut order = folder.order_of(&types, seen);
    // Add-ons are upgraded side by side: those below the nodes, and those on them.
    order[1..3].sort();
    order[4..].sort();
    assert_snapshot!(order.join("\n"), @"
    update aws_eks_cluster mlops-platform-prod-cluster
    update aws_eks_addon mlops-platform-prod-cluster:kube-proxy
    update aws_eks_addon mlops-platform-prod-cluster:vpc-cni
    update aws_eks_node_group mlops-platform-prod-cluster:mlops-platform-prod-nodes
    update aws_eks_addon mlops-platform-prod-cluster:coredns
    update aws_eks_addon mlops-platform-prod-cluster:metrics-server
    ");
    assert_eq!(folder.lines(), seen + 6);
    folder.succeeds(&with(
        &["preview", "--detailed-exitcode"],
        "eks_cluster_version=1.29",
    ));
}

#[test]
fn the_application_is_deployed_into_the_cluster_and_taken_away_again() {
    let folder = SandboxFolder::new();
    let digest = format!("application_image=sha256:{}", "0a".repeat(32));
    let deployed = ["--var", "deploy_application=true", "--var", &digest];
    let with = |arguments: &[&'static str]| {
        let arguments: Vec<&str> = arguments.iter().copied().chain(deployed).collect();
        folder.succeeds(&arguments)
    };
    let preview = with(&["preview"]);
    assert!(preview.contains(", 6 deferred."), "{preview}");
    with(&["up", "--yes"]);
    with(&["preview", "--detailed-exitcode"]);
    assert_eq!(
        folder.succeeds(&["output", "--raw", "application_url"]),
        "http://churn-prediction-api.mlops-platform.svc.cluster.local"
    );

    let objects = folder.objects();
    let spec = |kind: &str| {
        let all = objects[kind].as_object().expect("objects");
        all.values().next().expect("one").clone()
    };
    let pod = &spec("kubernetes_deployment_v1")["spec"][0]["template"][0]["spec"][0];
    let container = &pod["container"][0];
    assert_eq!(
        container["image"],
        format!(
            "123456789012.dkr.ecr.us-east-1.amazonaws.com/mlops-platform-prod-api@sha256:{}",
            "0a".repeat(32)
        )
    );
    assert_eq!(
        container["env_from"][0]["config_map_ref"][0]["name"],
        "churn-prediction-api"
    );
    let seen = serde_json::to_string_pretty(&spec("kubernetes_config_map_v1")["data"]);
    assert_snapshot!(seen.expect("JSON"), @r#"
    {
      "AWS_REGION": "us-east-1",
      "S3_ARTIFACTS_BUCKET": "mlops-platform-prod-artifacts",
      "S3_DATA_BUCKET": "mlops-platform-prod-data",
      "S3_MODELS_BUCKET": "mlops-platform-prod-models"
    }
    "#);
    let account = &spec("kubernetes_service_account_v1")["metadata"][0];
    assert_eq!(
        account["annotations"]["eks.amazonaws.com/role-arn"],
        "arn:aws:iam::123456789012:role/mlops-platform-prod-sa-role"
    );

    // `false` takes exactly this part away; without the key the provider is not even named.
    let seen = folder.lines();
    folder.succeeds(&["up", "--yes", "--var", "deploy_application=false"]);
    assert_snapshot!(folder.ledger(seen).join("\n"), @"
    delete kubernetes_config_map_v1
    delete kubernetes_deployment_v1
    delete kubernetes_horizontal_pod_autoscaler_v2
    delete kubernetes_namespace_v1
    delete kubernetes_service_account_v1
    delete kubernetes_service_v1
    ");
    folder.succeeds(&["preview", "--detailed-exitcode"]);
    with(&["up", "--yes"]);
    folder.succeeds(&["destroy", "--yes", "--var", "deploy_application=true"]);
    assert!(folder.objects().is_empty());
}
