//! Memory: what a process that only waits can do without, and who goes first when there is none.

/// Gives back the free part of the heap, and the pages of the program's own file that are mapped:
/// those come back from the page cache when they are executed again. For a process that is about
/// to wait for a long time, and of whose kind there are many.
pub fn release_idle() {
    // SAFETY: malloc_trim takes no pointer and only touches memory that is free.
    unsafe { libc::malloc_trim(0) };
    for (start, length) in read_only_segments() {
        let start = start as *mut libc::c_void;
        // SAFETY: the range is a loaded segment of this program that was never writable, so its
        // pages equal the file's and dropping them changes nothing that can be read.
        unsafe { libc::madvise(start, length, libc::MADV_DONTNEED) };
    }
}

/// Lets the kernel end others first when memory is short. Where the host does not let this process
/// say so, it takes its chance.
pub fn outlive_others() {
    std::fs::OpenOptions::new()
        .write(true)
        .open("/proc/self/oom_score_adj")
        .and_then(|mut file| std::io::Write::write_all(&mut file, b"-999"))
        .ok();
}

/// Start and length of the program's segments that are loaded without write permission.
fn read_only_segments() -> Vec<(usize, usize)> {
    let headers = program_headers();
    let page = rustix::param::page_size();
    let Some(table) = headers.iter().find(|header| header.p_type == libc::PT_PHDR) else {
        return Vec::new();
    };
    // Where the program was loaded, relative to where it was linked.
    let shift = (headers.as_ptr() as usize).wrapping_sub(address(table.p_vaddr));
    let is_read_only = |header: &&libc::Elf64_Phdr| {
        header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W == 0
    };
    let range = |header: &libc::Elf64_Phdr| {
        let start = address(header.p_vaddr).wrapping_add(shift);
        let end = start + address(header.p_memsz);
        let (start, end) = (start.next_multiple_of(page), end - end % page);
        (start, end.saturating_sub(start))
    };
    headers.iter().filter(is_read_only).map(range).filter(|(_, length)| *length > 0).collect()
}

fn address(value: u64) -> usize {
    usize::try_from(value).unwrap_or_default()
}

/// The program headers that the kernel loaded this program by: elf(5), getauxval(3).
fn program_headers() -> &'static [libc::Elf64_Phdr] {
    // SAFETY: getauxval takes a number and returns one.
    let start = unsafe { libc::getauxval(libc::AT_PHDR) };
    // SAFETY: as above.
    let count = unsafe { libc::getauxval(libc::AT_PHNUM) };
    let (start, count) = (address(start) as *const libc::Elf64_Phdr, address(count));
    if start.is_null() {
        return &[];
    }
    // SAFETY: the kernel says that this many headers are at this address; they are part of the
    // program's first read-only segment, which stays mapped as long as the process lives.
    unsafe { std::slice::from_raw_parts(start, count) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_found_and_goes_on_working_after_it_was_dropped() {
        let here = program_headers as fn() -> _ as *const () as usize;
        let found = read_only_segments()
            .into_iter()
            .any(|(start, length)| (start..start + length).contains(&here));
        assert!(found);
        release_idle();
        assert!(!read_only_segments().is_empty());
    }
}
