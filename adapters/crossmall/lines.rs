//! The lines of an order, with their SKUs (sheet 5).

use crate::channel::{Context, Operation};
use crate::error::{ErrorKind, Result};
use crate::model::{Line, Order, RawPayload};
use crate::xml::Element;

use super::Config;
use super::auth::{Api, Query};
use super::errors::Method;
use super::rows::{LineRow, line};
use super::variants;
use super::wire::{Envelope, text};

/// Most choices without stock of their own that a line has.
const MOST_CHOICES: usize = 20;

/// Why an order has no lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Missing {
    /// CROSS MALL does not show them.
    Withheld(String),
    /// One of them can't be read.
    Unreadable(&'static str),
}

/// A line, and what its SKU is looked up by.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) line: Line,
    /// `None`: it is not in the item master.
    item: Option<String>,
    codes: [String; 2],
}

pub(super) fn lines_query(order: &Order) -> Query {
    vec![("order_number", order.id.to_string())]
}

/// The lines in an answer of `get_order_detail`, and their rows as they came.
///
/// # Errors
/// `MalformedResponse` when the answer as a whole can't be read.
pub(super) fn lines_result(
    body: &[u8],
    order: &Order,
    config: &Config,
) -> Result<Result<(Vec<Shown>, String), Missing>> {
    let body = text(body);
    let rows = Envelope::read(&body)?.rows;
    if rows.is_empty() {
        return Ok(Err(Missing::Withheld("CROSS MALL shows no lines of the order".to_owned())));
    }
    let mut lines: Vec<Shown> = Vec::with_capacity(rows.len());
    for raw in &rows {
        let Ok(element) = Element::parse(raw) else {
            return Ok(Err(Missing::Unreadable("a line is no whole XML")));
        };
        match shown(&element, order, config) {
            Ok(new) if lines.iter().any(|known| known.line.id == new.line.id) => {
                return Ok(Err(Missing::Unreadable("two lines have the same number")));
            }
            Ok(new) => lines.push(new),
            Err(why) => return Ok(Err(Missing::Unreadable(why))),
        }
    }
    Ok(Ok((lines, rows.join("\n"))))
}

fn shown(element: &Element<'_>, order: &Order, config: &Config) -> Result<Shown, &'static str> {
    let row = LineRow::of(element);
    let line = line(&row, &choices(element), order, config)?;
    Ok(Shown { line, item: row.stocked_item().map(str::to_owned), codes: row.codes().map(str::to_owned) })
}

/// Choices in words: label and value.
fn choices(element: &Element<'_>) -> Vec<String> {
    let mut words = Vec::new();
    for n in 1..=MOST_CHOICES {
        let value = element.field(&format!("item_option{n}"));
        let label = element.field(&format!("item_option{n}_label"));
        match (label.is_empty(), value.is_empty()) {
            (_, true) => {}
            (true, false) => words.push(value.to_owned()),
            (false, false) => words.push(format!("{label}: {value}")),
        }
    }
    words
}

/// Reads the lines of an order into it. `row` is the order's own row: it is kept together with the lines' rows.
pub(super) async fn add_lines(
    api: &Api,
    cx: &Context,
    operation: Operation,
    order: &mut Order,
    row: &str,
) -> Result<Result<(), Missing>> {
    let answer = match api.call(cx, operation, Method::Lines, &lines_query(order)).await {
        Ok(answer) => answer,
        Err(error) if error.kind() == ErrorKind::Refused => {
            let said = error.message().unwrap_or("without a reason");
            return Ok(Err(Missing::Withheld(format!("CROSS MALL does not show the order's lines: {said}"))));
        }
        Err(error) => return Err(error),
    };
    let (lines, rows) = match lines_result(&answer.body, order, api.config())? {
        Ok(read) => read,
        Err(missing) => return Ok(Err(missing)),
    };
    order.lines.clear();
    for Shown { mut line, item, codes } in lines {
        if let Some(item) = item {
            let variants = variants::of_item(api, cx, operation, &item).await?;
            line.sku = variants::sku(&item, codes.each_ref().map(String::as_str), &variants);
        }
        order.lines.push(line);
    }
    order.raw = RawPayload::new(&format!("{row}\n{rows}"));
    Ok(Ok(()))
}
