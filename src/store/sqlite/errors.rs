//! What SQLite's errors mean, and what to do about them.

use crate::error::{Error, ErrorKind, Retry};

/// SQLite's primary result codes that need different advice.
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const READ_ONLY: i32 = 8;
const IO: i32 = 10;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CANT_OPEN: i32 = 14;
const TOO_BIG: i32 = 18;
const NOT_A_DATABASE: i32 = 26;

/// An error of an operation on an open store.
pub(super) fn failed(error: &sqlx::Error) -> Error {
    let Some(code) = primary_code(error) else { return without_code(error) };
    let (retry, text) = match code {
        BUSY | LOCKED => {
            (Retry::Later, "another process holds the database locked; nothing was written, try again")
        }
        READ_ONLY => (
            Retry::Never,
            "the database can't be written to: check the permissions of the file and its folder",
        ),
        IO => (Retry::Later, "the disk failed to read or write: check it"),
        CORRUPT => {
            (Retry::Never, "the database file is damaged: stop, copy it away, and restore it from a backup")
        }
        FULL => (Retry::Later, "the disk or the database is full: make room; nothing was written"),
        CANT_OPEN => {
            (Retry::Never, "the database can't be opened: check that its folder exists and the permissions")
        }
        TOO_BIG => (Retry::Never, "a value is too large for the database"),
        NOT_A_DATABASE => {
            (Retry::Never, "the file is no SQLite database: choose another path, or restore it from a backup")
        }
        _ => (Retry::Later, "SQLite failed"),
    };
    // SQLite's own texts name tables and columns, never values.
    Error::new(ErrorKind::Store).with_code(format!("sqlite {code}")).with_message(text).with_retry(retry)
}

/// An error at opening: a path that can't be right is a wrong setting.
pub(super) fn unopened(error: &sqlx::Error, path: &std::path::Path) -> Error {
    let failed = failed(error);
    let kind = match primary_code(error) {
        Some(CANT_OPEN | NOT_A_DATABASE) => ErrorKind::Configuration,
        _ => ErrorKind::Store,
    };
    let text = format!("{}: {}", path.display(), failed.message().unwrap_or("SQLite failed"));
    Error::new(kind)
        .with_code(failed.code().unwrap_or("sqlite"))
        .with_message(text)
        .with_retry(failed.retry())
}

/// Whether another connection held a lock.
pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    matches!(primary_code(error), Some(BUSY | LOCKED))
}

/// A call on a store that was closed.
pub(super) fn closed() -> Error {
    Error::new(ErrorKind::Store).with_message("the store was closed").with_retry(Retry::Never)
}

fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let code: i32 = error.as_database_error()?.code()?.parse().ok()?;
    // The upper bytes tell a variant of the same code.
    Some(code & 0xff)
}

fn without_code(error: &sqlx::Error) -> Error {
    let error_of = |text: &str| Error::new(ErrorKind::Store).with_message(text);
    match error {
        sqlx::Error::PoolClosed => closed(),
        sqlx::Error::PoolTimedOut => error_of("all connections for reading are in use; try again"),
        sqlx::Error::WorkerCrashed => error_of("the database connection broke; the next call opens another"),
        other => error_of(&format!("the database can't be used: {other}")),
    }
}
