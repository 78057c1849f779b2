//! Following deliveries (DT).

use chrono::{DateTime, TimeDelta, Utc};

use crate::model::{OrderRecord, OrderStatus};
use crate::options::{DeliveryTracking, EffectiveOptions};

/// Following ends after this long.
pub const ENDS_AFTER: TimeDelta = TimeDelta::days(30);

/// When the order is next re-read; `None`: it is not followed, or not any more.
///
/// Orders that are not shipped yet are re-read each cycle anyway (OS-10). From then on, hourly on the first two days,
/// every 6 hours for a week, then daily, until delivered, cancelled, returned or 30 days have passed (DT-3).
pub fn next_read(
    record: &OrderRecord,
    options: &EffectiveOptions,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let followed = record.is_linked()
        && match options.tracking() {
            DeliveryTracking::ProcessedHere => record.dispatched_here(),
            DeliveryTracking::AllCollected => true,
        };
    if !followed || !record.order.status.is_past_dispatch() || record.order.status.is_final() {
        return None;
    }
    let age = now - began(record);
    let pause = match age {
        age if age >= ENDS_AFTER => return None,
        age if record.order.status == OrderStatus::DeliveryFailed || age >= TimeDelta::days(9) => {
            TimeDelta::days(1)
        }
        age if age >= TimeDelta::days(2) => TimeDelta::hours(6),
        _ => TimeDelta::hours(1),
    };
    now.checked_add_signed(pause)
}

/// Since when the parcel is on its way: the first dispatch made here, else the order itself.
fn began(record: &OrderRecord) -> DateTime<Utc> {
    record
        .dispatches
        .iter()
        .map(|dispatch| dispatch.parcel.shipped_at)
        .min()
        .unwrap_or_else(|| record.order.paid_at.unwrap_or(record.order.ordered_at))
}
