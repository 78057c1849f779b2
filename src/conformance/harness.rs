//! What an adapter's author gives: how to make the adapter, and how to arrange a situation on the channel's side.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use crate::channel::{Channel, Credentials, HandOver, Tracking};
use crate::error::Error;
use crate::http::HttpClient;
use crate::model::{ListingKey, OrderId};

/// Why a situation was not arranged.
#[derive(Debug, Clone)]
pub enum NotArranged {
    /// The channel has no such situation, or its server can't be brought into it. The behaviour then shows as not
    /// applicable, with this reason.
    NotPossible(String),
    /// It should have worked: the behaviour fails.
    Failed(String),
}

impl NotArranged {
    /// Not possible, and why.
    pub fn because(reason: impl Into<String>) -> Self {
        Self::NotPossible(reason.into())
    }
}

impl From<Error> for NotArranged {
    fn from(error: Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// What arranging gives.
pub type Arranged<T> = Result<T, NotArranged>;

/// Which credentials an adapter is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// Good for everything.
    Good,
    /// Never known to the channel.
    Wrong,
    /// Good once, ended since.
    Expired,
}

/// How to make an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connection {
    /// Its credentials.
    pub login: Login,
    /// Orders (and listings) on a page; `None`: as usual. Where neither server nor adapter can be told, answer
    /// [`NotArranged::NotPossible`].
    pub page_size: Option<usize>,
}

impl Connection {
    /// With good credentials.
    pub fn good() -> Self {
        Self { login: Login::Good, page_size: None }
    }

    /// With these credentials.
    pub fn with(login: Login) -> Self {
        Self { login, page_size: None }
    }

    /// With pages of this size.
    pub fn paged(size: usize) -> Self {
        Self { login: Login::Good, page_size: Some(size) }
    }
}

/// A person in an order. The suite puts texts in that must come back unchanged, and must not show in logs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PersonWish {
    /// Full name.
    pub name: String,
    /// Phone.
    pub phone: String,
    /// Mail address.
    pub email: String,
    /// Postal code.
    pub postal_code: String,
    /// Street and building, in one text.
    pub street: String,
}

/// A line to be ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LineWish {
    /// The merchant's code.
    pub sku: String,
    /// The title that the buyer sees.
    pub title: String,
    /// Pieces.
    pub quantity: u32,
    /// Price of one piece, in the channel's first currency.
    pub unit_price: Decimal,
    /// The listing that is bought; `None`: any.
    pub listing: Option<ListingKey>,
}

impl LineWish {
    /// Pieces of something.
    pub fn of(sku: &str, quantity: u32, unit_price: Decimal) -> Self {
        Self {
            sku: sku.to_owned(),
            title: format!("{sku} オーガニックTシャツ 🌿"),
            quantity,
            unit_price,
            listing: None,
        }
    }

    /// Of this listing.
    pub fn listed(mut self, listing: &ListingKey) -> Self {
        self.listing = Some(listing.clone());
        self
    }
}

/// An order to be placed by a buyer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OrderWish {
    /// Its lines, at least one.
    pub lines: Vec<LineWish>,
    /// When it is ordered.
    pub ordered_at: DateTime<Utc>,
    /// When it is paid; `None`: it is not.
    pub paid_at: Option<DateTime<Utc>>,
    /// Who buys and receives.
    pub person: PersonWish,
    /// The buyer's word to the seller.
    pub message: String,
}

impl OrderWish {
    /// An order of these lines, ordered and paid at this time.
    pub fn paid(lines: Vec<LineWish>, person: PersonWish, message: &str, at: DateTime<Utc>) -> Self {
        Self { lines, ordered_at: at, paid_at: Some(at), person, message: message.to_owned() }
    }
}

/// What happens to an order on the channel's side, not through the adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// The buyer pays.
    Pay,
    /// The seller confirms it in the channel's back office, so that it can be shipped.
    Confirm,
    /// The seller ships all of it in the back office.
    Ship,
    /// It arrives.
    Deliver,
    /// The seller cancels all of it in the back office.
    Cancel,
    /// The buyer asks to cancel all of it.
    AskCancel,
    /// The buyer takes that back.
    TakeCancelBack,
}

/// A listing to be put on sale.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListingWish {
    /// The merchant's code.
    pub sku: String,
    /// Its title.
    pub title: String,
    /// Pieces on sale.
    pub quantity: u32,
    /// Whether it is an option of an item that has another option too.
    pub kind: ListingKind,
}

/// What kind of listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListingKind {
    /// An item without options.
    Plain,
    /// One of several options of an item.
    Option,
}

/// A parcel, as the channel's server recorded it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SeenDispatch {
    /// The tracking number.
    pub number: String,
    /// Pieces that left with it.
    pub pieces: u32,
    /// Whether the buyer was mailed, where the channel takes a flag for it.
    pub mailed: Option<bool>,
    /// The hand-over method, where the channel asks.
    pub hand_over: Option<HandOver>,
}

impl SeenDispatch {
    /// A parcel.
    pub fn new(number: impl Into<String>, pieces: u32) -> Self {
        Self { number: number.into(), pieces, mailed: None, hand_over: None }
    }

    /// The buyer was mailed, or not.
    pub fn mailed(mut self, mailed: bool) -> Self {
        self.mailed = Some(mailed);
        self
    }

    /// Handed over like this.
    pub fn handed_over(mut self, how: HandOver) -> Self {
        self.hand_over = Some(how);
        self
    }
}

/// A call that the channel makes to the application.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebhookCall {
    /// Header names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The address that is called.
    pub url: String,
}

impl WebhookCall {
    /// A call.
    pub fn new(headers: Vec<(String, String)>, body: impl Into<Vec<u8>>, url: impl Into<String>) -> Self {
        Self { headers, body: body.into(), url: url.into() }
    }
}

/// The channel's own error answer with status 200 (or the status it uses for refusals).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorAnswer {
    /// HTTP status.
    pub status: u16,
    /// Content type.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

impl ErrorAnswer {
    /// An error with status 200.
    pub fn new(content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, content_type, body: body.into() }
    }
}

/// A reason for which an adapter is excused from a behaviour, or from a rung of one (`bad_answers_to_fetching_orders/404`).
/// `bad_answers_to_reporting_a_parcel/behind the change`: what the operation asks after its last change is looked up only;
/// when that fails, done is the truth. The suite then holds it against the server.
pub type Excuse = (&'static str, &'static str);

/// A channel's server that situations can be arranged on, and the adapter that talks to it.
///
/// Each behaviour gets a harness of its own. What the channel can't be brought into answers
/// [`NotArranged::NotPossible`]: it shows in the report and never counts as passed. Only `connect`, `now`, `changes`,
/// `secrets` and `place` have to be written for the suite to begin.
#[async_trait]
pub trait Harness: Send + Sync {
    /// A fresh adapter that sends through this client, to the harness's own server. Client-side limits on calls should
    /// be generous: the suite makes many.
    async fn connect(&self, client: &HttpClient, with: Connection) -> Arranged<Arc<dyn Channel>>;

    /// The server's time, now.
    fn now(&self) -> DateTime<Utc>;

    /// How many changes the server has made because of calls to its API. Refused ones don't count.
    fn changes(&self) -> u64;

    /// All secrets in use: keys, tokens, signatures can't be listed. They must not show anywhere.
    fn secrets(&self) -> Vec<String>;

    /// Places an order; answers with the ids that the adapter gives to what came of it: one for a wish of one line.
    async fn place(&self, wish: OrderWish) -> Arranged<Vec<OrderId>>;

    /// Does something to an order.
    async fn change(&self, order: &OrderId, change: Change) -> Arranged<()> {
        let _ = order;
        Err(NotArranged::because(format!("the harness can't arrange {change:?}")))
    }

    /// Puts a listing on sale; answers with the key that the adapter gives to it.
    async fn list(&self, wish: ListingWish) -> Arranged<ListingKey> {
        let _ = wish;
        Err(NotArranged::because("the harness can't put a listing on sale"))
    }

    /// How often an order was really confirmed.
    async fn confirmations(&self, order: &OrderId) -> Arranged<usize> {
        let _ = order;
        Err(NotArranged::because("the harness does not tell confirmations"))
    }

    /// The ship dates that were really set for an order, oldest first.
    async fn ship_dates(&self, order: &OrderId) -> Arranged<Vec<NaiveDate>> {
        let _ = order;
        Err(NotArranged::because("the harness does not tell ship dates"))
    }

    /// The parcels that really left, oldest first.
    async fn dispatches(&self, order: &OrderId) -> Arranged<Vec<SeenDispatch>> {
        let _ = order;
        Err(NotArranged::because("the harness does not tell parcels"))
    }

    /// The quantity on sale.
    async fn quantity(&self, listing: &ListingKey) -> Arranged<u32> {
        let _ = listing;
        Err(NotArranged::because("the harness does not tell quantities"))
    }

    /// All that a listing is beside its quantity (price, end of sale, title), in any form: setting a quantity must leave
    /// it as it is.
    async fn listing_facts(&self, listing: &ListingKey) -> Arranged<String> {
        let _ = listing;
        Err(NotArranged::because("the harness does not tell the rest of a listing"))
    }

    /// Whether an order is cancelled on the server.
    async fn is_cancelled(&self, order: &OrderId) -> Arranged<bool> {
        let _ = order;
        Err(NotArranged::because("the harness does not tell cancellations"))
    }

    /// An answer by which the channel refuses whatever was asked, with this text in it, as its documents show it.
    fn error_answer(&self, text: &str) -> Arranged<ErrorAnswer> {
        let _ = text;
        Err(NotArranged::because("the channel has no error answer with status 200"))
    }

    /// An answer with the row of this order spoilt beyond reading, the rest as it is; `None`: the order is not in it.
    /// By default the raw payload of the order is replaced by `{}`, which suits JSON.
    fn spoil(&self, answer: &[u8], order: &OrderId, raw: &str) -> Option<Vec<u8>> {
        let _ = order;
        let text = std::str::from_utf8(answer).ok()?;
        let at = text.find(raw).filter(|_| !raw.is_empty())?;
        let end = at.checked_add(raw.len())?;
        Some([text.get(..at)?, "{}", text.get(end..)?].concat().into_bytes())
    }

    /// Carrier and tracking number of the n-th parcel; `None`: the channel's own logistics gives the number.
    fn tracking(&self, n: u32) -> Option<Tracking> {
        Some(Tracking::new("Yamato", format!("{:012}", 440_000_000_000_u64 + u64::from(n))))
    }

    /// The word that goes with the refusal of a cancel request, as a merchant would give it. Some channels can't refuse
    /// without one.
    fn refusal_memo(&self) -> Option<String> {
        None
    }

    /// Values of the channel's own options, as a merchant would have set them.
    fn settings(&self) -> BTreeMap<String, serde_json::Value> {
        BTreeMap::new()
    }

    /// Good credentials that differ from those in use.
    async fn fresh_credentials(&self) -> Arranged<Credentials> {
        Err(NotArranged::because("the harness has no second set of credentials"))
    }

    /// Credentials of the right form that the channel does not know.
    fn wrong_credentials(&self) -> Arranged<Credentials> {
        Err(NotArranged::because("the harness has no wrong credentials"))
    }

    /// A webhook about an order, signed as the channel signs it.
    async fn webhook(&self, order: &OrderId) -> Arranged<WebhookCall> {
        let _ = order;
        Err(NotArranged::because("the harness can't sign a webhook"))
    }

    /// That webhook, changed by somebody else on its way so that its signature no longer fits: by default one byte more
    /// in the body. Where the channel signs only some fields, one of those changes instead; say which in a comment.
    fn tampered(&self, call: &WebhookCall) -> WebhookCall {
        let mut tampered = call.clone();
        tampered.body.push(b' ');
        tampered
    }

    /// What the adapter is excused from, each with its reason. An excuse shows in the report.
    fn excuses(&self) -> &[Excuse] {
        &[]
    }
}
