//! Webhook calls as the channel makes them (sheet "Webhooks").

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::ledger::view;
use super::order_row::order_id;
use super::{CLIENT_SECRET, Ecwid, store_of};
use crate::faces::signing::hmac_sha256;
use crate::market::OrderNumber;
use crate::{FaceContext, lock};

/// A call that the channel would make, by POST.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WebhookCall {
    /// What is added to the app's address: `eventtype=…`.
    pub query: String,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body. Only two fields of it are signed.
    pub body: String,
}

impl WebhookCall {
    /// The value of a header; upper and lower case are the same.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// The value of `X-Ecwid-Webhook-Signature`.
pub fn webhook_signature(client_secret: &str, event_created: i64, event_id: &str) -> String {
    let created = event_created.to_string();
    let message: [&[u8]; 3] = [created.as_bytes(), b".", event_id.as_bytes()];
    STANDARD.encode(hmac_sha256(client_secret.as_bytes(), &message))
}

/// The call for an order. In `application.*` events the entity is the store, as text.
pub(super) fn call(
    face: &Ecwid,
    context: &FaceContext,
    order: OrderNumber,
    event_type: &str,
) -> Option<WebhookCall> {
    let settings = face.settings();
    let mut ledger = lock(&face.0.ledger);
    let seller = context.market.order(order)?.seller;
    let store = store_of(&seller)?;
    let (id, now, told) = context.market.read(|state| {
        let view = view(state, &ledger, &seller, order)?;
        Some((order_id(&settings, &view.order), view.statuses(), view.card.told.clone()))
    })?;
    ledger.events += 1;
    let event_id = format!("80aece08-40e8-4145-8764-{:012x}", ledger.events);
    let created = context.clock.now().timestamp();
    let mut body = json!({
        "eventId": event_id,
        "eventCreated": created,
        "storeId": store,
        "entityId": order,
        "eventType": event_type,
    });
    if event_type.starts_with("application.") {
        body["entityId"] = json!(store.to_string());
    } else {
        let old = told.filter(|_| event_type == "order.updated");
        body["data"] = data(&id, &now, old);
        ledger.card_mut(order).told = Some(now);
    }
    let headers = [
        ("Content-Type", "application/json; charset=UTF-8".to_owned()),
        ("X-Ecwid-Webhook-Signature", webhook_signature(CLIENT_SECRET, created, &event_id)),
    ];
    Some(WebhookCall {
        query: format!("eventtype={event_type}"),
        headers: headers.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        body: body.to_string(),
    })
}

fn data(id: &str, now: &(String, String), old: Option<(String, String)>) -> Value {
    let mut fields = Map::new();
    fields.insert("orderId".to_owned(), json!(id));
    if let Some((payment, fulfillment)) = old {
        fields.insert("oldPaymentStatus".to_owned(), json!(payment));
        fields.insert("oldFulfillmentStatus".to_owned(), json!(fulfillment));
    }
    fields.insert("newPaymentStatus".to_owned(), json!(now.0));
    fields.insert("newFulfillmentStatus".to_owned(), json!(now.1));
    Value::Object(fields)
}
