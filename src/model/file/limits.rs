//! How much a file may hold. Far above what people write, far below what hurts.

/// The longest file, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// The most pods of a file.
pub const MAX_PODS: usize = 1000;

/// The most containers of a pod, and as many init containers.
pub const MAX_CONTAINERS: usize = 100;

/// The most name servers of a pod: resolvers read no more (`MAXNS` of resolv.conf(5)).
pub const MAX_DNS: usize = 3;

/// The most search domains of a pod: older resolvers read no more (`MAXDNSRCH`).
pub const MAX_DNS_SEARCH: usize = 6;

/// The longest list of search domains, in characters with a space between two of them: older
/// resolvers read no more.
pub(super) const MAX_DNS_SEARCH_LENGTH: usize = 256;

/// The most items of any other list or table.
pub const MAX_ENTRIES: usize = 1000;

/// The longest argument or `NAME=value`, in bytes: `MAX_ARG_STRLEN` of execve(2) without its NUL.
pub const MAX_ARGUMENT: usize = (128 << 10) - 1;
