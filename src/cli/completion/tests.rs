use clap::CommandFactory as _;

use super::*;
use crate::args::Arguments;

const ADDRESSES: [&str; 4] = [
    "aws_vpc.main",
    "aws_subnet.private[\"a\"]",
    "aws_subnet.private[\"$$(reboot)`reboot`'; reboot #\"]",
    "module.net[\"!x\"].aws_eip.nat[0]",
];

fn asked(shell: Shell, typed: &[&str]) -> Vec<String> {
    let typed: Vec<String> = typed.iter().map(|&word| word.to_owned()).collect();
    let names = Names {
        addresses: ADDRESSES.map(str::to_owned).into(),
        outputs: vec!["endpoint".to_owned(), "id".to_owned()],
        stacks: vec!["dev".to_owned(), "prod".to_owned()],
    };
    let mut command = Arguments::command();
    command.build();
    let line = super::typed(shell, &typed);
    let answer = answer(shell, &line, walk(&command, &line), names);
    answer.lines().map(str::to_owned).collect()
}

fn bash(line: &str) -> Vec<String> {
    asked(Shell::Bash, &[line])
}

#[test]
fn commands_flags_values_and_names_are_offered_where_they_fit() {
    assert_eq!(bash("stack pre"), ["words", "preview"]);
    assert_eq!(bash("x; stack state h"), ["words", "history"]);
    assert_eq!(
        bash("stack preview --deta"),
        ["words", "--detailed-exitcode", "--details"]
    );
    assert_eq!(bash("stack graph --format s"), ["words", "svg"]);
    assert_eq!(bash("stack graph --format=s"), ["words", "svg"]);
    assert_eq!(bash("stack output e"), ["words", "endpoint"]);
    assert_eq!(bash("stack state show aws_v"), ["words", "aws_vpc.main"]);
    assert_eq!(bash("stack state mv aws_v"), ["words", "aws_vpc.main"]);
    assert_eq!(bash("stack preview --out "), ["files"]);
    assert_eq!(bash("stack up "), ["files"]);
    assert_eq!(bash("stack import aws"), ["words"]);
    let words = ["stack", "up", "--target=aws_v"];
    assert_eq!(
        asked(Shell::Zsh, &words),
        ["words", "--target=aws_vpc.main"]
    );
}

#[test]
fn an_address_is_one_word_of_the_shell_in_any_quotes() {
    assert_eq!(
        bash("stack state show aws_s"),
        [
            "words",
            r#"'aws_subnet.private["$$(reboot)`reboot`'\''; reboot #"]'"#,
            "'aws_subnet.private[\"a\"]'"
        ]
    );
    assert_eq!(
        bash("stack state show 'aws_subnet.private[\"a"),
        ["words", "aws_subnet.private[\"a\"]"]
    );
    assert_eq!(
        bash("stack state show \"aws_subnet.private[\\\"$$"),
        [
            "words",
            r#"aws_subnet.private[\"\$\$(reboot)\`reboot\`'; reboot #\"]"#
        ]
    );
    // Between double quotes it would be history.
    assert_eq!(bash("stack state show \"module"), ["words"]);
    let words = ["stack", "state", "show", "module"];
    assert_eq!(
        asked(Shell::Powershell, &words),
        ["words", "'module.net[\"!x\"].aws_eip.nat[0]'"]
    );
}
