//! `bindings add`: typed bindings of any provider, among the project's own sources. Neither runs the program nor needs a state.

use std::error::Error as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use terrane_codegen::{AddBindings, AddError, Origin, add_bindings, from_terraform_json};
use terrane_core::Diagnostic;
use terrane_core::addr::ProviderSource;
use terrane_registry::RequiredProvider;

use crate::args;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{Session, quoted_if_needed};

/// How long a schema file may be; that of AWS has 60 MB.
const LONGEST: u64 = 1 << 30;

pub(super) async fn run(
    session: &Session<'_>,
    command: args::BindingsCommand,
) -> Result<Exit, CommandError> {
    let args::BindingsCommand::Add(arguments) = command;
    add(session, arguments).await
}

async fn add(session: &Session<'_>, arguments: args::AddBindings) -> Result<Exit, CommandError> {
    let args::AddBindings {
        provider,
        patterns,
        into,
        is_crate,
        schema,
        upgrade,
        overwrite,
    } = arguments;
    let source = session.provider_named(&provider.name).map_err(|reason| {
        let unknown = Diagnostic::error(format!("`{}` is not a provider", provider.name));
        CommandError::usage(unknown.detail(reason))
    })?;
    let (json, version) = match &schema {
        Some(file) => {
            let version = provider.version.clone();
            let locked = || session.locked_version(&source).map(|it| it.to_string());
            (read(file)?, version.or_else(locked))
        }
        None => installed(session, &source, provider.version.as_deref(), upgrade).await?,
    };
    let Some(version) = version.filter(|version| is_exact(version)) else {
        return Err(unknown_version(&provider.name, schema.as_deref()));
    };
    let schemas = from_terraform_json(&json).map_err(|error| {
        let reason = error.source().map(ToString::to_string);
        let file = schema.as_deref().unwrap_or(Path::new("the schema"));
        let invalid = Diagnostic::error(format!("cannot read {}", file.display()));
        invalid
            .detail(format!("{error}: {}", reason.unwrap_or_default()))
            .hint("`providers schema --json` prints the form, as `terraform providers schema -json` and `tofu providers schema -json` do")
    })?;
    let names = schemas.keys().cloned().collect::<Vec<_>>().join(", ");
    // The host before the rest depends on who printed the document.
    let tail = format!("/{}/{}", source.namespace, source.type_name);
    let found = schemas.iter().find(|(name, _)| name.ends_with(&tail));
    let (_, schemas) = found.ok_or_else(|| {
        let missing = Diagnostic::error(format!("the file has no schema of {source}"));
        missing.detail(match names.as_str() {
            "" => "it has none of any provider".to_owned(),
            names => format!("it has those of {names}"),
        })
    })?;
    let written = written(&source);
    let origin = Origin {
        source: &written,
        version: &version,
        schemas,
    };
    let folder = into.unwrap_or_else(|| usual_folder(&source, is_crate));
    let wanted = AddBindings {
        project: Path::new(""),
        folder: &folder,
        is_crate,
        patterns: &patterns,
        overwrite,
    };
    let added = add_bindings(&origin, &wanted).map_err(|error| failed(&error))?;
    session
        .view()
        .bindings(&format!("{written} {version}"), &added);
    Ok(Exit::DONE)
}

/// The schemas of the provider itself, as a document, and its version.
async fn installed(
    session: &Session<'_>,
    source: &ProviderSource,
    versions: Option<&str>,
    upgrade: bool,
) -> Result<(Vec<u8>, Option<String>), CommandError> {
    if session.common.sandbox || session.common.replay.is_some() {
        return Err(CommandError::usage(
            Diagnostic::error(format!("there is no provider {source} here"))
                .detail("a stand-in knows the types of bindings, and cannot give any")
                .hint("leave `--sandbox` and `--replay` out, or name a file with `--schema`"),
        ));
    }
    let required = RequiredProvider {
        source: source.clone(),
        versions: versions.and_then(|text| text.parse().ok()),
    };
    let (json, version) = session.schemas_of(required, upgrade).await?;
    let document = serde_json::json!({ "provider_schemas": { source.to_string(): json } });
    // One under development has the version that the request says.
    let version = version.map(|version| version.to_string());
    Ok((
        document.to_string().into_bytes(),
        version.or_else(|| versions.map(str::to_owned)),
    ))
}

fn read(file: &Path) -> Result<Vec<u8>, CommandError> {
    let mut json = Vec::new();
    let read = match file == Path::new("-") {
        true => std::io::stdin().lock().take(LONGEST).read_to_end(&mut json),
        false => {
            std::fs::File::open(file).and_then(|opened| opened.take(LONGEST).read_to_end(&mut json))
        }
    };
    read.map_err(|error| {
        let unread = Diagnostic::error(format!("cannot read {}", file.display()));
        CommandError::usage(unread.detail(error.to_string()))
    })?;
    Ok(json)
}

/// Whether the text is a version, and no requirement of one.
fn is_exact(version: &str) -> bool {
    version.starts_with(|first: char| first.is_ascii_digit()) && version.split('.').count() >= 3
}

fn unknown_version(name: &str, schema: Option<&Path>) -> CommandError {
    let schema =
        schema.map(|file| format!(" --schema {}", quoted_if_needed(&file.to_string_lossy())));
    let schema = schema.unwrap_or_default();
    CommandError::usage(
        Diagnostic::error(format!("the version of {name} is not known"))
            .detail("bindings say which versions of the provider they drive; neither a schema nor a provider under development has one")
            .hint(format!("name it behind the provider: `bindings add {name}@1.2.3{schema}`")),
    )
}

/// The provider as bindings name it: without the host of a public registry, so that it is taken from the one that a project uses.
fn written(source: &ProviderSource) -> String {
    let public = [ProviderSource::DEFAULT_HOST, ProviderSource::TERRAFORM_HOST];
    match public.contains(&&*source.host) {
        true => format!("{}/{}", source.namespace, source.type_name),
        false => source.to_string(),
    }
}

fn usual_folder(source: &ProviderSource, is_crate: bool) -> PathBuf {
    let parent = if is_crate { "bindings" } else { "src" };
    Path::new(parent).join(source.type_name.replace('-', "_"))
}

fn failed(error: &AddError) -> CommandError {
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(one) = cause {
        causes.push(one.to_string());
        cause = one.source();
    }
    let diagnostic = Diagnostic::error(error.to_string()).detail(causes.join(": "));
    let diagnostic = match error {
        AddError::OfAnother { .. } => {
            diagnostic.hint("choose another folder with `--into`; nothing was changed")
        }
        AddError::Settings { .. } => {
            diagnostic.hint("correct it, or delete it to have it made anew; nothing was changed")
        }
        AddError::Unfit { closest, .. } => match closest {
            Some(closest) => diagnostic.hint(format!("did you mean `{closest}`?")),
            None => diagnostic.hint("quote patterns, so that the shell leaves `*` alone"),
        },
        AddError::Edited { files, .. } => {
            let files: Vec<String> = files.iter().map(|it| it.display().to_string()).collect();
            diagnostic.detail(files.join("\n")).hint(
                "write what is yours into files of your own; `--overwrite` takes the edits back",
            )
        }
        AddError::Format(_) => diagnostic.hint("`rustup component add rustfmt` installs it"),
        _ => diagnostic,
    };
    diagnostic.into()
}
