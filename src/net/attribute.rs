//! Netlink attributes, as far as no crate has their types: nested type-length-value records,
//! padded to four bytes. netlink(7), and `struct nlattr` in linux/netlink.h.

/// `NLA_F_NESTED`
const NESTED: u16 = 0x8000;

/// The bits of a type that are not flags: `NLA_TYPE_MASK`.
const TYPE: u16 = 0x3fff;

/// The length of a header: length and type.
const HEADER: usize = 4;

/// Attributes that are being written, one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Attributes(Vec<u8>);

impl Attributes {
    /// None yet.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Adds an attribute of these bytes.
    pub(super) fn bytes(mut self, kind: u16, value: &[u8]) -> Self {
        let length = u16::try_from(HEADER + value.len()).unwrap_or(u16::MAX);
        self.0.extend(length.to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    /// Adds a number in network byte order, as nf_tables wants all of its numbers.
    pub(super) fn be32(self, kind: u16, value: u32) -> Self {
        self.bytes(kind, &value.to_be_bytes())
    }

    /// Adds a text that ends with a zero byte.
    pub(super) fn text(self, kind: u16, value: &str) -> Self {
        let mut bytes = value.as_bytes().to_vec();
        bytes.push(0);
        self.bytes(kind, &bytes)
    }

    /// Adds attributes inside one of this type.
    pub(super) fn nest(self, kind: u16, inner: &Self) -> Self {
        self.nest_bytes(kind, &inner.0)
    }

    /// Adds attributes that were read, inside one of this type.
    pub(super) fn nest_bytes(self, kind: u16, inner: &[u8]) -> Self {
        self.bytes(kind | NESTED, inner)
    }

    /// What was written.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Reads attributes: type and value of each. What is cut off or malformed ends the list.
pub(super) fn read(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = usize::from(u16::from_ne_bytes(bytes.get(..2)?.try_into().ok()?));
        let kind = u16::from_ne_bytes(bytes.get(2..HEADER)?.try_into().ok()?);
        let value = bytes.get(HEADER..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind & TYPE, value))
    })
}

/// The value of the first attribute of this type.
pub(super) fn find(bytes: &[u8], kind: u16) -> Option<&[u8]> {
    read(bytes).find(|(found, _)| *found == kind).map(|(_, value)| value)
}

/// A number in network byte order.
pub(super) fn be32(value: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(value.try_into().ok()?))
}

/// A text up to its zero byte.
pub(super) fn text(value: &[u8]) -> String {
    let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
    String::from_utf8_lossy(&value[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let inner = Attributes::new().be32(1, 7).text(2, "tank0");
        let written = Attributes::new().nest(5, &inner).bytes(6, &[1, 2, 3]);
        assert_eq!(written.as_bytes().len() % 4, 0);
        let nested = find(written.as_bytes(), 5).unwrap();
        assert_eq!(be32(find(nested, 1).unwrap()), Some(7));
        assert_eq!(text(find(nested, 2).unwrap()), "tank0");
        assert_eq!(find(written.as_bytes(), 6), Some(&[1, 2, 3][..]));
        assert_eq!(find(written.as_bytes(), 7), None);
    }

    proptest! {
        #[test]
        fn nothing_makes_the_reader_panic_or_go_on_for_ever(bytes: Vec<u8>) {
            prop_assert!(read(&bytes).count() <= bytes.len() / HEADER);
        }
    }
}
