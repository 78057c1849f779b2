//! The operations by path, and the checks that all of them share (sheet sections 2, 3 and 7).

use std::collections::HashMap;

use axum::http::Method;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::answer::{Failure, Outcome, respond};
use super::call::Call;
use super::settings::{Gateway, Market};
use super::{Coupang, acknowledge, cancel, invoices, ordersheets, products, returns};
use crate::market::{Acting, Actor, MarketState, Order};
use crate::{FaceContext, RequestHead, lock};

type Run = fn(&Visit<'_>) -> Outcome;

struct Operation {
    name: &'static str,
    methods: &'static [Method],
    /// Below the prefix of its API.
    path: &'static str,
    run: Run,
}

const OPEN_API: &str = "/v2/providers/openapi/apis/api/";
const SELLER_API: &str = "/v2/providers/seller_api/apis/api/v1/marketplace/";

const GET: &[Method] = &[Method::GET];
const PUT: &[Method] = &[Method::PUT];
const POST: &[Method] = &[Method::POST];
const PUT_OR_PATCH: &[Method] = &[Method::PUT, Method::PATCH];

const fn op(name: &'static str, methods: &'static [Method], path: &'static str, run: Run) -> Operation {
    Operation { name, methods, path, run }
}

const ORDER_OPERATIONS: &[Operation] = &[
    op("ordersheets", GET, "v5/vendors/{vendorId}/ordersheets", ordersheets::list_v5),
    op("ordersheets v4", GET, "v4/vendors/{vendorId}/ordersheets", ordersheets::list_v4),
    op("ordersheet", GET, "v5/vendors/{vendorId}/ordersheets/{shipmentBoxId}", ordersheets::one_v5),
    op("ordersheet v4", GET, "v4/vendors/{vendorId}/ordersheets/{shipmentBoxId}", ordersheets::one_v4),
    op("ordersheets of order", GET, "v5/vendors/{vendorId}/{orderId}/ordersheets", ordersheets::of_order_v5),
    op(
        "ordersheets of order v4",
        GET,
        "v4/vendors/{vendorId}/{orderId}/ordersheets",
        ordersheets::of_order_v4,
    ),
    op(
        "ordersheet history",
        GET,
        "v5/vendors/{vendorId}/ordersheets/{shipmentBoxId}/history",
        ordersheets::history_v5,
    ),
    op(
        "ordersheet history v4",
        GET,
        "v4/vendors/{vendorId}/ordersheets/{shipmentBoxId}/history",
        ordersheets::history_v4,
    ),
    op(
        "acknowledgement",
        PUT_OR_PATCH,
        "v4/vendors/{vendorId}/ordersheets/acknowledgement",
        acknowledge::acknowledge,
    ),
    op("invoices", POST, "v4/vendors/{vendorId}/orders/invoices", invoices::upload),
    op("updateInvoices", POST, "v4/vendors/{vendorId}/orders/updateInvoices", invoices::update),
    op(
        "completeLongTermUndelivery",
        POST,
        "v4/vendors/{vendorId}/completeLongTermUndelivery",
        invoices::complete,
    ),
    op("returnRequests", GET, "v6/vendors/{vendorId}/returnRequests", returns::list_v6),
    op("returnRequests v4", GET, "v4/vendors/{vendorId}/returnRequests", returns::list_v4),
    op("returnRequest", GET, "v6/vendors/{vendorId}/returnRequests/{receiptId}", returns::one_v6),
    op("returnRequest v4", GET, "v4/vendors/{vendorId}/returnRequests/{receiptId}", returns::one_v4),
    op(
        "stoppedShipment",
        PUT_OR_PATCH,
        "v4/vendors/{vendorId}/returnRequests/{receiptId}/stoppedShipment",
        returns::stopped,
    ),
    op(
        "completedShipment",
        PUT_OR_PATCH,
        "v4/vendors/{vendorId}/returnRequests/{receiptId}/completedShipment",
        returns::completed,
    ),
    op("cancel", POST, "v5/vendors/{vendorId}/orders/{orderId}/cancel", cancel::by_seller),
];

const PRODUCT_OPERATIONS: &[Operation] = &[
    op("quantities", PUT, "vendor-items/{vendorItemId}/quantities/{quantity}", products::set_quantity),
    op("inventories", GET, "vendor-items/{vendorItemId}/inventories", products::inventory),
    op("seller-products", GET, "seller-products", products::list),
    op("seller-product", GET, "seller-products/{sellerProductId}", products::one),
    op("external-vendor-sku-codes", GET, "seller-products/external-vendor-sku-codes/{sku}", products::by_sku),
];

type Open = HashMap<&'static str, String>;

/// The open parts of the path when it has the pattern's form.
fn matched(pattern: &'static str, path: &str) -> Option<Open> {
    let (mut open, mut parts) = (HashMap::new(), path.split('/'));
    for wanted in pattern.split('/') {
        let part = parts.next()?;
        match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) if !part.is_empty() => {
                open.insert(name, decoded(part));
            }
            Some(_) => return None,
            None if wanted == part => {}
            None => return None,
        }
    }
    parts.next().is_none().then_some(open)
}

/// A part of a path without its percent-encoding.
fn decoded(part: &str) -> String {
    // In a path a plus is a plus.
    let part = part.replace('+', "%2B");
    form_urlencoded::parse(part.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}

fn find(method: &Method, path: &str) -> Option<(&'static Operation, Open)> {
    let (operations, rest) = match (path.strip_prefix(OPEN_API), path.strip_prefix(SELLER_API)) {
        (Some(rest), _) => (ORDER_OPERATIONS, rest),
        (_, Some(rest)) => (PRODUCT_OPERATIONS, rest),
        _ => return None,
    };
    // A path that says more comes first: `ordersheets/acknowledgement` is no box.
    let mut found: Vec<(&'static Operation, Open)> = operations
        .iter()
        .filter(|operation| operation.methods.contains(method))
        .filter_map(|operation| Some((operation, matched(operation.path, rest)?)))
        .collect();
    found.sort_by_key(|(_, open)| open.len());
    found.into_iter().next()
}

/// The name of the operation at a path.
pub(super) fn operation_name(method: &Method, path: &str) -> &'static str {
    find(method, path).map_or("unknown", |(operation, _)| operation.name)
}

/// The face at work.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) face: Coupang,
    pub(super) context: FaceContext,
}

/// One call by one vendor.
pub(super) struct Visit<'a> {
    pub(super) desk: &'a Desk,
    pub(super) call: &'a Call<'a>,
    pub(super) vendor: &'static str,
    pub(super) seller: String,
    pub(super) market: Market,
    pub(super) now: DateTime<Utc>,
    operation: &'static str,
}

impl Desk {
    pub(super) fn answer(&self, head: &RequestHead<'_>, body: &[u8]) -> Response {
        respond(self.run(Call::parse(head, body)))
    }

    fn run(&self, mut call: Call<'_>) -> Outcome {
        let now = self.context.clock.now();
        let settings = self.face.settings();
        match settings.gateway {
            Gateway::Open => {}
            Gateway::Denied => return Err(Failure::Page),
            Gateway::Blocked => return Err(Failure::Redirect),
            Gateway::AddressRefused => return Err(Failure::bad_address()),
        }
        let caller = {
            let mut keys = lock(&self.face.0.keys);
            let keys = keys.as_mut().ok_or_else(Failure::not_found)?;
            let caller = keys.caller(&call, now)?;
            if keys.is_over_limit(caller.vendor, &settings, now) {
                return Err(Failure::too_many());
            }
            caller
        };
        let (operation, open) = find(call.method, call.path).ok_or_else(Failure::not_found)?;
        call.in_path = open;
        if call.in_path.get("vendorId").is_some_and(|vendor| vendor != caller.vendor) {
            return Err(Failure::not_found());
        }
        let market =
            Market::of(call.headers).ok_or_else(|| Failure::bad_request("X-MARKET must be KR or TW"))?;
        let visit = Visit {
            desk: self,
            call: &call,
            vendor: caller.vendor,
            seller: caller.seller,
            market,
            now,
            operation: operation.name,
        };
        (operation.run)(&visit)
    }
}

impl Visit<'_> {
    pub(super) fn market(&self) -> &crate::Market {
        &self.desk.context.market
    }

    /// Who is in the record for what this call does.
    pub(super) fn acting(&self) -> Acting<'_> {
        self.market().by(Actor::Api { face: "coupang".into(), operation: self.operation.into() })
    }

    pub(super) fn owns(&self, order: &Order) -> bool {
        order.seller == self.seller && self.market.takes(&order.address.country)
    }

    /// The vendor's orders in this market.
    pub(super) fn own_orders<'s>(&self, state: &'s MarketState) -> impl Iterator<Item = &'s Order> {
        state.orders().iter().filter(|order| self.owns(order))
    }

    /// # Errors
    /// 400 when the body names another vendor than the path.
    pub(super) fn check_vendor(&self, sent: &str) -> Result<(), Failure> {
        if sent == self.vendor { Ok(()) } else { Err(Failure::bad_request("vendorId is not valid")) }
    }

    /// # Errors
    /// 400 for what is documented for Korea only.
    pub(super) fn check_korea(&self) -> Result<(), Failure> {
        match self.market {
            Market::Kr => Ok(()),
            Market::Tw => Err(Failure::bad_request("This API is not supported in this market.")),
        }
    }

    /// # Errors
    /// 504 when lists are slow and the call does not ask for more time.
    pub(super) fn check_extended_timeout(&self) -> Result<(), Failure> {
        let asked: u64 =
            self.call.header("x-extended-timeout").and_then(|text| text.parse().ok()).unwrap_or_default();
        if self.desk.face.settings().slow && asked <= 3000 { Err(Failure::gateway_timeout()) } else { Ok(()) }
    }
}

/// `data` of the calls that answer for each box: all done, in part, or none.
pub(super) fn box_results(results: Vec<(u64, Result<(), BoxFailure>)>, what: &str) -> Value {
    let failed = results.iter().filter(|(_, result)| result.is_err()).count();
    let (code, text) = match failed {
        _ if results.is_empty() => (-1, "NOTHING"),
        0 => (0, "SUCCESS"),
        failed if failed == results.len() => (99, "FAILED"),
        _ => (1, "Partial errors"),
    };
    let row = |(id, result): (u64, Result<(), BoxFailure>)| match result {
        Ok(()) => json!({
            "shipmentBoxId": id,
            "succeed": true,
            "resultCode": "OK",
            "retryRequired": false,
            "resultMessage": null,
        }),
        Err(failure) => json!({
            "shipmentBoxId": id,
            "succeed": false,
            "resultCode": failure.code,
            "retryRequired": failure.retry,
            "resultMessage": failure.message,
        }),
    };
    let message = if what.is_empty() { text.to_owned() } else { format!("{what} - {text}.") };
    json!({
        "responseCode": code,
        "responseMessage": message,
        "responseList": results.into_iter().map(row).collect::<Vec<_>>(),
    })
}

/// Why nothing was done to a box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BoxFailure {
    code: &'static str,
    /// To be corrected and sent again.
    retry: bool,
    message: String,
}

impl BoxFailure {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        let retry = matches!(
            code,
            "PERMISSION_DENIED"
                | "DUPLICATE_INVOICE_NUMBER"
                | "INVALID_INVOICE_NUMBER"
                | "ORDER_DELIVERY_PARTIAL_STOP_REQUESTED"
        );
        Self { code, retry, message: message.into() }
    }

    pub(super) fn worth_repeating(self) -> Self {
        Self { retry: true, ..self }
    }
}
