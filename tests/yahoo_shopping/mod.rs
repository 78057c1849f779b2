//! A server that answers as Yahoo! Shopping does, and a store that talks to it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use mockito::{Matcher, Mock, ServerGuard};
use sales_channels::adapters::yahoo_shopping::{
    CLIENT_ID, CLIENT_SECRET, Config, PUBLIC_KEY, PUBLIC_KEY_VERSION, REFRESH_TOKEN, SELLER_ID, YahooShopping,
};
use sales_channels::channel::{Channel, Context, Credentials, OrderQuery, Outcome, Row};
use sales_channels::http::{HttpClient, HttpSettings};
use sales_channels::model::{Order, Window};

pub(crate) const SECRET: &str = "very-secret-of-the-app";
pub(crate) const REFRESH: &str = "very-secret-refresh-token";
/// The access token of the sample.
pub(crate) const TOKEN: &str = "FAKE_ACCESS_TOKEN_0001";
pub(crate) const KEY: &str = include_str!("test_key.pub.pem");
pub(crate) const PRIVATE_KEY: &str = include_str!("test_key.pem");

pub(crate) const LIST: &str = "orderList";
pub(crate) const INFO: &str = "orderInfo";
pub(crate) const CHANGE: &str = "orderChange";
pub(crate) const SHIP: &str = "orderShipStatusChange";
pub(crate) const STATUS: &str = "orderStatusChange";
pub(crate) const GET_STOCK: &str = "getStock";
pub(crate) const SET_STOCK: &str = "setStock";
pub(crate) const CATEGORIES: &str = "stCategoryList";
pub(crate) const ITEMS: &str = "myItemList";
pub(crate) const ITEM: &str = "getItem";

pub(crate) const FROM: &str = "2026-11-20T09:00:00+09:00";
pub(crate) const TO: &str = "2026-11-20T10:00:00+09:00";

pub(crate) struct Shop {
    pub(crate) server: ServerGuard,
    pub(crate) channel: YahooShopping,
}

impl Shop {
    /// A store whose token endpoint gives the sample's token. Calls are tried twice where they may be.
    pub(crate) async fn open() -> Self {
        let mut server = mockito::Server::new_async().await;
        token_mock(&mut server).with_body(sample("token_refresh.response.json")).create_async().await;
        let channel = YahooShopping::new(&client(), "shop-1", &credentials(), config(&server)).unwrap();
        Self { server, channel }
    }

    /// A method's answer to a body, once.
    pub(crate) async fn on(&mut self, method: &str, body: Matcher, answer: impl AsRef<[u8]>) -> Mock {
        self.mock(method, 200, body, answer, 1).await
    }

    /// A method's answer, whatever is sent, once.
    pub(crate) async fn answers(&mut self, method: &str, answer: impl AsRef<[u8]>) -> Mock {
        self.on(method, Matcher::Any, answer).await
    }

    pub(crate) async fn mock(
        &mut self,
        method: &str,
        status: usize,
        body: Matcher,
        answer: impl AsRef<[u8]>,
        times: usize,
    ) -> Mock {
        let kind = if [GET_STOCK, SET_STOCK].contains(&method) {
            "application/x-www-form-urlencoded; charset=UTF-8"
        } else {
            "application/xml; charset=UTF-8"
        };
        self.server
            .mock("POST", path(method).as_str())
            .match_header("authorization", format!("Bearer {TOKEN}").as_str())
            .match_header("content-type", kind)
            .match_header("accept", "application/xml")
            .match_header("x-sws-signature", Matcher::Regex("^[A-Za-z0-9+/]{171}=$".into()))
            .match_header("x-sws-signature-version", "3")
            .match_body(body)
            .with_status(status)
            .with_header("X-SWS-Authorize-Status", "authorized")
            .with_body(answer)
            .expect(times)
            .create_async()
            .await
    }

    /// The answer of a method that takes a query.
    pub(crate) async fn gets(
        &mut self,
        method: &str,
        query: &[(&str, &str)],
        answer: impl AsRef<[u8]>,
    ) -> Mock {
        let query = query.iter().map(|(name, value)| Matcher::UrlEncoded((*name).into(), (*value).into()));
        self.server
            .mock("GET", path(method).as_str())
            .match_header("authorization", format!("Bearer {TOKEN}").as_str())
            .match_query(Matcher::AllOf(query.collect()))
            .with_body(answer)
            .expect(1)
            .create_async()
            .await
    }

    /// The lists of a window that finds nothing but these heads among the orders made in it.
    pub(crate) async fn lists(&mut self, heads: &[String]) {
        self.on(LIST, made(), list(heads, heads.len())).await;
        self.on(LIST, Matcher::Regex("PublicationTimeFrom".into()), NOTHING).await;
        self.on(LIST, Matcher::Regex("<ShipStatus>0,1,2<".into()), NOTHING).await;
    }

    /// An order as `orderInfo` gives it.
    pub(crate) async fn has(&mut self, id: &str, fields: &[(&str, &str)]) -> Mock {
        self.on(INFO, of_order(id), order(id, fields)).await
    }

    pub(crate) async fn fetch(&self, from: &str, to: &str) -> sales_channels::Result<Vec<Row>> {
        let mut rows = Vec::new();
        let mut cursor = None;
        loop {
            let query = OrderQuery::window(Window::new(at(from), at(to)));
            let page = self.channel.orders().fetch(&Context::new(), &query, cursor.as_ref()).await?;
            rows.extend(page.rows);
            cursor = page.next;
            if cursor.is_none() {
                return Ok(rows);
            }
        }
    }

    pub(crate) async fn read(&self, known: &[&Order]) -> sales_channels::Result<Vec<Outcome<Order>>> {
        self.channel.orders().read(&Context::new(), known).await
    }
}

/// The token endpoint, any number of times.
pub(crate) fn token_mock(server: &mut ServerGuard) -> Mock {
    server
        .mock("POST", "/yconnect/v2/token")
        .match_header("authorization", "Basic ZGowMGFpWnBQUTp2ZXJ5LXNlY3JldC1vZi10aGUtYXBw")
        .match_body(format!("grant_type=refresh_token&refresh_token={REFRESH}").as_str())
        .expect_at_least(0)
}

pub(crate) const NOTHING: &str =
    "<Result><Status>OK</Status><Search><TotalCount>0</TotalCount></Search></Result>";

/// The search for orders made in the window.
pub(crate) fn made() -> Matcher {
    Matcher::AllOf(vec![
        Matcher::Regex("<Condition><OrderTimeFrom>20261106090000<".into()),
        Matcher::Regex("<OrderTimeTo>20261120100000<".into()),
    ])
}

pub(crate) fn of_order(id: &str) -> Matcher {
    Matcher::Regex(format!("<OrderId>{id}</OrderId>"))
}

pub(crate) fn path(method: &str) -> String {
    format!("/ShoppingWebService/V1/{method}")
}

pub(crate) fn client() -> HttpClient {
    let mut settings = HttpSettings::default();
    settings.max_attempts = 2;
    settings.base_pause = Duration::from_millis(1);
    settings.max_pause = Duration::from_millis(2);
    HttpClient::new(settings).unwrap()
}

pub(crate) fn config(server: &ServerGuard) -> Config {
    Config::live().unwrap().at(server.url().parse().unwrap()).with_spacing(Duration::ZERO)
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new()
        .with(SELLER_ID, "teststore")
        .with(CLIENT_ID, "dj00aiZpPQ")
        .with(CLIENT_SECRET, SECRET)
        .with(REFRESH_TOKEN, REFRESH)
        .with(PUBLIC_KEY, KEY)
        .with(PUBLIC_KEY_VERSION, "3")
}

pub(crate) fn sample(name: &str) -> String {
    std::fs::read_to_string(format!("tests/samples/yahoo_shopping/{name}")).unwrap()
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
}

/// Elements, one after the other.
fn elements(fields: &[(&str, String)]) -> String {
    fields.iter().map(|(name, value)| format!("<{name}>{value}</{name}>")).collect()
}

fn with(defaults: &[(&'static str, &str)], fields: &[(&str, &str)]) -> Vec<(&'static str, String)> {
    let value = |name: &str, default: &str| {
        fields.iter().find(|(known, _)| *known == name).map_or(default, |(_, value)| value).to_owned()
    };
    defaults.iter().map(|(name, default)| (*name, value(name, default))).collect()
}

/// The head of an order made in the window.
pub(crate) fn head(id: &str, fields: &[(&str, &str)]) -> String {
    let all = with(
        &[
            ("OrderId", id),
            ("ParentOrderId", ""),
            ("OrderTime", "2026-11-20T09:12:33+09:00"),
            ("LastUpdateTime", "2026-11-20T09:13:00+09:00"),
            ("OrderStatus", "2"),
            ("IsSplit", "false"),
            ("PayStatus", "1"),
            ("PayType", "1"),
            ("PayDate", ""),
            ("ShipStatus", "1"),
            ("FraudHoldStatus", ""),
            ("PublicationTime", ""),
        ],
        fields,
    );
    format!("<OrderInfo><Index>1</Index>{}</OrderInfo>", elements(&all))
}

pub(crate) fn list(heads: &[String], total: usize) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Result><Status>OK</Status><Search><TotalCount>{total}</TotalCount>{}</Search></Result>",
        heads.concat()
    )
}

/// An order, paid in the window, of two pieces.
pub(crate) fn order(id: &str, fields: &[(&str, &str)]) -> String {
    let top = with(
        &[
            ("OrderId", id),
            ("ParentOrderId", ""),
            ("ChildOrderId", ""),
            ("IsSeen", "false"),
            ("IsSplit", "false"),
            ("OrderTime", "2026-11-20T09:12:33+09:00"),
            ("LastUpdateTime", "2026-11-20T09:13:00+09:00"),
            ("Suspect", "0"),
            ("OrderStatus", "2"),
            ("CancelReason", ""),
            ("BuyerComments", "<![CDATA[よろしく & 🌿]]>"),
            ("IsReadOnly", "0"),
            ("FraudHoldStatus", ""),
            ("PublicationTime", ""),
        ],
        fields,
    );
    let pay = with(
        &[
            ("PayStatus", "1"),
            ("SettleStatus", "5"),
            ("PayType", "1"),
            ("PayActionTime", "2026-11-20T09:13:00+09:00"),
            ("BillLastName", "<![CDATA[山田]]>"),
            ("BillFirstName", "<![CDATA[花子]]>"),
            ("BillMailAddress", "hanako@example.invalid"),
        ],
        fields,
    );
    let ship = with(
        &[
            ("ShipStatus", "1"),
            ("ShipCompanyCode", ""),
            ("ShipInvoiceNumber1", ""),
            ("ShipInvoiceNumber2", ""),
            ("ShipInvoiceNumberEmptyReason", ""),
            ("ShipLastName", "<![CDATA[山田]]>"),
            ("ShipFirstName", "<![CDATA[花子]]>"),
            ("ShipZipCode", "100-0001"),
            ("ShipPrefecture", "東京都"),
            ("ShipCity", "千代田区"),
            ("ShipAddress1", "<![CDATA[千代田1-1]]>"),
        ],
        fields,
    );
    let item = with(
        &[
            ("LineId", "1"),
            ("ItemId", "item-n77"),
            ("Title", "<![CDATA[オーガニックTシャツ 🌿]]>"),
            ("SubCode", "4201"),
            ("UnitPrice", "1980"),
            ("Quantity", "2"),
        ],
        fields,
    );
    let detail = with(&[("ShipCharge", "500"), ("TotalPrice", "4460")], fields);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ResultSet totalResultsReturned=\"1\"><Result><Status>OK</Status>\
         <OrderInfo>{}<Pay>{}</Pay><Ship>{}</Ship><Item>{}</Item><Detail>{}</Detail></OrderInfo></Result></ResultSet>",
        elements(&top),
        elements(&pay),
        elements(&ship),
        elements(&item),
        elements(&detail)
    )
}

/// An order as it would have been fetched.
pub(crate) fn known(id: &str, fields: &[(&str, &str)]) -> Order {
    let body = order(id, fields);
    match sales_channels::adapters::yahoo_shopping::parse_order(body.as_bytes(), at(TO)).unwrap() {
        Row::Order(order) => *order,
        Row::Unreadable(row) => panic!("{}", row.reason),
    }
}

/// An outcome in a word.
pub(crate) fn word<T>(outcome: &Outcome<T>) -> String {
    match outcome {
        Outcome::Done(_) => "done".to_owned(),
        Outcome::AlreadyDone => "already".to_owned(),
        Outcome::Refused(no) => {
            let later = if no.temporary { "later" } else { "" };
            ["refused", &no.code, later]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(" ")
        }
        Outcome::NotTried(_) => "not tried".to_owned(),
        Outcome::Unknown(_) => "unknown".to_owned(),
        _ => "?".to_owned(),
    }
}

pub(crate) fn words<T>(outcomes: &[Outcome<T>]) -> Vec<String> {
    outcomes.iter().map(word).collect()
}
