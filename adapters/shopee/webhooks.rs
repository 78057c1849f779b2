//! Pushes: checking and reading them, and telling the channel where to send them (sheet 4.9).

use chrono::{DateTime, TimeDelta, Utc};
use hmac::Mac;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{Context, Credentials, Operation, Secret, WebhookEvent, WebhookReply, WebhookRequest};
use crate::error::{Error, ErrorKind, Result};
use crate::http::Nature;
use crate::lenient::{Text, body_text, object};
use crate::model::OrderId;

use super::api::Api;
use super::auth::{Ask, PARTNER_KEY, PUSH_PARTNER_KEY, SHOP_ID, hmac, hmac_hex};
use super::errors::Endpoint;
use super::wire::{json, texts, time};

/// The pushes that this library reads: authorised, withdrawn, order, tracking number, authorisation ends, package.
pub const PUSHES: [u32; 6] = [1, 2, 3, 4, 12, 30];

/// The channel's last retry comes 3.6 hours after the event: what is older than a day is a replay.
const OLDEST: TimeDelta = TimeDelta::hours(24);
/// How far the channel's clock may be ahead of ours.
const AHEAD: TimeDelta = TimeDelta::minutes(5);

/// The signature of a push, lower-case hex of HMAC-SHA256 over callback URL, `|` and body: for tests of an application's
/// own endpoint.
///
/// # Errors
/// `Configuration` when the key can't be one.
///
/// ```
/// use sales_channels::adapters::shopee::push_signature;
///
/// let signature = push_signature(&"mykey".into(), "https://example.com/push", br#"{"code":3}"#)?;
/// assert_eq!(signature.len(), 64);
/// # Ok::<(), sales_channels::Error>(())
/// ```
pub fn push_signature(key: &Secret, callback_url: &str, body: &[u8]) -> Result<String> {
    hmac_hex(key, &[callback_url.as_bytes(), b"|", body])
}

/// The shop that a push is about. An app has one address for all its shops: this tells which account to hand it to, which
/// then checks the signature.
pub fn push_shop(body: &[u8]) -> Option<String> {
    let body = body_text(body);
    let wire: Wire<'_> = object("the push", &body).ok()?;
    wire.shops().into_iter().next()
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Wire<'a> {
    #[serde(borrow)]
    code: Text<'a>,
    #[serde(borrow)]
    shop_id: Text<'a>,
    #[serde(borrow)]
    timestamp: Text<'a>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Data<'a> {
    #[serde(borrow)]
    ordersn: Text<'a>,
    #[serde(borrow)]
    order_sn: Text<'a>,
    #[serde(borrow)]
    shop_id: Text<'a>,
    #[serde(borrow)]
    shopid: Text<'a>,
    #[serde(borrow)]
    shop_id_list: Option<&'a RawValue>,
    #[serde(borrow)]
    verify_info: Option<&'a RawValue>,
}

impl<'a> Wire<'a> {
    fn data(&self) -> Data<'a> {
        self.data.and_then(|raw| object("the push's data", raw.get()).ok()).unwrap_or_default()
    }

    /// The shops that it names.
    fn shops(&self) -> Vec<String> {
        let data = self.data();
        let named = [&self.shop_id, &data.shop_id, &data.shopid];
        let mut shops: Vec<String> =
            named.into_iter().filter_map(|id| id.filled().map(str::to_owned)).collect();
        shops.extend(texts(data.shop_id_list));
        shops.retain(|shop| shop != "0");
        shops
    }
}

fn reply(event: WebhookEvent) -> WebhookReply {
    // Anything in the answer's body counts as a failure.
    WebhookReply { status: 200, body: String::new(), delivery_id: None, events: vec![event] }
}

/// Checks and reads a push.
///
/// # Errors
/// `Unauthorized` when the signature is wrong or the push too old; `MalformedResponse` when it can't be read.
pub(super) fn receive(
    request: &WebhookRequest<'_>,
    credentials: &Credentials,
    now: DateTime<Utc>,
) -> Result<WebhookReply> {
    let body = body_text(request.body);
    let wire: Option<Wire<'_>> = object("the push", &body).ok();
    if wire.as_ref().is_some_and(is_ping) {
        // The console's "Verify" may come signed with an empty key: it is answered, and nothing is done (sheet 4.9).
        return Ok(reply(WebhookEvent::Other("verify".to_owned())));
    }
    check_signature(request, credentials)?;
    let wire = wire.ok_or_else(|| Error::malformed("the push is not an object"))?;
    if time(&wire.timestamp).is_some_and(|at| now - at > OLDEST || at - now > AHEAD) {
        return Err(refuse("the push's time is too long ago or ahead: it may be a replay"));
    }
    event(&wire, credentials).map(reply)
}

fn refuse(why: &str) -> Error {
    Error::new(ErrorKind::Unauthorized).with_message(why)
}

/// Whether it is the console's test of the address: it names neither shop nor order.
fn is_ping(wire: &Wire<'_>) -> bool {
    let data = wire.data();
    let named = data.ordersn.filled().or(data.order_sn.filled()).is_some() || !wire.shops().is_empty();
    data.verify_info.is_some() && !named
}

fn check_signature(request: &WebhookRequest<'_>, credentials: &Credentials) -> Result<()> {
    let signature = request.header("authorization").ok_or_else(|| refuse("the push is not signed"))?;
    let signature = hex(signature.trim()).ok_or_else(|| refuse("the push's signature is none"))?;
    if request.url.is_empty() {
        return Err(refuse(
            "the address that Shopee calls is signed: give it with the push, as it is registered",
        ));
    }
    // The push page has a key of its own; without one, the guide's partner key (sheet 4.9).
    let name = if credentials.get(PUSH_PARTNER_KEY).is_some() { PUSH_PARTNER_KEY } else { PARTNER_KEY };
    hmac(&credentials.part(name)?, &[request.url.as_bytes(), b"|", request.body])?
        .verify_slice(&signature)
        .map_err(|_| refuse("the push's signature is wrong"))
}

/// What a push says. Whatever names an order is news about it; the order is read for what it is.
fn event(wire: &Wire<'_>, credentials: &Credentials) -> Result<WebhookEvent> {
    let (code, data, shops) = (wire.code.trim(), wire.data(), wire.shops());
    let own = credentials.part(SHOP_ID)?;
    let ours = shops.iter().any(|shop| shop == own.expose());
    if !ours && !shops.is_empty() {
        return Ok(WebhookEvent::Other("about another shop".to_owned()));
    }
    if code == "2" {
        // Without a shop it is about somebody else of the app: nothing is switched off for that.
        return Ok(if ours { WebhookEvent::Deauthorized } else { WebhookEvent::Other("2".to_owned()) });
    }
    match (code, data.ordersn.filled().or(data.order_sn.filled())) {
        (_, Some(order)) => Ok(WebhookEvent::OrdersChanged(vec![OrderId::from(order)])),
        // Answered with an error, it is sent again; the next cycle sees the order in any case.
        ("3" | "4", None) => Err(Error::malformed("the push names no order")),
        (code, None) => Ok(WebhookEvent::Other(code.to_owned())),
    }
}

/// The bytes of a hex text; `None`: it is none.
fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.bytes().map(|b| u8::try_from(char::from(b).to_digit(16)?).ok()).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    digits.chunks(2).map(|pair| Some(pair.first()? << 4 | pair.get(1)?)).collect()
}

#[derive(Serialize)]
struct PushConfig<'a> {
    callback_url: &'a str,
    set_push_config_on: [u32; 6],
}

/// The call that sets the address of the pushes.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn push_ask(callback_url: &str) -> Result<Ask> {
    let body = json(&PushConfig { callback_url, set_push_config_on: PUSHES })?;
    Ok(Ask::post(Endpoint::SetPush, body).public())
}

/// Tells the channel where to send pushes of all shops of the app. Setting the same address again changes nothing.
pub(super) async fn register(api: &Api, cx: &Context, callback_url: &str) -> Result<()> {
    if !callback_url.starts_with("https://") {
        return Err(Error::invalid("the callback URL begins with https://"));
    }
    api.call(cx, Operation::ReceiveWebhook, Nature::SafeWrite, &push_ask(callback_url)?).await.map(drop)
}
