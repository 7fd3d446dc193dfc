//! Values that are computed from others once the engine knows them, as far as it knows them.

use std::sync::Arc;

use terrane_core::{Expr, Location, Output, Path, PathStep, Type, Value};

use super::shape::Shape;
use super::{Dyn, Inner};

/// A value that is computed from others once the engine knows them.
#[derive(Clone)]
pub(crate) struct Deferred {
    inputs: Arc<[Source]>,
    /// What is computed of the inputs; nothing where the only one is meant as it is.
    compute: Option<Arc<Compute>>,
    shape: Shape,
}

/// Where an input comes from: a part of an expression's value, or of a loop's round.
#[derive(Clone)]
pub(crate) struct Source {
    whole: Whole,
    path: Path,
    /// Its type, which the engine does not say of a value that is unknown.
    ty: Type,
}

#[derive(Clone)]
enum Whole {
    Expr(Expr),
    /// The key or the value of a loop's round; no two loops share one.
    Round(usize),
}

/// What is made of the inputs as they are now.
pub(crate) type Compute = dyn Fn(&[Dyn]) -> Dyn + Send + Sync;

impl std::fmt::Debug for Deferred {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.inputs.iter().map(|input| match &input.whole {
                Whole::Expr(expr) => expr.origin(),
                Whole::Round(_) => "each".to_owned(),
            }))
            .finish()
    }
}

impl Source {
    /// The expression of the part alone.
    fn expr(&self) -> Expr {
        let Whole::Expr(whole) = &self.whole else {
            return Expr::invalid("a loop's value outside of it", Location::caller());
        };
        let whole = Output::<Value>::new(whole.clone());
        let steps = self.path.steps().iter();
        let part = steps.fold(whole, |whole, step| match step {
            PathStep::Index(index) => whole.index(*index),
            PathStep::Key(key) => whole.key(key),
            PathStep::Attribute(name) => whole.attribute(name),
        });
        part.into_expr()
    }

    /// The part of what a loop's round has.
    fn part(&self, whole: Dyn) -> Dyn {
        let steps = self.path.steps().iter();
        steps.fold(whole, |whole, step| match step {
            PathStep::Index(index) => whole.index(*index),
            PathStep::Key(name) | PathStep::Attribute(name) => whole.attr(name),
        })
    }
}

impl Deferred {
    /// The value of an expression as it is.
    pub(super) fn plain(expr: Expr) -> Self {
        Self::input(Whole::Expr(expr))
    }

    /// What is known of it before it is known itself.
    pub(super) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The same with the type that it is said to have, if nothing else says one.
    pub(super) fn with_type(mut self, ty: &Type) -> Self {
        if self.shape.ty != Type::Dynamic {
            return self;
        }
        self.shape.ty = ty.clone();
        if self.is_plain() {
            let inputs = self.inputs.iter().cloned();
            let typed = |source: Source| Source {
                ty: ty.clone(),
                ..source
            };
            self.inputs = inputs.map(typed).collect();
        }
        self
    }

    /// The value or key of a loop's round, while the loop's collection is not known.
    pub(super) fn round(id: usize) -> Self {
        Self::input(Whole::Round(id))
    }

    fn input(whole: Whole) -> Self {
        let source = Source {
            whole,
            path: Path::root(),
            ty: Type::Dynamic,
        };
        Self {
            inputs: [source].into(),
            compute: None,
            shape: Shape::ANY,
        }
    }

    /// Whether it is a value of the cloud as it is, and nothing computed from one.
    pub(super) fn is_plain(&self) -> bool {
        self.compute.is_none()
    }

    /// A part of it with that type, without a computation.
    pub(super) fn part(&self, step: PathStep, ty: Type) -> Option<Self> {
        let source = self.inputs.first().filter(|_| self.is_plain())?;
        let path = source.path.clone().step(step);
        let whole = source.whole.clone();
        let shape = Shape::of(ty.clone());
        Some(Self {
            inputs: [Source { whole, path, ty }].into(),
            compute: None,
            shape,
        })
    }

    pub(super) fn expr(&self) -> Expr {
        let (Some(compute), inputs) = (self.compute.clone(), &self.inputs) else {
            let only = self.inputs.first().map(Source::expr);
            return only.unwrap_or_else(|| Expr::Literal(Value::Null));
        };
        let wholes = inputs.iter().map(|input| match &input.whole {
            Whole::Expr(expr) => expr.clone(),
            Whole::Round(_) => Expr::invalid("a loop's value outside of it", Location::caller()),
        });
        let inputs = inputs.clone();
        Expr::list(wholes.collect()).apply_marked(move |wholes| {
            let parts = inputs.iter().enumerate();
            let parts = parts.map(|(place, source)| {
                let part = Dyn::part_of(wholes, &Path::root().index(place), &source.path);
                part.with_type(&source.ty)
            });
            compute(&parts.collect::<Vec<_>>()).into_marked()
        })
    }

    /// Its inputs, and what makes it of them.
    pub(super) fn parts(&self) -> (Vec<Source>, Arc<Compute>) {
        let compute = self.compute.clone().unwrap_or_else(|| {
            Arc::new(|inputs: &[Dyn]| inputs.first().cloned().unwrap_or(Dyn::UNKNOWN))
        });
        (self.inputs.to_vec(), compute)
    }
}

impl Dyn {
    /// Whether it depends on values that the engine has not been asked for.
    pub(super) fn is_deferred(&self) -> bool {
        match &self.0 {
            Inner::Early(..) | Inner::Deferred(_) => true,
            Inner::List(elements) => elements.iter().any(Self::is_deferred),
            Inner::Map(members) => members.values().any(Self::is_deferred),
            Inner::Sensitive(of) => of.is_deferred(),
            Inner::Known(_) | Inner::Unknown(_) | Inner::Failed(_) => false,
        }
    }

    /// Inputs and a computation that make this value.
    fn parts(&self) -> (Vec<Source>, Arc<Compute>) {
        match &self.0 {
            Inner::Early(_, deferred) | Inner::Deferred(deferred) => deferred.parts(),
            _ if !self.is_deferred() => {
                let it = self.clone();
                (Vec::new(), Arc::new(move |_: &[Self]| it.clone()))
            }
            Inner::List(elements) => Self::joined(elements, Self::list),
            Inner::Map(members) => {
                let keys: Vec<Arc<str>> = members.keys().cloned().collect();
                let members: Vec<Self> = members.values().cloned().collect();
                Self::joined(&members, move |values| {
                    Self::from_members(keys.iter().cloned().zip(values).collect())
                })
            }
            Inner::Sensitive(of) => {
                let (inputs, compute) = of.parts();
                let compute = move |inputs: &[Self]| compute(inputs).sensitive();
                (inputs, Arc::new(compute))
            }
            Inner::Known(_) | Inner::Unknown(_) | Inner::Failed(_) => {
                unreachable!("invariant: they are not deferred")
            }
        }
    }

    fn joined(
        all: &[Self],
        join: impl Fn(Vec<Self>) -> Self + Send + Sync + 'static,
    ) -> (Vec<Source>, Arc<Compute>) {
        let mut inputs = Vec::new();
        let mut computes = Vec::with_capacity(all.len());
        for one in all {
            let (own, compute) = one.parts();
            let start = inputs.len();
            inputs.extend(own);
            computes.push((start..inputs.len(), compute));
        }
        let compute = move |values: &[Self]| {
            let parts = computes
                .iter()
                .map(|(range, compute)| compute(values.get(range.clone()).unwrap_or_default()));
            join(parts.collect())
        };
        (inputs, Arc::new(compute))
    }

    /// The value that a function makes of others once the engine has said what is known of them.
    fn later(
        all: &[Self],
        shape: Shape,
        function: impl Fn(Vec<Self>) -> Self + Send + Sync + 'static,
    ) -> Deferred {
        let (inputs, compute) = Self::joined(all, function);
        Deferred {
            inputs: inputs.into(),
            compute: Some(compute),
            shape,
        }
    }

    /// The same, and what it makes of what the program knows already.
    pub(super) fn when_known(
        all: &[Self],
        shape: Shape,
        function: impl Fn(Vec<Self>) -> Self + Clone + Send + Sync + 'static,
    ) -> Self {
        let early = all.iter().any(Self::has_early).then(|| {
            let now = all.iter().map(Self::now).collect();
            function(now)
        });
        let later = Self::later(all, shape, function);
        match early {
            Some(now) => now.before(later),
            None => Self(Inner::Deferred(later)),
        }
    }

    /// This as what is known before the engine says the same with more about it.
    pub(super) fn before(self, later: Deferred) -> Self {
        match self.0 {
            Inner::Failed(_) => self,
            Inner::Deferred(_) | Inner::Unknown(_) | Inner::Sensitive(_) => {
                Self(Inner::Deferred(later))
            }
            Inner::Early(now, _) => Self(Inner::Early(now, later)),
            _ => Self(Inner::Early(Arc::new(self), later)),
        }
    }

    /// Whether the program knows already what it or a part of it is, and the engine knows more.
    fn has_early(&self) -> bool {
        match &self.0 {
            Inner::Early(..) => true,
            Inner::List(elements) => elements.iter().any(Self::has_early),
            Inner::Map(members) => members.values().any(Self::has_early),
            Inner::Sensitive(of) => of.has_early(),
            _ => false,
        }
    }

    /// What the program knows of it already.
    pub(super) fn now(&self) -> Self {
        match &self.0 {
            Inner::Early(now, _) => now.now(),
            Inner::List(elements) => Self::list(elements.iter().map(Self::now)),
            Inner::Map(members) => {
                let members = members.iter().map(|(key, one)| (key.clone(), one.now()));
                Self::from_members(members.collect())
            }
            Inner::Sensitive(of) => of.now().sensitive(),
            _ => self.clone(),
        }
    }

    /// The value of that type that a function makes of others which it has to know: it is unknown as long as a part of one is, and as sensitive.
    pub(crate) fn of_known(
        all: &[Self],
        ty: Type,
        function: impl Fn(&[Value]) -> Result<Value, String> + Clone + Send + Sync + 'static,
    ) -> Self {
        if let Some(failed) = all.iter().find(|one| one.is_failed()) {
            return failed.clone();
        }
        if all.iter().any(Self::is_deferred) {
            let shape = Shape::never_null(ty.clone());
            return Self::when_known(all, shape, move |now| {
                Self::of_known(&now, ty.clone(), function.clone())
            });
        }
        Self::unmarked(all, |all| {
            let known: Option<Vec<Value>> = all.iter().map(Self::as_known).collect();
            match known.map(|known| function(&known)) {
                Some(Ok(value)) => Self(Inner::Known(value)),
                Some(Err(reason)) => Self::failed(reason),
                None => Self(Inner::Unknown(Shape::never_null(ty))),
            }
        })
    }

    /// What a function that does not see marks makes of values: its result is sensitive if a part of one is.
    pub(super) fn unmarked(all: &[Self], function: impl FnOnce(Vec<Self>) -> Self) -> Self {
        if !all.iter().any(Self::has_mark) {
            return function(all.to_vec());
        }
        function(all.iter().map(Self::without_marks).collect()).sensitive()
    }

    /// Whether it or a part of it is sensitive, as far as is known.
    fn has_mark(&self) -> bool {
        match &self.0 {
            Inner::Sensitive(_) => true,
            Inner::List(elements) => elements.iter().any(Self::has_mark),
            Inner::Map(members) => members.values().any(Self::has_mark),
            _ => false,
        }
    }

    fn without_marks(&self) -> Self {
        match &self.0 {
            Inner::Sensitive(of) => of.without_marks(),
            Inner::List(elements) => Self::list(elements.iter().map(Self::without_marks)),
            Inner::Map(members) => {
                let members = members.iter();
                let members = members.map(|(key, one)| (key.clone(), one.without_marks()));
                Self::from_members(members.collect())
            }
            _ => self.clone(),
        }
    }

    /// What a loop makes of a collection that is not known yet: `round` is what one round makes, and `walk` does it for each.
    pub(super) fn later_loop(
        collection: &Self,
        ids: [usize; 2],
        round: &Self,
        shape: Shape,
        walk: impl Fn(&Self, &dyn Fn(Self, Self) -> Self) -> Self + Send + Sync + 'static,
    ) -> Self {
        let (inputs, compute) = round.parts();
        // Which of a round's own values an input is a part of; of none, if it comes from outside of the loop.
        let own: Vec<Option<(usize, Source)>> = inputs
            .iter()
            .map(|source| match source.whole {
                Whole::Round(id) => {
                    let place = ids.iter().position(|own| *own == id)?;
                    Some((place, source.clone()))
                }
                Whole::Expr(_) => None,
            })
            .collect();
        let (mut all, of_collection) = collection.parts();
        let first_outer = all.len();
        let outer = inputs.iter().zip(&own).filter(|(_, own)| own.is_none());
        all.extend(outer.map(|(source, _)| source.clone()));
        let compute = move |values: &[Self]| {
            let (of_this, outer) = values.split_at(first_outer.min(values.len()));
            walk(&of_collection(of_this), &|key, value| {
                let pair = [key, value];
                let mut outer = outer.iter();
                let inputs: Vec<Self> = own
                    .iter()
                    .filter_map(|own| match own {
                        Some((place, source)) => Some(source.part(pair[*place].clone())),
                        None => outer.next().cloned(),
                    })
                    .collect();
                compute(&inputs)
            })
        };
        Self(Inner::Deferred(Deferred {
            inputs: all.into(),
            compute: Some(Arc::new(compute)),
            shape,
        }))
    }
}
