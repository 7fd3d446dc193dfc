//! `graph`: the declared resources and their dependencies, or those of a saved plan with its actions. Needs no provider and no state.

use crate::args::Graph;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::graph::ResourceGraph;
use crate::workflow::saved;

pub(super) async fn run(session: &Session<'_>, arguments: Graph) -> Result<Exit, CommandError> {
    let Graph { plan, format } = arguments;
    let graph = match plan {
        Some(file) => {
            let (saved, program) = saved::open(session, &file).await?;
            session.note(&saved.heading());
            ResourceGraph::of_plan(&program, &saved.fixed.plan)
        }
        None => ResourceGraph::of(session.declared()?.whole()?),
    };
    session.view().graph(&graph, format);
    Ok(Exit::DONE)
}
