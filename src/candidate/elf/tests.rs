//! Real programs, cut and patched.

use super::*;
use crate::candidate::machine::Order;
use crate::candidate::testing::program;

fn text(bytes: &[u8]) -> String {
    match inspect(bytes, bytes.len() as u64) {
        Ok(kind) => format!("{kind:?}"),
        Err(fault) => fault.to_string(),
    }
}

fn patched(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut program = program();
    program[at..at + bytes.len()].copy_from_slice(bytes);
    program
}

#[test]
fn a_whole_program_shows_its_machine_and_interpreter() {
    let program = program();
    let Ok(Kind::Elf(elf)) = inspect(program.as_slice(), program.len() as u64) else {
        panic!("{}", text(&program));
    };
    assert_eq!(elf.machine, Machine::HOST);
    let interpreter = elf.interpreter.unwrap();
    assert!(interpreter.is_absolute() && interpreter.exists(), "{interpreter:?}");
}

#[test]
fn the_test_binary_itself_is_whole_and_read_by_its_headers_only() {
    struct Counting(File, std::cell::Cell<usize>);
    impl ReadAt for Counting {
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            self.1.set(self.1.get() + buffer.len());
            ReadAt::read_at(&self.0, buffer, offset)
        }
    }
    let file = File::open(std::env::current_exe().unwrap()).unwrap();
    let size = file.metadata().unwrap().len();
    let counting = Counting(file, 0.into());
    assert!(matches!(inspect(&counting, size), Ok(Kind::Elf(_))));
    let read = counting.1.get();
    assert!(read < 16_384, "{read} of {size} bytes");
}

#[test]
fn every_cut_is_seen_and_the_whole_size_is_named_as_soon_as_the_header_is_there() {
    let whole = program();
    for size in 1..whole.len() {
        let needed = if size < 64 { 64 } else { whole.len() };
        assert_eq!(text(&whole[..size]), format!("is cut off: {size} of {needed} bytes"));
    }
}

#[test]
fn a_cut_behind_an_early_section_table_is_seen() {
    // As Go links: the table lies before the contents, here in the place of the first section.
    let mut whole = program();
    let table =
        usize::try_from(Fields { bytes: &whole, layout: Layout::of(&whole).unwrap() }.word(40))
            .unwrap();
    let entries = whole[table..].to_vec();
    let early = 0x1000;
    whole[early..early + entries.len()].copy_from_slice(&entries);
    whole[40..48].copy_from_slice(&(early as u64).to_le_bytes());
    whole.truncate(table);
    let end = whole.len();
    assert!(text(&whole).starts_with("Elf("), "{}", text(&whole));
    // The last section ends up to 7 bytes before the table.
    let cut = text(&whole[..end - 16]);
    assert!(cut.starts_with(&format!("is cut off: {} of ", end - 16)), "{cut}");
}

#[test]
fn a_file_that_shrinks_while_it_is_read_is_cut_off() {
    let whole = program();
    let fault = inspect(&whole[..200], whole.len() as u64).unwrap_err().to_string();
    assert_eq!(fault, format!("is cut off: 200 of {} bytes", whole.len()));
}

#[test]
fn a_patched_header_says_what_is_wrong_with_it() {
    for (at, bytes, expected) in [
        (4, &[7][..], "is not a program: its ELF header has an unknown class"),
        (5, &[0], "is not a program: its ELF header has an unknown byte order"),
        (16, &[1, 0], "is not a program: its ELF header has the type of an object or core file"),
        (54, &[0, 0], "is not a program: its ELF header has no usable program header table"),
        (56, &[0, 0], "is not a program: its ELF header has no usable program header table"),
        (32, &[0xff; 8], "is not a program: its ELF header has an impossible offset"),
    ] {
        assert_eq!(text(&patched(at, bytes)), expected, "at {at}");
    }
    let zeros = vec![0; 4096];
    assert_eq!(text(&zeros), "NotElf");
    assert_eq!(text(b""), "NotElf");
    assert_eq!(text(b"#!/bin/sh\n"), "NotElf");
}

#[test]
fn a_program_of_another_machine_is_named_by_it() {
    for (number, name) in
        [(183u16, "arm64"), (62, "amd64"), (243, "riscv64"), (999, "ELF machine 999")]
    {
        let bytes = patched(18, &number.to_le_bytes());
        let Ok(Kind::Elf(elf)) = inspect(bytes.as_slice(), bytes.len() as u64) else {
            panic!("{}", text(&bytes));
        };
        assert_eq!(elf.machine.to_string(), name);
    }
}

#[test]
fn a_static_program_without_sections_is_whole() {
    // A 32-bit big-endian one, written by hand: header, one segment, nothing else.
    let mut bytes = b"\x7fELF\x01\x02\x01".to_vec();
    bytes.resize(16, 0);
    for half in [2u16, 8] {
        bytes.extend(half.to_be_bytes());
    }
    for word in [1u32, 0, 52, 0, 0] {
        bytes.extend(word.to_be_bytes());
    }
    for half in [52u16, 32, 1, 0, 0, 0] {
        bytes.extend(half.to_be_bytes());
    }
    for word in [1u32, 0, 0, 0, 84, 84, 5, 4096] {
        bytes.extend(word.to_be_bytes());
    }
    let machine = Machine { number: 8, class: Class::Bits32, order: Order::Big };
    let elf = Kind::Elf(Elf { machine, interpreter: None });
    assert_eq!(inspect(bytes.as_slice(), 84).unwrap(), elf);
    assert_eq!(text(&bytes[..83]), "is cut off: 83 of 84 bytes");
}

/// A fixed generator (xorshift64*), so that every run tries the same bytes.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).unwrap() % limit
    }
}

#[test]
fn no_bytes_whatever_make_it_panic_or_pass_a_file_that_is_too_short() {
    let whole = program();
    let sections = usize::try_from(u64::from_le_bytes(whole[40..48].try_into().unwrap())).unwrap();
    let mut random = Random(0x5EED);
    let mut seen = [0; 4];
    for round in 0..20_000 {
        let mut bytes = whole.clone();
        for _ in 0..=random.below(4) {
            // Mostly where the structure is: header, program headers, section table.
            let at = match random.below(3) {
                0 => random.below(64),
                1 => random.below(64 + 13 * 56),
                _ => sections + random.below(bytes.len() - sections),
            };
            bytes[at] = match random.below(3) {
                0 => 0xff,
                1 => 0,
                _ => u8::try_from(random.below(256)).unwrap(),
            };
        }
        if round % 3 == 0 {
            bytes.truncate(random.below(whole.len()));
        }
        match inspect(bytes.as_slice(), bytes.len() as u64) {
            Ok(Kind::Elf(_)) => seen[0] += 1,
            Ok(Kind::NotElf) => seen[1] += 1,
            Err(ElfFault::Truncated { size, needed }) => {
                assert!(size < needed, "{size} {needed} in round {round}");
                seen[2] += 1;
            }
            Err(ElfFault::Malformed { .. }) => seen[3] += 1,
            Err(ElfFault::Io(error)) => panic!("{error} in round {round}"),
        }
    }
    assert!(seen.iter().all(|&count| count > 100), "{seen:?}");
}
