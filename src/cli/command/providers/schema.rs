//! `providers schema`: what the providers' types look like, in Terraform's JSON. Installs a provider that is not there.

use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{Session, required_providers, start_failed};

pub(super) async fn run(session: &Session<'_>) -> Result<Exit, CommandError> {
    let program = session.program().await?;
    let plugins = session.providers(&program).await?;
    let mut schemas = Vec::new();
    for required in required_providers(&program) {
        let json = plugins.schemas_json(&required.source).await;
        schemas.push((required.source, json.map_err(start_failed)?));
    }
    session.view().schemas(&schemas);
    Ok(Exit::DONE)
}
