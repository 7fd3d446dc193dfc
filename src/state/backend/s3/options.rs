//! The options of a state in S3: those of Terraform's backend, by their names.

use std::fmt;

use thiserror::Error;

/// A state in S3: a value that a program makes and a URL can say.
///
/// ```
/// # use terrane_state::S3Backend;
/// let backend = S3Backend::new("acme-infra-state", "mlops/prod.tfstate")
///     .region("eu-west-1")
///     .lock_table("acme-infra-locks");
/// assert_eq!(
///     backend.to_string(),
///     "s3://acme-infra-state/mlops/prod.tfstate?region=eu-west-1&dynamodb_table=acme-infra-locks"
/// );
/// ```
///
/// Without a lock table the lock is a lockfile in the bucket: a state is never used without a lock.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Backend {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) workspace: String,
    pub(crate) workspace_key_prefix: String,
    pub(crate) region: Option<String>,
    pub(crate) dynamodb_table: Option<String>,
    pub(crate) use_lockfile: Option<bool>,
    pub(crate) encrypt: bool,
    pub(crate) kms_key_id: Option<String>,
    pub(crate) sse_customer_key: Option<String>,
    pub(crate) acl: Option<String>,
    pub(crate) profile: Option<String>,
    pub(crate) access_key: Option<String>,
    pub(crate) secret_key: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) shared_config_files: Vec<String>,
    pub(crate) shared_credentials_files: Vec<String>,
    pub(crate) assume_role: Option<AssumeRole>,
    pub(crate) endpoints: Endpoints,
    pub(crate) use_path_style: Option<bool>,
    pub(crate) use_dualstack_endpoint: bool,
    pub(crate) use_fips_endpoint: bool,
    pub(crate) max_retries: u32,
    pub(crate) allowed_account_ids: Vec<String>,
    pub(crate) forbidden_account_ids: Vec<String>,
    pub(crate) skip_s3_checksum: bool,
    pub(crate) skip_credentials_validation: bool,
    pub(crate) skip_region_validation: bool,
    pub(crate) skip_requesting_account_id: bool,
    pub(crate) skip_metadata_api_check: bool,
}

/// The role to take on for the backend.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssumeRole {
    /// The role.
    pub role_arn: String,
    /// The external id that its trust policy requires.
    pub external_id: Option<String>,
    /// How the session is named in logs.
    pub session_name: Option<String>,
    /// A policy that narrows the session.
    pub policy: Option<String>,
    /// Seconds that the session's credentials are valid.
    pub duration_seconds: Option<u32>,
}

/// Other addresses for the services, for emulators and private endpoints.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// S3.
    pub s3: Option<String>,
    /// DynamoDB.
    pub dynamodb: Option<String>,
    /// STS.
    pub sts: Option<String>,
}

/// An option does not exist or has a value it cannot have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("S3 backend option `{option}`: {reason}")]
#[non_exhaustive]
pub struct InvalidOption {
    /// Its name.
    pub option: String,
    /// The reason.
    pub reason: String,
}

impl S3Backend {
    /// The state with that key in that bucket.
    pub fn new(bucket: impl Into<String>, key: impl Into<String>) -> Self {
        Self {
            bucket: bucket.into(),
            key: key.into(),
            workspace: "default".into(),
            workspace_key_prefix: "env:".into(),
            region: None,
            dynamodb_table: None,
            use_lockfile: None,
            encrypt: false,
            kms_key_id: None,
            sse_customer_key: None,
            acl: None,
            profile: None,
            access_key: None,
            secret_key: None,
            token: None,
            shared_config_files: Vec::new(),
            shared_credentials_files: Vec::new(),
            assume_role: None,
            endpoints: Endpoints::default(),
            use_path_style: None,
            use_dualstack_endpoint: false,
            use_fips_endpoint: false,
            max_retries: 5,
            allowed_account_ids: Vec::new(),
            forbidden_account_ids: Vec::new(),
            skip_s3_checksum: false,
            skip_credentials_validation: false,
            skip_region_validation: false,
            skip_requesting_account_id: false,
            skip_metadata_api_check: false,
        }
    }

    /// The region of bucket and table; without it the usual AWS sources decide.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Locks by an item in that DynamoDB table, as Terraform does with `dynamodb_table`.
    #[must_use]
    pub fn lock_table(mut self, table: impl Into<String>) -> Self {
        self.dynamodb_table = Some(table.into());
        self
    }

    /// Locks by an object beside the state, as Terraform does with `use_lockfile`; with a lock table, by both.
    #[must_use]
    pub fn lockfile(mut self) -> Self {
        self.use_lockfile = Some(true);
        self
    }

    /// Encrypts with S3's own keys, or those of KMS.
    #[must_use]
    pub fn encrypted(mut self, kms_key_id: Option<&str>) -> Self {
        self.encrypt = true;
        self.kms_key_id = kms_key_id.map(str::to_owned);
        self
    }

    /// Another workspace than `default`: its state lies under `<workspace_key_prefix>/<workspace>/<key>`.
    #[must_use]
    pub fn workspace(mut self, workspace: impl Into<String>) -> Self {
        self.workspace = workspace.into();
        self
    }

    /// A named profile of the AWS configuration files.
    #[must_use]
    pub fn profile(mut self, profile: impl Into<String>) -> Self {
        self.profile = Some(profile.into());
        self
    }

    /// Takes on a role first.
    #[must_use]
    pub fn assume_role(mut self, role: AssumeRole) -> Self {
        self.assume_role = Some(role);
        self
    }

    /// Other addresses for the services.
    #[must_use]
    pub fn endpoints(mut self, endpoints: Endpoints) -> Self {
        self.endpoints = endpoints;
        self
    }

    /// The bucket.
    pub fn bucket_name(&self) -> &str {
        &self.bucket
    }

    /// The lock table, if there is one.
    pub fn lock_table_name(&self) -> Option<&str> {
        self.dynamodb_table.as_deref()
    }

    /// Whether a lockfile is used: where it is asked for, and where nothing else locks.
    pub fn locks_by_file(&self) -> bool {
        self.use_lockfile.unwrap_or(false) || self.dynamodb_table.is_none()
    }

    /// The key of the state's object: the workspace's.
    pub fn object_key(&self) -> String {
        match (&*self.workspace, &*self.workspace_key_prefix) {
            ("default", _) => self.key.clone(),
            (workspace, "") => format!("{workspace}/{}", self.key),
            (workspace, prefix) => format!("{prefix}/{workspace}/{}", self.key),
        }
    }

    /// `<bucket>/<object key>`, which names the lock.
    pub fn lock_path(&self) -> String {
        format!("{}/{}", self.bucket, self.object_key())
    }

    /// Sets an option of Terraform's backend by its name; lists are separated by commas, members of blocks follow a dot
    /// (`endpoints.s3`, `assume_role.role_arn`).
    ///
    /// # Errors
    /// When there is no such option, or its value does not fit.
    pub fn set(&mut self, option: &str, value: &str) -> Result<(), InvalidOption> {
        let invalid = |reason: &str| InvalidOption {
            option: option.to_owned(),
            reason: reason.to_owned(),
        };
        let text = || Some(value.to_owned());
        let list = || {
            value
                .split(',')
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let flag = || match value {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(invalid("it is either true or false")),
        };
        match option {
            "region" => self.region = text(),
            "workspace" => self.workspace = value.to_owned(),
            "workspace_key_prefix" => self.workspace_key_prefix = value.to_owned(),
            "dynamodb_table" | "lock_table" => self.dynamodb_table = text(),
            "use_lockfile" => self.use_lockfile = Some(flag()?),
            "encrypt" => self.encrypt = flag()?,
            "kms_key_id" => self.kms_key_id = text(),
            "sse_customer_key" => self.sse_customer_key = text(),
            "acl" => self.acl = text(),
            "profile" => self.profile = text(),
            "access_key" => self.access_key = text(),
            "secret_key" => self.secret_key = text(),
            "token" => self.token = text(),
            "shared_config_files" => self.shared_config_files = list(),
            "shared_credentials_files" | "shared_credentials_file" => {
                self.shared_credentials_files = list();
            }
            "endpoints.s3" | "endpoint" => self.endpoints.s3 = text(),
            "endpoints.dynamodb" | "dynamodb_endpoint" => self.endpoints.dynamodb = text(),
            "endpoints.sts" | "sts_endpoint" => self.endpoints.sts = text(),
            "use_path_style" | "force_path_style" => self.use_path_style = Some(flag()?),
            "use_dualstack_endpoint" => self.use_dualstack_endpoint = flag()?,
            "use_fips_endpoint" => self.use_fips_endpoint = flag()?,
            "max_retries" => {
                let retries = value
                    .parse()
                    .map_err(|_| invalid("it is a whole number from 0"));
                self.max_retries = retries?;
            }
            "allowed_account_ids" => self.allowed_account_ids = list(),
            "forbidden_account_ids" => self.forbidden_account_ids = list(),
            "skip_s3_checksum" => self.skip_s3_checksum = flag()?,
            "skip_credentials_validation" => self.skip_credentials_validation = flag()?,
            "skip_region_validation" => self.skip_region_validation = flag()?,
            "skip_requesting_account_id" => self.skip_requesting_account_id = flag()?,
            "skip_metadata_api_check" => self.skip_metadata_api_check = flag()?,
            _ => {
                let (block, member) = option.split_once('.').unwrap_or(("assume_role", option));
                let role = self.assume_role.get_or_insert_with(AssumeRole::default);
                match (block, member) {
                    ("assume_role", "role_arn") => role.role_arn = value.to_owned(),
                    ("assume_role", "external_id") => role.external_id = text(),
                    ("assume_role", "session_name") => role.session_name = text(),
                    ("assume_role", "policy" | "assume_role_policy") => role.policy = text(),
                    ("assume_role", "duration" | "assume_role_duration_seconds") => {
                        role.duration_seconds = Some(
                            seconds(value)
                                .ok_or_else(|| invalid("it is a duration such as 1h or 900s"))?,
                        );
                    }
                    _ => return Err(invalid("there is no such option")),
                }
            }
        }
        Ok(())
    }

    /// Whether the options make sense together.
    ///
    /// # Errors
    /// The first thing that does not.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        let invalid = |option: &str, reason: &str| InvalidOption {
            option: option.to_owned(),
            reason: reason.to_owned(),
        };
        let workspace = &self.workspace;
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if self.bucket.is_empty() {
            return Err(invalid("bucket", "it is missing"));
        }
        if self.key.is_empty() || self.key.starts_with('/') || self.key.ends_with('/') {
            return Err(invalid(
                "key",
                "it may neither be empty nor begin or end with `/`",
            ));
        }
        if self.workspace_key_prefix.starts_with('/') || self.workspace_key_prefix.ends_with('/') {
            return Err(invalid(
                "workspace_key_prefix",
                "it may neither begin nor end with `/`",
            ));
        }
        if workspace.is_empty() || workspace.len() > 90 || !workspace.bytes().all(plain) {
            return Err(invalid(
                "workspace",
                "up to 90 letters, digits, `-` and `_`",
            ));
        }
        if self.kms_key_id.is_some() && self.sse_customer_key.is_some() {
            return Err(invalid("sse_customer_key", "it excludes kms_key_id"));
        }
        if self
            .sse_customer_key
            .as_ref()
            .is_some_and(|key| key.len() != 44)
        {
            return Err(invalid(
                "sse_customer_key",
                "it is 44 characters of base64 (256 bits)",
            ));
        }
        if self.access_key.is_some() != self.secret_key.is_some() {
            return Err(invalid("access_key", "it goes with secret_key"));
        }
        if self
            .assume_role
            .as_ref()
            .is_some_and(|role| role.role_arn.is_empty())
        {
            return Err(invalid("assume_role.role_arn", "it is missing"));
        }
        Ok(())
    }
}

/// `1h`, `15m`, `900s` or bare seconds.
fn seconds(text: &str) -> Option<u32> {
    let unit = text
        .trim_end_matches(|c: char| c.is_ascii_alphabetic())
        .len();
    let number: u32 = text[..unit].parse().ok()?;
    match &text[unit..] {
        "" | "s" => Some(number),
        "m" => number.checked_mul(60),
        "h" => number.checked_mul(3600),
        _ => None,
    }
}

impl fmt::Debug for S3Backend {
    /// As its URL: keys and tokens are not in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S3Backend({self})")
    }
}
