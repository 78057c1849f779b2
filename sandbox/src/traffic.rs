//! What was received: counters by operation, and the last requests as they came.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{RequestHead, lock};

/// How many requests are kept.
const KEPT: usize = 500;

/// Counters of one operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct OperationCount {
    /// Requests that came in.
    pub received: u64,
    /// Requests that reached the API. The rest met a fault or the rate limit before.
    pub handled: u64,
}

/// A request as it came in.
#[derive(Debug, Clone, Serialize)]
pub struct ReceivedRequest {
    /// Counts from 1, per face.
    pub seq: u64,
    /// When, on the sandbox's clock.
    pub at: DateTime<Utc>,
    /// The operation, as the face names it.
    pub operation: String,
    /// The HTTP method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Headers, names in lower case, in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub body: String,
    /// The fault that it met, if any.
    pub fault: Option<String>,
}

impl ReceivedRequest {
    /// A header's value; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Debug, Default)]
pub(crate) struct Traffic(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    counts: BTreeMap<String, OperationCount>,
    last: VecDeque<ReceivedRequest>,
    seq: u64,
}

impl Traffic {
    pub(crate) fn received(
        &self,
        at: DateTime<Utc>,
        operation: &str,
        head: &RequestHead<'_>,
        body: &[u8],
        fault: Option<String>,
    ) {
        let mut seen = lock(&self.0);
        seen.counts.entry(operation.to_owned()).or_default().received += 1;
        seen.seq += 1;
        if seen.last.len() == KEPT {
            seen.last.pop_front();
        }
        let request = ReceivedRequest {
            seq: seen.seq,
            at,
            operation: operation.to_owned(),
            method: head.method.to_string(),
            target: head.uri.to_string(),
            headers: texts(head.headers),
            body: String::from_utf8_lossy(body).into_owned(),
            fault,
        };
        seen.last.push_back(request);
    }

    pub(crate) fn handled(&self, operation: &str) {
        lock(&self.0).counts.entry(operation.to_owned()).or_default().handled += 1;
    }

    pub(crate) fn counts(&self) -> BTreeMap<String, OperationCount> {
        lock(&self.0).counts.clone()
    }

    pub(crate) fn last(&self) -> Vec<ReceivedRequest> {
        lock(&self.0).last.iter().cloned().collect()
    }

    pub(crate) fn reset(&self) {
        *lock(&self.0) = Seen::default();
    }
}

fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}
