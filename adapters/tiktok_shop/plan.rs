//! What is sent for a parcel, or why it can't be: which pieces, which packages, who ships, with which carrier or hand-over
//! method. Packages are read here; nothing is changed.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use crate::channel::{Context, DispatchRequest, Operation, Outcome, Refusal};
use crate::error::Result;
use crate::model::{Hold, Line, Order, OrderStatus};

use super::auth::Api;
use super::dispatch::same_number;
use super::lines::LineData;
use super::packages::{Carriers, Package, Slot, by_seller, hand_over, package, slots};
use super::rows::OrderData;

/// Longest tracking number; the channel gives no limit.
const MOST_NUMBER: usize = 100;

const CHANGED: &str = "the package was split or combined since the order was read: read it again";

/// The parcel of a seller who ships by a carrier of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct SelfShipment {
    pub(super) tracking_number: String,
    pub(super) shipping_provider_id: String,
}

/// What is sent to ship a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub(super) struct ShipBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) handover_method: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pickup_slot: Option<Slot>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) self_shipment: Option<SelfShipment>,
}

/// A package to ship.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ship {
    pub(super) package: String,
    pub(super) body: ShipBody,
    /// Other orders whose pieces are in the package.
    pub(super) with_orders: Vec<String>,
    /// Whether there are pieces in it whose order is not told.
    pub(super) foreign: bool,
}

impl Ship {
    pub(super) fn by_seller(&self) -> bool {
        self.body.self_shipment.is_some()
    }
}

/// Line items to ship in a package of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) items: Vec<String>,
    pub(super) parcel: SelfShipment,
}

/// What is sent for a parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Plan {
    Packages(Vec<Ship>),
    Items(Mark),
}

/// The lines of an order with the line items behind them.
pub(super) fn items_of(order: &Order) -> Vec<(&Line, LineData)> {
    order.lines.iter().map(|line| (line, line.channel_data.read::<LineData>().unwrap_or_default())).collect()
}

/// The line items of a parcel by package; no package: empty.
pub(super) type Picked = BTreeMap<String, Vec<String>>;

fn no(why: &str) -> Outcome<Plan> {
    Outcome::Refused(Refusal::new("", why).reread())
}

/// Whether a line's pieces wait to be shipped.
fn is_open(line: &Line) -> bool {
    matches!(line.status, OrderStatus::New | OrderStatus::Confirmed)
}

/// Chooses the pieces of a parcel: so many line items of each line, lowest first.
///
/// # Errors
/// The outcome, where there is nothing to be sent.
pub(super) fn pick(request: &DispatchRequest<'_>) -> Result<Picked, Outcome<Plan>> {
    let lines = items_of(request.order);
    match request.order.status {
        OrderStatus::PendingPayment => return Err(no("the order is not paid")),
        OrderStatus::Unknown => return Err(no("the order's state is not known")),
        _ if request.order.holds.contains(&Hold::OnHold) => {
            let why = "the channel holds the order: the buyer may still cancel it";
            return Err(Outcome::Refused(Refusal::new("", why).temporary().reread()));
        }
        _ => {}
    }
    if lines.iter().any(|(_, data)| data.ids.is_empty()) {
        return Err(no("the order's line items are not known: read it again"));
    }
    let mut picked = Picked::new();
    let mut taken: HashSet<&str> = HashSet::new();
    let mut shipped_before = 0;
    let whole: Vec<(crate::model::LineId, u32)>;
    let wanted = if request.lines.is_empty() {
        whole = lines
            .iter()
            .filter(|(line, _)| is_open(line))
            .map(|(line, _)| (line.id.clone(), line.quantity))
            .collect();
        if whole.is_empty() {
            return Err(nothing_left(request));
        }
        &whole
    } else {
        request.lines
    };
    for (id, pieces) in wanted {
        let Some((line, data)) = lines.iter().find(|(line, _)| line.id == *id) else {
            return Err(no("the order has no such line"));
        };
        if was_shipped(request, line, data, *pieces) {
            shipped_before += 1;
            continue;
        }
        // Pieces of one SKU are alike. A parcel with a number of its own is counted once by it, so that pieces of a
        // line that was split since may stand in; without one, another piece could be a second parcel.
        let alike = lines.iter().filter(|(other, _)| {
            request.tracking.is_some() && other.id != line.id && other.listing == line.listing
        });
        let sources = std::iter::once((*line, data)).chain(alike.map(|(line, data)| (*line, data)));
        let mut left = *pieces;
        for (source, data) in sources.filter(|(line, _)| is_open(line)) {
            for item in &data.ids {
                if left > 0 && taken.insert(item) {
                    picked.entry(source.unit.clone()).or_default().push(item.clone());
                    left -= 1;
                }
            }
        }
        if left > 0 {
            return Err(no("fewer pieces are left to ship than the parcel holds"));
        }
    }
    match (picked.is_empty(), shipped_before) {
        (true, 0) => Err(no("the parcel holds nothing")),
        (true, _) => Err(Outcome::AlreadyDone),
        (false, 0) => Ok(picked),
        (false, _) => Err(no("some pieces of the parcel were shipped before and some were not")),
    }
}

fn was_shipped(request: &DispatchRequest<'_>, line: &Line, data: &LineData, pieces: u32) -> bool {
    let shipped = line.status.is_past_dispatch() && line.status != OrderStatus::Cancelled;
    shipped
        && line.quantity >= pieces
        && request.tracking.is_none_or(|tracking| tracking.number.trim() == data.tracking)
}

/// A whole order of which nothing is left to ship.
fn nothing_left(request: &DispatchRequest<'_>) -> Outcome<Plan> {
    let order = request.order;
    let shipped = order.lines.iter().any(|line| line.shipped > 0);
    let listed = |number: &str| order.tracking.iter().any(|known| known.number == number.trim());
    match request.tracking {
        Some(tracking) if shipped && listed(&tracking.number) => Outcome::AlreadyDone,
        None if shipped => Outcome::AlreadyDone,
        _ => no("nothing of the order is left to ship"),
    }
}

/// Whether line items can be shipped in packages of their own by API: sellers in the US and the UK who ship by
/// themselves (sheet 4).
fn can_split(region: &str) -> bool {
    matches!(region, "US" | "GB" | "UK")
}

/// Plans a parcel.
pub(super) async fn plan(
    api: &Api,
    cx: &Context,
    carriers: &Carriers,
    request: &DispatchRequest<'_>,
) -> Result<Outcome<Plan>> {
    let picked = match pick(request) {
        Ok(picked) => picked,
        Err(outcome) => return Ok(outcome),
    };
    let mut packages = Vec::new();
    for id in picked.keys().filter(|id| !id.is_empty()) {
        packages.push(package(api, cx, Operation::Dispatch, id).await?);
    }
    let data = request.order.channel_data.read::<OrderData>().unwrap_or_default();
    let mut seller: Vec<bool> = packages.iter().filter_map(|package| package.by_seller).collect();
    if seller.len() < packages.len() || packages.is_empty() {
        seller.extend(by_seller(&data.shipping_type, ""));
    }
    match seller.as_slice() {
        [] => Ok(no("it is not told whether TikTok or the seller ships this package")),
        all if all.iter().all(|seller| *seller) => {
            by_own_carrier(api, cx, carriers, request, &data, &picked, &packages).await
        }
        all if all.iter().all(|seller| !*seller) => by_tiktok(api, cx, request, &picked, &packages).await,
        _ => Ok(no("some packages of the parcel are shipped by TikTok and some by the seller")),
    }
}

/// Whether a package holds open pieces of the order that are not in the parcel. What it holds is told by the package;
/// where it does not tell, by the order's lines.
fn holds_more(order: &Order, package: &Package, picked: &[String]) -> bool {
    items_of(order)
        .iter()
        .filter(|(line, _)| is_open(line))
        .filter(|(line, _)| !package.items.is_empty() || line.unit == package.id)
        .flat_map(|(_, data)| &data.ids)
        .filter(|item| package.items.is_empty() || package.items.contains(item))
        .any(|item| !picked.contains(item))
}

/// Whether a package is no more what the order said: it was split or combined since. It would ship other pieces than
/// those of the parcel.
fn has_changed(order: &Order, package: &Package, picked: &[String]) -> bool {
    let elsewhere = !package.items.is_empty() && picked.iter().any(|item| !package.items.contains(item));
    let another = !package.orders.is_empty() && !package.orders.iter().any(|id| id == order.id.as_str());
    elsewhere || another
}

/// The other orders in a package, and whether it holds pieces that are not told to be anyone's.
fn company(order: &Order, package: &Package) -> (Vec<String>, bool) {
    let others: Vec<String> =
        package.orders.iter().filter(|id| id.as_str() != order.id.as_str()).cloned().collect();
    let own: Vec<String> = items_of(order).into_iter().flat_map(|(_, data)| data.ids).collect();
    let foreign = package.items.iter().any(|item| !own.contains(item));
    let told = !others.is_empty();
    (others, foreign && !told)
}

/// What a package that can't be shipped any more means for the parcel.
fn too_late(request: &DispatchRequest<'_>, package: &Package) -> Option<Outcome<Plan>> {
    if package.status == "CANCELLED" {
        return Some(no("the package is cancelled"));
    }
    if !package.is_shipped() {
        return None;
    }
    Some(if same_number(request, &package.tracking, package.by_seller) {
        Outcome::AlreadyDone
    } else {
        no("the package was shipped before with another tracking number")
    })
}

async fn by_own_carrier(
    api: &Api,
    cx: &Context,
    carriers: &Carriers,
    request: &DispatchRequest<'_>,
    data: &OrderData,
    picked: &Picked,
    packages: &[Package],
) -> Result<Outcome<Plan>> {
    let Some(tracking) = request.tracking else {
        return Ok(no("the seller ships this package: a carrier and a tracking number are needed"));
    };
    let number = tracking.number.trim();
    if number.is_empty() || number.chars().count() > MOST_NUMBER || tracking.carrier.trim().is_empty() {
        return Ok(no("a carrier and a tracking number of at most 100 characters are needed"));
    }
    let one = match (packages, picked.len()) {
        ([package], 1) => {
            if let Some(outcome) = too_late(request, package) {
                return Ok(outcome);
            }
            let items = picked.get(&package.id).map(Vec::as_slice).unwrap_or_default();
            if has_changed(request.order, package, items) {
                return Ok(no(CHANGED));
            }
            (!holds_more(request.order, package, items)).then_some(package)
        }
        _ => None,
    };
    if one.is_none() && !can_split(&data.region) {
        return Ok(if packages.is_empty() {
            Outcome::Refused(
                Refusal::new("", "TikTok Shop has made no package of these pieces yet").temporary(),
            )
        } else {
            no("TikTok Shop ships whole packages in this market: split the order in Seller Center first")
        });
    }
    let option = packages.iter().map(|package| package.delivery_option.as_str()).find(|id| !id.is_empty());
    let option = option.unwrap_or(&data.delivery_option);
    if option.is_empty() {
        return Ok(no("the delivery option, which names the carriers, is not known"));
    }
    let provider = match carriers.find(api, cx, option, &tracking.carrier).await? {
        Ok(provider) => provider,
        Err(refusal) => return Ok(Outcome::Refused(refusal)),
    };
    let parcel = SelfShipment { tracking_number: number.to_owned(), shipping_provider_id: provider };
    let Some(package) = one else {
        let items = picked.values().flatten().cloned().collect();
        return Ok(Outcome::Done(Plan::Items(Mark { items, parcel })));
    };
    let (with_orders, foreign) = company(request.order, package);
    let body = ShipBody { self_shipment: Some(parcel), ..ShipBody::default() };
    let ship = Ship { package: package.id.clone(), body, with_orders, foreign };
    Ok(Outcome::Done(Plan::Packages(vec![ship])))
}

async fn by_tiktok(
    api: &Api,
    cx: &Context,
    request: &DispatchRequest<'_>,
    picked: &Picked,
    packages: &[Package],
) -> Result<Outcome<Plan>> {
    if picked.contains_key("") {
        let why = "TikTok Shop has made no package of these pieces yet: it is made with the label";
        return Ok(Outcome::Refused(Refusal::new("", why).temporary()));
    }
    let mut ships = Vec::new();
    for package in packages {
        match too_late(request, package) {
            Some(Outcome::AlreadyDone) => continue,
            Some(outcome) => return Ok(outcome),
            None => {}
        }
        let items = picked.get(&package.id).map(Vec::as_slice).unwrap_or_default();
        if has_changed(request.order, package, items) {
            return Ok(no(CHANGED));
        }
        if holds_more(request.order, package, items) {
            return Ok(no("TikTok ships whole packages: split the order in Seller Center first"));
        }
        if request.hand_over.is_none() {
            return Ok(no(
                "choose pick-up or drop-off first: TikTok Shop asks how the parcel is handed over",
            ));
        }
        let offered = slots(api, cx, Operation::Dispatch, &package.id).await?;
        let (method, slot) = match hand_over(request.hand_over, &offered) {
            Ok(choice) => choice,
            Err(refusal) => return Ok(Outcome::Refused(refusal)),
        };
        let body = ShipBody { handover_method: Some(method), pickup_slot: slot, ..ShipBody::default() };
        let (with_orders, foreign) = company(request.order, package);
        ships.push(Ship { package: package.id.clone(), body, with_orders, foreign });
    }
    Ok(if ships.is_empty() { Outcome::AlreadyDone } else { Outcome::Done(Plan::Packages(ships)) })
}
