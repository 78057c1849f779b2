//! `get_order` (sheet, section 4).

use chrono::{DateTime, NaiveDate, Utc};

use super::answer::{Failure, Outcome, Rows};
use super::call::{Query, number};
use super::desk::Visit;
use super::ledger::Card;
use super::order_row::{CREATING_SOURCE, order_code, row};
use super::phase;
use super::settings::{RowOrder, Settings};
use super::times::{day, day_of, seconds};
use crate::market::{Order, OrderNumber};

/// Which numbers are asked for.
#[derive(Debug, Clone, Copy)]
enum Numbers {
    Equal(u64),
    Above(Option<u64>),
}

struct Conditions<'a> {
    code: Option<&'a str>,
    ordered: (Option<NaiveDate>, Option<NaiveDate>),
    updated: (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    phase: Option<&'a str>,
    cancel_flag: Option<u8>,
    marks: [Option<bool>; 3],
    sources: Vec<&'a str>,
}

/// A number without `condition` is refused: the default is not established, and nobody shall rely on it.
fn numbers(query: &Query) -> Result<Numbers, Failure> {
    let asked = query.read("order_number", number)?;
    match (query.flag("condition")?, asked) {
        (Some(true), above) => Ok(Numbers::Above(above)),
        (Some(false), Some(equal)) => Ok(Numbers::Equal(equal)),
        (None, None) => Ok(Numbers::Above(None)),
        (None, Some(_)) => Err(Failure::parameter("condition")),
        (Some(false), None) => Err(Failure::parameter("order_number")),
    }
}

impl<'a> Conditions<'a> {
    fn read(query: &'a Query) -> Result<Self, Failure> {
        let flag = |text: &str| text.parse::<u8>().ok().filter(|flag| *flag <= 2);
        let sources: Vec<&str> = query.all("creating_source_type[]").collect();
        if sources.iter().any(|source| number(source).is_none()) {
            return Err(Failure::parameter("creating_source_type[]"));
        }
        Ok(Self {
            code: query.text("order_code"),
            ordered: (query.read("order_date_fr", day)?, query.read("order_date_to", day)?),
            updated: query.updated()?,
            phase: query.text("phase_name"),
            cancel_flag: query.read("cancel_flag", flag)?,
            marks: [query.flag("check_mark1")?, query.flag("check_mark2")?, query.flag("check_mark3")?],
            sources,
        })
    }

    fn hold(&self, order: &Order, card: &Card, settings: &Settings) -> bool {
        let shown = |field: &str, own: String| card.fields.get(field).cloned().unwrap_or(own);
        let day = day_of(order.ordered_at);
        let marks = self.marks.iter().zip(card.marks);
        self.code.is_none_or(|code| shown("order_code", order_code(order)) == code)
            && self.ordered.0.is_none_or(|from| day >= from)
            && self.ordered.1.is_none_or(|to| day <= to)
            && within(self.updated, card.updated_at(order), settings.open_ends)
            && self.phase.is_none_or(|phase| card.phase(order, settings) == phase)
            && self.cancel_flag.is_none_or(|flag| card.cancel_flag(order) == flag)
            && marks.into_iter().all(|(wanted, is)| wanted.is_none_or(|wanted| wanted == is))
            && (self.sources.is_empty() || self.sources.contains(&CREATING_SOURCE))
    }
}

/// Whether a time, in whole seconds, lies between two ends.
pub(super) fn within(
    (from, to): (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    time: DateTime<Utc>,
    open_ends: bool,
) -> bool {
    let time = seconds(time);
    let after = |end| if open_ends { time > end } else { time >= end };
    let before = |end| if open_ends { time < end } else { time <= end };
    from.is_none_or(after) && to.is_none_or(before)
}

pub(super) fn search(visit: &Visit<'_>) -> Outcome {
    let numbers = numbers(visit.query)?;
    let conditions = Conditions::read(visit.query)?;
    let settings = visit.settings;
    let ledger = visit.ledger();
    let (rows, available, read) = visit.market().read(|state| {
        let candidates: Vec<OrderNumber> = match numbers {
            Numbers::Equal(number) => ledger.find(visit.seller, number).into_iter().collect(),
            Numbers::Above(number) => ledger.above(visit.seller, number).collect(),
        };
        let found: Vec<(&Order, &Card)> = candidates
            .into_iter()
            .filter_map(|number| Some((state.order(number)?, ledger.card(number)?)))
            .filter(|(order, card)| conditions.hold(order, card, settings))
            .collect();
        let page = found.iter().take(settings.page_size);
        let mut rows: Vec<_> =
            page.clone().map(|(order, card)| row(&ledger, order, card, settings)).collect();
        if settings.row_order == RowOrder::Descending {
            rows.reverse();
        }
        (rows, found.len(), page.map(|(order, _)| order.number).collect::<Vec<_>>())
    });
    drop(ledger);
    if let Numbers::Equal(_) = numbers {
        read.into_iter().for_each(|order| phase::move_after_read(visit, order));
    }
    Ok(Rows { rows, available })
}
