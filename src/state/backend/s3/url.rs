//! `s3://bucket/key?option=value&…`, which says all of a backend in one argument.

use std::fmt;
use std::str::FromStr;

use url::Url;

use super::{InvalidOption, S3Backend};
use crate::backend::{address_url, url_decode, url_encode, url_options};

fn invalid(option: impl Into<String>, reason: impl Into<String>) -> InvalidOption {
    InvalidOption {
        option: option.into(),
        reason: reason.into(),
    }
}

impl FromStr for S3Backend {
    type Err = InvalidOption;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.starts_with("s3://") {
            return Err(invalid("url", "it begins with `s3://`"));
        }
        let url = address_url(text).map_err(|reason| invalid("url", reason))?;
        Self::try_from(&url)
    }
}

impl TryFrom<&Url> for S3Backend {
    type Error = InvalidOption;

    fn try_from(url: &Url) -> Result<Self, Self::Error> {
        if !url.username().is_empty() || url.password().is_some() || url.port().is_some() {
            let reason = "before the key there is nothing but the bucket: s3://bucket/key";
            return Err(invalid("url", reason));
        }
        let key = url.path().strip_prefix('/');
        let key = key.ok_or_else(|| invalid("key", "it is missing: s3://bucket/key"))?;
        let key = url_decode(key).map_err(|reason| invalid("key", reason))?;
        let mut backend = Self::new(url.host_str().unwrap_or_default(), key);
        let options = url_options(url).map_err(|(option, reason)| invalid(option, reason))?;
        for (option, value) in options {
            backend.set(&option, &value)?;
        }
        backend.validate()?;
        Ok(backend)
    }
}

impl fmt::Display for S3Backend {
    /// The URL, without anything secret: keys, tokens and policies are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, url_encode(&self.key))?;
        let flag = |set: bool| set.then(|| "true".to_owned());
        let list = |values: &[String]| (!values.is_empty()).then(|| values.join(","));
        let text = |value: &Option<String>| value.clone();
        let role = self.assume_role.as_ref();
        let differs = |value: &str, default: &str| (value != default).then(|| value.to_owned());
        let options = [
            ("region", text(&self.region)),
            ("workspace", differs(&self.workspace, "default")),
            (
                "workspace_key_prefix",
                differs(&self.workspace_key_prefix, "env:"),
            ),
            ("dynamodb_table", text(&self.dynamodb_table)),
            (
                "use_lockfile",
                self.use_lockfile.map(|used| used.to_string()),
            ),
            ("encrypt", flag(self.encrypt)),
            ("kms_key_id", text(&self.kms_key_id)),
            ("acl", text(&self.acl)),
            ("profile", text(&self.profile)),
            ("shared_config_files", list(&self.shared_config_files)),
            (
                "shared_credentials_files",
                list(&self.shared_credentials_files),
            ),
            (
                "assume_role.role_arn",
                role.map(|role| role.role_arn.clone()),
            ),
            (
                "assume_role.session_name",
                role.and_then(|role| role.session_name.clone()),
            ),
            ("endpoints.s3", text(&self.endpoints.s3)),
            ("endpoints.dynamodb", text(&self.endpoints.dynamodb)),
            ("endpoints.sts", text(&self.endpoints.sts)),
            (
                "use_path_style",
                self.use_path_style.map(|used| used.to_string()),
            ),
            ("use_dualstack_endpoint", flag(self.use_dualstack_endpoint)),
            ("use_fips_endpoint", flag(self.use_fips_endpoint)),
            ("max_retries", differs(&self.max_retries.to_string(), "5")),
            ("allowed_account_ids", list(&self.allowed_account_ids)),
            ("forbidden_account_ids", list(&self.forbidden_account_ids)),
            ("skip_s3_checksum", flag(self.skip_s3_checksum)),
            (
                "skip_credentials_validation",
                flag(self.skip_credentials_validation),
            ),
            ("skip_region_validation", flag(self.skip_region_validation)),
            (
                "skip_requesting_account_id",
                flag(self.skip_requesting_account_id),
            ),
            (
                "skip_metadata_api_check",
                flag(self.skip_metadata_api_check),
            ),
        ];
        let mut separator = '?';
        for (option, value) in options {
            if let Some(value) = value {
                write!(f, "{separator}{option}={}", url_encode(&value))?;
                separator = '&';
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> S3Backend {
        text.parse().expect("a backend")
    }

    fn refusal(text: &str) -> String {
        text.parse::<S3Backend>().expect_err("refused").to_string()
    }

    #[test]
    fn urls_round_trip() {
        for url in [
            "s3://b/k",
            "s3://b/a/k.tfstate?region=eu-west-1&dynamodb_table=locks&use_lockfile=true&encrypt=true",
            "s3://B_b/k%23%3F%25?region=a+b%26c",
            "s3://b/k%20k?workspace=dev&workspace_key_prefix=e%26nv&max_retries=2&skip_s3_checksum=true",
            "s3://b/k?assume_role.role_arn=arn:aws:iam::1:role/r&endpoints.s3=http://127.0.0.1:5000&use_path_style=true",
        ] {
            assert_eq!(parse(url).to_string(), url);
        }
    }

    #[test]
    fn an_incomplete_or_unknown_url_is_refused() {
        insta::assert_snapshot!(refusal("b/k"), @"S3 backend option `url`: it begins with `s3://`");
        insta::assert_snapshot!(refusal("s3://b"), @"S3 backend option `key`: it is missing: s3://bucket/key");
        insta::assert_snapshot!(refusal("s3://b/k/"), @"S3 backend option `key`: it may neither be empty nor begin or end with `/`");
        insta::assert_snapshot!(refusal("s3:///k"), @"S3 backend option `bucket`: it is missing");
        insta::assert_snapshot!(refusal("s3://b/k?lokc=x"), @"S3 backend option `lokc`: there is no such option");
        insta::assert_snapshot!(refusal("s3://b/k?encrypt=yes"), @"S3 backend option `encrypt`: it is either true or false");
        insta::assert_snapshot!(refusal("s3://b/k?region"), @"S3 backend option `region`: it has no value");
        insta::assert_snapshot!(refusal("s3://b/k?region=%zz"), @"S3 backend option `region`: a `%` is followed by two hexadecimal digits");
        insta::assert_snapshot!(refusal("s3://b/k?workspace=.."), @"S3 backend option `workspace`: up to 90 letters, digits, `-` and `_`");
        insta::assert_snapshot!(refusal("s3://me:secret@b/k"), @"S3 backend option `url`: before the key there is nothing but the bucket: s3://bucket/key");
        insta::assert_snapshot!(refusal("s3://b/a/../k"), @"S3 backend option `url`: `s3://b/a/../k` is not an address of a state: it has a segment `.` or `..`");
        insta::assert_snapshot!(refusal("s3://b/k?access_key=a"), @"S3 backend option `access_key`: it goes with secret_key");
    }

    #[test]
    fn workspaces_have_terraforms_layout() {
        assert_eq!(parse("s3://b/k").object_key(), "k");
        assert_eq!(parse("s3://b/k?workspace=dev").object_key(), "env:/dev/k");
        assert_eq!(
            parse("s3://b/k?workspace=dev&workspace_key_prefix=").object_key(),
            "dev/k"
        );
        assert_eq!(parse("s3://b/k?workspace=dev").lock_path(), "b/env:/dev/k");
    }

    #[test]
    fn there_is_always_a_lock() {
        assert!(parse("s3://b/k").locks_by_file());
        assert!(!parse("s3://b/k?dynamodb_table=t").locks_by_file());
        assert!(parse("s3://b/k?dynamodb_table=t&use_lockfile=true").locks_by_file());
        assert!(parse("s3://b/k?use_lockfile=false").locks_by_file());
    }

    #[test]
    fn nothing_secret_is_printed() {
        let backend = parse("s3://b/k?access_key=AKIA&secret_key=hunter2&token=hunter3");
        assert!(!format!("{backend} {backend:?}").contains("hunter"));
    }
}
