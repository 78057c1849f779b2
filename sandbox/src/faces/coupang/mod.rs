//! Coupang's Open API for Wing sellers. "Sheet" with a section number is the project's sheet of the channel's
//! documentation; what that leaves open is in README.md under "assumed".
//!
//! A market order is cut into boxes, which are confirmed and sent; lines of one item in a box are one order item. Boxes,
//! waybills and keys are state of this face.

mod acknowledge;
mod answer;
mod boxes;
mod call;
mod cancel;
mod carriers;
mod dates;
mod desk;
mod ids;
mod invoices;
mod keys;
mod ordersheets;
mod products;
mod receipts;
mod returns;
mod settings;
mod sheet_row;
mod switches;

use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::{Value, json};

use boxes::Ledger;
pub use call::signature;
use desk::Desk;
use keys::Keys;
use settings::Settings;
pub use settings::{BoxesPer, Gateway};

use crate::market::{ItemId, OptionId, OrderNumber};
use crate::{Face, FaceContext, RequestHead, lock};

/// The demo seller's access key, good for 180 days from the start.
pub const ACCESS_KEY: &str = "11112222-3333-4444-5555-666677778888";
/// The secret key to every access key of the start.
pub const SECRET_KEY: &str = "abcdef0123456789abcdef0123456789abcdef01";
/// An access key of the demo seller that is expired from the start.
pub const EXPIRED_ACCESS_KEY: &str = "11112222-3333-4444-5555-000000000000";
/// The demo seller's company code.
pub const VENDOR_ID: &str = "A00012345";
/// The demo seller's login in Wing.
pub const WING_USER_ID: &str = "sandbox-wing-user";
/// The second seller.
pub const OTHER_SELLER: &str = "other-seller";
/// The second seller's access key.
pub const OTHER_ACCESS_KEY: &str = "22223333-4444-5555-6666-777788889999";
/// The second seller's company code.
pub const OTHER_VENDOR_ID: &str = "A00067890";

#[derive(Debug)]
struct Inner {
    settings: Mutex<Settings>,
    context: OnceLock<FaceContext>,
    keys: Mutex<Option<Keys>>,
    ledger: Mutex<Ledger>,
}

/// The face of Coupang. Clones are the same face: keep one to switch things while it runs.
#[derive(Debug, Clone)]
pub struct Coupang(Arc<Inner>);

impl Default for Coupang {
    fn default() -> Self {
        Self::new()
    }
}

impl Coupang {
    /// A face that answers at once, without lags and limits.
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            settings: Mutex::new(Settings::default()),
            context: OnceLock::new(),
            keys: Mutex::new(None),
            ledger: Mutex::new(Ledger::default()),
        }))
    }

    /// A new access key and secret key of the demo seller, as the button in Wing makes them; the old ones die at once.
    /// None before the sandbox runs.
    pub fn reissue_key(&self) -> Option<(String, String)> {
        let now = self.0.context.get()?.clock.now();
        lock(&self.0.keys).as_mut().map(|keys| keys.reissue(now))
    }

    /// The carrier scans what was sent of an order: DEPARTURE becomes DELIVERING. Returns how many boxes.
    pub fn collect(&self, order: OrderNumber) -> usize {
        let Some(context) = self.0.context.get() else { return 0 };
        let Some(order) = context.market.order(order) else { return 0 };
        lock(&self.0.ledger).collect(&order, &self.settings(), context.clock.now())
    }

    /// The numbers of an order's boxes. An order that is not paid has none yet: those that it gets if it is the next to be
    /// paid.
    pub fn boxes(&self, order: OrderNumber) -> Vec<u64> {
        let Some(context) = self.0.context.get() else { return Vec::new() };
        let Some(order) = context.market.order(order) else { return Vec::new() };
        lock(&self.0.ledger).numbers(&order, &self.settings())
    }

    /// The number under which an item, or an option of it, is sold (`vendorItemId`).
    pub fn vendor_item(item: ItemId, option: Option<OptionId>) -> u64 {
        option.map_or(ids::of_item(item), ids::of_option)
    }

    fn settings(&self) -> Settings {
        lock(&self.0.settings).clone()
    }
}

impl Face for Coupang {
    fn id(&self) -> &'static str {
        "coupang"
    }

    fn router(&self, context: FaceContext) -> Router {
        let now = context.clock.now();
        lock(&self.0.keys).get_or_insert_with(|| Keys::new(now));
        // A face serves one sandbox: the first stays.
        let context = self.0.context.get_or_init(|| context).clone();
        Router::new().fallback(answer_call).with_state(Desk { face: self.clone(), context })
    }

    fn operation(&self, head: &RequestHead<'_>, _body: &[u8]) -> String {
        desk::operation_name(head.method, head.uri.path()).to_owned()
    }

    fn credentials(&self) -> Value {
        json!({
            "access_key": ACCESS_KEY,
            "secret_key": SECRET_KEY,
            "vendor_id": VENDOR_ID,
            "wing_user_id": WING_USER_ID,
            "expired_access_key": EXPIRED_ACCESS_KEY,
            "other_access_key": OTHER_ACCESS_KEY,
            "other_vendor_id": OTHER_VENDOR_ID,
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
