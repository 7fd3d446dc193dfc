//! A world with one real provider process: its objects are files that a test may look at, change and remove.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value as Json;
use tempfile::TempDir;
use terrane_core::addr::ProviderSource;
use terrane_core::{
    Declaration, Diagnostics, NoConfig, Program, ProviderAction, ProviderDeclaration,
    ProviderHandle, Resource, Stack,
};
use terrane_engine::{
    Action, Applied, Draft, Engine, FinalPlans, Host, Plan, PlanMode, PlanOptions, Silent, Sought,
};
use terrane_provider::{CliConfig, Environment, Launch, NoLog, Plugins, ProviderCommand};
use terrane_state::{Change, MemoryRecorder, Recorder as _, State, SystemClock, SystemRandom};
use terrane_tests::go_program;

/// Which form the conformance provider is served in.
#[derive(Debug, Clone, Copy)]
enum Served {
    V5,
    V6,
    /// The provider on the wire alone.
    Latest,
}

/// How a test's runs are made: over which protocol, and which way creations are planned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way {
    served: Served,
    final_plans: FinalPlans,
}

impl Way {
    /// Every one.
    pub(crate) const ALL: [Self; 4] = [
        Self::new(Served::V5, FinalPlans::WhereNeeded),
        Self::new(Served::V5, FinalPlans::Always),
        Self::new(Served::V6, FinalPlans::WhereNeeded),
        Self::new(Served::V6, FinalPlans::Always),
    ];

    /// The provider of what HashiCorp's libraries do not know.
    pub(crate) const LATEST: [Self; 2] = [
        Self::new(Served::Latest, FinalPlans::WhereNeeded),
        Self::new(Served::Latest, FinalPlans::Always),
    ];

    const fn new(served: Served, final_plans: FinalPlans) -> Self {
        Self {
            served,
            final_plans,
        }
    }
}

impl Default for Way {
    fn default() -> Self {
        Self::new(Served::V6, FinalPlans::default())
    }
}

impl Served {
    fn type_name(self) -> &'static str {
        match self {
            Self::V5 => "conformance",
            Self::V6 => "conformance6",
            Self::Latest => "latest",
        }
    }

    fn source(self) -> ProviderSource {
        format!("terrane/{}", self.type_name())
            .parse()
            .expect("a source")
    }
}

pub(crate) struct Rig {
    way: Way,
    directory: TempDir,
    recorder: MemoryRecorder,
}

/// The result of an operation.
pub(crate) struct Done {
    pub(crate) plan: Option<Plan>,
    pub(crate) applied: Option<Applied>,
    pub(crate) diagnostics: Diagnostics,
}

impl Rig {
    pub(crate) fn new(way: Way) -> Self {
        Self {
            way,
            directory: tempfile::tempdir().expect("a directory"),
            recorder: MemoryRecorder::new(State::new("rig".into())),
        }
    }

    /// A path in the directory of this rig.
    pub(crate) fn path(&self, name: &str) -> String {
        let path = self.directory.path().join(name);
        path.to_str().expect("a path in UTF-8").to_owned()
    }

    /// The provider's name.
    pub(crate) fn source(&self) -> ProviderSource {
        self.way.served.source()
    }

    /// An action of that type under this provider.
    pub(crate) fn action(&self, action_type: &str, name: &str) -> ProviderAction {
        ProviderAction::dynamic(action_type, name).provider_source(self.way.served.source())
    }

    /// A resource of that type under this provider.
    pub(crate) fn resource(&self, type_name: &str, name: &str) -> Declaration {
        Resource::dynamic(type_name, name).provider_source(self.way.served.source())
    }

    pub(crate) fn data(&self, type_name: &str, name: &str) -> Declaration {
        Resource::dynamic_data(type_name, name).provider_source(self.way.served.source())
    }

    fn configure(&self, stack: &mut Stack) -> ProviderHandle {
        let directory = self.directory.path().to_str().expect("a path in UTF-8");
        let provider = ProviderDeclaration::dynamic(self.way.served.source());
        stack.provider(provider.set("directory", directory))
    }

    pub(crate) fn up(&self, declare: impl Fn(&mut Stack)) -> Done {
        self.run(declare, &PlanOptions::default(), Then::Apply)
    }

    pub(crate) fn preview(&self, declare: impl Fn(&mut Stack)) -> Done {
        self.run(declare, &PlanOptions::default(), Then::Stop)
    }

    pub(crate) fn destroy(&self, declare: impl Fn(&mut Stack)) -> Done {
        let options = PlanOptions {
            mode: PlanMode::Destroy,
            ..PlanOptions::default()
        };
        self.run(declare, &options, Then::Apply)
    }

    /// Records the object with that id at an address of the program; its own id.
    pub(crate) fn import(
        &self,
        declare: impl Fn(&mut Stack),
        address: &str,
        id: &str,
    ) -> Result<String, Diagnostics> {
        let program = self.program(declare);
        let address = address.parse().expect("an address");
        self.with_engine(async |engine| {
            let imported = engine.import(&program, &self.recorder, &address, id);
            let imported = imported.await?;
            let id = imported.id.clone();
            let (intent, result) = imported.records();
            self.recorder.intent(intent).await.expect("recorded");
            self.recorder.result(result).await.expect("recorded");
            Ok(id)
        })
    }

    /// The draft of the object with that id, which no state has.
    pub(crate) fn draft(&self, type_name: &str, id: &str) -> Draft {
        let program = self.program(|_| {});
        let address = format!("{type_name}.drafted").parse().expect("an address");
        let sought = Sought {
            address,
            id: id.to_owned(),
            identity: None,
        };
        self.with_engine(async |engine| {
            let state = self.recorder.state();
            let drafted = engine.draft(&program, &state, vec![sought]).await;
            let (drafts, _) = drafted.unwrap_or_else(|error| panic!("no draft: {error}"));
            drafts.into_iter().next().expect("a draft")
        })
    }

    /// Invokes an action by hand; its warnings.
    pub(crate) fn invoke(
        &self,
        declare: impl Fn(&mut Stack),
        action: &str,
    ) -> Result<Diagnostics, Diagnostics> {
        let program = self.program(declare);
        self.with_engine(async |engine| engine.invoke(&program, &self.recorder, action).await)
    }

    /// Takes everything out of the state; it goes on existing.
    pub(crate) fn forget_everything(&self) {
        for address in self.state().resources.into_keys() {
            self.recorder.change(Change::Instance {
                address,
                instance: None,
            });
        }
    }

    fn program(&self, declare: impl Fn(&mut Stack)) -> Program {
        let declare = |stack: &mut Stack| {
            self.configure(stack);
            declare(stack);
            Ok(())
        };
        Program::from_fn(declare, NoConfig)
            .unwrap_or_else(|diagnostics| panic!("no program: {diagnostics}"))
    }

    fn run(&self, declare: impl Fn(&mut Stack), options: &PlanOptions, then: Then) -> Done {
        let program = self.program(declare);
        self.with_engine(async |engine| {
            let prior = self.recorder.state();
            match engine.plan(&program, &prior, options).await {
                Err(diagnostics) => Done {
                    plan: None,
                    applied: None,
                    diagnostics,
                },
                Ok(plan) if then == Then::Stop => Done {
                    diagnostics: plan.diagnostics.clone(),
                    plan: Some(plan),
                    applied: None,
                },
                Ok(plan) => {
                    let applied = engine.apply(&program, &plan, &self.recorder).await;
                    let diagnostics = applied.diagnostics.clone();
                    Done {
                        plan: Some(plan),
                        applied: Some(applied),
                        diagnostics,
                    }
                }
            }
        })
    }

    /// Does that with an engine that starts the provider.
    fn with_engine<T>(&self, work: impl AsyncFnOnce(&Engine<'_>) -> T) -> T {
        let binary = format!("terraform-provider-{}", self.way.served.type_name());
        let command: ProviderCommand = go_program(&binary).into();
        let environment: Environment = ["PATH", "HOME"]
            .into_iter()
            .filter_map(|name| Some((name, std::env::var_os(name)?.into_string().ok()?)))
            .collect();
        let plugins = Plugins::new(
            environment,
            CliConfig::default(),
            Launch::Direct,
            Arc::new(NoLog),
        )
        .with_command(self.way.served.source(), command)
        // The first operation asks for the schema, the next ones use that answer.
        .keep_schemas_in(self.directory.path().join("cache"));
        let clock = SystemClock::default();
        let world = Host {
            providers: &plugins,
            events: &Silent,
            clock: &clock,
            random: &SystemRandom,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let engine = Engine::new(world, 10).final_plans(self.way.final_plans);
            let done = work(&engine).await;
            engine.close().await;
            done
        })
    }

    pub(crate) fn state(&self) -> State {
        self.recorder.state()
    }

    /// How many operations have no known end.
    pub(crate) fn open_intents(&self) -> usize {
        self.recorder.open_intents().len()
    }

    /// An attribute as the state has it.
    pub(crate) fn stored(&self, address: &str, attribute: &str) -> Json {
        let address = address.parse().expect("an address");
        let state = self.state();
        let instance = state
            .instance(&address)
            .unwrap_or_else(|| panic!("{address} is not stored"));
        let object = instance.current.as_ref().expect("a current object");
        let attributes: Json =
            serde_json::from_str(object.attributes.raw().as_str()).expect("JSON");
        attributes[attribute].clone()
    }

    /// The files of the objects of that type.
    pub(crate) fn objects(&self, type_name: &str) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.directory.path().join(type_name)) else {
            return Vec::new();
        };
        let mut files: Vec<_> = entries
            .map(|entry| entry.expect("an entry").path())
            .collect();
        files.sort();
        files
    }

    /// Changes the only object of that type behind the engine's back.
    pub(crate) fn edit(&self, type_name: &str, change: impl FnOnce(&mut Json)) {
        let files = self.objects(type_name);
        let [file] = files.as_slice() else {
            panic!("{} objects of {type_name}", files.len())
        };
        let mut object: Json =
            serde_json::from_slice(&fs::read(file).expect("readable")).expect("JSON");
        change(&mut object["attributes"]);
        fs::write(file, object.to_string()).expect("writable");
    }

    /// The operations that changed something, in order: `create done`, `delete failed`, …
    pub(crate) fn ledger(&self) -> Vec<String> {
        let text = fs::read_to_string(self.directory.path().join("ledger.jsonl"));
        let lines = text.unwrap_or_default();
        let operations = lines.lines().filter_map(|line| {
            let line: Json = serde_json::from_str(line).expect("JSON");
            let (op, outcome) = (line["op"].as_str()?, line["outcome"].as_str()?);
            (op != "read").then(|| format!("{op} {outcome}"))
        });
        operations.collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Apply,
    Stop,
}

impl Done {
    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        assert!(!self.diagnostics.has_errors(), "{}", self.diagnostics);
        self
    }

    #[track_caller]
    pub(crate) fn fails(self) -> Self {
        assert!(self.diagnostics.has_errors(), "it succeeded");
        self
    }

    /// The actions other than "nothing", in the order of declaration.
    #[track_caller]
    pub(crate) fn actions(&self) -> Vec<Action> {
        let plan = self
            .plan
            .as_ref()
            .unwrap_or_else(|| panic!("no plan: {}", self.diagnostics));
        plan.changes
            .iter()
            .map(|c| c.action)
            .filter(|action| *action != Action::NoOp)
            .collect()
    }

    #[track_caller]
    pub(crate) fn is_empty(&self) {
        let plan = self
            .plan
            .as_ref()
            .unwrap_or_else(|| panic!("no plan: {}", self.diagnostics));
        let changes = plan
            .changes
            .iter()
            .filter(|change| change.action != Action::NoOp);
        let shown: Vec<_> = changes
            .map(|c| {
                format!(
                    "{:?} {}: {:?} -> {:?}",
                    c.action, c.address, c.before, c.after
                )
            })
            .collect();
        assert!(plan.is_empty(), "{shown:#?} {:?}", plan.outputs);
    }
}
