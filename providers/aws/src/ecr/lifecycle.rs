//! Lifecycle policies: which images a repository lets go.

use serde_json::Value as Json;
use terrane_core::{Expr, Input, IntoExpr, Location};

use crate::json::{object, text};

/// The rules of a repository, in order of priority; [`LifecyclePolicy`](super::LifecyclePolicy) takes it as its `policy`.
///
/// ```
/// use terrane_aws::ecr::{LifecyclePolicyDocument, LifecycleRule};
/// LifecyclePolicyDocument::new()
///     .rule(LifecycleRule::untagged_older_than(7))
///     .rule(LifecycleRule::tagged_beyond(10, ["v"]));
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct LifecyclePolicyDocument {
    rules: Vec<LifecycleRule>,
    location: Location,
}

/// A rule that expires images.
#[derive(Debug, Clone)]
#[must_use]
pub struct LifecycleRule {
    images: Images,
    limit: Limit,
    description: String,
    location: Location,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Images {
    Untagged,
    Tagged(Vec<String>),
    Any,
}

#[derive(Debug, Clone, Copy)]
enum Limit {
    Days(u32),
    Count(u32),
}

impl LifecycleRule {
    /// Expires untagged images that many days after they were pushed.
    #[track_caller]
    pub fn untagged_older_than(days: u32) -> Self {
        let description = format!("Expire untagged images after {days} days");
        Self::new(Images::Untagged, Limit::Days(days), description)
    }

    /// Expires the oldest tagged images beyond that many. Only images whose tags start with one of the prefixes count.
    #[track_caller]
    pub fn tagged_beyond<P: Into<String>>(
        count: u32,
        prefixes: impl IntoIterator<Item = P>,
    ) -> Self {
        let prefixes = prefixes.into_iter().map(Into::into).collect();
        let description = format!("Keep the last {count} tagged images");
        Self::new(Images::Tagged(prefixes), Limit::Count(count), description)
    }

    /// Expires the oldest images beyond that many, tagged or not. It must be the last rule.
    #[track_caller]
    pub fn any_beyond(count: u32) -> Self {
        let description = format!("Keep the last {count} images");
        Self::new(Images::Any, Limit::Count(count), description)
    }

    #[track_caller]
    fn new(images: Images, limit: Limit, description: String) -> Self {
        Self {
            images,
            limit,
            description,
            location: Location::caller(),
        }
    }

    /// Replaces the rule's description.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    fn problem(&self, last: bool) -> Option<&'static str> {
        match (&self.images, self.limit) {
            (_, Limit::Days(0) | Limit::Count(0)) => {
                Some("a lifecycle rule that would let every image go; count from 1")
            }
            (Images::Tagged(prefixes), _) if prefixes.is_empty() => {
                Some("a lifecycle rule for tagged images without a prefix of their tags")
            }
            (Images::Any, _) if !last => {
                Some("a lifecycle rule for any image must be the last of its policy")
            }
            _ => None,
        }
    }

    fn json(&self, priority: usize) -> Json {
        let status = match &self.images {
            Images::Untagged => "untagged",
            Images::Tagged(_) => "tagged",
            Images::Any => "any",
        };
        let mut selection = match self.limit {
            Limit::Days(days) => object([
                ("countNumber", days.into()),
                ("countType", "sinceImagePushed".into()),
                ("countUnit", "days".into()),
                ("tagStatus", status.into()),
            ]),
            Limit::Count(count) => object([
                ("countNumber", count.into()),
                ("countType", "imageCountMoreThan".into()),
                ("tagStatus", status.into()),
            ]),
        };
        if let Images::Tagged(prefixes) = &self.images {
            selection["tagPrefixList"] = prefixes.clone().into();
        }
        object([
            ("action", object([("type", "expire".into())])),
            ("description", self.description.as_str().into()),
            ("rulePriority", priority.into()),
            ("selection", selection),
        ])
    }
}

impl LifecyclePolicyDocument {
    /// A document without rules, which is not a policy yet.
    #[expect(clippy::new_without_default)] // `Default` could not say at which line an empty document was written
    #[track_caller]
    pub fn new() -> Self {
        Self {
            rules: Vec::new(),
            location: Location::caller(),
        }
    }

    /// The same with one rule more, of lower priority than those before.
    pub fn rule(mut self, rule: LifecycleRule) -> Self {
        self.rules.push(rule);
        self
    }

    fn to_json(&self) -> Result<String, (&'static str, Location)> {
        if self.rules.is_empty() {
            return Err(("a lifecycle policy without a rule", self.location));
        }
        let mut rules = Vec::with_capacity(self.rules.len());
        for (place, rule) in self.rules.iter().enumerate() {
            if let Some(reason) = rule.problem(place + 1 == self.rules.len()) {
                return Err((reason, rule.location));
            }
            rules.push(rule.json(place + 1));
        }
        Ok(text(&object([("rules", Json::Array(rules))])))
    }
}

impl From<LifecyclePolicyDocument> for Input<String> {
    fn from(document: LifecyclePolicyDocument) -> Self {
        match document.to_json() {
            Ok(json) => json.into(),
            Err((reason, location)) => Self::new(Expr::invalid(reason, location)),
        }
    }
}

impl IntoExpr for LifecyclePolicyDocument {
    fn into_expr(self) -> Expr {
        Input::<String>::from(self).into_expr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_numbered_in_order_and_written_as_the_registry_keeps_them() {
        let document = LifecyclePolicyDocument::new()
            .rule(LifecycleRule::untagged_older_than(7).description("Old"))
            .rule(LifecycleRule::tagged_beyond(10, ["v"]));
        assert_eq!(
            document.to_json().expect("a policy"),
            concat!(
                r#"{"rules":[{"action":{"type":"expire"},"description":"Old","rulePriority":1,"#,
                r#""selection":{"countNumber":7,"countType":"sinceImagePushed","countUnit":"days","tagStatus":"untagged"}},"#,
                r#"{"action":{"type":"expire"},"description":"Keep the last 10 tagged images","rulePriority":2,"#,
                r#""selection":{"countNumber":10,"countType":"imageCountMoreThan","tagPrefixList":["v"],"tagStatus":"tagged"}}]}"#
            )
        );
    }

    #[test]
    fn what_the_registry_would_refuse_is_refused() {
        let refused =
            |document: LifecyclePolicyDocument| document.to_json().expect_err("refused").0;
        assert!(refused(LifecyclePolicyDocument::new()).contains("without a rule"));
        let any = LifecyclePolicyDocument::new()
            .rule(LifecycleRule::any_beyond(3))
            .rule(LifecycleRule::untagged_older_than(7));
        assert!(refused(any).contains("must be the last"));
        let zero = LifecyclePolicyDocument::new().rule(LifecycleRule::any_beyond(0));
        assert!(refused(zero).contains("count from 1"));
    }
}
