//! Families: stacks that come and go, which are found by the states that exist, whoever declares them at the moment.

use std::fmt;
use std::sync::Arc;

use terrane_core::{Diagnostic, Diagnostics, Error, Exports, Location, Result};
use terrane_deploy::DeployError;
use terrane_state::{BackendConfig, Clock};

use crate::definition::{Definition, Fleet, FleetStack, check_name};
use crate::deployments::Placement;

type Make = Arc<dyn Fn(&str) -> Result<Definition> + Send + Sync>;

/// The stacks of one kind, whose names begin alike.
#[derive(Clone)]
pub struct Family {
    stem: Arc<str>,
    make: Make,
    location: Location,
}

impl fmt::Debug for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Family({})", self.stem)
    }
}

impl Family {
    /// How their names begin.
    pub fn stem(&self) -> &str {
        &self.stem
    }
}

impl Fleet {
    /// The stacks whose names begin with `stem`, such as the environments of pull requests. The program declares the present ones with
    /// [`stack`](Self::stack); those of an earlier invocation are found by their states: for `destroy --expired`, and for `--only` with
    /// such a name. `make` gives the stack of a name; its state is kept at a place that has the name in it.
    #[track_caller]
    pub fn family<E: Exports>(
        &mut self,
        stem: impl Into<Arc<str>>,
        make: impl Fn(&str) -> Result<FleetStack<E>> + Send + Sync + 'static,
    ) {
        self.families.push(Family {
            stem: stem.into(),
            make: Arc::new(move |name| Ok(make(name)?.definition)),
            location: Location::caller(),
        });
    }

    /// Declares the members of wanted families whose states exist and that the program does not declare. `place` says where a state is
    /// kept. Members that the program cannot make are left out; the diagnostics name them.
    ///
    /// # Errors
    /// When a store cannot be read, or cannot list its states.
    pub async fn find_members(
        &mut self,
        wanted: impl Fn(&Family) -> bool,
        place: impl Fn(Placement<'_>) -> BackendConfig,
        clock: &Arc<dyn Clock>,
    ) -> std::result::Result<Diagnostics, DeployError> {
        let mut left_out = Diagnostics::new();
        for family in self.families.clone() {
            if !wanted(&family) {
                continue;
            }
            // Any member shows where the others are.
            let probe = format!("{}0", family.stem);
            let example = (family.make)(&probe).map_err(|error| {
                let errors = error.into_diagnostics().into_iter();
                let errors = errors.map(|it| it.location(family.location));
                DeployError::Failed(errors.collect())
            })?;
            let backend = place(Placement {
                name: &probe,
                backend: example.backend.as_ref(),
            });
            let found = backend.address();
            let found = found.named_alike(&probe, &family.stem, clock.clone());
            let Some(names) = found.await? else {
                let unlisted = Diagnostic::error(format!(
                    "the store of {}… cannot list its states",
                    family.stem
                ));
                return Err(unlisted
                    .detail(format!("{backend} is one of them"))
                    .location(family.location)
                    .hint("declare the stacks by the program's configuration instead")
                    .into());
            };
            for name in names {
                if self.stacks.iter().any(|known| *known.name == *name)
                    || check_name(&name).is_err()
                {
                    continue;
                }
                let made = (family.make)(&name);
                // `pr-007` may make `pr-7`, which has another state.
                let made = made.and_then(|it| match *it.name == *name {
                    true => Ok(it),
                    false => Err(Error::message(format!("it makes {} of it", it.name))),
                });
                match made {
                    Ok(definition) => self.stacks.push(definition),
                    Err(error) => {
                        let why = error.into_diagnostics().into_iter().map(|it| it.summary);
                        let unmade = Diagnostic::warning(format!(
                            "{name} has a state, and the program makes no stack of that name"
                        ));
                        let why = why.collect::<Vec<_>>().join("; ");
                        left_out.push(unmade.detail(why).location(family.location));
                    }
                }
            }
        }
        Ok(left_out)
    }
}
