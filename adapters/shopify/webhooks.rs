//! Webhooks: the signature, what they say, and asking for them (sheet 4.8).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::Sha256;

use crate::channel::{Context, Operation, Secret, WebhookEvent, WebhookReply, WebhookRequest};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Nature, Url};
use crate::lenient::{Text, body_text};
use crate::model::OrderId;

use super::api::Api;
use super::documents::SUBSCRIBE;
use super::parts::{Id, time};
use super::wire::{Answer, user_errors};

/// A failed delivery is repeated for 4 hours with the time of the first. What is older was not sent by Shopify now.
const OLDEST: TimeDelta = TimeDelta::hours(6);
/// A clock may be off by as much.
const NEWEST: TimeDelta = TimeDelta::minutes(10);

/// What the library wants to be told.
pub(super) const TOPICS: &[&str] = &[
    "ORDERS_CREATE",
    "ORDERS_UPDATED",
    "ORDERS_PAID",
    "ORDERS_CANCELLED",
    "ORDERS_EDITED",
    "APP_UNINSTALLED",
];

/// The signature of a body, as the channel sends it: for applications that test their own endpoint.
pub fn sign_webhook(client_secret: &Secret, body: &[u8]) -> String {
    STANDARD.encode(mac(client_secret, body).finalize().into_bytes())
}

/// HMAC takes keys of any length.
fn mac(client_secret: &Secret, body: &[u8]) -> Hmac<Sha256> {
    let key = client_secret.expose().as_bytes();
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key)
        .unwrap_or_else(|_| <Hmac<Sha256> as KeyInit>::new(&hmac::digest::Key::<Hmac<Sha256>>::default()));
    mac.update(body);
    mac
}

/// Checks a call and reads it.
///
/// # Errors
/// `Unauthorized` when it is not the channel's, not this shop's, or too old.
pub(super) fn receive(
    client_secret: &Secret,
    shop: &str,
    now: DateTime<Utc>,
    request: &WebhookRequest<'_>,
) -> Result<WebhookReply> {
    let no = |why: &str| Error::new(ErrorKind::Unauthorized).with_message(format!("a webhook {why}"));
    let signature = request.header("x-shopify-hmac-sha256").ok_or_else(|| no("without a signature"))?;
    let signature = STANDARD.decode(signature.trim()).map_err(|_| no("whose signature can't be read"))?;
    // In constant time.
    mac(client_secret, request.body).verify_slice(&signature).map_err(|_| no("with a wrong signature"))?;
    // One secret signs for all shops of an app.
    let from = request.header("x-shopify-shop-domain").unwrap_or_default().trim();
    if !from.eq_ignore_ascii_case(shop) {
        return Err(no("of another shop"));
    }
    if let Some(triggered) = request.header("x-shopify-triggered-at").and_then(time)
        && (now - triggered > OLDEST || triggered - now > NEWEST)
    {
        return Err(no("that is too old, or ahead of this machine's clock"));
    }
    let topic = request.header("x-shopify-topic").unwrap_or_default().trim().to_ascii_lowercase();
    let delivery_id = request.header("x-shopify-webhook-id").map(|id| id.trim().to_owned());
    let event = event(&topic, request.body, shop)?;
    Ok(WebhookReply {
        status: 200,
        body: String::new(),
        delivery_id: delivery_id.filter(|id| !id.is_empty()),
        events: vec![event],
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Notice<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    admin_graphql_api_id: Text<'a>,
    #[serde(borrow)]
    order_id: Text<'a>,
    #[serde(borrow)]
    order_edit: Option<Edit<'a>>,
    #[serde(borrow)]
    myshopify_domain: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Edit<'a> {
    #[serde(borrow)]
    order_id: Text<'a>,
}

/// What a topic says. The body is only a hint of the order: it is read, so that order and number of deliveries do not
/// matter.
fn event(topic: &str, body: &[u8], shop: &str) -> Result<WebhookEvent> {
    let text = body_text(body);
    let notice: Notice<'_> = serde_json::from_str(&text).unwrap_or_default();
    let other = || Ok(WebhookEvent::Other(topic.to_owned()));
    let order = |id: &str| Ok(WebhookEvent::OrdersChanged(vec![OrderId::from(id)]));
    let numbered = |number: &Text<'_>| {
        let number = number.filled().filter(|n| n.bytes().all(|byte| byte.is_ascii_digit()))?;
        Some(format!("gid://shopify/Order/{number}"))
    };
    match topic.split_once('/') {
        // The topic is not signed. Only the body of this topic describes the shop itself.
        Some(("app", "uninstalled")) if notice.myshopify_domain.trim().eq_ignore_ascii_case(shop) => {
            Ok(WebhookEvent::Deauthorized)
        }
        Some(("app", "uninstalled")) => Err(Error::new(ErrorKind::Unauthorized)
            .with_message("a webhook whose body does not belong to its topic")),
        Some(("orders", "edited")) => match notice.order_edit.and_then(|edit| numbered(&edit.order_id)) {
            Some(id) => order(&id),
            None => other(),
        },
        Some(("orders", _)) => {
            let named = notice.admin_graphql_api_id.filled();
            match named.filter(|id| id.starts_with("gid://shopify/Order/")) {
                Some(id) => order(id),
                None => numbered(&notice.id).map_or_else(other, |id| order(&id)),
            }
        }
        Some(("fulfillments" | "refunds" | "order_transactions", _)) => {
            numbered(&notice.order_id).map_or_else(other, |id| order(&id))
        }
        _ => other(),
    }
}

#[derive(Serialize)]
struct Variables<'a> {
    topic: &'a str,
    subscription: Subscription<'a>,
}

#[derive(Serialize)]
struct Subscription<'a> {
    uri: &'a str,
    format: &'static str,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Payload<'a> {
    #[serde(borrow)]
    webhook_subscription: Option<Id<'a>>,
    #[serde(borrow)]
    user_errors: Option<&'a RawValue>,
}

/// Whether a subscription was made; `false`: it was there before.
///
/// # Errors
/// `Refused` with the channel's text; `MalformedResponse` when the answer does not say.
pub(super) fn subscribed(body: &[u8]) -> Result<bool> {
    let text = body_text(body);
    let answer = Answer::read(&text)?;
    let payload: Payload<'_> = answer.root(&SUBSCRIBE)?;
    match user_errors(payload.user_errors)?.first() {
        // The only sign of it is this text.
        Some(error) if error.message.contains("already been taken") => Ok(false),
        Some(error) => {
            Err(Error::new(ErrorKind::Refused).with_code(&error.code).with_message(&error.message))
        }
        None if payload.webhook_subscription.is_some() => Ok(true),
        None => Err(Error::malformed("the answer names no subscription")),
    }
}

/// Asks for all topics; answers with how many are new.
///
/// # Errors
/// `InvalidInput` for an address that is not https; any kind.
pub(super) async fn subscribe(api: &Api, cx: &Context, address: &str) -> Result<usize> {
    let url = Url::parse(address).map_err(|_| Error::invalid("the webhook address can't be read"))?;
    if url.scheme() != "https" {
        return Err(Error::invalid("webhooks are sent to https only"));
    }
    let mut new = 0;
    for topic in TOPICS {
        let variables = Variables { topic, subscription: Subscription { uri: url.as_str(), format: "JSON" } };
        // A second one is refused as taken: it changes nothing more.
        let nature = Nature::SafeWrite;
        let answer = api.call(cx, Operation::ReceiveWebhook, nature, &SUBSCRIBE, variables).await?;
        new += usize::from(subscribed(&answer.body)?);
    }
    Ok(new)
}
