//! Rakuten Ichiba's RMS WEB SERVICE. "Sheet" with a section number is the project's sheet of the channel's
//! documentation; what that leaves open is in README.md under "assumed".
//!
//! An order of the market is one order here. Payment is a step of its own: a confirmed order is at 200 until it is
//! through (see [`PaymentStep`]).

mod answer;
mod book;
mod call;
mod cancel;
mod companies;
mod confirm;
mod desk;
mod detail;
mod inventory;
mod items;
mod keys;
mod license;
mod limits;
mod search;
mod shipping;
mod wording;

use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, put};
use axum::{Json, Router};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use book::Book;
pub use book::Destination;
use call::{Found, find};
use desk::Desk;
pub use keys::Key;
use keys::Keys;
use limits::Limits;

use crate::market::{DEFAULT_SELLER, Order, OrderNumber};
use crate::{Face, FaceContext, RequestHead, lock};

/// The service secret of all keys.
pub const SERVICE_SECRET: &str = "SP123456_sandbox";
/// The license key that works.
pub const LICENSE_KEY: &str = "SL123456_sandbox";
/// A license key that is expired.
pub const EXPIRED_LICENSE_KEY: &str = "SL123456_expired";
/// The license key of a second seller, [`OTHER_SELLER`].
pub const OTHER_LICENSE_KEY: &str = "SL654321_sandbox";
/// The second seller.
pub const OTHER_SELLER: &str = "other-seller";
/// The demo seller's shop number, with which order numbers begin.
pub const SHOP: &str = "123456";
/// The second seller's shop number.
pub const OTHER_SHOP: &str = "654321";
/// How long the keys work from the start of the face.
const KEY_DAYS: i64 = 60;

/// What stands between a confirmed order (200) and one that can be sent (300). An order that the market has unpaid
/// waits for its payment, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum PaymentStep {
    /// Nothing.
    AtOnce,
    /// Some time on the sandbox's clock, or [`Rakuten::settle_payment`].
    AfterSeconds {
        /// So long.
        seconds: u32,
    },
    /// [`Rakuten::settle_payment`].
    ByHand,
}

/// How an exceeded limit is answered. Both have been seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitStatus {
    /// HTTP 403.
    Forbidden,
    /// HTTP 429.
    TooManyRequests,
}

impl LimitStatus {
    fn code(self) -> StatusCode {
        match self {
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
        }
    }
}

/// What can be switched on the face.
#[derive(Debug, Clone, Copy)]
struct Settings {
    payment: PaymentStep,
    page_size: usize,
    limits: Option<LimitStatus>,
    async_seconds: u32,
    blank_shipments: bool,
}

#[derive(Debug)]
struct Inner {
    settings: Mutex<Settings>,
    keys: Mutex<Keys>,
    book: Mutex<Book>,
    limits: Mutex<Limits>,
}

/// The face of Rakuten. Clones are the same face: keep one to switch things while it runs.
#[derive(Debug, Clone)]
pub struct Rakuten(Arc<Inner>);

impl Default for Rakuten {
    fn default() -> Self {
        Self::new()
    }
}

impl Rakuten {
    /// A face with the keys above, a payment step of 60 seconds, and no limits.
    pub fn new() -> Self {
        let settings = Settings {
            payment: PaymentStep::AfterSeconds { seconds: 60 },
            page_size: usize::MAX,
            limits: None,
            async_seconds: 0,
            blank_shipments: true,
        };
        Self(Arc::new(Inner {
            settings: Mutex::new(settings),
            keys: Mutex::new(Keys::new()),
            book: Mutex::default(),
            limits: Mutex::default(),
        }))
    }

    /// Sets what stands between 200 and 300.
    #[must_use]
    pub fn payment(self, step: PaymentStep) -> Self {
        self.change(|settings| settings.payment = step)
    }

    /// Sets the most orders or items of a page, whatever is asked for; at least 1. As asked for by default.
    #[must_use]
    pub fn page_size(self, most: usize) -> Self {
        self.change(|settings| settings.page_size = most.max(1))
    }

    /// Enforces the published limits (orders and stock 1 per second, items and reading stock 5), on the sandbox's clock.
    #[must_use]
    pub fn limited(self, status: LimitStatus) -> Self {
        self.change(|settings| settings.limits = Some(status))
    }

    /// Sets after how many seconds an asynchronous dispatch is carried out. 0 by default: at once.
    #[must_use]
    pub fn async_seconds(self, seconds: u32) -> Self {
        self.change(|settings| settings.async_seconds = seconds)
    }

    /// Sets whether each destination has an empty shipment from the start, as in the official sample. It has by default.
    #[must_use]
    pub fn blank_shipments(self, blank: bool) -> Self {
        self.change(|settings| settings.blank_shipments = blank)
    }

    /// Puts a key in; replaces the one with the same license key.
    pub fn put_key(&self, key: Key) {
        lock(&self.0.keys).put(key);
    }

    /// Takes a key away, as a renewal does with the old one.
    pub fn remove_key(&self, license_key: &str) {
        lock(&self.0.keys).remove(license_key);
    }

    /// Lets the payment of an order through at a time.
    pub fn settle_payment(&self, order: OrderNumber, at: DateTime<Utc>) {
        lock(&self.0.book).page_mut(order).settled_at = Some(at);
    }

    /// Puts an order at 400 (change waiting to be fixed), 600 or 700 (payment after shipping). None takes that back.
    pub fn set_progress(&self, order: OrderNumber, progress: Option<u16>) {
        lock(&self.0.book).page_mut(order).progress = progress;
    }

    /// Sets whether the amounts of an order are not fixed yet: they are -9999, and it can't be confirmed.
    pub fn set_unfixed(&self, order: OrderNumber, unfixed: bool) {
        lock(&self.0.book).page_mut(order).unfixed = unfixed;
    }

    /// Sends lines of an order to another destination: a package of their own.
    pub fn add_destination(&self, order: OrderNumber, destination: Destination) {
        lock(&self.0.book).page_mut(order).destinations.push(destination);
    }

    /// The stock that was set for items and SKUs that do not exist: manage number, variant id and quantity.
    pub fn orphans(&self) -> Vec<(String, String, i64)> {
        let book = lock(&self.0.book);
        let row = |(key, orphan): (&(String, String, String), &book::Orphan)| {
            (key.1.clone(), key.2.clone(), orphan.quantity)
        };
        book.orphans.iter().map(row).collect()
    }

    /// The order number of a demo seller's order.
    pub fn order_number(order: &Order) -> String {
        wording::order_number(SHOP, order)
    }

    fn shop_of(&self, seller: &str) -> String {
        let shop = if seller == DEFAULT_SELLER { SHOP } else { OTHER_SHOP };
        shop.to_owned()
    }

    fn change(self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut lock(&self.0.settings));
        self
    }

    fn settings(&self) -> Settings {
        *lock(&self.0.settings)
    }
}

impl Face for Rakuten {
    fn id(&self) -> &'static str {
        "rakuten"
    }

    fn router(&self, context: FaceContext) -> Router {
        let now = context.clock.now();
        lock(&self.0.keys).end_at(now.checked_add_signed(TimeDelta::days(KEY_DAYS)).unwrap_or(now));
        let desk = Desk { face: self.clone(), context };
        Router::new().fallback(answer_call).with_state(desk)
    }

    fn operation(&self, head: &RequestHead<'_>, _body: &[u8]) -> String {
        match find(head.method, head.uri.path()) {
            Found::Operation(operation, _) => operation.name().to_owned(),
            Found::WrongMethod | Found::Nothing => "unknown".to_owned(),
        }
    }

    fn credentials(&self) -> Value {
        json!({
            "service_secret": SERVICE_SECRET,
            "license_key": LICENSE_KEY,
            "expired_license_key": EXPIRED_LICENSE_KEY,
            "shop": SHOP,
        })
    }

    fn control(&self) -> Router {
        Router::new()
            .route("/settings", put(change_settings))
            .route("/orders/{number}", put(change_order))
            .route("/keys", put(change_key))
            .route(
                "/",
                get(|| async {
                    Json(json!({ "routes": ["PUT settings", "PUT orders/{number}", "PUT keys"] }))
                }),
            )
            .with_state(self.clone())
    }
}

async fn answer_call(State(desk): State<Desk>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    // The gate has the whole body in memory already.
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_else(|_| Bytes::new());
    desk.answer(&RequestHead { method: &parts.method, uri: &parts.uri, headers: &parts.headers }, &body)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsChange {
    payment: Option<PaymentStep>,
    page_size: Option<usize>,
    /// `forbidden`, `too_many_requests` or `off`.
    limits: Option<String>,
    async_seconds: Option<u32>,
    blank_shipments: Option<bool>,
}

async fn change_settings(
    State(face): State<Rakuten>,
    Json(change): Json<SettingsChange>,
) -> Result<Json<Value>, (StatusCode, Json<Value>)> {
    let mut settings = lock(&face.0.settings);
    settings.limits = match change.limits.as_deref() {
        None => settings.limits,
        Some("off") => None,
        Some("forbidden") => Some(LimitStatus::Forbidden),
        Some("too_many_requests") => Some(LimitStatus::TooManyRequests),
        Some(_) => {
            let error = json!({ "error": "limits is off, forbidden or too_many_requests" });
            return Err((StatusCode::BAD_REQUEST, Json(error)));
        }
    };
    settings.payment = change.payment.unwrap_or(settings.payment);
    settings.page_size = change.page_size.unwrap_or(settings.page_size).max(1);
    settings.async_seconds = change.async_seconds.unwrap_or(settings.async_seconds);
    settings.blank_shipments = change.blank_shipments.unwrap_or(settings.blank_shipments);
    Ok(Json(json!({ "ok": true })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderChange {
    settled_at: Option<DateTime<Utc>>,
    progress: Option<u16>,
    unfixed: Option<bool>,
    destination: Option<Destination>,
}

async fn change_order(
    State(face): State<Rakuten>,
    axum::extract::Path(number): axum::extract::Path<OrderNumber>,
    Json(change): Json<OrderChange>,
) -> Json<Value> {
    let mut book = lock(&face.0.book);
    let page = book.page_mut(number);
    page.settled_at = change.settled_at.or(page.settled_at);
    page.progress = change.progress.or(page.progress);
    page.unfixed = change.unfixed.unwrap_or(page.unfixed);
    page.destinations.extend(change.destination);
    Json(json!({ "ok": true }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyChange {
    service_secret: String,
    license_key: String,
    expires_at: Option<DateTime<Utc>>,
    #[serde(default)]
    without: Vec<String>,
}

async fn change_key(State(face): State<Rakuten>, Json(change): Json<KeyChange>) -> Json<Value> {
    let key = Key::new(&change.service_secret, &change.license_key, change.expires_at);
    face.put_key(Key { without: change.without, ..key });
    Json(json!({ "ok": true }))
}
