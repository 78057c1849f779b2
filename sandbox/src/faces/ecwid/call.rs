//! Reading what is sent: paths, queries, bodies. Pure.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde_json::{Map, Value};

use super::answer::Failure;

/// The parts of a path, decoded.
pub(super) fn segments(path: &str) -> Vec<String> {
    path.split('/').filter(|part| !part.is_empty()).map(decoded).collect()
}

fn decoded(part: &str) -> String {
    // In a path these stand for themselves.
    let plain = part.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(plain.as_bytes()).next().map(|(text, _)| text.into_owned()).unwrap_or_default()
}

/// A query string.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn of(text: Option<&str>) -> Self {
        Self(form_urlencoded::parse(text.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    /// A parameter; an empty one is as if it were absent.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    fn read<T>(&self, name: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Failure> {
        let Some(text) = self.text(name) else { return Ok(None) };
        read(text).map(Some).ok_or_else(|| Failure::wrong(format!("Wrong value of parameter '{name}'")))
    }

    pub(super) fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>, Failure> {
        self.read(name, |text| text.parse().ok())
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Failure> {
        self.number(name)
    }

    /// A time in Unix seconds.
    pub(super) fn time(&self, name: &str) -> Result<Option<i64>, Failure> {
        self.read(name, unix_seconds)
    }

    /// Words joined by commas.
    pub(super) fn list(&self, name: &str) -> Option<Vec<&str>> {
        self.text(name).map(|text| text.split(',').map(str::trim).filter(|word| !word.is_empty()).collect())
    }

    /// Rows to skip, and most rows of the page.
    pub(super) fn page(&self, most: usize) -> Result<(usize, usize), Failure> {
        let offset = self.number("offset")?.unwrap_or(0);
        let limit = self.number("limit")?.unwrap_or(most);
        Ok((offset, limit.min(most)))
    }
}

/// Reads the forms of the sheet's table "Hosts and transport". No zone means UTC.
fn unix_seconds(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    if let Ok(time) = DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S %z") {
        return Some(time.timestamp());
    }
    if let Ok(time) = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S") {
        return Some(time.and_utc().timestamp());
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp())
}

/// A time as rows show it beside its timestamp.
pub(super) fn date_text(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S +0000").to_string()
}

/// The object in a body.
pub(super) struct Body(Map<String, Value>);

impl Body {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Failure> {
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            _ => Err(Failure::wrong("The request body is not a JSON object")),
        }
    }

    /// A field; null is as if it were absent.
    fn field<'a, T>(
        &'a self,
        name: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        let Some(value) = self.0.get(name).filter(|value| !value.is_null()) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| Failure::wrong(format!("Wrong value of field '{name}'")))
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Failure> {
        self.field(name, |value| value.as_str().map(str::to_owned))
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Failure> {
        self.field(name, Value::as_bool)
    }

    /// A whole number of 32 bits, as the maker's client holds quantities.
    pub(super) fn whole(&self, name: &str) -> Result<Option<i64>, Failure> {
        self.field(name, |value| value.as_i64().filter(|&n| i32::try_from(n).is_ok()))
    }

    pub(super) fn list(&self, name: &str) -> Result<Option<&Vec<Value>>, Failure> {
        self.field(name, Value::as_array)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_form_of_the_sheet() {
        for text in
            ["1714541188", "2024-05-01 05:26:28 +0000", "2024-05-01 14:26:28 +0900", "2024-05-01 05:26:28"]
        {
            assert_eq!(unix_seconds(text), Some(1_714_541_188), "{text}");
        }
        assert_eq!(unix_seconds("2024-05-01"), Some(1_714_521_600));
        assert_eq!(unix_seconds("2024-05-01T05:26:28Z"), None);
    }

    #[test]
    fn path_segments_are_decoded() {
        assert_eq!(segments("/api/v3/1003/orders/A%2FB+1%20%26"), ["api", "v3", "1003", "orders", "A/B+1 &"]);
    }
}
