//! How much of a stranger's image tank is willing to read, remember and write.
//!
//! Every number here bounds something an image decides: memory, disk, or time.

/// The longest manifest, index, config or `manifest.json`, in bytes.
pub const DOCUMENT_BYTES: u64 = 4 << 20;

/// The most layers that a manifest may list.
pub const LAYERS: usize = 512;

/// The most layers that are not empty: what overlayfs stacks (`OVL_MAX_STACK`).
pub const STACKED_LAYERS: usize = 500;

/// How many indexes may be nested in one another.
pub const INDEX_DEPTH: usize = 4;

/// The most descriptors one index may list.
pub const INDEX_ENTRIES: usize = 1024;

/// The most entries of an image archive (the outer tar, not a layer).
pub const ARCHIVE_ENTRIES: usize = 65_536;

/// How many links are followed from name to name inside an image archive.
pub const ARCHIVE_LINKS: usize = 8;

/// The longest path of an entry, in bytes: `PATH_MAX`.
pub const PATH_BYTES: usize = 4096;

/// The longest component of a path, in bytes: `NAME_MAX`.
pub const COMPONENT_BYTES: usize = 255;

/// The most components of a path.
pub const PATH_DEPTH: usize = 128;

/// The largest PAX or GNU extension of one entry, in bytes; also the limit of Go's `archive/tar`.
pub const EXTENSION_BYTES: u64 = 1 << 20;

/// The largest extended attribute, in bytes: `XATTR_SIZE_MAX` of xattr(7).
pub const XATTR_BYTES: usize = 65_536;

/// The most data extents of one sparse file.
pub const SPARSE_EXTENTS: usize = 1 << 16;

/// The most memory for the names of a layer's directories, kept to restore modification times.
pub const DIRECTORY_BYTES: usize = 256 << 20;

/// The most bytes after the end of a layer's archive; tar pads to records, never to megabytes.
pub const TRAILING_BYTES: u64 = 16 << 20;

/// The size of the buffers that layers stream through.
pub const BUFFER_BYTES: usize = 256 << 10;
