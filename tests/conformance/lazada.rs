//! Lazada. An order of the market is one order; each of its pieces is an order item. A parcel takes two changes (packing,
//! and the word that it is ready to ship), so there is a harness for a shop whose orders nobody has packed, one where a
//! person packs them in Seller Center, and one of a cross-border shop.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use sales_channels::adapters::lazada::{
    ACCESS_TOKEN, APP_KEY, APP_SECRET, Config, Lazada, MARKET, Market, REFRESH_TOKEN, exchange_code,
};
use sales_channels::channel::{Channel, Context, Credentials, Tracking};
use sales_channels::conformance::{
    Arranged, Change, Connection, ErrorAnswer, Excuse, Harness, ListingKind, ListingWish, Login, NotArranged,
    OrderWish, SeenDispatch, WebhookCall,
};
use sales_channels::http::{HttpClient, HttpSettings, Url};
use sales_channels::model::{ListingKey, ManualClock, OrderId};
use sales_channels_sandbox::Sandbox;
use sales_channels_sandbox::faces::lazada as face;
use sales_channels_sandbox::market::{DEFAULT_SELLER, ItemId, LineNumber, OptionId, OrderNumber};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::market;

const WRONG_SECRET: &str = "nobodys_app_secret";
const WRONG: &str = "50000601nobodys_access_token";
const WRONG_REFRESH: &str = "50001600nobodys_refresh_token";

/// What the face puts before the market's numbers.
const ORDER: u64 = 490_000_000_000_000;
const ORDER_ITEM: u64 = 500_000_000_000_000;
const OPTION_SKU: u64 = 10_000_000_000;
const ITEM_SKU: u64 = 20_000_000_000;
/// Numbers of order items for each line.
const UNITS: u64 = 10_000;

/// What kind of shop, and in which market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A local shop in Singapore: Lazada chooses the carrier.
    Local,
    /// The same, and a person packs each line in Seller Center.
    PackedByHand,
    /// A cross-border shop in Thailand: the seller chooses the transfer warehouse.
    CrossBorder,
}

impl Kind {
    fn market(self) -> Market {
        if self == Self::CrossBorder { Market::Thailand } else { Market::Singapore }
    }

    fn currency(self) -> &'static str {
        if self == Self::CrossBorder { "THB" } else { "SGD" }
    }

    fn face(self) -> face::Lazada {
        let face = face::Lazada::new().phones_shown();
        match self {
            Self::Local | Self::PackedByHand => face,
            // What is ready to ship shows so a while later only.
            Self::CrossBorder => {
                face.country(face::Country::Th).allocation(face::Allocation::Ntfs).pending_seconds(600)
            }
        }
    }
}

pub struct LazadaHarness {
    kind: Kind,
    sandbox: Sandbox,
    face: face::Lazada,
    good: Credentials,
    /// Tokens that were given while it ran.
    given: Mutex<Vec<String>>,
}

impl LazadaHarness {
    pub async fn local() -> Self {
        Self::start(Kind::Local).await
    }

    pub async fn packed_by_hand() -> Self {
        Self::start(Kind::PackedByHand).await
    }

    pub async fn cross_border() -> Self {
        Self::start(Kind::CrossBorder).await
    }

    async fn start(kind: Kind) -> Self {
        let face = kind.face();
        // The tokens that the face begins with have ended when the suite begins.
        let long_ago = market::start() - TimeDelta::days(400);
        let sandbox = Sandbox::builder().face(face.clone()).now(long_ago).start().await.unwrap();
        sandbox.set_now(market::start());
        let given = Mutex::default();
        let mut harness = Self { kind, sandbox, face, good: Credentials::new(), given };
        harness.good = harness.authorize().await;
        harness
    }

    fn config(&self) -> Config {
        let base = self.sandbox.base_url("lazada").unwrap().parse().unwrap();
        Config::of(self.kind.market()).unwrap().at(base).with_calls_per_second(100_000)
    }

    /// The merchant authorises the app, once more.
    async fn authorize(&self) -> Credentials {
        let clock = Arc::new(ManualClock::at(self.now()));
        let client = HttpClient::new(HttpSettings::default()).unwrap().with_clock(clock);
        let code = self.face.authorize(DEFAULT_SELLER).unwrap().into();
        let (cx, secret) = (Context::new(), face::APP_SECRET.into());
        let got = exchange_code(&client, &cx, &self.config(), "shop", face::APP_KEY, &secret, &code).await;
        let credentials = got.unwrap().credentials(self.kind.market());
        let tokens =
            [ACCESS_TOKEN, REFRESH_TOKEN].map(|part| credentials.get(part).unwrap().expose().to_owned());
        self.given.lock().unwrap().extend(tokens);
        credentials
    }

    fn credentials(&self, secret: &str, access: &str, refresh: &str) -> Credentials {
        Credentials::new()
            .with(APP_KEY, face::APP_KEY)
            .with(APP_SECRET, secret)
            .with(ACCESS_TOKEN, access)
            .with(REFRESH_TOKEN, refresh)
            .with(MARKET, self.kind.market().code())
    }

    /// Packs a line of an order beside the adapter, as a person does in Seller Center.
    async fn pack(&self, order: OrderNumber, line: LineNumber) {
        let pieces = u64::from(self.sandbox.market().line(line).unwrap().quantity);
        let items: Vec<u64> = (0..pieces).map(|at| ORDER_ITEM + line.0 * UNITS + at).collect();
        let request = json!({
            "pack_order_list": [{ "order_id": ORDER + order.0, "order_item_list": items }],
            "delivery_type": "dropship",
            "shipping_allocate_type": "TFS",
        });
        let path = "/order/fulfill/pack";
        let mut params = [
            ("app_key", face::APP_KEY.to_owned()),
            ("timestamp", self.now().timestamp_millis().to_string()),
            ("sign_method", "sha256".to_owned()),
            ("access_token", self.good.get(ACCESS_TOKEN).unwrap().expose().to_owned()),
            ("packReq", request.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec();
        params.push(("sign".to_owned(), face::request_signature(face::APP_SECRET, path, &params, b"")));
        let base = self.sandbox.base_url("lazada").unwrap();
        let url = Url::parse_with_params(&format!("{base}/rest{path}"), &params).unwrap();
        let (host, query) = (base.trim_start_matches("http://"), url.query().unwrap());
        let mut stream = TcpStream::connect(host).await.unwrap();
        let request = format!(
            "POST /rest{path}?{query} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let answer: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        let packed = &answer["result"]["data"]["pack_order_list"][0]["order_item_list"];
        let all = packed.as_array().is_some_and(|rows| rows.iter().all(|row| row["item_err_code"] == "0"));
        assert!(all, "packing in Seller Center: {answer}");
    }

    fn order(&self, id: &OrderId) -> (OrderNumber, Vec<LineNumber>) {
        let number = OrderNumber(id.as_str().parse::<u64>().unwrap() - ORDER);
        (number, self.sandbox.market().lines_of(number))
    }

    fn item(&self, key: &ListingKey) -> (ItemId, Option<OptionId>) {
        let item = ItemId(key.item.parse().unwrap());
        let sku: u64 = key.option.parse().unwrap();
        let item_of = self.sandbox.market().item(item).unwrap();
        let option = item_of.options.iter().find(|option| OPTION_SKU + option.id.0 == sku);
        (item, option.map(|option| option.id))
    }
}

#[async_trait]
impl Harness for LazadaHarness {
    async fn connect(&self, client: &HttpClient, with: Connection) -> Arranged<Arc<dyn Channel>> {
        let _ = self.face.clone().page_size(with.page_size.unwrap_or(100));
        let credentials = match with.login {
            Login::Good => self.good.clone(),
            // "Invalid or expired": of a token that is not accepted, the channel does not tell which. A secret that
            // is wrong shows in the signature.
            Login::Wrong => self.credentials(WRONG_SECRET, WRONG, WRONG_REFRESH),
            // With a refresh token that has ended too: one that has not is used, and nobody notices.
            Login::Expired => self.credentials(face::APP_SECRET, face::ACCESS_TOKEN, face::REFRESH_TOKEN),
        };
        Ok(Arc::new(Lazada::new(client, "shop", &credentials, self.config())?))
    }

    fn now(&self) -> DateTime<Utc> {
        self.sandbox.clock().now()
    }

    fn changes(&self) -> u64 {
        market::changes(self.sandbox.market())
    }

    fn secrets(&self) -> Vec<String> {
        let fixed =
            [face::APP_SECRET, face::ACCESS_TOKEN, face::REFRESH_TOKEN, WRONG_SECRET, WRONG, WRONG_REFRESH];
        fixed.map(str::to_owned).into_iter().chain(self.given.lock().unwrap().iter().cloned()).collect()
    }

    async fn place(&self, wish: OrderWish) -> Arranged<Vec<OrderId>> {
        let lines = wish.lines.iter().map(|line| market::line(line, |key| self.item(key))).collect();
        let mut draft = market::draft(&wish, lines, self.kind.currency());
        draft.address.country = self.kind.market().code().to_uppercase();
        let number = market::place(self.sandbox.market(), draft)?;
        Ok(vec![OrderId::from((ORDER + number.0).to_string())])
    }

    async fn change(&self, order: &OrderId, change: Change) -> Arranged<()> {
        let (number, lines) = self.order(order);
        if change == Change::Confirm {
            if self.kind != Kind::PackedByHand {
                return Err(NotArranged::because(
                    "orders are packed by the adapter here; proved where they are packed in Seller Center",
                ));
            }
            for line in lines {
                self.pack(number, line).await;
            }
            return Ok(());
        }
        market::change(self.sandbox.market(), number, &lines, change)
    }

    async fn list(&self, wish: ListingWish) -> Arranged<ListingKey> {
        let (item, option) = market::list(self.sandbox.market(), &wish, self.kind.currency(), None);
        let option = option.filter(|_| wish.kind == ListingKind::Option);
        let sku = option.map_or(ITEM_SKU + item.0, |option| OPTION_SKU + option.0);
        Ok(ListingKey::option(item.to_string(), sku.to_string()))
    }

    async fn dispatches(&self, order: &OrderId) -> Arranged<Vec<SeenDispatch>> {
        Ok(market::dispatches(self.sandbox.market(), &self.order(order).1))
    }

    async fn quantity(&self, listing: &ListingKey) -> Arranged<u32> {
        let (item, option) = self.item(listing);
        Ok(self.sandbox.market().quantity(item, option).unwrap().try_into().unwrap())
    }

    async fn listing_facts(&self, listing: &ListingKey) -> Arranged<String> {
        Ok(market::facts(self.sandbox.market(), self.item(listing).0))
    }

    async fn is_cancelled(&self, order: &OrderId) -> Arranged<bool> {
        let (_, lines) = self.order(order);
        let cancelled = |line| self.sandbox.market().line(line).unwrap().cancelled_at.is_some();
        Ok(lines.into_iter().all(cancelled))
    }

    fn error_answer(&self, text: &str) -> Arranged<ErrorAnswer> {
        // Each form that a failure has, in one of the shops.
        let body = match self.kind {
            Kind::Local => json!({ "code": "1000", "type": "ISP", "message": text }),
            Kind::PackedByHand => json!({ "code": "InvalidParameter", "type": "ISV", "message": text }),
            Kind::CrossBorder => json!({
                "code": "0",
                "result": { "success": false, "error_code": "700004", "error_msg": text },
            }),
        };
        Ok(ErrorAnswer::new("application/json", body.to_string()))
    }

    fn spoil(&self, answer: &[u8], order: &OrderId, _raw: &str) -> Option<Vec<u8>> {
        let mut answer: Value = serde_json::from_slice(answer).ok()?;
        let is_it = |row: &Value| row["order_id"].to_string().trim_matches('"') == order.as_str();
        let mut spoilt = false;
        let mut empty = |value: &mut Value| {
            (*value, spoilt) = (json!({}), true);
        };
        match (self.kind, &mut answer["data"]) {
            // The order's items, in the call for many and in the one for it alone.
            (Kind::Local | Kind::PackedByHand, Value::Array(rows)) => {
                for row in rows.iter_mut().filter(|row| is_it(row)) {
                    empty(if row["order_items"].is_array() { &mut row["order_items"][0] } else { row });
                }
            }
            // The order's row in the list.
            (Kind::CrossBorder, Value::Object(data)) => {
                let rows = data.get_mut("orders").and_then(Value::as_array_mut)?;
                rows.iter_mut().filter(|row| is_it(row)).for_each(empty);
            }
            _ => {}
        }
        spoilt.then(|| answer.to_string().into_bytes())
    }

    fn tracking(&self, _n: u32) -> Option<Tracking> {
        None
    }

    fn settings(&self) -> BTreeMap<String, Value> {
        match self.kind {
            Kind::Local | Kind::PackedByHand => BTreeMap::new(),
            Kind::CrossBorder => [("shipment_provider_code".to_owned(), json!("FM50"))].into(),
        }
    }

    async fn fresh_credentials(&self) -> Arranged<Credentials> {
        Ok(self.authorize().await)
    }

    fn wrong_credentials(&self) -> Arranged<Credentials> {
        Ok(self.credentials(face::APP_SECRET, WRONG, WRONG_REFRESH))
    }

    async fn webhook(&self, order: &OrderId) -> Arranged<WebhookCall> {
        let calls = self.face.pushes(self.order(order).0, face::PushMessage::TradeOrder);
        let call = calls.into_iter().next();
        let call = call.ok_or_else(|| NotArranged::Failed("the face has nothing to tell".to_owned()))?;
        Ok(WebhookCall::new(call.headers, call.body, "https://app.example/webhooks"))
    }

    fn excuses(&self) -> &[Excuse] {
        &[(
            "bad_answers_to_reporting_a_parcel/behind the change",
            "the label is looked up once the package is ready to ship; without its address it is no less so, and it can be asked for again",
        )]
    }
}
