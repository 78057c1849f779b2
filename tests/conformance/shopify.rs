//! Shopify, over the Admin GraphQL API. An order of the market is one order; each SKU is a variant of a product.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sales_channels::adapters::shopify::{ACCESS_TOKEN, CLIENT_SECRET, Config, SHOP, Shopify};
use sales_channels::channel::{Channel, Credentials};
use sales_channels::conformance::{
    Arranged, Change, Connection, ErrorAnswer, Excuse, Harness, ListingKind, ListingWish, Login, NotArranged,
    OrderWish, SeenDispatch, WebhookCall,
};
use sales_channels::http::HttpClient;
use sales_channels::model::{Currency, ListingKey, OrderId};
use sales_channels_sandbox::Sandbox;
use sales_channels_sandbox::faces::shopify as face;
use sales_channels_sandbox::market::{ItemId, LineNumber, OptionId, OrderNumber};

use super::market;

const WRONG: &str = "shpat_nobody";
const FRESH: &str = "shpat_fresh";

pub struct ShopifyHarness {
    sandbox: Sandbox,
    face: face::Shopify,
}

impl ShopifyHarness {
    pub async fn start() -> Self {
        let face = face::Shopify::new();
        let sandbox = Sandbox::builder().face(face.clone()).now(market::start()).start().await.unwrap();
        Self { sandbox, face }
    }

    fn order(&self, id: &OrderId) -> (OrderNumber, Vec<LineNumber>) {
        let number = OrderNumber(number(id.as_str()));
        (number, self.sandbox.market().lines_of(number))
    }

    fn item(&self, key: &ListingKey) -> (ItemId, Option<OptionId>) {
        let item = ItemId(number(&key.item));
        let option = OptionId(number(&key.option));
        let known = self.sandbox.market().item(item).unwrap().option(option).is_some();
        (item, known.then_some(option))
    }
}

/// The number at the end of a global id.
fn number(id: &str) -> u64 {
    id.rsplit('/').next().unwrap().parse().unwrap()
}

fn credentials(token: &str) -> Credentials {
    Credentials::new()
        .with(SHOP, face::MYSHOPIFY_DOMAIN)
        .with(ACCESS_TOKEN, token)
        .with(CLIENT_SECRET, face::CLIENT_SECRET)
}

#[async_trait]
impl Harness for ShopifyHarness {
    async fn connect(&self, client: &HttpClient, with: Connection) -> Arranged<Arc<dyn Channel>> {
        if with.page_size.is_some() {
            return Err(NotArranged::because("the size of a page is the adapter's own"));
        }
        let token = match with.login {
            Login::Good => face::ACCESS_TOKEN,
            Login::Wrong => WRONG,
            Login::Expired => face::EXPIRED_ACCESS_TOKEN,
        };
        let base = self.sandbox.base_url("shopify").unwrap().parse()?;
        let config =
            Config::new(Currency::JPY, chrono_tz::Asia::Tokyo).at(base).with_calls_per_second(100_000);
        Ok(Arc::new(Shopify::new(client, "shop", &credentials(token), config)?))
    }

    fn now(&self) -> DateTime<Utc> {
        self.sandbox.clock().now()
    }

    fn changes(&self) -> u64 {
        market::changes(self.sandbox.market())
    }

    fn secrets(&self) -> Vec<String> {
        [face::ACCESS_TOKEN, face::EXPIRED_ACCESS_TOKEN, face::CLIENT_SECRET, WRONG, FRESH]
            .map(str::to_owned)
            .to_vec()
    }

    async fn place(&self, wish: OrderWish) -> Arranged<Vec<OrderId>> {
        let lines = wish.lines.iter().map(|line| market::line(line, |key| self.item(key))).collect();
        let number = market::place(self.sandbox.market(), market::draft(&wish, lines, "JPY"))?;
        Ok(vec![OrderId::from(format!("gid://shopify/Order/{number}"))])
    }

    async fn change(&self, order: &OrderId, change: Change) -> Arranged<()> {
        if [Change::Confirm, Change::AskCancel, Change::TakeCancelBack].contains(&change) {
            return Err(NotArranged::because(format!("Shopify has no {change:?}")));
        }
        let (number, lines) = self.order(order);
        market::change(self.sandbox.market(), number, &lines, change)
    }

    async fn list(&self, wish: ListingWish) -> Arranged<ListingKey> {
        let (item, option) = market::list(self.sandbox.market(), &wish, "JPY", None);
        let variant = option.map_or(item.0, |option| option.0);
        let product = format!("gid://shopify/Product/{item}");
        Ok(ListingKey::option(product, format!("gid://shopify/ProductVariant/{variant}")))
    }

    async fn dispatches(&self, order: &OrderId) -> Arranged<Vec<SeenDispatch>> {
        let (number, _) = self.order(order);
        let order = self.sandbox.market().order(number).unwrap();
        let mailed = !order.mails.is_empty();
        let seen = |parcel: &sales_channels_sandbox::market::Parcel| {
            let pieces = parcel.lines.iter().map(|line| line.quantity).sum();
            SeenDispatch::new(parcel.tracking.clone(), pieces).mailed(mailed)
        };
        Ok(order.parcels.iter().map(seen).collect())
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
        let error = serde_json::json!({ "message": text, "extensions": { "code": "INTERNAL_SERVER_ERROR" } });
        Ok(ErrorAnswer::new("application/json", serde_json::json!({ "errors": [error] }).to_string()))
    }

    async fn fresh_credentials(&self) -> Arranged<Credentials> {
        self.face.put_token(FRESH, face::AccessToken::with_scopes(face::ALL_SCOPES));
        Ok(credentials(FRESH))
    }

    fn wrong_credentials(&self) -> Arranged<Credentials> {
        Ok(credentials(WRONG))
    }

    async fn webhook(&self, order: &OrderId) -> Arranged<WebhookCall> {
        let call = self.face.webhook("orders/updated", self.order(order).0);
        let call = call.ok_or_else(|| NotArranged::because("the face sends no such webhook"))?;
        let headers = call.headers.into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect();
        Ok(WebhookCall::new(headers, call.body, "https://app.example/webhooks"))
    }

    fn excuses(&self) -> &[Excuse] {
        &[("expired_credentials_are_told", "Shopify answers 401 to wrong and to ended tokens alike")]
    }
}
