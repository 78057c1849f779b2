//! The signed calls that the channel makes (sheet section 4, push).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ids;
use super::order_row::View;
use super::reverse::ReverseOrder;
use super::{APP_KEY, APP_SECRET, Lazada, SHOPS, units};
use crate::faces::signing::hmac_sha256_hex;
use crate::market::OrderNumber;
use crate::{FaceContext, lock};

/// What a push tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PushMessage {
    /// Message type 0: an order item has another status.
    TradeOrder,
    /// Message type 10: a line of a reverse order has another status.
    ReverseOrder,
}

/// A call of the channel to the app's server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PushCall {
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte as it is signed.
    pub body: String,
}

/// The signature of a push, as it stands in its `Authorization` header: lower-case hex digits.
pub fn push_signature(app_key: &str, app_secret: &str, body: &[u8]) -> String {
    hmac_sha256_hex(app_secret.as_bytes(), &[app_key.as_bytes(), body])
}

pub(super) fn calls_of(
    face: &Lazada,
    context: &FaceContext,
    number: OrderNumber,
    message: PushMessage,
) -> Vec<PushCall> {
    let Some(order) = context.market.order(number) else { return Vec::new() };
    let Some(shop) = SHOPS.iter().find(|shop| shop.seller == order.seller) else { return Vec::new() };
    let (now, settings) = (context.clock.now(), face.settings());
    let ledger = lock(&face.0.ledger);
    let view = View::of(&order, &ledger, &settings, now);
    let trade_order_id = ids::order_id(number).to_string();
    let updated = ledger.updated(&order).timestamp();
    let data: Vec<Value> = match message {
        PushMessage::TradeOrder => view
            .items
            .iter()
            .map(|item| {
                json!({
                    "order_status": item.status.text(),
                    "trade_order_id": trade_order_id,
                    "trade_order_line_id": item.unit.id().to_string(),
                    "status_update_time": updated,
                })
            })
            .collect(),
        PushMessage::ReverseOrder => ReverseOrder::all(&order)
            .flat_map(|found| {
                let units = units::of_claim(&view.items, &ledger, found.claim, found.at);
                let trade_order_id = trade_order_id.clone();
                units.into_iter().map(move |unit| {
                    json!({
                        "reverse_order_id": found.id().to_string(),
                        "reverse_order_line_id": unit.reverse_line_id(found.at).to_string(),
                        "reverse_status": found.status(),
                        "trade_order_id": trade_order_id,
                        "trade_order_line_id": unit.id().to_string(),
                        "status_update_time": updated,
                    })
                })
            })
            .collect(),
    };
    let site = format!("lazada_{}", settings.country.code());
    data.into_iter().map(|data| signed(shop.id, message, &data, &site, now)).collect()
}

fn signed(seller_id: u64, message: PushMessage, data: &Value, site: &str, now: DateTime<Utc>) -> PushCall {
    let body = json!({
        "seller_id": seller_id.to_string(),
        "message_type": if message == PushMessage::TradeOrder { 0 } else { 10 },
        "data": data,
        "timestamp": now.timestamp_millis(),
        "site": site,
    })
    .to_string();
    let signature = push_signature(APP_KEY, APP_SECRET, body.as_bytes());
    let headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("authorization".to_owned(), signature),
    ];
    PushCall { headers, body }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_documentation() {
        let body = br#"{"seller_id":"1234567","message_type":0,"data":{"order_status":"unpaid"}}"#;
        assert_eq!(
            push_signature("123456", "helloworld", body),
            "aeed980a5b5951256175a70ba6b1aa0dff3a510579cc217faa7fdfa5c298cbbb"
        );
    }
}
