//! What the checklist asks of monitoring.

use terrane::Policy;
use terrane_aws::cloudwatch::MetricAlarm;

/// An alarm that tells no one is no alarm.
#[track_caller]
pub(crate) fn alarms_tell_someone() -> Policy {
    Policy::new("alarms tell someone", |plan| {
        for alarm in plan.of::<MetricAlarm>() {
            if !alarm.sets("alarm_actions") {
                alarm.violates("nothing happens when it begins");
            }
        }
    })
    .hint("set `alarm_actions` to the ARN of a topic")
}
