//! TikTok Shop's Open API. "Sheet" with a section number is the project's sheet of the channel's documentation; what that
//! leaves open is in README.md under "assumed". Operations have the names of the reference files.
//!
//! Each unit of a line of a market order is one line item. Packages, warehouses, tokens and webhook addresses are state of
//! this face.

mod answer;
mod call;
mod cancels;
mod desk;
mod ids;
mod logistics;
mod order_row;
mod orders;
mod package_calls;
mod packages;
mod products;
mod settings;
mod ship;
mod stock;
mod switches;
mod tokens;
mod webhooks;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

pub use call::{request_signature, webhook_signature};
use desk::Desk;
use packages::Ledger;
use settings::Settings;
pub use settings::{PackagesPer, Shipping, ZeroStock};
pub use tokens::RefreshTokens;
use tokens::Tokens;
use webhooks::Webhooks;
pub use webhooks::{Event, WebhookCall};

use crate::market::{DEFAULT_SELLER, OrderNumber};
use crate::{Face, FaceContext, RequestHead, lock};

/// The app's key.
pub const APP_KEY: &str = "68xu9ks5p4i8";
/// The app's secret.
pub const APP_SECRET: &str = "e59af819cc";
/// An authorization code of the demo seller, good once within 30 minutes from the start.
pub const AUTH_CODE: &str = "ROW_sandbox_auth_code";
/// An access token of the demo seller, good for 7 days from the start.
pub const ACCESS_TOKEN: &str = "ROW_sandbox_access_token";
/// The refresh token to it.
pub const REFRESH_TOKEN: &str = "ROW_sandbox_refresh_token";
/// The demo seller's shop.
pub const SHOP_ID: &str = "7000714532876273420";
/// The cipher of the demo seller's shop.
pub const SHOP_CIPHER: &str = "ROW_xkMbgAAAeVAQra0eZWebFQq5aIK";
/// The second seller.
pub const OTHER_SELLER: &str = "other-seller";
/// An access token of the second seller.
pub const OTHER_ACCESS_TOKEN: &str = "ROW_sandbox_other_access_token";
/// The cipher of the second seller's shop.
pub const OTHER_SHOP_CIPHER: &str = "ROW_abc";

/// Everything that an authorization can allow.
pub const SCOPES: &[&str] = &[
    "seller.authorization.info",
    "seller.fulfillment.basic",
    "seller.fulfillment.package.write",
    "seller.logistics",
    "seller.order.info",
    "seller.product.basic",
    "seller.product.write",
    "seller.return_refund.basic",
    "seller.shop.info",
];

/// A seller's shop as the API shows it.
#[derive(Debug, Clone)]
pub(crate) struct Shop {
    seller: String,
    id: &'static str,
    name: String,
    region: String,
    cipher: &'static str,
}

/// The second and how many calls came in it, by seller and operation.
type Windows = HashMap<(String, &'static str), (i64, u32)>;

#[derive(Debug)]
struct Inner {
    settings: Mutex<Settings>,
    context: OnceLock<FaceContext>,
    tokens: Mutex<Option<Tokens>>,
    ledger: Mutex<Ledger>,
    webhooks: Mutex<Webhooks>,
    windows: Mutex<Windows>,
    answers: AtomicU64,
}

/// The face of TikTok Shop. Clones are the same face: keep one to switch things while it runs.
#[derive(Debug, Clone)]
pub struct TikTokShop(Arc<Inner>);

impl Default for TikTokShop {
    fn default() -> Self {
        Self::new()
    }
}

impl TikTokShop {
    /// A shop in Japan that ships with TikTok's logistics from one warehouse, without a hold and without limits.
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            settings: Mutex::new(Settings::default()),
            context: OnceLock::new(),
            tokens: Mutex::new(None),
            ledger: Mutex::new(Ledger::default()),
            webhooks: Mutex::new(Webhooks::default()),
            windows: Mutex::new(HashMap::new()),
            answers: AtomicU64::new(0),
        }))
    }

    /// A new authorization code of a seller, as the redirect brings it. None before the sandbox runs.
    pub fn authorize(&self, seller: &str) -> Option<String> {
        self.authorize_for(seller, None)
    }

    /// A new authorization code that allows only these scopes.
    pub fn authorize_scopes(&self, seller: &str, scopes: &[&str]) -> Option<String> {
        self.authorize_for(seller, Some(scopes.iter().map(|scope| (*scope).to_owned()).collect()))
    }

    fn authorize_for(&self, seller: &str, scopes: Option<Vec<String>>) -> Option<String> {
        let now = self.0.context.get()?.clock.now();
        lock(&self.0.tokens).as_mut().map(|tokens| tokens.authorize(seller, scopes, now))
    }

    /// The seller takes the authorization back: access and refresh tokens are dead.
    pub fn deauthorize(&self, seller: &str) {
        if let Some(tokens) = lock(&self.0.tokens).as_mut() {
            tokens.deauthorize(seller);
        }
    }

    /// The carrier collects what was shipped of an order: AWAITING_COLLECTION becomes IN_TRANSIT. Returns how many packages.
    pub fn collect(&self, order: OrderNumber) -> usize {
        let Some(context) = self.0.context.get() else { return 0 };
        let Some(order) = context.market.order(order) else { return 0 };
        lock(&self.0.ledger).collect(&order, &self.settings(), context.clock.now())
    }

    /// The signed webhook call that the channel makes for an event of an order. None when there is nothing to tell, or
    /// before the sandbox runs.
    pub fn webhook(&self, order: OrderNumber, event: Event) -> Option<WebhookCall> {
        webhooks::call_of(self, self.0.context.get()?, order, event)
    }

    fn settings(&self) -> Settings {
        lock(&self.0.settings).clone()
    }

    fn shops(&self) -> Vec<Shop> {
        let region = self.settings().region;
        let shop = |seller: &str, id, name: &str, cipher| Shop {
            seller: seller.to_owned(),
            id,
            name: name.to_owned(),
            region: region.clone(),
            cipher,
        };
        vec![
            shop(DEFAULT_SELLER, SHOP_ID, "Sandbox shop", SHOP_CIPHER),
            shop(OTHER_SELLER, "7000714532876273421", "Other sandbox shop", OTHER_SHOP_CIPHER),
        ]
    }

    /// As the channel's own look: the time and a number.
    fn request_id(&self, now: DateTime<Utc>) -> String {
        let nth = self.0.answers.fetch_add(1, Ordering::Relaxed);
        format!("{}{nth:020X}", now.format("%Y%m%d%H%M%S"))
    }
}

impl Face for TikTokShop {
    fn id(&self) -> &'static str {
        "tiktok_shop"
    }

    fn router(&self, context: FaceContext) -> Router {
        let now = context.clock.now();
        lock(&self.0.tokens).get_or_insert_with(|| Tokens::new(&self.shops(), now));
        // A face serves one sandbox: the first stays.
        let context = self.0.context.get_or_init(|| context).clone();
        Router::new().fallback(answer_call).with_state(Desk { face: self.clone(), context })
    }

    fn operation(&self, head: &RequestHead<'_>, _body: &[u8]) -> String {
        desk::operation_name(head.method, head.uri.path()).to_owned()
    }

    fn credentials(&self) -> Value {
        json!({
            "app_key": APP_KEY,
            "app_secret": APP_SECRET,
            "auth_code": AUTH_CODE,
            "access_token": ACCESS_TOKEN,
            "refresh_token": REFRESH_TOKEN,
            "shop_id": SHOP_ID,
            "shop_cipher": SHOP_CIPHER,
            "other_access_token": OTHER_ACCESS_TOKEN,
            "other_shop_cipher": OTHER_SHOP_CIPHER,
        })
    }

    fn control(&self) -> Router {
        switches::routes(self)
    }
}

async fn answer_call(State(desk): State<Desk>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    // The gate has the whole body in memory already.
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_else(|_| Bytes::new());
    let head = RequestHead { method: &parts.method, uri: &parts.uri, headers: &parts.headers };
    desk.answer(&head, &body)
}
