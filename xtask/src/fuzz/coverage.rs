//! What the fed code did: LLVM's `SanitizerCoverage` calls these functions in the binary that is
//! built with it (`run`), and nobody calls them in any other. They are called by their names, so
//! they are the interface that LLVM documents.
//!
//! LLVM leaves functions whose name begins with `__sanitizer_` uninstrumented, which is why their
//! bodies call nothing of ours. One thread feeds; the watchdog compares nothing.
#![allow(unsafe_code)] // The counters are bytes that LLVM lays out, known by their addresses alone.

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};

/// A comparison of two integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparison {
    /// What was there.
    pub seen: u64,
    /// What it was compared with.
    pub wanted: u64,
    /// In bytes: 1, 2, 4 or 8.
    pub width: u8,
}

/// The counters of one object file: one byte for each edge of its code.
struct Region {
    start: AtomicPtr<u8>,
    length: AtomicUsize,
}

static REGIONS: [Region; MOST_REGIONS] =
    [const { Region { start: AtomicPtr::new(ptr::null_mut()), length: AtomicUsize::new(0) } };
        MOST_REGIONS];
static REGION_COUNT: AtomicUsize = AtomicUsize::new(0);

static SEEN: [AtomicU64; MOST_COMPARISONS] = [const { AtomicU64::new(0) }; MOST_COMPARISONS];
static WANTED: [AtomicU64; MOST_COMPARISONS] = [const { AtomicU64::new(0) }; MOST_COMPARISONS];
static WIDTH: [AtomicU64; MOST_COMPARISONS] = [const { AtomicU64::new(0) }; MOST_COMPARISONS];
static COMPARED: AtomicUsize = AtomicUsize::new(0);

/// More object files than one build of ours has.
const MOST_REGIONS: usize = 1_024;
/// Of an input's comparisons the last so many are remembered.
const MOST_COMPARISONS: usize = 512;

/// This binary counts.
#[must_use]
pub fn is_on() -> bool {
    REGION_COUNT.load(Ordering::Relaxed) > 0
}

/// Sets every counter to zero and forgets the comparisons.
pub fn reset() {
    COMPARED.store(0, Ordering::Relaxed);
    for (start, length) in regions() {
        // SAFETY: LLVM gave this range of bytes of its own for the life of the program; no
        // instrumented code runs meanwhile but this thread's.
        unsafe { ptr::write_bytes(start, 0, length) };
    }
}

/// Calls `found` with the number of each edge that was passed, and how often (modulo 256).
pub fn passed(mut found: impl FnMut(usize, u8)) {
    let mut base = 0;
    for (start, length) in regions() {
        let mut at = 0;
        loop {
            at = __sanitizer_relaunch_next(start, length, at);
            if at >= length {
                break;
            }
            // SAFETY: `at` is inside the range that LLVM gave for the life of the program.
            found(base + at, unsafe { start.add(at).read() });
            at += 1;
        }
        base += length;
    }
}

/// The first counter from `at` on that is not zero, or `length`. Its name keeps it from being
/// instrumented itself: with a call for each of its comparisons it took most of the time.
#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn __sanitizer_relaunch_next(start: *const u8, length: usize, at: usize) -> usize {
    let mut at = at;
    while at < length {
        // SAFETY: every read ends inside the range; eight bytes at a time where they fit.
        unsafe {
            if at + 8 <= length && start.add(at).cast::<u64>().read_unaligned() == 0 {
                at += 8;
            } else if start.add(at).read() == 0 {
                at += 1;
            } else {
                return at;
            }
        }
    }
    length
}

/// How many edges there are.
#[must_use]
pub fn edges() -> usize {
    regions().map(|(_, length)| length).sum()
}

/// The comparisons of the input that was fed last.
#[must_use]
pub fn comparisons() -> Vec<Comparison> {
    let count = COMPARED.load(Ordering::Relaxed).min(MOST_COMPARISONS);
    let one = |at: usize| Comparison {
        seen: SEEN[at].load(Ordering::Relaxed),
        wanted: WANTED[at].load(Ordering::Relaxed),
        width: WIDTH[at].load(Ordering::Relaxed).to_le_bytes()[0],
    };
    let mut all: Vec<Comparison> = (0..count).map(one).filter(|it| it.seen != it.wanted).collect();
    all.sort_unstable_by_key(|it| (it.seen, it.wanted, it.width));
    all.dedup();
    all
}

fn regions() -> impl Iterator<Item = (*mut u8, usize)> {
    let count = REGION_COUNT.load(Ordering::Relaxed).min(MOST_REGIONS);
    REGIONS[..count]
        .iter()
        .map(|it| (it.start.load(Ordering::Relaxed), it.length.load(Ordering::Relaxed)))
}

/// Called by each object file before `main`: here are its counters.
#[unsafe(no_mangle)]
extern "C" fn __sanitizer_cov_8bit_counters_init(start: *mut u8, stop: *mut u8) {
    let at = REGION_COUNT.fetch_add(1, Ordering::Relaxed);
    if let Some(region) = REGIONS.get(at) {
        region.start.store(start, Ordering::Relaxed);
        region.length.store(stop.addr().wrapping_sub(start.addr()), Ordering::Relaxed);
    }
}

macro_rules! comparisons {
    ($($name:ident, $number:ty, $width:literal;)*) => {
        $(
            #[allow(clippy::cast_lossless, reason = "one of the widths is u64 itself")]
            #[unsafe(no_mangle)]
            extern "C" fn $name(one: $number, other: $number) {
                let at = COMPARED.load(Ordering::Relaxed);
                COMPARED.store(at.wrapping_add(1), Ordering::Relaxed);
                let at = at % MOST_COMPARISONS;
                // With a constant LLVM names that one first.
                WANTED[at].store(one as u64, Ordering::Relaxed);
                SEEN[at].store(other as u64, Ordering::Relaxed);
                WIDTH[at].store($width, Ordering::Relaxed);
            }
        )*
    };
}

comparisons! {
    __sanitizer_cov_trace_cmp1, u8, 1;
    __sanitizer_cov_trace_cmp2, u16, 2;
    __sanitizer_cov_trace_cmp4, u32, 4;
    __sanitizer_cov_trace_cmp8, u64, 8;
    __sanitizer_cov_trace_const_cmp1, u8, 1;
    __sanitizer_cov_trace_const_cmp2, u16, 2;
    __sanitizer_cov_trace_const_cmp4, u32, 4;
    __sanitizer_cov_trace_const_cmp8, u64, 8;
}

/// A `switch`: `cases` points to the number of cases, the width in bits, and the cases.
#[unsafe(no_mangle)]
extern "C" fn __sanitizer_cov_trace_switch(value: u64, cases: *const u64) {
    // SAFETY: the layout that LLVM documents for this call.
    let (count, bits) = unsafe { (*cases, *cases.add(1)) };
    let mut number = 0;
    while number < count && number < 8 {
        let at = COMPARED.load(Ordering::Relaxed);
        COMPARED.store(at.wrapping_add(1), Ordering::Relaxed);
        let at = at % MOST_COMPARISONS;
        // SAFETY: as above; `number` is below the count.
        #[expect(clippy::cast_possible_truncation, reason = "below 8")]
        let case = unsafe { *cases.add(2 + number as usize) };
        WANTED[at].store(case, Ordering::Relaxed);
        SEEN[at].store(value, Ordering::Relaxed);
        WIDTH[at].store(bits / 8, Ordering::Relaxed);
        number += 1;
    }
}
