//! The face of Dummy: what templates/adapter asks for.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::{Face, FaceContext, RequestHead};

/// The token that works.
pub const TOKEN: &str = "sandbox-dummy-token";

/// The face.
#[derive(Debug, Clone, Copy)]
pub struct Dummy;

impl Face for Dummy {
    fn id(&self) -> &'static str {
        "dummy"
    }

    fn router(&self, context: FaceContext) -> Router {
        Router::new().route("/orders", get(orders)).with_state(context)
    }

    fn operation(&self, _: &RequestHead<'_>, _: &[u8]) -> String {
        "orders".into()
    }

    fn credentials(&self) -> Value {
        json!({ "token": TOKEN })
    }
}

async fn orders(
    State(context): State<FaceContext>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    if headers.get("x-token").is_none_or(|token| token != TOKEN) {
        return axum::http::StatusCode::UNAUTHORIZED.into_response();
    }
    let query = query.unwrap_or_default();
    let number = |name: &str| -> Option<i64> {
        let (_, value) = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name)?;
        value.parse().ok()
    };
    let (from, to) = (number("from").unwrap_or_default(), number("to").unwrap_or(i64::MAX));
    let rows: Vec<Value> = context.market.read(|state| {
        let paid = |order: &crate::market::Order| order.paid_at.map(|at| at.timestamp());
        let lines = state.orders().iter().filter(|order| paid(order).is_some_and(|at| (from..to).contains(&at)));
        lines
            .map(|order| {
                let line = &order.lines[0];
                json!({ "id": order.number.to_string(), "status": "paid", "paid": paid(order), "sku": line.seller_code,
                    "quantity": line.quantity, "price": line.unit_price.to_string() })
            })
            .collect()
    });
    Json(json!({ "orders": rows, "next": null })).into_response()
}
