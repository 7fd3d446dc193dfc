//! Programs of a schedule: VPCs and their subnets, which AWS makes as often as it is asked.

use std::fmt;

use terrane_core::{Lifecycle, NoConfig, Program, Resource};

/// One resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Thing {
    /// Its name in the program; its tag `Name` is its address.
    pub(crate) name: String,
    /// In which VPC it is a subnet; a VPC itself without one.
    pub(crate) inside: Option<String>,
    /// Another one replaces it.
    pub(crate) network: u8,
    /// Another one updates it.
    pub(crate) version: u32,
    /// Its replacement is made first.
    pub(crate) create_first: bool,
    /// Its dependencies.
    pub(crate) after: Vec<String>,
}

impl Thing {
    pub(crate) fn vpc(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            inside: None,
            network: 0,
            version: 1,
            create_first: false,
            after: Vec::new(),
        }
    }

    pub(crate) fn subnet(name: impl Into<String>, inside: &str) -> Self {
        Self {
            inside: Some(inside.to_owned()),
            ..Self::vpc(name)
        }
    }

    pub(crate) fn network(mut self, network: u8) -> Self {
        self.network = network;
        self
    }

    pub(crate) fn version(mut self, version: u32) -> Self {
        self.version = version;
        self
    }

    pub(crate) fn create_first(mut self) -> Self {
        self.create_first = true;
        self
    }

    pub(crate) fn after(mut self, name: &str) -> Self {
        self.after.push(name.to_owned());
        self
    }

    /// The number in its name, which no two subnets share.
    fn number(&self) -> u8 {
        let digits = self.name.trim_start_matches(|c: char| !c.is_ascii_digit());
        digits.parse().unwrap_or_default()
    }

    /// Whether it is made on the way from one program to the next: new, or another than it was.
    pub(crate) fn is_made(&self, before: &[Self], after: &[Self]) -> bool {
        let find = |things: &[Self], name: &str| things.iter().find(|it| it.name == name).cloned();
        let Some(was) = find(before, &self.name) else {
            return true;
        };
        // Another VPC has another id, and no subnet moves.
        let around = |things: &[Self]| find(things, self.inside.as_deref()?).map(|it| it.network);
        was.network != self.network || was.inside != self.inside || around(before) != around(after)
    }

    pub(crate) fn address(&self) -> String {
        let kind = match self.inside {
            None => "aws_vpc",
            Some(_) => "aws_subnet",
        };
        format!("{kind}.{}", self.name)
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} n{} v{}", self.name, self.network, self.version)?;
        if let Some(inside) = &self.inside {
            write!(f, " in {inside}")?;
        }
        if self.create_first {
            f.write_str(" create first")?;
        }
        if !self.after.is_empty() {
            write!(f, " after {}", self.after.join(" "))?;
        }
        Ok(())
    }
}

/// The program that declares them, each behind those that it needs.
pub(crate) fn program(things: &[Thing], tagged: bool) -> Program {
    let declare = |stack: &mut terrane_core::Stack| {
        // The bindings have the lookup rules.
        stack.provider(terrane_aws::Provider::builder());
        stack.owner_tags(tagged);
        for thing in things {
            let tags = std::collections::BTreeMap::from([
                ("Name", thing.address()),
                ("version", thing.version.to_string()),
            ]);
            let mut lifecycle = Lifecycle::new();
            if thing.create_first {
                lifecycle = lifecycle.create_before_destroy();
            }
            let mut resource = match &thing.inside {
                None => Resource::dynamic("aws_vpc", &*thing.name)
                    .set("cidr_block", format!("10.{}.0.0/16", thing.network)),
                Some(vpc) => {
                    let network = things
                        .iter()
                        .find(|other| other.name == *vpc)
                        .map_or(0, |vpc| vpc.network);
                    let vpc = stack.resource(&format!("aws_vpc.{vpc}"))?;
                    Resource::dynamic("aws_subnet", &*thing.name)
                        .set("vpc_id", vpc.attribute::<String>("id"))
                        .set(
                            "cidr_block",
                            format!("10.{network}.{}.0/24", thing.number()),
                        )
                }
            };
            for needed in &thing.after {
                let address = things
                    .iter()
                    .find(|other| other.name == *needed)
                    .map(Thing::address)
                    .expect("what is waited for is declared");
                resource = resource.depends_on(&stack.resource(&address)?);
            }
            resource
                .set("tags", tags)
                .lifecycle(lifecycle)
                .declare(stack);
        }
        Ok(())
    };
    Program::from_fn(declare, NoConfig).expect("a program")
}
