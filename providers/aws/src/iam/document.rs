//! Policy documents, which roles, policies, buckets and keys hold as JSON.

use serde_json::{Map, Value as Json};
use terrane_core::{Expr, Input, IntoExpr, IntoInput, Location, Output, Value};

use super::Statement;
use crate::json::{object, one_or_more, text};

/// A policy as a typed value; every argument that takes a policy's JSON takes this.
///
/// ```
/// use terrane_aws::iam::{PolicyDocument, Role, Statement};
/// # fn role(stack: &mut terrane_core::Stack) {
/// let role = Role::builder("worker")
///     .assume_role_policy(PolicyDocument::assumed_by("ec2.amazonaws.com"))
///     .declare(stack);
/// # }
/// PolicyDocument::new().statement(Statement::allow(["s3:ListBucket"]).resources(["arn:aws:s3:::reports"]));
/// ```
///
/// A document that AWS would refuse (no statement, an action that is not `service:Action`, a resource that is no ARN) is an error at the line
/// that wrote it, before anything is asked of AWS. The JSON is always the same for the same document and in the form that AWS
/// returns it, so that an unchanged policy shows no difference.
#[derive(Debug, Clone)]
#[must_use]
pub struct PolicyDocument {
    statements: Vec<Statement>,
    location: Location,
}

impl PolicyDocument {
    /// A document without statements, which is not a policy yet.
    #[expect(clippy::new_without_default)] // `Default` could not say at which line an empty document was written
    #[track_caller]
    pub fn new() -> Self {
        Self {
            statements: Vec::new(),
            location: Location::caller(),
        }
    }

    /// The same document with one statement more.
    pub fn statement(mut self, statement: Statement) -> Self {
        self.statements.push(statement);
        self
    }

    /// Lets an AWS service take on the role: `assumed_by("eks.amazonaws.com")`.
    #[track_caller]
    pub fn assumed_by(service: impl IntoInput<String>) -> Self {
        let location = Location::caller();
        let statement = Statement::new("Allow", ["sts:AssumeRole"], location);
        Self {
            statements: vec![statement.services([service.into_input()])],
            location,
        }
    }

    /// Lets those take on the role for whom an OpenID Connect provider vouches, when each key of its token has that value:
    /// `assumed_by_federated(provider.arn(), [(subject_key, "system:serviceaccount:apps:api")])`. For a role of a Kubernetes
    /// service account (IRSA) there is [`assumed_by_service_account`](Self::assumed_by_service_account).
    #[track_caller]
    pub fn assumed_by_federated<K: IntoInput<String>, V: IntoInput<String>>(
        provider_arn: impl IntoInput<String>,
        claims: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let location = Location::caller();
        let statement = Statement::new("Allow", ["sts:AssumeRoleWithWebIdentity"], location);
        let mut statement = statement.federated([provider_arn.into_input()]);
        for (key, value) in claims {
            statement = statement.condition("StringEquals", key, [value]);
        }
        Self {
            statements: vec![statement],
            location,
        }
    }

    /// Lets one Kubernetes service account take on the role, through the OpenID Connect provider of its cluster (IRSA).
    /// `issuer_url` is the cluster's issuer, with or without `https://`.
    #[track_caller]
    pub fn assumed_by_service_account(
        provider_arn: impl IntoInput<String>,
        issuer_url: &Output<String>,
        namespace: &str,
        service_account: &str,
    ) -> Self {
        let claim = |name: &'static str| {
            issuer_url.map(move |url| {
                let issuer = url.strip_prefix("https://").unwrap_or(&url);
                format!("{issuer}:{name}")
            })
        };
        let subject = format!("system:serviceaccount:{namespace}:{service_account}");
        let audience = "sts.amazonaws.com".to_owned();
        Self::assumed_by_federated(
            provider_arn,
            [(claim("aud"), audience), (claim("sub"), subject)],
        )
    }

    /// The document as JSON.
    pub fn to_json(self) -> Output<String> {
        let empty = || {
            (
                "a policy document without a statement".to_owned(),
                self.location,
            )
        };
        let problem = match self.statements.first() {
            None => Some(empty()),
            Some(_) => self.statements.iter().find_map(Statement::problem),
        };
        if let Some((reason, location)) = problem {
            return Output::new(Expr::invalid(reason, location));
        }
        let statements = self.statements.into_iter().map(Statement::into_expr);
        Output::<Value>::new(Expr::list(statements.collect()))
            .try_map(|document| assemble(&document))
    }
}

impl From<PolicyDocument> for Input<String> {
    fn from(document: PolicyDocument) -> Self {
        document.to_json().into()
    }
}

impl IntoExpr for PolicyDocument {
    fn into_expr(self) -> Expr {
        self.to_json().into_expr()
    }
}

/// Makes the JSON text of evaluated statements.
fn assemble(statements: &Value) -> Result<String, &'static str> {
    const FORM: &str = "a policy statement holds something that is not text";
    let statements = statements.elements().ok_or(FORM)?;
    let statements = statements.iter().map(|statement| {
        let mut json = Map::new();
        for (name, value) in statement.members().ok_or(FORM)? {
            let value = match &**name {
                "Condition" => conditions(value).ok_or(FORM)?,
                _ => plain(value).ok_or(FORM)?,
            };
            json.insert(name.to_string(), value);
        }
        Ok(Json::Object(json))
    });
    let statements = statements.collect::<Result<Vec<_>, &'static str>>()?;
    Ok(text(&object([
        ("Statement", Json::Array(statements)),
        ("Version", "2012-10-17".into()),
    ])))
}

/// Text, a list of texts, or an object of those.
fn plain(value: &Value) -> Option<Json> {
    if let Some(text) = value.as_str() {
        return Some(text.into());
    }
    if let Some(elements) = value.elements() {
        return Some(one_or_more(
            elements.iter().map(plain).collect::<Option<_>>()?,
        ));
    }
    let members = value.members()?.iter();
    let members = members.map(|(name, value)| Some((name.to_string(), plain(value)?)));
    Some(Json::Object(members.collect::<Option<_>>()?))
}

/// `[operator, key, values]` to `{operator: {key: values}}`, values of one key together.
fn conditions(value: &Value) -> Option<Json> {
    let mut json = Map::new();
    for condition in value.elements()? {
        let [operator, key, values] = condition.elements()? else {
            return None;
        };
        let of_operator = json
            .entry(operator.as_str()?)
            .or_insert_with(|| Json::Object(Map::new()));
        let mut all = match of_operator.as_object_mut()?.remove(key.as_str()?) {
            None => Vec::new(),
            Some(Json::Array(before)) => before,
            Some(before) => vec![before],
        };
        for value in values.elements()? {
            all.push(value.as_str()?.into());
        }
        let of_operator = of_operator.as_object_mut()?;
        of_operator.insert(key.as_str()?.to_owned(), one_or_more(all));
    }
    Some(Json::Object(json))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use terrane_core::addr::InstanceAddr;
    use terrane_core::{Marked, NoConfig, Program, Resource, Scope};

    use super::*;
    use crate::iam::Role;

    struct World;

    impl Scope for World {
        fn object(&self, _: &InstanceAddr) -> Option<Arc<Marked>> {
            let object = Value::map([
                (
                    "arn",
                    Value::from("arn:aws:iam::1:oidc-provider/oidc.example/id/X"),
                ),
                ("issuer", Value::from("https://oidc.example/id/X")),
            ]);
            Some(Arc::new(Marked::plain(object)))
        }
    }

    fn json(document: PolicyDocument) -> String {
        let value = document
            .into_expr()
            .evaluate(&World)
            .expect("a value")
            .value;
        value.as_str().expect("text").to_owned()
    }

    #[test]
    fn a_document_is_written_as_aws_keeps_it() {
        assert_eq!(
            json(PolicyDocument::assumed_by("eks.amazonaws.com")),
            r#"{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"eks.amazonaws.com"}}],"Version":"2012-10-17"}"#
        );
        let document = PolicyDocument::new()
            .statement(
                Statement::allow(["s3:GetObject", "s3:PutObject"])
                    .sid("Objects")
                    .resources(["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"])
                    .condition("StringLike", "aws:PrincipalTag/team", ["ml", "data"])
                    .condition("StringLike", "aws:PrincipalTag/team", ["ops"]),
            )
            .statement(
                Statement::deny(["*"])
                    .all_but_these_actions()
                    .resources(["*"])
                    .anyone(),
            );
        assert_eq!(
            json(document),
            concat!(
                r#"{"Statement":[{"Action":["s3:GetObject","s3:PutObject"],"#,
                r#""Condition":{"StringLike":{"aws:PrincipalTag/team":["ml","data","ops"]}},"Effect":"Allow","#,
                r#""Resource":["arn:aws:s3:::a/*","arn:aws:s3:::b/*"],"Sid":"Objects"},"#,
                r#"{"Effect":"Deny","NotAction":"*","Principal":"*","Resource":"*"}],"Version":"2012-10-17"}"#
            )
        );
    }

    #[test]
    fn a_service_account_is_named_through_the_issuer_of_its_cluster() {
        let mut document = None;
        let program = Program::from_fn(
            |stack| {
                let provider = Resource::dynamic("t_provider", "a").declare(stack);
                document = Some(PolicyDocument::assumed_by_service_account(
                    provider.attribute::<String>("arn"),
                    &provider.attribute("issuer"),
                    "apps",
                    "api",
                ));
                Ok(())
            },
            NoConfig,
        );
        assert!(program.is_ok());
        assert_eq!(
            json(document.expect("a document")),
            concat!(
                r#"{"Statement":[{"Action":"sts:AssumeRoleWithWebIdentity","#,
                r#""Condition":{"StringEquals":{"oidc.example/id/X:aud":"sts.amazonaws.com","#,
                r#""oidc.example/id/X:sub":"system:serviceaccount:apps:api"}},"Effect":"Allow","#,
                r#""Principal":{"Federated":"arn:aws:iam::1:oidc-provider/oidc.example/id/X"}}],"Version":"2012-10-17"}"#
            )
        );
    }

    #[test]
    fn what_aws_would_refuse_is_an_error_at_the_users_line() {
        let refused = |document: PolicyDocument| {
            let program = Program::from_fn(
                |stack| {
                    Role::builder("r")
                        .assume_role_policy(document)
                        .declare(stack);
                    Ok(())
                },
                NoConfig,
            );
            program.expect_err("refused").to_string()
        };
        let line = line!() + 1;
        let action = refused(PolicyDocument::new().statement(Statement::allow(["ListBucket"])));
        assert!(
            action
                .starts_with("error: `ListBucket` is not an action; write it as `service:Action`"),
            "{action}"
        );
        assert!(action.contains("resource   aws_iam_role.r"), "{action}");
        assert!(
            action.contains(&format!("src/iam/document.rs:{line}")),
            "{action}"
        );
        let empty = refused(PolicyDocument::new());
        assert!(empty.contains("without a statement"), "{empty}");
        let statement = Statement::allow(["s3:GetObject"]);
        let resource = refused(PolicyDocument::new().statement(statement.resources(["bucket"])));
        assert!(
            resource.contains("`bucket` is not a resource"),
            "{resource}"
        );
    }
}
