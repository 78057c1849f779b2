//! Lazada's Open Platform. "Sheet" with a section number is the project's sheet of the channel's documentation; what that
//! leaves open is in README.md under "assumed". Operations have the names of the reference files.
//!
//! Each unit of a line of a market order is one order item. Packages, tokens, which units were cancelled, and when items
//! were listed are state of this face.

mod answer;
mod call;
mod cancels;
mod country;
mod desk;
mod ids;
mod ledger;
mod order_row;
mod orders;
mod pack;
mod packages;
mod payload;
mod products;
mod push;
mod reverse;
mod settings;
mod stock;
mod switches;
mod tokens;
mod units;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

pub use call::request_signature;
pub use country::Country;
use desk::{Desk, Window};
use ledger::Ledger;
pub use push::{PushCall, PushMessage, push_signature};
use settings::Settings;
pub use settings::{Allocation, RefreshTokens};
use tokens::Tokens;

use crate::market::{DEFAULT_SELLER, OrderNumber};
use crate::{Face, FaceContext, RequestHead, lock};

/// The app's key: that of the documentation's examples.
pub const APP_KEY: &str = "123456";
/// The app's secret: that of the documentation's examples.
pub const APP_SECRET: &str = "helloworld";
/// An authorization code of the demo seller, good once within 30 minutes from the start.
pub const AUTH_CODE: &str = "0_123456_sandbox2DL4DV3jcU1UOT7WGI1";
/// An access token of the demo seller, good for 30 days from the start.
pub const ACCESS_TOKEN: &str = "50000601sandboxc30atpedfgu3LVvik87";
/// The refresh token to it, good for 180 days from the start.
pub const REFRESH_TOKEN: &str = "50001600sandbox0300bwa2WteaQyfwBM";
/// The second seller.
pub const OTHER_SELLER: &str = "other-seller";
/// An access token of the second seller.
pub const OTHER_ACCESS_TOKEN: &str = "50000601sandboxother7ceb156fPunYZ4";

/// A seller's shop as the API shows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shop {
    seller: &'static str,
    id: u64,
    name: &'static str,
}

const SHOPS: [Shop; 2] = [
    Shop { seller: DEFAULT_SELLER, id: 1001, name: "Sandbox shop" },
    Shop { seller: OTHER_SELLER, id: 1002, name: "Other sandbox shop" },
];

#[derive(Debug)]
struct Inner {
    settings: Mutex<Settings>,
    context: OnceLock<FaceContext>,
    tokens: Mutex<Option<Tokens>>,
    ledger: Mutex<Ledger>,
    windows: Mutex<HashMap<(String, &'static str), Window>>,
    answers: AtomicU64,
}

/// The face of Lazada. Clones are the same face: keep one to switch things while it runs.
#[derive(Debug, Clone)]
pub struct Lazada(Arc<Inner>);

impl Default for Lazada {
    fn default() -> Self {
        Self::new()
    }
}

impl Lazada {
    /// Two local shops in Singapore, without limits.
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            settings: Mutex::new(Settings::default()),
            context: OnceLock::new(),
            tokens: Mutex::new(None),
            ledger: Mutex::new(Ledger::default()),
            windows: Mutex::new(HashMap::new()),
            answers: AtomicU64::new(0),
        }))
    }

    /// A new authorization code of a seller, as the redirect brings it. None before the sandbox runs.
    pub fn authorize(&self, seller: &str) -> Option<String> {
        let now = self.0.context.get()?.clock.now();
        lock(&self.0.tokens).as_mut().map(|tokens| tokens.authorize(seller, now))
    }

    /// The seller takes the authorization back: access and refresh tokens are dead.
    pub fn deauthorize(&self, seller: &str) {
        if let Some(tokens) = lock(&self.0.tokens).as_mut() {
            tokens.deauthorize(seller);
        }
    }

    /// The carrier collects what is ready to ship of an order: it is shipped. Returns how many packages.
    pub fn collect(&self, order: OrderNumber) -> usize {
        let Some(context) = self.0.context.get() else { return 0 };
        lock(&self.0.ledger).collect(order, context.clock.now())
    }

    /// The signed calls that the channel makes for an order as it is now: one for each order item, or for each line of its
    /// reverse orders. Empty when there is nothing to tell, or before the sandbox runs.
    pub fn pushes(&self, order: OrderNumber, message: PushMessage) -> Vec<PushCall> {
        let Some(context) = self.0.context.get() else { return Vec::new() };
        push::calls_of(self, context, order, message)
    }

    fn settings(&self) -> Settings {
        lock(&self.0.settings).clone()
    }

    /// As the channel's own look: hex digits, the time and a number.
    fn request_id(&self, now: DateTime<Utc>) -> String {
        let nth = self.0.answers.fetch_add(1, Ordering::Relaxed);
        format!("0b8fda7c{}{nth:04}", now.timestamp_millis())
    }
}

impl Face for Lazada {
    fn id(&self) -> &'static str {
        "lazada"
    }

    fn router(&self, context: FaceContext) -> Router {
        let now = context.clock.now();
        lock(&self.0.tokens).get_or_insert_with(|| Tokens::new(&self.settings(), now));
        // A face serves one sandbox: the first stays.
        let context = self.0.context.get_or_init(|| context).clone();
        Router::new().fallback(answer_call).with_state(Desk { face: self.clone(), context })
    }

    fn operation(&self, head: &RequestHead<'_>, _body: &[u8]) -> String {
        desk::operation_name(call::api_path(head.uri.path())).to_owned()
    }

    fn credentials(&self) -> Value {
        json!({
            "app_key": APP_KEY,
            "app_secret": APP_SECRET,
            "auth_code": AUTH_CODE,
            "access_token": ACCESS_TOKEN,
            "refresh_token": REFRESH_TOKEN,
            "country": self.settings().country.code(),
            "market": self.settings().country.code(),
            "other_access_token": OTHER_ACCESS_TOKEN,
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
