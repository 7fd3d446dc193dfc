//! A provider that misbehaves on demand: a real plugin process, in Rust, over protocol 5 or 6.
//!
//! | variable | values |
//! | --- | --- |
//! | `FAKE_PROTOCOL` | `5` (default), `6` |
//! | `FAKE_SCHEMA` | `required`: every process must be asked for its schema |
//! | `FAKE_START` | before the handshake: `exit`, `panic`, `hang`, `junk`, `endless`, `netrpc`, `core`, `version4`, `dead` (announces a socket nobody listens on), `flood` (writes 64 MiB to standard error, then behaves) |
//! | `FAKE_FAULT` | `CALL:FAULT`, where CALL is `configure`, `validate`, `read`, `plan`, `apply` or `stop`, and FAULT is `panic` (a Go panic on standard error, exit 2), `exit` (status 0), `hang`, `flood` (diagnostics), `garble` (apply only: an answer that is no object), `log` (repeats every text of the request in its log), `tell` (the same, and in an error), `cry` (the same, in a Go panic), `long` (apply only: an id of `FAKE_LONG` characters) |
//!
//! It serves `fake_thing` (id computed, name, size, tags; protocol 6 also `nested`), `fake_vault` (secrets of every kind, and attributes that
//! repeat them) and the data source `fake_lookup` (name → found).

#![expect(
    clippy::disallowed_methods,
    reason = "a program of its own, whose point is to end badly"
)]

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use terrane_core::schema::{
    Attribute, AttributeType, Block, NestedAttribute, Nesting, ProviderSchema, Schema,
};
use terrane_core::{Diagnostic, Diagnostics, Path, Type, Value};
use terrane_provider::serve::{self, Service};
use terrane_provider::{
    ApplyResourceChange, ApplyResourceChangeResponse, Capabilities, Environment, GarbledState,
    PlanResourceChange, PlanResourceChangeResponse, Protocol, ReadDataSource,
    ReadDataSourceResponse, ReadResource, ReadResourceResponse, launcher,
};

fn main() {
    launcher::run_if_asked();
    let environment: Environment = std::env::vars().collect();
    if let Some(start) = environment.get("FAKE_START") {
        misbehave(start);
    }
    let protocol = match environment.get("FAKE_PROTOCOL") {
        Some("6") => Protocol::V6,
        _ => Protocol::V5,
    };
    let fault = environment.get("FAKE_FAULT").and_then(|fault| {
        let (call, fault) = fault.split_once(':')?;
        Some((call.to_owned(), fault.to_owned()))
    });
    let long = environment
        .get("FAKE_LONG")
        .and_then(|long| long.parse().ok());
    let fake = Fake {
        protocol,
        schema_required: environment.get("FAKE_SCHEMA") == Some("required"),
        fault,
        long,
    };
    if let Err(error) = serve::run(fake, protocol, &environment) {
        say(&error.to_string());
        std::process::exit(1);
    }
}

fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn print(text: &str) {
    let mut stdout = std::io::stdout();
    let _ = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
}

fn hang() -> ! {
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}

fn misbehave(start: &str) {
    match start {
        "exit" => {
            say("no licence found");
            std::process::exit(3);
        }
        "panic" => {
            say("panic: runtime error: index out of range\n\ngoroutine 1 [running]:\nmain.main()");
            std::process::exit(2);
        }
        "hang" => {
            say("waiting for a licence server");
            hang();
        }
        "junk" => {
            print("Welcome to the fake provider!\n");
            hang();
        }
        "endless" => loop {
            print(&"x".repeat(4096));
        },
        "netrpc" => {
            print("1|5|unix|/tmp/nowhere\n");
            hang();
        }
        "core" => {
            print("2|5|unix|/tmp/nowhere|grpc\n");
            hang();
        }
        "version4" => {
            print("1|4|unix|/tmp/nowhere|grpc\n");
            hang();
        }
        "dead" => {
            print("1|5|unix|/tmp/terrane-nobody-listens-here|grpc\n");
            hang();
        }
        "flood" => {
            let line = format!("{}\n", "noise ".repeat(100));
            for _ in 0..(64 << 20) / line.len() {
                let _ = std::io::stderr().write_all(line.as_bytes());
            }
        }
        other => say(&format!("no such way to start: {other}")),
    }
}

struct Fake {
    protocol: Protocol,
    schema_required: bool,
    fault: Option<(String, String)>,
    long: Option<usize>,
}

fn attribute(ty: Type) -> Attribute {
    Attribute {
        ty: AttributeType::Plain(ty),
        required: false,
        optional: false,
        computed: false,
        sensitive: false,
        write_only: false,
        deprecated: false,
    }
}

fn optional(ty: Type) -> Attribute {
    Attribute {
        optional: true,
        ..attribute(ty)
    }
}

fn required(ty: Type) -> Attribute {
    Attribute {
        required: true,
        ..attribute(ty)
    }
}

fn computed(ty: Type) -> Attribute {
    Attribute {
        computed: true,
        ..attribute(ty)
    }
}

fn schema(attributes: impl IntoIterator<Item = (&'static str, Attribute)>) -> Arc<Schema> {
    let attributes = attributes.into_iter();
    let block = Block {
        attributes: attributes.map(|(name, one)| (name.into(), one)).collect(),
        ..Block::default()
    };
    Arc::new(Schema::new(0, block))
}

impl Fake {
    /// Applies the fault for that call and value; returns its diagnostics.
    fn at(&self, call: &str, value: &Value) -> Diagnostics {
        let Some((_, fault)) = self.fault.as_ref().filter(|(at, _)| at == call) else {
            return Diagnostics::new();
        };
        let texts = &mut Vec::new();
        gather(value, texts);
        match fault.as_str() {
            "panic" => {
                say(
                    "panic: assignment to entry in nil map\n\ngoroutine 42 [running]:\nmain.apply()",
                );
                std::process::exit(2);
            }
            "exit" => std::process::exit(0),
            "hang" => hang(),
            "log" => {
                log(texts);
                Diagnostics::new()
            }
            "tell" => {
                log(texts);
                let error = Diagnostic::error(format!("refused: {}", texts.join(", ")));
                error.detail(texts.join("\n")).into()
            }
            "cry" => {
                let lines = texts.join("\nmain.cry ");
                say(&format!(
                    "panic: {lines}\n\ngoroutine 1 [running]:\nmain.cry()"
                ));
                std::process::exit(2);
            }
            "flood" => (0..5_000)
                .map(|number| Diagnostic::warning(format!("warning {number}")))
                .collect(),
            _ => Diagnostics::new(),
        }
    }

    fn is_at(&self, call: &str, fault: &str) -> bool {
        (self.fault.as_ref()).is_some_and(|(at, what)| at == call && what == fault)
    }
}

/// Every text in a value.
fn gather(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.to_string()),
        Value::List(elements) | Value::Set(elements) => {
            elements.iter().for_each(|element| gather(element, texts));
        }
        Value::Map(members) => members.values().for_each(|member| gather(member, texts)),
        Value::Dynamic(dynamic) => gather(&dynamic.1, texts),
        _ => {}
    }
}

/// Logs texts as careless providers do: in messages, in fields, encoded, and bare.
fn log(texts: &[String]) {
    let body = serde_json::json!({ "texts": texts }).to_string();
    let header = STANDARD.encode(format!("user:{}", texts.join(":")));
    for text in texts {
        say(&format!("[TRACE] sending {text}"));
    }
    let entry = serde_json::json!({
        "@level": "debug", "@module": "fake.http", "@message": format!("sending {}", texts.join(" and ")),
        "body": body, "authorization": header,
    });
    say(&entry.to_string());
}

/// The arguments that a vault repeats, where they are known.
fn with_mirrors(planned: &Value) -> Value {
    let mut members = planned.members().cloned().unwrap_or_default();
    let mut all = planned
        .get("tags")
        .and_then(Value::members)
        .cloned()
        .unwrap_or_default();
    all.insert("provided".into(), "visible".into());
    members.insert("tags_all".into(), Value::Map(Arc::new(all)));
    let password = planned
        .get("password")
        .and_then(Value::as_str)
        .unwrap_or_default();
    members.insert("url".into(), format!("vault://user:{password}@host").into());
    members.insert("encoded".into(), STANDARD.encode(password).into());
    Value::Map(Arc::new(members))
}

fn with_id(object: &Value, id: Value) -> Value {
    let mut members = object.members().cloned().unwrap_or_default();
    members.insert("id".into(), id);
    Value::Map(Arc::new(members))
}

#[async_trait]
impl Service for Fake {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            plan_destroy: true,
            get_provider_schema_optional: !self.schema_required,
            ..Capabilities::default()
        }
    }

    fn schema(&self) -> ProviderSchema {
        let mut thing = vec![
            ("id", computed(Type::String)),
            ("name", required(Type::String)),
            ("size", optional(Type::Number)),
            ("tags", optional(Type::map(Type::String))),
        ];
        if self.protocol == Protocol::V6 {
            let nested = NestedAttribute {
                attributes: [("inner".into(), optional(Type::set(Type::String)))].into(),
                nesting: Nesting::List,
            };
            let mut attribute = optional(Type::Bool);
            attribute.ty = AttributeType::Nested(Box::new(nested));
            thing.push(("nested", attribute));
        }
        let secret = |ty| Attribute {
            sensitive: true,
            ..optional(ty)
        };
        let mut vault = vec![
            ("id", computed(Type::String)),
            ("name", required(Type::String)),
            ("password", secret(Type::String)),
            ("pin", secret(Type::String)),
            ("anything", optional(Type::Dynamic)),
            ("tags", optional(Type::map(Type::String))),
            ("tags_all", computed(Type::map(Type::String))),
            ("url", computed(Type::String)),
            ("encoded", computed(Type::String)),
        ];
        if self.protocol == Protocol::V6 {
            let nested = NestedAttribute {
                attributes: [
                    ("open".into(), optional(Type::String)),
                    ("token".into(), secret(Type::String)),
                ]
                .into(),
                nesting: Nesting::List,
            };
            let mut attribute = optional(Type::Bool);
            attribute.ty = AttributeType::Nested(Box::new(nested));
            vault.push(("nested", attribute));
        }
        let lookup = [
            ("name", required(Type::String)),
            ("found", computed(Type::String)),
        ];
        ProviderSchema {
            provider: Some(schema([
                ("region", optional(Type::String)),
                ("token", secret(Type::String)),
            ])),
            resources: [
                ("fake_thing".into(), schema(thing)),
                ("fake_vault".into(), schema(vault)),
            ]
            .into(),
            data_sources: [("fake_lookup".into(), schema(lookup))].into(),
            ..ProviderSchema::default()
        }
    }

    async fn configure(&self, config: &Value) -> Diagnostics {
        let mut said = self.at("configure", config);
        if config.get("region").and_then(Value::as_str) == Some("nowhere") {
            let error = Diagnostic::error("no such region").detail("there is no region `nowhere`");
            said.push(error.attribute(Path::root().attribute("region")));
        }
        said
    }

    async fn validate_resource_config(&self, _type_name: &str, config: &Value) -> Diagnostics {
        let mut said = self.at("validate", config);
        if config.get("name").and_then(Value::as_str) == Some("") {
            let error = Diagnostic::error("empty name");
            said.push(error.attribute(Path::root().attribute("name")));
        }
        said
    }

    async fn read_resource(&self, request: ReadResource<'_>) -> ReadResourceResponse {
        let diagnostics = self.at("read", request.current_state);
        ReadResourceResponse {
            deferred: None,
            new_state: request.current_state.clone(),
            private: request.private.clone(),
            new_identity: None,
            diagnostics,
        }
    }

    async fn plan_resource_change(
        &self,
        request: PlanResourceChange<'_>,
    ) -> PlanResourceChangeResponse {
        let diagnostics = self.at("plan", request.config);
        let proposed = request.proposed_new_state;
        let renamed = !request.prior_state.is_null()
            && !proposed.is_null()
            && request.prior_state.get("name") != proposed.get("name");
        let planned_state = match (request.prior_state, proposed) {
            (_, Value::Null) => Value::Null,
            (Value::Null, proposed) => with_id(proposed, Value::UNKNOWN),
            (prior, proposed) if renamed => {
                with_id(proposed, prior.get("id").cloned().unwrap_or(Value::Null))
            }
            (_, proposed) => proposed.clone(),
        };
        let planned_state = match request.type_name {
            "fake_vault" if !planned_state.is_null() => with_mirrors(&planned_state),
            _ => planned_state,
        };
        let path = Path::root().attribute("name");
        PlanResourceChangeResponse {
            deferred: None,
            planned_state,
            requires_replace: if renamed { vec![path] } else { Vec::new() },
            planned_private: "planned".into(),
            planned_identity: None,
            legacy_type_system: false,
            diagnostics,
        }
    }

    async fn apply_resource_change(
        &self,
        request: ApplyResourceChange<'_>,
    ) -> ApplyResourceChangeResponse {
        let mut diagnostics = self.at("apply", request.config);
        if request.planned_private.as_ref() != b"planned" {
            diagnostics.push(Diagnostic::error(
                "the private bytes of the plan did not come back",
            ));
        }
        let planned = request.planned_state;
        let new_state = if self.is_at("apply", "garble") {
            Err(GarbledState {
                raw: b"\x82this is no object".as_slice().into(),
                reason: String::new(),
            })
        } else if planned.get("id").is_some_and(Value::is_unknown) {
            let name = planned.get("name").and_then(Value::as_str);
            let id = match self.long {
                Some(length) if self.is_at("apply", "long") => "x".repeat(length),
                _ => format!("id-of-{}", name.unwrap_or_default()),
            };
            Ok(with_id(planned, id.into()))
        } else {
            Ok(planned.clone())
        };
        ApplyResourceChangeResponse {
            new_state,
            private: "applied".into(),
            new_identity: None,
            legacy_type_system: false,
            diagnostics,
        }
    }

    async fn read_data_source(&self, request: ReadDataSource<'_>) -> ReadDataSourceResponse {
        let name = request
            .config
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let found = format!("found {name}");
        ReadDataSourceResponse {
            deferred: None,
            state: Value::map([("name", Value::from(name)), ("found", found.into())]),
            diagnostics: Diagnostics::new(),
        }
    }

    async fn stop(&self) -> Result<(), String> {
        self.at("stop", &Value::Null);
        Err("nothing was running".to_owned())
    }
}
