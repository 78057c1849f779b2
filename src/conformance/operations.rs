//! Every operation of a channel in one form, so that the same trouble can be made in each.

use super::kit::{Kit, NO_CANCELS, NO_CONFIRM, NO_DISPATCH, NO_STOCK, Shop, Stop, ensure, not_applicable};
use super::{Change, Checked};
use crate::channel::{
    CancelAction, CancelDecision, CancelReason, ConfirmRequest, Credentials, Notify, OrderQuery, Outcome,
    Refusal, Repeat, ShipDateRequest, ShipDates, StockChange, Tracking, TrackingUpdate,
};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ChannelData, ListingKey, Order};

/// How a call about one item ended.
#[derive(Debug)]
pub(super) enum End {
    Done,
    Refused(Refusal),
    NotTried(Error),
    Unknown(Error),
    /// The call as a whole.
    Failed(Error),
    /// A connection test that denies something.
    Denied,
    /// Another number of outcomes than of items.
    Miscounted(usize),
}

impl End {
    fn one<T>(result: Result<Vec<Outcome<T>>>) -> Self {
        let outcomes = match result {
            Ok(outcomes) => outcomes,
            Err(error) => return Self::Failed(error),
        };
        let count = outcomes.len();
        match outcomes.into_iter().next() {
            Some(outcome) if count == 1 => match outcome {
                Outcome::Done(_) | Outcome::AlreadyDone => Self::Done,
                Outcome::Refused(no) => Self::Refused(no),
                Outcome::NotTried(error) => Self::NotTried(error),
                Outcome::Unknown(error) => Self::Unknown(error),
            },
            _ => Self::Miscounted(count),
        }
    }

    fn whole<T>(result: Result<T>) -> Self {
        match result {
            Ok(_) => Self::Done,
            Err(error) => Self::Failed(error),
        }
    }

    pub(super) fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    pub(super) fn error(&self) -> Option<&Error> {
        match self {
            Self::NotTried(error) | Self::Unknown(error) | Self::Failed(error) => Some(error),
            _ => None,
        }
    }

    pub(super) fn kind(&self) -> Option<ErrorKind> {
        match self {
            Self::Refused(_) => Some(ErrorKind::Refused),
            Self::Denied => Some(ErrorKind::Forbidden),
            _ => self.error().map(Error::kind),
        }
    }

    pub(super) fn is_temporary(&self) -> bool {
        match self {
            Self::Refused(no) => no.temporary,
            _ => self.error().is_some_and(Error::is_temporary),
        }
    }

    /// Whether the caller is told that the change may have been made.
    pub(super) fn is_unknown(&self) -> bool {
        match self {
            Self::Unknown(_) => true,
            Self::Failed(error) => error.outcome_unknown(),
            _ => false,
        }
    }
}

/// An operation of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Test,
    Fetch,
    Read,
    Confirm,
    ConfirmWithDate,
    SetShipDate,
    Dispatch,
    UpdateTracking,
    SetStock,
    ReadStock,
    List,
    ListCancels,
    Decide,
    ReadExpiry,
    Replace,
}

/// What an operation is done to.
pub(super) struct Subject {
    order: Option<Order>,
    listing: Option<(ListingKey, ChannelData)>,
    tracking: Option<Tracking>,
    credentials: Option<Credentials>,
}

impl Subject {
    fn nothing() -> Self {
        Self { order: None, listing: None, tracking: None, credentials: None }
    }

    fn order(order: Order) -> Self {
        Self { order: Some(order), ..Self::nothing() }
    }

    /// The same, with the order as it is now.
    pub(super) async fn reread(self, kit: &Kit, shop: &Shop) -> Result<Self, Stop> {
        let Some(order) = &self.order else { return Ok(self) };
        Ok(Self { order: Some(kit.reread(shop, order).await?), ..self })
    }
}

/// The quantity that [`Op::SetStock`] sets.
const QUANTITY: u32 = 7;

impl Op {
    pub(super) const ALL: [Self; 15] = [
        Self::Test,
        Self::Fetch,
        Self::Read,
        Self::Confirm,
        Self::ConfirmWithDate,
        Self::SetShipDate,
        Self::Dispatch,
        Self::UpdateTracking,
        Self::SetStock,
        Self::ReadStock,
        Self::List,
        Self::ListCancels,
        Self::Decide,
        Self::ReadExpiry,
        Self::Replace,
    ];

    pub(super) fn is_write(self) -> bool {
        matches!(
            self,
            Self::Confirm
                | Self::ConfirmWithDate
                | Self::SetShipDate
                | Self::Dispatch
                | Self::UpdateTracking
                | Self::SetStock
                | Self::Decide
        )
    }

    /// What the adapter says about a repeat; `None`: nothing.
    pub(super) fn repeat(self, shop: &Shop) -> Option<Repeat> {
        match self {
            Self::Confirm | Self::ConfirmWithDate => shop.channel.confirm().map(|c| c.repeat()),
            Self::SetShipDate => match shop.channel.ship_date() {
                Some(ShipDates::Separate(dates)) => Some(dates.repeat()),
                _ => None,
            },
            Self::Dispatch => shop.channel.dispatch().map(|d| d.repeat()),
            Self::SetStock => Some(Repeat::Safe),
            _ => None,
        }
    }

    /// What keeps the operation from being tried here.
    fn missing(self, kit: &Kit, shop: &Shop) -> Option<&'static str> {
        let channel = &shop.channel;
        match self {
            Self::Test | Self::Fetch | Self::Read => None,
            Self::Confirm => channel.confirm().is_none().then_some(NO_CONFIRM),
            Self::ConfirmWithDate => (!kit.sends_date_with_confirmation(shop))
                .then_some("the channel takes no ship date with the confirmation"),
            Self::SetShipDate => (!matches!(channel.ship_date(), Some(ShipDates::Separate(_))))
                .then_some("the channel takes no ship date by a call of its own"),
            Self::Dispatch => channel.dispatch().is_none().then_some(NO_DISPATCH),
            Self::UpdateTracking => {
                channel.notify().is_none().then_some("the channel takes no word on mails to the buyer")
            }
            Self::SetStock | Self::ReadStock => channel.stock().is_none().then_some(NO_STOCK),
            Self::List => channel.listings().is_none().then_some("the channel lists no listings"),
            Self::ListCancels => channel.cancellations().is_none().then_some(NO_CANCELS),
            Self::Decide => channel
                .cancellations()
                .is_none_or(|cancels| cancels.actions().is_empty())
                .then_some("the channel lets no cancellation be decided by API"),
            Self::ReadExpiry | Self::Replace => {
                channel.credentials().is_none().then_some("the channel's credentials are not replaced")
            }
        }
    }

    /// Something to do it to, made by an adapter for which all goes well.
    pub(super) async fn subject(self, kit: &Kit, shop: &Shop) -> Result<Subject, Stop> {
        if let Some(why) = self.missing(kit, shop) {
            return not_applicable(why);
        }
        match self {
            Self::Test | Self::ReadExpiry => Ok(Subject::nothing()),
            Self::Fetch | Self::Read | Self::Confirm | Self::ConfirmWithDate => {
                Ok(Subject::order(kit.new_order(shop).await?))
            }
            Self::SetShipDate => Ok(Subject::order(kit.ready_order(shop).await?)),
            Self::Dispatch => {
                let order = kit.ready_order(shop).await?;
                Ok(Subject { tracking: kit.fresh_tracking(), ..Subject::order(order) })
            }
            Self::UpdateTracking => {
                let order = kit.ready_order(shop).await?;
                let first = kit.fresh_tracking();
                let Some(second) = kit.fresh_tracking() else {
                    return not_applicable("the channel's own logistics gives the number");
                };
                let subject = Subject { tracking: first, ..Subject::order(order) };
                let sent = Self::Dispatch.run(kit, shop, &subject).await?;
                ensure!(sent.is_done(), "reporting a parcel: {sent:?}");
                let order = subject.order.as_ref().map(|order| kit.reread(shop, order));
                let Some(order) = order else { return not_applicable("no order") };
                Ok(Subject { tracking: Some(second), ..Subject::order(order.await?) })
            }
            Self::SetStock | Self::ReadStock | Self::List => {
                let key = kit.new_listing(&kit.fresh_sku(), 12).await?;
                let data = kit.data_of(shop, &key).await?;
                Ok(Subject { listing: Some((key, data)), ..Subject::nothing() })
            }
            Self::ListCancels | Self::Decide => {
                let order = kit.new_order(shop).await?;
                if self == Self::ListCancels || action(shop) == Some(CancelAction::Accept) {
                    kit.harness.change(&order.id, Change::AskCancel).await?;
                }
                Ok(Subject::order(kit.reread(shop, &order).await?))
            }
            Self::Replace => {
                let credentials = kit.harness.fresh_credentials().await?;
                Ok(Subject { credentials: Some(credentials), ..Subject::nothing() })
            }
        }
    }

    /// Does it.
    pub(super) async fn run(self, kit: &Kit, shop: &Shop, subject: &Subject) -> Result<End, Stop> {
        let cx = &kit.cx();
        let channel = &shop.channel;
        let gone = || Stop::NotApplicable("the channel hands out other things than before".to_owned());
        match self {
            Self::Test => {
                let report = channel.test(cx).await;
                let denied = report.as_ref().is_ok_and(|report| !report.is_complete());
                return Ok(if denied { End::Denied } else { End::whole(report) });
            }
            Self::Fetch => {
                let query = OrderQuery::window(kit.lately());
                let page = channel.orders().fetch(cx, &query, None).await;
                // A page without the order that is there counts for nothing.
                return Ok(match (&page, &subject.order) {
                    (Ok(page), Some(order))
                        if page.next.is_none()
                            && !page.rows.iter().filter_map(|row| row.order()).any(|o| o.id == order.id) =>
                    {
                        End::Miscounted(page.rows.len())
                    }
                    _ => End::whole(page),
                });
            }
            Self::List => {
                let listings = channel.listings().ok_or_else(gone)?;
                return Ok(End::whole(listings.list(cx, None).await));
            }
            Self::ReadExpiry => {
                let credentials = channel.credentials().ok_or_else(gone)?;
                return Ok(End::whole(credentials.expiry(cx).await));
            }
            Self::Replace => {
                let (credentials, new) =
                    (channel.credentials().ok_or_else(gone)?, subject.credentials.as_ref().ok_or_else(gone)?);
                return Ok(End::whole(credentials.replace(cx, new).await));
            }
            Self::ListCancels => {
                let cancels = channel.cancellations().ok_or_else(gone)?;
                return Ok(End::whole(cancels.requests(cx, kit.lately(), None).await));
            }
            Self::SetStock | Self::ReadStock => {
                let stock = channel.stock().ok_or_else(gone)?;
                let (key, data) = subject.listing.as_ref().ok_or_else(gone)?;
                return Ok(if self == Self::SetStock {
                    End::one(stock.set_stock(cx, &[StockChange::new(key, data, QUANTITY)]).await)
                } else {
                    End::one(stock.read_stock(cx, std::slice::from_ref(key)).await)
                });
            }
            _ => {}
        }
        let order = subject.order.as_ref().ok_or_else(gone)?;
        Ok(match self {
            Self::Read => End::one(channel.orders().read(cx, &[order]).await),
            Self::Confirm | Self::ConfirmWithDate => {
                let mut request = ConfirmRequest::new(order);
                if self == Self::ConfirmWithDate {
                    request = request.with_ship_date(kit.ship_date(shop));
                }
                End::one(channel.confirm().ok_or_else(gone)?.confirm(cx, &[request]).await)
            }
            Self::SetShipDate => {
                let Some(ShipDates::Separate(dates)) = channel.ship_date() else { return Err(gone()) };
                let request = ShipDateRequest { order, date: kit.ship_date(shop) };
                End::one(dates.set_ship_date(cx, &[request]).await)
            }
            Self::Dispatch => {
                let request = kit.parcel(shop, order, subject.tracking.as_ref());
                End::one(channel.dispatch().ok_or_else(gone)?.dispatch(cx, &[request]).await)
            }
            Self::UpdateTracking => {
                let tracking = subject.tracking.as_ref().ok_or_else(gone)?;
                let update = TrackingUpdate { order, tracking, notify: Notify::Nobody };
                End::one(channel.notify().ok_or_else(gone)?.update_tracking(cx, &[update]).await)
            }
            _ => {
                let action = action(shop).ok_or_else(gone)?;
                let reason = match action {
                    CancelAction::CancelBySeller => CancelReason::OutOfStock,
                    _ => CancelReason::BuyerRequest,
                };
                let decision = CancelDecision { order, action, reason, memo: None };
                End::one(channel.cancellations().ok_or_else(gone)?.decide(cx, &[decision]).await)
            }
        })
    }

    /// Whether the channel's server shows the change, and shows it once.
    pub(super) async fn is_made_once(self, kit: &Kit, shop: &Shop, subject: &Subject) -> Checked {
        if let (Self::SetStock, Some((key, _))) = (self, &subject.listing) {
            let shown = kit.harness.quantity(key).await?;
            ensure!(shown == QUANTITY, "{QUANTITY} was set; the channel shows {shown}");
        }
        let Some(order) = &subject.order else { return Ok(()) };
        match self {
            Self::Confirm | Self::ConfirmWithDate => {
                let seen = kit.harness.confirmations(&order.id).await?;
                ensure!(seen == 1, "the order was confirmed {seen} times");
            }
            Self::SetShipDate => {
                let mut seen = kit.harness.ship_dates(&order.id).await?;
                seen.dedup();
                ensure!(seen == [kit.ship_date(shop)], "the channel has the ship dates {seen:?}");
            }
            Self::Dispatch => {
                let seen = kit.harness.dispatches(&order.id).await?;
                let pieces: u32 = seen.iter().map(|parcel| parcel.pieces).sum();
                ensure!(seen.len() == 1 && pieces == 2, "one parcel of 2 pieces was reported: {seen:?}");
            }
            Self::UpdateTracking => {
                let seen = kit.harness.dispatches(&order.id).await?;
                let wanted = subject.tracking.as_ref().map(|tracking| tracking.number.as_str());
                let told: Vec<_> = seen.iter().map(|parcel| Some(parcel.number.as_str())).collect();
                ensure!(told == [wanted], "the channel has the tracking numbers {told:?}");
            }
            Self::Decide => {
                let cancelled = kit.harness.is_cancelled(&order.id).await?;
                let wanted = action(shop) != Some(CancelAction::Refuse);
                ensure!(cancelled == wanted, "after the decision the order is cancelled: {cancelled}");
            }
            _ => {}
        }
        Ok(())
    }
}

/// The first thing that can be decided.
fn action(shop: &Shop) -> Option<CancelAction> {
    shop.channel.cancellations().and_then(|cancels| cancels.actions().first().copied())
}
