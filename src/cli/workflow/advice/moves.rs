//! Renames: objects that a plan destroys and makes anew only because they have another address in the program.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use terrane_core::addr::{InstanceAddr, InstanceKey, Mode, ModuleAddr};
use terrane_core::{Diagnostic, Value};
use terrane_engine::{Action, Reason, ResourceChange};

use crate::session::quoted_if_needed;
use crate::view::printable::{counted, one_line};

/// Deletions and creations of a type are compared only as long as there are not more of both.
const MOST: usize = 100;
/// Commands that are printed; more moves are counted.
const NAMED: usize = 5;

/// A warning for every move that the plan does not know of.
pub(super) fn looked_for(changes: &[ResourceChange]) -> Vec<Diagnostic> {
    let managed = changes
        .iter()
        .filter(|change| change.address.resource.mode == Mode::Managed && change.deposed.is_none());
    let (mut gone, mut new) = (Vec::new(), Vec::new());
    for change in managed {
        match change.action {
            Action::Delete if is_undeclared(change.reason) => gone.push(change),
            Action::Create => new.push(change),
            _ => {}
        }
    }
    if gone.is_empty() || new.is_empty() {
        return Vec::new();
    }
    let mut warnings = Vec::new();
    for ((from, to), count) in modules(&mut gone, &mut new) {
        let (from, to) = (from.to_string(), to.to_string());
        let summary = format!(
            "{count} to add and {count} to destroy look like a move of {} to {}",
            one_line(&from),
            one_line(&to)
        );
        warnings.push(warning(summary).hint(command(&from, &to)));
    }
    let resources = resources(&gone, &new);
    if let [(from, to)] = resources.as_slice() {
        let (before, after) = (from.address.to_string(), to.address.to_string());
        let summary = format!(
            "1 to add and 1 to destroy look like a move of {} to {}",
            one_line(&before),
            one_line(&after)
        );
        let one = warning(summary).hint(command(&before, &after));
        warnings.push(Diagnostic {
            location: to.location,
            ..one
        });
    } else if !resources.is_empty() {
        let count = resources.len();
        let summary =
            format!("{count} to add and {count} to destroy look like moves to other addresses");
        let named = resources.iter().take(NAMED);
        let commands =
            named.map(|(from, to)| command(&from.address.to_string(), &to.address.to_string()));
        let mut one = warning(summary).hints(commands);
        if count > NAMED {
            one = one.detail(format!(
                "the objects would be destroyed and made anew; {} are not named here",
                counted(count - NAMED, "more move")
            ));
        }
        warnings.push(one);
    }
    warnings
}

fn warning(summary: String) -> Diagnostic {
    Diagnostic::warning(summary).detail("the objects would be destroyed and made anew")
}

fn command(from: &str, to: &str) -> String {
    let declared = format!("stack.moved({from:?}, {to:?})");
    let (from, to) = (quoted_if_needed(from), quoted_if_needed(to));
    format!("to keep them, write `{declared}` in the program, or run `state mv {from} {to}`")
}

/// Whether an object goes because the program has no such address any more.
fn is_undeclared(reason: Option<Reason>) -> bool {
    matches!(
        reason,
        Some(
            Reason::DeleteBecauseNoResourceConfig
                | Reason::DeleteBecauseWrongRepetition
                | Reason::DeleteBecauseCountIndex
                | Reason::DeleteBecauseEachKey
                | Reason::DeleteBecauseNoModule
        )
    )
}

/// An instance as its own module names it.
type Inside<'a> = BTreeSet<(&'a str, &'a str, Option<&'a InstanceKey>)>;

/// Modules whose objects all go, and those that get just the same ones; their objects are taken out of both lists.
fn modules(
    gone: &mut Vec<&ResourceChange>,
    new: &mut Vec<&ResourceChange>,
) -> BTreeMap<(ModuleAddr, ModuleAddr), usize> {
    let (leaving, coming) = (by_contents(gone), by_contents(new));
    let mut pairs: HashMap<&ModuleAddr, &ModuleAddr> = HashMap::new();
    for (contents, from) in &leaving {
        // Two modules with the same contents could be either.
        if let ([from], Some([to])) = (from.as_slice(), coming.get(contents).map(Vec::as_slice))
            && !from.is_root()
            && !to.is_root()
        {
            pairs.insert(from, to);
        }
    }
    let mut moves = BTreeMap::new();
    let mut moved: BTreeSet<&ModuleAddr> = BTreeSet::new();
    for change in gone.iter() {
        let module = &change.address.resource.module;
        if let Some(to) = pairs.get(module) {
            *moves.entry(without_common_end(module, to)).or_default() += 1;
            moved.extend([module, to]);
        }
    }
    let stays = |change: &&ResourceChange| !moved.contains(&change.address.resource.module);
    gone.retain(stays);
    new.retain(stays);
    moves
}

fn by_contents<'a>(changes: &[&'a ResourceChange]) -> BTreeMap<Inside<'a>, Vec<&'a ModuleAddr>> {
    let mut modules: BTreeMap<&ModuleAddr, Inside<'a>> = BTreeMap::new();
    for change in changes {
        let InstanceAddr { resource, key } = &*change.address;
        let inside = (&*resource.type_name, &*resource.name, key.as_ref());
        modules.entry(&resource.module).or_default().insert(inside);
    }
    let mut contents: BTreeMap<Inside<'a>, Vec<&'a ModuleAddr>> = BTreeMap::new();
    for (module, inside) in modules {
        contents.entry(inside).or_default().push(module);
    }
    contents
}

/// The two modules that were renamed, where others are in them: `module.a` and `module.b` of `module.a.module.x` and `module.b.module.x`.
fn without_common_end(from: &ModuleAddr, to: &ModuleAddr) -> (ModuleAddr, ModuleAddr) {
    let (a, b) = (from.steps(), to.steps());
    let same = a.iter().rev().zip(b.iter().rev());
    let same = same.take_while(|(a, b)| a == b).count();
    // A module that moved into another keeps its own name.
    let same = same.min(a.len() - 1).min(b.len() - 1);
    let start = |steps: &[terrane_core::addr::ModuleStep]| -> ModuleAddr {
        steps[..steps.len() - same].iter().cloned().collect()
    };
    (start(a), start(b))
}

/// Objects that go, each with the only new one that would be like it.
fn resources<'a>(
    gone: &[&'a ResourceChange],
    new: &[&'a ResourceChange],
) -> Vec<(&'a ResourceChange, &'a ResourceChange)> {
    let mut kinds: BTreeMap<&str, [Vec<&'a ResourceChange>; 2]> = BTreeMap::new();
    for (place, changes) in [gone, new].into_iter().enumerate() {
        for change in changes {
            let kind = &*change.address.resource.type_name;
            kinds.entry(kind).or_default()[place].push(change);
        }
    }
    let mut pairs = Vec::new();
    for [gone, new] in kinds.into_values() {
        if gone.len() > MOST || new.len() > MOST {
            continue;
        }
        for from in &gone {
            let mut alike = new.iter().filter(|to| is_alike(from, to));
            let (Some(to), None) = (alike.next(), alike.next()) else {
                continue;
            };
            if gone.iter().filter(|other| is_alike(other, to)).count() == 1 {
                pairs.push((*from, *to));
            }
        }
    }
    pairs
}

/// Whether an object that one stack lets go is made anew, under the same address, by another one.
pub(crate) fn goes_to(gone: &ResourceChange, new: &ResourceChange) -> bool {
    gone.action == Action::Delete
        && is_undeclared(gone.reason)
        && new.action == Action::Create
        && gone.deposed.is_none()
        && gone.address == new.address
        && gone.address.resource.mode == Mode::Managed
        && is_alike(gone, new)
}

/// Whether everything that is known about a new object is so in an old one.
fn is_alike(gone: &ResourceChange, new: &ResourceChange) -> bool {
    let (Some(before), Some(after)) = (gone.before.value.members(), new.after.value.members())
    else {
        return false;
    };
    let is_of_note = |name: &str, value: &Value| {
        let is_nothing = match value {
            Value::Null | Value::Bool(false) => true,
            Value::List(elements) | Value::Set(elements) => elements.is_empty(),
            Value::Map(members) => members.is_empty(),
            _ => false,
        };
        !is_nothing && value.is_wholly_known() && !name.starts_with("tags")
    };
    let known = after.iter().filter(|(name, value)| is_of_note(name, value));
    let mut says_something = false;
    for (name, value) in known {
        if before.get(name) != Some(value) {
            return false;
        }
        let value = match value {
            Value::Dynamic(typed) => &typed.1,
            value => value,
        };
        says_something |= matches!(value, Value::String(_) | Value::Number(_));
    }
    says_something
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use terrane_core::Marked;

    use super::*;
    use crate::view::outline::samples::{change, object};

    fn gone(address: &str, name: &str) -> ResourceChange {
        let before = object(&[
            ("id", Value::from("i-1")),
            ("name", Value::from(name)),
            ("size", Value::from(3)),
        ]);
        ResourceChange {
            reason: Some(Reason::DeleteBecauseNoModule),
            ..change(
                address,
                Action::Delete,
                before,
                Arc::new(Marked::plain(Value::Null)),
            )
        }
    }

    fn new(address: &str, name: &str) -> ResourceChange {
        let after = object(&[
            ("id", Value::UNKNOWN),
            ("name", Value::from(name)),
            ("size", Value::from(3)),
        ]);
        change(
            address,
            Action::Create,
            Arc::new(Marked::plain(Value::Null)),
            after,
        )
    }

    fn told(changes: &[ResourceChange]) -> Vec<String> {
        let warnings = looked_for(changes).into_iter();
        let lines = warnings.flat_map(|one| {
            let hints = one.hints.into_iter();
            std::iter::once(one.summary).chain(hints)
        });
        lines.collect()
    }

    #[test]
    fn a_module_under_another_name_looks_like_a_move_even_where_its_objects_differ() {
        let changes = [
            gone("module.network.t_vpc.main", "a"),
            gone("module.network.module.deep.t_subnet.s[\"x\"]", "b"),
            new("module.net.t_vpc.main", "changed"),
            new("module.net.module.deep.t_subnet.s[\"x\"]", "b"),
            gone("t_vpc.other", "c"),
        ];
        assert_eq!(
            told(&changes),
            [
                "2 to add and 2 to destroy look like a move of module.network to module.net",
                "to keep them, write `stack.moved(\"module.network\", \"module.net\")` in the program, or run `state mv module.network module.net`",
            ]
        );
    }

    #[test]
    fn a_resource_under_another_address_looks_like_a_move_where_all_that_is_known_is_the_same() {
        let changes = [gone("t_vpc.a[0]", "a"), new("t_vpc.a[\"x\"]", "a")];
        assert_eq!(
            told(&changes),
            [
                "1 to add and 1 to destroy look like a move of t_vpc.a[0] to t_vpc.a[\"x\"]",
                r#"to keep them, write `stack.moved("t_vpc.a[0]", "t_vpc.a[\"x\"]")` in the program, or run `state mv 't_vpc.a[0]' 't_vpc.a["x"]'`"#,
            ]
        );
        // Another name, or two that could be meant.
        assert!(told(&[gone("t_vpc.a", "a"), new("t_vpc.b", "b")]).is_empty());
        assert!(
            told(&[
                gone("t_vpc.a", "a"),
                new("t_vpc.b", "a"),
                new("t_vpc.c", "a")
            ])
            .is_empty()
        );
    }
}
