//! CROSS MALL's WebAPI 2: XML over GET. "Sheet" is docs/channels/crossmall.md, section "The API"; what that leaves open is
//! in README.md under "assumed". Operations have the names of the calls.
//!
//! An order's phase is a free text of the account. What a phase means ([`Stage`]) is told to this face alone: moving an
//! order there then confirms or ships it in the market. All else that CROSS MALL keeps (numbers, phases, ship dates,
//! marks, bundles) is state of this face, and its moves are in [`CrossMall::moves`].

mod answer;
mod call;
mod desk;
mod items;
mod ledger;
mod lines;
mod order_row;
mod orders;
mod phase;
mod settings;
mod switches;
mod times;

use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::{Value, json};

pub use call::signing;
use desk::Desk;
pub use ledger::PhaseMove;
use ledger::{Card, Ledger};
use settings::Settings;
pub use settings::{Phase, Quotes, RowOrder, Stage, TotalOf};

use crate::market::{DEFAULT_SELLER, ItemId, LineNumber, OptionId, OrderNumber};
use crate::{Face, FaceContext, RateLimit, RequestHead, lock};

/// The demo seller's company code: that of the sheet's vectors.
pub const ACCOUNT: &str = "ill";
/// The demo seller's authentication key: that of the sheet's vectors.
pub const AUTH_KEY: &str = "mXCTpnoA";
/// The second seller.
pub const OTHER_SELLER: &str = "other-seller";
/// The second seller's company code.
pub const OTHER_ACCOUNT: &str = "4711";
/// The second seller's authentication key.
pub const OTHER_AUTH_KEY: &str = "qR7sandboxZ";

/// Account, key and seller.
const ACCOUNTS: [(&str, &str, &str); 2] =
    [(ACCOUNT, AUTH_KEY, DEFAULT_SELLER), (OTHER_ACCOUNT, OTHER_AUTH_KEY, OTHER_SELLER)];

#[derive(Debug)]
struct Inner {
    settings: Mutex<Settings>,
    context: OnceLock<FaceContext>,
    /// Locked before the market, never from inside it.
    ledger: Mutex<Ledger>,
}

/// The face of CROSS MALL. Clones are the same face: keep one to switch things while it runs.
#[derive(Debug, Clone)]
pub struct CrossMall(Arc<Inner>);

impl Default for CrossMall {
    fn default() -> Self {
        Self::new()
    }
}

impl CrossMall {
    /// Two accounts with the same phases, without limits and lags.
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            settings: Mutex::new(Settings::default()),
            context: OnceLock::new(),
            ledger: Mutex::new(Ledger::default()),
        }))
    }

    /// The management number of an order. None while it is not imported, or deleted.
    pub fn order_number(&self, order: OrderNumber) -> Option<String> {
        self.with(|ledger, _| ledger.shown(order))?
    }

    /// The phase of an order. None while it is not imported, or deleted.
    pub fn phase(&self, order: OrderNumber) -> Option<String> {
        self.with(|ledger, context| {
            ledger.shown(order)?;
            let order = context.market.order(order)?;
            Some(ledger.card(order.number)?.phase(&order, &self.settings()).to_owned())
        })?
    }

    /// All moves of an order's phase, oldest first, with calls that left it where it was.
    pub fn moves(&self, order: OrderNumber) -> Vec<PhaseMove> {
        lock(&self.0.ledger).card(order).map(|card| card.moves.clone()).unwrap_or_default()
    }

    /// A person moves an order in the screens. False when there is no such phase or order.
    pub fn move_phase(&self, order: OrderNumber, phase: &str) -> bool {
        let moved =
            self.with(|ledger, at| phase::move_by_person(&at.market, &self.settings(), ledger, order, phase));
        moved.unwrap_or(false)
    }

    /// A person moves an order in the screens right after it is next read by its number.
    pub fn move_phase_after_read(&self, order: OrderNumber, phase: &str) {
        self.mark(order, |card| card.moved_after_read = Some(phase.to_owned()));
    }

    /// Keeps a shop's order from coming in, from before the first call that could show it. False when it is here already.
    pub fn hold_import(&self, order: OrderNumber) -> bool {
        lock(&self.0.ledger).hold_back(order)
    }

    /// Lets an order in now that was held back or deleted: with a new number, and its old time of order.
    pub fn import(&self, order: OrderNumber) {
        self.with(|ledger, context| {
            if let Some(order) = context.market.order(order) {
                ledger.let_in(&order, context.clock.now());
            }
        });
    }

    /// A person deletes an order in the screens.
    pub fn delete(&self, order: OrderNumber) {
        self.with(|ledger, _| ledger.delete(order));
    }

    /// Puts an order on hold (保留), or back to normal.
    pub fn set_held(&self, order: OrderNumber, held: bool) {
        self.mark(order, |card| card.is_held = held);
    }

    /// Packs an order into another (同梱), or takes it out again.
    pub fn bundle(&self, child: OrderNumber, parent: Option<OrderNumber>) {
        self.mark(child, |card| card.bundled_into = parent.filter(|parent| *parent != child));
    }

    /// The time slot that the buyer asked for.
    pub fn set_time_slot(&self, order: OrderNumber, slot: &str) {
        self.mark(order, |card| card.time_slot = slot.to_owned());
    }

    /// The personal data of an order vanish. Its change time stays.
    pub fn blank(&self, order: OrderNumber) {
        self.with(|ledger, _| ledger.card_mut(order).is_blank = true);
    }

    /// Shows a value in a field of `get_order` in place of the face's own: `order_code`, `cancel_flag`, `phase_name` ...
    pub fn set_field(&self, order: OrderNumber, field: &str, value: &str) {
        self.mark(order, |card| drop(card.fields.insert(field.to_owned(), value.to_owned())));
    }

    /// Puts a character into the buyer's name that XML forbids: no answer with this order can be parsed.
    pub fn spoil_name(&self, order: OrderNumber) {
        self.set_field(order, "client_name", &format!("山田{}太郎", answer::FORBIDDEN));
    }

    /// Makes an item a set of parts: the item, its option, and pieces for one set. It has no stock of its own then.
    pub fn make_set(&self, item: ItemId, parts: Vec<(ItemId, Option<OptionId>, u32)>) {
        lock(&self.0.ledger).sets.insert(item, parts);
    }

    /// Adds a choice without stock of its own to a line.
    pub fn choose(&self, line: LineNumber, label: &str, choice: &str) {
        let mut ledger = lock(&self.0.ledger);
        ledger.choices.entry(line).or_default().push((label.to_owned(), choice.to_owned()));
    }

    fn settings(&self) -> Settings {
        lock(&self.0.settings).clone()
    }

    /// What has arrived from the shops is in. None before the sandbox runs.
    fn with<T>(&self, look: impl FnOnce(&mut Ledger, &FaceContext) -> T) -> Option<T> {
        let context = self.0.context.get()?;
        let settings = self.settings();
        let mut ledger = lock(&self.0.ledger);
        context.market.read(|state| ledger.import(state, &settings, context.clock.now()));
        Some(look(&mut ledger, context))
    }

    fn mark(&self, order: OrderNumber, change: impl FnOnce(&mut Card)) {
        self.with(|ledger, context| {
            let card = ledger.card_mut(order);
            change(card);
            card.touched_at = Some(context.clock.now());
        });
    }
}

impl Face for CrossMall {
    fn id(&self) -> &'static str {
        "crossmall"
    }

    fn router(&self, context: FaceContext) -> Router {
        // A face serves one sandbox: the first stays.
        let context = self.0.context.get_or_init(|| context).clone();
        Router::new().fallback(answer_call).with_state(Desk { face: self.clone(), context })
    }

    fn operation(&self, head: &RequestHead<'_>, _body: &[u8]) -> String {
        desk::operation_of(head.uri.path()).unwrap_or("unknown").to_owned()
    }

    fn credentials(&self) -> Value {
        json!({
            "account": ACCOUNT,
            "auth_key": AUTH_KEY,
            "other_account": OTHER_ACCOUNT,
            "other_auth_key": OTHER_AUTH_KEY,
        })
    }

    fn rate_limit(&self) -> Option<RateLimit> {
        self.settings().limit
    }

    fn control(&self) -> Router {
        switches::routes(self)
    }
}

async fn answer_call(State(desk): State<Desk>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    desk.answer(&RequestHead { method: &parts.method, uri: &parts.uri, headers: &parts.headers })
}
