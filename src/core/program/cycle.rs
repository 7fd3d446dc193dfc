//! Finds declarations that need each other in a circle.

use super::{ProviderConfig, ProviderId, ResourceId, ResourceInstance};
use crate::diagnostics::Diagnostic;
use crate::ids::IdVec;

/// A declaration.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Node {
    Resource(ResourceId),
    Provider(ProviderId),
}

/// How far the search has come with a declaration.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Colour {
    Unseen,
    OnPath,
    Done,
}

/// A search for a cycle. A resource depends on its provider, a provider on the resources that its arguments refer to.
struct Search<'a> {
    resources: &'a IdVec<ResourceId, ResourceInstance>,
    providers: &'a IdVec<ProviderId, ProviderConfig>,
    resource_colours: IdVec<ResourceId, Colour>,
    provider_colours: IdVec<ProviderId, Colour>,
}

/// Looks for a dependency cycle, in time linear in nodes and edges and without recursion (chains can be very long).
pub(super) fn find_cycle(
    resources: &IdVec<ResourceId, ResourceInstance>,
    providers: &IdVec<ProviderId, ProviderConfig>,
) -> Option<Diagnostic> {
    let search = Search {
        resources,
        providers,
        resource_colours: IdVec::filled(Colour::Unseen, resources),
        provider_colours: IdVec::filled(Colour::Unseen, providers),
    };
    search.run()
}

impl<'a> Search<'a> {
    fn run(mut self) -> Option<Diagnostic> {
        let resources = self.resources.ids().map(Node::Resource);
        let starts = resources.chain(self.providers.ids().map(Node::Provider));
        for start in starts {
            if *self.colour(start) != Colour::Unseen {
                continue;
            }
            let mut path = vec![(start, self.needs(start))];
            *self.colour(start) = Colour::OnPath;
            while let Some((node, needs)) = path.last_mut() {
                let node = *node;
                let Some(needed) = needs.next() else {
                    *self.colour(node) = Colour::Done;
                    path.pop();
                    continue;
                };
                match self.colour(needed) {
                    Colour::Unseen => {
                        *self.colour(needed) = Colour::OnPath;
                        path.push((needed, self.needs(needed)));
                    }
                    Colour::OnPath => {
                        let nodes = path.iter().map(|(node, _)| *node);
                        let cycle: Vec<Node> = nodes.skip_while(|&node| node != needed).collect();
                        return Some(self.describe(&cycle));
                    }
                    Colour::Done => {}
                }
            }
        }
        None
    }

    fn colour(&mut self, node: Node) -> &mut Colour {
        match node {
            Node::Resource(id) => &mut self.resource_colours[id],
            Node::Provider(id) => &mut self.provider_colours[id],
        }
    }

    fn needs(&self, node: Node) -> impl Iterator<Item = Node> + use<'a> {
        let (dependencies, provider) = match node {
            Node::Resource(id) => {
                let resource = &self.resources[id];
                (&resource.dependencies, Some(resource.provider))
            }
            Node::Provider(id) => (&self.providers[id].dependencies, None),
        };
        let direct = dependencies.iter().map(|&id| Node::Resource(id));
        direct.chain(provider.map(Node::Provider))
    }

    fn describe(&self, cycle: &[Node]) -> Diagnostic {
        let name = |node: &Node| match *node {
            Node::Resource(id) => {
                let resource = &self.resources[id];
                format!("{} ({})", resource.address, resource.location)
            }
            Node::Provider(id) => self.providers[id].address.to_string(),
        };
        let steps: Vec<String> = cycle.iter().chain(cycle.first()).map(name).collect();
        let diagnostic = Diagnostic::error("the declarations depend on each other in a cycle")
            .detail(steps.join(" → "))
            .hint("an arrow reads `needs`; take one of these references away");
        let mut resources = cycle.iter().filter_map(|node| match *node {
            Node::Resource(id) => Some(&self.resources[id]),
            Node::Provider(_) => None,
        });
        match resources.next() {
            Some(resource) => diagnostic
                .address(&resource.address)
                .location(resource.location),
            None => diagnostic,
        }
    }
}
