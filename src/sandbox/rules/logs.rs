//! CloudWatch Logs.

use super::{CloudView, Rule, Verdict, refuse};
use crate::draft::Draft;

pub(super) const RULES: &[Rule] = &[
    Rule::new("aws_cloudwatch_log_group", "CloudWatch Logs Log Group").creates(create_group),
    Rule::new("aws_cloudwatch_log_stream", "CloudWatch Logs Log Stream").creates(create_stream),
];

fn create_group(group: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let name = view.named(group, "name");
    if view.find("aws_cloudwatch_log_group", &name).is_some() {
        return refuse(
            "ResourceAlreadyExistsException",
            "The specified log group already exists",
        );
    }
    group.put("arn", view.arn("logs", &format!("log-group:{name}")));
    group.put("id", name);
    group.fill("log_group_class", "STANDARD");
    Ok(())
}

fn create_stream(stream: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let group = stream.text("log_group_name").to_owned();
    if view.find("aws_cloudwatch_log_group", &group).is_none() {
        return refuse(
            "ResourceNotFoundException",
            "The specified log group does not exist.",
        );
    }
    let name = stream.text("name").to_owned();
    stream.put(
        "arn",
        view.arn("logs", &format!("log-group:{group}:log-stream:{name}")),
    );
    stream.put("id", name);
    Ok(())
}
