//! Machines as ELF headers name them. Pure.

use std::fmt;

/// The word size of an ELF file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// `ELFCLASS32`.
    Bits32,
    /// `ELFCLASS64`.
    Bits64,
}

/// The byte order of an ELF file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// `ELFDATA2LSB`.
    Little,
    /// `ELFDATA2MSB`.
    Big,
}

/// A machine as an ELF header names it. Displayed as people and images name it: `amd64`, `arm64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// `e_machine`.
    pub number: u16,
    /// The word size.
    pub class: Class,
    /// The byte order.
    pub order: Order,
}

impl Machine {
    /// The machine that this supervisor was built for; under an emulator that is the emulated one,
    /// which is what the image's programs are built for too.
    pub const HOST: Self = Self {
        number: HOST_NUMBER,
        class: if cfg!(target_pointer_width = "32") { Class::Bits32 } else { Class::Bits64 },
        order: if cfg!(target_endian = "big") { Order::Big } else { Order::Little },
    };
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match (self.number, self.order) {
            (3, _) => "386",
            (8, _) => "mips",
            (20, _) => "ppc",
            (21, Order::Little) => "ppc64le",
            (21, Order::Big) => "ppc64",
            (22, _) => "s390x",
            (40, _) => "arm",
            (62, _) => "amd64",
            (183, _) => "arm64",
            (243, _) => "riscv64",
            (258, _) => "loong64",
            (number, _) => return write!(f, "ELF machine {number}"),
        };
        f.write_str(name)
    }
}

const HOST_NUMBER: u16 = if cfg!(target_arch = "x86_64") {
    62
} else if cfg!(target_arch = "aarch64") {
    183
} else if cfg!(target_arch = "x86") {
    3
} else if cfg!(target_arch = "arm") {
    40
} else if cfg!(target_arch = "powerpc64") {
    21
} else if cfg!(target_arch = "s390x") {
    22
} else if cfg!(target_arch = "riscv64") {
    243
} else if cfg!(target_arch = "loongarch64") {
    258
} else {
    // EM_NONE: every program is foreign, so the dry exec decides.
    0
};
