//! Which pieces of an order make a parcel, which of them are still to be packed, and which packages are to be handed
//! over; or why not. No call is made here.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::channel::{DispatchRequest, Outcome, Refusal, Tracking};
use crate::model::{Line, LineId, OrderStatus};

use super::lines::LineData;
use super::rows::Fresh;
use super::wire::number;

/// What is to be done for a parcel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Plan {
    pub(super) order: u64,
    /// Order items to pack.
    pub(super) pack: Vec<u64>,
    /// Packages that were packed before.
    pub(super) packages: BTreeSet<String>,
    /// Their numbers.
    pub(super) tracking: Vec<Tracking>,
}

/// Why nothing is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum No {
    AlreadyDone,
    Refused(Refusal),
}

impl No {
    pub(super) fn outcome<T>(self) -> Outcome<T> {
        match self {
            Self::AlreadyDone => Outcome::AlreadyDone,
            Self::Refused(no) => Outcome::Refused(no),
        }
    }
}

fn no(why: &str) -> No {
    No::Refused(Refusal::new("", why).reread())
}

pub(super) fn later(why: &str) -> No {
    No::Refused(Refusal::new("", why).reread().temporary())
}

/// A piece of an order.
struct Piece<'a> {
    id: String,
    line: &'a Line,
    data: &'a LineData,
}

impl Piece<'_> {
    fn is_open(&self) -> bool {
        matches!(self.line.status, OrderStatus::New | OrderStatus::Confirmed)
    }

    fn is_shipped(&self) -> bool {
        self.line.status.is_past_dispatch() && self.line.status != OrderStatus::Cancelled
    }

    /// A package that was taken apart is packed again; its id is none any more (sheet 4: "pending or repacked").
    fn is_packed(&self) -> bool {
        self.line.status == OrderStatus::Confirmed && !self.data.word.eq_ignore_ascii_case("repacked")
    }
}

fn data_of(line: &Line) -> LineData {
    line.channel_data.read::<LineData>().unwrap_or_default()
}

/// Plans a parcel from what the channel says now.
///
/// # Errors
/// Why there is nothing to be sent.
pub(super) fn plan(request: &DispatchRequest<'_>, fresh: &Fresh) -> Result<Plan, No> {
    let order = number(request.order.id.as_str()).ok_or_else(|| no("the order's id is no number"))?;
    let data: Vec<LineData> = fresh.lines.iter().map(data_of).collect();
    let pieces: Vec<Piece<'_>> = fresh
        .lines
        .iter()
        .zip(&data)
        .flat_map(|(line, data)| data.ids.iter().map(move |id| Piece { id: id.clone(), line, data }))
        .collect();
    let chosen = if request.lines.is_empty() { all_open(&pieces)? } else { named(request, &pieces)? };
    if fresh.wants_out == Some(true) {
        return Err(later("the buyer asks to cancel: decide the request first"));
    }
    let mut plan = Plan { order, ..Plan::default() };
    let mut warehouses: BTreeSet<&str> = BTreeSet::new();
    for piece in &chosen {
        if !piece.is_packed() {
            let item = number(&piece.id).ok_or_else(|| no("an order item's id is no number"))?;
            plan.pack.push(item);
            warehouses.insert(&piece.data.warehouse);
            continue;
        }
        let package = piece.line.unit.as_str();
        if package.is_empty() {
            return Err(later("pieces are packed and the channel does not tell their package yet"));
        }
        if plan.packages.insert(package.to_owned()) && !piece.data.tracking.is_empty() {
            plan.tracking.push(Tracking::new(&piece.data.carrier, &piece.data.tracking));
        }
    }
    if warehouses.len() > 1 {
        return Err(no("the pieces lie in several warehouses: report a parcel for each"));
    }
    // A package is handed over as a whole: what was not asked for must not go with it.
    let ids: HashSet<&str> = chosen.iter().map(|piece| piece.id.as_str()).collect();
    let more = pieces.iter().any(|piece| {
        plan.packages.contains(&piece.line.unit) && piece.is_open() && !ids.contains(piece.id.as_str())
    });
    if more {
        return Err(no(
            "the package holds other pieces too: repack it in Seller Center, or report them together",
        ));
    }
    Ok(plan)
}

/// All pieces that wait to be shipped.
fn all_open<'a>(pieces: &'a [Piece<'a>]) -> Result<Vec<&'a Piece<'a>>, No> {
    let any = |status: OrderStatus| pieces.iter().any(|piece| piece.line.status == status);
    if any(OrderStatus::PendingPayment) {
        return Err(no("the order is not paid"));
    }
    if any(OrderStatus::Unknown) {
        return Err(no("the state of an item is not known"));
    }
    let open: Vec<&Piece<'_>> = pieces.iter().filter(|piece| piece.is_open()).collect();
    if !open.is_empty() {
        return Ok(open);
    }
    Err(if pieces.iter().any(Piece::is_shipped) {
        No::AlreadyDone
    } else {
        no("nothing of the order is left to ship")
    })
}

/// So many pieces of each named line. Pieces that were packed before come first: they may be of this very parcel.
fn named<'a>(request: &DispatchRequest<'_>, pieces: &'a [Piece<'a>]) -> Result<Vec<&'a Piece<'a>>, No> {
    let by_id: HashMap<&str, &Piece<'_>> = pieces.iter().map(|piece| (piece.id.as_str(), piece)).collect();
    let mut wanted: BTreeMap<&LineId, u32> = BTreeMap::new();
    for (id, count) in request.lines {
        let sum = wanted.entry(id).or_default();
        *sum = sum.saturating_add(*count);
    }
    let mut chosen: Vec<&Piece<'_>> = Vec::new();
    let mut done_before = 0;
    for (id, count) in wanted {
        let line = request.order.line(id).ok_or_else(|| no("the order has no such line"))?;
        let known = data_of(line).ids;
        let mut own: Vec<&Piece<'_>> = Vec::new();
        for item in &known {
            own.push(by_id.get(item.as_str()).copied().ok_or_else(|| no("the order's items have changed"))?);
        }
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let shipped = own.iter().filter(|piece| piece.is_shipped()).count();
        let mut open: Vec<&Piece<'_>> = own.into_iter().filter(|piece| piece.is_open()).collect();
        if open.is_empty() && count > 0 && shipped >= count {
            let alike = |piece: &Piece<'_>| piece.is_open() && piece.line.listing == line.listing;
            // Lazada gives the numbers: nothing tells whether this is the parcel that left or another one.
            if pieces.iter().any(alike) {
                return Err(no(
                    "the line's pieces were shipped, and others of the same product wait: name the line that waits",
                ));
            }
            done_before += 1;
            continue;
        }
        if shipped > 0 && !line.status.is_past_dispatch() {
            return Err(later("pieces of the line were shipped since the order was read"));
        }
        if open.len() < count || count == 0 {
            return Err(no("fewer pieces are left to ship than the parcel holds"));
        }
        open.sort_by_key(|piece| (!piece.is_packed(), number(&piece.id)));
        chosen.extend(open.into_iter().take(count));
    }
    match (chosen.is_empty(), done_before) {
        (false, 0) => Ok(chosen),
        (true, 0) => Err(no("the parcel holds nothing")),
        (true, _) => Err(No::AlreadyDone),
        (false, _) => Err(no("some pieces of the parcel were shipped before and some were not")),
    }
}
