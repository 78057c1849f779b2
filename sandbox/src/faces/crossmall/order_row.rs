//! A row of `get_order` (sheet, section 4, "Fields of a row").

use super::answer::Row;
use super::ledger::{Card, Ledger, live_lines};
use super::settings::{SERVICES, Settings};
use super::times::{day_of, shown, shown_day};
use crate::Amount;
use crate::faces::xml::Element;
use crate::market::{Order, Person};

/// How all orders of the sandbox came in.
pub(super) const CREATING_SOURCE: &str = "1";

/// The shop's own number, in the form of its shop.
pub(super) fn order_code(order: &Order) -> String {
    format!("123456-{}-{:010}", day_of(order.ordered_at).format("%Y%m%d"), order.number.0)
}

/// Name and value in the order of the answer.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn put(&mut self, name: impl Into<String>, value: impl ToString) {
        self.0.push((name.into(), value.to_string()));
    }

    fn empty(&mut self, names: &[&str]) {
        names.iter().for_each(|name| self.put(*name, ""));
    }

    fn zero(&mut self, names: &[&str]) {
        names.iter().for_each(|name| self.put(*name, 0));
    }

    fn person(&mut self, side: &str, person: &Person, order: &Order) {
        let address = &order.address;
        let field = |name: &str| format!("{side}_{name}");
        self.put(field("section_name1"), "");
        self.put(field("section_name2"), "");
        self.put(field("name"), &person.name);
        self.put(field("kana"), &person.reading);
        self.put(field("zip"), &address.postal_code);
        self.put(field("address1"), format!("{}{}{}", address.region, address.city, address.line1));
        self.put(field("address2"), &address.line2);
        self.put(field("tel"), if person.phone.is_empty() { &person.mobile } else { &person.phone });
    }
}

pub(super) fn row(ledger: &Ledger, order: &Order, card: &Card, settings: &Settings) -> Row {
    let mut fields = Fields(Vec::with_capacity(80));
    let parent = card.bundled_into.and_then(|parent| ledger.shown(parent));
    fields.put("order_number", ledger.shown(order.number).unwrap_or_default());
    fields.put("order_date", shown(order.ordered_at));
    fields.put("shop_code", 1);
    fields.put("shop_name", "楽天市場店");
    fields.put("order_code", order_code(order));
    fields.person("client", &order.buyer, order);
    fields.put("client_mail", &order.buyer.email);
    fields.put("terminal_type", 1);
    fields.person("ship", &order.recipient, order);
    delivery(&mut fields, order, card, settings);
    fields.put("payment_code", 1);
    fields.put("payment_name", &order.payment_method);
    let options = if settings.newer_fields { 10 } else { 6 };
    (1..=options).for_each(|at| fields.put(format!("order_option{at}"), ""));
    fields.put("order_memo", &order.message);
    fields.put("comment", "");
    money(&mut fields, order, settings);
    fields.put("phase_name", card.phase(order, settings));
    for (at, mark) in card.marks.iter().enumerate() {
        fields.put(format!("check_mark{}", at + 1), u8::from(*mark));
    }
    fields.put("cancel_flag", card.cancel_flag(order));
    let is_bundled = parent.is_some() || !ledger.children_of(order.number).is_empty();
    fields.put("bundle_flag", u8::from(is_bundled));
    fields.put("bundle_ahead_number", parent.unwrap_or_default());
    fields.put("created_at", shown(card.imported_at));
    fields.put("updated_at", shown(card.updated_at(order)));
    if settings.newer_fields {
        fields.put("creating_source_type", CREATING_SOURCE);
        fields.empty(&["delivery_memo"]);
        fields.zero(&["mail_type"]);
        fields.empty(&["mail_name"]);
        fields.zero(&["reserve_type"]);
        fields.empty(&["reserve_name", "short_memo", "postit_color", "postit_memo"]);
    }
    finished(fields, card)
}

fn delivery(fields: &mut Fields, order: &Order, card: &Card, settings: &Settings) {
    fields.put("delivery_number", card.tracking(order));
    fields.put("delivery_type_code", 1);
    fields.put("delivery_type_name", "宅配便");
    let service = service_of(order, card);
    let code = SERVICES.iter().position(|(name, _)| *name == service).map(|at| (at + 1).to_string());
    fields.put("delivery_code", code.unwrap_or_default());
    fields.put("delivery_name", service);
    fields.put("delivery_req_date", order.desired_delivery.map(shown_day).unwrap_or_default());
    fields.put("delivery_time_code", "");
    fields.put("delivery_time_name", &card.time_slot);
    fields.put("delivery_date", card.delivery_date.map(shown_day).unwrap_or_default());
    if settings.newer_fields {
        fields.zero(&["multiple_delivery_flag"]);
    }
}

/// The carrier service that an order goes with.
pub(super) fn service_of<'a>(order: &'a Order, card: &'a Card) -> &'a str {
    let sent = order.parcels.last().map(|parcel| parcel.carrier.as_str()).filter(|name| !name.is_empty());
    card.service.as_deref().or(sent).unwrap_or(SERVICES[0].0)
}

/// The signs of points and coupons are not established: a discount is shown as a coupon above 0.
fn money(fields: &mut Fields, order: &Order, settings: &Settings) {
    let sum = |amount: fn(&crate::market::Line) -> Amount| {
        live_lines(order).fold(Amount::ZERO, |sum, (_, line)| sum + amount(line))
    };
    let subtotal = sum(|line| line.unit_price * super::lines::pieces(line));
    let discount = sum(|line| line.discount);
    let total = subtotal - discount + order.shipping_fee;
    fields.put("subtotal_price", subtotal);
    fields.zero(&["tax_price"]);
    fields.put("carriage_price", order.shipping_fee);
    fields.zero(&["cash_on_delivery", "option1_fee", "option2_fee", "point"]);
    fields.put("coupon", discount);
    fields.put("total_price", total);
    if settings.newer_fields {
        fields.zero(&["tax_base", "tax_round", "tax_system_type"]);
        fields.put("taxin_total_price_10", total);
        fields.zero(&[
            "taxin_total_price_8",
            "taxin_total_price_0",
            "tax_total_price_10",
            "tax_total_price_8",
        ]);
    }
}

/// With what was set by hand, and without personal data where they are gone.
fn finished(fields: Fields, card: &Card) -> Row {
    let is_personal = |name: &str| name.starts_with("client_") || name.starts_with("ship_");
    let value = |name: &str, own: String| match card.fields.get(name) {
        Some(set) => set.clone(),
        None if card.is_blank && is_personal(name) => String::new(),
        None => own,
    };
    fields.0.into_iter().map(|(name, own)| Element::text(name.clone(), value(&name, own))).collect()
}
