//! Images: from what others made to directories overlayfs can stack.
//!
//! Everything in an image is a stranger's word. Digests are verified before anything is believed,
//! entries of layers are made through directory descriptors and never by joined paths, and
//! [`limits`] bounds what an image can make tank read, remember and write.
//!
//! | module | what it is |
//! |---|---|
//! | [`dirs`] | where images are kept, whose turn it is, what becomes visible when |
//! | `claim` | who brings a layer to disk |
//! | [`load`](mod@load) | finds the images in a file or a directory |
//! | `docker`, `oci` | the two ways images are laid out on disk |
//! | `source` | files of an archive or a directory, by name |
//! | `document`, [`config`] | manifests and indexes; configs |
//! | [`platform`] | what an image is for |
//! | `install` | config and layers, wherever they come from, to a verified image |
//! | `stream` | one layer in one pass: write down, hash, decompress, hash, unpack |
//! | `complete` | what layers take from those below them, their ids, their names |
//! | `kept` | what is kept of images as they came |
//! | [`save`](mod@save) | an image to a file that others read |
//! | [`registry`] | the client of registries |
//! | `stream` | one layer in one pass: hash, decompress, hash, unpack |
//! | [`registry`] | images of other hosts |
//! | [`progress`] | what whoever waits may want to know |
//! | `codec`, `hashing`, `tar_reader` | the stations of that pass |
//! | [`layer`] | entries of a layer to files |
//!
//! This layer returns plain values; the database that says which images exist is not its affair.

#![forbid(unsafe_code)]

mod claim;
mod codec;
mod complete;
pub mod config;
pub mod dirs;
mod docker;
mod document;
pub mod error;
mod hashing;
mod install;
mod kept;
pub mod layer;
pub mod limits;
pub mod load;
mod oci;
pub mod platform;
pub mod progress;
pub mod pull;
pub mod registry;
pub mod save;
mod source;
mod stream;
mod tar_reader;

pub use complete::LayerInfo;
pub use config::ImageConfig;
pub use dirs::{Exclusive, ImageDirs, Swept};
pub use error::{Error, Result};
pub use hashing::digest_of;
pub use install::LoadedImage;
pub use layer::Unpacked;
pub use load::{Ledger, load};
pub use platform::Platform;
pub use save::save;
