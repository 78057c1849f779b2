//! A server that answers as Shopee does, and an account that talks to it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac as _};
use mockito::{Matcher, Mock, Request, ServerGuard};
use sales_channels::adapters::shopee::{
    ACCESS_TOKEN, Config, PARTNER_ID, PARTNER_KEY, REFRESH_TOKEN, SHOP_ID, Shopee,
};
use sales_channels::channel::{
    Channel, Context, CredentialVault, Credentials, DispatchRequest, HandOver, OrderQuery, Outcome, Row,
    Tracking,
};
use sales_channels::http::{HttpClient, HttpSettings};
use sales_channels::model::{LineId, ManualClock, Order, Window};

pub(crate) const PARTNER: &str = "2001887";
pub(crate) const KEY: &str = "shpk-partner-key-very-secret";
pub(crate) const SHOP: &str = "322300222";
pub(crate) const TOKEN: &str = "access-token-very-secret";
pub(crate) const REFRESH: &str = "refresh-token-very-secret";

pub(crate) const LIST: &str = "GET /api/v2/order/get_order_list";
pub(crate) const DETAIL: &str = "GET /api/v2/order/get_order_detail";
pub(crate) const PACKAGE: &str = "GET /api/v2/order/get_package_detail";
pub(crate) const PARAMETER: &str = "GET /api/v2/logistics/get_shipping_parameter";
pub(crate) const SHIP: &str = "POST /api/v2/logistics/ship_order";
pub(crate) const NUMBER: &str = "GET /api/v2/logistics/get_tracking_number";
pub(crate) const SPLIT: &str = "POST /api/v2/order/split_order";
pub(crate) const STOCK: &str = "POST /api/v2/product/update_stock";
pub(crate) const WAREHOUSES: &str = "GET /api/v2/shop/get_warehouse_detail";
pub(crate) const ITEMS: &str = "GET /api/v2/product/get_item_list";
pub(crate) const INFO: &str = "GET /api/v2/product/get_item_base_info";
pub(crate) const MODELS: &str = "GET /api/v2/product/get_model_list";
pub(crate) const DECIDE: &str = "POST /api/v2/order/handle_buyer_cancellation";
pub(crate) const CANCEL: &str = "POST /api/v2/order/cancel_order";
pub(crate) const SHOP_INFO: &str = "GET /api/v2/shop/get_shop_info";
pub(crate) const REFRESHING: &str = "POST /api/v2/auth/access_token/get";

pub(crate) const OK: &str = r#"{"error":"","message":"","request_id":"r1"}"#;
pub(crate) const FIELDS: &str = "buyer_user_id,buyer_username,estimated_shipping_fee,recipient_address,actual_shipping_fee,goods_to_declare,note,note_update_time,item_list,pay_time,dropshipper,dropshipper_phone,split_up,buyer_cancel_reason,cancel_by,cancel_reason,actual_shipping_fee_confirmed,buyer_cpf_id,fulfillment_flag,pickup_done_time,package_list,shipping_carrier,payment_method,total_amount,invoice_data,order_chargeable_weight_gram,return_request_due_date,edt,payment_info,advance_package";

pub(crate) const NOW: &str = "2026-11-20T10:00:00Z";
/// 2026-11-20T09:30:00Z, inside the window of the tests.
pub(crate) const MADE: i64 = 1_795_167_000;

pub(crate) struct Shop {
    pub(crate) server: ServerGuard,
    pub(crate) channel: Shopee,
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new()
        .with(PARTNER_ID, PARTNER)
        .with(PARTNER_KEY, KEY)
        .with(SHOP_ID, SHOP)
        .with(ACCESS_TOKEN, TOKEN)
        .with(REFRESH_TOKEN, REFRESH)
}

pub(crate) fn client_at(now: &str) -> HttpClient {
    let mut settings = HttpSettings::default();
    settings.max_attempts = 2;
    settings.base_pause = Duration::from_millis(1);
    settings.max_pause = Duration::from_millis(2);
    HttpClient::new(settings).unwrap().with_clock(Arc::new(ManualClock::at(at(now))))
}

pub(crate) fn client() -> HttpClient {
    client_at(NOW)
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
        let channel = Shopee::with_vault(&client(), "shop-1", &credentials, config, vault).unwrap();
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
        self.mock_as(call, query, body, Some(TOKEN))
    }

    /// With this token; `None`: the call is signed by the app alone.
    pub(crate) fn mock_as(
        &mut self,
        call: &str,
        query: &[(&str, &str)],
        body: Matcher,
        token: Option<&str>,
    ) -> Mock {
        let (method, path) = call.split_once(' ').unwrap();
        let mut expected: Vec<(String, String)> =
            query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        expected.sort();
        let token = token.map(str::to_owned);
        let mock = self
            .server
            .mock(method, Matcher::Regex(format!("^{path}[?]")))
            .match_header("accept", "application/json")
            .match_body(body)
            .match_request(move |request| is_signed(request, &expected, token.as_deref()));
        if method == "POST" { mock.match_header("content-type", "application/json") } else { mock }
    }

    /// Any answer, whatever is asked.
    pub(crate) async fn fails(&mut self, call: &str, status: usize, body: &str, times: usize) -> Mock {
        let (method, path) = call.split_once(' ').unwrap();
        self.server
            .mock(method, Matcher::Regex(format!("^{path}[?]")))
            .with_status(status)
            .with_body(body)
            .expect(times)
            .create_async()
            .await
    }

    /// The list of orders that changed between these times.
    pub(crate) async fn list(&mut self, from: i64, to: i64, answer: impl AsRef<[u8]>, times: usize) -> Mock {
        self.on(LIST, &list_query(from, to).each(), Matcher::Any, answer, times).await
    }

    /// The list of the tests' window.
    pub(crate) async fn listed(&mut self, ids: &[&str]) -> Mock {
        self.list(WINDOW.0, WINDOW.1, list(ids, "READY_TO_SHIP", false, ""), 1).await
    }

    pub(crate) async fn details(&mut self, ids: &str, rows: &[String], times: usize) -> Mock {
        self.on(DETAIL, &detail_query(ids), Matcher::Any, details(rows), times).await
    }

    pub(crate) async fn packages(&mut self, numbers: &str, rows: &[&str], times: usize) -> Mock {
        let answer = response(&format!(r#"{{"package_list":[{}]}}"#, rows.join(",")));
        self.on(PACKAGE, &[("package_number_list", numbers)], Matcher::Any, answer, times).await
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

    pub(crate) async fn dispatch(
        &self,
        requests: &[DispatchRequest<'_>],
    ) -> sales_channels::Result<Vec<Outcome<sales_channels::channel::Dispatched>>> {
        self.channel.dispatch().unwrap().dispatch(&Context::new(), requests).await
    }
}

/// What the window from 09:00 to 10:00 asks for: from ten minutes before, to five minutes after now.
pub(crate) const WINDOW: (i64, i64) = (1_795_164_600, 1_795_169_100);

pub(crate) struct Query(Vec<(&'static str, String)>);

impl Query {
    pub(crate) fn each(&self) -> Vec<(&str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.0.push((name, value.to_owned()));
        self
    }
}

pub(crate) fn list_query(from: i64, to: i64) -> Query {
    Query(vec![
        ("time_range_field", "update_time".to_owned()),
        ("time_from", from.to_string()),
        ("time_to", to.to_string()),
        ("page_size", "100".to_owned()),
        ("response_optional_fields", "order_status".to_owned()),
        ("request_order_status_pending", "true".to_owned()),
    ])
}

pub(crate) fn detail_query(ids: &str) -> [(&str, &str); 3] {
    [("order_sn_list", ids), ("request_order_status_pending", "true"), ("response_optional_fields", FIELDS)]
}

/// Parameters and signature, worked out here a second time so that they are not the library's own.
fn is_signed(request: &Request, expected: &[(String, String)], token: Option<&str>) -> bool {
    let (path, query) = request.path_and_query().split_once('?').unwrap();
    let mut parameters: Vec<(String, String)> = query.split('&').map(pair).collect();
    let mut take = |name: &str| {
        let at = parameters.iter().position(|(known, _)| known == name)?;
        Some(parameters.remove(at).1)
    };
    let (partner, time, sign) = (take("partner_id"), take("timestamp"), take("sign"));
    let (access, shop) = (take("access_token"), take("shop_id"));
    let now = at(NOW).timestamp().to_string();
    let mut text = format!("{PARTNER}{path}{now}");
    match token {
        Some(token) => {
            text = format!("{text}{token}{SHOP}");
            if access.as_deref() != Some(token) || shop.as_deref() != Some(SHOP) {
                return false;
            }
        }
        None if access.is_some() || shop.is_some() => return false,
        None => {}
    }
    parameters.sort();
    partner.as_deref() == Some(PARTNER)
        && time.as_deref() == Some(now.as_str())
        && sign.as_deref() == Some(hmac_hex(KEY, text.as_bytes()).as_str())
        && parameters == expected
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
    std::fs::read_to_string(format!("tests/samples/shopee/{name}.json")).unwrap()
}

/// A sampled request body, whatever its white space.
pub(crate) fn body(name: &str) -> Matcher {
    Matcher::Json(serde_json::from_str(&sample(name)).unwrap())
}

pub(crate) fn json(body: &str) -> Matcher {
    Matcher::Exact(body.to_owned())
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
}

pub(crate) fn response(response: &str) -> String {
    format!(r#"{{"error":"","message":"","request_id":"r1","response":{response}}}"#)
}

pub(crate) fn error(code: &str) -> String {
    format!(r#"{{"error":"{code}","message":"said by the channel","request_id":"r1"}}"#)
}

pub(crate) fn list(ids: &[&str], status: &str, more: bool, cursor: &str) -> String {
    let rows: Vec<String> =
        ids.iter().map(|id| format!(r#"{{"order_sn":"{id}","order_status":"{status}"}}"#)).collect();
    response(&format!(r#"{{"more":{more},"next_cursor":"{cursor}","order_list":[{}]}}"#, rows.join(",")))
}

pub(crate) fn details(rows: &[String]) -> String {
    response(&format!(r#"{{"order_list":[{}]}}"#, rows.join(",")))
}

/// A row with two lines: two caps (item 1) and one mug (item 2, model 7).
pub(crate) fn row(id: &str, status: &str, packages: &[&str], more: &str) -> String {
    format!(
        r#"{{"order_sn":"{id}","region":"SG","currency":"SGD","order_status":"{status}","total_amount":30.75,"create_time":{MADE},"pay_time":{paid},"update_time":{paid},"buyer_username":"花子🌸","message_to_seller":"急いで 🙏","recipient_address":{{"name":"山田 花子","phone":"6580000000","region":"SG","zipcode":"000001","city":"Singapore","full_address":"千代田1-1 🌿"}},"item_list":[{cap},{mug}],"package_list":[{packages}]{more}}}"#,
        paid = MADE + 60,
        cap = r#"{"item_id":1,"item_name":"帽子 🧢","item_sku":"CAP","model_id":0,"model_quantity_purchased":2,"model_original_price":10.50,"model_discounted_price":9.25,"order_item_id":1,"line_item_id":11,"promotion_group_id":0}"#,
        mug = r#"{"item_id":2,"item_name":"マグ","item_sku":"MUG","model_id":7,"model_name":"白","model_sku":"MUG-W","model_quantity_purchased":1,"model_original_price":12.25,"model_discounted_price":12.25,"order_item_id":2,"line_item_id":12,"promotion_group_id":0}"#,
        packages = packages.join(",")
    )
}

pub(crate) const CAPS: &str =
    r#"{"item_id":1,"model_id":0,"model_quantity":2,"order_item_id":1,"promotion_group_id":0}"#;
pub(crate) const MUGS: &str =
    r#"{"item_id":2,"model_id":7,"model_quantity":1,"order_item_id":2,"promotion_group_id":0}"#;

pub(crate) fn package(number: &str, stage: &str, items: &[&str]) -> String {
    format!(
        r#"{{"package_number":"{number}","logistics_status":"{stage}","shipping_carrier":"SPX","item_list":[{}]}}"#,
        items.join(",")
    )
}

/// An order in one package.
pub(crate) fn plain(id: &str, status: &str, stage: &str) -> String {
    row(id, status, &[&package(&format!("P{id}"), stage, &[CAPS, MUGS])], "")
}

pub(crate) fn ready(id: &str) -> String {
    plain(id, "READY_TO_SHIP", "LOGISTICS_READY")
}

/// Orders as they are fetched.
pub(crate) async fn fetched(rows: &[String]) -> Vec<Order> {
    let mut shop = Shop::open().await;
    let ids: Vec<String> = rows
        .iter()
        .map(|row| {
            let row: serde_json::Value = serde_json::from_str(row).unwrap();
            row["order_sn"].as_str().unwrap().to_owned()
        })
        .collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    shop.listed(&ids).await;
    shop.fails(DETAIL, 200, &details(rows), 1).await;
    // Packages that differ are looked at.
    shop.fails(PACKAGE, 200, &response(r#"{"package_list":[]}"#), 1).await;
    let rows = shop.fetch("2026-11-20T09:00:00Z", NOW).await.unwrap();
    rows.iter().map(|row| row.order().cloned()).collect::<Option<Vec<Order>>>().unwrap()
}

pub(crate) fn parcel<'a>(
    order: &'a Order,
    tracking: Option<&'a Tracking>,
    lines: &'a [(LineId, u32)],
    choice: Option<HandOver>,
) -> DispatchRequest<'a> {
    let mut request = DispatchRequest::new(order, tracking, at("2026-11-21T00:00:00Z"));
    request.lines = lines;
    request.hand_over = choice;
    request
}

/// An outcome in a word.
pub(crate) fn word<T>(outcome: &Outcome<T>) -> String {
    match outcome {
        Outcome::Done(_) => "done".to_owned(),
        Outcome::AlreadyDone => "already".to_owned(),
        Outcome::Refused(no) => {
            let again = if no.temporary { " temporary" } else { "" };
            format!("refused {}{again}", no.code).replace("refused  ", "refused ").trim_end().to_owned()
        }
        Outcome::NotTried(_) => "not tried".to_owned(),
        Outcome::Unknown(_) => "unknown".to_owned(),
        _ => "?".to_owned(),
    }
}

pub(crate) fn words<T>(outcomes: &[Outcome<T>]) -> Vec<String> {
    outcomes.iter().map(word).collect()
}
