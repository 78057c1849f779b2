//! Moving an order to a phase (sheet 6). A move can throw an order back, and can make CROSS MALL write to the shop and to
//! the buyer: the order is always read right before.

use crate::channel::{Context, Operation, Refusal};
use crate::error::{Error, Result};
use crate::model::{Order, OrderId, OrderStatus};

use super::auth::{Api, Query};
use super::errors::Method;
use super::orders::{one_query, one_row};
use super::rows::{OrderRow, packed_into, status};
use super::settings::Choices;
use super::wire::text;

/// What an order is right now, as far as a move depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Present {
    pub(super) status: OrderStatus,
    pub(super) on_hold: bool,
    pub(super) packed_into: Option<String>,
    pub(super) phase: String,
    pub(super) tracking_number: String,
    pub(super) carrier: String,
    /// As CROSS MALL writes it.
    pub(super) ship_date: String,
}

/// The present state in an answer of `get_order`; `None`: CROSS MALL has no such order.
///
/// # Errors
/// As [`one_row`].
pub(super) fn present_result(body: &[u8], id: &OrderId, choices: &Choices) -> Result<Option<Present>> {
    let body = text(body);
    let Some((_, element)) = one_row(&body, id)? else { return Ok(None) };
    let row = OrderRow::of(&element);
    Ok(Some(Present {
        status: status(&row, choices),
        on_hold: row.cancel_flag == "1",
        packed_into: packed_into(&row).map(str::to_owned),
        phase: row.phase_name.to_owned(),
        tracking_number: row.delivery_number.to_owned(),
        carrier: row.delivery_name.to_owned(),
        ship_date: row.delivery_date.to_owned(),
    }))
}

/// Reads an order as it is right now.
pub(super) async fn present(
    api: &Api,
    cx: &Context,
    operation: Operation,
    choices: &Choices,
    order: &Order,
) -> Result<Option<Present>> {
    let answer = api.call(cx, operation, Method::Order, &one_query(&order.id)).await?;
    present_result(&answer.body, &order.id, choices).map_err(|error| error.for_order(&order.id))
}

impl Present {
    /// Why nothing may be done to an order, whatever is wanted; `None`: nothing stands against it.
    ///
    /// What a person can change in CROSS MALL or in the options is tried again.
    pub(super) fn barred(&self) -> Option<Refusal> {
        let no = |message: &str| Some(Refusal::new("", message).reread());
        if let Some(ahead) = &self.packed_into {
            return no(&format!("it is packed into order {ahead}: ship it with that one, by hand"));
        }
        let wait = |message: &str| no(message).map(Refusal::temporary);
        match self.status {
            OrderStatus::Cancelled => no("it is cancelled in CROSS MALL"),
            OrderStatus::PendingPayment => wait(&format!("its phase {} waits for payment", self.phase)),
            OrderStatus::Unknown => wait(&format!(
                "no option says what its phase \"{}\" means, or its flag is unknown",
                self.phase
            )),
            _ if self.on_hold => wait("it is on hold (保留) in CROSS MALL"),
            _ => None,
        }
    }
}

/// The parameters that move an order, with what is written along.
pub(super) fn move_query(id: &OrderId, to: &str, along: Query) -> Query {
    let mut query = vec![("order_number", id.to_string()), ("after_phase_name", to.to_owned())];
    query.extend(along);
    query
}

/// Moves an order. `Ok` only where the channel says `success`.
pub(super) async fn move_to(
    api: &Api,
    cx: &Context,
    operation: Operation,
    order: &Order,
    to: &str,
    along: Query,
) -> Result<()> {
    let query = move_query(&order.id, to, along);
    let moved = api.call(cx, operation, Method::MovePhase, &query).await;
    moved.map(drop).map_err(|error: Error| error.for_order(&order.id))
}
