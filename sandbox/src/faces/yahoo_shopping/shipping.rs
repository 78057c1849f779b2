//! `orderShipStatusChange`, and what can be said of a shipment.

use super::answer::{Done, Failure, Outcome, Warning};
use super::changing::{blocked, not_done, point_fix, refuse, target};
use super::desk::Visit;
use super::ledger::{CardAuthorization, Ledger, Shipment};
use super::settings::RepeatedDispatch;
use super::times::day;
use super::view::View;
use crate::faces::xml::Tree;
use crate::market::{Action, LineNumber, LineState, Order, ParcelDraft, ParcelLine, Refusal};

/// Ship methods of a store with the carriers that they bring along.
const METHOD_CARRIERS: [(&str, &str); 3] = [("postage1", "1001"), ("postage2", "1002"), ("postage3", "1003")];

const YAMATO: &str = "1001";
const JAPAN_POST: &str = "1003";

/// The parts of `Order/Ship`, checked.
#[derive(Debug, Default)]
pub(super) struct Report {
    sent: Shipment,
    status: Option<u8>,
}

fn is_carrier(code: &str) -> bool {
    let Ok(number) = code.parse::<u16>() else { return false };
    matches!(number, 1000..=1029 | 5000 | 5001 | 100 | 103 | 104 | 999)
}

fn is_method(code: &str) -> bool {
    let number = code.strip_prefix("postage").and_then(|text| text.parse::<u8>().ok());
    number.is_some_and(|number| matches!(number, 1..=14 | 16..=22))
}

fn is_number(number: &str, company: &str, is_first: bool) -> bool {
    let all = |allowed: fn(u8) -> bool| number.bytes().all(allowed);
    let fits = match company {
        YAMATO | "103" => number.len() <= 14 && all(|b| b.is_ascii_digit() || b == b'-'),
        JAPAN_POST | "100" if is_first => {
            (11..=13).contains(&number.len()) && all(|b| b.is_ascii_alphanumeric())
        }
        _ => true,
    };
    fits && number.len() <= 30 && all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

impl Report {
    /// # Errors
    /// od90101 with the name of what is unknown or not of the form. Only a correction may leave the status out.
    pub(super) fn read(ship: &Tree, is_correction: bool) -> Result<Self, Failure> {
        let mut report = Self::default();
        for part in &ship.children {
            report.add(&part.name, &part.text).ok_or_else(|| Failure::parameter(&part.name))?;
        }
        if report.status.is_some() == is_correction {
            return Err(Failure::parameter("ShipStatus"));
        }
        let sent = &mut report.sent;
        if let Some((_, carrier)) = METHOD_CARRIERS.iter().find(|(method, _)| *method == sent.method) {
            // The method's own carrier wins.
            sent.company = (*carrier).to_owned();
        }
        for (number, name, is_first) in
            [(&sent.number1, "ShipInvoiceNumber1", true), (&sent.number2, "ShipInvoiceNumber2", false)]
        {
            if !number.is_empty() && !is_number(number, &sent.company, is_first) {
                return Err(Failure::parameter(name));
            }
        }
        if !sent.empty_reason.is_empty() && sent.has_number() {
            return Err(Failure::parameter("ShipInvoiceNumberEmptyReason"));
        }
        Ok(report)
    }

    fn add(&mut self, name: &str, text: &str) -> Option<()> {
        let sent = &mut self.sent;
        let optional = |fits: bool| (text.is_empty() || fits).then(|| text.to_owned());
        match name {
            "ShipStatus" => self.status = Some(text.parse().ok().filter(|status| *status <= 4)?),
            "ShipMethod" => sent.method = optional(is_method(text))?,
            "ShipNotes" => sent.notes = optional(text.chars().count() <= 500)?,
            "ShipCompanyCode" => sent.company = optional(is_carrier(text))?,
            "ShipInvoiceNumber1" => sent.number1 = text.to_owned(),
            "ShipInvoiceNumber2" => sent.number2 = text.to_owned(),
            "ShipInvoiceNumberEmptyReason" => {
                sent.empty_reason = optional(matches!(text, "101" | "102" | "103" | "104" | "105"))?;
            }
            "ShipUrl" => sent.url = optional(text.chars().count() <= 100)?,
            "ShipDate" if !text.is_empty() => sent.ship_date = Some(day(text)?),
            "ArrivalDate" if !text.is_empty() => sent.arrival_date = Some(day(text)?),
            "ShipDate" | "ArrivalDate" => {}
            "ShipInstructStatus" | "CollectionDate" | "CashOnDeliveryTax" | "IsMallContactlessDelivery" => {}
            name if name == "IsEazy" || name.starts_with("Eazy") => {}
            _ => return None,
        }
        Some(())
    }

    /// A number and a reason for none exclude each other, also with what the order has already.
    pub(super) fn excludes(&self, before: &Shipment) -> bool {
        (self.sent.has_number() && !before.empty_reason.is_empty())
            || (!self.sent.empty_reason.is_empty() && before.has_number())
    }

    /// What is sent stands from now on; the rest stays.
    pub(super) fn note(&self, shipment: &mut Shipment) {
        let sent = &self.sent;
        for (from, to) in [
            (&sent.method, &mut shipment.method),
            (&sent.notes, &mut shipment.notes),
            (&sent.company, &mut shipment.company),
            (&sent.number1, &mut shipment.number1),
            (&sent.number2, &mut shipment.number2),
            (&sent.empty_reason, &mut shipment.empty_reason),
            (&sent.url, &mut shipment.url),
        ] {
            if !from.is_empty() {
                to.clone_from(from);
            }
        }
        shipment.ship_date = sent.ship_date.or(shipment.ship_date);
        shipment.arrival_date = sent.arrival_date.or(shipment.arrival_date);
    }
}

impl Shipment {
    fn has_number(&self) -> bool {
        !self.first_number().is_empty()
    }

    /// The first of the two numbers that there is.
    pub(super) fn first_number(&self) -> &str {
        if self.number1.is_empty() { &self.number2 } else { &self.number1 }
    }
}

/// `orderShipStatusChange`.
pub(super) fn change(visit: &Visit<'_>, ledger: &mut Ledger) -> Outcome {
    let request = visit.xml()?;
    let order = target(visit, &request)?;
    if !point_fix(&request)? {
        return Err(Failure::parameter("IsPointFix"));
    }
    let ship = request.at(&["Order", "Ship"]).ok_or_else(|| Failure::parameter("Ship"))?;
    let report = Report::read(ship, false)?;
    let to = report.status.unwrap_or_default();
    let slip = ledger.slip(order.number);
    if report.excludes(&slip.shipment) {
        return Err(Failure::parameter("ShipInvoiceNumberEmptyReason"));
    }
    let view = View::new(&order, Some(&slip), &visit.settings, visit.now);
    let mut after = slip.shipment.clone();
    report.note(&mut after);
    let tracking = after.first_number().to_owned();
    let attempt = Action::Shipped { quantity: 0, carrier: after.company.clone(), tracking: tracking.clone() };
    let from = view.ship_status();
    let why = blocked(&view, false).or(match (view.order_status(), from, to) {
        (4, ..) => Some("it is cancelled"),
        (5, ..) => Some("it is closed"),
        (1 | 3, _, 3..) => Some("it is on hold"),
        (_, 0, 3..) => Some("it can not be shipped yet"),
        (_, 3.., 0..=2) => Some("it is shipped"),
        (_, 3, 3) | (_, 4, 3..) if visit.settings.repeated_dispatch == RepeatedDispatch::Refused => {
            Some("it is shipped already")
        }
        _ => None,
    });
    if let Some(why) = why {
        return if to >= 3 { refuse(visit, &order, &attempt, why) } else { not_done(visit, why) };
    }
    let done = match to {
        3.. => leave(visit, &order, from, to, &after.company, &tracking),
        _ => Ok(()),
    };
    if done.is_err() {
        return not_done(visit, "its state changed");
    }
    let warning = match slip.authorization {
        _ if to < 3 || from >= 3 || view.pay_method().kind != 0 => None,
        CardAuthorization::Open => None,
        CardAuthorization::Taken => Some(Warning::new("od91113")),
        CardAuthorization::Ended => Some(Warning::new("od91115")),
    };
    let slip = ledger.slip_mut(order.number);
    slip.shipment = after;
    slip.is_being_shipped = to == 2;
    slip.is_unshippable = to == 0;
    slip.changed_at = Some(visit.now);
    Done::changed(warning)
}

/// The whole order leaves, and arrives for 4.
fn leave(
    visit: &Visit<'_>,
    order: &Order,
    from: u8,
    to: u8,
    carrier: &str,
    tracking: &str,
) -> Result<(), Refusal> {
    let live = || order.lines.iter().filter(|line| line.state != LineState::Cancelled);
    let acting = visit.acting();
    if from < 3 {
        let open = live().filter(|line| line.open_quantity() > 0);
        let lines = open.map(|l| ParcelLine { line: l.number, quantity: l.open_quantity() }).collect();
        acting
            .ship(order.number, ParcelDraft { carrier: carrier.into(), tracking: tracking.into(), lines })?;
    } else if to == 3 {
        let lines: Vec<LineNumber> = live().map(|line| line.number).collect();
        acting.ship_again(order.number, &lines, carrier, tracking)?;
    }
    if to == 4 && from < 4 {
        live().try_for_each(|line| acting.deliver(line.number))?;
    }
    Ok(())
}
