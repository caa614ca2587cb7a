//! One header block: its checksum, its numbers, its names.

use rustix::fs::Timespec;
use tar::{GnuHeader, Header, OldHeader};

use super::{Fault, Kind};

/// The unit of a tar archive, in bytes.
pub(super) const BLOCK: usize = 512;

/// The largest size that fits in the eleven octal digits of a header.
const MAX_OCTAL_SIZE: u64 = 0o77_777_777_777;

/// A header block.
pub(super) struct Block(Header);

impl Default for Block {
    fn default() -> Self {
        Self(Header::new_old())
    }
}

impl Block {
    pub(super) fn bytes_mut(&mut self) -> &mut [u8; BLOCK] {
        self.0.as_mut_bytes()
    }

    pub(super) fn bytes(&self) -> &[u8; BLOCK] {
        self.0.as_bytes()
    }

    pub(super) fn is_zero(&self) -> bool {
        self.bytes().iter().all(|byte| *byte == 0)
    }

    fn old(&self) -> &OldHeader {
        self.0.as_old()
    }

    /// The fields of a sparse file; only GNU headers have them.
    pub(super) fn gnu(&self) -> Result<&GnuHeader, Fault> {
        self.0.as_gnu().ok_or(Fault::Malformed("a sparse file has no GNU header"))
    }

    /// Compares the checksum: the sum of all bytes, its own field taken as spaces.
    pub(super) fn check(&self) -> Result<(), Fault> {
        let field = 148..156;
        let bytes = self.bytes().iter().enumerate();
        let sum = bytes.map(|(at, byte)| if field.contains(&at) { 32 } else { u64::from(*byte) });
        if unsigned(&self.old().cksum)? == sum.sum::<u64>() {
            return Ok(());
        }
        Err(Fault::Malformed("a header's checksum is wrong"))
    }

    /// The type flag.
    pub(super) fn kind(&self) -> u8 {
        self.old().linkflag[0]
    }

    /// What the entry is. `path` and `link` are its names, extensions applied.
    pub(super) fn entry_kind(&self, path: &[u8], link: Vec<u8>) -> Result<Kind, Fault> {
        Ok(match self.kind() {
            // Before ustar there was no type for directories.
            0 if path.ends_with(b"/") => Kind::Directory,
            b'0' | b'7' | b'S' if path.ends_with(b"/") => {
                return Err(Fault::Malformed("a file's name ends with a slash"));
            }
            0 | b'0' | b'7' | b'S' => Kind::File,
            b'1' => Kind::HardLink(link),
            b'2' => Kind::Symlink(link),
            b'3' => {
                let (major, minor) = self.device()?;
                Kind::Character { major, minor }
            }
            b'4' => Kind::Block,
            b'5' => Kind::Directory,
            b'6' => Kind::Fifo,
            _ => return Err(Fault::Malformed("an entry has an unknown type")),
        })
    }

    /// How many bytes follow in the archive. A PAX size counts when the field cannot hold it and
    /// says 0; where both say something, they must say the same, or another reader would find
    /// other entries in this archive.
    pub(super) fn stored_size(&self, pax: Option<u64>) -> Result<u64, Fault> {
        let field = unsigned(&self.old().size)?;
        let size = match pax {
            Some(pax) if pax != field && (field != 0 || pax <= MAX_OCTAL_SIZE) => {
                return Err(Fault::Malformed("the sizes in header and extension differ"));
            }
            Some(pax) => pax,
            None => field,
        };
        // Room for rounding up to blocks and for adding offsets.
        if size > i64::MAX as u64 / 2 {
            return Err(Fault::Malformed("a size is impossible"));
        }
        Ok(size)
    }

    pub(super) fn path(&self) -> Vec<u8> {
        self.0.path_bytes().into_owned()
    }

    pub(super) fn link(&self) -> Vec<u8> {
        self.0.link_name_bytes().map(|name| name.into_owned()).unwrap_or_default()
    }

    pub(super) fn mode(&self) -> Result<u32, Fault> {
        Ok((unsigned(&self.old().mode)? & 0o7777) as u32)
    }

    pub(super) fn uid(&self) -> Result<u32, Fault> {
        id(unsigned(&self.old().uid)?)
    }

    pub(super) fn gid(&self) -> Result<u32, Fault> {
        id(unsigned(&self.old().gid)?)
    }

    pub(super) fn mtime(&self) -> Result<Timespec, Fault> {
        Ok(Timespec { tv_sec: number(&self.old().mtime)?, tv_nsec: 0 })
    }

    fn device(&self) -> Result<(u64, u64), Fault> {
        let (major, minor) = match (self.0.as_ustar(), self.0.as_gnu()) {
            (Some(ustar), _) => (&ustar.dev_major, &ustar.dev_minor),
            (_, Some(gnu)) => (&gnu.dev_major, &gnu.dev_minor),
            (None, None) => return Err(Fault::Malformed("a device has no number")),
        };
        Ok((unsigned(major)?, unsigned(minor)?))
    }
}

/// A user or group id; the largest number means "none" to chown(2).
pub(super) fn id(value: u64) -> Result<u32, Fault> {
    match u32::try_from(value) {
        Ok(id) if id != u32::MAX => Ok(id),
        _ => Err(Fault::Malformed("an owner's id is out of range")),
    }
}

/// A number that cannot be negative.
pub(super) fn unsigned(field: &[u8]) -> Result<u64, Fault> {
    number(field)?.try_into().map_err(|_| Fault::Malformed("a number is negative"))
}

/// A number field: octal digits between spaces and NULs, or, with the first bit set, a big-endian
/// two's complement number (GNU).
fn number(field: &[u8]) -> Result<i64, Fault> {
    const WRONG: Fault = Fault::Malformed("a number is not one");
    if field[0] & 0x80 != 0 {
        let negative = field[0] & 0x40 != 0;
        let first = if negative { field[0] } else { field[0] & 0x7f };
        let value = field[1..].iter().try_fold(i128::from(first.cast_signed()), |value, byte| {
            value.checked_mul(256)?.checked_add(i128::from(*byte))
        });
        return value.and_then(|value| i64::try_from(value).ok()).ok_or(WRONG);
    }
    let blank = |byte: &u8| matches!(byte, b' ' | 0);
    let start = field.iter().position(|byte| !blank(byte)).unwrap_or(field.len());
    let end = field[start..].iter().position(blank).map_or(field.len(), |length| start + length);
    if !field[end..].iter().all(blank) {
        return Err(WRONG);
    }
    field[start..end].iter().try_fold(0_i64, |value, digit| match digit {
        b'0'..=b'7' => {
            value.checked_mul(8).map(|value| value + i64::from(digit - b'0')).ok_or(WRONG)
        }
        _ => Err(WRONG),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_binary() {
        for (field, value) in [
            (&b"0000644\0"[..], Some(0o644)),
            (b"   644 \0", Some(0o644)),
            (b"\0\0\0\0\0\0\0\0", Some(0)),
            (b"00000000009\0", None),
            (b"12 34\0\0\0", None),
            (b"-1\0\0\0\0\0\0", None),
            (b"\x80\0\0\0\0\0\x01\0", Some(256)),
            (b"\xff\xff\xff\xff\xff\xff\xff\xfe", Some(-2)),
            (b"\x80\0\0\x01\0\0\0\0\0\0\0\0", None),
            (b"77777777777 ", Some(0o77_777_777_777)),
        ] {
            assert_eq!(number(field).ok(), value, "{}", field.escape_ascii());
        }
    }
}
