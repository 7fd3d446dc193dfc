//! The methods of the provider service under both of their names.

use http::uri::PathAndQuery;

/// The major version of the plugin protocol that a process serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// The version of SDK v2.
    V5,
    /// The version of the plugin framework: attributes may nest.
    V6,
}

impl Protocol {
    /// The number in the handshake.
    pub(crate) fn major(self) -> u32 {
        match self {
            Self::V5 => 5,
            Self::V6 => 6,
        }
    }
}

macro_rules! rpcs {
    ($($rpc:ident: $five:literal, $six:literal;)*) => {
        /// A method of the provider service, named as in version 6.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Rpc {
            $($rpc,)*
        }

        impl Rpc {
            /// Every method that we call or serve.
            pub(crate) const ALL: &[Self] = &[$(Self::$rpc,)*];

            /// The method's name, for people.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$rpc => stringify!($rpc),)*
                }
            }

            /// Where the method lies in that version.
            pub(crate) fn path(self, protocol: Protocol) -> &'static str {
                match (self, protocol) {
                    $(
                        (Self::$rpc, Protocol::V5) => concat!("/tfplugin5.Provider/", $five),
                        (Self::$rpc, Protocol::V6) => concat!("/tfplugin6.Provider/", $six),
                    )*
                }
            }
        }
    };
}

rpcs! {
    GetProviderSchema: "GetSchema", "GetProviderSchema";
    GetResourceIdentitySchemas: "GetResourceIdentitySchemas", "GetResourceIdentitySchemas";
    ValidateProviderConfig: "PrepareProviderConfig", "ValidateProviderConfig";
    ConfigureProvider: "Configure", "ConfigureProvider";
    StopProvider: "Stop", "StopProvider";
    ValidateResourceConfig: "ValidateResourceTypeConfig", "ValidateResourceConfig";
    ValidateDataResourceConfig: "ValidateDataSourceConfig", "ValidateDataResourceConfig";
    UpgradeResourceState: "UpgradeResourceState", "UpgradeResourceState";
    UpgradeResourceIdentity: "UpgradeResourceIdentity", "UpgradeResourceIdentity";
    ReadResource: "ReadResource", "ReadResource";
    PlanResourceChange: "PlanResourceChange", "PlanResourceChange";
    ApplyResourceChange: "ApplyResourceChange", "ApplyResourceChange";
    ImportResourceState: "ImportResourceState", "ImportResourceState";
    MoveResourceState: "MoveResourceState", "MoveResourceState";
    ReadDataSource: "ReadDataSource", "ReadDataSource";
    GenerateResourceConfig: "GenerateResourceConfig", "GenerateResourceConfig";
    CallFunction: "CallFunction", "CallFunction";
    ValidateEphemeralResourceConfig: "ValidateEphemeralResourceConfig", "ValidateEphemeralResourceConfig";
    OpenEphemeralResource: "OpenEphemeralResource", "OpenEphemeralResource";
    RenewEphemeralResource: "RenewEphemeralResource", "RenewEphemeralResource";
    CloseEphemeralResource: "CloseEphemeralResource", "CloseEphemeralResource";
    ValidateListResourceConfig: "ValidateListResourceConfig", "ValidateListResourceConfig";
    ListResource: "ListResource", "ListResource";
    ValidateActionConfig: "ValidateActionConfig", "ValidateActionConfig";
    PlanAction: "PlanAction", "PlanAction";
    InvokeAction: "InvokeAction", "InvokeAction";
}

impl Rpc {
    /// The same as a path of a request.
    pub(crate) fn path_and_query(self, protocol: Protocol) -> PathAndQuery {
        PathAndQuery::from_static(self.path(protocol))
    }

    /// The method that a request's path names.
    pub(crate) fn find(path: &str, protocol: Protocol) -> Option<Self> {
        (Self::ALL.iter().copied()).find(|rpc| rpc.path(protocol) == path)
    }
}
