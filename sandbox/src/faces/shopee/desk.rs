//! The operations by path, and the checks that all of them share (sheet sections 2, 3 and 7).

use axum::http::Method;
use axum::response::Response;
use chrono::{DateTime, Utc};

use super::answer::{Failure, Outcome, respond};
use super::book::Book;
use super::call::{Call, request_signature};
use super::settings::{Gate, Settings};
use super::{
    PARTNER_ID, PARTNER_KEY, SHOPS, Shop, Shopee, batch, cancels, delivery, detail, items, orders, packages,
    push, ship, shipping, shops, stock, tokens,
};
use crate::market::{Acting, Actor, Order};
use crate::{FaceContext, Market, RequestHead, lock};

/// A timestamp may be so many seconds off.
const CLOCK_SECONDS: i64 = 300;
/// The day of the daily limit begins at 00:00 UTC+8.
const DAY_OFFSET: i64 = 8 * 3600;

/// Who an operation is for, and so what is signed.
#[derive(Clone, Copy)]
enum Run {
    App(fn(&Front<'_>) -> Outcome),
    Shop(fn(&Visit<'_>) -> Outcome),
}

struct Operation {
    name: &'static str,
    method: Method,
    path: &'static str,
    run: Run,
}

const fn get(name: &'static str, path: &'static str, run: fn(&Visit<'_>) -> Outcome) -> Operation {
    Operation { name, method: Method::GET, path, run: Run::Shop(run) }
}

const fn post(name: &'static str, path: &'static str, run: fn(&Visit<'_>) -> Outcome) -> Operation {
    Operation { name, method: Method::POST, path, run: Run::Shop(run) }
}

const fn app(
    name: &'static str,
    method: Method,
    path: &'static str,
    run: fn(&Front<'_>) -> Outcome,
) -> Operation {
    Operation { name, method, path, run: Run::App(run) }
}

const OPERATIONS: &[Operation] = &[
    app("public.get_access_token", Method::POST, "auth/token/get", shops::get_token),
    app("public.refresh_access_token", Method::POST, "auth/access_token/get", shops::refresh_token),
    app(
        "public.get_token_by_resend_code",
        Method::POST,
        "public/get_token_by_resend_code",
        shops::resend_token,
    ),
    app("public.get_shops_by_partner", Method::GET, "public/get_shops_by_partner", shops::by_partner),
    app("public.get_shopee_ip_ranges", Method::GET, "public/get_shopee_ip_ranges", shops::ip_ranges),
    app("shop.auth_partner", Method::GET, "shop/auth_partner", shops::auth_partner),
    app("push.set_app_push_config", Method::POST, "push/set_app_push_config", push::set_config),
    app("push.get_app_push_config", Method::GET, "push/get_app_push_config", push::config),
    app("push.get_lost_push_message", Method::GET, "push/get_lost_push_message", push::lost),
    app(
        "push.confirm_consumed_lost_push_message",
        Method::POST,
        "push/confirm_consumed_lost_push_message",
        push::confirm_lost,
    ),
    get("shop.get_shop_info", "shop/get_shop_info", shops::info),
    get("shop.get_warehouse_detail", "shop/get_warehouse_detail", stock::warehouses),
    get("order.get_order_list", "order/get_order_list", orders::list),
    get("order.get_order_detail", "order/get_order_detail", detail::detail),
    get("order.get_package_detail", "order/get_package_detail", packages::detail),
    post("order.search_package_list", "order/search_package_list", packages::search),
    get("order.get_shipment_list", "order/get_shipment_list", packages::shipments),
    post("order.split_order", "order/split_order", packages::split),
    post("order.set_note", "order/set_note", orders::set_note),
    post("order.cancel_order", "order/cancel_order", cancels::by_seller),
    post("order.handle_buyer_cancellation", "order/handle_buyer_cancellation", cancels::of_buyer),
    get("logistics.get_shipping_parameter", "logistics/get_shipping_parameter", shipping::parameter),
    post("logistics.ship_order", "logistics/ship_order", ship::one),
    post("logistics.batch_ship_order", "logistics/batch_ship_order", batch::orders),
    post("logistics.mass_ship_order", "logistics/mass_ship_order", batch::packages),
    post("logistics.update_shipping_order", "logistics/update_shipping_order", delivery::update),
    get("logistics.get_tracking_number", "logistics/get_tracking_number", shipping::tracking_number),
    post("logistics.update_tracking_status", "logistics/update_tracking_status", delivery::own_delivery),
    post("product.update_stock", "product/update_stock", stock::update),
    get("product.get_item_list", "product/get_item_list", items::list),
    get("product.get_item_base_info", "product/get_item_base_info", items::base_info),
    get("product.get_model_list", "product/get_model_list", items::models),
    get("product.search_item", "product/search_item", items::search),
];

const BASE: &str = "/api/v2/";
/// Where the seller lets the app in, in the current form: nothing is signed.
const CONSENT: &str = "/auth";
const CONSENT_END: &str = "/cancel_auth";

fn find(method: &Method, path: &str) -> Option<&'static Operation> {
    let path = path.strip_prefix(BASE)?;
    OPERATIONS.iter().find(|operation| operation.path == path && operation.method == *method)
}

/// The name of the operation at a path.
pub(super) fn operation_name(method: &Method, path: &str) -> &'static str {
    match path {
        CONSENT => "auth",
        CONSENT_END => "cancel_auth",
        _ => find(method, path).map_or("unknown", |operation| operation.name),
    }
}

/// The face at work.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) face: Shopee,
    pub(super) context: FaceContext,
}

/// One call by the app itself.
pub(super) struct Front<'a> {
    pub(super) desk: &'a Desk,
    pub(super) call: &'a Call<'a>,
    pub(super) settings: &'a Settings,
    pub(super) now: DateTime<Utc>,
}

/// One call for one shop.
pub(super) struct Visit<'a> {
    pub(super) desk: &'a Desk,
    pub(super) call: &'a Call<'a>,
    pub(super) settings: &'a Settings,
    pub(super) now: DateTime<Utc>,
    pub(super) shop: &'static Shop,
    operation: &'static str,
}

impl Desk {
    pub(super) fn answer(&self, head: &RequestHead<'_>, body: &[u8]) -> Response {
        let settings = self.face.settings();
        let outcome = self.run(&Call::parse(head, body), &settings);
        respond(outcome, &settings, &self.face.request_id())
    }

    fn run(&self, call: &Call<'_>, settings: &Settings) -> Outcome {
        let now = self.context.clock.now();
        let front = Front { desk: self, call, settings, now };
        match call.path {
            CONSENT => return shops::consent(&front),
            CONSENT_END => return shops::end_consent(&front),
            path if path.starts_with("/api/v1/") => {
                return Err(Failure::new("api_suspended", "The API is offline. Please call v2 API instead."));
            }
            _ => {}
        }
        let operation = find(call.method, call.path).ok_or_else(Failure::no_such_path)?;
        let timestamp = check_app(call, now)?;
        match operation.run {
            Run::App(run) => {
                check_sign(call, timestamp, None)?;
                self.check_gate(settings, false)?;
                self.check_limits(settings, now)?;
                run(&front)
            }
            Run::Shop(run) => {
                let token = call.sent("access_token").filter(|token| !token.is_empty());
                let token = token.ok_or_else(|| Failure::param("There is no access_token in query."))?;
                let shop_id = shop_id(call)?;
                check_sign(call, timestamp, Some((token, shop_id)))?;
                self.check_gate(settings, true)?;
                lock(&self.face.0.tokens).get_or_insert_with(|| tokens::Tokens::new(now)).check_access(
                    token,
                    shop_id,
                    settings.token_error,
                    now,
                )?;
                self.check_limits(settings, now)?;
                let shop = SHOPS.iter().find(|shop| shop.id == shop_id);
                let shop = shop.ok_or_else(|| Failure::new("error_shop", "shopid is invalid"))?;
                run(&Visit { desk: self, call, settings, now, shop, operation: operation.name })
            }
        }
    }

    fn check_gate(&self, settings: &Settings, for_shop: bool) -> Result<(), Failure> {
        let (error, message) = match settings.gate {
            Gate::KeyExpired => ("error_partner_key_expired", "Your API partner key has expired."),
            Gate::AddressRefused => ("source_ip_undeclared", "Request Source IP (127.0.0.1) is undeclared."),
            Gate::NoPermission => ("error_api_permission", "This app type has no permission to this API."),
            Gate::Restricted => {
                ("error_api_call_restricted", "The App permission for api call have been restricted.")
            }
            Gate::ShopBanned if for_shop => ("shop_banned", "The shop account has been banned."),
            Gate::Open | Gate::ShopBanned => return Ok(()),
        };
        Err(Failure::new(error, message))
    }

    fn check_limits(&self, settings: &Settings, now: DateTime<Utc>) -> Result<(), Failure> {
        let second = now.timestamp();
        let mut used = lock(&self.face.0.used);
        if settings.daily_limit.is_some_and(|limit| used.day.over((second + DAY_OFFSET) / 86_400, limit)) {
            return Err(Failure::new(
                "error_limit",
                "The total API call number made by your APP has reached the daily API call limit, please \
                 try again after 00: 00 (UTC+08:00)",
            ));
        }
        if settings.rate_limit.is_some_and(|limit| used.second.over(second, limit)) {
            return Err(Failure::new(
                "error_rate_limit",
                "Too many requests. You have reached the rate limit. Please try again later.",
            ));
        }
        Ok(())
    }
}

/// Calls in one window of time.
#[derive(Debug, Default)]
pub(super) struct Window {
    at: i64,
    calls: u32,
}

impl Window {
    /// Counts a call, and says whether it is one too many.
    fn over(&mut self, at: i64, limit: u32) -> bool {
        if self.at != at {
            *self = Self { at, calls: 0 };
        }
        self.calls = self.calls.saturating_add(1);
        self.calls > limit
    }
}

/// Calls in the second and on the day.
#[derive(Debug, Default)]
pub(super) struct Used {
    second: Window,
    day: Window,
}

/// `partner_id` and `timestamp`, which is returned.
fn check_app(call: &Call<'_>, now: DateTime<Utc>) -> Result<i64, Failure> {
    let partner =
        call.sent("partner_id").ok_or_else(|| Failure::param("There is no partner_id in query."))?;
    let partner: u32 = partner.parse().map_err(|_| {
        Failure::param("Partner_id is invalid, should be an integer between 0 and 4294967295.")
    })?;
    if u64::from(partner) != PARTNER_ID {
        return Err(Failure::new("invalid_partner_id", "Invalid partner_id, please have a check."));
    }
    let timestamp = call.sent("timestamp").ok_or_else(|| Failure::param("no timestamp."))?;
    let timestamp: u32 = timestamp.parse().map_err(|_| {
        Failure::param("Timestamp is invalid, should be an integer between 0 and 4294967295.")
    })?;
    if (now.timestamp() - i64::from(timestamp)).abs() > CLOCK_SECONDS {
        return Err(Failure::param("Timestamp is expired."));
    }
    Ok(i64::from(timestamp))
}

fn shop_id(call: &Call<'_>) -> Result<u64, Failure> {
    let text = call.sent("shop_id").ok_or_else(|| Failure::param("There is no shop_id in query."))?;
    let id: u32 = text
        .parse()
        .map_err(|_| Failure::param("shop_id is invalid, should be an integer between 0 and 4294967295."))?;
    Ok(u64::from(id))
}

fn check_sign(call: &Call<'_>, timestamp: i64, shop: Option<(&str, u64)>) -> Result<(), Failure> {
    let sign = call.sent("sign").ok_or_else(|| Failure::param("There is no sign in query."))?;
    if sign == request_signature(PARTNER_KEY, PARTNER_ID, call.path, timestamp, shop) {
        return Ok(());
    }
    Err(Failure::new("error_sign", "Wrong sign."))
}

impl Visit<'_> {
    pub(super) fn market(&self) -> &Market {
        &self.desk.context.market
    }

    pub(super) fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        lock(&self.desk.face.0.book)
    }

    /// Who is in the record for what this call does.
    pub(super) fn acting(&self) -> Acting<'_> {
        self.market().by(Actor::Api { face: "shopee".into(), operation: self.operation.into() })
    }

    pub(super) fn is_own(&self, order: &Order) -> bool {
        order.seller == self.shop.seller
    }

    /// The shop's order with this number.
    pub(super) fn order(&self, sn: &str) -> Option<Order> {
        let found = self.market().read(|state| super::ids::order(state, sn).cloned());
        found.filter(|order| self.is_own(order))
    }

    /// The shop's order that a body must name.
    pub(super) fn required_order(&self, sn: &str) -> Result<Order, Failure> {
        if sn.is_empty() {
            return Err(Failure::required("order_sn"));
        }
        self.order(sn).ok_or_else(Failure::no_such_order)
    }

    /// A page begins after a row, so rows that come in or move neither repeat others nor push them out.
    pub(super) fn page<T>(
        &self,
        mut found: Vec<(i64, u64, T)>,
        size: usize,
        cursor: &str,
        ascending: bool,
    ) -> Result<Page<T>, Failure> {
        let after = match cursor {
            "" => None,
            text => Some(read_cursor(text).ok_or_else(|| Failure::wrong("cursor is invalid."))?),
        };
        let total = found.len();
        found.sort_by_key(|&(time, number, _)| (time, number));
        if !ascending {
            found.reverse();
        }
        let is_after = |time: i64, number: u64| match after {
            None => true,
            Some(after) if ascending => (time, number) > after,
            Some(after) => (time, number) < after,
        };
        found.retain(|(time, number, _)| is_after(*time, *number));
        let more = found.len() > size.min(self.settings.page_size);
        found.truncate(size.min(self.settings.page_size));
        let next = found.last().filter(|_| more).map(|(time, number, _)| format!("{time},{number}"));
        Ok(Page {
            rows: found.into_iter().map(|(_, _, row)| row).collect(),
            more,
            next: next.unwrap_or_default(),
            total,
        })
    }
}

/// Rows with where the next ones begin.
pub(super) struct Page<T> {
    pub(super) rows: Vec<T>,
    pub(super) more: bool,
    pub(super) next: String,
    pub(super) total: usize,
}

fn read_cursor(text: &str) -> Option<(i64, u64)> {
    let (time, number) = text.split_once(',')?;
    Some((time.parse().ok()?, number.parse().ok()?))
}
