//! A shop that answers from a script. Every document and its variables are held against the official schema before
//! they are answered.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use chrono::{DateTime, Utc};
use mockito::{Matcher, Request, ServerGuard};
use sales_channels::adapters::shopify::{ACCESS_TOKEN, Config, SHOP, Shopify};
use sales_channels::channel::{Channel, Context, Credentials, OrderQuery, Outcome};
use sales_channels::http::{HttpClient, HttpSettings};
use sales_channels::model::{Clock, Currency, ManualClock, Order, Window};
use serde_json::{Value, json};

pub(crate) const TOKEN: &str = "shpat_secret-token";
pub(crate) const SCHEMA: &str = include_str!("../samples/shopify/admin.graphql");
pub(crate) const ORDERS: &str = include_str!("../samples/shopify/orders.response.json");
pub(crate) const THROTTLED: &str = include_str!("../samples/shopify/throttled.response.json");
pub(crate) const REFUSED: &str = include_str!("../samples/shopify/fulfill_refused.response.json");

fn schema() -> &'static Valid<Schema> {
    static SCHEMA_READ: OnceLock<Valid<Schema>> = OnceLock::new();
    SCHEMA_READ.get_or_init(|| Schema::parse_and_validate(SCHEMA, "admin.graphql").unwrap())
}

/// Why a call would not be understood.
fn fault(call: &Value) -> Option<String> {
    let text = call["query"].as_str().unwrap_or_default();
    let name = call["operationName"].as_str().unwrap_or_default();
    let document = match ExecutableDocument::parse_and_validate(schema(), text, name) {
        Ok(document) => document,
        Err(error) => return Some(error.to_string()),
    };
    let Ok(operation) = document.operations.get(Some(name)) else { return Some(format!("no {name}")) };
    let declared: Vec<&str> = operation.variables.iter().map(|v| v.name.as_str()).collect();
    let sent = call["variables"].as_object()?;
    if let Some(unknown) = sent.keys().find(|key| !declared.contains(&key.as_str())) {
        return Some(format!("{name} declares no {unknown}"));
    }
    let variables = serde_json::from_value(call["variables"].clone()).unwrap();
    coerce_variable_values(schema(), operation, &variables).err().map(|error| format!("{name}: {error:?}"))
}

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status: usize,
    body: String,
    retry_after: &'static str,
    version: &'static str,
}

impl From<Value> for Answer {
    fn from(body: Value) -> Self {
        Self::text(200, body.to_string())
    }
}

impl From<&str> for Answer {
    fn from(body: &str) -> Self {
        Self::text(200, body)
    }
}

impl Answer {
    pub(crate) fn text(status: usize, body: impl Into<String>) -> Self {
        Self { status, body: body.into(), retry_after: "", version: "2026-10" }
    }

    /// Whether it is an HTTP error.
    pub(crate) fn is_error(&self) -> bool {
        self.status >= 400
    }

    pub(crate) fn retry_after(mut self, seconds: &'static str) -> Self {
        self.retry_after = seconds;
        self
    }

    pub(crate) fn version(mut self, version: &'static str) -> Self {
        self.version = version;
        self
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) name: String,
    pub(crate) variables: Value,
    pub(crate) token: String,
}

#[derive(Default)]
struct Script {
    answers: BTreeMap<String, VecDeque<Answer>>,
    sent: Vec<Sent>,
    faults: Vec<String>,
    /// Access tokens that are refused, whatever is asked.
    ended: Vec<String>,
    tokens: VecDeque<Answer>,
    token_forms: Vec<String>,
}

pub(crate) struct Shop {
    server: ServerGuard,
    script: Arc<Mutex<Script>>,
    pub(crate) clock: Arc<ManualClock>,
}

/// What an access token that has ended is answered.
pub(crate) fn ended_token() -> Answer {
    Answer::text(401, r#"{"errors":"[API] Invalid API key or access token"}"#)
}

fn header(request: &Request, name: &str) -> String {
    request.header(name).first().map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default()
}

fn call_of(request: &Request) -> Value {
    serde_json::from_slice(request.body().unwrap()).unwrap()
}

impl Shop {
    pub(crate) async fn open() -> Self {
        let mut server = mockito::Server::new_async().await;
        let script = Arc::new(Mutex::new(Script::default()));
        let next = |script: &Arc<Mutex<Script>>| {
            let script = Arc::clone(script);
            move |request: &Request| {
                let name = call_of(request)["operationName"].as_str().unwrap().to_owned();
                let script = script.lock().unwrap();
                if script.ended.contains(&header(request, "x-shopify-access-token")) {
                    return Some(ended_token());
                }
                script.answers.get(&name).and_then(|queue| queue.front().cloned())
            }
        };
        let none = || Answer::text(400, "unscripted");
        let (status, retry, version) = (next(&script), next(&script), next(&script));
        let taken = Arc::clone(&script);
        server
            .mock("POST", "/admin/api/2026-10/graphql.json")
            .match_header("content-type", Matcher::Regex("^application/json".into()))
            .with_status_code_from_request(move |r| status(r).unwrap_or_else(none).status)
            .with_header_from_request("retry-after", move |r| {
                retry(r).unwrap_or_else(none).retry_after.into()
            })
            .with_header_from_request("x-shopify-api-version", move |r| {
                version(r).unwrap_or_else(none).version.into()
            })
            .with_header("x-request-id", "req-1")
            .with_body_from_request(move |request| {
                let call = call_of(request);
                let name = call["operationName"].as_str().unwrap().to_owned();
                let mut script = taken.lock().unwrap();
                script.faults.extend(fault(&call));
                script.sent.push(Sent {
                    name: name.clone(),
                    variables: call["variables"].clone(),
                    token: header(request, "x-shopify-access-token"),
                });
                if script.ended.contains(&header(request, "x-shopify-access-token")) {
                    return ended_token().body.into_bytes();
                }
                let answer = script.answers.get_mut(&name).and_then(VecDeque::pop_front);
                answer.unwrap_or_else(none).body.into_bytes()
            })
            .create_async()
            .await;
        let (peeked, taken) = (Arc::clone(&script), Arc::clone(&script));
        server
            .mock("POST", "/admin/oauth/access_token")
            .match_header("content-type", Matcher::Regex("^application/x-www-form-urlencoded".into()))
            .with_status_code_from_request(move |_| {
                peeked.lock().unwrap().tokens.front().cloned().unwrap_or_else(none).status
            })
            .with_body_from_request(move |request| {
                let mut script = taken.lock().unwrap();
                script.token_forms.push(request.utf8_lossy_body().unwrap().into_owned());
                script.tokens.pop_front().unwrap_or_else(none).body.into_bytes()
            })
            .create_async()
            .await;
        let clock = Arc::new(ManualClock::at("2026-11-24T01:00:00Z".parse().unwrap()));
        Self { server, script, clock }
    }

    /// What the next call of this operation is answered.
    pub(crate) fn answers(&self, name: &str, answer: impl Into<Answer>) {
        self.script.lock().unwrap().answers.entry(name.to_owned()).or_default().push_back(answer.into());
    }

    /// From now on this access token is refused.
    pub(crate) fn ends(&self, token: &str) {
        self.script.lock().unwrap().ended.push(token.to_owned());
    }

    /// What the next call for a token is answered.
    pub(crate) fn gives(&self, answer: impl Into<Answer>) {
        self.script.lock().unwrap().tokens.push_back(answer.into());
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.script.lock().unwrap().sent.clone()
    }

    pub(crate) fn sent_of(&self, name: &str) -> Vec<Sent> {
        self.sent().into_iter().filter(|sent| sent.name == name).collect()
    }

    pub(crate) fn token_forms(&self) -> Vec<String> {
        self.script.lock().unwrap().token_forms.clone()
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    pub(crate) fn client(&self) -> HttpClient {
        let mut settings = HttpSettings::default();
        settings.base_pause = Duration::from_millis(1);
        HttpClient::new(settings).unwrap().with_clock(Arc::clone(&self.clock) as Arc<dyn Clock>)
    }

    pub(crate) fn config(&self) -> Config {
        Config::new(Currency::JPY, chrono_tz::Asia::Tokyo)
            .at(self.url().parse().unwrap())
            .with_calls_per_second(100_000)
    }

    pub(crate) fn channel(&self) -> Shopify {
        self.channel_with(&credentials())
    }

    pub(crate) fn channel_with(&self, credentials: &Credentials) -> Shopify {
        Shopify::new(&self.client(), "shop", credentials, self.config()).unwrap()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let faults = &self.script.lock().unwrap().faults;
            assert!(faults.is_empty(), "the channel would not understand: {faults:#?}");
        }
    }
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new().with(SHOP, "my-shop.myshopify.com").with(ACCESS_TOKEN, TOKEN)
}

pub(crate) fn cx() -> Context {
    Context::new()
}

pub(crate) fn with_setting(key: &str, value: Value) -> Context {
    Context::new().with_settings(Arc::new([(key.to_owned(), value)].into()))
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn window() -> OrderQuery {
    OrderQuery::window(Window::new(at("2026-11-20T00:00:00Z"), at("2026-11-21T00:00:00Z")))
}

/// The row of the sample page.
pub(crate) fn row() -> Value {
    let page: Value = serde_json::from_str(ORDERS).unwrap();
    page["data"]["orders"]["nodes"][0].clone()
}

pub(crate) fn row_with(id: u64, change: impl FnOnce(&mut Value)) -> Value {
    let mut row = row();
    row["id"] = json!(format!("gid://shopify/Order/{id}"));
    change(&mut row);
    row
}

pub(crate) fn page(rows: &[Value], next: Option<&str>) -> Value {
    json!({"data": {"orders": {
        "pageInfo": {"hasNextPage": next.is_some(), "endCursor": next},
        "nodes": rows,
    }}})
}

pub(crate) fn order_answer(row: &Value) -> Value {
    json!({"data": {"order": row}})
}

/// An order as the channel's own read gives it.
pub(crate) async fn read(shop: &Shop, channel: &Shopify, row: &Value) -> Order {
    shop.answers("OrderById", order_answer(row));
    let bare = bare(row["id"].as_str().unwrap());
    match channel.orders().read(&cx(), &[&bare]).await.unwrap().remove(0) {
        Outcome::Done(order) => order,
        other => panic!("{other:?}"),
    }
}

/// An order of which only the id is known, as after a webhook.
pub(crate) fn bare(id: &str) -> Order {
    Order::new(
        id,
        sales_channels::model::OrderStatus::Unknown,
        at("2026-11-20T00:00:00Z"),
        DateTime::UNIX_EPOCH,
        Currency::JPY,
    )
}
