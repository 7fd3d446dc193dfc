//! Inputs made of other inputs: bits, pieces, and words that readers stumble over.

/// Numbers that one number decides.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn of(target: &str, case: u64) -> Self {
        let name = target
            .bytes()
            .fold(0u64, |name, byte| name.rotate_left(8) ^ u64::from(byte));
        Self(name ^ case.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(crate) fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below that one, or 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let drawn = self.next() % (end.max(1) as u64);
        usize::try_from(drawn).unwrap_or(0)
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// Larger inputs only cost time.
pub(crate) const LARGEST: usize = 64 * 1024;

/// Words that mean something to some reader, or nearly do.
const WORDS: &[&[u8]] = &[
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"\"\"",
    b"0",
    b"-1",
    b"1e400",
    b"-0.0",
    b"18446744073709551615",
    b"18446744073709551616",
    b"\"serial\":18446744073709551615",
    b"99999999999999999999999999999999999999",
    b"0.1e-99999999999",
    b"\"\\ud800\"",
    b"\"\\u0000\"",
    b"\"a\\u001b[2J\"",
    b"{\"a\":1,\"a\":2}",
    b"[[[[[[[[[[[[[[[[",
    b"{\"version\":4,",
    b"\"version\":5",
    b"\"instances\":null",
    b"\"index_key\":1.5",
    b"\"deposed\":\"\"",
    b"\"status\":\"gone\"",
    b"\"module.a[\\\"\"",
    b"\"provider[\\\"a/b/c\\\"]\"",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"TJ1\n",
    b"terrane-plan 1 ",
    b"\xdd\xff\xff\xff\xff",
    b"\xdf\xff\xff\xff\xff",
    b"\xdb\xff\xff\xff\xff",
    b"\xc9\xff\xff\xff\xff\x0c",
    b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00",
    b"\x91\x91\x91\x91\x91\x91\x91\x91",
];

/// An input made from the seeds; now and then a seed as it is.
pub(crate) fn mutate(seeds: &[Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
    let mut input = numbers.pick(seeds).clone();
    for _ in 0..numbers.below(5) {
        change(&mut input, seeds, numbers);
        input.truncate(LARGEST);
    }
    input
}

fn change(input: &mut Vec<u8>, seeds: &[Vec<u8>], numbers: &mut Numbers) {
    let at = numbers.below(input.len() + 1);
    let piece = |from: &[u8], numbers: &mut Numbers| {
        let start = numbers.below(from.len() + 1);
        let length = numbers.below(200).min(from.len() - start);
        from[start..start + length].to_vec()
    };
    match numbers.below(9) {
        0 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << numbers.below(8);
            }
        }
        1 => {
            if let Some(byte) = input.get_mut(at) {
                *byte = numbers.next().to_le_bytes()[0];
            }
        }
        2 => input.truncate(at),
        3 => {
            let end = (at + numbers.below(200)).min(input.len());
            input.drain(at..end);
        }
        4 => {
            // The same once more, at another place.
            let copy = piece(input, numbers);
            input.splice(at..at, copy);
        }
        5 => {
            let other = numbers.pick(seeds).clone();
            let copy = piece(&other, numbers);
            input.splice(at..at, copy);
        }
        6 => {
            let word = numbers.pick(WORDS).to_vec();
            input.splice(at..at, word);
        }
        _ => change_token(input, numbers),
    }
}

/// Where the tokens of a JSON text are: strings with their quotes, brackets, commas, colons, and what lies between.
fn tokens(text: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let start = at;
        at += 1;
        match text[start] {
            b'"' => {
                while at < text.len() && text[at] != b'"' {
                    at += if text[at] == b'\\' { 2 } else { 1 };
                }
                at = (at + 1).min(text.len());
            }
            b'{' | b'}' | b'[' | b']' | b',' | b':' => {}
            byte if byte.is_ascii_whitespace() => continue,
            _ => {
                while at < text.len() && !b"{}[],:\"\n ".contains(&text[at]) {
                    at += 1;
                }
            }
        }
        tokens.push(start..at);
    }
    tokens
}

/// Something is put in the place of a token, or two change places: mostly still JSON, and of the wrong kind.
fn change_token(input: &mut Vec<u8>, numbers: &mut Numbers) {
    let tokens = tokens(input);
    if tokens.is_empty() {
        return;
    }
    let range = numbers.pick(&tokens).clone();
    let new = match numbers.below(3) {
        0 => numbers.pick(WORDS).to_vec(),
        1 => input[numbers.pick(&tokens).clone()].to_vec(),
        _ => {
            // A whole value or several, from another place.
            let first = numbers.below(tokens.len());
            let last = (first + numbers.below(12)).min(tokens.len() - 1);
            input[tokens[first].start..tokens[last].end].to_vec()
        }
    };
    input.splice(range, new);
}
