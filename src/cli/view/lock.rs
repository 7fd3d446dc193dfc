//! Who holds the lock of a state, since when, and whether it still lives.

use std::fmt::Write as _;
use std::time::Duration;

use terrane_state::Timestamp;
use terrane_state::backend::Holder;

use crate::view::printable::{elapsed, one_line};

/// `root@vm holds it for an apply since 2026-11-23T09:05:17Z (3m02s ago), last seen 2s ago (lock 4c18…)`.
pub(crate) fn holder_text(holder: &Holder, now: Timestamp) -> String {
    let Some(info) = &holder.info else {
        return match &*holder.raw {
            "" => "the lock has just changed its holder".to_owned(),
            raw => format!("the holder left no readable description: {}", one_line(raw)),
        };
    };
    let mut text = format!("{} holds it", one_line(&info.who));
    if !info.operation.is_empty() {
        let _ = write!(text, " for {}", operation(&info.operation));
    }
    if !info.created.is_empty() {
        let _ = write!(text, " since {}", one_line(&info.created));
    }
    if let Some(created) = info.created_at() {
        let _ = write!(text, " ({} ago)", elapsed(now.since(created)));
    }
    if let Some(seen) = holder.last_seen {
        let silent = now.since(seen);
        let _ = write!(text, ", last seen {} ago", elapsed(silent));
        if silent > LIKELY_DEAD {
            text.push_str(", likely dead");
        }
    }
    let _ = write!(text, " (lock {})", one_line(&info.id));
    text
}

/// A run says every five seconds that it lives.
pub(crate) const LIKELY_DEAD: Duration = Duration::from_secs(60);

/// Terraform's words in ours.
pub(super) fn operation(word: &str) -> String {
    match word {
        "OperationTypePlan" => "a preview".to_owned(),
        "OperationTypeApply" => "an apply".to_owned(),
        "OperationTypeRefresh" => "a refresh".to_owned(),
        "destroy" => "a destroy".to_owned(),
        "invoke" => "an invocation of an action".to_owned(),
        "state" => "a change of the state".to_owned(),
        other => one_line(other),
    }
}

#[cfg(test)]
mod tests {
    use terrane_state::LockInfo;

    use super::*;

    fn holder(seen: Option<u64>) -> Holder {
        let raw = r#"{"ID":"4c182652","Operation":"OperationTypeApply","Info":"","Who":"root@vm","Version":"1.12.6","Created":"2026-11-23T09:05:17.5Z","Path":"b/k"}"#;
        Holder {
            info: LockInfo::parse(raw.as_bytes()).ok(),
            raw: raw.to_owned(),
            last_seen: seen.map(now),
        }
    }

    /// That many seconds after the lock was taken.
    fn now(seconds: u64) -> Timestamp {
        let taken: Timestamp = "2026-11-23T09:05:17.5Z".parse().expect("a time");
        taken.after(Duration::from_secs(seconds))
    }

    #[test]
    fn a_holder_is_described_by_who_what_since_when_and_its_last_sign_of_life() {
        let texts: Vec<String> = vec![
            holder_text(&holder(None), now(3)),
            holder_text(&holder(Some(180)), now(182)),
            holder_text(&holder(Some(60)), now(60 + 3 * 3600)),
            holder_text(
                &Holder {
                    info: None,
                    raw: "half\u{1b}".into(),
                    last_seen: None,
                },
                now(1),
            ),
        ];
        insta::assert_snapshot!(texts.join("\n"), @r"
        root@vm holds it for an apply since 2026-11-23T09:05:17.5Z (3s ago) (lock 4c182652)
        root@vm holds it for an apply since 2026-11-23T09:05:17.5Z (3m02s ago), last seen 2s ago (lock 4c182652)
        root@vm holds it for an apply since 2026-11-23T09:05:17.5Z (3h01m ago), last seen 3h00m ago, likely dead (lock 4c182652)
        the holder left no readable description: half\u{1b}
        ");
    }
}
