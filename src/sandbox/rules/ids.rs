//! Identifiers in the forms AWS gives them.

use std::time::SystemTime;

/// Availability zones: letter, and the number in the zone's id, which is not in the order of letters.
pub(super) const ZONES: [(char, u8); 6] =
    [('a', 6), ('b', 1), ('c', 2), ('d', 4), ('e', 3), ('f', 5)];

fn random(count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    getrandom::fill(&mut bytes).expect("invariant: the operating system has randomness");
    bytes
}

/// Random digits of an alphabet.
pub(super) fn from_alphabet(alphabet: &str, count: usize) -> String {
    let letters: Vec<char> = alphabet.chars().collect();
    random(count)
        .into_iter()
        .map(|byte| letters[usize::from(byte) % letters.len()])
        .collect()
}

/// `vpc-0123456789abcdef0`: a prefix and seventeen hexadecimal digits, the first of them zero.
pub(super) fn hex_id(prefix: &str) -> String {
    format!("{prefix}-0{}", from_alphabet("0123456789abcdef", 16))
}

/// `AROA…`: how IAM numbers its things.
pub(super) fn iam_id(prefix: &str) -> String {
    format!(
        "{prefix}{}",
        from_alphabet("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 17)
    )
}

/// A UUID.
pub(super) fn uuid() -> String {
    let hex = from_alphabet("0123456789abcdef", 32);
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}

/// An id for a type without rules: the last part of its name and random digits.
pub(super) fn generic_id(type_name: &str) -> String {
    let prefix = type_name.rsplit('_').next().unwrap_or(type_name);
    hex_id(prefix)
}

/// The service in the name of a type: `dynamodb` in `aws_dynamodb_table`.
pub(super) fn service(type_name: &str) -> &str {
    type_name.split('_').nth(1).unwrap_or("ec2")
}

/// `use1` for `us-east-1`, as zone ids begin.
pub(super) fn short_region(region: &str) -> String {
    let mut parts = region.split('-');
    let first = parts.next().unwrap_or_default();
    let rest: String = parts.filter_map(|part| part.chars().next()).collect();
    format!("{first}{rest}")
}

/// This moment as AWS writes it: `2026-11-24T00:46:04Z`.
#[expect(
    clippy::disallowed_methods,
    reason = "the sandbox is a process of its own, with the real time"
)]
pub(crate) fn timestamp() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}
