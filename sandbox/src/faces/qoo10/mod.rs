//! Qoo10 Japan's QAPI. "Sheet" with a section number is the project's sheet of the channel's documentation; what that
//! leaves open is in README.md under "assumed".
//!
//! One line of a market order is one Qoo10 order number; the lines of a cart share its `PackNo`.

mod answer;
mod call;
mod claims;
mod confirm;
mod dispatch;
mod keys;
mod listings;
mod methods;
mod order_detail;
mod orders;
mod stock;
mod wording;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use call::{BASE_PATH, Call};
pub use keys::KeyState;
use keys::Keys;
use methods::Desk;

use crate::{Face, FaceContext, RateLimit, RequestHead, lock};

/// The certification key that works.
pub const KEY: &str = "sandbox-qoo10-key";
/// A certification key that is expired.
pub const EXPIRED_KEY: &str = "sandbox-qoo10-expired-key";
/// A certification key that may read, but not change anything.
pub const READ_ONLY_KEY: &str = "sandbox-qoo10-read-only-key";
/// The key of a second seller, [`OTHER_SELLER`].
pub const OTHER_KEY: &str = "sandbox-qoo10-other-key";
/// The second seller.
pub const OTHER_SELLER: &str = "other-seller";
/// The key with which certification keys are made.
pub const API_KEY: &str = "sandbox-qoo10-api-key";
/// The user id with which certification keys are made.
pub const USER_ID: &str = "demo-seller";
/// The password with which certification keys are made.
pub const PASSWORD: &str = "sandbox-password";

/// How answers are spelt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wording {
    /// As differently as clients have seen it: numbers as numbers and as texts, two date formats, three forms of a
    /// status, one row as an object, no rows as null, `[]` or nothing.
    #[default]
    Varied,
    /// Always the same.
    Uniform,
}

/// Whether today is taken as a ship date. Sources differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShipToday {
    /// Today is taken.
    #[default]
    Taken,
    /// Only days after today are taken.
    Refused,
}

/// What can be switched on the face.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    wording: Wording,
    ship_today: ShipToday,
    /// Days after today up to which a ship date is taken.
    ship_days: u16,
    page_size: usize,
    rate_limit: Option<RateLimit>,
}

#[derive(Debug)]
struct Inner {
    settings: Mutex<Settings>,
    keys: Mutex<Keys>,
    /// Answers given; varies their wording.
    answers: AtomicU64,
}

/// The face of Qoo10. Clones are the same face: keep one to switch things while it runs.
#[derive(Debug, Clone)]
pub struct Qoo10(Arc<Inner>);

impl Default for Qoo10 {
    fn default() -> Self {
        Self::new()
    }
}

impl Qoo10 {
    /// A face with the keys above, varied wording and no rate limit.
    pub fn new() -> Self {
        let settings = Settings {
            wording: Wording::Varied,
            ship_today: ShipToday::Taken,
            ship_days: 30,
            page_size: 500,
            rate_limit: None,
        };
        Self(Arc::new(Inner {
            settings: Mutex::new(settings),
            keys: Mutex::new(Keys::new()),
            answers: AtomicU64::new(0),
        }))
    }

    /// Sets how answers are spelt.
    #[must_use]
    pub fn wording(self, wording: Wording) -> Self {
        self.change(|settings| settings.wording = wording)
    }

    /// Sets whether today is taken as a ship date.
    #[must_use]
    pub fn ship_today(self, ship_today: ShipToday) -> Self {
        self.change(|settings| settings.ship_today = ship_today)
    }

    /// Sets the last day after today that is taken as a ship date. 30 by default.
    #[must_use]
    pub fn ship_days(self, days: u16) -> Self {
        self.change(|settings| settings.ship_days = days)
    }

    /// Sets how many items are on a page of `GetAllGoodsInfo`. 500 by default, as documented; at least 1.
    #[must_use]
    pub fn page_size(self, items: usize) -> Self {
        self.change(|settings| settings.page_size = items.max(1))
    }

    /// Sets a rate limit. None by default, as none is published.
    #[must_use]
    pub fn limited_to(self, limit: RateLimit) -> Self {
        self.change(|settings| settings.rate_limit = Some(limit))
    }

    /// Sets what a certification key of the demo seller is good for; adds it when it is new.
    pub fn set_key(&self, key: &str, state: KeyState) {
        self.set_key_of(crate::market::DEFAULT_SELLER, key, state);
    }

    /// Sets what a certification key of a seller is good for; adds it when it is new.
    pub fn set_key_of(&self, seller: &str, key: &str, state: KeyState) {
        lock(&self.0.keys).set(seller, key, state);
    }

    fn change(self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut lock(&self.0.settings));
        self
    }

    fn settings(&self) -> Settings {
        lock(&self.0.settings).clone()
    }
}

impl Face for Qoo10 {
    fn id(&self) -> &'static str {
        "qoo10"
    }

    fn router(&self, context: FaceContext) -> Router {
        let desk = Desk { face: self.clone(), context };
        Router::new().fallback(answer_call).with_state(desk)
    }

    fn operation(&self, head: &RequestHead<'_>, body: &[u8]) -> String {
        Call::parse(head, body).and_then(|call| call.method).unwrap_or_else(|| "unknown".into())
    }

    fn credentials(&self) -> Value {
        json!({
            "certification_key": KEY,
            "expired_certification_key": EXPIRED_KEY,
            "read_only_certification_key": READ_ONLY_KEY,
            "api_key": API_KEY,
            "user_id": USER_ID,
            "password": PASSWORD,
            "path": BASE_PATH,
        })
    }

    fn rate_limit(&self) -> Option<RateLimit> {
        self.settings().rate_limit
    }

    fn control(&self) -> Router {
        Router::new()
            .route("/settings", put(change_settings))
            .route("/keys", put(change_key))
            .route("/", get(|| async { Json(json!({ "routes": ["PUT settings", "PUT keys"] })) }))
            .with_state(self.clone())
    }
}

async fn answer_call(State(desk): State<Desk>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    // The gate has the whole body in memory already.
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_else(|_| Bytes::new());
    let head = RequestHead { method: &parts.method, uri: &parts.uri, headers: &parts.headers };
    let Some(call) = Call::parse(&head, &body) else {
        return (
            StatusCode::NOT_FOUND,
            Html("<html><body><h2>404 - File or directory not found.</h2></body></html>"),
        )
            .into_response();
    };
    if parts.method != Method::POST {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "POST")]).into_response();
    }
    desk.answer(&call)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsChange {
    wording: Option<Wording>,
    ship_today: Option<ShipToday>,
    ship_days: Option<u16>,
    page_size: Option<usize>,
    rate_limit: Option<RateLimit>,
}

async fn change_settings(State(face): State<Qoo10>, Json(change): Json<SettingsChange>) -> Json<Value> {
    let mut settings = lock(&face.0.settings);
    settings.wording = change.wording.unwrap_or(settings.wording);
    settings.ship_today = change.ship_today.unwrap_or(settings.ship_today);
    settings.ship_days = change.ship_days.unwrap_or(settings.ship_days);
    settings.page_size = change.page_size.unwrap_or(settings.page_size).max(1);
    // `{"requests": 0}` of another length can't be told from a limit: a limit of 0 requests ends it.
    if let Some(limit) = change.rate_limit {
        settings.rate_limit = (limit.requests > 0).then_some(limit);
    }
    Json(json!({ "ok": true }))
}

#[derive(Deserialize)]
struct KeyChange {
    key: String,
    #[serde(default)]
    seller: Option<String>,
    #[serde(flatten)]
    state: KeyState,
}

async fn change_key(State(face): State<Qoo10>, Json(change): Json<KeyChange>) -> Json<Value> {
    let seller = change.seller.as_deref().unwrap_or(crate::market::DEFAULT_SELLER);
    face.set_key_of(seller, &change.key, change.state);
    Json(json!({ "ok": true }))
}
