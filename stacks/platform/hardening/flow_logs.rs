//! Flow logs: who talked to whom in the network, kept as long as the other logs.

use terrane::Stack;
use terrane_aws::iam::{PolicyDocument, Statement};
use terrane_aws::{ec2, iam, logs};

use crate::{Config, Network};

/// The network's flow logs.
#[derive(Debug, Clone)]
pub struct FlowLogs {
    /// Where they are.
    pub log_group: logs::LogGroup,
    /// What writes them.
    pub flow_log: ec2::FlowLog,
}

impl FlowLogs {
    /// Declares the log of all traffic, accepted and rejected.
    pub fn declare(stack: &mut Stack, config: &Config, network: &Network) -> Self {
        stack.module("flow_logs", |stack| {
            let log_group = logs::LogGroup::builder("main")
                .name(format!("/aws/vpc/{}/flow-logs", config.name("vpc")))
                .retention_in_days(config.log_retention_days)
                .declare(stack);
            let role = iam::Role::builder("main")
                .name(config.name("flow-logs-role"))
                .assume_role_policy(PolicyDocument::assumed_by("vpc-flow-logs.amazonaws.com"))
                .declare(stack);
            let streams = log_group.arn().map(|arn| format!("{arn}:*"));
            let write = [
                "logs:CreateLogStream",
                "logs:PutLogEvents",
                "logs:DescribeLogStreams",
            ];
            let policy = iam::RolePolicy::builder("main")
                .name("logs")
                .role(role.name())
                .policy(
                    PolicyDocument::new().statement(Statement::allow(write).resources([streams])),
                )
                .declare(stack);
            let flow_log = ec2::FlowLog::builder("main")
                .vpc_id(network.vpc.id())
                .traffic_type("ALL")
                .log_destination(log_group.arn())
                .iam_role_arn(role.arn())
                .tags([("Name", config.name("flow-logs"))])
                .depends_on(&policy)
                .declare(stack);
            Self {
                log_group,
                flow_log,
            }
        })
    }
}
