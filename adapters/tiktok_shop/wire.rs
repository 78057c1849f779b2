//! Reading what TikTok Shop answers: the envelope, lists, times. No channel logic lives here.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::{Error, Result};
use crate::lenient::{Text, integer, object, scalar, unreadable};

/// What every answer is wrapped in (sheet 3).
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    /// 0: success.
    pub(super) code: i64,
    pub(super) message: Cow<'a, str>,
    /// Names the call in the channel's own logs.
    pub(super) request_id: Cow<'a, str>,
    pub(super) data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireEnvelope<'a> {
    #[serde(borrow)]
    code: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    request_id: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    /// Reads an answer.
    ///
    /// # Errors
    /// `MalformedResponse` when it is no JSON object or has no code: nothing may be concluded from it.
    pub(super) fn read(text: &'a str) -> Result<Self> {
        let wire: WireEnvelope<'a> = object("the answer", text)?;
        let code = wire.code.map(scalar).and_then(|code| integer(&code));
        Ok(Self {
            code: code.ok_or_else(|| Error::malformed("the answer has no code"))?,
            message: wire.message.map(scalar).unwrap_or_default(),
            request_id: wire.request_id.map(scalar).unwrap_or_default(),
            data: wire.data,
        })
    }

    /// `data` as a type of ours.
    ///
    /// # Errors
    /// `MalformedResponse` when it is missing or of another shape.
    pub(super) fn data<T: Deserialize<'a>>(&self) -> Result<T> {
        let data =
            self.data.ok_or_else(|| Error::malformed("the answer says \"success\" and holds no data"))?;
        object("the data of the answer", data.get())
    }
}

/// The rows of a list, each as it came; a list that is missing is empty.
///
/// # Errors
/// `MalformedResponse` when it is no list.
pub(super) fn rows(list: Option<&RawValue>) -> Result<Vec<&RawValue>> {
    match list {
        None => Ok(Vec::new()),
        Some(raw) => serde_json::from_str(raw.get()).map_err(|e| unreadable("a list of the answer", &e)),
    }
}

/// Rows of our own type; rows that can't be read are passed over. Only for lists in which a hole does no harm.
pub(super) fn readable<'a, T: Deserialize<'a>>(list: Option<&'a RawValue>) -> Vec<T> {
    let rows = rows(list).unwrap_or_default();
    rows.into_iter().filter_map(|raw| object("a row", raw.get()).ok()).collect()
}

/// A list of ids.
pub(super) fn texts(list: Option<&RawValue>) -> Vec<String> {
    let rows = rows(list).unwrap_or_default();
    let texts = rows.into_iter().map(|raw| scalar(raw).trim().to_owned());
    texts.filter(|text| !text.is_empty()).collect()
}

/// Unix seconds; 0 stands for no time. Milliseconds are recognised by their size.
pub(super) fn time(text: &Text<'_>) -> Option<DateTime<Utc>> {
    let number = text.integer().filter(|number| *number > 0)?;
    let seconds = if number > 100_000_000_000 { number / 1000 } else { number };
    DateTime::from_timestamp(seconds, 0)
}

/// JSON text of a body.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|_| Error::invalid("the request can't be written as JSON"))
}

/// An id as a part of a path. Ids are made of digits and letters: anything else could lead to another address.
///
/// # Errors
/// `InvalidInput` when it is something else.
pub(super) fn segment(id: &str) -> Result<&str> {
    let fits = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if fits { Ok(id) } else { Err(Error::invalid("an id has characters that no id of TikTok Shop has")) }
}
