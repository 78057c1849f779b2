//! `get_order_detail` and `get_order_component` (sheet, section 5).

use super::answer::{Failure, Outcome, Row, Rows};
use super::call::number;
use super::desk::Visit;
use super::items::{Attribute, attributes_of, code_of, jan_of};
use super::ledger::{Ledger, live_lines};
use crate::faces::xml::Element;
use crate::market::{Item, Line, LineState, MarketState, OrderNumber};

/// Pieces of a line that were not cancelled; of a cancelled line, all that were ordered.
pub(super) fn pieces(line: &Line) -> u32 {
    match line.state {
        LineState::Cancelled => line.quantity,
        _ => line.quantity.saturating_sub(line.cancelled_quantity),
    }
}

/// The lines of an order with their numbers, and behind them those that were packed into it.
fn lines_of<'a>(
    visit: &Visit<'_>,
    ledger: &Ledger,
    state: &'a MarketState,
    order: OrderNumber,
) -> Vec<(usize, &'a Line)> {
    let Some(own) = state.order(order) else { return Vec::new() };
    let mut lines: Vec<_> = live_lines(own).collect();
    if visit.settings.parent_has_all_lines {
        let mut next = own.lines.len();
        for child in ledger.children_of(order).into_iter().filter_map(|child| state.order(child)) {
            lines.extend(live_lines(child).map(|(at, line)| (next + at, line)));
            next += child.lines.len();
        }
    }
    lines
}

/// The order that a call names, unless it is packed into another.
fn open_order(visit: &Visit<'_>, ledger: &Ledger) -> Result<OrderNumber, Failure> {
    let order = visit.order(ledger)?;
    match ledger.parent_of(order) {
        Some(_) => Err(Failure::bundled()),
        None => Ok(order),
    }
}

pub(super) fn details(visit: &Visit<'_>) -> Outcome {
    let ledger = visit.ledger();
    let order = open_order(visit, &ledger)?;
    let shown = ledger.shown(order).unwrap_or_default();
    let rows = visit.market().read(|state| {
        let lines = lines_of(visit, &ledger, state, order).into_iter();
        lines.map(|(at, line)| row(&ledger, state, &shown, at, line)).collect()
    });
    Ok(Rows::of(rows))
}

fn row(ledger: &Ledger, state: &MarketState, order: &str, at: usize, line: &Line) -> Row {
    let item = state.item(line.item);
    let is_set = ledger.sets.contains_key(&line.item);
    let code = item.map_or_else(|| line.seller_code.clone(), code_of);
    // Typed by hand: it is in no master.
    let free = if code.is_empty() { format!("free-{}", line.number) } else { String::new() };
    let mut row = vec![
        Element::text("order_number", order),
        Element::text("line_no", at),
        Element::text("item_code", code),
        Element::text("item_name", &line.title),
    ];
    row.extend(attribute_fields(&attributes_of(item, &line.axes)));
    let none = Vec::new();
    let choices = ledger.choices.get(&line.number).unwrap_or(&none);
    for at in 0..20 {
        let (label, choice) = choices.get(at).map(|(l, c)| (l.as_str(), c.as_str())).unwrap_or_default();
        row.push(Element::text(format!("item_option{}_label", at + 1), label));
        row.push(Element::text(format!("item_option{}", at + 1), choice));
    }
    let jan = if is_set || item.is_none() { String::new() } else { jan_of(line.item, line.option) };
    row.extend([
        Element::text("amount", pieces(line)),
        Element::text("unit_price", line.unit_price),
        Element::text("amount_price", line.unit_price * pieces(line)),
        Element::text("tax_type", 1),
        Element::text("reduced_tax_rate_type", 0),
        Element::text("freight_type", 0),
        Element::text("free_item_code", free),
        Element::text("component_flag", u8::from(is_set)),
        Element::text("tax_rate", 10),
        Element::text("jan_cd", jan),
        Element::text("lead_time_text", ""),
    ]);
    row
}

/// The four fields of two attributes.
pub(super) fn attribute_fields(attributes: &[Attribute; 2]) -> [Element; 4] {
    let [one, two] = attributes;
    [
        Element::text("attribute1_code", &one.code),
        Element::text("attribute1_name", &one.name),
        Element::text("attribute2_code", &two.code),
        Element::text("attribute2_name", &two.name),
    ]
}

pub(super) fn components(visit: &Visit<'_>) -> Outcome {
    let ledger = visit.ledger();
    let order = open_order(visit, &ledger)?;
    let wanted = number(visit.query.required("line_no")?).ok_or_else(|| Failure::parameter("line_no"))?;
    let shown = ledger.shown(order).unwrap_or_default();
    visit.market().read(|state| {
        let lines = lines_of(visit, &ledger, state, order);
        let (at, line) = lines
            .into_iter()
            .find(|(at, _)| *at as u64 == wanted)
            .ok_or_else(|| Failure::new("明細が見つかりません。"))?;
        let parts = ledger.sets.get(&line.item).into_iter().flatten();
        let set = state.item(line.item).map(code_of).unwrap_or_default();
        let rows = parts.filter_map(|&(item, option, count)| {
            let item: &Item = state.item(item)?;
            let axes = option.and_then(|id| item.option(id)).map(|option| option.axes.as_slice());
            let mut row = vec![
                Element::text("order_number", &shown),
                Element::text("line_no", at),
                Element::text("set_item_code", &set),
                Element::text("item_code", code_of(item)),
                Element::text("item_name", &item.title),
            ];
            row.extend(attribute_fields(&attributes_of(Some(item), axes.unwrap_or_default())));
            row.push(Element::text("component_count", count));
            row.push(Element::text("jan_cd", jan_of(item.id, option)));
            Some(row)
        });
        Ok(Rows::of(rows.collect()))
    })
}
