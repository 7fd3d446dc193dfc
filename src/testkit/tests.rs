//! The kit itself: what it promises to those who test stacks by it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use terrane::{Lifecycle, Output, Resource, Result, Stack};
use terrane_aws::{ec2, s3};

use crate::{Fault, TestCloud, TestStack};

fn shop(stack: &mut Stack) -> Result<()> {
    let vpc = ec2::Vpc::builder("main")
        .cidr_block("10.0.0.0/16")
        .declare(stack);
    let subnet = ec2::Subnet::builder("a")
        .vpc_id(vpc.id())
        .cidr_block("10.0.1.0/24")
        .tags([("vpc", vpc.arn())])
        .declare(stack);
    s3::Bucket::builder("data")
        .bucket("acme-data")
        .tags([("token", Output::known("hunter2").sensitive())])
        .declare(stack);
    stack.export("subnet", subnet.id());
    stack.export("token", Output::known("hunter2").sensitive());
    Ok(())
}

/// The message of a test that fails.
fn message(test: impl FnOnce()) -> String {
    let failed = catch_unwind(AssertUnwindSafe(test)).expect_err("the test fails");
    match failed.downcast::<String>() {
        Ok(message) => *message,
        Err(other) => (*other.downcast::<&str>().expect("a message")).to_owned(),
    }
}

#[test]
fn a_value_that_nobody_knows_fails_the_test_and_says_where_it_will_come_from() {
    let plan = TestStack::new(shop).plan();
    let subnet = plan.resource::<ec2::Subnet>("aws_subnet.a");
    let known = message(|| drop(subnet.get(&subnet.vpc_id()).known()));
    assert_eq!(
        known,
        "`aws_subnet.a.vpc_id` is unknown (known after apply: aws_vpc.main.id), and the test compares it with a known value; \
         assert on `.unknown().origins()`, or on the value after `up`"
    );
    let secret = message(|| drop(plan.export::<String>("token").known()));
    assert!(
        secret.starts_with("the export `token` is sensitive"),
        "{secret}"
    );
    assert!(!secret.contains("hunter2"));
    let absent = message(|| drop(subnet.get(&subnet.outpost_arn()).known()));
    assert!(absent.contains("is absent"), "{absent}");
    let known = message(|| drop(subnet.get(&subnet.cidr_block()).unknown()));
    assert_eq!(
        known,
        "`aws_subnet.a.cidr_block` is not unknown: it is a known value"
    );
}

#[test]
fn origins_lead_through_arguments_to_what_the_cloud_decides() {
    let plan = TestStack::new(|stack: &mut Stack| {
        shop(stack)?;
        let subnet = stack.resource("aws_subnet.a")?;
        let computed = subnet
            .attribute::<String>("vpc_id")
            .map(|id| format!("{id}!"));
        s3::Bucket::builder("named").bucket(computed).declare(stack);
        Ok(())
    })
    .plan();
    let bucket = plan.resource::<s3::Bucket>("aws_s3_bucket.named");
    let name = bucket.get(&bucket.bucket()).unknown();
    assert_eq!(name.origins(), ["aws_vpc.main.id"]);
    assert!(name.comes_from("aws_vpc.main.id"));
    assert_eq!(
        bucket.get(&bucket.arn()).unknown().origins(),
        ["aws_s3_bucket.named.arn"]
    );
    let subnet = plan.resource::<ec2::Subnet>("aws_subnet.a");
    assert_eq!(
        subnet.get(&subnet.tags().key("vpc")).unknown().origins(),
        ["aws_vpc.main.arn"]
    );
    assert_eq!(
        plan.export::<String>("subnet").unknown().origins(),
        ["aws_subnet.a.id"]
    );
}

#[test]
fn a_sensitive_value_is_one_wherever_it_flows_and_no_text_shows_it() {
    let plan = TestStack::new(shop).plan();
    let bucket = plan.resource::<s3::Bucket>("aws_s3_bucket.data");
    let token = bucket.get(&bucket.tags().key("token")).sensitive();
    assert_eq!(format!("{token:?}"), "(sensitive)");
    assert_eq!(token.reveal(), "hunter2");
    assert!(!plan.to_string().contains("hunter2"));
    let open = message(|| drop(bucket.get(&bucket.bucket()).sensitive()));
    assert_eq!(
        open,
        "`aws_s3_bucket.data.bucket` is not sensitive: it is a known value"
    );
}

#[test]
fn a_mistyped_address_type_or_export_is_named_with_the_right_one() {
    let plan = TestStack::new(shop).plan();
    let address = message(|| drop(plan.untyped("aws_vpc.mian")));
    assert_eq!(
        address,
        "the plan has no `aws_vpc.mian`; did you mean `aws_vpc.main`?"
    );
    let other = message(|| drop(plan.resource::<ec2::Vpc>("aws_subnet.a")));
    assert_eq!(other, "aws_subnet.a is not a `aws_vpc`");
    let export = message(|| drop(plan.export::<String>("subnets")));
    assert_eq!(
        export,
        "the stack exports no `subnets`; did you mean `subnet`?"
    );
    let other = message(|| drop(plan.export::<bool>("token")));
    assert_eq!(
        other,
        "the export `token` is of another type: expected a bool, found a string"
    );
}

#[test]
fn a_snapshot_is_the_same_in_every_run_before_and_after_the_apply() {
    let texts = || {
        let mut cloud = TestCloud::new();
        let first = cloud.preview(&TestStack::new(shop)).to_string();
        cloud.up(&TestStack::new(shop)).succeeds();
        let changed = TestStack::new(|stack: &mut Stack| {
            let vpc = ec2::Vpc::builder("main")
                .cidr_block("10.0.0.0/16")
                .declare(stack);
            ec2::InternetGateway::builder("main")
                .vpc_id(vpc.id())
                .declare(stack);
            Ok(())
        });
        [first, cloud.preview(&changed).to_string()]
    };
    let [first, second] = texts();
    assert_eq!([first.clone(), second.clone()], texts());
    insta::assert_snapshot!(first, @r#"
      + aws_vpc.main
          + cidr_block = "10.0.0.0/16"
          + enable_dns_support = true
          + instance_tenancy = "default"
          + region = "us-east-1"
      + aws_subnet.a
          + cidr_block = "10.0.1.0/24"
          + region = "us-east-1"
          + tags["vpc"] = (known after apply: aws_vpc.main.arn)
          + vpc_id = (known after apply: aws_vpc.main.id)
      + aws_s3_bucket.data
          + bucket = "acme-data"
          + region = "us-east-1"
          + tags["token"] = (sensitive)

    Outputs:
      + subnet = (known after apply: aws_subnet.a.id)
      + token = (sensitive)

    Plan: 3 to add, 0 to change, 0 to destroy.
    "#);
    insta::assert_snapshot!(second, @r#"
      + aws_internet_gateway.main
          + region = "us-east-1"
          + vpc_id = "vpc-0afcd1d7b39a820e2"
      - aws_s3_bucket.data  [id=acme-data]  (no longer declared)
      - aws_subnet.a  [id=subnet-0ce56971cde355897]  (no longer declared)

    Outputs:
      - subnet = "subnet-0ce56971cde355897"
      - token = (sensitive)

    2 existing objects are destroyed:
        - aws_s3_bucket.data  [id=acme-data]  (no longer declared)
        - aws_subnet.a  [id=subnet-0ce56971cde355897]  (no longer declared)

    Plan: 1 to add, 0 to change, 2 to destroy.
    1 unchanged
    "#);
}

#[test]
fn a_stack_that_cannot_be_planned_says_all_that_is_wrong() {
    let broken = TestStack::new(|stack: &mut Stack| {
        Resource::dynamic("aws_vpc", "main")
            .set("cidr_blok", "10.0.0.0/16")
            .declare(stack);
        ec2::InternetGateway::builder("main").declare(stack);
        Ok(())
    });
    assert!(broken.refused().contains("cidr_blok"));
    let foreign = TestStack::new(|stack: &mut Stack| {
        Resource::dynamic("acme_thing", "main").declare(stack);
        Ok(())
    });
    let refused = foreign.refused();
    assert!(
        refused.contains(
            "the types of registry.opentofu.org/hashicorp/acme are not known to this test"
        ),
        "{refused}"
    );
    let not_refused = message(|| drop(TestStack::new(shop).refused()));
    assert!(not_refused.starts_with("the stack is not refused; its plan:"));
}

#[test]
fn the_built_in_provider_and_several_configurations_of_one_work() {
    let stack = TestStack::new(|stack: &mut Stack| {
        let west = stack.provider(
            terrane_aws::Provider::builder()
                .region("us-west-2")
                .alias("west"),
        );
        Resource::dynamic("terraform_data", "note")
            .set("input", "hello")
            .declare(stack);
        let bucket = s3::Bucket::builder("west")
            .bucket("acme-west")
            .provider(&west)
            .declare(stack);
        stack.export("region", bucket.region());
        Ok(())
    });
    let mut cloud = TestCloud::new();
    cloud.up(&stack).succeeds();
    assert_eq!(cloud.export::<String>("region").known(), "us-west-2");
    cloud.preview(&stack).assert_empty();
    cloud.destroy(&stack).succeeds();
    assert!(cloud.is_empty());
}

#[test]
fn an_operation_that_is_left_to_a_person_is_no_success() {
    let mut cloud = TestCloud::new();
    let lost = Fault::create("aws_s3_bucket.data").loses_answer();
    drop(cloud.fault(lost).up(&TestStack::new(shop)));
    let run = cloud.up(&TestStack::new(shop));
    insta::assert_snapshot!(run.unresolved(), @"create aws_s3_bucket.data is unresolved: an object of its name exists (`acme-data`), and nothing proves that this operation created it");
    assert!(message(|| drop(run.succeeds())).starts_with("the run failed"));
}

#[test]
fn whatever_fails_the_next_run_ends_it_and_nothing_is_lost_or_made_twice() {
    let stack = TestStack::new(|stack: &mut Stack| {
        stack.owner_tags(true);
        shop(stack)
    });
    let faults = [
        Fault::create("aws_subnet.a").fails("InvalidSubnet.Conflict"),
        Fault::create("aws_subnet.a").times_out(),
        Fault::create("aws_s3_bucket.data").loses_answer(),
        Fault::create("aws_s3_bucket.data").dies(),
        Fault::dies_after(1),
        Fault::dies_after(2),
        Fault::dies_after(3),
    ];
    for fault in faults {
        let mut cloud = TestCloud::new();
        let told = fault.to_string();
        drop(cloud.fault(fault).up(&stack));
        cloud.up(&stack).succeeds();
        assert_eq!(cloud.orphans(), Vec::<String>::new(), "{told}");
        assert_eq!(cloud.unresolved(), Vec::<String>::new(), "{told}");
        cloud.preview(&stack).assert_empty();
        cloud.destroy(&stack).succeeds();
        assert!(cloud.is_empty(), "{told}");
    }
}

#[test]
fn a_fault_that_the_run_never_comes_to_fails_the_test() {
    let mut cloud = TestCloud::new();
    cloud.fault(Fault::create("aws_s3_bucket.dta").fails("no"));
    let missed = message(|| drop(cloud.up(&TestStack::new(shop))));
    assert!(
        missed.starts_with(
            "the fault of create aws_s3_bucket.dta did not happen: the run never came there"
        ),
        "{missed}"
    );
}

#[test]
fn a_dead_run_leaves_exactly_the_steps_that_it_had_recorded() {
    let mut cloud = TestCloud::new();
    let run = cloud
        .fault(Fault::dies_after(2))
        .up(&TestStack::new(shop))
        .dies();
    assert_eq!(run.steps().lines().count(), 2);
    assert_eq!(cloud.addresses().len(), 2);
    let failed = message(|| drop(cloud.up(&TestStack::new(shop)).dies()));
    assert!(failed.starts_with("the run came to its end"), "{failed}");
}

#[tokio::test]
async fn an_asynchronous_test_can_use_it_too() {
    let mut cloud = TestCloud::new();
    cloud.up(&TestStack::new(shop)).succeeds();
    cloud.delete_outside("aws_s3_bucket.data");
    let plan = cloud.preview(&TestStack::new(shop));
    assert_eq!(plan.changes(), ["create aws_s3_bucket.data"]);
}

#[test]
fn an_object_of_the_name_is_taken_in_only_where_the_program_says_so_and_no_stack_owns_it() {
    let bucket = |versions: &'static str, adopts: bool, tagged: bool| {
        TestStack::new(move |stack: &mut Stack| {
            stack.owner_tags(tagged);
            let mut lifecycle = Lifecycle::new();
            lifecycle.adopt_if_exists = adopts;
            s3::Bucket::builder("data")
                .bucket("acme-data")
                .tags([("version", versions)])
                .lifecycle(lifecycle)
                .declare(stack);
            Ok(())
        })
    };
    let mut cloud = TestCloud::new();
    let made = cloud.up(&bucket("1", true, false)).succeeds();
    assert_eq!(made.plan().changes(), ["create aws_s3_bucket.data"]);

    cloud.forget_state();
    let refused = cloud.up(&bucket("1", false, false)).fails("BucketAlready");
    assert_eq!(refused.steps(), "create aws_s3_bucket.data: failed");

    let plan = cloud.preview(&bucket("2", true, false));
    insta::assert_snapshot!(plan, @r#"
      aws_s3_bucket.data imported by its name `acme-data` (`adopt_if_exists`)

      ~ aws_s3_bucket.data  [id=acme-data]
          + force_destroy = false
          ~ tags["version"] = "1" -> "2"

    Plan: 0 to add, 1 to change, 0 to destroy.
    1 imported
    "#);
    cloud.up(&bucket("2", true, false)).succeeds();
    assert!(cloud.orphans().is_empty());
    cloud.preview(&bucket("2", true, false)).assert_empty();

    // Of another stack, which tags its objects.
    cloud.destroy(&bucket("2", true, false)).succeeds();
    cloud.up(&bucket("1", true, true)).succeeds();
    cloud.forget_state();
    let foreign = cloud.try_preview(&bucket("1", true, false));
    let foreign = foreign.map(|plan| plan.to_string()).expect_err("refused");
    assert!(
        foreign.to_string().contains("is another stack's"),
        "{foreign}"
    );

    let nameless = TestStack::new(|stack: &mut Stack| {
        ec2::Vpc::builder("main")
            .cidr_block("10.0.0.0/16")
            .lifecycle(Lifecycle::new().adopt_if_exists())
            .declare(stack);
        Ok(())
    });
    assert!(
        nameless
            .refused()
            .contains("`adopt_if_exists` cannot find objects of type `aws_vpc`")
    );
}
