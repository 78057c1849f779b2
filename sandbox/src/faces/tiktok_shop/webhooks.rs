//! Webhook addresses, and the signed calls that the channel makes (sheet section 4).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::{Failure, INVALID_PARAM, Outcome};
use super::cancels;
use super::desk::Visit;
use super::ids;
use super::order_row::View;
use super::{APP_KEY, APP_SECRET, TikTokShop, webhook_signature};
use crate::market::{ClaimKind, OrderNumber};
use crate::{FaceContext, lock};

/// What a webhook tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Event {
    /// Type 1: an order has another status.
    OrderStatusChange,
    /// Type 3: the recipient's address was changed.
    RecipientAddressUpdate,
    /// Type 4: an order was split.
    PackageUpdate,
    /// Type 11: a cancellation has another status.
    CancellationStatusChange,
}

impl Event {
    fn number(self) -> u32 {
        match self {
            Self::OrderStatusChange => 1,
            Self::RecipientAddressUpdate => 3,
            Self::PackageUpdate => 4,
            Self::CancellationStatusChange => 11,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::OrderStatusChange => "ORDER_STATUS_CHANGE",
            Self::RecipientAddressUpdate => "RECIPIENT_ADDRESS_UPDATE",
            Self::PackageUpdate => "PACKAGE_UPDATE",
            Self::CancellationStatusChange => "CANCELLATION_STATUS_CHANGE",
        }
    }
}

/// Topics that an address can be set for, beside those of [`Event`].
const OTHER_EVENTS: [&str; 5] = [
    "PRODUCT_STATUS_CHANGE",
    "SELLER_DEAUTHORIZATION",
    "UPCOMING_AUTHORIZATION_EXPIRATION",
    "RETURN_STATUS_CHANGE",
    "PRODUCT_INFORMATION_CHANGE",
];

/// A call of the channel to the app's server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WebhookCall {
    /// The address that was set for the event, if one was.
    pub address: Option<String>,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte as it is signed.
    pub body: String,
}

#[derive(Debug, Default)]
pub(super) struct Webhooks {
    /// By seller and event.
    set: BTreeMap<(String, String), Address>,
    made: u64,
}

#[derive(Debug, Clone)]
struct Address {
    url: String,
    created: DateTime<Utc>,
    updated: DateTime<Utc>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    address: String,
    event_type: String,
}

impl Asked {
    fn read(visit: &Visit<'_>) -> Result<Self, Failure> {
        let asked: Self = visit.call.body(INVALID_PARAM)?;
        let ours = [
            Event::OrderStatusChange,
            Event::RecipientAddressUpdate,
            Event::PackageUpdate,
            Event::CancellationStatusChange,
        ];
        let known = ours.iter().any(|event| event.name() == asked.event_type)
            || OTHER_EVENTS.contains(&asked.event_type.as_str());
        if known { Ok(asked) } else { Err(Failure::invalid("event_type")) }
    }
}

/// `update-shop-webhook`: one address for each event.
pub(super) fn set(visit: &Visit<'_>) -> Outcome {
    let asked = Asked::read(visit)?;
    if !asked.address.starts_with("https://") || asked.address.len() > 255 {
        return Err(Failure::invalid("address"));
    }
    let mut webhooks = lock(&visit.desk.face.0.webhooks);
    let new = Address { url: asked.address, created: visit.now, updated: visit.now };
    let kept = webhooks.set.entry((visit.seller.clone(), asked.event_type)).or_insert_with(|| new.clone());
    kept.url = new.url;
    kept.updated = visit.now;
    Ok(json!({}))
}

/// `delete-shop-webhook`.
pub(super) fn delete(visit: &Visit<'_>) -> Outcome {
    let asked = Asked::read(visit)?;
    lock(&visit.desk.face.0.webhooks).set.remove(&(visit.seller.clone(), asked.event_type));
    Ok(json!({}))
}

/// `get-shop-webhooks`.
pub(super) fn list(visit: &Visit<'_>) -> Outcome {
    let webhooks = lock(&visit.desk.face.0.webhooks);
    let own = webhooks.set.iter().filter(|((seller, _), _)| *seller == visit.seller);
    let rows: Vec<Value> = own
        .map(|((_, event), address)| {
            json!({
                "event_type": event,
                "address": address.url,
                "create_time": address.created.timestamp(),
                "update_time": address.updated.timestamp(),
            })
        })
        .collect();
    Ok(json!({ "total_count": rows.len(), "webhooks": rows }))
}

pub(super) fn call_of(
    face: &TikTokShop,
    context: &FaceContext,
    number: OrderNumber,
    event: Event,
) -> Option<WebhookCall> {
    let order = context.market.order(number)?;
    let now = context.clock.now();
    let settings = face.settings();
    let mut ledger = lock(&face.0.ledger);
    ledger.follow(&order, &settings, now);
    let view = View::of(&order, &ledger, &settings, now);
    let order_id = ids::order_id(number);
    let data = match event {
        Event::OrderStatusChange => json!({
            "order_id": order_id,
            // Shorter than in the order calls.
            "order_status": if view.status() == "CANCELLED" { "CANCEL" } else { view.status() },
            "is_on_hold_order": settings.hold_minutes > 0,
            "update_time": view.updated().timestamp(),
        }),
        Event::RecipientAddressUpdate => {
            json!({ "order_id": order_id, "update_time": view.updated().timestamp() })
        }
        Event::PackageUpdate => {
            let package =
                view.packages.iter().filter(|package| package.split).max_by_key(|package| package.updated)?;
            json!({
                "sc_type": "SPLIT",
                "role_type": "ROLE_SELLER",
                "package_list": [{ "package_id": package.id, "order_id_list": [order_id] }],
                "update_time": package.updated.timestamp(),
            })
        }
        Event::CancellationStatusChange => {
            let (at, claim) =
                order.claims.iter().enumerate().rev().find(|(_, claim)| claim.kind == ClaimKind::Cancel)?;
            let by_buyer = context.market.read(|state| cancels::is_by_buyer(state, claim.line));
            json!({
                "order_id": order_id,
                "cancellations_role": if by_buyer { "BUYER" } else { "SELLER" },
                "cancel_status": cancels::status(claim),
                "cancel_id": ids::cancel_id(claim.line, at),
                "create_time": claim.requested_at.timestamp(),
            })
        }
    };
    let shop = face.shops().into_iter().find(|shop| shop.seller == order.seller)?;
    let mut webhooks = lock(&face.0.webhooks);
    webhooks.made += 1;
    let body = json!({
        "type": event.number(),
        "tts_notification_id": (7_327_112_393_057_000_000 + webhooks.made).to_string(),
        "shop_id": shop.id,
        "timestamp": now.timestamp(),
        "data": data,
    })
    .to_string();
    let key = (order.seller.clone(), event.name().to_owned());
    let signature = webhook_signature(APP_KEY, APP_SECRET, body.as_bytes());
    let headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("authorization".to_owned(), signature),
    ];
    Some(WebhookCall { address: webhooks.set.get(&key).map(|address| address.url.clone()), headers, body })
}
