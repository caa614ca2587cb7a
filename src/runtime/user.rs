//! The user and the groups of a container's process, looked up in the image's own account files.
//!
//! An image is hostile input: a number is never looked up as a name, nothing wraps around, what
//! cannot be resolved is an error and never root, and the two files are read only if they are
//! regular files inside the image's root, up to a limit.

use std::collections::BTreeSet;
use std::path::Path;

use rustix::fs::OFlags;

use crate::runtime::in_root::Root;
use crate::sys;

mod accounts;

use accounts::{Account, groups, users};

/// The highest user or group id that is accepted: higher ones are negative where an id is an
/// `int`, and the highest `u32` means "no change" to setresuid(2).
const MAX_ID: u32 = i32::MAX.unsigned_abs();

/// How many supplementary groups the kernel takes: `NGROUPS_MAX`.
const MAX_GROUPS: usize = 65536;

/// The largest account file that is read, in bytes.
const MAX_FILE: u64 = 10 << 20;

/// Who a process runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// Supplementary group ids, ascending, with the primary one among them.
    pub groups: Vec<u32>,
    /// Home directory, absolute and without control characters; `/` when none is known.
    pub home: String,
}

/// Why a user could not be resolved.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text has more than one colon.
    #[error("user \"{}\" is not USER or USER:GROUP", .0.escape_debug())]
    Form(String),
    /// A number is higher than 2147483647.
    #[error("{what} id \"{}\" is out of range", .text.escape_debug())]
    Range {
        /// `user` or `group`.
        what: &'static str,
        /// The number, as it was written.
        text: String,
    },
    /// The image has no such name.
    #[error("no {what} \"{}\" in the image's {file}", .name.escape_debug())]
    Unknown {
        /// `user` or `group`.
        what: &'static str,
        /// The name.
        name: String,
        /// The file that was looked in.
        file: &'static str,
    },
    /// The user is a member of more groups than the kernel takes.
    #[error("the user is in more than 65536 groups")]
    TooManyGroups,
    /// An account file of the image could not be read.
    #[error("cannot read the image's account files")]
    Read(#[source] sys::Error),
}

/// Resolves `user[:group]` against the content of the image's account files, as Docker does.
///
/// - Empty or without a user part: root.
/// - All digits: that id, even if a user of such a name exists. Without an entry its group is 0
///   and its home is `/`.
/// - Anything else: the name of an entry.
/// - With a group part the process has that group alone; without one it has the entry's group and
///   every group that lists the entry's name.
pub fn resolve(spec: &str, passwd: Option<&[u8]>, group: Option<&[u8]>) -> Result<User, Error> {
    let (user, group_name) = match spec.split_once(':') {
        Some((_, rest)) if rest.contains(':') => return Err(Error::Form(spec.to_owned())),
        Some((user, group)) => (user, Some(group).filter(|group| !group.is_empty())),
        None => (spec, None),
    };
    let user = if user.is_empty() { "0" } else { user };
    let (uid, account) = find_user(user, passwd)?;
    let (gid, groups) = match (group_name, &account) {
        (Some(name), _) => (find_group(name, group)?, BTreeSet::new()),
        (None, Some(account)) => (account.gid, memberships(account.name, group)?),
        (None, None) => (0, BTreeSet::new()),
    };
    if gid > MAX_ID {
        return Err(Error::Range { what: "group", text: gid.to_string() });
    }
    let groups = groups.into_iter().chain([gid]).collect::<BTreeSet<_>>().into_iter().collect();
    let home = account.as_ref().and_then(Account::home).unwrap_or("/").to_owned();
    Ok(User { uid, gid, groups, home })
}

/// Reads a decimal id; `None` when the text is not a number and so must be a name.
fn parse_id(what: &'static str, text: &str) -> Option<Result<u32, Error>> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let id = text.parse().ok().filter(|&id| id <= MAX_ID);
    Some(id.ok_or_else(|| Error::Range { what, text: text.chars().take(40).collect() }))
}

fn find_user<'a>(
    user: &str,
    passwd: Option<&'a [u8]>,
) -> Result<(u32, Option<Account<'a>>), Error> {
    let mut entries = users(passwd.unwrap_or_default());
    if let Some(uid) = parse_id("user", user) {
        let uid = uid?;
        return Ok((uid, entries.find(|entry| entry.uid == uid)));
    }
    let account = entries.find(|entry| entry.name == user.as_bytes()).ok_or_else(|| {
        Error::Unknown { what: "user", name: user.to_owned(), file: "/etc/passwd" }
    })?;
    if account.uid > MAX_ID {
        return Err(Error::Range { what: "user", text: account.uid.to_string() });
    }
    Ok((account.uid, Some(account)))
}

fn find_group(name: &str, file: Option<&[u8]>) -> Result<u32, Error> {
    if let Some(gid) = parse_id("group", name) {
        return gid;
    }
    let group =
        groups(file.unwrap_or_default()).find(|group| group.name == name.as_bytes()).ok_or_else(
            || Error::Unknown { what: "group", name: name.to_owned(), file: "/etc/group" },
        )?;
    if group.gid > MAX_ID {
        return Err(Error::Range { what: "group", text: group.gid.to_string() });
    }
    Ok(group.gid)
}

/// The groups that list `name` as a member.
fn memberships(name: &[u8], file: Option<&[u8]>) -> Result<BTreeSet<u32>, Error> {
    let ids: BTreeSet<u32> = groups(file.unwrap_or_default())
        .filter(|group| group.gid <= MAX_ID && group.has_member(name))
        .map(|group| group.gid)
        .collect();
    if ids.len() >= MAX_GROUPS {
        return Err(Error::TooManyGroups);
    }
    Ok(ids)
}

/// The content of an image's account files; `None` where there is no such file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountFiles {
    /// `/etc/passwd`.
    pub passwd: Option<Vec<u8>>,
    /// `/etc/group`.
    pub group: Option<Vec<u8>>,
}

impl AccountFiles {
    /// [Resolves](resolve) a user against these files.
    pub fn resolve(&self, spec: &str) -> Result<User, Error> {
        resolve(spec, self.passwd.as_deref(), self.group.as_deref())
    }
}

/// Reads the account files of the image whose root is `root`.
///
/// Links are followed inside the root only. Anything but a regular file of at most 10 MiB is an
/// error, and nothing blocks, whatever the image put there.
pub fn read_account_files(root: &Root) -> Result<AccountFiles, Error> {
    Ok(AccountFiles { passwd: read(root, "etc/passwd")?, group: read(root, "etc/group")? })
}

fn read(root: &Root, path: &str) -> Result<Option<Vec<u8>>, Error> {
    let path = Path::new(path);
    let file = match root.open_path(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY) {
        Ok(file) => file,
        Err(error) if error.is_not_found() || error.is(libc::ENOTDIR) => return Ok(None),
        Err(error) => return Err(Error::Read(error)),
    };
    sys::file::read_open_bounded(file.into(), path, MAX_FILE).map(Some).map_err(Error::Read)
}

#[cfg(test)]
mod tests;
