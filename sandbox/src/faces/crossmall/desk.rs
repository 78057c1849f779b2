//! Where calls come in: the account and its signature, then the operation.

use std::sync::MutexGuard;

use axum::http::{Method, StatusCode};
use axum::response::{Html, IntoResponse, Response};

use super::answer::{Failure, Outcome, Rows, response};
use super::call::{Query, cut, number, signing};
use super::ledger::Ledger;
use super::settings::Settings;
use super::{ACCOUNTS, CrossMall, items, lines, orders, phase};
use crate::faces::xml::Element;
use crate::market::{Acting, Actor, Market, OrderNumber};
use crate::{FaceContext, RequestHead, lock};

/// The face with what it works on.
#[derive(Debug, Clone)]
pub(super) struct Desk {
    pub(super) face: CrossMall,
    pub(super) context: FaceContext,
}

/// One call that is let in.
pub(super) struct Visit<'a> {
    pub(super) desk: &'a Desk,
    pub(super) settings: &'a Settings,
    pub(super) seller: &'static str,
    pub(super) operation: &'static str,
    pub(super) query: &'a Query,
}

impl Visit<'_> {
    pub(super) fn market(&self) -> &Market {
        &self.desk.context.market
    }

    pub(super) fn acting(&self) -> Acting<'_> {
        self.market().by(Actor::Api { face: "crossmall".to_owned(), operation: self.operation.to_owned() })
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        lock(&self.desk.face.0.ledger)
    }

    /// The order that a call names.
    pub(super) fn order(&self, ledger: &Ledger) -> Result<OrderNumber, Failure> {
        let asked = number(self.query.required("order_number")?);
        let asked = asked.ok_or_else(|| Failure::parameter("order_number"))?;
        ledger.find(self.seller, asked).ok_or_else(Failure::no_such_order)
    }
}

/// Calls that are served.
const SERVED: [&str; 10] = [
    "get_order",
    "get_order_detail",
    "get_order_component",
    "upd_order_phase",
    "upd_order_check_mark",
    "get_phase",
    "get_stock",
    "get_item",
    "get_item_sku",
    "get_item_attribute",
];

/// Calls that exist, of which the parameters are not established. They are refused, and counted under their names.
const NOT_SERVED: [&str; 8] = [
    "get_diff_stock",
    "upd_stock",
    "upd_item",
    "upd_item_sku",
    "upd_item_attribute",
    "get_diff_item_sku",
    "get_service_status",
    "upd_service_status",
];

/// The name to count by and to aim faults at. None where there is no such call.
pub(super) fn operation_of(path: &str) -> Option<&'static str> {
    let name = path.strip_prefix("/webapi2/")?;
    SERVED.iter().chain(&NOT_SERVED).find(|known| **known == name).copied()
}

impl Desk {
    pub(super) fn answer(&self, head: &RequestHead<'_>) -> Response {
        let Some(operation) = operation_of(head.uri.path()) else {
            return (StatusCode::NOT_FOUND, Html("<html><body>404 Not Found</body></html>")).into_response();
        };
        if head.method != Method::GET {
            return StatusCode::METHOD_NOT_ALLOWED.into_response();
        }
        let settings = self.face.settings();
        let outcome = self.handle(operation, head.uri.query().unwrap_or_default(), &settings);
        response(operation, outcome, &settings)
    }

    fn handle(&self, operation: &'static str, raw: &str, settings: &Settings) -> Outcome {
        let (query, seller) = let_in(raw, settings).map_err(|f| f.with_status(settings.auth_status))?;
        let visit = Visit { desk: self, settings, seller, operation, query: &query };
        let now = self.context.clock.now();
        let mut ledger = visit.ledger();
        self.context.market.read(|state| ledger.import(state, settings, now));
        drop(ledger);
        match operation {
            "get_order" => orders::search(&visit),
            "get_order_detail" => lines::details(&visit),
            "get_order_component" => lines::components(&visit),
            "upd_order_phase" => phase::move_order(&visit),
            "upd_order_check_mark" => phase::mark(&visit),
            "get_phase" => Ok(phases(settings)),
            "get_stock" => items::stock(&visit),
            "get_item" => items::search(&visit),
            "get_item_sku" => items::skus(&visit),
            "get_item_attribute" => items::attributes(&visit),
            _ => Err(Failure::new("このAPIは利用できません。")),
        }
    }
}

/// The query and the seller whose account signed it, as it was sent.
fn let_in(raw: &str, settings: &Settings) -> Result<(Query, &'static str), Failure> {
    let denied = || Failure::new("認証エラー");
    let (text, signature) = cut(raw).ok_or_else(denied)?;
    let query = Query::of(text);
    let account = query.text("account").filter(|_| query.first_name() == Some("account"));
    let found = ACCOUNTS.iter().find(|(known, ..)| Some(*known) == account);
    let (_, _, seller) = found.filter(|(_, key, _)| signing(text, key) == signature).ok_or_else(denied)?;
    if settings.address_refused {
        return Err(Failure::new("IPアドレスが許可されていません。"));
    }
    Ok((query, seller))
}

fn phases(settings: &Settings) -> Rows {
    let row = |(at, phase): (usize, &super::Phase)| {
        vec![Element::text("phase_code", at + 1), Element::text("phase_name", &phase.name)]
    };
    Rows::of(settings.phases.iter().enumerate().map(row).collect())
}
