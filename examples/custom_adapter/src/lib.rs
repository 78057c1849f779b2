//! An adapter for Tanuki Mall, a shop system that does not exist. It uses what anybody can use of `sales-channels`.
//!
//! The mall speaks XML in Shift_JIS. Orders are listed by the time of payment, oldest first, in pages from 1. There is
//! nothing to confirm. Gifts can be held back: an option of its own.

mod wire;

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use sales_channels::channel::{
    Capabilities, Capability, CapabilityCheck, Channel, ChannelInfo, ChannelState, ConnectionReport, Context,
    Credentials, DispatchOrders, DispatchRequest, Dispatched, FetchOrders, HandOver, LocalText, Operation,
    OrderPage, OrderQuery, Outcome, PageCursor, Refusal, Repeat, Row, Secret, StatusMapping, StockAccepted,
    StockChange, UpdateStock, each,
};
use sales_channels::http::{AccountHttp, BaseUrl, Call, HttpClient, Method, Nature, Request, Response};
use sales_channels::model::{AccountId, Currency, ListingKey, Order, OrderStatus, Window};
use sales_channels::options::{OptionDescription, OptionKind};
use sales_channels::{Error, Result};

/// The one part of the credentials.
pub const KEY: &str = "key";
const HOLD_GIFTS: &str = "hold_gifts";
const STATUSES: &[StatusMapping] = &[
    StatusMapping { channel: "unpaid", status: OrderStatus::PendingPayment },
    StatusMapping { channel: "paid", status: OrderStatus::New },
    StatusMapping { channel: "sent", status: OrderStatus::Shipped },
    StatusMapping { channel: "arrived", status: OrderStatus::Delivered },
    StatusMapping { channel: "cancelled", status: OrderStatus::Cancelled },
];
/// Reporting a parcel again could report a second one, so an order is read before it is tried again.
const DISPATCH: Repeat = Repeat::ReadFirst;

/// An account at Tanuki Mall.
#[derive(Debug)]
pub struct TanukiMall {
    info: ChannelInfo,
    http: AccountHttp,
    base: BaseUrl,
    key: Secret,
    page_size: usize,
}

impl TanukiMall {
    /// An account with its key. Nothing is sent.
    ///
    /// # Errors
    /// `InvalidInput` when the key is missing.
    pub fn new(
        client: &HttpClient,
        account: impl Into<AccountId>,
        credentials: &Credentials,
        base: BaseUrl,
        page_size: usize,
    ) -> Result<Self> {
        let key = credentials.get(KEY).ok_or_else(|| Error::invalid("the credentials lack the key"))?.clone();
        let info = info();
        let http = client.account(&info.id, &account.into(), &info.limits);
        Ok(Self { info, http, base, key, page_size })
    }

    async fn call(
        &self,
        cx: &Context,
        operation: Operation,
        nature: Nature,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Response> {
        let url = self.base.join(path)?;
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let body = body.unwrap_or_default();
        let request = |_| {
            Request::new(method.clone(), url.clone(), body.clone()).secret_header("x-tanuki-key", &self.key)
        };
        self.http.send(cx, Call { operation, nature, build: &request, judge: &wire::judge }).await
    }

    /// A page of a window, and how many there are.
    async fn page(
        &self,
        cx: &Context,
        operation: Operation,
        window: Window,
        page: u32,
    ) -> Result<(Vec<Row>, u32)> {
        let ((from, to), size) = (wire::borders(window), self.page_size);
        let path = format!("api/orders?from={from}&to={to}&size={size}&page={page}&{}", gifts(cx));
        let answer = self.call(cx, operation, Nature::Read, &path, None).await?;
        wire::orders(&answer.body, answer.sent_at)
    }

    async fn read_one(&self, cx: &Context, known: &Order) -> Result<Outcome<Order>> {
        let path = format!("api/orders/{}?{}", wire::number(known.id.as_str())?, gifts(cx));
        let answer = self.call(cx, Operation::ReadOrders, Nature::Read, &path, None).await?;
        match wire::orders(&answer.body, answer.sent_at)?.0.into_iter().next() {
            None => Ok(Outcome::Refused(Refusal::new("", "the mall has no such order"))),
            Some(Row::Order(order)) if order.id == known.id => Ok(Outcome::Done(*order)),
            Some(_) => Err(Error::malformed("the answer is not about this order")),
        }
    }

    async fn send_one(&self, cx: &Context, request: &DispatchRequest<'_>) -> Result<Outcome<Dispatched>> {
        let body = match wire::shipment(request) {
            Ok(body) => body,
            Err(no) => return Ok(Outcome::Refused(no)),
        };
        let path = format!("api/orders/{}/shipment", wire::number(request.order.id.as_str())?);
        self.call(cx, Operation::Dispatch, Nature::from(DISPATCH), &path, Some(body)).await?;
        Ok(Outcome::Done(Dispatched::default()))
    }

    async fn stock_of(
        &self,
        cx: &Context,
        operation: Operation,
        listing: &ListingKey,
        quantity: Option<u32>,
    ) -> Result<Outcome<StockAccepted>> {
        let path = format!("api/items/{}/stock", wire::number(&listing.item)?);
        let nature = if quantity.is_some() { Nature::SafeWrite } else { Nature::Read };
        let body = quantity.map(|quantity| format!("<stock quantity=\"{quantity}\"/>").into_bytes());
        let answer = self.call(cx, operation, nature, &path, body).await?;
        let unclear = |error: Error| if quantity.is_some() { error.with_unknown_effect() } else { error };
        Ok(Outcome::Done(StockAccepted { quantity: wire::stock(&answer.body).map_err(unclear)? }))
    }
}

/// What the merchant chose about gifts. The mall keeps no settings: it is told with each request.
fn gifts(cx: &Context) -> &'static str {
    match cx.setting(HOLD_GIFTS).and_then(serde_json::Value::as_bool) {
        Some(true) => "gifts=hold",
        _ => "gifts=send",
    }
}

fn info() -> ChannelInfo {
    let name = LocalText { en: "Tanuki Mall", ja: "たぬきモール", ko: "다누키몰" };
    let mut info = ChannelInfo::new("tanuki_mall", name, chrono_tz::Asia::Tokyo, Currency::JPY);
    info.state = ChannelState::Part("the mall does not exist");
    info.max_window = Duration::from_secs(7 * 24 * 3600);
    (info.read_batch, info.dispatch_batch, info.stock_batch) = (20, 20, 20);
    info.statuses = STATUSES.to_vec();
    info.documentation = "https://tanuki-mall.example/api";
    info.options = vec![OptionDescription {
        key: HOLD_GIFTS,
        rule: "TM-1",
        kind: OptionKind::Switch,
        default: false.into(),
        label: LocalText { en: "Hold gifts", ja: "ギフトを保留", ko: "선물 보류" },
        help: LocalText {
            en: "Gifts are not sent to the fulfilment centre by themselves.",
            ja: "ギフトは自動で出荷指示されません。",
            ko: "선물은 자동으로 출고 지시되지 않습니다.",
        },
    }];
    info
}

#[async_trait]
impl Channel for TanukiMall {
    fn info(&self) -> &ChannelInfo {
        &self.info
    }

    fn orders(&self) -> &dyn FetchOrders {
        self
    }

    fn dispatch(&self) -> Option<&dyn DispatchOrders> {
        Some(self)
    }

    fn stock(&self) -> Option<&dyn UpdateStock> {
        Some(self)
    }

    async fn test(&self, cx: &Context) -> Result<ConnectionReport> {
        let now: DateTime<Utc> = self.http.now();
        self.page(cx, Operation::TestConnection, Window::new(now - TimeDelta::minutes(1), now), 1).await?;
        // The same key writes; nothing harmless proves it.
        let check = |capability| match capability {
            Capability::FetchOrders => (capability, CapabilityCheck::Allowed),
            _ => (capability, CapabilityCheck::Assumed),
        };
        Ok(ConnectionReport::new(Capabilities::of(self).iter().map(check).collect()))
    }
}

#[async_trait]
impl FetchOrders for TanukiMall {
    async fn fetch(
        &self,
        cx: &Context,
        query: &OrderQuery,
        cursor: Option<&PageCursor>,
    ) -> Result<OrderPage> {
        let page = match cursor {
            None => 1,
            Some(cursor) => {
                cursor.as_str().parse().map_err(|_| Error::invalid("the cursor is not of this channel"))?
            }
        };
        let (rows, pages) = self.page(cx, Operation::FetchOrders, query.window, page).await?;
        let next = (page < pages).then(|| PageCursor::new((page + 1).to_string()));
        Ok(OrderPage { rows, next })
    }

    async fn read(&self, cx: &Context, orders: &[&Order]) -> Result<Vec<Outcome<Order>>> {
        let calls = orders.iter().map(|known| self.read_one(cx, known)).collect();
        // A failed read says nothing about the order: never a refusal, which would drop it.
        each(calls, 4, |error| Outcome::NotTried(error.clone())).await
    }
}

#[async_trait]
impl DispatchOrders for TanukiMall {
    async fn dispatch(
        &self,
        cx: &Context,
        requests: &[DispatchRequest<'_>],
    ) -> Result<Vec<Outcome<Dispatched>>> {
        each(requests.iter().map(|request| self.send_one(cx, request)).collect(), 4, Outcome::from_error)
            .await
    }

    fn repeat(&self) -> Repeat {
        DISPATCH
    }

    fn hand_over_methods(&self) -> &[HandOver] {
        &[]
    }
}

#[async_trait]
impl UpdateStock for TanukiMall {
    async fn set_stock(
        &self,
        cx: &Context,
        changes: &[StockChange<'_>],
    ) -> Result<Vec<Outcome<StockAccepted>>> {
        let calls =
            changes.iter().map(|c| self.stock_of(cx, Operation::SetStock, c.listing, Some(c.quantity)));
        each(calls.collect(), 4, Outcome::from_error).await
    }

    async fn read_stock(&self, cx: &Context, listings: &[ListingKey]) -> Result<Vec<Outcome<StockAccepted>>> {
        let calls = listings.iter().map(|listing| self.stock_of(cx, Operation::ReadStock, listing, None));
        each(calls.collect(), 4, Outcome::from_error).await
    }
}
