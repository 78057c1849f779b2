//! Reading what is sent: the signed query (sheet, section 2). Pure.

use md5::{Digest, Md5};

use super::answer::Failure;
use super::times::span;
use crate::faces::signing::hex;

/// The signature of a query as it is sent, without `signing` and the `&` before it: MD5 of the text with the key behind
/// it, in lower-case hex digits.
pub fn signing(text: &str, key: &str) -> String {
    hex(&Md5::new().chain_update(text).chain_update(key).finalize())
}

/// The signed text and its signature. None where `signing` is not the last parameter.
pub(super) fn cut(query: &str) -> Option<(&str, &str)> {
    query.rsplit_once("&signing=").filter(|(_, signature)| !signature.contains('&'))
}

/// The parameters.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn of(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// A parameter; an empty one is as if it were absent.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// A parameter that may be there several times.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let of_it = self.0.iter().filter(move |(known, value)| known == name && !value.is_empty());
        of_it.map(|(_, value)| value.as_str())
    }

    pub(super) fn first_name(&self) -> Option<&str> {
        self.0.first().map(|(name, _)| name.as_str())
    }

    /// Reads a parameter that may be absent.
    pub(super) fn read<T>(
        &self,
        name: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        let Some(text) = self.text(name) else { return Ok(None) };
        read(text).map(Some).ok_or_else(|| Failure::parameter(name))
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, Failure> {
        self.text(name).ok_or_else(|| Failure::parameter(name))
    }

    /// `0` or `1`.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Failure> {
        self.read(name, |text| match text {
            "0" => Some(false),
            "1" => Some(true),
            _ => None,
        })
    }

    /// Both ends of a span of seconds, where they are named.
    pub(super) fn updated(&self) -> Result<Span, Failure> {
        Ok((
            self.read("updated_at_fr", span)?.map(|(first, _)| first),
            self.read("updated_at_to", span)?.map(|(_, last)| last),
        ))
    }
}

type Span = (Option<chrono::DateTime<chrono::Utc>>, Option<chrono::DateTime<chrono::Utc>>);

/// An order's number; leading zeros may be missing.
pub(super) fn number(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_the_sheet() {
        for (text, digits) in [
            (
                "account=ill&item_code=090115-z-01&attribute1_name=S&attribute2_name=Black",
                "db075c0464bd9cd150a1b60e397d8fb4",
            ),
            ("account=ill&order_number=00252963", "301c951ccc061ab59b02b317b33f36a9"),
            ("account=ill&order_number=00252963&condition=0", "81b6e1a93469cdd06cd27c5cd22a17d6"),
            (
                "account=ill&updated_at_fr=2017-08-08+12:30:00&updated_at_to=2017-08-08+12:37:00",
                "2ae05d4ac685479425c81f887d4f374a",
            ),
        ] {
            assert_eq!(signing(text, "mXCTpnoA"), digits);
        }
    }

    #[test]
    fn the_signature_comes_last() {
        assert_eq!(cut("account=a&b=1&signing=00"), Some(("account=a&b=1", "00")));
        assert_eq!(cut("account=a&signing=00&b=1"), None);
        assert_eq!(cut("account=a"), None);
    }
}
