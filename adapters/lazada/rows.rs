//! Rows into orders (sheet 5, 6). No call is made here.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{Row, UnreadableRow};
use crate::lenient::{Text, object};
use crate::model::{
    Address, CancelState, ChannelData, Destination, Hold, Line, Money, Order, OrderId, OrderStatus, Party,
    Private, RawPayload,
};

use super::lines::{items, lines, summary};
use super::wire::{time, told};
use super::{Config, Market};

#[derive(Deserialize, Default)]
#[serde(default)]
struct OrderRow<'a> {
    #[serde(borrow)]
    order_id: Text<'a>,
    #[serde(borrow)]
    order_number: Text<'a>,
    #[serde(borrow)]
    created_at: Text<'a>,
    #[serde(borrow)]
    updated_at: Text<'a>,
    #[serde(borrow)]
    customer_first_name: Text<'a>,
    #[serde(borrow)]
    customer_last_name: Text<'a>,
    #[serde(borrow)]
    shipping_fee: Text<'a>,
    #[serde(borrow)]
    buyer_note: Text<'a>,
    #[serde(borrow)]
    remarks: Text<'a>,
    #[serde(borrow)]
    gift_message: Text<'a>,
    #[serde(borrow)]
    need_cancel_confirm: Text<'a>,
    #[serde(borrow)]
    is_cancel_pending: Text<'a>,
    #[serde(borrow)]
    address_shipping: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct AddressRow<'a> {
    #[serde(borrow)]
    first_name: Text<'a>,
    #[serde(borrow)]
    last_name: Text<'a>,
    #[serde(borrow)]
    phone: Text<'a>,
    #[serde(borrow)]
    phone2: Text<'a>,
    #[serde(borrow)]
    address1: Text<'a>,
    #[serde(borrow)]
    address2: Text<'a>,
    #[serde(borrow)]
    address3: Text<'a>,
    #[serde(borrow)]
    address4: Text<'a>,
    #[serde(borrow)]
    address5: Text<'a>,
    #[serde(borrow)]
    city: Text<'a>,
    #[serde(borrow)]
    post_code: Text<'a>,
    #[serde(borrow)]
    country: Text<'a>,
    /// The channel's own spelling in lists; orders that are read alone spell it right.
    #[serde(borrow, rename = "addressDsitrict")]
    dsitrict: Text<'a>,
    #[serde(borrow, rename = "addressDistrict")]
    district: Text<'a>,
}

/// What later reads need of an order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct OrderData {
    /// The channel's own time of the last change, in milliseconds since 1970.
    pub(super) changed: i64,
    /// Whether order or items tell if the buyer asks to cancel.
    pub(super) tells_cancels: bool,
}

/// An order without its items, which come by another call.
pub(super) struct Head<'a> {
    raw: &'a RawValue,
    row: OrderRow<'a>,
    pub(super) id: OrderId,
    pub(super) ordered_at: DateTime<Utc>,
}

/// Reads an order's own row.
///
/// # Errors
/// The row, where it can't be read. It spoils only itself.
pub(super) fn head(raw: &RawValue) -> Result<Head<'_>, UnreadableRow> {
    let unreadable = |id, reason: &str| UnreadableRow::new(id, reason, RawPayload::new(raw.get()));
    let Ok(row) = object::<OrderRow<'_>>("the row", raw.get()) else {
        return Err(unreadable(None, "the row is not an order"));
    };
    // The channel says of both that they are the order's id.
    let id = told(&row.order_id).or_else(|| told(&row.order_number)).map(OrderId::from);
    let Some(id) = id else { return Err(unreadable(None, "the order id is missing")) };
    let Some(ordered_at) = time(&row.created_at) else {
        return Err(unreadable(Some(id), "the order's time can't be read"));
    };
    Ok(Head { raw, row, id, ordered_at })
}

impl Head<'_> {
    /// The row of an order whose items the channel does not show.
    pub(super) fn without_items(&self) -> Row {
        let reason = "the channel shows no items of the order";
        Row::Unreadable(UnreadableRow::new(Some(self.id.clone()), reason, RawPayload::new(self.raw.get())))
    }

    /// The order with its items.
    pub(super) fn with_items(&self, list: &RawValue, config: &Config, read_at: DateTime<Utc>) -> Row {
        let raw = format!("{{\"order\":{},\"items\":{}}}", self.raw.get(), list.get());
        match self.order(list, config, read_at) {
            Ok(mut order) => {
                order.raw = RawPayload::new(&raw);
                Row::Order(Box::new(order))
            }
            Err(reason) => {
                Row::Unreadable(UnreadableRow::new(Some(self.id.clone()), reason, RawPayload::new(&raw)))
            }
        }
    }

    fn order(&self, list: &RawValue, config: &Config, read_at: DateTime<Utc>) -> Result<Order, &'static str> {
        let row = &self.row;
        let items = items(list)?;
        let lines = lines(&items)?;
        let said = summary(&items, &lines);
        let changed_at = time(&row.updated_at).max(said.changed_at);
        // One that is missing or no currency code: the order is taken, its amounts are left out. Counting them in
        // another currency would be wrong.
        let currency = said.currency.unwrap_or(config.currency);
        let mut order = Order::new(
            self.id.clone(),
            said.status,
            self.ordered_at,
            changed_at.unwrap_or(read_at),
            currency,
        );
        order.number =
            told(&row.order_number).filter(|number| *number != self.id.as_str()).map(str::to_owned);
        order.paid_at = said.paid_at;
        order.ship_by = said.ship_by;
        let of_order = (row.need_cancel_confirm.flag(), row.is_cancel_pending.flag());
        let asked = of_order.0 == Some(true) || of_order.1 == Some(true) || said.wants_out == Some(true);
        if asked && said.status < OrderStatus::Shipped {
            order.cancel = CancelState::Requested;
        }
        let fee = row.shipping_fee.decimal();
        if said.currency.is_some() {
            let money = |amount| Money::new(amount, currency);
            order.totals.shipping = fee.map(money);
            order.totals.total = said.paid.zip(fee).and_then(|(paid, fee)| paid.checked_add(fee)).map(money);
        }
        let mut buyer = Party::default();
        buyer.name.push_str(&joined([&row.customer_first_name, &row.customer_last_name]));
        order.buyer = Private::new(buyer);
        order.memo = memo(row);
        let destination = destination(row.address_shipping, config)?;
        let no_address = destination.recipient.reveal().address.is_empty();
        if no_address && matches!(said.status, OrderStatus::New | OrderStatus::Confirmed) {
            order.holds.push(Hold::AddressWithheld);
        }
        order.destinations = vec![destination];
        order.lines = lines;
        order.tracking = said.tracking;
        let data = OrderData {
            changed: changed_at.map_or(0, |at| at.timestamp_millis()),
            tells_cancels: said.wants_out.is_some() || of_order != (None, None),
        };
        order.channel_data = ChannelData::new(&data).map_err(|_| "the order's data can't be kept")?;
        Ok(order)
    }
}

/// What the items of a known order say now: enough to act on it, without its address and sums.
pub(super) struct Fresh {
    pub(super) status: OrderStatus,
    pub(super) lines: Vec<Line>,
    /// Whether the buyer asks to cancel; `None`: not told.
    pub(super) wants_out: Option<bool>,
}

/// Reads the items of a known order.
///
/// # Errors
/// What is missing.
pub(super) fn fresh(list: &RawValue) -> Result<Fresh, &'static str> {
    let items = items(list)?;
    let lines = lines(&items)?;
    let said = summary(&items, &lines);
    Ok(Fresh { status: said.status, lines, wants_out: said.wants_out })
}

fn joined<const N: usize>(texts: [&Text<'_>; N]) -> String {
    texts.into_iter().filter_map(told).collect::<Vec<_>>().join(" ")
}

/// The buyer's words: note, remarks and gift message, each once.
fn memo(row: &OrderRow<'_>) -> Option<Private<String>> {
    let mut words: Vec<&str> = Vec::new();
    for word in [&row.buyer_note, &row.remarks, &row.gift_message].into_iter().filter_map(told) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    (!words.is_empty()).then(|| Private::new(words.join(" / ")))
}

fn destination(raw: Option<&RawValue>, config: &Config) -> Result<Destination, &'static str> {
    let row = match raw {
        Some(raw) if raw.get() != "null" => {
            object::<AddressRow<'_>>("the address", raw.get()).map_err(|_| "the address can't be read")?
        }
        _ => AddressRow::default(),
    };
    let texts = [
        &row.first_name,
        &row.last_name,
        &row.address1,
        &row.address2,
        &row.address3,
        &row.address4,
        &row.address5,
        &row.city,
        &row.post_code,
        &row.dsitrict,
        &row.district,
    ];
    if texts.iter().any(|text| text.is_broken()) {
        return Err("name or address have broken characters");
    }
    let mut party = Party::default();
    party.name.push_str(&joined([&row.first_name, &row.last_name]));
    party.phone = told(&row.phone).unwrap_or_default().to_owned();
    party.phone_alternative = told(&row.phone2).unwrap_or_default().to_owned();
    party.address = address(&row, config);
    let mut destination = Destination::default();
    let recipient = Private::new(party);
    destination.recipient = recipient;
    Ok(destination)
}

/// `address3` is the state, `address4` the city, `address5` the third level; `address1` is the street (reference of
/// getorder).
fn address(row: &AddressRow<'_>, config: &Config) -> Address {
    let mut address = Address::default();
    address.postal_code.push_str(told(&row.post_code).unwrap_or_default());
    address.region = told(&row.address3).unwrap_or_default().to_owned();
    address.city = told(&row.address4).or_else(|| told(&row.city)).unwrap_or_default().to_owned();
    let mut lines: Vec<&str> = Vec::new();
    for line in [&row.address5, &row.dsitrict, &row.district, &row.address2, &row.address1]
        .into_iter()
        .filter_map(told)
    {
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    let country = told(&row.country).unwrap_or_default();
    match code(country) {
        Some(code) => address.country = code,
        // A name that is not known must not pass for the channel's own country.
        None if !lines.is_empty() => lines.push(country),
        None => {}
    }
    if address.country.is_empty() && country.is_empty() && !lines.is_empty() {
        address.country = config.market.code().to_ascii_uppercase();
    }
    address.lines = lines.into_iter().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    address
}

/// The code of a country that comes by its name; `None`: it is not known.
fn code(country: &str) -> Option<String> {
    let is = |name: &str| country.eq_ignore_ascii_case(name);
    let market = Market::ALL.into_iter().find(|market| is(market.country()) || is(market.code()));
    match market {
        Some(market) => Some(market.code().to_ascii_uppercase()),
        None if is("Viet Nam") => Some("VN".to_owned()),
        None if country.len() == 2 && country.bytes().all(|b| b.is_ascii_alphabetic()) => {
            Some(country.to_ascii_uppercase())
        }
        None => None,
    }
}
