//! A server that answers as Lazada does, and an account that talks to it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac as _};
use mockito::{Matcher, Mock, Request, ServerGuard};
use sales_channels::adapters::lazada::{
    ACCESS_TOKEN, APP_KEY, APP_SECRET, Config, Lazada, MARKET, Market, REFRESH_TOKEN,
};
use sales_channels::channel::{
    Channel, Context, CredentialVault, Credentials, DispatchRequest, OrderQuery, Outcome, Row,
};
use sales_channels::http::{HttpClient, HttpSettings};
use sales_channels::model::{LineId, Order, Window};
use serde_json::{Value, json};

pub(crate) const KEY: &str = "100132";
pub(crate) const SECRET: &str = "helloworld-very-secret";
pub(crate) const TOKEN: &str = "50000601c30-access-very-secret";
pub(crate) const REFRESH: &str = "500016000300-refresh-very-secret";

pub(crate) const ORDERS: &str = "GET /orders/get";
pub(crate) const ORDER: &str = "GET /order/get";
pub(crate) const ITEMS: &str = "GET /orders/items/get";
pub(crate) const ITEMS_OF: &str = "GET /order/items/get";
pub(crate) const REVERSES: &str = "GET /reverse/getreverseordersforseller";
pub(crate) const PROVIDERS: &str = "POST /order/shipment/providers/get";
pub(crate) const PACK: &str = "POST /order/fulfill/pack";
pub(crate) const RTS: &str = "POST /order/package/rts";
pub(crate) const LABEL: &str = "POST /order/package/document/get";
pub(crate) const PRODUCT: &str = "GET /product/item/get";
pub(crate) const PRODUCTS: &str = "GET /products/get";
pub(crate) const STOCK: &str = "POST /product/stock/sellable/update";
pub(crate) const DECIDE: &str = "GET /order/reverse/cancel/seller/decide";
pub(crate) const VALIDATE: &str = "GET /order/reverse/cancel/validate";
pub(crate) const CANCEL: &str = "GET /order/reverse/cancel/create";
pub(crate) const SELLER: &str = "GET /seller/get";
pub(crate) const REFRESHES: &str = "POST /auth/token/refresh";

pub(crate) struct Shop {
    pub(crate) server: ServerGuard,
    pub(crate) channel: Lazada,
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new()
        .with(APP_KEY, KEY)
        .with(APP_SECRET, SECRET)
        .with(ACCESS_TOKEN, TOKEN)
        .with(REFRESH_TOKEN, REFRESH)
        .with(MARKET, "sg")
}

pub(crate) fn client() -> HttpClient {
    let mut settings = HttpSettings::default();
    settings.max_attempts = 2;
    settings.base_pause = Duration::from_millis(1);
    settings.max_pause = Duration::from_millis(2);
    HttpClient::new(settings).unwrap()
}

pub(crate) fn config(server: &ServerGuard) -> Config {
    Config::of(Market::Singapore).unwrap().at(server.url().parse().unwrap()).with_calls_per_second(10_000)
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::with(credentials(), None).await
    }

    pub(crate) async fn with(credentials: Credentials, vault: Option<Arc<dyn CredentialVault>>) -> Self {
        let server = mockito::Server::new_async().await;
        let config = config(&server);
        let channel = Lazada::with_vault(&client(), "shop-1", &credentials, config, vault).unwrap();
        Self { server, channel }
    }

    /// A call's answer where it comes with exactly these parameters beside the system's. Requests that are not signed,
    /// or signed wrongly, get no answer.
    pub(crate) async fn on(
        &mut self,
        call: &str,
        parameters: &[(&str, &str)],
        answer: impl AsRef<[u8]>,
        times: usize,
    ) -> Mock {
        let expected = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.mock(call, Some(expected.collect())).with_body(answer).expect(times).create_async().await
    }

    /// A call's answer, whatever its parameters.
    pub(crate) async fn any(&mut self, call: &str, answer: impl AsRef<[u8]>, times: usize) -> Mock {
        self.mock(call, None).with_body(answer).expect(times).create_async().await
    }

    fn mock(&mut self, call: &str, expected: Option<BTreeMap<String, String>>) -> Mock {
        let (method, path) = call.split_once(' ').unwrap();
        let (post, path) = (method == "POST", path.to_owned());
        self.server
            .mock(method, Matcher::Regex(format!("^/rest{path}([?]|$)")))
            .match_header("accept", "application/json")
            .match_request(move |request| is_signed(request, &path, post, expected.as_ref()))
    }

    /// Anything but success.
    pub(crate) async fn fails(&mut self, call: &str, status: usize, body: &str, times: usize) -> Mock {
        let (method, path) = call.split_once(' ').unwrap();
        self.server
            .mock(method, Matcher::Regex(format!("^/rest{path}([?]|$)")))
            .with_status(status)
            .with_body(body)
            .expect(times)
            .create_async()
            .await
    }

    /// No cancel request, whatever is asked.
    pub(crate) async fn no_reverses(&mut self) -> Mock {
        self.mock(REVERSES, None).with_body(reverses(&[])).expect_at_least(0).create_async().await
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

/// Parameters and signature, worked out here a second time so that they are not the library's own.
fn is_signed(request: &Request, path: &str, post: bool, expected: Option<&BTreeMap<String, String>>) -> bool {
    let body = request.utf8_lossy_body().unwrap();
    let text = if post {
        // Nothing of a POST is in the address.
        if request.path_and_query().contains('?') {
            return false;
        }
        body.as_ref()
    } else {
        request.path_and_query().split_once('?').unwrap().1
    };
    let mut parameters: BTreeMap<String, String> = text.split('&').map(pair).collect();
    let Some(signature) = parameters.remove("sign") else { return false };
    let joined: String = parameters.iter().map(|(name, value)| format!("{name}{value}")).collect();
    let signed = signature == hmac_hex(SECRET, format!("{path}{joined}").as_bytes()).to_uppercase();
    let fresh = parameters
        .remove("timestamp")
        .and_then(|time| time.parse::<i64>().ok())
        .is_some_and(|time| (Utc::now().timestamp_millis() - time).abs() < 60_000);
    let system = parameters.remove("app_key").as_deref() == Some(KEY)
        && parameters.remove("sign_method").as_deref() == Some("sha256")
        && parameters.remove("access_token").is_some() != path.starts_with("/auth/");
    signed && fresh && system && expected.is_none_or(|expected| parameters == *expected)
}

pub(crate) fn hmac_hex(key: &str, text: &[u8]) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn pair(text: &str) -> (String, String) {
    let (name, value) = text.split_once('=').unwrap();
    (decoded(name), decoded(value))
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut n = 0;
    while n < bytes.len() {
        match bytes[n] {
            b'%' => {
                out.push(u8::from_str_radix(&text[n + 1..n + 3], 16).unwrap());
                n += 2;
            }
            b'+' => out.push(b' '),
            byte => out.push(byte),
        }
        n += 1;
    }
    String::from_utf8(out).unwrap()
}

/// An official answer with the envelope's code, which the documents leave out. Lists stay the single objects that they
/// are shown as.
pub(crate) fn sample(name: &str) -> String {
    let text = std::fs::read_to_string(format!("tests/samples/lazada/{name}.response.json")).unwrap();
    let mut value: Value = serde_json::from_str(&text).unwrap();
    value["code"] = json!("0");
    value["request_id"] = json!("R1");
    value.to_string()
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
}

pub(crate) fn data(data: &str) -> String {
    format!(r#"{{"code":"0","request_id":"R1","data":{data}}}"#)
}

pub(crate) fn result(data: &str) -> String {
    format!(r#"{{"code":"0","request_id":"R1","result":{{"success":true,"data":{data}}}}}"#)
}

pub(crate) fn failed(code: &str) -> String {
    format!(r#"{{"code":"{code}","type":"ISP","message":"said by the channel","request_id":"R1"}}"#)
}

/// What the newer calls answer when all of it failed.
pub(crate) fn unsuccessful(code: &str) -> String {
    format!(
        r#"{{"code":"0","result":{{"success":false,"error_code":"{code}","error_msg":"said by the channel"}}}}"#
    )
}

pub(crate) const MADE: &str = "2026-11-20 17:12:33 +0800";

/// A piece of an order.
pub(crate) fn item(order: &str, id: &str, status: &str, package: &str, more: &str) -> String {
    let (tracking, provider) = if package.is_empty() { ("", "") } else { ("LEX1", "LEX SG") };
    format!(
        r#"{{"order_id":{order},"order_item_id":{id},"product_id":"1001","sku_id":"2001","shop_sku":"1001_SGAMZ-2001","sku":"CAP","name":"帽子 🧢","variation":"red","status":"{status}","item_price":10.00,"paid_price":"9.50","voucher_amount":0.5,"currency":"SGD","package_id":"{package}","tracking_code":"{tracking}","shipment_provider":"{provider}","warehouse_code":"dropshipping","updated_at":"{MADE}"{more}}}"#
    )
}

pub(crate) fn row(id: &str, made: &str, more: &str) -> String {
    format!(
        r#"{{"order_id":{id},"order_number":{id},"created_at":"{made}","updated_at":"{made}","customer_first_name":"Ha Hùng","shipping_fee":"1.50","buyer_note":"red 🌿","address_shipping":{{"first_name":"山田","last_name":"花子","phone":"6****67","address1":"千代田1-1 🌿","address3":"Central","city":"Singapore","post_code":"247979","country":"Singapore"}}{more}}}"#
    )
}

pub(crate) fn page(rows: &[String], total: usize) -> String {
    data(&format!(r#"{{"count":{},"countTotal":{total},"orders":[{}]}}"#, rows.len(), rows.join(",")))
}

/// The items of several orders.
pub(crate) fn items(orders: &[(&str, &[String])]) -> String {
    let rows: Vec<String> = orders
        .iter()
        .map(|(id, items)| {
            format!(r#"{{"order_id":{id},"order_number":{id},"order_items":[{}]}}"#, items.join(","))
        })
        .collect();
    data(&format!("[{}]", rows.join(",")))
}

/// The two pieces of an order.
pub(crate) fn two(id: &str, status: &str, package: &str) -> [String; 2] {
    ["1", "2"].map(|n| item(id, &format!("{id}0{n}"), status, package, ""))
}

/// Cancel requests.
pub(crate) fn reverses(rows: &[String]) -> String {
    format!(
        r#"{{"code":"0","result":{{"success":true,"page_no":1,"page_size":50,"total":{},"items":[{}]}}}}"#,
        rows.len(),
        rows.join(",")
    )
}

pub(crate) fn reverse(id: &str, order: &str, items: &[&str], status: &str) -> String {
    let lines: Vec<String> = items
        .iter()
        .map(|item| {
            format!(
                r#"{{"trade_order_line_id":{item},"reverse_status":"{status}","reason_text":"Change of mind","return_order_line_gmt_create":1795165953000}}"#
            )
        })
        .collect();
    format!(
        r#"{{"reverse_order_id":{id},"trade_order_id":{order},"request_type":"CANCEL","reverse_order_lines":[{}]}}"#,
        lines.join(",")
    )
}

/// Orders as they are fetched.
pub(crate) async fn fetched(orders: &[(&str, &[String])]) -> Vec<Order> {
    let mut shop = Shop::open().await;
    let rows: Vec<String> = orders.iter().map(|(id, _)| row(id, MADE, "")).collect();
    shop.any(ORDERS, page(&rows, rows.len()), 1).await;
    shop.any(ITEMS, items(orders), 1).await;
    let _none = shop.no_reverses().await;
    let rows = shop.fetch("2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z").await.unwrap();
    rows.iter().map(|row| row.order().cloned()).collect::<Option<Vec<Order>>>().unwrap()
}

pub(crate) fn parcel<'a>(order: &'a Order, lines: &'a [(LineId, u32)]) -> DispatchRequest<'a> {
    let mut request = DispatchRequest::new(order, None, at("2026-11-21T00:00:00Z"));
    request.lines = lines;
    request
}

/// An outcome in a word.
pub(crate) fn word<T>(outcome: &Outcome<T>) -> String {
    match outcome {
        Outcome::Done(_) => "done".to_owned(),
        Outcome::AlreadyDone => "already".to_owned(),
        Outcome::Refused(no) => {
            let again = if no.temporary { " temporary" } else { "" };
            format!("refused {}{again}", no.code).replace("  ", " ").trim_end().to_owned()
        }
        Outcome::NotTried(_) => "not tried".to_owned(),
        Outcome::Unknown(_) => "unknown".to_owned(),
        _ => "?".to_owned(),
    }
}

pub(crate) fn words<T>(outcomes: &[Outcome<T>]) -> Vec<String> {
    outcomes.iter().map(word).collect()
}
