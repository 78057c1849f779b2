//! Ecwid's REST API v3. "Sheet" is the section "The API" of the project's page of the channel; what that leaves open is in
//! README.md under "assumed".
//!
//! Ecwid lets the seller set any status at any time. What the market can do of it is done there; what it can't (a shipped
//! order back in process, a custom status) is state of this face, and ends when the market moves the order on.

mod answer;
mod call;
mod change;
mod desk;
mod fields;
mod ids;
mod ledger;
mod order_row;
mod orders;
mod products;
mod profile;
mod search;
mod settings;
mod stock;
mod switches;
mod tokens;
mod webhooks;

use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::{Value, json};

use desk::Desk;
use ledger::Ledger;
pub use ledger::{ItemCard, OrderCard};
use settings::Settings;
pub use settings::{Forbidden, OrderSort, Plan};
use tokens::Tokens;
pub use webhooks::{WebhookCall, webhook_signature};

use crate::market::{DEFAULT_SELLER, ItemId, OptionId, OrderNumber};
use crate::{Face, FaceContext, RequestHead, lock};

/// The demo seller's store.
pub const STORE_ID: u64 = 1003;
/// The demo seller's token, with all scopes of the sheet.
pub const ACCESS_TOKEN: &str = "secret_sandboxTokenOfStore1003";
/// A token of the demo seller that may only read.
pub const READ_ONLY_TOKEN: &str = "secret_sandboxReaderOfStore1003";
/// The demo seller's public token: the profile and the catalogue, to read.
pub const PUBLIC_TOKEN: &str = "public_sandboxTokenOfStore1003";
/// The second seller.
pub const OTHER_SELLER: &str = "other-seller";
/// The second seller's store.
pub const OTHER_STORE_ID: u64 = 1004;
/// The second seller's token.
pub const OTHER_ACCESS_TOKEN: &str = "secret_sandboxTokenOfStore1004";
/// The app's key.
pub const CLIENT_ID: &str = "custom-app-1003-1";
/// The app's secret key: that of a vector of the sheet.
pub const CLIENT_SECRET: &str = "abcde123456789";
/// The address that the app registered.
pub const REDIRECT_URI: &str = "https://app.example/ecwid";

const STORES: [(u64, &str); 2] = [(STORE_ID, DEFAULT_SELLER), (OTHER_STORE_ID, OTHER_SELLER)];

fn seller_of(store: u64) -> Option<&'static str> {
    STORES.iter().find(|(id, _)| *id == store).map(|(_, seller)| *seller)
}

fn store_of(seller: &str) -> Option<u64> {
    STORES.iter().find(|(_, known)| *known == seller).map(|(id, _)| *id)
}

#[derive(Debug)]
struct Inner {
    settings: Mutex<Settings>,
    context: OnceLock<FaceContext>,
    tokens: Mutex<Tokens>,
    /// Locked before the market, never from inside it.
    ledger: Mutex<Ledger>,
}

/// The face of Ecwid. Clones are the same face: keep one to switch things while it runs.
#[derive(Debug, Clone)]
pub struct Ecwid(Arc<Inner>);

impl Default for Ecwid {
    fn default() -> Self {
        Self::new()
    }
}

impl Ecwid {
    /// Two stores on a paid plan, without limits and lags.
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            settings: Mutex::new(Settings::default()),
            context: OnceLock::new(),
            tokens: Mutex::new(Tokens::new()),
            ledger: Mutex::new(Ledger::default()),
        }))
    }

    /// The `id` under which the API shows an order.
    pub fn order_id(&self, order: OrderNumber) -> String {
        let settings = self.settings();
        format!("{}{}{}", settings.prefix, ids::code_of(order), settings.suffix)
    }

    /// Changes what only Ecwid knows of an order: what is pick-up, shipped by another system, deleted and so on.
    pub fn mark_order(&self, order: OrderNumber, change: impl FnOnce(&mut OrderCard)) {
        let Some(context) = self.0.context.get() else { return };
        let mut ledger = lock(&self.0.ledger);
        let card = ledger.card_mut(order);
        change(card);
        card.touch(context.clock.now());
    }

    /// Changes what only Ecwid knows of a product, or of a variation of it.
    pub fn mark_item(&self, item: ItemId, option: Option<OptionId>, change: impl FnOnce(&mut ItemCard)) {
        change(lock(&self.0.ledger).item_mut(item, option));
    }

    /// A code as the redirect of an authorization brings it.
    pub fn authorize(&self, store: u64, scope: &str) -> String {
        lock(&self.0.tokens).authorize(store, scope)
    }

    /// The merchant takes the app out of the store: its tokens are dead.
    pub fn uninstall(&self, store: u64) {
        lock(&self.0.tokens).uninstall(store);
    }

    /// The signed call that the channel makes for an order as it is now, for example with `order.updated`. None before the
    /// sandbox runs, and for orders of no store.
    pub fn webhook(&self, order: OrderNumber, event_type: &str) -> Option<WebhookCall> {
        webhooks::call(self, self.0.context.get()?, order, event_type)
    }

    fn settings(&self) -> Settings {
        lock(&self.0.settings).clone()
    }
}

impl Face for Ecwid {
    fn id(&self) -> &'static str {
        "ecwid"
    }

    fn router(&self, context: FaceContext) -> Router {
        // A face serves one sandbox: the first stays.
        let context = self.0.context.get_or_init(|| context).clone();
        Router::new().fallback(answer_call).with_state(Desk { face: self.clone(), context })
    }

    fn operation(&self, head: &RequestHead<'_>, _body: &[u8]) -> String {
        desk::operation_name(head.method, head.uri.path()).to_owned()
    }

    fn credentials(&self) -> Value {
        json!({
            "store_id": STORE_ID.to_string(),
            "access_token": ACCESS_TOKEN,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "read_only_token": READ_ONLY_TOKEN,
            "public_token": PUBLIC_TOKEN,
            "other_store_id": OTHER_STORE_ID.to_string(),
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
