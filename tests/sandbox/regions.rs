//! A network in each of many regions: as many configurations of one provider, from a loop.

use terrane::Stack;
use terrane_aws::ec2::Vpc;

const REGIONS: [&str; 19] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// Every region, one of them once more under another name, and one in another account: twenty different configurations.
pub(crate) fn regions(stack: &mut Stack) {
    for region in REGIONS {
        network(stack, region, region, "one");
    }
    network(stack, "again", REGIONS[0], "one");
    network(stack, "other", REGIONS[0], "two");
}

fn network(stack: &mut Stack, alias: &str, region: &str, account: &str) {
    // Nothing is asked of AWS before there is an object, so that a preview works without an account.
    let there = terrane_aws::Provider::builder()
        .alias(alias)
        .region(region)
        .access_key(account)
        .secret_key("none")
        .skip_credentials_validation(true)
        .skip_region_validation(true)
        .skip_requesting_account_id(true)
        .skip_metadata_api_check("true");
    let there = stack.provider(there);
    Vpc::builder("main")
        .instance_key(alias)
        .cidr_block("10.0.0.0/16")
        .provider(&there)
        .declare(stack);
}
