//! The cloud of a test: its objects, and the state that runs leave beside them.

use std::collections::BTreeSet;
use std::sync::Arc;

use terrane_core::addr::{InstanceAddr, Mode};
use terrane_core::{Diagnostics, FromValue, Marked, Path, Program, Value, closest};
use terrane_engine::PlanMode;
use terrane_provider::ApplyResourceChange;
use terrane_sandbox::{InMemory, Types};
use terrane_state::{Instance, OpenIntent, State};

use crate::fault::{Fault, Faults};
use crate::operation::{Ended, Operation, on_a_thread_of_its_own};
use crate::plan::TestPlan;
use crate::provider::{KnownProviders, SandboxProviders};
use crate::run::TestRun;
use crate::stack::TestStack;
use crate::time::{TestClock, TestRandom};
use crate::value::PlannedValue;

/// A sandbox in memory with the state of one stack. Ids are the same in every run of a test.
pub struct TestCloud {
    cloud: Arc<InMemory>,
    known: KnownProviders,
    state: State,
    open: Vec<OpenIntent>,
    faults: Vec<Fault>,
    clock: TestClock,
    random: TestRandom,
}

impl Default for TestCloud {
    fn default() -> Self {
        Self::new()
    }
}

impl TestCloud {
    /// A cloud with nothing in it.
    pub fn new() -> Self {
        Self {
            cloud: Arc::new(InMemory::new(&Types::read(""))),
            known: KnownProviders::default(),
            state: State::new("test".into()),
            open: Vec::new(),
            faults: Vec::new(),
            clock: TestClock::default(),
            random: TestRandom::default(),
        }
    }

    /// The plan of a stack beside what exists.
    ///
    /// # Panics
    /// When there is none; the message says everything that is wrong.
    #[track_caller]
    pub fn preview(&mut self, stack: &TestStack) -> TestPlan {
        match self.try_preview(stack) {
            Ok(plan) => plan,
            Err(faults) => panic!("the stack cannot be planned:\n\n{faults}"),
        }
    }

    /// The same, for a stack that may be wrong.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn try_preview(&mut self, stack: &TestStack) -> Result<TestPlan, Diagnostics> {
        let program = Arc::new(stack.program()?);
        let providers = self.providers(&program)?;
        let operation = self.operation(stack, &program, &providers);
        let (program, plan) = operation.preview()?;
        Ok(TestPlan::new(program, plan))
    }

    /// Makes the cloud as the stack says, in as many waves as that takes.
    #[must_use = "a run that failed is no failed test; say what is expected: `.succeeds()`"]
    #[track_caller]
    pub fn up(&mut self, stack: &TestStack) -> TestRun {
        self.run(stack, PlanMode::Normal)
    }

    /// Brings the state up to date with the cloud.
    #[must_use = "a run that failed is no failed test; say what is expected: `.succeeds()`"]
    #[track_caller]
    pub fn refresh(&mut self, stack: &TestStack) -> TestRun {
        self.run(stack, PlanMode::RefreshOnly)
    }

    /// Removes everything.
    #[must_use = "a run that failed is no failed test; say what is expected: `.succeeds()`"]
    #[track_caller]
    pub fn destroy(&mut self, stack: &TestStack) -> TestRun {
        self.run(stack, PlanMode::Destroy)
    }

    /// Lets something fail in the next run.
    pub fn fault(&mut self, fault: Fault) -> &mut Self {
        self.faults.push(fault);
        self
    }

    /// The addresses in the state, sorted; data resources too.
    pub fn addresses(&self) -> Vec<String> {
        let addresses = self.state.resources.keys();
        addresses.map(ToString::to_string).collect()
    }

    /// Whether neither the state nor the cloud has anything.
    pub fn is_empty(&self) -> bool {
        self.state.resources.is_empty() && self.objects().is_empty()
    }

    /// The operations whose outcome nobody knows yet, a line each: `create aws_vpc.main`.
    pub fn unresolved(&self) -> Vec<String> {
        let open = self.open.iter().map(|open| &open.intent);
        open.map(|intent| {
            let action = format!("{:?}", intent.action).to_lowercase();
            format!("{action} {}", intent.address)
        })
        .collect()
    }

    /// The objects of the cloud that the state does not have, sorted: their types and ids.
    pub fn orphans(&self) -> Vec<String> {
        let managed = self.state.resources.iter();
        let managed = managed.filter(|(address, _)| address.resource.mode == Mode::Managed);
        let known: BTreeSet<(String, String)> = managed
            .flat_map(|(address, instance)| {
                let type_name = address.resource.type_name.to_string();
                let objects = instance.current.iter().chain(instance.deposed.values());
                objects.filter_map(move |object| Some((type_name.clone(), id_of(object)?)))
            })
            .collect();
        let objects = self.objects().into_iter();
        let orphans = objects.filter(|object| !known.contains(object));
        orphans
            .map(|(type_name, id)| format!("{type_name} {id}"))
            .collect()
    }

    /// Forgets the state: the objects are then those of somebody else.
    pub fn forget_state(&mut self) {
        self.state = State::new("another".into());
        self.open.clear();
    }

    /// Deletes an object behind the back of the stack.
    ///
    /// # Panics
    /// When the state has no such object, or the cloud refuses.
    #[track_caller]
    pub fn delete_outside(&mut self, address: &str) {
        let (address, instance) = self.instance(address);
        let object = instance.current.as_ref().expect("a current object");
        let types = self.known.types(&instance.provider.source);
        let types = types.expect("a provider that a run has used");
        let type_name = &*address.resource.type_name;
        let schema = types.schema().resources.get(type_name);
        let ty = schema.expect("a type of this provider").ty();
        let stored = object.attributes.raw().as_str().as_bytes();
        let prior = Value::from_json(stored, ty).expect("stored attributes are of their type");
        let sandbox = self.cloud.beside(types);
        let request = ApplyResourceChange {
            type_name,
            prior_state: &prior,
            planned_state: &Value::Null,
            config: &Value::Null,
            planned_private: &object.private,
            planned_identity: None,
            provider_meta: None,
        };
        let deleted = on_a_thread_of_its_own(|| sandbox.service().apply_resource_change(request));
        assert!(!deleted.diagnostics.has_errors(), "{}", deleted.diagnostics);
    }

    /// The value that the last run exported.
    ///
    /// # Panics
    /// When it exported nothing under that name, or something of another type.
    #[track_caller]
    pub fn export<T: FromValue>(&self, name: &str) -> PlannedValue<T> {
        let Some(output) = self.state.outputs.get(name) else {
            let names = self.state.outputs.keys().map(|name| &**name);
            let meant = closest(name, names).map(|found| format!("; did you mean `{found}`?"));
            panic!("there is no export `{name}`{}", meant.unwrap_or_default());
        };
        let value = Value::from_json(output.value.as_str().as_bytes(), &output.ty);
        let mut marked = Marked::plain(value.expect("a stored export is of its type"));
        if output.sensitive {
            marked.sensitive.insert(Path::root());
        }
        PlannedValue::new(format!("the export `{name}`"), &marked, Vec::new)
    }

    /// The objects that exist: types and ids.
    fn objects(&self) -> BTreeSet<(String, String)> {
        let mut objects = BTreeSet::new();
        for line in self.cloud.ledger() {
            let key = (line.type_name, line.id);
            match line.object.is_some() || line.action != "delete" {
                true => objects.insert(key),
                false => objects.remove(&key),
            };
        }
        objects
    }

    #[track_caller]
    fn instance(&self, address: &str) -> (InstanceAddr, Arc<Instance>) {
        let parsed: InstanceAddr = match address.parse() {
            Ok(parsed) => parsed,
            Err(error) => panic!("`{address}` is not an address: {error}"),
        };
        match self.state.instance(&parsed) {
            Some(instance) => (parsed, instance.clone()),
            None => {
                let all = self.addresses();
                let meant = closest(address, all.iter().map(String::as_str));
                let meant = meant.map(|found| format!("; did you mean `{found}`?"));
                panic!("the state has no `{address}`{}", meant.unwrap_or_default());
            }
        }
    }

    fn providers(&mut self, program: &Program) -> Result<SandboxProviders, Diagnostics> {
        self.known.learn(program)?;
        Ok(SandboxProviders {
            cloud: self.cloud.clone(),
            known: self.known.clone(),
            faults: Arc::new(Faults::new(std::mem::take(&mut self.faults))),
        })
    }

    fn operation<'a>(
        &'a self,
        stack: &'a TestStack,
        program: &'a Arc<Program>,
        providers: &'a SandboxProviders,
    ) -> Operation<'a> {
        Operation {
            program,
            stack,
            providers,
            clock: &self.clock,
            random: &self.random,
            state: self.state.clone(),
            open: self.open.clone(),
        }
    }

    #[track_caller]
    fn run(&mut self, stack: &TestStack, mode: PlanMode) -> TestRun {
        let refused = |diagnostics| TestRun {
            plan: None,
            steps: Vec::new(),
            recovered: Vec::new(),
            unresolved: Vec::new(),
            diagnostics,
            died: false,
        };
        let program = match stack.program() {
            Ok(program) => Arc::new(program),
            Err(diagnostics) => return refused(diagnostics),
        };
        let providers = match self.providers(&program) {
            Ok(providers) => providers,
            Err(diagnostics) => return refused(diagnostics),
        };
        let ended = self.operation(stack, &program, &providers).apply(mode);
        let Ended {
            state,
            open,
            plan,
            recovered,
            steps,
            diagnostics,
            died,
        } = ended;
        if !state.same_content(&self.state) {
            self.state = state;
            self.state.serial += 1;
        }
        self.open = open;
        let run = TestRun {
            plan: plan.map(|(program, plan)| TestPlan::new(program, plan)),
            steps,
            recovered: recovered
                .resolved
                .iter()
                .map(|one| format!("{}: {:?} ({})", one.address, one.how, one.evidence))
                .collect(),
            unresolved: recovered
                .remaining
                .iter()
                .map(|one| {
                    let intent = &one.open.intent;
                    let action = format!("{:?}", intent.action).to_lowercase();
                    let (address, doubt) = (&intent.address, &one.doubt);
                    format!("{action} {address} is unresolved: {doubt}")
                })
                .collect(),
            diagnostics,
            died,
        };
        if let Some(fault) = providers.faults.left().first() {
            panic!(
                "{fault} did not happen: the run never came there\n\n{}",
                run.steps()
            );
        }
        run
    }
}

/// The id of a stored object: an attribute, or what the sandbox keeps in private where the type shows none.
fn id_of(object: &terrane_state::Object) -> Option<String> {
    if let Some(id) = object.id() {
        return Some(id);
    }
    let private: serde_json::Value = serde_json::from_slice(&object.private).ok()?;
    Some(private.get("sandbox_id")?.as_str()?.to_owned())
}
