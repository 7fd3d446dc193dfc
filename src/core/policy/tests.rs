use insta::assert_snapshot;

use super::*;
use crate::addr::Mode;
use crate::configuration::NoConfig;
use crate::lookup::LookupRules;
use crate::output::Output;
use crate::program::Program;
use crate::provider::ProviderBinding;
use crate::resource::{Binding, Declaration, Resource, ResourceType};
use crate::stack::Stack;

static PROVIDER: ProviderBinding = ProviderBinding {
    source: "terrane/test",
    version: "1.0.0",
    versions: "~> 1.0",
    facts: &[],
    redirect: None,
    lookup: LookupRules::NONE,
    stateful: &[],
};

macro_rules! handle {
    ($name:ident, $type_name:literal) => {
        /// A handle as bindings have it.
        struct $name(Resource);

        impl AsRef<Resource> for $name {
            fn as_ref(&self) -> &Resource {
                &self.0
            }
        }

        impl ResourceType for $name {
            fn binding() -> &'static Binding {
                static BINDING: Binding = Binding {
                    provider: &PROVIDER,
                    mode: Mode::Managed,
                    type_name: $type_name,
                };
                &BINDING
            }

            fn from_resource(resource: Resource) -> Self {
                Self(resource)
            }
        }
    };
}
handle!(Bucket, "test_bucket");
handle!(Block, "test_block");

impl Bucket {
    fn acl(&self) -> Output<String> {
        self.0.attribute("acl")
    }

    fn id(&self) -> Output<String> {
        self.0.attribute("id")
    }
}

fn bucket(stack: &mut Stack, name: &str) -> Resource {
    Declaration::new(Bucket::binding(), name).declare(stack)
}

/// The reports on a plan that creates everything declared: arguments as they are, `id` unknown.
fn review(declare: impl FnOnce(&mut Stack)) -> Vec<PolicyReport> {
    let declared = |stack: &mut Stack| {
        declare(stack);
        Ok(())
    };
    let program = Program::from_fn(declared, NoConfig).expect("a program");
    PlannedStack::creating(&program).review()
}

/// The findings, a line each.
fn told(reports: &[PolicyReport]) -> String {
    let lines = reports.iter().flat_map(|report| {
        let head = format!("{}: {}\n", report.name, report.outcome().as_str());
        let findings = [
            ("violation", &report.violations),
            ("undecided", &report.undecided),
            ("excepted", &report.excepted),
        ];
        let findings = findings.into_iter().flat_map(|(kind, findings)| {
            findings.iter().map(move |finding| {
                let address = finding.address.as_ref().map(ToString::to_string);
                let attribute = finding.attribute.as_ref().map(|path| format!(".{path}"));
                format!(
                    "  {kind} {}{}: {}{}\n",
                    address.unwrap_or_default(),
                    attribute.unwrap_or_default(),
                    finding.message,
                    finding
                        .exception
                        .as_ref()
                        .map(|why| format!(" ({why})"))
                        .unwrap_or_default()
                )
            })
        });
        let fault = report.fault.iter().map(|fault| format!("  {fault}\n"));
        [head]
            .into_iter()
            .chain(findings)
            .chain(fault)
            .collect::<Vec<_>>()
    });
    lines.collect()
}

fn no_public(plan: &ReviewedPlan<'_>) {
    for bucket in plan.of::<Bucket>() {
        bucket.require(&bucket.acl(), "everybody can read it", |acl| {
            acl.is_none_or(|acl| acl != "public-read")
        });
    }
}

#[test]
fn a_requirement_is_kept_broken_or_undecided_and_an_absent_value_is_not_an_unknown_one() {
    let reports = review(|stack| {
        let open = Declaration::new(Bucket::binding(), "open").set("acl", "public-read");
        open.declare(stack);
        let shut = bucket(stack, "shut");
        let late =
            Declaration::new(Bucket::binding(), "late").set("acl", shut.attribute::<String>("id"));
        late.declare(stack);
        let site = Declaration::new(Bucket::binding(), "site").set("acl", "public-read");
        site.declare(stack);
        stack.policies([
            Policy::new("private", no_public).except("test_bucket.site", "a public site")
        ]);
        stack.policy("kept", |_| {});
    });
    assert_snapshot!(told(&reports), @r"
    private: failed
      violation test_bucket.open.acl: everybody can read it
      undecided test_bucket.late.acl: everybody can read it
      excepted test_bucket.site.acl: everybody can read it (a public site)
    kept: passed
    ");
    assert!(reports[0].refuses());
}

#[test]
fn settings_are_found_by_the_reference_or_the_name_of_their_resource() {
    let reports = review(|stack| {
        let first = bucket(stack, "first");
        Declaration::new(Block::binding(), "first")
            .set("bucket", first.attribute::<String>("id"))
            .declare(stack);
        Declaration::new(Bucket::binding(), "named")
            .set("bucket", "by-name")
            .declare(stack);
        Declaration::new(Block::binding(), "named")
            .set("bucket", "by-name")
            .declare(stack);
        bucket(stack, "bare");
        stack.policy("blocked", |plan| {
            let blocks = plan.attached::<Block>("bucket");
            for bucket in plan.of::<Bucket>() {
                let names = [bucket.id(), bucket.0.attribute("bucket")];
                if blocks.to(&bucket, &names).next().is_none() {
                    bucket.violates("nothing keeps the public out");
                }
            }
        });
    });
    assert_snapshot!(told(&reports), @r"
    blocked: failed
      violation test_bucket.bare: nothing keeps the public out
    ");
}

#[test]
fn a_check_that_panics_or_reads_another_type_is_a_failure() {
    let reports = review(|stack| {
        Declaration::new(Bucket::binding(), "one")
            .set("acl", "x")
            .declare(stack);
        stack.policy("number", |plan| {
            for bucket in plan.of_type("test_bucket") {
                let acl = bucket.attribute::<u32>("acl");
                bucket.require(&acl, "wrong", |_| true);
            }
        });
        stack.policy("panics", |_| panic!("a test's own panic"));
        stack.advisory_policy("advice", |plan| plan.violates("as a whole"));
    });
    let outcomes: Vec<_> = reports
        .iter()
        .map(|report| (report.outcome().as_str(), report.refuses()))
        .collect();
    assert_eq!(
        outcomes,
        [("failed", true), ("failed", true), ("failed", false)]
    );
    let faults: Vec<_> = reports
        .iter()
        .map(|report| report.fault.is_some())
        .collect();
    assert_eq!(faults, [true, true, false]);
}

#[test]
fn a_name_given_twice_and_an_exception_that_is_no_address_are_refused() {
    let program = Program::from_fn(
        |stack| {
            stack.policy("one", |_| {});
            stack.policies([Policy::new("one", |_| {}).except("not an address", "why")]);
            Ok(())
        },
        NoConfig,
    );
    let text = program.expect_err("refused").to_string();
    assert!(
        text.contains("the policy `one` is declared twice"),
        "{text}"
    );
    assert!(
        text.contains("the exception `not an address` of the policy `one`"),
        "{text}"
    );
}
