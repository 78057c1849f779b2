//! The operations by path, and the checks that all of them share (sheet sections 2, 3 and 7).

use std::collections::HashMap;

use axum::http::Method;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::answer::{Failure, Outcome, respond};
use super::call::Call;
use super::{
    APP_KEY, APP_SECRET, TikTokShop, cancels, logistics, orders, package_calls, products, ship, stock,
    webhooks,
};
use crate::faces::signing::{hex, hmac_sha256_hex, unhex};
use crate::market::{Acting, Actor};
use crate::{FaceContext, Market, RequestHead, lock};

/// A timestamp may be so many seconds off.
const CLOCK_SECONDS: i64 = 300;
/// Requests a second per shop and operation.
const PER_SECOND: u32 = 50;

struct Operation {
    name: &'static str,
    method: Method,
    path: &'static str,
    scope: &'static str,
    run: fn(&Visit<'_>) -> Outcome,
}

const fn get(
    name: &'static str,
    path: &'static str,
    scope: &'static str,
    run: fn(&Visit<'_>) -> Outcome,
) -> Operation {
    Operation { name, method: Method::GET, path, scope, run }
}

const fn post(
    name: &'static str,
    path: &'static str,
    scope: &'static str,
    run: fn(&Visit<'_>) -> Outcome,
) -> Operation {
    Operation { name, method: Method::POST, path, scope, run }
}

const AUTH: &str = "seller.authorization.info";
const FULFILL: &str = "seller.fulfillment.basic";
const PACKAGES: &str = "seller.fulfillment.package.write";
const LOGISTICS: &str = "seller.logistics";
const ORDERS: &str = "seller.order.info";
const READ_PRODUCTS: &str = "seller.product.basic";
const WRITE_PRODUCTS: &str = "seller.product.write";
const REFUNDS: &str = "seller.return_refund.basic";

/// Calls that are for the account and not for one shop take no cipher.
const WITHOUT_CIPHER: [&str; 2] = ["get-authorized-shops", "get-active-shops"];
const GET_TOKEN: &str = "/api/v2/token/get";
const REFRESH_TOKEN: &str = "/api/v2/token/refresh";

const OPERATIONS: &[Operation] = &[
    get("get-authorized-shops", "/authorization/202309/shops", AUTH, logistics::authorized_shops),
    get("get-active-shops", "/seller/202309/shops", "seller.shop.info", logistics::active_shops),
    post("get-order-list", "/order/202309/orders/search", ORDERS, orders::search),
    get("get-order-detail", "/order/202507/orders", ORDERS, orders::detail),
    get("get-order-detail", "/order/202309/orders", ORDERS, orders::detail),
    post("search-package", "/fulfillment/202309/packages/search", FULFILL, package_calls::search_packages),
    post("batch-ship-packages", "/fulfillment/202309/packages/ship", FULFILL, ship::batch),
    get(
        "get-package-detail",
        "/fulfillment/202309/packages/{package_id}",
        FULFILL,
        package_calls::package_detail,
    ),
    get(
        "get-package-handover-time-slots",
        "/fulfillment/202309/packages/{package_id}/handover_time_slots",
        PACKAGES,
        logistics::time_slots,
    ),
    post("ship-package", "/fulfillment/202309/packages/{package_id}/ship", FULFILL, ship::one),
    post(
        "update-package-shipping-info",
        "/fulfillment/202309/packages/{package_id}/shipping_info/update",
        FULFILL,
        ship::update_package,
    ),
    get(
        "get-package-shipping-document",
        "/fulfillment/202309/packages/{package_id}/shipping_documents",
        FULFILL,
        logistics::document,
    ),
    post("mark-package-as-shipped", "/fulfillment/202309/orders/{order_id}/packages", FULFILL, ship::mark),
    post("split-orders", "/fulfillment/202309/orders/{order_id}/split", PACKAGES, package_calls::split),
    post(
        "update-shipping-info",
        "/fulfillment/202309/orders/{order_id}/shipping_info/update",
        LOGISTICS,
        ship::update_order,
    ),
    get(
        "get-shipping-providers",
        "/logistics/202309/delivery_options/{delivery_option_id}/shipping_providers",
        FULFILL,
        logistics::providers,
    ),
    get("get-warehouse-list", "/logistics/202309/warehouses", LOGISTICS, logistics::warehouses),
    get(
        "get-warehouse-delivery-options",
        "/logistics/202309/warehouses/{warehouse_id}/delivery_options",
        LOGISTICS,
        logistics::delivery_options,
    ),
    post("search-products", "/product/202502/products/search", READ_PRODUCTS, products::search),
    post("inventory-search", "/product/202309/inventory/search", READ_PRODUCTS, stock::search),
    get("get-product", "/product/202309/products/{product_id}", READ_PRODUCTS, products::one),
    post(
        "update-inventory",
        "/product/202309/products/{product_id}/inventory/update",
        WRITE_PRODUCTS,
        stock::update,
    ),
    post("search-cancellations", "/return_refund/202309/cancellations/search", REFUNDS, cancels::search),
    post("cancel-order", "/return_refund/202309/cancellations", REFUNDS, cancels::cancel_order),
    post(
        "approve-cancellation",
        "/return_refund/202309/cancellations/{cancel_id}/approve",
        REFUNDS,
        cancels::approve,
    ),
    post(
        "reject-cancellation",
        "/return_refund/202309/cancellations/{cancel_id}/reject",
        REFUNDS,
        cancels::reject,
    ),
    get("get-reject-reasons", "/return_refund/202309/reject_reasons", REFUNDS, cancels::reject_reasons),
    get("get-shop-webhooks", "/event/202309/webhooks", AUTH, webhooks::list),
    Operation {
        name: "update-shop-webhook",
        method: Method::PUT,
        path: "/event/202309/webhooks",
        scope: AUTH,
        run: webhooks::set,
    },
    Operation {
        name: "delete-shop-webhook",
        method: Method::DELETE,
        path: "/event/202309/webhooks",
        scope: AUTH,
        run: webhooks::delete,
    },
];

/// The open parts of the path when it has the pattern's form.
fn matched(pattern: &'static str, path: &str) -> Option<HashMap<&'static str, String>> {
    let (mut open, mut parts) = (HashMap::new(), path.split('/'));
    for wanted in pattern.split('/') {
        let part = parts.next()?;
        match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) if !part.is_empty() => {
                open.insert(name, part.to_owned());
            }
            Some(_) => return None,
            None if wanted == part => {}
            None => return None,
        }
    }
    parts.next().is_none().then_some(open)
}

fn find(method: &Method, path: &str) -> Option<(&'static Operation, HashMap<&'static str, String>)> {
    let fits = |operation: &'static Operation| {
        (operation.method == *method)
            .then(|| matched(operation.path, path))
            .flatten()
            .map(|open| (operation, open))
    };
    OPERATIONS.iter().find_map(fits)
}

/// The name of the operation at a path.
pub(super) fn operation_name(method: &Method, path: &str) -> &'static str {
    match path {
        GET_TOKEN => "token/get",
        REFRESH_TOKEN => "token/refresh",
        _ if path.starts_with(logistics::FILES) => "file",
        _ => find(method, path).map_or("unknown", |(operation, _)| operation.name),
    }
}

/// The face at work.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) face: TikTokShop,
    pub(super) context: FaceContext,
}

/// One call by one shop.
pub(super) struct Visit<'a> {
    pub(super) desk: &'a Desk,
    pub(super) call: &'a Call<'a>,
    pub(super) seller: String,
    pub(super) now: DateTime<Utc>,
    operation: &'static str,
}

impl Desk {
    pub(super) fn answer(&self, head: &RequestHead<'_>, body: &[u8]) -> Response {
        if let Some(name) = head.uri.path().strip_prefix(logistics::FILES) {
            return logistics::file(name).into_response();
        }
        let now = self.context.clock.now();
        respond(self.run(Call::parse(head, body), now), self.face.request_id(now))
    }

    fn run(&self, mut call: Call<'_>, now: DateTime<Utc>) -> Outcome {
        if matches!(call.path, GET_TOKEN | REFRESH_TOKEN) {
            return self.token(&call, now);
        }
        let (operation, open) = find(call.method, call.path).ok_or_else(Failure::no_such_path)?;
        call.in_path = open;
        self.check_request(&call, now)?;
        let caller = lock(&self.face.0.tokens)
            .as_ref()
            .ok_or_else(Failure::bad_token)
            .and_then(|tokens| tokens.caller(call.token, now))?;
        if !caller.scopes.iter().any(|scope| scope == operation.scope) {
            return Err(Failure::missing_scope());
        }
        let shop = self.face.shops().into_iter().find(|shop| shop.seller == caller.seller);
        let cipher = shop.map(|shop| shop.cipher).unwrap_or_default();
        if !WITHOUT_CIPHER.contains(&operation.name) && call.param("shop_cipher") != cipher {
            return Err(Failure::cipher_mismatch());
        }
        if self.is_over_limit(&caller.seller, operation.name, now) {
            return Err(Failure::too_many());
        }
        let visit = Visit { desk: self, call: &call, seller: caller.seller, now, operation: operation.name };
        (operation.run)(&visit)
    }

    fn token(&self, call: &Call<'_>, now: DateTime<Utc>) -> Outcome {
        if call.method != Method::GET {
            return Err(Failure::no_such_path());
        }
        let shops = self.face.shops();
        let rule = self.face.settings().refresh_tokens;
        let mut tokens = lock(&self.face.0.tokens);
        let tokens = tokens.as_mut().ok_or_else(Failure::bad_token)?;
        match call.path {
            GET_TOKEN => tokens.get(call, &shops, now),
            _ => tokens.refresh(call, &shops, rule, now),
        }
    }

    fn check_request(&self, call: &Call<'_>, now: DateTime<Utc>) -> Result<(), Failure> {
        let timestamp: Option<i64> = call.param("timestamp").parse().ok();
        if timestamp.is_none_or(|sent| (now.timestamp() - sent).abs() > CLOCK_SECONDS) {
            return Err(Failure::bad_timestamp());
        }
        if call.param("app_key") != APP_KEY || !call.is_signed_with(APP_SECRET) {
            return Err(Failure::bad_signature());
        }
        if self.face.settings().address_refused {
            return Err(Failure::bad_address());
        }
        Ok(())
    }

    fn is_over_limit(&self, seller: &str, operation: &'static str, now: DateTime<Utc>) -> bool {
        if !self.face.settings().limits {
            return false;
        }
        let mut windows = lock(&self.face.0.windows);
        let (second, used) = windows.entry((seller.to_owned(), operation)).or_default();
        if *second != now.timestamp() {
            (*second, *used) = (now.timestamp(), 0);
        }
        *used = used.saturating_add(1);
        *used > PER_SECOND
    }
}

impl Visit<'_> {
    pub(super) fn market(&self) -> &Market {
        &self.desk.context.market
    }

    /// Who is in the record for what this call does.
    pub(super) fn acting(&self) -> Acting<'_> {
        self.market().by(Actor::Api { face: "tiktok_shop".into(), operation: self.operation.into() })
    }
}

/// What page of what order is asked for.
pub(super) struct Page {
    size: usize,
    field: String,
    descends: bool,
    /// After the row with this time and number.
    after: Option<(i64, u64)>,
    /// Tells a token of this search from one of another.
    search: String,
}

impl Page {
    /// # Errors
    /// A bad `page_size`, `sort_field`, `sort_order` or `page_token`.
    pub(super) fn asked(
        visit: &Visit<'_>,
        most: usize,
        default_field: &str,
        fields: &[&str],
        default_order: &str,
    ) -> Result<Self, Failure> {
        let or = |name: &str, default: &str| {
            Some(visit.call.param(name)).filter(|text| !text.is_empty()).unwrap_or(default).to_owned()
        };
        let size: usize = visit.call.param("page_size").parse().map_err(|_| Failure::invalid("page_size"))?;
        if size == 0 || size > most {
            return Err(Failure::invalid("page_size"));
        }
        let (field, order) = (or("sort_field", default_field), or("sort_order", default_order));
        if !fields.contains(&field.as_str()) || !matches!(order.as_str(), "ASC" | "DESC") {
            return Err(Failure::invalid("sort_field or sort_order"));
        }
        let what = [visit.operation, &visit.seller, &field, &order].join(" ");
        let search = hmac_sha256_hex(b"page", &[what.as_bytes(), visit.call.raw_body()]);
        let size = size.min(visit.desk.face.settings().page_size);
        let mut page = Self { size, field, descends: order == "DESC", after: None, search };
        let token = visit.call.param("page_token");
        if !token.is_empty() {
            page.after = Some(page.place(token).ok_or_else(|| Failure::invalid("page_token"))?);
        }
        Ok(page)
    }

    pub(super) fn is_by(&self, field: &str) -> bool {
        self.field == field
    }

    fn place(&self, token: &str) -> Option<(i64, u64)> {
        let text = String::from_utf8(unhex(token)?).ok()?;
        let mut parts = text.splitn(3, ' ');
        let place = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        (parts.next()? == self.search).then_some(place)
    }

    /// The page's rows under `name`, with `next_page_token` and `total_count`. Rows that come in or move between two
    /// pages neither repeat others nor push them out: a page starts after a row, not at a place.
    pub(super) fn cut<T>(
        &self,
        mut found: Vec<(i64, u64, T)>,
        name: &str,
        row: impl Fn(&T) -> Value,
    ) -> Value {
        let total = found.len();
        found.sort_by_key(|&(time, number, _)| (time, number));
        if self.descends {
            found.reverse();
        }
        let is_after = |time: i64, number: u64| match self.after {
            None => true,
            Some(after) if self.descends => (time, number) < after,
            Some(after) => (time, number) > after,
        };
        let mut rest = found.iter().filter(|(time, number, _)| is_after(*time, *number));
        let rows: Vec<&(i64, u64, T)> = rest.by_ref().take(self.size).collect();
        let next = match (rest.next(), rows.last()) {
            (Some(_), Some((time, number, _))) => hex(format!("{time} {number} {}", self.search).as_bytes()),
            _ => String::new(),
        };
        let mut data = Map::new();
        data.insert(name.to_owned(), rows.iter().map(|(_, _, found)| row(found)).collect());
        data.insert("next_page_token".into(), json!(next));
        data.insert("total_count".into(), json!(total));
        Value::Object(data)
    }
}
