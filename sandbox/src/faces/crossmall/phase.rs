//! `upd_order_phase` and `upd_order_check_mark` (sheet, section 6), and moves by a person.
//!
//! The channel moves any order to any phase, back as well. What the market can't do of it is refused in its record alone.

use chrono::NaiveDate;

use super::answer::{Failure, Outcome, Rows};
use super::desk::Visit;
use super::ledger::{Ledger, PhaseMove, Written, stage_of};
use super::order_row::service_of;
use super::settings::{SERVICES, Settings, Stage};
use super::times::day;
use crate::market::{Acting, Action, Line, LineState, Market, OrderNumber, ParcelDraft, ParcelLine, Refusal};

/// What a call wants beside the move.
#[derive(Debug, Default)]
struct Delivery {
    tracking: Option<String>,
    service: Option<String>,
    /// Whether a slot that the new service does not know is cleared.
    clears_slot: bool,
    date: Option<NaiveDate>,
    /// Whether the date is written over an old one.
    over: bool,
}

impl Delivery {
    fn read(visit: &Visit<'_>) -> Result<Self, Failure> {
        let query = visit.query;
        let known = |name: &str| SERVICES.iter().any(|(known, _)| *known == name).then(|| name.to_owned());
        Ok(Self {
            tracking: query
                .text("delivery_no")
                .map(str::to_owned)
                .filter(|_| !visit.settings.ignore_tracking),
            service: query.read("delivery_name", known)?,
            clears_slot: query.flag("delivery_time_convert_error")?.unwrap_or(false),
            date: query.read("delivery_date", day)?,
            over: query.flag("delivery_date_update")?.unwrap_or(false),
        })
    }

    fn names_a_parcel(&self) -> bool {
        self.tracking.is_some() || self.service.is_some()
    }
}

pub(super) fn move_order(visit: &Visit<'_>) -> Outcome {
    let mut ledger = visit.ledger();
    let order = visit.order(&ledger)?;
    if ledger.parent_of(order).is_some() {
        return Err(Failure::bundled());
    }
    let to = visit.query.required("after_phase_name")?;
    if visit.settings.phase(to).is_none() {
        return Err(Failure::new("処理フェーズが見つかりません。"));
    }
    let delivery = Delivery::read(visit)?;
    if let Some(service) = &delivery.service {
        let has_slots = SERVICES.iter().any(|(name, slots)| name == service && *slots);
        let card = ledger.card_mut(order);
        if !has_slots && !card.time_slot.is_empty() {
            if !delivery.clears_slot {
                return Err(Failure::new("配送時間帯を変換できません。"));
            }
            card.time_slot.clear();
        }
    }
    let of_delivery = ["delivery_no", "delivery_name", "delivery_date"];
    let is_move = of_delivery.iter().all(|name| visit.query.text(name).is_none());
    let mover =
        Mover { market: visit.market(), acting: &visit.acting(), settings: visit.settings, by_api: true };
    mover.carry_out(&mut ledger, order, to, &delivery, is_move);
    Ok(Rows::default())
}

/// A person in the screens moves an order. False when there is no such phase or order.
pub(super) fn move_by_person(
    market: &Market,
    settings: &Settings,
    ledger: &mut Ledger,
    order: OrderNumber,
    to: &str,
) -> bool {
    if settings.phase(to).is_none() || ledger.shown(order).is_none() {
        return false;
    }
    let mover = Mover { market, acting: &market.back_office(), settings, by_api: false };
    mover.carry_out(ledger, order, to, &Delivery::default(), true);
    true
}

/// Once an order was read: somebody was waiting to move it.
pub(super) fn move_after_read(visit: &Visit<'_>, order: OrderNumber) {
    let mut ledger = visit.ledger();
    if let Some(to) = ledger.card_mut(order).moved_after_read.take() {
        move_by_person(visit.market(), visit.settings, &mut ledger, order, &to);
    }
}

struct Mover<'a> {
    market: &'a Market,
    acting: &'a Acting<'a>,
    settings: &'a Settings,
    by_api: bool,
}

impl Mover<'_> {
    /// `is_move` tells apart a repeat of the same move from a number that is written without one.
    fn carry_out(
        &self,
        ledger: &mut Ledger,
        number: OrderNumber,
        to: &str,
        delivery: &Delivery,
        is_move: bool,
    ) {
        let Some(before) = self.market.order(number) else { return };
        let card = ledger.card_mut(number);
        let from = card.phase(&before, self.settings).to_owned();
        if let Some(service) = &delivery.service {
            card.service = Some(service.clone());
        }
        let date = delivery.date.filter(|_| delivery.over || card.delivery_date.is_none());
        card.delivery_date = date.or(card.delivery_date);
        let tracking = delivery.tracking.clone().unwrap_or_else(|| card.tracking(&before).to_owned());
        let service = service_of(&before, card).to_owned();

        let stage = self.settings.phase(to).and_then(|phase| phase.stage);
        let moves = is_move || from != to;
        let ships = moves && stage == Some(Stage::Shipped);
        if delivery.names_a_parcel() && !ships {
            let parcel = before.parcels.len().checked_sub(1);
            for line in &before.lines {
                let _ = self.acting.enter_tracking(line.number, parcel, &service, &tracking);
            }
        }
        if moves {
            match stage {
                Some(Stage::Confirmed) => self.confirm(&before.lines),
                Some(Stage::Shipped) => self.ship(number, &before.lines, &service, &tracking),
                Some(Stage::Unpaid | Stage::New) | None => {}
            }
        }

        let now = self.market.clock().now();
        let Some(after) = self.market.order(number) else { return };
        card.phase = Some(Written { phase: to.to_owned(), over: stage_of(&after) });
        card.tracking = Some((tracking, after.parcels.len()));
        card.touched_at = Some(now);
        card.moves.push(PhaseMove {
            at: now,
            from,
            to: to.to_owned(),
            tracking: delivery.tracking.clone(),
            delivery_date: date,
            by_api: self.by_api,
        });
    }

    fn confirm(&self, lines: &[Line]) {
        for line in lines {
            let _ = match line.state {
                LineState::AwaitingPayment => self.acting.confirm_unpaid(line.number),
                _ => self.acting.confirm(line.number, None),
            };
        }
    }

    /// An order can be moved to "shipped" again and again: the record must show it.
    fn ship(&self, order: OrderNumber, lines: &[Line], carrier: &str, tracking: &str) {
        let open = |line: &&Line| line.state < LineState::Shipped && line.open_quantity() > 0;
        let units = |line: &Line| ParcelLine { line: line.number, quantity: line.open_quantity() };
        let parcel: Vec<ParcelLine> = lines.iter().filter(open).map(units).collect();
        if !parcel.is_empty() {
            let parcel = ParcelDraft { carrier: carrier.into(), tracking: tracking.into(), lines: parcel };
            let _ = self.acting.ship_unpaid(order, parcel);
            return;
        }
        let has_left = |line: &&Line| matches!(line.state, LineState::Shipped | LineState::Delivered);
        let left: Vec<_> = lines.iter().filter(has_left).map(|line| line.number).collect();
        if !left.is_empty() {
            let _ = self.acting.ship_again(order, &left, carrier, tracking);
            return;
        }
        for line in lines {
            let action = Action::Shipped { quantity: 0, carrier: carrier.into(), tracking: tracking.into() };
            self.acting.refused(line.number, action, Refusal::WrongState(line.state));
        }
    }
}

pub(super) fn mark(visit: &Visit<'_>) -> Outcome {
    let mut ledger = visit.ledger();
    let order = visit.order(&ledger)?;
    let place = |text: &str| text.parse::<usize>().ok().filter(|mark| (1..=3).contains(mark));
    let missing = |name| move || Failure::parameter(name);
    let at = visit.query.read("check_mark_type", place)?.ok_or_else(missing("check_mark_type"))?;
    let value = visit.query.flag("check_mark_value")?.ok_or_else(missing("check_mark_value"))?;
    let now = visit.market().clock().now();
    let card = ledger.card_mut(order);
    card.marks[at - 1] = value;
    card.touched_at = Some(now);
    Ok(Rows::default())
}
