//! Orders and order items as the API shows them (sheet section 6): fields, types and time forms of the reference files, which
//! differ from call to call.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::country::name_of;
use super::desk::answer_by;
use super::ids::{self, Sku, Unit};
use super::ledger::Ledger;
use super::settings::Settings;
use super::units::{self, OrderItem, Status};
use crate::Amount;
use crate::market::{Claim, ClaimKind, Line, LineNumber, Order};

/// Lists and look-ups of one order spell some fields differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `getorders`, `getmultipleorderitems`.
    Listed,
    /// `getorder`, `getorderitems`.
    Single,
}

/// An order with its items, at a time.
pub(super) struct View<'a> {
    order: &'a Order,
    pub(super) items: Vec<OrderItem<'a>>,
    ledger: &'a Ledger,
    settings: &'a Settings,
}

impl<'a> View<'a> {
    pub(super) fn of(
        order: &'a Order,
        ledger: &'a Ledger,
        settings: &'a Settings,
        now: DateTime<Utc>,
    ) -> Self {
        Self { order, items: units::items(order, ledger, settings, now), ledger, settings }
    }

    /// Each status once.
    pub(super) fn statuses(&self) -> Vec<&'static str> {
        let mut statuses: Vec<&str> = Vec::new();
        for item in &self.items {
            if !statuses.contains(&item.status.text()) {
                statuses.push(item.status.text());
            }
        }
        statuses
    }

    fn time(&self, form: Form, at: DateTime<Utc>) -> String {
        match form {
            Form::Listed => self.settings.country.iso(at),
            Form::Single => self.settings.country.spaced(at),
        }
    }

    fn promised(&self) -> Option<DateTime<Utc>> {
        Some(self.order.paid_at? + TimeDelta::days(2))
    }

    /// The open cancel request on a line, with its place.
    fn asked(&self, line: LineNumber) -> Option<(usize, &'a Claim)> {
        let mut claims = self.order.claims.iter().enumerate();
        claims.find(|(_, claim)| claim.line == line && claim.kind == ClaimKind::Cancel && claim.is_open())
    }

    pub(super) fn row(&self, form: Form) -> Value {
        let order = self.order;
        let sum = |of: fn(&Line) -> Amount| order.lines.iter().map(of).fold(Amount::ZERO, |a, b| a + b);
        let discount = sum(|line| line.discount).with_decimals();
        let fee = order.shipping_fee.with_decimals();
        let promised = self.promised().map(|at| self.time(form, at)).unwrap_or_default();
        let asked = order.lines.iter().any(|line| self.asked(line.number).is_some());
        let mut row = json!({
            "order_number": ids::order_id(order.number),
            "order_id": ids::order_id(order.number),
            "statuses": self.statuses(),
            "created_at": self.time(form, order.ordered_at),
            "updated_at": self.time(form, self.ledger.updated(order)),
            "items_count": self.items.len(),
            "price": sum(|line| line.unit_price * line.quantity).with_decimals(),
            "shipping_fee": fee,
            "shipping_fee_original": fee,
            "shipping_fee_discount_seller": "0.00",
            "shipping_fee_discount_platform": "0.00",
            "voucher": discount,
            "voucher_code": "",
            "payment_method": order.payment_method,
            "customer_first_name": order.buyer.name,
            "customer_last_name": "",
            "address_billing": self.address(form),
            "address_shipping": self.address(form),
            "remarks": order.message,
            "buyer_note": order.message,
            "gift_message": "",
            "delivery_info": "",
            "warehouse_code": "dropshipping",
            "promised_shipping_times": promised,
            "national_registration_number": "",
            "branch_number": "",
            "tax_code": "",
            "extra_attributes": "null",
            "need_cancel_confirm": asked,
        });
        if let Some(fields) = row.as_object_mut() {
            add_by_form(fields, form, &discount);
        }
        row
    }

    fn address(&self, form: Form) -> Value {
        let (person, address) = (&self.order.recipient, &self.order.address);
        let phone = if person.mobile.is_empty() { &person.phone } else { &person.mobile };
        let district = if form == Form::Listed { "addressDsitrict" } else { "addressDistrict" };
        json!({
            "first_name": person.name,
            "last_name": "",
            "phone": if self.settings.masked_phones { masked(phone) } else { phone.clone() },
            "phone2": "",
            "address1": format!("{} {}", address.line1, address.line2).trim(),
            "address2": "",
            "address3": address.region,
            "address4": address.city,
            "address5": address.postal_code,
            "city": address.city,
            "post_code": address.postal_code,
            "country": name_of(&address.country),
            (district): "",
        })
    }

    /// The rows of all items. `by_buyer` has the lines whose cancellation the buyer asked for.
    pub(super) fn item_rows(&self, form: Form, shop: &str, by_buyer: &HashSet<LineNumber>) -> Vec<Value> {
        let row = |(at, item): (usize, &OrderItem<'_>)| self.item_row(form, item, at == 0, shop, by_buyer);
        self.items.iter().enumerate().map(row).collect()
    }

    fn item_row(
        &self,
        form: Form,
        item: &OrderItem<'_>,
        first: bool,
        shop: &str,
        by_buyer: &HashSet<LineNumber>,
    ) -> Value {
        let (order, line) = (self.order, item.line);
        let sku = Sku::of(line);
        let discount = share(line.discount, line.quantity, item.unit.at);
        let fee = if first { order.shipping_fee } else { Amount::ZERO };
        let spaced = |at: DateTime<Utc>| self.settings.country.spaced(at);
        let order_id = ids::order_id(order.number);
        let outside = order.parcel_of(line.number).filter(|_| item.package.is_none());
        let shipped = matches!(item.status, Status::Shipped | Status::Delivered | Status::Returned);
        let outside = outside.filter(|_| shipped);
        let tracking =
            item.package.map(|package| &package.tracking).or(outside.map(|parcel| &parcel.tracking));
        let provider =
            item.package.map(|package| &package.provider).or(outside.map(|parcel| &parcel.carrier));
        let canceled = item.status == Status::Canceled;
        let reason = order.claim_on(line.number).filter(|_| canceled).map(|claim| claim.reason.as_str());
        let mut row = json!({
            "order_item_id": item.unit.id(),
            "order_id": order_id,
            "shop_id": shop,
            "name": line.title,
            "variation": variation(line),
            "sku": seller_sku(line),
            "shop_sku": shop_sku(sku, self.settings),
            "sku_id": sku.id().to_string(),
            "product_id": sku.product_id().to_string(),
            "status": item.status.text(),
            "item_price": line.unit_price.with_decimals(),
            "paid_price": (line.unit_price - discount).with_decimals(),
            "voucher_amount": discount.with_decimals(),
            "voucher_seller": discount.with_decimals(),
            "currency": self.settings.country.currency(),
            "shipping_amount": fee.with_decimals(),
            "shipping_fee_original": fee.with_decimals(),
            "package_id": item.package.map(|package| package.id.as_str()).unwrap_or_default(),
            "tracking_code": tracking.map(String::as_str).unwrap_or_default(),
            "shipment_provider": provider.map(String::as_str).unwrap_or_default(),
            "created_at": spaced(order.ordered_at),
            "updated_at": spaced(self.ledger.updated(order)),
            "promised_shipping_time": self.promised().map(spaced).unwrap_or_default(),
            "reason": reason.unwrap_or_default(),
            "buyer_id": ids::buyer_id(order.number).to_string(),
        });
        if let (Some(fields), Value::Object(plain)) = (row.as_object_mut(), plain_fields()) {
            fields.extend(plain);
        }
        if form == Form::Single {
            row["order_id"] = json!(order_id.to_string());
        }
        if let Some(paid_at) = order.paid_at {
            let millis = paid_at.timestamp_millis();
            row["payment_time"] =
                if form == Form::Single { json!(millis) } else { json!(millis.to_string()) };
        }
        if canceled {
            row["cancel_return_initiator"] = json!(if by_buyer.contains(&line.number) {
                "cancellation-customer"
            } else {
                "cancellation-seller"
            });
        }
        self.add_request(&mut row, item);
        row
    }

    fn add_request(&self, row: &mut Value, item: &OrderItem<'_>) {
        let Some((at, claim)) = self.asked(item.line.number) else { return };
        if units::of_claim(&self.items, self.ledger, claim, at).contains(&item.unit) {
            row["need_cancel_confirm"] = json!(true);
            row["reverse_order_id"] = json!(ids::reverse_order_id(claim.line, at));
            let until = answer_by(claim.requested_at, self.settings);
            row["cancel_trigger_time"] = json!(until.timestamp_millis());
        }
    }

    /// The status of one item.
    pub(super) fn status_of(&self, unit: Unit) -> Option<Status> {
        self.items.iter().find(|item| item.unit == unit).map(|item| item.status)
    }
}

/// Fields that are the same in every order item.
fn plain_fields() -> Value {
    json!({
        "voucher_platform": "0.00",
        "voucher_code": "",
        "shipping_fee_discount_seller": "0.00",
        "shipping_fee_discount_platform": "0.00",
        "shipping_service_cost": 0,
        "tax_amount": "0.00",
        "wallet_credits": "0.00",
        "tracking_code_pre": "",
        "shipping_type": "Dropshipping",
        "shipping_provider_type": "standard",
        "warehouse_code": "dropshipping",
        "reason_detail": "",
        "return_status": "",
        "is_digital": 0,
        "digital_delivery_info": "",
        "delivery_option_sof": "0",
        "is_fbl": "0",
        "is_reroute": "0",
        "order_type": "Normal",
        "order_flag": "NORMAL",
        "invoice_number": "",
        "purchase_order_id": "",
        "purchase_order_number": "",
        "product_detail_url": "",
        "product_main_image": "",
        "extra_attributes": "null",
        "need_cancel_confirm": false,
        "is_cancel_pending": false,
    })
}

fn add_by_form(row: &mut Map<String, Value>, form: Form, discount: &str) {
    match form {
        Form::Listed => {
            for name in ["order_number", "order_id"] {
                let text = row.get(name).map(ToString::to_string).unwrap_or_default();
                row.insert(name.into(), json!(text));
            }
            row.insert("gift_option".into(), json!("0"));
            row.insert("address_updated_at".into(), json!(""));
            row.insert("voucher_seller".into(), json!(discount));
            row.insert("voucher_platform".into(), json!("0.00"));
            row.insert("is_cancel_pending".into(), json!("false"));
        }
        Form::Single => {
            row.insert("gift_option".into(), json!(false));
            row.insert("is_cancel_pending".into(), json!(false));
        }
    }
}

/// The seller's code of what can be bought.
pub(super) fn seller_sku(line: &Line) -> &str {
    if line.option_sku.is_empty() { &line.seller_code } else { &line.option_sku }
}

pub(super) fn shop_sku(sku: Sku, settings: &Settings) -> String {
    format!("{}_{}-{}", sku.product_id(), settings.country.code().to_ascii_uppercase(), sku.id())
}

fn variation(line: &Line) -> String {
    line.axes.iter().map(|axis| format!("{}:{}", axis.name, axis.value)).collect::<Vec<_>>().join(", ")
}

/// `61****7`: not more than the first two and the last.
fn masked(phone: &str) -> String {
    let characters: Vec<char> = phone.chars().collect();
    match characters.as_slice() {
        [] => String::new(),
        [first, second, .., last] if characters.len() > 4 => format!("{first}{second}****{last}"),
        _ => "****".to_owned(),
    }
}

/// One unit's share of a discount on all units: whole hundredths, the rest on the first.
pub(super) fn share(discount: Amount, quantity: u32, at: u32) -> Amount {
    let quantity = i64::from(quantity.max(1));
    let each = discount.as_hundredths() / quantity;
    let rest = discount.as_hundredths() - each * quantity;
    Amount::hundredths(if at == 0 { each + rest } else { each })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_discount_is_shared_without_losing_anything() {
        for (discount, quantity) in [(100, 3), (0, 2), (7, 7), (1250, 4)] {
            let discount = Amount::whole(discount);
            let sum = (0..quantity).map(|at| share(discount, quantity, at)).fold(Amount::ZERO, |a, b| a + b);
            assert_eq!(sum, discount);
        }
        assert_eq!(share(Amount::whole(100), 3, 0), Amount::hundredths(3334));
    }

    #[test]
    fn phones_are_masked() {
        assert_eq!(masked("6123 4567"), "61****7");
        assert_eq!(masked("110"), "****");
        assert_eq!(masked(""), "");
    }
}
