//! Which operation a request asks for. Pure.

use std::collections::HashMap;

use axum::http::Method;
use serde_json::Value;

use crate::RequestHead;

/// An operation of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    SearchOrder,
    GetOrder,
    ConfirmOrder,
    UpdateOrderShipping,
    UpdateOrderShippingAsync,
    GetResultUpdateOrderShippingAsync,
    CancelOrder,
    CancelOrderAfterShipping,
    VariantUpsert,
    VariantGet,
    BulkUpsert,
    BulkGet,
    BulkGetRange,
    ItemsSearch,
    ItemsGet,
    LicenseExpiry,
}

/// What is limited together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Family {
    Orders,
    InventoryWrites,
    InventoryReads,
    Items,
    License,
}

/// Path segments in braces are parameters. The order API's paths end with a slash, the others' don't; without it they are
/// taken, too, because a public client calls them so.
const ROUTES: &[(Operation, &str, &str, &str)] = &[
    (Operation::SearchOrder, "POST", "/es/2.0/order/searchOrder/", "searchOrder"),
    (Operation::GetOrder, "POST", "/es/2.0/order/getOrder/", "getOrder"),
    (Operation::ConfirmOrder, "POST", "/es/2.0/order/confirmOrder/", "confirmOrder"),
    (Operation::UpdateOrderShipping, "POST", "/es/2.0/order/updateOrderShipping/", "updateOrderShipping"),
    (
        Operation::UpdateOrderShippingAsync,
        "POST",
        "/es/2.0/order/updateOrderShippingAsync/",
        "updateOrderShippingAsync",
    ),
    (
        Operation::GetResultUpdateOrderShippingAsync,
        "POST",
        "/es/2.0/order/getResultUpdateOrderShippingAsync/",
        "getResultUpdateOrderShippingAsync",
    ),
    (Operation::CancelOrder, "POST", "/es/2.0/order/cancelOrder/", "cancelOrder"),
    (
        Operation::CancelOrderAfterShipping,
        "POST",
        "/es/2.0/order/cancelOrderAfterShipping/",
        "cancelOrderAfterShipping",
    ),
    (Operation::VariantUpsert, "PUT", VARIANT, "inventories.variants.upsert"),
    (Operation::VariantGet, "GET", VARIANT, "inventories.variants.get"),
    (Operation::BulkUpsert, "POST", "/es/{}/inventories/bulk-upsert", "inventories.bulk.upsert"),
    (Operation::BulkGet, "POST", "/es/{}/inventories/bulk-get", "inventories.bulk.get"),
    (Operation::BulkGetRange, "GET", "/es/{}/inventories/bulk-get/range", "inventories.bulk.get.range"),
    (Operation::ItemsSearch, "GET", "/es/2.0/items/search", "items.search"),
    (Operation::ItemsGet, "GET", "/es/2.0/items/manage-numbers/{}", "items.get"),
    (
        Operation::LicenseExpiry,
        "GET",
        "/es/1.0/license-management/license-key/expiry-date",
        "license.expiryDate",
    ),
];

const VARIANT: &str = "/es/{}/inventories/manage-numbers/{}/variants/{}";

impl Operation {
    pub(super) fn name(self) -> &'static str {
        ROUTES.iter().find(|route| route.0 == self).map_or("unknown", |route| route.3)
    }

    pub(super) fn family(self) -> Family {
        match self {
            Self::VariantUpsert | Self::VariantGet | Self::BulkUpsert => Family::InventoryWrites,
            Self::BulkGet | Self::BulkGetRange => Family::InventoryReads,
            Self::ItemsSearch | Self::ItemsGet => Family::Items,
            Self::LicenseExpiry => Family::License,
            _ => Family::Orders,
        }
    }
}

/// Where a request leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Operation(Operation, Vec<String>),
    WrongMethod,
    Nothing,
}

/// Finds the operation of a request. The version of the inventory API is the first parameter and is checked here.
pub(super) fn find(method: &Method, path: &str) -> Found {
    let mut path_known = false;
    for (operation, verb, pattern, _) in ROUTES {
        let params = params_of(pattern, path).or_else(|| params_of(pattern.strip_suffix('/')?, path));
        let Some(params) = params else { continue };
        let is_inventory = pattern.starts_with("/es/{}");
        if is_inventory && !params.first().is_some_and(|version| matches!(&**version, "2.0" | "2.1")) {
            continue;
        }
        if *verb == method.as_str() {
            let params = params.into_iter().skip(usize::from(is_inventory)).collect();
            return Found::Operation(*operation, params);
        }
        path_known = true;
    }
    if path_known { Found::WrongMethod } else { Found::Nothing }
}

fn params_of(pattern: &str, path: &str) -> Option<Vec<String>> {
    let (mut want, mut have) = (pattern.split('/'), path.split('/'));
    let mut params = Vec::new();
    loop {
        match (want.next(), have.next()) {
            (None, None) => return Some(params),
            (Some("{}"), Some(segment)) if !segment.is_empty() => params.push(decoded(segment)),
            (Some(want), Some(have)) if want == have => {}
            _ => return None,
        }
    }
}

fn decoded(segment: &str) -> String {
    // A form parser decodes percent signs; a plus is a plus in a path.
    let form = segment.replace('+', "%2B");
    form_urlencoded::parse(form.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}

/// A request that was let in.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) operation: Operation,
    pub(super) path: Vec<String>,
    pub(super) query: HashMap<String, String>,
    /// The body; null when it is not JSON.
    pub(super) body: Value,
}

impl Call {
    pub(super) fn new(operation: Operation, path: Vec<String>, head: &RequestHead<'_>, body: &[u8]) -> Self {
        let query = head.uri.query().unwrap_or_default();
        Self {
            operation,
            path,
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            body: serde_json::from_slice(body).unwrap_or(Value::Null),
        }
    }

    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_operations() {
        let found = |method, path: &str| find(&method, path);
        let none = Vec::new;
        assert_eq!(
            found(Method::POST, "/es/2.0/order/getOrder/"),
            Found::Operation(Operation::GetOrder, none())
        );
        let without_slash = found(Method::POST, "/es/2.0/order/getOrder");
        assert_eq!(without_slash, Found::Operation(Operation::GetOrder, none()));
        assert_eq!(found(Method::POST, "/es/2.0/order/getOrders/"), Found::Nothing);
        assert_eq!(found(Method::GET, "/es/2.0/items/search/"), Found::Nothing);
        assert_eq!(found(Method::GET, "/es/2.0/order/getOrder/"), Found::WrongMethod);
        let variant = vec!["tee-01".to_owned(), "a+b c".to_owned()];
        let path = "/es/2.1/inventories/manage-numbers/tee-01/variants/a+b%20c";
        assert_eq!(found(Method::PUT, path), Found::Operation(Operation::VariantUpsert, variant));
        assert_eq!(found(Method::POST, "/es/2.2/inventories/bulk-get"), Found::Nothing);
        assert_eq!(
            found(Method::GET, "/es/2.0/inventories/bulk-get/range"),
            Found::Operation(Operation::BulkGetRange, none())
        );
    }
}
