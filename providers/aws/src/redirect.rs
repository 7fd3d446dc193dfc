//! Points a provider configuration at an emulator of AWS.

use terrane_core::schema::Facts;
use terrane_core::{BlockArguments, Expr, IntoExpr};

use crate::generated::FACTS;

/// Second names of services in `endpoints`: later versions of the provider warn where a service is named twice.
#[rustfmt::skip]
const SECOND_NAMES: &[&str] = &[
    "amg", "appintegrationsservice", "applicationautoscaling", "beanstalk", "cloudcontrolapi", "cloudhsm",
    "cloudwatchevents", "cloudwatchevidently", "cloudwatchlog", "cloudwatchlogs",
    "cloudwatchobservabilityaccessmanager", "cloudwatchrum", "codedeploy", "cognitoidentityprovider", "config",
    "costandusagereportservice", "costexplorer", "databasemigration", "databasemigrationservice", "directoryservice",
    "elasticloadbalancing", "elasticloadbalancingv2", "elasticsearchservice", "es", "eventbridge", "inspectorv2", "lex",
    "lexmodelbuilding", "lexmodelbuildingservice", "lexmodelsv2", "locationservice", "managedgrafana", "msk",
    "opensearchingestion", "opensearchservice", "prometheus", "prometheusservice", "recyclebin",
    "redshiftdataapiservice", "resourcegroupstagging", "s3api", "sdb", "serverlessapplicationrepository",
    "serverlessapprepo", "stepfunctions", "transcribeservice",
];

/// Sends every service to that endpoint. The variable `AWS_ENDPOINT_URL` alone would not do: the provider honours it for
/// some services and goes to the real AWS for others.
///
/// The account number is still asked for, because ARNs are built from it. What the program set itself stays.
pub(crate) fn redirect(arguments: BlockArguments, endpoint_url: &str) -> BlockArguments {
    let mut arguments = arguments;
    if !arguments.contains("endpoints") {
        let services = Facts::new(FACTS)
            .provider()
            .and_then(|schema| schema.block.blocks.get("endpoints").cloned());
        let mut endpoints = BlockArguments::new();
        let names = services
            .iter()
            .flat_map(|block| block.block.attributes.keys());
        for service in names.filter(|name| !SECOND_NAMES.contains(&&***name)) {
            endpoints = endpoints.set(service, endpoint_url);
        }
        arguments = arguments.push_block("endpoints", endpoints);
    }
    // Buckets as host names do not resolve below an address, and there is no machine whose metadata could be asked.
    for (argument, value) in [
        ("s3_use_path_style", true.into_expr()),
        ("skip_metadata_api_check", "true".into_expr()),
    ] {
        arguments = set_if_missing(arguments, argument, value);
    }
    arguments
}

fn set_if_missing(arguments: BlockArguments, argument: &str, value: Expr) -> BlockArguments {
    if arguments.contains(argument) {
        arguments
    } else {
        arguments.set(argument, value)
    }
}

#[cfg(test)]
mod tests {
    use terrane_core::value::{Path, Value};
    use terrane_core::{NoConfig, Program};

    use crate::Provider;

    #[test]
    fn every_service_goes_to_the_endpoint_unless_the_program_says_otherwise() {
        let mut program = Program::from_fn(
            |stack| {
                stack.provider(Provider::builder().s3_use_path_style(false));
                Ok(())
            },
            NoConfig,
        )
        .expect("a program");
        program.redirect("http://127.0.0.1:5000");
        let arguments = &program.providers()[0].arguments;
        let value = |path: &str| {
            let path: Path = path.parse().expect("a path");
            match arguments.part(&path) {
                terrane_core::Expr::Literal(value) => value.clone(),
                _ => Value::Null,
            }
        };
        assert_eq!(
            value("endpoints[0].sts"),
            Value::from("http://127.0.0.1:5000")
        );
        assert_eq!(
            value("endpoints[0].eks"),
            Value::from("http://127.0.0.1:5000")
        );
        // One name a service is enough, and two of them are a warning.
        assert_eq!(value("endpoints[0].cloudwatchlogs"), Value::Null);
        assert_eq!(value("endpoints[0].logs"), value("endpoints[0].sts"));
        assert_eq!(value("s3_use_path_style"), Value::Bool(false));
        assert_eq!(value("skip_metadata_api_check"), Value::from("true"));
    }
}
