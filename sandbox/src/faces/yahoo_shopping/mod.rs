//! The store API of Yahoo! Shopping Japan. "Document" is docs/channels/yahoo_shopping.md, section "The API"; what that leaves
//! open is in README.md under "assumed". Operations have the names of the methods, beside `token` and `authorization`.
//!
//! A seller of the market is a store account. Confirming is the seen flag. Consents and keys, holds, what was reported of a
//! parcel, splits, and stock records without an item are state of this face.

mod answer;
mod call;
mod changing;
mod desk;
mod fields;
mod key;
mod ledger;
mod listings;
mod reading;
mod search;
mod settings;
mod shipping;
mod stock;
mod switches;
mod times;
mod tokens;
mod view;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::Response;
use desk::{DayCount, Desk, Pace};
use key::Keys;
pub use key::{KeyState, PublicKey};
use ledger::Ledger;
pub use ledger::{CardAuthorization, FraudCheck};
use serde_json::{Value, json};
use settings::Settings;
pub use settings::{Gateway, PartialStock, RefusedAs, RepeatedDispatch};
use tokens::Tokens;

use crate::market::{DEFAULT_SELLER, OrderNumber};
use crate::{Face, FaceContext, RequestHead, lock};

/// The Client ID of an application for stores.
pub const CLIENT_ID: &str = "dj00aiZpPXNhbmRib3gxMjM0JnM9Y29uc3VtZXJzZWNyZXQmeD0wMA--";
/// A Client ID that is not one for stores. Its secret is the same.
pub const ORDINARY_CLIENT_ID: &str = "dj00aiZpPW9yZGluYXJ5MDAwJnM9Y29uc3VtZXJzZWNyZXQmeD0wMA--";
/// The secret of the applications.
pub const CLIENT_SECRET: &str = "sandboxsecret0123456789abcdef0123456789ab";
/// An access token of the demo store, good for an hour from the start.
pub const ACCESS_TOKEN: &str = "sandboxaccess.3xgqv0l3ZQxYc2pJw7tq";
/// The refresh token to it, good for 4 weeks from the start.
pub const REFRESH_TOKEN: &str = "sandboxrefresh.AMlK0VbX7m2nT4pQ9rS1";
/// The second store.
pub const OTHER_SELLER: &str = "other-seller";
/// A refresh token of the second store.
pub const OTHER_REFRESH_TOKEN: &str = "sandboxrefresh.other8hD2kL5wZ3yC6vB";
/// A refresh token of the demo store that was given to the ordinary Client ID.
pub const ORDINARY_REFRESH_TOKEN: &str = "sandboxrefresh.ordinary4fG7jM1xN9uE";

/// The store accounts that exist.
const STORES: [&str; 2] = [DEFAULT_SELLER, OTHER_SELLER];

#[derive(Debug)]
struct Inner {
    settings: Mutex<Settings>,
    context: OnceLock<FaceContext>,
    tokens: Mutex<Tokens>,
    keys: Mutex<Keys>,
    first_key: OnceLock<Option<PublicKey>>,
    ledger: Mutex<Ledger>,
    paces: Mutex<HashMap<&'static str, Pace>>,
    day: Mutex<DayCount>,
}

/// The face of Yahoo! Shopping. Clones are the same face: keep one to switch things while it runs.
#[derive(Debug, Clone)]
pub struct YahooShopping(Arc<Inner>);

impl Default for YahooShopping {
    fn default() -> Self {
        Self::new()
    }
}

impl YahooShopping {
    /// Two stores, without the buyer's minutes and without limits.
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            settings: Mutex::new(Settings::default()),
            context: OnceLock::new(),
            tokens: Mutex::new(Tokens::default()),
            keys: Mutex::new(Keys::default()),
            first_key: OnceLock::new(),
            ledger: Mutex::new(Ledger::default()),
            paces: Mutex::new(HashMap::new()),
            day: Mutex::new(DayCount::default()),
        }))
    }

    /// A person of a store agrees at the authorization page: the code, good once within 10 minutes. None before the sandbox
    /// runs.
    pub fn agree(&self, store: &str, redirect_uri: &str) -> Option<String> {
        let now = self.0.context.get()?.clock.now();
        Some(lock(&self.0.tokens).code(store, redirect_uri, now))
    }

    /// The person takes all consents of a store back.
    pub fn withdraw(&self, store: &str) {
        lock(&self.0.tokens).withdraw(store);
    }

    /// The demo store's first public key. None when the machine can't make one.
    pub fn public_key(&self) -> Option<PublicKey> {
        let now = || self.0.context.get().map_or_else(chrono::Utc::now, |context| context.clock.now());
        let make = || lock(&self.0.keys).issue(DEFAULT_SELLER, now());
        self.0.first_key.get_or_init(make).clone()
    }

    /// A further public key of a store, good for a year. None when the machine can't make one, or before the sandbox runs.
    pub fn issue_key(&self, store: &str) -> Option<PublicKey> {
        let now = self.0.context.get()?.clock.now();
        lock(&self.0.keys).issue(store, now)
    }

    /// Lets a key be used, or not. Tells whether there is such a key.
    pub fn set_key_state(&self, store: &str, version: u32, state: KeyState) -> bool {
        lock(&self.0.keys).set_state(store, version, state)
    }

    /// The channel looks at an order for fraud, releases it, or calls it fraud. Released, it comes into the lists now, at
    /// its old time of order.
    pub fn set_fraud(&self, order: OrderNumber, check: FraudCheck) {
        let Some(context) = self.0.context.get() else { return };
        let mut ledger = lock(&self.0.ledger);
        let slip = ledger.slip_mut(order);
        slip.fraud = Some(check);
        slip.changed_at = Some(context.clock.now());
        if check == FraudCheck::Released {
            slip.published_at = slip.changed_at;
        }
    }

    /// What becomes of the card's authorization of an order.
    pub fn set_authorization(&self, order: OrderNumber, authorization: CardAuthorization) {
        lock(&self.0.ledger).slip_mut(order).authorization = authorization;
    }

    /// Marks an order as a reservation (`OrderStatus` 1), or as held by the store (3), or neither.
    pub fn set_waiting(&self, order: OrderNumber, waiting: Waiting) {
        let Some(context) = self.0.context.get() else { return };
        let mut ledger = lock(&self.0.ledger);
        let slip = ledger.slip_mut(order);
        slip.is_reserved = waiting == Waiting::Reserved;
        slip.is_held = waiting == Waiting::Held;
        slip.changed_at = Some(context.clock.now());
    }

    /// Shows a value in a field of an order in place of the face's own: `IsLineGiftOrder`, `ShipInstructType`, `Suspect` ...
    pub fn set_field(&self, order: OrderNumber, field: &str, value: &str) {
        lock(&self.0.ledger).slip_mut(order).fields.insert(field.to_owned(), value.to_owned());
    }

    /// The store splits an order in its back office: the lines at these places (from 0) go into the first new order, the
    /// others into the second. None when one of them would be empty.
    pub fn split(&self, order: OrderNumber, first: &[usize]) -> Option<[OrderNumber; 2]> {
        let context = self.0.context.get()?;
        let order = context.market.order(order)?;
        let desk = Desk { face: self.clone(), context: context.clone(), started_at: context.clock.now() };
        let lines = order.lines.iter().enumerate().map(|(at, line)| (at, line.open_quantity()));
        let (one, two) = lines.filter(|(_, pieces)| *pieces > 0).partition(|(at, _)| first.contains(at));
        let mut ledger = lock(&self.0.ledger);
        changing::split_order(&desk, &mut ledger, &order, [one, two], context.clock.now())
    }

    /// Shows a stock record as sold out whatever its number, or not. Tells whether the code is known.
    pub fn set_stock_close(&self, store: &str, item_code: &str, sub_code: &str, closed: bool) -> bool {
        let Some(context) = self.0.context.get() else { return false };
        let key = context.market.read(|state| {
            let item = state.items().find(|item| item.seller == store && item.seller_code == item_code)?;
            let option = item.options.iter().find(|option| option.sku == sub_code).map(|option| option.id);
            (sub_code.is_empty() || option.is_some()).then_some((item.id, option))
        });
        let Some(key) = key else { return false };
        let closed_keys = &mut lock(&self.0.ledger).closed;
        if closed {
            closed_keys.insert(key)
        } else {
            closed_keys.remove(&key)
        };
        true
    }

    /// The stock records that were made for codes that no item has: item code, sub code and quantity.
    pub fn made_up_stock(&self) -> Vec<(String, String, i64)> {
        let ledger = lock(&self.0.ledger);
        ledger
            .loose
            .iter()
            .map(|((_, item, sub), loose)| (item.clone(), sub.clone(), loose.quantity))
            .collect()
    }

    fn settings(&self) -> Settings {
        lock(&self.0.settings).clone()
    }
}

/// What an order waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Waiting {
    /// Nothing.
    No,
    /// Its release date.
    Reserved,
    /// The store.
    Held,
}

impl Face for YahooShopping {
    fn id(&self) -> &'static str {
        "yahoo_shopping"
    }

    fn router(&self, context: FaceContext) -> Router {
        // A face serves one sandbox: the first stays.
        let context = self.0.context.get_or_init(|| context).clone();
        let now = context.clock.now();
        lock(&self.0.keys).begin(now);
        let mut tokens = lock(&self.0.tokens);
        tokens.grant(DEFAULT_SELLER, CLIENT_ID, ACCESS_TOKEN, REFRESH_TOKEN, now);
        tokens.grant(OTHER_SELLER, CLIENT_ID, "sandboxaccess.other", OTHER_REFRESH_TOKEN, now);
        let ordinary = (ORDINARY_CLIENT_ID, ORDINARY_REFRESH_TOKEN);
        tokens.grant(DEFAULT_SELLER, ordinary.0, "sandboxaccess.ordinary", ordinary.1, now);
        drop(tokens);
        Router::new().fallback(answer_call).with_state(Desk { face: self.clone(), context, started_at: now })
    }

    fn operation(&self, head: &RequestHead<'_>, _body: &[u8]) -> String {
        desk::operation_name(head.uri.path()).to_owned()
    }

    fn credentials(&self) -> Value {
        let key = self.public_key();
        json!({
            "seller_id": DEFAULT_SELLER,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "access_token": ACCESS_TOKEN,
            "refresh_token": REFRESH_TOKEN,
            "public_key": key.as_ref().map(|key| key.pem.clone()),
            "public_key_version": key.map(|key| key.version.to_string()),
            "other_seller_id": OTHER_SELLER,
            "other_refresh_token": OTHER_REFRESH_TOKEN,
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
