//! The root fields.

use std::rc::Rc;

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use serde_json::{Value, json};

use super::desk::Visit;
use super::node::{Node, Shown, arguments, denied, leaf};
use super::{MYSHOPIFY_DOMAIN, cancel, fulfill, fulfillment_orders, ids, lists, order_nodes, product_nodes};
use super::{stock, webhooks};

/// The scopes that let fulfilment orders be read, and changed.
pub(super) const READ_FULFILLMENT: &[&str] = &[
    "read_merchant_managed_fulfillment_orders",
    "read_assigned_fulfillment_orders",
    "read_third_party_fulfillment_orders",
];
pub(super) const WRITE_FULFILLMENT: &[&str] = &[
    "write_merchant_managed_fulfillment_orders",
    "write_assigned_fulfillment_orders",
    "write_third_party_fulfillment_orders",
];

/// The root object of a query or a mutation.
pub(super) struct Root<'v> {
    visit: &'v Visit<'v>,
    is_mutation: bool,
}

impl<'v> Root<'v> {
    pub(super) fn new(visit: &'v Visit<'v>, is_mutation: bool) -> Self {
        Self { visit, is_mutation }
    }

    fn need(&self, field: &str, any_of: &[&str]) -> Result<(), FieldError> {
        match self.visit.lacks(any_of) {
            Some(access) => Err(denied(field, &access)),
            None => Ok(()),
        }
    }
}

impl ObjectValue for Root<'_> {
    fn type_name(&self) -> &str {
        if self.is_mutation { "Mutation" } else { "QueryRoot" }
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let (field, visit) = (info.field_name(), self.visit);
        let arguments = arguments(info)?;
        let key = info.field_selections().first().map(|field| field.response_key().as_str()).unwrap_or(field);
        match field {
            "shop" => object(shop(visit)),
            "currentAppInstallation" => object(installation(visit)),
            "locations" => {
                self.need(field, &["read_locations", "read_inventory"])?;
                lists::locations(visit, &arguments).map(ResolvedValue::object)
            }
            "orders" => {
                self.need(field, &["read_orders"])?;
                lists::orders(visit, &arguments).map(ResolvedValue::object)
            }
            "order" => {
                self.need(field, &["read_orders"])?;
                nullable(
                    id(&arguments, "id", "Order").and_then(|number| order_nodes::by_number(visit, number)),
                )
            }
            "fulfillmentOrder" => {
                self.need(field, READ_FULFILLMENT)?;
                let number = id(&arguments, "id", "FulfillmentOrder");
                nullable(number.and_then(|number| fulfillment_orders::by_number(visit, number)))
            }
            "productVariants" => {
                self.need(field, &["read_products"])?;
                lists::variants(visit, &arguments).map(ResolvedValue::object)
            }
            "productVariant" => {
                self.need(field, &["read_products"])?;
                let number = id(&arguments, "id", "ProductVariant");
                nullable(number.and_then(|number| product_nodes::variant_by_number(visit, number)))
            }
            "inventoryItem" => {
                self.need(field, &["read_inventory"])?;
                let number = id(&arguments, "id", "InventoryItem");
                nullable(number.and_then(|number| product_nodes::inventory_by_number(visit, number)))
            }
            "job" => nullable(id(&arguments, "id", "Job").and_then(|number| cancel::job(visit, number))),
            "fulfillmentCreate" => {
                self.need(field, WRITE_FULFILLMENT)?;
                object(fulfill::create(visit, &arguments))
            }
            "fulfillmentTrackingInfoUpdate" => {
                self.need(field, WRITE_FULFILLMENT)?;
                object(fulfill::update_tracking(visit, &arguments))
            }
            "fulfillmentOrderReportProgress" => {
                self.need(field, WRITE_FULFILLMENT)?;
                object(fulfillment_orders::report_progress(visit, &arguments))
            }
            "fulfillmentOrdersSetFulfillmentDeadline" => {
                self.need(field, WRITE_FULFILLMENT)?;
                object(fulfillment_orders::set_deadline(visit, &arguments)?)
            }
            "inventorySetQuantities" => {
                self.need(field, &["write_inventory"])?;
                object(stock::set(visit, key, &arguments)?)
            }
            "orderCancel" => {
                self.need(field, &["write_orders"])?;
                object(cancel::cancel(visit, &arguments))
            }
            "webhookSubscriptionCreate" => object(webhooks::subscribe(visit, &arguments)),
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

fn object<'a>(node: Node) -> Result<ResolvedValue<'a>, FieldError> {
    Ok(ResolvedValue::object(Shown(Rc::new(node))))
}

fn nullable<'a>(node: Option<Node>) -> Result<ResolvedValue<'a>, FieldError> {
    node.map_or_else(|| Ok(leaf(Value::Null)), object)
}

/// The number in an argument that is a global id of a type.
pub(super) fn id(arguments: &Value, name: &str, kind: &str) -> Option<u64> {
    ids::number_of(kind, arguments.get(name)?.as_str()?)
}

fn shop(visit: &Visit<'_>) -> Node {
    let settings = &visit.settings;
    let (abbreviation, offset, minutes) =
        if settings.zone == "Asia/Tokyo" { ("JST", "+0900", 540) } else { ("UTC", "+0000", 0) };
    Node::new("Shop").leaves([
        ("contactEmail", json!("owner@example.com")),
        ("currencyCode", json!(settings.currency)),
        ("email", json!("owner@example.com")),
        ("enabledPresentmentCurrencies", json!([settings.currency])),
        ("ianaTimezone", json!(settings.zone)),
        ("id", json!(ids::gid("Shop", 1))),
        ("myshopifyDomain", json!(MYSHOPIFY_DOMAIN)),
        ("name", json!("Sandbox Demo")),
        ("timezoneAbbreviation", json!(abbreviation)),
        ("timezoneOffset", json!(offset)),
        ("timezoneOffsetMinutes", json!(minutes)),
        ("url", json!(format!("https://{MYSHOPIFY_DOMAIN}"))),
    ])
}

fn installation(visit: &Visit<'_>) -> Node {
    let mut scopes: Vec<&String> = visit.token.scopes.iter().collect();
    scopes.sort();
    let scopes: Vec<Node> = scopes
        .into_iter()
        .map(|scope| {
            let description = json!(scope.replace('_', " "));
            Node::new("AccessScope").leaves([("description", description), ("handle", json!(scope))])
        })
        .collect();
    Node::new("AppInstallation")
        .leaves([("id", json!(ids::gid("AppInstallation", 1)))])
        .with("accessScopes", scopes)
}
