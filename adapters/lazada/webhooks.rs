//! Pushes: checking and reading them (sheet 4). Where they are sent is set in App Console.

use hmac::Mac;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::channel::{Credentials, Secret, WebhookEvent, WebhookReply, WebhookRequest};
use crate::error::{Error, ErrorKind, Result};
use crate::lenient::{Text, body_text, object};
use crate::model::OrderId;

use super::auth::{APP_KEY, APP_SECRET, SELLER_ID, hmac, hmac_hex};

/// The signature of a push, lower-case hex of HMAC-SHA256 over app key and body: for tests of an application's own
/// endpoint.
///
/// # Errors
/// `Configuration` when the secret can't be a key.
///
/// ```
/// use sales_channels::adapters::lazada::webhook_signature;
///
/// let body = br#"{"seller_id":"1234567","message_type":0,"data":{"order_status":"unpaid"}}"#;
/// let signature = webhook_signature("123456", &"helloworld".into(), body)?;
/// assert_eq!(signature, "aeed980a5b5951256175a70ba6b1aa0dff3a510579cc217faa7fdfa5c298cbbb");
/// # Ok::<(), sales_channels::Error>(())
/// ```
pub fn webhook_signature(app_key: &str, app_secret: &Secret, body: &[u8]) -> Result<String> {
    hmac_hex(app_secret, &[app_key.as_bytes(), body])
}

/// The seller that a push is about. An app has one address for all its sellers: this tells which account to hand it to,
/// which then checks the signature.
pub fn webhook_seller(body: &[u8]) -> Option<String> {
    let body = body_text(body);
    let wire: Wire<'_> = object("the push", &body).ok()?;
    wire.seller_id.filled().map(str::to_owned)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Wire<'a> {
    #[serde(borrow)]
    message_type: Text<'a>,
    #[serde(borrow)]
    seller_id: Text<'a>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireData<'a> {
    #[serde(borrow)]
    trade_order_id: Text<'a>,
}

/// Checks and reads a push. A repeat is harmless: the order is read again.
///
/// # Errors
/// `Unauthorized` when the signature is wrong; `MalformedResponse` when it can't be read.
pub(super) fn receive(request: &WebhookRequest<'_>, credentials: &Credentials) -> Result<WebhookReply> {
    let refuse = |why: &str| Error::new(ErrorKind::Unauthorized).with_message(why);
    let signature = request.header("authorization").ok_or_else(|| refuse("the push is not signed"))?;
    let signature = hex(signature.trim()).ok_or_else(|| refuse("the push's signature is none"))?;
    let key = credentials.part(APP_KEY)?;
    hmac(&credentials.part(APP_SECRET)?, &[key.expose().as_bytes(), request.body])?
        .verify_slice(&signature)
        .map_err(|_| refuse("the push's signature is wrong"))?;
    let body = body_text(request.body);
    let wire: Wire<'_> = object("the push", &body)?;
    let ours = credentials
        .get(SELLER_ID)
        .is_none_or(|seller| wire.seller_id.filled().is_none_or(|told| told == seller.expose().trim()));
    let event = if ours { event(&wire)? } else { WebhookEvent::Other("about another seller".to_owned()) };
    // The channel wants 200 and nothing in it; it gives no id of the delivery.
    Ok(WebhookReply { status: 200, body: String::new(), delivery_id: None, events: vec![event] })
}

/// What a push says. Whatever names an order is news about it; the order is read for what it is.
fn event(wire: &Wire<'_>) -> Result<WebhookEvent> {
    let data: WireData<'_> = match wire.data {
        Some(data) if data.get() != "null" => object("the push's data", data.get())?,
        _ => WireData::default(),
    };
    match (wire.message_type.trim(), data.trade_order_id.filled()) {
        (_, Some(id)) => Ok(WebhookEvent::OrdersChanged(vec![OrderId::from(id)])),
        // Answered with an error, it is sent again; the next cycle sees the order in any case.
        ("0" | "10", None) => Err(Error::malformed("the push names no order")),
        (kind, None) => Ok(WebhookEvent::Other(kind.to_owned())),
    }
}

/// The bytes of a hex text; `None`: it is none.
fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.bytes().map(|b| u8::try_from(char::from(b).to_digit(16)?).ok()).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    digits.chunks(2).map(|pair| Some(pair.first()? << 4 | pair.get(1)?)).collect()
}
