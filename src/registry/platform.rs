//! The platforms that provider packages are built for.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// An operating system and an architecture in Go's names: `linux_amd64`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    os: String,
    arch: String,
}

/// The text does not name a platform.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not a platform such as `linux_amd64`")]
#[non_exhaustive]
pub struct ParsePlatformError {
    /// The text.
    pub text: String,
}

impl Platform {
    /// The platform that this program was built for.
    pub fn current() -> Self {
        let os = match std::env::consts::OS {
            "macos" => "darwin",
            other => other,
        };
        let arch = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "x86" => "386",
            "aarch64" => "arm64",
            other => other,
        };
        Self {
            os: os.to_owned(),
            arch: arch.to_owned(),
        }
    }

    /// Go's name of the operating system.
    pub fn os(&self) -> &str {
        &self.os
    }

    /// Go's name of the architecture.
    pub fn arch(&self) -> &str {
        &self.arch
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.os, self.arch)
    }
}

impl FromStr for Platform {
    type Err = ParsePlatformError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_name = |part: &str| {
            !part.is_empty()
                && (part.bytes()).all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        match text.split_once('_') {
            Some((os, arch)) if is_name(os) && is_name(arch) => Ok(Self {
                os: os.to_owned(),
                arch: arch.to_owned(),
            }),
            _ => Err(ParsePlatformError {
                text: text.to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_read_back_as_they_are_written_and_stay_one_path_component() {
        for text in ["linux_amd64", "darwin_arm64", "linux_386"] {
            let platform: Platform = text.parse().expect("a platform");
            assert_eq!(platform.to_string(), text);
        }
        for text in [
            "",
            "linux",
            "linux_",
            "_amd64",
            "../x_y",
            "linux_amd64_v2",
            "Linux_amd64",
        ] {
            assert!(text.parse::<Platform>().is_err(), "{text}");
        }
        assert_eq!(
            Platform::current().to_string().parse(),
            Ok(Platform::current())
        );
    }
}
