//! Shipping packages (sheet 4). What is read and decided before is in `plan.rs`.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{
    Context, DispatchRequest, Dispatched, Operation, Outcome, Refusal, Repeat, Tracking, concerns_account,
    each, whole,
};
use crate::error::{Error, ErrorKind, Result};
use crate::http::Nature;
use crate::lenient::{Text, body_text, object};
use crate::model::{Order, OrderId};

use super::auth::{Api, Ask};
use super::errors::{Endpoint, channel_code, is_already_shipped, item_failed, refused};
use super::orders::read;
use super::packages::{Carriers, label, package};
use super::plan::{Mark, Plan, SelfShipment, Ship, ShipBody, items_of, plan};
use super::wire::{Envelope, json, rows, segment, texts};

/// A second call is answered "already shipped" (11006021), but no key tells whose the first was: the order is read
/// first. It shows the package arranged, and its tracking number (sheet 4).
pub(super) const REPEAT: Repeat = Repeat::ReadFirst;

/// Packages in one batch call. No limit is documented: a modest number.
pub(super) const MOST_SHIPPED: usize = 20;
/// So many look-ups are on their way at once.
const PARALLEL: usize = 4;

#[derive(Serialize)]
struct Batch<'a> {
    packages: Vec<BatchItem<'a>>,
}

#[derive(Serialize)]
struct BatchItem<'a> {
    id: &'a str,
    #[serde(flatten)]
    body: &'a ShipBody,
}

/// The call that ships one package.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn ship_ask(id: &str, body: &ShipBody) -> Result<Ask> {
    let path = format!("/fulfillment/202309/packages/{}/ship", segment(id)?);
    Ok(Ask::post(Endpoint::Ship, path, json(body)?))
}

/// The call that ships several packages.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn batch_ask(packages: &[(&String, &ShipBody)]) -> Result<Ask> {
    let packages = packages.iter().map(|(id, body)| BatchItem { id, body }).collect();
    Ok(Ask::post(Endpoint::ShipMany, "/fulfillment/202309/packages/ship", json(&Batch { packages })?))
}

#[derive(Serialize)]
struct MarkBody<'a> {
    order_line_item_ids: &'a [String],
    #[serde(flatten)]
    parcel: &'a SelfShipment,
}

/// The call that ships line items of an order in a package of their own.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn mark_ask(order: &OrderId, mark: &Mark) -> Result<Ask> {
    let path = format!("/fulfillment/202309/orders/{}/packages", segment(order.as_str())?);
    let body = MarkBody { order_line_item_ids: &mark.items, parcel: &mark.parcel };
    Ok(Ask::post(Endpoint::MarkShipped, path, json(&body)?))
}

#[derive(Deserialize)]
struct Errors<'a> {
    #[serde(borrow)]
    errors: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ErrorRow<'a> {
    #[serde(borrow)]
    code: Text<'a>,
    #[serde(borrow)]
    message: Text<'a>,
    #[serde(borrow)]
    detail: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct DetailRow<'a> {
    #[serde(borrow)]
    package_id: Text<'a>,
}

/// The outcomes of a batch by package. The answer names those that failed; an error that can't be placed leaves all
/// others unknown.
///
/// # Errors
/// `MalformedResponse` when it can't be read at all.
pub(super) fn batch_result(body: &[u8], ids: &[&str]) -> Result<HashMap<String, Outcome<()>>> {
    let body = body_text(body);
    let envelope = Envelope::read(&body)?;
    let errors = match envelope.data {
        Some(_) => rows(envelope.data::<Errors<'_>>()?.errors)?,
        None => Vec::new(),
    };
    let mut outcomes = HashMap::new();
    let mut unplaced = false;
    for raw in errors {
        let row = object::<ErrorRow<'_>>("an error", raw.get()).unwrap_or_default();
        let detail = row.detail.and_then(|raw| object::<DetailRow<'_>>("its detail", raw.get()).ok());
        let id = detail.unwrap_or_default().package_id.trim().to_owned();
        match row.code.integer().filter(|_| ids.contains(&id.as_str())) {
            Some(code) => drop(outcomes.insert(id, item_failed(Endpoint::ShipMany, code, &row.message))),
            None => unplaced = true,
        }
    }
    let unknown = || {
        let why = "the answer tells of a failure and not of which package";
        Outcome::Unknown(Error::malformed(why).with_unknown_effect())
    };
    for id in ids {
        outcomes
            .entry((*id).to_owned())
            .or_insert_with(|| if unplaced { unknown() } else { Outcome::Done(()) });
    }
    Ok(outcomes)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct MarkedRow<'a> {
    #[serde(borrow)]
    package_id: Text<'a>,
    #[serde(borrow)]
    order_line_item_ids: Option<&'a RawValue>,
}

/// What shipping line items brought: a new package, so the order is read again.
///
/// # Errors
/// `MalformedResponse` when it can't be read, or tells of other line items.
pub(super) fn mark_result(body: &[u8], mark: &Mark) -> Result<Dispatched> {
    let body = body_text(body);
    let envelope = Envelope::read(&body)?;
    let row = match envelope.data {
        Some(_) => envelope.data::<MarkedRow<'_>>()?,
        None => MarkedRow::default(),
    };
    let told = texts(row.order_line_item_ids);
    if !told.is_empty() && mark.items.iter().any(|item| !told.contains(item)) {
        return Err(Error::malformed("the answer leaves out pieces of the parcel"));
    }
    let mut done = Dispatched::default();
    done.parcels.extend(row.package_id.filled().map(str::to_owned));
    done.reread = true;
    Ok(done)
}

/// Ships.
pub(super) async fn dispatch(
    api: &Api,
    cx: &Context,
    carriers: &Carriers,
    requests: &[DispatchRequest<'_>],
) -> Result<Vec<Outcome<Dispatched>>> {
    let mut seen: HashSet<&OrderId> = HashSet::new();
    let first: Vec<bool> = requests.iter().map(|request| seen.insert(&request.order.id)).collect();
    let plans = requests.iter().zip(first).map(|(request, first)| async move {
        if first {
            return plan(api, cx, carriers, request).await;
        }
        Ok(Outcome::NotTried(
            Error::new(ErrorKind::Busy)
                .with_message("another parcel of this order is in the same call: read the order first")
                .for_order(&request.order.id),
        ))
    });
    let mut plans = each(plans.collect::<Vec<_>>(), PARALLEL, Outcome::from_error).await?;
    hold_combined(requests, &mut plans);
    let (shipped, stop) = ship_all(api, cx, &plans).await;
    let ends = requests.iter().zip(plans).map(|(request, plan)| async {
        match plan {
            Outcome::Done(Plan::Packages(ships)) => finish(api, cx, request, &ships, &shipped).await,
            Outcome::Done(Plan::Items(mark)) => match &stop {
                Some(error) => Ok(Outcome::NotTried(error.clone())),
                None => mark_shipped(api, cx, request, &mark).await,
            },
            Outcome::AlreadyDone => Ok(Outcome::AlreadyDone),
            Outcome::Refused(no) => Ok(Outcome::Refused(no)),
            Outcome::NotTried(error) => Ok(Outcome::NotTried(error)),
            Outcome::Unknown(error) => Ok(Outcome::Unknown(error)),
        }
    });
    let outcomes = each(ends.collect::<Vec<_>>(), PARALLEL, Outcome::from_error).await?;
    whole(outcomes)
}

/// A package into which several orders were combined ships all of them with one call: it goes only where all of them
/// are asked for, with one number.
fn hold_combined(requests: &[DispatchRequest<'_>], plans: &mut [Outcome<Plan>]) {
    let mut asked: HashMap<&str, Vec<(&str, ShipBody)>> = HashMap::new();
    let mut packages: Vec<Vec<Ship>> = Vec::new();
    for plan in plans.iter() {
        packages.push(match plan {
            Outcome::Done(Plan::Packages(ships)) => ships.clone(),
            _ => Vec::new(),
        });
    }
    for (request, ships) in requests.iter().zip(&packages) {
        for ship in ships {
            asked.entry(&ship.package).or_default().push((request.order.id.as_str(), ship.body.clone()));
        }
    }
    for (plan, ships) in plans.iter_mut().zip(&packages) {
        let alone = ships.iter().find(|ship| {
            let with = asked.get(ship.package.as_str());
            let is_asked = |order: &String| {
                with.is_some_and(|with| with.iter().any(|(id, body)| id == order && *body == ship.body))
            };
            ship.foreign || !ship.with_orders.iter().all(is_asked)
        });
        if let Some(ship) = alone {
            let why = format!(
                "the package is combined with other orders ({}): it ships when all of them are reported in one call with the same number",
                ship.with_orders.join(", ")
            );
            *plan = Outcome::Refused(Refusal::new("", why).temporary());
        }
    }
}

/// Ships all packages of these plans, each once; answers with what became of each, and what keeps later calls back.
async fn ship_all(
    api: &Api,
    cx: &Context,
    plans: &[Outcome<Plan>],
) -> (HashMap<String, Outcome<()>>, Option<Error>) {
    let mut packages: BTreeMap<&String, &ShipBody> = BTreeMap::new();
    for plan in plans {
        if let Outcome::Done(Plan::Packages(ships)) = plan {
            packages.extend(ships.iter().map(|ship| (&ship.package, &ship.body)));
        }
    }
    let packages: Vec<(&String, &ShipBody)> = packages.into_iter().collect();
    let mut outcomes = HashMap::new();
    let mut stop: Option<Error> = None;
    for chunk in packages.chunks(MOST_SHIPPED) {
        let sent = match &stop {
            Some(error) => Err(error.clone()),
            None => ship_chunk(api, cx, chunk).await,
        };
        match sent {
            Ok(done) => outcomes.extend(done),
            Err(error) => {
                outcomes.extend(chunk.iter().map(|(id, _)| ((*id).clone(), Outcome::from_error(&error))));
                stop = stop.or(concerns_account(&error).then_some(error));
            }
        }
    }
    (outcomes, stop)
}

async fn ship_chunk(
    api: &Api,
    cx: &Context,
    packages: &[(&String, &ShipBody)],
) -> Result<HashMap<String, Outcome<()>>> {
    let nature = Nature::from(REPEAT);
    if let [(id, body)] = packages {
        let outcome = match api.call(cx, Operation::Dispatch, nature, &ship_ask(id, body)?).await {
            Ok(_) => Outcome::Done(()),
            Err(error) => Outcome::Refused(refused(Endpoint::Ship, &error).ok_or(error)?),
        };
        return Ok(HashMap::from([((*id).clone(), outcome)]));
    }
    let answer = api.call(cx, Operation::Dispatch, nature, &batch_ask(packages)?).await?;
    let ids: Vec<&str> = packages.iter().map(|(id, _)| id.as_str()).collect();
    // It was sent: an answer that can't be read leaves it open what was done.
    batch_result(&answer.body, &ids).map_err(Error::with_unknown_effect)
}

/// What became of a request, from what became of its packages.
async fn finish(
    api: &Api,
    cx: &Context,
    request: &DispatchRequest<'_>,
    ships: &[Ship],
    shipped: &HashMap<String, Outcome<()>>,
) -> Result<Outcome<Dispatched>> {
    let mut done: Vec<&Ship> = Vec::new();
    let mut failed: Option<Outcome<Dispatched>> = None;
    for ship in ships {
        match shipped.get(&ship.package) {
            Some(Outcome::Done(())) => done.push(ship),
            Some(Outcome::Refused(no)) if no.code.parse().is_ok_and(is_already_shipped) => {
                match shipped_before(api, cx, request, &ship.package, no).await {
                    Outcome::AlreadyDone => done.push(ship),
                    outcome => failed = failed.or(Some(outcome)),
                }
            }
            Some(Outcome::Refused(no)) => failed = failed.or(Some(Outcome::Refused(no.clone()))),
            Some(Outcome::NotTried(error)) => failed = failed.or(Some(Outcome::NotTried(error.clone()))),
            Some(Outcome::Unknown(error)) => failed = Some(Outcome::Unknown(error.clone())),
            _ => {
                let lost = Error::malformed("no outcome for the package").with_unknown_effect();
                failed = Some(Outcome::Unknown(lost));
            }
        }
    }
    match failed {
        Some(Outcome::Unknown(error)) => Ok(Outcome::Unknown(error.for_order(&request.order.id))),
        Some(outcome) if done.is_empty() => Ok(outcome),
        // Neither done nor untouched: the order is read, and what is left of it is shipped then.
        Some(_) => Ok(Outcome::Unknown(
            Error::new(ErrorKind::Refused)
                .with_message("some packages of the order were shipped and some were not")
                .for_order(&request.order.id)
                .with_unknown_effect(),
        )),
        None if done
            .iter()
            .all(|ship| shipped.get(&ship.package).is_some_and(|o| !matches!(o, Outcome::Done(())))) =>
        {
            Ok(Outcome::AlreadyDone)
        }
        None => Ok(Outcome::Done(brought(api, cx, &done).await)),
    }
}

/// What shipping brought. The packages are shipped: a look-up that fails now changes nothing about that.
async fn brought(api: &Api, cx: &Context, ships: &[&Ship]) -> Dispatched {
    let mut done = Dispatched::default();
    done.parcels.extend(ships.iter().map(|ship| ship.package.clone()));
    for ship in ships.iter().filter(|ship| !ship.by_seller()) {
        match package(api, cx, Operation::Dispatch, &ship.package).await {
            Ok(package) if !package.tracking.is_empty() && ships.len() == 1 => {
                done.tracking = Some(Tracking::new(package.carrier, package.tracking));
            }
            // The number comes later, or there are several: the order shows them.
            _ => done.reread = true,
        }
        if ships.len() == 1 {
            done.label = label(api, cx, Operation::Dispatch, &ship.package).await.ok();
        }
    }
    done
}

/// A package that the channel says was shipped before: done, if it was with this number.
async fn shipped_before(
    api: &Api,
    cx: &Context,
    request: &DispatchRequest<'_>,
    id: &str,
    no: &Refusal,
) -> Outcome<Dispatched> {
    match package(api, cx, Operation::Dispatch, id).await {
        Ok(package) if same_number(request, &package.tracking, package.by_seller) => Outcome::AlreadyDone,
        Ok(_) => {
            let why = "the package was shipped before with another tracking number";
            Outcome::Refused(Refusal::new(&no.code, why).reread())
        }
        Err(_) => Outcome::Refused(no.clone()),
    }
}

/// Whether a shipped package is the parcel of the request. TikTok's own shipping gives the number: it has no other.
pub(super) fn same_number(request: &DispatchRequest<'_>, number: &str, by_seller: Option<bool>) -> bool {
    match request.tracking {
        Some(tracking) if by_seller != Some(false) => {
            !number.is_empty() && tracking.number.trim() == number.trim()
        }
        _ => true,
    }
}

async fn mark_shipped(
    api: &Api,
    cx: &Context,
    request: &DispatchRequest<'_>,
    mark: &Mark,
) -> Result<Outcome<Dispatched>> {
    let order = request.order;
    let ask = mark_ask(&order.id, mark)?;
    match api.call(cx, Operation::Dispatch, Nature::from(REPEAT), &ask).await {
        Ok(answer) => mark_result(&answer.body, mark).map(Outcome::Done).map_err(Error::with_unknown_effect),
        Err(error) if channel_code(&error).is_some_and(is_already_shipped) && !error.outcome_unknown() => {
            let shipped = items_shipped(api, cx, order, mark).await;
            let no = refused(Endpoint::MarkShipped, &error).ok_or(error)?;
            Ok(if shipped { Outcome::AlreadyDone } else { Outcome::Refused(no) })
        }
        Err(error) => Ok(Outcome::Refused(refused(Endpoint::MarkShipped, &error).ok_or(error)?)),
    }
}

/// Whether the order shows all pieces of the parcel with its number.
async fn items_shipped(api: &Api, cx: &Context, order: &Order, mark: &Mark) -> bool {
    let Ok(read) = read(api, cx, Operation::Dispatch, &[order]).await else { return false };
    let Some(Outcome::Done(fresh)) = read.into_iter().next() else { return false };
    let number = mark.parcel.tracking_number.as_str();
    mark.items.iter().all(|item| {
        items_of(&fresh).iter().any(|(_, data)| data.ids.contains(item) && data.tracking == number)
    })
}
