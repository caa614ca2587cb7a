//! Maps of sparse files: where the stored data belongs.

use super::header::{BLOCK, Block, unsigned};
use super::{Fault, Reader, Skip};
use crate::image::limits;

/// A run of stored data and its place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::image) struct Extent {
    pub(in crate::image) offset: u64,
    pub(in crate::image) length: u64,
}

/// Checks that extents are in order, inside the file, and use up the stored data. All but the
/// last must be whole blocks, because readers differ in where they look for the next one.
pub(super) fn check(extents: &[Extent], size: u64, stored: u64) -> Result<(), Fault> {
    const WRONG: Fault = Fault::Malformed("the map of a sparse file is wrong");
    let mut end = 0_u64;
    let mut total = 0_u64;
    for extent in extents {
        if extent.offset < end || !total.is_multiple_of(BLOCK as u64) {
            return Err(WRONG);
        }
        end = extent.offset.checked_add(extent.length).ok_or(WRONG)?;
        total += extent.length;
    }
    // A file's size is an off_t to the kernel.
    if end > size || total != stored || size > i64::MAX as u64 / 2 {
        return Err(WRONG);
    }
    Ok(())
}

fn push(extents: &mut Vec<Extent>, extent: Extent) -> Result<(), Fault> {
    if extents.len() >= limits::SPARSE_EXTENTS {
        return Err(Fault::TooLarge(limits::SPARSE_EXTENTS as u64, "extents of a sparse file"));
    }
    if extent.length > 0 {
        extents.push(extent);
    }
    Ok(())
}

impl<R: Skip> Reader<R> {
    /// The size and the map of an old GNU sparse file: four extents in the header, more in the
    /// blocks that follow it. An empty field ends the list.
    pub(super) fn gnu_sparse_map(&mut self, block: &Block) -> Result<(u64, Vec<Extent>), Fault> {
        let header = block.gnu()?;
        let mut extents = Vec::new();
        let mut add = |sparse: &[tar::GnuSparseHeader]| {
            for part in sparse.iter().filter(|part| !part.is_empty()) {
                let (offset, length) = (unsigned(&part.offset)?, unsigned(&part.numbytes)?);
                push(&mut extents, Extent { offset, length })?;
            }
            Ok::<_, Fault>(())
        };
        add(&header.sparse)?;
        let mut more = header.is_extended();
        while more {
            let mut extension = tar::GnuExtSparseHeader::new();
            self.input.read_exact(extension.as_mut_bytes())?;
            self.position += BLOCK as u64;
            add(extension.sparse())?;
            more = extension.is_extended();
        }
        Ok((unsigned(&header.realsize)?, extents))
    }

    /// The map of a PAX 1.0 sparse file: decimal numbers on lines of their own, before the data
    /// and filled up to a block.
    pub(super) fn pax_sparse_map(&mut self) -> Result<Vec<Extent>, Fault> {
        let mut extents = Vec::new();
        let mut line = LineReader { reader: self, block: [0; BLOCK], next: BLOCK };
        for _ in 0..line.number()? {
            let (offset, length) = (line.number()?, line.number()?);
            push(&mut extents, Extent { offset, length })?;
        }
        Ok(extents)
    }
}

/// Reads numbers from an entry's data, a block at a time, so that it stops at a block's end.
struct LineReader<'a, R> {
    reader: &'a mut Reader<R>,
    block: [u8; BLOCK],
    next: usize,
}

impl<R: Skip> LineReader<'_, R> {
    fn number(&mut self) -> Result<u64, Fault> {
        const WRONG: Fault = Fault::Malformed("the map of a sparse file is not of numbers");
        let mut value = 0_u64;
        for place in 0..20 {
            match self.byte()? {
                b'\n' if place > 0 => return Ok(value),
                digit @ b'0'..=b'9' => {
                    let next = value.checked_mul(10);
                    let next = next.and_then(|value| value.checked_add(u64::from(digit - b'0')));
                    value = next.ok_or(WRONG)?;
                }
                _ => return Err(WRONG),
            }
        }
        Err(WRONG)
    }

    fn byte(&mut self) -> Result<u8, Fault> {
        if self.next == BLOCK {
            if self.reader.remaining < BLOCK as u64 {
                return Err(Fault::Malformed("the map of a sparse file has no end"));
            }
            self.reader.input.read_exact(&mut self.block)?;
            self.reader.position += BLOCK as u64;
            self.reader.remaining -= BLOCK as u64;
            self.next = 0;
        }
        self.next += 1;
        Ok(self.block[self.next - 1])
    }
}
