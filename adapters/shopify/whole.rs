//! An order with all its pieces: what a page leaves out, and reading single orders (sheet 4.1).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{Context, Operation, Outcome, Refusal, each};
use crate::error::{Error, ErrorKind, Result};
use crate::lenient::{Text, body_text};
use crate::model::{Order, OrderId, RawPayload};

use super::api::{Api, PARALLEL};
use super::documents::{LINES_OF_ORDER, LINES_OF_PART, ORDER_BY_ID, PARCELS_OF_ORDER, PARTS_OF_ORDER};
use super::errors::is_too_costly;
use super::fetch::{SizeVariables, single_sizes};
use super::orders::{Draft, Missing, draft};
use super::parts::{number, read_part_lines};
use super::status::Choices;
use super::wire::{Answer, Connection};

/// An order with more fulfilment orders than this can't be read whole: their list has no pages to turn.
const MOST_PARTS: u32 = 50;
/// The most that the channel gives of any list.
const MOST_PARCELS: u32 = 250;
/// An order that changes while its pieces are read is begun again so often.
const MOST_READINGS: usize = 3;

/// An order with all its pieces, or why there is none.
pub(super) enum Whole {
    Order(Box<Draft>, RawPayload),
    Unreadable(&'static str, RawPayload),
    Gone,
}

/// Reads what is missing of an order. Where it changed meanwhile, it is read anew: pieces of two states make no order.
pub(super) async fn whole(api: &Api, cx: &Context, operation: Operation, mut draft: Draft) -> Result<Whole> {
    for _ in 0..MOST_READINGS {
        let raw = draft.raw().clone();
        match fill(api, cx, operation, &mut draft).await {
            Ok(Filled::Whole) => return Ok(Whole::Order(Box::new(draft), raw)),
            Ok(Filled::Unreadable(why)) => return Ok(Whole::Unreadable(why, raw)),
            Ok(Filled::Changed) => {}
            Err(error) if is_too_costly(&error) => {
                return Ok(Whole::Unreadable("the order is too large for one answer", raw));
            }
            Err(error) => return Err(error),
        }
        let id = draft.id().clone();
        draft = match one(api, cx, operation, &id).await? {
            One::Draft(draft) => *draft,
            One::Unreadable(why, raw) => return Ok(Whole::Unreadable(why, raw)),
            One::Gone => return Ok(Whole::Gone),
        };
    }
    Err(Error::new(ErrorKind::Unavailable)
        .with_message("the order changes faster than it can be read")
        .for_order(draft.id()))
}

/// What became of filling a draft.
enum Filled {
    Whole,
    Changed,
    Unreadable(&'static str),
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Pieces<'a> {
    #[serde(borrow)]
    updated_at: Text<'a>,
    #[serde(borrow)]
    line_items: Option<Connection<'a>>,
    #[serde(borrow)]
    fulfillment_orders: Option<Connection<'a>>,
    #[serde(borrow)]
    fulfillments: Option<Vec<Option<&'a RawValue>>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct PartPieces<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    line_items: Option<Connection<'a>>,
}

/// Takes a piece of an order into its draft.
type Take<'a> = &'a (dyn Fn(&mut Draft, Pieces<'_>) -> Result<(), &'static str> + Send + Sync);

/// Reads one piece after the other, as long as the order stays as it is.
async fn fill(api: &Api, cx: &Context, operation: Operation, draft: &mut Draft) -> Result<Filled> {
    let id = draft.id().clone();
    let document_of = |missing: &Missing| {
        if missing.lines.is_some() {
            Some(&LINES_OF_ORDER)
        } else if missing.parts {
            Some(&PARTS_OF_ORDER)
        } else if !missing.part_lines.is_empty() {
            Some(&LINES_OF_PART)
        } else if missing.parcels {
            Some(&PARCELS_OF_ORDER)
        } else {
            None
        }
    };
    while let Some(document) = document_of(&draft.missing) {
        let missing = draft.missing.clone();
        let (after, part) = match (&missing.lines, missing.part_lines.first()) {
            (Some(after), _) => (Some(after.as_str()), None),
            (None, Some((part, after))) if !missing.parts => (Some(after.as_str()), Some(part.as_str())),
            _ => (None, None),
        };
        let variables = |halvings| {
            let sizes = single_sizes(halvings);
            let mut variables = serde_json::json!({"id": id});
            let known = [
                ("lines", serde_json::json!(sizes.lines)),
                ("after", serde_json::json!(after)),
                ("parts", serde_json::json!(MOST_PARTS)),
                ("part", serde_json::json!(part.map(|part| format!("id:{}", number(part))))),
                ("partLines", serde_json::json!(sizes.part_lines)),
                ("parcels", serde_json::json!(MOST_PARCELS)),
            ];
            for (name, value) in known {
                if document.text.contains(&format!("${name}:")) {
                    variables[name] = value;
                }
            }
            variables
        };
        let (response, _) = api.sized(cx, operation, document, &api.singles, variables).await?;
        let take: Take<'_> = match document.name {
            "LinesOfOrder" => &|draft, pieces| take_lines(draft, &pieces),
            "PartsOfOrder" => &|draft, pieces| take_parts(draft, &pieces),
            "LinesOfPart" => &|draft, pieces| take_part_lines(draft, &pieces),
            _ => &|draft, pieces| take_parcels(draft, &pieces),
        };
        match take_piece(&response.body, draft, take)? {
            Filled::Whole => {}
            other => return Ok(other),
        }
    }
    Ok(Filled::Whole)
}

fn take_piece(body: &[u8], draft: &mut Draft, take: Take<'_>) -> Result<Filled> {
    let text = body_text(body);
    let answer = Answer::read(&text)?;
    let Some(raw) = answer.field("order") else { return Ok(Filled::Changed) };
    let Ok(pieces) = serde_json::from_str::<Pieces<'_>>(raw.get()) else {
        return Ok(Filled::Unreadable("a further page of the order can't be read"));
    };
    if pieces.updated_at.trim() != draft.updated {
        return Ok(Filled::Changed);
    }
    if let Err(why) = take(draft, pieces) {
        return Ok(Filled::Unreadable(why));
    }
    draft.more_raw.push(raw.get().to_owned());
    Ok(Filled::Whole)
}

fn take_lines(draft: &mut Draft, pieces: &Pieces<'_>) -> Result<(), &'static str> {
    let page = pieces.line_items.as_ref().ok_or("the order's lines are missing")?;
    let before = draft.missing.lines.take();
    draft.missing.lines = draft.add_lines(page)?;
    if draft.missing.lines.is_some() && draft.missing.lines == before {
        return Err("the channel gave the same page of lines twice");
    }
    Ok(())
}

fn take_parts(draft: &mut Draft, pieces: &Pieces<'_>) -> Result<(), &'static str> {
    draft.set_parts(
        pieces.fulfillment_orders.as_ref().ok_or("the fulfilment orders are missing")?,
        MOST_PARTS,
    )?;
    if draft.missing.parts { Err("the order has too many fulfilment orders") } else { Ok(()) }
}

fn take_part_lines(draft: &mut Draft, pieces: &Pieces<'_>) -> Result<(), &'static str> {
    let missing = "lines of a fulfilment order are missing";
    let (id, before) = draft.missing.part_lines.first().cloned().ok_or(missing)?;
    let nodes = pieces.fulfillment_orders.as_ref().and_then(|page| page.nodes.as_ref()).ok_or(missing)?;
    let found = nodes.iter().flatten().find_map(|raw| {
        let part: PartPieces<'_> = serde_json::from_str(raw.get()).ok()?;
        (part.id.trim() == id).then_some(part)
    });
    let page = found.and_then(|part| part.line_items).ok_or(missing)?;
    let lines = read_part_lines(&page)?;
    let next = page.next().map_err(|_| missing)?;
    let part = draft.parts.iter_mut().find(|part| part.id == id).ok_or(missing)?;
    part.lines.extend(lines);
    draft.missing.part_lines.remove(0);
    match next {
        Some(after) if after == before => return Err("the channel gave the same page of lines twice"),
        Some(after) => draft.missing.part_lines.insert(0, (id, after)),
        None => {}
    }
    Ok(())
}

fn take_parcels(draft: &mut Draft, pieces: &Pieces<'_>) -> Result<(), &'static str> {
    draft.set_parcels(pieces.fulfillments.as_ref().ok_or("the fulfilments are missing")?, MOST_PARCELS)?;
    if draft.missing.parcels { Err("the order has too many fulfilments") } else { Ok(()) }
}

/// What reading one order by its id brought.
enum One {
    Draft(Box<Draft>),
    Unreadable(&'static str, RawPayload),
    Gone,
}

async fn one(api: &Api, cx: &Context, operation: Operation, id: &OrderId) -> Result<One> {
    #[derive(Serialize)]
    struct Variables<'a> {
        id: &'a OrderId,
        #[serde(flatten)]
        sizes: SizeVariables,
    }
    let variables = |halvings| Variables { id, sizes: single_sizes(halvings).into() };
    let (response, halvings) = api.sized(cx, operation, &ORDER_BY_ID, &api.singles, variables).await?;
    let text = body_text(&response.body);
    let answer = Answer::read(&text)?;
    let Some(raw) = answer.field("order") else { return Ok(One::Gone) };
    let denied = answer.is_denied("shippingAddress", None);
    let room = single_sizes(halvings).room();
    Ok(match draft(raw, api.config(), response.sent_at, room, denied) {
        Ok(draft) if draft.id() == id => One::Draft(Box::new(draft)),
        Ok(_) => return Err(Error::malformed("the answer is about another order").for_order(id)),
        Err(why) => One::Unreadable(why, RawPayload::new(raw.get())),
    })
}

/// Reads single orders, one call each. One that fails leaves the others alone.
pub(super) async fn read(api: &Api, cx: &Context, orders: &[&Order]) -> Result<Vec<Outcome<Order>>> {
    let choices = Choices::of(cx)?;
    let calls = orders.iter().map(|known| read_one(api, cx, known, &choices));
    // A failed read says nothing about the order: never a refusal, which would drop it.
    each(calls.collect(), PARALLEL, |error| Outcome::NotTried(error.clone())).await
}

async fn read_one(api: &Api, cx: &Context, known: &Order, choices: &Choices) -> Result<Outcome<Order>> {
    let operation = Operation::ReadOrders;
    let gone = || {
        Ok(Outcome::Refused(Refusal::new(
            "",
            "the channel has no such order, or it is older than 60 days and the scope read_all_orders is missing",
        )))
    };
    let unread = |why: &str| Err(Error::malformed(why).for_order(&known.id));
    let draft = match one(api, cx, operation, &known.id).await? {
        One::Draft(draft) => *draft,
        One::Unreadable(why, _) => return unread(why),
        One::Gone => return gone(),
    };
    // A webhook names test orders too. One that was linked while they were wanted is read on.
    if draft.test && !choices.test_orders && known.channel_data.is_empty() {
        return Ok(Outcome::Refused(Refusal::new("", "it is a test order")));
    }
    match whole(api, cx, operation, draft).await? {
        Whole::Order(draft, _) => match draft.finish(api.config(), choices) {
            Ok(order) => Ok(Outcome::Done(order)),
            Err(why) => unread(why),
        },
        Whole::Unreadable(why, _) => unread(why),
        Whole::Gone => gone(),
    }
}
