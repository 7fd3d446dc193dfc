//! Reads data sources.

use terrane_core::{Diagnostics, Marked};
use terrane_provider::ReadDataSource;

use crate::config::Config;
use crate::object::Subject;

impl Subject<'_> {
    /// Lets the provider check the configuration of a data source.
    pub(crate) async fn validate_data(&self, config: &Config) -> Result<(), Diagnostics> {
        let diagnostics = self
            .provider
            .validate_data_source_config(self.type_name(), &config.value)
            .await
            .map_err(|error| self.call_failed(&error))?;
        self.accept(diagnostics, ())
    }

    /// Reads a data source whose configuration is known.
    pub(crate) async fn read_data(&self, config: &Config) -> Result<Marked, Diagnostics> {
        self.validate_data(config).await?;
        let request = ReadDataSource {
            type_name: self.type_name(),
            config: &config.value,
        };
        let response = self
            .provider
            .read_data_source(request)
            .await
            .map_err(|error| self.call_failed(&error))?;
        let value = self.accept(response.diagnostics, response.state)?;
        if value.is_null() || !value.is_wholly_known() {
            return Err(self
                .error("the provider returned no complete object for the data source")
                .hint("this is a bug in the provider; report it to its developers")
                .into());
        }
        Ok(self.marked(value, &config.sensitive))
    }
}
