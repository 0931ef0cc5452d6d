//! The memory of a process that waits: pages of the program's file and its libraries are given back.
//!
//! They are clean, so they are the pages of the page cache and stay there: the next use of one maps it
//! again with its fifteen neighbours (fault-around), about a microsecond each time. What is written to
//! (data, heap, stack, relocations) stays. Lost are only a debugger's breakpoints and uprobes, which are
//! written into copies of such pages.

// dl_iterate_phdr(3) and madvise(2) have no safe form.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::ptr;

use nix::unistd::{SysconfVar, sysconf};

/// Gives back what this process has mapped of its program's code and constants; resident memory of
/// an idle supervisor falls to less than half. Failures change nothing and are not told.
pub fn give_back_code() {
    // SAFETY: the callback has the type that is asked for and lives for ever.
    unsafe { libc::dl_iterate_phdr(Some(of_file), ptr::null_mut()) };
}

/// Called with the program and with each library; an answer that is not 0 ends the walk.
unsafe extern "C" fn of_file(
    info: *mut libc::dl_phdr_info,
    _size: usize,
    _data: *mut c_void,
) -> c_int {
    let page = sysconf(SysconfVar::PAGE_SIZE).ok().flatten();
    let Some(page) = page.and_then(|page| usize::try_from(page).ok()) else { return 1 };
    // SAFETY: the loader passes one description that is valid during this call, and so are the
    // program headers it points to.
    let (base, headers) = unsafe {
        let info = &*info;
        (info.dlpi_addr, std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()))
    };
    let constant = headers
        .iter()
        .filter(|header| header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W == 0);
    for header in constant {
        // ELF counts addresses modulo their size.
        let Ok(start) = usize::try_from(base.wrapping_add(header.p_vaddr)) else { continue };
        let Ok(size) = usize::try_from(header.p_memsz) else { continue };
        let (first, last) = (start & !(page - 1), start.wrapping_add(size) & !(page - 1));
        let length = last.saturating_sub(first);
        // SAFETY: a segment that is never written to: its clean pages are those of the page cache,
        // whether they are mapped or not, and come back as they are there.
        unsafe {
            libc::madvise(ptr::with_exposed_provenance_mut(first), length, libc::MADV_DONTNEED)
        };
    }
    0
}
