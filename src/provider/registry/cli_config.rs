//! The CLI configuration of Terraform and OpenTofu: where their users say providers come from. It works here as it is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use terrane_core::addr::ProviderSource;
use thiserror::Error;

use super::hcl::{self, Block, Body, Literal};
use crate::environment::Environment;

/// How long a configuration may be.
const LONGEST: u64 = 1 << 20;

/// The settings about providers in a CLI configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CliConfig {
    /// The file it was read from, if there is one.
    pub file: Option<PathBuf>,
    /// Directories that hold the binary of a provider under development.
    pub dev_overrides: BTreeMap<ProviderSource, PathBuf>,
    /// Ways to get a provider, in order of preference.
    pub methods: Vec<InstallationMethod>,
    /// Where downloaded providers are kept.
    pub plugin_cache_dir: Option<PathBuf>,
    /// The file that the environment names, if it does not exist: worth a warning, as in Terraform.
    pub missing: Option<PathBuf>,
}

/// One way to get a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallationMethod {
    /// A directory in mirror layout; `None` is a registry.
    pub mirror: Option<PathBuf>,
    /// For which providers it is used; empty is all.
    pub include: Vec<SourcePattern>,
    /// For which it is not.
    pub exclude: Vec<SourcePattern>,
}

/// A source in which any part may be `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePattern([String; 3]);

/// The CLI configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("cannot use the CLI configuration {}: {reason}", file.display())]
#[non_exhaustive]
pub struct CliConfigError {
    /// The file.
    pub file: PathBuf,
    /// Why it cannot be used.
    pub reason: String,
}

impl CliConfig {
    /// Reads the file that `TF_CLI_CONFIG_FILE` names, else `~/.tofurc` or `~/.terraformrc`. No file at all is a configuration
    /// that says nothing.
    ///
    /// # Errors
    /// When a file is there and cannot be read, or says something that has no meaning.
    pub fn load(environment: &Environment) -> Result<Self, CliConfigError> {
        let named = ["TF_CLI_CONFIG_FILE", "TERRAFORM_CONFIG"]
            .iter()
            .find_map(|name| environment.get(name))
            .map(PathBuf::from);
        let home = environment.get("HOME").map(PathBuf::from);
        let usual = [".tofurc", ".terraformrc"]
            .iter()
            .filter_map(|name| Some(home.as_ref()?.join(name)))
            .find(|path| path.is_file());
        let Some(file) = named.or(usual) else {
            let mut config = Self::default();
            config.imply_methods(environment);
            return Ok(config);
        };
        if !file.exists() {
            let mut config = Self {
                missing: Some(file),
                ..Self::default()
            };
            config.imply_methods(environment);
            return Ok(config);
        }
        let error = |reason: String| CliConfigError {
            file: file.clone(),
            reason,
        };
        // It is read again by each run, and a wait for a pipe's writer could not be interrupted.
        if terrane_files::is_pipe(&file) {
            return Err(error("it is a pipe, not a file".to_owned()));
        }
        let text = terrane_files::read_text(&file, LONGEST).map_err(|e| error(e.to_string()))?;
        let mut config = Self::parse(&text).map_err(error)?;
        if let Some(directory) = environment.get("TF_PLUGIN_CACHE_DIR") {
            config.plugin_cache_dir = Some(directory.into());
        }
        if config.methods.is_empty() {
            config.imply_methods(environment);
        }
        config.file = Some(file);
        Ok(config)
    }

    /// Reads a configuration in its native or its JSON form.
    ///
    /// # Errors
    /// The fault, with the line if it is one of syntax.
    pub fn parse(text: &str) -> Result<Self, String> {
        let body = if text.trim_start().starts_with('{') {
            json_body(&serde_json::from_str(text).map_err(|error| error.to_string())?)
        } else {
            hcl::parse(text)?
        };
        let mut config = Self::default();
        for (name, value) in &body.attributes {
            if name == "plugin_cache_dir" {
                config.plugin_cache_dir = Some(as_text(name, value)?.into());
            }
        }
        let installations: Vec<&Block> = (body.blocks.iter())
            .filter(|block| block.name == "provider_installation")
            .collect();
        match installations[..] {
            [] => {}
            [installation] => config.read_installation(&installation.body)?,
            _ => return Err("more than one provider_installation block".to_owned()),
        }
        Ok(config)
    }

    fn read_installation(&mut self, body: &Body) -> Result<(), String> {
        if let Some((name, _)) = body.attributes.first() {
            return Err(format!("provider_installation has no argument `{name}`"));
        }
        for block in &body.blocks {
            let mut method = InstallationMethod {
                mirror: None,
                include: Vec::new(),
                exclude: Vec::new(),
            };
            if block.name == "dev_overrides" {
                for (name, value) in &block.body.attributes {
                    let source = super::source(name)
                        .ok_or_else(|| format!("`{name}` is not the source of a provider"))?;
                    let directory = as_text(name, value)?;
                    self.dev_overrides.insert(source, directory.into());
                }
                continue;
            }
            let mut url = None;
            for (name, value) in &block.body.attributes {
                match name.as_str() {
                    "include" => method.include = patterns(name, value)?,
                    "exclude" => method.exclude = patterns(name, value)?,
                    "path" => method.mirror = Some(as_text(name, value)?.into()),
                    "url" => url = Some(as_text(name, value)?),
                    // Other tools' settings for downloads.
                    _ => {}
                }
            }
            match (block.name.as_str(), &method.mirror, url) {
                ("filesystem_mirror", Some(_), _) | ("direct", None, _) => {
                    self.methods.push(method);
                }
                ("filesystem_mirror", None, _) => {
                    return Err("filesystem_mirror needs a `path`".to_owned());
                }
                // These need a network, which is a registry's business.
                ("network_mirror" | "oci_mirror", ..) => {}
                (other, ..) => {
                    return Err(format!("`{other}` is no way to install a provider"));
                }
            }
        }
        Ok(())
    }

    /// Without a `provider_installation` block: the usual directories, then the registry.
    fn imply_methods(&mut self, environment: &Environment) {
        let home = environment.get("HOME").map(PathBuf::from);
        let data = environment
            .get("XDG_DATA_HOME")
            .map(PathBuf::from)
            .or_else(|| Some(home.as_ref()?.join(".local/share")));
        let directories = [
            Some(PathBuf::from("terraform.d/plugins")),
            home.map(|home| home.join(".terraform.d/plugins")),
            data.as_ref().map(|data| data.join("terraform/plugins")),
            data.as_ref().map(|data| data.join("opentofu/plugins")),
        ];
        let mirrors = directories.into_iter().flatten().map(Some);
        self.methods
            .extend(mirrors.chain([None]).map(|mirror| InstallationMethod {
                mirror,
                include: Vec::new(),
                exclude: Vec::new(),
            }));
    }
}

impl InstallationMethod {
    /// Whether it is used for that provider.
    pub fn applies_to(&self, source: &ProviderSource) -> bool {
        let among = |patterns: &[SourcePattern]| patterns.iter().any(|one| one.matches(source));
        (self.include.is_empty() || among(&self.include)) && !among(&self.exclude)
    }
}

impl SourcePattern {
    fn parse(text: &str) -> Option<Self> {
        let source = super::source(text)?;
        let parts = [source.host, source.namespace, source.type_name];
        // `*/*` is any provider of the default registry; only three stars are any at all.
        Some(Self(parts.map(|part| part.to_string())))
    }

    fn matches(&self, source: &ProviderSource) -> bool {
        let parts = [&source.host, &source.namespace, &source.type_name];
        (self.0.iter().zip(parts)).all(|(pattern, part)| pattern == "*" || **pattern == **part)
    }
}

fn as_text(name: &str, value: &Literal) -> Result<String, String> {
    match value {
        Literal::Text(text) => Ok(text.clone()),
        _ => Err(format!("`{name}` must be a string")),
    }
}

fn patterns(name: &str, value: &Literal) -> Result<Vec<SourcePattern>, String> {
    let Literal::List(elements) = value else {
        return Err(format!("`{name}` must be a list of strings"));
    };
    (elements.iter())
        .map(|element| {
            let text = as_text(name, element)?;
            SourcePattern::parse(&text)
                .ok_or_else(|| format!("`{text}` is not a pattern for sources of providers"))
        })
        .collect()
}

/// The JSON form: objects are blocks, for here no argument is an object; a list of objects is several blocks.
fn json_body(json: &serde_json::Value) -> Body {
    let mut body = Body::default();
    for (name, value) in json.as_object().into_iter().flatten() {
        let objects = match value {
            serde_json::Value::Object(_) => vec![value],
            serde_json::Value::Array(elements) if elements.iter().all(|e| e.is_object()) => {
                elements.iter().collect()
            }
            _ => {
                body.attributes.push((name.clone(), json_literal(value)));
                continue;
            }
        };
        body.blocks.extend(objects.into_iter().map(|object| Block {
            name: name.clone(),
            labels: Vec::new(),
            body: json_body(object),
        }));
    }
    body
}

fn json_literal(json: &serde_json::Value) -> Literal {
    match json {
        serde_json::Value::Bool(flag) => Literal::Bool(*flag),
        serde_json::Value::String(text) => Literal::Text(text.clone()),
        serde_json::Value::Array(elements) => {
            Literal::List(elements.iter().map(json_literal).collect())
        }
        serde_json::Value::Object(members) => Literal::Map(
            (members.iter())
                .map(|(name, value)| (name.clone(), json_literal(value)))
                .collect(),
        ),
        other => Literal::Number(other.to_string()),
    }
}

/// For messages: `~` for the home directory would hide where we looked.
pub(super) fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NATIVE: &str = r#"
        plugin_cache_dir = "/cache"
        provider_installation {
          dev_overrides { "hashicorp/null" = "/dev/null-provider" }
          filesystem_mirror {
            path    = "/mirror"
            include = ["registry.example.com/*/*"]
          }
          direct { exclude = ["registry.example.com/*/*"] }
        }
    "#;

    #[test]
    fn overrides_mirrors_and_patterns_are_read() {
        let config = CliConfig::parse(NATIVE).expect("readable");
        let null = ProviderSource::implied_by("null_resource");
        assert_eq!(
            config.dev_overrides[&null],
            PathBuf::from("/dev/null-provider")
        );
        assert_eq!(config.plugin_cache_dir, Some("/cache".into()));
        let inside = crate::registry::source("registry.example.com/a/b").expect("a source");
        let applies: Vec<_> = (config.methods.iter())
            .map(|method| (method.applies_to(&null), method.applies_to(&inside)))
            .collect();
        assert_eq!(applies, [(false, true), (true, false)]);
    }

    #[test]
    fn the_json_form_says_the_same() {
        let json = r#"{
            "plugin_cache_dir": "/cache",
            "provider_installation": [
              {"dev_overrides": {"hashicorp/null": "/dev/null-provider"},
               "filesystem_mirror": [{"path": "/mirror", "include": ["registry.example.com/*/*"]}],
               "direct": {"exclude": ["registry.example.com/*/*"]}}
            ]
        }"#;
        // JSON objects have no order; the native form has.
        let sorted = |text| {
            let mut config = CliConfig::parse(text).expect("readable");
            config.methods.sort_by_key(|method| method.mirror.is_some());
            config
        };
        assert_eq!(sorted(NATIVE), sorted(json));
    }

    #[test]
    fn mistakes_are_named() {
        let error = |text: &str| {
            CliConfig::parse(&format!("provider_installation {{ {text} }}")).expect_err("refused")
        };
        insta::assert_snapshot!(error("filesystem_mirror { }"), @"filesystem_mirror needs a `path`");
        insta::assert_snapshot!(error("magic { }"), @"`magic` is no way to install a provider");
        insta::assert_snapshot!(error(r#"dev_overrides { "x" = "/" }"#), @"`x` is not the source of a provider");
        insta::assert_snapshot!(error(r#"direct { include = "x" }"#), @"`include` must be a list of strings");
    }

    #[test]
    fn a_named_file_that_is_missing_is_told_and_no_file_is_none() {
        let environment: Environment = [("TF_CLI_CONFIG_FILE", "/does/not/exist")]
            .into_iter()
            .collect();
        let config = CliConfig::load(&environment).expect("empty");
        assert_eq!(config.missing, Some("/does/not/exist".into()));
        let config = CliConfig::load(&Environment::default()).expect("empty");
        assert_eq!((config.file, config.missing), (None, None));
    }
}
