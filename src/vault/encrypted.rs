//! Secrets in encrypted files: those of sops, which sops decrypts, and those of age.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use serde_json::Value as Json;

use crate::local::without_line_break;
use crate::vault::SecretFault;

/// The text of a sops file, or of the value that a path of keys leads to.
pub(crate) fn sops(
    environment: &BTreeMap<String, String>,
    path: &str,
    key: Option<&str>,
) -> Result<String, SecretFault> {
    let mut command = Command::new("sops");
    command
        .env_clear()
        .envs(environment)
        .stdin(Stdio::null())
        .arg("--decrypt");
    if key.is_some() {
        command.args(["--output-type", "json"]);
    }
    let output = command.arg("--").arg(path).output().map_err(|error| {
        let fault = SecretFault::new(format!("cannot run `sops`: {error}"));
        fault.hint("install sops (https://getsops.io), which decrypts the file")
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(SecretFault::new(format!(
            "sops failed ({}): {}",
            output.status,
            said.trim()
        )));
    }
    let text = String::from_utf8(output.stdout);
    let text = text.map_err(|_| SecretFault::new("the decrypted file is not UTF-8"))?;
    match key {
        None => without_line_break(text),
        Some(key) => {
            let json = serde_json::from_str(&text);
            let json = json.map_err(|_| SecretFault::new("the decrypted file has no keys"))?;
            member(&json, key)
        }
    }
}

/// The text at a path of keys with dots between them. A key that has dots itself is found whole first.
pub(crate) fn member(json: &Json, path: &str) -> Result<String, SecretFault> {
    let found = json.get(path).or_else(|| {
        path.split('.').try_fold(json, |json, step| match json {
            Json::Array(elements) => elements.get(step.parse::<usize>().ok()?),
            other => other.get(step),
        })
    });
    match found {
        Some(Json::String(text)) if !text.is_empty() => Ok(text.clone()),
        Some(Json::Null) | None => {
            let fault = SecretFault::new(format!("there is no key `{path}`"));
            Err(match json.as_object() {
                Some(members) if !members.is_empty() => {
                    let names: Vec<_> = members
                        .keys()
                        .filter(|name| *name != "sops")
                        .cloned()
                        .collect();
                    fault.hint(format!("the keys are {}", names.join(", ")))
                }
                _ => fault,
            })
        }
        Some(Json::String(_)) => Err(SecretFault::new(format!("`{path}` is empty"))),
        Some(other) => Ok(other.to_string()),
    }
}

/// The text of an age file, decrypted with the identities of this user.
#[cfg(feature = "age")]
pub(crate) fn age(
    environment: &BTreeMap<String, String>,
    path: &str,
) -> Result<String, SecretFault> {
    use std::io::Read as _;

    let file = std::fs::File::open(path).map_err(|error| SecretFault::new(error.to_string()))?;
    let mut text = String::new();
    let read = decrypt(file, environment)?.read_to_string(&mut text);
    read.map_err(|error| SecretFault::new(error.to_string()))?;
    without_line_break(text)
}

/// What age encrypted, with the identities of this user; in text or not.
#[cfg(feature = "age")]
pub(crate) fn decrypt<'r>(
    encrypted: impl std::io::Read + 'r,
    environment: &BTreeMap<String, String>,
) -> Result<impl std::io::Read + 'r, SecretFault> {
    let identities = identities(environment)?;
    let reader = age::armor::ArmoredReader::new(encrypted);
    age::Decryptor::new(reader)
        .and_then(|decryptor| decryptor.decrypt(identities.iter().map(|identity| &**identity)))
        .map_err(|error| match error {
            age::DecryptError::NoMatchingKeys => {
                SecretFault::new("none of the age identities can decrypt it")
                    .hint(WHERE_IDENTITIES_ARE)
            }
            other => SecretFault::new(other.to_string()),
        })
}

#[cfg(not(feature = "age"))]
pub(crate) fn age(_: &BTreeMap<String, String>, _: &str) -> Result<String, SecretFault> {
    Err(SecretFault::new("this program was built without age"))
}

#[cfg(feature = "age")]
const WHERE_IDENTITIES_ARE: &str = "identities are read from where sops reads them: `SOPS_AGE_KEY`, the file that `SOPS_AGE_KEY_FILE` \
    names, and `~/.config/sops/age/keys.txt`";

/// The age identities of a user, from all places where sops looks for them.
#[cfg(feature = "age")]
fn identities(
    environment: &BTreeMap<String, String>,
) -> Result<Vec<Box<dyn age::Identity>>, SecretFault> {
    use std::path::PathBuf;

    let variable = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    let mut texts = Vec::new();
    if let Some(keys) = variable("SOPS_AGE_KEY") {
        texts.push(("SOPS_AGE_KEY".to_owned(), keys.clone()));
    }
    let mut files = Vec::new();
    if let Some(file) = variable("SOPS_AGE_KEY_FILE") {
        files.push((PathBuf::from(file), true));
    }
    let config = variable("XDG_CONFIG_HOME").map(PathBuf::from);
    let config = config.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".config")));
    files.extend(config.map(|folder| (folder.join("sops/age/keys.txt"), false)));
    for (file, is_named) in files {
        if is_named || file.exists() {
            let name = file.display().to_string();
            let text = terrane_files::read_text(&file, 1 << 20);
            let text = text.map_err(|error| {
                SecretFault::new(format!("cannot read the identities in {name}: {error}"))
            })?;
            texts.push((name, text));
        }
    }
    let mut identities = Vec::new();
    for (place, text) in texts {
        let read = age::IdentityFile::from_buffer(text.as_bytes());
        let read = read.map_err(|error| {
            SecretFault::new(format!("{place} holds no age identities: {error}"))
        })?;
        let read = read.into_identities();
        identities.extend(read.map_err(|error| SecretFault::new(format!("{place}: {error}")))?);
    }
    match identities.is_empty() {
        true => Err(SecretFault::new("there are no age identities").hint(WHERE_IDENTITIES_ARE)),
        false => Ok(identities),
    }
}

#[cfg(all(test, feature = "age"))]
mod tests {
    use super::*;
    use age::secrecy::ExposeSecret as _;

    #[test]
    fn a_file_of_age_is_read_with_the_identities_that_sops_would_use() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, keys) = (folder.path().join("db.age"), folder.path().join("keys.txt"));
        let identity = age::x25519::Identity::generate();
        let secret =
            age::encrypt_and_armor(&identity.to_public(), b"hunter2\n").expect("encrypted");
        std::fs::write(&file, secret).expect("written");
        std::fs::write(&keys, identity.to_string().expose_secret()).expect("written");
        let path = file.to_str().expect("text");
        let with = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        let environment = with("SOPS_AGE_KEY_FILE", keys.to_str().expect("text"));
        assert_eq!(age(&environment, path).expect("decrypted"), "hunter2");
        let other = age::x25519::Identity::generate().to_string();
        let fault =
            age(&with("SOPS_AGE_KEY", other.expose_secret()), path).expect_err("another key");
        assert_eq!(
            fault,
            SecretFault::new("none of the age identities can decrypt it")
                .hint(WHERE_IDENTITIES_ARE)
        );
        let fault = age(&BTreeMap::new(), path).expect_err("no key");
        assert_eq!(
            fault,
            SecretFault::new("there are no age identities").hint(WHERE_IDENTITIES_ARE)
        );
    }

    #[test]
    fn a_value_is_found_by_its_keys_and_a_wrong_key_names_the_others() {
        let json = serde_json::json!({"a.b": "y", "db": {"users": [{"password": "x"}]}, "n": 5432, "sops": {}});
        assert_eq!(member(&json, "db.users.0.password").expect("found"), "x");
        assert_eq!(member(&json, "a.b").expect("found"), "y");
        assert_eq!(member(&json, "n").expect("found"), "5432");
        let fault = member(&json, "db.user").expect_err("none");
        assert_eq!(
            fault,
            SecretFault::new("there is no key `db.user`").hint("the keys are a.b, db, n")
        );
    }
}
