//! What all harnesses arrange alike, because all faces show the same market.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use sales_channels::conformance::{
    Arranged, Change, LineWish, ListingKind, ListingWish, NotArranged, OrderWish, SeenDispatch,
};
use sales_channels_sandbox::Amount;
use sales_channels_sandbox::market::{
    Action, Actor, Axis, ItemDraft, ItemId, LineDraft, LineNumber, Market, OptionId, OrderDraft, OrderNumber,
    Person, Refusal,
};

/// When all harnesses begin: a morning in Tokyo, a weekday.
pub fn start() -> DateTime<Utc> {
    "2026-11-24T01:00:00Z".parse().unwrap()
}

pub fn amount(decimal: Decimal) -> Amount {
    Amount::hundredths((decimal * Decimal::from(100)).to_i64().unwrap())
}

fn done<T>(result: Result<T, Refusal>) -> Arranged<T> {
    result.map_err(|refusal| NotArranged::Failed(refusal.to_string()))
}

/// Changes that programs made through the face.
pub fn changes(market: &Market) -> u64 {
    let by_api = |event: &&sales_channels_sandbox::market::Event| {
        matches!(event.actor, Actor::Api { .. }) && event.is_done()
    };
    market.read(|state| state.record().iter().filter(by_api).count() as u64)
}

/// A line to be ordered; `item` finds the item (and option) of a listing.
pub fn line(
    wish: &LineWish,
    item: impl Fn(&sales_channels::model::ListingKey) -> (ItemId, Option<OptionId>),
) -> LineDraft {
    let price = Some(amount(wish.unit_price));
    match wish.listing.as_ref().map(item) {
        None => LineDraft::unlisted(&wish.sku, &wish.title, amount(wish.unit_price), wish.quantity),
        Some((item, None)) => LineDraft { unit_price: price, ..LineDraft::of(item, wish.quantity) },
        Some((item, Some(option))) => {
            LineDraft { unit_price: price, ..LineDraft::of_option(item, option, wish.quantity) }
        }
    }
}

/// An order of these lines.
pub fn draft(wish: &OrderWish, lines: Vec<LineDraft>, currency: &str) -> OrderDraft {
    let mut draft = OrderDraft::of(lines);
    let person = &wish.person;
    draft.buyer = Person {
        name: person.name.clone(),
        mobile: person.phone.clone(),
        email: person.email.clone(),
        ..Person::default()
    };
    draft.address.postal_code = person.postal_code.clone();
    draft.address.region.clear();
    draft.address.city.clear();
    draft.address.line1 = person.street.clone();
    draft.address.line2.clear();
    draft.message = wish.message.clone();
    draft.currency = currency.to_owned();
    draft.ordered_at = Some(wish.ordered_at);
    draft.paid_at = wish.paid_at;
    draft.unpaid = wish.paid_at.is_none();
    draft
}

pub fn place(market: &Market, draft: OrderDraft) -> Arranged<OrderNumber> {
    done(market.buyer().place(draft))
}

/// Does something to lines of one order.
pub fn change(market: &Market, order: OrderNumber, lines: &[LineNumber], change: Change) -> Arranged<()> {
    if change == Change::Pay {
        return done(market.marketplace().pay(order));
    }
    for line in lines {
        let (line, office) = (*line, market.back_office());
        done(match change {
            Change::Confirm => office.confirm(line, None),
            Change::Ship => office.ship_line(line, "ヤマト運輸", "449900000001"),
            Change::Deliver => market.marketplace().deliver(line),
            Change::Cancel => office.cancel(line, "sold out"),
            Change::AskCancel => market.buyer().request_cancel(line, "changed my mind"),
            Change::TakeCancelBack => market.buyer().withdraw_cancel(line),
            other => return Err(NotArranged::because(format!("the market has no {other:?}"))),
        })?;
    }
    Ok(())
}

/// The parcels of these lines, in one list: a parcel of several lines is one.
pub fn dispatches(market: &Market, lines: &[LineNumber]) -> Vec<SeenDispatch> {
    let mut seen: Vec<SeenDispatch> = Vec::new();
    let mut times: Vec<DateTime<Utc>> = Vec::new();
    let record = market.record();
    for event in record.iter().filter(|e| e.is_done() && e.subject.line.is_some_and(|l| lines.contains(&l))) {
        if let Action::Shipped { quantity, tracking, .. } = &event.action {
            let same = seen.iter().position(|parcel| parcel.number == *tracking && *quantity > 0);
            match same {
                Some(at) if lines.len() > 1 => seen[at].pieces += quantity,
                _ => seen.push(SeenDispatch::new(tracking.clone(), *quantity)),
            }
            times.push(event.at);
        }
    }
    seen
}

/// The quantity, and what else there is of an item.
pub fn list(
    market: &Market,
    wish: &ListingWish,
    currency: &str,
    ends: Option<NaiveDate>,
) -> (ItemId, Option<OptionId>) {
    let price = Amount::whole(1980);
    let mut draft = ItemDraft::simple(&wish.sku, &wish.title, price, i64::from(wish.quantity));
    draft.currency = currency.to_owned();
    draft.sale_ends = ends;
    if wish.kind == ListingKind::Option {
        draft.seller_code = format!("{}-PARENT", wish.sku);
        draft = draft
            .with_option(vec![Axis::new("カラー", "赤")], &wish.sku, i64::from(wish.quantity))
            .with_option(vec![Axis::new("カラー", "青")], &format!("{}-BLUE", wish.sku), 3);
    }
    let item = market.list(draft).unwrap();
    let option = market.item(item).unwrap().options.first().map(|option| option.id);
    (item, option)
}

/// All of an item but its quantities.
pub fn facts(market: &Market, item: ItemId) -> String {
    let mut item = market.item(item).unwrap();
    item.quantity = 0;
    for option in &mut item.options {
        option.quantity = 0;
    }
    format!("{item:?}")
}
