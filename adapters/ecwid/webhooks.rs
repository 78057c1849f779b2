//! Webhooks: checking and reading them (sheet, webhooks). The address is set by Ecwid's support; no call asks for them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::Sha256;

use crate::channel::{Secret, WebhookEvent, WebhookReply, WebhookRequest};
use crate::error::{Error, ErrorKind, Result};
use crate::lenient::{Text, body_text, object};
use crate::model::OrderId;

use super::wire::part;

/// A delivery is tried for 24 hours with the time of the event. What is older was not sent by Ecwid now.
const OLDEST: TimeDelta = TimeDelta::hours(48);
/// A clock may be off by as much.
const NEWEST: TimeDelta = TimeDelta::minutes(5);

/// The signature of a webhook, as the channel sends it in `X-Ecwid-Webhook-Signature`: for applications that test their
/// own endpoint. It covers the time and the id of the event, not the body.
///
/// ```
/// use sales_channels::adapters::ecwid::sign_webhook;
///
/// let signature = sign_webhook(&"test_client_secret".into(), 1234567, "80aece08-40e8-4145-8764-6c2f0d38678");
/// assert_eq!(signature, "ekmGPQc/IpCwO6woAiM+L8uvY6chew4n6JVQCiDrEVw=");
/// ```
pub fn sign_webhook(client_secret: &Secret, event_created: i64, event_id: &str) -> String {
    let mac = mac(client_secret, &event_created.to_string(), event_id);
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The store that a webhook is about. An app has one address for all its stores: this tells which account to hand it to,
/// which then checks the signature.
pub fn webhook_store(body: &[u8]) -> Option<String> {
    let body = body_text(body);
    let wire: Wire<'_> = object("the webhook", &body).ok()?;
    wire.store_id.filled().map(str::to_owned)
}

/// HMAC takes keys of any length.
fn mac(client_secret: &Secret, event_created: &str, event_id: &str) -> Hmac<Sha256> {
    let key = client_secret.expose().as_bytes();
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key)
        .unwrap_or_else(|_| <Hmac<Sha256> as KeyInit>::new(&hmac::digest::Key::<Hmac<Sha256>>::default()));
    mac.update(event_created.as_bytes());
    mac.update(b".");
    mac.update(event_id.as_bytes());
    mac
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(borrow)]
    event_id: Text<'a>,
    #[serde(borrow)]
    event_created: Text<'a>,
    #[serde(borrow)]
    event_type: Text<'a>,
    #[serde(borrow)]
    store_id: Text<'a>,
    #[serde(borrow)]
    entity_id: Text<'a>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Data<'a> {
    #[serde(borrow)]
    order_id: Text<'a>,
}

/// Checks a call and reads it.
///
/// # Errors
/// `Unauthorized` when it is not signed well, not this store's, or too old.
pub(super) fn receive(
    client_secret: &Secret,
    store_id: &str,
    now: DateTime<Utc>,
    request: &WebhookRequest<'_>,
) -> Result<WebhookReply> {
    let no = |why: &str| Error::new(ErrorKind::Unauthorized).with_message(format!("a webhook {why}"));
    let signature = request.header("x-ecwid-webhook-signature").ok_or_else(|| no("without a signature"))?;
    let signature = STANDARD.decode(signature.trim()).map_err(|_| no("whose signature can't be read"))?;
    let body = body_text(request.body);
    // What is signed stands in the body: one that can't be read can't be checked.
    let wire: Wire<'_> = object("the webhook", &body).map_err(|_| no("that can't be read"))?;
    let (created, id) = wire
        .event_created
        .filled()
        .zip(wire.event_id.filled())
        .ok_or_else(|| no("without the id or the time of its event"))?;
    // In constant time.
    mac(client_secret, created, id).verify_slice(&signature).map_err(|_| no("with a wrong signature"))?;
    // The store is not signed, and one secret signs for all stores of an app.
    if wire.store_id.filled() != Some(store_id) {
        return Err(no("of another store"));
    }
    let at = wire.event_created.integer().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    // A signature never ends by itself.
    if at.is_none_or(|at| now - at > OLDEST || at - now > NEWEST) {
        return Err(no("that is too old, or ahead of this machine's clock"));
    }
    Ok(WebhookReply {
        status: 200,
        body: String::new(),
        delivery_id: Some(id.to_owned()),
        events: vec![event(&wire)],
    })
}

/// What a webhook says: a hint to read an order, and no more. Neither its body nor its kind is signed, so that the app's
/// removal is not taken from it: the next call proves that.
fn event(wire: &Wire<'_>) -> WebhookEvent {
    let kind = wire.event_type.trim();
    let data: Data<'_> = part(wire.data).unwrap_or_default();
    let order = data.order_id.filled().or_else(|| wire.entity_id.filled());
    match (kind, order) {
        ("order.created" | "order.updated" | "order.deleted", Some(id)) => {
            WebhookEvent::OrdersChanged(vec![OrderId::from(id)])
        }
        _ => WebhookEvent::Other(kind.chars().take(100).collect()),
    }
}
