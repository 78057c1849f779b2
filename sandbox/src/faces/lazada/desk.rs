//! The operations by path, and the checks that all of them share (sheet sections 2, 3 and 7).

use axum::http::Method;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::answer::{Failure, Outcome, respond};
use super::call::Call;
use super::ids::Unit;
use super::ledger::{Ledger, Progress, by_line};
use super::settings::Settings;
use super::units::{self, OrderItem, Status};
use super::{
    APP_KEY, APP_SECRET, Lazada, SHOPS, Shop, cancels, orders, pack, packages, products, reverse, stock,
    tokens,
};
use crate::market::{Acting, Actor, ClaimKind, MarketState, Order, OrderNumber};
use crate::{FaceContext, Market, RequestHead, lock};

/// A timestamp may be so many seconds off.
const CLOCK_SECONDS: u64 = 7_200;

/// How a path may be called.
#[derive(Clone, Copy)]
enum By {
    Get,
    Post,
    Both,
}

struct Operation {
    name: &'static str,
    by: By,
    path: &'static str,
    run: fn(&Visit<'_>) -> Outcome,
}

const fn operation(
    name: &'static str,
    by: By,
    path: &'static str,
    run: fn(&Visit<'_>) -> Outcome,
) -> Operation {
    Operation { name, by, path, run }
}

const CREATE_TOKEN: &str = "/auth/token/create";
const REFRESH_TOKEN: &str = "/auth/token/refresh";

const OPERATIONS: &[Operation] = &[
    operation("getseller", By::Get, "/seller/get", seller),
    operation("getorders", By::Get, "/orders/get", orders::list),
    operation("getorder", By::Get, "/order/get", orders::one),
    operation("getorderitems", By::Get, "/order/items/get", orders::items_of_one),
    operation("getmultipleorderitems", By::Get, "/orders/items/get", orders::items_of_many),
    operation("getshipmentprovider", By::Both, "/order/shipment/providers/get", packages::providers),
    operation("pack", By::Post, "/order/fulfill/pack", pack::pack),
    operation("readytoship", By::Post, "/order/package/rts", packages::ready),
    operation("recreatepackage", By::Both, "/order/package/repack", packages::repack),
    operation("printawb", By::Both, "/order/package/document/get", packages::document),
    operation("updatesellablequantity", By::Both, "/product/stock/sellable/update", stock::set_sellable),
    operation("adjustsellablequantity", By::Post, "/product/stock/sellable/adjust", stock::adjust_sellable),
    operation("updatepricequantity", By::Post, "/product/price_quantity/update", stock::set_price_and_total),
    operation("getproducts", By::Get, "/products/get", products::list),
    operation("getproductitem", By::Get, "/product/item/get", products::one),
    operation("getreverseordersforseller", By::Both, "/reverse/getreverseordersforseller", reverse::list),
    operation("getreverseorderdetail", By::Get, "/order/reverse/return/detail/list", reverse::detail),
    operation("getreverseorderreasonlist", By::Get, "/order/reverse/reason/list", reverse::reasons),
    operation("ordercancelvalidate", By::Get, "/order/reverse/cancel/validate", cancels::validate),
    operation("initreverseordercancel", By::Get, "/order/reverse/cancel/create", cancels::create),
    operation(
        "initreverseordercanceldecide",
        By::Get,
        "/order/reverse/cancel/seller/decide",
        cancels::decide,
    ),
];

/// The name of the operation at an API path.
pub(super) fn operation_name(path: &str) -> &'static str {
    match path {
        CREATE_TOKEN => "generateaccesstoken",
        REFRESH_TOKEN => "refreshaccesstoken",
        _ => find(path).map_or("unknown", |operation| operation.name),
    }
}

fn find(path: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.path == path)
}

/// Calls of one seller to one API in one second, and until when they are shut out.
#[derive(Debug, Default)]
pub(super) struct Window {
    second: i64,
    used: u32,
    banned_until: i64,
}

/// The face at work.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) face: Lazada,
    pub(super) context: FaceContext,
}

/// One call by one seller.
pub(super) struct Visit<'a> {
    pub(super) desk: &'a Desk,
    pub(super) call: &'a Call<'a>,
    pub(super) shop: Shop,
    pub(super) settings: Settings,
    pub(super) now: DateTime<Utc>,
    operation: &'static str,
}

impl Desk {
    pub(super) fn answer(&self, head: &RequestHead<'_>, body: &[u8]) -> Response {
        if let Some(name) = head.uri.path().strip_prefix(packages::LABELS) {
            return packages::label(name).into_response();
        }
        let now = self.context.clock.now();
        respond(self.run(&Call::parse(head, body), now), self.face.request_id(now))
    }

    fn run(&self, call: &Call<'_>, now: DateTime<Utc>) -> Outcome {
        if call.required("app_key")? != APP_KEY {
            return Err(Failure::bad_app());
        }
        let operation = find(call.path);
        let is_token = matches!(call.path, CREATE_TOKEN | REFRESH_TOKEN);
        if operation.is_none() && !is_token {
            return Err(Failure::no_such_path());
        }
        let by = operation.map_or(By::Both, |operation| operation.by);
        let fits = match *call.method {
            Method::GET => matches!(by, By::Get | By::Both),
            Method::POST => matches!(by, By::Post | By::Both),
            _ => false,
        };
        if !fits {
            return Err(Failure::wrong_method());
        }
        check_signature(call, now)?;
        let settings = self.face.settings();
        match operation {
            None => self.token(call, &settings, now),
            Some(operation) => self.serve(operation, call, settings, now),
        }
    }

    fn token(&self, call: &Call<'_>, settings: &Settings, now: DateTime<Utc>) -> Outcome {
        let mut tokens = lock(&self.face.0.tokens);
        let tokens = tokens.as_mut().ok_or_else(Failure::bad_token)?;
        match call.path {
            CREATE_TOKEN => tokens.create(call, settings, now),
            _ => tokens.refresh(call, settings, now),
        }
    }

    fn serve(
        &self,
        operation: &Operation,
        call: &Call<'_>,
        settings: Settings,
        now: DateTime<Utc>,
    ) -> Outcome {
        let token = call.required("access_token")?;
        let shop = {
            let tokens = lock(&self.face.0.tokens);
            let seller = tokens.as_ref().ok_or_else(Failure::bad_token)?.seller(token, now)?;
            SHOPS.into_iter().find(|shop| shop.seller == seller).ok_or_else(Failure::bad_token)?
        };
        // The shops are in one market: elsewhere their tokens are not known.
        if call.country().is_some_and(|country| country != settings.country) {
            return Err(Failure::bad_token());
        }
        if self.is_over_limit(shop.seller, operation.name, &settings, now) {
            return Err(over_limit(operation, &settings));
        }
        self.settle(&settings, now);
        let outcome =
            (operation.run)(&Visit { desk: self, call, shop, settings, now, operation: operation.name });
        self.settle(&self.face.settings(), now);
        outcome
    }

    fn is_over_limit(
        &self,
        seller: &str,
        operation: &'static str,
        settings: &Settings,
        now: DateTime<Utc>,
    ) -> bool {
        if !settings.limits {
            return false;
        }
        let mut windows = lock(&self.face.0.windows);
        let window = windows.entry((seller.to_owned(), operation)).or_default();
        if now.timestamp() < window.banned_until {
            return true;
        }
        if window.second != now.timestamp() {
            (window.second, window.used) = (now.timestamp(), 0);
        }
        window.used = window.used.saturating_add(1);
        let over = window.used > settings.requests_per_second;
        if over {
            window.banned_until = now.timestamp() + i64::from(settings.ban_seconds);
        }
        over
    }

    /// What the channel does by itself: requests that nobody answered in time are granted, and a package of which an order
    /// item was cancelled is cancelled with all others in it.
    fn settle(&self, settings: &Settings, now: DateTime<Utc>) {
        let mut ledger = lock(&self.face.0.ledger);
        let market = &self.context.market;
        for order in market.read(|state| overdue(state, settings, now)) {
            grant_overdue(market, &mut ledger, order, settings, now);
        }
        for package in ledger.packed() {
            let Some(order) = market.order(package.order) else { continue };
            let items = units::items(&order, &ledger, settings, now);
            let live: Vec<Unit> = package
                .units
                .iter()
                .filter(|unit| items.iter().any(|item| item.unit == **unit && item.status == Status::Packed))
                .copied()
                .collect();
            if live.len() < package.units.len() {
                drop(items);
                ledger.set_progress(&package.id, Progress::Cancelled);
                cancel_all(market, &mut ledger, package.order, &live, "package cancelled");
            }
        }
    }
}

fn overdue(state: &MarketState, settings: &Settings, now: DateTime<Utc>) -> Vec<OrderNumber> {
    let is_late = |order: &&Order| {
        order.claims.iter().any(|claim| {
            claim.kind == ClaimKind::Cancel
                && claim.is_open()
                && answer_by(claim.requested_at, settings) <= now
        })
    };
    state.orders().iter().filter(is_late).map(|order| order.number).collect()
}

/// When a request that nobody answers is granted.
pub(super) fn answer_by(asked: DateTime<Utc>, settings: &Settings) -> DateTime<Utc> {
    asked + TimeDelta::hours(i64::from(settings.answer_hours))
}

fn grant_overdue(
    market: &Market,
    ledger: &mut Ledger,
    number: OrderNumber,
    settings: &Settings,
    now: DateTime<Utc>,
) {
    let Some(order) = market.order(number) else { return };
    for (at, claim) in order.claims.iter().enumerate() {
        let late = claim.kind == ClaimKind::Cancel
            && claim.is_open()
            && answer_by(claim.requested_at, settings) <= now;
        if !late {
            continue;
        }
        let units: Vec<Unit> = {
            let items = units::items(&order, ledger, settings, now);
            let units = units::of_claim(&items, ledger, claim, at);
            let can = |item: &OrderItem<'_>| units.contains(&item.unit) && item.status.can_be_cancelled();
            items.iter().filter(|item| can(item)).map(|item| item.unit).collect()
        };
        cancel_all(market, ledger, number, &units, &claim.reason);
    }
}

/// The channel cancels units of an order. What can't be cancelled any more stays.
fn cancel_all(market: &Market, ledger: &mut Ledger, number: OrderNumber, units: &[Unit], reason: &str) {
    for units in by_line(units).into_values() {
        let Some(order) = market.order(number) else { return };
        // A refusal is in the record.
        let _ = ledger.cancel(&market.marketplace(), &order, units, reason);
    }
}

fn check_signature(call: &Call<'_>, now: DateTime<Utc>) -> Result<(), Failure> {
    let timestamp: Option<i64> = call.required("timestamp")?.parse().ok();
    let off = timestamp.map(|sent| now.timestamp_millis().abs_diff(sent));
    if off.is_none_or(|off| off > CLOCK_SECONDS * 1000) {
        return Err(Failure::bad_timestamp());
    }
    let method = call.required("sign_method")?;
    call.required("sign")?;
    if method != "sha256" || !call.is_signed_with(APP_SECRET) {
        return Err(Failure::bad_signature());
    }
    Ok(())
}

/// Products have a code of their own for it.
fn over_limit(operation: &Operation, settings: &Settings) -> Failure {
    if operation.path.starts_with("/product") {
        return Failure::service(901, "Limit service request speed in server side temporarily.");
    }
    Failure::too_many(settings.ban_seconds)
}

impl Visit<'_> {
    pub(super) fn market(&self) -> &Market {
        &self.desk.context.market
    }

    /// Who is in the record for what this call does.
    pub(super) fn acting(&self) -> Acting<'_> {
        self.market().by(Actor::Api { face: "lazada".into(), operation: self.operation.into() })
    }

    /// The seller's order behind an id.
    pub(super) fn order(&self, id: u64) -> Option<Order> {
        let order = self.market().read(|state| super::ids::order(state, id).cloned());
        order.filter(|order| order.seller == self.shop.seller)
    }
}

/// `getseller`.
fn seller(visit: &Visit<'_>) -> Outcome {
    let (shop, country) = (visit.shop, visit.settings.country);
    let data: Value = json!({
        "seller_id": shop.id,
        "name": shop.name,
        "name_company": shop.name,
        "short_code": tokens::short_code(country.code(), &shop.id.to_string()),
        "logo_url": "",
        "email": format!("{}@example.com", shop.seller),
        "cb": visit.settings.allocation == super::settings::Allocation::Ntfs,
        "location": super::country::name_of(&country.code().to_ascii_uppercase()),
        "status": "ACTIVE",
        "verified": true,
        "marketplaceEaseMode": false,
    });
    Ok(json!({ "data": data }))
}
