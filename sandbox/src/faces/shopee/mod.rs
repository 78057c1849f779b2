//! Shopee's Open Platform API v2. "Sheet" with a section number is the project's sheet of the channel's documentation; what
//! that leaves open is in README.md under "assumed". Operations have the names of the API pages.
//!
//! Parcels, pending terms, tokens, stock by location and pushes are state of this face.

mod answer;
mod batch;
mod book;
mod call;
mod cancels;
mod delivery;
mod desk;
mod detail;
mod ids;
mod items;
mod orders;
mod packages;
mod push;
mod settings;
mod ship;
mod shipping;
mod shops;
mod stock;
mod switches;
mod tokens;
mod view;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::{Value, json};

pub use book::OrderChange;
use book::{Book, Progress};
pub use call::{push_signature, request_signature};
use desk::{Desk, Used};
pub use ids::{item_id, model_id, order_sn};
use push::Pushes;
pub use push::{Event, PushCall, ShopEvent};
use settings::Settings;
pub use settings::{Gate, Masking, PushKey, TokenError, Way};
use tokens::Tokens;

use crate::market::{DEFAULT_SELLER, ItemId, OptionId, OrderNumber};
use crate::{Face, FaceContext, RequestHead, lock};

/// The app's id.
pub const PARTNER_ID: u64 = 2_001_887;
/// The app's key, of which the text's bytes count.
pub const PARTNER_KEY: &str = "shpk4f6b6a7a5a6c6d4e6f7071727374757677787a7a4142434445464748494a";
/// The key of the app's pushes.
pub const PUSH_KEY: &str = "6f6d4c706b6a5a6e6f7071727374757677787a7a4142434445464748494a4b4c";
/// Where pushes go until another address is set.
pub const CALLBACK_URL: &str = "https://example.com/webhooks/shopee";
/// An authorization code of the demo seller, good once within 10 minutes from the start.
pub const AUTH_CODE: &str = "5a5477794a55537954697169514f4653";
/// An access token of the demo seller, good for 4 hours from the start.
pub const ACCESS_TOKEN: &str = "71594a4c54537649697341796363674a";
/// The refresh token to it.
pub const REFRESH_TOKEN: &str = "516c6b577753554375764a63704d7245";
/// The demo seller's shop.
pub const SHOP_ID: u64 = 322_300_222;
/// The second seller.
pub const OTHER_SELLER: &str = "other-seller";
/// The second seller's shop.
pub const OTHER_SHOP_ID: u64 = 322_300_223;
/// An access token of the second seller.
pub const OTHER_ACCESS_TOKEN: &str = "6f746865724163636573734f6e652121";
/// The main account that both shops belong to.
pub const MAIN_ACCOUNT_ID: u64 = 100_200;

/// A seller's shop.
#[derive(Debug)]
pub(crate) struct Shop {
    id: u64,
    seller: &'static str,
    name: &'static str,
}

const SHOPS: [Shop; 2] = [
    Shop { id: SHOP_ID, seller: DEFAULT_SELLER, name: "sandbox_shop" },
    Shop { id: OTHER_SHOP_ID, seller: OTHER_SELLER, name: "other_sandbox_shop" },
];

fn shop_of(seller: &str) -> Option<&'static Shop> {
    SHOPS.iter().find(|shop| shop.seller == seller)
}

#[derive(Debug)]
struct Inner {
    settings: Mutex<Settings>,
    context: OnceLock<FaceContext>,
    tokens: Mutex<Option<Tokens>>,
    book: Mutex<Book>,
    pushes: Mutex<Pushes>,
    used: Mutex<Used>,
    answers: AtomicU64,
}

/// The face of Shopee. Clones are the same face: keep one to switch things while it runs.
#[derive(Debug, Clone)]
pub struct Shopee(Arc<Inner>);

impl Default for Shopee {
    fn default() -> Self {
        Self::new()
    }
}

impl Shopee {
    /// Shops in Singapore whose orders can be picked up or dropped off, without limits.
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            settings: Mutex::new(Settings::default()),
            context: OnceLock::new(),
            tokens: Mutex::new(None),
            book: Mutex::new(Book::default()),
            pushes: Mutex::new(Pushes::default()),
            used: Mutex::new(Used::default()),
            answers: AtomicU64::new(0),
        }))
    }

    fn with_tokens<T>(
        &self,
        work: impl FnOnce(&mut Tokens, chrono::DateTime<chrono::Utc>) -> T,
    ) -> Option<T> {
        let now = self.0.context.get()?.clock.now();
        lock(&self.0.tokens).as_mut().map(|tokens| work(tokens, now))
    }

    /// A new authorization code of a seller for so many days (at most 365), as the redirect brings it. None before the
    /// sandbox runs, or for a seller without a shop.
    pub fn authorize(&self, seller: &str, days: i64) -> Option<String> {
        let shop = shop_of(seller)?.id;
        self.with_tokens(|tokens, now| tokens.issue_code(vec![shop], false, days, now))
    }

    /// A new authorization code of the main account, for both shops at once.
    pub fn authorize_main_account(&self, days: i64) -> Option<String> {
        let shops = SHOPS.iter().map(|shop| shop.id).collect();
        self.with_tokens(|tokens, now| tokens.issue_code(shops, true, days, now))
    }

    /// A code for an app that lost the tokens of a seller's shop.
    pub fn resend_code(&self, seller: &str) -> Option<String> {
        let shop = shop_of(seller)?.id;
        self.with_tokens(|tokens, now| tokens.issue_resend_code(shop, now))
    }

    /// The seller takes the authorization back: access and refresh tokens are dead.
    pub fn deauthorize(&self, seller: &str) {
        if let Some(shop) = shop_of(seller) {
            self.with_tokens(|tokens, _| tokens.deauthorize(shop.id));
        }
    }

    /// The number under which the channel shows an order. None when there is no such order, or before the sandbox runs.
    pub fn sn(&self, order: OrderNumber) -> Option<String> {
        Some(order_sn(&self.0.context.get()?.market.order(order)?))
    }

    /// Changes what only this channel knows of an order.
    pub fn change_order(&self, order: OrderNumber, change: OrderChange) {
        if let Some(context) = self.0.context.get() {
            lock(&self.0.book).extra_mut(order).change(change, context.clock.now());
        }
    }

    fn advance(&self, order: OrderNumber, from: Progress, to: Progress) -> usize {
        let Some(context) = self.0.context.get() else { return 0 };
        let mut book = lock(&self.0.book);
        let Some(order) = context.market.order(order) else { return 0 };
        book.advance(&order, from, to, context.clock.now())
    }

    /// The carrier picks up what was arranged of an order: PROCESSED becomes SHIPPED. Returns how many parcels.
    pub fn pick_up(&self, order: OrderNumber) -> usize {
        self.advance(order, Progress::Arranged, Progress::PickedUp)
    }

    /// The carrier does not get what was arranged of an order: PROCESSED becomes RETRY_SHIP. Returns how many parcels.
    pub fn fail_pick_up(&self, order: OrderNumber) -> usize {
        self.advance(order, Progress::Arranged, Progress::Retry)
    }

    /// A promotion holds so many units of an item, or of an option of it.
    pub fn reserve(&self, item: ItemId, option: Option<OptionId>, units: i64) {
        lock(&self.0.book).reserved.insert((item, option), units);
    }

    /// The signed push that the channel makes for an event of an order. None when there is nothing to tell, or before the
    /// sandbox runs.
    pub fn push(&self, order: OrderNumber, event: Event) -> Option<PushCall> {
        push::of_order(self, self.0.context.get()?, order, event)
    }

    /// The signed push that the channel makes for an event of a seller's shop, or of the app.
    pub fn shop_push(&self, seller: &str, event: ShopEvent) -> Option<PushCall> {
        push::of_shop(self, self.0.context.get()?, seller, event)
    }

    /// The push for an event of an order does not arrive, and goes to the lost ones. Whether there was anything to tell.
    pub fn lose_push(&self, order: OrderNumber, event: Event) -> bool {
        let Some(context) = self.0.context.get() else { return false };
        let Some(call) = push::of_order(self, context, order, event) else { return false };
        lock(&self.0.pushes).lose(&call, context.clock.now())
    }

    fn settings(&self) -> Settings {
        lock(&self.0.settings).clone()
    }

    fn request_id(&self) -> String {
        let nth = self.0.answers.fetch_add(1, Ordering::Relaxed) + 1;
        let mixed = nth.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        format!("{mixed:016x}{nth:016x}")
    }
}

impl Face for Shopee {
    fn id(&self) -> &'static str {
        "shopee"
    }

    fn router(&self, context: FaceContext) -> Router {
        let now = context.clock.now();
        lock(&self.0.tokens).get_or_insert_with(|| Tokens::new(now));
        // A face serves one sandbox: the first stays.
        let context = self.0.context.get_or_init(|| context).clone();
        Router::new().fallback(answer_call).with_state(Desk { face: self.clone(), context })
    }

    fn operation(&self, head: &RequestHead<'_>, _body: &[u8]) -> String {
        desk::operation_name(head.method, head.uri.path()).to_owned()
    }

    fn credentials(&self) -> Value {
        json!({
            "partner_id": PARTNER_ID,
            "partner_key": PARTNER_KEY,
            "push_partner_key": PUSH_KEY,
            "callback_url": CALLBACK_URL,
            "code": AUTH_CODE,
            "access_token": ACCESS_TOKEN,
            "refresh_token": REFRESH_TOKEN,
            "shop_id": SHOP_ID,
            "other_shop_id": OTHER_SHOP_ID,
            "other_access_token": OTHER_ACCESS_TOKEN,
            "main_account_id": MAIN_ACCOUNT_ID,
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
