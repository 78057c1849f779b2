//! Reading what channels answer, for adapters: numbers that come as texts, fields that are missing or `null`, broken
//! characters. Lenient in what is read; what can't be read is said, and nothing is guessed.
//!
//! ```
//! use sales_channels::lenient::Text;
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! #[serde(default)]
//! #[derive(Default)]
//! struct Row<'a> {
//!     #[serde(borrow)]
//!     id: Text<'a>,
//!     #[serde(borrow)]
//!     price: Text<'a>,
//!     #[serde(borrow)]
//!     note: Text<'a>,
//! }
//!
//! let row: Row<'_> = serde_json::from_str(r#"{"id": 123456789012345678, "price": "2480.00", "note": null}"#)?;
//! assert_eq!(&*row.id, "123456789012345678"); // no float is made of it
//! assert_eq!(row.price.decimal(), Some("2480.00".parse()?));
//! assert_eq!(row.note.filled(), None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use rust_decimal::Decimal;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde_json::value::RawValue;

use crate::error::Error;

/// A field that may come as a text, a number, `true`, `false` or `null`, or not at all: kept as it is written, without
/// quotes. Objects and arrays count as empty. Debug shows only its length: it can be personal data.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Text<'a>(Cow<'a, str>);

impl Text<'_> {
    /// The text without white space around it; `None` when nothing is left.
    pub fn filled(&self) -> Option<&str> {
        let text = self.0.trim();
        (!text.is_empty()).then_some(text)
    }

    /// A whole number; see [`integer`].
    pub fn integer(&self) -> Option<i64> {
        integer(&self.0)
    }

    /// An exact amount; see [`decimal`].
    pub fn decimal(&self) -> Option<Decimal> {
        decimal(&self.0)
    }

    /// Yes or no, as `true`, `"true"`, `1`, `"Y"` and their opposites; `None` for anything else.
    pub fn flag(&self) -> Option<bool> {
        match self.0.trim() {
            "true" | "TRUE" | "True" | "1" | "Y" | "y" => Some(true),
            "false" | "FALSE" | "False" | "0" | "N" | "n" => Some(false),
            _ => None,
        }
    }

    /// Whether it holds characters that were broken on the way.
    pub fn is_broken(&self) -> bool {
        self.0.contains('\u{FFFD}')
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[text, {} bytes]", self.0.len())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(|raw| Self(scalar(raw)))
    }
}

/// A value as text: a text without its quotes, a number as it is written, nothing for `null`, objects and arrays.
pub fn scalar(raw: &RawValue) -> Cow<'_, str> {
    let json = raw.get();
    match json.as_bytes().first() {
        Some(b'"') => {
            // As bytes, because emoji cut in half (`\ud83c` alone) are no valid text, and only this reading takes them.
            serde_json::Deserializer::from_str(json).deserialize_bytes(LooseText).unwrap_or_default()
        }
        None | Some(b'n' | b'{' | b'[') => Cow::Borrowed(""),
        Some(_) => Cow::Borrowed(json),
    }
}

struct LooseText;

impl<'de> Visitor<'de> for LooseText {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_bytes<E: de::Error>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
        Ok(String::from_utf8_lossy(bytes))
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        Ok(Cow::Owned(String::from_utf8_lossy(bytes).into_owned()))
    }
}

/// A body as text. Broken bytes become U+FFFD: they spoil the rows that they are in, not the page.
pub fn body_text(body: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(body)
}

/// A whole number, also as `3.0`, `"3"` or `" -10012 "`.
pub fn integer(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let number = decimal(text)?;
    if number.fract().is_zero() { i64::try_from(number.trunc()).ok() } else { None }
}

/// An exact amount, also with thousands separators. Never through a float.
pub fn decimal(text: &str) -> Option<Decimal> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let plain: Cow<'_, str> =
        if text.contains(',') { Cow::Owned(text.replace(',', "")) } else { Cow::Borrowed(text) };
    Decimal::from_str_exact(&plain).or_else(|_| Decimal::from_scientific(&plain)).ok()
}

/// Reads a JSON object into a struct. serde's derived structs read arrays too, and with `#[serde(default)]` the body
/// `[]` would become an empty answer: here it is an error.
///
/// # Errors
/// `MalformedResponse` when it is no object or does not fit; `what` names it.
pub fn object<'a, T: Deserialize<'a>>(what: &str, json: &'a str) -> crate::Result<T> {
    if !json.trim_start().starts_with('{') {
        return Err(Error::malformed(format!("{what} is not an object")));
    }
    serde_json::from_str(json).map_err(|error| unreadable(what, &error))
}

/// The error for JSON that can't be read. serde_json's own text can quote the answer, which holds personal data: only
/// the place is told.
pub fn unreadable(what: &str, error: &serde_json::Error) -> Error {
    Error::malformed(format!("{what} can't be read at line {}, column {}", error.line(), error.column()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str) -> String {
        serde_json::from_str::<Text<'_>>(json).map(|t| t.to_string()).unwrap_or_else(|e| e.to_string())
    }

    #[test]
    fn scalars_are_kept_as_they_are_written() {
        for (json, expected) in [
            ("\"2480.00\"", "2480.00"),
            ("2480.00", "2480.00"),
            ("123456789012345678", "123456789012345678"),
            ("null", ""),
            ("true", "true"),
            ("{\"a\": 1}", ""),
            ("[1]", ""),
            ("\"\\ud83c\\udf3f\"", "🌿"),
            ("\"\\u3042\\n\"", "あ\n"),
        ] {
            assert_eq!(text(json), expected, "{json}");
        }
        assert!(text("\"half \\ud83c\"").starts_with("half "), "half an emoji spoils nothing else");
    }

    #[test]
    fn an_array_is_not_an_empty_object() {
        #[derive(serde::Deserialize, Default, Debug)]
        #[serde(default)]
        struct Answer {
            rows: Vec<u8>,
        }
        assert_eq!(object::<Answer>("the answer", " {\"rows\": [1]}").map(|a| a.rows.len()).ok(), Some(1));
        for bad in ["[]", "[[1]]", "null", "", "{\"rows\": \"x\"}"] {
            assert!(object::<Answer>("the answer", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_are_exact_or_nothing() {
        assert_eq!(integer(" -10012 "), Some(-10012));
        assert_eq!(integer("3.0"), Some(3));
        assert_eq!(integer("3.5"), None);
        assert_eq!(integer("99999999999999999999"), None);
        assert_eq!(decimal("1,234.50").map(|d| d.to_string()).as_deref(), Some("1234.50"));
        assert_eq!(decimal("1e3"), Some(1000.into()));
        assert_eq!(decimal("abc"), None);
    }
}
