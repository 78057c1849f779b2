//! A server that answers as Qoo10 does, and an account that talks to it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use mockito::{Matcher, Mock, ServerGuard};
use sales_channels::adapters::qoo10::{CERTIFICATION_KEY, Config, Qoo10};
use sales_channels::channel::{Channel, Context, Credentials, OrderQuery, Outcome, Row};
use sales_channels::http::{HttpClient, HttpSettings};
use sales_channels::model::{Order, Window};

pub(crate) const KEY: &str = "SAK-very-secret_g_1_";
pub(crate) const PATH: &str = "/GMKT.INC.Front.QAPIService/ebayjapan.qapi";
pub(crate) const OK: &str = r#"{"ResultCode":0,"ResultMsg":"SUCCESS"}"#;
pub(crate) const NONE: &str = r#"{"ResultObject":[],"ResultCode":0,"ResultMsg":"SUCCESS"}"#;

pub(crate) struct Shop {
    pub(crate) server: ServerGuard,
    pub(crate) channel: Qoo10,
}

impl Shop {
    /// Calls are tried twice where they may be.
    pub(crate) async fn open() -> Self {
        let server = mockito::Server::new_async().await;
        let config = config(&server);
        let credentials = Credentials::new().with(CERTIFICATION_KEY, KEY);
        let channel = Qoo10::new(&client(), "shop-1", &credentials, config).unwrap();
        Self { server, channel }
    }

    /// A method's answer, whatever is sent.
    pub(crate) async fn answers(&mut self, method: &str, answer: impl AsRef<[u8]>) -> Mock {
        self.on(method, Matcher::Any, answer, 1).await
    }

    /// A method's answer to exactly this form, `returnType` included by itself.
    pub(crate) async fn answers_to(
        &mut self,
        method: &str,
        fields: &[(&str, &str)],
        answer: impl AsRef<[u8]>,
    ) -> Mock {
        self.on(method, Matcher::Exact(form(fields)), answer, 1).await
    }

    pub(crate) async fn on(
        &mut self,
        method: &str,
        body: Matcher,
        answer: impl AsRef<[u8]>,
        times: usize,
    ) -> Mock {
        self.server
            .mock("POST", format!("{PATH}/{method}").as_str())
            .match_header("giosiscertificationkey", KEY)
            .match_header("content-type", "application/x-www-form-urlencoded; charset=UTF-8")
            .match_header("accept", "application/json")
            .match_header("qapiversion", if method.ends_with("GetItemDetailInfo") { "1.2" } else { "1.0" })
            .match_body(body)
            .with_body(answer)
            .expect(times)
            .create_async()
            .await
    }

    /// Anything but success.
    pub(crate) async fn fails(&mut self, method: &str, status: usize, body: &str, times: usize) -> Mock {
        self.server
            .mock("POST", format!("{PATH}/{method}").as_str())
            .with_status(status)
            .with_body(body)
            .expect(times)
            .create_async()
            .await
    }

    /// No claims and no unpaid orders, for tests about the other rows.
    pub(crate) async fn has_only(&mut self, rows: &str) {
        self.on(SHIPPING, Matcher::Regex("ShippingStatus=1&".into()), NONE, 1).await;
        self.on(SHIPPING, Matcher::Regex("ShippingStatus=&".into()), rows, 1).await;
        self.on(CLAIMS, Matcher::Any, NONE, 4).await;
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
}

pub(crate) const SHIPPING: &str = "ShippingBasic.GetShippingInfo_v3";
pub(crate) const ORDER: &str = "ShippingBasic.GetShippingAndClaimInfoByOrderNo_V2";
pub(crate) const CLAIMS: &str = "ShippingBasic.GetClaimInfo_V3";
pub(crate) const CONFIRM_ONE: &str = "ShippingBasic.SetSellerCheckYN_V2";
pub(crate) const CONFIRM_MANY: &str = "ShippingBasic.SetSellerCheckYNBulk";
pub(crate) const SEND_MANY: &str = "ShippingBasic.SetSendingInfoBulk";
pub(crate) const CANCEL: &str = "Claim.SetCancelProcess";
pub(crate) const ITEMS: &str = "ItemsLookup.GetAllGoodsInfo";
pub(crate) const DETAIL: &str = "ItemsLookup.GetItemDetailInfo";
pub(crate) const INVENTORY: &str = "ItemsLookup.GetGoodsInventoryInfo";
pub(crate) const SET_ITEM: &str = "ItemsOrder.SetGoodsPriceQty";
pub(crate) const SET_ITEMS: &str = "ItemsOrder.SetGoodsPriceQtyBulk";
pub(crate) const SET_OPTION: &str = "ItemsOptions.UpdateInventoryQtyUnit";
pub(crate) const CREATE_KEY: &str = "CertificationAPI.CreateCertificationKey";

pub(crate) fn client() -> HttpClient {
    let mut settings = HttpSettings::default();
    settings.max_attempts = 2;
    settings.base_pause = Duration::from_millis(1);
    settings.max_pause = Duration::from_millis(2);
    HttpClient::new(settings).unwrap()
}

pub(crate) fn config(server: &ServerGuard) -> Config {
    Config::japan().unwrap().at(server.url().parse().unwrap()).with_calls_per_second(10_000)
}

pub(crate) fn sample(name: &str) -> String {
    std::fs::read_to_string(format!("tests/samples/qoo10/{name}.response.json")).unwrap()
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
}

/// Form encoding, written here a second time so that it is not the library's own.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let mut body = "returnType=application%2Fjson".to_owned();
    for (name, value) in fields {
        body.push_str(&format!("&{name}="));
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => {
                    body.push(byte as char)
                }
                b' ' => body.push('+'),
                _ => body.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    body
}

/// A row with a status.
pub(crate) fn row(number: u32, status: &str) -> String {
    format!(
        r#"{{"OrderNo":{number},"ShippingStatus":"{status}","OrderDate":"2026-11-20 09:12:33","PaymentDate":"2026-11-20 09:13:01","ItemNo":"7","OrderQty":1,"Receiver":"山田 花子","Address1":"千代田1-1","ZipCode":"100-0001"}}"#
    )
}

pub(crate) fn rows(rows: &[String]) -> String {
    format!(r#"{{"ResultObject":[{}],"ResultCode":0,"ResultMsg":"SUCCESS"}}"#, rows.join(","))
}

/// An order as it would have been fetched.
pub(crate) fn known(number: &str, status: sales_channels::model::OrderStatus) -> Order {
    let ordered = at("2026-11-20T09:12:33+09:00");
    let mut order = Order::new(number, status, ordered, ordered, sales_channels::model::Currency::JPY);
    let key = sales_channels::model::ListingKey::item("7");
    order.lines = vec![sales_channels::model::Line::new(number, key, 2, status)];
    order
}

/// An outcome in a word.
pub(crate) fn word<T>(outcome: &Outcome<T>) -> String {
    match outcome {
        Outcome::Done(_) => "done".to_owned(),
        Outcome::AlreadyDone => "already".to_owned(),
        Outcome::Refused(no) => format!("refused {}{}", no.code, if no.reread { " reread" } else { "" }),
        Outcome::NotTried(_) => "not tried".to_owned(),
        Outcome::Unknown(_) => "unknown".to_owned(),
        _ => "?".to_owned(),
    }
}

pub(crate) fn words<T>(outcomes: &[Outcome<T>]) -> Vec<String> {
    outcomes.iter().map(word).collect()
}
