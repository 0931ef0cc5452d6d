//! How much memory an input costs. A binary that feeds installs [`Counting`] as its allocator; in
//! every other nothing is counted and [`most`] is zero.
#![allow(unsafe_code)] // An allocator is unsafe to write.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static NOW: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

/// The system's allocator, which counts the bytes of each thread.
#[derive(Debug)]
pub struct Counting;

fn count(bytes: isize) {
    // A thread that ends may free when its own variables are gone.
    let _ = NOW.try_with(|now| {
        now.set(now.get() + bytes);
        let _ = MOST.try_with(|most| most.set(most.get().max(now.get())));
    });
}

// SAFETY: every call goes on to the system's allocator as it came; counting allocates nothing, since
// both variables are made at compile time.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-layout.size().cast_signed());
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Begins to count in this thread.
pub fn reset() {
    NOW.set(0);
    MOST.set(0);
}

/// The most bytes that this thread had in use at once since [`reset`], beyond what it had then.
#[must_use]
pub fn most() -> usize {
    MOST.get().unsigned_abs()
}
