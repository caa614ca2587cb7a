//! How a layer or an archive is compressed, and reading it so.

use std::io::{self, BufRead, Read};

use flate2::bufread::MultiGzDecoder;
use zstd::stream::read::Decoder as ZstdDecoder;

/// A compression that tank reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    Plain,
    Gzip,
    Zstd,
}

/// How many bytes [`Codec::sniff`] looks at.
pub(super) const MAGIC_BYTES: usize = 6;

impl Codec {
    /// Tells the compression of content from its first bytes; what is no known magic is plain.
    /// A compression that tank does not read is the error, in words that follow its subject.
    pub(super) fn sniff(start: &[u8]) -> Result<Self, &'static str> {
        match start {
            [0x1f, 0x8b, ..] => Ok(Self::Gzip),
            // A frame, or a skippable frame, of RFC 8878.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Ok(Self::Zstd),
            [0xfd, b'7', b'z', b'X', b'Z', 0] => Err("is compressed with xz, not gzip or zstd"),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => {
                Err("is compressed with bzip2, not gzip or zstd")
            }
            [0x04, 0x22, 0x4d, 0x18, ..] => Err("is compressed with lz4, not gzip or zstd"),
            _ => Ok(Self::Plain),
        }
    }

    /// The compression that a layer's media type promises; `None` if it is no layer's type.
    ///
    /// <https://github.com/opencontainers/image-spec/blob/main/layer.md> and Docker's schema 2.
    pub(super) fn from_media_type(media_type: &str) -> Option<Self> {
        let oci = |kind: &str| {
            ["layer.v1", "layer.nondistributable.v1"].iter().any(|layer| {
                media_type
                    .strip_prefix("application/vnd.oci.image.")
                    .and_then(|rest| rest.strip_prefix(layer))
                    == Some(kind)
            })
        };
        let docker = |kind: &str| {
            ["diff", "foreign.diff"].iter().any(|diff| {
                media_type
                    .strip_prefix("application/vnd.docker.image.rootfs.")
                    .and_then(|rest| rest.strip_prefix(diff))
                    == Some(kind)
            })
        };
        if oci(".tar") || docker(".tar") {
            Some(Self::Plain)
        } else if oci(".tar+gzip") || docker(".tar.gzip") {
            Some(Self::Gzip)
        } else if oci(".tar+zstd") || docker(".tar.zstd") {
            Some(Self::Zstd)
        } else {
            None
        }
    }

    /// The media type of a layer that is compressed so.
    pub(super) fn media_type(self) -> &'static str {
        match self {
            Self::Plain => "application/vnd.oci.image.layer.v1.tar",
            Self::Gzip => "application/vnd.oci.image.layer.v1.tar+gzip",
            Self::Zstd => "application/vnd.oci.image.layer.v1.tar+zstd",
        }
    }

    /// Reads `input`, decompressed. Gzip of several members and zstd of several frames are read
    /// to their end; anything else after them is an error.
    pub(super) fn decode<R: BufRead>(self, input: R) -> io::Result<Decoder<R>> {
        Ok(match self {
            Self::Plain => Decoder::Plain(input),
            Self::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(input))),
            // libzstd's own limit of the window, 128 MiB, bounds its memory.
            Self::Zstd => Decoder::Zstd(ZstdDecoder::with_buffer(input)?),
        })
    }
}

/// A stream being decompressed.
pub(super) enum Decoder<R: BufRead> {
    Plain(R),
    Gzip(Box<MultiGzDecoder<R>>),
    Zstd(ZstdDecoder<'static, R>),
}

impl<R: BufRead> Decoder<R> {
    /// The compressed stream.
    pub(super) fn into_inner(self) -> R {
        match self {
            Self::Plain(input) => input,
            Self::Gzip(decoder) => decoder.into_inner(),
            Self::Zstd(decoder) => decoder.finish(),
        }
    }
}

impl<R: BufRead> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(input) => input.read(buffer),
            Self::Gzip(decoder) => decoder.read(buffer),
            Self::Zstd(decoder) => decoder.read(buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_name_their_compression() {
        let oci = "application/vnd.oci.image";
        let docker = "application/vnd.docker.image.rootfs";
        for (media_type, codec) in [
            (format!("{oci}.layer.v1.tar"), Some(Codec::Plain)),
            (format!("{oci}.layer.v1.tar+zstd"), Some(Codec::Zstd)),
            (format!("{oci}.layer.nondistributable.v1.tar+gzip"), Some(Codec::Gzip)),
            (format!("{docker}.diff.tar.gzip"), Some(Codec::Gzip)),
            (format!("{docker}.foreign.diff.tar.gzip"), Some(Codec::Gzip)),
            (format!("{oci}.config.v1+json"), None),
            ("text/plain".to_owned(), None),
        ] {
            assert_eq!(Codec::from_media_type(&media_type), codec, "{media_type}");
        }
    }

    #[test]
    fn unknown_compressions_are_named() {
        assert!(Codec::sniff(b"\xfd7zXZ\0").unwrap_err().contains("xz"));
        assert!(Codec::sniff(b"BZh91AY").unwrap_err().contains("bzip2"));
        assert_eq!(Codec::sniff(b""), Ok(Codec::Plain));
    }
}
