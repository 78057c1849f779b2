//! Case files: an adapter's wire facts as data. Each file in `tests/cases/<adapter>/` holds cases of one operation: what is
//! asked of the adapter, the requests that it must send, the answers that it gets, and what must come out.
//!
//! In `input`: `fetched` (a window) or `read` (ids) gets the orders from the channel first, as the hub has them, because an
//! order carries what the next call needs; `orders` (ids) makes bare ones.
//!
//! In `expect`: `method`, `path` (the end of it), `query` and `form` (all fields, beside those in `ignore`), `headers`, `json`
//! (the whole body), `has` (a part of the body: objects by their fields, lists as a whole), `text` (pieces of the body).
//!
//! In `give`: `status` (200 by default), and `body` (JSON, or a text as it is) or `sample` (a file of
//! `tests/samples/<adapter>/`), `with` other values at some of its places.
#![cfg(feature = "http")]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use futures_util::StreamExt;
use sales_channels::adapters::{Opening, find};
use sales_channels::channel::{
    Channel, ConfirmRequest, Context, Credentials, DispatchRequest, OrderQuery, Outcome, Row, StockChange,
    Tracking,
};
use sales_channels::http::{
    HttpClient, HttpSettings, RawResponse, Request, SystemRandom, Transport, TransportError, Url,
};
use sales_channels::model::{
    ChannelData, Currency, Line, ListingKey, ManualClock, Order, OrderStatus, Window,
};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    credentials: BTreeMap<String, String>,
    now: DateTime<Utc>,
    #[serde(default)]
    ignore: Vec<String>,
    #[serde(default)]
    settings: BTreeMap<String, Value>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    operation: String,
    input: Value,
    exchanges: VecDeque<Exchange>,
    expected: Value,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Exchange {
    expect: Expect,
    give: Give,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Expect {
    method: String,
    path: String,
    #[serde(default)]
    query: Option<BTreeMap<String, String>>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    form: Option<BTreeMap<String, String>>,
    #[serde(default)]
    json: Option<Value>,
    #[serde(default)]
    has: Option<Value>,
    #[serde(default)]
    text: Vec<String>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Give {
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    body: Value,
    #[serde(default)]
    sample: Option<String>,
    #[serde(default)]
    with: BTreeMap<String, Value>,
}

impl Give {
    fn text(&self, adapter: &str) -> String {
        let mut body = match &self.sample {
            Some(name) => {
                let file = std::fs::read_to_string(format!("tests/samples/{adapter}/{name}")).unwrap();
                serde_json::from_str(&file).unwrap()
            }
            None => self.body.clone(),
        };
        for (place, value) in &self.with {
            let at = body.pointer_mut(place);
            *at.unwrap_or_else(|| panic!("{:?} has nothing at {place}", self.sample)) = value.clone();
        }
        match body {
            Value::String(text) => text,
            json => json.to_string(),
        }
    }
}

fn ok() -> u16 {
    200
}

/// Answers from the file, and keeps what was wrong about the requests.
#[derive(Default)]
struct Script {
    left: Mutex<VecDeque<Exchange>>,
    wrong: Mutex<Vec<String>>,
    ignore: Vec<String>,
    adapter: String,
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Script")
    }
}

impl Script {
    fn compare(&self, expect: &Expect, request: &Request) {
        let mut wrong = self.wrong.lock().unwrap();
        let mut differs = |what: &str, wanted: String, sent: String| {
            if wanted != sent {
                wrong.push(format!("{what}: {wanted} was expected, {sent} was sent"));
            }
        };
        differs("method", expect.method.clone(), request.method.to_string());
        let path = request.url.path();
        let end = path.get(path.len().saturating_sub(expect.path.len())..).unwrap_or(path);
        differs("path", expect.path.clone(), end.to_owned());
        if let Some(query) = &expect.query {
            differs("query", format!("{query:?}"), format!("{:?}", self.fields(&request.url)));
        }
        for (name, value) in &expect.headers {
            let sent = request.headers.get(name).map_or("", |value| value.to_str().unwrap());
            differs(name, value.clone(), sent.to_owned());
        }
        let body = String::from_utf8_lossy(&request.body);
        let json: Value = serde_json::from_str(&body).unwrap_or(Value::Null);
        if let Some(form) = &expect.form {
            let url: Url = format!("http://x/?{body}").parse().unwrap();
            differs("form", format!("{form:?}"), format!("{:?}", self.fields(&url)));
        }
        if let Some(wanted) = &expect.json {
            differs("body", wanted.to_string(), json.to_string());
        }
        if let Some(wanted) = &expect.has
            && !has(&json, wanted)
        {
            differs("part of the body", wanted.to_string(), json.to_string());
        }
        for text in expect.text.iter().filter(|text| !body.contains(text.as_str())) {
            differs("text in the body", text.clone(), body.clone().into_owned());
        }
    }

    fn fields(&self, url: &Url) -> BTreeMap<String, String> {
        url.query_pairs().into_owned().filter(|(name, _)| !self.ignore.contains(name)).collect()
    }
}

/// Whether JSON holds at least this: objects by their fields, all else as a whole.
fn has(json: &Value, wanted: &Value) -> bool {
    match wanted {
        Value::Object(fields) => {
            fields.iter().all(|(name, wanted)| json.get(name).is_some_and(|json| has(json, wanted)))
        }
        other => json == other,
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request, _: Duration) -> Result<RawResponse, TransportError> {
        let next = self.left.lock().unwrap().pop_front();
        let Some(exchange) = next else {
            self.wrong.lock().unwrap().push(format!("one request too many: {}", request.url.path()));
            return Ok(RawResponse::new(
                400,
                Default::default(),
                None,
                futures_util::stream::empty().boxed(),
            ));
        };
        self.compare(&exchange.expect, &request);
        let body = exchange.give.text(&self.adapter);
        let body = futures_util::stream::iter([Ok(bytes::Bytes::from(body))]).boxed();
        Ok(RawResponse::new(exchange.give.status, Default::default(), None, body))
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn word<T: std::fmt::Debug>(outcome: &Outcome<T>) -> String {
    match outcome {
        Outcome::Done(_) => "done".to_owned(),
        Outcome::AlreadyDone => "already done".to_owned(),
        Outcome::Refused(no) => format!("refused {}", no.code),
        Outcome::NotTried(error) => format!("not tried: {:?}", error.kind()),
        Outcome::Unknown(error) => format!("unknown: {:?}", error.kind()),
        other => format!("{other:?}"),
    }
}

fn words<T: std::fmt::Debug>(result: sales_channels::Result<Vec<Outcome<T>>>) -> Value {
    match result {
        Ok(outcomes) => outcomes.iter().map(word).collect(),
        Err(error) => {
            format!("{:?}{}", error.kind(), if error.outcome_unknown() { ", unknown" } else { "" }).into()
        }
    }
}

/// What an order comes to, in a line.
fn line(row: &Row) -> String {
    match row {
        Row::Unreadable(row) => format!("unreadable {}", row.id.as_ref().map_or("?", |id| id.as_str())),
        Row::Order(order) => {
            let lines = order.lines.iter().map(|l| {
                let price = l.unit_price.map(|price| price.to_string()).unwrap_or_default();
                format!("{} x {} at {price}", l.quantity, l.listing)
            });
            let held = order.holds.iter().map(|hold| format!(" {hold:?}")).collect::<String>();
            let lines = lines.collect::<Vec<_>>().join(", ");
            format!("{} {} {:?}{held}: {lines}", order.id, order.status, order.cancel)
        }
    }
}

/// The orders of a case, as the hub would have them.
async fn orders(channel: &dyn Channel, cx: &Context, input: &Value, now: DateTime<Utc>) -> Vec<Order> {
    let ids = |name: &str| input[name].as_array().into_iter().flatten().map(text).collect::<Vec<_>>();
    let bare = |id: String| {
        let ordered = now - TimeDelta::hours(1);
        let mut order = Order::new(id.as_str(), OrderStatus::New, ordered, ordered, Currency::JPY);
        order.lines = vec![Line::new(id, ListingKey::item("1"), 1, OrderStatus::New)];
        order
    };
    if input["fetched"].is_object() {
        let page = channel.orders().fetch(cx, &window(&input["fetched"]), None).await.unwrap();
        return page.rows.into_iter().map(|row| row.order().unwrap().clone()).collect();
    }
    let known: Vec<Order> = ids("read").into_iter().map(bare).collect();
    if known.is_empty() {
        return ids("orders").into_iter().map(bare).collect();
    }
    let read = channel.orders().read(cx, &known.iter().collect::<Vec<_>>()).await.unwrap();
    let read = read.into_iter().map(|outcome| match outcome {
        Outcome::Done(order) => order,
        other => panic!("not read: {other:?}"),
    });
    read.collect()
}

fn window(ends: &Value) -> OrderQuery {
    let at = |name: &str| text(&ends[name]).parse::<DateTime<Utc>>().unwrap();
    OrderQuery::window(Window::new(at("from"), at("to")))
}

fn key(listing: &Value) -> ListingKey {
    match listing["option"].as_str() {
        Some(option) => ListingKey::option(text(&listing["item"]), option),
        None => ListingKey::item(text(&listing["item"])),
    }
}

async fn run(channel: &dyn Channel, case: &Case, file: &File) -> Value {
    let cx =
        Context::new().with_budget(Duration::from_secs(10)).with_settings(Arc::new(file.settings.clone()));
    let input = &case.input;
    let orders = orders(channel, &cx, input, file.now).await;
    match case.operation.as_str() {
        "fetch" => match channel.orders().fetch(&cx, &window(input), None).await {
            Ok(page) => page.rows.iter().map(line).collect(),
            Err(error) => format!("{:?}", error.kind()).into(),
        },
        "confirm" => {
            let date = input["ship_date"].as_str().map(|day| day.parse::<NaiveDate>().unwrap());
            let request = |order| match date {
                Some(date) => ConfirmRequest::new(order).with_ship_date(date),
                None => ConfirmRequest::new(order),
            };
            let requests: Vec<_> = orders.iter().map(request).collect();
            words(channel.confirm().unwrap().confirm(&cx, &requests).await)
        }
        "dispatch" => {
            let tracking = Tracking::new(text(&input["carrier"]), text(&input["number"]));
            let requests: Vec<_> = orders
                .iter()
                .map(|order| {
                    let mut request = DispatchRequest::new(order, Some(&tracking), file.now);
                    request.notify = serde_json::from_value(input["notify"].clone()).unwrap();
                    request.hand_over = serde_json::from_value(input["hand_over"].clone()).unwrap();
                    request
                })
                .collect();
            words(channel.dispatch().unwrap().dispatch(&cx, &requests).await)
        }
        "set_stock" => {
            let nothing = ChannelData::default();
            let keys: Vec<(ListingKey, u32)> = input["listings"]
                .as_array()
                .unwrap()
                .iter()
                .map(|listing| {
                    let quantity = u32::try_from(listing["quantity"].as_u64().unwrap()).unwrap();
                    (key(listing), quantity)
                })
                .collect();
            let changes: Vec<_> = keys.iter().map(|(key, n)| StockChange::new(key, &nothing, *n)).collect();
            words(channel.stock().unwrap().set_stock(&cx, &changes).await)
        }
        other => panic!("no operation {other}"),
    }
}

/// Runs a case; answers with what is wrong.
async fn check(adapter: &str, file: &File, case: &Case) -> Vec<String> {
    let script =
        Arc::new(Script { ignore: file.ignore.clone(), adapter: adapter.to_owned(), ..Script::default() });
    script.left.lock().unwrap().extend(case.exchanges.iter().cloned());
    let mut settings = HttpSettings::default();
    settings.max_attempts = 1;
    let clock = Arc::new(ManualClock::at(file.now));
    let client = HttpClient::with(settings, script.clone(), clock, Arc::new(SystemRandom::seeded(1)));
    let credentials =
        file.credentials.iter().fold(Credentials::new(), |all, (name, value)| all.with(name, value.as_str()));
    let opening = Opening::new(&client, "case", credentials).at("http://127.0.0.1:9".parse().unwrap());
    let channel = (find(adapter).unwrap().open)(&opening).unwrap();
    let came = run(channel.as_ref(), case, file).await;
    let mut wrong = std::mem::take(&mut *script.wrong.lock().unwrap());
    let left = script.left.lock().unwrap().len();
    if left > 0 {
        wrong.push(format!("{left} requests were not sent"));
    }
    if came != case.expected {
        wrong.push(format!("{} was expected, {came} came", case.expected));
    }
    wrong
}

/// Runs the files of an adapter; answers with how many cases there were, by operation. They run side by side: where an
/// adapter sends one call a second, each case waits for itself.
async fn run_all(adapter: &str) -> BTreeMap<String, usize> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(format!("tests/cases/{adapter}"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let read = |path: &PathBuf| -> File {
        serde_json::from_str(&std::fs::read_to_string(path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let files: Vec<File> = paths.iter().map(read).collect();
    let cases = files.iter().flat_map(|file| file.cases.iter().map(move |case| (file, case)));
    let checks = cases.clone().map(|(file, case)| async move {
        (format!("{}: {}", case.operation, case.name), check(adapter, file, case).await)
    });
    let mut wrong = futures_util::future::join_all(checks).await;
    wrong.retain(|(_, wrong)| !wrong.is_empty());
    assert!(wrong.is_empty(), "{adapter}: {wrong:#?}");
    let mut counts = BTreeMap::new();
    for (_, case) in cases {
        *counts.entry(case.operation.clone()).or_default() += 1;
    }
    counts
}

/// Each of these operations has a case of what is sent and taken, of a batch that succeeds in part, and of an error.
async fn covers(adapter: &str, operations: &[&str]) {
    let counts = run_all(adapter).await;
    for operation in operations {
        assert!(counts.get(*operation).is_some_and(|count| *count >= 3), "{operation}: {counts:?}");
    }
    assert_eq!(counts.len(), operations.len(), "{counts:?}");
}

#[cfg(feature = "qoo10")]
#[tokio::test]
async fn qoo10_does_what_its_case_files_say() {
    covers("qoo10", &["fetch", "confirm", "dispatch", "set_stock"]).await;
}

#[cfg(feature = "rakuten")]
#[tokio::test]
async fn rakuten_does_what_its_case_files_say() {
    covers("rakuten", &["fetch", "confirm", "dispatch", "set_stock"]).await;
}

#[cfg(feature = "coupang")]
#[tokio::test]
async fn coupang_does_what_its_case_files_say() {
    covers("coupang", &["fetch", "confirm", "dispatch", "set_stock"]).await;
}

#[cfg(feature = "shopify")]
#[tokio::test]
async fn shopify_does_what_its_case_files_say() {
    covers("shopify", &["fetch", "dispatch", "set_stock"]).await;
}

#[cfg(feature = "tiktok_shop")]
#[tokio::test]
async fn tiktok_shop_does_what_its_case_files_say() {
    covers("tiktok_shop", &["fetch", "dispatch", "set_stock"]).await;
}
