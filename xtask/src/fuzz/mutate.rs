//! The next input from an earlier one. Values only: the same random numbers make the same bytes.

use super::coverage::Comparison;
use super::target::Target;
use crate::simulate::random::Random;

/// What an input is changed with.
pub(super) struct Mutator<'a> {
    pub(super) target: &'a Target,
    /// Another input of the corpus.
    pub(super) other: &'a [u8],
    /// What the input was compared with while it was fed.
    pub(super) compared: &'a [Comparison],
}

impl Mutator<'_> {
    /// Changes the input in one to eight places.
    pub(super) fn change(&self, random: &mut Random, input: &mut Vec<u8>) {
        loop {
            self.change_once(random, input);
            if random.chance(50) {
                break;
            }
        }
        if random.chance(20) {
            (self.target.shape)(random, input);
        }
        input.truncate(self.target.longest);
    }

    fn change_once(&self, random: &mut Random, input: &mut Vec<u8>) {
        if !self.compared.is_empty() && random.chance(30) {
            return meet(random, input, self.compared);
        }
        match random.range(0, 12) {
            0 => flip_bit(random, input),
            1 => set_byte(random, input),
            2 => set_number(random, input),
            3 => step_number(random, input),
            4 => truncate(random, input),
            5 => remove(random, input),
            6 => repeat(random, input),
            7 => insert(random, input),
            8 | 9 => self.put_word(random, input),
            10 => self.splice(random, input),
            11 => set_decimal(random, input),
            _ => move_line(random, input),
        }
    }

    /// A word over what is there, or between.
    fn put_word(&self, random: &mut Random, input: &mut Vec<u8>) {
        let Some(word) = choose(random, self.target.words) else { return insert(random, input) };
        let at = place(random, input.len());
        let over = if random.chance(50) { word.len().min(input.len() - at) } else { 0 };
        input.splice(at..at + over, word.bytes());
    }

    /// The head of this and the tail of another, or a piece of the other in the middle.
    fn splice(&self, random: &mut Random, input: &mut Vec<u8>) {
        let (from, to) = span(random, self.other.len());
        let at = place(random, input.len());
        if random.chance(50) {
            input.truncate(at);
            input.extend(&self.other[from..]);
        } else {
            input.splice(at..at, self.other[from..to].iter().copied());
        }
    }
}

/// Makes a comparison that failed succeed, where one side of it is found in the input.
fn meet(random: &mut Random, input: &mut [u8], compared: &[Comparison]) {
    let Some(Comparison { seen, wanted, width }) = choose(random, compared).copied() else {
        return;
    };
    let width = usize::from(width);
    let (seen, wanted) = if random.chance(50) {
        (seen.to_le_bytes()[..width].to_vec(), wanted.to_le_bytes()[..width].to_vec())
    } else {
        (seen.to_be_bytes()[8 - width..].to_vec(), wanted.to_be_bytes()[8 - width..].to_vec())
    };
    let places: Vec<usize> = input
        .windows(width)
        .enumerate()
        .filter_map(|(at, window)| (window == seen).then_some(at))
        .collect();
    if let Some(at) = choose(random, &places).copied() {
        input[at..at + width].copy_from_slice(&wanted);
    }
}

fn flip_bit(random: &mut Random, input: &mut [u8]) {
    if let Some(byte) = pick_byte(random, input) {
        *byte ^= 1 << random.range(0, 7);
    }
}

fn set_byte(random: &mut Random, input: &mut [u8]) {
    let new = random.range(0, 255).to_le_bytes()[0];
    if let Some(byte) = pick_byte(random, input) {
        *byte = new;
    }
}

/// A number at the edge of something, in one of the widths and orders of binary formats.
fn set_number(random: &mut Random, input: &mut [u8]) {
    let number = edge(random, input.len());
    write_number(random, input, |_| number);
}

fn step_number(random: &mut Random, input: &mut [u8]) {
    let step = random.range(1, 16);
    let up = random.chance(50);
    write_number(
        random,
        input,
        |old| {
            if up { old.wrapping_add(step) } else { old.wrapping_sub(step) }
        },
    );
}

fn write_number(random: &mut Random, input: &mut [u8], new: impl Fn(u64) -> u64) {
    let width = random.pick(&[1usize, 2, 4, 8]).min(input.len());
    let at = place(random, input.len() - width);
    let bytes = &mut input[at..at + width];
    if random.chance(30) {
        bytes.reverse();
    }
    let mut old = [0; 8];
    old[..width].copy_from_slice(bytes);
    bytes.copy_from_slice(&new(u64::from_le_bytes(old)).to_le_bytes()[..width]);
}

/// A decimal number of a text becomes one at the edge of something.
fn set_decimal(random: &mut Random, input: &mut Vec<u8>) {
    let from = place(random, input.len());
    let Some(at) = input[from..].iter().position(u8::is_ascii_digit) else { return };
    let at = from + at;
    let digits = input[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = edge(random, input.len()).to_string();
    input.splice(at..at + digits, number.bytes());
}

/// Powers of two and the numbers beside them, and those beside the input's length.
fn edge(random: &mut Random, length: usize) -> u64 {
    let near = random.range(0, 2);
    let base = match random.range(0, 4) {
        0 => length as u64,
        1 => 0,
        _ => 1u64.checked_shl(u32::try_from(random.range(0, 64)).unwrap_or(0)).unwrap_or(0),
    };
    base.wrapping_add(near).wrapping_sub(1)
}

fn truncate(random: &mut Random, input: &mut Vec<u8>) {
    let at = place(random, input.len());
    input.truncate(at);
}

fn remove(random: &mut Random, input: &mut Vec<u8>) {
    let (from, to) = span(random, input.len());
    input.drain(from..to);
}

fn repeat(random: &mut Random, input: &mut Vec<u8>) {
    let (from, to) = span(random, input.len());
    let piece = input[from..to].to_vec();
    let times = if random.chance(10) { random.range(2, 64) } else { 1 };
    for _ in 0..times {
        input.splice(from..from, piece.iter().copied());
        if input.len() > LONGEST {
            break;
        }
    }
}

fn insert(random: &mut Random, input: &mut Vec<u8>) {
    let at = place(random, input.len());
    let byte = random.range(0, 255).to_le_bytes()[0];
    let count = if random.chance(10) { place(random, 300) } else { 1 };
    input.splice(at..at, std::iter::repeat_n(byte, count));
}

fn move_line(random: &mut Random, input: &mut Vec<u8>) {
    let mut lines: Vec<&[u8]> = input.split_inclusive(|byte| *byte == b'\n').collect();
    if lines.is_empty() {
        return;
    }
    let from = place(random, lines.len() - 1);
    let line = if random.chance(50) { lines[from] } else { lines.remove(from) };
    let to = place(random, lines.len());
    lines.insert(to, line);
    *input = lines.concat();
}

fn pick_byte<'a>(random: &mut Random, input: &'a mut [u8]) -> Option<&'a mut u8> {
    let at = place(random, input.len());
    input.get_mut(at)
}

/// A place from 0 to `length`, both included.
fn place(random: &mut Random, length: usize) -> usize {
    usize::try_from(random.range(0, length as u64)).unwrap_or(0)
}

/// A piece, mostly a short one.
fn span(random: &mut Random, length: usize) -> (usize, usize) {
    let from = place(random, length);
    let most = length - from;
    let count = if random.chance(80) { place(random, most.min(16)) } else { place(random, most) };
    (from, from + count)
}

fn choose<'a, T>(random: &mut Random, all: &'a [T]) -> Option<&'a T> {
    if all.is_empty() {
        return None;
    }
    all.get(place(random, all.len() - 1))
}

/// No repetition goes on above this; a target's own limit comes after.
const LONGEST: usize = 1 << 18;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::target::ALL;

    #[test]
    fn the_same_seed_makes_the_same_inputs_and_none_is_too_long() {
        let made = |seed| {
            let mut random = Random::new(seed);
            let mut input = b"{\"ask\":\"events\",\"last\":20}\nweb: app\n".to_vec();
            let compared = [Comparison { seen: 20, wanted: 7, width: 2 }];
            for _ in 0..1_000 {
                let mutator = Mutator { target: &ALL[0], other: b"other", compared: &compared };
                mutator.change(&mut random, &mut input);
                assert!(input.len() <= ALL[0].longest);
            }
            input
        };
        assert_eq!(made(1), made(1));
        assert_ne!(made(1), made(2));
    }

    #[test]
    fn a_comparison_that_failed_is_met_in_either_order_of_bytes() {
        let met = |seed| {
            let mut input = b"xx\x12\x34yy".to_vec();
            let compared = [Comparison { seen: 0x1234, wanted: 0xabcd, width: 2 }];
            meet(&mut Random::new(seed), &mut input, &compared);
            input
        };
        let all: Vec<_> = (0..20).map(met).collect();
        assert!(all.contains(&b"xx\xab\xcdyy".to_vec()), "{all:?}");
    }
}
