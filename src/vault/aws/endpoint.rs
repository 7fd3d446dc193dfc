//! Where a service of AWS is, by its region.

use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

use super::client::Service;

/// The domains of AWS's partitions, by how their regions begin; all others are `amazonaws.com`.
const DOMAINS: [(&str, &str); 5] = [
    ("cn-", "amazonaws.com.cn"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("us-isof-", "csp.hci.ic.gov"),
    ("us-iso-", "c2s.ic.gov"),
    ("eusc-", "amazonaws.eu"),
];

/// The address of a service: the one that environment or profile name for it or for all services, else AWS's own.
pub(super) fn endpoint(shared: &SdkConfig, service: Service, region: &str) -> String {
    let key = ServiceConfigKey::builder()
        .service_id(service.variable)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .expect("invariant: all three are set");
    let own = shared
        .service_config()
        .and_then(|config| config.load_config(key));
    own.or_else(|| shared.endpoint_url().map(ToOwned::to_owned))
        .unwrap_or_else(|| {
            let fips = shared.use_fips().unwrap_or(false);
            public(
                service.host,
                region,
                fips,
                shared.use_dual_stack().unwrap_or(false),
            )
        })
}

fn public(host: &str, region: &str, fips: bool, dual_stack: bool) -> String {
    let known = DOMAINS.iter().find(|(start, _)| region.starts_with(start));
    let domain = match (known, dual_stack) {
        (Some(("cn-", _)), true) => "api.amazonwebservices.com.cn",
        (None, true) => "api.aws",
        (Some((_, domain)), _) => domain,
        (None, false) => "amazonaws.com",
    };
    let fips = if fips { "-fips" } else { "" };
    format!("https://{host}{fips}.{region}.{domain}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_in_the_domain_of_its_region() {
        for (region, fips, dual_stack, expected) in [
            (
                "eu-west-1",
                false,
                false,
                "https://ssm.eu-west-1.amazonaws.com",
            ),
            (
                "us-gov-west-1",
                true,
                false,
                "https://ssm-fips.us-gov-west-1.amazonaws.com",
            ),
            ("eu-west-1", false, true, "https://ssm.eu-west-1.api.aws"),
            (
                "cn-north-1",
                false,
                false,
                "https://ssm.cn-north-1.amazonaws.com.cn",
            ),
            (
                "us-isob-east-1",
                false,
                false,
                "https://ssm.us-isob-east-1.sc2s.sgov.gov",
            ),
        ] {
            assert_eq!(public("ssm", region, fips, dual_stack), expected);
        }
    }
}
