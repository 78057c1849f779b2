//! Webhooks: checking and reading them, and telling the channel where to send them (sheet 4).

use chrono::{DateTime, TimeDelta, Utc};
use hmac::Mac;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{Context, Credentials, Operation, Secret, WebhookEvent, WebhookReply, WebhookRequest};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Method, Nature};
use crate::lenient::{Text, body_text, object};
use crate::model::OrderId;

use super::auth::{APP_KEY, APP_SECRET, Api, Ask, SHOP_ID, hmac, hmac_hex};
use super::errors::Endpoint;
use super::wire::{Envelope, json, readable, rows, texts, time};

/// The events that tell of changes to orders: status, package, cancel request, address.
pub const EVENTS: [&str; 4] =
    ["ORDER_STATUS_CHANGE", "PACKAGE_UPDATE", "CANCELLATION_STATUS_CHANGE", "RECIPIENT_ADDRESS_UPDATE"];

/// The channel's last retry comes 15.5 hours after the event: what is older is a replay.
const OLDEST: TimeDelta = TimeDelta::hours(24);
/// How far the channel's clock may be ahead of ours.
const AHEAD: TimeDelta = TimeDelta::minutes(5);

/// The signature of a webhook, lower-case hex of HMAC-SHA256 over app key and body: for tests of an application's own
/// endpoint.
///
/// # Errors
/// `Configuration` when the secret can't be a key.
///
/// ```
/// use sales_channels::adapters::tiktok_shop::webhook_signature;
///
/// let signature = webhook_signature("mykey", &"s3cr3t".into(), br#"{"type":1}"#)?;
/// assert_eq!(signature, "ca1b40180c54694b6d91a2f5efd4aa3247762fc3e3dfdebbc5f636c72d8a8725");
/// # Ok::<(), sales_channels::Error>(())
/// ```
pub fn webhook_signature(app_key: &str, app_secret: &Secret, body: &[u8]) -> Result<String> {
    hmac_hex(app_secret, &[app_key.as_bytes(), body])
}

/// The shop that a webhook is about. An app has one address for all its shops: this tells which account to hand it to,
/// which then checks the signature.
pub fn webhook_shop(body: &[u8]) -> Option<String> {
    let body = body_text(body);
    let wire: Wire<'_> = object("the webhook", &body).ok()?;
    wire.shop_id.filled().map(str::to_owned)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Wire<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    tts_notification_id: Text<'a>,
    #[serde(borrow)]
    shop_id: Text<'a>,
    #[serde(borrow)]
    timestamp: Text<'a>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireData<'a> {
    #[serde(borrow)]
    order_id: Text<'a>,
    #[serde(borrow)]
    package_list: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WirePackage<'a> {
    #[serde(borrow)]
    order_id_list: Option<&'a RawValue>,
}

/// Checks and reads a webhook.
///
/// # Errors
/// `Unauthorized` when the signature is wrong or the webhook too old; `MalformedResponse` when it can't be read.
pub(super) fn receive(
    request: &WebhookRequest<'_>,
    credentials: &Credentials,
    now: DateTime<Utc>,
) -> Result<WebhookReply> {
    let refuse = |why: &str| Error::new(ErrorKind::Unauthorized).with_message(why);
    let signature = request.header("authorization").ok_or_else(|| refuse("the webhook is not signed"))?;
    let signature = hex(signature.trim()).ok_or_else(|| refuse("the webhook's signature is none"))?;
    let key = credentials.part(APP_KEY)?;
    hmac(&credentials.part(APP_SECRET)?, &[key.expose().as_bytes(), request.body])?
        .verify_slice(&signature)
        .map_err(|_| refuse("the webhook's signature is wrong"))?;
    let body = body_text(request.body);
    let wire: Wire<'_> = object("the webhook", &body)?;
    if time(&wire.timestamp).is_some_and(|at| now - at > OLDEST || at - now > AHEAD) {
        return Err(refuse("the webhook's time is too long ago or ahead: it may be a replay"));
    }
    let ours = credentials
        .get(SHOP_ID)
        .is_none_or(|shop| wire.shop_id.filled().is_none_or(|told| told == shop.expose().trim()));
    let event = if ours { event(&wire)? } else { WebhookEvent::Other("about another shop".to_owned()) };
    Ok(WebhookReply {
        status: 200,
        // The channel wants nothing in it.
        body: String::new(),
        delivery_id: wire.tts_notification_id.filled().map(str::to_owned),
        events: vec![event],
    })
}

/// What a webhook says. Whatever names orders is news about them; they are read for what it is.
fn event(wire: &Wire<'_>) -> Result<WebhookEvent> {
    let kind = wire.kind.trim();
    if kind == "6" {
        return Ok(WebhookEvent::Deauthorized);
    }
    let data: WireData<'_> = match wire.data {
        Some(data) => object("the webhook's data", data.get())?,
        None => WireData::default(),
    };
    let packages: Vec<WirePackage<'_>> = readable(data.package_list);
    let mut ids: Vec<OrderId> = data.order_id.filled().map(OrderId::from).into_iter().collect();
    for id in packages.iter().flat_map(|package| texts(package.order_id_list)) {
        let id = OrderId::from(id);
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    match (kind, ids.is_empty()) {
        (_, false) => Ok(WebhookEvent::OrdersChanged(ids)),
        // Answered with an error, it is sent again; the next cycle sees the order in any case.
        ("1" | "3" | "4" | "11", true) => Err(Error::malformed("the webhook names no order")),
        (kind, true) => Ok(WebhookEvent::Other(kind.to_owned())),
    }
}

/// The bytes of a hex text; `None`: it is none.
fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.bytes().map(|b| u8::try_from(char::from(b).to_digit(16)?).ok()).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    digits.chunks(2).map(|pair| Some(pair.first()? << 4 | pair.get(1)?)).collect()
}

const PATH: &str = "/event/202309/webhooks";

#[derive(Serialize)]
struct Subscription<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
    event_type: &'a str,
}

/// The call that sets the address of an event.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn subscribe_ask(event_type: &str, address: &str) -> Result<Ask> {
    let body = json(&Subscription { address: Some(address), event_type })?;
    Ok(Ask { method: Method::PUT, ..Ask::post(Endpoint::SetWebhook, PATH, body) })
}

/// The call that ends the sending of an event.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn unsubscribe_ask(event_type: &str) -> Result<Ask> {
    let body = json(&Subscription { address: None, event_type })?;
    Ok(Ask { method: Method::DELETE, ..Ask::post(Endpoint::SetWebhook, PATH, body) })
}

/// Where the channel sends an event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShopWebhook {
    /// The event.
    pub event_type: String,
    /// The address.
    pub address: String,
}

#[derive(Deserialize)]
struct Subscriptions<'a> {
    #[serde(borrow)]
    webhooks: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SubscriptionRow<'a> {
    #[serde(borrow)]
    event_type: Text<'a>,
    #[serde(borrow)]
    address: Text<'a>,
}

/// The webhooks of an answer.
///
/// # Errors
/// `MalformedResponse` when it can't be read.
pub(super) fn subscriptions_result(body: &[u8]) -> Result<Vec<ShopWebhook>> {
    let body = body_text(body);
    let data: Subscriptions<'_> = Envelope::read(&body)?.data()?;
    rows(data.webhooks)?
        .into_iter()
        .map(|raw| {
            let row: SubscriptionRow<'_> = object("a webhook", raw.get())?;
            Ok(ShopWebhook {
                event_type: row.event_type.trim().to_owned(),
                address: row.address.trim().to_owned(),
            })
        })
        .collect()
}

/// Longest address of a webhook.
const MOST_ADDRESS: usize = 255;

/// Tells the channel where to send each event. Setting the same address again changes nothing.
pub(super) async fn subscribe(api: &Api, cx: &Context, address: &str) -> Result<()> {
    if !address.starts_with("https://") || address.chars().count() > MOST_ADDRESS {
        return Err(Error::invalid(
            "a webhook's address begins with https:// and has at most 255 characters",
        ));
    }
    for event_type in EVENTS {
        let ask = subscribe_ask(event_type, address)?;
        api.call(cx, Operation::ReceiveWebhook, Nature::SafeWrite, &ask).await?;
    }
    Ok(())
}

/// Ends the sending of each event.
pub(super) async fn unsubscribe(api: &Api, cx: &Context) -> Result<()> {
    for event_type in EVENTS {
        api.call(cx, Operation::ReceiveWebhook, Nature::SafeWrite, &unsubscribe_ask(event_type)?).await?;
    }
    Ok(())
}

/// Where the channel sends events now.
pub(super) async fn subscriptions(api: &Api, cx: &Context) -> Result<Vec<ShopWebhook>> {
    let ask = Ask::get(Endpoint::Webhooks, PATH);
    let answer = api.call(cx, Operation::ReceiveWebhook, Nature::Read, &ask).await?;
    subscriptions_result(&answer.body)
}
