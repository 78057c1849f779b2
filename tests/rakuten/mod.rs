//! A server that answers as Rakuten does, and a shop that talks to it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use mockito::{Matcher, Mock, ServerGuard};
use sales_channels::Result;
use sales_channels::adapters::rakuten::{Config, LICENSE_KEY, Rakuten, SERVICE_SECRET};
use sales_channels::channel::{Channel, Context, Credentials, OrderQuery, Outcome, PageCursor, Row};
use sales_channels::http::{HttpClient, HttpSettings};
use sales_channels::model::{Order, OrderId, Window};

pub(crate) const SECRET: &str = "SP123456_secret";
pub(crate) const KEY: &str = "SL123456_license";
pub(crate) const ESA: &str = "ESA U1AxMjM0NTZfc2VjcmV0OlNMMTIzNDU2X2xpY2Vuc2U=";

pub(crate) const SEARCH: &str = "/es/2.0/order/searchOrder/";
pub(crate) const GET: &str = "/es/2.0/order/getOrder/";
pub(crate) const CONFIRM: &str = "/es/2.0/order/confirmOrder/";
pub(crate) const SHIP: &str = "/es/2.0/order/updateOrderShipping/";
pub(crate) const CANCEL: &str = "/es/2.0/order/cancelOrder/";
pub(crate) const CANCEL_AFTER: &str = "/es/2.0/order/cancelOrderAfterShipping/";
pub(crate) const UPSERT: &str = "/es/2.1/inventories/bulk-upsert";
pub(crate) const BULK_GET: &str = "/es/2.0/inventories/bulk-get";
pub(crate) const ITEMS: &str = "/es/2.0/items/search";
pub(crate) const EXPIRY: &str = "/es/1.0/license-management/license-key/expiry-date";

pub(crate) struct Shop {
    pub(crate) server: ServerGuard,
    pub(crate) channel: Rakuten,
}

impl Shop {
    /// Calls are tried twice where they may be.
    pub(crate) async fn open() -> Self {
        Self::with(&credentials()).await
    }

    pub(crate) async fn with(credentials: &Credentials) -> Self {
        let server = mockito::Server::new_async().await;
        let channel = Rakuten::new(&client(), "shop-1", credentials, config(&server)).unwrap();
        Self { server, channel }
    }

    /// A POST's answer to a body, so many times; headers as the sheet says.
    pub(crate) async fn on(
        &mut self,
        path: &str,
        body: Matcher,
        status: usize,
        answer: impl AsRef<[u8]>,
        times: usize,
    ) -> Mock {
        self.server
            .mock("POST", path)
            .match_header("authorization", ESA)
            .match_header("content-type", "application/json; charset=utf-8")
            .match_query(Matcher::Exact(String::new()))
            .match_body(body)
            .with_status(status)
            .with_body(answer)
            .expect(times)
            .create_async()
            .await
    }

    /// The answer to whatever is sent, once.
    pub(crate) async fn answers(&mut self, path: &str, answer: impl AsRef<[u8]>) -> Mock {
        self.on(path, Matcher::Any, 200, answer, 1).await
    }

    /// The answer to exactly this body, once.
    pub(crate) async fn answers_to(&mut self, path: &str, body: &str, answer: impl AsRef<[u8]>) -> Mock {
        self.on(path, Matcher::Exact(body.to_owned()), 200, answer, 1).await
    }

    /// A search finds these numbers, whatever the span.
    pub(crate) async fn finds(&mut self, date: u32, numbers: &[&str]) -> Mock {
        self.on(SEARCH, by_date(date), 200, found(numbers, numbers.len()), 1).await
    }

    /// `getOrder` of exactly these numbers.
    pub(crate) async fn gives(&mut self, numbers: &[&str], rows: &[String]) -> Mock {
        self.on(GET, Matcher::Exact(get_body(numbers)), 200, given(rows), 1).await
    }

    /// All rows of a window.
    pub(crate) async fn fetch(&self, from: &str, to: &str) -> Result<Vec<Row>> {
        let (mut rows, mut cursor): (Vec<Row>, Option<PageCursor>) = (Vec::new(), None);
        let query = OrderQuery::window(Window::new(at(from), at(to)));
        for _ in 0..100 {
            let page = self.channel.orders().fetch(&Context::new(), &query, cursor.as_ref()).await?;
            rows.extend(page.rows);
            assert!(page.next.is_none() || page.next != cursor, "the same cursor twice");
            cursor = page.next;
            if cursor.is_none() {
                return Ok(rows);
            }
        }
        panic!("the window has no end");
    }

    pub(crate) async fn read(&self, orders: &[&Order]) -> Result<Vec<Outcome<Order>>> {
        self.channel.orders().read(&Context::new(), orders).await
    }
}

pub(crate) fn client() -> HttpClient {
    let mut settings = HttpSettings::default();
    settings.max_attempts = 2;
    settings.base_pause = Duration::from_millis(1);
    settings.max_pause = Duration::from_millis(1);
    HttpClient::new(settings).unwrap()
}

pub(crate) fn config(server: &ServerGuard) -> Config {
    Config::new().unwrap().at(server.url().parse().unwrap()).with_calls_per_second(10_000)
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new().with(SERVICE_SECRET, SECRET).with(LICENSE_KEY, KEY)
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
}

pub(crate) fn sample(name: &str) -> String {
    std::fs::read_to_string(format!("tests/samples/rakuten/{name}.response.json")).unwrap()
}

/// The search by a date: 1 ordered, 3 fixed.
pub(crate) fn by_date(date: u32) -> Matcher {
    Matcher::Regex(format!(r#"^\{{"dateType":{date},"#))
}

pub(crate) fn search_body(date: u32, from: &str, to: &str, page: u32) -> String {
    format!(
        r#"{{"dateType":{date},"startDatetime":"{from}+0900","endDatetime":"{to}+0900","orderProgressList":[100,200,300,400,800],"PaginationRequestModel":{{"requestRecordsAmount":1000,"requestPage":{page},"SortModelList":[{{"sortColumn":1,"sortDirection":1}}]}}}}"#
    )
}

pub(crate) fn found(numbers: &[&str], total: usize) -> String {
    if numbers.is_empty() {
        return sample("search_order_none");
    }
    let numbers = serde_json::to_string(numbers).unwrap();
    format!(
        r#"{{"orderNumberList":{numbers},"MessageModelList":[{{"messageType":"INFO","messageCode":"ORDER_EXT_API_SEARCH_ORDER_INFO_101","message":"m"}}],"PaginationResponseModel":{{"totalRecordsAmount":{total},"totalPages":1,"requestPage":1}}}}"#
    )
}

pub(crate) fn get_body(numbers: &[&str]) -> String {
    format!(r#"{{"orderNumberList":{},"version":7}}"#, serde_json::to_string(numbers).unwrap())
}

pub(crate) fn given(rows: &[String]) -> String {
    format!(
        r#"{{"MessageModelList":[{{"messageType":"INFO","messageCode":"ORDER_EXT_API_GET_ORDER_INFO_101","message":"m"}}],"OrderModelList":[{}],"version":7}}"#,
        rows.join(",")
    )
}

/// An order of one package (11) with one line (21) and these shipments.
pub(crate) fn shipped_row(number: &str, progress: u32, shipments: &str) -> String {
    format!(
        r#"{{"orderNumber":"{number}","orderProgress":{progress},"orderDatetime":"2026-11-20T09:12:33+0900","OrdererModel":{{"familyName":"秘密","firstName":"花子","emailAddress":"hanako@example.com"}},"PackageModelList":[{{"basketId":11,"SenderModel":{{"familyName":"秘密","zipCode1":"100","zipCode2":"0001","prefecture":"東京都","city":"千代田区","subAddress":"1-1"}},"ItemModelList":[{{"itemDetailId":21,"manageNumber":"tee","units":2,"price":1000,"SkuModelList":[{{"variantId":"S","merchantDefinedSkuId":"TEE-S"}}]}}],"ShippingModelList":[{shipments}]}}]}}"#
    )
}

pub(crate) fn row(number: &str, progress: u32) -> String {
    shipped_row(number, progress, r#"{"shippingDetailId":100,"shippingNumber":null}"#)
}

/// An order as it is known here, made by the adapter itself.
pub(crate) async fn known(number: &str, progress: u32) -> Order {
    let mut shop = Shop::open().await;
    shop.gives(&[number], &[row(number, progress)]).await;
    let bare = bare(number);
    match shop.read(&[&bare]).await.unwrap().remove(0) {
        Outcome::Done(order) => order,
        outcome => panic!("{outcome:?}"),
    }
}

/// An order of which only the number is known.
pub(crate) fn bare(number: &str) -> Order {
    use sales_channels::model::{Currency, OrderStatus};
    Order::new(OrderId::from(number), OrderStatus::New, Utc::now(), Utc::now(), Currency::JPY)
}

pub(crate) fn message(function: &str, sort: &str, end: &str, fields: &str) -> String {
    format!(
        r#"{{"messageType":"{sort}","messageCode":"ORDER_EXT_API_{function}_{sort}_{end}","message":"メッセージ"{fields}}}"#
    )
}

pub(crate) fn messages(messages: &[String]) -> String {
    format!(r#"{{"MessageModelList":[{}]}}"#, messages.join(","))
}

pub(crate) fn words<T>(outcomes: &[Outcome<T>]) -> Vec<String> {
    outcomes
        .iter()
        .map(|outcome| match outcome {
            Outcome::Done(_) => "done".to_owned(),
            Outcome::AlreadyDone => "already".to_owned(),
            Outcome::Refused(no) => {
                let end = no.code.rsplit('_').next().unwrap_or_default();
                format!("refused {end}{}", if no.temporary { " for now" } else { "" })
            }
            Outcome::NotTried(_) => "not tried".to_owned(),
            Outcome::Unknown(_) => "unknown".to_owned(),
            _ => "?".to_owned(),
        })
        .collect()
}
