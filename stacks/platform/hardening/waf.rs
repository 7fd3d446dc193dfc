//! A web application firewall for the load balancers that ingresses of the cluster make.

use serde_json::json;
use terrane::Stack;
use terrane_aws::wafv2::web_acl;
use terrane_aws::{logs, wafv2};

use crate::Config;

/// AWS's rule groups that every request passes, in this order.
const RULE_GROUPS: [&str; 3] = [
    "AWSManagedRulesAmazonIpReputationList",
    "AWSManagedRulesCommonRuleSet",
    "AWSManagedRulesKnownBadInputsRuleSet",
];

/// The web ACL and its log. An ingress names the ACL in the annotation `alb.ingress.kubernetes.io/wafv2-acl-arn`.
#[derive(Debug, Clone)]
pub struct Waf {
    /// The web ACL.
    pub acl: wafv2::WebAcl,
    /// Where the requests are written that it looked at.
    pub log_group: logs::LogGroup,
}

impl Waf {
    /// Declares the web ACL: AWS's rule groups, and a limit for one address.
    pub fn declare(stack: &mut Stack, config: &Config) -> Self {
        let seen = |metric: &str| {
            web_acl::RuleVisibilityConfig::builder()
                .metric_name(metric)
                .cloudwatch_metrics_enabled(true)
                .sampled_requests_enabled(true)
        };
        stack.module("waf", |stack| {
            let mut acl = wafv2::WebAcl::builder("main")
                .name(config.name("waf"))
                .scope("REGIONAL")
                .default_action(
                    web_acl::DefaultAction::builder().allow(web_acl::DefaultActionAllow::builder()),
                )
                .visibility_config(
                    web_acl::VisibilityConfig::builder()
                        .metric_name(config.name("waf"))
                        .cloudwatch_metrics_enabled(true)
                        .sampled_requests_enabled(true),
                )
                .rule(
                    web_acl::Rule::builder()
                        .name("rate")
                        .priority(0)
                        .action(
                            web_acl::RuleAction::builder()
                                .block(web_acl::RuleActionBlock::builder()),
                        )
                        .statement(json!([{
                            "rate_based_statement": [{
                                "limit": config.waf_rate_limit,
                                "aggregate_key_type": "IP",
                            }]
                        }]))
                        .visibility_config(seen("rate")),
                );
            for (place, group) in (1..).zip(RULE_GROUPS) {
                acl = acl.rule(
                    web_acl::Rule::builder()
                        .name(group)
                        .priority(place)
                        .override_action(
                            web_acl::RuleOverrideAction::builder()
                                .none(web_acl::RuleOverrideActionNone::builder()),
                        )
                        .statement(json!([{
                            "managed_rule_group_statement": [{ "name": group, "vendor_name": "AWS" }]
                        }]))
                        .visibility_config(seen(group)),
                );
            }
            let acl = acl.declare(stack);
            // WAF writes only to groups whose name begins so.
            let log_group = logs::LogGroup::builder("main")
                .name(format!("aws-waf-logs-{}", config.name("waf")))
                .retention_in_days(config.log_retention_days)
                .declare(stack);
            wafv2::WebAclLoggingConfiguration::builder("main")
                .resource_arn(acl.arn())
                .log_destination_configs([log_group.arn()])
                .declare(stack);
            Self { acl, log_group }
        })
    }
}
