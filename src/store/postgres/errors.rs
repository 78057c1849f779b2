//! What PostgreSQL's errors mean, and what to do about them.

use crate::error::{Error, ErrorKind, Retry};

/// An error of an operation on an open store. PostgreSQL's own texts can quote values, which are personal data: only
/// the code is told.
pub(super) fn failed(error: &sqlx::Error) -> Error {
    let error_of = |text: &str, retry| Error::new(ErrorKind::Store).with_message(text).with_retry(retry);
    match error {
        sqlx::Error::Database(database) => {
            let code = database.code().unwrap_or_default();
            let (retry, text) = advice(&code);
            error_of(text, retry).with_code(format!("postgres {code}"))
        }
        sqlx::Error::PoolClosed => error_of("the store was closed", Retry::Never),
        sqlx::Error::PoolTimedOut => error_of(
            "no connection to the database within the time: it can't be reached, or all connections are in use",
            Retry::Later,
        ),
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
            error_of("the connection to the database broke; the next call opens another", Retry::Later)
        }
        sqlx::Error::Tls(_) => error_of("no secure connection to the database", Retry::Later),
        _ => error_of("the database can't be used", Retry::Later),
    }
}

/// What an SQLSTATE stands for.
fn advice(code: &str) -> (Retry, &'static str) {
    match code {
        "53100" => (Retry::Later, "the database's disk is full: make room; nothing was written"),
        "53300" => (Retry::Later, "the database has no connection left: lower PgOptions::connections"),
        "57P01" | "57P02" | "57P03" => (Retry::Later, "the database shuts down or starts; try again"),
        "25006" => (Retry::Later, "the database takes no writes: is it a standby?"),
        "42501" => (Retry::Never, "the user may not do this in the schema sales_channels: grant it"),
        "42P01" | "3F000" => (Retry::Never, "a table of the schema sales_channels is gone: restore it"),
        "54000" => (Retry::Never, "a value is too long for the database's index"),
        code if code.starts_with("40") || code == "55P03" => {
            (Retry::Later, "another transaction was in the way; nothing was written")
        }
        code if code.starts_with("08") => {
            (Retry::Later, "the connection to the database broke; the next call opens another")
        }
        code if code.starts_with("28") => (Retry::Never, "the database does not accept user and password"),
        code if code.starts_with("53") => (Retry::Later, "the database is out of resources"),
        _ => (Retry::Later, "PostgreSQL failed"),
    }
}

/// An error at connecting: what can't be right is a wrong setting.
pub(super) fn unopened(error: &sqlx::Error) -> Error {
    let wrong = |text: &str| Error::new(ErrorKind::Configuration).with_message(text).with_retry(Retry::Never);
    let code = error.as_database_error().and_then(|database| database.code()).unwrap_or_default();
    match (error, &*code) {
        (sqlx::Error::Configuration(_), _) => wrong("the address of the database can't be read"),
        (_, "3D000") => wrong("the database that the address names does not exist: make it with createdb"),
        (_, "42501") => {
            wrong("the user may not make the schema sales_channels: grant CREATE on the database")
        }
        (_, code) if code.starts_with("28") => wrong("the database does not accept user and password"),
        _ => failed(error),
    }
}
