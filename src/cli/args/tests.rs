use clap::{CommandFactory as _, Parser as _};

use super::*;

fn parse(line: &str) -> Result<Arguments, String> {
    Arguments::try_parse_from(["prod-stack"].into_iter().chain(line.split_whitespace()))
        .map_err(|error| error.to_string())
}

#[test]
fn the_definition_is_consistent() {
    Arguments::command().debug_assert();
}

#[test]
fn flags_of_all_commands_are_taken_before_and_after_the_command() {
    for line in [
        "--sandbox up --yes --var a=b=c",
        "up --yes --sandbox --var a=b=c",
    ] {
        let arguments = parse(line).expect("valid");
        assert!(arguments.common.sandbox);
        assert_eq!(arguments.common.vars[0].name, "a");
        assert_eq!(arguments.common.vars[0].value, "b=c");
        assert!(matches!(
            arguments.command,
            Command::Up(Up {
                yes: Yes { yes: true },
                ..
            })
        ));
    }
}

#[test]
fn plan_is_another_name_for_preview() {
    let arguments = parse("plan --detailed-exitcode --deny delete,replace").expect("valid");
    let Command::Preview(preview) = arguments.command else {
        panic!("not preview")
    };
    assert!(preview.detailed_exitcode);
    assert_eq!(preview.guard.deny, [DenyKind::Delete, DenyKind::Replace]);
}

#[test]
fn contradictory_and_unknown_arguments_are_refused() {
    for line in [
        "",
        "up --var novalue",
        "up --parallelism 0",
        "up --target aws_vpc",
        "up --refresh some",
        "up --refresh-only --target aws_vpc.main",
        "preview --destroy --refresh-only",
        "preview --yes",
        "output --raw",
        "state",
        "state show aws_vpc",
        "graph --format png",
        "bindings",
        "bindings add",
        "bindings add a/b/c/d",
        "bindings add kubernetes@new",
        "bindings add kubernetes --type a.b",
        "bindings add kubernetes --schema file --upgrade",
        "frobnicate",
    ] {
        assert!(parse(line).is_err(), "{line}");
    }
}

#[test]
fn a_saved_plan_is_applied_without_any_flag_that_plans() {
    let planning = <Planning as clap::Args>::augment_args(clap::Command::new("planning"));
    let mut checked = Vec::new();
    for flag in planning.get_arguments() {
        let name = flag.get_long().expect("a flag");
        let line = match (flag.get_action().takes_values(), name) {
            (false, _) => format!("up a.plan --{name}"),
            (true, "refresh") => format!("up a.plan --{name} false"),
            (true, "max-age") => format!("up a.plan --{name} 1d"),
            (true, _) => format!("up a.plan --{name} aws_vpc.main"),
        };
        parse(&line.replacen(" a.plan", "", 1)).expect("valid without a saved plan");
        let refused = parse(&line).expect_err(&line);
        assert!(refused.contains("cannot be used with"), "{refused}");
        checked.push(name.to_owned());
    }
    assert_eq!(
        checked,
        [
            "target",
            "exclude",
            "replace",
            "refresh",
            "max-age",
            "refresh-only"
        ]
    );
}
