//! EC2 and VPC.

mod address;
mod gateway;
mod route;
mod security_group;
mod subnet;
mod vpc;

use super::Rule;

pub(super) const RULES: &[&[Rule]] = &[
    vpc::RULES,
    subnet::RULES,
    gateway::RULES,
    address::RULES,
    route::RULES,
    security_group::RULES,
];

/// The letters of a region's availability zones and the numbers of their ids, as the account of the sandbox has them.
const US_EAST_1: &[(char, u8)] = &[('a', 6), ('b', 1), ('c', 2), ('d', 4), ('e', 3), ('f', 5)];
const ELSEWHERE: &[(char, u8)] = &[('a', 1), ('b', 2), ('c', 3)];

/// Names and ids of a region's availability zones: `us-east-1a`, `use1-az6`.
pub(crate) fn zones(region: &str) -> impl Iterator<Item = (String, String)> {
    let zones = if region == "us-east-1" {
        US_EAST_1
    } else {
        ELSEWHERE
    };
    // The id has the region in short: both letters of the country, one of the direction each, the number.
    let mut parts = region.split('-');
    let short = [
        parts.next(),
        parts.next().map(short_direction),
        parts.next(),
    ];
    let short: String = short.into_iter().flatten().collect();
    let region = region.to_owned();
    zones
        .iter()
        .map(move |(letter, number)| (format!("{region}{letter}"), format!("{short}-az{number}")))
}

fn short_direction(direction: &str) -> &str {
    match direction {
        "northeast" => "ne",
        "northwest" => "nw",
        "southeast" => "se",
        "southwest" => "sw",
        _ => &direction[..1.min(direction.len())],
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn zones_have_names_and_ids() {
        let zones: Vec<_> = super::zones("us-east-1").collect();
        assert_eq!(zones[0], ("us-east-1a".into(), "use1-az6".into()));
        let (name, id) = super::zones("eu-central-1").nth(2).expect("three");
        assert_eq!((name.as_str(), id.as_str()), ("eu-central-1c", "euc1-az3"));
    }
}
