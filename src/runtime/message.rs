//! What a process that is about to become a program tells the one that made it, over a socket.

use std::os::fd::{BorrowedFd, OwnedFd};

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use crate::sys::process::Ended;
use crate::sys::{self, socket};

/// One message.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Message {
    /// The terminal's master comes with this message.
    Terminal,
    /// The process with this number goes on in the place of the one that says so.
    Entered(i32),
    /// The host refused these harmless things.
    Notes(Vec<String>),
    /// The program was not executed.
    Failed(Failure),
    /// The program was executed.
    Started,
    /// The program ended; `None` when nobody could see how.
    Ended(Option<Ended>),
    /// To the exec supervisor: send the program this signal.
    Signal(i32),
    /// To the exec supervisor: the command leaves, and the program goes on.
    Detach,
}

impl Message {
    /// Sends it over `socket`, with a descriptor if one belongs to it.
    pub(super) fn send(
        &self,
        socket: BorrowedFd<'_>,
        fd: Option<BorrowedFd<'_>>,
    ) -> sys::Result<()> {
        let bytes = serde_json::to_vec(self)
            .map_err(|e| sys::Error::new("serialize", "message", std::io::Error::from(e)))?;
        socket::send(socket, &bytes, fd.as_slice())
    }

    /// Waits for the next one; `None` when the other side is gone.
    pub(super) fn receive(socket: BorrowedFd<'_>) -> sys::Result<Option<(Self, Option<OwnedFd>)>> {
        let (bytes, mut fds) = socket::receive(socket)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let message = serde_json::from_slice(&bytes)
            .map_err(|e| sys::Error::new("parse", "message", std::io::Error::from(e)))?;
        Ok(Some((message, fds.pop())))
    }
}
