//! ELF headers, against their layout (elf(5)) written down a second time.

use relaunch_buildpack::candidate::{Class, ElfFault, Kind, Order, inspect};

use super::super::target::Target;
use super::{holds, same};
use crate::simulate::random::Random;

pub(crate) const TARGET: Target = Target {
    words: &[
        "\u{7f}ELF",
        "\u{7f}ELF\u{2}\u{1}\u{1}",
        "\u{7f}ELF\u{1}\u{2}\u{1}",
        "/lib64/ld-linux-x86-64.so.2\0",
        "\0\0\0\0\0\0\0\0",
    ],
    longest: 4_096,
    short: 60_000,
    shape,
    ..Target::new(
        "elf",
        "a file is fit only if every table and every piece that its headers name ends inside it, its interpreter too; one byte less is cut off, one more changes nothing",
        check,
    )
};

fn check(input: &[u8]) -> Result<(), String> {
    let size = input.len() as u64;
    match inspect(input, size) {
        Ok(Kind::NotElf) => {
            let begin = &input[..input.len().min(4)];
            let elf = !begin.is_empty() && b"\x7fELF".starts_with(begin);
            holds(!elf, "it begins like an ELF file")
        }
        Ok(Kind::Elf(elf)) => {
            let end =
                end(input).ok_or("it has no whole header or table, or an impossible offset")?;
            holds(end <= size, format_args!("it ends at {end} of {size} bytes"))?;
            let layout = (input[4] == 2, input[5] == 1);
            same(
                &layout,
                &(elf.machine.class == Class::Bits64, elf.machine.order == Order::Little),
                "class and order",
            )?;
            if let Some(path) = &elf.interpreter {
                let path = [path.as_os_str().as_encoded_bytes(), b"\0"].concat();
                let there = input.windows(path.len()).any(|window| window == path);
                holds(there && path.len() > 1, "its interpreter is not in it")?;
            }
            let longer = [input, b"\x7f"].concat();
            same(&facts(&longer), &Ok(Kind::Elf(elf)), "with one byte more")?;
            let short = usize::try_from(end - 1).map_err(|error| error.to_string())?;
            let shorter = inspect(&input[..short], end - 1);
            let cut =
                matches!(&shorter, Err(ElfFault::Truncated { size, needed }) if *size < *needed);
            holds(cut, format_args!("with one byte less: {shorter:?}"))
        }
        Err(ElfFault::Truncated { size: told, needed }) => {
            same(&told, &size, "the size")?;
            holds(needed > size, format_args!("cut off at {size} though {needed} is all it needs"))
        }
        Err(ElfFault::Malformed { what }) => holds(!what.is_empty(), "nothing is wrong"),
        Err(ElfFault::Io(error)) => Err(error.to_string()),
    }
}

fn facts(input: &[u8]) -> Result<Kind, String> {
    inspect(input, input.len() as u64).map_err(|error| error.to_string())
}

/// Fields by class: offset and width of the tables' places, the entry sizes and counts, and in their
/// entries of type, offset and length.
struct Names {
    header: u64,
    tables: [usize; 2],
    sizes: usize,
    word: usize,
    entry: [u64; 2],
    segment: [usize; 2],
    section: [usize; 2],
}

const NAMES_32: Names = Names {
    header: 52,
    tables: [28, 32],
    sizes: 42,
    word: 4,
    entry: [32, 40],
    segment: [4, 16],
    section: [16, 20],
};
const NAMES_64: Names = Names {
    header: 64,
    tables: [32, 40],
    sizes: 54,
    word: 8,
    entry: [56, 64],
    segment: [8, 32],
    section: [24, 32],
};

/// The end of the last byte that the headers name; `None` where they cannot be followed.
fn end(input: &[u8]) -> Option<u64> {
    let names = if *input.get(4)? == 2 { NAMES_64 } else { NAMES_32 };
    let number = |at: u64, width: usize| -> Option<u64> {
        let at = usize::try_from(at).ok()?;
        let mut bytes = input.get(at..at.checked_add(width)?)?.to_vec();
        if input[5] == 2 {
            bytes.reverse();
        }
        bytes.resize(8, 0);
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    };
    let mut end = names.header;
    for (table, fields) in [names.segment, names.section].into_iter().enumerate() {
        let start = number(names.tables[table] as u64, names.word)?;
        let size = number((names.sizes + 4 * table) as u64, 2)?;
        let count = number((names.sizes + 4 * table + 2) as u64, 2)?;
        // A section table of a foreign form is not followed: the kernel does not read it.
        if table == 1 && (start == 0 || size != names.entry[1]) || count == 0 {
            continue;
        }
        end = end.max(start.checked_add(count * names.entry[table])?);
        for index in 0..count {
            let entry = start + index * names.entry[table];
            let kind = number(entry + 4 * table as u64, 4)?;
            let offset = number(entry + fields[0] as u64, names.word)?;
            let length = number(entry + fields[1] as u64, names.word)?;
            let nothing = length == 0 || table == 1 && (kind == 0 || kind == 8);
            if !nothing {
                end = end.max(offset.checked_add(length)?);
            }
        }
    }
    Some(end)
}

/// A field of the header, or of the first entries behind it, gets a number near the file's size or
/// near another edge.
fn shape(random: &mut Random, input: &mut [u8]) {
    let wide = input.get(4) == Some(&2);
    let at = if random.chance(40) { random.range(16, 63) } else { random.range(64, 512) };
    let at = usize::try_from(at).unwrap_or(0) & !1;
    let width = random.pick(&[2, 4, if wide { 8 } else { 4 }]);
    let number = match random.range(0, 4) {
        0 => (input.len() as u64).wrapping_add(random.range(0, 2)).wrapping_sub(1),
        1 => random.range(0, 9),
        2 => random.range(0, input.len() as u64),
        3 => u64::MAX >> random.range(0, 40),
        _ => 1 << random.range(0, 62),
    };
    let bytes = number.to_le_bytes();
    if let Some(field) = input.get_mut(at..at + width) {
        field.copy_from_slice(&bytes[..width]);
        if input[5] == 2 {
            input[at..at + width].reverse();
        }
    }
}
