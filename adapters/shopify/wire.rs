//! What every GraphQL answer is wrapped in (sheet 3). No channel logic lives here.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use rust_decimal::prelude::ToPrimitive;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::documents::Document;
use crate::error::{Error, Result};
use crate::lenient::{Text, scalar, unreadable};

/// Beyond this a computed wait is taken for a mistake of the answer.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(300);

#[derive(Deserialize)]
struct WireAnswer<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    errors: Option<&'a RawValue>,
    #[serde(borrow)]
    extensions: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireError<'a> {
    #[serde(borrow)]
    message: Text<'a>,
    #[serde(borrow)]
    path: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    extensions: Option<WireErrorExtensions<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireErrorExtensions<'a> {
    #[serde(borrow)]
    code: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireExtensions<'a> {
    #[serde(borrow)]
    cost: Option<&'a RawValue>,
    #[serde(borrow)]
    search: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct WireCost<'a> {
    #[serde(borrow)]
    requested_query_cost: Text<'a>,
    #[serde(borrow)]
    throttle_status: Option<WireThrottle<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct WireThrottle<'a> {
    #[serde(borrow)]
    currently_available: Text<'a>,
    #[serde(borrow)]
    restore_rate: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireSearch<'a> {
    #[serde(borrow)]
    warnings: Option<Vec<WireWarning<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireWarning<'a> {
    #[serde(borrow)]
    field: Text<'a>,
}

/// A top-level error of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct GraphqlError {
    /// `extensions.code`; empty: none.
    pub(super) code: String,
    /// Its text.
    pub(super) message: String,
    /// Where in `data` something is missing for it.
    pub(super) path: Vec<String>,
}

/// What a call cost and what is left, in points (sheet 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cost {
    /// What the call needs to be let in.
    pub(super) requested: u64,
    /// What is in the bucket now.
    pub(super) available: u64,
    /// What comes back per second, at least 1.
    pub(super) restore: u64,
}

impl Cost {
    /// How long until the same call would be let in; zero: now.
    pub(super) fn wait(self) -> Duration {
        let missing = self.requested.saturating_sub(self.available);
        let millis = missing.saturating_mul(1000).div_ceil(self.restore.max(1));
        Duration::from_millis(millis).min(LONGEST_WAIT)
    }
}

/// An answer, taken apart. Its parts are still text.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    data: BTreeMap<Cow<'a, str>, Option<&'a RawValue>>,
    /// Top-level errors.
    pub(super) errors: Vec<GraphqlError>,
    /// Cost, where it is told.
    pub(super) cost: Option<Cost>,
    /// Terms of a search that the channel ignored.
    pub(super) ignored_terms: Vec<String>,
}

impl<'a> Answer<'a> {
    /// Takes an answer apart.
    ///
    /// # Errors
    /// `MalformedResponse` when it is no JSON object.
    pub(super) fn read(text: &'a str) -> Result<Self> {
        let wire: WireAnswer<'a> = serde_json::from_str(text).map_err(|e| unreadable("the answer", &e))?;
        let data = match wire.data {
            Some(raw) => serde_json::from_str(raw.get()).map_err(|e| unreadable("data", &e))?,
            None => BTreeMap::new(),
        };
        let extensions =
            wire.extensions.and_then(|raw| serde_json::from_str::<WireExtensions<'_>>(raw.get()).ok());
        let extensions = extensions.unwrap_or_default();
        Ok(Self {
            data,
            errors: wire.errors.map(errors).unwrap_or_default(),
            cost: extensions.cost.and_then(cost),
            ignored_terms: extensions.search.map(ignored_terms).unwrap_or_default(),
        })
    }

    /// A field of `data` that is there and not `null`.
    pub(super) fn field(&self, name: &str) -> Option<&'a RawValue> {
        self.data.get(name).copied().flatten()
    }

    /// The field that answers a document, read.
    ///
    /// # Errors
    /// `MalformedResponse` when it is missing or can't be read.
    pub(super) fn root<T: Deserialize<'a>>(&self, document: &Document) -> Result<T> {
        let raw = self
            .field(document.root)
            .ok_or_else(|| Error::malformed(format!("the answer has no {}", document.root)))?;
        serde_json::from_str(raw.get()).map_err(|e| unreadable(document.root, &e))
    }

    /// Whether the field `name`, of the row at `index` where there are several, is missing because the app has no
    /// access to it.
    pub(super) fn is_denied(&self, name: &str, index: Option<usize>) -> bool {
        let index = index.map(|index| index.to_string());
        self.errors.iter().any(|error| {
            error.code == super::errors::ACCESS_DENIED
                && error.path.iter().any(|step| step == name)
                && index.as_ref().is_none_or(|index| error.path.contains(index))
        })
    }
}

/// Errors: usually a list, from the gateway a text.
fn errors(raw: &RawValue) -> Vec<GraphqlError> {
    if let Ok(list) = serde_json::from_str::<Vec<WireError<'_>>>(raw.get()) {
        return list.into_iter().map(graphql_error).collect();
    }
    let message = scalar(raw).trim().to_owned();
    vec![GraphqlError { message, ..GraphqlError::default() }]
}

fn graphql_error(wire: WireError<'_>) -> GraphqlError {
    GraphqlError {
        code: wire.extensions.map(|e| e.code.trim().to_owned()).unwrap_or_default(),
        message: wire.message.trim().to_owned(),
        path: wire.path.unwrap_or_default().into_iter().map(|step| scalar(step).into_owned()).collect(),
    }
}

fn cost(raw: &RawValue) -> Option<Cost> {
    let wire: WireCost<'_> = serde_json::from_str(raw.get()).ok()?;
    let throttle = wire.throttle_status?;
    let points = |text: &Text<'_>| text.decimal()?.to_u64();
    Some(Cost {
        requested: points(&wire.requested_query_cost)?,
        available: points(&throttle.currently_available).unwrap_or(0),
        restore: points(&throttle.restore_rate)?.max(1),
    })
}

fn ignored_terms(raw: &RawValue) -> Vec<String> {
    let searches: Vec<WireSearch<'_>> = serde_json::from_str(raw.get()).unwrap_or_default();
    let warnings = searches.into_iter().flat_map(|search| search.warnings.unwrap_or_default());
    warnings.map(|warning| warning.field.trim().to_owned()).collect()
}

/// A page of a connection, its rows still text. A row can be `null` where only a part of the data came.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Connection<'a> {
    #[serde(borrow)]
    page_info: Option<PageInfo<'a>>,
    #[serde(borrow)]
    pub(super) nodes: Option<Vec<Option<&'a RawValue>>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct PageInfo<'a> {
    #[serde(borrow)]
    has_next_page: Text<'a>,
    #[serde(borrow)]
    end_cursor: Text<'a>,
}

impl Connection<'_> {
    /// Where it goes on; `None`: the channel says that there is no more.
    ///
    /// # Errors
    /// `MalformedResponse` when the channel does not say, or says that there is more and not where.
    pub(super) fn next(&self) -> Result<Option<String>> {
        let untold = || Error::malformed("the answer does not say whether there is more");
        let info = self.page_info.as_ref().ok_or_else(untold)?;
        match (info.has_next_page.flag(), info.end_cursor.filled()) {
            (Some(false), _) => Ok(None),
            (Some(true), Some(cursor)) => Ok(Some(cursor.to_owned())),
            _ => Err(untold()),
        }
    }
}

/// A refusal inside the payload of a mutation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UserError {
    /// Its code; empty: the mutation has none.
    pub(super) code: String,
    /// The path of the input that it is about.
    pub(super) field: Vec<String>,
    /// Its text.
    pub(super) message: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireUserError<'a> {
    #[serde(borrow)]
    code: Text<'a>,
    #[serde(borrow)]
    field: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    message: Text<'a>,
}

/// The user errors of a payload.
///
/// # Errors
/// `MalformedResponse` when they are missing or can't be read: then nothing says that it was done.
pub(super) fn user_errors(raw: Option<&RawValue>) -> Result<Vec<UserError>> {
    let raw = raw.ok_or_else(|| Error::malformed("the answer has no user errors"))?;
    let wire: Vec<WireUserError<'_>> =
        serde_json::from_str(raw.get()).map_err(|e| unreadable("user errors", &e))?;
    Ok(wire
        .into_iter()
        .map(|error| UserError {
            code: error.code.trim().to_owned(),
            field: error.field.unwrap_or_default().into_iter().map(|s| scalar(s).into_owned()).collect(),
            message: error.message.trim().to_owned(),
        })
        .collect())
}
