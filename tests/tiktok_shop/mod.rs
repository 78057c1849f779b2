//! A server that answers as TikTok Shop does, and an account that talks to it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac as _};
use mockito::{Matcher, Mock, Request, ServerGuard};
use sales_channels::adapters::tiktok_shop::{
    ACCESS_TOKEN, APP_KEY, APP_SECRET, Config, REFRESH_TOKEN, SHOP_CIPHER, TiktokShop,
};
use sales_channels::channel::{
    Channel, Context, CredentialVault, Credentials, DispatchRequest, OrderQuery, Outcome, Row, Tracking,
};
use sales_channels::http::{HttpClient, HttpSettings};
use sales_channels::model::{LineId, Order, Window};

pub(crate) const KEY: &str = "68xu9ks5p4i8";
pub(crate) const SECRET: &str = "e59af819cc-very-secret";
pub(crate) const TOKEN: &str = "TTP_access-very-secret";
pub(crate) const REFRESH: &str = "TTP_refresh-very-secret";
pub(crate) const CIPHER: &str = "GCP_XF90igAAAABh00qsWgtvOiGFNqyubMt3";

pub(crate) const SEARCH: &str = "/order/202309/orders/search";
pub(crate) const DETAIL: &str = "/order/202507/orders";
pub(crate) const PRODUCTS: &str = "/product/202502/products/search";
pub(crate) const INVENTORY: &str = "/product/202309/inventory/search";
pub(crate) const CANCELS: &str = "/return_refund/202309/cancellations/search";
pub(crate) const WEBHOOKS: &str = "/event/202309/webhooks";
pub(crate) const SHOPS: &str = "/authorization/202309/shops";
pub(crate) const OK: &str = r#"{"code":0,"data":{},"message":"Success","request_id":"R1"}"#;

pub(crate) struct Shop {
    pub(crate) server: ServerGuard,
    pub(crate) channel: TiktokShop,
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new()
        .with(APP_KEY, KEY)
        .with(APP_SECRET, SECRET)
        .with(ACCESS_TOKEN, TOKEN)
        .with(REFRESH_TOKEN, REFRESH)
        .with(SHOP_CIPHER, CIPHER)
}

pub(crate) fn client() -> HttpClient {
    let mut settings = HttpSettings::default();
    settings.max_attempts = 2;
    settings.base_pause = Duration::from_millis(1);
    settings.max_pause = Duration::from_millis(2);
    HttpClient::new(settings).unwrap()
}

pub(crate) fn config(server: &ServerGuard) -> Config {
    Config::global().unwrap().at(server.url().parse().unwrap()).with_calls_per_second(10_000)
}

impl Shop {
    /// Calls are tried twice where they may be.
    pub(crate) async fn open() -> Self {
        Self::with(credentials(), None).await
    }

    pub(crate) async fn with(credentials: Credentials, vault: Option<Arc<dyn CredentialVault>>) -> Self {
        let server = mockito::Server::new_async().await;
        let config = config(&server);
        let channel = TiktokShop::with_vault(&client(), "shop-1", &credentials, config, vault).unwrap();
        Self { server, channel }
    }

    /// A call's answer, with these parameters beside the common ones and this body. Requests that are not signed, or
    /// signed wrongly, get no answer.
    pub(crate) async fn on(
        &mut self,
        call: &str,
        query: &[(&str, &str)],
        body: Matcher,
        answer: impl AsRef<[u8]>,
        times: usize,
    ) -> Mock {
        self.mock(call, query, body).with_body(answer).expect(times).create_async().await
    }

    pub(crate) fn mock(&mut self, call: &str, query: &[(&str, &str)], body: Matcher) -> Mock {
        let (method, path) = call.split_once(' ').unwrap();
        let mut expected: BTreeMap<String, String> =
            query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        expected.insert("app_key".to_owned(), KEY.to_owned());
        if path != SHOPS {
            expected.insert("shop_cipher".to_owned(), CIPHER.to_owned());
        }
        self.server
            .mock(method, Matcher::Regex(format!("^{}[?]", regex_of(path))))
            .match_header("content-type", "application/json")
            .match_header("accept", "application/json")
            .match_header("x-tts-access-token", Matcher::Regex("^TTP_".to_owned()))
            .match_body(body)
            .match_request(move |request| is_signed(request, &expected))
    }

    /// Anything but success.
    pub(crate) async fn fails(&mut self, call: &str, status: usize, body: &str, times: usize) -> Mock {
        let (method, path) = call.split_once(' ').unwrap();
        self.server
            .mock(method, Matcher::Regex(format!("^{}[?]", regex_of(path))))
            .with_status(status)
            .with_body(body)
            .expect(times)
            .create_async()
            .await
    }

    /// The answer of the host that gives tokens.
    pub(crate) async fn token(
        &mut self,
        path: &str,
        query: &[(&str, &str)],
        answer: &str,
        times: usize,
    ) -> Mock {
        let query = query.iter().map(|(n, v)| Matcher::UrlEncoded((*n).into(), (*v).into())).collect();
        self.server
            .mock("GET", path)
            .match_query(Matcher::AllOf(query))
            .match_header("x-tts-access-token", Matcher::Missing)
            .with_body(answer)
            .expect(times)
            .create_async()
            .await
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

    /// A package as it is before it is shipped.
    pub(crate) async fn package(&mut self, id: &str, more: &str, times: usize) -> Mock {
        let answer = data(&format!(r#"{{"package_id":"{id}"{more}}}"#));
        self.on(&format!("GET /fulfillment/202309/packages/{id}"), &[], Matcher::Any, answer, times).await
    }

    pub(crate) async fn providers(&mut self, times: usize) -> Mock {
        let answer =
            data(r#"{"shipping_providers":[{"id":"7117","name":"USPS"},{"id":"7118","name":"UPS"}]}"#);
        let path = "GET /logistics/202309/delivery_options/71/shipping_providers";
        self.on(path, &[], Matcher::Any, answer, times).await
    }
}

fn regex_of(path: &str) -> String {
    path.replace('.', "[.]")
}

/// Parameters and signature, worked out here a second time so that they are not the library's own.
fn is_signed(request: &Request, expected: &BTreeMap<String, String>) -> bool {
    let (path, query) = request.path_and_query().split_once('?').unwrap();
    let mut parameters: BTreeMap<String, String> = query.split('&').map(pair).collect();
    let Some(signature) = parameters.remove("sign") else { return false };
    let joined: String = parameters.iter().map(|(name, value)| format!("{name}{value}")).collect();
    let body = request.utf8_lossy_body().unwrap();
    let text = format!("{SECRET}{path}{joined}{body}{SECRET}");
    let fresh = parameters
        .remove("timestamp")
        .and_then(|time| time.parse::<i64>().ok())
        .is_some_and(|time| (Utc::now().timestamp() - time).abs() < 60);
    fresh && parameters == *expected && signature == hmac_hex(SECRET, text.as_bytes())
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

pub(crate) fn sample(name: &str) -> String {
    std::fs::read_to_string(format!("tests/samples/tiktok_shop/{name}.response.json")).unwrap()
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
}

pub(crate) fn json(body: &str) -> Matcher {
    Matcher::Exact(body.to_owned())
}

pub(crate) fn data(data: &str) -> String {
    format!(r#"{{"code":0,"message":"Success","request_id":"R1","data":{data}}}"#)
}

pub(crate) fn code(code: i64) -> String {
    format!(r#"{{"code":{code},"message":"said by the channel","request_id":"R1"}}"#)
}

/// 2026-11-20T09:12:33Z.
pub(crate) const MADE: i64 = 1_795_165_953;

/// A piece of an order.
pub(crate) fn item(id: &str, status: &str, package: &str, more: &str) -> String {
    format!(
        r#"{{"id":"{id}","sku_id":"2001","product_id":"1001","seller_sku":"CAP","product_name":"帽子 🧢","display_status":"{status}","package_id":"{package}","sale_price":"9.50","original_price":"10.00"{more}}}"#
    )
}

/// An order row.
pub(crate) fn row(id: &str, status: &str, items: &[String], more: &str) -> String {
    format!(
        r#"{{"id":"{id}","status":"{status}","create_time":{MADE},"paid_time":{paid},"update_time":{paid},"shipping_type":"SELLER","delivery_option_id":"71","payment":{{"currency":"USD","total_amount":"12.34"}},"recipient_address":{{"name":"山田 花子","region_code":"US","postal_code":"95110","address_line1":"千代田1-1 🌿"}},"line_items":[{items}]{more}}}"#,
        paid = MADE + 60,
        items = items.join(",")
    )
}

pub(crate) fn page(rows: &[String], next: &str) -> String {
    data(&format!(
        r#"{{"next_page_token":"{next}","total_count":{},"orders":[{}]}}"#,
        rows.len(),
        rows.join(",")
    ))
}

/// One order with two pieces in one package.
pub(crate) fn plain(id: &str, status: &str, package: &str) -> String {
    let pieces = ["1", "2"].map(|n| item(&format!("{id}0{n}"), status, package, ""));
    row(id, status, &pieces, "")
}

/// Orders as they are fetched.
pub(crate) async fn fetched(rows: &[String]) -> Vec<Order> {
    let mut shop = Shop::open().await;
    shop.on(&format!("POST {SEARCH}"), SEARCH_QUERY, Matcher::Any, page(rows, ""), 1).await;
    let rows = shop.fetch("2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z").await.unwrap();
    rows.iter().map(|row| row.order().cloned()).collect::<Option<Vec<Order>>>().unwrap()
}

pub(crate) const SEARCH_QUERY: &[(&str, &str)] =
    &[("page_size", "50"), ("sort_field", "create_time"), ("sort_order", "ASC")];

pub(crate) fn parcel<'a>(
    order: &'a Order,
    tracking: Option<&'a Tracking>,
    lines: &'a [(LineId, u32)],
) -> DispatchRequest<'a> {
    let mut request = DispatchRequest::new(order, tracking, at("2026-11-21T00:00:00Z"));
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
            format!("refused {}{again}", no.code).trim_end().to_owned()
        }
        Outcome::NotTried(_) => "not tried".to_owned(),
        Outcome::Unknown(_) => "unknown".to_owned(),
        _ => "?".to_owned(),
    }
}

pub(crate) fn words<T>(outcomes: &[Outcome<T>]) -> Vec<String> {
    outcomes.iter().map(word).collect()
}
