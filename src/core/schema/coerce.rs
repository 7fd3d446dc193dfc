//! From the arguments of a declaration to the configuration value of its schema: checked, converted and complete.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Attribute, AttributeType, Block, NestedAttribute, NestedBlock, Nesting};
use crate::diagnostics::Diagnostic;
use crate::suggest::closest;
use crate::text::nfc;
use crate::value::{Map, Members, Path, PathStep, REPEATED_KEY, Type, Value, concrete_type};

/// Something in a configuration that its schema does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    /// Where it is.
    pub path: Path,
    /// The fault, as a fragment of a sentence; never holds the value, which may be a secret.
    pub reason: String,
    /// The likely remedy.
    pub hint: Option<String>,
}

impl From<ConfigProblem> for Diagnostic {
    fn from(problem: ConfigProblem) -> Self {
        let diagnostic = Self::error(problem.reason);
        let diagnostic = if problem.path.is_root() {
            diagnostic
        } else {
            diagnostic.attribute(problem.path)
        };
        match problem.hint {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        }
    }
}

impl Block {
    /// The configuration value of this schema that those arguments stand for.
    ///
    /// `config` is an object of the arguments that were set. In the result every attribute and every nested block is present: what was
    /// not set is null, a block that was not written is empty, and every attribute has the type of the schema. A block in a list or set
    /// may be given alone. The members of an object that an attribute holds may be left out.
    ///
    /// # Errors
    /// Everything that is wrong, at once: names the schema does not have, required arguments that are missing, values that do not
    /// convert, arguments that only the provider sets, too few or too many blocks, blocks that are null. Elements of an attribute may be null:
    /// whether that means something is the provider's to say.
    pub fn coerce(&self, config: &Value) -> Result<Value, Vec<ConfigProblem>> {
        let mut check = Check {
            path: Path::root(),
            problems: Vec::new(),
        };
        let value = check.block(self, config);
        if check.problems.is_empty() {
            Ok(value)
        } else {
            Err(check.problems)
        }
    }

    /// The paths of arguments in `config` that the provider wants users to stop using.
    pub fn deprecated_paths(&self, config: &Value) -> Vec<Path> {
        let mut found = Vec::new();
        deprecated(self, config, &mut Path::root(), &mut found);
        found
    }
}

/// The way down and the faults on it. A wrong value is replaced by null, so that the rest can be checked as well.
struct Check {
    path: Path,
    problems: Vec<ConfigProblem>,
}

type Attributes = BTreeMap<Arc<str>, Attribute>;

impl Check {
    fn block(&mut self, block: &Block, config: &Value) -> Value {
        let members = match config {
            Value::Unknown(_) => return config.clone(),
            Value::Dynamic(dynamic) => return self.block(block, &dynamic.1),
            Value::Map(members) => members,
            other => return self.problem(format!("expected a block, found {}", other.kind())),
        };
        let known =
            |name: &str| block.attributes.contains_key(name) || block.blocks.contains_key(name);
        self.names(
            members,
            known,
            block.attributes.keys().chain(block.blocks.keys()),
        );
        let mut value = self.attributes(&block.attributes, members);
        for (name, nested) in &block.blocks {
            let config = members.get(name).unwrap_or(&Value::Null);
            let blocks = self.inside(PathStep::Attribute(name.clone()), |check| {
                check.nested_block(name, nested, config)
            });
            value.insert(name.clone(), blocks);
        }
        Value::Map(Arc::new(value))
    }

    /// Names that the schema does not have.
    fn names<'s>(
        &mut self,
        members: &Map,
        known: impl Fn(&str) -> bool,
        names: impl Iterator<Item = &'s Arc<str>> + Clone,
    ) {
        for name in members.keys().filter(|name| !known(name)) {
            let path = self.path.clone().attribute(name.clone());
            let close = closest(name, names.clone().map(|known| &**known));
            self.problems.push(ConfigProblem {
                path,
                reason: format!("there is no argument `{name}`"),
                hint: close.map(|close| format!("did you mean `{close}`?")),
            });
        }
    }

    fn attributes(&mut self, attributes: &Attributes, members: &Map) -> Map {
        let mut value = Map::new();
        for (name, attribute) in attributes {
            let config = members.get(name).unwrap_or(&Value::Null);
            let member = self.inside(PathStep::Attribute(name.clone()), |check| {
                check.attribute(name, attribute, config)
            });
            value.insert(name.clone(), member);
        }
        value
    }

    fn attribute(&mut self, name: &str, attribute: &Attribute, config: &Value) -> Value {
        if config.is_null() {
            if attribute.required {
                self.problem(format!("argument `{name}` is required"));
            }
            return Value::Null;
        }
        if !attribute.required && !attribute.optional {
            return self.problem(format!(
                "`{name}` is set by the provider and is no argument"
            ));
        }
        match &attribute.ty {
            AttributeType::Nested(nested) => self.nested_attribute(nested, config),
            AttributeType::Plain(ty) => {
                match config.convert_members(ty, Members::AsWritten, self.path.clone()) {
                    Ok(value) => value,
                    Err(error) => {
                        self.problems.push(ConfigProblem {
                            path: error.path,
                            reason: error.reason,
                            hint: None,
                        });
                        Value::Null
                    }
                }
            }
        }
    }

    fn nested_attribute(&mut self, nested: &NestedAttribute, config: &Value) -> Value {
        let element = |check: &mut Self, config: &Value| match config {
            Value::Map(members) => {
                let known = |name: &str| nested.attributes.contains_key(name);
                check.names(members, known, nested.attributes.keys());
                Value::Map(Arc::new(check.attributes(&nested.attributes, members)))
            }
            Value::Null | Value::Unknown(_) => config.clone(),
            other => check.problem(format!("expected an object, found {}", other.kind())),
        };
        self.collection(nested.nesting, || nested.object_type(), config, element)
    }

    fn nested_block(&mut self, name: &str, nested: &NestedBlock, config: &Value) -> Value {
        let config = match config {
            Value::Dynamic(dynamic) => &dynamic.1,
            config => config,
        };
        let many = matches!(nested.nesting, Nesting::List | Nesting::Set);
        let alone;
        let config = if many && matches!(config, Value::Map(_)) {
            alone = Value::list(vec![config.clone()]);
            &alone
        } else {
            config
        };
        self.limits(name, nested, config);
        if config.is_null() {
            return nested.empty_value();
        }
        let ty = || nested.block.implied_type();
        let blocks = self.collection(nested.nesting, ty, config, |check, config| match config {
            Value::Null => check.problem("a block is null"),
            config => check.block(&nested.block, config),
        });
        if nested.is_dynamic() && !blocks.is_unknown() {
            let (ty, blocks) = concrete_type(&blocks, &ty());
            return Value::Dynamic(Arc::new((ty, blocks)));
        }
        blocks
    }

    /// How many blocks there are, as far as that is known.
    fn limits(&mut self, name: &str, nested: &NestedBlock, config: &Value) {
        let blocks = |count: u64| if count == 1 { "block" } else { "blocks" };
        let count = match config {
            Value::Null => 0,
            Value::List(elements) | Value::Set(elements) => {
                if elements.iter().any(Value::is_unknown) {
                    return;
                }
                elements.len() as u64
            }
            Value::Map(_) if nested.nesting == Nesting::Single => 1,
            _ => return,
        };
        let (least, most) = (nested.min_items, nested.max_items);
        if count == 0 && least == 1 {
            self.problem(format!("block `{name}` is required"));
        } else if count < least {
            let blocks = blocks(least);
            self.problem(format!(
                "at least {least} `{name}` {blocks} needed, found {count}"
            ));
        } else if most > 0 && count > most {
            let blocks = blocks(most);
            self.problem(format!(
                "at most {most} `{name}` {blocks} allowed, found {count}"
            ));
        }
    }

    fn collection(
        &mut self,
        nesting: Nesting,
        ty: impl Fn() -> Type,
        config: &Value,
        element: impl Fn(&mut Self, &Value) -> Value,
    ) -> Value {
        match (nesting, config) {
            (_, Value::Unknown(_)) => config.clone(),
            (_, Value::Dynamic(dynamic)) => self.collection(nesting, ty, &dynamic.1, element),
            (Nesting::Single | Nesting::Group, config) => element(self, config),
            (Nesting::List | Nesting::Set, Value::List(elements) | Value::Set(elements)) => {
                let mut values = Vec::with_capacity(elements.len());
                for (index, config) in elements.iter().enumerate() {
                    let step = PathStep::Index(index);
                    values.push(self.inside(step, |check| element(check, config)));
                }
                if nesting == Nesting::Set {
                    Value::set(values, &ty())
                } else {
                    Value::list(values)
                }
            }
            (Nesting::Map, Value::Map(members)) => {
                let mut values = Map::new();
                for (key, config) in members.iter() {
                    let key = nfc(key.clone());
                    let value = self.inside(PathStep::Key(key.clone()), |check| {
                        if values.contains_key(&key) {
                            return check.problem(REPEATED_KEY);
                        }
                        element(check, config)
                    });
                    values.insert(key, value);
                }
                Value::Map(Arc::new(values))
            }
            (_, other) => {
                let expected = if nesting == Nesting::Map {
                    "a map"
                } else {
                    "a list"
                };
                self.problem(format!("expected {expected}, found {}", other.kind()))
            }
        }
    }

    fn inside<T>(&mut self, step: PathStep, visit: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step);
        let result = visit(self);
        self.path.pop();
        result
    }

    fn problem(&mut self, reason: impl Into<String>) -> Value {
        let (path, reason) = (self.path.clone(), reason.into());
        self.problems.push(ConfigProblem {
            path,
            reason,
            hint: None,
        });
        Value::Null
    }
}

fn deprecated(block: &Block, config: &Value, path: &mut Path, found: &mut Vec<Path>) {
    match config {
        Value::Map(members) => {
            for (name, config) in members.iter().filter(|(_, config)| !config.is_null()) {
                path.push(PathStep::Attribute(name.clone()));
                let attribute = block.attributes.get(name);
                if attribute.is_some_and(|attribute| attribute.deprecated) {
                    found.push(path.clone());
                }
                if let Some(nested) = block.blocks.get(name) {
                    if nested.block.deprecated {
                        found.push(path.clone());
                    }
                    if nested.nesting == Nesting::Map {
                        for (key, config) in config.members().into_iter().flatten() {
                            path.push(PathStep::Key(key.clone()));
                            deprecated(&nested.block, config, path, found);
                            path.pop();
                        }
                    } else {
                        deprecated(&nested.block, config, path, found);
                    }
                }
                path.pop();
            }
        }
        Value::List(elements) | Value::Set(elements) => {
            for (index, config) in elements.iter().enumerate() {
                path.push(PathStep::Index(index));
                deprecated(block, config, path, found);
                path.pop();
            }
        }
        Value::Dynamic(dynamic) => deprecated(block, &dynamic.1, path, found),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{anything, block, blocks, flags, nested, text};
    use super::*;

    fn json(text: &str) -> Value {
        Value::from_json_untyped(text.as_bytes()).expect("a value")
    }

    /// The configuration as JSON of the schema's type, or the problems with their paths and hints.
    fn coerced(schema: &Block, config: &Value) -> String {
        match schema.coerce(config) {
            Ok(value) => value
                .to_json(&schema.implied_type())
                .expect("JSON of the schema's type"),
            Err(problems) => {
                let problems = problems.iter().map(|problem| {
                    let hint = problem.hint.as_ref().map(|hint| format!(" ({hint})"));
                    format!(
                        "{}: {}{}",
                        problem.path,
                        problem.reason,
                        hint.unwrap_or_default()
                    )
                });
                problems.collect::<Vec<_>>().join("\n")
            }
        }
    }

    fn subnet() -> Block {
        let rule = Type::object([("cidr", Type::String), ("port", Type::Number)]);
        let inner = || {
            block(
                [
                    ("arn", flags(Type::String, "c")),
                    ("key", flags(Type::String, "r")),
                ],
                [],
            )
        };
        let limited = NestedBlock {
            min_items: 1,
            max_items: 2,
            ..blocks(Nesting::Set, inner())
        };
        block(
            [
                ("cidr", flags(Type::String, "r")),
                ("id", flags(Type::String, "oc")),
                ("ids", flags(Type::set(Type::String), "o")),
                ("count", flags(Type::Number, "o")),
                ("owner", flags(Type::String, "c")),
                ("rules", flags(Type::set(rule), "oc")),
                ("tags", flags(Type::map(Type::String), "o")),
            ],
            [
                ("list", blocks(Nesting::List, inner())),
                ("must", limited),
                ("one", blocks(Nesting::Single, inner())),
            ],
        )
    }

    #[test]
    fn a_configuration_becomes_complete_and_of_the_schema_s_types() {
        let config = json(
            r#"{"cidr":"10.0.0.0/16","count":"3","ids":["b","a","b"],"rules":[{"port":"80"}],
                "tags":{"n":1,"none":null},"must":{"key":5},"list":[{"key":"x"}]}"#,
        );
        insta::assert_snapshot!(
            coerced(&subnet(), &config),
            @r#"{"cidr":"10.0.0.0/16","count":3,"id":null,"ids":["a","b"],"list":[{"arn":null,"key":"x"}],"must":[{"arn":null,"key":"5"}],"one":null,"owner":null,"rules":[{"cidr":null,"port":80}],"tags":{"n":"1","none":null}}"#
        );
    }

    #[test]
    fn everything_wrong_is_said_at_once_with_its_path() {
        let config = json(
            r#"{"cdir":"x","count":"many","owner":"me","ids":["a",null],"rules":[{"prot":1}],
                "list":[{},null,{"key":"k","arn":"a"}],"must":[{"key":"a"},{"key":"b"},{"key":"c"}],"one":[1]}"#,
        );
        insta::assert_snapshot!(coerced(&subnet(), &config), @r#"
            cdir: there is no argument `cdir` (did you mean `cidr`?)
            cidr: argument `cidr` is required
            count: expected a number, found a string that is none
            owner: `owner` is set by the provider and is no argument
            rules[0].prot: there is no argument `prot`
            list[0].key: argument `key` is required
            list[1]: a block is null
            list[2].arn: `arn` is set by the provider and is no argument
            must: at most 2 `must` blocks allowed, found 3
            one: expected a block, found a list
            "#);
    }

    #[test]
    fn too_few_blocks_are_refused_and_unknown_ones_are_not_counted() {
        let with = |must: Value| Value::map([("cidr", "x".into()), ("must", must)]);
        let none = with(Value::list(vec![]));
        assert_eq!(coerced(&subnet(), &none), "must: block `must` is required");
        let unknown = subnet()
            .coerce(&with(Value::UNKNOWN))
            .expect("a configuration");
        assert_eq!(unknown.get("must"), Some(&Value::UNKNOWN));
        let open = with(Value::list(vec![Value::UNKNOWN; 3]));
        assert!(subnet().coerce(&open).is_ok());
    }

    #[test]
    fn unknown_arguments_count_as_set() {
        let config = Value::map([
            ("cidr", Value::UNKNOWN),
            (
                "must",
                Value::list(vec![Value::map([("key", Value::UNKNOWN)])]),
            ),
            ("ids", Value::list(vec![Value::UNKNOWN])),
        ]);
        let value = subnet().coerce(&config).expect("a configuration");
        assert_eq!(value.get("cidr"), Some(&Value::UNKNOWN));
        let unknown = Value::Set(Arc::new(vec![Value::UNKNOWN]));
        assert_eq!(value.get("ids"), Some(&unknown));
    }

    #[test]
    fn nested_attributes_are_checked_like_blocks_and_null_when_absent() {
        let member = [
            ("key", flags(Type::String, "r")),
            ("id", flags(Type::String, "c")),
        ];
        let schema = block([("n", nested(Nesting::Map, member))], []);
        assert_eq!(coerced(&schema, &json("{}")), r#"{"n":null}"#);
        let config = json(r#"{"n":{"a":{"key":1}}}"#);
        assert_eq!(
            coerced(&schema, &config),
            r#"{"n":{"a":{"id":null,"key":"1"}}}"#
        );
        insta::assert_snapshot!(
            coerced(&schema, &json(r#"{"n":{"a":{"kye":1,"id":"x"},"b":null}}"#)),
            @r#"
            n["a"].kye: there is no argument `kye` (did you mean `key`?)
            n["a"].id: `id` is set by the provider and is no argument
            n["a"].key: argument `key` is required
            "#
        );
    }

    #[test]
    fn elements_of_an_attribute_may_be_null() {
        let member = || [("key", flags(Type::String, "r"))];
        let schema = block(
            [
                ("any", anything()),
                ("list", flags(Type::list(Type::String), "o")),
                ("n", nested(Nesting::List, member())),
                ("set", flags(Type::set(Type::Number), "o")),
            ],
            [],
        );
        let config = json(
            r#"{"any":[null,1],"list":["a",null],"n":[null,{"key":"k"}],"set":[null,1,null]}"#,
        );
        insta::assert_snapshot!(coerced(&schema, &config), @r#"{"any":{"value":[null,1],"type":["tuple",["dynamic","number"]]},"list":["a",null],"n":[null,{"key":"k"}],"set":[1,null]}"#);
    }

    #[test]
    fn blocks_with_a_member_of_any_type_become_a_tuple_that_says_its_type() {
        let inner = block([("any", anything()), ("name", text())], []);
        let schema = block([], [("list", blocks(Nesting::List, inner))]);
        let config = json(r#"{"list":[{"any":1},{"any":["x"],"name":"n"},{}]}"#);
        insta::assert_snapshot!(coerced(&schema, &config), @r#"{"list":{"value":[{"any":1,"name":null},{"any":["x"],"name":"n"},{"any":null,"name":null}],"type":["tuple",[["object",{"any":"number","name":"string"}],["object",{"any":["tuple",["string"]],"name":"string"}],["object",{"any":"dynamic","name":"string"}]]]}}"#);
        assert_eq!(
            coerced(&schema, &json("{}")),
            r#"{"list":{"value":[],"type":["tuple",[]]}}"#
        );
    }

    #[test]
    fn deprecated_arguments_are_found_where_they_are_set() {
        let old = || Attribute {
            deprecated: true,
            ..text()
        };
        let inner = block([("old", old()), ("new", text())], []);
        let schema = block([("old", old())], [("list", blocks(Nesting::List, inner))]);
        let config = json(r#"{"old":null,"list":[{"new":"x"},{"old":"x"}]}"#);
        let paths: Vec<_> = schema
            .deprecated_paths(&config)
            .iter()
            .map(Path::to_string)
            .collect();
        assert_eq!(paths, ["list[1].old"]);
    }

    #[test]
    fn a_problem_becomes_a_diagnostic_with_its_attribute_and_hint() {
        let problems = subnet().coerce(&json(r#"{"cidr":"x","must":{"key":"k"},"tag":{}}"#));
        let mut problems = problems.expect_err("a problem");
        let diagnostic = Diagnostic::from(problems.remove(0));
        insta::assert_snapshot!(diagnostic, @r#"
        error: there is no argument `tag`
          attribute  tag
        hint: did you mean `tags`?
        "#);
    }
}
