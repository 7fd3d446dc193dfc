//! The CLI configuration of Terraform and OpenTofu: where their users say providers come from. It works here as it is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use terrane_core::addr::ProviderSource;
use thiserror::Error;
use url::Url;

use crate::credentials::{Credentials, CredentialsHelper};
use crate::hcl::{self, Block, Body, Literal};
use crate::locate::Shelf;
use crate::platform::Platform;
use crate::source_pattern::SourcePattern;

/// How long a configuration may be.
const LONGEST: u64 = 1 << 20;
/// Begins the names of variables that hold a host's token.
const TOKEN: &str = "TF_TOKEN_";

/// The settings about providers in a CLI configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CliConfig {
    /// The file it was read from, if there is one.
    pub file: Option<PathBuf>,
    /// Directories that hold the binary of a provider under development.
    pub dev_overrides: BTreeMap<ProviderSource, PathBuf>,
    /// Ways to get a provider, in order of preference.
    pub methods: Vec<InstallationMethod>,
    /// Whether the methods are the usual ones, for the configuration names none.
    pub is_implied: bool,
    /// Where downloaded providers are kept.
    pub plugin_cache_dir: Option<PathBuf>,
    /// Tokens of registries and mirrors.
    pub credentials: Credentials,
    /// Services by host that are taken as stated, in place of discovery.
    pub services: BTreeMap<String, BTreeMap<String, String>>,
    /// The file that the environment names, if it does not exist: worth a warning, as in Terraform.
    pub missing: Option<PathBuf>,
}

/// One way to get a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallationMethod {
    /// Where it looks.
    pub place: InstallationPlace,
    /// For which providers it is used; empty is all.
    pub include: Vec<SourcePattern>,
    /// For which it is not.
    pub exclude: Vec<SourcePattern>,
}

/// Where providers come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstallationPlace {
    /// A directory in mirror layout.
    FilesystemMirror(PathBuf),
    /// A mirror behind that base URL.
    NetworkMirror(Url),
    /// A registry of OCI artifacts, as OpenTofu can use one. It is not read here: a provider that only it may serve is an error.
    OciMirror,
    /// The registry that the provider's address names.
    Direct,
}

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

/// The variables of the environment that a configuration is read in.
struct Vars<'a>(&'a BTreeMap<String, String>);

impl Vars<'_> {
    /// The value of a variable that is set and not empty.
    fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name)?;
        (!value.is_empty()).then_some(value)
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from)
    }
}

impl CliConfig {
    /// Reads the file that `TF_CLI_CONFIG_FILE` names, else `~/.tofurc` or `~/.terraformrc` and the files in `~/.terraform.d`, where
    /// `terraform login` keeps tokens. No file at all is a configuration that says nothing.
    ///
    /// # Errors
    /// When a file is there and cannot be read, or says something that has no meaning.
    pub fn load(vars: &BTreeMap<String, String>) -> Result<Self, CliConfigError> {
        let vars = Vars(vars);
        let home = vars.path("HOME");
        let named = ["TF_CLI_CONFIG_FILE", "TERRAFORM_CONFIG"];
        let mut config = match named.iter().find_map(|name| vars.path(name)) {
            Some(file) if !file.exists() => Self {
                missing: Some(file),
                ..Self::default()
            },
            Some(file) => Self::of_file(&file)?,
            None => {
                let usual = [".tofurc", ".terraformrc"].iter();
                let usual = usual.filter_map(|name| Some(home.as_ref()?.join(name)));
                let file = usual.into_iter().find(|path| path.is_file());
                let mut config =
                    file.map_or_else(|| Ok(Self::default()), |it| Self::of_file(&it))?;
                let folder = home.as_ref().map(|home| home.join(".terraform.d"));
                for file in folder.iter().flat_map(|folder| more_files(folder)) {
                    config.merge(Self::of_file(&file)?);
                }
                config
            }
        };
        config.plugin_cache_dir = match vars.path("TF_PLUGIN_CACHE_DIR") {
            Some(directory) => Some(directory),
            None => (config.plugin_cache_dir.take()).map(|directory| expanded(&directory, &vars)),
        };
        for (name, token) in vars.0.iter().filter(|(_, token)| !token.is_empty()) {
            if let Some(host) = name.strip_prefix(TOKEN) {
                (config.credentials).insert(&host_of_variable(host), token.clone());
            }
        }
        if config.methods.is_empty() {
            config.imply_methods(&vars);
        }
        config
            .credentials
            .find_helper(vars.path("HOME").as_deref(), vars.get("PATH"));
        Ok(config)
    }

    fn of_file(file: &Path) -> Result<Self, CliConfigError> {
        let error = |reason: String| CliConfigError {
            file: file.to_owned(),
            reason,
        };
        // It is read again by each run, and a wait for a pipe's writer could not be interrupted.
        if terrane_files::is_pipe(file) {
            return Err(error("it is a pipe, not a file".to_owned()));
        }
        let text = terrane_files::read_text(file, LONGEST).map_err(|e| error(e.to_string()))?;
        let mut config = Self::parse(&text).map_err(error)?;
        config.file = Some(file.to_owned());
        Ok(config)
    }

    /// Adds what another file says; where both say something, this one wins.
    fn merge(&mut self, other: Self) {
        for (source, directory) in other.dev_overrides {
            self.dev_overrides.entry(source).or_insert(directory);
        }
        if self.methods.is_empty() {
            self.methods = other.methods;
        }
        self.plugin_cache_dir = self.plugin_cache_dir.take().or(other.plugin_cache_dir);
        self.credentials.merge(other.credentials);
        for (host, services) in other.services {
            self.services.entry(host).or_insert(services);
        }
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
        let mut installations = 0;
        for block in &body.blocks {
            match block.name.as_str() {
                "provider_installation" => {
                    installations += 1;
                    config.read_installation(&block.body)?;
                }
                "credentials" => {
                    for (host, body) in labelled(block)? {
                        if let Some(token) = text_of(body, "token")? {
                            config.credentials.insert(host, token);
                        }
                    }
                }
                "credentials_helper" => {
                    for (name, body) in labelled(block)? {
                        let arguments = body.attributes.iter().find(|(name, _)| name == "args");
                        let arguments = arguments.map(|(name, value)| texts(name, value));
                        let arguments = arguments.transpose()?.unwrap_or_default();
                        let helper = CredentialsHelper::new(name, arguments)?;
                        config.credentials.set_helper(helper);
                    }
                }
                "host" => {
                    for (host, body) in labelled(block)? {
                        config.services.insert(host.to_lowercase(), services(body)?);
                    }
                }
                // Other tools' settings.
                _ => {}
            }
        }
        match installations {
            0 | 1 => Ok(config),
            _ => Err("more than one provider_installation block".to_owned()),
        }
    }

    fn read_installation(&mut self, body: &Body) -> Result<(), String> {
        if let Some((name, _)) = body.attributes.first() {
            return Err(format!("provider_installation has no argument `{name}`"));
        }
        for block in &body.blocks {
            if block.name == "dev_overrides" {
                for (name, value) in &block.body.attributes {
                    let source: ProviderSource = (name.parse())
                        .map_err(|_| format!("`{name}` is not the source of a provider"))?;
                    let directory = PathBuf::from(as_text(name, value)?);
                    // Without a host it means Terraform's registry to Terraform, and OpenTofu's to OpenTofu.
                    if !has_host(name) {
                        let source = ProviderSource {
                            host: ProviderSource::TERRAFORM_HOST.into(),
                            ..source.clone()
                        };
                        self.dev_overrides.insert(source, directory.clone());
                    }
                    self.dev_overrides.insert(source, directory);
                }
                continue;
            }
            let (mut include, mut exclude) = (Vec::new(), Vec::new());
            for (name, value) in &block.body.attributes {
                match name.as_str() {
                    "include" => include = patterns(name, value)?,
                    "exclude" => exclude = patterns(name, value)?,
                    _ => {}
                }
            }
            let needed = |argument: &str| {
                let text = text_of(&block.body, argument)?;
                text.ok_or_else(|| format!("{} needs a `{argument}`", block.name))
            };
            let place = match block.name.as_str() {
                "filesystem_mirror" => InstallationPlace::FilesystemMirror(needed("path")?.into()),
                "network_mirror" => InstallationPlace::NetworkMirror(mirror_url(&needed("url")?)?),
                "direct" => InstallationPlace::Direct,
                "oci_mirror" => InstallationPlace::OciMirror,
                other => return Err(format!("`{other}` is no way to install a provider")),
            };
            self.methods.push(InstallationMethod {
                place,
                include,
                exclude,
            });
        }
        Ok(())
    }

    /// Without a `provider_installation` block: the usual directories, then the registry.
    fn imply_methods(&mut self, vars: &Vars<'_>) {
        let home = vars.path("HOME");
        let data = vars.path("XDG_DATA_HOME");
        let data = data.or_else(|| Some(home.as_ref()?.join(".local/share")));
        let directories = [
            Some(PathBuf::from("terraform.d/plugins")),
            home.map(|home| home.join(".terraform.d/plugins")),
            data.as_ref().map(|data| data.join("terraform/plugins")),
            data.as_ref().map(|data| data.join("opentofu/plugins")),
        ];
        let mirrors = (directories.into_iter().flatten()).map(InstallationPlace::FilesystemMirror);
        let methods = mirrors
            .chain([InstallationPlace::Direct])
            .map(|place| InstallationMethod {
                place,
                include: Vec::new(),
                exclude: Vec::new(),
            });
        self.methods.extend(methods);
        self.is_implied = true;
    }
}

impl CliConfig {
    /// The host under which this machine has a provider of the default host, if it has it only under Terraform's: a mirror that Terraform
    /// has filled, or an override.
    pub fn host_here(&self, source: &ProviderSource) -> Option<Arc<str>> {
        let named: Arc<str> = ProviderSource::TERRAFORM_HOST.into();
        let theirs = ProviderSource {
            host: named.clone(),
            ..source.clone()
        };
        let has = |source: &ProviderSource| {
            self.dev_overrides.contains_key(source)
                || (self
                    .methods
                    .iter()
                    .filter(|method| method.applies_to(source)))
                .any(|method| match &method.place {
                    InstallationPlace::FilesystemMirror(mirror) => {
                        !Shelf::read(mirror, source, &Platform::current()).is_empty()
                    }
                    _ => false,
                })
        };
        (!has(source) && has(&theirs)).then_some(named)
    }
}

impl InstallationMethod {
    /// Whether it is used for that provider.
    pub fn applies_to(&self, source: &ProviderSource) -> bool {
        let among = |patterns: &[SourcePattern]| patterns.iter().any(|one| one.matches(source));
        (self.include.is_empty() || among(&self.include)) && !among(&self.exclude)
    }
}

/// Whether a source is written with its host.
fn has_host(source: &str) -> bool {
    source.split('/').count() == 3
}

/// `HOST` of `TF_TOKEN_HOST`: a variable's name has `_` for a dot and `__` for a dash.
fn host_of_variable(name: &str) -> String {
    name.replace("__", "-").replace('_', ".")
}

/// The further files of a configuration, in their order.
fn more_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_configuration = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.ends_with(".tfrc") || name.ends_with(".tfrc.json"))
    };
    let mut files: Vec<PathBuf> = (entries.map(|entry| entry.path()))
        .filter(is_configuration)
        .collect();
    files.sort();
    files
}

/// With the values of variables: `$HOME/plugins`, `${HOME}/plugins`.
fn expanded(path: &Path, vars: &Vars<'_>) -> PathBuf {
    let text = path.to_string_lossy();
    let mut parts = text.split('$');
    let mut expanded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = match part.strip_prefix('{').and_then(|part| part.split_once('}')) {
            Some(braced) => braced,
            None => {
                let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
                part.split_at(part.find(|c| !is_name(c)).unwrap_or(part.len()))
            }
        };
        expanded.push_str(vars.get(name).unwrap_or_default());
        expanded.push_str(rest);
    }
    expanded.into()
}

fn mirror_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("`{text}` is not a URL: {error}"))?;
    match url.scheme() {
        "https" => Ok(url),
        _ => Err(format!("`{text}` is not an https URL")),
    }
}

/// `name "LABEL" { … }`; in the JSON form the label is a member, so that one block may stand for several.
fn labelled(block: &Block) -> Result<Vec<(&str, &Body)>, String> {
    match &block.labels[..] {
        [label] => Ok(vec![(label, &block.body)]),
        [] => Ok((block.body.blocks.iter())
            .map(|inner| (inner.name.as_str(), &inner.body))
            .collect()),
        _ => Err(format!("`{}` takes one label", block.name)),
    }
}

/// The services of a `host` block; those that are no URL are other tools' business.
fn services(body: &Body) -> Result<BTreeMap<String, String>, String> {
    let mut services = BTreeMap::new();
    let values = body
        .attributes
        .iter()
        .filter(|(name, _)| name == "services");
    for (_, value) in values {
        let Literal::Map(entries) = value else {
            return Err("`services` must be a map".to_owned());
        };
        services.extend(entries.iter().filter_map(|(name, value)| match value {
            Literal::Text(url) => Some((name.clone(), url.clone())),
            _ => None,
        }));
    }
    let blocks = body.blocks.iter().filter(|block| block.name == "services");
    for (name, value) in blocks.flat_map(|block| &block.body.attributes) {
        if let Literal::Text(url) = value {
            services.insert(name.clone(), url.clone());
        }
    }
    Ok(services)
}

fn as_text(name: &str, value: &Literal) -> Result<String, String> {
    match value {
        Literal::Text(text) => Ok(text.clone()),
        _ => Err(format!("`{name}` must be a string")),
    }
}

fn text_of(body: &Body, wanted: &str) -> Result<Option<String>, String> {
    let attribute = body.attributes.iter().rfind(|(name, _)| name == wanted);
    attribute
        .map(|(name, value)| as_text(name, value))
        .transpose()
}

fn texts(name: &str, value: &Literal) -> Result<Vec<String>, String> {
    let Literal::List(elements) = value else {
        return Err(format!("`{name}` must be a list of strings"));
    };
    elements
        .iter()
        .map(|element| as_text(name, element))
        .collect()
}

fn patterns(name: &str, value: &Literal) -> Result<Vec<SourcePattern>, String> {
    (texts(name, value)?.iter())
        .map(|text| {
            SourcePattern::parse(text)
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
        let inside = "registry.example.com/a/b".parse().expect("a source");
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
            (config.methods).sort_by_key(|method| method.place != InstallationPlace::Direct);
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

    fn vars(vars: &[(&str, &str)]) -> BTreeMap<String, String> {
        let vars = vars.iter();
        vars.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_named_file_that_is_missing_is_told_and_no_file_is_none() {
        let config =
            CliConfig::load(&vars(&[("TF_CLI_CONFIG_FILE", "/does/not/exist")])).expect("empty");
        assert_eq!(config.missing, Some("/does/not/exist".into()));
        assert!(config.is_implied);
        let config = CliConfig::load(&BTreeMap::new()).expect("empty");
        assert_eq!((config.file, config.missing), (None, None));
    }

    #[test]
    fn tokens_services_and_mirrors_are_read_in_both_forms() {
        let native = r#"
            credentials "registry.example.com" { token = "one" }
            credentials "other.example.com" {
              token = "two"
            }
            credentials_helper "vault" {
              args = ["--quiet"]
            }
            host "registry.example.com" {
              services = { "providers.v1" = "https://api.example.com/p/" }
            }
            provider_installation {
              network_mirror {
                url     = "https://mirror.example.com/providers/"
                include = ["*/*/*"]
              }
            }
        "#;
        let json = r#"{
            "credentials": {"registry.example.com": {"token": "one"}, "other.example.com": {"token": "two"}},
            "credentials_helper": {"vault": {"args": ["--quiet"]}},
            "host": {"registry.example.com": {"services": {"providers.v1": "https://api.example.com/p/"}}},
            "provider_installation": {"network_mirror": {"url": "https://mirror.example.com/providers/", "include": ["*/*/*"]}}
        }"#;
        let config = CliConfig::parse(native).expect("readable");
        assert_eq!(CliConfig::parse(json).expect("readable"), config);
        assert_eq!(
            config.credentials.own_token("registry.example.com"),
            Some("one")
        );
        assert_eq!(
            config.credentials.own_token("other.example.com"),
            Some("two")
        );
        assert_eq!(
            config.services["registry.example.com"]["providers.v1"],
            "https://api.example.com/p/"
        );
        let mirror = "https://mirror.example.com/providers/"
            .parse()
            .expect("a URL");
        assert_eq!(
            config.methods[0].place,
            InstallationPlace::NetworkMirror(mirror)
        );
        let insecure = native.replace("https://mirror", "http://mirror");
        insta::assert_snapshot!(CliConfig::parse(&insecure).expect_err("refused"), @"`http://mirror.example.com/providers/` is not an https URL");
    }

    #[test]
    fn the_environment_and_the_files_of_a_login_add_tokens() {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join(".terraform.d");
        std::fs::create_dir(&folder).expect("made");
        let login = r#"{"credentials": {"app.example.com": {"token": "login"}, "both.example.com": {"token": "file"}}}"#;
        std::fs::write(folder.join("credentials.tfrc.json"), login).expect("written");
        std::fs::write(
            home.path().join(".terraformrc"),
            "plugin_cache_dir = \"$HOME/.cache/${NAME}s\"\n",
        )
        .expect("written");
        let config = CliConfig::load(&vars(&[
            ("HOME", home.path().to_str().expect("text")),
            ("NAME", "plugin"),
            ("TF_TOKEN_both_example_com", "variable"),
            ("TF_TOKEN_my__own_example_com", "dashed"),
        ]));
        let config = config.expect("readable");
        let token = |host| config.credentials.own_token(host);
        assert_eq!(token("app.example.com"), Some("login"));
        assert_eq!(token("both.example.com"), Some("variable"));
        assert_eq!(token("my-own.example.com"), Some("dashed"));
        assert_eq!(
            config.plugin_cache_dir,
            Some(home.path().join(".cache/plugins"))
        );
    }
}
