//! What became of each item of a batch.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// A channel's no, for one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Refusal {
    /// The channel's code.
    pub code: String,
    /// Its text, or ours.
    pub message: String,
    /// Whether the same request may be made again later.
    pub temporary: bool,
    /// Whether the order should be read again before anything else is done to it.
    pub reread: bool,
}

impl Refusal {
    /// A final no.
    pub fn new(code: impl ToString, message: impl ToString) -> Self {
        let clean =
            Error::new(ErrorKind::Refused).with_code(code.to_string()).with_message(message.to_string());
        Self {
            code: clean.code().unwrap_or_default().to_owned(),
            message: clean.message().unwrap_or_default().to_owned(),
            temporary: false,
            reread: false,
        }
    }

    /// It may work later.
    pub fn temporary(mut self) -> Self {
        self.temporary = true;
        self
    }

    /// The order is not in the state that was thought: read it.
    pub fn reread(mut self) -> Self {
        self.reread = true;
        self
    }
}

/// What became of one item.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Outcome<T> {
    /// Done now.
    Done(T),
    /// It was done before; nothing changed.
    AlreadyDone,
    /// The channel said no: nothing changed.
    Refused(Refusal),
    /// It was not tried: nothing changed.
    NotTried(Error),
    /// Nobody knows: read the order.
    Unknown(Error),
}

impl<T> Outcome<T> {
    /// Sorts an error of a whole call into an outcome of one of its items.
    pub fn from_error(error: &Error) -> Self {
        if error.outcome_unknown() {
            return Self::Unknown(error.clone());
        }
        match error.kind() {
            ErrorKind::Refused | ErrorKind::InvalidInput | ErrorKind::Unsupported | ErrorKind::NotFound => {
                let refusal = Refusal::new(error.code().unwrap_or(""), error.message().unwrap_or("refused"));
                Self::Refused(if error.is_temporary() { refusal.temporary() } else { refusal })
            }
            _ => Self::NotTried(error.clone()),
        }
    }

    /// Whether it is done, now or before.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done(_) | Self::AlreadyDone)
    }
}

/// Whether an operation may be repeated when its outcome is unknown. Declared beside each operation, with the
/// section of the channel's sheet that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// A second call changes nothing more (absolute values, idempotency keys, a code for "already").
    Safe,
    /// A second call could do it twice: read first.
    ReadFirst,
}
