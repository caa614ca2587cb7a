//! How much a file may hold. Far above what people write, far below what hurts.

/// The longest file, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// The most pods of a file.
pub const MAX_PODS: usize = 1000;

/// The most containers of a pod, and as many init containers.
pub const MAX_CONTAINERS: usize = 100;

/// The most items of any other list or table.
pub const MAX_ENTRIES: usize = 1000;

/// The longest argument or `NAME=value`, in bytes: `MAX_ARG_STRLEN` of execve(2) without its NUL.
pub const MAX_ARGUMENT: usize = (128 << 10) - 1;
