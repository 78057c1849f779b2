//! Pushes: where they go, the signed calls that the channel makes, and the lost ones (sheet section 4.9). Nothing is
//! called: the calls are handed out.

use axum::http::Uri;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::{Answer, Failure, Outcome};
use super::book::Progress;
use super::desk::Front;
use super::ids::order_sn;
use super::settings::PushKey;
use super::view::View;
use super::{CALLBACK_URL, PARTNER_ID, PARTNER_KEY, PUSH_KEY, SHOPS, Shopee, push_signature, shop_of};
use crate::market::OrderNumber;
use crate::{FaceContext, lock};

/// Shops that pushes can be switched off for.
const MOST_BLOCKED: usize = 500;
/// Lost pushes that are given at once.
const MOST_LOST: usize = 100;
/// Lost pushes are kept so many days.
const KEPT_DAYS: i64 = 3;
/// The last code there is.
const LAST_CODE: u32 = 47;
/// Days before the end of an authorization in which the channel warns.
const WARNING_DAYS: i64 = 7;

/// What a push tells of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Code 3: it has another status.
    OrderStatus,
    /// Code 4: a parcel has a tracking number.
    TrackingNumber,
    /// Code 30: a parcel has another status.
    PackageFulfillment,
}

/// What a push tells of a shop, or of the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShopEvent {
    /// Code 1: the seller let the app in.
    Authorized,
    /// Code 2: the seller took it back.
    Deauthorized,
    /// Code 2: it came to its end.
    Expired,
    /// Code 12: authorizations end within 7 days.
    ExpiresSoon,
    /// The console's first ping, signed with an empty key.
    Verify,
}

/// A call of the channel to the app's server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PushCall {
    /// The address that it goes to.
    pub address: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte as it is signed.
    pub body: String,
}

#[derive(Debug)]
struct Lost {
    id: u64,
    at: DateTime<Utc>,
    push: Value,
    text: String,
}

#[derive(Debug)]
pub(super) struct Pushes {
    callback_url: String,
    off: Vec<u32>,
    blocked: Vec<u64>,
    lost: Vec<Lost>,
    next: u64,
}

impl Default for Pushes {
    fn default() -> Self {
        Self {
            callback_url: CALLBACK_URL.to_owned(),
            off: Vec::new(),
            blocked: Vec::new(),
            lost: Vec::new(),
            next: 176_600,
        }
    }
}

impl Pushes {
    pub(super) fn lose(&mut self, call: &PushCall, now: DateTime<Utc>) -> bool {
        let Ok(push) = serde_json::from_str(&call.body) else { return false };
        self.next += 1;
        self.lost.push(Lost { id: self.next, at: now, push, text: call.body.clone() });
        true
    }

    fn goes_out(&self, code: u32, shop: Option<u64>) -> bool {
        !self.off.contains(&code) && !shop.is_some_and(|shop| self.blocked.contains(&shop))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    callback_url: Option<String>,
    set_push_config_on: Vec<u32>,
    set_push_config_off: Vec<u32>,
    blocked_shop_id_list: Option<Vec<u64>>,
}

/// `push/set_app_push_config`.
pub(super) fn set_config(front: &Front<'_>) -> Outcome {
    let asked: Config = front.call.body()?;
    let is_address = |text: &String| {
        let uri = text.parse::<Uri>().ok();
        uri.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some())
    };
    if asked.callback_url.as_ref().is_some_and(|text| !is_address(text)) {
        return Err(Failure::param("this callback_url is invalid, please check your callback_url."));
    }
    let codes = || asked.set_push_config_on.iter().chain(&asked.set_push_config_off);
    if codes().any(|code| !(1..=LAST_CODE).contains(code)) {
        return Err(Failure::wrong("push config is invalid."));
    }
    if asked.blocked_shop_id_list.as_ref().is_some_and(|shops| shops.len() > MOST_BLOCKED) {
        return Err(Failure::wrong("blocked_shop_id_list must have at most 500 entries."));
    }
    let mut pushes = lock(&front.desk.face.0.pushes);
    if let Some(address) = asked.callback_url {
        pushes.callback_url = address;
    }
    pushes.off.retain(|code| !asked.set_push_config_on.contains(code));
    pushes.off.extend(&asked.set_push_config_off);
    if let Some(blocked) = asked.blocked_shop_id_list {
        pushes.blocked = blocked;
    }
    Ok(Answer::wrapped(json!({ "result": "success" })))
}

/// `push/get_app_push_config`.
pub(super) fn config(front: &Front<'_>) -> Outcome {
    let pushes = lock(&front.desk.face.0.pushes);
    let (off, on): (Vec<u32>, Vec<u32>) = (1..=LAST_CODE).partition(|code| pushes.off.contains(code));
    Ok(Answer::wrapped(json!({
        "callback_url": pushes.callback_url,
        "live_push_status": "Normal",
        "blocked_shop_id": pushes.blocked,
        "push_config_on_list": on,
        "push_config_off_list": off,
    })))
}

/// `push/get_lost_push_message`: the earliest of the last days that nobody has confirmed.
pub(super) fn lost(front: &Front<'_>) -> Outcome {
    let mut pushes = lock(&front.desk.face.0.pushes);
    let oldest = front.now - TimeDelta::days(KEPT_DAYS);
    pushes.lost.retain(|lost| lost.at >= oldest);
    let most = MOST_LOST.min(front.settings.page_size);
    let rows: Vec<Value> = pushes
        .lost
        .iter()
        .take(most)
        .map(|lost| {
            let data = if front.settings.lost_as_text { json!(lost.text) } else { lost.push.clone() };
            let mut row =
                json!({ "code": lost.push["code"], "timestamp": lost.at.timestamp(), "data": data });
            if !lost.push["shop_id"].is_null() {
                row["shop_id"] = lost.push["shop_id"].clone();
            }
            row
        })
        .collect();
    let last = pushes.lost.iter().take(most).next_back().map(|lost| lost.id).unwrap_or_default();
    Ok(Answer::wrapped(json!({
        "push_message_list": rows,
        "has_next_page": pushes.lost.len() > most,
        "last_message_id": last,
    }))
    .warn(""))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Consumed {
    last_message_id: Option<u64>,
}

/// `push/confirm_consumed_lost_push_message`: everything up to that one.
pub(super) fn confirm_lost(front: &Front<'_>) -> Outcome {
    let asked: Consumed = front.call.body()?;
    let last = asked.last_message_id.ok_or_else(|| Failure::required("last_message_id"))?;
    lock(&front.desk.face.0.pushes).lost.retain(|lost| lost.id > last);
    Ok(Answer::bare().warn(""))
}

pub(super) fn of_order(
    face: &Shopee,
    context: &FaceContext,
    number: OrderNumber,
    event: Event,
) -> Option<PushCall> {
    let settings = face.settings();
    let order = context.market.order(number)?;
    let shop = shop_of(&order.seller)?.id;
    let mut book = lock(&face.0.book);
    let view = View::of(&order, &mut book, &settings, context.clock.now());
    let sn = order_sn(&order);
    let (code, data) = match event {
        Event::OrderStatus => (
            3,
            json!({
                "items": [],
                "ordersn": sn,
                "status": view.status(true),
                "completed_scenario": "",
                "update_time": view.updated(),
            }),
        ),
        Event::TrackingNumber => {
            let told =
                view.packages.iter().rev().find(|package| {
                    package.progress > Progress::Open && !view.tracking(package).is_empty()
                })?;
            (4, json!({ "ordersn": sn, "package_number": told.number, "tracking_no": view.tracking(told) }))
        }
        Event::PackageFulfillment => {
            let package = view.packages.iter().max_by_key(|package| package.progress)?;
            (
                30,
                json!({
                    "ordersn": sn,
                    "package_number": package.number,
                    "fulfillment_status": view.logistics_status(package),
                    "update_time": view.updated(),
                }),
            )
        }
    };
    drop(book);
    let body = json!({
        "data": data,
        "shop_id": shop,
        "code": code,
        "timestamp": context.clock.now().timestamp(),
    });
    send(face, code, Some(shop), &body)
}

pub(super) fn of_shop(
    face: &Shopee,
    context: &FaceContext,
    seller: &str,
    event: ShopEvent,
) -> Option<PushCall> {
    let now = context.clock.now();
    let shop = shop_of(seller)?.id;
    let change = |kind: &str, extra: &str| json!({ "authorize_type": kind, "extra": extra, "shop_id": shop, "success": 1 });
    let (code, data) = match event {
        ShopEvent::Authorized => (1, change("shop authorization", "shop id authorized successfully")),
        ShopEvent::Deauthorized => (2, change("user cancel shop authorization", "The user took it back.")),
        ShopEvent::Expired => (2, change("expiry", "The authorization is expired.")),
        ShopEvent::ExpiresSoon => {
            let until = now + TimeDelta::days(WARNING_DAYS);
            let tokens = lock(&face.0.tokens);
            let soon: Vec<u64> = SHOPS
                .iter()
                .map(|shop| shop.id)
                .filter(|shop| {
                    let authorization = tokens.as_ref().and_then(|tokens| tokens.authorization(*shop));
                    authorization.is_some_and(|a| (now..=until).contains(&a.until))
                })
                .collect();
            if soon.is_empty() {
                return None;
            }
            (
                12,
                json!({
                    "merchant_expire_soon": [],
                    "shop_expire_soon": soon,
                    "user_expire_soon": [],
                    "expire_before": until.timestamp(),
                    "page_no": 1,
                    "total_page": 1,
                }),
            )
        }
        ShopEvent::Verify => (0, json!({ "verify_info": "This is a Verification message." })),
    };
    let body = json!({
        "data": data,
        "partner_id": PARTNER_ID,
        "code": code,
        "timestamp": now.timestamp(),
    });
    send(face, code, None, &body)
}

/// None when this push is switched off, or the shop is blocked.
fn send(face: &Shopee, code: u32, shop: Option<u64>, body: &Value) -> Option<PushCall> {
    let pushes = lock(&face.0.pushes);
    if !pushes.goes_out(code, shop) {
        return None;
    }
    let key = match (code, face.settings().push_key) {
        (0, _) => "",
        (_, PushKey::Push) => PUSH_KEY,
        (_, PushKey::Partner) => PARTNER_KEY,
    };
    let (address, body) = (pushes.callback_url.clone(), body.to_string());
    let headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("authorization".to_owned(), push_signature(key, &address, body.as_bytes())),
    ];
    Some(PushCall { address, headers, body })
}
