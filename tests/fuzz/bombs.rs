//! Inputs made to break readers: depth, length, size, repetition.

use crate::drive::{Target, read};
use crate::journal::{Records, Segments};
use crate::lock_info::LockInfos;
use crate::msgpack::Values;
use crate::plan::PlanFiles;
use crate::registry::{CliConfigs, LockFiles};
use crate::state::StateFiles;

const TARGETS: [&dyn Target; 8] = [
    &StateFiles,
    &Segments,
    &Records,
    &LockInfos,
    &Values,
    &PlanFiles,
    &LockFiles,
    &CliConfigs,
];

/// A state with a text in the place of the attributes of its one instance.
fn state(attributes: &str) -> String {
    format!(
        "{{\"version\":4,\"serial\":1,\"lineage\":\"l\",\"outputs\":{{}},\"resources\":[{{\"mode\":\"managed\",\"type\":\"t\",\"name\":\"n\",\"provider\":\"provider[\\\"h/n/t\\\"]\",\"instances\":[{{\"attributes\":{attributes}}}]}}]}}"
    )
}

fn nested(open: &str, depth: usize, close: &str) -> String {
    format!("{}{}", open.repeat(depth), close.repeat(depth))
}

/// A text at every place where a reader could look for a value.
fn everywhere(text: &str) -> Vec<Vec<u8>> {
    let intent = format!("{{\"intent\":{text}}}");
    let together = format!("{{\"change\":{{\"together\":[{text}]}}}}");
    let result = format!("{{\"result\":{{\"op\":\"0\",\"instance\":{text}}}}}");
    let whole = format!("{{\"change\":{{\"state\":{}}}}}", state(text));
    let texts = [
        text.to_owned(),
        state(text),
        format!("{{\"ID\":{text}}}"),
        format!("{{\"ID\":\"i\",\"Other\":{text}}}"),
        intent,
        together,
        result,
        whole,
        format!("{{\"origin\":{text}}}\n{}", state("{}")),
        format!("{{}}\n{}", state(text)),
    ];
    texts.into_iter().map(String::into_bytes).collect()
}

fn all_read(inputs: impl IntoIterator<Item = Vec<u8>>) {
    for input in inputs {
        for target in TARGETS {
            let numbers = &mut crate::mutate::Numbers::of("bomb", 1);
            read(target, &target.dress(input.clone(), numbers));
        }
    }
}

#[test]
fn depth_does_not_overflow_the_stack() {
    for depth in [128, 129, 100_000] {
        all_read(everywhere(&nested("[", depth, "]")));
        all_read(everywhere(
            &nested("{\"a\":", depth, "}").replace(":}", ":1}"),
        ));
        all_read(everywhere(&nested("{\"together\":[", depth, "]}")));
        all_read(everywhere(&"[".repeat(depth)));
        for byte in [0x91, 0x81, 0xdd, 0x92] {
            all_read([vec![byte; depth]]);
        }
        // A dynamic value that says it is a list of a list of …
        let ty = format!(
            "{}\"string\"{}",
            "[\"list\",".repeat(depth),
            "]".repeat(depth)
        );
        let length = u32::try_from(ty.len()).expect("short enough");
        let mut dynamic = vec![0x92, 0xc6];
        dynamic.extend(length.to_be_bytes());
        dynamic.extend(ty.as_bytes());
        dynamic.extend(vec![0x91; depth]);
        all_read([dynamic]);
    }
}

#[test]
fn numbers_of_a_million_digits_are_read_in_no_time() {
    let digits = "7".repeat(1_000_000);
    for number in [format!("-0.{digits}"), format!("1e{digits}")] {
        all_read(everywhere(&format!("{{\"n\":{number}}}")));
        // The same as text on the wire, where a number too large for it is a string.
        let mut text = vec![0xdb];
        text.extend(
            u32::try_from(number.len())
                .expect("short enough")
                .to_be_bytes(),
        );
        text.extend(number.bytes());
        all_read([text]);
    }
}

#[test]
fn odd_keys_are_read_or_refused() {
    for text in [
        "{\"a\":1,\"a\":2}",
        "{\"a\":{\"b\":1,\"b\":1}}",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "{\"\\ud800\":1}",
        "{\"a\":\"\\u0000\"}",
        "{} {}",
        "{}x",
        "\u{feff}{}",
        "NaN",
        "1e9999",
        "0x10",
        "[1,]",
        "'a'",
    ] {
        all_read(everywhere(text));
    }
    let seed = state("{\"a\":1}");
    for end in ["x", "{}", "\0", "\u{feff}"] {
        let bytes = format!("{seed}{end}").into_bytes();
        assert!(terrane_state::file::read(&bytes).is_err(), "{end:?}");
    }
    assert!(terrane_state::file::read(format!("\u{feff}{seed}").as_bytes()).is_err());
}

#[test]
fn announced_lengths_are_not_believed() {
    let mut inputs = Vec::new();
    for first in 0xc4..=0xdfu8 {
        for length in [
            [0xff; 4],
            [0x7f, 0xff, 0xff, 0xff],
            [0x00, 0xff, 0xff, 0xff],
        ] {
            inputs.push([&[first][..], &length].concat());
            inputs.push([&[0x81, 0xa1, b'a', first][..], &length, &[0xc0; 64]].concat());
        }
    }
    // A million empty things in a list, and a journal whose frames announce more than there is.
    let mut many = vec![0xdd, 0x00, 0x0f, 0x42, 0x40];
    many.extend(vec![0x80; 1_000_000]);
    inputs.push(many);
    let mut frames = Vec::new();
    for length in [0xffff_ffffu32, 300 * 1024 * 1024, 1 << 20] {
        frames.extend(b"TJ1\n");
        frames.extend(length.to_le_bytes());
        frames.extend([0; 60]);
    }
    inputs.push(frames);
    all_read(inputs);
}

#[test]
fn many_beginnings_of_frames_cost_no_square_of_time() {
    let mut frames = Vec::new();
    for place in 0..20_000u32 {
        // Each announces the length of the whole rest.
        frames.extend(b"TJ1\n");
        frames.extend(((20_000 - place - 1) * 72).to_le_bytes());
        frames.extend([0x55; 64]);
    }
    read(&Segments, &frames);
}
