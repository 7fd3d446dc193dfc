//! A provider process without the client around it: the floor that a benchmark measures the client against.

use bytes::{Buf, BufMut, Bytes};
use http::uri::PathAndQuery;
use prost::encoding::{DecodeContext, WireType};
use prost::{DecodeError, Message};
use terrane_core::addr::ProviderSource;

use crate::plugin::Plugin;
use crate::plugins::Plugins;
use crate::provider::StartError;

/// A process that was started and shaken hands with as every provider is, and asked nothing yet.
#[doc(hidden)]
pub struct BareProvider(Plugin);

impl BareProvider {
    /// Starts the provider of that source.
    ///
    /// # Errors
    /// As for any provider.
    pub async fn start(plugins: &Plugins, source: &ProviderSource) -> Result<Self, StartError> {
        let command = plugins.locate(source)?.command;
        Plugin::start(plugins.pad(), source, &command)
            .await
            .map(Self)
    }

    /// Calls the method at that path with a request that is encoded already.
    ///
    /// # Errors
    /// The status that the process returned, or that there was no response.
    pub async fn call<A: Message + Default + 'static>(
        &self,
        path: &'static str,
        request: Bytes,
    ) -> Result<A, String> {
        let path = PathAndQuery::from_static(path);
        let answer = self.0.channel().unary(path, Encoded(request)).await;
        answer.map_err(|status| format!("{}: {}", status.code(), status.message()))
    }

    /// Ends the process.
    pub async fn shutdown(&self) {
        self.0.stop().await;
    }
}

/// A message as its bytes.
#[derive(Debug, Default)]
struct Encoded(Bytes);

impl Message for Encoded {
    fn encode_raw(&self, buffer: &mut impl BufMut) {
        buffer.put_slice(&self.0);
    }

    fn encoded_len(&self) -> usize {
        self.0.len()
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buffer: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        // Only requests are of this type.
        prost::encoding::skip_field(wire_type, tag, buffer, context)
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}
