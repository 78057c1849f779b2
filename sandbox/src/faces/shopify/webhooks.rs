//! Webhook calls as the channel makes them, and subscriptions (sheet 4.8).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};

use super::book::{self, Book, Subscription};
use super::desk::Visit;
use super::node::Node;
use super::{CLIENT_SECRET, MYSHOPIFY_DOMAIN, ids, order_nodes, product_nodes, time};
use crate::faces::signing::hmac_sha256;
use crate::market::Order;

/// A call that the channel would make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WebhookCall {
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body, byte for byte as it is signed.
    pub body: String,
}

impl WebhookCall {
    /// The value of a header; upper and lower case are the same.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// The value of `X-Shopify-Hmac-Sha256`.
pub fn webhook_signature(secret: &str, body: &[u8]) -> String {
    STANDARD.encode(hmac_sha256(secret.as_bytes(), &[body]))
}

/// The call for an order. `topic` is as in the header, for example `orders/create`.
pub(super) fn call(
    book: &mut Book,
    topic: &str,
    order: &Order,
    version: &str,
    now: DateTime<Utc>,
) -> WebhookCall {
    let page = book.page(order.number);
    let body = body(book, &page, order, now).to_string();
    let id = book.next_id();
    let headers = [
        ("Content-Type", "application/json".to_owned()),
        ("X-Shopify-Topic", topic.to_owned()),
        ("X-Shopify-Hmac-Sha256", webhook_signature(CLIENT_SECRET, body.as_bytes())),
        ("X-Shopify-Shop-Domain", MYSHOPIFY_DOMAIN.to_owned()),
        ("X-Shopify-API-Version", version.to_owned()),
        ("X-Shopify-Webhook-Id", format!("b54557e4-bdd9-4b37-8a5f-{id:012}")),
        ("X-Shopify-Event-Id", format!("98880550-7158-44d4-b7cd-{id:012}")),
        ("X-Shopify-Triggered-At", now.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()),
    ];
    WebhookCall { headers: headers.map(|(name, value)| (name.to_owned(), value)).to_vec(), body }
}

/// REST-shaped: numeric ids, snake case.
fn body(book: &Book, page: &book::Page, order: &Order, now: DateTime<Utc>) -> Value {
    let status = match book::display_status(book, order, page, now) {
        "FULFILLED" => json!("fulfilled"),
        "PARTIALLY_FULFILLED" => json!("partial"),
        _ => Value::Null,
    };
    let lines: Vec<Value> = order
        .lines
        .iter()
        .map(|line| {
            let sku = if line.option.is_some() { &line.option_sku } else { &line.seller_code };
            json!({
                "id": line.number.0,
                "admin_graphql_api_id": ids::gid("LineItem", line.number.0),
                "sku": sku,
                "title": line.title,
                "variant_title": product_nodes::variant_title(&line.axes),
                "quantity": line.quantity,
                "price": line.unit_price.with_decimals(),
            })
        })
        .collect();
    json!({
        "id": order.number.0,
        "admin_graphql_api_id": ids::gid("Order", order.number.0),
        "name": order_nodes::name(order),
        "created_at": time(order.ordered_at),
        "updated_at": time(book::updated_at(order, page)),
        "cancelled_at": book::cancelled_at(order).map(time),
        "financial_status": book::financial_status(order, page).to_lowercase(),
        "fulfillment_status": status,
        "currency": order.currency,
        "email": order.buyer.email,
        "note": order.message,
        "test": page.test,
        "line_items": lines,
    })
}

pub(super) fn subscribe(visit: &Visit<'_>, arguments: &Value) -> Node {
    let payload = |node: Option<Node>, error: Option<&str>| {
        let errors: Vec<Node> = error
            .into_iter()
            .map(|message| {
                let field = json!(["webhookSubscription", "callbackUrl"]);
                Node::new("UserError").leaves([("field", field), ("message", json!(message))])
            })
            .collect();
        Node::new("WebhookSubscriptionCreatePayload")
            .with("webhookSubscription", node)
            .with("userErrors", errors)
    };
    let input = &arguments["webhookSubscription"];
    let uri = input["uri"].as_str().or_else(|| input["callbackUrl"].as_str()).unwrap_or_default();
    if uri.is_empty() {
        return payload(None, Some("Address can't be blank"));
    }
    if !["https://", "pubsub://", "arn:aws:events:"].iter().any(|start| uri.starts_with(start)) {
        return payload(None, Some("Address protocol is not supported"));
    }
    let topic = arguments["topic"].as_str().unwrap_or_default();
    let mut book = visit.book();
    let taken = |(seller, known): &(String, Subscription)| {
        *seller == visit.token.seller && known.topic == topic && known.uri == uri
    };
    if book.subscriptions.iter().any(taken) {
        return payload(None, Some("Address for this topic has already been taken"));
    }
    let fields = input["includeFields"].as_array().map(Vec::as_slice).unwrap_or_default();
    let subscription = Subscription {
        id: book.next_id(),
        topic: topic.to_owned(),
        uri: uri.to_owned(),
        created_at: visit.now,
        include_fields: fields.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
    };
    let format = input["format"].as_str().unwrap_or("JSON");
    let node = Node::new("WebhookSubscription").leaves([
        ("createdAt", json!(time(subscription.created_at))),
        ("filter", input["filter"].clone()),
        ("format", json!(format)),
        ("id", json!(ids::gid("WebhookSubscription", subscription.id))),
        ("includeFields", json!(subscription.include_fields)),
        ("topic", json!(subscription.topic)),
        ("updatedAt", json!(time(subscription.created_at))),
        ("uri", json!(subscription.uri)),
    ]);
    book.subscriptions.push((visit.token.seller.clone(), subscription));
    payload(Some(node), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_sheets_vector() {
        let body = br##"{"id":820982911946154508,"name":"#9999"}"##;
        let signature = webhook_signature("shpss_0123456789abcdef", body);
        assert_eq!(signature, "j3YIshZL/7bARdL+Vo9Loi7edJbdnTLUYLGgOO8C4GA=");
    }
}
