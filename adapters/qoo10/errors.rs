//! The methods of QAPI, and what their answers mean: a table of codes per method (sheet 4 and 7).

use crate::channel::Refusal;
use crate::error::{Effect, Error, ErrorKind, Result, Retry};
use crate::http::{Response, classify_status, expect_json};

use super::wire::{Envelope, text};

/// A method of QAPI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    ShippingInfo,
    OrderInfo,
    ClaimInfo,
    ConfirmOne,
    ConfirmMany,
    SendMany,
    CancelOrder,
    AllItems,
    ItemDetail,
    Inventory,
    SetItemQuantity,
    SetItemQuantities,
    SetOptionQuantity,
    CreateKey,
}

/// What a method can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Nothing,
    One,
    Many,
}

impl Method {
    /// `Service.Method`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ShippingInfo => "ShippingBasic.GetShippingInfo_v3",
            Self::OrderInfo => "ShippingBasic.GetShippingAndClaimInfoByOrderNo_V2",
            Self::ClaimInfo => "ShippingBasic.GetClaimInfo_V3",
            Self::ConfirmOne => "ShippingBasic.SetSellerCheckYN_V2",
            Self::ConfirmMany => "ShippingBasic.SetSellerCheckYNBulk",
            Self::SendMany => "ShippingBasic.SetSendingInfoBulk",
            Self::CancelOrder => "Claim.SetCancelProcess",
            Self::AllItems => "ItemsLookup.GetAllGoodsInfo",
            Self::ItemDetail => "ItemsLookup.GetItemDetailInfo",
            Self::Inventory => "ItemsLookup.GetGoodsInventoryInfo",
            Self::SetItemQuantity => "ItemsOrder.SetGoodsPriceQty",
            Self::SetItemQuantities => "ItemsOrder.SetGoodsPriceQtyBulk",
            Self::SetOptionQuantity => "ItemsOptions.UpdateInventoryQtyUnit",
            Self::CreateKey => "CertificationAPI.CreateCertificationKey",
        }
    }

    /// `QAPIVersion` (sheet 1).
    pub(super) fn version(self) -> &'static str {
        match self {
            Self::ItemDetail => "1.2",
            _ => "1.0",
        }
    }

    fn reach(self) -> Reach {
        match self {
            Self::ShippingInfo
            | Self::OrderInfo
            | Self::ClaimInfo
            | Self::AllItems
            | Self::ItemDetail
            | Self::Inventory => Reach::Nothing,
            Self::ConfirmMany | Self::SendMany | Self::SetItemQuantities => Reach::Many,
            Self::ConfirmOne
            | Self::CancelOrder
            | Self::SetItemQuantity
            | Self::SetOptionQuantity
            | Self::CreateKey => Reach::One,
        }
    }
}

/// Some items of a bulk stock call failed (sheet 4.5).
pub(super) const SOME_FAILED: i64 = -1;
/// The order is confirmed already (sheet 4.3).
pub(super) const ALREADY_CONFIRMED: i64 = -10012;

/// Says what is wrong with an answer; `Ok`: it can be read for its result.
///
/// # Errors
/// The kind that status and code stand for, with the channel's code and text.
pub(super) fn judge(method: Method, response: &Response) -> Result<()> {
    classify_status(response).map_err(|error| by_status(method, response.status, error))?;
    expect_json(response)?;
    judge_body(method, &response.body)
}

/// QAPI answers 200 to everything it understands, so any other status comes from in front of it.
fn by_status(method: Method, status: u16, error: Error) -> Error {
    let again = |kind| {
        let retry = error.retry();
        Error::new(kind).with_code(format_args!("HTTP {status}")).with_retry(retry)
    };
    match (status, error.kind()) {
        // The www host answers so (sheet 3). Never "not found": that would be read as "no such order".
        (404 | 410, _) => again(ErrorKind::Configuration)
            .with_message("nothing is at this address: check the host and path of the configuration"),
        (_, ErrorKind::Refused) if method.reach() == Reach::Nothing => again(ErrorKind::Unavailable),
        _ => error,
    }
}

/// Judges the body of an answer with status 200.
///
/// # Errors
/// As [`judge`].
pub(super) fn judge_body(method: Method, body: &[u8]) -> Result<()> {
    let body = text(body);
    let envelope = Envelope::read(&body)?;
    match envelope.code {
        0 => return Ok(()),
        SOME_FAILED if method == Method::SetItemQuantities => return Ok(()),
        _ => {}
    }
    let verdict = verdict(method, envelope.code);
    // Where the rows came with their own codes, they say more than the envelope.
    let told = matches!(verdict.kind, ErrorKind::Refused)
        && matches!(method, Method::ConfirmMany | Method::SendMany)
        && envelope.rows().is_ok_and(|rows| !rows.is_empty());
    if told { Ok(()) } else { Err(verdict.error(envelope.code, &envelope.message)) }
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) kind: ErrorKind,
    pub(super) retry: Retry,
    pub(super) effect: Effect,
    /// What the code means; empty: only the channel's text says it.
    pub(super) meaning: &'static str,
}

impl Verdict {
    const fn new(kind: ErrorKind, meaning: &'static str) -> Self {
        Self { kind, retry: Retry::Never, effect: Effect::None, meaning }
    }

    fn error(self, code: i64, said: &str) -> Error {
        let error = Error::new(self.kind)
            .with_code(code)
            .with_message(words(self.meaning, said))
            .with_retry(self.retry);
        if self.effect == Effect::Unknown { error.with_unknown_effect() } else { error }
    }
}

fn words(meaning: &str, said: &str) -> String {
    match (meaning.trim(), said.trim()) {
        ("", said) => said.to_owned(),
        (meaning, "") => meaning.to_owned(),
        (meaning, said) => format!("{meaning} ({said})"),
    }
}

/// What a code other than 0 means for a method.
pub(super) fn verdict(method: Method, code: i64) -> Verdict {
    use ErrorKind as Kind;
    match (code, method) {
        (-10000, _) => Verdict::new(Kind::Unauthorized, "the certification key is not accepted"),
        (-90001, _) => Verdict::new(
            Kind::Configuration,
            "the channel has no such method at this address: check host and path of the configuration",
        ),
        (-90002 | -90003, _) => Verdict::new(
            Kind::Forbidden,
            "the certification key is not allowed to use this method: allow it in the seller back office",
        ),
        (-90004 | -90005, _) => {
            Verdict::new(Kind::CredentialExpired, "the certification key has expired: issue a new one")
        }
        (-10001, Method::ShippingInfo | Method::ClaimInfo | Method::AllItems) => {
            Verdict::new(Kind::Unauthorized, "the channel knows no such seller")
        }
        (-10001, Method::CreateKey) => Verdict::new(Kind::Unauthorized, "the channel knows no such seller"),
        (-10001, Method::ItemDetail | Method::Inventory) => {
            Verdict::new(Kind::NotFound, "the channel has no such item")
        }
        (-10009, Method::ItemDetail) => Verdict::new(
            Kind::NotFound,
            "the item is neither on sale nor waiting, so its details can't be read",
        ),
        (-10002, Method::ClaimInfo) => Verdict::new(Kind::InvalidInput, "the search dates are wrong"),
        (-10003, Method::ClaimInfo) => {
            Verdict::new(Kind::InvalidInput, "the search span is longer than 90 days")
        }
        (-10011, Method::ConfirmMany) | (-2, Method::SetItemQuantities) => {
            Verdict::new(Kind::InvalidInput, "more than 500 items in one call")
        }
        // A read that is refused for another reason is tried again: no order may be dropped for it.
        (_, method) if method.reach() == Reach::Nothing => Verdict {
            retry: Retry::Later,
            ..Verdict::new(Kind::Unavailable, "the channel could not answer the search")
        },
        // A bulk call that failed as a whole may have got half-way: nothing says that it did not.
        (code, method) if method.reach() == Reach::Many => {
            Verdict { effect: Effect::Unknown, ..Verdict::new(Kind::Refused, meaning(method, code)) }
        }
        (code, method) => Verdict::new(Kind::Refused, meaning(method, code)),
    }
}

/// What a refusal of one item means, in words; empty: the channel's text says it.
fn meaning(method: Method, code: i64) -> &'static str {
    match (code, method) {
        (ALREADY_CONFIRMED, Method::ConfirmOne | Method::ConfirmMany) => "the order is confirmed already",
        (-10013, Method::ConfirmOne | Method::ConfirmMany) => {
            "the order is not in the state \"delivery requested\": it was cancelled or shipped"
        }
        (-10016, Method::ConfirmOne | Method::ConfirmMany) => "the expected ship date is missing",
        (-10017, Method::ConfirmOne | Method::ConfirmMany) => {
            "the expected ship date is later than the channel allows"
        }
        (-10018, Method::ConfirmOne | Method::ConfirmMany) => {
            "the expected ship date has passed, or is today and too late in the day"
        }
        (-10001, Method::CancelOrder) => "the order number is wrong",
        (-10002, Method::CancelOrder) => "the channel has no such order",
        (-10003, Method::CancelOrder) => "the order is another seller's",
        (-10004, Method::CancelOrder) => {
            "the order's state allows no cancellation: it is shipped or cancelled"
        }
        (-10001, Method::SetItemQuantity | Method::SetOptionQuantity) => "the channel has no such item",
        (-10101, _) => "the channel could not process it",
        _ => "",
    }
}

/// The channel's no for one order.
pub(super) fn refusal(method: Method, code: i64, said: &str) -> Refusal {
    let refusal = Refusal::new(code, words(meaning(method, code), said));
    match (code, method) {
        // Wrong dates say nothing about the order's state; everything else may come from a state that has changed.
        (-10018..=-10016, Method::ConfirmOne | Method::ConfirmMany) => refusal,
        _ => refusal.reread(),
    }
}
