//! Uploading waybills (sheet 4.8). Korea only.

use std::collections::{HashMap, HashSet};

use chrono::{Days, NaiveDate};
use serde::Serialize;

use crate::channel::{
    Context, DispatchRequest, Dispatched, Operation, Outcome, Refusal, Repeat, Tracking, concerns_account,
    whole,
};
use crate::error::{Error, ErrorKind, Result};
use crate::http::Nature;
use crate::model::{CancelState, Line, LineId, Order};

use super::auth::{Api, Ask};
use super::carriers;
use super::confirm::unclear;
use super::errors::Function;
use super::info::split_days;
use super::orders::{Seen, look};
use super::rows::{KeptLine, kept};
use super::wire::{BoxResult, box_results, number};

/// A second upload of a whole box is answered INVALID_STATUS, but a second upload of a part finds another box than the
/// first did (sheet 4.8): the order is read first. It shows the waybill of each part.
pub(super) const REPEAT: Repeat = Repeat::ReadFirst;

/// Most entries of one call of ours: none is documented (sheet 11).
const MOST_ENTRIES: usize = 100;

/// What is sent for a line; every field is required.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    shipment_box_id: u64,
    order_id: u64,
    vendor_item_id: u64,
    delivery_company_code: String,
    invoice_number: String,
    split_shipping: bool,
    pre_split_shipped: bool,
    estimated_shipping_date: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    vendor_id: &'a str,
    order_sheet_invoice_apply_dtos: Vec<&'a Entry>,
}

/// A parcel as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parcel {
    pub(super) entries: Vec<Entry>,
    pub(super) tracking: Tracking,
    box_id: String,
    /// The box loses lines to a new one.
    splits: bool,
    /// The carrier's code is on the channel's list.
    known_carrier: bool,
}

/// Asks to upload waybills, or to correct them.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn invoices_ask(function: Function, vendor: &str, parcels: &[&Parcel]) -> Result<Ask> {
    let name = if function == Function::UpdateInvoices { "updateInvoices" } else { "invoices" };
    let path = format!("/v2/providers/openapi/apis/api/v4/vendors/{vendor}/orders/{name}");
    let entries = parcels.iter().flat_map(|parcel| &parcel.entries).collect();
    Ask::post(function, path).json(&Body { vendor_id: vendor, order_sheet_invoice_apply_dtos: entries })
}

/// What is sent for a parcel, or why it can't be. `today` is the channel's day; `days` what the merchant chose for the
/// rest of a split box.
pub(super) fn parcel(
    request: &DispatchRequest<'_>,
    today: NaiveDate,
    days: Option<u64>,
) -> Result<Parcel, Refusal> {
    let order = request.order;
    let tracking = request.tracking.ok_or_else(|| no("a carrier and a waybill number are needed"))?;
    let (code, known_carrier) = carrier(tracking)?;
    let waybill = waybill(tracking)?;
    if order.cancel == CancelState::Requested {
        // The refund of a box that ships all the same is the seller's loss (sheet 4.9).
        return Err(no(
            "the buyer asked to cancel: accept the request, or refuse it with the waybill of this parcel",
        )
        .temporary()
        .reread());
    }
    let kept = kept(order);
    let open: Vec<&Line> = open_lines(order).collect();
    let (ships, stays) = divide(&open, request.lines)?;
    if ships.is_empty() {
        return Err(no("nothing of the order is left to ship in this parcel").reread());
    }
    let pre_split = kept.split || order.lines.iter().any(|line| line.shipped > 0);
    let splits = !stays.is_empty();
    if splits && !kept.splittable {
        return Err(no("the channel does not let this box be split: all of it must go in one parcel"));
    }
    let box_id = number(order.id.as_str()).ok_or_else(|| no("the order's id is no box number"))?;
    let order_id = number(&kept.order).ok_or_else(|| no("the order number is not known"))?;
    let entry = |line: &Line, invoice: &str, date: String| {
        Ok(Entry {
            shipment_box_id: box_id,
            order_id,
            vendor_item_id: number(&line.listing.option).ok_or_else(|| no("a line has no vendorItemId"))?,
            delivery_company_code: code.clone(),
            invoice_number: invoice.to_owned(),
            split_shipping: splits || pre_split,
            pre_split_shipped: pre_split,
            estimated_shipping_date: date,
        })
    };
    let mut entries = Vec::with_capacity(open.len());
    for line in ships {
        entries.push(entry(line, &waybill, String::new())?);
    }
    for line in stays {
        entries.push(entry(line, "", ships_later(line, today, days)?.to_string())?);
    }
    // An option that is in the box twice is one entry.
    let mut seen = HashSet::new();
    entries.retain(|entry| seen.insert(entry.vendor_item_id));
    let tracking = Tracking::new(code, waybill);
    Ok(Parcel { entries, tracking, box_id: box_id.to_string(), splits: splits || pre_split, known_carrier })
}

fn no(message: &str) -> Refusal {
    Refusal::new("", message)
}

pub(super) fn carrier(tracking: &Tracking) -> Result<(String, bool), Refusal> {
    carriers::code(&tracking.carrier).ok_or_else(|| {
        no("the carrier is not known: use its usual name, or the channel's code, like CJGLS, HANJIN, HYUNDAI, DIRECT")
    })
}

pub(super) fn waybill(tracking: &Tracking) -> Result<String, Refusal> {
    carriers::waybill(&tracking.number).ok_or_else(|| no("the waybill number must be digits and letters"))
}

/// The lines that are in the order's own box still, and not shipped or cancelled.
fn open_lines(order: &Order) -> impl Iterator<Item = &Line> {
    order
        .lines
        .iter()
        .filter(|line| line.outstanding() > 0 && (line.unit.is_empty() || line.unit == order.id.as_str()))
}

/// Which lines are in the parcel, and which stay. A box is split by lines: there is no field for pieces (sheet 4.8).
fn divide<'a>(
    open: &[&'a Line],
    wanted: &[(LineId, u32)],
) -> Result<(Vec<&'a Line>, Vec<&'a Line>), Refusal> {
    if wanted.is_empty() {
        return Ok((open.to_vec(), Vec::new()));
    }
    let (mut ships, mut stays) = (Vec::new(), Vec::new());
    for line in open {
        let pieces = wanted.iter().filter(|(id, _)| *id == line.id).map(|(_, pieces)| *pieces);
        match pieces.fold(0_u32, u32::saturating_add) {
            0 => stays.push(*line),
            pieces if pieces >= line.outstanding() => ships.push(*line),
            _ => {
                return Err(no(
                    "the channel ships a line as a whole: a part of its pieces can't be reported",
                ));
            }
        }
    }
    Ok((ships, stays))
}

/// The day that is promised for a line that stays. It can't be taken back, so it is never guessed.
fn ships_later(line: &Line, today: NaiveDate, days: Option<u64>) -> Result<NaiveDate, Refusal> {
    let promised = line.channel_data.read::<KeptLine>().and_then(|kept| kept.promised);
    match days {
        Some(days) => today.checked_add_days(Days::new(days)),
        None => promised.filter(|day| *day >= today),
    }
    .ok_or_else(|| {
        no("the rest of the order needs a day on which it ships: the promised one has passed, and the option \
            split_rest_days is not set")
    })
}

/// What a result says about a parcel.
pub(super) fn outcome(result: Option<&BoxResult>, parcel: &Parcel) -> Outcome<Dispatched> {
    match result {
        None => unclear("the answer does not say whether the waybill was taken"),
        Some(result) if result.succeed => {
            Outcome::Done(Dispatched {
                // As it was sent: without hyphens, under the channel's code. Reads show this number.
                tracking: Some(parcel.tracking.clone()),
                // The shipped part is in a new box now.
                reread: parcel.splits,
                ..Dispatched::default()
            })
        }
        Some(result) => Outcome::Refused(refusal(result)),
    }
}

/// `retryRequired` means "correct it and send again" here, not "send the same again" (sheet 4.8). Only a stop request
/// on a part ends by itself.
fn refusal(result: &BoxResult) -> Refusal {
    let meaning = match result.code.as_str() {
        "NOT_FOUND_SHIPMENT_BOX" => "the channel has no such box",
        "INVALID_STATUS" => "the box is not confirmed, or shipped already",
        "PERMISSION_DENIED" => "the channel does not allow it",
        "DUPLICATE_INVOICE_NUMBER" => "the waybill number was used within six months",
        "INVALID_INVOICE_NUMBER" => "the waybill number is not one of this carrier",
        "ORDER_DELIVERY_CANCELED" => "the order is cancelled, or the buyer asked to stop it",
        "ORDER_DELIVERY_PARTIAL_STOP_REQUESTED" => "the buyer asked to stop a part of it",
        _ => "",
    };
    let text =
        [meaning, result.message.as_str()].iter().filter(|t| !t.is_empty()).copied().collect::<Vec<_>>();
    let refusal = Refusal::new(&result.code, text.join(": "));
    match result.code.as_str() {
        "DUPLICATE_INVOICE_NUMBER" | "INVALID_INVOICE_NUMBER" | "PERMISSION_DENIED" => refusal,
        "ORDER_DELIVERY_PARTIAL_STOP_REQUESTED" => refusal.reread().temporary(),
        _ => refusal.reread(),
    }
}

/// Reports parcels. Boxes go together; a parcel whose carrier is not on the list goes alone, because a wrong code is
/// answered with HTTP 500 for the whole call.
pub(super) async fn dispatch(
    api: &Api,
    cx: &Context,
    requests: &[DispatchRequest<'_>],
) -> Result<Vec<Outcome<Dispatched>>> {
    let (today, days) = (api.today(), split_days(cx)?);
    let mut seen = HashSet::new();
    let mut outcomes: HashMap<usize, Outcome<Dispatched>> = HashMap::new();
    let mut parcels = Vec::new();
    for (n, request) in requests.iter().enumerate() {
        match parcel(request, today, days) {
            Err(no) => _ = outcomes.insert(n, Outcome::Refused(no)),
            Ok(_) if !seen.insert(&request.order.id) => {
                let error = Error::new(ErrorKind::Busy)
                    .with_message("another parcel of this order is in the same call: read the order first")
                    .for_order(&request.order.id);
                outcomes.insert(n, Outcome::NotTried(error));
            }
            Ok(parcel) => parcels.push((n, parcel)),
        }
    }
    let mut failure: Option<Error> = None;
    for group in groups(parcels) {
        if let Some(error) = &failure {
            outcomes.extend(group.iter().map(|(n, _)| (*n, Outcome::NotTried(error.clone()))));
            continue;
        }
        let sent = upload(api, cx, requests, &group).await;
        failure = sent.as_ref().err().filter(|error| concerns_account(error)).cloned();
        match sent {
            Ok(done) => outcomes.extend(done),
            // HTTP is 200 even where every box failed (sheet 4.8): nothing was done, and one entry may be the reason.
            Err(error) if error.kind() == ErrorKind::Refused && group.len() > 1 => {
                for one in group.chunks(1) {
                    match upload(api, cx, requests, one).await {
                        Ok(done) => outcomes.extend(done),
                        Err(error) => {
                            outcomes.extend(one.iter().map(|(n, _)| (*n, Outcome::from_error(&error))))
                        }
                    }
                }
            }
            Err(error) => outcomes.extend(group.iter().map(|(n, _)| (*n, Outcome::from_error(&error)))),
        }
    }
    let lost = || unclear("no outcome for the parcel");
    whole((0..requests.len()).map(|n| outcomes.remove(&n).unwrap_or_else(lost)).collect())
}

/// The parcels by call.
fn groups(parcels: Vec<(usize, Parcel)>) -> Vec<Vec<(usize, Parcel)>> {
    let mut groups: Vec<Vec<(usize, Parcel)>> = Vec::new();
    let mut entries = MOST_ENTRIES;
    let mut alone = Vec::new();
    for (n, parcel) in parcels {
        if !parcel.known_carrier {
            alone.push(vec![(n, parcel)]);
            continue;
        }
        entries += parcel.entries.len();
        match groups.last_mut() {
            Some(group) if entries <= MOST_ENTRIES => group.push((n, parcel)),
            _ => {
                entries = parcel.entries.len();
                groups.push(vec![(n, parcel)]);
            }
        }
    }
    groups.extend(alone);
    groups
}

/// One call.
async fn upload(
    api: &Api,
    cx: &Context,
    requests: &[DispatchRequest<'_>],
    group: &[(usize, Parcel)],
) -> Result<Vec<(usize, Outcome<Dispatched>)>> {
    let parcels: Vec<&Parcel> = group.iter().map(|(_, parcel)| parcel).collect();
    let ask = invoices_ask(Function::Invoices, &api.keys()?.vendor, &parcels)?;
    let answer = api.write(cx, Operation::Dispatch, Nature::from(REPEAT), &ask).await?;
    // It was sent: an answer that can't be read leaves it open what was done.
    let results = box_results(&answer.body).map_err(Error::with_unknown_effect)?;
    let mut outcomes = Vec::with_capacity(group.len());
    for (n, parcel) in group {
        let told = match results.get(&parcel.box_id) {
            Some(result) => outcome(result.as_ref(), parcel),
            None => unclear("the answer leaves this box out"),
        };
        let told = match (told, requests.get(*n)) {
            (Outcome::Refused(no), Some(request)) if no.code == "INVALID_STATUS" => {
                if is_reported(api, cx, request, parcel).await {
                    Outcome::AlreadyDone
                } else {
                    Outcome::Refused(no)
                }
            }
            (told, _) => told,
        };
        outcomes.push((*n, told));
    }
    Ok(outcomes)
}

/// Whether the channel shows this waybill already: reported in Wing, or by a call whose answer was lost.
async fn is_reported(api: &Api, cx: &Context, request: &DispatchRequest<'_>, parcel: &Parcel) -> bool {
    let Ok(Seen::Open(order)) = look(api, cx, Operation::Dispatch, request.order).await else { return false };
    order
        .tracking
        .iter()
        .any(|known| carriers::waybill(&known.number).as_ref() == Some(&parcel.tracking.number))
}

/// Corrects the waybill of a box that was reported before; its state goes back to DEPARTURE (sheet 4.8).
pub(super) async fn correct(
    api: &Api,
    cx: &Context,
    order: &Order,
    tracking: &Tracking,
) -> Result<Outcome<Dispatched>> {
    let parcel = match corrected(order, tracking) {
        Ok(parcel) => parcel,
        Err(no) => return Ok(Outcome::Refused(no)),
    };
    let ask = invoices_ask(Function::UpdateInvoices, &api.keys()?.vendor, &[&parcel])?;
    // The same number again changes nothing more.
    let answer = api.write(cx, Operation::UpdateTracking, Nature::SafeWrite, &ask).await?;
    let results = box_results(&answer.body).map_err(Error::with_unknown_effect)?;
    Ok(match results.get(&parcel.box_id) {
        Some(result) => outcome(result.as_ref(), &parcel),
        None => unclear("the answer leaves this box out"),
    })
}

/// What is sent to correct the waybill of an order whose shipped lines are all in one box.
pub(super) fn corrected(order: &Order, tracking: &Tracking) -> Result<Parcel, Refusal> {
    let (code, known_carrier) = carrier(tracking)?;
    let waybill = waybill(tracking)?;
    let shipped: Vec<&Line> = order.lines.iter().filter(|line| line.shipped > 0).collect();
    let unit =
        shipped.first().map(|line| line.unit.as_str()).ok_or_else(|| no("nothing of it was shipped yet"))?;
    if shipped.iter().any(|line| line.unit != unit) {
        return Err(no("its parcels are in several boxes: correct them in Wing"));
    }
    let box_id = number(unit).ok_or_else(|| no("the box number is not known"))?;
    let order_id = number(&kept(order).order).ok_or_else(|| no("the order number is not known"))?;
    let mut entries = Vec::new();
    for line in shipped {
        entries.push(Entry {
            shipment_box_id: box_id,
            order_id,
            vendor_item_id: number(&line.listing.option).ok_or_else(|| no("a line has no vendorItemId"))?,
            delivery_company_code: code.clone(),
            invoice_number: waybill.clone(),
            split_shipping: false,
            pre_split_shipped: false,
            estimated_shipping_date: String::new(),
        });
    }
    let tracking = Tracking::new(code, waybill);
    Ok(Parcel { entries, tracking, box_id: box_id.to_string(), splits: false, known_carrier })
}
