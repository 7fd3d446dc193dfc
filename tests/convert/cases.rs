//! The configurations, and the providers that they need.

use std::path::{Path, PathBuf};
use std::process::Command;

use terrane_codegen::from_terraform_json;
use terrane_convert::{Options, Project, Schemas, convert};
use terrane_core::schema::{FactsKind, ProviderSchema, from_facts_line, from_function_line};
use terrane_tests::{TestEnvironment, checkout, go_program};

/// A configuration.
pub(crate) struct Case {
    /// The name of its program.
    pub(crate) name: &'static str,
    /// Its folder in the checkout.
    folder: &'static str,
    /// Its providers: source, version, and the file with their schemas.
    pub(crate) providers: &'static [(&'static str, &'static str, &'static str)],
    /// Who answers in their place.
    pub(crate) answers: Answers,
    /// What its `preview` is told.
    pub(crate) arguments: &'static [&'static str],
}

const AWS: &[(&str, &str, &str)] = &[("hashicorp/aws", "5.100.0", "tests/convert/aws.facts")];

pub(crate) const EVERY: Case = Case {
    name: "every",
    folder: "src/convert/cases/every",
    providers: &[("example/acme", "1.0.0", "src/convert/cases/schema.json")],
    answers: Answers::Sandbox,
    arguments: &["--var", "password=env:PASSWORD"],
};
pub(crate) const BUILT_IN: Case = Case {
    name: "built-in",
    folder: "tests/convert/built-in",
    providers: &[],
    answers: Answers::Sandbox,
    arguments: &[],
};
pub(crate) const FORMS: Case = Case {
    name: "forms",
    folder: "tests/convert/forms",
    providers: &[
        (
            "terrane/conformance",
            "1.2.3",
            "tests/convert/conformance.facts",
        ),
        (
            "terrane/conformance6",
            "1.2.3",
            "tests/convert/conformance6.facts",
        ),
    ],
    answers: Answers::Programs(&[
        ("terrane/conformance", "terraform-provider-conformance"),
        ("terrane/conformance6", "terraform-provider-conformance6"),
    ]),
    arguments: &[],
};
pub(crate) const PLATFORM: Case = Case {
    name: "platform",
    folder: "tests/convert/platform",
    providers: AWS,
    answers: Answers::Recording,
    arguments: &[],
};
pub(crate) const CDKTF: Case = Case {
    name: "cdktf",
    folder: "tests/convert/cdktf",
    providers: AWS,
    answers: Answers::Recording,
    arguments: &[],
};

/// Who answers for the providers.
pub(crate) enum Answers {
    /// A sandbox with their types.
    Sandbox,
    /// They themselves: source and program.
    Programs(&'static [(&'static str, &'static str)]),
    /// What they answered once: `aws.recording`.
    Recording,
}

/// All of them.
pub(crate) const ALL: [&Case; 5] = [&EVERY, &BUILT_IN, &FORMS, &PLATFORM, &CDKTF];

impl Case {
    /// The folder of the configuration.
    pub(crate) fn folder(&self) -> PathBuf {
        checkout().join(self.folder)
    }

    /// The schemas of its providers.
    pub(crate) fn schemas(&self) -> Schemas {
        let known = self.providers.iter().map(|(source, version, file)| {
            let text = std::fs::read_to_string(checkout().join(file)).expect("schemas");
            let schema = match file.ends_with(".json") {
                true => of_json(&text),
                false => of_facts(&text),
            };
            ((*source).to_owned(), ((*version).to_owned(), schema))
        });
        known.collect()
    }

    /// The program that the configuration becomes, whole.
    pub(crate) fn converted(&self) -> Project {
        let options = Options {
            from: self.folder(),
            name: Some(self.name.to_owned()),
            terrane: None,
        };
        let project = convert(&options, &self.schemas());
        let project = project.unwrap_or_else(|error| panic!("{}: {error}", self.name));
        assert_eq!(project.untranslated, [], "{}", self.name);
        project
    }

    /// Its program in a place of its own, about to preview.
    pub(crate) fn preview(&self, program: PathBuf) -> (TestEnvironment, Command) {
        let programs = match self.answers {
            Answers::Programs(programs) => programs,
            Answers::Sandbox | Answers::Recording => &[],
        };
        let programs: Vec<(&str, PathBuf)> = programs
            .iter()
            .map(|(source, program)| (*source, go_program(program)))
            .collect();
        let folders: Vec<(&str, &Path)> = programs
            .iter()
            .map(|(source, program)| (*source, program.parent().expect("a folder")))
            .collect();
        let mut stack = TestEnvironment::new(program, &folders);
        // The type of one of them is not called `conformance`.
        stack.set("TERRANE_PROVIDER_ENV", "CONFORMANCE_DIRECTORY");
        stack.set("PASSWORD", "hunter2");
        let mut command = stack.command(&["preview", "--json", "--show-secrets"]);
        match self.answers {
            Answers::Sandbox => command.arg("--sandbox"),
            Answers::Programs(_) => command.args(["--backend", "state.json"]),
            Answers::Recording => command
                .arg("--replay")
                .arg(self.folder().join("aws.recording")),
        };
        command.args(self.arguments);
        (stack, command)
    }
}

/// The schemas of the only provider in a document as Terraform prints it.
fn of_json(text: &str) -> ProviderSchema {
    let providers = from_terraform_json(text.as_bytes()).expect("schemas");
    providers.into_values().next().expect("a provider")
}

/// The schemas of a provider of which there are facts.
fn of_facts(facts: &str) -> ProviderSchema {
    let mut schema = ProviderSchema::default();
    for line in facts.lines().filter(|line| !line.starts_with('#')) {
        if line.starts_with("function ") {
            let (name, function) = from_function_line(line).expect("a function");
            schema.functions.insert(name.into(), function.into());
            continue;
        }
        let (kind, name, one) = from_facts_line(line).expect("facts");
        let one = std::sync::Arc::new(one);
        match kind {
            FactsKind::Provider => schema.provider = Some(one),
            FactsKind::Resource => drop(schema.resources.insert(name.into(), one)),
            FactsKind::DataSource => drop(schema.data_sources.insert(name.into(), one)),
            FactsKind::Ephemeral => drop(schema.ephemeral_resources.insert(name.into(), one)),
        }
    }
    schema
}
