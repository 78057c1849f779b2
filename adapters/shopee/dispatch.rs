//! Arranging shipments (sheet 4.5). Which packages a parcel is, is decided in `plan.rs`; which way they go, in
//! `shipping.rs`.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::channel::{Context, DispatchRequest, Dispatched, Operation, Outcome, Repeat, Row, Tracking, each};
use crate::error::{Error, ErrorKind, Result};
use crate::http::Nature;
use crate::lenient::{Text, body_text};
use crate::model::{Order, OrderId};

use super::api::Api;
use super::auth::Ask;
use super::details::read_ids;
use super::errors::{Endpoint, is_already_shipped, is_split_done, refused};
use super::packages::{Contents, Fact, Facts, Stage, contents, facts};
use super::plan::{Plan, no, not_yet, plan};
use super::rows::OrderData;
use super::settings::Settings;
use super::shipping::{offered, tracking_ask, tracking_result};
use super::ways::{Way, choose};
use super::wire::{Envelope, json, typed};

/// A second call is answered "already arranged" (sheet 4.5), but an order may have to be split before, and that goes only
/// once: the order is read first. It shows its packages and how far they are.
pub(super) const REPEAT: Repeat = Repeat::ReadFirst;

/// Parcels in one batch: three calls for each.
pub(super) const MOST_SHIPPED: usize = 20;
/// So many parcels are on their way at once.
const PARALLEL: usize = 4;

#[derive(Serialize)]
struct ShipBody<'a> {
    order_sn: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    package_number: Option<&'a str>,
    #[serde(flatten)]
    way: &'a Way,
}

/// The call that arranges a package.
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn ship_ask(order: &OrderId, package: Option<&str>, way: &Way) -> Result<Ask> {
    let body = ShipBody { order_sn: order.as_str(), package_number: package, way };
    Ok(Ask::post(Endpoint::Ship, json(&body)?))
}

#[derive(Serialize)]
struct SplitBody<'a> {
    order_sn: &'a str,
    package_list: [SplitPackage; 2],
}

#[derive(Serialize)]
struct SplitPackage {
    item_list: Vec<SplitItem>,
}

#[derive(Serialize)]
struct SplitItem {
    item_id: i64,
    model_id: i64,
    #[serde(skip_serializing_if = "is_none")]
    order_item_id: i64,
    promotion_group_id: i64,
}

fn is_none(id: &i64) -> bool {
    *id == 0
}

/// The call that splits an order in two. It must hold all items (sheet 4.5).
///
/// # Errors
/// `InvalidInput` when it can't be written.
pub(super) fn split_ask(order: &OrderId, parcel: &Contents, rest: &Contents) -> Result<Ask> {
    let package = |contents: &Contents| SplitPackage {
        item_list: contents
            .keys()
            .map(|key| SplitItem {
                item_id: key.item_id,
                model_id: key.model_id,
                order_item_id: key.order_item_id,
                promotion_group_id: key.promotion_group_id,
            })
            .collect(),
    };
    let body = SplitBody { order_sn: order.as_str(), package_list: [package(parcel), package(rest)] };
    Ok(Ask::post(Endpoint::Split, json(&body)?))
}

#[derive(Deserialize)]
struct Packages<'a> {
    #[serde(borrow)]
    package_list: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SplitRow<'a> {
    #[serde(borrow)]
    package_number: Text<'a>,
    #[serde(borrow)]
    item_list: Option<&'a RawValue>,
}

/// The number of the new package that holds these pieces, by what is in it and never by its place.
///
/// # Errors
/// `MalformedResponse` when it can't be read, or shows no such package.
pub(super) fn split_result(body: &[u8], parcel: &Contents) -> Result<String> {
    let body = body_text(body);
    let packages: Packages<'_> = Envelope::read(&body)?.response()?;
    let pairs = |contents: &Contents| -> Vec<_> { contents.iter().map(|(k, n)| (k.short(), *n)).collect() };
    let wanted = pairs(parcel);
    for row in typed::<SplitRow<'_>>(packages.package_list)? {
        // The answer leaves ids of deals out; items are there once (see `plan::split`).
        if let Some(number) = row.package_number.filled()
            && pairs(&contents(row.item_list)?) == wanted
        {
            return Ok(number.to_owned());
        }
    }
    Err(Error::malformed("the order was split, and no package holds the parcel"))
}

/// Ships.
pub(super) async fn dispatch(
    api: &Api,
    cx: &Context,
    requests: &[DispatchRequest<'_>],
) -> Result<Vec<Outcome<Dispatched>>> {
    let mut ids: Vec<OrderId> = Vec::new();
    let first: Vec<bool> = requests
        .iter()
        .map(|request| {
            let is_new = !ids.contains(&request.order.id);
            if is_new {
                ids.push(request.order.id.clone());
            }
            is_new
        })
        .collect();
    // The orders as they are now: a cancel request or a shipment made elsewhere is seen before anything is sent.
    let fresh = read_ids(api, cx, Operation::Dispatch, &ids, &HashMap::new()).await?.rows;
    let facts = facts_of(api, cx, &fresh).await?;
    let settings = Settings::of(cx);
    let calls = requests.iter().zip(first).map(|(request, first)| {
        let (fresh, facts, settings) = (fresh.get(&request.order.id), &facts, &settings);
        async move {
            if !first {
                return Ok(Outcome::NotTried(
                    Error::new(ErrorKind::Busy)
                        .with_message(
                            "another parcel of this order is in the same call: read the order first",
                        )
                        .for_order(&request.order.id),
                ));
            }
            dispatch_one(api, cx, request, fresh, facts, settings)
                .await
                .map_err(|e| e.for_order(&request.order.id))
        }
    });
    each(calls.collect(), PARALLEL, Outcome::from_error).await
}

/// What is told of the packages that wait: whether one is being arranged already, and whether the order can be split.
async fn facts_of(api: &Api, cx: &Context, orders: &HashMap<OrderId, Row>) -> Result<Facts> {
    let mut numbers: Vec<String> = Vec::new();
    for order in orders.values().filter_map(Row::order) {
        let data = order.channel_data.read::<OrderData>().unwrap_or_default();
        let ready = data.packages.into_iter().filter(|package| package.stage == Stage::Ready);
        numbers.extend(ready.map(|package| package.number).filter(|number| !number.is_empty()));
    }
    numbers.sort_unstable();
    if numbers.is_empty() { Ok(Facts::new()) } else { facts(api, cx, Operation::Dispatch, &numbers).await }
}

async fn dispatch_one(
    api: &Api,
    cx: &Context,
    request: &DispatchRequest<'_>,
    fresh: Option<&Row>,
    facts: &Facts,
    settings: &Settings,
) -> Result<Outcome<Dispatched>> {
    let order = match fresh {
        Some(Row::Order(order)) => order,
        Some(Row::Unreadable(row)) => return Ok(Outcome::NotTried(Error::malformed(row.reason.as_str()))),
        None => return Ok(no("the channel has no such order")),
    };
    let mut data = order.channel_data.read::<OrderData>().unwrap_or_default();
    for package in &mut data.packages {
        if let Some(fact) = facts.get(&package.number) {
            fact.apply(package, data.waits);
        }
    }
    match plan(request, order, &data) {
        Err(outcome) => Ok(outcome),
        Ok(Plan::Ship(numbers)) => ship_all(api, cx, request, order, &data, &numbers, settings).await,
        Ok(Plan::Split { parcel, rest }) => {
            let told = |fact: &Fact| fact.can_split == Some(false);
            if data.packages.iter().any(|package| facts.get(&package.number).is_some_and(told)) {
                return Ok(no("Shopee does not let this order be split"));
            }
            split_and_ship(api, cx, request, order, (&parcel, &rest), settings).await
        }
    }
}

async fn split_and_ship(
    api: &Api,
    cx: &Context,
    request: &DispatchRequest<'_>,
    order: &Order,
    (parcel, rest): (&Contents, &Contents),
    settings: &Settings,
) -> Result<Outcome<Dispatched>> {
    // What can be refused is found out before the order is changed.
    let ways = offered(api, cx, order.id.as_str(), None).await;
    let ways = match ways {
        Ok(ways) => ways,
        Err(error) => return Ok(Outcome::Refused(refused(&error).ok_or(error)?)),
    };
    if let Err(refusal) = choose(&ways, request.hand_over, request.tracking, settings) {
        return Ok(Outcome::Refused(refusal));
    }
    let ask = split_ask(&order.id, parcel, rest)?;
    let number = match api.call(cx, Operation::Dispatch, Nature::from(REPEAT), &ask).await {
        Ok(answer) => split_result(&answer.body, parcel).map_err(Error::with_unknown_effect)?,
        Err(error) if is_split_done(&error) => {
            return Ok(not_yet("the order was split before: its packages are read first"));
        }
        Err(error) => return Ok(Outcome::Refused(refused(&error).ok_or(error)?)),
    };
    let mut data = order.channel_data.read::<OrderData>().unwrap_or_default();
    data.split = true;
    match ship_all(api, cx, request, order, &data, &[number], settings).await? {
        Outcome::Done(mut done) => {
            // The rest is in a package of its own by now.
            done.reread = true;
            Ok(Outcome::Done(done))
        }
        outcome => Ok(outcome),
    }
}

/// Arranges packages, one after the other.
async fn ship_all(
    api: &Api,
    cx: &Context,
    request: &DispatchRequest<'_>,
    order: &Order,
    data: &OrderData,
    numbers: &[String],
    settings: &Settings,
) -> Result<Outcome<Dispatched>> {
    let mut ways: Vec<(&String, Way)> = Vec::new();
    for number in numbers {
        let offered = match offered(api, cx, order.id.as_str(), named(data, number)).await {
            Ok(offered) => offered,
            Err(error) => return Ok(Outcome::Refused(refused(&error).ok_or(error)?)),
        };
        match choose(&offered, request.hand_over, request.tracking, settings) {
            Ok(way) => ways.push((number, way)),
            Err(refusal) => return Ok(Outcome::Refused(refusal)),
        }
    }
    if ways.len() > 1 && ways.iter().any(|(_, way)| way.own_number().is_some()) {
        return Ok(no(
            "the order has several packages: each needs a tracking number of its own, so report them by their lines",
        ));
    }
    let (mut shipped, mut before) = (Vec::new(), 0);
    for (number, way) in &ways {
        let ask = ship_ask(&order.id, named(data, number), way)?;
        match api.call(cx, Operation::Dispatch, Nature::from(REPEAT), &ask).await {
            Ok(_) => shipped.push((*number, way)),
            Err(error) if is_already_shipped(&error) => before += 1,
            // Neither done nor untouched: the order is read, and what is left of it is shipped then.
            Err(error) if !shipped.is_empty() => {
                return Ok(Outcome::Unknown(error.for_order(&order.id).with_unknown_effect()));
            }
            Err(error) => return Ok(Outcome::Refused(refused(&error).ok_or(error)?)),
        }
    }
    if shipped.is_empty() && before > 0 {
        return Ok(Outcome::AlreadyDone);
    }
    Ok(Outcome::Done(brought(api, cx, order, data, &shipped, before > 0).await))
}

/// The package's number where calls must name it: orders that are not split refuse it (sheet 4.5).
fn named<'n>(data: &OrderData, number: &'n str) -> Option<&'n str> {
    data.split.then_some(number)
}

/// What shipping brought. The packages are arranged: a look-up that fails now changes nothing about that.
async fn brought(
    api: &Api,
    cx: &Context,
    order: &Order,
    data: &OrderData,
    shipped: &[(&String, &Way)],
    more: bool,
) -> Dispatched {
    let mut done = Dispatched::default();
    done.parcels.extend(shipped.iter().map(|(number, _)| (*number).clone()));
    done.reread = more;
    for (number, _) in shipped.iter().filter(|(_, way)| way.own_number().is_none()) {
        match tracking(api, cx, order, data, number).await {
            Ok(Some(tracking)) if shipped.len() == 1 => done.tracking = Some(tracking),
            // The number comes later, or there are several: the order shows them.
            _ => done.reread = true,
        }
    }
    done
}

async fn tracking(
    api: &Api,
    cx: &Context,
    order: &Order,
    data: &OrderData,
    number: &str,
) -> Result<Option<Tracking>> {
    let ask = tracking_ask(order.id.as_str(), named(data, number));
    let answer = api.read(cx, Operation::Dispatch, &ask).await?;
    let carrier = data.packages.iter().find(|package| package.number == number);
    let carrier = carrier.or(data.packages.first()).map_or("", |package| package.carrier.as_str());
    Ok(tracking_result(&answer.body)?.map(|number| Tracking::new(carrier, number)))
}
