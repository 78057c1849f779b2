//! A server that answers as Coupang does, and an account that talks to it.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use mockito::{Matcher, Mock, Request, ServerGuard};
use sales_channels::adapters::coupang::{
    ACCESS_KEY, Config, Coupang, SECRET_KEY, VENDOR_ID, WING_USER_ID, parse_orders,
};
use sales_channels::channel::{Channel, Context, Credentials, OrderQuery, Outcome, PageCursor, Row};
use sales_channels::http::{HttpClient, HttpSettings};
use sales_channels::model::{ManualClock, Order, Window};
use serde_json::{Value, json};
use sha2::Sha256;

pub(crate) const ACCESS: &str = "access-key-very-secret";
pub(crate) const SECRET: &str = "secret-key-very-secret";
pub(crate) const VENDOR: &str = "A00012345";
pub(crate) const API: &str = "/v2/providers/openapi/apis/api";
pub(crate) const STOCK: &str = "/v2/providers/seller_api/apis/api/v1/marketplace";
pub(crate) const EMPTY: &str = r#"{"code":200,"message":"OK","data":[],"nextToken":""}"#;
pub(crate) const BOX: &str = "642538970006401429";

/// The searches for cancel and return requests.
pub(crate) const STATUSES: [&str; 5] = ["RU", "UC", "PR", "CC", "CANCEL"];

pub(crate) struct Shop {
    pub(crate) server: ServerGuard,
    pub(crate) channel: Coupang,
}

impl Shop {
    /// It is 2026-11-03, 12:00 in Seoul. Calls are tried twice where they may be.
    pub(crate) async fn open() -> Self {
        Self::of(Config::korea().unwrap()).await
    }

    pub(crate) async fn of(config: Config) -> Self {
        let server = mockito::Server::new_async().await;
        let channel = Coupang::new(&client(), "shop-1", &credentials(), at_server(config, &server)).unwrap();
        Self { server, channel }
    }

    /// Answers a call to exactly this path and query, with the headers of the sheet and a signature that fits.
    pub(crate) async fn on(&mut self, method: &str, path: &str, answer: impl AsRef<[u8]>) -> Mock {
        self.mock(method, path).with_body(answer).create_async().await
    }

    /// The same with this JSON body.
    pub(crate) async fn on_json(
        &mut self,
        method: &str,
        path: &str,
        body: Value,
        answer: impl AsRef<[u8]>,
    ) -> Mock {
        self.mock(method, path).match_body(Matcher::Json(body)).with_body(answer).create_async().await
    }

    pub(crate) async fn fails(
        &mut self,
        method: &str,
        path: &str,
        status: usize,
        body: &str,
        times: usize,
    ) -> Mock {
        self.mock(method, path).with_status(status).with_body(body).expect(times).create_async().await
    }

    /// A confirmation with this body.
    pub(crate) async fn mock_json(&mut self, path: &str, body: Value, status: usize, answer: &str) {
        let mock = self.mock("PUT", path).match_body(Matcher::Json(body));
        mock.with_status(status).with_body(answer).create_async().await;
    }

    fn mock(&mut self, method: &str, path: &str) -> Mock {
        self.server
            .mock(method, path)
            .match_header("content-type", "application/json;charset=UTF-8")
            .match_header("x-requested-by", VENDOR)
            .match_header("x-market", "KR")
            .match_header("x-extended-timeout", "90000")
            .match_request(is_signed)
            .expect(1)
    }

    /// No cancel or return requests since 2 November, asked for this often.
    pub(crate) async fn no_receipts(&mut self, times: usize) {
        for status in STATUSES {
            let path = receipts_path(status, "2026-11-02", "2026-11-03");
            self.mock("GET", &path).with_body(EMPTY).expect(times).create_async().await;
        }
    }

    /// These receipts in one search, and none in the others.
    pub(crate) async fn receipts(&mut self, status: &str, answer: &str) -> Vec<Mock> {
        let mut mocks = Vec::new();
        for other in STATUSES {
            let path = receipts_path(other, "2026-11-02", "2026-11-03");
            mocks.push(self.on("GET", &path, if other == status { answer } else { EMPTY }).await);
        }
        mocks
    }

    pub(crate) async fn fetch(&self, from: &str, to: &str) -> sales_channels::Result<Vec<Row>> {
        let (mut rows, mut cursor) = (Vec::new(), None);
        loop {
            let page = self.page(from, to, cursor.as_ref()).await?;
            rows.extend(page.rows);
            cursor = page.next;
            if cursor.is_none() {
                return Ok(rows);
            }
        }
    }

    pub(crate) async fn page(
        &self,
        from: &str,
        to: &str,
        cursor: Option<&PageCursor>,
    ) -> sales_channels::Result<sales_channels::channel::OrderPage> {
        let query = OrderQuery::window(Window::new(at(from), at(to)));
        self.channel.orders().fetch(&Context::new(), &query, cursor).await
    }

    pub(crate) async fn read(&self, known: &Order) -> Outcome<Order> {
        match self.channel.orders().read(&Context::new(), &[known]).await {
            Ok(mut outcomes) => outcomes.remove(0),
            Err(error) => Outcome::from_error(&error),
        }
    }
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new()
        .with(ACCESS_KEY, ACCESS)
        .with(SECRET_KEY, SECRET)
        .with(VENDOR_ID, VENDOR)
        .with(WING_USER_ID, "wing_login")
}

pub(crate) fn client() -> HttpClient {
    let mut settings = HttpSettings::default();
    settings.max_attempts = 2;
    settings.base_pause = Duration::from_millis(1);
    settings.max_pause = Duration::from_millis(2);
    let clock = ManualClock::at(at("2026-11-03T12:00:00+09:00"));
    HttpClient::new(settings).unwrap().with_clock(Arc::new(clock))
}

pub(crate) fn at_server(config: Config, server: &ServerGuard) -> Config {
    config.at(server.url().parse().unwrap()).with_calls_per_second(10_000)
}

/// Whether the signature fits the request as it came: computed here a second time, over what is on the wire.
pub(crate) fn is_signed(request: &Request) -> bool {
    let header = request.header("authorization");
    let Some(text) = header.first().and_then(|value| value.to_str().ok()) else { return false };
    let part = |name: &str| {
        let rest = text.split(&format!("{name}=")).nth(1).unwrap_or_default();
        rest.split(", ").next().unwrap_or_default().to_owned()
    };
    let path_and_query = request.path_and_query();
    let message =
        format!("{}{}{}", part("signed-date"), request.method(), path_and_query.replacen('?', "", 1));
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    let mut wanted = String::new();
    for byte in mac.finalize().into_bytes() {
        write!(wanted, "{byte:02x}").unwrap();
    }
    text.starts_with("CEA algorithm=HmacSHA256, access-key=")
        && part("access-key") == ACCESS
        && part("signed-date") == "261103T030000Z"
        && part("signature") == wanted
}

pub(crate) fn boxes_path(status: &str, from: &str, to: &str, token: &str) -> String {
    let token = if token.is_empty() { String::new() } else { format!("&nextToken={token}") };
    format!(
        "{API}/v5/vendors/{VENDOR}/ordersheets?createdAtFrom={from}%2B09:00&createdAtTo={to}%2B09:00&maxPerPage=50&status={status}{token}"
    )
}

pub(crate) fn box_path(id: &str) -> String {
    format!("{API}/v5/vendors/{VENDOR}/ordersheets/{id}")
}

pub(crate) fn order_path(id: &str) -> String {
    format!("{API}/v5/vendors/{VENDOR}/{id}/ordersheets")
}

/// A page of receipts by status; `CANCEL` asks for those that were cancelled while paid.
pub(crate) fn receipts_path(status: &str, from: &str, to: &str) -> String {
    let search = if status == "CANCEL" { "cancelType=CANCEL".to_owned() } else { format!("status={status}") };
    format!(
        "{API}/v6/vendors/{VENDOR}/returnRequests?createdAtFrom={from}&createdAtTo={to}&{search}&maxPerPage=50"
    )
}

pub(crate) fn acknowledge_path() -> String {
    format!("{API}/v4/vendors/{VENDOR}/ordersheets/acknowledgement")
}

pub(crate) fn invoices_path() -> String {
    format!("{API}/v4/vendors/{VENDOR}/orders/invoices")
}

pub(crate) fn sample(name: &str) -> String {
    std::fs::read_to_string(format!("tests/samples/coupang/{name}.json")).unwrap()
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
}

/// A box of order 500 with two options, two pieces of the first and one of the second.
pub(crate) fn boxed(id: &str, status: &str) -> Value {
    let item = |option: u64, pieces: u32| {
        json!({"vendorItemId": option, "sellerProductId": 7, "sellerProductName": "잡지", "shippingCount": pieces,
            "cancelCount": 0, "holdCountForCancel": 0, "canceled": false, "estimatedShippingDate": "2026-11-04",
            "externalVendorSkuCode": format!("S-{option}")})
    };
    json!({"shipmentBoxId": id.parse::<u64>().unwrap(), "orderId": 500, "orderedAt": "2026-11-02T10:20:16.973885+09:00",
        "paidAt": "2026-11-02T10:20:41.12+09:00", "status": status, "orderItems": [item(11, 2), item(12, 1)],
        "ableSplitShipping": true, "splitShipping": false, "parcelPrintMessage": "문 앞 🌿",
        "receiver": {"name": "김가나", "addr1": "서울시 가짜동", "addr2": "1호", "postCode": "05500"}})
}

/// A box with other fields over it.
pub(crate) fn with(mut value: Value, fields: Value) -> Value {
    value.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    value
}

pub(crate) fn answer(boxes: &[Value]) -> String {
    json!({"code": 200, "message": "OK", "data": boxes, "nextToken": ""}).to_string()
}

pub(crate) fn single(value: &Value) -> String {
    json!({"code": "200", "message": "OK", "data": value}).to_string()
}

/// An order as it was fetched.
pub(crate) fn known(id: &str, status: &str) -> Order {
    known_as(&boxed(id, status))
}

pub(crate) fn known_as(value: &Value) -> Order {
    let fetched_at = at("2026-11-02T11:00:00+09:00");
    let rows =
        parse_orders(answer(std::slice::from_ref(value)).as_bytes(), &Config::korea().unwrap(), fetched_at);
    rows.unwrap()[0].order().unwrap().clone()
}

/// An outcome in a word.
pub(crate) fn word<T>(outcome: &Outcome<T>) -> String {
    match outcome {
        Outcome::Done(_) => "done".to_owned(),
        Outcome::AlreadyDone => "already".to_owned(),
        Outcome::Refused(no) => format!(
            "refused {}{}{}",
            no.code,
            if no.temporary { " temporary" } else { "" },
            if no.reread { " reread" } else { "" }
        ),
        Outcome::NotTried(_) => "not tried".to_owned(),
        Outcome::Unknown(_) => "unknown".to_owned(),
        _ => "?".to_owned(),
    }
}

pub(crate) fn words<T>(outcomes: &[Outcome<T>]) -> Vec<String> {
    outcomes.iter().map(word).collect()
}
