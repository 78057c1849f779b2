//! TikTok Shop. An order of the market is one order; each of its pieces is a line item. Who ships decides which calls a
//! parcel takes, so there is a harness for each way.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use sales_channels::adapters::tiktok_shop::{
    ACCESS_TOKEN, ACCESS_TOKEN_ENDS, APP_KEY, APP_SECRET, Config, REFRESH_TOKEN, SHOP_CIPHER, SHOP_ID,
    TiktokShop,
};
use sales_channels::channel::{Channel, Credentials, HandOver, Tracking};
use sales_channels::conformance::{
    Arranged, Change, Connection, ErrorAnswer, Excuse, Harness, ListingWish, Login, NotArranged, OrderWish,
    SeenDispatch, WebhookCall,
};
use sales_channels::http::HttpClient;
use sales_channels::model::{Currency, ListingKey, OrderId};
use sales_channels_sandbox::Sandbox;
use sales_channels_sandbox::faces::tiktok_shop as face;
use sales_channels_sandbox::market::{DEFAULT_SELLER, ItemId, LineNumber, OptionId, OrderNumber};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::market;

const WRONG: &str = "ROW_nobodys_access_token";
const WRONG_REFRESH: &str = "ROW_nobodys_refresh_token";

/// What the face puts before the market's numbers.
const ORDER: u64 = 576_000_000_000_000_000;
const OPTION_SKU: u64 = 1_729_000_000_000_000_000;
const ITEM_SKU: u64 = 1_730_000_000_000_000_000;
const PRODUCT: u64 = 1_732_000_000_000_000_000;

/// Who ships, and in which market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ships {
    /// TikTok's logistics, in Japan.
    Tiktok,
    /// The seller, in Japan: whole packages.
    Seller,
    /// The seller, in the US: any of the line items. Stock is in two warehouses.
    SellerByItems,
}

impl Ships {
    fn region(self) -> &'static str {
        if self == Self::SellerByItems { "US" } else { "JP" }
    }

    fn currency(self) -> Currency {
        if self == Self::SellerByItems { Currency::USD } else { Currency::JPY }
    }

    fn zone(self) -> Tz {
        if self == Self::SellerByItems { Tz::America__Los_Angeles } else { Tz::Asia__Tokyo }
    }

    fn face(self) -> face::TikTokShop {
        let face = face::TikTokShop::new().region(self.region());
        match self {
            // Whole packages only: an order of several lines can still leave in parts, where TikTok made several packages.
            Self::Tiktok => face.packages_per(face::PackagesPer::Line),
            Self::Seller => face.shipping(face::Shipping::Seller).packages_per(face::PackagesPer::Line),
            // With several warehouses, some of them hold none: a quantity of 0 is among those that are sent.
            Self::SellerByItems => {
                face.shipping(face::Shipping::Seller).warehouses(2).zero_stock(face::ZeroStock::Taken)
            }
        }
    }
}

pub struct TiktokHarness {
    ships: Ships,
    sandbox: Sandbox,
    face: face::TikTokShop,
    good: Credentials,
    /// Tokens that were given while it ran.
    given: Mutex<Vec<String>>,
}

impl TiktokHarness {
    pub async fn tiktok_ships() -> Self {
        Self::start(Ships::Tiktok).await
    }

    pub async fn seller_ships() -> Self {
        Self::start(Ships::Seller).await
    }

    pub async fn seller_ships_items() -> Self {
        Self::start(Ships::SellerByItems).await
    }

    async fn start(ships: Ships) -> Self {
        let face = ships.face();
        // The tokens that the face begins with have ended when the suite begins.
        let long_ago = market::start() - TimeDelta::days(400);
        let sandbox = Sandbox::builder().face(face.clone()).now(long_ago).start().await.unwrap();
        sandbox.set_now(market::start());
        let given = Mutex::default();
        let mut harness = Self { ships, sandbox, face, good: Credentials::new(), given };
        harness.good = harness.authorize().await;
        harness
    }

    /// The merchant authorises the app, once more.
    async fn authorize(&self) -> Credentials {
        let code = self.face.authorize(DEFAULT_SELLER).unwrap();
        let answer = self
            .get(
                &format!(
                    "/api/v2/token/get?app_key={}&app_secret={}&auth_code={code}&grant_type=authorized_code",
                    face::APP_KEY,
                    face::APP_SECRET
                ),
                "",
            )
            .await;
        let text = |name: &str| answer["data"][name].as_str().unwrap().to_owned();
        let time = |name: &str| DateTime::from_timestamp(answer["data"][name].as_i64().unwrap(), 0).unwrap();
        let (access, refresh) = (text("access_token"), text("refresh_token"));
        self.given.lock().unwrap().extend([access.clone(), refresh.clone()]);
        credentials(&access, &refresh)
            .with(ACCESS_TOKEN_ENDS, time("access_token_expire_in").to_rfc3339())
            .expiring(time("refresh_token_expire_in"))
    }

    /// A call beside the adapter.
    async fn get(&self, target: &str, token: &str) -> Value {
        let base = self.sandbox.base_url("tiktok_shop").unwrap();
        let host = base.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).await.unwrap();
        let request = format!(
            "GET {target} HTTP/1.1\r\nhost: {host}\r\nx-tts-access-token: {token}\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// How the channel has it that a package of TikTok's logistics is handed over.
    async fn hand_over(&self, package: &str) -> HandOver {
        let path = format!("/fulfillment/202309/packages/{package}");
        let query = [
            ("app_key", face::APP_KEY.to_owned()),
            ("shop_cipher", face::SHOP_CIPHER.to_owned()),
            ("timestamp", self.now().timestamp().to_string()),
        ];
        let query = query.map(|(name, value)| (name.to_owned(), value));
        let sign = face::request_signature(face::APP_SECRET, &path, &query, None);
        let query: String = query.iter().map(|(name, value)| format!("{name}={value}&")).collect();
        let token = self.good.get(ACCESS_TOKEN).unwrap().expose();
        let answer = self.get(&format!("{path}?{query}sign={sign}"), token).await;
        match answer["data"]["handover_method"].as_str() {
            Some("PICKUP") => HandOver::PickUp,
            Some("DROP_OFF") => HandOver::DropOff,
            other => panic!("a package is handed over by {other:?}"),
        }
    }

    fn order(&self, id: &OrderId) -> (OrderNumber, Vec<LineNumber>) {
        let number = OrderNumber(id.as_str().parse::<u64>().unwrap() - ORDER);
        (number, self.sandbox.market().lines_of(number))
    }

    fn item(&self, key: &ListingKey) -> (ItemId, Option<OptionId>) {
        let item = ItemId(key.item.parse::<u64>().unwrap() - PRODUCT);
        let sku: u64 = key.option.parse().unwrap();
        let option =
            self.sandbox.market().item(item).unwrap().option(OptionId(sku - OPTION_SKU)).map(|o| o.id);
        (item, option)
    }
}

fn credentials(access: &str, refresh: &str) -> Credentials {
    Credentials::new()
        .with(APP_KEY, face::APP_KEY)
        .with(APP_SECRET, face::APP_SECRET)
        .with(ACCESS_TOKEN, access)
        .with(REFRESH_TOKEN, refresh)
        .with(SHOP_CIPHER, face::SHOP_CIPHER)
        .with(SHOP_ID, face::SHOP_ID)
}

#[async_trait]
impl Harness for TiktokHarness {
    async fn connect(&self, client: &HttpClient, with: Connection) -> Arranged<Arc<dyn Channel>> {
        let _ = self.face.clone().page_size(with.page_size.unwrap_or(100));
        let credentials = match with.login {
            Login::Good => self.good.clone(),
            Login::Wrong => credentials(WRONG, WRONG_REFRESH),
            // With a refresh token that has ended too: one that has not is used, and nobody notices.
            Login::Expired => credentials(face::ACCESS_TOKEN, face::REFRESH_TOKEN),
        };
        let base = self.sandbox.base_url("tiktok_shop").unwrap().parse()?;
        let config = Config::global()?
            .at(base)
            .in_market(self.ships.zone(), self.ships.currency())
            .with_calls_per_second(100_000);
        Ok(Arc::new(TiktokShop::new(client, "shop", &credentials, config)?))
    }

    fn now(&self) -> DateTime<Utc> {
        self.sandbox.clock().now()
    }

    fn changes(&self) -> u64 {
        market::changes(self.sandbox.market())
    }

    fn secrets(&self) -> Vec<String> {
        let fixed = [face::APP_SECRET, face::ACCESS_TOKEN, face::REFRESH_TOKEN, WRONG, WRONG_REFRESH]
            .map(str::to_owned);
        fixed.into_iter().chain(self.given.lock().unwrap().iter().cloned()).collect()
    }

    async fn place(&self, wish: OrderWish) -> Arranged<Vec<OrderId>> {
        let lines = wish.lines.iter().map(|line| market::line(line, |key| self.item(key))).collect();
        let mut draft = market::draft(&wish, lines, self.ships.currency().as_str());
        draft.address.country = self.ships.region().to_owned();
        let number = market::place(self.sandbox.market(), draft)?;
        Ok(vec![OrderId::from((ORDER + number.0).to_string())])
    }

    async fn change(&self, order: &OrderId, change: Change) -> Arranged<()> {
        if change == Change::Confirm {
            return Err(NotArranged::because(
                "TikTok Shop knows no confirmation: a paid order can be shipped",
            ));
        }
        let (number, lines) = self.order(order);
        market::change(self.sandbox.market(), number, &lines, change)?;
        if change == Change::Ship {
            self.face.collect(number);
        }
        Ok(())
    }

    async fn list(&self, wish: ListingWish) -> Arranged<ListingKey> {
        let (item, option) = market::list(self.sandbox.market(), &wish, self.ships.currency().as_str(), None);
        let sku = option.map_or(ITEM_SKU + item.0, |option| OPTION_SKU + option.0);
        Ok(ListingKey::option((PRODUCT + item.0).to_string(), sku.to_string()))
    }

    async fn dispatches(&self, order: &OrderId) -> Arranged<Vec<SeenDispatch>> {
        let mut seen = Vec::new();
        for parcel in market::dispatches(self.sandbox.market(), &self.order(order).1) {
            // TikTok's own tracking numbers are made of the package's.
            seen.push(match parcel.number.strip_prefix("TT").map(str::to_owned) {
                Some(package) => parcel.handed_over(self.hand_over(&package).await),
                None => parcel,
            });
        }
        Ok(seen)
    }

    async fn quantity(&self, listing: &ListingKey) -> Arranged<u32> {
        let (item, option) = self.item(listing);
        Ok(self.sandbox.market().quantity(item, option).unwrap().try_into().unwrap())
    }

    async fn listing_facts(&self, listing: &ListingKey) -> Arranged<String> {
        Ok(market::facts(self.sandbox.market(), self.item(listing).0))
    }

    async fn is_cancelled(&self, order: &OrderId) -> Arranged<bool> {
        let line = self.sandbox.market().line(self.order(order).1[0]).unwrap();
        Ok(line.cancelled_at.is_some())
    }

    fn error_answer(&self, text: &str) -> Arranged<ErrorAnswer> {
        let body = serde_json::json!({ "code": 11_001_002, "message": text, "request_id": "2026112401" });
        Ok(ErrorAnswer::new("application/json", body.to_string()))
    }

    fn tracking(&self, n: u32) -> Option<Tracking> {
        let number = format!("{:012}", 440_000_000_000_u64 + u64::from(n));
        (self.ships != Ships::Tiktok).then(|| Tracking::new("Yamato", number))
    }

    async fn fresh_credentials(&self) -> Arranged<Credentials> {
        Ok(self.authorize().await)
    }

    fn wrong_credentials(&self) -> Arranged<Credentials> {
        Ok(credentials(WRONG, WRONG_REFRESH))
    }

    async fn webhook(&self, order: &OrderId) -> Arranged<WebhookCall> {
        let call = self.face.webhook(self.order(order).0, face::Event::OrderStatusChange);
        let call = call.ok_or_else(|| NotArranged::Failed("the face has nothing to tell".to_owned()))?;
        Ok(WebhookCall::new(call.headers, call.body, "https://app.example/webhooks"))
    }

    fn excuses(&self) -> &[Excuse] {
        match self.ships {
            Ships::Tiktok => &[
                (
                    "texts_come_as_they_were_written",
                    "TikTok masks who receives a parcel that its own logistics brings; proved where the seller ships",
                ),
                (
                    "bad_answers_to_reporting_a_parcel/behind the change",
                    "tracking number and label are looked up once the package is shipped; without them it is no less shipped, and the order is read again",
                ),
            ],
            Ships::Seller | Ships::SellerByItems => &[
                (
                    "a_missing_hand_over_is_not_guessed",
                    "a parcel that the seller ships by a carrier of their own has no hand-over; proved where TikTok ships",
                ),
                (
                    "the_hand_over_reaches_the_channel",
                    "a parcel that the seller ships by a carrier of their own has no hand-over; proved where TikTok ships",
                ),
            ],
        }
    }
}
