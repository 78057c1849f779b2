//! `updateOrderShipping`, its asynchronous form and the result of that (sheet 4.5).
//!
//! Without `shippingDetailId` a shipment is added, each time. The order is sent (500) once each destination has a
//! shipment with a date.

use std::collections::HashSet;

use axum::response::Response;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::{Value, json};

use super::answer::{Message, bad_request, ok};
use super::book::{self, Job, Shipment};
use super::call::Operation;
use super::desk::{Desk, Visit};
use super::{companies, wording};
use crate::lock;
use crate::market::{Acting, LineNumber, LineState, Order, ParcelDraft, ParcelLine};

const SYNC: &str = "UPDATE_ORDERSHIPPING";
const ASYNC: &str = "UPDATE_ORDERSHIPPING_ASYNC";
const RESULT: &str = "GET_RESULT_UPDATEORDERSHIPPING_ASYNC";
/// Shipments of a destination, characters of a tracking number, orders of one asynchronous call.
const MOST_SHIPMENTS: usize = 20;
const MOST_CHARACTERS: usize = 120;
const MOST_ORDERS: usize = 100;
/// How long results are kept.
const KEPT_DAYS: i64 = 30;

/// A field of a shipment: not sent, sent empty, or sent.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Entered<T> {
    Unchanged,
    Cleared,
    Set(T),
}

impl<T> Entered<T> {
    fn apply(self, to: &mut Option<T>) {
        match self {
            Self::Unchanged => {}
            Self::Cleared => *to = None,
            Self::Set(value) => *to = Some(value),
        }
    }
}

/// One entry of `ShippingModelList` as it was sent.
#[derive(Debug, Clone)]
struct Asked {
    /// Its place in the whole call, from 1.
    place: usize,
    basket: u64,
    id: Option<u64>,
    company: Entered<String>,
    number: Entered<String>,
    date: Entered<NaiveDate>,
    delete: bool,
}

/// Why an order is not sent: code and text.
struct Refused(u16, &'static str);

impl Refused {
    fn message(&self) -> Message {
        Message::error(SYNC, self.0, self.1)
    }
}

pub(super) fn run(visit: &Visit<'_>) -> Response {
    let answer = |messages: &[Message]| json!({ "MessageModelList": messages });
    let (number, asked) = match read_order(&visit.call.body, SYNC) {
        Ok(read) => read,
        Err(messages) => return bad_request(&answer(&messages)),
    };
    match carry_out(
        visit.desk,
        &visit.acting(),
        (&visit.key.seller, &visit.key.shop),
        &number,
        asked,
        visit.now,
    ) {
        Ok(messages) => ok(&answer(&messages)),
        Err(refused) => bad_request(&answer(&[refused.message().of_order(&number)])),
    }
}

pub(super) fn run_async(visit: &Visit<'_>) -> Response {
    let answer = |messages: &[Message]| json!({ "MessageModelList": messages });
    const FIELD: &str = "OrderShippingModelList";
    let orders = match visit.call.body.get(FIELD).filter(|value| !value.is_null()) {
        None => return ok(&answer(&[Message::missing(ASYNC, FIELD)])),
        Some(value) => value.as_array().cloned().unwrap_or_default(),
    };
    if orders.is_empty() || orders.len() > MOST_ORDERS {
        return ok(&answer(&[Message::malformed(ASYNC, FIELD)]));
    }
    let mut messages = Vec::new();
    let mut seen = HashSet::new();
    for order in &orders {
        let number = order.get("orderNumber").and_then(Value::as_str).unwrap_or_default();
        match read_order(order, ASYNC) {
            Err(errors) => messages.extend(errors.into_iter().map(|message| message.of_order(number))),
            Ok(_) if !seen.insert(number.to_owned()) => {
                messages.push(Message::error(ASYNC, 101, "orderNumberが重複しています。").of_order(number));
            }
            Ok(_) => {}
        }
    }
    if !messages.is_empty() {
        return ok(&answer(&messages));
    }
    let delay = TimeDelta::seconds(i64::from(visit.desk.face.settings().async_seconds));
    let due = visit.now.checked_add_signed(delay).unwrap_or(visit.now);
    let id = {
        let mut book = visit.book();
        let id = book.job_id(visit.now);
        let seller = visit.key.seller.clone();
        book.jobs.insert(id.clone(), Job { seller, taken_at: visit.now, due, orders, results: None });
        id
    };
    carry_out_jobs(visit.desk, visit.now);
    ok(&answer(&[Message::info(ASYNC, 101, "発送情報の更新を受付けました。").of_request(&id)]))
}

pub(super) fn result(visit: &Visit<'_>) -> Response {
    let answer = |message: Message| json!({ "ResultShippingModelList": [{ "MessageModelList": [message] }] });
    let id = match visit.call.body.get("requestId") {
        None | Some(Value::Null) => return bad_request(&answer(Message::missing(RESULT, "requestId"))),
        Some(value) => value.as_str().unwrap_or_default(),
    };
    let kept =
        |job: &&Job| job.seller == visit.key.seller && visit.now - job.taken_at < TimeDelta::days(KEPT_DAYS);
    let results = visit.book().jobs.get(id).filter(kept).and_then(|job| job.results.clone());
    match results {
        Some(results) => ok(&json!({ "ResultShippingModelList": results })),
        None => {
            ok(&answer(Message::info(RESULT, 101, "指定されたリクエストIDの処理結果は存在しませんでした。")))
        }
    }
}

/// Carries out the asynchronous dispatches that are due.
pub(super) fn carry_out_jobs(desk: &Desk, now: DateTime<Utc>) {
    let due: Vec<(String, Job)> = {
        let book = lock(&desk.face.0.book);
        let waiting = book.jobs.iter().filter(|(_, job)| job.results.is_none() && job.due <= now);
        waiting.map(|(id, job)| (id.clone(), job.clone())).collect()
    };
    for (id, job) in due {
        let acting = desk.acting(Operation::UpdateOrderShippingAsync);
        let shop = desk.face.shop_of(&job.seller);
        let results: Vec<Value> = job
            .orders
            .iter()
            .filter_map(|order| read_order(order, SYNC).ok())
            .map(|(number, asked)| {
                let done = carry_out(desk, &acting, (&job.seller, &shop), &number, asked, now);
                let messages = done.unwrap_or_else(|refused| vec![refused.message().of_shipment(None, None)]);
                json!({ "orderNumber": number, "MessageModelList": messages })
            })
            .collect();
        if let Some(job) = lock(&desk.face.0.book).jobs.get_mut(&id) {
            job.results = Some(json!(results));
        }
    }
}

fn carry_out(
    desk: &Desk,
    acting: &Acting<'_>,
    (seller, shop): (&str, &str),
    number: &str,
    asked: Vec<Asked>,
    now: DateTime<Utc>,
) -> Result<Vec<Message>, Refused> {
    let order = desk.order(seller, shop, number).ok_or(Refused(103, "該当する注文がありません。"))?;
    let settings = desk.face.settings();
    if settings.blank_shipments {
        lock(&desk.face.0.book).open_shipments(&order);
    }
    let page = lock(&desk.face.0.book).page(order.number);
    match book::progress(&order, &page, settings.payment, now) {
        300 | 500 | 600 | 700 => {}
        900 => {
            let text = "指定された注文番号は既にキャンセルされているため、発送完了報告が出来る状態ではありませんでした。";
            return Err(Refused(102, text));
        }
        _ => return Err(Refused(101, "発送完了報告が出来る状態ではありませんでした。")),
    }
    let packages = book::packages(&order, &page);
    for one in &asked {
        let shipments = page.shipments.get(&one.basket).map(Vec::as_slice).unwrap_or_default();
        if !packages.iter().any(|package| package.basket == one.basket) {
            return Err(Refused(104, "該当する送付先がありません。"));
        }
        if one.id.is_some_and(|id| !shipments.iter().any(|shipment| shipment.id == id)) {
            return Err(Refused(105, "該当する発送明細がありません。"));
        }
        let added = asked.iter().filter(|other| other.basket == one.basket && other.id.is_none()).count();
        if shipments.len() + added > MOST_SHIPMENTS {
            return Err(Refused(106, "発送情報は20件まで登録できます。"));
        }
    }
    let messages = asked.into_iter().map(|one| enter(desk, acting, &order, one)).collect();
    note_when_all_has_left(desk, &order, now);
    Ok(messages)
}

/// Adds, changes or removes one shipment.
fn enter(desk: &Desk, acting: &Acting<'_>, order: &Order, asked: Asked) -> Message {
    let mut book = lock(&desk.face.0.book);
    let id = asked.id.unwrap_or_else(|| book.shipment_id());
    let page = book.page_mut(order.number);
    let shipments = page.shipments.entry(asked.basket).or_default();
    let found = shipments.iter().position(|shipment| shipment.id == id);
    let mut shipment = match found {
        Some(at) => shipments.remove(at),
        None => Shipment { id, ..Shipment::default() },
    };
    asked.company.apply(&mut shipment.company);
    asked.number.apply(&mut shipment.number);
    asked.date.apply(&mut shipment.date);
    if asked.delete {
        (shipment.company, shipment.number, shipment.date) = (None, None, None);
    }
    let lines = lines_of(order, page, asked.basket);
    shipment.parcel = to_market(desk, acting, order, &lines, &shipment);
    if !asked.delete {
        let shipments = page.shipments.entry(asked.basket).or_default();
        shipments.insert(found.unwrap_or(shipments.len()), shipment);
    }
    let (code, text) = match asked.id {
        Some(_) => (102, "発送情報の更新設定が完了しました。"),
        None => (101, "発送情報の追加設定が完了しました。"),
    };
    Message::info(SYNC, code, text).of_shipment(Some(asked.place), Some(id))
}

fn lines_of(order: &Order, page: &book::Page, basket: u64) -> Vec<LineNumber> {
    let packages = book::packages(order, page);
    let package = packages.iter().find(|package| package.basket == basket);
    package.map(|package| package.lines.iter().map(|line| line.number).collect()).unwrap_or_default()
}

/// What a shipment means in the market; the place of its parcel there. Numbers without a date are only entered.
fn to_market(
    desk: &Desk,
    acting: &Acting<'_>,
    order: &Order,
    lines: &[LineNumber],
    shipment: &Shipment,
) -> Option<usize> {
    let carrier = shipment.company.clone().unwrap_or_default();
    let tracking = shipment.number.clone().unwrap_or_default();
    if shipment.parcel.is_some() || shipment.date.is_none() {
        for &line in lines {
            let _ = acting.enter_tracking(line, shipment.parcel, &carrier, &tracking);
        }
        return shipment.parcel;
    }
    let market = &desk.context.market;
    let left = |line: LineNumber| {
        let line = market.line(line).filter(|line| line.state < LineState::Shipped)?;
        Some(ParcelLine { line: line.number, quantity: line.open_quantity() })
    };
    let to_send: Vec<ParcelLine> = lines.iter().filter_map(|&line| left(line)).collect();
    let done = if to_send.is_empty() {
        acting.ship_again(order.number, lines, &carrier, &tracking)
    } else {
        acting.ship(order.number, ParcelDraft { carrier, tracking, lines: to_send })
    };
    done.ok().and_then(|()| market.order(order.number)?.parcels.len().checked_sub(1))
}

fn note_when_all_has_left(desk: &Desk, order: &Order, now: DateTime<Utc>) {
    let Some(order) = desk.context.market.order(order.number) else { return };
    if order.lines.iter().all(|line| line.state >= LineState::Shipped) {
        lock(&desk.face.0.book).page_mut(order.number).reported_at.get_or_insert(now);
    }
}

/// One order with its shipments, or everything that is wrong with it.
fn read_order(body: &Value, operation: &str) -> Result<(String, Vec<Asked>), Vec<Message>> {
    let mut messages = Vec::new();
    let number = match body.get("orderNumber") {
        None | Some(Value::Null) => Err(Message::missing(operation, "orderNumber")),
        Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
        Some(Value::String(_)) => Err(Message::empty(operation, "orderNumber")),
        Some(_) => Err(Message::malformed(operation, "orderNumber")),
    };
    let number = number.map_err(|message| messages.push(message)).unwrap_or_default();
    let mut asked = Vec::new();
    for basket in list(body, operation, "BasketidModelList", &mut messages) {
        let id = basket.get("basketId").filter(|id| !id.is_null());
        let basket_id = match id.map(Value::as_u64) {
            Some(Some(id)) if id < 10_000_000_000 => id,
            Some(_) => {
                messages.push(Message::malformed(operation, "basketId"));
                continue;
            }
            None => {
                messages.push(Message::missing(operation, "basketId"));
                continue;
            }
        };
        for shipment in list(basket, operation, "ShippingModelList", &mut messages) {
            let place = asked.len() + 1;
            asked.push(read_shipment(shipment, operation, basket_id, place, &mut messages));
        }
    }
    if messages.is_empty() { Ok((number, asked)) } else { Err(messages) }
}

fn list<'a>(body: &'a Value, operation: &str, field: &str, messages: &mut Vec<Message>) -> &'a [Value] {
    match body.get(field) {
        None | Some(Value::Null) => messages.push(Message::missing(operation, field)),
        Some(Value::Array(list)) if !list.is_empty() => return list,
        Some(Value::Array(_)) => messages.push(Message::empty(operation, field)),
        Some(_) => messages.push(Message::malformed(operation, field)),
    }
    &[]
}

fn read_shipment(
    sent: &Value,
    operation: &str,
    basket: u64,
    place: usize,
    messages: &mut Vec<Message>,
) -> Asked {
    let id = sent.get("shippingDetailId").and_then(Value::as_u64);
    let mut wrong =
        |field: &str| messages.push(Message::malformed(operation, field).of_shipment(Some(place), id));
    if id.is_none() && sent.get("shippingDetailId").is_some_and(|id| !id.is_null()) {
        wrong("shippingDetailId");
    }
    let company =
        entered(sent, "deliveryCompany", |text| companies::name_of(text).is_some().then(|| text.to_owned()));
    let number = entered(sent, "shippingNumber", |text| {
        (text.chars().count() <= MOST_CHARACTERS).then(|| text.to_owned())
    });
    let date = entered(sent, "shippingDate", wording::read_day);
    // A carrier can be changed, but not taken away.
    let company = company.filter(|company| *company != Entered::Cleared);
    let delete = match sent.get("shippingDeleteFlag") {
        None | Some(Value::Null) => Some(false),
        Some(flag) => flag.as_u64().filter(|flag| *flag <= 1).map(|flag| flag == 1),
    };
    let fields = [
        ("deliveryCompany", company.is_none()),
        ("shippingNumber", number.is_none()),
        ("shippingDate", date.is_none()),
        ("shippingDeleteFlag", delete.is_none()),
    ];
    for (field, _) in fields.into_iter().filter(|(_, is_wrong)| *is_wrong) {
        wrong(field);
    }
    Asked {
        place,
        basket,
        id,
        company: company.unwrap_or(Entered::Unchanged),
        number: number.unwrap_or(Entered::Unchanged),
        date: date.unwrap_or(Entered::Unchanged),
        delete: delete.unwrap_or(false),
    }
}

/// None when the value is malformed.
fn entered<T>(sent: &Value, field: &str, read: impl Fn(&str) -> Option<T>) -> Option<Entered<T>> {
    match sent.get(field) {
        None | Some(Value::Null) => Some(Entered::Unchanged),
        Some(Value::String(text)) if text.is_empty() => Some(Entered::Cleared),
        Some(Value::String(text)) => read(text).map(Entered::Set),
        Some(_) => None,
    }
}
