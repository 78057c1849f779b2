//! The face at work: the checks that all operations share, and the way to each.

use axum::http::{Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use chrono::{DateTime, Utc};

use super::answer::Failure;
use super::book::{self, Book, Page};
use super::call::{Call, Found, Operation, find};
use super::keys::Key;
use super::{Rakuten, cancel, confirm, detail, inventory, items, license, search, shipping, wording};
use crate::market::{Acting, Actor, Order};
use crate::{FaceContext, Market, RequestHead, lock};

/// The face with the market that it shows.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) face: Rakuten,
    pub(super) context: FaceContext,
}

impl Desk {
    pub(super) fn answer(&self, head: &RequestHead<'_>, body: &[u8]) -> Response {
        let (operation, path) = match find(head.method, head.uri.path()) {
            Found::Operation(operation, path) => (operation, path),
            Found::WrongMethod => return StatusCode::METHOD_NOT_ALLOWED.into_response(),
            Found::Nothing => {
                let page = "<html><head><title>404 Not Found</title></head><body>Not Found</body></html>";
                return (StatusCode::NOT_FOUND, Html(page)).into_response();
            }
        };
        let now = self.context.clock.now();
        let authorization = head.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let key = lock(&self.face.0.keys).find(authorization, now).cloned();
        let Some(key) = key else { return Failure::unauthorized().into_response() };
        if key.without.iter().any(|name| name == operation.name()) {
            return Failure::new(StatusCode::FORBIDDEN, "GA0003", "Forbidden").into_response();
        }
        if let Some(status) = self.face.settings().limits
            && !lock(&self.face.0.limits).admit(&key.seller, operation.family(), now)
        {
            return Failure::new(status.code(), "GA0002", "Too Many Requests").into_response();
        }
        shipping::carry_out_jobs(self, now);
        if *head.method != Method::GET && !is_json(head) {
            return Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "GE0001", "Content-Type must be JSON")
                .into_response();
        }
        let call = Call::new(operation, path, head, body);
        let visit = Visit { desk: self, call: &call, key, now };
        visit.run()
    }
}

fn is_json(head: &RequestHead<'_>) -> bool {
    let kind = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.and_then(|kind| kind.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// One call by one seller.
pub(super) struct Visit<'a> {
    pub(super) desk: &'a Desk,
    pub(super) call: &'a Call,
    pub(super) key: Key,
    pub(super) now: DateTime<Utc>,
}

impl Visit<'_> {
    fn run(&self) -> Response {
        match self.call.operation {
            Operation::SearchOrder => search::run(self),
            Operation::GetOrder => detail::run(self),
            Operation::ConfirmOrder => confirm::run(self),
            Operation::UpdateOrderShipping => shipping::run(self),
            Operation::UpdateOrderShippingAsync => shipping::run_async(self),
            Operation::GetResultUpdateOrderShippingAsync => shipping::result(self),
            Operation::CancelOrder => cancel::before_shipping(self),
            Operation::CancelOrderAfterShipping => cancel::after_shipping(self),
            Operation::VariantUpsert => inventory::upsert(self),
            Operation::VariantGet => inventory::get(self),
            Operation::BulkUpsert => inventory::bulk_upsert(self),
            Operation::BulkGet => inventory::bulk_get(self),
            Operation::BulkGetRange => inventory::range(self),
            Operation::ItemsSearch => items::search(self),
            Operation::ItemsGet => items::get(self),
            Operation::LicenseExpiry => license::expiry(self),
        }
    }

    pub(super) fn market(&self) -> &Market {
        &self.desk.context.market
    }

    /// Who is in the record for what this call does.
    pub(super) fn acting(&self) -> Acting<'_> {
        self.desk.acting(self.call.operation)
    }

    pub(super) fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        lock(&self.desk.face.0.book)
    }

    /// The seller's order with this number, as it is now.
    pub(super) fn order(&self, number: &str) -> Option<Order> {
        self.desk.order(&self.key.seller, &self.key.shop, number)
    }

    pub(super) fn progress(&self, order: &Order, page: &Page) -> u16 {
        book::progress(order, page, self.desk.face.settings().payment, self.now)
    }
}

impl Desk {
    pub(super) fn order(&self, seller: &str, shop: &str, number: &str) -> Option<Order> {
        let order = self.context.market.order(wording::market_number(number)?)?;
        (order.seller == seller && wording::order_number(shop, &order) == number).then_some(order)
    }

    pub(super) fn acting(&self, operation: Operation) -> Acting<'_> {
        self.context.market.by(Actor::Api { face: "rakuten".into(), operation: operation.name().into() })
    }
}
