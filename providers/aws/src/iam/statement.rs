//! One statement of a policy: principals, actions and resources, allowed or denied.

use std::collections::BTreeMap;

use terrane_core::{Expr, IntoExpr, IntoInput, Location, Value};

/// A statement of a [`PolicyDocument`](super::PolicyDocument).
///
/// ```
/// use terrane_aws::iam::Statement;
/// Statement::allow(["s3:GetObject", "s3:PutObject"])
///     .resources(["arn:aws:s3:::reports/*"])
///     .condition("Bool", "aws:SecureTransport", ["true"]);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Statement {
    effect: &'static str,
    sid: Option<String>,
    actions: (&'static str, Vec<String>),
    resources: Option<(&'static str, Vec<Expr>)>,
    principals: BTreeMap<&'static str, Vec<Expr>>,
    anyone: bool,
    conditions: Vec<Condition>,
    location: Location,
}

#[derive(Debug, Clone)]
struct Condition {
    operator: String,
    key: Expr,
    values: Vec<Expr>,
}

impl Statement {
    /// Allows these actions (`s3:GetObject`, `s3:*`).
    #[track_caller]
    pub fn allow<A: Into<String>>(actions: impl IntoIterator<Item = A>) -> Self {
        Self::new("Allow", actions, Location::caller())
    }

    /// Denies these actions.
    #[track_caller]
    pub fn deny<A: Into<String>>(actions: impl IntoIterator<Item = A>) -> Self {
        Self::new("Deny", actions, Location::caller())
    }

    pub(super) fn new<A: Into<String>>(
        effect: &'static str,
        actions: impl IntoIterator<Item = A>,
        location: Location,
    ) -> Self {
        let actions = actions.into_iter().map(Into::into).collect();
        Self {
            effect,
            sid: None,
            actions: ("Action", actions),
            resources: None,
            principals: BTreeMap::new(),
            anyone: false,
            conditions: Vec::new(),
            location,
        }
    }

    /// Means every action but those given.
    pub fn all_but_these_actions(mut self) -> Self {
        self.actions.0 = "NotAction";
        self
    }

    /// Names the statement: letters and digits.
    pub fn sid(mut self, sid: impl Into<String>) -> Self {
        self.sid = Some(sid.into());
        self
    }

    /// The resources of the actions: ARNs, or `*`. Adds to those given before.
    pub fn resources<R: IntoInput<String>>(
        mut self,
        resources: impl IntoIterator<Item = R>,
    ) -> Self {
        let (_, all) = self.resources.get_or_insert(("Resource", Vec::new()));
        all.extend(expressions(resources));
        self
    }

    /// Means every resource but those given.
    pub fn all_but_these_resources(mut self) -> Self {
        if let Some((member, _)) = &mut self.resources {
            *member = "NotResource";
        }
        self
    }

    /// Who may: AWS services, by their host name (`eks.amazonaws.com`).
    pub fn services<P: IntoInput<String>>(self, names: impl IntoIterator<Item = P>) -> Self {
        self.principals("Service", names)
    }

    /// Who may: accounts, roles or users, by account number or ARN.
    pub fn aws<P: IntoInput<String>>(self, arns: impl IntoIterator<Item = P>) -> Self {
        self.principals("AWS", arns)
    }

    /// Who may: whoever an identity provider vouches for, by the provider's ARN.
    pub fn federated<P: IntoInput<String>>(self, arns: impl IntoIterator<Item = P>) -> Self {
        self.principals("Federated", arns)
    }

    /// Who may: everyone.
    pub fn anyone(mut self) -> Self {
        self.anyone = true;
        self
    }

    /// Holds only where a key of the request compares so to one of the values: `condition("StringEquals", "aws:PrincipalOrgID", ["o-1"])`.
    pub fn condition<V: IntoInput<String>>(
        mut self,
        operator: impl Into<String>,
        key: impl IntoInput<String>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        self.conditions.push(Condition {
            operator: operator.into(),
            key: key.into_input().into_expr(),
            values: expressions(values),
        });
        self
    }

    fn principals<P: IntoInput<String>>(
        mut self,
        kind: &'static str,
        names: impl IntoIterator<Item = P>,
    ) -> Self {
        let names = expressions(names);
        self.principals.entry(kind).or_default().extend(names);
        self
    }

    /// The reason why AWS would refuse it, and the line of the fault.
    pub(super) fn problem(&self) -> Option<(String, Location)> {
        let problem = |reason| Some((reason, self.location));
        if self.actions.1.is_empty() {
            return problem("a policy statement without an action".to_owned());
        }
        if let Some(action) = self.actions.1.iter().find(|action| !is_action(action)) {
            return problem(format!(
                "`{action}` is not an action; write it as `service:Action`, for example `s3:GetObject`"
            ));
        }
        if let Some((_, resources)) = &self.resources {
            if resources.is_empty() {
                return problem("a policy statement with an empty list of resources".to_owned());
            }
            for resource in resources {
                if let Expr::Literal(Value::String(text)) = resource
                    && !is_resource(text)
                {
                    return problem(format!("`{text}` is not a resource; write an ARN or `*`"));
                }
            }
        }
        if let Some(sid) = &self.sid
            && (sid.is_empty() || !sid.chars().all(|c| c.is_ascii_alphanumeric()))
        {
            return problem(format!(
                "`{sid}` is not a statement id; use letters and digits"
            ));
        }
        None
    }

    /// The statement as an object of expressions; [`super::document::assemble`] makes JSON of it.
    pub(super) fn into_expr(self) -> Expr {
        let text = |text: &str| text.into_expr();
        let mut members = BTreeMap::from([("Effect".into(), text(self.effect))]);
        let mut add = |name: &str, value| members.insert(name.into(), value);
        add(self.actions.0, self.actions.1.into_expr());
        if let Some(sid) = &self.sid {
            add("Sid", text(sid));
        }
        if let Some((name, resources)) = self.resources {
            add(name, Expr::list(resources));
        }
        if self.anyone {
            add("Principal", text("*"));
        } else if !self.principals.is_empty() {
            let principals = self.principals.into_iter();
            let principals = principals.map(|(kind, names)| (kind.into(), Expr::list(names)));
            add("Principal", Expr::map(principals.collect()));
        }
        if !self.conditions.is_empty() {
            // Keys may be unknown, which those of an object cannot be.
            let condition = |condition: Condition| {
                Expr::list(vec![
                    text(&condition.operator),
                    condition.key,
                    Expr::list(condition.values),
                ])
            };
            let conditions = self.conditions.into_iter().map(condition);
            add("Condition", Expr::list(conditions.collect()));
        }
        Expr::map(members)
    }
}

fn expressions<X: IntoInput<String>>(inputs: impl IntoIterator<Item = X>) -> Vec<Expr> {
    let inputs = inputs.into_iter();
    inputs.map(|input| input.into_input().into_expr()).collect()
}

fn is_action(text: &str) -> bool {
    if text == "*" {
        return true;
    }
    let Some((service, action)) = text.split_once(':') else {
        return false;
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let wild = |c: char| c.is_ascii_alphanumeric() || c == '*' || c == '?';
    !service.is_empty()
        && service.chars().all(plain)
        && !action.is_empty()
        && action.chars().all(wild)
}

fn is_resource(text: &str) -> bool {
    text == "*" || text.starts_with("arn:") || text.starts_with("${")
}
