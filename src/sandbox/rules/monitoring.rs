//! What watches: CloudWatch's alarms and dashboards, SNS, Prometheus and Grafana.

use super::Rule;

pub(super) const RULES: &[Rule] = &[];
