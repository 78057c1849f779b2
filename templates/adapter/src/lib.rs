//! MyShop: what it is, in one sentence. (Copy this folder; replace MyShop and my_shop; follow docs/writing-an-adapter.md.)

mod wire;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use sales_channels::channel::{
    Capabilities, Capability, CapabilityCheck, Channel, ChannelInfo, ChannelState, ConnectionReport, Context,
    Credentials, FetchOrders, LocalText, Operation, OrderPage, OrderQuery, Outcome, PageCursor, Refusal, Row,
    Secret, StatusMapping, each,
};
use sales_channels::http::{AccountHttp, BaseUrl, Call, HttpClient, Nature, Request, Response};
use sales_channels::model::{AccountId, Currency, Order, OrderStatus, Window};
use sales_channels::{Error, Result};

/// The one part of the credentials.
pub const TOKEN: &str = "token";

/// The channel's words for how far an order is, and ours. A word that is not here becomes `Unknown`, which is never
/// acted upon.
pub(crate) const STATUSES: &[StatusMapping] = &[
    StatusMapping { channel: "paid", status: OrderStatus::New },
    StatusMapping { channel: "shipped", status: OrderStatus::Shipped },
];

/// An account at MyShop.
#[derive(Debug)]
pub struct MyShop {
    info: ChannelInfo,
    http: AccountHttp,
    base: BaseUrl,
    token: Secret,
}

impl MyShop {
    /// An account with its token. Nothing is sent.
    ///
    /// # Errors
    /// `InvalidInput` when the token is missing.
    pub fn new(
        client: &HttpClient,
        account: impl Into<AccountId>,
        credentials: &Credentials,
        base: BaseUrl,
    ) -> Result<Self> {
        let token =
            credentials.get(TOKEN).ok_or_else(|| Error::invalid("the credentials lack the token"))?.clone();
        let info = info();
        let http = client.account(&info.id, &account.into(), &info.limits);
        Ok(Self { info, http, base, token })
    }

    async fn get(&self, cx: &Context, operation: Operation, path: &str) -> Result<Response> {
        let url = self.base.join(path)?;
        let call = Call {
            operation,
            nature: Nature::Read,
            // Called for each attempt, so that time stamps and signatures are fresh.
            build: &|_now| Request::get(url.clone()).secret_header("x-token", &self.token),
            judge: &wire::judge,
        };
        self.http.send(cx, call).await
    }

    async fn read_one(&self, cx: &Context, known: &Order) -> Result<Outcome<Order>> {
        let path = format!("orders?id={}", wire::number(known.id.as_str())?);
        let answer = self.get(cx, Operation::ReadOrders, &path).await?;
        match wire::orders(&answer.body, answer.sent_at)?.0.into_iter().next() {
            // An answer that says "here is the list" and has nothing in it: the order is gone.
            None => Ok(Outcome::Refused(Refusal::new("", "the channel has no such order"))),
            Some(Row::Order(order)) if order.id == known.id => Ok(Outcome::Done(*order)),
            Some(_) => Err(Error::malformed("the answer is not about this order")),
        }
    }
}

fn info() -> ChannelInfo {
    let name = LocalText { en: "MyShop", ja: "マイショップ", ko: "마이샵" };
    let mut info = ChannelInfo::new("my_shop", name, chrono_tz::Asia::Tokyo, Currency::JPY);
    info.state = ChannelState::Part("a template");
    info.statuses = STATUSES.to_vec();
    info.documentation = "https://my-shop.example/api";
    info
}

#[async_trait]
impl Channel for MyShop {
    fn info(&self) -> &ChannelInfo {
        &self.info
    }

    fn orders(&self) -> &dyn FetchOrders {
        self
    }

    // What else the channel has: fn dispatch(&self) -> Option<&dyn DispatchOrders> { Some(self) }, and so on.

    async fn test(&self, cx: &Context) -> Result<ConnectionReport> {
        let now: DateTime<Utc> = self.http.now();
        let path = wire::list_path(Window::new(now - TimeDelta::minutes(1), now), "");
        wire::orders(&self.get(cx, Operation::TestConnection, &path).await?.body, now)?;
        let check = |capability| match capability {
            Capability::FetchOrders => (capability, CapabilityCheck::Allowed),
            _ => (capability, CapabilityCheck::Assumed),
        };
        Ok(ConnectionReport::new(Capabilities::of(self).iter().map(check).collect()))
    }
}

#[async_trait]
impl FetchOrders for MyShop {
    async fn fetch(
        &self,
        cx: &Context,
        query: &OrderQuery,
        cursor: Option<&PageCursor>,
    ) -> Result<OrderPage> {
        let after = cursor.map(|cursor| wire::number(cursor.as_str())).transpose()?.unwrap_or_default();
        let answer = self.get(cx, Operation::FetchOrders, &wire::list_path(query.window, after)).await?;
        let (rows, next) = wire::orders(&answer.body, answer.sent_at)?;
        Ok(OrderPage { rows, next: next.map(PageCursor::new) })
    }

    async fn read(&self, cx: &Context, orders: &[&Order]) -> Result<Vec<Outcome<Order>>> {
        let calls = orders.iter().map(|known| self.read_one(cx, known)).collect();
        // A failed read says nothing about the order: never a refusal, which would drop it.
        each(calls, 4, |error| Outcome::NotTried(error.clone())).await
    }
}
