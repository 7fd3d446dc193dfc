use insta::assert_snapshot;
use terrane_core::{NoConfig, Resource, Stack};

use super::reduce::reduced;
use super::*;

/// Programs as functions; their values do not matter.
fn graph_of(declare: impl Fn(&mut Stack)) -> ResourceGraph {
    let program = Program::from_fn(
        |stack| {
            declare(stack);
            Ok(())
        },
        NoConfig,
    );
    ResourceGraph::of(&program.expect("a program"))
}

fn graph() -> ResourceGraph {
    graph_of(|stack| {
        let vpc = Resource::dynamic("t_vpc", "main").declare(stack);
        let role = Resource::dynamic_data("t_role", "r").declare(stack);
        stack.module("net", |stack| {
            let subnet = Resource::dynamic("t_subnet", "s")
                .instance_key("<a&\"b\">")
                .set("vpc", vpc.attribute::<String>("id"))
                .declare(stack);
            Resource::dynamic("t_node", "n")
                .set("subnet", subnet.attribute::<String>("id"))
                .set("vpc", vpc.attribute::<String>("id"))
                .depends_on(&role)
                .declare(stack);
        });
    })
}

/// The same as a plan that does something else to each.
fn plan() -> ResourceGraph {
    let mut graph = graph();
    graph.is_plan = true;
    let actions = [
        Action::Update,
        Action::Read,
        Action::DeleteThenCreate,
        Action::Create,
    ];
    for (node, action) in graph.nodes.iter_mut().zip(actions) {
        node.fate = Some(Fate::Planned(action));
    }
    graph
}

/// Modules of ten resources each: a row of modules, a chain in each.
fn large(modules: usize) -> ResourceGraph {
    graph_of(|stack| {
        let mut last = Resource::dynamic("t_vpc", "main").declare(stack);
        for module in 0..modules {
            last = stack.module(&format!("m{module}"), |stack| {
                let mut inner = last.clone();
                for index in 0..10_u32 {
                    inner = Resource::dynamic("t_thing", "t")
                        .instance_key(index)
                        .set("before", inner.attribute::<String>("id"))
                        .set("vpc", last.attribute::<String>("id"))
                        .declare(stack);
                }
                inner
            });
        }
    })
}

#[test]
fn what_follows_from_other_arrows_is_not_drawn() {
    let needs: Vec<Vec<usize>> = graph().nodes.into_iter().map(|node| node.needs).collect();
    assert_eq!(reduced(&needs), [vec![], vec![], vec![0], vec![1, 2]]);
    // Also where it follows over many others, and where the longer way has its own dependencies.
    let chain: Vec<Vec<usize>> = (0..100).map(|node: usize| (0..node).collect()).collect();
    for (node, needs) in reduced(&chain).iter().enumerate().skip(1) {
        assert_eq!(*needs, [node - 1]);
    }
}

#[test]
fn graphviz_gets_a_cluster_a_module() {
    assert_snapshot!(dot(&graph()), @r#"
    digraph {
      rankdir = LR
      node [shape = box, fontname = "sans-serif"]
      "t_vpc.main" [label = "t_vpc.main"]
      "data.t_role.r" [label = "data.t_role.r", style = dashed]
      subgraph cluster_1 {
        label = "module.net"
        "module.net.t_subnet.s[\"<a&\\\"b\\\">\"]" [label = "t_subnet.s[\"<a&\\\"b\\\">\"]"]
        "module.net.t_node.n" [label = "t_node.n"]
      }
      "t_vpc.main" -> "module.net.t_subnet.s[\"<a&\\\"b\\\">\"]"
      "data.t_role.r" -> "module.net.t_node.n"
      "module.net.t_subnet.s[\"<a&\\\"b\\\">\"]" -> "module.net.t_node.n"
    }
    "#);
}

#[test]
fn graphviz_and_mermaid_get_the_colours_of_a_plan() {
    assert_snapshot!(dot(&plan()).lines().skip(3).take(2).collect::<Vec<_>>().join("\n"), @r##"
    "t_vpc.main" [label = "~ t_vpc.main", style = filled, fillcolor = "#fff3d6", color = "#946200"]
    "data.t_role.r" [label = "<= data.t_role.r", style = "dashed,filled", fillcolor = "#e4f2fb", color = "#1b6a99"]
    "##);
    assert_snapshot!(mermaid(&plan()), @r##"
    graph LR
      n0["#126; t_vpc.main"]:::update
      n1["#60;#61; data.t_role.r"]:::read
      subgraph m1["module.net"]
        n2["-/#43; t_subnet.s[#34;#60;a#38;#92;#34;b#92;#34;#62;#34;]"]:::replace
        n3["#43; t_node.n"]:::create
      end
      n0 --> n2
      n1 --> n3
      n2 --> n3
      classDef create fill:#e3f6e6,stroke:#1f7a36,color:#1c2230
      classDef update fill:#fff3d6,stroke:#946200,color:#1c2230
      classDef replace fill:#f9e3f6,stroke:#9a2086,color:#1c2230
      classDef read fill:#e4f2fb,stroke:#1b6a99,color:#1c2230
    "##);
}

#[test]
fn mermaid_names_are_escaped() {
    assert_snapshot!(mermaid(&graph()), @r#"
    graph LR
      n0["t_vpc.main"]
      n1["data.t_role.r"]
      subgraph m1["module.net"]
        n2["t_subnet.s[#34;#60;a#38;#92;#34;b#92;#34;#62;#34;]"]
        n3["t_node.n"]
      end
      n0 --> n2
      n1 --> n3
      n2 --> n3
    "#);
}

#[test]
fn a_large_graph_is_folded_for_mermaid_and_says_so() {
    assert_snapshot!(mermaid(&large(12)).lines().take(4).collect::<Vec<_>>().join("\n"), @r#"
    graph LR
      %% 121 resources, folded: `graph --format svg` draws each of them
      n0["t_vpc.main"]
      n1["module.m0, 10 resources"]
    "#);
    let text = mermaid(&large(12));
    assert_eq!(text.matches("-->").count(), 12, "{text}");
    // Two hundred modules do not fit, and neither do four hundred types.
    for text in [mermaid(&large(200)), mermaid(&many_types(400))] {
        assert!(text.len() < 10_000, "{}", text.len());
        assert!(text.contains("more[\"and "), "{text}");
    }
    let one_type = graph_of(|stack| {
        for index in 0..500_u32 {
            let thing = Resource::dynamic("t_thing", "t");
            thing.instance_key(index).declare(stack);
        }
    });
    let text = mermaid(&one_type);
    assert!(text.contains("n0[\"t_thing, 500 resources\"]"), "{text}");
}

fn many_types(count: usize) -> ResourceGraph {
    graph_of(|stack| {
        for index in 0..count {
            Resource::dynamic(&format!("t_type{index}"), "t").declare(stack);
        }
    })
}

#[test]
fn programs_get_every_dependency_and_the_actions() {
    let json: serde_json::Value = serde_json::from_str(&json(&plan())).expect("JSON");
    let node = &json["resources"][3];
    assert_eq!(node["address"], "module.net.t_node.n");
    assert_eq!(node["depends_on"].as_array().map(Vec::len), Some(3));
    assert_eq!(node["actions"], serde_json::json!(["create"]));
    let replaced = &json["resources"][2]["actions"];
    assert_eq!(*replaced, serde_json::json!(["delete", "create"]));
}

#[test]
fn the_picture_has_a_box_for_each_resource_and_module_in_the_colour_of_its_action() {
    let svg = svg(&plan());
    for class in ["update", "read", "replace", "create"] {
        let tag = format!("<g class=\"{class}\" data-address=");
        assert_eq!(svg.matches(&tag).count(), 1, "{class} {svg}");
    }
    assert_eq!(svg.matches("<g class=\"module\">").count(), 1);
    assert_eq!(
        svg.matches("<path d=\"M").count(),
        4,
        "three arrows and their tip"
    );
    for text in [
        ">module.net<",
        ">-/+ s[",
        ">t_subnet<",
        ">+ create 1<",
        "stroke-dasharray",
    ] {
        assert!(svg.contains(text), "{text} {svg}");
    }
}

#[test]
fn hostile_names_are_harmless_in_every_form() {
    let graph = graph_of(|stack| {
        for key in [
            "\u{202e}</title><script>alert(1)</script>",
            "\"]; x --> y\n```\n</details>",
            "\\N\u{1b}[2J",
            &"long".repeat(250_000),
        ] {
            let thing = Resource::dynamic("t_thing", "t").instance_key(key);
            thing.declare(stack);
        }
    });
    let (svg, dot, mermaid) = (svg(&graph), dot(&graph), mermaid(&graph));
    for text in [&svg, &dot, &mermaid] {
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'));
        assert!(!text.contains('\u{202e}'));
    }
    assert!(!svg.contains("<script") && svg.len() < 20_000);
    assert_eq!(svg.matches("</title>").count(), 4);
    assert!(!mermaid.contains('`') && mermaid.len() < 2_000, "{mermaid}");
    assert_eq!(mermaid.lines().count(), 5, "{mermaid}");
    // A string of Graphviz ends at a quote that no backslash stands before.
    for line in dot.lines().filter(|line| line.contains("label")) {
        let quotes = line.replace("\\\\", "").replace("\\\"", "");
        assert_eq!(quotes.matches('"').count(), 4, "{line:.200}");
    }
}

#[test]
fn no_two_boxes_overlap_and_each_lies_in_its_module() {
    let spokes = graph_of(|stack| {
        let hub = Resource::dynamic("t_hub", "h").declare(stack);
        let mut last = hub.clone();
        for index in 0..40_u32 {
            last = Resource::dynamic("t_spoke", "s")
                .instance_key(index)
                .set("hub", hub.attribute::<String>("id"))
                .set(
                    "last",
                    if index % 5 == 0 {
                        last.attribute::<String>("id")
                    } else {
                        hub.attribute("id")
                    },
                )
                .declare(stack);
        }
    });
    for graph in [spokes, graph(), large(3), large(50), many_types(300)] {
        let picture = nest::nest(&graph);
        let rectangle = |of: &nest::Rectangle| {
            let ((x, y), (w, h)) = (of.corner, of.size);
            (x, y, x + w, y + h)
        };
        let boxes: Vec<_> = picture
            .resources
            .iter()
            .map(|it| rectangle(&it.0))
            .collect();
        for (place, one) in boxes.iter().enumerate() {
            for other in &boxes[place + 1..] {
                let apart =
                    one.0 >= other.2 || other.0 >= one.2 || one.1 >= other.3 || other.1 >= one.3;
                assert!(apart, "{one:?} {other:?}");
            }
            let name = &graph.nodes[place].module;
            let around = picture
                .modules
                .iter()
                .filter(|(_, heading)| name.ends_with(&**heading));
            let around: Vec<_> = around.map(|it| rectangle(&it.0)).collect();
            let within = |around: &(f64, f64, f64, f64)| {
                around.0 <= one.0 && around.1 <= one.1 && around.2 >= one.2 && around.3 >= one.3
            };
            assert!(around.iter().any(within), "{name} {one:?} {around:?}");
        }
        let ways = picture.arrows.iter().map(|arrow| &arrow.way);
        let points = ways.flat_map(|way| &way.points);
        assert!(points.clone().all(|(x, y)| x.is_finite() && y.is_finite()));
    }
}

/// How much of a picture resources cover.
fn covered(graph: &ResourceGraph) -> f64 {
    let picture = nest::nest(graph);
    let areas = picture
        .resources
        .iter()
        .map(|(it, _)| it.size.0 * it.size.1);
    areas.sum::<f64>() / (picture.size.0 * picture.size.1)
}

#[test]
fn pictures_are_no_long_strips_and_mostly_boxes() {
    // Layers of modules, each with instances of one type around one that all need.
    let layered = graph_of(|stack| {
        let mut before: Vec<Resource> = Vec::new();
        for layer in 0..4 {
            let mut now = Vec::new();
            for module in 0..3 {
                let hub = stack.module(&format!("m{layer}_{module}"), |stack| {
                    let mut hub = Resource::dynamic("t_hub", "main");
                    for (number, other) in before.iter().enumerate() {
                        hub = hub.set(&format!("n{number}"), other.attribute::<String>("id"));
                    }
                    let hub = hub.declare(stack);
                    for index in 0..40_u32 {
                        let spoke = Resource::dynamic("t_spoke", "s").instance_key(index);
                        spoke
                            .set("hub", hub.attribute::<String>("id"))
                            .declare(stack);
                    }
                    hub
                });
                now.push(hub);
            }
            before = now;
        }
    });
    for (name, graph, least) in [
        ("layered", &layered, 0.3),
        ("without arrows", &many_types(300), 0.6),
        ("a chain in a module", &large(3), 0.1),
    ] {
        let (width, height) = nest::nest(graph).size;
        let aspect = width / height;
        assert!((0.5..4.0).contains(&aspect), "{name}: {width} × {height}");
        let covered = covered(graph);
        assert!(covered > least, "{name}: {covered}");
    }
}

#[test]
fn what_is_deferred_has_a_look_of_its_own_in_every_form() {
    let mut graph = plan();
    graph.nodes[3].fate = Some(Fate::Deferred(Action::Create));
    let svg = svg(&graph);
    for text in [
        "<g class=\"deferred\"",
        ">? n<",
        ">? deferred 1<",
        "&#10;deferred",
    ] {
        assert!(svg.contains(text), "{text} {svg}");
    }
    let dot = dot(&graph);
    assert!(
        dot.contains("[label = \"? t_node.n\", style = filled, fillcolor = \"#efeafc\""),
        "{dot}"
    );
    let mermaid = mermaid(&graph);
    assert!(mermaid.contains(":::deferred\n"), "{mermaid}");
    assert!(
        mermaid.contains("classDef deferred fill:#efeafc"),
        "{mermaid}"
    );
    let json: serde_json::Value = serde_json::from_str(&json(&graph)).expect("JSON");
    let [planned, deferred] = [2, 3].map(|place| &json["resources"][place]);
    assert_eq!(deferred["deferred"], true);
    assert_eq!(deferred["actions"], serde_json::json!(["create"]));
    assert!(planned.get("deferred").is_none(), "{planned}");
}

#[test]
fn modules_that_need_each_other_are_drawn_too() {
    let graph = graph_of(|stack| {
        let first = stack.module("a", |stack| Resource::dynamic("t_x", "x").declare(stack));
        let second = stack.module("b", |stack| {
            let y = Resource::dynamic("t_y", "y");
            y.set("x", first.attribute::<String>("id")).declare(stack)
        });
        stack.module("a", |stack| {
            let z = Resource::dynamic("t_z", "z");
            z.set("y", second.attribute::<String>("id")).declare(stack);
        });
    });
    let svg = svg(&graph);
    assert_eq!(
        svg.matches("<path d=\"M").count(),
        3,
        "two arrows and their tip"
    );
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
}
