//! Networks in CIDR notation: their subnets, hosts and masks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::FunctionError;

type Result<T> = std::result::Result<T, FunctionError>;

/// The address of the host with that number in a network; a negative number counts from its end.
///
/// # Errors
/// When `prefix` is no network, or has no such host.
pub fn cidrhost(prefix: &str, number: i128) -> Result<String> {
    const NAME: &str = "cidrhost";
    let network = Network::read(NAME, prefix)?;
    let hosts = network.bits() - network.length;
    // Of 128 bits every `i128` is a number, and its two's complement the one from the end.
    let is_there = match u32::from(hosts) {
        128 => true,
        hosts => {
            let magnitude = number.unsigned_abs() - u128::from(number < 0);
            magnitude.checked_shr(hosts).unwrap_or_default() == 0
        }
    };
    if !is_there {
        let length = network.length;
        let reason = format!("finds no host {number} in a prefix of {length} bits");
        return Err(FunctionError::new(NAME, reason));
    }
    let host = number.cast_unsigned() & mask(hosts);
    Ok(network.address(network.base | host).to_string())
}

/// The netmask of a network of IPv4: `255.240.0.0`.
///
/// # Errors
/// When `prefix` is no network of IPv4.
pub fn cidrnetmask(prefix: &str) -> Result<String> {
    const NAME: &str = "cidrnetmask";
    let network = Network::read(NAME, prefix)?;
    if !network.is_v4 {
        let reason = format!("is for IPv4 alone: networks of IPv6 as `{prefix}` have no netmask");
        return Err(FunctionError::new(NAME, reason));
    }
    let hosts = mask(32 - network.length);
    Ok(network.address(mask(32) & !hosts).to_string())
}

/// The subnet with that number, of all that are `newbits` longer than `prefix`.
///
/// # Errors
/// When `prefix` is no network, or has no such subnet.
pub fn cidrsubnet(prefix: &str, newbits: u8, netnum: u128) -> Result<String> {
    const NAME: &str = "cidrsubnet";
    let network = Network::read(NAME, prefix)?;
    let Some(length) = network.longer_by(newbits) else {
        let length = network.length;
        let reason = format!("cannot make a prefix of {length} bits longer by {newbits}");
        return Err(FunctionError::new(NAME, reason));
    };
    if netnum > mask(newbits) {
        let reason = format!("finds no subnet {netnum} in {newbits} more bits");
        return Err(FunctionError::new(NAME, reason));
    }
    let hosts = u32::from(network.bits() - length);
    let base = network.base | netnum.checked_shl(hosts).unwrap_or_default();
    Ok(network.subnet(base, length))
}

/// Subnets that follow each other, each longer than `prefix` by one of `newbits`.
///
/// # Errors
/// When `prefix` is no network, or has no room for them.
pub fn cidrsubnets(prefix: &str, newbits: &[u8]) -> Result<Vec<String>> {
    const NAME: &str = "cidrsubnets";
    let network = Network::read(NAME, prefix)?;
    let failed = |reason| Err(FunctionError::new(NAME, reason));
    let last = network.base | mask(network.bits() - network.length);
    let mut next = Some(network.base);
    let mut subnets = Vec::new();
    for (place, &more) in newbits.iter().enumerate() {
        if more == 0 {
            return failed("needs at least one new bit for each subnet".to_owned());
        }
        let Some(length) = network.longer_by(more) else {
            let length = network.length;
            return failed(format!(
                "cannot make a prefix of {length} bits longer by {more}"
            ));
        };
        // At most 2^127, as `more` is at least 1.
        let size = 1_u128 << (network.bits() - length);
        let start = next.and_then(|next| next.checked_next_multiple_of(size));
        let Some(start) = start.filter(|start| *start <= last) else {
            return failed(format!("has no room left for subnet {}", place + 1));
        };
        subnets.push(network.subnet(start, length));
        next = start.checked_add(size);
    }
    Ok(subnets)
}

/// That many low bits.
fn mask(bits: u8) -> u128 {
    match bits {
        128.. => u128::MAX,
        bits => (1 << bits) - 1,
    }
}

/// A network, its host bits cleared.
struct Network {
    base: u128,
    length: u8,
    is_v4: bool,
}

impl Network {
    fn read(function: &'static str, prefix: &str) -> Result<Self> {
        let network = prefix.split_once('/').and_then(|(address, length)| {
            let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
            let length: u8 = digits.then(|| length.parse().ok()).flatten()?;
            Self::of(address, length)
        });
        network
            .ok_or_else(|| FunctionError::new(function, format!("needs a network, not `{prefix}`")))
    }

    fn of(address: &str, length: u8) -> Option<Self> {
        let (base, length, is_v4) = match ipv4(address) {
            Some(address) => (u128::from(u32::from(address)), length, true),
            None => {
                let address: Ipv6Addr = address.parse().ok()?;
                // As in Go, an IPv4 address in the form of IPv6 is one of IPv4 as soon as its network lies within.
                match address.to_ipv4_mapped() {
                    Some(mapped) if length >= 96 => (u32::from(mapped).into(), length - 96, true),
                    _ => (address.into(), length, false),
                }
            }
        };
        let bits = if is_v4 { 32 } else { 128 };
        let hosts = mask(bits - length.min(bits));
        (length <= bits).then_some(Self {
            base: base & !hosts,
            length,
            is_v4,
        })
    }

    fn bits(&self) -> u8 {
        if self.is_v4 { 32 } else { 128 }
    }

    fn longer_by(&self, newbits: u8) -> Option<u8> {
        let length = self.length.checked_add(newbits)?;
        (length <= self.bits()).then_some(length)
    }

    fn address(&self, address: u128) -> IpAddr {
        match u32::try_from(address) {
            Ok(address) if self.is_v4 => Ipv4Addr::from(address).into(),
            _ => Ipv6Addr::from(address).into(),
        }
    }

    fn subnet(&self, base: u128, length: u8) -> String {
        format!("{}/{length}", self.address(base))
    }
}

/// An address of IPv4, whose parts may have leading zeros as in Terraform: they are decimal all the same.
fn ipv4(text: &str) -> Option<Ipv4Addr> {
    let mut parts = text.split('.').map(|part| {
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<u8>().ok()).flatten()
    });
    let mut next = || parts.next().flatten();
    let octets = [next()?, next()?, next()?, next()?];
    parts.next().is_none().then(|| octets.into())
}
