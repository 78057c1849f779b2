//! An order as the API shows it (sheet section 6): the fields of the official example, each line item one unit.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::ids::{self, Sku, Unit};
use super::logistics;
use super::packages::{Ledger, Package, Progress, cancel_asked, hold_ends, is_on_hold};
use super::settings::{Settings, Shipping};
use crate::Amount;
use crate::market::{ClaimState, Line, LineState, Order};

/// An order with its packages, at a time.
pub(super) struct View<'a> {
    pub(super) order: &'a Order,
    pub(super) packages: Vec<&'a Package>,
    pub(super) settings: &'a Settings,
    pub(super) now: DateTime<Utc>,
}

impl<'a> View<'a> {
    pub(super) fn of(
        order: &'a Order,
        ledger: &'a Ledger,
        settings: &'a Settings,
        now: DateTime<Utc>,
    ) -> Self {
        Self { order, packages: ledger.of_order(order.number).collect(), settings, now }
    }

    fn package_of(&self, unit: Unit) -> Option<&'a Package> {
        self.packages.iter().find(|package| package.units.contains(&unit)).copied()
    }

    fn units(&self) -> impl Iterator<Item = (&'a Line, Unit)> + use<'a> {
        self.order
            .lines
            .iter()
            .flat_map(|line| (0..line.quantity).map(move |at| (line, Unit { line: line.number, at })))
    }

    fn unit_status(&self, line: &Line, unit: Unit) -> &'static str {
        if line.state == LineState::Cancelled
            || unit.at >= line.quantity.saturating_sub(line.cancelled_quantity)
        {
            return "CANCELLED";
        }
        if self.order.paid_at.is_none() {
            return "UNPAID";
        }
        if is_on_hold(self.order, self.settings, self.now) {
            return "ON_HOLD";
        }
        match self.package_of(unit).map_or(Progress::ToFulfill, |package| package.progress) {
            Progress::ToFulfill => "AWAITING_SHIPMENT",
            Progress::Processing => "AWAITING_COLLECTION",
            Progress::Fulfilling => "IN_TRANSIT",
            Progress::Completed => "DELIVERED",
            Progress::Cancelled => "CANCELLED",
        }
    }

    pub(super) fn status(&self) -> &'static str {
        const STEPS: [&str; 6] =
            ["UNPAID", "ON_HOLD", "AWAITING_SHIPMENT", "AWAITING_COLLECTION", "IN_TRANSIT", "DELIVERED"];
        let steps: Vec<usize> = self
            .units()
            .filter_map(|(line, unit)| STEPS.iter().position(|step| *step == self.unit_status(line, unit)))
            .collect();
        match (steps.iter().min(), steps.iter().max()) {
            (Some(&least), Some(&most)) if least == 2 && most > 2 => "PARTIALLY_SHIPPING",
            (Some(&least), _) => STEPS[least],
            _ => "CANCELLED",
        }
    }

    pub(super) fn updated(&self) -> DateTime<Utc> {
        let hold = hold_ends(self.order, self.settings).filter(|end| *end <= self.now);
        let packages = self.packages.iter().map(|package| package.updated);
        packages.chain(hold).fold(self.order.updated_at, DateTime::max)
    }

    fn shipping(&self) -> Shipping {
        self.packages.first().map_or(self.settings.shipping, |package| package.shipping)
    }

    pub(super) fn shipping_type(&self) -> &'static str {
        self.shipping().text()
    }

    /// Packages are shown only once they are shipped where line items can be shipped without one.
    fn shown_packages(&self) -> impl Iterator<Item = &'a Package> {
        let hides = self.settings.ships_line_items() && self.shipping() == Shipping::Seller;
        self.packages.iter().copied().filter(move |package| {
            !(package.units.is_empty() || hides && package.progress == Progress::ToFulfill)
        })
    }

    pub(super) fn row(&self) -> Value {
        let order = self.order;
        let status = self.status();
        let shipping = self.shipping();
        let mut row = json!({
            "id": ids::order_id(order.number),
            "status": status,
            "user_id": ids::user_id(order.number),
            "buyer_email": format!("{}@scs.tiktokw.us", order.number),
            "buyer_message": order.message,
            "create_time": order.ordered_at.timestamp(),
            "update_time": self.updated().timestamp(),
            "commerce_platform": "TIKTOK_SHOP",
            "order_type": "NORMAL",
            "fulfillment_type": "FULFILLMENT_BY_SELLER",
            "delivery_type": "HOME_DELIVERY",
            "shipping_type": self.shipping_type(),
            "delivery_option_id": logistics::delivery_option(shipping).id,
            "delivery_option_name": logistics::delivery_option(shipping).name,
            "payment_method_name": order.payment_method,
            "warehouse_id": logistics::WAREHOUSES[0].0,
            "is_buyer_request_cancel": cancel_asked(order),
            "is_on_hold_order": self.settings.hold_minutes > 0,
            "is_cod": false,
            "is_sample_order": false,
            "is_replacement_order": false,
            "is_exchange_order": false,
            "has_updated_recipient_address": false,
            "payment": self.payment(),
            "packages": self.shown_packages().map(|package| json!({ "id": package.id })).collect::<Vec<_>>(),
            "line_items": self.line_items(),
        });
        if let Some(fields) = row.as_object_mut() {
            self.add_times(fields, status);
            // Not there under UNPAID and ON_HOLD, as the documentation says.
            if !matches!(status, "UNPAID" | "ON_HOLD") {
                fields.insert("recipient_address".into(), recipient_address(order, shipping));
            }
            if self.packages.iter().any(|package| package.split) {
                fields.insert("split_or_combine_tag".into(), json!("SPLIT"));
            }
        }
        row
    }

    fn add_times(&self, row: &mut Map<String, Value>, status: &str) {
        let order = self.order;
        if let Some(paid_at) = order.paid_at {
            row.insert("paid_time".into(), json!(paid_at.timestamp()));
            let sla = paid_at + TimeDelta::days(2);
            row.insert("rts_sla_time".into(), json!(sla.timestamp()));
            row.insert("tts_sla_time".into(), json!((sla + TimeDelta::days(1)).timestamp()));
        }
        let shipped = || self.packages.iter().filter(|package| package.progress > Progress::ToFulfill);
        if let Some(package) = shipped().next() {
            row.insert("tracking_number".into(), json!(package.tracking));
            row.insert("shipping_provider".into(), json!(package.provider));
            row.insert("shipping_provider_id".into(), json!(package.provider_id));
            if let Some(shipped) = package.shipped {
                row.insert("rts_time".into(), json!(shipped.timestamp()));
            }
        }
        let asked = order.claims.iter().rev().find(|claim| claim.state == ClaimState::Requested);
        if let Some(claim) = asked {
            row.insert("request_cancel_time".into(), json!(claim.requested_at.timestamp()));
            row.insert("cancel_reason".into(), json!(claim.reason));
        }
        if status == "CANCELLED" {
            let cancelled = order.lines.iter().filter_map(|line| line.cancelled_at).max();
            row.insert("cancel_time".into(), json!(cancelled.map(|at| at.timestamp())));
            let reason = order.claims.last().map(|claim| claim.reason.as_str());
            row.insert("cancel_reason".into(), json!(reason.unwrap_or_default()));
        }
    }

    fn payment(&self) -> Value {
        let order = self.order;
        let sum = |of: fn(&Line) -> Amount| order.lines.iter().map(of).fold(Amount::ZERO, |a, b| a + b);
        let original = sum(|line| line.unit_price * line.quantity);
        let discount = sum(|line| line.discount);
        let sub_total = original - discount;
        let fee = order.shipping_fee;
        json!({
            "currency": order.currency,
            "original_total_product_price": original.to_string(),
            "seller_discount": discount.to_string(),
            "platform_discount": "0",
            "sub_total": sub_total.to_string(),
            "original_shipping_fee": fee.to_string(),
            "shipping_fee": fee.to_string(),
            "shipping_fee_seller_discount": "0",
            "shipping_fee_platform_discount": "0",
            "tax": "0",
            "total_amount": (sub_total + fee).to_string(),
        })
    }

    fn line_items(&self) -> Vec<Value> {
        let hides = |package: &&Package| self.shown_packages().all(|shown| shown.id != package.id);
        self.units()
            .map(|(line, unit)| {
                let sku = Sku::of(line);
                let discount = share(line.discount, line.quantity, unit.at);
                let mut item = json!({
                    "id": unit.id(),
                    "sku_id": sku.id(),
                    "product_id": sku.product_id(),
                    "product_name": line.title,
                    "sku_name": line.axes.iter().map(|axis| &*axis.value).collect::<Vec<_>>().join(", "),
                    "seller_sku": seller_sku(line),
                    "sku_image": "https://p16-oec-va.ibyteimg.com/sandbox.jpg",
                    "sku_type": "NORMAL",
                    "currency": self.order.currency,
                    "original_price": line.unit_price.to_string(),
                    "sale_price": (line.unit_price - discount).to_string(),
                    "seller_discount": discount.to_string(),
                    "platform_discount": "0",
                    "display_status": self.unit_status(line, unit),
                    "is_gift": false,
                });
                if let (Some(fields), Some(package)) =
                    (item.as_object_mut(), self.package_of(unit).filter(|package| !hides(package)))
                {
                    fields.insert("package_id".into(), json!(package.id));
                    fields.insert("package_status".into(), json!(package.progress.text()));
                    if package.progress > Progress::ToFulfill {
                        fields.insert("tracking_number".into(), json!(package.tracking));
                        fields.insert("shipping_provider_id".into(), json!(package.provider_id));
                        fields.insert("shipping_provider_name".into(), json!(package.provider));
                    }
                }
                item
            })
            .collect()
    }
}

/// The seller's code of what can be bought.
pub(super) fn seller_sku(line: &Line) -> &str {
    if line.option_sku.is_empty() { &line.seller_code } else { &line.option_sku }
}

/// One unit's share of a discount on all units: whole units of money, the rest on the first.
fn share(discount: Amount, quantity: u32, at: u32) -> Amount {
    let quantity = i64::from(quantity.max(1));
    let whole = discount.as_hundredths() / quantity / 100 * 100;
    let rest = discount.as_hundredths() - whole * quantity;
    Amount::hundredths(if at == 0 { whole + rest } else { whole })
}

/// Name, phone and street are masked when TikTok's logistics brings it.
pub(super) fn recipient_address(order: &Order, shipping: Shipping) -> Value {
    let (person, address) = (&order.recipient, &order.address);
    let masked = |text: &str| match shipping {
        Shipping::Seller => text.to_owned(),
        Shipping::Tiktok => text.chars().take(1).chain("***".chars()).collect(),
    };
    let names: Vec<&str> = person.name.splitn(2, ' ').collect();
    let reading: Vec<&str> = person.reading.splitn(2, ' ').collect();
    // Family name first, as in Japan.
    let first = names.get(1).copied().unwrap_or(&person.name);
    let last = if names.len() > 1 { names[0] } else { "" };
    let detail = format!("{} {}", address.line1, address.line2);
    let phone = if person.mobile.is_empty() { &person.phone } else { &person.mobile };
    json!({
        "name": masked(&person.name),
        "first_name": masked(first),
        "last_name": masked(last),
        "first_name_local_script": masked(reading.get(1).copied().unwrap_or_default()),
        "last_name_local_script": masked(reading.first().copied().unwrap_or_default()),
        "phone_number": masked(phone),
        "region_code": address.country,
        "postal_code": address.postal_code,
        "district_info": [
            { "address_level": "L0", "address_level_name": "Country", "address_name": address.country },
            { "address_level": "L1", "address_level_name": "Prefecture", "address_name": address.region },
            { "address_level": "L2", "address_level_name": "City", "address_name": address.city },
        ],
        "address_line1": masked(&address.line1),
        "address_line2": masked(&address.line2),
        "address_line3": "",
        "address_line4": "",
        "address_detail": masked(detail.trim()),
        "full_address": masked(&format!("{} {} {}", address.region, address.city, detail.trim())),
    })
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
        assert_eq!(share(Amount::whole(100), 3, 0), Amount::whole(34));
    }
}
