//! `graph`: what the program declares, and what depends on what. Needs no provider and no state.

use crate::args::{Graph, GraphFormat};
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::graph::{self, ResourceGraph};

pub(super) fn run(session: &Session<'_>, arguments: &Graph) -> Result<Exit, CommandError> {
    let program = session.program()?;
    let resources = ResourceGraph::of(&program);
    let format = match session.common.json {
        true => GraphFormat::Json,
        false => arguments.format,
    };
    let text = match format {
        GraphFormat::Svg => graph::svg(&resources),
        GraphFormat::Dot => graph::dot(&resources),
        GraphFormat::Mermaid => graph::mermaid(&resources),
        GraphFormat::Json => graph::json(&resources),
    };
    session.streams.out(text);
    Ok(Exit::DONE)
}
