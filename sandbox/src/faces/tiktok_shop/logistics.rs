//! Shops, warehouses, delivery options, carriers, slots and labels (sheet section 4).

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::Shop;
use super::answer::{Failure, Outcome};
use super::desk::Visit;
use super::packages::Progress;
use super::settings::Shipping;
use crate::lock;

/// Where labels are read: no part of the API, so no signature.
pub(super) const FILES: &str = "/sandbox-files/";

/// Ids and names.
pub(super) const WAREHOUSES: [(&str, &str); 3] = [
    ("7068517275539719942", "Main warehouse"),
    ("7068517275539719943", "Second warehouse"),
    ("7068517275539719944", "Third warehouse"),
];

/// Who carries what TikTok ships.
pub(super) const TIKTOK_PROVIDER: (&str, &str) = ("6617675021119438849", "TT Virtual express");

const PROVIDERS: [(&str, &str); 4] = [
    ("7117858858072016686", "USPS"),
    ("7117858858072016687", "Yamato Transport"),
    ("7117858858072016688", "Sagawa Express"),
    ("7117858858072016689", "Japan Post"),
];

pub(super) struct DeliveryOption {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
}

const STANDARD: DeliveryOption =
    DeliveryOption { id: "7091146663229654785", name: "Standard Shipping", kind: "STANDARD" };
const BY_SELLER: DeliveryOption =
    DeliveryOption { id: "7091146663229654786", name: "Shipped from seller", kind: "SEND_BY_SELLER" };

pub(super) fn delivery_option(shipping: Shipping) -> &'static DeliveryOption {
    match shipping {
        Shipping::Tiktok => &STANDARD,
        Shipping::Seller => &BY_SELLER,
    }
}

/// A carrier's name by its id.
pub(super) fn provider(id: &str) -> Option<&'static str> {
    PROVIDERS.iter().find(|(known, _)| *known == id).map(|(_, name)| *name)
}

fn shops_of(visit: &Visit<'_>) -> Vec<Shop> {
    visit.desk.face.shops().into_iter().filter(|shop| shop.seller == visit.seller).collect()
}

/// `get-authorized-shops`.
pub(super) fn authorized_shops(visit: &Visit<'_>) -> Outcome {
    let shop = |shop: &Shop| {
        json!({
            "id": shop.id,
            "name": shop.name,
            "region": shop.region,
            "seller_type": "LOCAL",
            "cipher": shop.cipher,
            "code": format!("{}SANDBOX", shop.region),
        })
    };
    Ok(json!({ "shops": shops_of(visit).iter().map(shop).collect::<Vec<_>>() }))
}

/// `get-active-shops`.
pub(super) fn active_shops(visit: &Visit<'_>) -> Outcome {
    let shop = |shop: &Shop| json!({ "id": shop.id, "region": shop.region });
    Ok(json!({ "shops": shops_of(visit).iter().map(shop).collect::<Vec<_>>() }))
}

/// `get-warehouse-list`.
pub(super) fn warehouses(visit: &Visit<'_>) -> Outcome {
    let settings = visit.desk.face.settings();
    let warehouse = |(at, (id, name)): (usize, &(&str, &str))| {
        json!({
            "id": id,
            "name": name,
            "effect_status": "ENABLED",
            "type": "SALES_WAREHOUSE",
            "sub_type": "DOMESTIC_WAREHOUSE",
            "is_default": at == 0,
            "address": { "region_code": settings.region, "full_address": name },
        })
    };
    let list: Vec<Value> = WAREHOUSES.iter().take(settings.warehouses).enumerate().map(warehouse).collect();
    Ok(json!({ "warehouses": list }))
}

/// `get-warehouse-delivery-options`.
pub(super) fn delivery_options(visit: &Visit<'_>) -> Outcome {
    if WAREHOUSES.iter().all(|(id, _)| *id != visit.call.in_path("warehouse_id")) {
        return Err(Failure::new(11_005_004, "warehouse not exist"));
    }
    let option = |option: &DeliveryOption| json!({ "id": option.id, "name": option.name, "type": option.kind, "description": option.name });
    Ok(json!({ "delivery_options": [option(&STANDARD), option(&BY_SELLER)] }))
}

/// `get-shipping-providers`.
pub(super) fn providers(visit: &Visit<'_>) -> Outcome {
    match visit.call.in_path("delivery_option_id") {
        id if id == BY_SELLER.id => {
            let list: Vec<Value> =
                PROVIDERS.iter().map(|(id, name)| json!({ "id": id, "name": name })).collect();
            Ok(json!({ "shipping_providers": list }))
        }
        id if id == STANDARD.id => Err(Failure::new(
            21_008_117,
            "The delivery of the specified delivery_option_id is fulfilled by TikTok. No shipping provider will be returned",
        )),
        _ => Err(Failure::new(21_008_116, "No Subscription without specified delivery option.")),
    }
}

/// The morning and the afternoon of the next three days, in UTC.
pub(super) fn slots(now: DateTime<Utc>) -> Vec<(i64, i64)> {
    let midnight = now.date_naive().and_time(NaiveTime::MIN).and_utc();
    (1..=3)
        .flat_map(|day| [(9, 12), (13, 18)].map(|hours| (day, hours)))
        .map(|(day, (from, until))| {
            let day = midnight + TimeDelta::days(day);
            ((day + TimeDelta::hours(from)).timestamp(), (day + TimeDelta::hours(until)).timestamp())
        })
        .collect()
}

/// `get-package-handover-time-slots`.
pub(super) fn time_slots(visit: &Visit<'_>) -> Outcome {
    let bad = || Failure::new(21_001_001, "Invalid parameters. No such package.");
    let number = lock(&visit.desk.face.0.ledger)
        .package(visit.call.in_path("package_id"))
        .map(|package| package.order)
        .ok_or_else(bad)?;
    visit.market().order(number).filter(|order| order.seller == visit.seller).ok_or_else(bad)?;
    let slot = |(start_time, end_time): (i64, i64)| {
        // The documentation spells it so.
        json!({ "start_time": start_time, "end_time": end_time, "avaliable": true })
    };
    Ok(json!({
        "can_pickup": true,
        "can_drop_off": true,
        "can_van_collection": false,
        "drop_off_point_url": "",
        "pickup_slots": slots(visit.now).into_iter().map(slot).collect::<Vec<_>>(),
    }))
}

const DOCUMENTS: [&str; 6] = [
    "SHIPPING_LABEL",
    "PACKING_SLIP",
    "SHIPPING_LABEL_AND_PACKING_SLIP",
    "SHIPPING_LABEL_PICTURE",
    "HAZMAT_LABEL",
    "INVOICE_LABEL",
];

/// `get-package-shipping-document`.
pub(super) fn document(visit: &Visit<'_>) -> Outcome {
    if !DOCUMENTS.contains(&visit.call.param("document_type")) {
        return Err(Failure::invalid("document_type"));
    }
    let not_ours = || Failure::new(21_008_109, "Unable to retrieve shipping information.");
    let ledger = lock(&visit.desk.face.0.ledger);
    let package = ledger.package(visit.call.in_path("package_id")).ok_or_else(not_ours)?;
    visit.market().order(package.order).filter(|order| order.seller == visit.seller).ok_or_else(not_ours)?;
    if package.shipping == Shipping::Seller {
        return Err(Failure::new(21_008_017, "This API is only applicable to TikTok Shipping orders."));
    }
    match package.progress {
        Progress::ToFulfill => {
            Err(Failure::new(21_023_035, "Please arrange shipment before retrieving the shipping document."))
        }
        Progress::Processing => Ok(json!({
            "doc_url": format!("http://{}{FILES}{}.pdf", visit.call.host, package.id),
            "tracking_number": package.tracking,
        })),
        Progress::Fulfilling | Progress::Completed => {
            Err(Failure::new(21_042_102, "Documents couldn't be printed after the package has been pickup."))
        }
        Progress::Cancelled => Err(Failure::new(21_023_059, "Package has already been cancelled.")),
    }
}

/// A label: the first bytes of a PDF are all that there is to it.
pub(super) fn file(name: &str) -> Response {
    if !name.ends_with(".pdf") {
        return StatusCode::NOT_FOUND.into_response();
    }
    ([(header::CONTENT_TYPE, "application/pdf")], format!("%PDF-1.4\n% {name}\n%%EOF\n")).into_response()
}
