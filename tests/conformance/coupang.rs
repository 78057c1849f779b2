//! Coupang. An order of the market is one box, and a box is an order of the adapter.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use sales_channels::adapters::coupang::{ACCESS_KEY, Config, Coupang, SECRET_KEY, VENDOR_ID, WING_USER_ID};
use sales_channels::channel::{Channel, Credentials, Tracking};
use sales_channels::conformance::{
    Arranged, Change, Connection, ErrorAnswer, Excuse, Harness, ListingKind, ListingWish, Login, NotArranged,
    OrderWish, SeenDispatch,
};
use sales_channels::http::HttpClient;
use sales_channels::model::{ListingKey, OrderId};
use sales_channels_sandbox::Sandbox;
use sales_channels_sandbox::faces::coupang as face;
use sales_channels_sandbox::market::{ItemId, LineNumber, OptionId, OrderNumber};

use super::market;

const WRONG: &str = "00000000-0000-0000-0000-000000000001";
/// So long a key lives.
const LIFE: TimeDelta = TimeDelta::days(180);
/// Rows on a page, as usual.
const PAGE: usize = 100;

pub struct CoupangHarness {
    sandbox: Sandbox,
    face: face::Coupang,
    /// All keys that were good once, the newest last: a new one ends the others.
    keys: Mutex<Vec<(String, String)>>,
    /// The market's order and lines behind each box.
    boxes: Mutex<HashMap<OrderId, (OrderNumber, Vec<LineNumber>)>>,
}

impl CoupangHarness {
    pub async fn start() -> Self {
        // Lists are cut off after 3 seconds unless more time is asked for.
        let face = face::Coupang::new().slow();
        let sandbox = Sandbox::builder().face(face.clone()).now(market::start()).start().await.unwrap();
        let keys = Mutex::new(vec![(face::ACCESS_KEY.to_owned(), face::SECRET_KEY.to_owned())]);
        Self { sandbox, face, keys, boxes: Mutex::default() }
    }

    fn order(&self, id: &OrderId) -> (OrderNumber, Vec<LineNumber>) {
        self.boxes.lock().unwrap()[id].clone()
    }

    /// The id of an order's only box.
    fn only_box(&self, number: OrderNumber) -> OrderId {
        let boxes = self.face.boxes(number);
        assert_eq!(boxes.len(), 1, "an order is one box");
        OrderId::from(boxes[0].to_string())
    }

    fn item(&self, key: &ListingKey) -> (ItemId, Option<OptionId>) {
        let id = ItemId(key.item.parse().unwrap());
        let item = self.sandbox.market().item(id).unwrap();
        let named =
            |option: &OptionId| face::Coupang::vendor_item(id, Some(*option)).to_string() == key.option;
        (id, item.options.iter().map(|option| option.id).find(named))
    }

    fn good_keys(&self) -> (String, String) {
        self.keys.lock().unwrap().last().unwrap().clone()
    }
}

fn credentials(access: &str, secret: &str) -> Credentials {
    Credentials::new()
        .with(ACCESS_KEY, access)
        .with(SECRET_KEY, secret)
        .with(VENDOR_ID, face::VENDOR_ID)
        .with(WING_USER_ID, face::WING_USER_ID)
}

#[async_trait]
impl Harness for CoupangHarness {
    async fn connect(&self, client: &HttpClient, with: Connection) -> Arranged<Arc<dyn Channel>> {
        // The server's own limit, below what the adapter asks for.
        let _ = self.face.clone().page_size(with.page_size.unwrap_or(PAGE));
        let (access, secret) = self.good_keys();
        let credentials = match with.login {
            Login::Good => credentials(&access, &secret).expiring(self.now() + LIFE),
            Login::Wrong => credentials(WRONG, face::SECRET_KEY),
            // No answer tells it from a wrong one: the merchant enters when a key ends (KE-1).
            Login::Expired => credentials(face::EXPIRED_ACCESS_KEY, face::SECRET_KEY).expiring(self.now()),
        };
        let base = self.sandbox.base_url("coupang").unwrap().parse()?;
        let config = Config::korea()?.at(base).with_calls_per_second(100_000);
        Ok(Arc::new(Coupang::new(client, "shop", &credentials, config)?))
    }

    fn now(&self) -> DateTime<Utc> {
        self.sandbox.clock().now()
    }

    fn changes(&self) -> u64 {
        market::changes(self.sandbox.market())
    }

    fn secrets(&self) -> Vec<String> {
        let keys = self.keys.lock().unwrap();
        let good = keys.iter().flat_map(|(access, secret)| [access.clone(), secret.clone()]);
        good.chain([face::EXPIRED_ACCESS_KEY, WRONG].map(str::to_owned)).collect()
    }

    async fn place(&self, wish: OrderWish) -> Arranged<Vec<OrderId>> {
        let lines = wish.lines.iter().map(|line| market::line(line, |key| self.item(key))).collect();
        let number = market::place(self.sandbox.market(), market::draft(&wish, lines, "KRW"))?;
        let (id, lines) = (self.only_box(number), self.sandbox.market().lines_of(number));
        self.boxes.lock().unwrap().insert(id.clone(), (number, lines));
        Ok(vec![id])
    }

    async fn change(&self, order: &OrderId, change: Change) -> Arranged<()> {
        let (number, lines) = self.order(order);
        market::change(self.sandbox.market(), number, &lines, change)?;
        if change == Change::Pay && self.only_box(number) != *order {
            return Err(NotArranged::Failed("another order was paid before, and got this box".to_owned()));
        }
        Ok(())
    }

    async fn list(&self, wish: ListingWish) -> Arranged<ListingKey> {
        let (item, option) = market::list(self.sandbox.market(), &wish, "KRW", None);
        let option = option.filter(|_| wish.kind == ListingKind::Option);
        let vendor_item = face::Coupang::vendor_item(item, option);
        Ok(ListingKey::option(item.to_string(), vendor_item.to_string()))
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
        let (_, lines) = self.order(order);
        let cancelled = |line| self.sandbox.market().line(line).unwrap().cancelled_at.is_some();
        Ok(lines.into_iter().all(cancelled))
    }

    fn error_answer(&self, text: &str) -> Arranged<ErrorAnswer> {
        let body = serde_json::json!({ "code": "ERROR", "message": text });
        Ok(ErrorAnswer::new("application/json;charset=UTF-8", body.to_string()))
    }

    fn tracking(&self, n: u32) -> Option<Tracking> {
        Some(Tracking::new("CJ대한통운", format!("{:012}", 680_000_000_000_u64 + u64::from(n))))
    }

    fn refusal_memo(&self) -> Option<String> {
        // Refusing says that the parcel has left, and with which waybill.
        Some("CJGLS 680000000099".to_owned())
    }

    async fn fresh_credentials(&self) -> Arranged<Credentials> {
        let (access, secret) = self.face.reissue_key().unwrap();
        self.keys.lock().unwrap().push((access.clone(), secret.clone()));
        Ok(credentials(&access, &secret).expiring(self.now() + LIFE))
    }

    fn wrong_credentials(&self) -> Arranged<Credentials> {
        Ok(credentials(WRONG, face::SECRET_KEY))
    }

    fn excuses(&self) -> &[Excuse] {
        &[]
    }
}
