//! Shopify's Admin GraphQL API. "Sheet" with a section number is the project's sheet of the channel's documentation; what
//! that leaves open is in README.md under "assumed".
//!
//! Documents are parsed, validated and executed against `schema.graphql`. An order of the market is one order here, an
//! option (or an item without options) a variant, a parcel a fulfilment. The market's quantity of a variant is what is
//! available at the one location that stocks it.

mod answer;
mod book;
mod bucket;
mod cancel;
mod cost;
mod desk;
mod fulfill;
mod fulfillment_orders;
mod graphql;
mod ids;
mod lists;
mod node;
mod order_nodes;
mod places;
mod product_nodes;
mod root;
mod search;
mod stock;
mod tokens;
mod webhooks;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, put};
use axum::{Json, Router};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use book::Book;
pub use book::{Hold, Location};
use bucket::Bucket;
pub use bucket::BucketSize;
use desk::Desk;
use tokens::Tokens;
pub use tokens::{ALL_SCOPES, AccessToken};
pub use webhooks::{WebhookCall, webhook_signature};

use crate::market::{ItemId, LineNumber, OptionId, OrderNumber};
use crate::{Face, FaceContext, RequestHead, lock};

/// An access token that does not end and may do everything.
pub const ACCESS_TOKEN: &str = "shpat_sandbox_demo";
/// An access token that may read, but not change anything.
pub const READ_ONLY_ACCESS_TOKEN: &str = "shpat_sandbox_read_only";
/// An access token that has ended.
pub const EXPIRED_ACCESS_TOKEN: &str = "shpat_sandbox_expired";
/// The access token of a second shop, of [`OTHER_SELLER`].
pub const OTHER_ACCESS_TOKEN: &str = "shpat_sandbox_other";
/// The second shop's seller.
pub const OTHER_SELLER: &str = "other-seller";
/// A refresh token that was not used yet.
pub const REFRESH_TOKEN: &str = "shprt_sandbox_demo";
/// The app's id.
pub const CLIENT_ID: &str = "sandbox-client-id";
/// The app's secret: for tokens, and to sign webhooks.
pub const CLIENT_SECRET: &str = "shpss_sandbox_secret";
/// The shop's domain.
pub const MYSHOPIFY_DOMAIN: &str = "sandbox-demo.myshopify.com";
/// The version that the sheet describes.
const VERSION: &str = "2026-10";

/// Whether the shop can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShopState {
    /// It can.
    #[default]
    Open,
    /// HTTP 402: it has not paid.
    Frozen,
    /// HTTP 403.
    Blocked,
    /// HTTP 404.
    Gone,
    /// HTTP 423.
    Locked,
    /// HTTP 430: the request looked malicious.
    SecurityRejection,
}

/// What can be switched on the face.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    limited: bool,
    bucket: BucketSize,
    max_query_cost: u64,
    page_size: usize,
    protected_data: bool,
    cancel_seconds: u32,
    currency: String,
    zone: String,
    shop: ShopState,
    answers_version: Option<String>,
}

#[derive(Debug)]
struct Inner {
    settings: Mutex<Settings>,
    tokens: Mutex<Tokens>,
    book: Mutex<Book>,
    /// By app and shop.
    buckets: Mutex<HashMap<(String, String), Bucket>>,
    /// Set when the face is served: webhooks are made from the market.
    context: Mutex<Option<FaceContext>>,
}

/// The face of Shopify. Clones are the same face: keep one to switch things while it runs.
#[derive(Debug, Clone)]
pub struct Shopify(Arc<Inner>);

impl Default for Shopify {
    fn default() -> Self {
        Self::new()
    }
}

impl Shopify {
    /// A face with the tokens above and no throttling, of a shop in Tokyo that sells in yen.
    pub fn new() -> Self {
        let settings = Settings {
            limited: false,
            bucket: BucketSize::default(),
            max_query_cost: 1000,
            page_size: usize::MAX,
            protected_data: true,
            cancel_seconds: 0,
            currency: "JPY".to_owned(),
            zone: "Asia/Tokyo".to_owned(),
            shop: ShopState::Open,
            answers_version: None,
        };
        Self(Arc::new(Inner {
            settings: Mutex::new(settings),
            tokens: Mutex::new(Tokens::new()),
            book: Mutex::default(),
            buckets: Mutex::default(),
            context: Mutex::default(),
        }))
    }

    /// Throttles by a bucket of points that refills by the sandbox's clock, and ends paging at 25,000 objects.
    #[must_use]
    pub fn limited(self, bucket: BucketSize) -> Self {
        self.change(|settings| {
            settings.limited = true;
            settings.bucket = bucket;
        })
    }

    /// Sets the most points of one query. 1000 by default; this limit is never off.
    #[must_use]
    pub fn max_query_cost(self, points: u64) -> Self {
        self.change(|settings| settings.max_query_cost = points)
    }

    /// Sets the most nodes of a page of any connection, whatever is asked for; at least 1. As asked for by default.
    #[must_use]
    pub fn page_size(self, most: usize) -> Self {
        self.change(|settings| settings.page_size = most.max(1))
    }

    /// Sets whether the app may see protected customer data. Without, names, addresses, phones and e-mails are null.
    #[must_use]
    pub fn protected_data(self, allowed: bool) -> Self {
        self.change(|settings| settings.protected_data = allowed)
    }

    /// Sets after how many seconds a cancellation is carried out. 0 by default: at once.
    #[must_use]
    pub fn cancel_seconds(self, seconds: u32) -> Self {
        self.change(|settings| settings.cancel_seconds = seconds)
    }

    /// Sets the shop's currency and zone. Amounts are what the market says.
    #[must_use]
    pub fn shop(self, currency: &str, zone: &str) -> Self {
        self.change(|settings| {
            currency.clone_into(&mut settings.currency);
            zone.clone_into(&mut settings.zone);
        })
    }

    /// Sets whether the shop can be reached.
    pub fn set_shop_state(&self, state: ShopState) {
        lock(&self.0.settings).shop = state;
    }

    /// Makes another version answer than the one that is asked for, as when that has ended.
    pub fn answer_with_version(&self, version: Option<&str>) {
        lock(&self.0.settings).answers_version = version.map(str::to_owned);
    }

    /// Puts an access token in, or changes what it is good for.
    pub fn put_token(&self, token: &str, good_for: AccessToken) {
        lock(&self.0.tokens).put(token, good_for);
    }

    /// Takes an access token away, as uninstalling the app does.
    pub fn remove_token(&self, token: &str) {
        lock(&self.0.tokens).remove(token);
    }

    /// Adds a location, or changes the one with this number.
    pub fn put_location(&self, location: Location) {
        let mut book = lock(&self.0.book);
        book.locations.retain(|known| known.id != location.id);
        book.locations.push(location);
    }

    /// Stocks a variant at another location than the first.
    pub fn stock_at(&self, item: ItemId, option: Option<OptionId>, location: u64) {
        lock(&self.0.book).homes.insert(ids::variant(item, option), location);
    }

    /// Sets whether the stock of a variant is tracked. It is by default.
    pub fn set_tracked(&self, item: ItemId, option: Option<OptionId>, tracked: bool) {
        let (mut book, variant) = (lock(&self.0.book), ids::variant(item, option));
        if tracked {
            book.untracked.remove(&variant)
        } else {
            book.untracked.insert(variant)
        };
    }

    /// Sets whether a variant is shipped. It is by default.
    pub fn set_requires_shipping(&self, item: ItemId, option: Option<OptionId>, ships: bool) {
        let (mut book, variant) = (lock(&self.0.book), ids::variant(item, option));
        if ships {
            book.digital.remove(&variant)
        } else {
            book.digital.insert(variant)
        };
    }

    /// Holds the fulfilment orders of an order.
    pub fn hold(&self, order: OrderNumber, hold: Hold) {
        self.on_page(order, |page| page.holds.push(hold));
    }

    /// Takes all holds of an order back.
    pub fn release(&self, order: OrderNumber) {
        self.on_page(order, |page| page.holds.clear());
    }

    /// Schedules the fulfilment of an order: it can't be sent before.
    pub fn schedule(&self, order: OrderNumber, at: DateTime<Utc>) {
        self.on_page(order, |page| page.fulfill_at = Some(at));
    }

    /// Moves a line to another location: its fulfilment order changes.
    pub fn move_line(&self, order: OrderNumber, line: LineNumber, location: u64) {
        self.on_page(order, |page| {
            page.moved.insert(line, location);
        });
    }

    /// Sets the financial status of an order, for example `AUTHORIZED`. None: what follows from the market.
    pub fn set_financial_status(&self, order: OrderNumber, status: Option<&str>) {
        self.on_page(order, |page| page.financial_status = status.map(str::to_owned));
    }

    /// Sets whether an order is a test.
    pub fn set_test(&self, order: OrderNumber, test: bool) {
        self.on_page(order, |page| page.test = test);
    }

    /// Archives an order.
    pub fn close(&self, order: OrderNumber, at: DateTime<Utc>) {
        self.on_page(order, |page| page.closed_at = Some(at));
    }

    /// The signed call that the channel would make for an order. `topic` is as in the header, for example `orders/create`.
    /// None for an unknown order, or before the face is served.
    pub fn webhook(&self, topic: &str, order: OrderNumber) -> Option<WebhookCall> {
        let context = lock(&self.0.context).clone()?;
        let order = context.market.order(order)?;
        let now = context.clock.now();
        Some(webhooks::call(&mut lock(&self.0.book), topic, &order, VERSION, now))
    }

    fn on_page(&self, order: OrderNumber, change: impl FnOnce(&mut book::Page)) {
        let now = lock(&self.0.context).as_ref().map_or_else(Utc::now, |context| context.clock.now());
        change(lock(&self.0.book).page_mut(order, now));
    }

    fn change(self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut lock(&self.0.settings));
        self
    }

    fn settings(&self) -> Settings {
        lock(&self.0.settings).clone()
    }
}

/// A time as the API shows it.
fn time(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl Face for Shopify {
    fn id(&self) -> &'static str {
        "shopify"
    }

    fn router(&self, context: FaceContext) -> Router {
        lock(&self.0.tokens).start(context.clock.now());
        *lock(&self.0.context) = Some(context.clone());
        let desk = Desk { face: self.clone(), context };
        Router::new().fallback(answer_call).with_state(desk)
    }

    /// The first field of the GraphQL operation, for example `orders`; `token` for the token endpoint.
    fn operation(&self, head: &RequestHead<'_>, body: &[u8]) -> String {
        match desk::find(head.uri.path()) {
            desk::Path::Token => "token".to_owned(),
            desk::Path::GraphQl(_) => graphql::operation_name(body).unwrap_or_else(|| "unknown".to_owned()),
            desk::Path::Nothing => "unknown".to_owned(),
        }
    }

    fn credentials(&self) -> Value {
        json!({
            "shop": MYSHOPIFY_DOMAIN,
            "access_token": ACCESS_TOKEN,
            "read_only_access_token": READ_ONLY_ACCESS_TOKEN,
            "expired_access_token": EXPIRED_ACCESS_TOKEN,
            "refresh_token": REFRESH_TOKEN,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "api_version": VERSION,
        })
    }

    fn control(&self) -> Router {
        Router::new()
            .route("/settings", put(change_settings))
            .route("/orders/{number}", put(change_order))
            .route("/webhook", get(show_webhook))
            .route(
                "/",
                get(|| async {
                    Json(json!({ "routes": ["PUT settings", "PUT orders/{number}", "GET webhook"] }))
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
    limited: Option<bool>,
    bucket: Option<BucketSize>,
    max_query_cost: Option<u64>,
    page_size: Option<usize>,
    protected_data: Option<bool>,
    cancel_seconds: Option<u32>,
    shop: Option<ShopState>,
}

async fn change_settings(State(face): State<Shopify>, Json(change): Json<SettingsChange>) -> Json<Value> {
    let mut settings = lock(&face.0.settings);
    settings.limited = change.limited.unwrap_or(settings.limited);
    settings.bucket = change.bucket.unwrap_or(settings.bucket);
    settings.max_query_cost = change.max_query_cost.unwrap_or(settings.max_query_cost);
    settings.page_size = change.page_size.unwrap_or(settings.page_size).max(1);
    settings.protected_data = change.protected_data.unwrap_or(settings.protected_data);
    settings.cancel_seconds = change.cancel_seconds.unwrap_or(settings.cancel_seconds);
    settings.shop = change.shop.unwrap_or(settings.shop);
    Json(json!({ "ok": true }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderChange {
    hold: Option<Hold>,
    release: Option<bool>,
    schedule: Option<DateTime<Utc>>,
    financial_status: Option<String>,
    test: Option<bool>,
    closed_at: Option<DateTime<Utc>>,
}

async fn change_order(
    State(face): State<Shopify>,
    Path(number): Path<OrderNumber>,
    Json(change): Json<OrderChange>,
) -> Json<Value> {
    face.on_page(number, |page| {
        if change.release == Some(true) {
            page.holds.clear();
        }
        page.holds.extend(change.hold);
        page.fulfill_at = change.schedule.or(page.fulfill_at);
        page.financial_status = change.financial_status.or(page.financial_status.take());
        page.test = change.test.unwrap_or(page.test);
        page.closed_at = change.closed_at.or(page.closed_at);
    });
    Json(json!({ "ok": true }))
}

#[derive(Deserialize)]
struct WebhookAsked {
    topic: String,
    order: OrderNumber,
}

async fn show_webhook(
    State(face): State<Shopify>,
    Query(asked): Query<WebhookAsked>,
) -> Result<Json<WebhookCall>, (StatusCode, Json<Value>)> {
    let unknown = || (StatusCode::NOT_FOUND, Json(json!({ "error": "no such order" })));
    face.webhook(&asked.topic, asked.order).map(Json).ok_or_else(unknown)
}
