//! Case files: an adapter's wire facts as data. Each file in `tests/cases/<adapter>/` holds cases of one operation: what is
//! asked of the adapter, the requests that it must send, the answers that it gets, and what must come out.
//!
//! In `expect`: `method`, `path` (the end of it), `form` (all fields, beside those in `ignore`) or `json` (the whole body).
//! In `give`: `status` (200 by default) and `body` (JSON, or a text as it is).
#![cfg(feature = "http")]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
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
    form: Option<BTreeMap<String, String>>,
    #[serde(default)]
    json: Option<Value>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Give {
    #[serde(default = "ok")]
    status: u16,
    body: Value,
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
        let body = String::from_utf8_lossy(&request.body);
        if let Some(form) = &expect.form {
            let url: Url = format!("http://x/?{body}").parse().unwrap();
            let sent: BTreeMap<String, String> =
                url.query_pairs().into_owned().filter(|(name, _)| !self.ignore.contains(name)).collect();
            differs("form", format!("{form:?}"), format!("{sent:?}"));
        }
        if let Some(json) = &expect.json {
            let sent: Value = serde_json::from_str(&body).unwrap_or(Value::Null);
            differs("body", json.to_string(), sent.to_string());
        }
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
        let body = match exchange.give.body {
            Value::String(text) => text,
            json => json.to_string(),
        };
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
        Row::Unreadable(row) => format!("unreadable: {}", row.reason),
        Row::Order(order) => {
            let lines = order.lines.iter().map(|l| {
                let price = l.unit_price.map(|price| price.to_string()).unwrap_or_default();
                format!("{} x {} at {price}", l.quantity, l.listing)
            });
            format!(
                "{} {} {:?}: {}",
                order.id,
                order.status,
                order.cancel,
                lines.collect::<Vec<_>>().join(", ")
            )
        }
    }
}

async fn run(channel: &dyn Channel, case: &Case) -> Value {
    let cx = Context::new().with_budget(Duration::from_secs(10));
    let input = &case.input;
    let at = |name: &str| text(&input[name]).parse::<DateTime<Utc>>().unwrap();
    let orders: Vec<Order> = input["orders"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|id| {
            let ordered = DateTime::from_timestamp(1_770_000_000, 0).unwrap();
            let mut order = Order::new(text(id), OrderStatus::New, ordered, ordered, Currency::JPY);
            order.lines = vec![Line::new(text(id), ListingKey::item("1"), 1, OrderStatus::New)];
            order
        })
        .collect();
    match case.operation.as_str() {
        "fetch" => {
            let query = OrderQuery::window(Window::new(at("from"), at("to")));
            match channel.orders().fetch(&cx, &query, None).await {
                Ok(page) => page.rows.iter().map(line).collect(),
                Err(error) => format!("{:?}", error.kind()).into(),
            }
        }
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
                .map(|order| DispatchRequest::new(order, Some(&tracking), order.ordered_at))
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
                    (ListingKey::item(text(&listing["item"])), quantity)
                })
                .collect();
            let changes: Vec<_> = keys.iter().map(|(key, n)| StockChange::new(key, &nothing, *n)).collect();
            words(channel.stock().unwrap().set_stock(&cx, &changes).await)
        }
        other => panic!("no operation {other}"),
    }
}

/// Runs the files of an adapter; answers with how many cases there were, by operation.
async fn run_all(adapter: &str) -> BTreeMap<String, usize> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(format!("tests/cases/{adapter}"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut counts = BTreeMap::new();
    for path in files {
        let file: File = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        for case in &file.cases {
            let what = format!("{}: {}", path.display(), case.name);
            let script = Arc::new(Script { ignore: file.ignore.clone(), ..Script::default() });
            script.left.lock().unwrap().extend(case.exchanges.iter().cloned());
            let mut settings = HttpSettings::default();
            settings.max_attempts = 1;
            let clock = Arc::new(ManualClock::at(file.now));
            let client = HttpClient::with(settings, script.clone(), clock, Arc::new(SystemRandom::seeded(1)));
            let credentials = file
                .credentials
                .iter()
                .fold(Credentials::new(), |all, (name, value)| all.with(name, value.as_str()));
            let opening =
                Opening::new(&client, "case", credentials).at("http://127.0.0.1:9".parse().unwrap());
            let channel = (find(adapter).unwrap().open)(&opening).unwrap();
            let came = run(channel.as_ref(), case).await;
            assert_eq!(*script.wrong.lock().unwrap(), Vec::<String>::new(), "{what}");
            assert!(script.left.lock().unwrap().is_empty(), "{what}: requests are missing");
            assert_eq!(came, case.expected, "{what}");
            *counts.entry(case.operation.clone()).or_default() += 1;
        }
    }
    counts
}

#[cfg(feature = "qoo10")]
#[tokio::test]
async fn qoo10_does_what_its_case_files_say() {
    let counts = run_all("qoo10").await;
    for operation in ["fetch", "confirm", "dispatch", "set_stock"] {
        assert!(counts.get(operation).is_some_and(|count| *count >= 3), "{operation}: {counts:?}");
    }
}
