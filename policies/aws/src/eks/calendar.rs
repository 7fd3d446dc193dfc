//! The calendar of Kubernetes on EKS: until when each version has standard and extended support, and what the latter costs.

/// The day of this table. AWS adds a version about three times a year and never takes a day back.
pub const CALENDAR_OF: &str = "2026-11-28";

/// What an hour of extended support costs beside the control plane, in USD. A month has 730 hours.
pub const EXTENDED_SUPPORT_HOURLY: &str = "0.50";
/// The same for a month.
pub const EXTENDED_SUPPORT_MONTHLY: &str = "365";

/// One version, as AWS's calendar has it. Days are ISO 8601, so they compare as texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KubernetesVersion {
    /// `28` for 1.28.
    pub minor: u32,
    /// The last day of standard support.
    pub standard_until: &'static str,
    /// The last day of extended support. On it EKS stops to create clusters of the version.
    pub extended_until: &'static str,
}

/// Every version of the table, the oldest first.
pub const KUBERNETES_VERSIONS: [KubernetesVersion; 13] = [
    version(23, "2023-10-11", "2024-10-11"),
    version(24, "2024-01-31", "2025-01-31"),
    version(25, "2024-05-01", "2025-05-01"),
    version(26, "2024-06-11", "2025-06-11"),
    version(27, "2024-07-24", "2025-07-24"),
    version(28, "2024-11-26", "2025-11-26"),
    version(29, "2025-03-23", "2026-03-23"),
    version(30, "2025-07-23", "2026-07-23"),
    version(31, "2025-11-26", "2026-11-26"),
    version(32, "2026-03-23", "2027-03-23"),
    version(33, "2026-07-29", "2027-07-29"),
    version(34, "2026-12-02", "2027-12-02"),
    version(35, "2027-03-27", "2028-03-27"),
];

const fn version(
    minor: u32,
    standard_until: &'static str,
    extended_until: &'static str,
) -> KubernetesVersion {
    KubernetesVersion {
        minor,
        standard_until,
        extended_until,
    }
}

/// How EKS supports a version on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// Without a surcharge.
    Standard,
    /// With a surcharge, until the end of that day.
    Extended {
        /// The last day.
        until: &'static str,
    },
    /// Not any more: EKS creates no cluster of it, and upgrades one that has it.
    Ended {
        /// The last day, where the table has it.
        on: Option<&'static str>,
    },
    /// The text is no version.
    NoVersion,
}

impl Support {
    /// The support of a version (`1.28`) on a day (`2026-11-28`). A version that is younger than the table has standard support.
    pub fn of(version: &str, day: &str) -> Self {
        let Some(minor) = minor(version) else {
            return Self::NoVersion;
        };
        let known = KUBERNETES_VERSIONS.iter().find(|one| one.minor == minor);
        match known {
            Some(one) if day <= one.standard_until => Self::Standard,
            Some(one) if day < one.extended_until => Self::Extended {
                until: one.extended_until,
            },
            Some(one) => Self::Ended {
                on: Some(one.extended_until),
            },
            None if minor > newest().minor => Self::Standard,
            None => Self::Ended { on: None },
        }
    }
}

/// The newest version of the table.
pub fn newest() -> KubernetesVersion {
    KUBERNETES_VERSIONS[KUBERNETES_VERSIONS.len() - 1]
}

/// `28` for `1.28`.
pub(super) fn minor(version: &str) -> Option<u32> {
    version.strip_prefix("1.")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_supported_until_its_last_days_and_unknown_ones_by_their_place() {
        let extended = Support::Extended {
            until: "2027-03-23",
        };
        let table = [
            ("1.28", "2024-11-26", Support::Standard),
            ("1.32", "2026-03-24", extended),
            ("1.32", "2027-03-22", extended),
            (
                "1.32",
                "2027-03-23",
                Support::Ended {
                    on: Some("2027-03-23"),
                },
            ),
            ("1.35", CALENDAR_OF, Support::Standard),
            // Younger than this table, and older.
            ("1.99", CALENDAR_OF, Support::Standard),
            ("1.9", CALENDAR_OF, Support::Ended { on: None }),
            ("latest", CALENDAR_OF, Support::NoVersion),
        ];
        for (version, day, support) in table {
            assert_eq!(Support::of(version, day), support, "{version} on {day}");
        }
    }

    #[test]
    fn versions_follow_each_other_and_each_has_a_year_of_extended_support() {
        for pair in KUBERNETES_VERSIONS.windows(2) {
            assert_eq!(pair[0].minor + 1, pair[1].minor);
            assert!(pair[0].standard_until < pair[1].standard_until);
        }
        for one in KUBERNETES_VERSIONS {
            let (year, day) = one.standard_until.split_at(4);
            let next: u32 = year.parse::<u32>().expect("a year") + 1;
            assert_eq!(one.extended_until, format!("{next}{day}"), "{one:?}");
        }
    }
}
