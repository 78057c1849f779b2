//! The store itself (sheet "Store profile", "Order statuses of a store").

use serde_json::{Value, json};

use super::desk::Visit;
use super::orders::{FULFILLMENT, PAYMENT};
use super::settings::Plan;

/// `GET /profile`.
pub(super) fn store(visit: &Visit<'_>) -> Value {
    let settings = visit.settings;
    let mail = json!({ "enabled": settings.mails });
    json!({
        "generalInfo": {
            "storeId": visit.store,
            "storeUrl": format!("https://store{}.company.site/products", visit.store),
        },
        "account": { "suspended": settings.plan == Plan::Suspended, "accountName": "Sandbox" },
        "settings": {
            "closed": false,
            "storeName": "Sandbox store",
            "allowPreordersForOutOfStockProducts": settings.preorders,
        },
        "formatsAndUnits": {
            "currency": settings.currency,
            "currencyPrecision": settings.precision,
            "timezone": settings.timezone,
            "orderNumberPrefix": settings.prefix,
            "orderNumberSuffix": settings.suffix,
        },
        "mailNotifications": {
            "customerOrderMessages": {
                "orderConfirmation": mail,
                "orderStatusChanged": mail,
                "orderIsReadyForPickup": mail,
                "downloadEgoods": mail,
                "orderShipped": mail,
                "orderDelivered": { "enabled": false },
            },
        },
    })
}

/// `GET /profile/order_statuses`.
pub(super) fn order_statuses() -> Value {
    let payment =
        PAYMENT.iter().filter(|word| **word != "INCOMPLETE").map(|word| status(word, "PAYMENT_STATUS"));
    let fulfillment = FULFILLMENT.iter().map(|word| status(word, "FULFILLMENT_STATUS"));
    json!({ "items": payment.chain(fulfillment).collect::<Vec<_>>() })
}

fn status(word: &str, kind: &str) -> Value {
    let mut row = json!({
        "statusId": word, "orderStatusType": kind, "enabled": true, "sendNotificationWhenStatusIsAssigned": true,
    });
    if let Value::Object(fields) = &mut row {
        if word.starts_with("CUSTOM") {
            fields.insert("name".to_owned(), json!(format!("Own {}", &word[word.len() - 1..])));
            fields.insert("lastNameChangeDate".to_owned(), json!("2023-01-01 12:00:00 +0000"));
        } else {
            fields.insert("defaultStatus".to_owned(), json!(true));
        }
    }
    row
}
