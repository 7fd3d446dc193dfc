//! The network: a VPC with a public and a private subnet in each of two availability zones.

use ipnet::Ipv4Net;
use terrane::{Output, Result, Stack};
use terrane_aws::ec2;

use crate::Config;

/// In how many availability zones there are subnets.
const ZONES: usize = 2;
/// How many bits longer a subnet's prefix is than the VPC's.
const SUBNET_BITS: u8 = 8;
/// Where in the VPC the private subnets start, which leaves room for more public ones.
const FIRST_PRIVATE: usize = 10;

/// The network that the cluster is in.
#[derive(Debug, Clone)]
pub struct Network {
    /// The VPC.
    pub vpc: ec2::Vpc,
    /// One a zone, with a way to and from the internet.
    pub public_subnets: Vec<ec2::Subnet>,
    /// One a zone, with a way out only.
    pub private_subnets: Vec<ec2::Subnet>,
    /// The ways out of the private subnets: one in all, or one a zone.
    pub nat_gateways: Vec<ec2::NatGateway>,
}

impl Network {
    /// Declares the network.
    ///
    /// # Errors
    /// When the VPC's addresses cannot be divided into subnets.
    pub fn declare(stack: &mut Stack, config: &Config) -> Result<Self> {
        stack.module("network", |stack| {
            let zones = ec2::data::AvailabilityZones::builder("available")
                .state("available")
                .declare(stack);
            let vpc = ec2::Vpc::builder("main")
                .cidr_block(config.vpc_cidr.trunc().to_string())
                .enable_dns_support(true)
                .enable_dns_hostnames(true)
                .tags([("Name", config.name("vpc"))])
                .declare(stack);
            let blocks: Vec<Ipv4Net> = config
                .vpc_cidr
                .subnets(config.vpc_cidr.prefix_len() + SUBNET_BITS)?
                .collect();
            // AWS decides about the zones, so an address has the place of a zone in the list instead of its name.
            let mut subnet = |kind: &str, zone: usize, block: Ipv4Net, role: &str| {
                ec2::Subnet::builder(kind)
                    .instance_key(zone)
                    .vpc_id(vpc.id())
                    .cidr_block(block.to_string())
                    .availability_zone(zones.names().index(zone))
                    .map_public_ip_on_launch(kind == "public")
                    .tags([
                        ("Name".to_owned(), config.name(&format!("{kind}-{zone}"))),
                        // By this tag the load balancer controller finds where to put its balancers.
                        (format!("kubernetes.io/role/{role}"), "1".to_owned()),
                    ])
                    .declare(stack)
            };
            let public_subnets: Vec<_> = (0..ZONES)
                .map(|zone| subnet("public", zone, blocks[zone], "elb"))
                .collect();
            let private_subnets: Vec<_> = (0..ZONES)
                .map(|zone| {
                    subnet(
                        "private",
                        zone,
                        blocks[FIRST_PRIVATE + zone],
                        "internal-elb",
                    )
                })
                .collect();
            let internet = ec2::InternetGateway::builder("main")
                .vpc_id(vpc.id())
                .tags([("Name", config.name("igw"))])
                .declare(stack);
            let count = if config.single_nat_gateway { 1 } else { ZONES };
            let nat_gateways: Vec<_> = public_subnets
                .iter()
                .take(count)
                .enumerate()
                .map(|(zone, subnet)| nat_gateway(stack, config, &internet, zone, subnet))
                .collect();
            public_routes(stack, config, &vpc, &internet, &public_subnets);
            for (zone, subnet) in private_subnets.iter().enumerate() {
                // With one gateway for all zones it is the first.
                let nat = nat_gateways.get(zone).unwrap_or(&nat_gateways[0]);
                private_routes(stack, config, &vpc, nat, zone, subnet);
            }
            Ok(Self {
                vpc,
                public_subnets,
                private_subnets,
                nat_gateways,
            })
        })
    }

    /// The ids of the public subnets, one a zone.
    pub fn public_subnet_ids(&self) -> Vec<Output<String>> {
        self.public_subnets.iter().map(ec2::Subnet::id).collect()
    }

    /// The ids of the private subnets, one a zone.
    pub fn private_subnet_ids(&self) -> Vec<Output<String>> {
        self.private_subnets.iter().map(ec2::Subnet::id).collect()
    }
}

fn nat_gateway(
    stack: &mut Stack,
    config: &Config,
    internet: &ec2::InternetGateway,
    zone: usize,
    subnet: &ec2::Subnet,
) -> ec2::NatGateway {
    let name = config.name(&format!("nat-{zone}"));
    let address = ec2::Eip::builder("nat")
        .instance_key(zone)
        .domain("vpc")
        .tags([("Name", &name)])
        .depends_on(internet)
        .declare(stack);
    ec2::NatGateway::builder("main")
        .instance_key(zone)
        .allocation_id(address.id())
        .subnet_id(subnet.id())
        .tags([("Name", &name)])
        .depends_on(internet)
        .declare(stack)
}

fn public_routes(
    stack: &mut Stack,
    config: &Config,
    vpc: &ec2::Vpc,
    internet: &ec2::InternetGateway,
    subnets: &[ec2::Subnet],
) {
    let table = ec2::RouteTable::builder("public")
        .vpc_id(vpc.id())
        .route(
            ec2::route_table::Route::builder()
                .cidr_block("0.0.0.0/0")
                .gateway_id(internet.id()),
        )
        .tags([("Name", config.name("public"))])
        .declare(stack);
    for (zone, subnet) in subnets.iter().enumerate() {
        ec2::RouteTableAssociation::builder("public")
            .instance_key(zone)
            .route_table_id(table.id())
            .subnet_id(subnet.id())
            .declare(stack);
    }
}

/// A table of its own for each zone, so that a second gateway changes one route and nothing else.
fn private_routes(
    stack: &mut Stack,
    config: &Config,
    vpc: &ec2::Vpc,
    nat: &ec2::NatGateway,
    zone: usize,
    subnet: &ec2::Subnet,
) {
    let table = ec2::RouteTable::builder("private")
        .instance_key(zone)
        .vpc_id(vpc.id())
        .route(
            ec2::route_table::Route::builder()
                .cidr_block("0.0.0.0/0")
                .nat_gateway_id(nat.id()),
        )
        .tags([("Name", config.name(&format!("private-{zone}")))])
        .declare(stack);
    ec2::RouteTableAssociation::builder("private")
        .instance_key(zone)
        .route_table_id(table.id())
        .subnet_id(subnet.id())
        .declare(stack);
}
