//! Reading what Shopee answers: the envelope, lists, times, ids. No channel logic lives here.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::{Error, Result};
use crate::lenient::{Text, object, scalar, unreadable};

/// What every answer is wrapped in (sheet 4). Tokens and shops come beside the wrapper, not in `response`.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    /// Empty: success, whatever the HTTP status says. `None`: there is no such field.
    pub(super) error: Option<Cow<'a, str>>,
    pub(super) message: Cow<'a, str>,
    /// Names the call in the channel's own logs.
    pub(super) request_id: Cow<'a, str>,
    /// A text, or a list: rows that were left out, among others.
    pub(super) warning: Option<&'a RawValue>,
    pub(super) response: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireEnvelope<'a> {
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    request_id: Option<&'a RawValue>,
    #[serde(borrow)]
    warning: Option<&'a RawValue>,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    /// Reads an answer.
    ///
    /// # Errors
    /// `MalformedResponse` when it is no JSON object.
    pub(super) fn read(text: &'a str) -> Result<Self> {
        let wire: WireEnvelope<'a> = object("the answer", text)?;
        Ok(Self {
            error: wire.error.map(scalar),
            message: wire.message.map(scalar).unwrap_or_default(),
            request_id: wire.request_id.map(scalar).unwrap_or_default(),
            warning: wire.warning,
            response: wire.response,
        })
    }

    /// `response` as a type of ours.
    ///
    /// # Errors
    /// `MalformedResponse` when it is missing or of another shape.
    pub(super) fn response<T: Deserialize<'a>>(&self) -> Result<T> {
        let response = self
            .response
            .ok_or_else(|| Error::malformed("the answer says \"success\" and holds no response"))?;
        object("the response", response.get())
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

/// Rows of our own type.
///
/// # Errors
/// `MalformedResponse` when it is no list, or one of its rows can't be read.
pub(super) fn typed<'a, T: Deserialize<'a>>(list: Option<&'a RawValue>) -> Result<Vec<T>> {
    rows(list)?.into_iter().map(|raw| object("a row", raw.get())).collect()
}

/// A list of words or ids. One word that stands alone counts as a list of one.
pub(super) fn texts(list: Option<&RawValue>) -> Vec<String> {
    let Some(raw) = list else { return Vec::new() };
    let all = rows(Some(raw)).unwrap_or_else(|_| vec![raw]);
    let texts = all.into_iter().map(|raw| scalar(raw).trim().to_owned());
    texts.filter(|text| !text.is_empty()).collect()
}

/// Unix seconds; 0 stands for no time.
pub(super) fn time(text: &Text<'_>) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(text.integer().filter(|number| *number > 0)?, 0)
}

/// JSON text of a body.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|_| Error::invalid("the request can't be written as JSON"))
}

/// A number of pieces.
pub(super) fn pieces(text: &Text<'_>) -> Option<u32> {
    text.integer().and_then(|pieces| u32::try_from(pieces).ok())
}

/// Whether the channel has masked a text (sheet 8). It shows the rest with two or more stars.
pub(super) fn is_masked(text: &str) -> bool {
    text.contains("**") || text.trim() == "*"
}

/// A text that is there and not masked.
pub(super) fn shown<'t>(text: &'t Text<'_>) -> Option<&'t str> {
    text.filled().filter(|text| !is_masked(text))
}
