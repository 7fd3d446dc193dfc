//! State files: a readable one is written again with the same meaning, an unreadable one is refused with a place.

use terrane_state::file::{FileError, Layout, read, serial_in_start, write};

use crate::drive::{Target, run};
use crate::mutate::Numbers;

pub(crate) struct StateFiles;

impl Target for StateFiles {
    fn name(&self) -> &'static str {
        "state"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let opentofu = include_bytes!("../../src/state/file/v4/testdata/opentofu.tfstate");
        let state = read(opentofu).expect("a state");
        vec![opentofu.to_vec(), write(&state, Layout::Compact)]
    }

    fn judge(&self, input: &[u8], _: &mut Numbers) {
        serial_in_start(&input[..input.len().min(512)]);
        match read(input) {
            Ok(state) => {
                for style in [Layout::Indented, Layout::Compact] {
                    let written = write(&state, style);
                    let again = read(&written).expect("what we write is read");
                    assert!(again == state, "reading and writing changes the state");
                    assert!(write(&again, style) == written, "writing is not stable");
                }
            }
            Err(FileError::Damaged {
                line,
                column,
                reason,
                ..
            }) => {
                let lines = input.iter().filter(|byte| **byte == b'\n').count() + 1;
                assert!((1..=lines).contains(&line), "line {line} of {lines}");
                assert!(column >= 1 && !reason.is_empty());
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

#[test]
fn state_files() {
    run(&StateFiles);
}
