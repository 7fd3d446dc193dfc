//! Points a provider configuration at an emulator of AWS.

use std::sync::Arc;

use terrane_core::Value;
use terrane_core::schema::Schema;

/// Second names of services in `endpoints`, up to 5.100: later versions of the provider warn where a service is named twice.
#[rustfmt::skip]
const SECOND_NAMES: &[&str] = &[
    "amg", "appintegrationsservice", "appregistry", "applicationautoscaling", "beanstalk", "cloudcontrolapi", "cloudhsm",
    "cloudwatchevents", "cloudwatchevidently", "cloudwatchlog", "cloudwatchlogs",
    "cloudwatchobservabilityaccessmanager", "cloudwatchrum", "codedeploy", "cognitoidentityprovider", "config",
    "costandusagereportservice", "costexplorer", "databasemigration", "databasemigrationservice", "directoryservice",
    "elasticloadbalancing", "elasticloadbalancingv2", "elasticsearchservice", "es", "eventbridge", "gluedatabrew", "inspectorv2", "lex",
    "lexmodelbuilding", "lexmodelbuildingservice", "lexmodelsv2", "locationservice", "managedgrafana", "msk",
    "opensearchingestion", "opensearchservice", "prometheus", "prometheusservice", "recyclebin",
    "redshiftdataapiservice", "resourcegroupstagging", "s3api", "sdb", "serverlessapplicationrepository",
    "serverlessapprepo", "stepfunctions", "transcribeservice",
];

/// Sends every service that this version of the provider has to that endpoint. The variable `AWS_ENDPOINT_URL` alone would not do:
/// versions before the last ones of 5 honour it for some services and go to the real AWS for others.
///
/// The account number is still asked for, because ARNs are built from it. Arguments of the program's own stay.
pub(crate) fn redirect(config: Value, schema: &Schema, endpoint_url: &str) -> Value {
    let Some(mut members) = config.members().cloned() else {
        return config;
    };
    // Buckets as host names do not resolve below an address, and there is no machine whose metadata could be asked.
    for (argument, value) in [
        ("s3_use_path_style", true.into()),
        ("skip_metadata_api_check", "true".into()),
    ] {
        if let Some(member) = members.get_mut(argument).filter(|it| it.is_null()) {
            *member = value;
        }
    }
    let services = schema.block.blocks.get("endpoints");
    let endpoints = members.get_mut("endpoints");
    if let (Some(services), Some(Value::Set(endpoints))) = (services, endpoints)
        && endpoints.is_empty()
    {
        let names = services.block.attributes.keys();
        let urls = names.map(|name| match SECOND_NAMES.contains(&&**name) {
            true => (name.clone(), Value::Null),
            false => (name.clone(), endpoint_url.into()),
        });
        *endpoints = Arc::new(vec![Value::map(urls)]);
    }
    Value::Map(Arc::new(members))
}

#[cfg(test)]
mod tests {
    use terrane_core::schema::Facts;

    use super::*;

    const URL: &str = "http://127.0.0.1:5000";

    /// A configuration with only that in it, redirected.
    fn redirected(argument: &str, value: Value) -> Value {
        let schema = Facts::new(crate::PROVIDER.facts)
            .provider()
            .expect("a schema");
        let config = schema.block.coerce(&Value::map([(argument, value)]));
        redirect(config.expect("fits"), &schema, URL)
    }

    fn endpoint(config: &Value, service: &str) -> Value {
        let endpoints = config.get("endpoints").and_then(Value::elements);
        let endpoint = endpoints.and_then(|endpoints| endpoints[0].get(service));
        endpoint.expect("there").clone()
    }

    #[test]
    fn every_service_goes_to_the_endpoint_unless_the_program_says_otherwise() {
        let config = redirected("s3_use_path_style", false.into());
        assert_eq!(endpoint(&config, "sts"), URL.into());
        assert_eq!(endpoint(&config, "eks"), URL.into());
        // One name a service is enough, and two of them are a warning.
        assert_eq!(endpoint(&config, "cloudwatchlogs"), Value::Null);
        assert_eq!(endpoint(&config, "logs"), URL.into());
        assert_eq!(config.get("s3_use_path_style"), Some(&false.into()));
        assert_eq!(config.get("skip_metadata_api_check"), Some(&"true".into()));

        let own = Value::map([("eks", "http://127.0.0.1:6000".into())]);
        let config = redirected("endpoints", Value::list(vec![own]));
        assert_eq!(endpoint(&config, "eks"), "http://127.0.0.1:6000".into());
        assert_eq!(endpoint(&config, "sts"), Value::Null);
        assert_eq!(config.get("s3_use_path_style"), Some(&true.into()));
    }
}
