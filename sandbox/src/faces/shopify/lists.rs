//! The lists of orders, variants and locations: search, sort, page.

use std::rc::Rc;

use apollo_compiler::resolvers::FieldError;
use serde_json::{Value, json};

use super::book::{self, Book};
use super::desk::Visit;
use super::node::{Node, Page, Paging, bad_cursor, coded, cursor, read_cursor};
use super::order_nodes::{is_visible, name, order_node};
use super::search::{Comparison, Term, any_fits, parse};
use super::{ids, product_nodes};
use crate::market::{Item, MarketState, OptionId, Order};

/// So many objects can be reached by paging.
const MOST_REACHED: u64 = 25_000;

/// A row of a list before it becomes a node: what it is sorted by, its number, and what it is.
type Row<T> = (String, u64, T);

/// One page of rows, as nodes.
fn page<T>(
    visit: &Visit<'_>,
    kind: &str,
    mut rows: Vec<Row<T>>,
    arguments: &Value,
    node: impl Fn(&T) -> Option<Node>,
) -> Result<Page, FieldError> {
    let paging = Paging::read(arguments)?;
    rows.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    let reversed = arguments.get("reverse").and_then(Value::as_bool).unwrap_or(false);
    if reversed {
        rows.reverse();
    }
    let place = |cursor: Option<&str>| cursor.map(read_place).transpose();
    let (after, before) = (place(paging.after)?, place(paging.before)?);
    let later = |row: &Row<T>, than: &Place| {
        let order = (&*row.0, row.1).cmp(&(&*than.value, than.id));
        if reversed { order.is_lt() } else { order.is_gt() }
    };
    let earlier = |row: &Row<T>, than: &Place| {
        let order = (&*row.0, row.1).cmp(&(&*than.value, than.id));
        if reversed { order.is_gt() } else { order.is_lt() }
    };
    let seen = after.as_ref().map_or(0, |after| after.seen);
    if visit.settings.limited && seen >= MOST_REACHED {
        let text = format!("Cannot page past {MOST_REACHED} objects.");
        return Err(coded("BAD_REQUEST", text));
    }
    let all = rows.len();
    let rows: Vec<Row<T>> = rows
        .into_iter()
        .filter(|row| after.as_ref().is_none_or(|after| later(row, after)))
        .filter(|row| before.as_ref().is_none_or(|before| earlier(row, before)))
        .collect();
    let skipped = after.is_some() && rows.len() < all;
    // One more than are shown tells whether there is a next page; the others need not become nodes.
    let wanted = paging.rows.min(visit.settings.page_size) + 1;
    let from = if paging.from_end { rows.len().saturating_sub(wanted) } else { 0 };
    let shown = rows.iter().skip(from).take(wanted).enumerate().filter_map(|(at, (value, id, row))| {
        let place = json!({ "last_id": id, "last_value": value, "seen": seen + at as u64 + 1 });
        Some((cursor(&place), Rc::new(node(row)?)))
    });
    Ok(Page::of(kind, shown.collect(), skipped, &paging, visit.settings.page_size))
}

struct Place {
    value: String,
    id: u64,
    seen: u64,
}

fn read_place(text: &str) -> Result<Place, FieldError> {
    let read = || {
        let cursor = read_cursor(text)?;
        let value = cursor.get("last_value")?.as_str()?.to_owned();
        let id = cursor.get("last_id")?.as_u64()?;
        Some(Place { value, id, seen: cursor.get("seen").and_then(Value::as_u64).unwrap_or(0) })
    };
    read().ok_or_else(bad_cursor)
}

/// The terms of the argument `query`. Those that can't be used are dropped, with a warning.
fn terms(
    visit: &Visit<'_>,
    path: &str,
    arguments: &Value,
    check: impl Fn(&Term) -> Option<&'static str>,
) -> Vec<Term> {
    let query = arguments.get("query").and_then(Value::as_str).unwrap_or_default();
    let (mut used, mut warnings) = (Vec::new(), Vec::new());
    for term in parse(query) {
        match if term.is_or() { None } else { check(&term) } {
            None => used.push(term),
            Some(code) => {
                let message = match code {
                    "invalid_field" => "Invalid search field for this query.",
                    _ => "Input is not valid for this search field.",
                };
                warnings.push(json!({ "field": term.field, "message": message, "code": code }));
            }
        }
    }
    if !warnings.is_empty() {
        let search = json!({ "path": [path], "query": query, "warnings": warnings });
        visit.warnings.borrow_mut().push(search);
    }
    used
}

const ORDER_STATES: &[&str] = &["open", "closed", "cancelled", "not_closed", "any"];
const FINANCIAL_STATES: &[&str] = &[
    "authorized",
    "expired",
    "paid",
    "partially_paid",
    "partially_refunded",
    "pending",
    "refunded",
    "voided",
];
const FULFILLMENT_STATES: &[&str] = &[
    "unfulfilled",
    "unshipped",
    "partial",
    "fulfilled",
    "shipped",
    "on_hold",
    "scheduled",
    "in_progress",
    "open",
    "pending_fulfillment",
    "request_declined",
    "restocked",
];

fn check_order_term(term: &Term) -> Option<&'static str> {
    let one_of = |values: &[&str]| (!values.contains(&&*term.value)).then_some("invalid_value");
    match term.field.as_str() {
        "" | "name" | "sku" => None,
        "created_at" | "updated_at" | "processed_at" => {
            term.fits_time(chrono::DateTime::UNIX_EPOCH).is_none().then_some("invalid_value")
        }
        "id" => term.fits_number(0).is_none().then_some("invalid_value"),
        "status" => one_of(ORDER_STATES),
        "financial_status" => one_of(FINANCIAL_STATES),
        "fulfillment_status" => one_of(FULFILLMENT_STATES),
        "test" => one_of(&["true", "false"]),
        _ => Some("invalid_field"),
    }
}

pub(super) fn orders(visit: &Visit<'_>, arguments: &Value) -> Result<Page, FieldError> {
    let terms = terms(visit, "orders", arguments, check_order_term);
    let sort = arguments.get("sortKey").and_then(Value::as_str).unwrap_or("PROCESSED_AT");
    let book = visit.book();
    visit.market().read(|state| {
        let rows = state.orders().iter().filter(|order| is_visible(visit, order));
        let rows = rows
            .filter(|order| any_fits(&terms, |term| order_fits(visit, &book, order, term)))
            .map(|order| (order_key(&book, order, sort), order.number.0, order));
        page(visit, "OrderConnection", rows.collect(), arguments, |order| {
            Some(order_node(visit, &book, state, order))
        })
    })
}

fn order_key(book: &Book, order: &Order, sort: &str) -> String {
    let micros = |time: chrono::DateTime<chrono::Utc>| format!("{:020}", time.timestamp_micros());
    match sort {
        "UPDATED_AT" => micros(book::updated_at(order, &book.page(order.number))),
        "CREATED_AT" | "PROCESSED_AT" => micros(order.ordered_at),
        "CUSTOMER_NAME" => order.buyer.name.clone(),
        // The others are by number, too.
        _ => String::new(),
    }
}

fn order_fits(visit: &Visit<'_>, book: &Book, order: &Order, term: &Term) -> bool {
    let page = || book.page(order.number);
    match term.field.as_str() {
        "" => name(order).contains(&term.value),
        "name" => name(order) == term.value || order.number.to_string() == term.value,
        "sku" => {
            order.lines.iter().any(|line| line.option_sku == term.value || line.seller_code == term.value)
        }
        "id" => i64::try_from(order.number.0).ok().and_then(|id| term.fits_number(id)).unwrap_or(false),
        "created_at" | "processed_at" => term.fits_time(order.ordered_at).unwrap_or(false),
        "updated_at" => term.fits_time(book::updated_at(order, &page())).unwrap_or(false),
        "test" => page().test.to_string() == term.value,
        "status" => state_fits(order, &page(), &term.value),
        "financial_status" => book::financial_status(order, &page()).to_lowercase() == term.value,
        "fulfillment_status" => {
            let status = book::display_status(book, order, &page(), visit.now);
            match term.value.as_str() {
                "unfulfilled" | "unshipped" => {
                    !matches!(status, "FULFILLED" | "PARTIALLY_FULFILLED" | "RESTOCKED")
                }
                "partial" => status == "PARTIALLY_FULFILLED",
                "fulfilled" | "shipped" => status == "FULFILLED",
                value => status.to_lowercase() == value,
            }
        }
        _ => true,
    }
}

fn state_fits(order: &Order, page: &book::Page, wanted: &str) -> bool {
    let (cancelled, closed) = (book::cancelled_at(order).is_some(), page.closed_at.is_some());
    match wanted {
        "open" => !cancelled && !closed,
        "closed" => closed,
        "cancelled" => cancelled,
        "not_closed" => !closed,
        _ => true,
    }
}

fn check_variant_term(term: &Term) -> Option<&'static str> {
    match term.field.as_str() {
        "" | "sku" | "title" => None,
        "id" | "product_id" | "inventory_quantity" => {
            term.fits_number(0).is_none().then_some("invalid_value")
        }
        "product_status" => {
            let known = |value: &str| matches!(value, "active" | "draft" | "archived");
            (!term.value.to_lowercase().split(',').all(known)).then_some("invalid_value")
        }
        _ => Some("invalid_field"),
    }
}

pub(super) fn variants(visit: &Visit<'_>, arguments: &Value) -> Result<Page, FieldError> {
    let terms = terms(visit, "productVariants", arguments, check_variant_term);
    let sort = arguments.get("sortKey").and_then(Value::as_str).unwrap_or("ID");
    let book = visit.book();
    visit.market().read(|state: &MarketState| {
        let own = state.items().filter(|item| item.seller == visit.token.seller);
        let all =
            own.flat_map(|item| ids::variants(item).into_iter().map(move |(id, option)| (id, item, option)));
        let rows = all
            .filter(|(id, item, option)| {
                any_fits(&terms, |term| variant_fits(*id, item, *option, term).unwrap_or(false))
            })
            .map(|(id, item, option)| (variant_key(item, option, sort), id, (item, option)));
        page(visit, "ProductVariantConnection", rows.collect(), arguments, |(item, option)| {
            product_nodes::variant(visit, &book, item, *option)
        })
    })
}

fn variant_key(item: &Item, option: Option<OptionId>, sort: &str) -> String {
    match sort {
        "SKU" => product_nodes::sku(item, option).unwrap_or_default().to_owned(),
        "TITLE" | "NAME" | "FULL_TITLE" => item.title.clone(),
        "INVENTORY_QUANTITY" => {
            format!("{:020}", product_nodes::quantity(item, option).unwrap_or_default().max(0))
        }
        _ => String::new(),
    }
}

fn variant_fits(id: u64, item: &Item, option: Option<OptionId>, term: &Term) -> Option<bool> {
    let number = |number: u64| term.fits_number(i64::try_from(number).ok()?);
    let sku = product_nodes::sku(item, option).unwrap_or_default();
    match term.field.as_str() {
        "" => Some(item.title.contains(&term.value) || sku == term.value),
        "sku" => Some(sku.eq_ignore_ascii_case(&term.value)),
        "title" => Some(item.title.contains(&term.value)),
        "id" => number(id),
        "product_id" => number(item.id.0),
        "inventory_quantity" => term.fits_number(product_nodes::quantity(item, option)?),
        "product_status" => {
            let wanted = term.value.to_lowercase();
            let fits = wanted.split(',').any(|wanted| wanted == product_nodes::status(item).to_lowercase());
            Some(fits && term.comparison == Comparison::Equal)
        }
        _ => Some(true),
    }
}

pub(super) fn locations(visit: &Visit<'_>, arguments: &Value) -> Result<Page, FieldError> {
    let inactive = arguments.get("includeInactive").and_then(Value::as_bool).unwrap_or(false);
    let rows: Vec<Row<Node>> = visit
        .book()
        .locations
        .iter()
        .filter(|location| location.active || inactive)
        .map(|location| (location.name.clone(), location.id, product_nodes::location_node(location)))
        .collect();
    page(visit, "LocationConnection", rows, arguments, |node| Some(node.clone()))
}
