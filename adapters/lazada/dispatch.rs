//! Packing, and saying "ready to ship": Lazada's own logistics give the number in between (sheet 4). What is decided
//! before is in `plan.rs`, what is sent in `packs.rs`.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::value::RawValue;

use crate::channel::{
    Context, DispatchRequest, Dispatched, LocalText, Operation, Outcome, Refusal, Repeat, Tracking,
    concerns_account, each,
};
use crate::error::{Error, ErrorKind, Result};
use crate::http::Nature;
use crate::model::{OrderId, OrderStatus, Private};
use crate::options::{OptionDescription, OptionKind};

use super::auth::Api;
use super::errors::refused;
use super::items::lists;
use super::lines::LineData;
use super::orders::PARALLEL;
use super::packs::{
    Allocation, Packed, label_ask, label_result, pack_ask, pack_result, providers_ask, providers_result,
    ready_ask, ready_result,
};
use super::plan::{Plan, later, plan};
use super::reverses::{of_order, stands};
use super::rows::{Fresh, fresh};

/// No key marks a call, and a second packing could make a second package: the order is read first. It shows each item's
/// state and package, so that what was packed is not packed again (sheet 4).
pub(super) const REPEAT: Repeat = Repeat::ReadFirst;
/// Most orders in one packing, and packages in one hand-over (reference of pack, readytoship).
pub(super) const MOST_PACKED: usize = 20;

/// The key of the option that names the transfer warehouse of cross-border shops.
pub(super) const PROVIDER: &str = "shipment_provider_code";

/// The option that names the transfer warehouse of cross-border shops.
pub(super) fn provider_option() -> OptionDescription {
    OptionDescription {
        key: PROVIDER,
        rule: "FI-6",
        kind: OptionKind::Text,
        default: serde_json::Value::Null,
        label: LocalText {
            en: "Transfer warehouse (cross-border shops)",
            ja: "中継倉庫（越境ショップ）",
            ko: "중계 창고 (해외 판매 상점)",
        },
        help: LocalText {
            en: "Lazada's code of the transfer warehouse to which parcels of a cross-border shop go, where Lazada offers several. Local shops leave it empty.",
            ja: "越境ショップの荷物を送る中継倉庫のLazadaコード。Lazadaが複数の倉庫を提示する場合に使います。現地ショップは空欄のままにします。",
            ko: "해외 판매 상점의 소포를 보낼 중계 창고의 Lazada 코드입니다. Lazada가 여러 창고를 제시할 때 사용합니다. 현지 상점은 비워 둡니다.",
        },
    }
}

/// A parcel that can be sent.
struct Ready {
    plan: Plan,
    /// `None`: everything in it is packed already.
    allocation: Option<Allocation>,
}

/// Packs and hands over.
pub(super) async fn dispatch(
    api: &Api,
    cx: &Context,
    requests: &[DispatchRequest<'_>],
) -> Result<Vec<Outcome<Dispatched>>> {
    let mut seen: HashSet<&OrderId> = HashSet::new();
    let first: Vec<bool> = requests.iter().map(|request| seen.insert(&request.order.id)).collect();
    let ids: Vec<&OrderId> = requests
        .iter()
        .zip(&first)
        .filter(|(_, first)| **first)
        .map(|(request, _)| &request.order.id)
        .collect();
    let lists = lists(api, cx, Operation::Dispatch, &ids).await?;
    let readies = requests.iter().zip(first).map(|(request, first)| {
        let list = lists.get(&request.order.id);
        async move {
            if first {
                return ready(api, cx, request, list.map(|list| &**list)).await;
            }
            Ok(Outcome::NotTried(
                Error::new(ErrorKind::Busy)
                    .with_message("another parcel of this order is in the same call: read the order first")
                    .for_order(&request.order.id),
            ))
        }
    });
    let readies = each(readies.collect::<Vec<_>>(), PARALLEL, Outcome::from_error).await?;
    let (packed, mut stop) = pack_all(api, cx, &readies).await;
    let parcels: Vec<Result<Parcel, Outcome<Dispatched>>> =
        readies.into_iter().map(|ready| parcel(ready, &packed)).collect();
    let handed = hand_over_all(api, cx, &parcels, &mut stop).await;
    let ends = requests.iter().zip(parcels).map(|(request, parcel)| {
        let handed = &handed;
        async move {
            match parcel {
                Ok(parcel) => Ok(finish(api, cx, request, parcel, handed).await),
                Err(outcome) => Ok(outcome),
            }
        }
    });
    each(ends.collect::<Vec<_>>(), PARALLEL, Outcome::from_error).await
}

/// Reads what there is to know before anything is changed.
async fn ready(
    api: &Api,
    cx: &Context,
    request: &DispatchRequest<'_>,
    list: Option<&RawValue>,
) -> Result<Outcome<Ready>> {
    let order = &request.order.id;
    let unread = |why: &str| Ok(Outcome::NotTried(Error::malformed(why).for_order(order)));
    let Some(list) = list else { return unread("the channel shows no items of the order") };
    let now = match fresh(list) {
        Ok(now) => now,
        Err(why) => return unread(why),
    };
    let plan = match plan(request, &now) {
        Ok(plan) => plan,
        Err(no) => return Ok(no.outcome()),
    };
    let operation = Operation::Dispatch;
    let reverses = of_order(api, cx, operation, order, now.wants_out.is_some()).await?;
    if stands(&reverses, order, waiting(&now).iter().map(String::as_str)) {
        return Ok(later("a cancel request is open on the order: decide it first").outcome());
    }
    if plan.pack.is_empty() {
        return Ok(Outcome::Done(Ready { plan, allocation: None }));
    }
    let answer = api.read(cx, operation, &providers_ask(&plan)?).await?;
    let chosen = cx.setting(PROVIDER).and_then(serde_json::Value::as_str).map(str::trim);
    Ok(match providers_result(&answer.body, chosen.filter(|code| !code.is_empty()))? {
        Ok(allocation) => Outcome::Done(Ready { plan, allocation: Some(allocation) }),
        Err(no) => Outcome::Refused(no),
    })
}

/// The items that wait to be shipped.
fn waiting(now: &Fresh) -> Vec<String> {
    now.lines
        .iter()
        .filter(|line| matches!(line.status, OrderStatus::New | OrderStatus::Confirmed))
        .flat_map(|line| line.channel_data.read::<LineData>().unwrap_or_default().ids)
        .collect()
}

type PackedItems = HashMap<u64, Outcome<Packed>>;

/// Packs everything; answers with what became of each item, and what keeps later calls back.
async fn pack_all(api: &Api, cx: &Context, readies: &[Outcome<Ready>]) -> (PackedItems, Option<Error>) {
    let mut groups: BTreeMap<&Allocation, Vec<&Plan>> = BTreeMap::new();
    for ready in readies {
        if let Outcome::Done(Ready { plan, allocation: Some(allocation) }) = ready {
            groups.entry(allocation).or_default().push(plan);
        }
    }
    let mut outcomes = PackedItems::new();
    let mut stop: Option<Error> = None;
    for (allocation, plans) in groups {
        for chunk in plans.chunks(MOST_PACKED) {
            match pack_chunk(api, cx, allocation, chunk, stop.as_ref()).await {
                // One order may have spoilt the whole call, which then did nothing: each goes alone.
                Err(error) if chunk.len() > 1 && refused(&error).is_some() => {
                    for plan in chunk {
                        let alone = pack_chunk(api, cx, allocation, &[*plan], stop.as_ref()).await;
                        take(&mut outcomes, &plan.pack, alone, &mut stop);
                    }
                }
                sent => {
                    let items: Vec<u64> = chunk.iter().flat_map(|plan| plan.pack.iter().copied()).collect();
                    take(&mut outcomes, &items, sent, &mut stop);
                }
            }
        }
    }
    (outcomes, stop)
}

async fn pack_chunk(
    api: &Api,
    cx: &Context,
    allocation: &Allocation,
    plans: &[&Plan],
    stop: Option<&Error>,
) -> Result<PackedItems> {
    if let Some(error) = stop {
        return Err(error.clone());
    }
    let ask = pack_ask(plans, allocation)?;
    let answer = api.call(cx, Operation::Dispatch, Nature::from(REPEAT), &ask).await?;
    // It was sent: an answer that can't be read leaves it open what was done.
    pack_result(&answer.body).map_err(Error::with_unknown_effect)
}

/// Notes what became of these items of a call.
fn take<K: Clone + Eq + std::hash::Hash, T: Clone>(
    outcomes: &mut HashMap<K, Outcome<T>>,
    asked: &[K],
    sent: Result<HashMap<K, Outcome<T>>>,
    stop: &mut Option<Error>,
) {
    match sent {
        Ok(mut done) => {
            for key in asked {
                let lost = || {
                    let why = "the answer leaves out a part of what was asked";
                    Outcome::Unknown(Error::malformed(why).with_unknown_effect())
                };
                outcomes.insert(key.clone(), done.remove(key).unwrap_or_else(lost));
            }
        }
        Err(error) => {
            let outcome = || match refused(&error) {
                Some(no) => Outcome::Refused(no),
                None => Outcome::from_error(&error),
            };
            outcomes.extend(asked.iter().map(|key| (key.clone(), outcome())));
            if stop.is_none() && concerns_account(&error) {
                *stop = Some(error);
            }
        }
    }
}

/// Packages to hand over, with their numbers.
struct Parcel {
    order_packages: BTreeSet<String>,
    tracking: Vec<Tracking>,
}

/// The parcel of a request after packing.
fn parcel(ready: Outcome<Ready>, packed: &PackedItems) -> Result<Parcel, Outcome<Dispatched>> {
    let plan = match ready {
        Outcome::Done(ready) => ready.plan,
        Outcome::AlreadyDone => return Err(Outcome::AlreadyDone),
        Outcome::Refused(no) => return Err(Outcome::Refused(no)),
        Outcome::NotTried(error) => return Err(Outcome::NotTried(error)),
        Outcome::Unknown(error) => return Err(Outcome::Unknown(error)),
    };
    let mut parcel = Parcel { order_packages: plan.packages, tracking: plan.tracking };
    let mut done = 0;
    let mut failed: Option<Outcome<Dispatched>> = None;
    for item in &plan.pack {
        match packed.get(item) {
            Some(Outcome::Done(piece)) => {
                done += 1;
                parcel.order_packages.insert(piece.package.clone());
                let known = |t: &Tracking| parcel.tracking.iter().any(|k| k.number == t.number);
                if let Some(tracking) = piece.tracking.clone().filter(|tracking| !known(tracking)) {
                    parcel.tracking.push(tracking);
                }
            }
            Some(Outcome::Refused(no)) => {
                failed.get_or_insert_with(|| Outcome::Refused(no.clone()));
            }
            Some(Outcome::NotTried(error)) => {
                failed.get_or_insert_with(|| Outcome::NotTried(error.clone()));
            }
            Some(Outcome::Unknown(error)) => failed = Some(Outcome::Unknown(error.clone())),
            Some(Outcome::AlreadyDone) | None => {
                let lost = Error::malformed("no outcome for an order item").with_unknown_effect();
                failed = Some(Outcome::Unknown(lost));
            }
        }
    }
    match failed {
        None => Ok(parcel),
        // What was packed stays packed and is not handed over: the parcel would leave without the rest.
        Some(Outcome::Refused(no)) if done > 0 => {
            let packages: Vec<&str> = parcel.order_packages.iter().map(String::as_str).collect();
            let why = format!(
                "{done} of {} pieces were packed ({}) and the others refused: {}",
                plan.pack.len(),
                packages.join(", "),
                no.message
            );
            let partly = Refusal::new(&no.code, why).reread();
            Err(Outcome::Refused(if no.temporary { partly.temporary() } else { partly }))
        }
        Some(outcome) => Err(outcome),
    }
}

type Handed = HashMap<String, Outcome<()>>;

/// Says of all packages that they are ready to ship.
async fn hand_over_all(
    api: &Api,
    cx: &Context,
    parcels: &[Result<Parcel, Outcome<Dispatched>>],
    stop: &mut Option<Error>,
) -> Handed {
    let packages: BTreeSet<&String> =
        parcels.iter().flatten().flat_map(|parcel| &parcel.order_packages).collect();
    let packages: Vec<String> = packages.into_iter().cloned().collect();
    let mut outcomes = Handed::new();
    for chunk in packages.chunks(MOST_PACKED) {
        match hand_over(api, cx, chunk, stop.as_ref()).await {
            Err(error) if chunk.len() > 1 && refused(&error).is_some() => {
                for package in chunk {
                    let one = std::slice::from_ref(package);
                    let alone = hand_over(api, cx, one, stop.as_ref()).await;
                    take(&mut outcomes, one, alone, stop);
                }
            }
            sent => take(&mut outcomes, chunk, sent, stop),
        }
    }
    outcomes
}

async fn hand_over(api: &Api, cx: &Context, packages: &[String], stop: Option<&Error>) -> Result<Handed> {
    if let Some(error) = stop {
        return Err(error.clone());
    }
    let ids: Vec<&str> = packages.iter().map(String::as_str).collect();
    let answer = api.call(cx, Operation::Dispatch, Nature::from(REPEAT), &ready_ask(&ids)?).await?;
    ready_result(&answer.body).map_err(Error::with_unknown_effect)
}

/// What became of a request, from what became of its packages.
async fn finish(
    api: &Api,
    cx: &Context,
    request: &DispatchRequest<'_>,
    parcel: Parcel,
    handed: &Handed,
) -> Outcome<Dispatched> {
    let order = &request.order.id;
    let mut done = 0;
    let mut failed: Option<Outcome<Dispatched>> = None;
    for package in &parcel.order_packages {
        match handed.get(package) {
            Some(Outcome::Done(())) => done += 1,
            Some(Outcome::Refused(no)) => {
                failed.get_or_insert_with(|| Outcome::Refused(no.clone()));
            }
            Some(Outcome::NotTried(error)) => {
                failed.get_or_insert_with(|| Outcome::NotTried(error.clone()));
            }
            Some(Outcome::Unknown(error)) => {
                failed = Some(Outcome::Unknown(error.clone().for_order(order)));
            }
            _ => {
                let lost = Error::malformed("no outcome for a package").with_unknown_effect();
                failed = Some(Outcome::Unknown(lost.for_order(order)));
            }
        }
    }
    match failed {
        None => Outcome::Done(brought(api, cx, request, parcel).await),
        // Neither done nor untouched: the order is read, and what is left of it is handed over then.
        Some(outcome) if done > 0 && !matches!(outcome, Outcome::Unknown(_)) => Outcome::Unknown(
            Error::new(ErrorKind::Refused)
                .with_message("some packages of the order were handed over and some were not")
                .for_order(order)
                .with_unknown_effect(),
        ),
        Some(outcome) => outcome,
    }
}

/// What the hand-over brought. It is made: a look-up that fails now changes nothing about that.
async fn brought(api: &Api, cx: &Context, request: &DispatchRequest<'_>, parcel: Parcel) -> Dispatched {
    let mut done = Dispatched::default();
    done.parcels.extend(parcel.order_packages);
    // Several numbers, or one that comes later: the order shows them. A part of an order splits its lines.
    done.reread = parcel.tracking.len() != 1 || !request.lines.is_empty();
    if let [tracking] = parcel.tracking.as_slice() {
        done.tracking = Some(tracking.clone());
    }
    if let [package] = done.parcels.as_slice() {
        done.label = label(api, cx, package).await.ok();
    }
    done
}

/// Reads where a package's label is.
pub(super) async fn label(api: &Api, cx: &Context, package: &str) -> Result<Private<String>> {
    let answer = api.read(cx, Operation::Dispatch, &label_ask(package)?).await?;
    label_result(&answer.body)
}
