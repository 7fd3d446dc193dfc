//! Credentials of registries and mirrors: a token belongs to one host and is sent to no other.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use crate::platform::Platform;

/// Bearer tokens by host (`HOST` or `HOST:PORT`), and the program that knows others.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    tokens: BTreeMap<String, String>,
    helper: Option<CredentialsHelper>,
}

/// A program that gives tokens, by Terraform's protocol for credentials helpers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CredentialsHelper {
    name: String,
    arguments: Vec<String>,
    /// None when it is not installed.
    program: Option<PathBuf>,
}

/// The tokens that a run has asked for.
#[derive(Debug, Default)]
pub(crate) struct Asked(Mutex<BTreeMap<String, Option<String>>>);

impl Credentials {
    /// The token for a host; a later one replaces an earlier one.
    pub fn insert(&mut self, host: &str, token: String) {
        self.tokens.insert(comparable(host), token);
    }

    /// The token that is stated for that host, as an address or a URL names it.
    pub(crate) fn own_token(&self, host: &str) -> Option<&str> {
        self.tokens.get(&comparable(host)).map(String::as_str)
    }

    /// The token for that host, if need be from the helper, which is asked once a run for each host.
    ///
    /// # Errors
    /// When the helper fails.
    pub(crate) async fn token(&self, host: &str, asked: &Asked) -> Result<Option<String>, String> {
        if let Some(token) = self.own_token(host) {
            return Ok(Some(token.to_owned()));
        }
        let Some(helper) = &self.helper else {
            return Ok(None);
        };
        let mut known = asked.0.lock().await;
        let host = comparable(host);
        if let Some(token) = known.get(&host) {
            return Ok(token.clone());
        }
        let token = helper.ask(&host).await?;
        known.insert(host, token.clone());
        Ok(token)
    }

    pub(crate) fn set_helper(&mut self, helper: CredentialsHelper) {
        self.helper = Some(helper);
    }

    /// Looks for the helper's program where Terraform does, then on the path.
    pub(crate) fn find_helper(&mut self, home: Option<&Path>, path: Option<&str>) {
        let Some(helper) = &mut self.helper else {
            return;
        };
        let plugins = home.map(|home| home.join(".terraform.d/plugins"));
        let own = plugins
            .iter()
            .map(|folder| folder.join(Platform::current().to_string()));
        let folders = own.chain(plugins.clone());
        let folders = folders.chain(path.into_iter().flat_map(std::env::split_paths));
        let name = format!("terraform-credentials-{}", helper.name);
        helper.program = folders
            .map(|folder| folder.join(&name))
            .find(|file| file.is_file());
    }

    /// Adds what another file says; where both say something, this one wins.
    pub(crate) fn merge(&mut self, other: Self) {
        for (host, token) in other.tokens {
            self.tokens.entry(host).or_insert(token);
        }
        self.helper = self.helper.take().or(other.helper);
    }
}

impl fmt::Debug for Credentials {
    /// The hosts alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.tokens.keys()).finish()
    }
}

/// What a helper prints.
#[derive(Deserialize)]
struct HelperAnswer {
    token: Option<String>,
}

impl CredentialsHelper {
    pub(crate) fn new(name: &str, arguments: Vec<String>) -> Result<Self, String> {
        if name.is_empty() || name.contains(['/', '\\']) {
            return Err(format!("`{name}` is not the name of a credentials helper"));
        }
        Ok(Self {
            name: name.to_owned(),
            arguments,
            program: None,
        })
    }

    async fn ask(&self, host: &str) -> Result<Option<String>, String> {
        let name = format!("the credentials helper terraform-credentials-{}", self.name);
        let program = (self.program.as_ref()).ok_or_else(|| format!("{name} is not installed"))?;
        let mut command = tokio::process::Command::new(program);
        command.args(&self.arguments).args(["get", host]);
        command.stdin(Stdio::null()).kill_on_drop(true);
        let output = command
            .output()
            .await
            .map_err(|error| format!("{name}: {error}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{name} failed for {host}: {}", said.trim()));
        }
        // The text may hold a token; no message repeats it.
        let answer: HelperAnswer = serde_json::from_slice(&output.stdout)
            .map_err(|_| format!("{name} did not print a JSON object for {host}"))?;
        Ok(answer.token.filter(|token| !token.is_empty()))
    }
}

/// One form for every way to write a host: lower case, IDNA, without the usual port.
fn comparable(host: &str) -> String {
    let url = Url::parse(&format!("https://{host}/"));
    url.map_or_else(|_| host.to_lowercase(), |url| crate::http::host(&url))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_token_is_found_by_every_spelling_of_its_host_and_never_shown() {
        let mut credentials = Credentials::default();
        credentials.insert("Example.com:443", "s3cret".to_owned());
        credentials.insert("bücher.example:8443", "other".to_owned());
        assert_eq!(credentials.own_token("example.com"), Some("s3cret"));
        assert_eq!(
            credentials.own_token("xn--bcher-kva.example:8443"),
            Some("other")
        );
        for host in [
            "example.com:8443",
            "www.example.com",
            "xn--bcher-kva.example",
        ] {
            assert_eq!(credentials.own_token(host), None, "{host}");
        }
        assert!(!format!("{credentials:?}").contains("s3cret"));
    }

    #[tokio::test]
    async fn a_helper_is_asked_for_the_hosts_that_no_file_names() {
        let home = tempfile::tempdir().expect("a folder");
        let plugins = home.path().join(".terraform.d/plugins");
        std::fs::create_dir_all(&plugins).expect("made");
        let program = plugins.join("terraform-credentials-test");
        let script = "#!/bin/sh\ncase \"$*\" in\n  'with get known.example') echo '{\"token\": \"helped\"}';;\n  \
                      *none.example) echo '{}';;\n  *) echo locked >&2; exit 1;;\nesac\n";
        std::fs::write(&program, script).expect("written");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("set");
        let mut credentials = Credentials::default();
        credentials.insert("own.example", "own".to_owned());
        credentials
            .set_helper(CredentialsHelper::new("test", vec!["with".to_owned()]).expect("a name"));
        credentials.find_helper(Some(home.path()), None);
        let asked = Asked::default();
        let token = async |host| credentials.token(host, &asked).await;
        assert_eq!(token("own.example").await, Ok(Some("own".to_owned())));
        assert_eq!(token("known.example").await, Ok(Some("helped".to_owned())));
        assert_eq!(token("none.example").await, Ok(None));
        insta::assert_snapshot!(token("else.example").await.expect_err("fails"), @"the credentials helper terraform-credentials-test failed for else.example: locked");
    }
}
