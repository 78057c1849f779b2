//! A server that answers as Ecwid does, and an account that talks to it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use mockito::{Matcher, Mock, ServerGuard};
use sales_channels::adapters::ecwid::{ACCESS_TOKEN, CLIENT_SECRET, Config, Ecwid, STORE_ID};
use sales_channels::channel::{Channel, Context, Credentials, OrderQuery, Outcome, PageCursor, Row};
use sales_channels::http::{HttpClient, HttpSettings};
use sales_channels::model::{Currency, Order, Window};
use serde_json::{Value, json};

pub(crate) const TOKEN: &str = "secret_very-secret-token";
pub(crate) const SECRET: &str = "abcde123456789";
pub(crate) const ROOT: &str = "/api/v3/1003";
pub(crate) const UPDATED: &str = "{ \"updateCount\": 1 }";
pub(crate) const FROM: &str = "2024-05-01T05:00:00Z";
pub(crate) const TO: &str = "2024-05-01T06:00:00Z";

pub(crate) struct Shop {
    pub(crate) server: ServerGuard,
    pub(crate) channel: Ecwid,
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new().with(STORE_ID, "1003").with(ACCESS_TOKEN, TOKEN).with(CLIENT_SECRET, SECRET)
}

pub(crate) fn client() -> HttpClient {
    let mut settings = HttpSettings::default();
    settings.max_attempts = 2;
    settings.base_pause = Duration::from_millis(1);
    settings.max_pause = Duration::from_millis(2);
    HttpClient::new(settings).unwrap()
}

/// A configuration that lets the store be asked for its currency and zone.
pub(crate) fn asking(server: &ServerGuard) -> Config {
    Config::new().unwrap().at(server.url().parse().unwrap()).with_calls_per_second(10_000)
}

impl Shop {
    /// Calls are tried twice where they may be; the store's currency and zone are known.
    pub(crate) async fn open() -> Self {
        Self::with(|config| config.with_store(Currency::USD, chrono_tz::America::New_York)).await
    }

    pub(crate) async fn with(change: impl FnOnce(Config) -> Config) -> Self {
        let server = mockito::Server::new_async().await;
        let config = change(asking(&server));
        let channel = Ecwid::new(&client(), "shop-1", &credentials(), config).unwrap();
        Self { server, channel }
    }

    /// An answer to `METHOD /path` below the store, with exactly these parameters.
    pub(crate) async fn on(
        &mut self,
        call: &str,
        query: &[(&str, &str)],
        answer: impl AsRef<[u8]>,
        times: usize,
    ) -> Mock {
        self.mock(call, query).with_body(answer).expect(times).create_async().await
    }

    pub(crate) fn mock(&mut self, call: &str, query: &[(&str, &str)]) -> Mock {
        let (method, path) = call.split_once(' ').unwrap();
        let mut expected: Vec<(String, String)> =
            query.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        expected.sort();
        let path = format!("^{}([?]|$)", regex_of(&format!("{ROOT}{path}")));
        self.server
            .mock(method, Matcher::Regex(path))
            .match_header("authorization", format!("Bearer {TOKEN}").as_str())
            .match_header("accept", "application/json")
            .match_request(move |request| {
                let told = request.path_and_query().split_once('?').map_or("", |(_, query)| query);
                let mut sent: Vec<(String, String)> =
                    url::form_urlencoded::parse(told.as_bytes()).into_owned().collect();
                sent.sort();
                // No secret in the address: such a request gets no answer.
                sent == expected && !told.contains("secret")
            })
    }

    /// A read of one order.
    pub(crate) async fn shows(&mut self, order: &Value, times: usize) -> Mock {
        let id = order["id"].as_str().unwrap().to_owned();
        self.on(&format!("GET /orders/{id}"), &[], order.to_string(), times).await
    }

    /// A write of exactly this body to one order.
    pub(crate) async fn takes(&mut self, id: &str, body: &str, answer: &str, times: usize) -> Mock {
        self.mock(&format!("PUT /orders/{id}"), &[])
            .match_header("content-type", "application/json")
            .match_body(body)
            .with_body(answer)
            .expect(times)
            .create_async()
            .await
    }

    /// No write of any kind.
    pub(crate) async fn takes_none(&mut self) -> Mock {
        self.server.mock("PUT", Matcher::Any).expect(0).create_async().await
    }

    pub(crate) async fn fetch_page(
        &self,
        cursor: Option<&PageCursor>,
    ) -> sales_channels::Result<sales_channels::channel::OrderPage> {
        self.channel.orders().fetch(&Context::new(), &window(), cursor).await
    }

    pub(crate) async fn fetch(&self) -> sales_channels::Result<Vec<Row>> {
        let (mut rows, mut cursor) = (Vec::new(), None);
        loop {
            let page = self.fetch_page(cursor.as_ref()).await?;
            rows.extend(page.rows);
            cursor = page.next;
            if cursor.is_none() {
                return Ok(rows);
            }
        }
    }
}

/// A text as a pattern that fits only itself.
fn regex_of(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '/' { c.to_string() } else { format!("[{c}]") })
        .collect()
}

pub(crate) fn window() -> OrderQuery {
    OrderQuery::window(Window::new(at(FROM), at(TO)))
}

/// The parameters of a page of the window.
pub(crate) fn page_query(offset: &'static str) -> [(&'static str, &'static str); 4] {
    [("updatedFrom", "1714539599"), ("createdTo", "1714543201"), ("offset", offset), ("limit", "100")]
}

pub(crate) fn sample(name: &str) -> String {
    std::fs::read_to_string(format!("tests/samples/ecwid/{name}")).unwrap()
}

/// The order of the samples.
pub(crate) fn order() -> Value {
    serde_json::from_str(&sample("order.response.json")).unwrap()
}

pub(crate) fn order_with(change: impl FnOnce(&mut Value)) -> Value {
    let mut order = order();
    change(&mut order);
    order
}

/// An order of another id.
pub(crate) fn numbered(n: usize) -> Value {
    order_with(|order| {
        order["id"] = json!(format!("N{n:04}"));
        order["internalId"] = json!(900_000 + n);
    })
}

pub(crate) fn page(rows: &[Value], offset: usize, total: usize) -> String {
    json!({"total": total, "count": rows.len(), "offset": offset, "limit": 100, "items": rows}).to_string()
}

/// An order as the adapter reads it, without a server.
pub(crate) async fn read_of(row: &Value) -> Order {
    let mut shop = Shop::open().await;
    shop.on("GET /orders", &page_query("0"), page(std::slice::from_ref(row), 0, 1), 1).await;
    match shop.fetch().await.unwrap().remove(0) {
        Row::Order(order) => *order,
        Row::Unreadable(row) => panic!("{row:?}"),
    }
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
}

/// One word for an outcome, with the code of a refusal.
pub(crate) fn word<T>(outcome: &Outcome<T>) -> String {
    match outcome {
        Outcome::Done(_) => "done".to_owned(),
        Outcome::AlreadyDone => "already".to_owned(),
        Outcome::Refused(refusal) => {
            let again = if refusal.temporary { ", for now" } else { "" };
            format!("refused {}{again}", refusal.code)
        }
        Outcome::NotTried(error) => format!("not tried: {:?}", error.kind()),
        Outcome::Unknown(error) => format!("unknown: {:?}", error.kind()),
        _ => "another".to_owned(),
    }
}
