//! An order as the API shows it (sheet "Order fields", "Line fields").

use serde_json::{Map, Value, json};

use super::call::date_text;
use super::ids::code_of;
use super::ledger::View;
use super::settings::Settings;
use crate::Amount;
use crate::market::{Address, Line, LineState, Order, Person};

/// Fields that may be absent, null or empty when there is nothing to say.
const VARIED: [&str; 9] = [
    "orderComments",
    "privateAdminNotes",
    "trackingNumber",
    "couponDiscount",
    "refundedAmount",
    "withdrawalRequested",
    "externalFulfillment",
    "email",
    "extraFields",
];
const VARIED_OF_PERSON: [&str; 5] =
    ["companyName", "phone", "stateOrProvinceName", "stateOrProvinceCode", "firstName"];

pub(super) fn order_id(settings: &Settings, order: &Order) -> String {
    format!("{}{}{}", settings.prefix, code_of(order.number), settings.suffix)
}

/// What the buyer pays for: lines that the seller took out, or cancelled apart, are gone.
fn lines(order: &Order) -> Vec<(&Line, u32)> {
    let live = |line: &&Line| line.state != LineState::Cancelled;
    let all_gone = !order.lines.iter().any(|line| live(&line));
    let kept = order.lines.iter().filter(|line| all_gone || live(line));
    kept.map(|line| (line, if all_gone { line.quantity } else { line.quantity - line.cancelled_quantity }))
        .collect()
}

struct Sums {
    subtotal: Amount,
    discount: Amount,
    total: Amount,
}

fn sums(order: &Order) -> Sums {
    let zero = Amount::ZERO;
    let (subtotal, discount) =
        lines(order).iter().fold((zero, zero), |(subtotal, discount), (line, units)| {
            (subtotal + line.unit_price * *units, discount + line.discount)
        });
    Sums { subtotal, discount, total: subtotal - discount + order.shipping_fee }
}

pub(super) fn total(order: &Order) -> Amount {
    sums(order).total
}

pub(super) fn row(settings: &Settings, view: &View<'_>) -> Value {
    let (order, card) = (&*view.order, &*view.card);
    let id = order_id(settings, order);
    let sums = sums(order);
    let updated = view.updated_at();
    let mut row = json!({
        "id": id,
        "internalId": order.number,
        "orderNumber": order.number,
        "vendorOrderNumber": id,
        "publicUid": id,
        "createDate": date_text(order.ordered_at),
        "createTimestamp": order.ordered_at.timestamp(),
        "updateDate": date_text(updated),
        "updateTimestamp": updated.timestamp(),
        "paymentStatus": view.payment(),
        "fulfillmentStatus": view.fulfillment(),
        "paymentMethod": order.payment_method,
        "paymentModule": "STRIPE",
        "email": order.buyer.email,
        "acceptMarketing": false,
        "lang": "en",
        "orderComments": card.comments.as_deref().unwrap_or(&order.message),
        "privateAdminNotes": card.notes,
        "trackingNumber": view.tracking(),
        "items": lines(order).iter().map(|(line, units)| line_row(line, *units, card.digital)).collect::<Vec<_>>(),
        "billingPerson": person(settings, order, &order.buyer),
        "shippingOption": shipping_option(order, card.pickup),
        "shipments": [],
        "customSurcharges": [],
        "orderExtraFields": [],
        "extraFields": extra_fields(order),
        "hidden": card.incomplete,
        "disableAllCustomerNotifications": card.without_mails,
        "externalFulfillment": card.external_fulfillment,
        "withdrawalRequested": view.withdrawal_requested(),
    });
    if let (Value::Object(fields), Value::Object(money)) = (&mut row, money(&sums)) {
        fields.extend(money);
        if !(card.digital || card.pickup || card.without_address) {
            fields.insert("shippingPerson".to_owned(), person(settings, order, &order.recipient));
        }
        if view.tracking().is_empty() {
            fields.remove("trackingNumber");
        }
        vary(settings, order, fields, &VARIED);
    }
    row
}

fn money(sums: &Sums) -> Value {
    json!({
        "subtotal": sums.subtotal,
        "subtotalWithoutTax": sums.subtotal,
        "couponDiscount": 0,
        "discount": sums.discount,
        "volumeDiscount": 0,
        "membershipBasedDiscount": 0,
        "totalAndMembershipBasedDiscount": 0,
        "tax": 0,
        "total": sums.total,
        "totalWithoutTax": sums.total,
        // A conversion for statistics, with as many digits as real ones have.
        "usdTotal": sums.total.as_hundredths() as f64 / 100.0 * 0.006_424_044_771,
        "giftCardRedemption": 0,
        "totalBeforeGiftCardRedemption": sums.total,
        "giftCardDoubleSpending": false,
        "refundedAmount": 0,
        "refunds": [],
        "pricesIncludeTax": true,
    })
}

fn line_row(line: &Line, units: u32, digital: bool) -> Value {
    let sku = if line.option_sku.is_empty() { &line.seller_code } else { &line.option_sku };
    let options = line.axes.iter().map(|axis| {
        let (name, value) = (&axis.name, &axis.value);
        json!({ "name": name, "type": "CHOICE", "value": value, "valuesArray": [value],
            "selections": [{ "selectionTitle": value, "selectionModifier": 0, "selectionModifierType": "ABSOLUTE" }] })
    });
    let mut row = json!({
        "id": line.number,
        "sku": sku,
        "name": line.title,
        "quantity": units,
        "price": line.unit_price,
        "priceWithoutTax": line.unit_price,
        "productPrice": line.unit_price,
        "tax": 0,
        "selectedOptions": options.collect::<Vec<_>>(),
        "taxes": [],
        "isShippingRequired": !digital,
        "digital": digital,
        "giftCard": false,
        "isPreorder": false,
        "trackQuantity": true,
    });
    if let Value::Object(fields) = &mut row {
        if line.item.0 != 0 {
            fields.insert("productId".to_owned(), json!(line.item));
        }
        if let Some(option) = line.option {
            fields.insert("combinationId".to_owned(), json!(option));
        }
        if line.discount != Amount::ZERO {
            let info = json!({ "type": "ABS", "base": "CUSTOM", "value": line.discount });
            fields.insert("discounts".to_owned(), json!([{ "discountInfo": info, "total": line.discount }]));
        }
    }
    row
}

fn person(settings: &Settings, order: &Order, person: &Person) -> Value {
    let Address { country, postal_code, region, city, line1, line2 } = &order.address;
    let (first, last) = person.name.split_once(' ').unwrap_or(("", &person.name));
    let street = if line2.is_empty() { line1.clone() } else { format!("{line1}\n{line2}") };
    let phone = if person.mobile.is_empty() { &person.phone } else { &person.mobile };
    let mut row = json!({
        "name": person.name,
        "firstName": first,
        "lastName": last,
        "companyName": "",
        "street": street,
        "city": city,
        "countryCode": country,
        "postalCode": postal_code,
        "stateOrProvinceCode": "",
        "stateOrProvinceName": region,
        "phone": phone,
    });
    if let Value::Object(fields) = &mut row {
        vary(settings, order, fields, &VARIED_OF_PERSON);
    }
    row
}

fn shipping_option(order: &Order, pickup: bool) -> Value {
    json!({
        "shippingMethodId": "6589-1709547151586",
        "shippingMethodName": if pickup { "Pick-up" } else { "Standard shipping" },
        "shippingRate": order.shipping_fee,
        "shippingRateWithoutTax": order.shipping_fee,
        "isPickup": pickup,
        "fulfillmentType": if pickup { "PICKUP" } else { "SHIPPING" },
    })
}

fn extra_fields(order: &Order) -> Value {
    let Some(day) = order.desired_delivery else { return json!({}) };
    json!({
        "ecwid_order_delivery_time_interval_start": format!("{day} 12:00:00 +0000"),
        "ecwid_order_delivery_time_interval_end": format!("{day} 12:00:00 +0000"),
        "ecwid_order_delivery_time_display_format": "DATE",
    })
}

/// Says "nothing" as the number of the order wants: as it is, with null, or not at all.
fn vary(settings: &Settings, order: &Order, fields: &mut Map<String, Value>, names: &[&str]) {
    for name in names.iter().filter(|_| settings.varied) {
        let nothing = [json!(""), json!(0), json!(false), json!({})];
        if !fields.get(*name).is_some_and(|value| nothing.contains(value)) {
            continue;
        }
        match order.number.0 % 3 {
            1 => drop(fields.insert((*name).to_owned(), Value::Null)),
            2 => drop(fields.remove(*name)),
            _ => {}
        }
    }
}
