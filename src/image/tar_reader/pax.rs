//! PAX extended headers: records of `length key=value\n` (POSIX.1-2001, pax(1)).

use rustix::fs::Timespec;

use super::Fault;
use super::header::id;
use crate::image::limits;

/// What a PAX header says about the next entry.
#[derive(Debug, Default)]
pub(super) struct Pax {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
    pub(super) mtime: Option<Timespec>,
    pub(super) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) sparse: Option<Sparse>,
}

/// The `GNU.sparse.*` records of a sparse file whose map is stored before its data (version 1.0).
#[derive(Debug, Default)]
pub(super) struct Sparse {
    pub(super) name: Option<Vec<u8>>,
    pub(super) real_size: u64,
}

impl Pax {
    pub(super) fn parse(mut data: &[u8]) -> Result<Self, Fault> {
        let mut pax = Self::default();
        let mut version = (None, None);
        let mut name = None;
        let mut real_size = None;
        while !data.is_empty() {
            let Record { key, value, rest } = Record::take(data)?;
            data = rest;
            match key {
                b"path" => pax.path = text(value)?,
                b"linkpath" => pax.link = text(value)?,
                b"size" => pax.size = decimal(value)?,
                b"uid" => pax.uid = decimal(value)?.map(id).transpose()?,
                b"gid" => pax.gid = decimal(value)?.map(id).transpose()?,
                b"mtime" => pax.mtime = time(value)?,
                b"GNU.sparse.major" => version.0 = decimal(value)?,
                b"GNU.sparse.minor" => version.1 = decimal(value)?,
                b"GNU.sparse.name" => name = text(value)?,
                b"GNU.sparse.realsize" => real_size = decimal(value)?,
                _ if key.starts_with(b"GNU.sparse.") => {
                    return Err(Fault::Malformed("a sparse file is of an old PAX version"));
                }
                _ => pax.xattr(key, value)?,
            }
        }
        pax.sparse = match (version, real_size) {
            ((None, None), None) if name.is_none() => None,
            ((Some(1), Some(0)), Some(real_size)) => Some(Sparse { name, real_size }),
            _ => return Err(Fault::Malformed("a sparse file is of an unknown PAX version")),
        };
        Ok(pax)
    }

    fn xattr(&mut self, key: &[u8], value: &[u8]) -> Result<(), Fault> {
        let Some(name) = key.strip_prefix(b"SCHILY.xattr.") else { return Ok(()) };
        if name.is_empty() || name.len() > limits::COMPONENT_BYTES || name.contains(&0) {
            return Err(Fault::Malformed("an extended attribute has an impossible name"));
        }
        if value.len() > limits::XATTR_BYTES {
            return Err(Fault::TooLarge(limits::XATTR_BYTES as u64, "bytes of one attribute"));
        }
        self.xattrs.push((name.to_vec(), value.to_vec()));
        Ok(())
    }

    /// A global header (`g`) may carry comments, as `git archive` writes them. What would change
    /// entries is refused: some readers apply it, others do not.
    pub(super) fn refuse_global(&self) -> Result<(), Fault> {
        match self {
            Self {
                path: None,
                link: None,
                size: None,
                uid: None,
                gid: None,
                mtime: None,
                xattrs,
                sparse: None,
            } if xattrs.is_empty() => Ok(()),
            _ => Err(Fault::Malformed("a global header changes all entries")),
        }
    }
}

/// One record, and what follows it.
struct Record<'a> {
    key: &'a [u8],
    value: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Record<'a> {
    fn take(data: &'a [u8]) -> Result<Self, Fault> {
        Self::split(data).ok_or(Fault::Malformed("a PAX record is malformed"))
    }

    fn split(data: &'a [u8]) -> Option<Self> {
        let space = data.iter().take(20).position(|byte| *byte == b' ')?;
        let length = usize::try_from(digits(&data[..space])?).ok()?;
        let body = data.get(space + 1..length)?.strip_suffix(b"\n")?;
        let equals = body.iter().position(|byte| *byte == b'=')?;
        let (key, value) = (&body[..equals], &body[equals + 1..]);
        let is_name = !key.is_empty() && !key.contains(&0);
        is_name.then(|| Self { key, value, rest: &data[length..] })
    }
}

fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |value, digit| match digit {
        b'0'..=b'9' => value.checked_mul(10)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

/// An empty value withdraws the record, and the header's own field counts.
fn text(value: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
    if value.contains(&0) {
        return Err(Fault::Malformed("a name in a PAX record has a NUL"));
    }
    Ok((!value.is_empty()).then(|| value.to_vec()))
}

fn decimal(value: &[u8]) -> Result<Option<u64>, Fault> {
    if value.is_empty() {
        return Ok(None);
    }
    digits(value).map(Some).ok_or(Fault::Malformed("a number in a PAX record is not one"))
}

/// Seconds since the epoch with decimals; what is below nanoseconds is cut off.
fn time(value: &[u8]) -> Result<Option<Timespec>, Fault> {
    if value.is_empty() {
        return Ok(None);
    }
    let parse = || {
        let (negative, value) = match value.strip_prefix(b"-") {
            Some(value) => (true, value),
            None => (false, value),
        };
        let mut parts = value.splitn(2, |byte| *byte == b'.');
        let seconds = i64::try_from(digits(parts.next()?)?).ok()?;
        let mut nanoseconds = [b'0'; 9];
        for (place, digit) in nanoseconds.iter_mut().zip(parts.next().unwrap_or_default()) {
            *place = *digit;
        }
        let nanoseconds = i64::try_from(digits(&nanoseconds)?).ok()?;
        Some(match (negative, nanoseconds) {
            (false, _) => Timespec { tv_sec: seconds, tv_nsec: nanoseconds },
            (true, 0) => Timespec { tv_sec: -seconds, tv_nsec: 0 },
            (true, _) => Timespec { tv_sec: -seconds - 1, tv_nsec: 1_000_000_000 - nanoseconds },
        })
    };
    parse().map(Some).ok_or(Fault::Malformed("a time in a PAX record is not one"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_hold_anything() {
        let value = b"\x01\n7 x=y\n";
        let mut data = format!("{} SCHILY.xattr.user.a=", 24 + value.len()).into_bytes();
        data.extend(value);
        data.push(b'\n');
        let pax = Pax::parse(&data).unwrap();
        assert_eq!(pax.xattrs, [(b"user.a".to_vec(), value.to_vec())]);
    }

    #[test]
    fn malformed_records_are_refused() {
        for bad in [
            "x",
            "0 a=b\n",
            "6 a=b",
            "7 a=b\n",
            "5 a=b\n",
            "99 a=b\n",
            "-6 a=b\n",
            "+6 a=b\n",
            "6  ab\n",
            "5 =b\n",
            "10 size=-1\n",
            "11 size=0x1\n",
            "9 path=\0\n",
            "22 GNU.sparse.major=1\n",
            "99999999999999999999999 path=a\n",
        ] {
            assert!(Pax::parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn times_have_nanoseconds_and_may_be_before_the_epoch() {
        let check =
            |text: &str| time(text.as_bytes()).ok().flatten().map(|t| (t.tv_sec, t.tv_nsec));
        assert_eq!(check("12.5"), Some((12, 500_000_000)));
        assert_eq!(check("12.0000000019"), Some((12, 1)));
        assert_eq!(check("-1.25"), Some((-2, 750_000_000)));
        assert_eq!(check("-3"), Some((-3, 0)));
        assert_eq!(check("1e9"), None);
        assert_eq!(check(".5"), None);
    }
}
