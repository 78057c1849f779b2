//! Orders: rows into orders (sheet 4.1, 5, 6). The calls are in `fetch`.

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

use crate::lenient::{Text, decimal};
use crate::model::{
    Address, ChannelData, Currency, Destination, Line, ListingKey, Money, Order, OrderId, OrderStatus, Party,
    Private, RawPayload, Sku,
};

use super::Config;
use super::parts::{Id, OrderData, Parcel, Part, read_parcel, read_part, time};
use super::rows::{AddressRow, AttributeRow, LineRow, MoneyBag, OrderRow};
use super::status::{Choices, Facts, holds, line_status, status};
use super::wire::Connection;

/// How much of an order one answer can hold at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    /// Fulfilment orders.
    pub(super) parts: u32,
    /// Fulfilments.
    pub(super) parcels: u32,
}

/// What an answer left out of an order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Missing {
    /// Where the lines go on.
    pub(super) lines: Option<String>,
    /// The list of fulfilment orders may be cut off: it has no page information.
    pub(super) parts: bool,
    /// Fulfilment orders whose lines go on, and where.
    pub(super) part_lines: Vec<(String, String)>,
    /// The list of fulfilments may be cut off.
    pub(super) parcels: bool,
}

/// An order as far as one answer tells it.
pub(super) struct Draft {
    order: Order,
    facts: Facts,
    address_denied: bool,
    /// Whether it is a test order.
    pub(super) test: bool,
    /// The channel's time of the last change, as it came: the parts of an order must all be of the same.
    pub(super) updated: String,
    pub(super) lines: Vec<(Line, String)>,
    pub(super) parts: Vec<Part>,
    pub(super) parcels: Vec<Parcel>,
    pub(super) missing: Missing,
    /// Texts of the further answers that tell of it.
    pub(super) more_raw: Vec<String>,
}

/// The id of the order in a row, if that much can be read.
pub(super) fn row_id(raw: &RawValue) -> Option<OrderId> {
    let row: Id<'_> = serde_json::from_str(raw.get()).ok()?;
    row.id.filled().map(OrderId::from)
}

/// Reads a row. The error says what is missing, without personal data.
pub(super) fn draft(
    raw: &RawValue,
    config: &Config,
    read_at: DateTime<Utc>,
    room: Room,
    address_denied: bool,
) -> Result<Draft, &'static str> {
    let row: OrderRow<'_> = serde_json::from_str(raw.get()).map_err(|_| "the row is not an order")?;
    let id = row.id.filled().ok_or("the order's id is missing")?;
    let ordered_at = time(&row.created_at)
        .or_else(|| time(&row.processed_at))
        .ok_or("neither the time of creation nor that of processing can be read")?;
    let updated_at = time(&row.updated_at).unwrap_or(read_at);
    let currency = match row.currency_code.filled() {
        None => Some(config.currency),
        // An unknown one: the order is taken, its amounts are left out. Counting them in another would be wrong.
        Some(code) => code.parse().ok(),
    };
    let mut order =
        Order::new(id, OrderStatus::Unknown, ordered_at, updated_at, currency.unwrap_or(config.currency));
    order.number = row.name.filled().map(str::to_owned);
    order.totals.total = money(row.total_price_set.as_ref(), currency);
    order.totals.shipping = money(row.total_shipping_price_set.as_ref(), currency);
    order.buyer = Private::new(buyer(&row));
    order.destinations =
        row.shipping_address.as_ref().map(|to| destination(to, &row.phone)).into_iter().collect();
    order.memo = memo(row.note.filled(), row.custom_attributes.as_deref().unwrap_or_default());
    order.raw = RawPayload::new(raw.get());
    let mut draft = Draft {
        order,
        facts: Facts {
            cancelled: row.cancelled_at.filled().is_some(),
            financial: row.display_financial_status.trim().to_ascii_uppercase(),
            fulfilment: row.display_fulfillment_status.trim().to_ascii_uppercase(),
            unpaid: row.unpaid.flag(),
        },
        address_denied,
        test: row.test.flag() == Some(true),
        updated: row.updated_at.trim().to_owned(),
        lines: Vec::new(),
        parts: Vec::new(),
        parcels: Vec::new(),
        missing: Missing::default(),
        more_raw: Vec::new(),
    };
    draft.missing.lines = draft.add_lines(&row.line_items.ok_or("the order's lines are missing")?)?;
    draft.set_parts(&row.fulfillment_orders.ok_or("the fulfilment orders are missing")?, room.parts)?;
    draft.set_parcels(&row.fulfillments.ok_or("the fulfilments are missing")?, room.parcels)?;
    Ok(draft)
}

impl Draft {
    pub(super) fn id(&self) -> &OrderId {
        &self.order.id
    }

    /// The row as it came.
    pub(super) fn raw(&self) -> &RawPayload {
        &self.order.raw
    }

    /// Adds a page of lines; answers with where they go on.
    pub(super) fn add_lines(&mut self, page: &Connection<'_>) -> Result<Option<String>, &'static str> {
        for raw in page.nodes.as_ref().ok_or("the order's lines are missing")? {
            let raw = raw.ok_or("a line is missing")?;
            self.lines.push(read_line(raw, self.order.currency)?);
        }
        page.next().map_err(|_| "the order does not say whether it has more lines")
    }

    /// Takes in the fulfilment orders. `room`: as many as the answer can hold; a list that long may be cut off.
    pub(super) fn set_parts(&mut self, page: &Connection<'_>, room: u32) -> Result<(), &'static str> {
        let nodes = page.nodes.as_ref().ok_or("the fulfilment orders are missing")?;
        self.missing.parts = nodes.len() >= room as usize;
        self.parts.clear();
        self.missing.part_lines.clear();
        for raw in nodes {
            let read = read_part(raw.ok_or("a fulfilment order is missing")?)?;
            if let Some(after) = read.more {
                self.missing.part_lines.push((read.part.id.clone(), after));
            }
            self.parts.push(read.part);
        }
        Ok(())
    }

    /// Takes in the fulfilments. `room` as for fulfilment orders.
    pub(super) fn set_parcels(&mut self, list: &[Option<&RawValue>], room: u32) -> Result<(), &'static str> {
        self.missing.parcels = list.len() >= room as usize;
        self.parcels = list
            .iter()
            .map(|raw| read_parcel(raw.ok_or("a fulfilment is missing")?))
            .collect::<Result<_, _>>()?;
        Ok(())
    }

    /// The order, once nothing is missing.
    pub(super) fn finish(self, config: &Config, choices: &Choices) -> Result<Order, &'static str> {
        let Self { mut order, facts, address_denied, lines, parts, parcels, more_raw, .. } = self;
        let left = lines.iter().any(|(line, _)| line.outstanding() > 0);
        order.status = status(&facts, &parcels, left, choices);
        let open = || parts.iter().filter(|part| part.is_open());
        order.holds = holds(&facts, order.status, open().any(Part::is_held), address_denied);
        order.ship_by = open().filter_map(|part| part.ship_by).min();
        if config.ship_dates {
            order.expected_ship_date = common_day(open(), config);
        }
        let words: Vec<String> =
            lines.iter().map(|(_, words)| words.clone()).filter(|w| !w.is_empty()).collect();
        order.lines = lines.into_iter().map(|(line, _)| line).collect();
        for line in &mut order.lines {
            line.status = line_status(line, order.status);
            if order.status == OrderStatus::Cancelled {
                line.cancelled = line.quantity.saturating_sub(line.shipped);
            }
        }
        if !words.is_empty() {
            let note = order.memo.take().map(Private::into_inner);
            let all: Vec<String> = note.into_iter().chain(words).collect();
            order.memo = Some(Private::new(all.join("\n")));
        }
        let live = parcels.iter().filter(|parcel| parcel.is_live());
        order.tracking = live.flat_map(|parcel| parcel.tracking.iter().cloned()).collect();
        if !more_raw.is_empty() {
            // One text still, and still JSON: the row, then what else was read of it.
            let all: Vec<&str> =
                std::iter::once(order.raw.reveal()).chain(more_raw.iter().map(String::as_str)).collect();
            order.raw = RawPayload::new(&format!("[{}]", all.join(",")));
        }
        order.channel_data = ChannelData::new(&OrderData { parts, parcels })
            .map_err(|_| "what a dispatch needs can't be kept")?;
        Ok(order)
    }
}

/// The day by which all open parts are to leave, where it is the same for all.
fn common_day<'a>(mut open: impl Iterator<Item = &'a Part>, config: &Config) -> Option<chrono::NaiveDate> {
    let day = |part: &Part| Some(part.ship_by?.with_timezone(&config.zone).date_naive());
    let first = day(open.next()?)?;
    open.all(|part| day(part) == Some(first)).then_some(first)
}

/// A line, and its buyer's words ("engraving: A.B."), which are personal and go to the order's memo.
fn read_line(raw: &RawValue, currency: Currency) -> Result<(Line, String), &'static str> {
    let row: LineRow<'_> = serde_json::from_str(raw.get()).map_err(|_| "a line can't be read")?;
    let id = row.id.filled().ok_or("a line has no id")?;
    let pieces = |text: &Text<'_>| text.integer().and_then(|n| u32::try_from(n).ok());
    let quantity = pieces(&row.quantity).ok_or("the quantity of a line can't be read")?;
    let current = pieces(&row.current_quantity).unwrap_or(quantity).min(quantity);
    let unfulfilled =
        pieces(&row.unfulfilled_quantity).ok_or("a line does not say how much of it is left")?;
    let variant = row.variant.as_ref().and_then(|variant| variant.id.filled());
    let product = row.product.as_ref().and_then(|product| product.id.filled());
    let listing = match (product, variant) {
        (Some(product), Some(variant)) => ListingKey::option(product, variant),
        // The product was deleted, or the line was made by hand: there is no listing to speak of.
        (_, Some(variant)) => ListingKey::option("", variant),
        (_, None) => ListingKey::item(id),
    };
    let mut line = Line::new(id, listing, quantity, OrderStatus::Unknown);
    line.sku = row.sku.filled().map(Sku::from);
    line.title = row.title.trim().to_owned();
    line.option_text = row.variant_title.filled().filter(|t| *t != "Default Title").unwrap_or("").to_owned();
    line.cancelled = quantity - current;
    line.shipped = current.saturating_sub(unfulfilled);
    prices(&mut line, &row, currency);
    let attributes = row.custom_attributes.unwrap_or_default();
    let words = attributes_text(&attributes);
    let words = if words.is_empty() { words } else { format!("{}: {words}", line.title) };
    Ok((line, words))
}

/// The discounted price is that of one piece and rounded by the channel, so that a line's total can be off by less
/// than a unit for each piece. The order's total is exact.
fn prices(line: &mut Line, row: &LineRow<'_>, currency: Currency) {
    let price = money(row.original_unit_price_set.as_ref(), Some(currency));
    let after = money(row.discounted_unit_price_after_all_discounts_set.as_ref(), Some(currency));
    let pieces = rust_decimal::Decimal::from(line.quantity);
    let times = |amount: rust_decimal::Decimal| Some(Money::new(amount.checked_mul(pieces)?, currency));
    line.unit_price = price;
    line.total = after.or(price).and_then(|price| times(price.amount));
    line.discount = match (price, after) {
        (Some(price), Some(after)) => price
            .amount
            .checked_sub(after.amount)
            .filter(|less| less.is_sign_positive() && !less.is_zero())
            .and_then(times),
        _ => None,
    };
}

/// An amount in the shop's money, if it is in the order's currency.
fn money(bag: Option<&MoneyBag<'_>>, currency: Option<Currency>) -> Option<Money> {
    let money = bag?.shop_money.as_ref()?;
    let currency = currency?;
    let own = match money.currency_code.filled() {
        None => currency,
        Some(code) => code.parse().ok()?,
    };
    (own == currency).then(|| Some(Money::new(decimal(&money.amount)?, currency)))?
}

fn buyer(row: &OrderRow<'_>) -> Party {
    let customer = row.customer.as_ref();
    let email = customer.and_then(|c| c.default_email_address.as_ref()?.email_address.filled());
    let phone = customer.and_then(|c| c.default_phone_number.as_ref()?.phone_number.filled());
    Party {
        name: customer.map(|c| c.display_name.trim().to_owned()).unwrap_or_default(),
        email: row.email.filled().or(email).unwrap_or("").to_owned(),
        phone: row.phone.filled().or(phone).unwrap_or("").to_owned(),
        ..Party::default()
    }
}

fn destination(to: &AddressRow<'_>, order_phone: &Text<'_>) -> Destination {
    let parts = [to.first_name.filled(), to.last_name.filled()];
    let joined = || parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let lines = [&to.address1, &to.address2, &to.company];
    let recipient = Party {
        name: to.name.filled().map_or_else(joined, str::to_owned),
        phone: to.phone.filled().or(order_phone.filled()).unwrap_or("").to_owned(),
        address: Address {
            country: to.country.trim().to_ascii_uppercase(),
            postal_code: to.zip.trim().to_owned(),
            region: to.province.filled().or(to.province_code.filled()).unwrap_or("").to_owned(),
            city: to.city.trim().to_owned(),
            lines: lines.into_iter().filter_map(|line| line.filled()).map(str::to_owned).collect(),
        },
        ..Party::default()
    };
    Destination { recipient: Private::new(recipient), ..Destination::default() }
}

fn memo(note: Option<&str>, attributes: &[AttributeRow<'_>]) -> Option<Private<String>> {
    let attributes = attributes_text(attributes);
    let words: Vec<&str> = note.into_iter().chain((!attributes.is_empty()).then_some(&*attributes)).collect();
    (!words.is_empty()).then(|| Private::new(words.join("\n")))
}

fn attributes_text(attributes: &[AttributeRow<'_>]) -> String {
    let texts = attributes.iter().filter_map(|attribute| {
        // Keys with an underscore are for apps, by the shops' own convention.
        let key = attribute.key.filled().filter(|key| !key.starts_with('_'))?;
        Some(format!("{key}: {}", attribute.value.filled()?))
    });
    texts.collect::<Vec<_>>().join(", ")
}
