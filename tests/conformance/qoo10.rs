//! Qoo10 Japan. One line of a market order is one Qoo10 order number.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use sales_channels::adapters::qoo10::{CERTIFICATION_KEY, Config, Qoo10};
use sales_channels::channel::{Channel, Credentials};
use sales_channels::conformance::{
    Arranged, Change, Connection, ErrorAnswer, Excuse, Harness, ListingKind, ListingWish, Login, NotArranged,
    OrderWish, SeenDispatch,
};
use sales_channels::http::HttpClient;
use sales_channels::model::{ListingKey, OrderId};
use sales_channels_sandbox::Sandbox;
use sales_channels_sandbox::faces::qoo10 as face;
use sales_channels_sandbox::market::{ItemId, LineNumber, OptionId, OrderNumber};

use super::market;

const WRONG: &str = "no-such-qoo10-key";
const FRESH: &str = "fresh-qoo10-key";

pub struct Harness10 {
    sandbox: Sandbox,
    face: face::Qoo10,
}

impl Harness10 {
    pub async fn start() -> Self {
        let face = face::Qoo10::new().page_size(3);
        let sandbox = Sandbox::builder().face(face.clone()).now(market::start()).start().await.unwrap();
        Self { sandbox, face }
    }

    fn line(&self, order: &OrderId) -> (OrderNumber, LineNumber) {
        let line: LineNumber = order.as_str().parse().unwrap();
        let order = self.sandbox.market().read(|state| state.line(line).map(|(order, _)| order.number));
        (order.unwrap(), line)
    }

    fn item(&self, key: &ListingKey) -> (ItemId, Option<OptionId>) {
        let id: ItemId = key.item.parse().unwrap();
        let item = self.sandbox.market().item(id).unwrap();
        let option = item.options.iter().find(|option| option.sku == key.option).map(|option| option.id);
        (id, option)
    }
}

#[async_trait]
impl Harness for Harness10 {
    async fn connect(&self, client: &HttpClient, with: Connection) -> Arranged<Arc<dyn Channel>> {
        if with.page_size.is_some() {
            return Err(NotArranged::because(
                "Qoo10 pages no orders: a window is asked for in pieces of time",
            ));
        }
        let key = match with.login {
            Login::Good => face::KEY,
            Login::Wrong => WRONG,
            Login::Expired => face::EXPIRED_KEY,
        };
        let base = self.sandbox.base_url("qoo10").unwrap().parse()?;
        let config = Config::japan()?.at(base).with_calls_per_second(100_000);
        let credentials = Credentials::new().with(CERTIFICATION_KEY, key);
        Ok(Arc::new(Qoo10::new(client, "shop", &credentials, config)?))
    }

    fn now(&self) -> DateTime<Utc> {
        self.sandbox.clock().now()
    }

    fn changes(&self) -> u64 {
        market::changes(self.sandbox.market())
    }

    fn secrets(&self) -> Vec<String> {
        [face::KEY, face::EXPIRED_KEY, WRONG, FRESH].map(str::to_owned).to_vec()
    }

    async fn place(&self, wish: OrderWish) -> Arranged<Vec<OrderId>> {
        let lines = wish.lines.iter().map(|line| market::line(line, |key| self.item(key))).collect();
        let order = market::place(self.sandbox.market(), market::draft(&wish, lines, "JPY"))?;
        let lines = self.sandbox.market().lines_of(order);
        Ok(lines.into_iter().map(|line| OrderId::from(line.to_string())).collect())
    }

    async fn change(&self, order: &OrderId, change: Change) -> Arranged<()> {
        let (order, line) = self.line(order);
        market::change(self.sandbox.market(), order, &[line], change)
    }

    async fn list(&self, wish: ListingWish) -> Arranged<ListingKey> {
        let ends = NaiveDate::from_ymd_opt(2027, 3, 31);
        let (item, _) = market::list(self.sandbox.market(), &wish, "JPY", ends);
        Ok(match wish.kind {
            ListingKind::Plain => ListingKey::item(item.to_string()),
            ListingKind::Option => ListingKey::option(item.to_string(), wish.sku),
        })
    }

    async fn confirmations(&self, order: &OrderId) -> Arranged<usize> {
        Ok(self.sandbox.market().confirmations(self.line(order).1))
    }

    async fn ship_dates(&self, order: &OrderId) -> Arranged<Vec<NaiveDate>> {
        Ok(self.sandbox.market().ship_dates_set(self.line(order).1))
    }

    async fn dispatches(&self, order: &OrderId) -> Arranged<Vec<SeenDispatch>> {
        Ok(market::dispatches(self.sandbox.market(), &[self.line(order).1]))
    }

    async fn quantity(&self, listing: &ListingKey) -> Arranged<u32> {
        let (item, option) = self.item(listing);
        Ok(self.sandbox.market().quantity(item, option).unwrap().try_into().unwrap())
    }

    async fn listing_facts(&self, listing: &ListingKey) -> Arranged<String> {
        Ok(market::facts(self.sandbox.market(), self.item(listing).0))
    }

    async fn is_cancelled(&self, order: &OrderId) -> Arranged<bool> {
        let line = self.sandbox.market().line(self.line(order).1).unwrap();
        Ok(line.cancelled_at.is_some())
    }

    fn error_answer(&self, text: &str) -> Arranged<ErrorAnswer> {
        let body = serde_json::json!({ "ResultCode": -10101, "ResultMsg": text });
        Ok(ErrorAnswer::new("application/json", body.to_string()))
    }

    async fn fresh_credentials(&self) -> Arranged<Credentials> {
        self.face.set_key(FRESH, face::KeyState::Active);
        Ok(Credentials::new().with(CERTIFICATION_KEY, FRESH))
    }

    fn wrong_credentials(&self) -> Arranged<Credentials> {
        Ok(Credentials::new().with(CERTIFICATION_KEY, WRONG))
    }

    fn excuses(&self) -> &[Excuse] {
        &[]
    }
}
