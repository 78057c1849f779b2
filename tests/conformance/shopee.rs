//! Shopee. An order of the market is one order. Its logistics decide what a parcel needs: a choice of pick-up or drop-off,
//! a tracking number, or both. So there is a harness for each.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use sales_channels::adapters::shopee::{
    ACCESS_TOKEN, Code, Config, PARTNER_ID, PARTNER_KEY, PUSH_PARTNER_KEY, REFRESH_TOKEN, Shopee,
    exchange_code,
};
use sales_channels::channel::{Channel, Context, Credentials, HandOver, Secret, Tracking};
use sales_channels::conformance::{
    Arranged, Change, Connection, ErrorAnswer, Excuse, Harness, ListingWish, Login, NotArranged, OrderWish,
    SeenDispatch, WebhookCall,
};
use sales_channels::http::{HttpClient, HttpSettings};
use sales_channels::model::{ListingKey, ManualClock, OrderId};
use sales_channels_sandbox::Sandbox;
use sales_channels_sandbox::faces::shopee::{self as face, Masking, Way};
use sales_channels_sandbox::market::{DEFAULT_SELLER, ItemId, LineNumber, OptionId, OrderNumber};
use serde_json::{Value, json};

use super::market;

const WRONG_KEY: &str = "shpk6e6f626f647973206b6579";
const CURRENCY: &str = "SGD";
/// The location whose quantity is set, of a shop with two.
const LOCATION: &str = "SG2002";
/// Rows on a page, as usual.
const PAGE: usize = 100;

/// Who brings the parcels, and who gives their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ships {
    /// Shopee's logistics, with Shopee's numbers. Recipients are masked, as apps outside the allow list see them.
    Shopee,
    /// Shopee's logistics, with numbers that the seller has from the carrier.
    SellerNumbers,
    /// A carrier of the seller's own. The shop has two warehouses.
    OwnCarrier,
}

impl Ships {
    fn face(self) -> face::Shopee {
        let face = face::Shopee::new();
        match self {
            Self::Shopee => face.ways(&[Way::Pickup, Way::Dropoff]).masking(Masking::Partly),
            Self::SellerNumbers => face.ways(&[Way::PickupWithTracking, Way::DropoffTracking]),
            Self::OwnCarrier => face.ways(&[Way::OwnCarrier]).warehouses(&["SG2001", LOCATION]),
        }
    }
}

pub struct ShopeeHarness {
    ships: Ships,
    sandbox: Sandbox,
    face: face::Shopee,
    good: Credentials,
    /// Tokens that were given while it ran.
    given: Mutex<Vec<String>>,
}

impl ShopeeHarness {
    pub async fn shopee_ships() -> Self {
        Self::start(Ships::Shopee).await
    }

    pub async fn seller_gives_numbers() -> Self {
        Self::start(Ships::SellerNumbers).await
    }

    pub async fn own_carrier() -> Self {
        Self::start(Ships::OwnCarrier).await
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

    fn config(&self) -> Config {
        let base = self.sandbox.base_url("shopee").unwrap().parse().unwrap();
        Config::global().unwrap().at(base).with_calls_per_second(100_000)
    }

    /// The merchant authorises the app, once more.
    async fn authorize(&self) -> Credentials {
        let code = Secret::from(self.face.authorize(DEFAULT_SELLER, 365).unwrap());
        let clock = Arc::new(ManualClock::at(self.now()));
        let client = HttpClient::new(HttpSettings::default()).unwrap().with_clock(clock);
        let (cx, config, shop) = (Context::new(), self.config(), face::SHOP_ID.to_string());
        let (partner, key) = (face::PARTNER_ID.to_string(), Secret::from(face::PARTNER_KEY));
        let code = Code::Shop(&code, &shop);
        let granted = exchange_code(&client, &cx, &config, "shop", &partner, &key, code).await.unwrap();
        let credentials = granted.credentials(&shop).with(PUSH_PARTNER_KEY, face::PUSH_KEY);
        let tokens = [ACCESS_TOKEN, REFRESH_TOKEN];
        let tokens = tokens.map(|name| credentials.get(name).unwrap().expose().to_owned());
        self.given.lock().unwrap().extend(tokens);
        credentials
    }

    fn order(&self, id: &OrderId) -> (OrderNumber, Vec<LineNumber>) {
        let number = OrderNumber(u64::from_str_radix(&id.as_str()[6..], 36).unwrap());
        (number, self.sandbox.market().lines_of(number))
    }

    fn item(&self, key: &ListingKey) -> (ItemId, Option<OptionId>) {
        let items = self.sandbox.market().read(|state| state.items().cloned().collect::<Vec<_>>());
        let item = items.iter().find(|item| face::item_id(item.id).to_string() == key.item).unwrap();
        let named = |option: &OptionId| face::model_id(*option).to_string() == key.option;
        let option = item.options.iter().map(|option| option.id).find(named);
        assert_eq!(option.is_none(), key.option.is_empty(), "the model is the item's");
        (item.id, option)
    }

    /// The way that the calls which arranged an order named; none where they differ.
    fn hand_over(&self, id: &OrderId) -> Option<HandOver> {
        let requests = self.sandbox.requests("shopee").unwrap();
        let calls = requests.iter().filter(|request| request.operation == "logistics.ship_order");
        let bodies = calls.filter_map(|request| serde_json::from_str::<Value>(&request.body).ok());
        let mut ways = bodies.filter(|body| body["order_sn"] == id.as_str()).map(|body| {
            match (body.get("pickup"), body.get("dropoff"), body.get("non_integrated")) {
                (Some(_), None, None) => Some(HandOver::PickUp),
                (None, Some(_), None) => Some(HandOver::DropOff),
                _ => None,
            }
        });
        let first = ways.next()??;
        ways.all(|way| way == Some(first)).then_some(first)
    }

    /// The tokens that the face began with: both have ended.
    fn ended(&self) -> Credentials {
        self.good.clone().with(ACCESS_TOKEN, face::ACCESS_TOKEN).with(REFRESH_TOKEN, face::REFRESH_TOKEN)
    }
}

#[async_trait]
impl Harness for ShopeeHarness {
    async fn connect(&self, client: &HttpClient, with: Connection) -> Arranged<Arc<dyn Channel>> {
        // The server's own limit, below what the adapter asks for.
        let _ = self.face.clone().page_size(with.page_size.unwrap_or(PAGE));
        let credentials = match with.login {
            Login::Good => self.good.clone(),
            Login::Wrong => self.wrong_credentials()?,
            // With a refresh token that has ended too: one that has not is used, and nobody notices.
            Login::Expired => self.ended(),
        };
        Ok(Arc::new(Shopee::new(client, "shop", &credentials, self.config())?))
    }

    fn now(&self) -> DateTime<Utc> {
        self.sandbox.clock().now()
    }

    fn changes(&self) -> u64 {
        market::changes(self.sandbox.market())
    }

    fn secrets(&self) -> Vec<String> {
        let fixed = [face::PARTNER_KEY, face::PUSH_KEY, face::ACCESS_TOKEN, face::REFRESH_TOKEN, WRONG_KEY];
        let given = self.given.lock().unwrap();
        fixed.map(str::to_owned).into_iter().chain(given.iter().cloned()).collect()
    }

    async fn place(&self, wish: OrderWish) -> Arranged<Vec<OrderId>> {
        let lines = wish.lines.iter().map(|line| market::line(line, |key| self.item(key))).collect();
        let mut draft = market::draft(&wish, lines, CURRENCY);
        draft.address.country = "SG".to_owned();
        let number = market::place(self.sandbox.market(), draft)?;
        Ok(vec![OrderId::from(self.face.sn(number).unwrap())])
    }

    async fn change(&self, order: &OrderId, change: Change) -> Arranged<()> {
        if change == Change::Confirm {
            return Err(NotArranged::because("Shopee knows no confirmation: a paid order can be shipped"));
        }
        let (number, lines) = self.order(order);
        market::change(self.sandbox.market(), number, &lines, change)?;
        if change == Change::Ship {
            // In the back office it is arranged; it has left once the carrier has it.
            assert_eq!(self.face.pick_up(number), 1);
        }
        Ok(())
    }

    async fn list(&self, wish: ListingWish) -> Arranged<ListingKey> {
        let (item, option) = market::list(self.sandbox.market(), &wish, CURRENCY, None);
        let item = face::item_id(item).to_string();
        Ok(match option {
            None => ListingKey::item(item),
            Some(option) => ListingKey::option(item, face::model_id(option).to_string()),
        })
    }

    async fn dispatches(&self, order: &OrderId) -> Arranged<Vec<SeenDispatch>> {
        let seen = market::dispatches(self.sandbox.market(), &self.order(order).1);
        let how = self.hand_over(order);
        let with = |parcel: SeenDispatch| match how {
            Some(how) => parcel.handed_over(how),
            None => parcel,
        };
        Ok(seen.into_iter().map(with).collect())
    }

    async fn quantity(&self, listing: &ListingKey) -> Arranged<u32> {
        let (item, option) = self.item(listing);
        Ok(self.sandbox.market().quantity(item, option).unwrap().try_into().unwrap())
    }

    async fn listing_facts(&self, listing: &ListingKey) -> Arranged<String> {
        Ok(market::facts(self.sandbox.market(), self.item(listing).0))
    }

    async fn is_cancelled(&self, order: &OrderId) -> Arranged<bool> {
        let cancelled = |line| self.sandbox.market().line(line).unwrap().cancelled_at.is_some();
        Ok(self.order(order).1.into_iter().all(cancelled))
    }

    fn error_answer(&self, text: &str) -> Arranged<ErrorAnswer> {
        let body = json!({
            "error": "error_param",
            "message": format!("Wrong parameters, detail: {text}."),
            "request_id": "b937c04e554847789cbf3fe33a0ad5f1",
        });
        Ok(ErrorAnswer::new("application/json", body.to_string()))
    }

    fn tracking(&self, n: u32) -> Option<Tracking> {
        let number = format!("{:012}", 440_000_000_000_u64 + u64::from(n));
        (self.ships != Ships::Shopee).then(|| Tracking::new("Ninja Van", number))
    }

    fn settings(&self) -> BTreeMap<String, Value> {
        let location = ("stock_location_id".to_owned(), json!(LOCATION));
        (self.ships == Ships::OwnCarrier).then_some(location).into_iter().collect()
    }

    async fn fresh_credentials(&self) -> Arranged<Credentials> {
        Ok(self.authorize().await)
    }

    fn wrong_credentials(&self) -> Arranged<Credentials> {
        Ok(self.good.clone().with(PARTNER_ID, face::PARTNER_ID.to_string()).with(PARTNER_KEY, WRONG_KEY))
    }

    async fn webhook(&self, order: &OrderId) -> Arranged<WebhookCall> {
        let call = self.face.push(self.order(order).0, face::Event::OrderStatus);
        let call = call.ok_or_else(|| NotArranged::Failed("the face has nothing to tell".to_owned()))?;
        Ok(WebhookCall::new(call.headers, call.body, call.address))
    }

    fn excuses(&self) -> &[Excuse] {
        match self.ships {
            Ships::Shopee => &[
                (
                    "texts_come_as_they_were_written",
                    "Shopee masks who receives a parcel; what is masked is withheld. Proved where the seller gives the numbers, with an app that sees everything",
                ),
                (
                    "bad_answers_to_reporting_a_parcel/behind the change",
                    "the tracking number is looked up once the shipment is arranged; without it the shipment is no less arranged, and the order is read again",
                ),
            ],
            Ships::SellerNumbers => &[],
            Ships::OwnCarrier => &[
                (
                    "a_missing_hand_over_is_not_guessed",
                    "a carrier of the seller's own takes neither pick-up nor drop-off; proved with Shopee's logistics",
                ),
                (
                    "the_hand_over_reaches_the_channel",
                    "a carrier of the seller's own takes neither pick-up nor drop-off; proved with Shopee's logistics",
                ),
            ],
        }
    }
}
