//! Rakuten Ichiba. An order of the market is one order.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sales_channels::adapters::rakuten::{Config, LICENSE_KEY, Rakuten, SERVICE_SECRET};
use sales_channels::channel::{Channel, Credentials};
use sales_channels::conformance::{
    Arranged, Change, Connection, ErrorAnswer, Excuse, Harness, ListingKind, ListingWish, Login, NotArranged,
    OrderWish, SeenDispatch,
};
use sales_channels::http::HttpClient;
use sales_channels::model::{ListingKey, OrderId};
use sales_channels_sandbox::Sandbox;
use sales_channels_sandbox::faces::rakuten as face;
use sales_channels_sandbox::market::{ItemId, LineNumber, OptionId, OrderNumber};

use super::market;

const WRONG: &str = "SL000000_nobody";
const FRESH: &str = "SL123456_fresh";
const FRESH_SECRET: &str = "SP123456_fresh";

pub struct RakutenHarness {
    sandbox: Sandbox,
    face: face::Rakuten,
}

impl RakutenHarness {
    pub async fn start() -> Self {
        let face = face::Rakuten::new().payment(face::PaymentStep::AtOnce);
        let sandbox = Sandbox::builder().face(face.clone()).now(market::start()).start().await.unwrap();
        Self { sandbox, face }
    }

    fn order(&self, id: &OrderId) -> (OrderNumber, Vec<LineNumber>) {
        let number = OrderNumber(id.as_str().rsplit('-').next().unwrap().parse().unwrap());
        (number, self.sandbox.market().lines_of(number))
    }

    fn item(&self, key: &ListingKey) -> (ItemId, Option<OptionId>) {
        self.sandbox.market().read(|state| {
            let item = state.items().find(|item| item.seller_code.to_lowercase() == key.item).unwrap();
            let option = item.options.iter().find(|option| option.id.to_string() == key.option);
            (item.id, option.map(|option| option.id))
        })
    }
}

fn credentials(secret: &str, key: &str) -> Credentials {
    Credentials::new().with(SERVICE_SECRET, secret).with(LICENSE_KEY, key)
}

#[async_trait]
impl Harness for RakutenHarness {
    async fn connect(&self, client: &HttpClient, with: Connection) -> Arranged<Arc<dyn Channel>> {
        if with.page_size.is_some() {
            return Err(NotArranged::because("orders are taken in one search, or by halves of the window"));
        }
        let key = match with.login {
            Login::Good => face::LICENSE_KEY,
            Login::Wrong => WRONG,
            Login::Expired => face::EXPIRED_LICENSE_KEY,
        };
        let base = self.sandbox.base_url("rakuten").unwrap().parse()?;
        let config = Config::new()?.at(base).with_calls_per_second(100_000);
        Ok(Arc::new(Rakuten::new(client, "shop", &credentials(face::SERVICE_SECRET, key), config)?))
    }

    fn now(&self) -> DateTime<Utc> {
        self.sandbox.clock().now()
    }

    fn changes(&self) -> u64 {
        market::changes(self.sandbox.market())
    }

    fn secrets(&self) -> Vec<String> {
        let pairs =
            [face::LICENSE_KEY, face::EXPIRED_LICENSE_KEY, WRONG].map(|key| (face::SERVICE_SECRET, key));
        let all = pairs.into_iter().chain([(FRESH_SECRET, FRESH)]);
        all.flat_map(|(secret, key)| {
            let header = face::Key::new(secret, key, None).authorization();
            [secret.to_owned(), key.to_owned(), header.trim_start_matches("ESA ").to_owned()]
        })
        .collect()
    }

    async fn place(&self, wish: OrderWish) -> Arranged<Vec<OrderId>> {
        if wish.paid_at.is_none() {
            return Err(NotArranged::because(
                "Rakuten's orders are confirmed before they are paid: 100 is new",
            ));
        }
        let lines = wish.lines.iter().map(|line| market::line(line, |key| self.item(key))).collect();
        let number = market::place(self.sandbox.market(), market::draft(&wish, lines, "JPY"))?;
        let order = self.sandbox.market().order(number).unwrap();
        Ok(vec![OrderId::from(face::Rakuten::order_number(&order))])
    }

    async fn change(&self, order: &OrderId, change: Change) -> Arranged<()> {
        let (number, lines) = self.order(order);
        if change == Change::Deliver {
            return Err(NotArranged::because("Rakuten knows no state after \"shipped\""));
        }
        market::change(self.sandbox.market(), number, &lines, change)
    }

    async fn list(&self, wish: ListingWish) -> Arranged<ListingKey> {
        let (item, option) = market::list(self.sandbox.market(), &wish, "JPY", None);
        let manage = self.sandbox.market().item(item).unwrap().seller_code.to_lowercase();
        Ok(match (wish.kind, option) {
            (ListingKind::Option, Some(option)) => ListingKey::option(manage, option.to_string()),
            _ => ListingKey::option(manage.clone(), manage),
        })
    }

    async fn confirmations(&self, order: &OrderId) -> Arranged<usize> {
        Ok(self.sandbox.market().confirmations(self.order(order).1[0]))
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
        let line = self.sandbox.market().line(self.order(order).1[0]).unwrap();
        Ok(line.cancelled_at.is_some())
    }

    fn error_answer(&self, text: &str) -> Arranged<ErrorAnswer> {
        let model = serde_json::json!({ "messageType": "ERROR", "messageCode": "ORDER_EXT_API_ERROR_011", "message": text });
        let body = serde_json::json!({ "MessageModelList": [model] });
        Ok(ErrorAnswer::new("application/json", body.to_string()))
    }

    async fn fresh_credentials(&self) -> Arranged<Credentials> {
        let ends = self.now() + chrono::TimeDelta::days(60);
        self.face.put_key(face::Key::new(FRESH_SECRET, FRESH, Some(ends)));
        Ok(credentials(FRESH_SECRET, FRESH).expiring(ends))
    }

    fn wrong_credentials(&self) -> Arranged<Credentials> {
        Ok(credentials(face::SERVICE_SECRET, WRONG))
    }

    fn excuses(&self) -> &[Excuse] {
        &[
            (
                "expired_credentials_are_told",
                "Rakuten answers GA0001 to wrong and to ended keys alike; the date of the end is kept with the keys (KE-1)",
            ),
            (
                "a_part_of_an_order_leaves_as_a_part",
                "Rakuten counts no pieces: a package counts as shipped with its first tracking number",
            ),
            (
                "the_rest_follows_in_a_second_parcel",
                "Rakuten counts no pieces: a second tracking number is added to the same package",
            ),
            (
                "an_unknown_listing_blocks_no_other",
                "Rakuten takes a quantity for a SKU that does not exist, and keeps it for 24 hours",
            ),
        ]
    }
}
