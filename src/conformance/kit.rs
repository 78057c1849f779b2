//! What the behaviours work with: a harness, adapters over a wire that is watched, and the words to say what is wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;

use super::logs::Logs;
use super::wire::Wire;
use super::{
    Change, Connection, Harness, LineWish, ListingKind, ListingWish, Login, NotArranged, OrderWish,
    PersonWish,
};
use crate::channel::{
    Channel, ConfirmRequest, Context, DispatchRequest, HandOver, Notify, OrderQuery, Outcome, PageCursor,
    Row, ShipDates, StockChange, Tracking,
};
use crate::error::Error;
use crate::http::{HttpClient, HttpSettings, ReqwestTransport, SystemRandom};
use crate::model::{ChannelData, Listing, ListingKey, ManualClock, Order, OrderId, Window};

/// Most attempts of one request by the suite's HTTP layer.
pub(super) const ATTEMPTS: usize = 3;
/// Largest answer that the suite's HTTP layer takes.
const MOST_BYTES: usize = 1 << 20;
/// How long one call may take: far longer than any needs, far shorter than the waits that the suite asks for.
const BUDGET: Duration = Duration::from_secs(60);
/// Pages after which a listing is taken for endless.
const MOST_PAGES: usize = 500;

/// Why a behaviour did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The channel has no such thing, or the harness can't arrange it.
    NotApplicable(String),
    /// The adapter does something else.
    Failed(String),
}

impl From<NotArranged> for Stop {
    fn from(reason: NotArranged) -> Self {
        match reason {
            NotArranged::NotPossible(why) => Self::NotApplicable(why),
            NotArranged::Failed(why) => Self::Failed(format!("the harness failed: {why}")),
        }
    }
}

/// What a behaviour finds.
pub type Checked = Result<(), Stop>;

pub(super) fn failed<T>(what: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Failed(what.into()))
}

pub(super) fn not_applicable<T>(why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::NotApplicable(why.into()))
}

/// Fails unless it holds.
macro_rules! ensure {
    ($holds:expr, $($words:tt)+) => {
        if !$holds {
            return Err($crate::conformance::Stop::Failed(format!($($words)+)));
        }
    };
}
pub(super) use ensure;

/// Turns an error of the adapter into a failure that says what was being done.
pub(super) trait OrFail<T> {
    fn or_fail(self, doing: &str) -> Result<T, Stop>;
}

impl<T> OrFail<T> for crate::Result<T> {
    fn or_fail(self, doing: &str) -> Result<T, Stop> {
        self.map_err(|error| Stop::Failed(format!("{doing}: {error}")))
    }
}

/// An outcome in a word.
pub(super) fn word<T>(outcome: &Outcome<T>) -> String {
    match outcome {
        Outcome::Done(_) => "done".to_owned(),
        Outcome::AlreadyDone => "already done".to_owned(),
        Outcome::Refused(no) => format!("refused [{}] {}", no.code, no.message),
        Outcome::NotTried(error) => format!("not tried: {error}"),
        Outcome::Unknown(error) => format!("unknown: {error}"),
    }
}

/// The only outcome of a call about one item.
pub(super) fn only<T>(outcomes: Vec<Outcome<T>>, doing: &str) -> Result<Outcome<T>, Stop> {
    let count = outcomes.len();
    match outcomes.into_iter().next() {
        Some(outcome) if count == 1 => Ok(outcome),
        _ => failed(format!("{doing}: {count} outcomes for one item")),
    }
}

/// An adapter and the wire it sends over.
pub(super) struct Shop {
    pub(super) channel: Arc<dyn Channel>,
    pub(super) wire: Arc<Wire>,
}

/// A harness, and what the suite adds to it.
pub struct Kit {
    pub(super) harness: Arc<dyn Harness>,
    pub(super) logs: Logs,
    /// One for all adapters of a behaviour: setting up TLS takes longer than most calls.
    network: OnceLock<ReqwestTransport>,
    skus: AtomicU32,
    parcels: AtomicU32,
}

impl fmt::Debug for Kit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kit")
    }
}

impl Kit {
    /// Over this harness.
    pub fn new(harness: Arc<dyn Harness>) -> Self {
        let (skus, parcels) = (AtomicU32::new(1), AtomicU32::new(1));
        Self { harness, logs: Logs::default(), network: OnceLock::new(), skus, parcels }
    }

    pub(super) fn cx(&self) -> Context {
        let settings: BTreeMap<_, _> = self.harness.settings();
        Context::new().with_budget(BUDGET).with_settings(Arc::new(settings))
    }

    pub(super) async fn open(&self, with: Connection) -> Result<Shop, Stop> {
        let settings = HttpSettings {
            max_attempts: ATTEMPTS as u32,
            base_pause: Duration::from_millis(1),
            max_pause: Duration::from_millis(2),
            max_response_bytes: MOST_BYTES,
            ..HttpSettings::default()
        };
        let network = match self.network.get() {
            Some(network) => network.clone(),
            None => {
                let network = ReqwestTransport::new(&settings).or_fail("the suite's own network")?;
                self.network.get_or_init(|| network).clone()
            }
        };
        let wire = Arc::new(Wire::new(Arc::clone(&self.harness), network));
        let clock = Arc::new(ManualClock::at(self.harness.now()));
        let transport = Arc::clone(&wire);
        let client = HttpClient::with(settings, transport, clock, Arc::new(SystemRandom::seeded(7)));
        let channel = self.harness.connect(&client, with).await?;
        wire.calm();
        Ok(Shop { channel, wire })
    }

    pub(super) async fn good(&self) -> Result<Shop, Stop> {
        self.open(Connection::good()).await
    }

    pub(super) async fn login(&self, login: Login) -> Result<Shop, Stop> {
        self.open(Connection::with(login)).await
    }

    /// Whether the adapter is excused from a rung of a behaviour.
    pub(super) fn is_excused(&self, rung: &str) -> bool {
        self.harness.excuses().iter().any(|(name, _)| *name == rung)
    }

    /// A short while ago, to the second: when the suite's orders are paid.
    pub(super) fn recently(&self) -> DateTime<Utc> {
        let at = self.harness.now() - TimeDelta::minutes(30);
        DateTime::from_timestamp(at.timestamp(), 0).unwrap_or(at)
    }

    /// The hours around that.
    pub(super) fn lately(&self) -> Window {
        let now = self.harness.now();
        Window::new(now - TimeDelta::hours(2), now + TimeDelta::minutes(1))
    }

    pub(super) fn wish(&self, quantity: u32) -> OrderWish {
        let price = Decimal::from(1980);
        OrderWish::paid(vec![LineWish::of("TEE-01", quantity, price)], person(), MESSAGE, self.recently())
    }

    pub(super) async fn place_one(&self, wish: OrderWish) -> Result<OrderId, Stop> {
        let mut ids = self.harness.place(wish).await?;
        match ids.pop() {
            Some(id) if ids.is_empty() => Ok(id),
            _ => failed("the harness failed: a wish of one line is one order"),
        }
    }

    /// A paid order, as an adapter fetches it.
    pub(super) async fn new_order(&self, shop: &Shop) -> Result<Order, Stop> {
        self.new_order_of(shop, 2).await
    }

    pub(super) async fn new_order_of(&self, shop: &Shop, quantity: u32) -> Result<Order, Stop> {
        let id = self.place_one(self.wish(quantity)).await?;
        self.find(shop, &id).await
    }

    /// A paid order that can be shipped, as an adapter fetches it.
    pub(super) async fn ready_order(&self, shop: &Shop) -> Result<Order, Stop> {
        let id = self.place_one(self.wish(2)).await?;
        self.make_ready(shop, &id).await
    }

    /// This order so that it can be shipped, as an adapter fetches it.
    pub(super) async fn make_ready(&self, shop: &Shop, id: &OrderId) -> Result<Order, Stop> {
        match self.harness.change(id, Change::Confirm).await {
            Ok(()) | Err(NotArranged::NotPossible(_)) => {}
            Err(error) => return Err(error.into()),
        }
        self.find(shop, id).await
    }

    /// The order of this id among those of the last hours.
    pub(super) async fn find(&self, shop: &Shop, id: &OrderId) -> Result<Order, Stop> {
        let found = self.orders(shop, self.lately()).await?;
        match found.into_iter().find(|order| order.id == *id) {
            Some(order) => Ok(order),
            None => failed(format!("order {id} is not among those fetched")),
        }
    }

    /// The present state of an order.
    pub(super) async fn reread(&self, shop: &Shop, order: &Order) -> Result<Order, Stop> {
        let outcomes = shop.channel.orders().read(&self.cx(), &[order]).await.or_fail("reading an order")?;
        match only(outcomes, "reading an order")? {
            Outcome::Done(order) => Ok(order),
            other => failed(format!("reading an order: {}", word(&other))),
        }
    }

    /// All readable orders of a window; a row that can't be read is a failure.
    pub(super) async fn orders(&self, shop: &Shop, window: Window) -> Result<Vec<Order>, Stop> {
        let mut orders = Vec::new();
        for row in self.rows(shop, window).await? {
            match row {
                Row::Order(order) => orders.push(*order),
                Row::Unreadable(row) => return failed(format!("a row can't be read: {}", row.reason)),
            }
        }
        Ok(orders)
    }

    pub(super) async fn ids(&self, shop: &Shop, window: Window) -> Result<Vec<OrderId>, Stop> {
        Ok(self.orders(shop, window).await?.into_iter().map(|order| order.id).collect())
    }

    /// All rows of a window, in spans that the channel takes.
    pub(super) async fn rows(&self, shop: &Shop, window: Window) -> Result<Vec<Row>, Stop> {
        let longest = TimeDelta::from_std(shop.channel.info().max_window).unwrap_or(TimeDelta::MAX);
        let mut rows = Vec::new();
        let mut from = window.from;
        while from < window.to {
            let to = from.checked_add_signed(longest).unwrap_or(window.to).min(window.to);
            for page in self.pages(shop, Window::new(from, to)).await? {
                rows.extend(page);
            }
            from = to;
        }
        Ok(rows)
    }

    /// The pages of a window that the channel takes at once.
    pub(super) async fn pages(&self, shop: &Shop, window: Window) -> Result<Vec<Vec<Row>>, Stop> {
        let query = OrderQuery::window(window);
        let mut pages = Vec::new();
        let mut cursors: Vec<PageCursor> = Vec::new();
        loop {
            let page = shop
                .channel
                .orders()
                .fetch(&self.cx(), &query, cursors.last())
                .await
                .or_fail("fetching orders")?;
            pages.push(page.rows);
            let Some(next) = page.next else { return Ok(pages) };
            ensure!(!cursors.contains(&next), "a page cursor came back: the listing would never end");
            ensure!(pages.len() < MOST_PAGES, "the listing does not end");
            cursors.push(next);
        }
    }

    pub(super) async fn listings(&self, shop: &Shop) -> Result<Vec<Listing>, Stop> {
        let Some(reader) = shop.channel.listings() else {
            return not_applicable("the channel lists no listings");
        };
        let mut found = Vec::new();
        let mut cursors: Vec<PageCursor> = Vec::new();
        loop {
            let page = reader.list(&self.cx(), cursors.last()).await.or_fail("listing listings")?;
            found.extend(page.listings);
            let Some(next) = page.next else { return Ok(found) };
            ensure!(!cursors.contains(&next), "a page cursor came back: the listing would never end");
            ensure!(cursors.len() < MOST_PAGES, "the listing does not end");
            cursors.push(next);
        }
    }

    /// A merchant's code that no listing has yet.
    pub(super) fn fresh_sku(&self) -> String {
        format!("FRESH-{}", self.skus.fetch_add(1, Ordering::Relaxed))
    }

    /// A tracking number that no parcel has yet: channels refuse one that is used again.
    pub(super) fn fresh_tracking(&self) -> Option<Tracking> {
        self.harness.tracking(self.parcels.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) async fn new_listing(&self, sku: &str, quantity: u32) -> Result<ListingKey, Stop> {
        let title = format!("{sku} オーガニックTシャツ 🌿");
        let wish = ListingWish { sku: sku.to_owned(), title, quantity, kind: ListingKind::Plain };
        Ok(self.harness.list(wish).await?)
    }

    /// What an adapter keeps of a listing beside its key, as the hub would have it from the list.
    pub(super) async fn data_of(&self, shop: &Shop, key: &ListingKey) -> Result<ChannelData, Stop> {
        if shop.channel.listings().is_none() {
            return Ok(ChannelData::default());
        }
        let found = self.listings(shop).await?.into_iter().find(|listing| listing.key == *key);
        Ok(found.map(|listing| listing.channel_data).unwrap_or_default())
    }

    pub(super) async fn set_stock(&self, shop: &Shop, key: &ListingKey, quantity: u32) -> Result<u32, Stop> {
        let data = self.data_of(shop, key).await?;
        let Some(stock) = shop.channel.stock() else { return not_applicable(NO_STOCK) };
        let change = StockChange::new(key, &data, quantity);
        let outcomes = stock.set_stock(&self.cx(), &[change]).await.or_fail("setting a quantity")?;
        match only(outcomes, "setting a quantity")? {
            Outcome::Done(taken) => Ok(taken.quantity),
            Outcome::AlreadyDone => Ok(quantity),
            other => failed(format!("setting a quantity: {}", word(&other))),
        }
    }

    /// Confirms orders, each without a ship date.
    pub(super) async fn confirm(&self, shop: &Shop, orders: &[&Order]) -> Result<Vec<String>, Stop> {
        let Some(confirm) = shop.channel.confirm() else { return not_applicable(NO_CONFIRM) };
        let requests: Vec<_> = orders.iter().map(|order| ConfirmRequest::new(order)).collect();
        let outcomes = confirm.confirm(&self.cx(), &requests).await.or_fail("confirming")?;
        ensure!(outcomes.len() == orders.len(), "{} outcomes for {} orders", outcomes.len(), orders.len());
        Ok(outcomes.iter().map(word).collect())
    }

    /// A parcel with all that is outstanding.
    pub(super) fn parcel<'a>(
        &self,
        shop: &Shop,
        order: &'a Order,
        tracking: Option<&'a Tracking>,
    ) -> DispatchRequest<'a> {
        let mut request = DispatchRequest::new(order, tracking, self.harness.now());
        request.notify = shop.channel.notify().map(|_| Notify::Nobody);
        request.hand_over = self.hand_overs(shop).first().copied();
        request
    }

    pub(super) fn hand_overs(&self, shop: &Shop) -> Vec<HandOver> {
        shop.channel.dispatch().map(|dispatch| dispatch.hand_over_methods().to_vec()).unwrap_or_default()
    }

    pub(super) fn sends_date_with_confirmation(&self, shop: &Shop) -> bool {
        matches!(shop.channel.ship_date(), Some(ShipDates::WithConfirmation))
    }

    /// Two days from now, in the channel's zone.
    pub(super) fn ship_date(&self, shop: &Shop) -> chrono::NaiveDate {
        let zone = shop.channel.info().zone;
        (self.harness.now() + TimeDelta::days(2)).with_timezone(&zone).date_naive()
    }

    /// Fails when a secret or personal data shows in a text.
    pub(super) fn keeps_quiet(&self, what: &str, text: &str) -> Checked {
        let secrets = self.harness.secrets();
        for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
            ensure!(!text.contains(secret.as_str()), "{what} shows a secret");
        }
        for private in PRIVATE {
            ensure!(!text.contains(private), "{what} shows personal data ({private})");
        }
        Ok(())
    }
}

pub(super) const NO_CONFIRM: &str = "the channel confirms nothing";
pub(super) const NO_STOCK: &str = "the channel takes no quantities";
pub(super) const NO_DISPATCH: &str = "the channel takes no parcels";
pub(super) const NO_CANCELS: &str = "the channel shows no cancel requests";

pub(super) const NAME: &str = "髙﨑 花子🌸";
pub(super) const STREET: &str = "東京都千代田区千代田1-1 テスト〒ビル101号";
pub(super) const MESSAGE: &str = "宅配ボックスへ \"そっと\" <b>&amp;</b> 🙏";
pub(super) const PHONE: &str = "090-5555-0123";
pub(super) const EMAIL: &str = "hanako.takasaki@example.jp";

/// What must not show: each is in every order of the suite.
const PRIVATE: [&str; 5] = ["髙﨑", "千代田1-1", "そっと", PHONE, EMAIL];

pub(super) fn person() -> PersonWish {
    PersonWish {
        name: NAME.to_owned(),
        phone: PHONE.to_owned(),
        email: EMAIL.to_owned(),
        postal_code: "100-0001".to_owned(),
        street: STREET.to_owned(),
    }
}

/// An error's parts that a caller goes by.
pub(super) fn told(error: &Error) -> String {
    format!("{:?}, {:?}, {:?} ({error})", error.kind(), error.retry(), error.effect())
}
