//! A call as it came in (sheet section 3). Pure: everything is told from the request.

use std::collections::HashMap;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

use super::wording::utc;
use crate::RequestHead;

/// Where the API is on its host.
pub(crate) const BASE_PATH: &str = "/GMKT.INC.Front.QAPIService/ebayjapan.qapi";

/// A call with its parameters.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Call {
    /// `<Service>.<Method>`, from the path or the parameter `method`.
    pub(crate) method: Option<String>,
    /// Header `GiosisCertificationKey`.
    pub(crate) key: Option<String>,
    /// Header `QAPIVersion`.
    pub(crate) version: Option<String>,
    params: HashMap<String, String>,
}

impl Call {
    /// None for a path that is not the API's.
    pub(crate) fn parse(head: &RequestHead<'_>, body: &[u8]) -> Option<Self> {
        let rest = head.uri.path().strip_prefix(BASE_PATH)?;
        let in_path = match rest.strip_prefix('/') {
            Some(method) if !method.is_empty() => Some(method.to_owned()),
            Some(_) => None,
            None if rest.is_empty() => None,
            None => return None,
        };
        let mut params = HashMap::new();
        collect(&mut params, head.uri.query().unwrap_or_default().as_bytes());
        let kind = header(head, "content-type").unwrap_or_default();
        if kind
            .split(';')
            .next()
            .is_some_and(|k| k.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
        {
            collect(&mut params, body);
        }
        let method = in_path.or_else(|| params.get("method").cloned());
        let version = header(head, "qapiversion");
        Some(Self { method, key: header(head, "giosiscertificationkey"), version, params })
    }

    /// Whether JSON is asked for. Without that the API speaks XML.
    pub(crate) fn wants_json(&self) -> bool {
        matches!(self.text("returnType"), "application/json" | "json")
    }

    /// A parameter that was sent, be it empty.
    pub(crate) fn sent(&self, name: &str) -> Option<&str> {
        self.params.get(name).map(String::as_str)
    }

    /// A parameter; empty when it was not sent.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.sent(name).unwrap_or_default()
    }

    /// The times between two date parameters, both inclusive to the second; a bare end date is its whole day.
    /// None when one is missing or no date, or when they run backwards.
    pub(crate) fn window(&self, start: &str, end: &str) -> Option<Window> {
        let from = moment(self.text(start), NaiveTime::MIN)?;
        let last = moment(self.text(end), NaiveTime::from_hms_opt(23, 59, 59)?)?;
        (from <= last).then(|| Window { from: utc(from), until: utc(last) + TimeDelta::seconds(1) })
    }
}

fn header(head: &RequestHead<'_>, name: &str) -> Option<String> {
    head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn collect(params: &mut HashMap<String, String>, form: &[u8]) {
    params.extend(form_urlencoded::parse(form).into_owned());
}

/// Times from (inclusive) until (exclusive).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) from: DateTime<Utc>,
    pub(crate) until: DateTime<Utc>,
}

impl Window {
    pub(crate) fn holds(&self, time: Option<DateTime<Utc>>) -> bool {
        time.is_some_and(|time| self.from <= time && time < self.until)
    }

    /// Whether it is longer than so many days.
    pub(crate) fn exceeds(&self, days: u64) -> bool {
        self.from.checked_add_days(Days::new(days)).is_some_and(|end| self.until > end)
    }
}

/// `yyyyMMdd` or `yyyyMMddHHmmss`, in Japanese time.
fn moment(text: &str, time_of_bare_date: NaiveTime) -> Option<NaiveDateTime> {
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    match text.len() {
        8 => Some(day(text)?.and_time(time_of_bare_date)),
        14 => {
            let (date, time) = text.split_at(8);
            Some(day(date)?.and_time(NaiveTime::parse_from_str(time, "%H%M%S").ok()?))
        }
        _ => None,
    }
}

/// `yyyyMMdd`.
pub(crate) fn day(text: &str) -> Option<NaiveDate> {
    (text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| NaiveDate::parse_from_str(text, "%Y%m%d").ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, Method, Uri};

    use super::*;

    fn parse(uri: &str, body: &str) -> Option<Call> {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "application/x-www-form-urlencoded; charset=UTF-8".parse().unwrap());
        let uri: Uri = uri.parse().unwrap();
        Call::parse(&RequestHead { method: &Method::POST, uri: &uri, headers: &headers }, body.as_bytes())
    }

    #[test]
    fn the_method_stands_in_the_path_or_in_a_parameter() {
        let base = "http://h/GMKT.INC.Front.QAPIService/ebayjapan.qapi";
        for (uri, body) in
            [(format!("{base}/A.B"), ""), (format!("{base}?method=A.B"), ""), (base.to_owned(), "method=A.B")]
        {
            assert_eq!(parse(&uri, body).unwrap().method.as_deref(), Some("A.B"), "{uri}");
        }
        assert_eq!(parse(base, "").unwrap().method, None);
        assert_eq!(parse("http://h/other", ""), None);
        assert_eq!(parse(&format!("{base}x"), ""), None);
    }

    #[test]
    fn windows_hold_their_last_second_and_bare_days_are_whole() {
        let window = |start: &str, end: &str| {
            parse(BASE_PATH, &format!("s={start}&e={end}"))
                .unwrap()
                .window("s", "e")
                .map(|w| (w.until - w.from).num_seconds())
        };
        assert_eq!(window("20261120100000", "20261120100000"), Some(1));
        assert_eq!(window("20261120", "20261120"), Some(86_400));
        assert_eq!(window("20261120100000", "20261120"), Some(14 * 3600));
        for (start, end) in
            [("20261121", "20261120"), ("", "20261120"), ("2026-11-20", "20261120"), ("20261320", "20261321")]
        {
            assert_eq!(window(start, end), None, "{start} {end}");
        }
    }
}
