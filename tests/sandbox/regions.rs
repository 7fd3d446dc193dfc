//! A network in each of many regions: as many configurations of one provider, from a loop.

use terrane::Stack;
use terrane_aws::ec2::Vpc;

/// So many regions, and one of them once more under another name.
pub(crate) fn regions(stack: &mut Stack, count: usize) {
    for region in (0..count).map(|at| format!("eu-west-{at}")) {
        network(stack, &region, &region);
    }
    network(stack, "again", "eu-west-0");
}

fn network(stack: &mut Stack, alias: &str, region: &str) {
    // Nothing is asked of AWS before there is an object, so that a preview works without an account.
    let there = terrane_aws::Provider::builder()
        .alias(alias)
        .region(region)
        .access_key("none")
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
