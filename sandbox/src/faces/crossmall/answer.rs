//! Answers (sheet, section 3). There are no error codes, only texts: most of them are assumed.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::settings::{Quotes, Settings, TotalOf};
use crate::faces::xml::Element;

/// Stands for a character that XML forbids, and is put in its place when the document is written.
pub(super) const FORBIDDEN: char = '\u{F8FF}';

/// The fields of one `Result`.
pub(super) type Row = Vec<Element>;

/// The rows of an answer.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
    /// How many there are in all.
    pub(super) available: usize,
}

impl Rows {
    pub(super) fn of(rows: Vec<Row>) -> Self {
        let available = rows.len();
        Self { rows, available }
    }
}

/// What a call gives, or why not.
pub(super) type Outcome = Result<Rows, Failure>;

/// A refusal with its text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failure {
    status: StatusCode,
    message: String,
}

impl Failure {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { status: StatusCode::OK, message: message.into() }
    }

    pub(super) fn with_status(self, status: u16) -> Self {
        Self { status: StatusCode::from_u16(status).unwrap_or(StatusCode::OK), ..self }
    }

    pub(super) fn parameter(name: &str) -> Self {
        Self::new(format!("パラメータが正しくありません。({name})"))
    }

    /// The one text that a client knows.
    pub(super) fn no_such_item() -> Self {
        Self::new("商品コードが見つかりません。")
    }

    pub(super) fn no_such_order() -> Self {
        Self::new("管理番号が見つかりません。")
    }

    pub(super) fn bundled() -> Self {
        Self::new("同梱された注文は処理できません。")
    }
}

/// `get_order` as `GetOrder`.
fn root_of(method: &str) -> String {
    let words = method.split('_').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_uppercase() + rest
    });
    words.collect()
}

/// The whole answer.
pub(super) fn response(method: &str, outcome: Outcome, settings: &Settings) -> Response {
    let (status, word, message, rows) = match outcome {
        Ok(rows) => (StatusCode::OK, "success", String::new(), rows),
        Err(failure) => (failure.status, "error", failure.message, Rows::default()),
    };
    let tag = if method.starts_with("upd_") { "UpdStatus" } else { "GetStatus" };
    let mut state = Element::new("ResultStatus").child(Element::text(tag, word));
    if !(message.is_empty() && settings.without_message) {
        state = state.child(Element::text("Message", message));
    }
    let total = match settings.total {
        TotalOf::Page => rows.rows.len(),
        TotalOf::All => rows.available,
    };
    let results = rows.rows.into_iter().enumerate();
    let results = results.map(|(at, fields)| Element::new("Result").attribute("No", at + 1).children(fields));
    let set = Element::new("ResultSet").attribute("TotalResult", total).child(state).children(results);
    let document = Element::new(root_of(method)).attribute("version", "1.0").child(set).document();
    let document = document.replace(FORBIDDEN, "\u{1}");
    let document = match settings.quotes {
        Quotes::Single => single_quoted(&document),
        Quotes::Double => document,
    };
    (status, [(header::CONTENT_TYPE, "text/xml; charset=UTF-8")], document).into_response()
}

/// Puts the numbers of rows into single quotes, as the example has them. Texts can't hold the mark: they are escaped.
fn single_quoted(document: &str) -> String {
    let mut parts = document.split("<Result No=\"");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str("<Result No='");
        out.push_str(&part.replacen('"', "'", 1));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_made_of_the_names_of_calls() {
        assert_eq!(root_of("get_order_detail"), "GetOrderDetail");
        assert_eq!(root_of("upd_order_phase"), "UpdOrderPhase");
        assert_eq!(root_of(""), "");
    }

    #[test]
    fn only_the_numbers_of_rows_get_single_quotes() {
        let text = r#"<ResultSet TotalResult="1"><Result No="1"><a>&lt;Result No=&quot;</a></Result>"#;
        let changed = r#"<ResultSet TotalResult="1"><Result No='1'><a>&lt;Result No=&quot;</a></Result>"#;
        assert_eq!(single_quoted(text), changed);
    }
}
