use insta::assert_snapshot;
use terrane_core::{NoConfig, Resource};

use super::*;

fn graph() -> ResourceGraph {
    let program = Program::from_fn(
        |stack| {
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
            Ok(())
        },
        NoConfig,
    );
    ResourceGraph::of(&program.expect("a program"))
}

#[test]
fn what_follows_from_other_edges_is_not_drawn() {
    assert_eq!(graph().reduced(), [vec![], vec![], vec![0], vec![1, 2]]);
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
fn programs_get_every_edge() {
    let json: serde_json::Value = serde_json::from_str(&json(&graph())).expect("JSON");
    let node = &json["resources"][3];
    assert_eq!(node["address"], "module.net.t_node.n");
    assert_eq!(node["depends_on"].as_array().map(Vec::len), Some(3));
}

#[test]
fn the_picture_is_xml_with_a_box_each() {
    let svg = svg(&graph());
    assert_eq!(svg.matches("<title>").count(), 4);
    assert_eq!(svg.matches("<path ").count(), 3);
    assert!(
        svg.contains("t_subnet.s[&quot;&lt;a&amp;\\&quot;b\\&quot;&gt;&quot;]"),
        "{svg}"
    );
    assert!(!svg.contains("NaN"));
}

#[test]
fn boxes_of_a_column_do_not_overlap() {
    let program = Program::from_fn(
        |stack| {
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
            Ok(())
        },
        NoConfig,
    );
    let graph = ResourceGraph::of(&program.expect("a program"));
    let layout = layout::layout(&graph, &graph.reduced());
    let mut places = layout.places.clone();
    places.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    for pair in places.windows(2) {
        assert!(
            pair[0].0 != pair[1].0 || pair[1].1 - pair[0].1 >= layout::BOX_HEIGHT,
            "{pair:?}"
        );
    }
}
