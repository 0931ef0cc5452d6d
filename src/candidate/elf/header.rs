//! The layout of ELF headers in both classes and byte orders (elf(5)). Pure.

use super::ElfFault;
use crate::candidate::machine::{Class, Machine, Order};

/// The kernel takes program header tables up to 64 KiB.
const MOST_TABLE_BYTES: u64 = 65_536;

/// What the ELF header says about the file.
pub(super) struct Header {
    pub(super) layout: Layout,
    pub(super) machine: Machine,
    pub(super) segments_at: u64,
    pub(super) segment_count: u64,
    pub(super) sections_at: u64,
    /// 0 where there is no table that can be trusted.
    pub(super) section_count: u64,
}

impl Header {
    pub(super) fn parse(layout: Layout, bytes: &[u8]) -> Result<Self, ElfFault> {
        let fields = Fields { bytes, layout };
        let (segments_at, sections_at, sizes) = match layout.class {
            Class::Bits32 => (fields.word(28), fields.word(32), 42),
            Class::Bits64 => (fields.word(32), fields.word(40), 54),
        };
        let [segment_size, segment_count, section_size, section_count] =
            [0, 2, 4, 6].map(|at| u64::from(fields.u16(sizes + at)));
        // ET_EXEC and ET_DYN; objects, core files and half-written headers are others.
        if !matches!(fields.u16(16), 2 | 3) {
            return Err(ElfFault::Malformed { what: "the type of an object or core file" });
        }
        if segment_count == 0
            || segment_size != layout.segment_size()
            || segment_count * segment_size > MOST_TABLE_BYTES
        {
            return Err(ElfFault::Malformed { what: "no usable program header table" });
        }
        // No table, a foreign entry size, or extended numbering (which no linked program needs).
        let usable = sections_at != 0 && section_size == layout.section_size();
        Ok(Self {
            layout,
            machine: Machine { number: fields.u16(18), class: layout.class, order: layout.order },
            segments_at,
            segment_count,
            sections_at,
            section_count: if usable { section_count } else { 0 },
        })
    }
}

/// Word size and byte order.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    pub(super) class: Class,
    pub(super) order: Order,
}

impl Layout {
    pub(super) fn of(begin: &[u8]) -> Result<Self, ElfFault> {
        let class = match begin[4] {
            1 => Class::Bits32,
            2 => Class::Bits64,
            _ => {
                return Err(ElfFault::Malformed { what: "an unknown class" });
            }
        };
        let order = match begin[5] {
            1 => Order::Little,
            2 => Order::Big,
            _ => {
                return Err(ElfFault::Malformed { what: "an unknown byte order" });
            }
        };
        Ok(Self { class, order })
    }

    pub(super) fn header_size(self) -> u64 {
        if self.class == Class::Bits32 { 52 } else { 64 }
    }

    pub(super) fn segment_bytes(self) -> usize {
        if self.class == Class::Bits32 { 32 } else { 56 }
    }

    pub(super) fn segment_size(self) -> u64 {
        self.segment_bytes() as u64
    }

    pub(super) fn section_bytes(self) -> usize {
        if self.class == Class::Bits32 { 40 } else { 64 }
    }

    pub(super) fn section_size(self) -> u64 {
        self.section_bytes() as u64
    }
}

/// Numbers by their offset, in the file's byte order and word size.
pub(super) struct Fields<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) layout: Layout,
}

impl Fields<'_> {
    /// `width` bytes at `at` as a number; bytes that are not there read as zero, but every caller
    /// has read a whole header or entry before.
    pub(super) fn number(&self, at: usize, width: usize) -> u64 {
        let bytes = self.bytes.get(at..at + width).unwrap_or_default();
        let append = |number: u64, byte: &u8| (number << 8) | u64::from(*byte);
        match self.layout.order {
            Order::Little => bytes.iter().rev().fold(0, append),
            Order::Big => bytes.iter().fold(0, append),
        }
    }

    pub(super) fn u16(&self, at: usize) -> u16 {
        u16::try_from(self.number(at, 2)).unwrap_or_default()
    }

    pub(super) fn u32(&self, at: usize) -> u32 {
        u32::try_from(self.number(at, 4)).unwrap_or_default()
    }

    pub(super) fn word(&self, at: usize) -> u64 {
        self.number(at, if self.layout.class == Class::Bits32 { 4 } else { 8 })
    }
}
